//! Sectors that are computed from the others of their stripe; and of those that are not, which may be yet, and why not.

use super::super::leg::bytes;
use super::column::{Column, State, Why};
use super::window::Window;
use super::{Effort, Origin, Part, Tier};
use crate::layout::{Content, Extent, Map, Row};
use crate::parity::{Recovery, Weighted, combine};
use raid_meta::units::{Sectors, Slot};

/// What was read of the members of a stripe.
#[derive(Default)]
pub(super) struct Scratch {
    columns: Vec<Loaded>,
    target: Vec<u8>,
}

/// A piece of a member.
#[derive(Default)]
struct Loaded {
    start: u64,
    bytes: Vec<u8>,
    origin: Option<Origin>,
}

/// Memory for the pieces of a stripe, over all members.
const SCRATCH_BYTES: u64 = 6 << 20;
/// Shortest and longest piece.
const PIECE_SECTORS: std::ops::RangeInclusive<u64> = 8..=1024;

/// Sectors of a stripe's member that are to be computed.
#[derive(Clone, Copy)]
struct Wanted {
    slot: Slot,
    /// First array sector.
    array: u64,
    /// First member sector.
    sector: u64,
    length: u64,
}

impl Part {
    /// Computes what parity gives.
    pub(super) fn recover(&mut self, window: &mut Window<'_>, tier: Tier, effort: Effort) {
        if window.is_settled() {
            return;
        }
        let slots = self.columns.len().max(1) as u64;
        let longest = (SCRATCH_BYTES / 512 / slots).clamp(*PIECE_SECTORS.start(), *PIECE_SECTORS.end());
        self.scratch.columns.resize_with(self.columns.len(), Loaded::default);
        self.scratch.columns.iter_mut().for_each(|loaded| loaded.origin = None);
        let map = self.map.clone();
        for extent in map.extents(Sectors(window.start), Sectors(window.sectors())) {
            let row = extent.stripe.and_then(|stripe| map.row(stripe));
            let Some((row, place)) = row.zip(extent.copies.first()) else { return };
            let mut done = 0;
            while done < extent.length.0 {
                let array = extent.array.0 + done;
                let (settled, run) = window.at(array, (extent.length.0 - done).min(longest));
                if settled.is_some() {
                    done += run.max(1);
                    continue;
                }
                let sector = place.sector.0 + done;
                let wanted = Wanted { slot: place.slot, array, sector, length: run.max(1) };
                done += self.recover_piece(&map, window, &row, wanted, tier, effort);
            }
        }
    }

    /// Computes the beginning of a piece, or finds that this is not possible; how much of it is dealt with.
    fn recover_piece(
        &mut self,
        map: &Map,
        window: &mut Window<'_>,
        row: &Row,
        wanted: Wanted,
        tier: Tier,
        effort: Effort,
    ) -> u64 {
        let mut wanted = wanted;
        if !tier.is_unsynchronised() {
            match self.parity_valid_below.checked_sub(wanted.sector).filter(|&valid| valid > 0) {
                None => return wanted.length,
                Some(valid) => wanted.length = wanted.length.min(valid),
            }
        }
        let mut usable = vec![false; self.columns.len()];
        for (column, usable) in self.columns.iter().zip(&mut usable) {
            let Some(column) = column else { continue };
            let (state, run) = column.state(wanted.sector, tier, effort);
            *usable = state == State::Usable;
            wanted.length = wanted.length.min(run.max(1));
        }
        let is_usable = |slot: Slot| usable.get(slot.index()) == Some(&true);
        let Ok(plan) = Recovery::plan(row, is_usable, wanted.slot) else { return wanted.length };
        // What turned out to be unreadable is known now, and the next attempt does without it.
        let Some(worst) = self.load(map, window, &plan, wanted, tier, effort) else { return 0 };
        self.combine(map, window, &plan, wanted);
        window.settle(wanted.array, wanted.length, tier.computed().max(worst));
        wanted.length
    }

    /// Reads what a recovery needs and the window does not hold. None when any of it can not be read.
    fn load(
        &mut self,
        map: &Map,
        window: &Window<'_>,
        plan: &Recovery,
        wanted: Wanted,
        tier: Tier,
        effort: Effort,
    ) -> Option<Origin> {
        let mut worst = Origin::Member;
        for &(slot, _) in plan.terms() {
            if held(map, window, slot, wanted).is_some() {
                continue;
            }
            let column = self.columns.get_mut(slot.index())?.as_mut()?;
            let loaded = self.scratch.columns.get_mut(slot.index())?;
            worst = worst.max(loaded.load(column, wanted, tier, effort)?);
        }
        Some(worst)
    }

    fn combine(&mut self, map: &Map, window: &mut Window<'_>, plan: &Recovery, wanted: Wanted) {
        let Scratch { columns, target } = &mut self.scratch;
        target.resize(bytes(wanted.length), 0);
        let term = |&(slot, weight): &(Slot, u8)| {
            let block = match held(map, window, slot, wanted) {
                Some(range) => window.buffer.get(range)?,
                None => columns.get(slot.index())?.part(wanted)?,
            };
            Some(Weighted { weight, block })
        };
        let terms: Vec<Weighted<'_>> = plan.terms().iter().filter_map(term).collect();
        combine(target, &terms);
        window.part(wanted.array, wanted.length).copy_from_slice(target);
    }

    /// Of what is not settled, marks what may be obtained with smaller requests.
    pub(super) fn defer(&self, window: &mut Window<'_>, tier: Tier) {
        if window.is_settled() {
            return;
        }
        for extent in self.map.extents(Sectors(window.start), Sectors(window.sectors())) {
            let mut done = 0;
            while done < extent.length.0 {
                let array = extent.array.0 + done;
                let (settled, run) = window.at(array, extent.length.0 - done);
                let (states, most) = self.states(&extent, done, tier, Effort::Quick);
                let run = run.min(most).max(1);
                let is_suspect = states.iter().any(|(_, state)| *state == Some(State::Suspect));
                if settled.is_none() && is_suspect {
                    window.settle(array, run, Origin::Later);
                }
                done += run;
            }
        }
    }

    /// The states of the members that a sector could come from, none for those that are missing, and how long they hold.
    fn states(
        &self,
        extent: &Extent,
        done: u64,
        tier: Tier,
        effort: Effort,
    ) -> (Vec<(usize, Option<State>)>, u64) {
        let mut shortest = u64::MAX;
        let mut state = |slot: usize, sector: u64| {
            let column = self.columns.get(slot).and_then(Option::as_ref);
            let (state, run) = match column.map(|column| column.state(sector, tier, effort)) {
                Some((state, run)) => (Some(state), run),
                None => (None, u64::MAX),
            };
            shortest = shortest.min(run);
            (slot, state)
        };
        let is_parity = extent.stripe.and_then(|stripe| self.map.row(stripe)).is_some();
        let states = match extent.copies.first().filter(|_| is_parity) {
            Some(place) => (0..self.columns.len()).map(|slot| state(slot, place.sector.0 + done)).collect(),
            None => {
                extent.copies.iter().map(|place| state(place.slot.index(), place.sector.0 + done)).collect()
            }
        };
        (states, shortest)
    }

    /// Why a sector is lost.
    pub(super) fn reason(&self, array: u64) -> String {
        let Some(extent) = self.map.extents(Sectors(array), Sectors(1)).next() else { return String::new() };
        let (states, _) = self.states(&extent, 0, Tier::LAST, Effort::Thorough);
        let stale =
            |slot: usize| self.columns.get(slot).and_then(Option::as_ref).is_some_and(|one| one.is_stale);
        let why = |(slot, state): (usize, Option<State>)| {
            let label = self.columns.get(slot).and_then(Option::as_ref).map(|column| &column.label);
            let label = label.map(|label| format!(" ({label})")).unwrap_or_default();
            match state {
                None => Some(format!("slot {slot} is missing")),
                Some(State::Unusable(why)) => Some(format!("slot {slot}{label} is {why}")),
                Some(_) if stale(slot) => Some(format!("slot {slot}{label} is {}", Why::Stale)),
                Some(_) => None,
            }
        };
        let mut reasons: Vec<String> = states.into_iter().filter_map(why).collect();
        let place = extent.copies.first().map_or(0, |place| place.sector.0);
        let is_parity = extent.stripe.and_then(|stripe| self.map.row(stripe)).is_some();
        if is_parity && place >= self.parity_valid_below {
            reasons.push("parity was not synchronised there".to_owned());
        }
        reasons.join(", ")
    }
}

impl Loaded {
    /// Reads the piece, unless it is there; how.
    fn load(&mut self, column: &mut Column, wanted: Wanted, tier: Tier, effort: Effort) -> Option<Origin> {
        if self.origin.is_none() || self.part(wanted).is_none() {
            self.start = wanted.sector;
            self.bytes.resize(bytes(wanted.length), 0);
            self.origin = None;
            self.origin = column.read(wanted.sector, &mut self.bytes, tier, effort);
        }
        self.origin
    }

    fn part(&self, wanted: Wanted) -> Option<&[u8]> {
        let first = bytes(wanted.sector.checked_sub(self.start)?);
        self.bytes.get(first..first.checked_add(bytes(wanted.length))?)
    }
}

/// Where the window holds what a slot has at the member sectors that are wanted.
fn held(map: &Map, window: &Window<'_>, slot: Slot, wanted: Wanted) -> Option<std::ops::Range<usize>> {
    match map.reverse(slot, Sectors(wanted.sector))? {
        Content::Data { array_sector, .. } => window.held(array_sector.0, wanted.length),
        Content::P { .. } | Content::Q { .. } => None,
    }
}
