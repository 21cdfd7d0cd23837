//! The command line of raid-meta.

mod backup;
mod check;
mod create;
mod diff;
mod dump;
mod encode;
mod erase;
mod get;
mod history;
mod restore;
mod set;

use super::{CommonArgs, Console, DeviceArgs, EXIT_STATUS_HELP, Exit, Failure, Inputs, Program, Tally};
use crate::device::Device;
use crate::edit::{self, EditError};
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
  raid-probe | raid-meta check          all members of this machine
  raid-meta set disk0.img events=17     what would change; --write changes it
  raid-meta backup /dev/sd? > B         all metadata, to be put back with: raid-meta restore --write B
  raid-meta dump a.img | raid-meta encode --onto b.img
  raid-meta erase --write disk0.img     every copy; an undo file is kept
  raid-meta create --format md --level raid5 --name data --write disk?.img
  raid-meta history disk0.img           older generations that are still there";

/// Dump, check, compare, edit, save, erase and create RAID metadata
///
/// Reads the metadata of all known formats on devices and images, field by field, and writes it. The commands that
/// write show what they would do, and do it with --write; before that they check that the device holds what they
/// expect, and save an undo file for raid-meta restore.
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
    Set(set::Set),
    Encode(encode::Encode),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Erase(erase::Erase),
    History(history::History),
    Create(create::Create),
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
            Command::Set(command) => command.run(console),
            Command::Encode(command) => command.run(console),
            Command::Backup(command) => command.run(console),
            Command::Restore(command) => command.run(console),
            Command::Erase(command) => command.run(console),
            Command::History(command) => command.run(console),
            Command::Create(command) => command.run(console),
        }
    }
}

/// What is on the devices: at least one metadata instance, and one format only on each, or the one asked for.
fn probed(inputs: Inputs<'_>, args: &DeviceArgs, console: &Console) -> Result<(Probe, Tally), Failure> {
    let (found, tally) = inputs.probe();
    check_found(&found, tally, args, console)?;
    Ok((found, tally))
}

/// What is on devices that stay open.
struct Opened {
    devices: Vec<Device>,
    found: Probe,
    tally: Tally,
}

impl Opened {
    /// As [`probed`], with the devices.
    fn new(inputs: Inputs<'_>, args: &DeviceArgs, console: &Console) -> Result<Self, Failure> {
        let (devices, found, tally) = inputs.probe_open();
        check_found(&found, tally, args, console)?;
        Ok(Self { devices, found, tally })
    }

    /// The window of a member, open for reading.
    fn window(&self, member: &Member) -> Result<Device, EditError> {
        let on_device = self.devices.iter().filter(|device| device.path() == member.device.path());
        let mut windows = on_device.map(|device| edit::window(device, member));
        let first = windows.next();
        match first {
            Some(Ok(window)) => Ok(window),
            // Another window of the same device may have been given beside it.
            _ => {
                windows.find(Result::is_ok).or(first).unwrap_or_else(|| edit::window(&member.device, member))
            }
        }
    }
}

fn check_found(found: &Probe, tally: Tally, args: &DeviceArgs, console: &Console) -> Result<(), Failure> {
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
    Ok(())
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
