//! Inputs as disks: sparse, of any size, with a serial number, several in one input.
//!
//! ```text
//! input  := disk { 0xff disk }
//! disk   := flags:u8 sectors:u32 [ serial: 20 bytes ] { piece }
//! piece  := side:u8 distance:u24 length:u16 bytes      side 0, 1, 2
//!         | side:u8 distance:u24 length:u16 byte       side 3, 4, 5: as many sectors of that byte
//! ```
//! All numbers are little-endian. Flags: bit 0 sectors of 4096 bytes, bit 1 a serial number, bits 2 and 3 bytes behind
//! the last whole sector, bits 4 to 7 how far the size is shifted. A piece is `distance` sectors of 512 bytes from the
//! start (side 0), from the end (1), or from the place in the middle (2). What ends early ends there.

use raid_meta::device::{Device, ReadAt};
use raid_meta::units::{Bytes, SectorSize};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const SERIAL_BYTES: usize = 20;
const SECTOR: usize = 512;
const SECTOR_BYTES: u64 = 512;
/// What separates disks.
const NEXT_DISK: u8 = 0xff;
/// Disks of one input that are used.
const MAX_DISKS: usize = 8;
/// Sectors that all fills of a disk have together: a small input is not to be a large disk.
const MAX_FILLED: u64 = 4096;
/// Sectors of a piece at most.
const MAX_PIECE: usize = 127;
/// What a read counts for beside its bytes.
const READ_COST: u64 = 512;

/// A disk that is zeros but for a few sectors.
#[derive(Clone, Debug, Default)]
pub struct Image {
    size: u64,
    has_large_sectors: bool,
    /// Serial number.
    pub serial: Option<String>,
    sectors: BTreeMap<u64, [u8; SECTOR]>,
    read: Arc<AtomicU64>,
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

    fn at_most(&mut self, length: u64) -> &'a [u8] {
        let length = usize::try_from(length).unwrap_or_default().min(self.0.len());
        self.take(length).unwrap_or_default()
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

/// The input of which these are the disks.
#[must_use]
pub fn input(images: &[Image]) -> Vec<u8> {
    images.iter().map(Image::encode).collect::<Vec<_>>().join(&NEXT_DISK)
}

impl Image {
    /// A blank disk.
    #[must_use]
    pub fn new(size: u64, sector_size: SectorSize, serial: Option<&str>) -> Self {
        let has_large_sectors = sector_size == SectorSize::B4096;
        Self { size, has_large_sectors, serial: serial.map(str::to_owned), ..Self::default() }
    }

    /// The same disk with nothing on it.
    #[must_use]
    pub fn blank(&self) -> Self {
        Self { sectors: BTreeMap::new(), read: Arc::default(), ..self.clone() }
    }

    fn decode(input: &mut Input<'_>) -> Option<Self> {
        let flags = input.number(1)?;
        let size = (input.number(4)? << (flags >> 4)) * SECTOR_BYTES + (flags >> 2 & 3);
        let serial = (flags & 2 != 0).then(|| input.take(SERIAL_BYTES)).flatten();
        let serial = serial.map(|text| String::from_utf8_lossy(text).trim_end_matches('\0').to_owned());
        let mut image = Self { size, has_large_sectors: flags & 1 != 0, serial, ..Self::default() };
        let mut filled = 0;
        while let Some(side) = input.number(1).filter(|side| *side != u64::from(NEXT_DISK)) {
            let (Some(distance), Some(length)) = (input.number(3), input.number(2)) else { break };
            let at = image.place(side, distance);
            if side % 6 < 3 {
                image.write(at, input.at_most(length));
            } else if let Some(&[byte]) = input.take(1) {
                let length = length.min(MAX_FILLED - filled);
                filled += length;
                (0..length).for_each(|sector| image.write(at + sector * SECTOR_BYTES, &[byte; SECTOR]));
            }
        }
        Some(image)
    }

    fn place(&self, side: u64, distance: u64) -> u64 {
        let sectors = self.size / SECTOR_BYTES;
        SECTOR_BYTES
            * match side % 3 {
                0 => distance,
                1 => sectors.saturating_sub(distance),
                _ => sectors / 2 + distance,
            }
    }

    /// The input of which this is the disk. Pieces further than 2^24 sectors from either end are lost, and the rest of a
    /// serial number that is longer than 20 bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (sectors, rest) = (self.size / SECTOR_BYTES, self.size % SECTOR_BYTES);
        let shift = (0..16).find(|shift| sectors >> shift <= u64::from(u32::MAX)).unwrap_or(15);
        let rest = u8::try_from(rest & 3).unwrap_or_default();
        let flags =
            u8::from(self.has_large_sectors) | u8::from(self.serial.is_some()) << 1 | rest << 2 | shift << 4;
        let mut input = vec![flags];
        input.extend(&(sectors >> shift).to_le_bytes()[..4]);
        if let Some(serial) = &self.serial {
            let mut text = serial.as_bytes().to_vec();
            text.resize(SERIAL_BYTES, 0);
            input.extend(text);
        }
        for (first, run) in self.runs() {
            let behind = sectors.saturating_sub(first);
            let (side, distance) = if first <= behind { (0, first) } else { (1, behind) };
            let filled = run.first().and_then(|sector| filled_with(sector)).filter(|_| run.len() > 1);
            input.push(if filled.is_some() { side + 3 } else { side });
            input.extend(&distance.to_le_bytes()[..3]);
            match filled {
                Some(byte) => {
                    input.extend(&(run.len() as u64).to_le_bytes()[..2]);
                    input.push(byte);
                }
                None => {
                    input.extend(&((run.len() * SECTOR) as u64).to_le_bytes()[..2]);
                    run.iter().for_each(|sector| input.extend(*sector));
                }
            }
        }
        input
    }

    /// The sectors that are not zeros, as pieces: several of one byte, or of any bytes.
    fn runs(&self) -> Vec<(u64, Vec<&[u8; SECTOR]>)> {
        let mut runs: Vec<(u64, Vec<&[u8; SECTOR]>)> = Vec::new();
        for (number, sector) in self.sectors.iter().filter(|(_, sector)| **sector != [0; SECTOR]) {
            let goes_on = |run: &&mut (u64, Vec<&[u8; SECTOR]>)| {
                let last = run.1.last().copied();
                let same_kind = match filled_with(sector) {
                    Some(_) => last == Some(sector),
                    None => last.is_some_and(|last| filled_with(last).is_none()) && run.1.len() < MAX_PIECE,
                };
                run.0 + run.1.len() as u64 == *number && same_kind
            };
            match runs.last_mut().filter(goes_on) {
                Some(run) => run.1.push(sector),
                None => runs.push((*number, vec![sector])),
            }
        }
        runs
    }

    /// Writes over what is there; what is past the end is not written.
    pub fn write(&mut self, at: u64, bytes: &[u8]) {
        let length = self.size.saturating_sub(at).min(bytes.len() as u64);
        let mut rest = bytes.get(..usize::try_from(length).unwrap_or_default()).unwrap_or_default();
        let mut at = at;
        while !rest.is_empty() {
            let within = usize::try_from(at % SECTOR_BYTES).unwrap_or_default();
            let (now, later) = rest.split_at(rest.len().min(SECTOR - within));
            let sector = self.sectors.entry(at / SECTOR_BYTES).or_insert([0; SECTOR]);
            sector[within..within + now.len()].copy_from_slice(now);
            at += now.len() as u64;
            rest = later;
        }
    }

    /// What was read so far from the disk and all its clones: bytes, and something for each read.
    #[must_use]
    pub fn read_so_far(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// The device.
    #[must_use]
    pub fn device(self, name: &str) -> Device {
        let serial = self.serial.clone();
        Device::whole(Path::new(name), Arc::new(self)).with_serial(serial)
    }
}

/// The byte that all of a sector is.
fn filled_with(sector: &[u8; SECTOR]) -> Option<u8> {
    sector.iter().all(|byte| *byte == sector[0]).then_some(sector[0])
}

impl ReadAt for Image {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.size.saturating_sub(offset.0)).unwrap_or(usize::MAX);
        let length = rest.min(buffer.len());
        self.read.fetch_add(length as u64 + READ_COST, Ordering::Relaxed);
        let buffer = &mut buffer[..length];
        buffer.fill(0);
        let end = offset.0 + length as u64;
        for (number, sector) in self.sectors.range(offset.0 / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES)) {
            let start = number * SECTOR_BYTES;
            let (from, to) = (offset.0.max(start), end.min(start + SECTOR_BYTES));
            let index = |at: u64, base: u64| usize::try_from(at - base).expect("inside of a buffer");
            buffer[index(from, offset.0)..index(to, offset.0)]
                .copy_from_slice(&sector[index(from, start)..index(to, start)]);
        }
        Ok(length)
    }

    fn next_data(&self, offset: Bytes) -> io::Result<Option<(Bytes, Bytes)>> {
        let mut after = self.sectors.range(offset.0 / SECTOR_BYTES..).map(|(number, _)| *number);
        let Some(first) = after.next() else { return Ok(None) };
        let run = after.zip(first + 1..).take_while(|(number, expected)| number == expected).count() as u64;
        let end = ((first + 1 + run) * SECTOR_BYTES).min(self.size);
        let start = (first * SECTOR_BYTES).max(offset.0);
        Ok((start < end).then_some((Bytes(start), Bytes(end))))
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
        let mut image = Image::new((1 << 40) + 3, SectorSize::B512, Some("SER1"));
        image.write(4096, &[1; 700]);
        image.write(4096 + 512, &[2; 100]);
        image.write(8192, &[0xff; 5000]);
        image.write((1 << 40) - 1024, &[3; 1024]);
        let input = image.encode();
        assert!(input.len() < 3000, "{} bytes: what is of one byte is not written out", input.len());
        let decoded = images(&input).remove(0);
        assert_eq!((decoded.size, decoded.serial.as_deref()), (image.size, Some("SER1")));
        assert_eq!(decoded.sectors, image.sectors);
    }

    #[test]
    fn a_disk_reads_as_it_was_written_and_zeros_elsewhere() {
        let mut image = Image::new(10_000, SectorSize::B512, None);
        image.write(4096, &[1; 700]);
        image.write(9_999, &[3; 1024]);
        let mut buffer = [9; 1024];
        assert_eq!(image.read_at(Bytes(4000), &mut buffer).unwrap(), 1024);
        assert_eq!((buffer[95], buffer[96], buffer[96 + 699], buffer[96 + 700]), (0, 1, 1, 0));
        assert_eq!(image.read_at(Bytes(9_998), &mut buffer).unwrap(), 2);
        assert_eq!(buffer[..2], [0, 3]);
        assert_eq!(image.next_data(Bytes(4100)).unwrap(), Some((Bytes(4100), Bytes(5120))));
        assert_eq!(image.next_data(Bytes(5120)).unwrap(), Some((Bytes(9728), Bytes(10_000))));
        assert_eq!(image.next_data(Bytes(10_000)).unwrap(), None);
    }
}
