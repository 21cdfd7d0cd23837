//! Fields and verdicts: what raid-meta says of metadata.

use super::grid::Cell;
use super::{Grid, Painter, Tone, clean, word};
use crate::record::{FieldRecord, Record};
use serde_json::Value;

/// Longest value that is shown whole; the JSON has all of it.
const MAX_VALUE_CHARS: usize = 48;

impl Painter {
    pub(super) fn fields(self, records: &[Record]) -> String {
        let fields = records.iter().filter_map(|record| match record {
            Record::Field(field) => Some(field),
            _ => None,
        });
        let fields: Vec<&FieldRecord> = fields.collect();
        let of_one = |a: &&FieldRecord, b: &&FieldRecord| (&a.device, &a.format) == (&b.device, &b.format);
        let blocks = fields.chunk_by(of_one).map(|fields| self.instance(fields));
        blocks.collect::<Vec<_>>().join("\n")
    }

    /// The fields of one metadata instance.
    fn instance(self, fields: &[&FieldRecord]) -> String {
        let mut grid = Grid::new(&[">OFFSET", ">SIZE", "STRUCTURE", "FIELD", "VALUE", "MEANING"]);
        for field in fields {
            grid.row([
                field.offset_bytes.to_string().into(),
                field.size_bytes.to_string().into(),
                field.structure.as_str().into(),
                field.name.as_str().into(),
                short(&field.value, self.verbose).into(),
                field.meaning.as_deref().unwrap_or_default().into(),
            ]);
        }
        let title = fields.first().map(|field| format!("{}: {}", field.device, field.format));
        let title = self.paint(&clean(&title.unwrap_or_default()), Tone::Heading);
        format!("{title}\n{}", grid.render(self, "  "))
    }

    pub(super) fn verdicts(self, records: &[Record]) -> String {
        let mut grid = Grid::new(&["DEVICE", "FORMAT", "RESULT"]);
        let mut problems = String::new();
        for record in records {
            let Record::Verdict(verdict) = record else { continue };
            let result = Cell::toned(word(&verdict.result), verdict.result);
            grid.row([verdict.device.as_str().into(), verdict.format.as_str().into(), result]);
            let lines = self
                .problems(&format!("{}: {}: ", clean(&verdict.device), verdict.format), &verdict.problems);
            problems.push_str(&lines);
        }
        grid.render(self, "") + &problems
    }

    pub(super) fn differences(self, records: &[Record]) -> String {
        let mut grid = Grid::new(&["FIELD", "FROM", "TO", "MEANING"]);
        let mut title = String::new();
        for record in records {
            let Record::Difference(difference) = record else { continue };
            let meanings =
                [&difference.from_meaning, &difference.to_meaning].map(|text| text.as_deref().unwrap_or("-"));
            let changed = meanings[0] != meanings[1];
            title = format!("{} -> {}: {}", difference.from_device, difference.to_device, difference.format);
            grid.row([
                difference.name.as_str().into(),
                short(&difference.from, self.verbose).into(),
                short(&difference.to, self.verbose).into(),
                if changed { meanings.join(" -> ") } else { String::new() }.into(),
            ]);
        }
        format!("{}\n{}", self.paint(&clean(&title), Tone::Heading), grid.render(self, "  "))
    }
}

/// A value on one line, cut where it is long.
fn short(value: &Value, whole: bool) -> String {
    let text = word(value);
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) if !whole => format!("{}…", text.get(..end).unwrap_or_default()),
        _ => text,
    }
}
