//! What is written, or would be; and what was written before.

use super::{Grid, Painter, or_dash};
use crate::record::Record;

/// Digits of a hash that are shown; the JSON has all of them.
const SHOWN_DIGITS: usize = 12;

impl Painter {
    pub(super) fn writes(self, records: &[Record]) -> String {
        let mut grid =
            Grid::new(&["DEVICE", ">OFFSET", ">LENGTH", "WHAT", "FROM SHA-256", "TO SHA-256", "WRITTEN"]);
        for record in records {
            let Record::Write(write) = record else { continue };
            grid.row([
                write.device.as_str().into(),
                write.offset_bytes.to_string().into(),
                write.length_bytes.to_string().into(),
                write.what.as_str().into(),
                self.digits(&write.from_sha256).into(),
                self.digits(&write.to_sha256).into(),
                if write.written { "yes" } else { "no" }.into(),
            ]);
        }
        grid.render(self, "")
    }

    pub(super) fn generations(self, records: &[Record]) -> String {
        let mut grid = Grid::new(&[
            "DEVICE",
            "FORMAT",
            ">GENERATION",
            "CURRENT",
            "UPDATED",
            ">OFFSET",
            ">LENGTH",
            "DESCRIPTION",
        ]);
        for record in records {
            let Record::Generation(generation) = record else { continue };
            let offset = generation.metadata.iter().map(|area| area.offset_bytes).min();
            grid.row([
                generation.device.as_str().into(),
                generation.format.as_str().into(),
                generation.generation.to_string().into(),
                if generation.current { "yes" } else { "no" }.into(),
                or_dash(generation.updated_utc.as_deref()).into(),
                or_dash(offset).into(),
                generation.length_bytes.to_string().into(),
                generation.description.as_deref().unwrap_or_default().into(),
            ]);
        }
        grid.render(self, "")
    }

    fn digits(self, hash: &str) -> String {
        let shown = if self.verbose { None } else { hash.get(..SHOWN_DIGITS) };
        shown.unwrap_or(hash).to_owned()
    }
}
