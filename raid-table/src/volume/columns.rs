//! The members of an array side by side, as they are: for what compares them, or copies one.

use super::leg::Leg;
use super::{Part, Volume};
use crate::layout::Map;
use raid_meta::units::{Bytes, Sectors, Slot};
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
        self.leg(slot).is_some()
    }

    /// What messages call the member of a slot.
    #[must_use]
    pub fn label(&self, slot: Slot) -> Option<&'a str> {
        self.leg(slot).map(|leg| leg.label.as_str())
    }

    /// Whether a sector of a member may be believed, and for how many sectors from there on that holds. A member that is
    /// missing may not, anywhere.
    #[must_use]
    pub fn trust(&self, slot: Slot, sector: Sectors) -> (bool, Sectors) {
        let Some(leg) = self.leg(slot) else { return (false, Sectors(u64::MAX)) };
        let (distrust, run) = leg.trust.at(sector.0);
        (distrust.is_none(), Sectors(run))
    }

    /// Fills a buffer with a member's data.
    ///
    /// # Errors
    /// What the system says, or there is no such member.
    pub fn read(&self, slot: Slot, sector: Sectors, buffer: &mut [u8]) -> io::Result<()> {
        self.leg(slot).ok_or(io::ErrorKind::NotFound)?.read(sector.0, buffer)
    }

    /// The file that holds sectors of a member's data, and where in it: see [`raid_meta::device::ReadAt::in_file`].
    #[must_use]
    pub fn in_file(&self, slot: Slot, sector: Sectors, length: Sectors) -> Option<(BorrowedFd<'a>, Bytes)> {
        let leg = self.leg(slot)?;
        leg.source.in_file(leg.byte_offset(sector.0).ok()?, length.to_bytes()?)
    }

    pub(super) fn leg(&self, slot: Slot) -> Option<&'a Leg> {
        self.part.leg(slot.index())
    }
}
