//! Where the records are.
//!
//! The first record begins with the last track of the disk as the BIOS counts it: mostly 63 sectors before the end, on
//! some disks elsewhere. Up to three more follow, each 14 sectors after the one before.
//!
//! Where a probe looks has to be cheap: 63 and 16 sectors before the end, and 256 and 255, which are one
//! read. The other distances that were seen (399, 591, 675, 735, 911, 951, 974, 991, 3087, and sector 268435377) are
//! left to the search for signatures, which finds records anywhere.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::record::{RECORD, Record, is_signature};
use crate::device::{Device, DeviceError, ReadAt};
use crate::format::Range;
use crate::format::vendor::windows_before;
use crate::units::{Bytes, SECTOR_BYTES, SECTOR_LENGTH, Sectors};

/// The usual distance from the end, in sectors.
pub(super) const USUAL: u64 = 63;
/// From one record to the next, in sectors.
pub(super) const STEP: u64 = 14;
/// Records on a disk.
pub(super) const MAX_RECORDS: u64 = 4;

/// Sectors that firmware leaves unused before the records, at most: a cylinder, about.
const SLACK: Sectors = Sectors(16_384);

/// Distances from the end in the order in which they are looked at; how many sectors from there on.
const PLACES: [(u64, usize); 3] = [(USUAL, 1), (256, 2), (16, 1)];

/// The sector of the first record, if there is one.
pub(super) fn first(device: &Device) -> Result<Option<Sectors>, DeviceError> {
    let mut seen = Vec::new();
    for (distance, count) in PLACES {
        let Some(start) = device.length_sectors().checked_sub(Sectors(distance)) else { continue };
        let Some(offset) = start.to_bytes() else { continue };
        let length = count.saturating_mul(SECTOR_LENGTH);
        let Some(bytes) = device.read(offset, length)? else { continue };
        let sectors = bytes.chunks_exact(SECTOR_LENGTH).zip(start.0..);
        seen.extend(sectors.filter(|(bytes, _)| is_signature(bytes)).map(|(_, sector)| Sectors(sector)));
        // Of the two neighbours the one nearer to the end is tried first by other readers.
        if let Some(sector) = seen.pop() {
            return Ok(Some(sector));
        }
    }
    Ok(None)
}

/// The records from the first on, each with its sector: up to where there is no signature.
pub(super) fn records(device: &Device, first: Sectors) -> Result<Vec<(Sectors, Vec<u8>)>, DeviceError> {
    let mut records = Vec::new();
    for number in 0..MAX_RECORDS {
        let sector = first.saturating_add(Sectors(number.saturating_mul(STEP)));
        let Some(offset) = sector.to_bytes() else { break };
        match device.read(offset, RECORD)? {
            Some(bytes) if is_signature(&bytes) => records.push((sector, bytes)),
            _ => break,
        }
    }
    Ok(records)
}

/// The windows in which a record whose signature is at `at` is found: all that is before it, as if its disk ended at the
/// usual distance; that of its image, where it is inside something larger.
pub(super) fn windows(disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
    let at = first_before(disk, at)?;
    let least = match disk.read(at, RECORD)?.as_deref().and_then(Record::decode) {
        Some(record) if record.computed_checksum() == record.tail.checksum => {
            record.offset().saturating_add(record.length())
        }
        _ => return Ok(Vec::new()),
    };
    for distance in [USUAL, 16] {
        let trailer = Sectors(distance);
        let end = trailer.to_bytes().and_then(|trailer| at.checked_add(trailer));
        if let Some(end) = end.filter(|end| *end <= disk.size()) {
            return Ok(windows_before(end, least.saturating_add(trailer), SLACK));
        }
    }
    Ok(Vec::new())
}

/// The first of the records among which the one at `at` is.
fn first_before(disk: &Device, at: Bytes) -> Result<Bytes, DeviceError> {
    let mut first = at;
    for _ in 1..MAX_RECORDS {
        let step = Bytes(STEP.saturating_mul(SECTOR_BYTES));
        let Some(before) = first.checked_sub(step) else { break };
        match disk.read(before, SECTOR_LENGTH)? {
            Some(bytes) if is_signature(&bytes) => first = before,
            _ => break,
        }
    }
    Ok(first)
}
