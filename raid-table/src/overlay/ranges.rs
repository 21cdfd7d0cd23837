//! Ranges of blocks that grow together.

use std::collections::BTreeMap;
use std::ops::Range;

/// Ranges by their starts; they neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges {
    ends: BTreeMap<u64, u64>,
}

impl Ranges {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Range<u64>> {
        self.ends.iter().map(|(&start, &end)| start..end)
    }

    /// Adds a range and joins it with those that it meets.
    pub(super) fn add(&mut self, range: Range<u64>) {
        let Range { mut start, mut end } = range;
        if start >= end {
            return;
        }
        while let Some((&first, &last)) = self.ends.range(..=end).next_back() {
            if last < start {
                break;
            }
            self.ends.remove(&first);
            start = start.min(first);
            end = end.max(last);
        }
        self.ends.insert(start, end);
    }

    /// The parts that lie inside a range.
    pub(super) fn within(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let before = self.ends.range(..range.start).next_back();
        let inside = self.ends.range(range.start..range.end.max(range.start));
        let cut = |(&start, &end): (&u64, &u64)| start.max(range.start)..end.min(range.end);
        before.into_iter().chain(inside).map(cut).filter(|part| part.start < part.end).collect()
    }
}
