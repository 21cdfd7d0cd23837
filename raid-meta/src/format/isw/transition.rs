//! A volume opened for writing, and closed: what mdadm's monitor records of it, in one new MPB for all members.
//!
//! A disk that is out of step fails for good: it gets its bit in the disk table and in the slot tables of all volumes
//! that it is in, and its serial number there is changed, so that it does not find itself in the table when it comes
//! back. What a resync or rebuild had reached no longer holds once the volume is written without it, so it begins again.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::codec::{encode, placed};
use super::mpb::{Disk, Map, Migration, Mpb, NO_DISK, NONE_FAILED, OUT_OF_SYNC, Volume, map_state, status};
use super::{NAME, carried, names};
use crate::device::ReadAt;
use crate::escape::escape;
use crate::format::transition::{Present, Rewrite, Transition, TransitionError};
use crate::model::Area;
use crate::record::ChecksumState;
use crate::units::Bytes;

/// What to write for the volume with that uuid.
///
/// # Errors
/// See [`TransitionError`].
pub(super) fn transition(
    uuid: &str,
    members: &[Present],
    to: Transition,
) -> Result<Vec<Rewrite>, TransitionError> {
    let disks = members.iter().enumerate().map(|(member, present)| Own::of(member, present));
    let disks = disks.collect::<Result<Vec<_>, _>>()?;
    let Some(freshest) = disks.iter().max_by_key(|own| own.mpb.header.generation_num) else {
        return Ok(Vec::new());
    };
    let mut mpb = freshest.mpb.clone();
    let volumes = mpb.volumes.iter().enumerate();
    let found = volumes.into_iter().find(|(index, volume)| names::volume_uuid(&mpb, *index, volume) == uuid);
    let Some((index, _)) = found else { return Err(state(uuid.to_owned(), "is not in the metadata")) };
    match to {
        Transition::Open => open(&mut mpb, index, &disks)?,
        Transition::Close => close(&mut mpb, index),
    }
    if mpb == freshest.mpb {
        return Ok(Vec::new());
    }
    mpb.header.orig_family_num = mpb.original_family();
    mpb.header.generation_num = mpb.header.generation_num.wrapping_add(1);
    let is_member = |own: &&Own<'_>| own.entry(&mpb).is_some();
    disks.iter().filter(is_member).map(|own| own.rewrite(&mpb)).collect()
}

fn state(volume: String, message: &str) -> TransitionError {
    TransitionError::State { format: NAME, volume, message: message.to_owned() }
}

/// A member, what it carries, and how the table names it.
struct Own<'a> {
    member: usize,
    present: &'a Present,
    mpb: Mpb,
    serial: Vec<u8>,
}

impl<'a> Own<'a> {
    fn of(member: usize, present: &'a Present) -> Result<Self, TransitionError> {
        let serial = present.device.serial().map(names::processed_serial).unwrap_or_default();
        let own = carried(&present.device).map(|mpb| Self { member, present, mpb, serial });
        own.filter(|own| own.entry(&own.mpb).is_some()).ok_or_else(|| TransitionError::Member {
            device: present.device.label(),
            format: NAME,
            message: "its metadata is damaged, or does not name it as a member".to_owned(),
        })
    }

    /// Its place in a disk table.
    fn entry(&self, mpb: &Mpb) -> Option<usize> {
        mpb.disks.iter().position(|disk| disk.serial() == self.serial && !disk.is_out())
    }

    /// The MPB where this disk has it.
    fn rewrite(&self, mpb: &Mpb) -> Result<Rewrite, TransitionError> {
        let place = super::place::Place::new(self.present.device.size(), self.present.device.sector_size());
        let placed = place.and_then(|place| placed(mpb.clone(), place));
        let mpb = placed.ok_or_else(|| TransitionError::Member {
            device: self.present.device.label(),
            format: NAME,
            message: "has no room for the metadata".to_owned(),
        })?;
        let (offset, bytes) = self.changed(&mpb);
        let area = Area { role: "mpb", offset, bytes, checksum: ChecksumState::Ok };
        Ok(Rewrite { member: self.member, rounds: vec![vec![area]] })
    }

    /// What differs from the MPB that is there: its anchor alone, which can not be torn in two, or all of it.
    fn changed(&self, mpb: &Mpb) -> (Bytes, Vec<u8>) {
        let (before, mut after) = (encode(&self.mpb), encode(mpb));
        let (start, anchor) = (mpb.place.start(), mpb.place.anchor);
        let extension = usize::try_from(anchor.saturating_sub(start).0).unwrap_or(usize::MAX);
        let is_same = before.len() == after.len() && before.get(..extension) == after.get(..extension);
        if is_same { (anchor, after.split_off(extension)) } else { (start, after) }
    }
}

fn close(mpb: &mut Mpb, index: usize) {
    if let Some(volume) = mpb.volumes.get_mut(index) {
        volume.state.dirty = 0;
    }
}

fn open(mpb: &mut Mpb, index: usize, disks: &[Own<'_>]) -> Result<(), TransitionError> {
    let Some(volume) = mpb.volumes.get(index) else { return Ok(()) };
    check(volume)?;
    let is_there = |disk: usize, in_sync: bool| {
        disks.iter().any(|own| own.entry(mpb) == Some(disk) && (own.present.in_sync || !in_sync))
    };
    let rebuilt: Vec<usize> = rebuilt(volume);
    let goes_on = !rebuilt.is_empty() && rebuilt.iter().all(|&disk| is_there(disk, false));
    let all = (0..volume.map.disk_ord_tbl.len()).filter_map(|slot| volume.map.disk_index(slot));
    let keeps = |disk: usize| is_there(disk, true) || goes_on && rebuilt.contains(&disk);
    let failed: Vec<usize> = all.filter(|&disk| !keeps(disk)).collect();
    if let Some(volume) = mpb.volumes.get_mut(index) {
        if !rebuilt.is_empty() && !goes_on {
            end_rebuild(volume);
        }
        begin_again(volume);
        volume.state.dirty |= u8::from(volume.map.head.raid_level != 0);
    }
    for disk in failed {
        fail(mpb, disk);
    }
    Ok(())
}

/// Refuses what would not be recorded truly.
fn check(volume: &Volume) -> Result<(), TransitionError> {
    /// No write hole policy: neither a partial parity log, nor a journal, nor a bitmap.
    const PLAIN: [u8; 2] = [0, 5];
    let name = || escape(volume.name());
    match volume.migration() {
        Some(Migration::General | Migration::StateChange | Migration::Unknown(_)) => {
            Err(state(name(), "is being moved to another geometry"))
        }
        _ if !PLAIN.contains(&volume.head.rwh_policy) => {
            Err(state(name(), "has a log or a bitmap of what is being written, which would not be kept"))
        }
        _ => Ok(()),
    }
}

/// The disks that are being rebuilt.
fn rebuilt(volume: &Volume) -> Vec<usize> {
    let source = volume.source.as_ref().filter(|_| volume.migration() == Some(Migration::Rebuild));
    let slots = source
        .into_iter()
        .flat_map(|map| (0..map.disk_ord_tbl.len()).filter(|&slot| map.is_out_of_sync(slot)));
    slots.filter_map(|slot| volume.map.disk_index(slot)).collect()
}

/// Back to one map, in which what was being rebuilt is out of step.
fn end_rebuild(volume: &mut Volume) {
    let Some(source) = volume.source.take() else { return };
    for (slot, entry) in volume.map.disk_ord_tbl.iter_mut().enumerate() {
        if source.is_out_of_sync(slot) {
            *entry |= OUT_OF_SYNC;
        }
    }
    volume.map.head.map_state = source.head.map_state;
    volume.state.migr_state = 0;
    volume.state.migr_type = 0;
    volume.state.curr_migr_unit_lo = 0;
    volume.state.curr_migr_unit_hi = 0;
}

/// What is resynced or rebuilt begins again.
fn begin_again(volume: &mut Volume) {
    if matches!(volume.migration(), Some(Migration::Initialize | Migration::Repair | Migration::Rebuild)) {
        volume.state.curr_migr_unit_lo = 0;
        volume.state.curr_migr_unit_hi = 0;
    }
}

/// Records a disk as failed, in all volumes that it is in.
fn fail(mpb: &mut Mpb, index: usize) {
    if let Some(disk) = mpb.disks.get_mut(index).filter(|disk| !disk.is_out()) {
        mark_missing(disk);
        if let Some(log) = &mut mpb.bad_blocks {
            log.entries.retain(|entry| usize::from(entry.disk_ordinal) != index);
            log.head.entry_count = u32::try_from(log.entries.len()).unwrap_or_default();
            mpb.header.bbm_log_size = u32::try_from(log.encode().len()).unwrap_or_default();
        }
    }
    let disks = mpb.disks.clone();
    for volume in &mut mpb.volumes {
        let Some(slot) = volume.map.slot_of(index) else { continue };
        let is_rebuilding = volume.migration() == Some(Migration::Rebuild);
        for map in std::iter::once(&mut volume.map).chain(&mut volume.source) {
            if let Some(entry) = map.slot_of(index).and_then(|slot| map.disk_ord_tbl.get_mut(slot)) {
                *entry |= OUT_OF_SYNC;
            }
        }
        let head = &mut volume.map.head;
        let slot = u8::try_from(slot).unwrap_or(NONE_FAILED);
        if head.failed_disk_num == NONE_FAILED || !is_rebuilding && slot < head.failed_disk_num {
            head.failed_disk_num = slot;
        }
        volume.map.head.map_state = state_of(&volume.map, &disks);
    }
}

/// A disk that is not there: its serial number, a colon and a zero, of which the first character is left out, and of as
/// many more that the rest fits.
fn mark_missing(disk: &mut Disk) {
    const SUFFIX: &[u8] = b":0";
    let marked = [disk.serial(), SUFFIX].concat();
    let most = disk.serial.len().saturating_sub(1);
    let kept = marked.get(marked.len().saturating_sub(most)..).unwrap_or_default();
    let kept = kept.get(1..).unwrap_or_default();
    let padded = kept.iter().copied().chain(std::iter::repeat(0));
    disk.serial.iter_mut().zip(padded).for_each(|(to, from)| *to = from);
    disk.status |= status::FAILED;
    disk.scsi_id = NO_DISK;
}

/// The state of a volume that has lost disks.
pub(super) fn state_of(map: &Map, disks: &[Disk]) -> u8 {
    let is_lost = |slot: usize| {
        let disk = map.disk_index(slot).and_then(|disk| disks.get(disk));
        map.is_out_of_sync(slot) || disk.is_none_or(Disk::is_out)
    };
    let slots = map.disk_ord_tbl.len();
    let lost: Vec<usize> = (0..slots).filter(|&slot| is_lost(slot)).collect();
    let survives = match (map.head.raid_level, slots) {
        (0, _) => lost.is_empty(),
        (1, 2) => lost.len() < 2,
        (5, _) => lost.len() < 2,
        _ => !lost.windows(2).any(|pair| matches!(pair, &[a, b] if a % 2 == 0 && b == a.saturating_add(1))),
    };
    match (lost.is_empty(), survives) {
        (true, _) => map_state::NORMAL,
        (false, true) => map_state::DEGRADED,
        (false, false) => map_state::FAILED,
    }
}
