//! Any range of a disk, read and written in whole logical sectors: a 4Kn disk, and one opened past the cache, take
//! nothing less.

use crate::device::{ReadAt, WriteAt};
use crate::units::Bytes;
use std::io;

/// Reads a range.
pub(super) fn read(disk: &(impl ReadAt + ?Sized), offset: Bytes, length: usize) -> io::Result<Vec<u8>> {
    let frame = Frame::around(disk, offset, length)?;
    let sectors = frame.read(disk)?;
    Ok(sectors.get(frame.range()).unwrap_or_default().to_vec())
}

/// Writes a range; what else is in its first and last sector stays.
pub(super) fn write(disk: &(impl WriteAt + ?Sized), offset: Bytes, bytes: &[u8]) -> io::Result<()> {
    let frame = Frame::around(disk, offset, bytes.len())?;
    if frame.length == bytes.len() {
        return disk.write_at(offset, bytes);
    }
    let mut sectors = frame.read(disk)?;
    let target = sectors.get_mut(frame.range()).ok_or(io::ErrorKind::UnexpectedEof)?;
    target.copy_from_slice(bytes);
    disk.write_at(frame.start, &sectors)
}

/// The whole sectors around a range.
struct Frame {
    start: Bytes,
    length: usize,
    /// Where the range is in them.
    within: usize,
    wanted: usize,
}

impl Frame {
    fn around(disk: &(impl ReadAt + ?Sized), offset: Bytes, wanted: usize) -> io::Result<Self> {
        let sector = disk.sector_size().bytes().0;
        let end = offset.checked_add(Bytes(wanted as u64)).filter(|end| *end <= disk.size());
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        let start = Bytes(offset.0 & !sector.saturating_sub(1));
        // An image may end within a sector.
        let rounded = end.0.checked_next_multiple_of(sector).map_or(disk.size(), Bytes).min(disk.size());
        let size = |length: Bytes| {
            usize::try_from(length.0).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))
        };
        let length = size(rounded.saturating_sub(start))?;
        Ok(Self { start, length, within: size(offset.saturating_sub(start))?, wanted })
    }

    fn range(&self) -> std::ops::Range<usize> {
        self.within..self.within.saturating_add(self.wanted)
    }

    fn read(&self, disk: &(impl ReadAt + ?Sized)) -> io::Result<Vec<u8>> {
        let mut sectors = vec![0; self.length];
        disk.read_exact_at(self.start, &mut sectors)?;
        Ok(sectors)
    }
}
