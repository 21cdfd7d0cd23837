//! A disk of which much is read, and only once: the memory of the system is for others.
//!
//! A block device is read past the system's memory (`O_DIRECT`), straight into the buffers of whoever asks; an image only
//! where that is asked for. Other images go through memory, where they may be already, and the system is told that
//! what they leave behind there is of no more use.

use super::ReadAt;
use super::file::{FileDisk, OpenError};
use super::writable::{ALIGNMENT, aligned};
use crate::units::{Bytes, SectorSize};
use nix::errno::Errno;
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use std::fs::OpenOptions;
use std::io::{self, IoSliceMut};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// What direct reads begin and end at in any case: a page.
const PAGE: u64 = 4096;
/// What a buffer begins at to be read into directly: a sector, which is enough for most disks.
const BUFFER_ALIGNMENT: usize = 512;

/// A regular file or a block device that is read once.
#[derive(Debug)]
pub struct OnceDisk {
    disk: FileDisk,
    is_direct: bool,
}

impl OnceDisk {
    /// Opens a file or block device; with `direct` a file past the system's memory too.
    ///
    /// # Errors
    /// As [`FileDisk::open`]; moreover a file system that can not be read past memory.
    pub fn open(path: &Path, sector_size: Option<SectorSize>, direct: bool) -> Result<Self, OpenError> {
        let is_block_device = path.metadata().is_ok_and(|metadata| metadata.file_type().is_block_device());
        let is_direct = direct || is_block_device;
        let flag = if is_direct { nix::libc::O_DIRECT } else { 0 };
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(nix::libc::O_NONBLOCK | flag);
        let disk = FileDisk::open_with(path, sector_size, &options)?;
        if !is_direct {
            // Advice: where it is not taken, the reading is the same.
            for advice in [PosixFadviseAdvice::POSIX_FADV_SEQUENTIAL, PosixFadviseAdvice::POSIX_FADV_NOREUSE]
            {
                let _ = posix_fadvise(disk.file(), 0, 0, advice);
            }
        }
        Ok(Self { disk, is_direct })
    }

    /// Whether reads go past the system's memory: then they should be large.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.is_direct
    }

    /// Reads what is around what is wanted too, into memory of its own: whole sectors, so that a bad one costs no others; or
    /// pages, where the file system reads nothing smaller.
    fn read_around(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        match self.read_units(offset, buffer, self.disk.sector_size().bytes().0) {
            Err(error) if is_misaligned(&error) => self.read_units(offset, buffer, PAGE),
            read => read,
        }
    }

    fn read_units(&self, offset: Bytes, buffer: &mut [u8], unit: u64) -> io::Result<usize> {
        let start = offset.0 / unit * unit;
        let to_index = |bytes: u64| usize::try_from(bytes).map_err(io::Error::other);
        let before = to_index(offset.0 - start)?;
        let length = before.saturating_add(buffer.len()).next_multiple_of(to_index(unit)?);
        let mut memory = vec![0; length.saturating_add(ALIGNMENT)];
        let own = aligned(&mut memory, length);
        let read = self.disk.read_at(Bytes(start), own)?;
        let wanted = own.get(before..read).unwrap_or_default();
        let length = wanted.len().min(buffer.len());
        buffer[..length].copy_from_slice(&wanted[..length]);
        Ok(length)
    }
}

/// What the system says of a direct read that it does not take.
fn is_misaligned(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::EINVAL as i32)
}

impl ReadAt for OnceDisk {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.is_direct {
            return self.disk.read_at(offset, buffer);
        }
        let sector = self.disk.sector_size().bytes().0;
        let is_aligned = offset.0.is_multiple_of(sector)
            && (buffer.len() as u64).is_multiple_of(sector)
            && buffer.as_ptr().addr().is_multiple_of(BUFFER_ALIGNMENT);
        if !is_aligned {
            return self.read_around(offset, buffer);
        }
        match self.disk.read_at(offset, buffer) {
            Err(error) if is_misaligned(&error) => self.read_around(offset, buffer),
            read => read,
        }
    }

    fn read_vectored_at(&self, offset: Bytes, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        if !self.is_direct {
            return self.disk.read_vectored_at(offset, buffers);
        }
        self.read_each_at(offset, buffers)
    }

    fn next_data(&self, offset: Bytes) -> io::Result<Option<(Bytes, Bytes)>> {
        self.disk.next_data(offset)
    }

    fn in_file(&self, offset: Bytes, length: Bytes) -> Option<(BorrowedFd<'_>, Bytes)> {
        if self.is_direct { None } else { self.disk.in_file(offset, length) }
    }

    fn size(&self) -> Bytes {
        self.disk.size()
    }

    fn sector_size(&self) -> SectorSize {
        self.disk.sector_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_past_memory_is_the_same_at_any_place() {
        // In the tree's own folder: a temporary one may be in memory, which can not be read past itself.
        let folder = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let path = folder.path().join("disk");
        let content: Vec<u8> = (0..20_000_u32).map(|byte| u8::try_from(byte % 251).unwrap()).collect();
        std::fs::write(&path, &content).unwrap();
        let disk = OnceDisk::open(&path, None, true).unwrap();
        assert!(disk.is_direct());
        for offset in [0, 1, 511, 512, 4096, 8192, 19_968, 19_999, 20_000, 30_000] {
            for length in [0, 1, 512, 513, 4096, 20_000] {
                let mut memory = vec![0; length + 4096];
                for shift in [0, 7] {
                    let buffer = &mut memory[shift..shift + length];
                    let read = disk.read_at(Bytes(offset as u64), buffer).unwrap();
                    let end = content.len().min(offset + length);
                    let expected = content.get(offset..end).unwrap_or_default();
                    assert!(read == expected.len() && buffer[..read] == *expected, "{offset}+{length}");
                }
            }
        }
        let mut buffers = [vec![0; 512], vec![0; 100]];
        let mut slices: Vec<IoSliceMut<'_>> =
            buffers.iter_mut().map(|buffer| IoSliceMut::new(buffer)).collect();
        assert_eq!(disk.read_vectored_at(Bytes(512), &mut slices).unwrap(), 612);
        assert_eq!(buffers.concat(), content[512..1124]);
    }
}
