//! The command line of raid-meta.

mod check;
mod diff;
mod dump;
mod get;

use super::{CommonArgs, Console, DeviceArgs, EXIT_STATUS_HELP, Exit, Failure, Inputs, Program, Tally};
use crate::identify::Member;
use crate::probe::Probe;
use crate::record::Record;
use clap::{Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  raid-meta dump disk0.img              every field of the metadata
  raid-meta dump -o hex disk0.img       the bytes, each under the name of its field
  raid-meta get -o text disk0.img events
  raid-meta check disk?.img             checksums, bounds, and whether the members agree
  raid-meta diff disk0.img disk1.img
  raid-probe | raid-meta check          all members of this machine";

/// Dump, check and compare RAID metadata
///
/// Reads the metadata of all known formats on devices and images, field by field. Nothing is written to any device.
#[derive(Parser)]
#[command(name = "raid-meta", version, max_term_width = 100)]
#[command(arg_required_else_help = false)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub struct Meta {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Subcommand)]
enum Command {
    Dump(dump::Dump),
    Get(get::Get),
    Check(check::Check),
    Diff(diff::Diff),
}

impl Program for Meta {
    const NAME: &'static str = "raid-meta";

    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn run(self, console: &mut Console) -> anyhow::Result<Exit> {
        match self.command {
            Command::Dump(command) => command.run(console),
            Command::Get(command) => command.run(console),
            Command::Check(command) => command.run(console),
            Command::Diff(command) => command.run(console),
        }
    }
}

/// What is on the devices: at least one metadata instance, and one format only on each, or the one asked for.
fn probed(inputs: Inputs<'_>, args: &DeviceArgs, console: &Console) -> Result<(Probe, Tally), Failure> {
    let (found, tally) = inputs.probe();
    if found.members.is_empty() {
        return Err(match tally.exit(Exit::No) {
            Exit::System => Failure::reported(Exit::System),
            exit => Failure::new(exit, "no RAID metadata found"),
        });
    }
    let is_ambiguous = |member: &&Member| member.has_problem("ambiguous-format");
    if let Some(member) = found.members.iter().find(is_ambiguous).filter(|_| args.formats.is_empty()) {
        console.problems(member);
        return Err(Failure::new(
            Exit::No,
            format!("{}: --format says which is meant", member.device.label()),
        ));
    }
    Ok((found, tally))
}

/// Done, unless the metadata is damaged.
fn soundness(member: &Member) -> Exit {
    if member.is_sound() { Exit::Done } else { Exit::BadData }
}

impl Console {
    /// Prints records of unknown types as they came.
    fn pass_on(&mut self, records: &[Record]) -> std::io::Result<()> {
        records.iter().try_for_each(|record| self.print(record))
    }

    /// Says what is wrong with a member: see [`Console::problem`].
    fn problems(&self, member: &Member) {
        for problem in &member.problems {
            self.problem(&member.device.label(), member.format.name(), problem);
        }
    }
}
