//! The members of an array side by side, as they are: for what compares them, or copies one.

use super::{Part, Volume};
use crate::layout::Map;
use raid_meta::units::{Bytes, SECTOR_BYTES, Sectors, Slot};
use std::io;
use std::os::fd::BorrowedFd;

/// The members of an array that has one geometry. Sectors are those of a member's data.
#[derive(Clone, Copy)]
pub struct Columns<'a> {
    part: &'a Part,
}

impl Volume {
    /// The members side by side; none while a reshape is under way.
    #[must_use]
    pub fn columns(&self) -> Option<Columns<'_>> {
        match self.parts.as_slice() {
            [part] if self.uncertain.is_empty() => Some(Columns { part }),
            _ => None,
        }
    }
}

impl<'a> Columns<'a> {
    /// What maps them.
    #[must_use]
    pub fn map(&self) -> &'a Map {
        &self.part.map
    }

    /// Number of slots.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.part.legs.len()
    }

    /// Whether a slot has a member.
    #[must_use]
    pub fn has(&self, slot: Slot) -> bool {
        matches!(self.part.legs.get(slot.index()), Some(Some(_)))
    }

    /// What messages call the member of a slot.
    #[must_use]
    pub fn label(&self, slot: Slot) -> Option<&'a str> {
        self.part.legs.get(slot.index())?.as_ref().map(|leg| leg.label.as_str())
    }

    /// Whether a sector of a member may be believed, and for how many sectors from there on that holds. A member that is
    /// missing may not, anywhere.
    #[must_use]
    pub fn trust(&self, slot: Slot, sector: Sectors) -> (bool, Sectors) {
        match self.part.legs.get(slot.index()) {
            Some(Some(leg)) => {
                let (distrust, run) = leg.trust.at(sector.0);
                (distrust.is_none(), Sectors(run))
            }
            _ => (false, Sectors(u64::MAX)),
        }
    }

    /// Fills a buffer with a member's data.
    ///
    /// # Errors
    /// What the system says, or there is no such member.
    pub fn read(&self, slot: Slot, sector: Sectors, buffer: &mut [u8]) -> io::Result<()> {
        match self.part.legs.get(slot.index()) {
            Some(Some(leg)) => leg.read(sector.0, buffer),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// The file that holds sectors of a member's data, and where in it: see [`raid_meta::device::ReadAt::in_file`].
    #[must_use]
    pub fn in_file(&self, slot: Slot, sector: Sectors, length: Sectors) -> Option<(BorrowedFd<'a>, Bytes)> {
        let leg = self.part.legs.get(slot.index())?.as_ref()?;
        leg.source.in_file(leg.byte_offset(sector.0).ok()?, length.to_bytes()?)
    }

    /// The next sectors of a member's data, from one on, that are not known to be a hole: the first, and where they end.
    /// Holes read as zeros. None where there is nothing but a hole, or no such member.
    #[must_use]
    pub fn next_data(&self, slot: Slot, sector: Sectors) -> Option<(Sectors, Sectors)> {
        let leg = self.part.legs.get(slot.index())?.as_ref()?;
        let all = Some((sector, Sectors(u64::MAX)));
        let Ok(offset) = leg.byte_offset(sector.0) else { return all };
        // What is not known about holes can be read.
        let Ok(found) = leg.source.next_data(offset) else { return all };
        let (start, end) = found?;
        let start = start.saturating_sub(leg.offset).whole_sectors();
        let end = Bytes(end.saturating_sub(leg.offset).0.saturating_add(SECTOR_BYTES - 1)).whole_sectors();
        Some((start.max(sector), end))
    }
}
