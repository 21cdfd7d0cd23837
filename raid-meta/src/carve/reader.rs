//! Reading all of a device once, in large pieces, past holes and past what can not be read.

use crate::device::{Device, DeviceError, ReadAt};
use crate::units::{Bytes, SECTOR_BYTES};
use std::io;

/// A piece: large enough that the calls cost nothing, small enough to stay in the cache of a core.
const PIECE: usize = 256 << 10;
/// What is given up at once where the device can not be read.
const UNREADABLE: usize = 4 << 10;

/// Gives each piece of the device to `look`, with its place, in order. Holes of a sparse file, which are zeros, are
/// left out. What can not be read is told once for each run of it.
pub(super) fn read_all(device: &Device, errors: &mut Vec<DeviceError>, mut look: impl FnMut(Bytes, &[u8])) {
    let mut reader = Reader { device, buffer: vec![0; PIECE], broken: None };
    let mut position = Bytes::ZERO;
    while let Some((start, end)) = next_data(device, position) {
        position = start;
        while position < end {
            position = reader.piece(position, end, errors, &mut look);
        }
    }
    errors.extend(reader.broken.take());
}

/// The next range that is not a hole, in whole sectors.
fn next_data(device: &Device, from: Bytes) -> Option<(Bytes, Bytes)> {
    let whole = device.length_sectors().to_bytes()?;
    if from >= whole {
        return None;
    }
    // A device that can not tell is read as a whole.
    let (start, end) = device.next_data(from).unwrap_or(Some((from, whole)))?;
    let start = Bytes(start.0 / SECTOR_BYTES * SECTOR_BYTES).max(from);
    let end = Bytes(end.0.checked_next_multiple_of(SECTOR_BYTES)?).min(whole);
    (start < end).then_some((start, end))
}

struct Reader<'a> {
    device: &'a Device,
    buffer: Vec<u8>,
    /// The run of unreadable bytes that the last read ended in.
    broken: Option<DeviceError>,
}

impl Reader<'_> {
    /// Reads one piece; where to go on.
    fn piece(
        &mut self,
        at: Bytes,
        end: Bytes,
        errors: &mut Vec<DeviceError>,
        look: &mut impl FnMut(Bytes, &[u8]),
    ) -> Bytes {
        // In the midst of a broken place, in small steps; the rest of a device in whole pieces.
        let largest = if self.broken.is_some() { UNREADABLE } else { PIECE };
        let rest = end.saturating_sub(at);
        let length = usize::try_from(rest.0).map_or(largest, |rest| rest.min(largest));
        match self.read(at, length) {
            Ok(0) => end,
            Ok(read) => {
                errors.extend(self.broken.take());
                look(at, self.buffer.get(..read).unwrap_or_default());
                at.saturating_add(Bytes(read as u64))
            }
            Err(_) if length > UNREADABLE => self.small_steps(at, length, errors, look),
            Err(error) => {
                self.give_up(at, length, error);
                at.saturating_add(Bytes(length as u64))
            }
        }
    }

    /// A piece that can not be read in one.
    fn small_steps(
        &mut self,
        at: Bytes,
        length: usize,
        errors: &mut Vec<DeviceError>,
        look: &mut impl FnMut(Bytes, &[u8]),
    ) -> Bytes {
        let end = at.saturating_add(Bytes(length as u64));
        let mut position = at;
        while position < end {
            let step = end.min(position.saturating_add(Bytes(UNREADABLE as u64)));
            position = self.piece(position, step, errors, look);
        }
        end
    }

    /// Reads whole sectors; none where the device ends early.
    fn read(&mut self, at: Bytes, length: usize) -> io::Result<usize> {
        let buffer = self.buffer.get_mut(..length).unwrap_or_default();
        self.device.read_at(at, buffer)
    }

    fn give_up(&mut self, at: Bytes, length: usize, error: io::Error) {
        let length = Bytes(length as u64);
        match &mut self.broken {
            Some(broken) => broken.length = broken.length.saturating_add(length),
            None => {
                self.broken = Some(DeviceError { device: self.device.label(), offset: at, length, error });
            }
        }
    }
}
