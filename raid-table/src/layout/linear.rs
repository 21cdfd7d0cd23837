//! linear: members one after the other.

use super::{Content, Extent, Family, Place, Places, slot};
use raid_meta::units::{ChunkSectors, Sectors};

/// Members in slot order, each rounded down to the chunk where there is one.
#[derive(Clone, Debug)]
pub(super) struct Linear {
    /// Array sector after each member.
    ends: Vec<u64>,
}

impl Linear {
    pub(super) fn new(lengths: &[Sectors], chunk: Option<ChunkSectors>) -> Self {
        let unit = chunk.map_or(1, |chunk| chunk.sectors().0);
        let ends = lengths.iter().scan(0, |end, length| {
            *end += length.0 / unit * unit;
            Some(*end)
        });
        Self { ends: ends.collect() }
    }

    /// First and last-plus-one array sector of a member.
    fn span(&self, number: usize) -> (u64, u64) {
        let end_of = |number: usize| self.ends.get(number).copied().unwrap_or_default();
        (number.checked_sub(1).map_or(0, end_of), end_of(number))
    }
}

impl Family for Linear {
    fn capacity(&self) -> u64 {
        self.ends.last().copied().unwrap_or_default()
    }

    fn extent(&self, at: u64, limit: u64) -> Extent {
        let number = self.ends.partition_point(|&end| end <= at);
        let (start, end) = self.span(number);
        let place = Place { slot: slot(number as u64), sector: Sectors(at - start) };
        Extent {
            array: Sectors(at),
            length: Sectors(limit.min(end - at)),
            stripe: None,
            copies: Places::one(place),
        }
    }

    fn reverse(&self, slot: u64, sector: u64) -> Option<Content> {
        let (start, end) = self.span(usize::try_from(slot).ok()?);
        (sector < end - start).then(|| Content::Data { array_sector: Sectors(start + sector), copy: 0 })
    }

    fn used(&self, slot: u64) -> u64 {
        usize::try_from(slot).map_or(0, |number| {
            let (start, end) = self.span(number);
            end - start
        })
    }
}
