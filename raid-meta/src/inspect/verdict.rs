//! What is wrong with a member: by itself, or beside the others of its set.

use crate::format::Metadata;
use crate::identify::Member;
use crate::record::{Problem, V1, VerdictRecord, VerdictResult};

/// Problems that say that a member and the others do not agree.
const DISAGREEMENTS: [&str; 5] =
    ["stale-member", "failed-member", "foreign", "divergent", "duplicate-member"];

/// The verdict on a member, after a probe has compared it with the others.
#[must_use]
pub fn verdict(member: &Member) -> VerdictRecord {
    VerdictRecord {
        v: V1,
        device: member.device.path_text(),
        device_offset_sectors: member.device.offset_sectors(),
        format: member.format.name().to_owned(),
        result: result(member),
        problems: member.problems.clone(),
    }
}

fn result(member: &Member) -> VerdictResult {
    let own = member.metadata().map(Metadata::check).unwrap_or_default();
    if !member.is_sound() || own.iter().any(Problem::is_error) {
        VerdictResult::Damaged
    } else if member.problems.iter().any(|problem| DISAGREEMENTS.contains(&problem.code.as_str())) {
        VerdictResult::Disagrees
    } else {
        VerdictResult::Ok
    }
}
