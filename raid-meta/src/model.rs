//! What a metadata instance says, free of how its format writes it: the model between the on-disk
//! structures and the records.
//!
//! Every member of a set carries a view of the whole set. [`crate::group`] compares the views of all
//! members that claim the same set, believes the freshest, and finds the disks that it names. The disks of a set
//! are named by a [`DiskKey`]: the device number of md, the serial number of isw.

use crate::format::schema::Encoding;
use crate::geometry::{Geometry, Level};
use crate::record::{ChecksumState, Direction, Problem, Role, SectorRange, WriteLog};
use crate::units::{Bytes, Sectors, Slot};

/// How the metadata of a set names one of its disks. Opaque outside the format.
pub type DiskKey = String;

/// One contiguous piece of metadata, with its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// What it is: `superblock`, `bitmap`, `mpb`, …
    pub role: &'static str,
    /// From the start of the device window.
    pub offset: Bytes,
    /// The bytes as they are on the device, in device order.
    pub bytes: Vec<u8>,
    /// State of its checksum.
    pub checksum: ChecksumState,
}

/// One field of a structure, for `dump`, `get`, `diff` and the annotated hexdump.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Structure that the field is in.
    pub structure: String,
    /// Dotted path with `[n]`, unique in the metadata instance.
    pub name: String,
    /// From the start of the device window.
    pub offset: Bytes,
    /// Size.
    pub size: u32,
    /// How the value stands for the bytes.
    pub encoding: Encoding,
    /// The value, reversible: the bytes follow from it.
    pub value: serde_json::Value,
    /// What the value means, where that is more than the value.
    pub meaning: Option<String>,
}

/// What one metadata instance says about its device and its set.
#[derive(Clone, Debug, Default)]
pub struct MemberView {
    /// Equal for all members of a set, and for nothing else. Empty where the metadata names no set: such a member belongs
    /// to the set of its format that names its key.
    pub set_id: String,
    /// Name of the set on disk, escaped.
    pub set_name: Option<String>,
    /// Identity of the member.
    pub member_id: Option<String>,
    /// How the set's metadata names this disk; none when that can not be found out.
    pub key: Option<DiskKey>,
    /// Lineage inside the set: views of different families are not compared by generation. Empty
    /// where the format has no such thing.
    pub family: String,
    /// Update counter.
    pub generation: u64,
    /// How far the generation of a current member may be behind the freshest.
    pub generation_slack: u64,
    /// Digest of what all members must say alike at the same generation; none where the format has no such
    /// thing. Equal generations with different content are a divergence.
    pub content: Option<String>,
    /// Seconds since the epoch of the last update, where the format records it. For messages.
    pub updated: Option<u64>,
    /// What the metadata says that this device is.
    pub role: Role,
    /// The volumes of the set, in the order of the metadata.
    pub volumes: Vec<VolumeView>,
    /// What makes the view itself doubtful: `slot-unknown` and the like.
    pub problems: Vec<Problem>,
}

/// What a disk is to a volume, in one member's view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlotState {
    /// Current.
    #[default]
    InSync,
    /// Being rebuilt.
    Rebuilding,
    /// Known to have failed, or known to be missing.
    Failed,
}

/// Where a slot's data is on its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// From the start of the device window.
    pub offset: Sectors,
    /// Length.
    pub length: Sectors,
}

/// One slot of a volume, in one member's view: a disk, a subset, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlotView {
    /// The disk; none where the slot is empty or a subset.
    pub key: Option<DiskKey>,
    /// What the view says of it.
    pub state: SlotState,
    /// Where the data is on the disk, where the set says it for every disk and not each disk for itself. The same
    /// disk can then be in several slots.
    pub extent: Option<Extent>,
    /// The volume (its uuid) that is this slot, in a nested set. It comes before this one in the same view.
    pub subset: Option<String>,
    /// The volume (its uuid) that holds the slot's dm-raid superblock and bitmap.
    pub metadata: Option<String>,
    /// Reads go elsewhere if they can.
    pub write_mostly: bool,
    /// Left out on purpose: an image split off, which is to come back. The set is whole without it.
    pub split: bool,
}

impl SlotView {
    /// A slot with a disk in it.
    #[must_use]
    pub fn disk(key: impl Into<DiskKey>, state: SlotState) -> Self {
        Self { key: Some(key.into()), state, ..Self::default() }
    }

    /// A slot with nothing in it.
    #[must_use]
    pub fn empty() -> Self {
        Self { state: SlotState::Failed, ..Self::default() }
    }

    /// A slot that is another volume of the same view.
    #[must_use]
    pub fn subset(uuid: impl Into<String>) -> Self {
        Self { subset: Some(uuid.into()), ..Self::default() }
    }
}

/// What a dm-raid superblock says of the array that it belongs to: fresher than what the metadata of the set says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The slot whose superblock it is.
    pub slot: Slot,
    /// Its update counter.
    pub events: u64,
    /// Slots that it knows as failed.
    pub failed: Vec<Slot>,
    /// How much of the slot is current, while it is being rebuilt.
    pub recovered: Option<Sectors>,
    /// Redundancy is valid below this; none when all is.
    pub resync_position: Option<Sectors>,
    /// The array is between two geometries.
    pub reshaping: bool,
    /// Where the leg's data begins on the device that holds it.
    pub data_offset: Sectors,
}

/// What a format records beyond the geometry of how device-mapper is to run an array; none where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tuning {
    /// Size of a region of the write-intent bitmap.
    pub region_size: Option<Sectors>,
    /// Least recovery rate, KiB a second for each member.
    pub min_recovery_rate: Option<u64>,
    /// Most recovery rate, KiB a second for each member.
    pub max_recovery_rate: Option<u64>,
    /// Most writes that write-mostly members may be behind.
    pub max_write_behind: Option<u64>,
    /// Where the data begins on each member, for a reshape out of place.
    pub data_offset: Option<Sectors>,
}

/// A reshape in one member's view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReshapeView {
    /// Geometry of what has not been moved.
    pub from: Geometry,
    /// Geometry of what has been moved.
    pub to: Geometry,
    /// Array sector of the boundary.
    pub position: Sectors,
    /// Direction.
    pub direction: Direction,
    /// Array sectors from the position on that may have been moved in part, while their old place is still
    /// whole: they are read from the old geometry.
    pub moving: Sectors,
    /// Array sectors that may be in neither geometry.
    pub uncertain: Vec<SectorRange>,
    /// The position was recorded on this device; a view without that is a second choice.
    pub authoritative: bool,
}

/// One volume in one member's view.
#[derive(Clone, Debug, Default)]
pub struct VolumeView {
    /// Identity of the volume: equal in all members' views of it.
    pub uuid: String,
    /// Bare name on disk, escaped.
    pub name: Option<String>,
    /// dm name before collisions are resolved; see the contract on naming.
    pub dm_name: String,
    /// Geometry; none where the level is not one that can be mapped (a problem says which).
    pub geometry: Option<Geometry>,
    /// Level alone, where the rest of the geometry is not usable.
    pub level: Option<Level>,
    /// Size of the array.
    pub size: Sectors,
    /// The slots. During a reshape, as many as the larger geometry has.
    pub slots: Vec<SlotView>,
    /// Whether redundancy may be out of step.
    pub dirty: Option<bool>,
    /// Redundancy was never computed.
    pub initializing: bool,
    /// Redundancy is valid below this; none when all is, or where nothing is said.
    pub resync_position: Option<Sectors>,
    /// The reshape in progress.
    pub reshape: Option<ReshapeView>,
    /// A write log with entries that matter, as far as this member can tell: one that knows only that there is a
    /// journal says so, and a current journal device has the last word.
    pub write_log: Option<WriteLog>,
    /// This device's own part.
    pub own: Option<OwnPart>,
    /// What the dm-raid superblocks on this device say of the volume, each by the slot that it is of.
    pub witnesses: Vec<Witness>,
    /// How device-mapper is to run it.
    pub tuning: Option<Tuning>,
    /// State in the format's own words, for the member record.
    pub state: Option<String>,
    /// What is wrong with the volume in this view.
    pub problems: Vec<Problem>,
}

/// The part of a volume on one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnPart {
    /// Slot, where the device has one.
    pub slot: Option<Slot>,
    /// Where the data begins in the device window.
    pub offset: Sectors,
    /// Length of the data that the array uses.
    pub length: Sectors,
    /// The length that is available, where the format records it; the device must be that long.
    pub available: Sectors,
    /// How much is current, for a device that is being rebuilt.
    pub recovered: Option<Sectors>,
    /// Where the data begins in the geometry that a reshape leads to, where it differs.
    pub reshape_offset: Option<Sectors>,
    /// Sectors, from `offset`, whose content the metadata says is lost.
    pub bad_sectors: Vec<SectorRange>,
}
