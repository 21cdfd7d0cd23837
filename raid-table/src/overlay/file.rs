//! The file of an overlay: made, opened again, held by one server.

use super::{HEADER_BYTES, Identity, Store, file_length};
use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, Flock, FlockArg, fallocate};
use raid_meta::device::{ReadAt, WriteAt};
use raid_meta::escape::path_to_text;
use raid_meta::units::{Bytes, SectorSize};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// Why a file can not be an overlay of the array.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// The system refuses.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// It is something else.
    #[error("{path}: is no overlay: expected a file that is new or empty, or an overlay of this version")]
    NoOverlay {
        /// The file.
        path: String,
    },
    /// It belongs to another array.
    #[error("{path}: is the overlay of {found}, expected that of {expected}")]
    OtherArray {
        /// The file.
        path: String,
        /// The array that it belongs to.
        found: String,
        /// The array that is served.
        expected: String,
    },
    /// Another server has it.
    #[error("{path}: in use by another server")]
    InUse {
        /// The file.
        path: String,
    },
    /// The array is too large for a file.
    #[error("{path}: an overlay is as long as its array, and no file can have {size} bytes")]
    TooLarge {
        /// The file.
        path: String,
        /// Size of the array.
        size: Bytes,
    },
}

/// The file of an overlay, locked for as long as this lives.
#[derive(Debug)]
pub struct OverlayFile {
    file: Flock<File>,
    length: Bytes,
}

impl OverlayFile {
    /// Opens the overlay of an array of `size` bytes, or makes it when the file is not there or empty.
    ///
    /// # Errors
    /// The file is something else, belongs to another array, is in use, or the system refuses.
    pub fn open(path: &Path, array: &Identity, size: Bytes) -> Result<Self, OverlayError> {
        let text = || path_to_text(path);
        let io = |error| OverlayError::Io { path: text(), error };
        let mut options = OpenOptions::new();
        // A FIFO would wait for its reader; O_NONBLOCK does not, and changes nothing for a file.
        options.read(true).write(true).create(true).truncate(false).custom_flags(nix::libc::O_NONBLOCK);
        let file = options.open(path).map_err(io)?;
        if !file.metadata().map_err(io)?.is_file() {
            return Err(OverlayError::NoOverlay { path: text() });
        }
        let file = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| match error {
            Errno::EWOULDBLOCK => OverlayError::InUse { path: text() },
            error => io(error.into()),
        })?;
        let length = file_length(size).ok_or_else(|| OverlayError::TooLarge { path: text(), size })?;
        let found = file.metadata().map_err(io)?.len();
        if found == 0 {
            make(&file, array, length).map_err(|error| match error.kind() {
                io::ErrorKind::FileTooLarge => OverlayError::TooLarge { path: text(), size },
                _ => io(error),
            })?;
        } else {
            check(&file, path, array, found, length)?;
        }
        Ok(Self { file, length })
    }
}

/// Gives an empty file its length and then its header, so that a file with a header has all that it needs.
fn make(file: &File, array: &Identity, length: Bytes) -> io::Result<()> {
    let header = array.header().ok_or(io::ErrorKind::InvalidData)?;
    file.set_len(length.0)?;
    file.sync_all()?;
    file.write_all_at(&header, 0)?;
    file.sync_all()
}

fn check(
    file: &File,
    path: &Path,
    array: &Identity,
    found: u64,
    expected: Bytes,
) -> Result<(), OverlayError> {
    let path = path_to_text(path);
    let mut header = vec![0; usize::try_from(HEADER_BYTES).unwrap_or_default()];
    let owner = file.read_exact_at(&mut header, 0).ok().and_then(|()| Identity::of_header(&header));
    match owner {
        Some(owner) if owner != *array => {
            Err(OverlayError::OtherArray { path, found: owner.words(), expected: array.words() })
        }
        Some(_) if found >= expected.0 => Ok(()),
        _ => Err(OverlayError::NoOverlay { path }),
    }
}

impl ReadAt for OverlayFile {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset.0.saturating_add(done as u64)) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn size(&self) -> Bytes {
        self.length
    }

    fn sector_size(&self) -> SectorSize {
        SectorSize::B512
    }
}

impl WriteAt for OverlayFile {
    fn write_at(&self, offset: Bytes, buffer: &[u8]) -> io::Result<()> {
        self.file.write_all_at(buffer, offset.0)
    }

    fn flush(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

impl Store for OverlayFile {
    fn punch(&self, offset: Bytes, length: Bytes) -> io::Result<()> {
        let flags = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
        let number = |bytes: Bytes| i64::try_from(bytes.0).map_err(|_| io::ErrorKind::InvalidInput);
        match fallocate(&*self.file, flags, number(offset)?, number(length)?) {
            Err(Errno::EOPNOTSUPP | Errno::ENOSYS) => write_zeros(self, offset, length),
            punched => punched.map_err(io::Error::from),
        }
    }
}

/// Zeros on a file system without holes.
pub(super) fn write_zeros(store: &dyn WriteAt, offset: Bytes, length: Bytes) -> io::Result<()> {
    let zeros = [0; 64 << 10];
    let mut done = 0;
    while done < length.0 {
        let now = usize::try_from(length.0 - done).unwrap_or(zeros.len()).min(zeros.len());
        store.write_at(offset.saturating_add(Bytes(done)), zeros.get(..now).unwrap_or_default())?;
        done += now as u64;
    }
    Ok(())
}
