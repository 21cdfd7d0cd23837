//! Image files and block devices, opened for reading only; [`super::WritableDisk`] is one that can be written.

use super::ReadAt;
use crate::escape::path_to_text;
use crate::units::{Bytes, SectorSize};
use nix::errno::Errno;
use nix::unistd::Whence;
use std::fs::{File, OpenOptions};
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

/// What the system counts the room of a file in.
const BLOCK_BYTES: u64 = 512;

/// Why a path can not be read.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The system refuses.
    #[error("{path}: {error}")]
    Io {
        /// Which path.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// It is no file and no block device.
    #[error("{path}: is {found}, expected a file or a block device")]
    Kind {
        /// Which path.
        path: String,
        /// What it is.
        found: &'static str,
    },
}

/// A regular file or a block device, opened `O_RDONLY`.
#[derive(Debug)]
pub struct FileDisk {
    file: File,
    size: Bytes,
    sector_size: SectorSize,
    is_block_device: bool,
}

impl FileDisk {
    /// Opens a file or block device. `sector_size` overrides the logical sector size, which an image does not
    /// say of itself.
    ///
    /// # Errors
    /// The path is missing, unreadable, or neither a file nor a block device.
    pub fn open(path: &Path, sector_size: Option<SectorSize>) -> Result<Self, OpenError> {
        // Opening a FIFO would wait for its writer; O_NONBLOCK does not, and changes nothing for the rest.
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(nix::libc::O_NONBLOCK);
        Self::open_with(path, sector_size, &options)
    }

    /// As [`FileDisk::open`], with the access that `options` ask for.
    pub(super) fn open_with(
        path: &Path,
        sector_size: Option<SectorSize>,
        options: &OpenOptions,
    ) -> Result<Self, OpenError> {
        let io = |error| OpenError::Io { path: path_to_text(path), error };
        let file = options.open(path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        let kind = metadata.file_type();
        if kind.is_file() {
            let sector_size = sector_size.unwrap_or(SectorSize::B512);
            return Ok(Self { file, size: Bytes(metadata.len()), sector_size, is_block_device: false });
        }
        if !kind.is_block_device() {
            let found = if kind.is_dir() {
                "a directory"
            } else if kind.is_fifo() {
                "a pipe"
            } else if kind.is_socket() {
                "a socket"
            } else {
                "a character device"
            };
            return Err(OpenError::Kind { path: path_to_text(path), found });
        }
        let size = ioctl::size(file.as_raw_fd()).map_err(|error| io(error.into()))?;
        let native = ioctl::sector_size(file.as_raw_fd()).map_err(|error| io(error.into()))?;
        let sector_size = sector_size.or(SectorSize::new(native)).unwrap_or(SectorSize::B512);
        Ok(Self { file, size: Bytes(size), sector_size, is_block_device: true })
    }

    /// Whether this is a block device.
    #[must_use]
    pub fn is_block_device(&self) -> bool {
        self.is_block_device
    }

    /// The file, for what only a writer does with it.
    pub(super) fn file(&self) -> &File {
        &self.file
    }
}

impl ReadAt for FileDisk {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            match self.file.read_at(&mut buffer[done..], offset.0.saturating_add(done as u64)) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn read_vectored_at(&self, offset: Bytes, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        /// What the kernel takes in one call (`UIO_MAXIOV`).
        const MAX_BUFFERS: usize = 1024;
        let mut total = 0;
        for batch in buffers.chunks_mut(MAX_BUFFERS) {
            let wanted: usize = batch.iter().map(|buffer| buffer.len()).sum();
            let at = offset.saturating_add(Bytes(total as u64));
            let position = i64::try_from(at.0).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
            let read = nix::sys::uio::preadv(&self.file, batch, position).map_err(io::Error::from)?;
            total += read;
            if read < wanted {
                // Short for a reason unknown here; the plain way fills up or finds out.
                total += self.fill(at, batch, read)?;
                break;
            }
        }
        Ok(total)
    }

    fn next_data(&self, offset: Bytes) -> io::Result<Option<(Bytes, Bytes)>> {
        if offset >= self.size || self.is_block_device {
            return Ok((offset < self.size).then_some((offset, self.size)));
        }
        // A file that takes as much room as it is long has no holes worth a search, which goes through all of it in memory.
        if self.file.metadata()?.blocks().saturating_mul(BLOCK_BYTES) >= self.size.0 {
            return Ok(Some((offset, self.size)));
        }
        // Moves the position of the file, which nothing else uses.
        let seek = |from: Bytes, whence| -> Result<Bytes, Errno> {
            let from = i64::try_from(from.0).map_err(|_| Errno::EINVAL)?;
            nix::unistd::lseek(&self.file, from, whence).map(|at| Bytes(at.cast_unsigned()))
        };
        let start = match seek(offset, Whence::SeekData) {
            Err(Errno::ENXIO) => return Ok(None),
            start => start?,
        };
        let end = seek(start, Whence::SeekHole)?;
        Ok(Some((start.max(offset), end.min(self.size))))
    }

    fn in_file(&self, offset: Bytes, length: Bytes) -> Option<(BorrowedFd<'_>, Bytes)> {
        let end = offset.checked_add(length)?;
        (!self.is_block_device && end <= self.size).then(|| (self.file.as_fd(), offset))
    }

    fn size(&self) -> Bytes {
        self.size
    }

    fn sector_size(&self) -> SectorSize {
        self.sector_size
    }
}

impl FileDisk {
    /// Continues a vectored read that stopped after `done` bytes; what it adds.
    fn fill(&self, offset: Bytes, buffers: &mut [IoSliceMut<'_>], done: usize) -> io::Result<usize> {
        let mut position = 0;
        let mut added = 0;
        for buffer in buffers {
            let have = done.saturating_sub(position).min(buffer.len());
            let at = offset.saturating_add(Bytes((position + have) as u64));
            let rest = &mut buffer[have..];
            let wanted = rest.len();
            let read = self.read_at(at, rest)?;
            position += have + wanted;
            added += read;
            if read < wanted {
                break;
            }
        }
        Ok(added)
    }
}

/// The two questions that only the kernel answers about a block device.
#[allow(unsafe_code, reason = "ioctl wrappers: each writes one integer of the size that the request names")]
mod ioctl {
    use nix::libc::c_int;

    nix::ioctl_read!(blkgetsize64, 0x12, 114, u64);
    nix::ioctl_read_bad!(blksszget, nix::request_code_none!(0x12, 104), c_int);

    pub(super) fn size(fd: c_int) -> nix::Result<u64> {
        let mut bytes = 0;
        // SAFETY: BLKGETSIZE64 writes one u64 through the pointer, which outlives the call.
        unsafe { blkgetsize64(fd, &raw mut bytes) }?;
        Ok(bytes)
    }

    pub(super) fn sector_size(fd: c_int) -> nix::Result<u32> {
        let mut bytes = 0;
        // SAFETY: BLKSSZGET writes one int through the pointer, which outlives the call.
        unsafe { blksszget(fd, &raw mut bytes) }?;
        Ok(u32::try_from(bytes).unwrap_or_default())
    }
}
