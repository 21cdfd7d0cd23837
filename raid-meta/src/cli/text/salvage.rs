//! What was obtained of a damaged array.

use super::super::human;
use super::{Grid, Painter, clean, or_dash, word};
use crate::record::{Record, SalvageRecord};
use crate::units::Bytes;

/// Lost ranges that are shown; the JSON has more, and the map all.
const SHOWN: usize = 12;

impl Painter {
    pub(super) fn salvages(self, records: &[Record]) -> String {
        let text = |record: &Record| match record {
            Record::Salvage(salvage) => self.salvage(salvage),
            _ => String::new(),
        };
        records.iter().map(text).collect()
    }

    fn salvage(self, salvage: &SalvageRecord) -> String {
        let mut text = format!("{} -> {}\n", clean(&salvage.array), clean(&salvage.image));
        let amounts = [
            ("good", salvage.good_bytes),
            ("reconstructed", salvage.reconstructed_bytes),
            ("parity out of step", salvage.unsynchronised_bytes),
            ("from older members", salvage.stale_bytes),
            ("lost", salvage.lost_bytes),
        ];
        for (name, bytes) in amounts {
            if bytes > Bytes::ZERO || matches!(name, "good" | "lost") {
                text += &format!("  {name:<18}  {} ({bytes} bytes)\n", human::size(bytes.whole_sectors()));
            }
        }
        text += &self.members_of(salvage);
        text + &self.lost_of(salvage)
    }

    fn members_of(self, salvage: &SalvageRecord) -> String {
        let mut grid = Grid::new(&["ARRAY", ">SLOT", "MEMBER", "STATE", ">GENERATION", "USED"]);
        for member in &salvage.members {
            let name = member.device.as_deref().or(member.subset.as_deref());
            grid.row([
                member.array.as_str().into(),
                member.slot.to_string().into(),
                or_dash(name).into(),
                word(&member.state).into(),
                or_dash(member.generation).into(),
                word(&member.used).into(),
            ]);
        }
        grid.render(self, "  ")
    }

    fn lost_of(self, salvage: &SalvageRecord) -> String {
        if salvage.lost.is_empty() {
            return String::new();
        }
        let mut grid = Grid::new(&[">LOST FROM BYTE", ">LENGTH", "WHY"]);
        for lost in salvage.lost.iter().take(SHOWN) {
            grid.row([
                lost.offset_bytes.to_string().into(),
                lost.length_bytes.to_string().into(),
                lost.reason.as_str().into(),
            ]);
        }
        let shown = salvage.lost.len().min(SHOWN) as u64;
        let more = salvage.lost_ranges.0.saturating_sub(shown);
        let rest =
            if more > 0 { format!("  {more} more in {}\n", clean(&salvage.map)) } else { String::new() };
        grid.render(self, "  ") + &rest
    }
}
