//! Copies against each other: mirrors, and raid10, where a chunk's copies are at different sectors.

use super::Scrub;
use super::finding::{Finding, Repair, Segment, Unreadable};
use super::memory::Memory;
use super::stripes::PAGE_SECTORS;
use raid_meta::record::PlaceRole;
use raid_meta::units::{SECTOR_BYTES, SECTOR_LENGTH, Sectors, Slot};
use raid_table::layout::Extent;

/// One of the copies: which of them, its slot, and where it is.
#[derive(Clone, Copy)]
struct Copy {
    number: usize,
    slot: Slot,
    sector: u64,
}

impl Copy {
    fn role(self) -> PlaceRole {
        if self.number == 0 { PlaceRole::Data } else { PlaceRole::Copy }
    }
}

impl<'a> Scrub<'a> {
    /// Compares the array sectors `[start, end)`.
    pub(super) fn compare_copies(
        &self,
        start: u64,
        end: u64,
        memory: &mut Memory<'a>,
        segment: &mut Segment,
    ) {
        let most = memory.slice() as u64 / SECTOR_BYTES;
        let mut at = start;
        while at < end {
            let wide = Sectors(most.max(memory.view() as u64 / SECTOR_BYTES).min(end - at));
            let Some(extent) = self.columns.map().extents(Sectors(at), wide).next() else { return };
            let wide = self.run_of(&extent);
            let run = wide.min(most);
            if let Some(there) = self.copies_in_holes(&extent, run, memory) {
                segment.compared = segment.compared.saturating_add(Sectors(run * there));
                at += run;
            } else if let Some(seen) = self.copies_in_memory(&extent, wide, memory) {
                segment.append(seen);
                at += wide;
            } else {
                self.compare_extent(&extent, 0, run, memory, segment);
                at += run;
            }
        }
    }

    pub(super) fn copies_in_memory(
        &self,
        extent: &Extent,
        length: u64,
        memory: &mut Memory<'a>,
    ) -> Option<Segment> {
        let copies = self.trusted_copies(extent, 0);
        let place =
            |copy: &Copy| self.columns.in_file(copy.slot, Sectors(copy.sector), Sectors(length)).map(Some);
        let places: Vec<_> = copies.iter().map(place).collect::<Option<_>>()?;
        Self::compare_in_memory(&places, Sectors(length), memory, |parts, seen| {
            let there: Vec<(Copy, &[u8])> = copies.into_iter().zip(parts.iter().copied().flatten()).collect();
            self.vote(extent.array.0, length, &there, seen);
        })
    }

    /// The copies of an extent that may be believed, from so many sectors of it on.
    fn trusted_copies(&self, extent: &Extent, done: u64) -> Vec<Copy> {
        let places = (0..).zip(extent.copies.iter());
        let copies =
            places.map(|(number, place)| Copy { number, slot: place.slot, sector: place.sector.0 + done });
        copies.filter(|copy| self.columns.trust(copy.slot, Sectors(copy.sector)).0).collect()
    }

    /// Where two copies or more are trusted and all are holes, how many they are.
    fn copies_in_holes(&self, extent: &Extent, length: u64, memory: &mut Memory<'a>) -> Option<u64> {
        let mut there = 0;
        for place in extent.copies.iter().filter(|place| self.columns.trust(place.slot, place.sector).0) {
            if !memory.holes.has(&self.columns, place.slot, place.sector, Sectors(length)) {
                return None;
            }
            there += 1;
        }
        (there > 1).then_some(there)
    }

    /// For how many sectors of an extent the same copies may be believed.
    fn run_of(&self, extent: &Extent) -> u64 {
        let runs = extent.copies.iter().map(|place| self.columns.trust(place.slot, place.sector).1.0);
        runs.min().unwrap_or(u64::MAX).clamp(1, extent.length.0)
    }

    /// Compares sectors `[done, done + length)` of an extent. Where a copy can not be read, the halves are tried, down
    /// to a page.
    fn compare_extent(
        &self,
        extent: &Extent,
        done: u64,
        length: u64,
        memory: &mut Memory<'a>,
        segment: &mut Segment,
    ) {
        let trusted = self.trusted_copies(extent, done);
        let bytes = usize::try_from(length * SECTOR_BYTES).unwrap_or_default();
        let (mut read, mut failed) = (Vec::new(), Vec::new());
        for (copy, buffer) in trusted.iter().zip(memory.columns_mut(bytes)) {
            match self.columns.read(copy.slot, Sectors(copy.sector), buffer) {
                Ok(()) => read.push(true),
                Err(error) => {
                    read.push(false);
                    failed.push(Unreadable {
                        slot: copy.slot,
                        sector: Sectors(copy.sector),
                        length: Sectors(length),
                        reason: error.to_string(),
                    });
                }
            }
        }
        if !failed.is_empty() && length > PAGE_SECTORS {
            let half = (length / 2).next_multiple_of(PAGE_SECTORS).min(length - 1);
            self.compare_extent(extent, done, half, memory, segment);
            return self.compare_extent(extent, done + half, length - half, memory, segment);
        }
        failed.into_iter().for_each(|unreadable| segment.add_unreadable(unreadable));
        let columns = memory.columns(bytes);
        let there = trusted.iter().zip(columns).zip(&read).filter(|(_, read)| **read);
        let there: Vec<(Copy, &[u8])> = there.map(|((copy, bytes), _)| (*copy, bytes)).collect();
        self.vote(extent.array.0 + done, length, &there, segment);
    }

    fn vote(&self, array: u64, length: u64, copies: &[(Copy, &[u8])], segment: &mut Segment) {
        let sectors = Sectors(length * copies.len() as u64);
        let Some(((_, first), others)) = copies.split_first().filter(|(_, others)| !others.is_empty()) else {
            segment.unchecked = segment.unchecked.saturating_add(Sectors(length * self.width));
            return;
        };
        segment.compared = segment.compared.saturating_add(sectors);
        if others.iter().all(|(_, other)| other == first) {
            return;
        }
        for number in 0..length {
            let start = usize::try_from(number * SECTOR_BYTES).unwrap_or_default();
            let sector = |(copy, bytes): &(Copy, &'_ [u8])| {
                let bytes = bytes.get(start..start + SECTOR_LENGTH).unwrap_or_default().to_vec();
                (Copy { sector: copy.sector + number, ..*copy }, bytes)
            };
            let sector: Vec<(Copy, Vec<u8>)> = copies.iter().map(sector).collect();
            self.vote_sector(Sectors(array + number), &sector, segment);
        }
    }

    fn vote_sector(&self, array: Sectors, copies: &[(Copy, Vec<u8>)], segment: &mut Segment) {
        let like = |content: &[u8]| copies.iter().filter(|(_, other)| other == content).count();
        if copies.first().is_none_or(|(_, first)| like(first) == copies.len()) {
            return;
        }
        let differing = |content: &[u8]| -> Vec<(Copy, Repair)> {
            let others = copies.iter().filter(|(_, other)| other != content);
            let repair = |(copy, old): &(Copy, Vec<u8>)| {
                let sector = Sectors(copy.sector);
                (*copy, Repair { slot: copy.slot, sector, old: old.clone(), new: content.to_vec() })
            };
            others.map(repair).collect()
        };
        let majority =
            copies.iter().find(|(_, content)| like(content) * 2 > copies.len() && !self.is_beyond(array.0));
        let finding = |wrong, sector, repairs| Finding {
            stripe: None,
            wrong,
            sector,
            length: Sectors(1),
            array: vec![array],
            repairs,
        };
        if let Some((_, content)) = majority {
            for (copy, repair) in differing(content) {
                let wrong = Some((copy.slot, copy.role()));
                segment.add(finding(wrong, Some(Sectors(copy.sector)), vec![repair]));
            }
            return;
        }
        let trusted = self.options.trust_slot;
        let trusted = copies.iter().find(|(copy, _)| Some(copy.slot) == trusted);
        let repairs = trusted.map(|(_, content)| differing(content)).unwrap_or_default();
        let same = copies
            .iter()
            .all(|(copy, _)| copies.first().is_some_and(|(first, _)| first.sector == copy.sector));
        let sector = copies.first().filter(|_| same).map(|(copy, _)| Sectors(copy.sector));
        segment.add(finding(None, sector, repairs.into_iter().map(|(_, repair)| repair).collect()));
    }
}
