//! Devices: files, block devices, windows into them, and a simulated disk with faults.
//!
//! Code that reads holds a [`ReadAt`], which can not write. Only `commit` and the tools that move data hold
//! a [`WriteAt`].

mod below;
mod cache;
mod file;
mod held;
mod once;
mod overlay;
mod sim;
mod writable;

pub use below::lies_on;
pub use cache::CachedDisk;
pub use file::{FileDisk, OpenError};
pub use held::{holders, only_read};
pub use once::OnceDisk;
pub use overlay::OverlayDisk;
pub(crate) use overlay::overlay;
pub use sim::{PowerCut, SimDisk, SimPower, WriteEvent};
pub use writable::{WritableDisk, WriteOpenError};

use crate::escape::path_to_text;
use crate::units::{Bytes, SectorSize, Sectors};
use std::io::{self, IoSliceMut};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Random access for reading.
pub trait ReadAt: Send + Sync {
    /// Reads up to `buffer.len()` bytes; fewer only at the end of the device.
    ///
    /// # Errors
    /// What the system says; nothing is known about the buffer then.
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize>;

    /// Reads one contiguous range of the device into several buffers; fewer bytes only at the end.
    ///
    /// # Errors
    /// As [`ReadAt::read_at`].
    fn read_vectored_at(&self, offset: Bytes, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.read_each_at(offset, buffers)
    }

    /// [`ReadAt::read_vectored_at`] with a request for each buffer.
    ///
    /// # Errors
    /// As [`ReadAt::read_at`].
    fn read_each_at(&self, offset: Bytes, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let mut total = 0;
        for buffer in buffers {
            let at = offset.saturating_add(Bytes(total as u64));
            let read = self.read_at(at, buffer)?;
            total += read;
            if read < buffer.len() {
                break;
            }
        }
        Ok(total)
    }

    /// Size of the device.
    fn size(&self) -> Bytes;

    /// Logical sector size.
    fn sector_size(&self) -> SectorSize;

    /// The next range, from `offset` on, that is not known to be a hole: first byte and end. Holes read as zeros. None
    /// when there is nothing but a hole up to the end.
    ///
    /// # Errors
    /// What the system says; nothing is known about holes then.
    fn next_data(&self, offset: Bytes) -> io::Result<Option<(Bytes, Bytes)>> {
        Ok((offset < self.size()).then(|| (offset, self.size())))
    }

    /// The regular file that holds a range in full, and where the range begins in it, for what looks at the file in memory;
    /// none where that is not how the device is read.
    fn in_file(&self, offset: Bytes, length: Bytes) -> Option<(BorrowedFd<'_>, Bytes)> {
        let _ = (offset, length);
        None
    }

    /// Fills the buffer.
    ///
    /// # Errors
    /// As [`ReadAt::read_at`], and [`io::ErrorKind::UnexpectedEof`] where the device ends before the buffer.
    fn read_exact_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<()> {
        if self.read_at(offset, buffer)? < buffer.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

/// Random access for writing.
pub trait WriteAt: ReadAt {
    /// Writes the whole buffer. Durable only after [`WriteAt::flush`].
    ///
    /// # Errors
    /// What the system says; part of the buffer may have been written.
    fn write_at(&self, offset: Bytes, buffer: &[u8]) -> io::Result<()>;

    /// Makes all writes so far durable.
    ///
    /// # Errors
    /// What the system says; the writes are not to be relied on then.
    fn flush(&self) -> io::Result<()>;
}

/// A device, or a window (partition, `PATH@OFFSET+LENGTH`) of one, with all that is known of it.
#[derive(Clone)]
pub struct Device {
    path: PathBuf,
    disk: Arc<dyn ReadAt>,
    offset: Bytes,
    length: Bytes,
    serial: Option<String>,
    undivided: bool,
    /// The disk that this is a partition of, and where it begins there, where the two are different devices.
    part_of: Option<(PathBuf, Bytes)>,
}

impl Device {
    /// All of a disk.
    #[must_use]
    pub fn whole(path: &Path, disk: Arc<dyn ReadAt>) -> Self {
        let length = disk.size();
        Self {
            path: path.to_owned(),
            disk,
            offset: Bytes::ZERO,
            length,
            serial: None,
            undivided: false,
            part_of: None,
        }
    }

    /// The same device with its hardware serial number.
    #[must_use]
    pub fn with_serial(mut self, serial: Option<String>) -> Self {
        self.serial = serial;
        self
    }

    /// A window of this device; none when it does not fit.
    #[must_use]
    pub fn window(&self, offset: Bytes, length: Bytes) -> Option<Self> {
        let end = offset.checked_add(length)?;
        (end <= self.length).then(|| Self {
            path: self.path.clone(),
            disk: Arc::clone(&self.disk),
            offset: self.offset.saturating_add(offset),
            length,
            serial: self.serial.clone(),
            undivided: self.undivided,
            part_of: self.part_of.clone(),
        })
    }

    /// The same device, not to be searched for partitions: it is one itself, or its partitions are given
    /// beside it.
    #[must_use]
    pub fn undivided(mut self) -> Self {
        self.undivided = true;
        self
    }

    /// Whether the device is not to be searched for partitions.
    #[must_use]
    pub fn is_undivided(&self) -> bool {
        self.undivided
    }

    /// The same device, a partition that begins at `offset` of another device.
    #[must_use]
    pub fn with_disk(mut self, disk: PathBuf, offset: Bytes) -> Self {
        self.part_of = Some((disk, offset));
        self
    }

    /// Whether this is a partition of a device that is given beside it.
    #[must_use]
    pub fn is_partition(&self) -> bool {
        self.part_of.is_some()
    }

    /// Where the window begins on the disk that holds it, through the partition that it may be in.
    #[must_use]
    pub fn on_disk(&self) -> (&Path, Bytes) {
        match &self.part_of {
            Some((disk, start)) => (disk, start.saturating_add(self.offset)),
            None => (&self.path, self.offset),
        }
    }

    /// The same device read through another object: a cache, for example.
    #[must_use]
    pub fn through(&self, disk: Arc<dyn ReadAt>) -> Self {
        Self { disk, ..self.clone() }
    }

    /// The same device with nothing open any more: it can be named, not read.
    #[must_use]
    pub fn closed(&self) -> Self {
        let disk = ClosedDisk { size: self.disk.size(), sector_size: self.disk.sector_size() };
        self.through(Arc::new(disk))
    }

    /// Path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path as text for records and messages, without the window.
    #[must_use]
    pub fn path_text(&self) -> String {
        path_to_text(&self.path)
    }

    /// What messages call the device: its path, with `@OFFSET` for a window that begins elsewhere.
    #[must_use]
    pub fn label(&self) -> String {
        let path = self.path_text();
        if self.offset.is_zero() { path } else { format!("{path}@{}", self.offset) }
    }

    /// Start of the window on the disk.
    #[must_use]
    pub fn offset(&self) -> Bytes {
        self.offset
    }

    /// Start of the window on the disk, in sectors.
    #[must_use]
    pub fn offset_sectors(&self) -> Sectors {
        self.offset.whole_sectors()
    }

    /// Whole sectors in the window.
    #[must_use]
    pub fn length_sectors(&self) -> Sectors {
        self.length.whole_sectors()
    }

    /// Hardware serial number, if known.
    #[must_use]
    pub fn serial(&self) -> Option<&str> {
        self.serial.as_deref()
    }

    /// The disk below the window.
    #[must_use]
    pub fn disk(&self) -> &Arc<dyn ReadAt> {
        &self.disk
    }

    /// Reads `length` bytes at `offset`; none when the window ends before. The caller bounds `length`.
    ///
    /// # Errors
    /// What the system says, with the place.
    pub fn read(&self, offset: Bytes, length: usize) -> Result<Option<Vec<u8>>, DeviceError> {
        let end = offset.checked_add(Bytes(length as u64));
        if end.is_none_or(|end| end > self.length) {
            return Ok(None);
        }
        let mut buffer = vec![0; length];
        self.read_exact_at(offset, &mut buffer).map_err(|error| DeviceError {
            device: self.label(),
            offset,
            length: Bytes(length as u64),
            error,
        })?;
        Ok(Some(buffer))
    }

    /// The length that may be read at `offset`, at most `wanted`.
    fn available(&self, offset: Bytes, wanted: usize) -> usize {
        let rest = self.length.saturating_sub(offset).0;
        usize::try_from(rest).map_or(wanted, |rest| rest.min(wanted))
    }
}

impl ReadAt for Device {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.available(offset, buffer.len());
        match buffer.get_mut(..length) {
            Some(part) if length > 0 => self.disk.read_at(self.offset.saturating_add(offset), part),
            _ => Ok(0),
        }
    }

    fn read_vectored_at(&self, offset: Bytes, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let wanted = buffers.iter().map(|buffer| buffer.len()).sum();
        if self.available(offset, wanted) == wanted {
            return self.disk.read_vectored_at(self.offset.saturating_add(offset), buffers);
        }
        self.read_each_at(offset, buffers)
    }

    fn next_data(&self, offset: Bytes) -> io::Result<Option<(Bytes, Bytes)>> {
        if offset >= self.length {
            return Ok(None);
        }
        let found = self.disk.next_data(self.offset.saturating_add(offset))?;
        let inside = |at: Bytes| at.saturating_sub(self.offset).min(self.length);
        Ok(found.map(|(start, end)| (inside(start), inside(end))).filter(|(start, end)| start < end))
    }

    fn in_file(&self, offset: Bytes, length: Bytes) -> Option<(BorrowedFd<'_>, Bytes)> {
        let end = offset.checked_add(length)?;
        (end <= self.length).then(|| self.disk.in_file(self.offset.saturating_add(offset), length)).flatten()
    }

    fn size(&self) -> Bytes {
        self.length
    }

    fn sector_size(&self) -> SectorSize {
        self.disk.sector_size()
    }
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device")
            .field("path", &self.path)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

/// What is left of a disk when it is closed.
struct ClosedDisk {
    size: Bytes,
    sector_size: SectorSize,
}

impl ReadAt for ClosedDisk {
    fn read_at(&self, _offset: Bytes, _buffer: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::NotConnected.into())
    }

    fn size(&self) -> Bytes {
        self.size
    }

    fn sector_size(&self) -> SectorSize {
        self.sector_size
    }
}

/// A read that failed.
#[derive(Debug, thiserror::Error)]
#[error("{device}: reading {length} bytes at {offset}: {error}")]
pub struct DeviceError {
    /// Which device.
    pub device: String,
    /// Where.
    pub offset: Bytes,
    /// How much.
    pub length: Bytes,
    /// Why.
    pub error: io::Error,
}
