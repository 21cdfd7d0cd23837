//! Waiting for the members of arrays.

use super::chosen::arrays;
use raid_meta::cli::{Console, Source, SourceArgs};
use raid_meta::format::Format;
use raid_meta::record::{ArrayRecord, MemberState};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often the disks are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Where arrays come from, and which are meant.
pub(super) struct Selection<'a> {
    pub(super) args: &'a SourceArgs,
    pub(super) wanted: Option<&'a str>,
    pub(super) others: &'a [&'static dyn Format],
}

impl Selection<'_> {
    pub(super) fn arrays<'s>(
        &self,
        source: &'s Source,
        console: &Console,
    ) -> anyhow::Result<Vec<&'s ArrayRecord>> {
        arrays(self.args, self.wanted, self.others, source, console)
    }

    /// What is there, as soon as nothing is missing from it or the time is over. What is waited for is said at once, and of the
    /// looks only the last says what it saw.
    pub(super) fn load(&self, limit: Duration, console: &Console) -> anyhow::Result<Source> {
        let start = Instant::now();
        let may_wait = !limit.is_zero() && !self.args.paths.iter().any(|path| path == "-");
        let mut waits = false;
        loop {
            let look = console.holding();
            let found = self.args.load_or_scan(&look);
            let awaited = if may_wait { self.awaited(&found, console) } else { Vec::new() };
            let left = limit.saturating_sub(start.elapsed());
            if awaited.is_empty() || left.is_zero() {
                look.release();
                awaited.iter().for_each(|what| console.say(format_args!("{what}, after {limit:?}")));
                return found;
            }
            if !waits {
                awaited
                    .iter()
                    .for_each(|what| console.say(format_args!("{what}; waiting for up to {limit:?}")));
            }
            waits = true;
            sleep(LOOK.min(left));
        }
    }

    /// What may still come.
    fn awaited(&self, found: &anyhow::Result<Source>, console: &Console) -> Vec<String> {
        let missing = |source: &Source| {
            let arrays = self.arrays(source, &console.holding())?;
            let missing = arrays.into_iter().flat_map(|array| lacking(array, &source.arrays));
            Ok(missing.filter(|lack| lack.state == MemberState::Missing).map(|lack| lack.text()).collect())
        };
        let texts: anyhow::Result<Vec<String>> = match found {
            Ok(source) => missing(source),
            Err(error) => return vec![error.to_string()],
        };
        texts.unwrap_or_else(|error| vec![error.to_string()])
    }
}

/// A slot that an array, or one that it consists of, has to do without.
pub(super) struct Lack<'a> {
    array: &'a str,
    slot: String,
    state: MemberState,
}

impl Lack<'_> {
    pub(super) fn text(&self) -> String {
        let state = match self.state {
            MemberState::InSync => "in sync",
            MemberState::Rebuilding => "being rebuilt",
            MemberState::Stale => "out of date",
            MemberState::Missing => "missing",
            MemberState::Failed => "failed",
        };
        format!("{}: slot {} is {state}", self.array, self.slot)
    }
}

/// What an array, and those that it consists of, do without.
pub(super) fn lacking<'a>(array: &'a ArrayRecord, arrays: &'a [ArrayRecord]) -> Vec<Lack<'a>> {
    let subset = |name| arrays.iter().find(|array| array.name == name);
    let subsets = array.members.iter().filter_map(|member| subset(member.array.as_deref()?));
    let of = |array: &'a ArrayRecord| {
        let lacks =
            array.members.iter().filter(|member| member.state != MemberState::InSync && !member.split);
        lacks.map(|member| Lack { array: &array.name, slot: member.slot.to_string(), state: member.state })
    };
    std::iter::once(array).chain(subsets).flat_map(of).collect()
}
