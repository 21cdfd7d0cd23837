//! The rules that a table is held to.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::TRAILER;
use super::table::{Array, ENTRIES, FLAG_OUT, Head, Kind, Table};
use super::view::{Shape, level};
use crate::format::vendor::data_members;
use crate::geometry::Level;
use crate::record::Problem;
use crate::units::Sectors;

/// What makes the table as a whole not to be believed.
pub(super) fn damage(table: &Table) -> Vec<Problem> {
    let Head { raid_count, total_disks, .. } = table.head;
    let raid_number = table.tail.raid_number;
    let entries = usize::from(raid_count).saturating_add(usize::from(total_disks));
    let rules = [
        (raid_count == 0).then(|| Problem::error("entry-count", "raid_count is 0, expected at least 1")),
        (entries > ENTRIES).then(|| {
            let message =
                format!("{raid_count} arrays and {total_disks} disks, expected at most {ENTRIES} entries");
            Problem::error("entry-count", message)
        }),
        (raid_count > 0 && raid_number >= raid_count).then(|| {
            Problem::error(
                "array-number",
                format!("raid_number is {raid_number}, expected less than {raid_count}"),
            )
        }),
    ];
    rules.into_iter().flatten().collect()
}

/// All that is wrong.
pub(super) fn all(table: &Table, disk: Sectors) -> Vec<Problem> {
    let mut problems = damage(table);
    let usable = disk.saturating_sub(TRAILER);
    let used = table.own_disk().map(|(_, disk)| Sectors(u64::from(disk.disk_sectors))).unwrap_or_default();
    if used > usable {
        let message = format!("disk_sectors is {used}, the device has {usable}");
        problems.push(Problem::warning("device-too-small", message));
    }
    problems.extend(table.own_array().iter().flat_map(|array| set(table, array)));
    problems
}

/// Rules about the array that the disk belongs to.
pub(super) fn set(table: &Table, array: &Array) -> Vec<Problem> {
    let Some(level) = level(array.kind()) else {
        let message = format!("raid_type is {}, expected 1, 2 or 3", array.raid_type);
        return vec![Problem::error("unsupported-level", message)];
    };
    let rules = [
        entries(table, array),
        count(array),
        position(table, array),
        own_entry(table),
        chunk(array, level),
        state(table, array),
        (array.kind() == Kind::Raid10).then(|| {
            let message = "which disks mirror each other is not known for certain: taken for two stripes, one after the other, as ataraid does";
            Problem::warning("layout-doubtful", message)
        }),
    ];
    let mut problems: Vec<Problem> = rules.into_iter().flatten().collect();
    problems.extend(sizes(table, array, level));
    problems
}

/// Whether the entries of the disks are in the table.
fn entries(table: &Table, array: &Array) -> Option<Problem> {
    let is_missing =
        table.disks(array).iter().any(Option::is_none) || usize::from(array.disk_count) > ENTRIES;
    is_missing.then(|| {
        let message = format!(
            "config_offset is {:#04x} for {} disks, expected a multiple of 16 behind the {} arrays",
            array.config_offset,
            array.disk_count,
            table.arrays()
        );
        Problem::error("entry-table", message)
    })
}

fn count(array: &Array) -> Option<Problem> {
    let (count, width) = (array.disk_count, array.array_width);
    let expected = match array.kind() {
        Kind::Raid10 => width.checked_mul(2).filter(|_| width > 1),
        Kind::Raid0 => Some(width).filter(|_| width > 0),
        _ => Some(count).filter(|_| count > 0),
    };
    (expected != Some(count)).then(|| {
        let message = format!(
            "disk_count is {count} and array_width {width}, which is not a {} array",
            array.raid_type
        );
        Problem::error("member-count", message)
    })
}

fn position(table: &Table, array: &Array) -> Option<Problem> {
    let number = table.tail.disk_number;
    (number >= array.disk_count).then(|| {
        Problem::error(
            "position",
            format!("disk_number is {number}, expected less than {}", array.disk_count),
        )
    })
}

/// The entry of the disk says the same as the end of the sector.
fn own_entry(table: &Table) -> Option<Problem> {
    let (place, disk) = table.own_disk()?;
    let (entry, own) =
        ((disk.raid_number, disk.disk_number), (table.tail.raid_number, table.tail.disk_number));
    (entry != own).then(|| {
        let message = format!(
            "entry {place} is for disk {} of array {}, the sector is of disk {} of array {}",
            entry.1, entry.0, own.1, own.0
        );
        Problem::error("position", message)
    })
}

fn chunk(array: &Array, level: Level) -> Option<Problem> {
    let chunk = array.stripe_sectors;
    (level != Level::Raid1 && !chunk.is_power_of_two())
        .then(|| Problem::error("chunk", format!("stripe_sectors is {chunk}, expected a power of two")))
}

/// An array that is marked as not whole although all its disks are there: one of them is not rebuilt, and the table does not
/// say which.
fn state(table: &Table, array: &Array) -> Option<Problem> {
    let is_marked = array.flags & FLAG_OUT != 0;
    let is_short = table.disks(array).iter().flatten().any(super::table::Disk::is_out);
    (is_marked && !is_short).then(|| {
        let message = "the array is marked as degraded, but no disk as gone: one may not be rebuilt";
        Problem::warning("degraded", message)
    })
}

fn sizes(table: &Table, array: &Array, level: Level) -> Vec<Problem> {
    let mut problems = Vec::new();
    let shape = Shape::of(table, array);
    let room = shape.length.checked_mul(data_members(level, shape.slots)).unwrap_or(Sectors::MAX);
    if array.total_sectors == 0 || shape.length.is_zero() {
        let message = format!("total_sectors is {} on {} of each disk", array.total_sectors, shape.length);
        problems.push(Problem::error("volume-size", message));
    } else if Sectors(u64::from(array.total_sectors)) > room {
        let message = format!("total_sectors is {}, only {room} have a place", array.total_sectors);
        problems.push(Problem::error("volume-size", message));
    }
    problems
}
