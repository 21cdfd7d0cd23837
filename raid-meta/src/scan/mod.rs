//! Which devices exist: partitions inside a device or image ([`windows`], [`search`]), the disks of a
//! machine ([`machine()`]), and the serial number of a disk ([`serial_of`]).
//!
//! A partition table is a hint, never a reason to fail: a table that is damaged or absurd costs a problem
//! record and the windows it would have named, and the device itself is always among the windows. What the
//! tables say is bounded: at most [`MAX_WINDOWS`] windows, all inside the device, each extent once.

mod gpt;
mod machine;
mod mbr;
mod serial;

pub use machine::{FoundDisk, ScanError, machine};
pub use serial::serial_of;
pub(crate) use serial::{sysfs_directory, text as attribute_text};

use crate::device::{Device, DeviceError, ReadAt};
use crate::record::Problem;
use crate::units::{Bytes, SectorSize};
use std::fmt;

/// Windows of one device, the device included; the kernel numbers as many partitions.
pub const MAX_WINDOWS: usize = 256;
/// Problems reported for one table; a hostile one could have thousands.
const MAX_PROBLEMS: usize = 16;
/// First read: every other format reads this block too, so that through a cache it costs nothing.
const FIRST_READ: u64 = 4096;

/// The windows of a device, with what was wrong on the way to them.
#[derive(Debug)]
pub struct Search {
    /// The device itself, then its partitions in the order of the table.
    pub windows: Vec<Device>,
    /// The partitions by the numbers that the kernel gives them.
    pub partitions: Vec<(u32, Device)>,
    /// What is wrong with the tables: none of it keeps the windows from being used.
    pub problems: Vec<Problem>,
    /// Reads of the tables that failed; the windows found before are there.
    pub errors: Vec<DeviceError>,
}

/// The windows of a device that can hold metadata: the device itself, then its partitions (MBR, extended, GPT).
///
/// # Errors
/// A read failed. [`search`] gives what was found in spite of it.
pub fn windows(device: &Device) -> Result<Vec<Device>, DeviceError> {
    let found = search(device);
    match found.errors.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(found.windows),
    }
}

/// As [`windows`], with the problems of the tables, and the windows that were found when a read failed.
/// A device that is [`Device::undivided`] is its only window.
#[must_use]
pub fn search(device: &Device) -> Search {
    let mut found = Search {
        windows: vec![device.clone()],
        partitions: Vec::new(),
        problems: Vec::new(),
        errors: Vec::new(),
    };
    if !device.is_undivided()
        && let Err(error) = read_tables(device, &mut found)
    {
        found.errors.push(error);
    }
    found
}

/// An MBR with partitions is believed; a GPT is looked for where the MBR announces one (type 0xee) or has
/// nothing to say itself, so that what is left of an older GPT does not hide the table in use.
fn read_tables(device: &Device, found: &mut Search) -> Result<(), DeviceError> {
    let length = usize::try_from(device.size().0.min(FIRST_READ)).unwrap_or_default();
    let Some(first) = device.read(Bytes::ZERO, length)? else { return Ok(()) };
    let table = mbr::decode(&first);
    let protective = table.is_some_and(|table| table.iter().any(mbr::Entry::is_protective));
    let divided = table.is_some_and(|table| table.iter().any(mbr::Entry::is_used));
    if (protective || !divided) && gpt::search(device, protective, found) {
        return Ok(());
    }
    match table {
        Some(table) => mbr::search(device, &table, found),
        None => Ok(()),
    }
}

impl Search {
    /// Adds the window of a partition, cut to the device. `what` names the partition in messages.
    fn add(&mut self, device: &Device, number: u32, extent: Extent, what: impl fmt::Display) {
        let Extent { offset, length } = extent;
        if offset.is_zero() || length.is_zero() {
            return self.note(
                device,
                "partition-empty",
                format!("{what} begins at {offset} and has {length} bytes"),
            );
        }
        let room = device.size().saturating_sub(offset);
        if room.is_zero() {
            let message =
                format!("{what} begins at {offset}, past the end of the device at {}", device.size());
            return self.note(device, "partition-outside", message);
        }
        if length > room {
            let end = offset.saturating_add(length);
            let message =
                format!("{what} ends at {end}, past the end of the device at {}; cut there", device.size());
            self.note(device, "partition-cut", message);
        }
        let Some(window) = device.window(offset, length.min(room)) else { return };
        if self.partitions.len() < MAX_WINDOWS {
            self.partitions.push((number, window.clone()));
        }
        let known = |other: &Device| other.offset() == window.offset() && other.size() == window.size();
        if self.windows.iter().any(known) {
            return;
        }
        if self.windows.len() < MAX_WINDOWS {
            self.windows.push(window);
        } else {
            self.note(device, "partition-too-many", format!("{what} and all after it are left out"));
        }
    }

    fn note(&mut self, device: &Device, code: &str, message: String) {
        self.problem(Problem::note(code, format!("{}: {message}", device.label())));
    }

    fn warn(&mut self, device: &Device, code: &str, message: String) {
        self.problem(Problem::warning(code, format!("{}: {message}", device.label())));
    }

    fn problem(&mut self, problem: Problem) {
        let said = self
            .problems
            .iter()
            .any(|other| other.code == "partition-too-many" && *other.code == problem.code);
        if self.problems.len() < MAX_PROBLEMS && !said {
            self.problems.push(problem);
        }
    }
}

/// Where a partition is, from the start of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Extent {
    offset: Bytes,
    length: Bytes,
}

impl Extent {
    /// From logical sectors; what does not fit in 64 bits becomes the largest number, which is outside of
    /// every device.
    fn from_blocks(first: u64, count: u64, unit: SectorSize) -> Self {
        let bytes = |blocks: u64| Bytes(blocks.saturating_mul(unit.bytes().0));
        Self { offset: bytes(first), length: bytes(count) }
    }
}

/// The little-endian number at a place; none past the end.
fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    bytes.get(offset..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// The little-endian number at a place; none past the end.
fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    bytes.get(offset..)?.first_chunk().copied().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests;
