//! Several images of one member: two runs of ddrescue over a dying disk, or the disk itself and what was saved of it before.
//!
//! A sector comes from the first image that has it, by its map, and from the next one where reading fails. Where several image
//! files have a sector they are compared, for what was read at different times, or through a disk that no longer tells the
//! truth, may differ. A block device is not read for that: it may be the one that is dying.

use raid_meta::device::ReadAt;
use raid_meta::rescue::Readable;
use raid_meta::units::{Bytes, SECTOR_BYTES, SECTOR_LENGTH, SectorSize, Sectors};
use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Sectors that differ which are counted.
const MAX_COUNTED: usize = 1 << 16;

/// One image of a member.
pub struct Image {
    /// The member's window of it.
    pub device: Arc<dyn ReadAt>,
    /// What of the whole image was read, by its map; without one, what can be read.
    pub readable: Option<Arc<Readable>>,
    /// Whether it is read only to be compared.
    pub is_compared: bool,
}

/// A member that is read from its images.
pub struct Images {
    images: Vec<Image>,
    /// Where the member's window begins on the whole device.
    start: Sectors,
    differing: Arc<Differing>,
}

/// Where images of a member differ.
#[derive(Debug, Default)]
pub struct Differing(Mutex<BTreeSet<u64>>);

impl Differing {
    /// Sectors that differ in what was read so far, and the first of them on the whole device. Of very many not all are
    /// counted.
    #[must_use]
    pub fn found(&self) -> (u64, Option<Sectors>) {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (found.len() as u64, found.first().copied().map(Sectors))
    }

    fn add(&self, sector: u64) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if found.len() < MAX_COUNTED {
            found.insert(sector);
        }
    }
}

impl Images {
    /// The images of a member, the one that is preferred first. `start` is where its window begins on the whole device;
    /// where they differ becomes known in `differing`.
    #[must_use]
    pub fn new(images: Vec<Image>, start: Sectors, differing: Arc<Differing>) -> Self {
        Self { images, start, differing }
    }

    /// What any of the images has, by the maps of all; none when one of them has no map.
    #[must_use]
    pub fn readable(&self) -> Option<Arc<Readable>> {
        let mut maps = self.images.iter().map(|image| image.readable.as_deref());
        let first = maps.next()??.clone();
        maps.try_fold(first, |all, map| map.map(|map| all.or(map))).map(Arc::new)
    }

    /// Reads whole sectors, for all of which the same images have what is wanted.
    fn read_run(&self, sector: u64, has: &[bool], buffer: &mut [u8]) -> io::Result<()> {
        let offset = Bytes(sector.saturating_mul(SECTOR_BYTES));
        if !has.contains(&true) {
            // By [`Images::readable`] it is not there: it lies between parts that are wanted, and is thrown away.
            buffer.fill(0);
            return Ok(());
        }
        let mut failure = io::Error::from(io::ErrorKind::NotFound);
        let mut having = self.images.iter().zip(has).filter(|(_, has)| **has).map(|(image, _)| image);
        for image in having.by_ref() {
            match image.device.read_exact_at(offset, buffer) {
                Ok(()) => {
                    having
                        .filter(|image| image.is_compared)
                        .for_each(|image| self.compare(image, sector, buffer));
                    return Ok(());
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Notes the sectors of which an image has something else.
    fn compare(&self, image: &Image, sector: u64, expected: &[u8]) {
        let mut found = vec![0; expected.len()];
        if image.device.read_exact_at(Bytes(sector.saturating_mul(SECTOR_BYTES)), &mut found).is_err() {
            return;
        }
        let pairs = found.chunks(SECTOR_LENGTH).zip(expected.chunks(SECTOR_LENGTH));
        let first = self.start.0.saturating_add(sector);
        (first..)
            .zip(pairs)
            .filter(|(_, (found, expected))| found != expected)
            .for_each(|(at, _)| self.differing.add(at));
    }

    /// Which images have a sector, and for how many sectors from there on that is so.
    fn having(&self, sector: u64) -> (Vec<bool>, u64) {
        let on_device = self.start.saturating_add(Sectors(sector));
        let at = |image: &Image| match &image.readable {
            Some(readable) => readable.at(on_device),
            None => (true, Sectors(u64::MAX)),
        };
        let states: Vec<(bool, Sectors)> = self.images.iter().map(at).collect();
        let run = states.iter().map(|(_, run)| run.0).min().unwrap_or(u64::MAX);
        (states.into_iter().map(|(has, _)| has).collect(), run.max(1))
    }
}

impl ReadAt for Images {
    /// What is read is whole sectors.
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted =
            usize::try_from(self.size().saturating_sub(offset).0).unwrap_or(usize::MAX).min(buffer.len());
        if !offset.0.is_multiple_of(SECTOR_BYTES) || !wanted.is_multiple_of(SECTOR_LENGTH) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut sector = offset.0 / SECTOR_BYTES;
        let mut rest = buffer.get_mut(..wanted).unwrap_or_default();
        while !rest.is_empty() {
            let (has, run) = self.having(sector);
            let length = usize::try_from(run.saturating_mul(SECTOR_BYTES)).unwrap_or(usize::MAX);
            let (now, after) = rest.split_at_mut(length.min(rest.len()));
            self.read_run(sector, &has, now)?;
            sector = sector.saturating_add(now.len() as u64 / SECTOR_BYTES);
            rest = after;
        }
        Ok(wanted)
    }

    fn size(&self) -> Bytes {
        self.images.first().map(|image| image.device.size()).unwrap_or_default()
    }

    fn sector_size(&self) -> SectorSize {
        self.images.first().map_or(SectorSize::B512, |image| image.device.sector_size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use raid_meta::device::SimDisk;

    fn map(text: &str) -> Option<Arc<Readable>> {
        Some(Arc::new(Readable::read("m", text.as_bytes(), 100).unwrap()))
    }

    #[test]
    fn a_sector_is_read_from_the_first_image_that_has_it_and_what_differs_is_known() {
        let [one, other] = [1, 2].map(|byte| Arc::new(SimDisk::holding(&[byte; 16 * SECTOR_LENGTH])));
        one.fail_reads(Bytes(5 * SECTOR_BYTES)..Bytes(6 * SECTOR_BYTES));
        let differing = Arc::<Differing>::default();
        // On the whole device the window begins at sector 8.
        let images = [
            Image {
                device: Arc::<SimDisk>::clone(&one),
                readable: map("0 +\n0 7168 +\n"),
                is_compared: true,
            },
            Image { device: other, readable: map("0 +\n6144 2048 +\n"), is_compared: true },
        ];
        let images = Images::new(images.into(), Sectors(8), Arc::clone(&differing));
        let mut buffer = [0; 8 * SECTOR_LENGTH];
        images.read_exact_at(Bytes(0), &mut buffer).unwrap();
        let first: Vec<u8> = buffer.chunks(SECTOR_LENGTH).map(|sector| sector[0]).collect();
        assert_eq!(first, [1, 1, 1, 1, 2, 2, 2, 2], "the run of four to six failed on the first image");
        assert_eq!(differing.found(), (0, None), "what could not be read does not differ");
        images.read_exact_at(Bytes(4 * SECTOR_BYTES), &mut buffer[..SECTOR_LENGTH]).unwrap();
        assert_eq!((buffer[0], differing.found()), (1, (1, Some(Sectors(12)))));
        images.read_exact_at(Bytes(7 * SECTOR_BYTES), &mut buffer[..2 * SECTOR_LENGTH]).unwrap();
        assert_eq!((buffer[0], buffer[SECTOR_LENGTH]), (2, 0), "nobody has the second");
        assert!(images.read_exact_at(Bytes(1), &mut buffer[..512]).is_err());
        let readable = images.readable().unwrap();
        assert_eq!(readable.at(Sectors(0)), (true, Sectors(16)));
        assert!(!readable.at(Sectors(16)).0);
    }
}
