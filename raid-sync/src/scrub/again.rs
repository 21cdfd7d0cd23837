//! Looking again at what was found, before anything is written over.

use super::Scrub;
use super::finding::{Finding, Repair};
use super::memory::Memory;
use super::stripes::PAGE_SECTORS;

impl<'a> Scrub<'a> {
    /// The first finding that would not be put right in the same way any more: somebody wrote to a sector that was the
    /// evidence, or to the wrong one.
    #[must_use]
    pub fn first_changed<'f>(&self, findings: &'f [Finding]) -> Option<&'f Finding> {
        let mut memory = Memory::new(self.slice(), self.columns.slots(), None);
        let mut repaired = findings.iter().filter(|finding| !finding.repairs.is_empty());
        repaired.find(|finding| !self.is_found_again(finding, &mut memory))
    }

    fn is_found_again(&self, finding: &Finding, memory: &mut Memory<'a>) -> bool {
        let Some((start, end)) = self.range(finding) else { return false };
        // Verdicts within a page depend on each other.
        let start = start / PAGE_SECTORS * PAGE_SECTORS;
        let end = end.next_multiple_of(PAGE_SECTORS).min(self.end);
        let found = self.segment(start, end, memory).findings;
        let is_there = |repair: &Repair| {
            let again = found.iter().flat_map(|finding| &finding.repairs);
            again.into_iter().any(|again| again.covers(repair))
        };
        finding.repairs.iter().all(is_there)
    }

    /// Where it was found, by what segments are counted in.
    fn range(&self, finding: &Finding) -> Option<(u64, u64)> {
        if self.has_parity {
            let start = finding.sector?.0;
            return Some((start, start.checked_add(finding.length.0)?));
        }
        let (first, last) = (finding.array.iter().min()?, finding.array.iter().max()?);
        Some((first.0, last.0.checked_add(1)?))
    }
}

impl Repair {
    /// Whether it does all that another does.
    fn covers(&self, other: &Self) -> bool {
        let Some(first) = other.sector.checked_sub(self.sector).and_then(|sectors| sectors.to_bytes()) else {
            return false;
        };
        let holds = |bytes: &[u8], part: &[u8]| {
            let from = usize::try_from(first.0).ok().and_then(|first| bytes.get(first..));
            from.is_some_and(|rest| rest.starts_with(part))
        };
        self.slot == other.slot && holds(&self.old, &other.old) && holds(&self.new, &other.new)
    }
}
