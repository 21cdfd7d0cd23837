//! `mismatch`, `region`, `progress`: what happens while data is read, saved and moved.

use super::V1;
use crate::units::{Bytes, Count, Sectors, Slot};
use serde::{Deserialize, Serialize};

/// A place where redundancy and data do not agree: sectors of one stripe that follow each other and have one verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MismatchRecord {
    /// Record version.
    pub v: V1,
    /// Name of the array.
    pub array: String,
    /// Number of the stripe (row of chunks); null for levels without.
    pub stripe: Option<Count>,
    /// Slot that is wrong, if the evidence says.
    pub slot: Option<Slot>,
    /// Path of the device in that slot, escaped.
    pub device: Option<String>,
    /// What that member holds there.
    pub role: Option<super::PlaceRole>,
    /// Array sectors affected: those that the wrong member holds; where it holds parity, or none can be named, all
    /// that are compared there.
    pub array_sectors: Vec<Sectors>,
    /// `wrong`: the member in `slot`. `undecidable`: one of several, and nothing says which.
    pub verdict: String,
    /// First sector, from the start of the members' data; null where nothing can be named and the members hold it at
    /// different places.
    #[serde(default)]
    pub data_sector: Option<Sectors>,
    /// First sector on the device (its window included).
    #[serde(default)]
    pub member_sector: Option<Sectors>,
    /// Number of sectors on each member.
    #[serde(default)]
    pub length_sectors: Sectors,
    /// Whether it was put right.
    #[serde(default)]
    pub fixed: bool,
}

/// What a scrub of an array came to. Sectors are those that were compared, on all members together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScrubRecord {
    /// Record version.
    pub v: V1,
    /// Name of the array.
    pub array: String,
    /// Member sectors that were compared with others.
    pub compared_sectors: Sectors,
    /// Member sectors that agree with nothing, of members that are known to be wrong.
    pub wrong_sectors: Sectors,
    /// Sectors where members disagree and nothing says which is wrong, counted once for all members.
    pub undecidable_sectors: Sectors,
    /// Of both, sectors that were put right.
    pub fixed_sectors: Sectors,
    /// Member sectors that could not be read.
    pub unreadable_sectors: Sectors,
    /// Member sectors that had nothing to be compared with: the others are missing, not trusted, or not synchronised.
    pub unchecked_sectors: Sectors,
}

/// A saved piece of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RegionRecord {
    /// Record version.
    pub v: V1,
    /// Path of the device, escaped.
    pub device: String,
    /// From the start of the device.
    pub offset_bytes: Bytes,
    /// Length.
    pub length_bytes: Bytes,
    /// SHA-256 of the bytes, hexadecimal.
    pub sha256: String,
    /// The bytes, hexadecimal.
    pub hex: String,
    /// Size of the device that the piece was saved from; null where it is not known.
    #[serde(default)]
    pub device_size_bytes: Option<Bytes>,
    /// Hardware serial number of that device, escaped; null where it is not known.
    #[serde(default)]
    pub serial: Option<String>,
    /// What the piece is: format and role of a metadata area, or what overwrote it.
    #[serde(default)]
    pub what: Option<String>,
}

/// A piece of a device that is overwritten, or would be with `--write`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WriteRecord {
    /// Record version.
    pub v: V1,
    /// Path of the device, escaped.
    pub device: String,
    /// From the start of the device.
    pub offset_bytes: Bytes,
    /// Length.
    pub length_bytes: Bytes,
    /// What is written there.
    pub what: String,
    /// SHA-256 of the bytes that are there before, hexadecimal.
    pub from_sha256: String,
    /// SHA-256 of the bytes that are written, hexadecimal.
    pub to_sha256: String,
    /// Whether it was written; else it was only shown.
    pub written: bool,
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProgressRecord {
    /// Record version.
    pub v: V1,
    /// What is being done.
    pub job: String,
    /// Bytes done.
    pub done_bytes: Bytes,
    /// Bytes in all.
    pub total_bytes: Bytes,
    /// Bytes per second, recently.
    pub rate_bytes_per_s: Option<Bytes>,
    /// Seconds to go.
    pub eta_s: Option<Count>,
}
