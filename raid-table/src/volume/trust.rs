//! Which sectors of a member may be believed.

use raid_meta::record::SectorRange;

/// Why a sector of a present member is not to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Distrust {
    /// Not rebuilt yet.
    NotRecovered,
    /// In the bad-block list of the metadata.
    BadBlock,
    /// Past the end of the device.
    PastEnd,
}

impl std::fmt::Display for Distrust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotRecovered => "not rebuilt yet",
            Self::BadBlock => "in the bad-block list",
            Self::PastEnd => "past the end of the device",
        })
    }
}

/// The distrusted ranges of one member: sorted, not overlapping, in sectors from the start of its data.
#[derive(Clone, Debug, Default)]
pub(super) struct TrustMap {
    ranges: Vec<(u64, u64, Distrust)>,
}

impl TrustMap {
    /// Collects ranges `[start, end)`; where they overlap the earlier reason stays.
    pub(super) fn new(mut found: Vec<(u64, u64, Distrust)>) -> Self {
        found.sort_by_key(|&(start, _, _)| start);
        let mut ranges: Vec<(u64, u64, Distrust)> = Vec::with_capacity(found.len());
        for (start, end, reason) in found {
            let start = ranges.last().map_or(start, |&(_, last, _)| start.max(last));
            if start < end {
                ranges.push((start, end, reason));
            }
        }
        Self { ranges }
    }

    /// From the parts of a member record: what is recovered, what is bad, what is past the end.
    pub(super) fn of_member(recovered: Option<u64>, bad: &[SectorRange], readable: u64) -> Self {
        let bad = bad.iter().map(|range| {
            let start = range.start_sectors.0;
            (start, start.saturating_add(range.length_sectors.0), Distrust::BadBlock)
        });
        let recovered = recovered.map(|recovered| (recovered, u64::MAX, Distrust::NotRecovered));
        let end = (readable, u64::MAX, Distrust::PastEnd);
        Self::new(recovered.into_iter().chain(bad).chain([end]).collect())
    }

    /// The state at a sector, and how many sectors from there it holds.
    pub(super) fn at(&self, sector: u64) -> (Option<Distrust>, u64) {
        let next = self.ranges.partition_point(|&(_, end, _)| end <= sector);
        match self.ranges.get(next) {
            Some(&(start, end, reason)) if start <= sector => (Some(reason), end - sector),
            Some(&(start, _, _)) => (None, start - sector),
            None => (None, u64::MAX - sector),
        }
    }

    /// Where distrust begins.
    pub(super) fn starts(&self) -> impl Iterator<Item = u64> {
        self.ranges.iter().map(|&(start, ..)| start)
    }

    /// Whether all of a range is trusted.
    pub(super) fn covers(&self, start: u64, length: u64) -> bool {
        let (distrust, run) = self.at(start);
        distrust.is_none() && run >= length
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use raid_meta::units::Sectors;

    #[test]
    fn the_first_reason_of_overlapping_ranges_holds() {
        let bad = [SectorRange { start_sectors: Sectors(10), length_sectors: Sectors(5) }];
        let trust = TrustMap::of_member(Some(100), &bad, 90);
        assert_eq!(trust.at(0), (None, 10));
        assert_eq!(trust.at(12), (Some(Distrust::BadBlock), 3));
        assert_eq!(trust.at(15), (None, 75));
        assert_eq!(trust.at(95).0, Some(Distrust::PastEnd));
        assert!(trust.covers(15, 75));
        assert!(!trust.covers(9, 2));
    }
}
