//! Disks in memory: what is written somewhere, and zeros everywhere else.

use nix::errno::Errno;
use nix::unistd::{Whence, lseek};
use raid_meta::device::ReadAt;
use raid_meta::units::{Bytes, SectorSize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const PAGE: u64 = 4096;
/// What is read or written of an image at once.
const PIECE: u64 = 256 * PAGE;

/// A disk of any size of which only the pages that are not zero are kept. A copy shares the pages, so a
/// thousand variants of one disk cost little.
#[derive(Clone, Debug, Default)]
pub struct SparseDisk {
    size: u64,
    pages: Arc<BTreeMap<u64, Box<[u8]>>>,
    /// Written over the pages, in order.
    patches: Vec<(u64, Vec<u8>)>,
    /// Counted across all copies that [`SparseDisk::counted`] did not separate.
    reads: Arc<AtomicU64>,
    bytes_read: Arc<AtomicU64>,
}

/// The first page from there on that is not in a hole; none at the end.
fn data_from(file: &File, at: u64) -> io::Result<Option<u64>> {
    match lseek(file, i64::try_from(at).map_err(io::Error::other)?, Whence::SeekData) {
        Ok(found) => Ok(u64::try_from(found).ok().map(|found| found / PAGE * PAGE)),
        Err(Errno::ENXIO) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl SparseDisk {
    /// A blank disk.
    #[must_use]
    pub fn blank(size: u64) -> Self {
        Self { size, ..Self::default() }
    }

    /// Reads an image.
    ///
    /// # Errors
    /// What the system says.
    pub fn load(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        let mut pages = BTreeMap::new();
        let mut next = 0;
        let mut piece = Vec::new();
        while let Some(at) = data_from(&file, next)? {
            piece.clear();
            file.seek(SeekFrom::Start(at))?;
            (&mut file).take(PIECE).read_to_end(&mut piece)?;
            for (number, page) in (at / PAGE..).zip(piece.chunks(4096)) {
                if page.iter().any(|&byte| byte != 0) {
                    let mut page = page.to_vec();
                    page.resize(4096, 0);
                    pages.insert(number, page.into_boxed_slice());
                }
            }
            next = at + PIECE;
        }
        Ok(Self { size, pages: Arc::new(pages), ..Self::default() })
    }

    /// Whether images hold the same.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.size == other.size && self.pages == other.pages && self.patches == other.patches
    }

    /// Writes an image with holes.
    ///
    /// # Errors
    /// What the system says.
    pub fn store(&self, path: &Path) -> io::Result<()> {
        let file = File::create(path)?;
        file.set_len(self.size)?;
        let write = |at: u64, bytes: &[u8]| {
            let rest = usize::try_from(self.size.saturating_sub(at)).unwrap_or(usize::MAX);
            file.write_all_at(&bytes[..bytes.len().min(rest)], at)
        };
        let (mut start, mut run) = (0, Vec::new());
        for (number, page) in self.pages.iter() {
            let at = number * PAGE;
            if at != start + run.len() as u64 || run.len() as u64 >= PIECE {
                write(start, &run)?;
                start = at;
                run.clear();
            }
            run.extend_from_slice(page);
        }
        write(start, &run)?;
        self.patches.iter().try_for_each(|(at, bytes)| write(*at, bytes))
    }

    /// The same disk with nothing left but `length` bytes at either end.
    #[must_use]
    pub fn ends(&self, length: u64) -> Self {
        let tail = self.size.saturating_sub(length) / PAGE;
        let kept = |number: &u64| *number < length / PAGE || *number >= tail;
        let pages = self.pages.iter().filter(|(number, _)| kept(number));
        let pages = pages.map(|(number, page)| (*number, page.clone())).collect();
        Self { pages: Arc::new(pages), ..self.clone() }
    }

    /// The same disk with bytes written over it.
    #[must_use]
    pub fn with(mut self, at: u64, bytes: impl Into<Vec<u8>>) -> Self {
        self.patches.push((at, bytes.into()));
        self
    }

    /// The same disk, cut off or grown to a size.
    #[must_use]
    pub fn resized(self, size: u64) -> Self {
        Self { size, ..self }
    }

    /// The same disk, its reads counted from zero.
    #[must_use]
    pub fn counted(self) -> Self {
        Self { reads: Arc::default(), bytes_read: Arc::default(), ..self }
    }

    /// How many reads there were, and of how many bytes.
    #[must_use]
    pub fn reads(&self) -> (u64, u64) {
        (self.reads.load(Ordering::Relaxed), self.bytes_read.load(Ordering::Relaxed))
    }

    /// Size in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.size
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// The bytes at a place; zeros past the end.
    #[must_use]
    pub fn bytes(&self, at: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.fill(at, &mut bytes);
        bytes
    }

    fn fill(&self, at: u64, buffer: &mut [u8]) {
        buffer.fill(0);
        let end = at + buffer.len() as u64;
        for (number, page) in self.pages.range(at / PAGE..end.div_ceil(PAGE)) {
            overlay(at, buffer, number * PAGE, page);
        }
        for (from, bytes) in &self.patches {
            overlay(at, buffer, *from, bytes);
        }
    }
}

/// Copies the part of `bytes`, which are at `from`, that is inside of the buffer, which is at `at`.
fn overlay(at: u64, buffer: &mut [u8], from: u64, bytes: &[u8]) {
    let begin = at.max(from);
    let end = (at + buffer.len() as u64).min(from + bytes.len() as u64);
    let Some(length) = end.checked_sub(begin).and_then(|length| usize::try_from(length).ok()) else { return };
    let offset = |base: u64| usize::try_from(begin - base).expect("inside of a slice");
    let (target, source) = (offset(at), offset(from));
    buffer[target..target + length].copy_from_slice(&bytes[source..source + length]);
}

impl ReadAt for SparseDisk {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.size.saturating_sub(offset.0)).unwrap_or(usize::MAX);
        let length = rest.min(buffer.len());
        self.fill(offset.0, &mut buffer[..length]);
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.bytes_read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }

    fn size(&self) -> Bytes {
        Bytes(self.size)
    }

    fn sector_size(&self) -> SectorSize {
        SectorSize::B512
    }
}
