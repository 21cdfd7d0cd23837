//! A cache of the few places that all formats look at, so that each is read once per device.
//!
//! Almost all metadata is in the first or the last sectors: these are read in one piece each. Some is a little further from
//! the end, each format elsewhere; there only the sectors that are asked for are read. All other reads are in blocks.

use super::ReadAt;
use crate::units::{Bytes, SectorSize};
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Size of the blocks that are read and kept.
const BLOCK: u64 = 4096;
const SECTOR: u64 = 512;
/// The start of the disk that is one piece: the boot sector, labels, and what md and others have from sector 8 on.
const HEAD: u64 = 12 * SECTOR;
/// The end of the disk that is one piece, at least; it begins where a block of md 1.0 would.
const TAIL: u64 = 16 * SECTOR;
/// How far from the end single sectors are read.
const NEAR_END: u64 = (128 << 10) + SECTOR;
/// Larger reads go past the cache.
const MAX_CACHED_READ: usize = 8192;
/// Pieces kept; past that, nothing more is.
const MAX_PIECES: usize = 256;

/// A disk of which what was read is kept. For probing: many small reads at few places.
pub struct CachedDisk {
    disk: Arc<dyn ReadAt>,
    pieces: Mutex<BTreeMap<u64, Arc<[u8]>>>,
}

impl CachedDisk {
    /// An empty cache over a disk.
    #[must_use]
    pub fn new(disk: Arc<dyn ReadAt>) -> Self {
        Self { disk, pieces: Mutex::default() }
    }

    /// The piece to read for a byte that is asked for, when all up to `end` is. Never empty.
    fn piece(&self, at: u64, end: u64) -> Range<u64> {
        let size = self.disk.size().0;
        let sector = self.sector();
        let head = HEAD.next_multiple_of(sector);
        let tail = size.saturating_sub(TAIL) / BLOCK * BLOCK;
        if at < head {
            0..head
        } else if at >= tail {
            tail.max(head)..size.max(at + 1)
        } else if at >= size.saturating_sub(NEAR_END) {
            at / sector * sector..end.next_multiple_of(sector).min(tail)
        } else {
            (at / BLOCK * BLOCK).max(head)..(at / BLOCK + 1) * BLOCK
        }
    }

    /// What is kept from `at` on, read first if it is not; empty past the end.
    fn kept(&self, at: u64, end: u64) -> io::Result<(usize, Arc<[u8]>)> {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((start, piece)) = pieces.range(..=at).next_back() {
            let skip = usize::try_from(at - start).unwrap_or(usize::MAX);
            if skip < piece.len() {
                return Ok((skip, Arc::clone(piece)));
            }
        }
        let sectors = at / self.sector() * self.sector()..end.next_multiple_of(self.sector());
        let mut range = self.piece(at, end);
        let mut read = self.read(&range);
        if read.is_err() {
            // One bad sector must not hide what is around it.
            range = sectors;
            read = self.read(&range);
        }
        let piece = read?;
        if pieces.len() < MAX_PIECES {
            pieces.insert(range.start, Arc::clone(&piece));
        }
        Ok((usize::try_from(at - range.start).unwrap_or_default(), piece))
    }

    /// The smallest piece that the disk reads.
    fn sector(&self) -> u64 {
        self.disk.sector_size().bytes().0.max(SECTOR)
    }

    fn read(&self, range: &Range<u64>) -> io::Result<Arc<[u8]>> {
        let mut buffer = vec![0; usize::try_from(range.end - range.start).unwrap_or_default()];
        let read = self.disk.read_at(Bytes(range.start), &mut buffer)?;
        Ok(buffer.get(..read).unwrap_or_default().into())
    }
}

impl ReadAt for CachedDisk {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.len() > MAX_CACHED_READ {
            return self.disk.read_at(offset, buffer);
        }
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = offset.0.saturating_add(done as u64);
            let end = at.saturating_add(rest.len() as u64);
            if at >= self.disk.size().0 {
                break;
            }
            let (skip, piece) = self.kept(at, end)?;
            let Some(source) = piece.get(skip..) else { break };
            let length = source.len().min(rest.len());
            if length == 0 {
                break;
            }
            rest[..length].copy_from_slice(&source[..length]);
            done += length;
        }
        Ok(done)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::SimDisk;
    use crate::testing::property;
    use proptest::prelude::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Counts reads and bytes.
    struct Counted(SimDisk, AtomicU64, AtomicU64);

    impl ReadAt for Counted {
        fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.2.fetch_add(buffer.len() as u64, Ordering::Relaxed);
            self.0.read_at(offset, buffer)
        }

        fn size(&self) -> Bytes {
            self.0.size()
        }

        fn sector_size(&self) -> SectorSize {
            self.0.sector_size()
        }
    }

    fn disk(size: u64) -> SimDisk {
        let bytes: Vec<u8> = (0..size).map(|at| u8::try_from((at / 7 + at) % 251).unwrap()).collect();
        SimDisk::holding(&bytes)
    }

    #[test]
    fn each_end_is_one_read_and_a_sector_near_the_end_a_small_one() {
        for size in [1 << 20, (1 << 20) + 3584, (1 << 20) + 1] {
            let counted = Arc::new(Counted(disk(size), AtomicU64::new(0), AtomicU64::new(0)));
            let cached = CachedDisk::new(Arc::clone(&counted) as Arc<dyn ReadAt>);
            let mut byte = [0];
            for at in [
                0,
                512,
                4608,
                size - 8192,
                size - 1024,
                size - 1,
                size / 512 * 512 - 63 * 512,
                size - 100_000,
            ] {
                cached.read_at(Bytes(at), &mut byte).unwrap();
            }
            assert_eq!(counted.1.load(Ordering::Relaxed), 4, "{size}");
            assert!(counted.2.load(Ordering::Relaxed) <= 20 << 10, "{size}");
        }
    }

    #[test]
    fn a_bad_sector_hides_only_itself() {
        let disk = disk(1 << 20);
        disk.fail_reads(Bytes(4608)..Bytes(5120));
        let cached = CachedDisk::new(Arc::new(disk));
        let mut bytes = [0; 16];
        assert_eq!(cached.read_at(Bytes(4096), &mut bytes).unwrap(), 16);
        assert!(cached.read_at(Bytes(4608), &mut bytes).is_err());
        assert_eq!(cached.read_at(Bytes(5120), &mut bytes).unwrap(), 16);
    }

    proptest! {
        #![proptest_config(property(2000))]

        #[test]
        fn what_is_read_through_the_cache_is_what_is_on_the_disk(
            size in 0..300_000_u64,
            reads in prop::collection::vec((0..300_000_u64, 0..9000_usize), 1..20),
        ) {
            let disk = disk(size);
            let cached = CachedDisk::new(Arc::new(disk.clone()));
            for (at, length) in reads {
                let (mut through, mut direct) = (vec![0; length], vec![0; length]);
                let read = cached.read_at(Bytes(at), &mut through).unwrap();
                let expected = disk.read_at(Bytes(at), &mut direct).unwrap();
                prop_assert_eq!(read, expected, "{} at {} of {}", length, at, size);
                prop_assert!(through == direct);
            }
        }
    }
}
