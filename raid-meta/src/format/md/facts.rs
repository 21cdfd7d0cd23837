//! What a superblock says, whichever version says it: the common ground of 0.90 and 1.x.
//!
//! Sizes are in sectors, whatever unit the version stores. Nothing here has been believed yet; [`super::shape`]
//! and [`super::view`] judge it.

use crate::units::Sectors;

/// What a device number is to the array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeviceRole {
    /// Holds a slot.
    Slot(u32),
    /// 0.90 in a reshape: holds a slot, is not in sync.
    Building(u32),
    /// Waits for a slot.
    Spare,
    /// Marked as failed, or removed.
    Failed,
    /// Holds the write journal.
    Journal,
    /// One of the reserved values, which no kernel writes.
    Reserved(u16),
}

impl DeviceRole {
    /// The role that a value of `dev_roles` means.
    pub(super) fn from_1x(value: u16) -> Self {
        match value {
            0xffff => Self::Spare,
            0xfffe => Self::Failed,
            0xfffd => Self::Journal,
            0xff00.. => Self::Reserved(value),
            slot => Self::Slot(u32::from(slot)),
        }
    }

    /// The slot, if the role is one.
    pub(super) fn slot(self) -> Option<u32> {
        match self {
            Self::Slot(slot) | Self::Building(slot) => Some(slot),
            _ => None,
        }
    }

    /// The role in words.
    pub(super) fn words(self) -> String {
        match self {
            Self::Slot(slot) => format!("slot {slot}"),
            Self::Building(slot) => format!("slot {slot}, not in sync"),
            Self::Spare => "spare".to_owned(),
            Self::Failed => "failed".to_owned(),
            Self::Journal => "journal".to_owned(),
            Self::Reserved(value) => format!("reserved value {value:#06x}"),
        }
    }
}

/// Level, layout, chunk and slots as md's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Level.
    pub(super) level: i32,
    /// Layout word.
    pub(super) layout: u32,
    /// Whether the layout word of a raid0 means something.
    pub(super) raid0_layout: bool,
    /// Chunk in bytes.
    pub(super) chunk_bytes: u64,
    /// Number of slots; what a subtraction of hostile numbers gives.
    pub(super) slots: i64,
    /// Most slots that the version has room for.
    pub(super) max_slots: u32,
}

/// A reshape that the superblock records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reshape {
    /// What the array was.
    pub(super) from: Shape,
    /// What it becomes.
    pub(super) to: Shape,
    /// Array sector of the boundary; all-ones when none is recorded.
    pub(super) position: u64,
    /// It runs from the end to the start.
    pub(super) backward: bool,
    /// How far the data moves on this device, in sectors.
    pub(super) data_move: i64,
}

/// What a superblock says of its array and its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// Identity of the array, as mdadm prints it.
    pub(super) set_uuid: String,
    /// The uuid's bytes, as bitmap and logs have them.
    pub(super) uuid_bytes: [u8; 16],
    /// Name with the homehost, without padding.
    pub(super) name: Vec<u8>,
    /// Identity of the device.
    pub(super) device_uuid: Option<String>,
    /// Lineage: the byte order, where it is not the usual one.
    pub(super) family: &'static str,
    /// Update counter.
    pub(super) events: u64,
    /// Last update, seconds.
    pub(super) updated: u64,
    /// Geometry; in a reshape, that of the array before it, but see [`Facts::reshape`].
    pub(super) shape: Shape,
    /// Length that the array uses of each device; zero for levels that use all.
    pub(super) size: Sectors,
    /// Where the data begins.
    pub(super) data_offset: Sectors,
    /// Length that there is for data.
    pub(super) data_size: Sectors,
    /// Redundancy is in step below this sector; none when all of it is.
    pub(super) resync: Option<Sectors>,
    /// Reshape.
    pub(super) reshape: Option<Reshape>,
    /// Device numbers that have a role, in order, without the many unused ones.
    pub(super) devices: Vec<(u32, DeviceRole)>,
    /// Number of this device.
    pub(super) device: u32,
    /// Role of this device.
    pub(super) role: DeviceRole,
    /// This device is being built to take over the slot that it claims.
    pub(super) replacement: bool,
    /// This device is current only below this sector of its data.
    pub(super) recovered: Option<Sectors>,
    /// The array has a write journal.
    pub(super) journal: bool,
    /// Where the write-intent bitmap begins.
    pub(super) has_bitmap: bool,
}

/// A number of all-ones says that there is nothing: no resync to do, no reshape.
pub(super) const NONE: u64 = u64::MAX;
