//! What a scrub found, as records, and as writes that put it right.

mod fix;
mod found;
mod place;

pub use fix::{FixError, plan};
pub use found::{Found, Guard};
pub use place::{MemberPlace, PlaceError, member_places};

use raid_meta::record::{ArrayRecord, MismatchRecord, V1};
use raid_meta::units::{Count, Sectors};
use raid_sync::scrub::Finding;
use std::collections::HashSet;

/// The arrays in which something is there twice: this one, and those that are its members. Where there is none, this one.
#[must_use]
pub fn redundant<'a>(array: &'a ArrayRecord, arrays: &'a [ArrayRecord]) -> Vec<&'a ArrayRecord> {
    let mut found = Vec::new();
    add_redundant(array, arrays, &mut HashSet::new(), &mut found);
    if found.is_empty() { vec![array] } else { found }
}

fn add_redundant<'a>(
    array: &'a ArrayRecord,
    arrays: &'a [ArrayRecord],
    visited: &mut HashSet<&'a str>,
    found: &mut Vec<&'a ArrayRecord>,
) {
    if !visited.insert(&array.name) {
        return;
    }
    for name in array.members.iter().filter_map(|member| member.array.as_deref()) {
        if let Some(below) = arrays.iter().find(|other| other.name == name) {
            add_redundant(below, arrays, visited, found);
        }
    }
    if array.level.is_redundant() {
        found.push(array);
    }
}

/// The records of a finding: one, unless the member is an array and what is wrong is at several places below.
#[must_use]
pub fn mismatches(
    array: &ArrayRecord,
    arrays: &[ArrayRecord],
    finding: &Finding,
    fixed: bool,
) -> Vec<MismatchRecord> {
    let slot = finding.wrong.map(|(slot, _)| slot);
    let places = slot
        .zip(finding.sector)
        .and_then(|(slot, sector)| member_places(array, arrays, slot, sector, finding.length).ok())
        .unwrap_or_default();
    if places.is_empty() {
        return vec![mismatch(array, finding, None, fixed)];
    }
    let mut done = Sectors::ZERO;
    let of_place = |place: &MemberPlace| {
        let part = part(finding, done, place.length);
        done = done.saturating_add(place.length);
        mismatch(array, &part, Some(place), fixed)
    };
    places.iter().map(of_place).collect()
}

/// Some sectors of a finding, without what puts them right.
fn part(finding: &Finding, from: Sectors, length: Sectors) -> Finding {
    let of_a_sector = finding.array.len() as u64 / finding.length.0.max(1);
    let index =
        |sectors: Sectors| usize::try_from(sectors.0.saturating_mul(of_a_sector)).unwrap_or(usize::MAX);
    let array = finding.array.iter().skip(index(from)).take(index(length)).copied().collect();
    let sector = finding.sector.map(|sector| sector.saturating_add(from));
    Finding { stripe: finding.stripe, wrong: finding.wrong, sector, length, array, repairs: Vec::new() }
}

fn mismatch(
    array: &ArrayRecord,
    finding: &Finding,
    place: Option<&MemberPlace>,
    fixed: bool,
) -> MismatchRecord {
    let slot = finding.wrong.map(|(slot, _)| slot);
    let window = |place: &MemberPlace| place.member.device_offset_sectors.unwrap_or(Sectors::ZERO);
    MismatchRecord {
        v: V1,
        array: array.name.clone(),
        stripe: finding.stripe.map(Count),
        slot,
        device: place.and_then(|place| place.member.device.clone()),
        role: finding.wrong.map(|(_, role)| role),
        array_sectors: finding.array.clone(),
        verdict: if slot.is_some() { "wrong" } else { "undecidable" }.to_owned(),
        data_sector: finding.sector,
        member_sector: place.map(|place| window(place).saturating_add(place.sector)),
        length_sectors: finding.length,
        fixed,
    }
}
