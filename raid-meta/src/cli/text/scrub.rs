//! What does not agree, and what a scrub came to.

use super::{Grid, Painter, or_dash, word};
use crate::record::Record;
use crate::units::Sectors;

/// Runs of sectors that are shown; the JSON has every sector.
const SHOWN_RUNS: usize = 4;

impl Painter {
    pub(super) fn mismatches(self, records: &[Record]) -> String {
        let mut grid = Grid::new(&[
            "ARRAY",
            ">STRIPE",
            ">SLOT",
            "DEVICE",
            "ROLE",
            ">DEVICE SECTOR",
            ">SECTORS",
            "ARRAY SECTORS",
            "VERDICT",
            "FIXED",
        ]);
        for record in records {
            let Record::Mismatch(mismatch) = record else { continue };
            grid.row([
                mismatch.array.as_str().into(),
                or_dash(mismatch.stripe).into(),
                or_dash(mismatch.slot).into(),
                or_dash(mismatch.device.as_deref()).into(),
                mismatch.role.as_ref().map_or_else(|| "-".to_owned(), word).into(),
                or_dash(mismatch.member_sector).into(),
                mismatch.length_sectors.to_string().into(),
                runs(&mismatch.array_sectors).into(),
                mismatch.verdict.as_str().into(),
                if mismatch.fixed { "yes" } else { "no" }.into(),
            ]);
        }
        grid.render(self, "")
    }

    pub(super) fn scrubs(self, records: &[Record]) -> String {
        let mut grid = Grid::new(&[
            "ARRAY",
            ">COMPARED",
            ">WRONG",
            ">UNDECIDABLE",
            ">FIXED",
            ">UNREADABLE",
            ">UNCHECKED",
        ]);
        for record in records {
            let Record::Scrub(scrub) = record else { continue };
            grid.row([
                scrub.array.as_str().into(),
                scrub.compared_sectors.to_string().into(),
                scrub.wrong_sectors.to_string().into(),
                scrub.undecidable_sectors.to_string().into(),
                scrub.fixed_sectors.to_string().into(),
                scrub.unreadable_sectors.to_string().into(),
                scrub.unchecked_sectors.to_string().into(),
            ]);
        }
        grid.render(self, "")
    }
}

/// Sectors as `8-15,72-79`; the first few runs of them.
fn runs(sectors: &[Sectors]) -> String {
    let mut sorted: Vec<u64> = sectors.iter().map(|sector| sector.0).collect();
    sorted.sort_unstable();
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for sector in sorted {
        match runs.last_mut() {
            Some((_, last)) if last.saturating_add(1) == sector => *last = sector,
            _ => runs.push((sector, sector)),
        }
    }
    let text = |&(first, last): &(u64, u64)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    };
    let shown: Vec<String> = runs.iter().take(SHOWN_RUNS).map(text).collect();
    let more = if runs.len() > SHOWN_RUNS { ",…" } else { "" };
    if shown.is_empty() { "-".to_owned() } else { shown.join(",") + more }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sectors_that_follow_each_other_are_a_run() {
        let sectors = |list: &[u64]| -> Vec<Sectors> { list.iter().copied().map(Sectors).collect() };
        assert_eq!(runs(&sectors(&[8, 72, 9, 73, 10])), "8-10,72-73");
        assert_eq!(runs(&sectors(&[1, 3, 5, 7, 9])), "1,3,5,7,…");
        assert_eq!(runs(&[]), "-");
    }
}
