//! What the numbers of a sector add up to: geometry, sizes, and the place of the disk.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::sector::{Kind, MAX_CHUNK_CODE, Sector, info};
use crate::format::vendor::{data_members, geometry, mirrored_stripes_slot, round_down};
use crate::geometry::{Geometry, Level};
use crate::units::{ChunkSectors, Sectors, Slot};

/// What a disk is to its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It is in this slot.
    Slot(Slot),
    /// It is a spare, or not used.
    Spare,
    /// There is no such place.
    None,
}

/// A set as one of its disks describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// None for kinds that are not known.
    pub(super) level: Option<Level>,
    /// None where it is not one that can be, or is not known.
    pub(super) geometry: Option<Geometry>,
    /// How many disks.
    pub(super) slots: u32,
    pub(super) part: Part,
    /// Size of the array, if all disks are like this one.
    pub(super) size: Sectors,
    /// How much of this disk the array uses, if the others are no smaller.
    pub(super) length: Sectors,
    /// The mirrors are not known to be in step.
    pub(super) is_dirty: bool,
}

impl Shape {
    /// The shape that a sector describes.
    pub(super) fn of(sector: &Sector) -> Self {
        let level = level(sector.kind());
        let slots = slots(sector);
        let chunk = ChunkSectors::new(sector.chunk()).filter(|_| sector.chunk_code() <= MAX_CHUNK_CODE);
        let is_striped = matches!(level, Some(Level::Raid0 | Level::Raid10));
        let length = round_down(Sectors(sector.head.capacity), chunk.filter(|_| is_striped));
        let parts = level.map_or(0, |level| match level {
            Level::Linear => u64::from(slots),
            level => data_members(level, slots),
        });
        Self {
            level,
            // How the parity of raid5 rotates is not known.
            geometry: level.and_then(|level| geometry(level, chunk, slots, None)),
            slots,
            part: part(sector, slots),
            size: length.checked_mul(parts).unwrap_or(Sectors::MAX),
            length,
            is_dirty: is_dirty(sector),
        }
    }

    /// The slot of the disk, where it has one.
    pub(super) fn slot(&self) -> Option<Slot> {
        match self.part {
            Part::Slot(slot) => Some(slot),
            Part::Spare | Part::None => None,
        }
    }
}

fn level(kind: Kind) -> Option<Level> {
    match kind {
        Kind::Raid0 => Some(Level::Raid0),
        Kind::Raid1 => Some(Level::Raid1),
        Kind::Raid5 => Some(Level::Raid5),
        Kind::Span => Some(Level::Linear),
        Kind::Raid01 => Some(Level::Raid10),
        Kind::Other => None,
    }
}

/// A mirror has two disks, whatever the count says: it counts the spare as well.
fn slots(sector: &Sector) -> u32 {
    match sector.kind() {
        Kind::Raid1 => 2,
        Kind::Raid01 => sector.count().saturating_mul(2),
        _ => sector.count(),
    }
}

fn part(sector: &Sector, slots: u32) -> Part {
    use super::sector::bit::IN_ARRAY;
    if sector.head.disk & IN_ARRAY == 0 {
        return Part::Spare;
    }
    let place = u32::from(sector.info() & info::PLACE);
    let slot = match sector.kind() {
        Kind::Raid1 => return mirror_part(sector),
        Kind::Raid01 => {
            let half = u32::from(sector.info() & info::SECOND_HALF != 0);
            mirrored_stripes_slot(half, place, sector.count())
        }
        _ => Some(Slot(place)).filter(|slot| slot.0 < slots),
    };
    slot.map_or(Part::None, Part::Slot)
}

/// A mirror names the two roles. ataraid writes the place instead, so that its second disk has the number of a spare; the
/// table has only two disks then.
fn mirror_part(sector: &Sector) -> Part {
    let is_second_of_two = sector.own_place() == Some(1) && sector.members().count() == 2;
    match sector.info() & info::MIRROR {
        info::SOURCE => Part::Slot(Slot(0)),
        info::COPY => Part::Slot(Slot(1)),
        info::SPARE if is_second_of_two => Part::Slot(Slot(1)),
        info::SPARE => Part::Spare,
        _ => Part::None,
    }
}

fn is_dirty(sector: &Sector) -> bool {
    match sector.kind() {
        Kind::Raid1 => sector.info() & info::MIRROR_DIRTY != 0,
        Kind::Raid01 => sector.info() & info::STRIPES_DIRTY != 0,
        _ => false,
    }
}
