//! Reading and writing the stream of records.

use super::{
    ArrayRecord, DifferenceRecord, FieldRecord, FormatRecord, MemberRecord, MismatchRecord, PlaceRecord,
    ProgressRecord, RegionRecord, TableRecord, V1, VerdictRecord,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::io::{self, BufRead};

/// Longest line that is read: a record of the largest array with every list full is far below it.
const MAX_LINE_BYTES: u64 = 16 << 20;

/// Any record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Record {
    /// One metadata instance.
    Member(MemberRecord),
    /// One volume.
    Array(ArrayRecord),
    /// One dm device.
    Table(TableRecord),
    /// One metadata field.
    Field(FieldRecord),
    /// Outcome of a check.
    Verdict(VerdictRecord),
    /// A field that two metadata instances do not have the same.
    Difference(DifferenceRecord),
    /// Where a sector lives.
    Place(PlaceRecord),
    /// Redundancy that does not agree.
    Mismatch(MismatchRecord),
    /// A saved piece of a device.
    Region(RegionRecord),
    /// How far a job is.
    Progress(ProgressRecord),
    /// A metadata format.
    Format(FormatRecord),
    /// A record of a type that this version does not know, passed on unchanged.
    #[serde(untagged)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    Other(Value),
}

impl Record {
    /// The record as one line of JSON, without the line end.
    ///
    /// # Errors
    /// None in practice: every record is representable.
    pub fn to_line(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// Reads one line.
    fn from_line(line: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(line).map_err(|error| format!("not JSON: {error}"))?;
        let kind = value.get("type").and_then(Value::as_str).ok_or("no \"type\"")?.to_owned();
        match value.get("v").and_then(Value::as_u64) {
            Some(V1::NUMBER) => {}
            Some(other) => return Err(format!("{kind}: record version {other}, expected 1")),
            None => return Err(format!("{kind}: no \"v\", expected 1")),
        }
        Self::from_fields(&kind, value).map_err(|error| format!("{kind}: {error}"))
    }

    /// A record of a known type has to have its fields; only an unknown type is passed on as it is.
    fn from_fields(kind: &str, value: Value) -> Result<Self, serde_json::Error> {
        use serde_json::from_value;
        Ok(match kind {
            "member" => Self::Member(from_value(value)?),
            "array" => Self::Array(from_value(value)?),
            "table" => Self::Table(from_value(value)?),
            "field" => Self::Field(from_value(value)?),
            "verdict" => Self::Verdict(from_value(value)?),
            "difference" => Self::Difference(from_value(value)?),
            "place" => Self::Place(from_value(value)?),
            "mismatch" => Self::Mismatch(from_value(value)?),
            "region" => Self::Region(from_value(value)?),
            "progress" => Self::Progress(from_value(value)?),
            "format" => Self::Format(from_value(value)?),
            _ => Self::Other(value),
        })
    }
}

/// What can go wrong with a stream of records.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The stream could not be read.
    #[error("{source_name}: {error}")]
    Io {
        /// Name of the stream.
        source_name: String,
        /// Why.
        error: io::Error,
    },
    /// A line is not a record that can be used.
    #[error("{source_name}: line {line}: {message}")]
    Line {
        /// Name of the stream.
        source_name: String,
        /// Line number, from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
}

/// Reads all records of a stream; blank lines are skipped.
///
/// # Errors
/// The first line that is no record, has another `v`, or is longer than 16 MiB.
pub fn read_records(
    source_name: &str,
    input: impl BufRead,
) -> impl Iterator<Item = Result<Record, RecordError>> {
    let source_name = source_name.to_owned();
    let mut input = input;
    let mut line = 0;
    let mut ended = false;
    std::iter::from_fn(move || {
        while !ended {
            line += 1;
            let text = match read_line(&mut input) {
                Ok(Some(text)) => text,
                Ok(None) => return None,
                Err(error) => {
                    ended = true;
                    return Some(Err(RecordError::Io { source_name: source_name.clone(), error }));
                }
            };
            if text.trim().is_empty() {
                continue;
            }
            return Some(Record::from_line(&text).map_err(|message| {
                ended = true;
                RecordError::Line { source_name: source_name.clone(), line, message }
            }));
        }
        None
    })
}

fn read_line(input: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let mut limited = io::Read::take(&mut *input, MAX_LINE_BYTES);
    if limited.read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    if bytes.len() as u64 == MAX_LINE_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a line longer than 16 MiB"));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8"))
}
