//! Image files and block devices, opened for writing: only while nobody else uses them.
//!
//! An image is locked with `flock`. A block device is opened with `O_EXCL`, which the kernel grants only while it is
//! not mounted and nothing is stacked on it, and locked as well, so that udev does not look at it half-written.
//! What the kernel says only as "busy" is looked up before, so that the user of the device can be named.
//!
//! A disk that only devices of its own set use is opened without `O_EXCL`, and with `O_DIRECT`: what those devices write
//! passes the kernel's memory of the disk by, so nothing around what is written here may come from there.

use super::held::holders;
use super::{FileDisk, OpenError, ReadAt, WriteAt};
use crate::escape::path_to_text;
use crate::units::{Bytes, SectorSize};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, PosixFadviseAdvice, posix_fadvise};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

/// How often a lock is tried, and how long to wait between: udev holds one for a moment.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// Why a path can not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteOpenError {
    /// It can not even be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Somebody uses it.
    #[error("{path}: in use by {holders}, not written")]
    Held {
        /// Which path.
        path: String,
        /// Who, in a few words, escaped.
        holders: String,
    },
}

/// What buffers of direct reads and writes are aligned to: a page, which is enough for every disk.
pub(super) const ALIGNMENT: usize = 4096;

/// A regular file or a block device, opened `O_RDWR` and locked for as long as this lives.
#[derive(Debug)]
pub struct WritableDisk {
    disk: FileDisk,
    /// Opened `O_DIRECT`: buffers have to be aligned.
    is_direct: bool,
    _lock: Flock<File>,
}

impl WritableDisk {
    /// Opens a file or block device for writing. `sysroot` is the folder that holds `sys` and `proc`; `own` are devices of
    /// the kernel that may use it.
    ///
    /// # Errors
    /// It can not be opened, or somebody else uses it.
    pub fn open(
        path: &Path,
        sector_size: Option<SectorSize>,
        sysroot: &Path,
        own: &[String],
    ) -> Result<Self, WriteOpenError> {
        let held = |holders: String| WriteOpenError::Held { path: path_to_text(path), holders };
        let (users, others): (Vec<_>, Vec<_>) =
            holders(path, sysroot).into_iter().partition(|user| own.contains(user));
        if !others.is_empty() {
            return Err(held(others.join(", ")));
        }
        let is_block_device = path.metadata().is_ok_and(|metadata| metadata.file_type().is_block_device());
        let is_direct = is_block_device && !users.is_empty();
        let access = match (is_block_device, is_direct) {
            (_, true) => nix::libc::O_DIRECT,
            (true, false) => nix::libc::O_EXCL,
            (false, _) => 0,
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(nix::libc::O_NONBLOCK | access);
        let disk = FileDisk::open_with(path, sector_size, &options).map_err(|error| match error {
            OpenError::Io { error, .. } if error.raw_os_error() == Some(Errno::EBUSY as i32) => {
                held("something that the kernel does not name".to_owned())
            }
            error => error.into(),
        })?;
        let lock = lock(disk.file()).map_err(|error| match error {
            Errno::EWOULDBLOCK => held("a program that has locked it".to_owned()),
            error => OpenError::Io { path: path_to_text(path), error: error.into() }.into(),
        })?;
        Ok(Self { disk, is_direct, _lock: lock })
    }
}

/// Locks the open file for this process alone.
fn lock(file: &File) -> Result<Flock<File>, Errno> {
    let mut file = file.try_clone().map_err(|_| Errno::last())?;
    for _ in 1..LOCK_TRIES {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Err((returned, Errno::EWOULDBLOCK)) => file = returned,
            other => return other.map_err(|(_, error)| error),
        }
        std::thread::sleep(LOCK_PAUSE);
    }
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| error)
}

/// An aligned part, of that length, of memory that is longer.
pub(super) fn aligned(memory: &mut [u8], length: usize) -> &mut [u8] {
    let start = memory.as_ptr().align_offset(ALIGNMENT);
    memory.get_mut(start..).and_then(|rest| rest.get_mut(..length)).unwrap_or_default()
}

impl ReadAt for WritableDisk {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.is_direct {
            return self.disk.read_at(offset, buffer);
        }
        let mut memory = vec![0; buffer.len().saturating_add(ALIGNMENT)];
        let own = aligned(&mut memory, buffer.len());
        let read = self.disk.read_at(offset, own)?;
        buffer.copy_from_slice(own);
        Ok(read)
    }

    fn next_data(&self, offset: Bytes) -> io::Result<Option<(Bytes, Bytes)>> {
        self.disk.next_data(offset)
    }

    fn size(&self) -> Bytes {
        self.disk.size()
    }

    fn sector_size(&self) -> SectorSize {
        self.disk.sector_size()
    }
}

impl WriteAt for WritableDisk {
    /// A file does not grow: what lies beyond its end is refused.
    fn write_at(&self, offset: Bytes, buffer: &[u8]) -> io::Result<()> {
        let end = offset.checked_add(Bytes(buffer.len() as u64));
        if end.is_none_or(|end| end > self.size()) {
            return Err(Errno::ENOSPC.into());
        }
        if !self.is_direct {
            return self.disk.file().write_all_at(buffer, offset.0);
        }
        let mut memory = vec![0; buffer.len().saturating_add(ALIGNMENT)];
        let own = aligned(&mut memory, buffer.len());
        own.copy_from_slice(buffer);
        self.disk.file().write_all_at(own, offset.0)
    }

    /// What is read afterwards comes from the medium, not from memory, where the system can forget it.
    fn flush(&self) -> io::Result<()> {
        self.disk.file().sync_all()?;
        // Advice: where it is not taken, the read-back compares with memory.
        let _ = posix_fadvise(self.disk.file(), 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn open(path: &Path) -> Result<WritableDisk, WriteOpenError> {
        WritableDisk::open(path, None, Path::new("/"), &[])
    }

    #[test]
    fn what_is_written_is_in_the_file_and_the_file_does_not_grow() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("disk");
        fs::write(&path, [0; 1024]).unwrap();
        let disk = open(&path).unwrap();
        disk.write_at(Bytes(1020), b"last").unwrap();
        disk.flush().unwrap();
        assert!(disk.write_at(Bytes(1021), b"last").is_err());
        assert_eq!(fs::read(&path).unwrap(), [vec![0; 1020], b"last".to_vec()].concat());
    }

    #[test]
    fn an_image_is_written_by_one_program_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("disk");
        fs::write(&path, [0; 1024]).unwrap();
        let first = open(&path).unwrap();
        let message = open(&path).unwrap_err().to_string();
        assert!(message.ends_with("in use by a program that has locked it, not written"), "{message}");
        drop(first);
        assert!(open(&path).is_ok());
    }

    #[test]
    fn what_is_no_disk_or_is_not_there_is_not_opened() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(open(&directory.path().join("none")), Err(WriteOpenError::Open(_))));
        assert!(matches!(open(directory.path()), Err(WriteOpenError::Open(_))));
    }
}
