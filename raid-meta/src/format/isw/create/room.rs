//! Where a new volume has room on all disks, and what it takes of it. All lengths are in sectors.

use super::{NAME, refused};
use crate::device::Device;
use crate::format::create::{CreateError, NewSet};
use crate::format::isw::mpb::Mpb;
use crate::format::isw::shape::shapes;
use crate::geometry::Level;
use crate::units::Sectors;

/// What is kept free at the end of a disk: metadata, copy area, and a reserve.
const TAIL: u64 = 2210 + 8192;
/// What is kept free between two volumes.
const GAP: u64 = 8192;
/// The part of a volume on each member is whole MiB.
const MIB: u64 = 2048;

/// Where a volume is on every member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) start: u64,
    pub(super) length: u64,
}

/// The room that a volume takes: for the size asked for, or all of the largest gap.
///
/// # Errors
/// There is not that much.
pub(super) fn find(set: &NewSet, mpb: &Mpb, strip: u64) -> Result<Extent, CreateError> {
    let unit = unit(set.level, strip);
    let gap = largest_gap(set, mpb);
    let most = gap.length.checked_div(unit).unwrap_or_default().saturating_mul(unit);
    if most == 0 {
        return Err(no_room(set, mpb, gap, unit));
    }
    let Some(Sectors(size)) = set.size else { return Ok(Extent { length: most, ..gap }) };
    let members = data_members(set.level, set.disks.len() as u64);
    let invalid = |expected: String| CreateError::invalid(NAME, "size", format!("{size} sectors"), expected);
    let whole = unit.saturating_mul(members);
    if size == 0 || !size.is_multiple_of(whole) {
        return Err(invalid(format!("a multiple of {whole} sectors")));
    }
    let length = size.checked_div(members).unwrap_or_default();
    if length > most {
        return Err(invalid(format!("at most {} on these disks", most.saturating_mul(members))));
    }
    Ok(Extent { length, ..gap })
}

/// Members' worth of data.
pub(super) fn data_members(level: Level, disks: u64) -> u64 {
    match level {
        Level::Raid1 => 1,
        Level::Raid5 => disks.saturating_sub(1),
        Level::Raid10 => disks / 2,
        _ => disks,
    }
    .max(1)
}

/// Whole MiB, and whole strips of every copy.
fn unit(level: Level, strip: u64) -> u64 {
    match level {
        Level::Raid1 => MIB,
        Level::Raid10 => strip.saturating_mul(2).max(MIB),
        _ => strip.max(MIB),
    }
}

/// Before, between or behind the volumes.
fn largest_gap(set: &NewSet, mpb: &Mpb) -> Extent {
    let smallest = set.disks.iter().map(Device::length_sectors).min().unwrap_or_default();
    let mut taken: Vec<(u64, u64)> = mpb
        .volumes
        .iter()
        .filter_map(|volume| {
            let (shape, _) = shapes(mpb, volume).ok()?;
            Some((shape.start.0, shape.end().0))
        })
        .collect();
    taken.sort_unstable();
    let mut gaps = Vec::new();
    let mut start = 0;
    for (first, end) in taken {
        gaps.push(Extent { start, length: first.saturating_sub(GAP).saturating_sub(start) });
        start = start.max(end.saturating_add(GAP));
    }
    gaps.push(Extent { start, length: smallest.0.saturating_sub(TAIL).saturating_sub(start) });
    // Of equals the first.
    gaps.into_iter().rev().max_by_key(|gap| gap.length).unwrap_or(Extent { start: 0, length: 0 })
}

fn no_room(set: &NewSet, mpb: &Mpb, gap: Extent, unit: u64) -> CreateError {
    let smallest = set.disks.iter().enumerate().min_by_key(|(_, device)| device.length_sectors());
    let beside = if mpb.volumes.is_empty() { "" } else { " beside the volume that is there" };
    let message = format!("has {} sectors for a volume{beside}, too few for {unit}", gap.length);
    match smallest {
        Some((slot, device)) => refused(device, slot, message),
        None => CreateError::invalid(NAME, "number of disks", 0, "at least 2"),
    }
}
