//! Records as text for people: tables where a line says enough, blocks for arrays.

mod array;
mod grid;
mod member;
mod metadata;
mod place;
mod salvage;
mod scrub;
mod write;

use crate::escape::escape;
use crate::record::{Health, MemberState, Problem, Record, Severity, VerdictResult};
use grid::Grid;
use std::borrow::Cow;

/// How the text is to look.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Painter {
    /// With terminal colours.
    pub color: bool,
    /// With more detail.
    pub verbose: bool,
}

/// A colour of the terminal, by what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Plain,
    Heading,
    Good,
    Doubtful,
    Bad,
}

/// One record after the other as `key: value`, for types that have no form of their own.
const GENERIC_SEPARATOR: &str = "  ";

impl Painter {
    /// The text of records of one type, each line ended.
    pub(super) fn table(self, records: &[Record]) -> String {
        match records.first() {
            Some(Record::Member(_)) => self.members(records),
            Some(Record::Array(_)) => self.arrays(records),
            Some(Record::Table(_)) => self.tables(records),
            Some(Record::Field(_)) => self.fields(records),
            Some(Record::Verdict(_)) => self.verdicts(records),
            Some(Record::Difference(_)) => self.differences(records),
            Some(Record::Generation(_)) => self.generations(records),
            Some(Record::Write(_)) => self.writes(records),
            Some(Record::Place(_)) => self.places(records),
            Some(Record::Mismatch(_)) => self.mismatches(records),
            Some(Record::Scrub(_)) => self.scrubs(records),
            Some(Record::Salvage(_)) => self.salvages(records),
            Some(Record::Format(_)) => self.formats(records),
            _ => records.iter().map(generic).collect(),
        }
    }

    fn paint(self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Heading => "1",
            Tone::Good => "32",
            Tone::Doubtful => "33",
            Tone::Bad => "31",
        };
        if self.color && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A line for each problem; notes only with more detail.
    fn problems(self, indent: &str, problems: &[Problem]) -> String {
        let mut lines = String::new();
        for problem in problems {
            let (word, tone) = match problem.severity {
                Severity::Error => ("error", Tone::Bad),
                Severity::Warning => ("warning", Tone::Doubtful),
                Severity::Note if self.verbose => ("note", Tone::Plain),
                Severity::Note => continue,
            };
            let message = clean(&problem.message);
            lines.push_str(&format!("{indent}{}: {message}\n", self.paint(word, tone)));
        }
        lines
    }
}

impl From<Health> for Tone {
    fn from(health: Health) -> Self {
        match health {
            Health::Failed => Self::Bad,
            Health::Optimal => Self::Good,
            _ => Self::Doubtful,
        }
    }
}

impl From<MemberState> for Tone {
    fn from(state: MemberState) -> Self {
        match state {
            MemberState::InSync => Self::Good,
            MemberState::Rebuilding => Self::Doubtful,
            MemberState::Stale | MemberState::Missing | MemberState::Failed => Self::Bad,
        }
    }
}

impl From<VerdictResult> for Tone {
    fn from(result: VerdictResult) -> Self {
        match result {
            VerdictResult::Ok => Self::Good,
            VerdictResult::Disagrees => Self::Doubtful,
            VerdictResult::Damaged => Self::Bad,
        }
    }
}

/// Text with everything that could act on a terminal as `\xNN`. Text of records is escaped already and stays as
/// it is; records that were written by hand, and messages of the system, may not be.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.into();
    }
    let parts: Vec<_> = text.split('\\').map(escape_marks).collect();
    parts.join("\\").into()
}

/// Escapes what is neither printable nor one of the few marks that our own messages use.
fn escape_marks(part: &str) -> String {
    part.split_inclusive('…')
        .map(|piece| match piece.strip_suffix('…') {
            Some(before) => escape(before.as_bytes()) + "…",
            None => escape(piece.as_bytes()),
        })
        .collect()
}

/// The name that a value has in the records.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(serde_json::Value::Null) | Err(_) => String::new(),
        Ok(other) => other.to_string(),
    }
}

/// The text of what may be missing.
fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn generic(record: &Record) -> String {
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(record) else { return String::new() };
    let kind = fields.get("type").map(word).unwrap_or_default();
    let shown = fields.iter().filter(|(key, _)| !matches!(key.as_str(), "type" | "v"));
    let pairs = shown.map(|(key, value)| format!("{}={}", clean(key), clean(&word(value))));
    let pairs: Vec<_> = std::iter::once(format!("{}:", clean(&kind))).chain(pairs).collect();
    pairs.join(GENERIC_SEPARATOR) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hostile_text_does_not_reach_the_terminal() {
        assert_eq!(clean("plain \\x0a"), "plain \\x0a");
        assert_eq!(clean("a\x1b[31m\\x41\u{202e}…\n"), "a\\x1b[31m\\x41\\xe2\\x80\\xae…\\x0a");
        let record = Record::Other(json!({"type": "x\n", "v": 1, "k\x07": "\x1b"}));
        assert_eq!(Painter::default().table(&[record]), "x\\x0a:  k\\x07=\\x1b\n");
    }

    #[test]
    fn colors_are_only_there_when_asked_for() {
        assert_eq!(Painter::default().paint("x", Tone::Bad), "x");
        assert_eq!(Painter { color: true, verbose: false }.paint("x", Tone::Bad), "\x1b[31mx\x1b[0m");
    }

    #[test]
    fn notes_are_detail() {
        let problems = [Problem::warning("a", "first"), Problem::note("b", "second")];
        assert_eq!(Painter::default().problems("  ", &problems), "  warning: first\n");
        let verbose = Painter { color: false, verbose: true };
        assert_eq!(verbose.problems("", &problems), "warning: first\nnote: second\n");
    }
}
