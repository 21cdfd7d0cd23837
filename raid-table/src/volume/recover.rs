//! Pieces that no trusted member holds as they are: computed from the other members, window by window.
//!
//! In a parity level everything of a stripe is at the same member sectors. So pieces that follow each other on
//! their member are recovered together: one window of sectors is read from every other member, in one large
//! request each, and every piece is computed from its stripe's part of the window. Where that does not do, because
//! a member can not be read or trusted all over the window, each piece is tried alone, then its halves, down to
//! the sector.

use super::error::ReadError;
use super::leg::{Leg, bytes};
use super::read::Pending;
use super::{Part, Volume};
use crate::layout::Extent;
use crate::parity;
use raid_meta::units::{SECTOR_BYTES, SECTOR_LENGTH, Sectors};

/// Scratch memory for a window, over all members.
const WINDOW_BYTES: u64 = 8 << 20;
/// Longest and shortest window of one member.
const WINDOW_SECTORS: std::ops::RangeInclusive<u64> = 64..=2048;

/// A piece with its place on the member that should hold it.
struct Lost<'a> {
    extent: Extent,
    buffer: &'a mut [u8],
}

impl Lost<'_> {
    /// The member sectors `[start, end)` of the piece.
    fn range(&self) -> (u64, u64) {
        let start = self.extent.copies.first().map_or(0, |place| place.sector.0);
        (start, start + self.extent.length.0)
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
    /// Recovers pieces, each of which lies inside one extent.
    pub(super) fn recover(&self, volume: &Volume, pending: Vec<Pending<'_>>) -> Result<(), ReadError> {
        if pending.is_empty() {
            return Ok(());
        }
        let slots = self.legs.len().max(1) as u64;
        let limit =
            (WINDOW_BYTES / SECTOR_BYTES / slots).clamp(*WINDOW_SECTORS.start(), *WINDOW_SECTORS.end());
        let mut lost: Vec<Lost<'_>> = Vec::new();
        for piece in pending {
            self.locate(piece, limit, &mut lost);
        }
        lost.sort_by_key(|piece| piece.range());
        let mut group: Vec<Lost<'_>> = Vec::new();
        for piece in lost {
            let first = group.first().map_or(piece.range().0, |first| first.range().0);
            if piece.range().1 - first > limit {
                self.recover_group(volume, std::mem::take(&mut group))?;
            }
            group.push(piece);
        }
        self.recover_group(volume, group)
    }

    /// Cuts a pending piece at extents and so that each part fits a window.
    fn locate<'a>(&self, pending: Pending<'a>, limit: u64, lost: &mut Vec<Lost<'a>>) {
        let mut array = pending.array;
        let mut rest = pending.buffer;
        while !rest.is_empty() {
            let wanted = (rest.len() as u64 / SECTOR_BYTES).min(limit);
            let Some(extent) = self.map.extents(Sectors(array), Sectors(wanted)).next() else { return };
            let (buffer, after) = rest.split_at_mut(bytes(extent.length.0));
            array += extent.length.0;
            rest = after;
            lost.push(Lost { extent, buffer });
        }
    }

    fn recover_group(&self, volume: &Volume, group: Vec<Lost<'_>>) -> Result<(), ReadError> {
        let Some(window) = self.window(&group) else {
            return group.into_iter().try_for_each(|piece| self.resolve(volume, &piece.extent, piece.buffer));
        };
        for piece in group {
            if !self.compute(&window, &piece.extent, piece.buffer, false) {
                self.resolve(volume, &piece.extent, piece.buffer)?;
            }
        }
        Ok(())
    }

    /// Reads what the recovery of several pieces needs; none where there is no parity, or only one piece.
    fn window(&self, group: &[Lost<'_>]) -> Option<Window> {
        let (first, last) = (group.first()?, group.last()?);
        first.extent.stripe.and_then(|stripe| self.map.row(stripe))?;
        Some(self.read_window(first.range().0, last.range().1, false))
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
    fn resolve(&self, volume: &Volume, extent: &Extent, buffer: &mut [u8]) -> Result<(), ReadError> {
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
            let leg = self.legs.get(place.slot.index()).and_then(Option::as_ref);
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
            let Some(Some(leg)) = self.legs.get(slot) else {
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
        volume.untrusted(
            extent.array.0,
            length.max(1),
            format!("{}; refused without --force", reasons.join(", ")),
        )
    }
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
