//! The way of the data: extents to pieces, pieces to requests, and what to do when one fails.

use super::error::ReadError;
use super::leg::{Piece, bytes};
use super::{Part, Volume};
use raid_meta::units::{SECTOR_BYTES, Sectors};
use std::ops::Range;

impl Volume {
    /// Fills a buffer of whole sectors.
    pub(super) fn read_sectors(&self, sector: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let mut sector = sector;
        let mut rest = buffer;
        for part in &self.parts {
            let length = part.end.saturating_sub(sector.max(part.start));
            if rest.is_empty() || sector < part.start || length == 0 {
                continue;
            }
            let length = bytes(length).min(rest.len());
            let (now, after) = rest.split_at_mut(length);
            self.refuse_uncertain(sector, (length as u64) / SECTOR_BYTES)?;
            part.read(self, sector, now)?;
            sector += (length as u64) / SECTOR_BYTES;
            rest = after;
        }
        Ok(())
    }

    fn refuse_uncertain(&self, start: u64, length: u64) -> Result<(), ReadError> {
        if self.force {
            return Ok(());
        }
        let end = start + length;
        let hit = self.uncertain.iter().find_map(|range| {
            let (first, last) =
                (range.start_sectors.0, range.start_sectors.saturating_add(range.length_sectors).0);
            (first < end && start < last).then(|| (first.max(start), last.min(end)))
        });
        match hit {
            None => Ok(()),
            Some((first, last)) => {
                let reason = "was being moved by a reshape and may be in neither geometry";
                Err(self.untrusted(first, last - first, reason.to_owned()))
            }
        }
    }

    pub(super) fn untrusted(&self, start: u64, length: u64, reason: String) -> ReadError {
        let (start, length) = (Sectors(start), Sectors(length));
        ReadError::Untrusted { name: self.name.clone(), start, length, reason }
    }

    pub(super) fn force(&self) -> bool {
        self.force
    }

    pub(super) fn io_error(&self, start: u64, length: u64, device: &str, error: std::io::Error) -> ReadError {
        ReadError::Io {
            name: self.name.clone(),
            start: Sectors(start),
            length: Sectors(length),
            device: device.to_owned(),
            error,
        }
    }
}

impl Part {
    /// Fills a buffer of whole sectors that lies inside the part.
    pub(super) fn read(&self, volume: &Volume, sector: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let lost = self.read_direct(sector, buffer);
        self.recover(volume, sector, buffer, &lost)
    }

    /// Fills what trusted members hold as it is. Gives back the ranges of array sectors that are left, in order.
    fn read_direct(&self, sector: u64, buffer: &mut [u8]) -> Vec<Range<u64>> {
        let mut direct: Vec<Vec<Piece<'_>>> = self.legs.iter().map(|_| Vec::new()).collect();
        let mut lost = self.plan(sector, buffer, &mut direct);
        for (leg, pieces) in self.legs.iter().zip(direct) {
            let Some(leg) = leg else { continue };
            lost.extend(leg.gather(pieces).iter().map(Piece::array_range));
        }
        lost.sort_by_key(|range| range.start);
        lost
    }

    /// Cuts a range into pieces by member; gives back the ranges that no member can be trusted with.
    fn plan<'a>(&self, sector: u64, buffer: &'a mut [u8], direct: &mut [Vec<Piece<'a>>]) -> Vec<Range<u64>> {
        let mut lost = Vec::new();
        let mut rest = buffer;
        let length = rest.len() as u64 / SECTOR_BYTES;
        for extent in self.map.extents(Sectors(sector), Sectors(length)) {
            let mut done = 0;
            while done < extent.length.0 {
                let (choice, run) = self.choose(&extent, done);
                let run = run.min(extent.length.0 - done);
                let (now, after) = std::mem::take(&mut rest).split_at_mut(bytes(run));
                rest = after;
                let array = extent.array.0 + done;
                match choice.and_then(|(slot, sector)| Some((direct.get_mut(slot)?, sector))) {
                    Some((pieces, sector)) => pieces.push(Piece { array, sector, buffer: now }),
                    None => lost.push(array..array + run),
                }
                done += run;
            }
        }
        lost
    }

    /// The first copy that is there and trusted `done` sectors into an extent, and for how long this holds.
    pub(super) fn choose(&self, extent: &crate::layout::Extent, done: u64) -> (Option<(usize, u64)>, u64) {
        let mut shortest = u64::MAX;
        for place in &extent.copies {
            let Some(leg) = self.leg(place.slot.index()) else { continue };
            let sector = place.sector.0 + done;
            let (distrust, run) = leg.trust.at(sector);
            shortest = shortest.min(run);
            if distrust.is_none() {
                return (Some((place.slot.index(), sector)), shortest);
            }
        }
        (None, shortest)
    }
}
