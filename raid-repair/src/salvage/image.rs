//! The image that is filled: a new file, one that an earlier run left, or a block device.

use super::SalvageError;
use crate::zeros::is_zero;
use raid_meta::device::{ReadAt, WritableDisk, WriteAt};
use raid_meta::escape::path_to_text;
use raid_meta::units::Bytes;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// What is written or left a hole as a whole.
const BLOCK: usize = 64 << 10;

/// The image, open and locked.
pub(super) struct Output {
    disk: WritableDisk,
    /// Nothing but what this run wrote is in it.
    is_new: bool,
}

impl Output {
    /// Makes a file of that size; there must be none.
    pub(super) fn create(path: &Path, size: Bytes, sysroot: &Path) -> Result<Self, SalvageError> {
        let failed = |error| SalvageError::Image { image: path_to_text(path), error };
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        file.set_len(size.0).map_err(failed)?;
        let disk = WritableDisk::open(path, None, sysroot, &[])?;
        Ok(Self { disk, is_new: true })
    }

    /// Opens one that is there.
    pub(super) fn open(path: &Path, size: Bytes, sysroot: &Path) -> Result<Self, SalvageError> {
        let disk = WritableDisk::open(path, None, sysroot, &[])?;
        let found = disk.size();
        let is_device = path.metadata().is_ok_and(|metadata| metadata.file_type().is_block_device());
        if found < size || (found > size && !is_device) {
            return Err(SalvageError::ImageSize { image: path_to_text(path), found, expected: size });
        }
        Ok(Self { disk, is_new: false })
    }

    /// Writes a part; what is zero is left, or made, a hole or zeros.
    pub(super) fn write(&self, offset: Bytes, bytes: &[u8]) -> io::Result<()> {
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let is_zero = |block: &&[u8]| is_zero(block);
            let zeros = length(rest.chunks(BLOCK).take_while(is_zero));
            let (empty, after) = rest.split_at(zeros);
            self.clear(at, empty)?;
            let data = length(after.chunks(BLOCK).take_while(|block| !is_zero(block)));
            let (data, after) = after.split_at(data);
            at = at.saturating_add(Bytes(zeros as u64));
            if !data.is_empty() {
                self.disk.write_at(at, data)?;
            }
            at = at.saturating_add(Bytes(data.len() as u64));
            rest = after;
        }
        Ok(())
    }

    /// Makes a part zeros where it is not.
    fn clear(&self, offset: Bytes, zeros: &[u8]) -> io::Result<()> {
        if self.is_new {
            return Ok(());
        }
        let mut at = offset;
        let mut found = vec![0; BLOCK.min(zeros.len())];
        for part in zeros.chunks(BLOCK) {
            let found = found.get_mut(..part.len()).unwrap_or_default();
            self.disk.read_exact_at(at, found)?;
            if !is_zero(found) {
                self.disk.write_at(at, part)?;
            }
            at = at.saturating_add(Bytes(part.len() as u64));
        }
        Ok(())
    }

    /// Makes what was written durable.
    pub(super) fn flush(&self) -> io::Result<()> {
        self.disk.flush()
    }
}

fn length<'a>(blocks: impl Iterator<Item = &'a [u8]>) -> usize {
    blocks.map(<[u8]>::len).sum()
}
