//! A range of a volume to a stream, in order: a few threads read ahead, one writes.
//!
//! Blocks are dealt to the readers in turn, so taking from each in turn gives them in order. Each reader has a few buffers
//! that come back to it, which bounds the memory and keeps it warm.

use crate::volume::{ReadError, Volume};
use raid_meta::units::Bytes;
use std::io::{self, Write};
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

/// What a reader hands over: its buffer, and how much of it is filled.
type Block = (Vec<u8>, Result<usize, ReadError>);

/// The end of a reader that the writer holds.
struct Lane {
    full: Receiver<Block>,
    free: Sender<Vec<u8>>,
}

/// Copies a range that is inside the volume.
pub(super) fn copy(volume: &Volume, range: Range<Bytes>, output: &mut impl Write) -> Result<(), CopyError> {
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
                    (number * block).max(range.start.0)..((number + 1) * block).min(range.end.0)
                };
                lane(scope, volume, numbers.map(cut))
            })
            .collect();
        for lane in
            lanes.iter().cycle().take(usize::try_from(blocks.end - blocks.start).unwrap_or(usize::MAX))
        {
            // A reader ends only after an error, which it has handed over.
            let Ok((buffer, length)) = lane.full.recv() else { break };
            let length = length.map_err(CopyError::Read)?;
            output.write_all(buffer.get(..length).unwrap_or_default()).map_err(CopyError::Write)?;
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
    for range in ranges {
        let Ok(mut buffer) = free.recv() else { return };
        let length = usize::try_from(range.end - range.start).unwrap_or_default();
        if buffer.len() < length {
            buffer.resize(length, 0);
        }
        let part = buffer.get_mut(..length).unwrap_or_default();
        let read = volume.read(Bytes(range.start), part).map(|()| length);
        let failed = read.is_err();
        if full.send((buffer, read)).is_err() || failed {
            return;
        }
    }
}
