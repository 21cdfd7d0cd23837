//! Where all members are holes, there is nothing to read: zeros agree with zeros.

use raid_meta::units::{Sectors, Slot};
use raid_table::volume::Columns;

/// What is known of the holes of each member, so that the system is not asked again for every piece.
pub(super) struct Holes {
    /// By slot: the next sectors that may be data, and from which sector on that was asked.
    next: Vec<Option<Known>>,
}

#[derive(Clone, Copy)]
struct Known {
    asked: u64,
    start: u64,
    end: u64,
}

impl Holes {
    pub(super) fn new(slots: usize) -> Self {
        Self { next: vec![None; slots] }
    }

    /// Whether sectors of a member are a hole.
    pub(super) fn has(&mut self, columns: &Columns<'_>, slot: Slot, sector: u64, length: u64) -> bool {
        let Some(known) = self.next.get_mut(slot.index()) else { return false };
        let is_known = known.is_some_and(|known| (known.asked..known.end).contains(&sector));
        if !is_known {
            let found = columns.next_data(slot, Sectors(sector));
            let (start, end) = found.unwrap_or((Sectors(u64::MAX), Sectors(u64::MAX)));
            *known = Some(Known { asked: sector, start: start.0, end: end.0 });
        }
        known.is_some_and(|known| sector.saturating_add(length) <= known.start)
    }
}
