//! A range of a volume to a file or stream, in order: a few threads read ahead, one writes. Holes are not read.
//!
//! Blocks are dealt to the readers in turn, so taking from each in turn gives them in order. Each reader has a few buffers
//! that come back to it, which bounds the memory and keeps it warm.

use crate::volume::{Holes, ReadError, Volume};
use raid_meta::units::{Bytes, SECTOR_BYTES, Sectors};
use std::io;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::Scope;

/// Threads that read. More gain nothing: two are as fast as memory, and hide what a disk takes to answer.
const READERS: usize = 2;
/// Buffers of each.
const BUFFERS: usize = 3;
/// Longest block. Six of them are the memory of a copy.
const LARGEST_BLOCK: usize = 4 << 20;

/// Why a copy stopped.
#[derive(Debug)]
pub(super) enum CopyError {
    /// The array can not be read.
    Read(ReadError),
    /// The stream can not be written.
    Write(io::Error),
}

/// Where a copy goes.
pub(super) trait Sink {
    /// Takes bytes.
    fn data(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Takes zeros.
    fn hole(&mut self, length: u64) -> io::Result<()>;
}

/// What a reader hands over: its buffer, and what is in it.
type Block = (Vec<u8>, Result<Content, ReadError>);

enum Content {
    /// Bytes of the buffer.
    Data(usize),
    /// Zeros that are not in the buffer.
    Hole(u64),
}

/// The end of a reader that the writer holds.
struct Lane {
    full: Receiver<Block>,
    free: Sender<Vec<u8>>,
}

/// Copies a range that is inside the volume.
pub(super) fn copy(volume: &Volume, range: Range<Bytes>, output: &mut impl Sink) -> Result<(), CopyError> {
    let block = volume.block_bytes(LARGEST_BLOCK) as u64;
    let blocks = range.start.0 / block..range.end.0.div_ceil(block);
    if range.start >= range.end {
        return Ok(());
    }
    std::thread::scope(|scope| {
        let readers = (READERS as u64).min(blocks.end - blocks.start);
        let lanes: Vec<Lane> = (0..readers)
            .map(|reader| {
                let numbers = (blocks.start + reader..blocks.end).step_by(READERS);
                let range = range.clone();
                let cut = move |number: u64| {
                    (number * block).max(range.start.0)
                        ..number.saturating_add(1).saturating_mul(block).min(range.end.0)
                };
                lane(scope, volume, numbers.map(cut))
            })
            .collect();
        for lane in
            lanes.iter().cycle().take(usize::try_from(blocks.end - blocks.start).unwrap_or(usize::MAX))
        {
            // A reader ends only after an error, which it has handed over.
            let Ok((buffer, content)) = lane.full.recv() else { break };
            let taken = match content.map_err(CopyError::Read)? {
                Content::Data(length) => output.data(buffer.get(..length).unwrap_or_default()),
                Content::Hole(length) => output.hole(length),
            };
            taken.map_err(CopyError::Write)?;
            let _ = lane.free.send(buffer);
        }
        Ok(())
    })
}

/// Starts a reader.
fn lane<'scope>(
    scope: &'scope Scope<'scope, '_>,
    volume: &'scope Volume,
    ranges: impl Iterator<Item = Range<u64>> + Send + 'scope,
) -> Lane {
    let (full_end, full) = sync_channel(BUFFERS);
    let (free, free_end) = channel();
    for _ in 0..BUFFERS {
        let _ = free.send(Vec::new());
    }
    scope.spawn(move || read_all(volume, ranges, &full_end, &free_end));
    Lane { full, free }
}

fn read_all(
    volume: &Volume,
    ranges: impl Iterator<Item = Range<u64>>,
    full: &SyncSender<Block>,
    free: &Receiver<Vec<u8>>,
) {
    let mut holes = volume.holes();
    for range in ranges {
        let Ok(mut buffer) = free.recv() else { return };
        let read = read_block(volume, &mut holes, range, &mut buffer);
        let failed = read.is_err();
        if full.send((buffer, read)).is_err() || failed {
            return;
        }
    }
}

fn read_block(
    volume: &Volume,
    holes: &mut Holes,
    range: Range<u64>,
    buffer: &mut Vec<u8>,
) -> Result<Content, ReadError> {
    let sectors = Sectors(range.start / SECTOR_BYTES)..Sectors(range.end.div_ceil(SECTOR_BYTES));
    if volume.hole(holes, sectors.start, sectors.end) == (true, sectors.end) {
        return Ok(Content::Hole(range.end - range.start));
    }
    let length = usize::try_from(range.end - range.start).unwrap_or_default();
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    let part = buffer.get_mut(..length).unwrap_or_default();
    volume.read(Bytes(range.start), part).map(|()| Content::Data(length))
}
