//! Where an array is known to be a hole: zeros that nobody needs to read.
//!
//! A hole of a sparse image reads as zeros. A sector of the array is in one where the member is that it would be read from,
//! or, where it would be computed, all members that it would be computed from. What is not known is no hole: what a
//! reshape was moving, what can not be read truly.

use super::leg::Leg;
use super::{Columns, Part, Volume};
use crate::layout::Extent;
use crate::parity::Recovery;
use raid_meta::units::{Sectors, Slot};

/// What is known of the holes of one member, so that the system is not asked again for every piece: that there is a hole
/// from the sector on that was asked for to `start`, and from there on data to `end`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NextData {
    asked: u64,
    start: u64,
    end: u64,
}

impl NextData {
    /// Whether a sector is in a hole, and for how many sectors from there on this is known.
    pub(super) fn at(&mut self, leg: &Leg, sector: u64) -> (bool, u64) {
        if !(self.asked..self.end).contains(&sector) {
            let (start, end) = leg.next_data(sector).unwrap_or((u64::MAX, u64::MAX));
            *self = Self { asked: sector, start, end };
        }
        match self.start.checked_sub(sector).filter(|&hole| hole > 0) {
            Some(hole) => (true, hole),
            None => (false, self.end.saturating_sub(sector).max(1)),
        }
    }

    /// Whether sectors are a hole, all of them.
    pub(super) fn is_hole(&mut self, leg: &Leg, sector: u64, length: u64) -> bool {
        let (is_hole, run) = self.at(leg, sector);
        is_hole && run >= length
    }
}

/// What is known of the holes of the members that are side by side; see [`Columns`].
#[derive(Clone, Debug)]
pub struct MemberHoles {
    /// By slot.
    next: Vec<NextData>,
}

impl MemberHoles {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        Self { next: vec![NextData::default(); slots] }
    }

    /// Whether sectors of a member's data are a hole.
    pub fn has(&mut self, columns: &Columns<'_>, slot: Slot, sector: Sectors, length: Sectors) -> bool {
        let leg = columns.leg(slot).zip(self.next.get_mut(slot.index()));
        leg.is_some_and(|(leg, next)| next.is_hole(leg, sector.0, length.0))
    }

    fn at(&mut self, leg: Option<&Leg>, slot: usize, sector: u64) -> (bool, u64) {
        leg.zip(self.next.get_mut(slot)).map_or((false, 1), |(leg, next)| next.at(leg, sector))
    }
}

/// What is known of the holes of an array.
#[derive(Clone, Debug)]
pub struct Holes {
    parts: Vec<MemberHoles>,
}

impl Holes {
    /// Forgets all but where data is. What was a hole a while ago may have been written since.
    pub fn forget(&mut self) {
        for next in self.parts.iter_mut().flat_map(|part| &mut part.next) {
            next.asked = next.start;
        }
    }
}

impl Volume {
    /// To ask [`Volume::hole`] with.
    #[must_use]
    pub fn holes(&self) -> Holes {
        Holes { parts: self.parts.iter().map(|part| MemberHoles::new(part.legs.len())).collect() }
    }

    /// Whether a sector is known to be in a hole, and up to which sector, `end` at most, the same is true. Takes longer the
    /// more chunks there are up to `end`.
    #[must_use]
    pub fn hole(&self, holes: &mut Holes, start: Sectors, end: Sectors) -> (bool, Sectors) {
        let (is_hole, run) = self.hole_at(holes, start.0, end.0);
        let mut at = start.0.saturating_add(run);
        while at < end.0 {
            let (same, run) = self.hole_at(holes, at, end.0);
            if same != is_hole {
                break;
            }
            at = at.saturating_add(run);
        }
        (is_hole, Sectors(at.min(end.0)))
    }

    fn hole_at(&self, holes: &mut Holes, at: u64, end: u64) -> (bool, u64) {
        let mut parts = self.parts.iter().zip(&mut holes.parts);
        let Some((part, holes)) = parts.find(|(part, _)| part.start <= at && at < part.end) else {
            return (false, u64::MAX);
        };
        let mut end = end.min(part.end);
        for range in &self.uncertain {
            let first = range.start_sectors.0;
            let last = range.start_sectors.saturating_add(range.length_sectors).0;
            if first <= at && at < last {
                return (false, last - at);
            }
            end = if at < first { end.min(first) } else { end };
        }
        part.hole_at(holes, at, end.saturating_sub(at).max(1))
    }
}

impl Part {
    fn hole_at(&self, holes: &mut MemberHoles, at: u64, limit: u64) -> (bool, u64) {
        let Some(extent) = self.map.extents(Sectors(at), Sectors(limit)).next() else {
            return (false, limit);
        };
        let (choice, run) = self.choose(&extent, 0);
        let run = run.min(extent.length.0).max(1);
        let (is_hole, known) = match choice {
            Some((slot, sector)) => holes.at(self.leg(slot), slot, sector),
            None => self.computed_hole(holes, &extent),
        };
        (is_hole, known.min(run))
    }

    /// The same of an extent that has to be computed.
    fn computed_hole(&self, holes: &mut MemberHoles, extent: &Extent) -> (bool, u64) {
        let row = extent.stripe.and_then(|stripe| self.map.row(stripe));
        let Some((row, place)) = row.zip(extent.copies.first()) else { return (false, u64::MAX) };
        let sector = place.sector.0;
        let Some(mut run) = self.parity_valid_below.checked_sub(sector).filter(|&valid| valid > 0) else {
            return (false, u64::MAX);
        };
        let mut is_usable = vec![false; self.legs.len()];
        for (leg, is_usable) in self.legs.iter().zip(&mut is_usable) {
            let Some(leg) = leg else { continue };
            let (distrust, trusted) = leg.trust.at(sector);
            *is_usable = distrust.is_none();
            run = run.min(trusted);
        }
        let is_usable = |slot: Slot| is_usable.get(slot.index()) == Some(&true);
        let Ok(plan) = Recovery::plan(&row, is_usable, place.slot) else { return (false, run) };
        for &(slot, _) in plan.terms() {
            let (is_hole, known) = holes.at(self.leg(slot.index()), slot.index(), sector);
            run = run.min(known);
            if !is_hole {
                return (false, run);
            }
        }
        (true, run)
    }
}
