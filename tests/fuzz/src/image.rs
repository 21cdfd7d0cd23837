//! Inputs as disks: sparse, of any size, with a serial number, several in one input.
//!
//! ```text
//! input  := disk { 0xff disk }
//! disk   := flags:u8 sectors:u32 [ serial: 20 bytes ] { piece }
//! piece  := side:u8 distance:u24 length:u16 bytes
//! ```
//! All numbers are little-endian. Flags: bit 0 sectors of 4096 bytes, bit 1 a serial number, bits 4 to 7 how far the size is
//! shifted. A piece is `distance` sectors of 512 bytes from the start (side 0), from the end (1), or from the place
//! in the middle (2). What ends early ends there.

use raid_meta::device::{Device, ReadAt};
use raid_meta::units::{Bytes, SectorSize};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

const SERIAL_BYTES: usize = 20;
const SECTOR: u64 = 512;
/// Disks of one input that are used.
const MAX_DISKS: usize = 8;

/// A disk that is zeros but for a few pieces.
#[derive(Clone, Debug, Default)]
pub struct Image {
    size: u64,
    has_large_sectors: bool,
    /// Serial number.
    pub serial: Option<String>,
    pieces: BTreeMap<u64, Vec<u8>>,
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self, length: usize) -> Option<u64> {
        Some(self.take(length)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

/// The disks of an input.
#[must_use]
pub fn images(input: &[u8]) -> Vec<Image> {
    let mut input = Input(input);
    let mut images = Vec::new();
    while images.len() < MAX_DISKS
        && let Some(image) = Image::decode(&mut input)
    {
        images.push(image);
    }
    images
}

impl Image {
    /// A blank disk.
    #[must_use]
    pub fn new(size: u64, sector_size: SectorSize, serial: Option<&str>) -> Self {
        let has_large_sectors = sector_size == SectorSize::B4096;
        Self { size, has_large_sectors, serial: serial.map(str::to_owned), pieces: BTreeMap::new() }
    }

    fn decode(input: &mut Input<'_>) -> Option<Self> {
        let flags = input.number(1)?;
        let sectors = input.number(4)? << (flags >> 4);
        let size = (sectors * SECTOR).saturating_add(flags >> 2 & 3);
        let serial = (flags & 2 != 0).then(|| input.take(SERIAL_BYTES)).flatten();
        let serial = serial.map(|text| String::from_utf8_lossy(text).trim_end_matches('\0').to_owned());
        let mut image = Self { size, has_large_sectors: flags & 1 != 0, serial, pieces: BTreeMap::new() };
        while let Some(side) = input.number(1).filter(|side| *side != 0xff) {
            let (Some(distance), Some(length)) = (input.number(3), input.number(2)) else { break };
            let length = usize::try_from(length).unwrap_or_default().min(input.0.len());
            let at = match side % 3 {
                0 => distance * SECTOR,
                1 => (size / SECTOR).saturating_sub(distance) * SECTOR,
                _ => (size / SECTOR / 2).saturating_add(distance) * SECTOR,
            };
            image.write(at, input.take(length).unwrap_or_default());
        }
        Some(image)
    }

    /// The input of which this is the disk. Pieces further than 2^24 sectors from either end are lost.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let sectors = self.size / SECTOR;
        let shift = (0..16).find(|shift| sectors >> shift <= u64::from(u32::MAX)).unwrap_or(15);
        let flags = u8::from(self.has_large_sectors) | u8::from(self.serial.is_some()) << 1 | shift << 4;
        let mut input = vec![flags];
        input.extend(&(sectors >> shift).to_le_bytes()[..4]);
        if let Some(serial) = &self.serial {
            let mut text = serial.as_bytes().to_vec();
            text.resize(SERIAL_BYTES, 0);
            input.extend(text);
        }
        for (at, bytes) in &self.pieces {
            let (first, behind) = (at / SECTOR, sectors.saturating_sub(at / SECTOR));
            let (side, distance) = if first <= behind { (0, first) } else { (1, behind) };
            for (number, part) in bytes.chunks(0xfe00).enumerate() {
                let moved = number as u64 * (0xfe00 / SECTOR);
                let distance = if side == 0 { distance + moved } else { distance - moved };
                input.push(side);
                input.extend(&distance.to_le_bytes()[..3]);
                input.extend(&(part.len() as u64).to_le_bytes()[..2]);
                input.extend(part);
            }
        }
        input
    }

    /// Writes over what is there.
    pub fn write(&mut self, at: u64, bytes: &[u8]) {
        let end = at.saturating_add(bytes.len() as u64);
        if bytes.is_empty() || at >= self.size {
            return;
        }
        // What overlaps is joined with it, so that pieces never do.
        let overlapping: Vec<u64> = self
            .pieces
            .range(..end)
            .filter(|(start, piece)| *start + piece.len() as u64 >= at)
            .map(|(start, _)| *start)
            .collect();
        let first = overlapping.first().map_or(at, |start| at.min(*start));
        let mut joined = Vec::new();
        for start in overlapping {
            if let Some(piece) = self.pieces.remove(&start) {
                lay(&mut joined, start - first, &piece);
            }
        }
        lay(&mut joined, at - first, bytes);
        self.pieces.insert(first, joined);
    }

    /// The device.
    #[must_use]
    pub fn device(self, name: &str) -> Device {
        let serial = self.serial.clone();
        Device::whole(Path::new(name), Arc::new(self)).with_serial(serial)
    }
}

/// Writes into a buffer, which grows as needed.
fn lay(buffer: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let at = usize::try_from(at).expect("pieces are in memory");
    buffer.resize(buffer.len().max(at + bytes.len()), 0);
    buffer[at..at + bytes.len()].copy_from_slice(bytes);
}

impl ReadAt for Image {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.size.saturating_sub(offset.0)).unwrap_or(usize::MAX);
        let length = rest.min(buffer.len());
        let buffer = &mut buffer[..length];
        buffer.fill(0);
        let end = offset.0 + length as u64;
        let mut before = self.pieces.range(..end).rev();
        while let Some((start, piece)) =
            before.next().filter(|(start, piece)| *start + piece.len() as u64 > offset.0)
        {
            let (from, to) = (offset.0.max(*start), end.min(start + piece.len() as u64));
            let index = |at: u64, base: u64| usize::try_from(at - base).expect("inside of a buffer");
            buffer[index(from, offset.0)..index(to, offset.0)]
                .copy_from_slice(&piece[index(from, *start)..index(to, *start)]);
        }
        Ok(length)
    }

    fn next_data(&self, offset: Bytes) -> io::Result<Option<(Bytes, Bytes)>> {
        let behind = |(start, piece): (&u64, &Vec<u8>)| (*start, *start + piece.len() as u64);
        let next = self.pieces.iter().map(behind).find(|(_, end)| *end > offset.0);
        Ok(next.map(|(start, end)| (Bytes(start.max(offset.0)), Bytes(end.min(self.size)))))
    }

    fn size(&self) -> Bytes {
        Bytes(self.size)
    }

    fn sector_size(&self) -> SectorSize {
        if self.has_large_sectors { SectorSize::B4096 } else { SectorSize::B512 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_comes_back_from_the_input_that_it_is_encoded_to() {
        let mut image = Image::new(1 << 40, SectorSize::B512, Some("SER1"));
        image.write(4096, &[1; 700]);
        image.write(4096 + 512, &[2; 100]);
        image.write((1 << 40) - 1024, &[3; 1024]);
        let decoded = images(&image.encode()).remove(0);
        assert_eq!((decoded.size, decoded.serial.as_deref()), (1 << 40, Some("SER1")));
        let mut buffer = [9; 1024];
        decoded.read_at(Bytes(4000), &mut buffer).unwrap();
        assert_eq!((buffer[95], buffer[96], buffer[96 + 512], buffer[96 + 700]), (0, 1, 2, 0));
        assert_eq!(decoded.read_at(Bytes((1 << 40) - 2), &mut buffer).unwrap(), 2);
        assert_eq!(buffer[0], 3);
        assert_eq!(decoded.next_data(Bytes(5000)).unwrap().map(|range| range.1.0 > 1 << 39), Some(true));
    }
}
