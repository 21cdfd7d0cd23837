//! The range that is being read, and how each of its sectors was obtained.

use super::{Obtained, Origin};
use raid_meta::units::{SECTOR_LENGTH, Sectors};

/// A range of the array with its buffer.
pub(super) struct Window<'a> {
    /// First array sector.
    pub(super) start: u64,
    pub(super) buffer: &'a mut [u8],
    /// One for each sector; none while it is not settled.
    origin: Vec<Option<Origin>>,
    unsettled: usize,
}

impl<'a> Window<'a> {
    pub(super) fn new(start: u64, buffer: &'a mut [u8]) -> Self {
        let sectors = buffer.len() / SECTOR_LENGTH;
        Self { start, buffer, origin: vec![None; sectors], unsettled: sectors }
    }

    pub(super) fn sectors(&self) -> u64 {
        self.origin.len() as u64
    }

    pub(super) fn is_settled(&self) -> bool {
        self.unsettled == 0
    }

    fn place(&self, array: u64) -> usize {
        usize::try_from(array.saturating_sub(self.start)).unwrap_or(usize::MAX)
    }

    /// How a sector was obtained, and for how many of at most `most` sectors from there on the same is true.
    pub(super) fn at(&self, array: u64, most: u64) -> (Option<Origin>, u64) {
        let rest = self.origin.get(self.place(array)..).unwrap_or_default();
        let first = rest.first().copied().flatten();
        let same = rest.iter().take(usize::try_from(most).unwrap_or(usize::MAX));
        (first, same.take_while(|origin| **origin == first).count() as u64)
    }

    pub(super) fn settle(&mut self, array: u64, length: u64, origin: Origin) {
        let first = self.place(array);
        let last = first.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        for place in self.origin.get_mut(first..last).unwrap_or_default() {
            self.unsettled -= usize::from(place.is_none());
            *place = Some(origin);
        }
    }

    /// The bytes of sectors that were read from members as they are; none where any was not, or is outside.
    pub(super) fn held(&self, array: u64, length: u64) -> Option<std::ops::Range<usize>> {
        let first = usize::try_from(array.checked_sub(self.start)?).ok()?;
        let last = first.checked_add(usize::try_from(length).ok()?)?;
        let origin = self.origin.get(first..last)?;
        let is_held = origin.iter().all(|origin| *origin == Some(Origin::Member));
        is_held.then(|| first * SECTOR_LENGTH..last * SECTOR_LENGTH)
    }

    /// The buffer of some sectors.
    pub(super) fn part(&mut self, array: u64, length: u64) -> &mut [u8] {
        let first = self.place(array).saturating_mul(SECTOR_LENGTH);
        let last = first.saturating_add(super::super::leg::bytes(length));
        self.buffer.get_mut(first..last).unwrap_or_default()
    }

    /// Nothing in it is better than this.
    pub(super) fn mark_down(&mut self, best: Origin) {
        for origin in self.origin.iter_mut().flatten() {
            *origin = best.max(*origin);
        }
    }

    /// The runs of sectors that were obtained alike. What was not is lost, and what is not there is zeros.
    pub(super) fn finish(self, found: &mut Vec<Obtained>) {
        let mut at = self.start;
        let mut rest = self.buffer;
        for run in self.origin.chunk_by(|one, next| one == next) {
            let origin = run.first().copied().flatten().unwrap_or(Origin::Lost);
            let (now, after) = rest.split_at_mut(run.len() * SECTOR_LENGTH);
            rest = after;
            if !origin.is_obtained() {
                now.fill(0);
            }
            let length = run.len() as u64;
            match found.last_mut() {
                Some(last) if last.origin == origin => last.length.0 += length,
                _ => found.push(Obtained { start: Sectors(at), length: Sectors(length), origin }),
            }
            at += length;
        }
    }
}
