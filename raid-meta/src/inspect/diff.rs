//! Two members compared field by field.

use super::fields;
use crate::identify::Member;
use crate::record::{DifferenceRecord, FieldRecord, V1};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// The fields that two members of one format do not have the same, in the order of the first, then what only the
/// second has. Where a field is does not count.
#[must_use]
pub fn differences(from: &Member, to: &Member) -> Vec<DifferenceRecord> {
    let (ours, theirs) = (fields(from), fields(to));
    let by_name: HashMap<&str, &FieldRecord> =
        theirs.iter().map(|field| (field.name.as_str(), field)).collect();
    let known: HashSet<&str> = ours.iter().map(|field| field.name.as_str()).collect();
    let pairs = ours.iter().map(|field| (Some(field), by_name.get(field.name.as_str()).copied()));
    let added =
        theirs.iter().filter(|field| !known.contains(field.name.as_str())).map(|field| (None, Some(field)));
    let pairs = pairs.chain(added).filter(|(a, b)| value(*a) != value(*b));
    pairs.filter_map(|(a, b)| difference(from, to, a, b)).collect()
}

fn value(field: Option<&FieldRecord>) -> Option<&Value> {
    field.map(|field| &field.value)
}

fn difference(
    from: &Member,
    to: &Member,
    a: Option<&FieldRecord>,
    b: Option<&FieldRecord>,
) -> Option<DifferenceRecord> {
    let either = a.or(b)?;
    Some(DifferenceRecord {
        v: V1,
        from_device: from.device.path_text(),
        from_device_offset_sectors: from.device.offset_sectors(),
        to_device: to.device.path_text(),
        to_device_offset_sectors: to.device.offset_sectors(),
        format: either.format.clone(),
        structure: either.structure.clone(),
        name: either.name.clone(),
        from_offset_bytes: a.map(|field| field.offset_bytes),
        to_offset_bytes: b.map(|field| field.offset_bytes),
        from: value(a).cloned().unwrap_or_default(),
        to: value(b).cloned().unwrap_or_default(),
        from_meaning: a.and_then(|field| field.meaning.clone()),
        to_meaning: b.and_then(|field| field.meaning.clone()),
    })
}
