//! Reading and writing the stream of records.

use super::{
    ArrayRecord, DifferenceRecord, FieldRecord, FormatRecord, GenerationRecord, MemberRecord, MismatchRecord,
    PlaceRecord, ProgressRecord, RegionRecord, SalvageRecord, ScrubRecord, TableRecord, V1, VerdictRecord,
    WriteRecord,
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
    /// What a scrub came to.
    Scrub(ScrubRecord),
    /// A saved piece of a device.
    Region(RegionRecord),
    /// A piece of a device that is overwritten.
    Write(WriteRecord),
    /// How far a job is.
    Progress(ProgressRecord),
    /// Metadata that is still on a device, current or not.
    Generation(GenerationRecord),
    /// What was obtained of a damaged array.
    Salvage(SalvageRecord),
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

    /// Reads one line: first what it is, without keeping anything of it, then its fields.
    fn from_line(line: &str) -> Result<Self, String> {
        if !line.trim_start().starts_with('{') {
            return Err("not a record: expected a JSON object".to_owned());
        }
        let head: Head = serde_json::from_str(line).map_err(|error| match error.is_data() {
            true => format!("not a record: {error}"),
            false => format!("not JSON: {error}"),
        })?;
        let kind = head.kind.ok_or("no \"type\"")?;
        match head.v {
            Some(V1::NUMBER) => {}
            Some(other) => return Err(format!("{kind}: record version {other}, expected 1")),
            None => return Err(format!("{kind}: no \"v\", expected 1")),
        }
        let most = most_bytes(&kind);
        if line.len() > most {
            return Err(format!("{kind}: a record of {} bytes, expected at most {most}", line.len()));
        }
        Self::from_fields(&kind, line).map_err(|error| format!("{kind}: {error}"))
    }

    /// A record of a known type has to have its fields; only an unknown type is passed on as it is.
    fn from_fields(kind: &str, line: &str) -> Result<Self, serde_json::Error> {
        use serde_json::from_str;
        Ok(match kind {
            "member" => Self::Member(from_str(line)?),
            "array" => Self::Array(from_str(line)?),
            "table" => Self::Table(from_str(line)?),
            "field" => Self::Field(from_str(line)?),
            "verdict" => Self::Verdict(from_str(line)?),
            "difference" => Self::Difference(from_str(line)?),
            "place" => Self::Place(from_str(line)?),
            "mismatch" => Self::Mismatch(from_str(line)?),
            "scrub" => Self::Scrub(from_str(line)?),
            "region" => Self::Region(from_str(line)?),
            "generation" => Self::Generation(from_str(line)?),
            "write" => Self::Write(from_str(line)?),
            "progress" => Self::Progress(from_str(line)?),
            "salvage" => Self::Salvage(from_str(line)?),
            "format" => Self::Format(from_str(line)?),
            _ => Self::Other(from_str(line)?),
        })
    }
}

/// What every record begins with, wherever it stands in the line.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    v: Option<u64>,
}

/// Longest line of a type. Only a region has content of a disk in it; of an unknown type, every value is kept.
fn most_bytes(kind: &str) -> usize {
    match kind {
        "region" => usize::MAX,
        "member" | "array" | "table" | "field" | "verdict" | "difference" | "place" | "mismatch"
        | "write" | "generation" => 4 << 20,
        _ => 1 << 20,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Record, String> {
        Record::from_line(line)
    }

    fn array(members: &str) -> String {
        format!(
            r#"{{"type":"array","v":1,"name":"a","level":"raid1","size_sectors":8,"slots":2,"members":[{members}]}}"#
        )
    }

    #[test]
    fn what_a_record_is_may_stand_anywhere_in_its_line() {
        let record = read(r#"{"x":[1,{"y":2}],"v":1,"type":"later"}"#).unwrap();
        assert!(matches!(record, Record::Other(value) if value["x"][1]["y"] == 2));
        assert!(matches!(read(&array("")), Ok(Record::Array(array)) if array.members.is_empty()));
    }

    #[test]
    fn what_is_no_record_is_said_in_its_own_words() {
        let error = |line: &str| read(line).unwrap_err();
        assert_eq!(error("[\"array\",1]"), "not a record: expected a JSON object");
        assert!(error("{\"type\":").starts_with("not JSON: "), "{}", error("{\"type\":"));
        assert!(error("{\"type\":1,\"v\":1}").starts_with("not a record: "));
        assert_eq!(error("{\"v\":1}"), "no \"type\"");
        assert_eq!(error("{\"type\":\"array\"}"), "array: no \"v\", expected 1");
        assert_eq!(error("{\"type\":\"later\",\"v\":2}"), "later: record version 2, expected 1");
    }

    #[test]
    fn numbers_of_unknown_records_are_passed_on_as_the_same_numbers() {
        for number in [
            "1e45",
            "9999999999999999999999999999999999999999999999999999999999",
            "0.1",
            "18446744073709551615",
        ] {
            let line = format!(r#"{{"type":"later","v":1,"x":[{number}]}}"#);
            let once = read(&line).unwrap().to_line().unwrap();
            let value = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["x"][0].clone();
            assert_eq!(value(&once), value(&line));
            assert_eq!(once, read(&once).unwrap().to_line().unwrap());
        }
    }

    #[test]
    fn a_slot_given_twice_is_an_error() {
        let member = r#"{"slot":0,"state":"missing"}"#;
        assert!(read(&array(member)).is_ok());
        let error = read(&array(&format!("{member},{member}"))).unwrap_err();
        assert!(error.starts_with("array: slot 0 is given twice"), "{error}");
    }

    #[test]
    fn a_list_without_end_and_a_line_without_end_are_errors() {
        let members: Vec<String> =
            (0..5000).map(|slot| format!(r#"{{"slot":{slot},"state":"missing"}}"#)).collect();
        let error = read(&array(&members.join(","))).unwrap_err();
        assert!(error.starts_with("array: more than 4096 members"), "{error}");
        let long = format!(r#"{{"type":"later","v":1,"x":"{}"}}"#, "x".repeat(1 << 20));
        assert!(read(&long).unwrap_err().contains("expected at most 1048576"));
    }
}
