//! A member replaced by a new disk, as mdadm leaves it when the rebuild onto a spare is done.
//!
//! The new disk goes to the end of the disk table and into the slot in all volumes; the entry of the disk that it
//! replaces is deleted where no volume has it any more, and those behind it move up. One MPB with a new generation
//! is written to the new disk and then to the others, each of which may be one generation behind.
//!
//! mdadm gives the container another family number when a rebuild begins. Here it stays: disks of two families
//! would contradict each other if this stopped half way, and the names of the volumes would change.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::codec::{encode, placed};
use super::mpb::{Disk as Entry, INDEX_MASK, Map, Migration, Mpb, NONE_FAILED, OUT_OF_SYNC, Volume, status};
use super::transition::state_of;
use super::{NAME, carried, names};
use crate::device::{Device, ReadAt};
use crate::escape::escape;
use crate::format::rebuild::{Disk, RebuildError, Replacement, Round};
use crate::format::schema::DiskStruct;
use crate::model::Area;
use crate::record::ChecksumState;

/// What to write: see the module.
///
/// # Errors
/// What the format, or the disks, can not do.
pub(in crate::format) fn renew(replacement: &Replacement) -> Result<Vec<Round>, RebuildError> {
    let carried: Vec<Mpb> = replacement.members.iter().map(own).collect::<Result<_, _>>()?;
    let Some(freshest) = carried.iter().max_by_key(|mpb| mpb.header.generation_num) else {
        return Err(replacement.refused(NAME, "none of its disks is there"));
    };
    let mut mpb = freshest.clone();
    let lost = lost_disk(replacement, &mpb)?;
    for volume in &mut mpb.volumes {
        settle(replacement, volume)?;
    }
    let serial = serial(replacement, &mpb, lost)?;
    let new = add(&mut mpb, &replacement.target, &serial);
    for volume in &mut mpb.volumes {
        put(&mut volume.map, lost, new);
    }
    delete(&mut mpb, lost);
    let disks = mpb.disks.clone();
    for volume in &mut mpb.volumes {
        settle_map(&mut volume.map, &disks);
    }
    mpb.header.orig_family_num = mpb.original_family();
    mpb.header.generation_num = mpb.header.generation_num.wrapping_add(1);
    let target = on(&replacement.target, &mpb)?;
    let cleared = Area {
        role: "migration-record",
        offset: target.place.migration_record(),
        bytes: vec![0; target.place.sector()],
        checksum: ChecksumState::Absent,
    };
    let mut rounds = vec![vec![(Disk::Target, cleared)], vec![(Disk::Target, area(&target))]];
    for (index, device) in replacement.members.iter().enumerate() {
        rounds.push(vec![(Disk::Member(index), area(&on(device, &mpb)?))]);
    }
    Ok(rounds)
}

fn own(device: &Device) -> Result<Mpb, RebuildError> {
    let message = "its metadata is damaged, or it is a spare";
    carried(device).ok_or_else(|| RebuildError::disk(NAME, device, message))
}

/// The disk of the table that is in the slot.
fn lost_disk(replacement: &Replacement, mpb: &Mpb) -> Result<usize, RebuildError> {
    let volumes = mpb.volumes.iter().enumerate();
    let found = volumes
        .into_iter()
        .find(|(index, volume)| names::volume_uuid(mpb, *index, volume) == replacement.volume);
    let slot = replacement.slot.index();
    let disk = found.and_then(|(_, volume)| volume.map.disk_index(slot));
    disk.filter(|&disk| disk < mpb.disks.len())
        .ok_or_else(|| replacement.refused(NAME, format!("slot {slot} is not in the metadata")))
}

/// Refuses what would not be recorded truly, and ends a rebuild, which is over with this.
fn settle(replacement: &Replacement, volume: &mut Volume) -> Result<(), RebuildError> {
    /// No write hole policy: neither a partial parity log, nor a journal, nor a bitmap.
    const PLAIN: [u8; 2] = [0, 5];
    let refused =
        |message: &str| Err(replacement.refused(NAME, format!("volume {} {message}", escape(volume.name()))));
    if !PLAIN.contains(&volume.head.rwh_policy) {
        return refused("has a log or a bitmap of what is being written, which the new disk would not have");
    }
    if volume.migration().is_some_and(|migration| migration != Migration::Rebuild) {
        return refused("is being initialized, checked or moved");
    }
    if let Some(source) = volume.source.take() {
        for (slot, entry) in volume.map.disk_ord_tbl.iter_mut().enumerate() {
            *entry |= if source.is_out_of_sync(slot) { OUT_OF_SYNC } else { 0 };
        }
        volume.state.migr_state = 0;
        volume.state.migr_type = 0;
        volume.state.curr_migr_unit_lo = 0;
        volume.state.curr_migr_unit_hi = 0;
    }
    Ok(())
}

/// The serial number of the new disk, which no other disk of the table has.
fn serial(replacement: &Replacement, mpb: &Mpb, lost: usize) -> Result<Vec<u8>, RebuildError> {
    let device = &replacement.target;
    let serial = device.serial().map(names::processed_serial).filter(|serial| !serial.is_empty());
    let serial =
        serial.ok_or_else(|| RebuildError::SerialUnknown { device: device.label(), format: NAME })?;
    let mut others = mpb.disks.iter().enumerate().filter(|(index, _)| *index != lost);
    if others.any(|(_, disk)| disk.serial() == serial) {
        let message = format!("has the serial number '{}' of another disk", names::disk_key(&serial));
        return Err(RebuildError::disk(NAME, device, message));
    }
    Ok(serial)
}

/// Adds the new disk to the table; its index.
fn add(mpb: &mut Mpb, device: &Device, serial: &[u8]) -> usize {
    let blocks = device.size().0.checked_div(device.sector_size().bytes().0).unwrap_or_default();
    let [a, b, c, d, e, f, g, h] = blocks.to_le_bytes();
    let mut disk = Entry::zeroed();
    disk.serial.iter_mut().zip(serial).for_each(|(to, from)| *to = *from);
    disk.total_blocks_lo = u32::from_le_bytes([a, b, c, d]);
    disk.total_blocks_hi = u32::from_le_bytes([e, f, g, h]);
    disk.status = status::CONFIGURED;
    if disk.total_blocks_hi != 0 {
        mpb.header.attributes |= super::mpb::attribute::DISK_2TB;
    }
    mpb.disks.push(disk);
    mpb.disks.len().saturating_sub(1)
}

/// Puts the new disk into the slot of the lost one.
fn put(map: &mut Map, lost: usize, new: usize) {
    let Some(entry) = map.slot_of(lost).and_then(|slot| map.disk_ord_tbl.get_mut(slot)) else { return };
    *entry = u32::try_from(new).unwrap_or(INDEX_MASK) & INDEX_MASK;
}

/// Deletes an entry of the disk table that no volume has any more.
fn delete(mpb: &mut Mpb, lost: usize) {
    if mpb.volumes.iter().any(|volume| volume.map.slot_of(lost).is_some()) || lost >= mpb.disks.len() {
        return;
    }
    mpb.disks.remove(lost);
    let after = u32::try_from(lost).unwrap_or(INDEX_MASK);
    for entry in mpb.volumes.iter_mut().flat_map(|volume| &mut volume.map.disk_ord_tbl) {
        if *entry & INDEX_MASK > after {
            *entry = entry.saturating_sub(1);
        }
    }
    if let Some(log) = &mut mpb.bad_blocks {
        log.entries.retain(|entry| usize::from(entry.disk_ordinal) != lost);
        for entry in log.entries.iter_mut().filter(|entry| usize::from(entry.disk_ordinal) > lost) {
            entry.disk_ordinal = entry.disk_ordinal.saturating_sub(1);
        }
        log.head.entry_count = u32::try_from(log.entries.len()).unwrap_or_default();
        mpb.header.bbm_log_size = u32::try_from(log.encode().len()).unwrap_or_default();
    }
}

/// The state of a map, and which slot it says has failed: the last.
fn settle_map(map: &mut Map, disks: &[Entry]) {
    map.head.map_state = state_of(map, disks);
    let is_lost = |slot: &usize| {
        let disk = map.disk_index(*slot).and_then(|disk| disks.get(disk));
        map.is_out_of_sync(*slot) || disk.is_none_or(Entry::is_out)
    };
    let failed = (0..map.disk_ord_tbl.len()).rfind(is_lost);
    map.head.failed_disk_num = failed.and_then(|slot| u8::try_from(slot).ok()).unwrap_or(NONE_FAILED);
}

/// The MPB on its place on a disk.
fn on(device: &Device, mpb: &Mpb) -> Result<Mpb, RebuildError> {
    let place = super::place::Place::new(device.size(), device.sector_size());
    let placed = place.and_then(|place| placed(mpb.clone(), place));
    placed.ok_or_else(|| RebuildError::disk(NAME, device, "has no room for the metadata"))
}

fn area(mpb: &Mpb) -> Area {
    Area { role: "mpb", offset: mpb.place.start(), bytes: encode(mpb), checksum: ChecksumState::Ok }
}
