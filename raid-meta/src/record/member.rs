//! `member`: one per metadata instance found on a device.

use super::{Problem, V1};
use crate::geometry::{Layout, Level};
use crate::units::{Bytes, ChunkSectors, Count, Sectors, Slot};
use serde::{Deserialize, Serialize};

/// What the metadata says the device is to its set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Holds a slot.
    Active,
    /// Waits for a slot.
    Spare,
    /// Marked as failed.
    Failed,
    /// Holds the write journal.
    Journal,
    /// Carries the set's metadata but is not part of it (any more).
    Foreign,
    /// The metadata does not say, or what is needed to find out is not known.
    #[default]
    Unknown,
}

/// What a find rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The magic number or text is there.
    Signature,
    /// A checksum over the metadata matches.
    Checksum,
    /// All counts, sizes and positions are inside their bounds.
    Bounds,
    /// Other copies on the same device agree.
    Copies,
    /// Other members of the set agree.
    Members,
}

/// State of the checksum of a metadata area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ChecksumState {
    /// Matches.
    Ok,
    /// Does not match.
    Bad,
    /// The structure has none.
    Absent,
    /// There is one, not computed.
    Unchecked,
}

/// One contiguous piece of metadata on the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AreaRecord {
    /// What it is: `superblock`, `bitmap`, `mpb`, `migration-record`, …
    pub role: String,
    /// From the start of the device window.
    pub offset_bytes: Bytes,
    /// Length.
    pub length_bytes: Bytes,
    /// State of its checksum.
    pub checksum: ChecksumState,
}

/// One volume that the metadata describes, as this member sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VolumeRecord {
    /// Bare name on disk, escaped.
    pub name: Option<String>,
    /// Identity of the volume.
    pub uuid: Option<String>,
    /// Level, null where it is not one of the seven.
    pub level: Option<Level>,
    /// Layout.
    pub layout: Option<Layout>,
    /// Chunk.
    pub chunk_sectors: Option<ChunkSectors>,
    /// Size of the volume.
    pub size_sectors: Option<Sectors>,
    /// Number of slots.
    pub slots: Option<u32>,
    /// Slot of this member.
    pub slot: Option<Slot>,
    /// Where this member's part of the volume begins, from the start of the device window.
    pub data_offset_sectors: Option<Sectors>,
    /// Length of this member's part.
    pub data_length_sectors: Option<Sectors>,
    /// State of the volume in the format's own words: `clean`, `dirty`, `degraded`, …
    pub state: Option<String>,
}

/// One metadata instance on a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemberRecord {
    /// Record version.
    pub v: V1,
    /// Path of the device or image, escaped.
    pub device: String,
    /// Start of the window in the device (a partition, or `PATH@OFFSET`).
    pub device_offset_sectors: Sectors,
    /// Length of the window.
    pub device_length_sectors: Sectors,
    /// Hardware serial number, if known.
    pub serial: Option<String>,
    /// Format of the metadata: a name of `raid-probe --list-formats`.
    pub format: String,
    /// Version of the format.
    pub metadata_version: Option<String>,
    /// Identity of the set.
    pub set_id: Option<String>,
    /// Name of the set on disk, escaped.
    pub set_name: Option<String>,
    /// Identity of the member in its set.
    pub member_id: Option<String>,
    /// Update counter: the larger, the fresher.
    pub generation: Option<Count>,
    /// What the device is to its set.
    pub role: Role,
    /// What the find rests on.
    pub evidence: Vec<Evidence>,
    /// Where the metadata is.
    pub metadata: Vec<AreaRecord>,
    /// What it describes.
    pub volumes: Vec<VolumeRecord>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}
