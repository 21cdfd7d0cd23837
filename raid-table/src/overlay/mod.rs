//! Writes to an array that never reach its members: a file holds them.
//!
//! The file is as long as the array and sparse, behind a header of text (the first line says what it belongs to) and a map
//! with a bit for every block of 4096 bytes that is in the file. Nothing of the map is kept in memory but what was
//! written since the last flush, so memory does not grow with the array.
//!
//! A block enters the file whole, and its bit is set after the block is durable ([`Overlay::flush`]: data, flush, bits,
//! flush). So after a stop at any moment every block is as some write left it or as the array has it; what was flushed is
//! there. An overlay belongs to one array and is refused with another.

mod file;
mod header;
mod ranges;
#[cfg(test)]
mod tests;

pub use file::{OverlayError, OverlayFile};
pub use header::Identity;

use raid_meta::device::{ReadAt, WriteAt};
use raid_meta::units::Bytes;
use ranges::Ranges;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// Bytes that are in the file or not, together.
const BLOCK: u64 = BLOCK_LENGTH as u64;
const BLOCK_LENGTH: usize = 4096;
/// Bytes in front of the map.
const HEADER_BYTES: u64 = 4096;
/// What the data is aligned to.
const DATA_ALIGNMENT: u64 = 1 << 20;
/// Bytes of the map that are looked at together; as many blocks as they have bits.
const MAP_PIECE: u64 = 4096;
/// Ranges that may wait for a flush; each takes a few words of memory.
const MAX_FRESH: usize = 32768;

/// What an overlay is kept in.
pub trait Store: WriteAt {
    /// Makes a range read as zeros, and need no room where that is possible.
    ///
    /// # Errors
    /// What the system says.
    fn punch(&self, offset: Bytes, length: Bytes) -> io::Result<()>;
}

/// An array with what was written to it.
pub struct Overlay<S> {
    base: Arc<dyn ReadAt>,
    store: S,
    size: u64,
    data_start: u64,
    /// Blocks that are in the store and not yet in its map.
    fresh: RwLock<Ranges>,
    /// One writes at a time.
    writing: Mutex<Writing>,
    /// What was written may be lost, so nothing more is promised.
    failed: AtomicBool,
}

/// What only the one that writes looks at.
#[derive(Default)]
struct Writing {
    /// Something was written since the last flush.
    dirty: bool,
    block: Vec<u8>,
}

/// Blocks in an array of that size.
fn blocks(size: u64) -> u64 {
    size.div_ceil(BLOCK)
}

/// Where the data begins in the file for an array of that size.
fn data_start(size: u64) -> u64 {
    (HEADER_BYTES + blocks(size).div_ceil(8)).next_multiple_of(DATA_ALIGNMENT)
}

/// Length of the file for an array of that size; none when there can not be such a file.
fn file_length(size: Bytes) -> Option<Bytes> {
    let whole = size.0.checked_next_multiple_of(BLOCK)?;
    data_start(size.0).checked_add(whole).filter(|length| i64::try_from(*length).is_ok()).map(Bytes)
}

impl<S: Store> Overlay<S> {
    /// An overlay over an array, in a store whose header has been seen to be the array's.
    #[must_use]
    pub fn new(base: Arc<dyn ReadAt>, store: S) -> Self {
        let size = base.size().0;
        Self {
            base,
            store,
            size,
            data_start: data_start(size),
            fresh: RwLock::default(),
            writing: Mutex::default(),
            failed: AtomicBool::new(false),
        }
    }

    /// Whether the block at a byte is in the store, and the byte up to which that holds, at most `end`.
    ///
    /// # Errors
    /// The map can not be read.
    pub fn holds(&self, at: Bytes, end: Bytes) -> io::Result<(bool, Bytes)> {
        let piece = self.map_piece(at.0 / BLOCK..blocks(end.0))?;
        let (held, count) = piece.run(0);
        Ok((held, Bytes((at.0 / BLOCK + count) * BLOCK).min(end)))
    }

    /// Fills a buffer. The range is inside the array.
    ///
    /// # Errors
    /// The store can not be read, or the array where it is needed.
    pub fn read(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<()> {
        let mut at = offset.0;
        let mut rest = buffer;
        while !rest.is_empty() {
            let first = at / BLOCK;
            let piece = self.map_piece(first..blocks(at + rest.len() as u64))?;
            let mut block = 0;
            while block < piece.count && !rest.is_empty() {
                let (held, count) = piece.run(block);
                block += count;
                let length = ((first + block) * BLOCK - at).min(rest.len() as u64);
                let (now, after) = rest.split_at_mut(usize::try_from(length).unwrap_or_default());
                if held {
                    self.store.read_exact_at(Bytes(self.data_start + at), now)?;
                } else {
                    self.base.read_exact_at(Bytes(at), now)?;
                }
                at += length;
                rest = after;
            }
        }
        Ok(())
    }

    /// Writes bytes. The range is inside the array.
    ///
    /// # Errors
    /// The store can not be written, or the array can not be read where part of a block is written.
    pub fn write(&self, offset: Bytes, bytes: &[u8]) -> io::Result<()> {
        let mut writing = self.begin()?;
        let mut at = offset.0;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (whole, length) = self.step(at, rest.len() as u64);
            let (now, after) = rest.split_at(usize::try_from(length).unwrap_or_default());
            if whole {
                self.store.write_at(Bytes(self.data_start + at), now)?;
            } else {
                self.write_part(&mut writing, at, now)?;
            }
            at += length;
            rest = after;
        }
        self.written(&mut writing, offset.0, bytes.len() as u64)
    }

    /// Writes zeros. The range is inside the array.
    ///
    /// # Errors
    /// As [`Overlay::write`].
    pub fn write_zeros(&self, offset: Bytes, length: Bytes) -> io::Result<()> {
        let mut writing = self.begin()?;
        let mut at = offset.0;
        let end = offset.0 + length.0;
        while at < end {
            let (whole, length) = self.step(at, end - at);
            if whole {
                self.store.punch(Bytes(self.data_start + at), Bytes(length))?;
            } else {
                let zeros = [0; BLOCK_LENGTH];
                self.write_part(&mut writing, at, &zeros[..usize::try_from(length).unwrap_or_default()])?;
            }
            at += length;
        }
        self.written(&mut writing, offset.0, length.0)
    }

    /// Makes durable what was written before.
    ///
    /// # Errors
    /// It is not durable. From then on nothing is written any more: what the system could not write may be lost, and it
    /// says so once only.
    pub fn flush(&self) -> io::Result<()> {
        self.flush_with(&mut *self.begin()?)
    }

    fn flush_with(&self, writing: &mut Writing) -> io::Result<()> {
        if !writing.dirty {
            return Ok(());
        }
        let flushed = self.flush_now();
        self.failed.fetch_or(flushed.is_err(), Ordering::Relaxed);
        writing.dirty = flushed.is_err();
        flushed
    }

    fn flush_now(&self) -> io::Result<()> {
        self.store.flush()?;
        let fresh = self.fresh.read().unwrap_or_else(PoisonError::into_inner).clone();
        if fresh.is_empty() {
            return Ok(());
        }
        for range in fresh.iter() {
            self.set_bits(range)?;
        }
        self.store.flush()?;
        *self.fresh.write().unwrap_or_else(PoisonError::into_inner) = Ranges::default();
        Ok(())
    }

    fn begin(&self) -> io::Result<MutexGuard<'_, Writing>> {
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.failed.load(Ordering::Relaxed) {
            return Err(io::Error::other("an earlier flush of the overlay failed"));
        }
        Ok(writing)
    }

    /// How far whole blocks go from a byte, or the part of a block that begins there.
    fn step(&self, at: u64, length: u64) -> (bool, u64) {
        let end = at + length;
        // The last block of the array is whole as far as it goes.
        let whole_end = if end == self.size { end } else { end / BLOCK * BLOCK };
        if at.is_multiple_of(BLOCK) && at < whole_end {
            return (true, whole_end - at);
        }
        (false, (BLOCK - at % BLOCK).min(length))
    }

    /// Writes part of a block; a block that is not in the store enters it whole.
    fn write_part(&self, writing: &mut Writing, at: u64, bytes: &[u8]) -> io::Result<()> {
        let start = at / BLOCK * BLOCK;
        if self.holds(Bytes(at), Bytes(at + 1))?.0 {
            return self.store.write_at(Bytes(self.data_start + at), bytes);
        }
        let length = usize::try_from(BLOCK.min(self.size - start)).unwrap_or_default();
        writing.block.resize(length, 0);
        self.base.read_exact_at(Bytes(start), &mut writing.block)?;
        let from = usize::try_from(at - start).unwrap_or_default();
        if let Some(part) = writing.block.get_mut(from..from + bytes.len()) {
            part.copy_from_slice(bytes);
        }
        self.store.write_at(Bytes(self.data_start + start), &writing.block)
    }

    /// Notes that the blocks of a range are in the store.
    fn written(&self, writing: &mut Writing, offset: u64, length: u64) -> io::Result<()> {
        if length == 0 {
            return Ok(());
        }
        writing.dirty = true;
        let mut fresh = self.fresh.write().unwrap_or_else(PoisonError::into_inner);
        fresh.add(offset / BLOCK..blocks(offset + length));
        let full = fresh.len() > MAX_FRESH;
        drop(fresh);
        if full { self.flush_with(writing) } else { Ok(()) }
    }

    /// The map over the first of these blocks.
    fn map_piece(&self, wanted: Range<u64>) -> io::Result<MapPiece> {
        let count = (wanted.end - wanted.start).min(MAP_PIECE * 8 - 7);
        let range = wanted.start..wanted.start + count;
        // What was just written first: it is there until its bits are set.
        let fresh = self.fresh.read().unwrap_or_else(PoisonError::into_inner).within(range.clone());
        let bytes = range.start / 8..range.end.div_ceil(8);
        let mut bits = vec![0; usize::try_from(bytes.end - bytes.start).unwrap_or_default()];
        self.store.read_exact_at(Bytes(HEADER_BYTES + bytes.start), &mut bits)?;
        let mut piece = MapPiece { shift: range.start % 8, count, bits };
        for range in fresh {
            piece.set(range.start - wanted.start..range.end - wanted.start);
        }
        Ok(piece)
    }

    fn set_bits(&self, range: Range<u64>) -> io::Result<()> {
        let mut block = range.start;
        while block < range.end {
            let mut piece = self.map_piece(block..range.end)?;
            piece.set(0..piece.count);
            self.store.write_at(Bytes(HEADER_BYTES + block / 8), &piece.bits)?;
            block += piece.count;
        }
        Ok(())
    }
}

/// Bits of the map, from some block on.
struct MapPiece {
    /// Bits of the first byte that belong to blocks before.
    shift: u64,
    count: u64,
    bits: Vec<u8>,
}

impl MapPiece {
    fn has(&self, block: u64) -> bool {
        let bit = self.shift + block;
        let byte = usize::try_from(bit / 8).ok().and_then(|byte| self.bits.get(byte));
        byte.is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
    }

    fn set(&mut self, range: Range<u64>) {
        for bit in range.start + self.shift..range.end + self.shift {
            if let Some(byte) = usize::try_from(bit / 8).ok().and_then(|byte| self.bits.get_mut(byte)) {
                *byte |= 1 << (bit % 8);
            }
        }
    }

    /// The state at a block, and for how many blocks it holds.
    fn run(&self, block: u64) -> (bool, u64) {
        let held = self.has(block);
        let end = (block + 1..self.count).find(|next| self.has(*next) != held).unwrap_or(self.count);
        (held, end - block)
    }
}
