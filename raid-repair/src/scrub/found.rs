//! What was found so far, in numbers.

use raid_meta::record::{ArrayRecord, ScrubRecord, V1};
use raid_meta::units::Sectors;
use raid_sync::scrub::{Finding, Segment};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Sectors, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Compared, on all members together.
    pub compared: Sectors,
    /// Wrong, and known whose.
    pub wrong: Sectors,
    /// In disagreement, and not known who is wrong.
    pub undecidable: Sectors,
    /// Put right.
    pub fixed: Sectors,
    /// Not to be read.
    pub unreadable: Sectors,
    /// With nothing to be compared with.
    pub unchecked: Sectors,
}

impl Found {
    /// Counts a segment; what was put right is counted by [`Found::fix`].
    pub fn add(&mut self, segment: &Segment) {
        let mut add = |sum: fn(&mut Self) -> &mut Sectors, length: Sectors| {
            let sum = sum(self);
            *sum = sum.saturating_add(length);
        };
        add(|found| &mut found.compared, segment.compared);
        add(|found| &mut found.unchecked, segment.unchecked);
        for finding in &segment.findings {
            match finding.wrong {
                Some(_) => add(|found| &mut found.wrong, finding.length),
                None => add(|found| &mut found.undecidable, finding.length),
            }
        }
        for unreadable in &segment.unreadable {
            add(|found| &mut found.unreadable, unreadable.length);
        }
    }

    /// Counts what was put right.
    pub fn fix(&mut self, finding: &Finding) {
        self.fixed = self.fixed.saturating_add(finding.length);
    }

    /// Sectors that do not agree and were not put right.
    #[must_use]
    pub fn left(&self) -> Sectors {
        self.wrong.saturating_add(self.undecidable).saturating_sub(self.fixed)
    }

    /// The record.
    #[must_use]
    pub fn record(&self, array: &ArrayRecord) -> ScrubRecord {
        ScrubRecord {
            v: V1,
            array: array.name.clone(),
            compared_sectors: self.compared,
            wrong_sectors: self.wrong,
            undecidable_sectors: self.undecidable,
            fixed_sectors: self.fixed,
            unreadable_sectors: self.unreadable,
            unchecked_sectors: self.unchecked,
        }
    }
}

/// Notices when so much does not agree that the geometry itself is in doubt.
#[derive(Clone, Copy, Debug)]
pub struct Guard {
    width: u64,
    compared: u64,
    differing: u64,
}

/// Sectors that tell nothing yet.
const FEW_SECTORS: u64 = 1024;

impl Guard {
    /// For an array of which so many members, or copies, are compared with each other.
    #[must_use]
    pub fn new(width: u64) -> Self {
        Self { width: width.max(1), compared: 0, differing: 0 }
    }

    /// Takes note of a segment.
    pub fn add(&mut self, segment: &Segment) {
        self.compared = self.compared.saturating_add(segment.compared.0);
        let (stripes, copies): (Vec<_>, Vec<_>) =
            segment.findings.iter().partition(|finding| finding.stripe.is_some());
        let in_stripes: u64 = stripes.iter().map(|finding| finding.length.0).sum();
        // Several copies of a sector may be wrong.
        let of_copies: BTreeSet<Sectors> =
            copies.iter().flat_map(|finding| finding.array.iter().copied()).collect();
        self.differing = self.differing.saturating_add(in_stripes).saturating_add(of_copies.len() as u64);
    }

    /// Whether more than half of what was compared does not agree.
    #[must_use]
    pub fn is_too_much(&self) -> bool {
        let compared = self.compared / self.width;
        compared >= FEW_SECTORS && self.differing > compared / 2
    }
}
