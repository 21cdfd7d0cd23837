//! What the member of one slot should hold, computed from the others: for a rebuild.
//!
//! In a parity level all of a stripe is at the same member sectors. So a range is read from the other members at the
//! same place, as few requests as can be, of each only the chunks that are needed: with one member of a raid6 gone, Q is
//! not read. In mirrors and raid10 every piece has its copy elsewhere. What can not be read or believed that way is
//! tried by every other way, down to the sector, and then refused.

use super::error::ReadError;
use super::holes::NextData;
use super::leg::{Piece, bytes};
use super::{Part, Volume};
use crate::layout::{Content, Extent, Place, Places, Role};
use crate::parity::{self, Recovery, Weighted};
use raid_meta::units::{SECTOR_BYTES, SECTOR_LENGTH, Sectors, Slot};
use std::ops::Range;

/// A gap up to this long between two chunks that are needed is read with them.
const MAX_GAP_SECTORS: u64 = 64;

/// Reads what a member should hold; see [`Volume::member`].
pub struct MemberReader<'a> {
    volume: &'a Volume,
    part: &'a Part,
    slot: Slot,
    /// By slot: what was read of the others.
    columns: Vec<Vec<u8>>,
    /// By slot: where they have holes.
    holes: Vec<NextData>,
}

/// A part of one chunk of the member, and how it follows from the others.
struct Chunk {
    /// Sectors of the member.
    range: Range<u64>,
    extent: Extent,
    /// None where too much is missing for it to be computed at once.
    recovery: Option<Recovery>,
}

impl Volume {
    /// What the member of a slot should hold, from the other members alone; what a member that is in the slot holds
    /// is not looked at where the volume was opened without it, which is how to open it for this. None while the array
    /// is reshaped, and for a slot that it has not.
    #[must_use]
    pub fn member(&self, slot: Slot) -> Option<MemberReader<'_>> {
        let [part] = self.parts.as_slice() else { return None };
        (slot.index() < part.legs.len()).then(|| {
            let columns = part.legs.iter().map(|_| Vec::new()).collect();
            let holes = vec![NextData::default(); part.legs.len()];
            MemberReader { volume: self, part, slot, columns, holes }
        })
    }
}

impl MemberReader<'_> {
    /// Sectors of the member that the array uses, from the start of its data.
    #[must_use]
    pub fn length(&self) -> Sectors {
        self.part.map.used(self.slot)
    }

    /// Fills a buffer of whole sectors with what the member should hold from a sector of its data on. Sectors that the
    /// array does not use are zeros.
    ///
    /// # Errors
    /// A sector that can not be had truly from the other members.
    pub fn read(&mut self, sector: Sectors, buffer: &mut [u8]) -> Result<(), ReadError> {
        if self.part.map.geometry().level.parities() == 0 {
            self.read_copies(sector.0, buffer)
        } else {
            self.read_stripes(sector.0, buffer)
        }
    }

    /// Reads one sector of each range in which some other member is known not to be believed: so much can be said before
    /// all is read.
    ///
    /// # Errors
    /// As [`MemberReader::read`].
    pub fn try_doubtful(&mut self) -> Result<(), ReadError> {
        let mut sector = [0; SECTOR_LENGTH];
        self.doubtful().into_iter().try_for_each(|start| self.read(Sectors(start), &mut sector))
    }

    fn doubtful(&self) -> Vec<u64> {
        let legs = (0..).map(Slot).zip(&self.part.legs);
        let legs = legs.filter_map(|(slot, leg)| Some((slot, leg.as_ref()?)));
        let starts = legs.flat_map(|(slot, leg)| leg.trust.starts().map(move |start| (slot, start)));
        let beside = starts.filter_map(|(slot, start)| self.beside(slot, start));
        let is_used = |start: &u64| *start < self.length().0;
        beside.chain([self.part.parity_valid_below]).filter(is_used).collect()
    }

    /// The sector of this member that holds what follows from a sector of another one, or its copy.
    fn beside(&self, slot: Slot, sector: u64) -> Option<u64> {
        let map = &self.part.map;
        if map.geometry().level.parities() > 0 {
            return Some(sector);
        }
        let Content::Data { array_sector, .. } = map.reverse(slot, Sectors(sector))? else { return None };
        let extent = map.extents(array_sector, Sectors(1)).next()?;
        let own = extent.copies.iter().find(|place| place.slot == self.slot);
        own.map(|place| place.sector.0)
    }

    fn read_copies(&mut self, start: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let mut direct: Vec<Vec<Piece<'_>>> = self.part.legs.iter().map(|_| Vec::new()).collect();
        let mut pending: Vec<(Extent, &mut [u8])> = Vec::new();
        let mut sector = start;
        let mut rest = buffer;
        while !rest.is_empty() {
            let (extent, length) = self.copies_at(sector, rest.len() as u64 / SECTOR_BYTES);
            let (now, after) = rest.split_at_mut(bytes(length));
            rest = after;
            sector += length;
            let Some(extent) = extent else {
                now.fill(0);
                continue;
            };
            match self.source(&extent).and_then(|place| Some((direct.get_mut(place.slot.index())?, place))) {
                Some((pieces, place)) => {
                    pieces.push(Piece { array: extent.array.0, sector: place.sector.0, buffer: now });
                }
                None => pending.push((extent, now)),
            }
        }
        let mut failed = Vec::new();
        for ((leg, pieces), next) in self.part.legs.iter().zip(direct).zip(&mut self.holes) {
            failed.extend(leg.as_ref().map(|leg| leg.gather_data(next, pieces)).unwrap_or_default());
        }
        pending.extend(failed.into_iter().filter_map(|piece| Some((self.extent_of(&piece)?, piece.buffer))));
        pending.into_iter().try_for_each(|(extent, buffer)| self.part.resolve(self.volume, &extent, buffer))
    }

    /// The piece of the array that begins at a sector of the member, at most `limit` sectors long, without the member's
    /// own copy. None for sectors that the array does not use.
    fn copies_at(&self, sector: u64, limit: u64) -> (Option<Extent>, u64) {
        let map = &self.part.map;
        let chunk = map.geometry().chunk.map_or(u64::MAX, |chunk| u64::from(chunk.get()));
        let Some(Content::Data { array_sector, .. }) = map.reverse(self.slot, Sectors(sector)) else {
            return (None, limit.min(chunk - sector % chunk));
        };
        let extent = map.extents(array_sector, Sectors(limit)).next().map(|extent| self.others(extent));
        let length = extent.as_ref().map_or(1, |extent| extent.length.0);
        (extent, length)
    }

    fn others(&self, extent: Extent) -> Extent {
        let mut copies = Places::default();
        extent.copies.iter().filter(|place| place.slot != self.slot).for_each(|&place| copies.push(place));
        Extent { copies, ..extent }
    }

    /// The first copy that is there and believed all over.
    fn source(&self, extent: &Extent) -> Option<Place> {
        let is_good = |place: &&Place| {
            let leg = self.part.leg(place.slot.index());
            leg.is_some_and(|leg| leg.trust.covers(place.sector.0, extent.length.0))
        };
        extent.copies.iter().find(is_good).copied()
    }

    fn extent_of(&self, piece: &Piece<'_>) -> Option<Extent> {
        let length = Sectors(piece.buffer.len() as u64 / SECTOR_BYTES);
        self.part.map.extents(Sectors(piece.array), length).next().map(|extent| self.others(extent))
    }

    fn read_stripes(&mut self, start: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let mut chunks = self.chunks(start, start + buffer.len() as u64 / SECTOR_BYTES);
        self.read_columns(start, &mut chunks, buffer.len());
        let part = |range: &Range<u64>| bytes(range.start - start)..bytes(range.end - start);
        for chunk in &chunks {
            let at = part(&chunk.range);
            let Some(target) = buffer.get_mut(at.clone()) else { continue };
            let Some(recovery) = &chunk.recovery else {
                if part_is_unused(chunk) {
                    target.fill(0);
                } else {
                    self.part.resolve(self.volume, &chunk.extent, target)?;
                }
                continue;
            };
            let term = |&(slot, weight): &(Slot, u8)| {
                let block = self.columns.get(slot.index())?.get(at.clone())?;
                Some(Weighted { weight, block })
            };
            let terms: Vec<Weighted<'_>> = recovery.terms().iter().filter_map(term).collect();
            parity::combine(target, &terms);
        }
        Ok(())
    }

    /// The chunks of a range of the member.
    fn chunks(&self, start: u64, end: u64) -> Vec<Chunk> {
        let size = self.part.map.geometry().chunk.map_or(1, |chunk| u64::from(chunk.get()));
        let mut chunks = Vec::new();
        let mut at = start;
        while at < end {
            let next = end.min((at / size + 1) * size);
            chunks.push(self.chunk(at / size, at..next));
            at = next;
        }
        chunks
    }

    fn chunk(&self, stripe: u64, range: Range<u64>) -> Chunk {
        let place = Place { slot: self.slot, sector: Sectors(range.start) };
        let length = range.end - range.start;
        let row = self.part.map.row(stripe);
        let extent = Extent {
            array: row.as_ref().map_or(Sectors::ZERO, |row| row.array_sector(place.sector)),
            length: Sectors(length),
            stripe: row.as_ref().map(|_| stripe),
            copies: Places::one(place),
        };
        let is_usable = |slot: Slot| {
            let leg = self.part.leg(slot.index());
            leg.is_some_and(|leg| leg.trust.covers(range.start, length))
        };
        let believed = row.filter(|row| {
            let is_parity = matches!(row.role(self.slot), Some(Role::P | Role::Q));
            is_parity || range.end <= self.part.parity_valid_below
        });
        let recovery = believed.and_then(|row| Recovery::plan(&row, is_usable, self.slot).ok());
        Chunk { range, extent, recovery }
    }

    /// Reads what the chunks need of each member. Those for which a read failed are left to be resolved one by one.
    fn read_columns(&mut self, start: u64, chunks: &mut [Chunk], length: usize) {
        let columns = self.part.legs.iter().zip(&mut self.columns).zip(&mut self.holes);
        for (index, ((leg, column), next)) in columns.enumerate() {
            let Some(leg) = leg else { continue };
            column.resize(length, 0);
            for run in runs(chunks, index) {
                let at = bytes(run.start - start)..bytes(run.end - start);
                let read =
                    column.get_mut(at).is_some_and(|part| leg.read_data(next, run.start, part).is_ok());
                if !read {
                    let is_hit = |chunk: &&mut Chunk| chunk.needs(index) && run.contains(&chunk.range.start);
                    chunks.iter_mut().filter(is_hit).for_each(|chunk| chunk.recovery = None);
                }
            }
        }
    }
}

impl Chunk {
    fn needs(&self, slot: usize) -> bool {
        let recovery = self.recovery.as_ref();
        recovery.is_some_and(|recovery| recovery.terms().iter().any(|(other, _)| other.index() == slot))
    }
}

/// Beyond the last whole stripe there is nothing.
fn part_is_unused(chunk: &Chunk) -> bool {
    chunk.extent.stripe.is_none()
}

/// The ranges of a member that chunks need, those that lie close together as one.
fn runs(chunks: &[Chunk], slot: usize) -> Vec<Range<u64>> {
    let mut runs: Vec<Range<u64>> = Vec::new();
    for chunk in chunks.iter().filter(|chunk| chunk.needs(slot)) {
        match runs.last_mut() {
            Some(last) if chunk.range.start - last.end <= MAX_GAP_SECTORS => last.end = chunk.range.end,
            _ => runs.push(chunk.range.clone()),
        }
    }
    runs
}
