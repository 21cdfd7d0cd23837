//! An assembled array in userspace, degraded too.
//!
//! A [`Volume`] is built from an `array` record and the devices that it names; metadata is not looked at. It
//! reads any range through the layout arithmetic. A member that is missing is computed from the others where the
//! level allows; a sector that the record says can not be believed (not rebuilt yet, in a bad-block list, past the
//! end of a truncated image, parity beyond the resync position) is treated as missing there. What can
//! not be read truly is refused, naming the range, never invented. A `Volume` can not write; a
//! [`WritableVolume`] can.

mod columns;
mod error;
mod holes;
mod leg;
mod member;
mod nested;
mod open;
mod read;
mod recover;
#[cfg(feature = "full")]
mod salvage;
#[cfg(test)]
mod tests;
mod trust;
mod write;

pub use columns::Columns;
pub use error::{OpenVolumeError, ReadError, WriteError};
pub use holes::{Holes, MemberHoles};
pub use member::MemberReader;
pub use open::{OpenOptions, Sources};
#[cfg(feature = "full")]
pub use salvage::{Effort, MemberSource, Obtained, Origin, Salvage, SalvageOptions, SalvageSources};
pub use write::{Targets, WritableVolume};

use crate::layout::Map;
use leg::Leg;
use raid_meta::device::ReadAt;
use raid_meta::record::SectorRange;
use raid_meta::units::{Bytes, SECTOR_BYTES, SECTOR_LENGTH, SectorSize, Sectors};
use std::io;

/// An array that can be read.
pub struct Volume {
    name: String,
    size: Sectors,
    /// What maps which part of the array: one, or two while a reshape is under way.
    parts: Vec<Part>,
    /// Array sectors that may be in neither geometry of a reshape.
    uncertain: Vec<SectorRange>,
    force: bool,
}

/// A range of the array with one geometry.
struct Part {
    /// Array sectors `[start, end)`.
    start: u64,
    end: u64,
    map: Map,
    /// By slot; none where the member is missing.
    legs: Vec<Option<Leg>>,
    /// Parity is valid below this member sector.
    parity_valid_below: u64,
}

impl Part {
    /// The member in a slot, if it is there.
    fn leg(&self, slot: usize) -> Option<&Leg> {
        self.legs.get(slot)?.as_ref()
    }

    /// Array bytes of a stripe with parity.
    fn stripe_bytes(&self) -> Option<usize> {
        let row = self.map.row(0)?;
        let chunk = self.map.geometry().chunk?;
        usize::try_from(chunk.get()).ok()?.checked_mul(SECTOR_LENGTH)?.checked_mul(row.data_slots() as usize)
    }
}

impl Volume {
    /// Name of the array.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Size of the array.
    #[must_use]
    pub fn size(&self) -> Sectors {
        self.size
    }

    /// How many bytes are best read together, from a multiple of it on: 512 KiB, which stays in a processor's own cache;
    /// where members are missing a stripe, so that what it lacks is computed from what is read of it anyway. At most
    /// `largest`.
    #[must_use]
    pub fn block_bytes(&self, largest: usize) -> usize {
        const USUAL: usize = 512 << 10;
        let lacking = self.parts.iter().filter(|part| part.legs.iter().any(Option::is_none));
        let stripe = lacking.filter_map(Part::stripe_bytes).max().unwrap_or(USUAL).max(1);
        let block = if stripe >= USUAL { stripe } else { USUAL.next_multiple_of(stripe) };
        block.min(largest)
    }

    /// Fills a buffer from any byte of the array on.
    ///
    /// # Errors
    /// The range is not inside the array, or part of it can not be read truly.
    pub fn read(&self, offset: Bytes, buffer: &mut [u8]) -> Result<(), ReadError> {
        let size = self.size.to_bytes().unwrap_or(Bytes::MAX);
        let end = offset.checked_add(Bytes(buffer.len() as u64));
        if end.is_none_or(|end| end > size) {
            return Err(ReadError::OutOfRange { offset, length: Bytes(buffer.len() as u64), size });
        }
        let (head, sector) = (offset.0 % SECTOR_BYTES, offset.0 / SECTOR_BYTES);
        if head == 0 && (buffer.len() as u64).is_multiple_of(SECTOR_BYTES) {
            return self.read_sectors(sector, buffer);
        }
        self.read_unaligned(sector, usize::try_from(head).unwrap_or_default(), buffer)
    }

    /// A range that begins or ends inside a sector: those sectors go through a small buffer.
    fn read_unaligned(&self, sector: u64, head: usize, buffer: &mut [u8]) -> Result<(), ReadError> {
        let mut sector = sector;
        let mut rest = buffer;
        if head > 0 {
            let length = rest.len().min(SECTOR_LENGTH - head);
            let (first, after) = rest.split_at_mut(length);
            self.read_part_of_sector(sector, head, first)?;
            sector += 1;
            rest = after;
        }
        let whole = rest.len() / SECTOR_LENGTH * SECTOR_LENGTH;
        let (middle, tail) = rest.split_at_mut(whole);
        self.read_sectors(sector, middle)?;
        self.read_part_of_sector(sector + (whole / SECTOR_LENGTH) as u64, 0, tail)
    }

    fn read_part_of_sector(&self, sector: u64, head: usize, buffer: &mut [u8]) -> Result<(), ReadError> {
        if buffer.is_empty() {
            return Ok(());
        }
        let mut whole = [0; SECTOR_LENGTH];
        self.read_sectors(sector, &mut whole)?;
        let length = buffer.len();
        buffer.copy_from_slice(&whole[head..head + length]);
        Ok(())
    }
}

/// Most sectors that are looked at for where a hole ends, when nobody says how many: a GiB.
const HOLE_SECTORS: Sectors = Sectors(1 << 21);

/// A volume is a device like any other: the member of a nested set, a disk to look for partitions on.
impl ReadAt for Volume {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = ReadAt::size(self).saturating_sub(offset).0;
        let length = usize::try_from(rest).map_or(buffer.len(), |rest| rest.min(buffer.len()));
        match buffer.get_mut(..length) {
            Some(part) if length > 0 => self.read(offset, part).map(|()| length).map_err(io::Error::other),
            _ => Ok(0),
        }
    }

    fn next_data(&self, offset: Bytes) -> io::Result<Option<(Bytes, Bytes)>> {
        let (start, mut holes) = (offset.whole_sectors(), self.holes());
        if start >= self.size {
            return Ok(None);
        }
        let end = start.saturating_add(HOLE_SECTORS).min(self.size);
        let (is_hole, edge) = self.hole(&mut holes, start, end);
        let bytes = |sectors: Sectors| sectors.to_bytes().unwrap_or(Bytes::MAX);
        Ok(match (is_hole, edge) {
            (true, edge) if edge == self.size => None,
            (true, edge) => Some((
                bytes(edge),
                bytes(self.hole(&mut holes, edge, end).1.max(edge.saturating_add(Sectors(1)))),
            )),
            (false, edge) => Some((offset, bytes(edge))),
        })
    }

    fn size(&self) -> Bytes {
        self.size.to_bytes().unwrap_or(Bytes::MAX)
    }

    fn sector_size(&self) -> SectorSize {
        SectorSize::B512
    }
}
