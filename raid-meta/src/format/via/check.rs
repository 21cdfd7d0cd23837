//! The rules that a sector is held to.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::TRAILER;
use super::sector::{Kind, MAX_CHUNK_CODE, NEWEST, Sector, info};
use super::shape::{Part, Shape};
use crate::geometry::Level;
use crate::record::Problem;
use crate::units::Sectors;

/// What makes the sector as a whole not to be believed.
pub(super) fn damage(sector: &Sector) -> Vec<Problem> {
    let (found, computed) = (sector.tail.checksum, sector.computed_checksum());
    let version = sector.head.version_number;
    let rules = [
        (!sector.is_sealed()).then(|| {
            Problem::error("checksum", format!("checksum is {found:#04x}, computed {computed:#04x}"))
        }),
        (version > NEWEST).then(|| {
            Problem::error("version", format!("version_number is {version}, expected at most {NEWEST}"))
        }),
    ];
    rules.into_iter().flatten().collect()
}

/// All that is wrong.
pub(super) fn all(sector: &Sector, disk: Sectors) -> Vec<Problem> {
    let mut problems = damage(sector);
    if sector.is_sealed() && !sector.is_second_sealed() {
        let (found, computed) = (sector.tail.checksum2, sector.computed_checksum2());
        let message =
            format!("checksum2 is {found:#04x}, computed {computed:#04x}: not all programs write it");
        problems.push(Problem::note("checksum2", message));
    }
    let usable = disk.saturating_sub(TRAILER);
    if Sectors(sector.head.capacity) > usable {
        let message = format!("capacity is {} sectors, the device has {usable}", sector.head.capacity);
        problems.push(Problem::warning("device-too-small", message));
    }
    problems.extend(set(sector));
    problems
}

/// Rules about the set.
pub(super) fn set(sector: &Sector) -> Vec<Problem> {
    let shape = Shape::of(sector);
    let number = sector.head.disk >> 3 & 0x0f;
    match sector.kind() {
        Kind::Other => {
            let message = format!("raid_type is {number}, expected 0, 1, 5, 8 or 9");
            return vec![Problem::error("unsupported-level", message)];
        }
        Kind::Raid5 => {
            let message = "raid_type is 5: how parity rotates is not known";
            return vec![Problem::error("unsupported-layout", message)];
        }
        _ => {}
    }
    let rules = [count(sector, &shape), position(sector, &shape), chunk(sector, &shape), capacity(sector)];
    let mut problems: Vec<Problem> = rules.into_iter().flatten().collect();
    problems.extend(table(sector, &shape));
    problems
}

fn count(sector: &Sector, shape: &Shape) -> Option<Problem> {
    let count = sector.count();
    let least = if shape.level == Some(Level::Raid10) { 2 } else { 1 };
    if count < least && shape.level != Some(Level::Raid1) {
        let message = format!("disk_array_ex has {count} disks, expected at least {least}");
        return Some(Problem::error("member-count", message));
    }
    let members = sector.members().count();
    let expected = shape.slots as usize;
    if members == expected || shape.part == Part::Spare {
        return None;
    }
    let message = format!("the table has {members} disks, expected {expected}");
    // A mirror may have a spare in the table; a stripe has nothing to spare.
    Some(match shape.level {
        Some(Level::Raid1) => Problem::warning("member-count", message),
        _ => Problem::error("member-count", message),
    })
}

fn position(sector: &Sector, shape: &Shape) -> Option<Problem> {
    let is_known = matches!(shape.part, Part::Slot(_) | Part::Spare);
    (!is_known && shape.slots > 0).then(|| {
        let message = match sector.kind() {
            Kind::Raid1 => "raid_type_info has role 3 in a mirror, expected 0, 1 or 2".to_owned(),
            _ => {
                let place = sector.info() & info::PLACE;
                format!("the place in the array is {place}, expected less than {}", sector.count())
            }
        };
        Problem::error("position", message)
    })
}

fn chunk(sector: &Sector, shape: &Shape) -> Option<Problem> {
    let is_striped = matches!(shape.level, Some(Level::Raid0 | Level::Raid10));
    let code = sector.chunk_code();
    (is_striped && code > MAX_CHUNK_CODE).then(|| {
        let message = format!("the code of the chunk is {code}, expected at most {MAX_CHUNK_CODE}");
        Problem::error("chunk", message)
    })
}

fn capacity(sector: &Sector) -> Option<Problem> {
    let shape = Shape::of(sector);
    let message = match (shape.length.is_zero(), shape.size == Sectors::MAX) {
        (true, _) => "the capacity is less than a chunk",
        (_, true) => "the capacity is more than a disk can have",
        (false, false) => return None,
    };
    Some(Problem::error("volume-size", format!("capacity is {}: {message}", sector.head.capacity)))
}

/// The table of disks, by which members find each other.
fn table(sector: &Sector, shape: &Shape) -> Vec<Problem> {
    let mut problems = Vec::new();
    let own = sector.head.array_serial_checksum;
    let members: Vec<u32> = sector.members().collect();
    let is_double = |(place, id): (usize, &u32)| members.iter().take(place).any(|earlier| earlier == id);
    if members.iter().enumerate().any(is_double) {
        problems.push(Problem::warning("duplicate-serial", "two disks of the table have the same identity"));
    }
    match (sector.own_place(), shape.slot()) {
        (None, _) if shape.part != Part::Spare => {
            let message = format!("the disk's own identity {own:#010x} is not in the table");
            problems.push(Problem::warning("not-in-table", message));
        }
        (Some(place), Some(slot)) if is_in_order(shape) && place != slot.index() => {
            let message =
                format!("the disk is in place {place} of the table and in slot {slot} of the array");
            problems.push(Problem::error("position", message));
        }
        _ => {}
    }
    if shape.level == Some(Level::Raid1)
        && sector.info() & info::MIRROR == info::SPARE
        && shape.slot().is_some()
    {
        let message =
            "the second disk of the mirror is marked as its spare, as ataraid does: taken for a mirror";
        problems.push(Problem::note("mirror-role", message));
    }
    problems
}

/// Whether the table has the disks in the order of the array: in mirrors it does not matter, and of mirrored stripes the order
/// is not known.
fn is_in_order(shape: &Shape) -> bool {
    matches!(shape.level, Some(Level::Raid0 | Level::Linear))
}
