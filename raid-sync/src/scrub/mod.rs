//! Comparing what is redundant: parity with the data, copies with each other.
//!
//! A [`Scrub`] goes through an array segment by segment, on several threads, and gives each [`Segment`] in order with
//! what was found there. It reads only. Everything is decided sector by sector:
//!
//! * raid6 with all members: the two syndromes say which member is wrong, if one is. Every byte that differs has to
//!   name the same member; a sector in which they do not is undecidable, and so is one in which only one or two
//!   bytes differ, when its page has others that name another member or none.
//! * raid4, raid5, and raid6 without a member: that something is wrong can be seen, which member it is can not.
//! * raid1 and raid10 with three or more copies: those that differ from more than half of them are wrong. Two
//!   copies are undecidable.
//!
//! With each finding comes what would put it right, where that is known, or where it was said what to trust.

mod again;
mod copies;
mod finding;
mod locate;
mod memory;
mod stripes;
#[cfg(test)]
mod tests;
mod views;
mod watch;

pub use finding::{Finding, Repair, Segment, Unreadable};

use memory::{CACHED_SLICE, Memory};
use raid_meta::geometry::Level;
use raid_meta::units::{Bytes, SECTOR_BYTES, Sectors, Slot};
use raid_table::volume::{Columns, Volume};
use std::os::fd::BorrowedFd;
use std::sync::mpsc::{SyncSender, sync_channel};
use views::Views;

/// What is read of a member at a time where the processor's cache is to hold it: all members' parts together.
const CACHED_BYTES: usize = 1 << 20;
/// Sectors of a member in a segment.
const SEGMENT_SECTORS: u64 = 4096;
/// Bytes of all members in a segment, at most.
const SEGMENT_BYTES: u64 = 16 << 20;

/// Bytes of images that are looked at in memory at a time, by all threads together.
const VIEW_BYTES: usize = 32 << 20;
/// Bytes of a member that are looked at in memory at a time, at least: to map less costs more than to copy it.
const LEAST_VIEW: usize = 256 << 10;

/// How an array is compared.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Threads that read and compare.
    pub threads: usize,
    /// Bytes that are read of a member at a time, at most.
    pub request: Bytes,
    /// Where parity does not agree and nothing says which member is wrong, the data is right. Then what was never
    /// synchronised is compared too, and nothing but the data is believed there.
    pub trust_data: bool,
    /// Where copies do not agree and there is no majority, the one in this slot is right.
    pub trust_slot: Option<Slot>,
    /// Redundancy was computed below this sector, of the members for parity, else of the array; beyond it is nothing to
    /// compare, unless the data is to be trusted.
    pub synchronised_below: Sectors,
}

impl Default for Options {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(4);
        Self {
            threads,
            request: Bytes(CACHED_SLICE as u64),
            trust_data: false,
            trust_slot: None,
            synchronised_below: Sectors(u64::MAX),
        }
    }
}

/// Why an array can not be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScrubError {
    /// Nothing in it is there twice.
    #[error("{array}: {level} has no redundancy to compare")]
    NoRedundancy {
        /// Which array.
        array: String,
        /// Its level.
        level: Level,
    },
    /// So many members are missing that nothing is there twice any more.
    #[error(
        "{array}: {missing} of {slots} members are missing, and what is left has no redundancy to compare"
    )]
    NothingLeft {
        /// Which array.
        array: String,
        /// How many.
        missing: usize,
        /// Of how many.
        slots: usize,
    },
    /// It has two geometries.
    #[error("{array}: is between two geometries, and is not compared before the reshape is done")]
    Reshaping {
        /// Which array.
        array: String,
    },
}

/// An array to be compared.
pub struct Scrub<'a> {
    columns: Columns<'a>,
    options: Options,
    has_parity: bool,
    /// Where it ends: a member sector where there is parity, else an array sector.
    end: u64,
    /// Members, or copies, at each of those sectors.
    width: u64,
    /// Sectors of a segment.
    step: u64,
}

impl<'a> Scrub<'a> {
    /// The comparison of an array.
    ///
    /// # Errors
    /// There is nothing to compare.
    pub fn new(volume: &'a Volume, options: Options) -> Result<Self, ScrubError> {
        let array = volume.name().to_owned();
        let Some(columns) = volume.columns() else { return Err(ScrubError::Reshaping { array }) };
        let map = columns.map();
        let (level, slots) = (map.geometry().level, columns.slots());
        let missing = slots_of(&columns).filter(|&slot| !columns.has(slot)).count();
        let copies = map.extents(Sectors::ZERO, Sectors(1)).next().map_or(0, |extent| extent.copies.len());
        let has_parity = level.parities() > 0;
        if !has_parity && copies < 2 {
            return Err(ScrubError::NoRedundancy { array, level });
        }
        let too_many = if has_parity { level.parities() as usize } else { slots.saturating_sub(1) };
        if missing >= too_many {
            return Err(ScrubError::NothingLeft { array, missing, slots });
        }
        let width = if has_parity { slots } else { copies } as u64;
        let step = (SEGMENT_BYTES / SECTOR_BYTES / width.max(1)).clamp(64, SEGMENT_SECTORS);
        let end = if has_parity { stripes::end(map) } else { map.size().0 };
        Ok(Self { columns, options, has_parity, end, width, step: step / 64 * 64 })
    }

    /// Where it ends: [`Segment::end`] of the last segment.
    #[must_use]
    pub fn end(&self) -> Sectors {
        Sectors(self.end)
    }

    /// Bytes that are to be compared up to such a position.
    #[must_use]
    pub fn bytes_before(&self, position: Sectors) -> Bytes {
        Bytes(position.0.saturating_mul(self.width).saturating_mul(SECTOR_BYTES))
    }

    /// Compares everything from a position on, which is zero or the end of a segment. Gives each segment in order.
    ///
    /// # Errors
    /// What the receiver says; nothing is read after that.
    pub fn run<E>(&self, from: Sectors, mut each: impl FnMut(Segment) -> Result<(), E>) -> Result<(), E> {
        let threads = self.options.threads.max(1) as u64;
        std::thread::scope(|scope| {
            let receivers: Vec<_> = (0..threads)
                .map(|index| {
                    // One finished segment waits for each thread, not more: memory is bounded.
                    let (sender, receiver) = sync_channel(1);
                    let first = from.0.saturating_add(index.saturating_mul(self.step));
                    scope.spawn(move || self.work(first, threads, &sender));
                    receiver
                })
                .collect();
            for receiver in receivers.iter().cycle() {
                match receiver.recv() {
                    Ok(segment) => each(segment)?,
                    Err(_) => break,
                }
            }
            Ok(())
        })
    }

    /// Every so many-th segment, until there is no more or nobody wants it.
    fn work(&self, first: u64, threads: u64, sender: &SyncSender<Segment>) {
        let mut memory = Memory::new(self.slice(), self.columns.slots(), self.views());
        let mut start = first;
        while start < self.end {
            let end = start.saturating_add(self.step).min(self.end);
            if sender.send(self.segment(start, end, &mut memory)).is_err() {
                return;
            }
            start = start.saturating_add(self.step.saturating_mul(threads));
        }
    }

    /// Whether redundancy was never computed there: it is no evidence.
    fn is_beyond(&self, sector: u64) -> bool {
        sector >= self.options.synchronised_below.0
    }

    /// Members, or copies, that are compared with each other at each sector.
    #[must_use]
    pub fn width(&self) -> u64 {
        self.width
    }

    fn segment(&self, start: u64, end: u64, memory: &mut Memory<'a>) -> Segment {
        let mut segment = Segment { end: Sectors(end), ..Segment::default() };
        let limit =
            if self.options.trust_data { end } else { end.min(self.options.synchronised_below.0).max(start) };
        if self.has_parity {
            self.compare_stripes(start, limit, memory, &mut segment);
        } else {
            self.compare_copies(start, limit, memory, &mut segment);
        }
        segment.unchecked =
            segment.unchecked.saturating_add(Sectors((end - limit).saturating_mul(self.width)));
        segment
    }

    /// Bytes that are read of a member at a time: whole pages, at most what a segment has.
    fn slice(&self) -> usize {
        let wanted = usize::try_from(self.options.request.0).unwrap_or(CACHED_BYTES);
        let cached = if wanted > CACHED_SLICE { wanted } else { CACHED_BYTES / self.columns.slots().max(1) };
        let most = usize::try_from(self.step.saturating_mul(SECTOR_BYTES)).unwrap_or(CACHED_BYTES);
        (wanted.min(cached).min(most) / 4096 * 4096).max(4096)
    }
    /// Room to look at a part of each member in memory, where that is worth it.
    fn views(&self) -> Option<Views<'a>> {
        let places = self.columns.slots().max(1);
        let share = VIEW_BYTES / self.options.threads.max(1) / places / (64 << 10) * (64 << 10);
        let most =
            usize::try_from(self.step.saturating_mul(SECTOR_BYTES)).map_or(share, |step| step.min(share));
        if most < LEAST_VIEW { None } else { Views::new(places, most) }
    }

    /// What is compared in memory: the same sectors of several members, or copies, where images have them there. None where they
    /// do not, or did not any more while it was compared.
    fn compare_in_memory(
        places: &[Option<(BorrowedFd<'a>, Bytes)>],
        length: Sectors,
        memory: &mut Memory<'a>,
        compare: impl FnOnce(&[Option<&[u8]>], &mut Segment),
    ) -> Option<Segment> {
        let length = usize::try_from(length.to_bytes()?.0).ok()?;
        let views = memory.views.as_mut().filter(|_| length >= LEAST_VIEW)?;
        let mut seen = Segment::default();
        compare(&views.show(places, length)?, &mut seen);
        views.are_true().then_some(seen)
    }
}

fn slots_of(columns: &Columns<'_>) -> impl Iterator<Item = Slot> {
    (0..).map(Slot).take(columns.slots())
}
