//! `raid-meta check`.

use super::probed;
use crate::cli::{Console, EXIT_STATUS_HELP, Exit, OutputArgs, SourceArgs};
use crate::inspect;
use crate::record::{Problem, Record, VerdictRecord, VerdictResult};
use clap::Args;

/// Check checksums, bounds, and whether the members agree
///
/// Prints a verdict for each member: ok; damaged, by itself; disagrees, with the others of its set. Give all members
/// of a set to have them compared. The exit status is 3 for damage and contradictions, and 1 where a member is merely
/// out of date or no longer part of its set.
#[derive(Args)]
#[command(after_help = EXIT_STATUS_HELP)]
pub(super) struct Check {
    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    source: SourceArgs,
}

impl Check {
    pub(super) fn run(&self, console: &mut Console) -> anyhow::Result<Exit> {
        console.set_style(self.output.style());
        let mut inputs = self.source.inputs(console)?;
        let unknown = inputs.take_unknown();
        let found = probed(inputs, &self.source.devices, console);
        console.pass_on(&unknown)?;
        let (found, tally) = found?;
        let mut exit = Exit::Done;
        for member in &found.members {
            console.problems(member);
            let verdict = inspect::verdict(member);
            exit = exit.and(meaning(&verdict));
            console.print(&Record::Verdict(verdict))?;
        }
        Ok(tally.exit(exit))
    }
}

/// Damage and contradictions are bad data. A member that the set has left behind is an honest no.
fn meaning(verdict: &VerdictRecord) -> Exit {
    let has_error = verdict.problems.iter().any(Problem::is_error);
    match verdict.result {
        VerdictResult::Damaged => Exit::BadData,
        _ if has_error => Exit::BadData,
        VerdictResult::Disagrees => Exit::No,
        VerdictResult::Ok => Exit::Done,
    }
}
