//! A disk as it would be after some writes that were not made.

use super::ReadAt;
use crate::units::{Bytes, SectorSize};
use std::io;
use std::sync::Arc;

/// Reads a disk with bytes laid over it, the last of them on top.
pub struct OverlayDisk {
    disk: Arc<dyn ReadAt>,
    pieces: Vec<(Bytes, Vec<u8>)>,
}

impl OverlayDisk {
    /// A disk with nothing over it.
    #[must_use]
    pub fn new(disk: Arc<dyn ReadAt>) -> Self {
        Self { disk, pieces: Vec::new() }
    }

    /// Lays bytes over the disk. What lies past its end is not read.
    pub fn lay(&mut self, offset: Bytes, bytes: Vec<u8>) {
        self.pieces.push((offset, bytes));
    }
}

impl ReadAt for OverlayDisk {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.disk.read_at(offset, buffer)?;
        let part = buffer.get_mut(..read).unwrap_or_default();
        for (from, bytes) in &self.pieces {
            overlay(offset, part, *from, bytes);
        }
        Ok(read)
    }

    fn size(&self) -> Bytes {
        self.disk.size()
    }

    fn sector_size(&self) -> SectorSize {
        self.disk.sector_size()
    }
}

/// Puts the bytes that are at `from` over those that are at `offset`, where they overlap.
pub(crate) fn overlay(offset: Bytes, bytes: &mut [u8], from: Bytes, other: &[u8]) {
    let start = offset.max(from);
    let distance = |base: Bytes| usize::try_from(start.saturating_sub(base).0).unwrap_or(usize::MAX);
    let target = bytes.get_mut(distance(offset)..).unwrap_or_default();
    let source = other.get(distance(from)..).unwrap_or_default();
    for (to, byte) in target.iter_mut().zip(source) {
        *to = *byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::SimDisk;

    #[test]
    fn what_was_laid_last_is_read_and_the_rest_is_the_disks() {
        let mut disk = OverlayDisk::new(Arc::new(SimDisk::holding(b"0123456789")));
        disk.lay(Bytes(2), b"abc".to_vec());
        disk.lay(Bytes(4), b"XY".to_vec());
        disk.lay(Bytes(9), b"zzz".to_vec());
        let read = |offset, length| {
            let mut buffer = vec![0; length];
            let read = disk.read_at(Bytes(offset), &mut buffer).unwrap();
            buffer.truncate(read);
            buffer
        };
        assert_eq!(read(0, 20), b"01abXY678z");
        assert_eq!(read(3, 2), b"bX");
        assert_eq!(read(5, 1), b"Y");
    }
}
