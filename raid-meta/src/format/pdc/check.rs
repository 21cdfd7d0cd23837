//! The rules that a record is held to.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::fields::kind_name;
use super::record::{MAX_DISKS, Record, VALID, kind, status};
use super::view::{Position, Shape, member_length};
use crate::geometry::Level;
use crate::model::Extent;
use crate::record::Problem;
use crate::units::Sectors;

/// What makes the record not to be believed.
pub(super) fn damage(record: &Record) -> Vec<Problem> {
    let computed = record.computed_checksum();
    let found = record.tail.checksum;
    let (integrity, disks) = (record.head.integrity, record.head.total_disks);
    let rules = [
        (found != computed).then(|| {
            Problem::error("checksum", format!("checksum is {found:#010x}, computed {computed:#010x}"))
        }),
        (integrity & VALID == 0).then(|| {
            Problem::error("invalid-record", format!("integrity is {integrity:#x}, expected bit {VALID:#x}"))
        }),
        (usize::from(disks) > MAX_DISKS).then(|| {
            Problem::error("disk-count", format!("total_disks is {disks}, expected at most {MAX_DISKS}"))
        }),
    ];
    rules.into_iter().flatten().collect()
}

/// The part of the disk that a record claims for its array; none where it has no array.
pub(super) fn extent(record: &Record) -> Extent {
    let length = if record.is_unassigned() { Sectors::ZERO } else { record.length() };
    Extent { offset: record.offset(), length }
}

/// What is wrong with the part of the disk that the array has.
pub(super) fn extents(record: &Record, first: Sectors, others: &[Extent]) -> Vec<Problem> {
    let own = extent(record);
    let end = |extent: Extent| extent.offset.saturating_add(extent.length);
    let too_small = (!own.length.is_zero() && end(own) > first).then(|| {
        let message = format!("its part ends at sector {}, the first record is at {first}", end(own));
        Problem::warning("device-too-small", message)
    });
    let overlaps =
        |other: &&Extent| !other.length.is_zero() && own.offset < end(**other) && other.offset < end(own);
    let overlap = others.iter().find(overlaps).filter(|_| !own.length.is_zero()).map(|other| {
        let message = format!(
            "its part, {} sectors from {}, overlaps that of another record, {} sectors from {}",
            own.length, own.offset, other.length, other.offset
        );
        Problem::error("overlap", message)
    });
    too_small.into_iter().chain(overlap).collect()
}

/// What is wrong with the array that the record describes.
pub(super) fn array(record: &Record) -> Vec<Problem> {
    if record.is_unassigned() {
        return Vec::new();
    }
    let shape = Shape::of(record);
    let mut problems: Vec<Problem> =
        [level(record, shape), chunk(record, shape), activity(record), sector_size(record), position(record)]
            .into_iter()
            .flatten()
            .collect();
    if let Some(shape) = shape {
        problems.extend(sizes(record, shape));
    }
    problems
}

/// Levels whose layout is known; what is disputed is believed as most sources have it.
fn level(record: &Record, shape: Option<Shape>) -> Option<Problem> {
    let head = &record.head;
    let (disks, width) = (head.total_disks, head.array_width);
    let unsupported = |reason: &str| {
        let name = kind_name(head.raid_type);
        Some(Problem::error(
            "unsupported-level",
            format!("raid_type is {} ({name}): {reason}", head.raid_type),
        ))
    };
    match (head.raid_type, shape) {
        (kind::RAID1, None) => {
            let message = format!("array_width is {width} with {disks} disks, expected 1 or {}", disks / 2);
            Some(Problem::error("array-width", message))
        }
        (kind::RAID1, Some(shape)) if shape.level == Level::Raid1 && disks > 3 => {
            let message =
                format!("array_width is 1 with {disks} disks: a mirror of all; dmraid takes it for a raid10");
            Some(Problem::warning("disputed-level", message))
        }
        (kind::RAID1, Some(shape)) if shape.level == Level::Raid1 && width != 1 => {
            let message = format!("array_width is {width} with {disks} disks, expected 1 in a mirror");
            Some(Problem::warning("array-width", message))
        }
        (kind::RAID3, Some(_)) => {
            let message = format!(
                "raid_type is 2 with {disks} disks and array_width {width}: taken for RAID0+1, which in other records is 1"
            );
            Some(Problem::warning("disputed-level", message))
        }
        (kind::RAID3, None) => unsupported("it is not one that can be mapped"),
        (kind::RAID5, _) => unsupported("where its parity is, is not known"),
        (kind::JBOD, None) => unsupported("only single disks of it are known"),
        (_, None) => unsupported("expected 0, 1 or 8"),
        (_, Some(_)) => None,
    }
}

fn chunk(record: &Record, shape: Option<Shape>) -> Option<Problem> {
    let is_striped = matches!(shape?.level, Level::Raid0 | Level::Raid10);
    let shift = record.head.stripe_shift;
    (is_striped && !(1..=24).contains(&shift)).then(|| {
        Problem::error("chunk", format!("stripe_shift is {shift}, expected 1 to 24 (chunk of 2^n sectors)"))
    })
}

fn activity(record: &Record) -> Option<Problem> {
    (record.head.status & status::MIGRATING != 0).then(|| {
        let message = format!(
            "status is {:#04x}: the array is being migrated, which can not be followed",
            record.head.status
        );
        Problem::error("unsupported-reshape", message)
    })
}

fn sector_size(record: &Record) -> Option<Problem> {
    let units = record.sector_units();
    (units != 1).then(|| {
        Problem::warning("sector-size", format!("sector_size is {units} times 512 bytes, expected 1"))
    })
}

/// Whether the number and the id of the disk say the same.
fn position(record: &Record) -> Option<Problem> {
    let (number, id) = (record.head.disk_number, record.head.disk_id);
    match Position::of(record) {
        Position::Agreed(_) => None,
        Position::ById(index) => {
            let message = format!(
                "disk_number is {number}, its id {id:#x} is entry {index} of the table; the id is believed"
            );
            Some(Problem::warning("position", message))
        }
        Position::None => {
            let message = format!("its id {id:#x} is not in the table of disks: not a member any more");
            Some(Problem::warning("foreign", message))
        }
    }
}

fn sizes(record: &Record, shape: Shape) -> Option<Problem> {
    let total = record.total();
    let (needed, has) = (member_length(record, shape), record.length());
    if total.is_zero() || needed.is_zero() {
        return Some(Problem::error("array-size", format!("total_sectors is {total}, no whole stripe")));
    }
    (needed > has).then(|| {
        let message =
            format!("disk_sectors is {has}, an array of {total} sectors takes {needed} of each disk");
        Problem::error("array-size", message)
    })
}
