//! What is to be written: an ordered list of changes, each with the bytes that are there now.

use crate::device::{Device, DeviceError, OverlayDisk, ReadAt as _, overlay};
use crate::model::Area;
use crate::record::{RegionRecord, V1, WriteRecord};
use crate::units::{Bytes, SectorSize};
use std::path::PathBuf;
use std::sync::Arc;

/// A disk that is to be written, with what tells it from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedDisk {
    /// Path.
    pub path: PathBuf,
    /// The path as text for records and messages.
    pub name: String,
    /// Size.
    pub size: Bytes,
    /// Logical sector size.
    pub sector_size: SectorSize,
    /// Hardware serial number, if known.
    pub serial: Option<String>,
}

/// One range of one disk, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which disk: an index into [`Plan::disks`].
    pub disk: usize,
    /// From the start of the disk, whatever the window that it was planned in.
    pub offset: Bytes,
    /// The bytes that are expected to be there.
    pub old: Vec<u8>,
    /// The bytes to write; as many.
    pub new: Vec<u8>,
    /// What this is: format and role.
    pub what: String,
    /// All changes up to this one are durable before the next is begun.
    pub barrier: bool,
}

/// Changes in the order in which they are to be made. Nothing is written before [`super::commit`].
#[derive(Clone, Debug, Default)]
pub struct Plan {
    disks: Vec<PlannedDisk>,
    changes: Vec<Change>,
}

impl Plan {
    /// Plans to write bytes at an offset of a device window. Where the bytes are there already, nothing is planned.
    /// `what` says what they are, for messages and the undo file.
    ///
    /// # Errors
    /// What is there now can not be read, or the window ends before.
    pub fn write(
        &mut self,
        device: &Device,
        offset: Bytes,
        bytes: &[u8],
        what: &str,
    ) -> Result<(), DeviceError> {
        let Some(old) = device.read(offset, bytes.len())? else {
            return Err(DeviceError {
                device: device.label(),
                offset,
                length: Bytes(bytes.len() as u64),
                error: std::io::Error::other(format!("the device ends at {}", device.size())),
            });
        };
        let disk = self.disk(device);
        let offset = device.offset().saturating_add(offset);
        let old = after(&self.changes, disk, offset, old);
        if old != bytes {
            self.separate(disk, offset, bytes.len());
            let (new, what) = (bytes.to_vec(), what.to_owned());
            self.changes.push(Change { disk, offset, old, new, what, barrier: false });
        }
        Ok(())
    }

    /// Plans to write the areas of a format's metadata in their order, with a barrier before the last: what makes the
    /// others count comes when they are durable.
    ///
    /// # Errors
    /// As [`Plan::write`].
    pub fn areas(&mut self, device: &Device, format: &str, areas: &[Area]) -> Result<(), DeviceError> {
        for (index, area) in areas.iter().enumerate() {
            if index.saturating_add(1) == areas.len() {
                self.barrier();
            }
            self.write(device, area.offset, &area.bytes, &format!("{format} {}", area.role))?;
        }
        self.barrier();
        Ok(())
    }

    /// All that is planned so far is durable before what is planned next is begun.
    pub fn barrier(&mut self) {
        if let Some(last) = self.changes.last_mut() {
            last.barrier = true;
        }
    }

    /// A device window as it will be when all is written.
    #[must_use]
    pub fn preview(&self, device: &Device) -> Device {
        let mut disk = OverlayDisk::new(Arc::clone(device.disk()));
        let index = self.disks.iter().position(|disk| disk.path == device.path());
        for change in self.changes.iter().filter(|change| Some(change.disk) == index) {
            disk.lay(change.offset, change.new.clone());
        }
        device.through(Arc::new(disk))
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The disks.
    #[must_use]
    pub fn disks(&self) -> &[PlannedDisk] {
        &self.disks
    }

    /// The changes.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The changes as records, for people and programs.
    pub fn records(&self, written: bool) -> impl Iterator<Item = WriteRecord> {
        self.changes.iter().map(move |change| WriteRecord {
            v: V1,
            device: self.name(change),
            offset_bytes: change.offset,
            length_bytes: Bytes(change.new.len() as u64),
            what: change.what.clone(),
            from_sha256: super::sha256(&change.old),
            to_sha256: super::sha256(&change.new),
            written,
        })
    }

    /// What puts everything back, in the order in which it has to be done: the last change first, so that what makes
    /// the metadata count goes before what it counts on.
    #[must_use]
    pub fn undo(&self) -> Vec<RegionRecord> {
        self.changes.iter().rev().flat_map(|change| self.undo_of(change)).collect()
    }

    /// The plan that takes this one back: the last change first, each with what was there.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let back = |change: &Change| Change {
            old: change.new.clone(),
            new: change.old.clone(),
            what: format!("{} as before", change.what),
            barrier: true,
            ..change.clone()
        };
        Self { disks: self.disks.clone(), changes: self.changes.iter().rev().map(back).collect() }
    }

    /// In pieces, each of which makes a line that can be read again.
    fn undo_of(&self, change: &Change) -> impl Iterator<Item = RegionRecord> {
        let disk = self.disks.get(change.disk);
        let pieces = change.old.chunks(super::MAX_REGION);
        pieces.zip((0_u64..).step_by(super::MAX_REGION)).map(move |(bytes, at)| {
            let what = format!("before {}", change.what);
            super::region(disk, change.offset.saturating_add(Bytes(at)), bytes, Some(what))
        })
    }

    /// Path of the disk of a change, as text.
    pub(super) fn name(&self, change: &Change) -> String {
        self.disks.get(change.disk).map(|disk| disk.name.clone()).unwrap_or_default()
    }

    fn disk(&mut self, device: &Device) -> usize {
        if let Some(index) = self.disks.iter().position(|disk| disk.path == device.path()) {
            return index;
        }
        self.disks.push(PlannedDisk::of(device));
        self.disks.len().saturating_sub(1)
    }

    /// Bytes that are now where a change is, as they will be when its turn comes.
    pub(super) fn as_planned_before(&self, index: usize, bytes: Vec<u8>) -> Vec<u8> {
        match self.changes.split_at_checked(index) {
            Some((before, [change, ..])) => after(before, change.disk, change.offset, bytes),
            _ => bytes,
        }
    }

    /// A change that overlaps an earlier one comes after a barrier, so that both can be read back.
    fn separate(&mut self, disk: usize, offset: Bytes, length: usize) {
        let since =
            self.changes.iter().rposition(|change| change.barrier).map_or(0, |last| last.saturating_add(1));
        let end = offset.saturating_add(Bytes(length as u64));
        let overlaps = |change: &Change| {
            let other = change.offset.saturating_add(Bytes(change.new.len() as u64));
            change.disk == disk && change.offset < end && offset < other
        };
        if self.changes.iter().skip(since).any(overlaps) {
            self.barrier();
        }
    }
}

/// Bytes of a disk as they are after some changes.
fn after(changes: &[Change], disk: usize, offset: Bytes, mut bytes: Vec<u8>) -> Vec<u8> {
    for change in changes.iter().filter(|change| change.disk == disk) {
        overlay(offset, &mut bytes, change.offset, &change.new);
    }
    bytes
}
