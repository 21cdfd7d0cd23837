//! Places of sectors, device-mapper tables, and the list of formats.

use super::{Grid, Painter, Tone, clean, or_dash, word};
use crate::record::{PlaceMate, Record};

impl Painter {
    pub(super) fn places(self, records: &[Record]) -> String {
        let mut grid =
            Grid::new(&["ARRAY", ">SECTOR", ">SLOT", "DEVICE", ">DEVICE SECTOR", "ROLE", ">STRIPE", "MATES"]);
        for record in records {
            let Record::Place(place) = record else { continue };
            let mates: Vec<_> = place.mates.iter().map(mate).collect();
            grid.row([
                place.array.as_str().into(),
                or_dash(place.array_sector).into(),
                place.member_slot.to_string().into(),
                place.device.as_deref().unwrap_or("missing").into(),
                place.member_sector.to_string().into(),
                word(&place.role).into(),
                or_dash(place.stripe).into(),
                mates.join(" ").into(),
            ]);
        }
        grid.render(self, "")
    }

    pub(super) fn formats(self, records: &[Record]) -> String {
        let mut grid = Grid::new(&["FORMAT", "DESCRIPTION"]);
        for record in records {
            let Record::Format(format) = record else { continue };
            grid.row([format.name.as_str().into(), format.description.as_str().into()]);
        }
        grid.render(self, "")
    }

    pub(super) fn tables(self, records: &[Record]) -> String {
        let mut lines = String::new();
        for record in records {
            let Record::Table(table) = record else { continue };
            let access = if table.read_only { " (read-only)" } else { "" };
            lines.push_str(&format!("{}{access}\n", self.paint(&clean(&table.name), Tone::Heading)));
            for line in &table.lines {
                let (start, length) = (line.start_sectors, line.length_sectors);
                lines.push_str(&format!(
                    "  {start} {length} {} {}\n",
                    clean(&line.target),
                    clean(&line.params)
                ));
            }
        }
        lines
    }
}

/// `p:2@4096`: role, slot, sector.
fn mate(mate: &PlaceMate) -> String {
    format!("{}:{}@{}", word(&mate.role), mate.member_slot, mate.member_sector)
}
