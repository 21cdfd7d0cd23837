//! Mirrors and parity: the raid target.

use super::Context;
use super::build::{Builder, Draft, Part, times};
use super::error::Reason;
use crate::layout::LayoutError;
use crate::target::{RaidParams, RaidType, SyncMode};
use raid_meta::geometry::{Level, ParityLayout};
use raid_meta::record::TableRecord;
use raid_meta::units::{Sectors, Slot};

impl Context<'_> {
    pub(super) fn mirror(&self, mut builder: Builder) -> Result<Vec<TableRecord>, Reason> {
        let size = self.map.size();
        let mut draft = Draft::default();
        match (self.map.slots(), self.source(Slot(0))) {
            (1, Some(only)) => draft.linear(only.part(size)?, size)?,
            _ => {
                let members = self.members(&mut builder, self.slots(), size)?;
                draft.raid(RaidType::Raid1, Sectors::ZERO, self.redundancy(Level::Raid1), &members, size)?;
            }
        }
        builder.array(draft)
    }

    pub(super) fn parity(&self, mut builder: Builder) -> Result<Vec<TableRecord>, Reason> {
        let Some((kind, order)) = self.parity_type()? else {
            return self.rotating_raid6(builder);
        };
        let chunk = self.chunk()?.sectors();
        let rows = self.rows()?;
        let members = self.members(&mut builder, order.into_iter(), times(chunk, rows)?)?;
        let mut draft = Draft::default();
        draft.raid(kind, chunk, self.redundancy(kind.level()), &members, times(self.row_length()?, rows)?)?;
        builder.first_part(draft, self.map.size())
    }

    /// The type, and the slots in the order that it wants; none for the layouts of raid6 that it lacks.
    fn parity_type(&self) -> Result<Option<(RaidType, Vec<Slot>)>, Reason> {
        let level = self.array.level;
        let layout = self.array.layout.and_then(|layout| layout.parity());
        let layout = layout.ok_or(Reason::Layout(LayoutError::LayoutMissing { level }))?;
        let mut slots: Vec<Slot> = self.slots().collect();
        let kind = match (level, layout) {
            // md calls it raid5 with the parity first; the target has it as raid4 only, and the other
            // way round.
            (Level::Raid5, ParityLayout::ParityFirst) => Some(RaidType::Raid4),
            (Level::Raid4, ParityLayout::ParityLast) => Some(RaidType::Raid5N),
            (Level::Raid6, ParityLayout::ParityFirst) => {
                slots.rotate_left(2);
                Some(RaidType::Raid6N6)
            }
            (Level::Raid6, ParityLayout::ParityFirst6) => {
                let before_q = slots.len().saturating_sub(1);
                slots.get_mut(..before_q).unwrap_or_default().rotate_left(1);
                Some(RaidType::Raid6N6)
            }
            _ => RaidType::with_parity(level, layout),
        };
        Ok(kind.map(|kind| (kind, slots)))
    }

    /// Sectors of the array in a row of chunks.
    pub(super) fn row_length(&self) -> Result<Sectors, Reason> {
        let data = self.map.slots().saturating_sub(self.array.level.parities());
        times(self.chunk()?.sectors(), u64::from(data))
    }

    /// Rows that the array reaches into.
    pub(super) fn rows(&self) -> Result<u64, Reason> {
        let row = self.row_length()?.0;
        if row == 0 { Err(Reason::OutOfRange) } else { Ok(self.map.size().0.div_ceil(row)) }
    }

    /// The members in the slots, as devices of that length.
    pub(super) fn members(
        &self,
        builder: &mut Builder,
        slots: impl Iterator<Item = Slot>,
        length: Sectors,
    ) -> Result<Vec<Option<Part>>, Reason> {
        let mut part =
            |slot| self.source(slot).map(|source| source.whole_device(builder, length)).transpose();
        slots.map(&mut part).collect()
    }

    /// What the kernel is told of the redundancy of an array without metadata devices; see [`in_sync`]. One that is out of
    /// step, and can be written, is `sync`: so the kernel's table says that it was found like that.
    pub(super) fn redundancy(&self, level: Level) -> RaidParams {
        match self.is_out_of_step {
            true => RaidParams { sync: Some(SyncMode::Sync), ..RaidParams::default() },
            false => in_sync(level),
        }
    }
}

/// `nosync`, so that no kernel ever begins to write by itself; raid6 does not take it, and does not
/// resync without metadata devices either.
pub(super) fn in_sync(level: Level) -> RaidParams {
    let sync = (level != Level::Raid6).then_some(SyncMode::NoSync);
    RaidParams { sync, ..RaidParams::default() }
}
