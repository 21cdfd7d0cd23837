//! What reading a member has shown so far.

/// Ranges of sectors: sorted, not touching each other. A bounded number of them: beyond it those that are farthest from the
/// last one are forgotten, which costs another attempt there, no more.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranges {
    ranges: Vec<(u64, u64)>,
}

/// Ranges that are kept.
const MAX_RANGES: usize = 1 << 14;

impl Ranges {
    /// Whether a sector is in one, and for how many sectors from there on the same is true.
    pub(super) fn at(&self, sector: u64) -> (bool, u64) {
        let next = self.ranges.partition_point(|&(_, end)| end <= sector);
        match self.ranges.get(next) {
            Some(&(start, end)) if start <= sector => (true, end - sector),
            Some(&(start, _)) => (false, start - sector),
            None => (false, u64::MAX - sector),
        }
    }

    /// Adds `[start, end)`.
    pub(super) fn insert(&mut self, start: u64, end: u64) {
        if start >= end {
            return;
        }
        let first = self.ranges.partition_point(|&(_, before)| before < start);
        let after = self.ranges.partition_point(|&(from, _)| from <= end);
        let touched = self.ranges.get(first..after).unwrap_or_default();
        let start = touched.first().map_or(start, |range| range.0.min(start));
        let end = touched.last().map_or(end, |range| range.1.max(end));
        self.ranges.splice(first..after, [(start, end)]);
        if self.ranges.len() > MAX_RANGES {
            let farthest = if first < MAX_RANGES / 2 { self.ranges.len() - 1 } else { 0 };
            self.ranges.remove(farthest);
        }
    }
}

/// What is known of a device by reading it.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// Sectors that can not be read.
    pub(super) failed: Ranges,
    /// Sectors that were part of a request that failed, or come behind it.
    pub(super) suspect: Ranges,
    /// How much is left out behind the next failure.
    skip: u64,
}

/// Sectors left out behind the second failure in a row, and at most.
const SKIP: std::ops::RangeInclusive<u64> = 2048..=1 << 19;

impl Known {
    /// A request failed: it and what follows is left for later, the more the longer this goes on.
    pub(super) fn request_failed(&mut self, start: u64, end: u64) {
        self.suspect.insert(start, end.saturating_add(self.skip));
        self.skip = (self.skip * 2).clamp(*SKIP.start(), *SKIP.end());
    }

    /// A request worked.
    pub(super) fn request_worked(&mut self) {
        self.skip = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn more_is_left_out_the_longer_it_fails() {
        let mut known = Known::default();
        known.request_failed(0, 8);
        assert_eq!(known.suspect.at(0), (true, 8));
        known.request_failed(8, 16);
        assert_eq!(known.suspect.at(0), (true, 16 + 2048));
        known.request_failed(10_000, 10_008);
        assert_eq!(known.suspect.at(10_000), (true, 8 + 4096));
        known.request_worked();
        known.request_failed(50_000, 50_008);
        assert_eq!(known.suspect.at(50_000), (true, 8));
    }

    #[test]
    fn what_is_forgotten_is_not_what_was_learned_last() {
        let mut ranges = Ranges::default();
        for number in (0..40_000).rev().chain(50_000..90_000) {
            ranges.insert(number * 2, number * 2 + 1);
            assert!(ranges.at(number * 2).0);
        }
        assert!(ranges.ranges.len() <= MAX_RANGES);
    }

    proptest! {
        #[test]
        fn ranges_hold_what_was_put_in(parts in proptest::collection::vec((0u64..100, 0u64..20), 0..30)) {
            let mut ranges = Ranges::default();
            let mut expected = [false; 130];
            for (start, length) in parts {
                ranges.insert(start, start + length);
                (start..start + length).for_each(|sector| expected[usize::try_from(sector).unwrap()] = true);
            }
            for sector in 0..120 {
                let same = (sector..120).take_while(|&other| {
                    expected[usize::try_from(other).unwrap()] == expected[usize::try_from(sector).unwrap()]
                });
                let (inside, run) = ranges.at(sector);
                prop_assert_eq!(inside, expected[usize::try_from(sector).unwrap()]);
                prop_assert_eq!(run.min(120 - sector), same.count() as u64);
            }
        }
    }
}
