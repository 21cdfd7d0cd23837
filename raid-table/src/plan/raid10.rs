//! raid10.

use super::Context;
use super::build::{Builder, Draft, times};
use super::error::Reason;
use super::raid::in_sync;
use crate::layout::LayoutError;
use crate::target::{Raid10Format, RaidParams, RaidType};
use raid_meta::geometry::{FarSets, Level, Raid10Layout};
use raid_meta::record::TableRecord;
use raid_meta::units::{Sectors, Slot};

impl Context<'_> {
    pub(super) fn raid10(&self, mut builder: Builder) -> Result<Vec<TableRecord>, Reason> {
        let layout = self.array.layout.and_then(|layout| layout.raid10());
        let layout = layout.ok_or(Reason::Layout(LayoutError::LayoutMissing { level: Level::Raid10 }))?;
        let params = params(layout, self.map.slots())?;
        let (chunk, slots) = (self.chunk()?.sectors(), u64::from(self.map.slots()));
        let rows = self.member_rows(layout, chunk, slots)?;
        let members = self.members(&mut builder, self.slots(), times(chunk, rows)?)?;
        let chunks = rows.checked_mul(slots).ok_or(Reason::OutOfRange)?;
        let length = times(chunk, chunks.checked_div(u64::from(layout.copies())).unwrap_or_default())?;
        let mut draft = Draft::default();
        draft.raid(RaidType::Raid10, chunk, params, &members, length)?;
        builder.first_part(draft, self.map.size())
    }

    /// Chunks of each member that the target is to have. It wants all members filled, and takes the place of the
    /// far copies from that: so for `far`, what the members have, else the least that the size needs.
    fn member_rows(&self, layout: Raid10Layout, chunk: Sectors, slots: u64) -> Result<u64, Reason> {
        let per_chunk = |length: Sectors| length.0.checked_div(chunk.0).unwrap_or_default();
        let (near, far) = (u64::from(layout.near), u64::from(layout.far));
        if far > 1 && !layout.offset {
            let rows = per_chunk(self.map.used(Slot(0)));
            return Ok(rows.saturating_sub(rows.checked_rem(far).unwrap_or_default()));
        }
        let chunks = self.map.size().0.div_ceil(chunk.0.max(1));
        let copies = chunks.checked_mul(near).ok_or(Reason::OutOfRange)?;
        let mut rows = copies.div_ceil(slots.max(1));
        // With an odd number of members, say, two rows hold a whole number of chunks and one does not.
        while rows.checked_mul(slots).ok_or(Reason::OutOfRange)?.checked_rem(near).unwrap_or_default() > 0 {
            rows = rows.saturating_add(1);
        }
        rows.checked_mul(far).ok_or(Reason::OutOfRange)
    }
}

/// The parameters for a layout: the target has near copies or far copies, not both.
fn params(layout: Raid10Layout, slots: u32) -> Result<RaidParams, Reason> {
    let unsupported = |what: &str| Err(Reason::Unsupported { what: format!("raid10 {layout}: {what}") });
    let Raid10Layout { near, far, offset, .. } = layout;
    let (format, copies) = match (near, far) {
        (1, 1) => return unsupported("fewer than two copies"),
        (copies, 1) => (Raid10Format::Near, copies),
        (1, copies) if offset => (Raid10Format::Offset, copies),
        (1, copies) => (Raid10Format::Far, copies),
        _ => return unsupported("both near and far copies"),
    };
    let raid10_use_near_sets = match format {
        Raid10Format::Near => false,
        _ => match set_size(layout, slots) {
            size if size == layout.copies() => false,
            size if size == slots => true,
            _ => return unsupported("sets of another size than the number of copies"),
        },
    };
    Ok(RaidParams {
        raid10_copies: Some(u32::from(copies)),
        raid10_format: Some(format),
        raid10_use_near_sets,
        ..in_sync(Level::Raid10)
    })
}

/// Members in a set of far copies. The old way to form them is sometimes the same as one of the others.
fn set_size(layout: Raid10Layout, slots: u32) -> u32 {
    match layout.sets {
        FarSets::Whole => slots,
        FarSets::Old => slots.checked_div(u32::from(layout.far)).unwrap_or_default(),
        FarSets::Sets => layout.copies(),
    }
}
