//! A member that is there: where its data begins on which source, and how far it can be believed.

use super::holes::NextData;
use super::trust::TrustMap;
use raid_meta::device::ReadAt;
use raid_meta::units::{Bytes, SECTOR_BYTES};
use std::io::{self, IoSliceMut};
use std::ops::Range;
use std::sync::Arc;

/// A present member of one geometry.
pub(super) struct Leg {
    pub(super) source: Arc<dyn ReadAt>,
    /// Where the member's data begins in the source.
    pub(super) offset: Bytes,
    pub(super) trust: TrustMap,
    /// What messages call it.
    pub(super) label: String,
}

/// A piece of a member's data and the buffer that takes it.
pub(super) struct Piece<'a> {
    /// Array sector of the first byte.
    pub(super) array: u64,
    pub(super) sector: u64,
    pub(super) buffer: &'a mut [u8],
}

impl Piece<'_> {
    fn length(&self) -> u64 {
        self.buffer.len() as u64 / SECTOR_BYTES
    }

    fn end(&self) -> u64 {
        self.sector + self.length()
    }

    /// The array sectors that it is.
    pub(super) fn array_range(&self) -> Range<u64> {
        self.array..self.array + self.length()
    }
}

/// A gap up to this long is read and thrown away rather than made a second request. To copy more than a page costs more than
/// to ask again, and the kernel's read-ahead goes over a gap of a chunk.
const MAX_GAP_SECTORS: u64 = 8;

impl Leg {
    pub(super) fn byte_offset(&self, sector: u64) -> io::Result<Bytes> {
        let bytes = sector.checked_mul(SECTOR_BYTES).and_then(|bytes| self.offset.0.checked_add(bytes));
        bytes.map(Bytes).ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }

    /// Fills a buffer from a sector of the member's data.
    pub(super) fn read(&self, sector: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.source.read_exact_at(self.byte_offset(sector)?, buffer)
    }

    /// The next sectors, from one on, that are not known to be a hole: the first, and where they end. None where there is
    /// nothing but a hole.
    pub(super) fn next_data(&self, sector: u64) -> Option<(u64, u64)> {
        let all = Some((sector, u64::MAX));
        let Ok(offset) = self.byte_offset(sector) else { return all };
        // What is not known about holes can be read.
        let Ok(found) = self.source.next_data(offset) else { return all };
        let (start, end) = found?;
        let start = start.saturating_sub(self.offset).0 / SECTOR_BYTES;
        Some((start.max(sector), end.saturating_sub(self.offset).0.div_ceil(SECTOR_BYTES)))
    }

    /// As [`Leg::gather`]; pieces in holes become zeros and are not read.
    pub(super) fn gather_data<'a>(&self, next: &mut NextData, pieces: Vec<Piece<'a>>) -> Vec<Piece<'a>> {
        let (holes, data): (Vec<_>, Vec<_>) =
            pieces.into_iter().partition(|piece| next.is_hole(self, piece.sector, piece.length()));
        holes.into_iter().for_each(|piece| piece.buffer.fill(0));
        self.gather(data)
    }

    /// As [`Leg::read`]; a hole becomes zeros and is not read.
    pub(super) fn read_data(&self, next: &mut NextData, sector: u64, buffer: &mut [u8]) -> io::Result<()> {
        if next.is_hole(self, sector, buffer.len() as u64 / SECTOR_BYTES) {
            buffer.fill(0);
            return Ok(());
        }
        self.read(sector, buffer)
    }

    /// Fills many pieces, in few requests: pieces that follow each other closely are read together. Gives
    /// back the pieces of the requests that failed.
    pub(super) fn gather<'a>(&self, mut pieces: Vec<Piece<'a>>) -> Vec<Piece<'a>> {
        pieces.sort_by_key(|piece| piece.sector);
        let mut failed = Vec::new();
        let mut run: Vec<Piece<'a>> = Vec::new();
        for piece in pieces {
            let follows = run.last().is_some_and(|last| {
                piece.sector.checked_sub(last.end()).is_some_and(|gap| gap <= MAX_GAP_SECTORS)
            });
            if !follows && !run.is_empty() {
                failed.extend(self.read_run(std::mem::take(&mut run)));
            }
            run.push(piece);
        }
        failed.extend(self.read_run(run));
        failed
    }

    /// Reads pieces with one request, gaps into a scratch buffer.
    fn read_run<'a>(&self, mut run: Vec<Piece<'a>>) -> Vec<Piece<'a>> {
        let Some(first) = run.first() else { return run };
        let Ok(offset) = self.byte_offset(first.sector) else { return run };
        let gaps: Vec<usize> = run
            .windows(2)
            .map(|pair| match pair {
                [before, after] => bytes(after.sector.saturating_sub(before.end())),
                _ => 0,
            })
            .collect();
        let mut holes: Vec<Vec<u8>> = gaps.iter().map(|&gap| vec![0; gap]).collect();
        let mut buffers = Vec::with_capacity(run.len() * 2);
        let mut wanted = 0;
        let mut hole = holes.iter_mut();
        for piece in &mut run {
            wanted += piece.buffer.len();
            buffers.push(IoSliceMut::new(piece.buffer));
            if let Some(hole) = hole.next().filter(|hole| !hole.is_empty()) {
                wanted += hole.len();
                buffers.push(IoSliceMut::new(hole));
            }
        }
        match self.source.read_vectored_at(offset, &mut buffers) {
            Ok(read) if read == wanted => Vec::new(),
            _ => run,
        }
    }
}

/// A length in sectors as a buffer length. Buffers of this module are a few MiB at most.
pub(super) fn bytes(sectors: u64) -> usize {
    usize::try_from(sectors * SECTOR_BYTES).unwrap_or(usize::MAX)
}
