//! Where one disk is left, the new one has an id of its own, and both records get a new generation: an old disk of the
//! set is known as such. Where several are left, the new one has the id of the one that was lost, and the generation
//! stays: a record that is behind another is stale, and those of several disks can not be written at once.
//!
//! A disk can be in several arrays, each with other disks. Only the one that is asked for gets the new disk.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::new::halves;
use super::place::USUAL;
use super::record::{DiskEntry, IDLE, REBUILDING, Record, disk_flag, status};
use super::view::{Shape, member_length, set_id};
use super::{Pdc, PdcMetadata};
use crate::device::{Device, DeviceError};
use crate::format::rebuild::{RebuildError, Replacement, Round};
use crate::format::vendor::rebuild::{self, Lost, Seat};
use crate::units::Sectors;

/// What to write.
///
/// # Errors
/// What the format, or the disks, can not do.
pub(in crate::format) fn renew(replacement: &Replacement) -> Result<Vec<Round>, RebuildError> {
    rebuild::renew::<PdcMetadata>(&Pdc, replacement)
}

impl Seat for PdcMetadata {
    fn read(device: &Device, volume: &str) -> Result<Option<Self>, DeviceError> {
        let is_wanted = |found: &Self| !found.record.is_unassigned() && set_id(&found.record) == volume;
        Ok(super::read(device)?.into_iter().find(is_wanted))
    }

    fn mend(&mut self, lost: &Lost<'_, Self>) -> Result<(), String> {
        let record = &mut self.record;
        let entry = entry(record, lost)?;
        let is_free = |id: u64| id != 0 && record.disks.iter().all(|disk| disk.id != id);
        let id = lost.is_two().then(|| lost.new_number("pdc disk", is_free));
        if let Some(disk) = record.disks.get_mut(entry) {
            disk.flags = disk_flag::VALID | disk_flag::ONLINE | disk_flag::ASSIGNED;
            disk.id = id.unwrap_or(disk.id);
        }
        if id.is_some() {
            record.head.generation = record.head.generation.wrapping_add(1);
        }
        let is_out = |disk: &DiskEntry| disk.flags & (disk_flag::DOWN | disk_flag::REDIRECTED) != 0;
        let count = usize::from(record.head.total_disks);
        if lost.is_only && !record.disks.iter().take(count).any(is_out) {
            record.head.status &= !status::DEGRADED;
            if record.tail.magic_3 == REBUILDING {
                (record.tail.magic_3, record.tail.rebuild_lba64) = (IDLE, u64::MAX);
            }
        }
        Ok(())
    }

    fn follow(&mut self, mended: &Self, _lost: &Lost<'_, Self>) {
        let (record, mended) = (&mut self.record, &mended.record);
        record.disks.clone_from(&mended.disks);
        record.head.generation = mended.head.generation;
        record.head.status = mended.head.status;
        (record.tail.magic_3, record.tail.rebuild_lba64) = (mended.tail.magic_3, mended.tail.rebuild_lba64);
    }

    fn take(&mut self, lost: &Lost<'_, Self>) -> Result<(), String> {
        let sectors = lost.target.length_sectors();
        self.sector = sectors.checked_sub(Sectors(USUAL)).ok_or("has no room for the metadata")?;
        (self.first, self.others) = (self.sector, Vec::new());
        let record = &mut self.record;
        let index = entry(record, lost)?;
        let disk = record.disks.get(index).ok_or("the table has no such disk")?;
        let head = &mut record.head;
        (head.disk_flags, head.disk_channel, head.disk_device) = (disk.flags, disk.channel, disk.device);
        (head.disk_id, head.magic_0) = (disk.id, disk.id);
        head.disk_number = u8::try_from(index).map_err(|_| "the table has no such disk")?;
        head.disk_rebuild = u32::MAX;
        set_length(record, self.first);
        Ok(())
    }
}

/// The entry of the table for the lost disk.
fn entry(record: &Record, lost: &Lost<'_, PdcMetadata>) -> Result<usize, String> {
    let shape = Shape::of(record).ok_or("the level of the array is not known")?;
    let entry = shape.disk_in(lost.slot);
    if entry < record.disks.len() { Ok(entry) } else { Err("the table has no such disk".to_owned()) }
}

/// As much for the array as the other disks have, if there is room for it, and no less than it needs.
fn set_length(record: &mut Record, end: Sectors) {
    let room = end.saturating_sub(record.offset());
    let needed = Shape::of(record).map_or(Sectors::ZERO, |shape| member_length(record, shape));
    if room < record.length() {
        let (low, high) = halves(room.max(needed));
        record.head.disk_sectors = low;
        // What old firmware leaves there stands for nothing.
        if !record.is_high_filler() {
            record.tail.disk_sectors_high = high;
        }
    }
}
