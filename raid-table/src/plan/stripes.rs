//! linear and raid0: members one after the other, or chunks of them in turn.

use super::Context;
use super::build::{Builder, Draft, Part, times};
use super::error::Reason;
use crate::layout::Zone;
use raid_meta::record::TableRecord;
use raid_meta::units::{Sectors, Slot};

impl Context<'_> {
    pub(super) fn concatenation(&self, builder: Builder) -> Result<Vec<TableRecord>, Reason> {
        let mut draft = Draft::default();
        for extent in self.map.extents(Sectors::ZERO, self.map.size()) {
            let place = extent.copies.first().copied().unwrap_or_default();
            match self.stretch(place.slot) {
                Some(stretch) => draft.append(stretch)?,
                None => draft.linear(&self.piece(place.slot, place.sector, extent.length)?, extent.length)?,
            }
        }
        builder.array(draft)
    }

    /// The table of a member that is a stretch of this array.
    fn stretch(&self, slot: Slot) -> Option<&TableRecord> {
        let member = self.array.members.iter().find(|member| member.slot == slot)?;
        self.stretches.iter().find(|table| Some(&table.name) == member.array.as_ref())
    }

    pub(super) fn stripes(&self, builder: Builder) -> Result<Vec<TableRecord>, Reason> {
        let mut draft = Draft::default();
        for zone in self.map.zones() {
            let rest = self.map.size().saturating_sub(zone.array_start());
            if !rest.is_zero() {
                self.zone(&mut draft, zone, rest.min(zone.array_length()))?;
            }
        }
        builder.array(draft)
    }

    /// The rows of a zone that the array fills as one line, what is left of the last row as one for each
    /// chunk.
    fn zone(&self, draft: &mut Draft, zone: &Zone, length: Sectors) -> Result<(), Reason> {
        let chunk = self.chunk()?.sectors();
        let members = self.members_in_turn(zone);
        let width = members.len() as u64;
        let rows = length.0.checked_div(times(chunk, width)?.0).unwrap_or_default();
        let striped = times(chunk, rows.saturating_mul(width))?;
        if rows > 0 {
            let used = times(chunk, rows)?;
            let parts = members.iter().map(|&slot| self.piece(slot, zone.member_start(), used));
            let parts = parts.collect::<Result<Vec<_>, _>>()?;
            match parts.as_slice() {
                [only] => draft.linear(only, striped)?,
                _ => draft.striped(chunk, &parts, striped)?,
            }
        }
        let start = zone.array_start().saturating_add(striped);
        for extent in self.map.extents(start, length.saturating_sub(striped)) {
            let place = extent.copies.first().copied().unwrap_or_default();
            draft.linear(&self.piece(place.slot, place.sector, extent.length)?, extent.length)?;
        }
        Ok(())
    }

    /// The members of a zone, beginning with the one that has its first chunk. Which one that is depends on the
    /// layout; from there on they take turns in slot order.
    fn members_in_turn(&self, zone: &Zone) -> Vec<Slot> {
        let mut members = zone.members().to_vec();
        let first = self.map.extents(zone.array_start(), Sectors(1)).next();
        let first = first.and_then(|extent| extent.copies.first().map(|place| place.slot));
        let turn = members.iter().position(|&slot| Some(slot) == first).unwrap_or_default();
        members.rotate_left(turn);
        members
    }

    /// Pieces of that length in turn on the parts, `width` of them: full turns as one line, what is left
    /// a line a piece. Parts that the array does not reach may be left out at the end.
    pub(super) fn in_turn(&self, parts: &[Part], piece: Sectors, width: u32) -> Result<Draft, Reason> {
        let turn = times(piece, u64::from(width))?;
        let turns = self.map.size().0.checked_div(turn.0).unwrap_or_default();
        let (mut draft, striped) = (Draft::default(), times(turn, turns)?);
        if let [only] = parts {
            draft.linear(only, self.map.size())?;
            return Ok(draft);
        }
        if turns > 0 {
            draft.striped(piece, parts, striped)?;
        }
        let mut rest = self.map.size().saturating_sub(striped);
        for part in parts {
            let length = rest.min(piece);
            if !length.is_zero() {
                draft.linear(&part.at(times(piece, turns)?)?, length)?;
            }
            rest = rest.saturating_sub(length);
        }
        Ok(draft)
    }

    /// A member from a sector of its data on.
    pub(super) fn piece(&self, slot: Slot, sector: Sectors, length: Sectors) -> Result<Part, Reason> {
        let source = self.source(slot).ok_or(Reason::NoDevice { slot })?;
        source.part(sector.saturating_add(length))?.at(sector)
    }
}
