//! Where on a disk a copy that was found anywhere belongs.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::copies::{COPIES, STEP};
use super::sector::Copy;
use crate::device::{Device, DeviceError, ReadAt};
use crate::format::{Range, Signature};
use crate::units::{Bytes, SECTOR_LENGTH, Sectors};

/// Vendor and version, as real sets have them: minor versions 0 to 3.
pub(super) const SIGNATURES: &[Signature] = &[
    Signature { bytes: &[0x95, 0x10, 0, 0, 2, 0], at: AT },
    Signature { bytes: &[0x95, 0x10, 1, 0, 2, 0], at: AT },
    Signature { bytes: &[0x95, 0x10, 2, 0, 2, 0], at: AT },
    Signature { bytes: &[0x95, 0x10, 3, 0, 2, 0], at: AT },
];
const AT: usize = 0x106;

/// The windows that end with the copy at `at`. A window in which later copies are gone is shorter than the disk was; the
/// data is all in it. Its beginning follows from the size that IDENTIFY gives.
///
/// # Errors
/// A read failed.
pub(super) fn windows(disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
    let sector = at.whole_sectors();
    let (Some(offset), Some(end)) = (sector.to_bytes(), sector.checked_add(Sectors(1))) else {
        return Ok(Vec::new());
    };
    let Some(copy) = read(disk, offset)? else { return Ok(Vec::new()) };
    if is_followed(disk, sector, &copy)? {
        return Ok(Vec::new());
    }
    let earlier = earlier(disk, sector, &copy)?;
    let mut starts: Vec<Sectors> =
        lengths(&copy, earlier).filter_map(|length| end.checked_sub(length)).collect();
    // Beginnings on a round number are the more likely ones.
    starts.sort_by_key(|start| std::cmp::Reverse(start.0.trailing_zeros()));
    if starts.is_empty() {
        starts.push(Sectors::ZERO);
    }
    let mut windows: Vec<Range> = Vec::new();
    for start in starts {
        let range = end
            .checked_sub(start)
            .and_then(|length| Some(Range { offset: start.to_bytes()?, length: length.to_bytes()? }));
        windows.extend(range.filter(|range| !windows.contains(range)));
    }
    Ok(windows)
}

fn read(disk: &Device, offset: Bytes) -> Result<Option<Copy>, DeviceError> {
    let bytes = disk.read(offset, SECTOR_LENGTH)?;
    Ok(bytes.and_then(|bytes| Copy::decode(0, offset, &bytes)))
}

/// Whether a later copy is there, whose window has this one in it.
fn is_followed(disk: &Device, sector: Sectors, copy: &Copy) -> Result<bool, DeviceError> {
    for step in 1..COPIES as u64 {
        let later = STEP.checked_mul(step).and_then(|step| sector.checked_add(Sectors(step))?.to_bytes());
        let Some(later) = later.filter(|later| *later < disk.size()) else { break };
        if is_of_same_set(disk, later, copy)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How many of the copies before this one are there, one after the other.
fn earlier(disk: &Device, sector: Sectors, copy: &Copy) -> Result<usize, DeviceError> {
    for step in 1..COPIES {
        let place =
            STEP.checked_mul(step as u64).and_then(|step| sector.checked_sub(Sectors(step))?.to_bytes());
        let is_there = place.map(|place| is_of_same_set(disk, place, copy)).transpose()?;
        if is_there != Some(true) {
            return Ok(step.saturating_sub(1));
        }
    }
    Ok(COPIES.saturating_sub(1))
}

fn is_of_same_set(disk: &Device, offset: Bytes, copy: &Copy) -> Result<bool, DeviceError> {
    Ok(read(disk, offset)?.is_some_and(|other| other.sector.time() == copy.sector.time()))
}

/// How long a window that ends with the copy can be: with so many copies before it, it is one of the later ones.
fn lengths(copy: &Copy, earlier: usize) -> impl Iterator<Item = Sectors> {
    let disk = copy.sector.disk_sectors();
    let possible = COPIES.saturating_sub(earlier) as u64;
    let back = (0..possible).filter_map(|index| STEP.checked_mul(index).map(Sectors));
    back.filter_map(move |back| disk?.checked_sub(back))
}
