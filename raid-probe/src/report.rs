//! What a probe found, as records, and what it means for the exit status.

use raid_meta::cli::Exit;
use raid_meta::identify::Member;
use raid_meta::probe::Probe;
use raid_meta::record::{Problem, Record};

/// Which records are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Of members.
    pub members: bool,
    /// Of arrays.
    pub arrays: bool,
}

/// What was found.
#[derive(Debug)]
pub struct Report {
    found: Probe,
}

impl Report {
    /// A report of what was found.
    #[must_use]
    pub fn new(found: Probe) -> Self {
        Self { found }
    }

    /// Whether nothing at all was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.members.is_empty()
    }

    /// The records: members in the order of the devices, then arrays, subsets before the sets that use them.
    pub fn records(&self, wanted: Wanted) -> impl Iterator<Item = Record> + '_ {
        let members = self.found.members.iter().filter(move |_| wanted.members);
        let arrays = self.found.arrays.iter().filter(move |_| wanted.arrays);
        let members = members.map(|member| Record::Member(member.record()));
        members.chain(arrays.map(|array| Record::Array(array.clone())))
    }

    /// Everything that is wrong, with what it is about: device or array, and format.
    pub fn problems(&self) -> impl Iterator<Item = (String, &str, &Problem)> {
        let members = self.found.members.iter().flat_map(|member| {
            member.problems.iter().map(|problem| (member.device.label(), member.format.name(), problem))
        });
        let arrays = self.found.arrays.iter().flat_map(|array| {
            let format = array.format.as_deref().unwrap_or("array");
            array.problems.iter().map(move |problem| (array.name.clone(), format, problem))
        });
        members.chain(arrays)
    }

    /// A search that stopped at its limits is done in part. Nothing found is a no, as are two formats on one device; a slot that can not be known is bad data, and so
    /// is damage when nothing sound remains, or anything wrong when `strict`.
    #[must_use]
    pub fn exit(&self, strict: bool) -> Exit {
        let has = |code: &str| self.problems().any(|(_, _, problem)| problem.code == code);
        let is_wrong = || self.problems().any(|(_, _, problem)| problem.is_error());
        if !self.found.incomplete.is_empty() {
            Exit::Partly
        } else if self.is_empty() {
            Exit::No
        } else if has("slot-unknown") || !self.found.members.iter().any(Member::is_sound) {
            Exit::BadData
        } else if has("ambiguous-format") {
            Exit::No
        } else if strict && (is_wrong() || !self.found.members.iter().all(Member::is_sound)) {
            Exit::BadData
        } else {
            Exit::Done
        }
    }
}
