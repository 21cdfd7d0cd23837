//! The data of a member, computed from the others and written to a new disk.
//!
//! A [`Part`] is one slot of one volume; a disk that is in several volumes of a container has several. They are filled one
//! after the other, in windows, so memory does not grow with the size. Where a window is zeros and the target has a hole
//! there, nothing is written. A position is handed out only when all that is below it is durable; the same run again
//! from there reaches the same end.

#[cfg(test)]
mod tests;

use crate::zeros::is_zero;
use raid_meta::device::WriteAt;
use raid_meta::units::{Bytes, SECTOR_BYTES, Sectors, Slot};
use raid_table::volume::{MemberReader, ReadError, Volume};
use std::io;
use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Bytes of the member that are computed at once, at most.
const WINDOW: usize = 256 << 10;
/// Bytes that are read of all members for them, at most.
const READ: usize = 16 << 20;
/// Windows that are under way between the two threads.
const WINDOWS: usize = 4;

/// The slot of one volume, and where its data goes.
pub struct Part<'a> {
    /// The volume, opened without what is in the slot.
    pub volume: &'a Volume,
    /// The slot.
    pub slot: Slot,
    /// Where the data begins on the target.
    pub offset: Bytes,
    /// How much of the target is the volume's.
    pub length: Sectors,
}

/// What is told how far it is.
pub trait Watch {
    /// So many bytes are written, of all parts together.
    fn written(&mut self, done: Bytes);

    /// Whether the position is to be saved now: what is written is made durable before.
    fn is_due(&mut self) -> bool;

    /// Everything below is durable.
    ///
    /// # Errors
    /// One line: why it can not be saved.
    fn save(&mut self, done: Bytes) -> Result<(), String>;
}

/// Why a member was not rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// What it should hold can not be had from the others.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The volume has no such slot, or is being reshaped.
    #[error("{name}: slot {slot} can not be computed from the others")]
    Slot {
        /// Which volume.
        name: String,
        /// Which slot.
        slot: Slot,
    },
    /// What the volume uses of a member does not fit.
    #[error("{name}: slot {slot} has {needed} sectors, {found} are for it on the target")]
    Length {
        /// Which volume.
        name: String,
        /// Which slot.
        slot: Slot,
        /// What the volume uses.
        needed: Sectors,
        /// What there is.
        found: Sectors,
    },
    /// The target can not be read or written.
    #[error("{action} {length} bytes at {offset} of the target: {error}")]
    Target {
        /// `reading`, `writing`, `flushing`.
        action: &'static str,
        /// Where.
        offset: Bytes,
        /// How much.
        length: Bytes,
        /// Why.
        error: io::Error,
    },
    /// What should be on the target from an earlier run is not.
    #[error(
        "the target does not hold at {offset} what was written there: it is another disk, or the array was changed since"
    )]
    Changed {
        /// Where.
        offset: Bytes,
    },
    /// The position can not be saved.
    #[error("{0}")]
    Position(String),
}

/// A part with its place among all bytes.
struct Stretch<'a> {
    reader: MemberReader<'a>,
    /// Bytes before it.
    start: u64,
    length: u64,
    offset: Bytes,
}

/// A window of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    stretch: usize,
    /// From the start of the part.
    at: u64,
    length: usize,
}

/// A window with its content.
type Filled = (Window, Vec<u8>);

/// The data of a member.
pub struct Fill<'a> {
    stretches: Vec<Stretch<'a>>,
    total: u64,
    /// Bytes that are computed at once.
    window: usize,
    /// Bytes of the target that are zeros until something else is written there.
    left_out: Vec<Range<u64>>,
}

impl<'a> Fill<'a> {
    /// All parts of a new disk.
    ///
    /// # Errors
    /// A slot can not be computed, or does not fit.
    pub fn new(parts: &[Part<'a>]) -> Result<Self, FillError> {
        let mut stretches = Vec::with_capacity(parts.len());
        let mut start = 0_u64;
        let slots =
            parts.iter().filter_map(|part| part.volume.columns()).map(|columns| columns.slots()).max();
        for part in parts {
            let (name, slot) = (part.volume.name().to_owned(), part.slot);
            let Some(reader) = part.volume.member(slot) else { return Err(FillError::Slot { name, slot }) };
            let needed = reader.length();
            if needed > part.length {
                return Err(FillError::Length { name, slot, needed, found: part.length });
            }
            let length = needed.0.saturating_mul(SECTOR_BYTES);
            stretches.push(Stretch { reader, start, length, offset: part.offset });
            start = start.saturating_add(length);
        }
        let window = (READ / slots.unwrap_or(1).max(1)).min(WINDOW) / 4096 * 4096;
        Ok(Self { stretches, total: start, window: window.max(4096), left_out: Vec::new() })
    }

    /// Leaves zeros where the metadata comes: a format can have it among the data, and its copy on a mirror would make
    /// the target the member that it was copied from.
    #[must_use]
    pub fn leaving_out(self, left_out: Vec<Range<u64>>) -> Self {
        Self { left_out, ..self }
    }

    /// Bytes of all parts.
    #[must_use]
    pub fn total(&self) -> Bytes {
        Bytes(self.total)
    }

    /// Tries what can be known to fail before anything is written: one sector of each range that some member is not
    /// believed in.
    ///
    /// # Errors
    /// A sector that can not be had.
    pub fn try_doubtful(&mut self) -> Result<(), FillError> {
        self.stretches
            .iter_mut()
            .try_for_each(|stretch| stretch.reader.try_doubtful().map_err(FillError::Read))
    }

    /// Writes from a position on. With `overlap`, a second thread computes what comes next meanwhile. Everything is durable
    /// at the end.
    ///
    /// # Errors
    /// See [`FillError`]. What is below the last position saved is durable.
    pub fn run(
        &mut self,
        target: &dyn WriteAt,
        from: Bytes,
        overlap: bool,
        watch: &mut dyn Watch,
    ) -> Result<(), FillError> {
        self.check(target, from)?;
        let places: Vec<(u64, Bytes)> =
            self.stretches.iter().map(|stretch| (stretch.start, stretch.offset)).collect();
        let mut sink = Sink { target, watch, places };
        if overlap {
            self.run_overlapped(from, &mut sink)?;
        } else {
            self.run_alone(from, &mut sink)?;
        }
        sink.flush()
    }

    fn run_alone(&mut self, from: Bytes, sink: &mut Sink<'_>) -> Result<(), FillError> {
        let mut buffer = vec![0; self.window];
        let mut next = self.window(from.0);
        while let Some(window) = next {
            let part = buffer.get_mut(..window.length).unwrap_or_default();
            self.compute(window, part)?;
            sink.take(window, part)?;
            next = self.after(window);
        }
        Ok(())
    }

    fn run_overlapped(&mut self, from: Bytes, sink: &mut Sink<'_>) -> Result<(), FillError> {
        std::thread::scope(|scope| {
            let (full, filled) = sync_channel::<Result<Filled, FillError>>(WINDOWS);
            let (empty, free) = sync_channel::<Vec<u8>>(WINDOWS);
            for _ in 0..WINDOWS {
                // The channel has room for all of them.
                let _ = empty.send(vec![0; self.window]);
            }
            scope.spawn(move || self.produce(from, &full, &free));
            for result in filled {
                let (window, buffer) = result?;
                sink.take(window, &buffer)?;
                let _ = empty.send(buffer);
            }
            Ok(())
        })
    }

    /// Computes windows until all are, or nobody takes them any more.
    fn produce(
        &mut self,
        from: Bytes,
        full: &SyncSender<Result<Filled, FillError>>,
        free: &Receiver<Vec<u8>>,
    ) {
        let mut next = self.window(from.0);
        while let Some(window) = next {
            let Ok(mut buffer) = free.recv() else { return };
            buffer.resize(window.length, 0);
            let result = self.compute(window, &mut buffer).map(|()| (window, buffer));
            let is_over = result.is_err();
            if full.send(result).is_err() || is_over {
                return;
            }
            next = self.after(window);
        }
    }

    /// The window that begins at so many bytes of all parts; none at the end.
    fn window(&self, done: u64) -> Option<Window> {
        let is_in = |stretch: &&Stretch<'_>| done < stretch.start.saturating_add(stretch.length);
        let (index, stretch) = self.stretches.iter().enumerate().find(|(_, stretch)| is_in(stretch))?;
        let at = done.saturating_sub(stretch.start);
        // Windows lie on multiples of their length, wherever a run begins.
        let most = self.window as u64;
        let room = most.saturating_sub(at.checked_rem(most).unwrap_or_default());
        let length = usize::try_from(stretch.length.saturating_sub(at).min(room)).unwrap_or(self.window);
        Some(Window { stretch: index, at, length })
    }

    fn after(&self, window: Window) -> Option<Window> {
        let start = self.stretches.get(window.stretch).map_or(u64::MAX, |stretch| stretch.start);
        self.window(start.saturating_add(window.at).saturating_add(window.length as u64))
    }

    fn compute(&mut self, window: Window, buffer: &mut [u8]) -> Result<(), FillError> {
        let Some(stretch) = self.stretches.get_mut(window.stretch) else { return Ok(()) };
        stretch.reader.read(Sectors(window.at / SECTOR_BYTES), buffer)?;
        let start = stretch.offset.0.saturating_add(window.at);
        let index =
            |at: u64| usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX).min(window.length);
        for range in &self.left_out {
            buffer.get_mut(index(range.start)..index(range.end)).into_iter().for_each(|part| part.fill(0));
        }
        Ok(())
    }

    /// Whether the target holds below a position what was written there: the window before it is compared.
    fn check(&mut self, target: &dyn WriteAt, from: Bytes) -> Result<(), FillError> {
        let last = from.0.min(self.total).checked_sub(SECTOR_BYTES);
        let Some(last) = last else { return Ok(()) };
        let Some(window) = self.window(last & !(SECTOR_BYTES - 1)) else { return Ok(()) };
        let window = Window { length: window.length.min(raid_meta::units::SECTOR_LENGTH), ..window };
        let mut expected = vec![0; window.length];
        self.compute(window, &mut expected)?;
        let Some(stretch) = self.stretches.get(window.stretch) else { return Ok(()) };
        let offset = stretch.offset.saturating_add(Bytes(window.at));
        let mut found = vec![0; window.length];
        target.read_exact_at(offset, &mut found).map_err(|error| FillError::Target {
            action: "reading",
            offset,
            length: Bytes(window.length as u64),
            error,
        })?;
        if found == expected { Ok(()) } else { Err(FillError::Changed { offset }) }
    }
}

/// What is written to.
struct Sink<'a> {
    target: &'a dyn WriteAt,
    watch: &'a mut dyn Watch,
    /// By part: bytes before it, and where it begins on the target.
    places: Vec<(u64, Bytes)>,
}

impl Sink<'_> {
    fn take(&mut self, window: Window, bytes: &[u8]) -> Result<(), FillError> {
        let Some(&(start, offset)) = self.places.get(window.stretch) else { return Ok(()) };
        let offset = offset.saturating_add(Bytes(window.at));
        if !self.is_there_already(offset, bytes) {
            self.target.write_at(offset, bytes).map_err(|error| FillError::Target {
                action: "writing",
                offset,
                length: Bytes(bytes.len() as u64),
                error,
            })?;
        }
        let done = Bytes(start.saturating_add(window.at).saturating_add(bytes.len() as u64));
        self.watch.written(done);
        if self.watch.is_due() {
            self.flush()?;
            self.watch.save(done).map_err(FillError::Position)?;
        }
        Ok(())
    }

    /// Zeros that are to be written where the target has a hole.
    fn is_there_already(&self, offset: Bytes, bytes: &[u8]) -> bool {
        let end = offset.saturating_add(Bytes(bytes.len() as u64));
        let is_hole = match self.target.next_data(offset) {
            Ok(None) => true,
            Ok(Some((start, _))) => start >= end,
            Err(_) => false,
        };
        is_hole && is_zero(bytes)
    }

    fn flush(&self) -> Result<(), FillError> {
        let failed =
            |error| FillError::Target { action: "flushing", offset: Bytes(0), length: Bytes(0), error };
        self.target.flush().map_err(failed)
    }
}
