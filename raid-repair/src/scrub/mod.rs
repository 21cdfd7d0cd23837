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

/// The arrays in which something is there twice: this one, and those that are its members. Where there is none, this one.
#[must_use]
pub fn redundant<'a>(array: &'a ArrayRecord, arrays: &'a [ArrayRecord]) -> Vec<&'a ArrayRecord> {
    let mut found = Vec::new();
    add_redundant(array, arrays, 0, &mut found);
    if found.is_empty() { vec![array] } else { found }
}

fn add_redundant<'a>(
    array: &'a ArrayRecord,
    arrays: &'a [ArrayRecord],
    depth: u32,
    found: &mut Vec<&'a ArrayRecord>,
) {
    if depth > place::MAX_NESTING {
        return;
    }
    for name in array.members.iter().filter_map(|member| member.array.as_deref()) {
        if let Some(below) = arrays.iter().find(|other| other.name == name) {
            add_redundant(below, arrays, depth + 1, found);
        }
    }
    let is_known = found.iter().any(|other| other.name == array.name);
    if array.level.is_redundant() && !is_known {
        found.push(array);
    }
}

/// The record of a finding.
#[must_use]
pub fn mismatch(
    array: &ArrayRecord,
    arrays: &[ArrayRecord],
    finding: &Finding,
    fixed: bool,
) -> MismatchRecord {
    let slot = finding.wrong.map(|(slot, _)| slot);
    let places = slot
        .zip(finding.sector)
        .and_then(|(slot, sector)| member_places(array, arrays, slot, sector, finding.length).ok());
    let place = places.and_then(|places| places.into_iter().next());
    let window = |place: &MemberPlace| place.member.device_offset_sectors.unwrap_or(Sectors::ZERO);
    MismatchRecord {
        v: V1,
        array: array.name.clone(),
        stripe: finding.stripe.map(Count),
        slot,
        device: place.as_ref().and_then(|place| place.member.device.clone()),
        role: finding.wrong.map(|(_, role)| role),
        array_sectors: finding.array.clone(),
        verdict: if slot.is_some() { "wrong" } else { "undecidable" }.to_owned(),
        data_sector: finding.sector,
        member_sector: place.as_ref().map(|place| window(place).saturating_add(place.sector)),
        length_sectors: finding.length,
        fixed,
    }
}
