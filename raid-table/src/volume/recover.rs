//! Ranges that no trusted member holds as they are: computed from the other members, piece by piece.
//!
//! A piece lies in one stripe. What it is computed from was often just read for the same request, the rest of its
//! stripe; only what is not in the buffer, the parity for one, is read for it. Where that does not do, because a member can
//! not be read, each piece is tried by every way there is, then its halves, down to the sector.

use super::error::ReadError;
use super::leg::{Leg, bytes};
use super::{Part, Volume};
use crate::layout::{Extent, Role, Row};
use crate::parity::{self, Recovery, Weighted};
use raid_meta::units::{SECTOR_BYTES, SECTOR_LENGTH, Sectors, Slot};
use std::ops::Range;

/// Scratch memory for what is read beside the request, over all members.
const SCRATCH_BYTES: u64 = 1 << 20;
/// Shortest and longest piece.
const PIECE_SECTORS: std::ops::RangeInclusive<u64> = 8..=256;

/// The buffer of a request, and what of it is not filled yet.
struct Filled<'a> {
    /// First array sector.
    start: u64,
    buffer: &'a mut [u8],
    /// Array sectors that could not be read as they are, in order.
    lost: &'a [Range<u64>],
    scratch: Vec<u8>,
}

impl Filled<'_> {
    /// Where array sectors are in the buffer; none unless all of them were read.
    fn held(&self, array: u64, length: u64) -> Option<Range<usize>> {
        let from = bytes(array.checked_sub(self.start)?);
        let range = from..from.checked_add(bytes(length))?;
        let next = self.lost.partition_point(|lost| lost.end <= array);
        let is_lost = self.lost.get(next).is_some_and(|lost| lost.start < array + length);
        (range.end <= self.buffer.len() && !is_lost).then_some(range)
    }

    /// The part of the buffer that takes an extent.
    fn target(&mut self, extent: &Extent) -> &mut [u8] {
        let from = bytes(extent.array.0.saturating_sub(self.start));
        self.buffer.get_mut(from..from + bytes(extent.length.0)).unwrap_or_default()
    }
}

/// What was read of each member over a range; none where it is missing, unreadable or not trusted.
struct Window {
    start: u64,
    columns: Vec<Option<Vec<u8>>>,
}

impl Window {
    /// The columns over part of the window.
    fn slices(&self, start: u64, end: u64) -> Vec<Option<&[u8]>> {
        let range = bytes(start - self.start)..bytes(end - self.start);
        self.columns.iter().map(|column| column.as_ref()?.get(range.clone())).collect()
    }
}

impl Part {
    /// Recovers ranges of array sectors into the buffer of a request that begins at `start`.
    pub(super) fn recover(
        &self,
        volume: &Volume,
        start: u64,
        buffer: &mut [u8],
        lost: &[Range<u64>],
    ) -> Result<(), ReadError> {
        let mut filled = Filled { start, buffer, lost, scratch: Vec::new() };
        let slots = self.legs.len().max(1) as u64;
        let limit = SCRATCH_BYTES / SECTOR_BYTES / slots / PIECE_SECTORS.start() * PIECE_SECTORS.start();
        let limit = limit.clamp(*PIECE_SECTORS.start(), *PIECE_SECTORS.end());
        for range in lost {
            let mut at = range.start;
            while at < range.end {
                let wanted = Sectors((range.end - at).min(limit));
                let Some(extent) = self.map.extents(Sectors(at), wanted).next() else { break };
                if !self.compute_beside(&mut filled, &extent) {
                    self.resolve(volume, &extent, filled.target(&extent))?;
                }
                at += extent.length.0;
            }
        }
        Ok(())
    }

    /// Computes a piece from what is in the buffer and what is read for it; whether that was possible.
    fn compute_beside(&self, filled: &mut Filled<'_>, extent: &Extent) -> bool {
        let Some(place) = extent.copies.first() else { return false };
        let Some(row) = extent.stripe.and_then(|stripe| self.map.row(stripe)) else { return false };
        let (from, length) = (place.sector.0, extent.length.0);
        let usable = |slot: Slot| {
            let leg = self.leg(slot.index());
            leg.is_some_and(|leg| leg.trust.covers(from, length))
        };
        if from + length > self.parity_valid_below {
            return false;
        }
        let Ok(plan) = Recovery::plan(&row, usable, place.slot) else { return false };
        let places = plan.terms().iter().map(|&(slot, _)| self.held(filled, &row, slot, from, length));
        let places: Vec<Option<Range<usize>>> = places.collect();
        let beside = places.iter().filter(|place| place.is_none()).count();
        if filled.scratch.len() < beside * bytes(length) {
            filled.scratch.resize(beside * bytes(length), 0);
        }
        let blocks = filled.scratch.chunks_exact_mut(bytes(length));
        let missing = plan.terms().iter().zip(&places).filter(|(_, place)| place.is_none());
        for (block, (&(slot, _), _)) in blocks.zip(missing) {
            let leg = self.leg(slot.index());
            if leg.is_none_or(|leg| leg.read(from, block).is_err()) {
                return false;
            }
        }
        combine_within(filled, extent, plan.terms(), &places);
        true
    }

    /// Where a block of a stripe is in the buffer of the request.
    fn held(
        &self,
        filled: &Filled<'_>,
        row: &Row,
        slot: Slot,
        sector: u64,
        length: u64,
    ) -> Option<Range<usize>> {
        let Some(Role::Data { index, .. }) = row.role(slot) else { return None };
        let chunk = u64::from(self.map.geometry().chunk?.get());
        filled.held(row.array_sector(Sectors(sector)).0 + u64::from(index) * chunk, length)
    }

    fn read_window(&self, start: u64, end: u64, force: bool) -> Window {
        let column = |leg: &Option<Leg>| {
            let leg = leg.as_ref().filter(|leg| force || leg.trust.covers(start, end - start))?;
            let mut buffer = vec![0; bytes(end - start)];
            leg.read(start, &mut buffer).ok().map(|()| buffer)
        };
        Window { start, columns: self.legs.iter().map(column).collect() }
    }

    /// Computes a piece of one stripe from a window; whether that was possible.
    fn compute(&self, window: &Window, extent: &Extent, buffer: &mut [u8], force: bool) -> bool {
        let Some(place) = extent.copies.first() else { return false };
        let Some(row) = extent.stripe.and_then(|stripe| self.map.row(stripe)) else { return false };
        let end = place.sector.0 + extent.length.0;
        if end > self.parity_valid_below && !force {
            return false;
        }
        parity::recover(&row, &window.slices(place.sector.0, end), place.slot, buffer).is_ok()
    }

    /// Reads a piece by every way there is: another copy, parity, each half of it alone, and with force what is
    /// not trusted.
    pub(super) fn resolve(
        &self,
        volume: &Volume,
        extent: &Extent,
        buffer: &mut [u8],
    ) -> Result<(), ReadError> {
        if self.read_copy(extent, buffer, false) || self.read_parity(extent, buffer, false) {
            return Ok(());
        }
        let sectors = extent.length.0;
        if sectors > 1 {
            let half = if sectors > 8 { (sectors / 2).next_multiple_of(8) } else { sectors / 2 };
            let (left, right) = buffer.split_at_mut(bytes(half));
            let (first, second) = halves(extent, half);
            self.resolve(volume, &first, left)?;
            return self.resolve(volume, &second, right);
        }
        if volume.force() && (self.read_copy(extent, buffer, true) || self.read_parity(extent, buffer, true))
        {
            return Ok(());
        }
        Err(self.refusal(volume, extent))
    }

    fn read_copy(&self, extent: &Extent, buffer: &mut [u8], force: bool) -> bool {
        extent.copies.iter().any(|place| {
            let leg = self.leg(place.slot.index());
            leg.filter(|leg| force || leg.trust.covers(place.sector.0, extent.length.0))
                .is_some_and(|leg| leg.read(place.sector.0, buffer).is_ok())
        })
    }

    fn read_parity(&self, extent: &Extent, buffer: &mut [u8], force: bool) -> bool {
        let has_row = extent.stripe.and_then(|stripe| self.map.row(stripe)).is_some();
        let Some(place) = extent.copies.first().filter(|_| has_row) else { return false };
        let window = self.read_window(place.sector.0, place.sector.0 + extent.length.0, force);
        self.compute(&window, extent, buffer, force)
    }

    /// Why a sector can not be read, and how far that holds.
    fn refusal(&self, volume: &Volume, extent: &Extent) -> ReadError {
        let Some(place) = extent.copies.first() else {
            return volume.untrusted(extent.array.0, 1, "is not in the layout".to_owned());
        };
        let is_parity = extent.stripe.and_then(|stripe| self.map.row(stripe)).is_some();
        let places: Vec<(usize, u64)> = if is_parity {
            (0..self.legs.len()).map(|slot| (slot, place.sector.0)).collect()
        } else {
            extent.copies.iter().map(|place| (place.slot.index(), place.sector.0)).collect()
        };
        let mut reasons = Vec::new();
        let mut length =
            self.map.extents(extent.array, Sectors(u64::MAX)).next().map_or(1, |whole| whole.length.0);
        for (slot, sector) in places {
            let Some(leg) = self.leg(slot) else {
                reasons.push(format!("slot {slot} is missing"));
                continue;
            };
            let (distrust, run) = leg.trust.at(sector);
            length = length.min(run);
            if let Some(distrust) = distrust {
                reasons.push(format!("slot {slot} ({}) is {distrust}", leg.label));
            } else if let Err(error) = leg.read(sector, &mut [0; SECTOR_LENGTH]) {
                return volume.io_error(extent.array.0, 1, &leg.label, error);
            }
        }
        if is_parity && place.sector.0 + extent.length.0 > self.parity_valid_below {
            reasons.push("parity was not synchronised there".to_owned());
        }
        volume.untrusted(extent.array.0, length.max(1), reasons.join(", "))
    }
}

/// Combines blocks that are in the buffer, or one after the other in the scratch memory, into the part of an extent.
fn combine_within(
    filled: &mut Filled<'_>,
    extent: &Extent,
    terms: &[(Slot, u8)],
    places: &[Option<Range<usize>>],
) {
    let length = bytes(extent.length.0);
    let start = bytes(extent.array.0.saturating_sub(filled.start));
    let (before, rest) = filled.buffer.split_at_mut(start);
    let (target, after) = rest.split_at_mut(length);
    let mut beside = filled.scratch.chunks_exact(length);
    let blocks = terms.iter().zip(places).filter_map(|(&(_, weight), place)| {
        let block = match place {
            None => beside.next(),
            Some(range) if range.end <= start => before.get(range.clone()),
            Some(range) => after.get(range.start.checked_sub(start + length)?..range.end - start - length),
        };
        block.map(|block| Weighted { weight, block })
    });
    let blocks: Vec<Weighted<'_>> = blocks.collect();
    parity::combine(target, &blocks);
}

/// An extent cut in two.
fn halves(extent: &Extent, at: u64) -> (Extent, Extent) {
    let mut first = extent.clone();
    first.length = Sectors(at);
    let mut second = Extent {
        array: extent.array.saturating_add(Sectors(at)),
        length: extent.length.saturating_sub(Sectors(at)),
        stripe: extent.stripe,
        copies: crate::layout::Places::default(),
    };
    for place in &extent.copies {
        let sector = place.sector.saturating_add(Sectors(at));
        second.copies.push(crate::layout::Place { sector, ..*place });
    }
    (first, second)
}
