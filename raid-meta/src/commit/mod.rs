//! The one place that writes metadata.
//!
//! A [`Plan`] is an ordered list of changes: where, the bytes that are there, the bytes to be there. [`commit`] opens
//! the disks for writing, checks that they hold what the plan was made from, saves what undoes it all, writes in
//! order, flushes at the barriers, reads back and compares. Before the undo file is durable nothing is written; if
//! anything fails after that, the error says how much was written, and [`restore`] of the undo file gives the disks
//! as they were, bit for bit, however far it came.
//!
//! Everything is read and written in whole logical sectors.

mod plan;
mod restore;
mod sectors;
#[cfg(test)]
mod tests;
mod undo;

pub use plan::{Change, Plan, PlannedDisk};
pub(crate) use restore::region;
pub use restore::{RestoreError, bytes_of, check_device, restore, save};
pub use undo::{UndoFile, UndoStore};

use crate::device::{Device, ReadAt, WritableDisk, WriteAt, WriteOpenError};
use crate::units::{Bytes, SectorSize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Most bytes of a region record. Two digits each, they are far below the longest line that is read.
const MAX_REGION: usize = 1 << 20;

/// Why a plan was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// A disk can not be opened for writing.
    #[error(transparent)]
    Open(#[from] WriteOpenError),
    /// A disk has another size than when the plan was made.
    #[error("{device}: is {found} bytes, expected {expected}; nothing was written")]
    Resized {
        /// Which disk.
        device: String,
        /// Its size.
        found: Bytes,
        /// Its size when the plan was made.
        expected: Bytes,
    },
    /// A disk can not be read.
    #[error("{device}: reading {length} bytes at {offset}: {error}; nothing was written")]
    Read {
        /// Which disk.
        device: String,
        /// Where.
        offset: Bytes,
        /// How much.
        length: Bytes,
        /// Why.
        error: io::Error,
    },
    /// A disk does not hold what the plan was made from.
    #[error(
        "{device}: byte {offset} is {found:#04x}, expected {expected:#04x}: it was changed meanwhile; nothing was written"
    )]
    Changed {
        /// Which disk.
        device: String,
        /// The first byte that differs.
        offset: Bytes,
        /// What is there.
        found: u8,
        /// What was there when the plan was made.
        expected: u8,
    },
    /// The undo file can not be made.
    #[error("undo file {path}: {error}; nothing was written")]
    Undo {
        /// Which file.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// Writing failed in the middle.
    #[error(
        "{device}: {action} {length} bytes at {offset}: {error}; {done} of {all} writes were done, {undo} undoes them"
    )]
    Failed {
        /// Which disk.
        device: String,
        /// `writing`, `flushing`, `reading back`.
        action: &'static str,
        /// Where.
        offset: Bytes,
        /// How much.
        length: Bytes,
        /// Why.
        error: io::Error,
        /// Writes that were done before.
        done: usize,
        /// Writes of the plan.
        all: usize,
        /// The undo file, escaped.
        undo: String,
    },
}

/// Opens disks for writing.
pub trait OpenDisk {
    /// Opens a disk that is to be written. Nobody else writes it while it is open.
    ///
    /// # Errors
    /// It can not be opened, or is in use.
    fn open(&self, disk: &PlannedDisk) -> Result<Arc<dyn WriteAt>, CommitError>;
}

/// Opens files and block devices.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The folder that holds `sys` and `proc`, where the users of a device are looked up.
    pub sysroot: PathBuf,
    /// Devices of the kernel, by their names in sysfs (`dm-0`), that may use the disks: those of the set whose metadata
    /// is written.
    pub own: Vec<String>,
}

impl Machine {
    /// A machine on which nothing may use the disks.
    #[must_use]
    pub fn new(sysroot: &Path) -> Self {
        Self { sysroot: sysroot.to_owned(), own: Vec::new() }
    }
}

impl OpenDisk for Machine {
    fn open(&self, disk: &PlannedDisk) -> Result<Arc<dyn WriteAt>, CommitError> {
        let sector_size: Option<SectorSize> = Some(disk.sector_size);
        Ok(Arc::new(WritableDisk::open(&disk.path, sector_size, &self.sysroot, &self.own)?))
    }
}

impl PlannedDisk {
    /// The disk below a device window.
    #[must_use]
    pub fn of(device: &Device) -> Self {
        Self {
            path: device.path().to_owned(),
            name: device.path_text(),
            size: device.disk().size(),
            sector_size: device.sector_size(),
            serial: device.serial().map(|serial| crate::escape::escape(serial.as_bytes())),
        }
    }
}

/// Carries out a plan. Where the undo is kept; none when there was nothing to write.
///
/// # Errors
/// See [`CommitError`]: all but [`CommitError::Failed`] mean that nothing was written.
pub fn commit(
    plan: &Plan,
    opener: &dyn OpenDisk,
    undo: &mut dyn UndoStore,
) -> Result<Option<String>, CommitError> {
    if plan.is_empty() {
        return Ok(None);
    }
    let disks = open(plan, opener)?;
    check(plan, &disks)?;
    let undo = undo.save(&plan.undo())?;
    let mut run = Run { plan, disks: &disks, undo: &undo, done: 0 };
    run.all()?;
    Ok(Some(undo))
}

/// The SHA-256 of bytes, hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(bytes))
}

type Disks = Vec<Arc<dyn WriteAt>>;

fn open(plan: &Plan, opener: &dyn OpenDisk) -> Result<Disks, CommitError> {
    let mut disks = Disks::new();
    for planned in plan.disks() {
        let disk = opener.open(planned)?;
        if disk.size() != planned.size {
            let (device, found) = (planned.name.clone(), disk.size());
            return Err(CommitError::Resized { device, found, expected: planned.size });
        }
        disks.push(disk);
    }
    Ok(disks)
}

/// Whether the disks hold what the plan was made from. What an earlier change of the plan writes is checked as it
/// will be then.
fn check(plan: &Plan, disks: &Disks) -> Result<(), CommitError> {
    for (index, change) in plan.changes().iter().enumerate() {
        let Some(disk) = disks.get(change.disk) else { continue };
        let length = change.old.len();
        let found =
            sectors::read(disk.as_ref(), change.offset, length).map_err(|error| CommitError::Read {
                device: plan.name(change),
                offset: change.offset,
                length: Bytes(length as u64),
                error,
            })?;
        let found = plan.as_planned_before(index, found);
        let mut pairs = (0_u64..).zip(found.iter().zip(&change.old));
        if let Some((at, (&found, &expected))) = pairs.find(|(_, (found, expected))| found != expected) {
            let offset = change.offset.saturating_add(Bytes(at));
            return Err(CommitError::Changed { device: plan.name(change), offset, found, expected });
        }
    }
    Ok(())
}

/// The writing itself.
struct Run<'a> {
    plan: &'a Plan,
    disks: &'a Disks,
    undo: &'a str,
    done: usize,
}

impl Run<'_> {
    /// Group by group: write in order, flush, read back.
    fn all(&mut self) -> Result<(), CommitError> {
        for group in self.plan.changes().split_inclusive(|change| change.barrier) {
            for change in group {
                let disk = self.disk(change)?;
                let written = sectors::write(disk.as_ref(), change.offset, &change.new);
                written.map_err(|error| self.failed(change, "writing", error))?;
                self.done = self.done.saturating_add(1);
            }
            self.flush(group)?;
            group.iter().try_for_each(|change| self.verify(change))?;
        }
        Ok(())
    }

    fn disk(&self, change: &Change) -> Result<Arc<dyn WriteAt>, CommitError> {
        let disk = self.disks.get(change.disk).cloned();
        disk.ok_or_else(|| self.failed(change, "writing", io::ErrorKind::NotFound.into()))
    }

    /// Flushes each disk that a group wrote to.
    fn flush(&self, group: &[Change]) -> Result<(), CommitError> {
        let mut flushed = Vec::new();
        for change in group {
            if !flushed.contains(&change.disk) {
                let result = self.disk(change)?.flush();
                result.map_err(|error| self.failed(change, "flushing", error))?;
                flushed.push(change.disk);
            }
        }
        Ok(())
    }

    fn verify(&self, change: &Change) -> Result<(), CommitError> {
        let disk = self.disk(change)?;
        let found = sectors::read(disk.as_ref(), change.offset, change.new.len());
        let found = found.map_err(|error| self.failed(change, "reading back", error))?;
        if found == change.new {
            return Ok(());
        }
        let error = io::Error::other("they are not what was written");
        Err(self.failed(change, "reading back", error))
    }

    fn failed(&self, change: &Change, action: &'static str, error: io::Error) -> CommitError {
        CommitError::Failed {
            device: self.plan.name(change),
            action,
            offset: change.offset,
            length: Bytes(change.new.len() as u64),
            error,
            done: self.done,
            all: self.plan.changes().len(),
            undo: self.undo.to_owned(),
        }
    }
}
