//! The annotated hexdump: every byte of the metadata once, under the name of the field that owns it.
//!
//! A field begins on a new line. Rows of a long field that repeat are folded, with their count, so that what is not
//! shown is still accounted for.

use crate::identify::Member;
use crate::model::{Area, Field};
use crate::record::ChecksumState;
use crate::units::Bytes;
use std::fmt;

/// Bytes in a row.
const ROW: usize = 16;
/// Equal rows that are shown before the rest is folded.
const SHOWN_OF_EQUAL: usize = 1;
/// Longest value that stands beside the bytes.
const MAX_VALUE_CHARS: usize = 64;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HexLine {
    /// An area begins.
    Area {
        /// What it is.
        role: &'static str,
        /// From the start of the device window.
        offset: Bytes,
        /// Length.
        length: Bytes,
        /// State of its checksum.
        checksum: ChecksumState,
    },
    /// Up to 16 bytes of one field.
    Row {
        /// From the start of the device window.
        offset: Bytes,
        /// The bytes.
        bytes: Vec<u8>,
        /// The field and its value, on its first row.
        label: Option<String>,
    },
    /// Rows that are the same as the one before.
    Folded {
        /// From the start of the device window.
        offset: Bytes,
        /// Length of what is not shown.
        length: Bytes,
    },
}

impl HexLine {
    /// Bytes of the device that the line stands for.
    #[must_use]
    pub fn length(&self) -> Bytes {
        match self {
            Self::Area { .. } => Bytes::ZERO,
            Self::Row { bytes, .. } => Bytes(bytes.len() as u64),
            Self::Folded { length, .. } => *length,
        }
    }
}

/// The lines for a member's metadata.
#[must_use]
pub fn hexdump(member: &Member) -> Vec<HexLine> {
    let Some(metadata) = member.metadata() else { return Vec::new() };
    let mut fields = metadata.fields();
    fields.sort_by_key(|field| field.offset);
    metadata.areas().iter().flat_map(|area| area_lines(area, &fields)).collect()
}

/// The lines for bytes whose fields are not known.
#[must_use]
pub fn hexdump_area(area: &Area) -> Vec<HexLine> {
    area_lines(area, &[])
}

fn area_lines(area: &Area, fields: &[Field]) -> Vec<HexLine> {
    let length = Bytes(area.bytes.len() as u64);
    let mut lines =
        vec![HexLine::Area { role: area.role, offset: area.offset, length, checksum: area.checksum }];
    let mut at = 0;
    for field in fields {
        let Some(start) = position(area, field) else { continue };
        // No format leaves a gap or lets fields overlap; if one did, its bytes would still be shown once.
        push(&mut lines, area, at, start, "no field");
        let end = start.saturating_add(field.size as usize).min(area.bytes.len());
        push(&mut lines, area, start.max(at), end, &label(field));
        at = end.max(at);
    }
    push(&mut lines, area, at, area.bytes.len(), "no field");
    lines
}

/// Where a field begins in an area; none when it is not in it.
fn position(area: &Area, field: &Field) -> Option<usize> {
    let start = usize::try_from(field.offset.checked_sub(area.offset)?.0).ok()?;
    (start < area.bytes.len()).then_some(start)
}

fn label(field: &Field) -> String {
    let value = match &field.value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut label = format!("{} = {}", field.name, shortened(&value));
    if let Some(meaning) = &field.meaning {
        label.push_str(&format!("  ({meaning})"));
    }
    label
}

fn shortened(value: &str) -> String {
    match value.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}

/// The rows of the bytes from `start` to `end` of the area, repeated ones folded.
fn push(lines: &mut Vec<HexLine>, area: &Area, start: usize, end: usize, label: &str) {
    let bytes = area.bytes.get(start..end).unwrap_or_default();
    let at = |position: usize| area.offset.saturating_add(Bytes(start.saturating_add(position) as u64));
    let mut position = 0_usize;
    for equal in bytes.chunks(ROW).collect::<Vec<_>>().chunk_by(|a, b| a == b) {
        for row in equal.iter().take(SHOWN_OF_EQUAL) {
            let label = (position == 0).then(|| label.to_owned());
            lines.push(HexLine::Row { offset: at(position), bytes: row.to_vec(), label });
            position = position.saturating_add(row.len());
        }
        let folded: usize = equal.iter().skip(SHOWN_OF_EQUAL).map(|row| row.len()).sum();
        if folded > 0 {
            lines.push(HexLine::Folded { offset: at(position), length: Bytes(folded as u64) });
            position = position.saturating_add(folded);
        }
    }
}

impl fmt::Display for HexLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Area { role, offset, length, checksum } => {
                let checksum = serde_json::to_value(checksum).unwrap_or_default();
                let checksum = checksum.as_str().unwrap_or_default();
                write!(f, "{role} at byte {offset}, {length} bytes, checksum {checksum}")
            }
            Self::Row { offset, bytes, label } => {
                write!(f, "{:08x}  {}  {}", offset.0, digits(bytes), letters(bytes))?;
                label.as_ref().map_or(Ok(()), |label| write!(f, "  {label}"))
            }
            Self::Folded { offset, length } => {
                write!(f, "{:08x}  * the same for {length} bytes more", offset.0)
            }
        }
    }
}

fn digits(bytes: &[u8]) -> String {
    let text: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{:<47}", text.join(" "))
}

fn letters(bytes: &[u8]) -> String {
    let text: String =
        bytes.iter().map(|&byte| if matches!(byte, b' '..=b'~') { char::from(byte) } else { '.' }).collect();
    format!("{text:<16}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::schema::Encoding;

    fn field(name: &str, offset: u64, size: u32) -> Field {
        let value = serde_json::json!(1);
        Field {
            structure: "s".into(),
            name: name.into(),
            offset: Bytes(offset),
            size,
            value,
            encoding: Encoding::RAW,
            meaning: None,
        }
    }

    fn area(bytes: Vec<u8>) -> Area {
        Area { role: "superblock", offset: Bytes(4096), bytes, checksum: ChecksumState::Ok }
    }

    fn text(area: &Area, fields: &[Field]) -> String {
        area_lines(area, fields).iter().map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn each_field_begins_a_line_and_repeated_rows_are_folded() {
        let area = area([b"LABL".to_vec(), vec![0; 44]].concat());
        let mut magic = field("magic", 4096, 4);
        magic.meaning = Some("a label".into());
        let lines = "\
superblock at byte 4096, 48 bytes, checksum ok
00001000  4c 41 42 4c                                      LABL              magic = 1  (a label)
00001004  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................  reserved = 1
00001014  * the same for 16 bytes more
00001024  00 00 00 00 00 00 00 00 00 00 00 00              ............    \n";
        assert_eq!(text(&area, &[magic, field("reserved", 4100, 44)]), lines);
    }

    #[test]
    fn bytes_are_shown_once_whatever_the_fields_say() {
        let area = area((0..100).collect());
        let hostile = [field("a", 4100, 8), field("b", 4104, 200), field("c", 1, 4), field("d", 9000, 4)];
        let lines = area_lines(&area, &hostile);
        let shown: u64 = lines.iter().map(|line| line.length().0).sum();
        assert_eq!(shown, 100);
        assert!(text(&area, &hostile).contains("no field"));
    }
}
