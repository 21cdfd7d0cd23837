//! Metadata overwritten with zeros, every copy of it.

use super::{EditError, range_of};
use crate::commit::{Plan, save};
use crate::device::{Device, DeviceError, ReadAt};
use crate::format::Range;
use crate::identify::Member;
use crate::probe::{Options, probe};
use crate::record::RegionRecord;
use crate::units::Bytes;

/// Rounds of erasing: what was erased can have hidden something older.
const MAX_ROUNDS: usize = 8;

/// What a member's metadata takes on its device: what it is read from, and what would be overwritten to erase it, each
/// byte once. Of metadata that can not be decoded, the sector with its signature.
fn ranges(device: &Device, member: &Member) -> Vec<Range> {
    match member.metadata() {
        Some(metadata) => merged(metadata.areas().iter().map(range_of).chain(metadata.erasures())),
        None => vec![signature(device, member)],
    }
}

fn signature(device: &Device, member: &Member) -> Range {
    let sector = device.sector_size().bytes();
    let offset = Bytes(member.found.offset.0 & !sector.0.saturating_sub(1));
    Range { offset, length: device.size().saturating_sub(offset).min(sector) }
}

/// The same bytes in as few ranges as possible, in order.
fn merged(ranges: impl Iterator<Item = Range>) -> Vec<Range> {
    let mut ranges: Vec<Range> = ranges.filter(|range| !range.length.is_zero()).collect();
    ranges.sort_by_key(|range| range.offset);
    let mut merged: Vec<Range> = Vec::new();
    for range in ranges {
        let end = range.offset.saturating_add(range.length);
        match merged.last_mut().filter(|last| range.offset <= last.offset.saturating_add(last.length)) {
            Some(last) => last.length = end.saturating_sub(last.offset).max(last.length),
            None => merged.push(range),
        }
    }
    merged
}

/// Saves all that belongs to a member's metadata. `device` is the member's window, open for reading.
///
/// # Errors
/// It can not be read.
pub fn regions(device: &Device, member: &Member) -> Result<Vec<RegionRecord>, DeviceError> {
    let mut regions = Vec::new();
    for range in ranges(device, member) {
        let what = format!("{} metadata", member.format.name());
        regions.extend(save(device, range.offset, range.length, &what)?);
    }
    Ok(regions)
}

/// Plans to erase all metadata that a probe finds on a device and the partitions in it. The place where metadata is
/// recognised goes first, each write durable before the next.
///
/// # Errors
/// The device can not be read, or something would still be found.
pub fn erase(plan: &mut Plan, device: &Device, options: &Options) -> Result<(), EditError> {
    for _ in 0..MAX_ROUNDS {
        let members = find(plan, device, options)?;
        if members.is_empty() {
            return Ok(());
        }
        for member in &members {
            erase_one(plan, &window(device, member)?, member)?;
        }
    }
    find(plan, device, options)?.first().map_or(Ok(()), |member| {
        Err(EditError::Persistent {
            device: device.label(),
            format: member.format.name().to_owned(),
            offset: member.found.offset,
            rounds: MAX_ROUNDS,
        })
    })
}

/// What would be found when all is written that is planned.
fn find(plan: &Plan, device: &Device, options: &Options) -> Result<Vec<Member>, EditError> {
    let found = probe([plan.preview(device)], options);
    found.errors.into_iter().next().map_or(Ok(found.members), |error| Err(error.into()))
}

/// The window of a member in the device that it was found on, open for reading as the device is.
///
/// # Errors
/// It is not in it.
pub fn window(device: &Device, member: &Member) -> Result<Device, EditError> {
    let offset = member.device.offset().checked_sub(device.offset());
    let window = offset.and_then(|offset| device.window(offset, member.device.size()));
    window.ok_or_else(|| EditError::undecoded(member))
}

fn erase_one(plan: &mut Plan, device: &Device, member: &Member) -> Result<(), EditError> {
    let mut ranges = match member.metadata() {
        Some(metadata) => merged(metadata.erasures().into_iter()),
        None => vec![signature(device, member)],
    };
    let holds = |range: &Range| {
        range.offset <= member.found.offset && member.found.offset < range.offset.saturating_add(range.length)
    };
    ranges.sort_by_key(|range| !holds(range));
    for range in ranges {
        zero(plan, device, range, member.format.name())?;
        plan.barrier();
    }
    Ok(())
}

/// Plans zeros, as far as the device goes.
fn zero(plan: &mut Plan, device: &Device, range: Range, format: &str) -> Result<(), EditError> {
    const PIECE: u64 = 1 << 20;
    let end = range.offset.saturating_add(range.length).min(device.size());
    let mut at = range.offset;
    while at < end {
        let length = end.saturating_sub(at).min(Bytes(PIECE));
        let zeros = vec![0; usize::try_from(length.0).unwrap_or_default()];
        plan.write(device, at, &zeros, &format!("zeros over {format} metadata"))?;
        at = at.saturating_add(length);
    }
    Ok(())
}
