//! What the numbers of a sector add up to: geometry, sizes, and the place of the disk.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::copies::RESERVED;
use super::sector::{Kind, Sector};
use crate::format::vendor::{self, geometry, mirrored_stripes_slot};
use crate::geometry::{Geometry, Level, ParityLayout};
use crate::units::{ChunkSectors, Sectors, Slot};

/// Sectors at the end of a disk that the firmware does not use.
pub(super) const FIRMWARE_RESERVED: u64 = 2048;

/// A set as one of its disks describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// None for spares and kinds that are not known.
    pub(super) level: Option<Level>,
    /// None where it is not one that can be.
    pub(super) geometry: Option<Geometry>,
    /// How many disks.
    pub(super) slots: u32,
    /// Which of them this one is; none where there is no such slot.
    pub(super) slot: Option<Slot>,
    /// Size of the array.
    pub(super) size: Sectors,
    /// How much of this disk it uses.
    pub(super) length: Sectors,
}

impl Shape {
    /// The shape on a disk of that size.
    pub(super) fn of(sector: &Sector, device: Sectors) -> Self {
        let level = level(sector.kind());
        let slots = slots(sector).unwrap_or_default();
        let chunk =
            ChunkSectors::new(u32::from(sector.raid0_stride)).filter(|chunk| chunk.get().is_power_of_two());
        // The parity layout is not recorded. dmraid says this one, graid says nothing.
        let geometry =
            level.and_then(|level| geometry(level, chunk, slots, Some(ParityLayout::LeftSymmetric)));
        let disk = sector.disk_sectors().unwrap_or(device).max(device);
        Self {
            level,
            geometry,
            slots,
            slot: slot(sector, slots),
            size: size(sector, slots, disk),
            length: length(sector, level, slots, disk),
        }
    }
}

fn level(kind: Kind) -> Option<Level> {
    match kind {
        Kind::Raid0 => Some(Level::Raid0),
        Kind::Raid1 => Some(Level::Raid1),
        Kind::Raid10 => Some(Level::Raid10),
        Kind::Raid5 => Some(Level::Raid5),
        Kind::Concat | Kind::Jbod => Some(Level::Linear),
        Kind::Spare | Kind::Other => None,
    }
}

/// A count as the sector has it; none when it is 0, or not used.
fn count(number: i8) -> Option<u32> {
    u32::try_from(number).ok().filter(|&number| number > 0)
}

/// How many disks the set has; none where that is not said.
fn slots(sector: &Sector) -> Option<u32> {
    let (striped, mirrored) = (count(sector.drives_per_striped_set), count(sector.drives_per_mirrored_set));
    match sector.kind() {
        Kind::Raid0 | Kind::Raid5 | Kind::Concat => striped,
        Kind::Raid1 => mirrored,
        Kind::Raid10 => striped?.checked_mul(mirrored.filter(|&copies| copies == 2)?),
        Kind::Jbod => Some(striped.unwrap_or(1)),
        Kind::Spare | Kind::Other => None,
    }
}

/// In a raid10 the disks of a stripe are numbered; which of the two stripes it is, is the number of the striped set.
fn slot(sector: &Sector, slots: u32) -> Option<Slot> {
    let number = u32::from(sector.disk_number);
    if sector.kind() == Kind::Raid10 {
        let half = u32::try_from(sector.striped_set_number).ok()?;
        return mirrored_stripes_slot(half, number, slots.checked_div(2)?);
    }
    (number < slots).then_some(Slot(number))
}

/// The size of the array. One that goes over several disks one after the other knows its size only where they are equal;
/// comparing the disks corrects it.
fn size(sector: &Sector, slots: u32, disk: Sectors) -> Sectors {
    let recorded = Sectors(sector.array_sectors);
    match sector.kind() {
        Kind::Jbod if slots == 1 => recorded.min(concatenated(sector.kind(), disk)),
        _ => recorded,
    }
}

/// How much of the disk the array uses.
fn length(sector: &Sector, level: Option<Level>, slots: u32, disk: Sectors) -> Sectors {
    let recorded = Sectors(sector.array_sectors);
    match level {
        None => Sectors::ZERO,
        Some(Level::Linear) if slots == 1 => recorded.min(concatenated(sector.kind(), disk)),
        Some(Level::Linear) => concatenated(sector.kind(), disk),
        Some(level) => vendor::share(recorded, vendor::data_members(level, slots)),
    }
}

/// What a disk adds to a concatenation. The sets of kind 4 are graid's, which leaves what the firmware leaves; those of kind 0xff
/// with several disks are known to dmraid alone, which leaves the copies and rounds down.
pub(super) fn concatenated(kind: Kind, disk: Sectors) -> Sectors {
    let reserved = match kind {
        Kind::Jbod if disk.0.is_multiple_of(2) => RESERVED.saturating_add(1),
        Kind::Jbod => RESERVED,
        _ => FIRMWARE_RESERVED,
    };
    disk.saturating_sub(Sectors(reserved))
}
