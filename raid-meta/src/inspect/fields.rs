//! The fields of a member, all of them or by name.

use crate::format::Metadata;
use crate::identify::Member;
use crate::record::{FieldRecord, V1};
use crate::units::Bytes;

/// Names that an error offers.
const MAX_OFFERED: usize = 5;

/// Every field of a member's metadata, in the order of the device. None when too little of it is left.
#[must_use]
pub fn fields(member: &Member) -> Vec<FieldRecord> {
    let fields = member.metadata().map(Metadata::fields).unwrap_or_default();
    let record = |field: crate::model::Field| FieldRecord {
        v: V1,
        device: member.device.path_text(),
        device_offset_sectors: member.device.offset_sectors(),
        device_length_sectors: Some(member.device.length_sectors()),
        format: member.format.name().to_owned(),
        structure: field.structure,
        name: field.name,
        offset_bytes: field.offset,
        size_bytes: Bytes(u64::from(field.size)),
        encoding: Some(field.encoding.into()),
        value: field.value,
        meaning: field.meaning,
    };
    fields.into_iter().map(record).collect()
}

/// A name that no field has, and the names that are most like it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{device}: {format}: no field '{name}'{}", offer(similar))]
pub struct UnknownField {
    /// Which device.
    pub device: String,
    /// Format of its metadata.
    pub format: String,
    /// The name.
    pub name: String,
    /// Fields with similar names, the most similar first.
    pub similar: Vec<String>,
}

impl UnknownField {
    /// The error for a name that none of `all` is.
    pub(crate) fn new<'a>(member: &Member, name: &str, all: impl Iterator<Item = &'a str>) -> Self {
        Self {
            device: member.device.label(),
            format: member.format.name().to_owned(),
            name: crate::escape::escape(name.as_bytes()),
            similar: similar(name, all),
        }
    }
}

fn offer(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; similar: {}", names.join(", ")) }
}

/// The fields of those names, in the order of the names.
///
/// # Errors
/// The first name that no field has.
pub fn select(member: &Member, names: &[String]) -> Result<Vec<FieldRecord>, UnknownField> {
    let all = fields(member);
    let find = |name: &String| {
        let known = all.iter().map(|field| field.name.as_str());
        let field = all.iter().find(|field| field.name == *name).cloned();
        field.ok_or_else(|| UnknownField::new(member, name, known))
    };
    names.iter().map(find).collect()
}

/// Names that a mistyped or shortened one may stand for: those that contain it or lie within a third of its length
/// in edits.
fn similar<'a>(name: &str, all: impl Iterator<Item = &'a str>) -> Vec<String> {
    let near = |candidate: &'a str| {
        let edits = distance(name, candidate);
        let close = edits <= name.chars().count().div_ceil(3);
        let contains = !name.is_empty() && candidate.contains(name);
        (close || contains).then_some((!close, edits, candidate))
    };
    let mut found: Vec<_> = all.filter_map(near).collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(MAX_OFFERED).map(|(_, _, name)| name.to_owned()).collect()
}

/// Letters to insert, delete or replace to make one text of the other (Levenshtein), a row at a time.
fn distance(a: &str, b: &str) -> usize {
    let letters: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=letters.len()).collect();
    for (above, letter) in a.chars().enumerate() {
        let mut diagonal = above;
        let mut left = above.saturating_add(1);
        let mut next = vec![left];
        for (&other, &up) in letters.iter().zip(row.iter().skip(1)) {
            let replaced = diagonal.saturating_add(usize::from(letter != other));
            left = replaced.min(left.saturating_add(1)).min(up.saturating_add(1));
            diagonal = up;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (a, b, edits) in
            [("", "", 0), ("abc", "", 3), ("", "ab", 2), ("events", "evnets", 2), ("a", "b", 1)]
        {
            assert_eq!(distance(a, b), edits, "{a} {b}");
            assert_eq!(distance(b, a), edits, "{b} {a}");
        }
    }

    #[test]
    fn a_mistyped_name_finds_its_like_and_a_short_one_those_it_is_in() {
        let names = ["events", "magic", "dev_roles[0]", "dev_roles[1]", "sb_csum"];
        let like = |name| similar(name, names.into_iter());
        assert_eq!(like("evnets"), ["events"]);
        assert_eq!(like("csum"), ["sb_csum"]);
        assert_eq!(like("dev_roles"), ["dev_roles[0]", "dev_roles[1]"]);
        assert!(like("zzzzzzzz").is_empty());
        assert!(like("").is_empty());
    }
}
