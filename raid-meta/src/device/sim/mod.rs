//! A disk in memory with faults to order.
//!
//! It stands where a real disk would, under the real logic, and implements all of [`ReadAt`] and
//! [`WriteAt`]. Only blocks that were written take memory, so a disk of many TiB costs nothing. What can go
//! wrong with it:
//!
//! * bad sectors ([`SimDisk::fail_reads`], [`SimDisk::fail_writes`]), a disk that ends before its size
//!   ([`SimDisk::end_reads_at`]), unaligned access where it is refused ([`SimDisk::direct`]);
//! * a call that fails, a stop after write n, a write torn in two: [`SimPower`], which several disks can
//!   share, so that n counts the writes of the whole machine;
//! * a power cut that loses what was not flushed: [`SimDisk::power_cut`].

mod power;
mod store;

pub use power::SimPower;

use super::{ReadAt, WriteAt};
use crate::units::{Bytes, SectorSize};
use nix::errno::Errno;
use power::Permission;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Store;

/// What was done to a disk, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteEvent {
    /// Bytes were written, as far as they reached the disk.
    Write {
        /// Where.
        offset: Bytes,
        /// What.
        bytes: Arc<[u8]>,
    },
    /// All writes so far were made durable.
    Flush,
}

/// What a power cut leaves of the writes since the last flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerCut {
    /// Nothing.
    LosesAll,
    /// Everything.
    LosesNothing,
    /// The first so many writes.
    KeepsFirst(usize),
    /// Any of their sectors, by the seed: a disk writes its cache in the order it likes.
    KeepsSome {
        /// The same seed leaves the same sectors.
        seed: u64,
    },
}

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Debug)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
    power: SimPower,
    size: Bytes,
    sector_size: SectorSize,
    is_direct: bool,
}

#[derive(Debug, Default)]
struct State {
    content: Store,
    /// The content when it was last flushed.
    durable: Store,
    unflushed: Vec<(Bytes, Arc<[u8]>)>,
    log: Vec<WriteEvent>,
    bad_reads: Vec<Range<Bytes>>,
    bad_writes: Vec<Range<Bytes>>,
    reads_end: Option<Bytes>,
}

impl SimDisk {
    /// A disk of zeros with 512-byte sectors.
    #[must_use]
    pub fn new(size: Bytes) -> Self {
        Self {
            state: Arc::default(),
            power: SimPower::new(),
            size,
            sector_size: SectorSize::B512,
            is_direct: false,
        }
    }

    /// A disk that holds these bytes, durably.
    #[must_use]
    pub fn holding(bytes: &[u8]) -> Self {
        let disk = Self::new(Bytes(bytes.len() as u64));
        disk.load(Bytes::ZERO, bytes);
        disk
    }

    /// The same disk with another logical sector size.
    #[must_use]
    pub fn with_sector_size(mut self, sector_size: SectorSize) -> Self {
        self.sector_size = sector_size;
        self
    }

    /// The same disk as one opened with `O_DIRECT`: what is not in whole sectors is refused with `EINVAL`.
    #[must_use]
    pub fn direct(mut self) -> Self {
        self.is_direct = true;
        self
    }

    /// The same disk as part of a machine, whose calls and writes count together.
    #[must_use]
    pub fn on(mut self, power: &SimPower) -> Self {
        self.power = power.clone();
        self
    }

    /// What the disk depends on to do anything.
    #[must_use]
    pub fn power(&self) -> &SimPower {
        &self.power
    }

    /// Puts bytes on the disk, durably and past every fault and the log. Bytes past the end are dropped.
    pub fn load(&self, offset: Bytes, bytes: &[u8]) {
        let length = usize::try_from(self.size.saturating_sub(offset).0).unwrap_or(usize::MAX);
        let bytes = bytes.get(..length).unwrap_or(bytes);
        let mut state = self.state();
        state.content.write(offset, bytes);
        state.durable.write(offset, bytes);
    }

    /// What the disk holds, past every fault; zeros past its end.
    #[must_use]
    pub fn peek(&self, offset: Bytes, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.state().content.read(offset, &mut bytes);
        bytes
    }

    /// Reads that touch this range fail with `EIO`.
    pub fn fail_reads(&self, range: Range<Bytes>) {
        self.state().bad_reads.push(range);
    }

    /// Writes that touch this range fail with `EIO`, what lies before it written.
    pub fn fail_writes(&self, range: Range<Bytes>) {
        self.state().bad_writes.push(range);
    }

    /// Reads find the end of the disk here, before its size: a file that was cut after it was opened.
    pub fn end_reads_at(&self, end: Bytes) {
        self.state().reads_end = Some(end);
    }

    /// No bad sectors and no early end any more: the disk after a repair.
    pub fn heal(&self) {
        let mut state = self.state();
        state.bad_reads.clear();
        state.bad_writes.clear();
        state.reads_end = None;
    }

    /// What was done to the disk so far.
    #[must_use]
    pub fn log(&self) -> Vec<WriteEvent> {
        self.state().log.clone()
    }

    /// What was done to the disk since the last call, and forgets it.
    pub fn take_log(&self) -> Vec<WriteEvent> {
        std::mem::take(&mut self.state().log)
    }

    /// The disk as it is when the power comes back: a copy, without faults, on a power of its own. Flushed
    /// writes are there; of the others what `cut` leaves, in whole sectors.
    #[must_use]
    pub fn power_cut(&self, cut: PowerCut) -> Self {
        let state = self.state();
        let mut content = state.durable.clone();
        let mut random = Random(if let PowerCut::KeepsSome { seed } = cut { seed } else { 0 });
        let sector = usize::try_from(self.sector_size.bytes().0).unwrap_or(usize::MAX);
        for (number, (offset, bytes)) in state.unflushed.iter().enumerate() {
            let mut at = *offset;
            for part in split_at_sectors(bytes, *offset, sector) {
                let is_kept = match cut {
                    PowerCut::LosesAll => false,
                    PowerCut::LosesNothing => true,
                    PowerCut::KeepsFirst(count) => number < count,
                    PowerCut::KeepsSome { .. } => random.next() & 1 == 1,
                };
                if is_kept {
                    content.write(at, part);
                }
                at = at.saturating_add(Bytes(part.len() as u64));
            }
        }
        let state = State { durable: content.clone(), content, ..State::default() };
        let state = Arc::new(Mutex::new(state));
        Self { state, power: SimPower::new(), ..self.clone() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_alignment(&self, offset: Bytes, length: usize) -> io::Result<()> {
        let sector = self.sector_size.bytes().0;
        let is_aligned = offset.0.is_multiple_of(sector) && (length as u64).is_multiple_of(sector);
        if self.is_direct && !is_aligned { Err(Errno::EINVAL.into()) } else { Ok(()) }
    }
}

impl ReadAt for SimDisk {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        self.power.call()?;
        self.check_alignment(offset, buffer.len())?;
        let state = self.state();
        let end = state.reads_end.unwrap_or(self.size).min(self.size);
        let length = buffer.len().min(usize::try_from(end.saturating_sub(offset).0).unwrap_or(usize::MAX));
        let part = buffer.get_mut(..length).unwrap_or_default();
        if first_bad(&state.bad_reads, offset, length).is_some() {
            return Err(Errno::EIO.into());
        }
        state.content.read(offset, part);
        Ok(length)
    }

    fn size(&self) -> Bytes {
        self.size
    }

    fn sector_size(&self) -> SectorSize {
        self.sector_size
    }
}

impl WriteAt for SimDisk {
    fn write_at(&self, offset: Bytes, buffer: &[u8]) -> io::Result<()> {
        self.check_alignment(offset, buffer.len())?;
        let end = offset.checked_add(Bytes(buffer.len() as u64));
        if end.is_none_or(|end| end > self.size) {
            return Err(Errno::ENOSPC.into());
        }
        let (reaching, refusal) = match self.power.write()? {
            Permission::All => (buffer.len(), None),
            Permission::First(bytes, error) => (usize::try_from(bytes.0).unwrap_or(usize::MAX), Some(error)),
        };
        let mut state = self.state();
        let sound = first_bad(&state.bad_writes, offset, buffer.len());
        let reaching = reaching.min(sound.unwrap_or(usize::MAX)).min(buffer.len());
        let bytes: Arc<[u8]> = buffer.get(..reaching).unwrap_or_default().into();
        if !bytes.is_empty() {
            state.content.write(offset, &bytes);
            state.unflushed.push((offset, Arc::clone(&bytes)));
            state.log.push(WriteEvent::Write { offset, bytes });
        }
        match (refusal, sound) {
            (Some(error), _) => Err(error.into()),
            (None, Some(_)) => Err(Errno::EIO.into()),
            (None, None) => Ok(()),
        }
    }

    fn flush(&self) -> io::Result<()> {
        self.power.flush()?;
        let mut state = self.state();
        for (offset, bytes) in std::mem::take(&mut state.unflushed) {
            state.durable.write(offset, &bytes);
        }
        state.log.push(WriteEvent::Flush);
        Ok(())
    }
}

/// How many bytes from `offset` come before the first bad one; none when all `length` are sound.
fn first_bad(bad: &[Range<Bytes>], offset: Bytes, length: usize) -> Option<usize> {
    let end = offset.saturating_add(Bytes(length as u64));
    let touched =
        bad.iter().filter(|range| range.start < end && offset < range.end && range.start < range.end);
    let first = touched.map(|range| range.start.max(offset)).min()?;
    usize::try_from(first.saturating_sub(offset).0).ok().filter(|_| length > 0)
}

/// The pieces of a write that are in different sectors.
fn split_at_sectors(bytes: &[u8], offset: Bytes, sector: usize) -> impl Iterator<Item = &[u8]> {
    let within = usize::try_from(offset.0).unwrap_or_default() % sector;
    let first = if within == 0 { 0 } else { (sector - within).min(bytes.len()) };
    let (head, rest) = bytes.split_at(first);
    std::iter::once(head).filter(|head| !head.is_empty()).chain(rest.chunks(sector))
}

/// `SplitMix64`: a sequence that is the same for the same seed everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests;
