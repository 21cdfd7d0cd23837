//! What was found, and what would put it right.

use raid_meta::record::PlaceRole;
use raid_meta::units::{SECTOR_BYTES, Sectors, Slot};

/// Part of an array that was compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// Where it ends: from here the comparison can be gone on with.
    pub end: Sectors,
    /// Member sectors that were compared with others.
    pub compared: Sectors,
    /// Member sectors that had nothing to be compared with.
    pub unchecked: Sectors,
    /// What does not agree.
    pub findings: Vec<Finding>,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
}

/// Sectors that follow each other, of one stripe, in which redundancy and data do not agree in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Row of chunks, where the level has such.
    pub stripe: Option<u64>,
    /// The slot that is wrong, and what it holds there; none where nothing says which one is.
    pub wrong: Option<(Slot, PlaceRole)>,
    /// First sector of the member's data: of the wrong one, or of all; none where they differ.
    pub sector: Option<Sectors>,
    /// Number of sectors.
    pub length: Sectors,
    /// Array sectors that are held there, or protected.
    pub array: Vec<Sectors>,
    /// What would put it right; empty where that is not known.
    pub repairs: Vec<Repair>,
}

/// New content for sectors of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// Whose.
    pub slot: Slot,
    /// First sector of its data.
    pub sector: Sectors,
    /// What is there.
    pub old: Vec<u8>,
    /// What should be.
    pub new: Vec<u8>,
}

/// Sectors that can not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Whose.
    pub slot: Slot,
    /// First sector of its data.
    pub sector: Sectors,
    /// How many.
    pub length: Sectors,
    /// Why.
    pub reason: String,
}

impl Segment {
    /// Adds a finding to the last one where it continues it.
    pub(super) fn add(&mut self, finding: Finding) {
        match self.findings.iter_mut().rev().take(MOST_AT_ONCE).find(|last| last.is_continued_by(&finding)) {
            Some(last) => last.extend(finding),
            None => self.findings.push(finding),
        }
    }

    /// Adds what was found in a part of it.
    pub(super) fn append(&mut self, part: Self) {
        self.compared = self.compared.saturating_add(part.compared);
        self.unchecked = self.unchecked.saturating_add(part.unchecked);
        part.findings.into_iter().for_each(|finding| self.add(finding));
        part.unreadable.into_iter().for_each(|unreadable| self.add_unreadable(unreadable));
    }

    pub(super) fn add_unreadable(&mut self, unreadable: Unreadable) {
        let follows = |last: &&mut Unreadable| {
            last.slot == unreadable.slot
                && last.sector.saturating_add(last.length) == unreadable.sector
                && last.reason == unreadable.reason
        };
        match self.unreadable.last_mut().filter(follows) {
            Some(last) => last.length = last.length.saturating_add(unreadable.length),
            None => self.unreadable.push(unreadable),
        }
    }
}

/// Findings of one sector, at most: copies that are wrong at the same place.
const MOST_AT_ONCE: usize = 16;

impl Finding {
    fn is_continued_by(&self, next: &Self) -> bool {
        let end = self.sector.map(|sector| sector.saturating_add(self.length));
        let follows = match self.sector {
            Some(_) => end == next.sector,
            None => {
                self.array.last().map(|last| last.0.saturating_add(1))
                    == next.array.first().map(|first| first.0)
            }
        };
        self.stripe == next.stripe && self.wrong == next.wrong && follows && self.repairs_go_on_in(next)
    }

    /// Copies of sectors that follow each other in the array may be apart on a member.
    fn repairs_go_on_in(&self, next: &Self) -> bool {
        let follows = |(repair, next): (&Repair, &Repair)| {
            repair.slot == next.slot && repair.sector.saturating_add(repair.length()) == next.sector
        };
        self.repairs.len() == next.repairs.len() && self.repairs.iter().zip(&next.repairs).all(follows)
    }

    fn extend(&mut self, next: Self) {
        self.length = self.length.saturating_add(next.length);
        self.array.extend(next.array);
        for (repair, next) in self.repairs.iter_mut().zip(next.repairs) {
            repair.old.extend(next.old);
            repair.new.extend(next.new);
        }
    }
}

impl Repair {
    /// Number of sectors.
    #[must_use]
    pub fn length(&self) -> Sectors {
        Sectors(self.new.len() as u64 / SECTOR_BYTES)
    }
}
