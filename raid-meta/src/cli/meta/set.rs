//! `raid-meta set`.

use super::Opened;
use crate::cli::{Console, DeviceArgs, EXIT_STATUS_HELP, Exit, Failure, Inputs, OutputArgs, WriteArgs};
use crate::edit::{Assignment, Edit, EditError, set};
use crate::format::Metadata;
use crate::identify::Member;
use crate::inspect;
use crate::record::{Problem, Record};
use clap::Args;
use std::ffi::OsString;

const EXAMPLES: &str = "\
Examples:
  raid-meta set disk0.img events=17               what would change
  raid-meta set --write disk0.img events=17 resync_offset=0
  raid-meta set --write disk0.img 'set_name=host:a\\x20b'
  raid-meta set --write --force disk0.img sb_csum=0x1234";

/// Set fields to values
///
/// The fields are those that raid-meta dump prints. Numbers are decimal or 0x…; text has \xNN for bytes that are not
/// printable; other values are hexadecimal digits. Checksums follow, unless a checksum is set itself. Prints the
/// fields that change. What raid-meta check would call damage afterwards is refused.
#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub(super) struct Set {
    /// Device or image, or a window of it
    #[arg(value_name = "PATH[@OFFSET[+LENGTH]]")]
    path: OsString,

    /// Fields and the values that they are to have
    #[arg(value_name = "FIELD=VALUE", required = true, value_parser = assignment)]
    assignments: Vec<Assignment>,

    /// Set values that make the metadata damaged, or unrecognisable
    #[arg(long, help_heading = "Writing")]
    force: bool,

    #[command(flatten)]
    write: WriteArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    devices: DeviceArgs,
}

fn assignment(text: &str) -> Result<Assignment, String> {
    let (field, value) = text.split_once('=').ok_or("expected FIELD=VALUE")?;
    Ok(Assignment { field: field.to_owned(), value: value.into() })
}

impl Set {
    pub(super) fn run(&self, console: &mut Console) -> anyhow::Result<Exit> {
        console.set_style(self.output.style());
        let inputs = Inputs::from_paths(std::slice::from_ref(&self.path), &self.devices, console)?;
        let opened = Opened::new(inputs, &self.devices, console)?;
        let member = self.member(&opened.found.members)?;
        let edit = planned(set(&opened.window(member)?, member, &self.assignments))?;
        refuse(&edit, member, self.force, console)?;
        self.write.carry_out(&edit.plan, &self.devices, console)?;
        match edit.after.first() {
            Some(after) => {
                for difference in inspect::differences(member, after) {
                    console.print(&Record::Difference(difference))?;
                }
            }
            None => {
                for record in edit.plan.records(self.write.write) {
                    console.print(&Record::Write(record))?;
                }
            }
        }
        Ok(opened.tally.exit(Exit::Done))
    }

    /// The metadata that has the fields: there can be more than one instance on a device.
    fn member<'a>(&self, members: &'a [Member]) -> Result<&'a Member, Failure> {
        let has_all = |member: &&Member| {
            let fields = member.metadata().map(Metadata::fields).unwrap_or_default();
            let has = |name: &str| fields.iter().any(|field| field.name == name);
            self.assignments.iter().all(|assignment| has(&assignment.field))
        };
        let mut having = members.iter().filter(has_all);
        match (having.next(), having.next()) {
            (Some(member), None) => Ok(member),
            (Some(first), Some(second)) => Err(Failure::usage(format!(
                "{} and {}@{} have these fields; --format or PATH@OFFSET says which are meant",
                first.device.label(),
                second.device.label(),
                second.found.offset
            ))),
            // The error of the first says which field is missing.
            (None, _) => members.first().ok_or_else(|| Failure::new(Exit::No, "no RAID metadata found")),
        }
    }
}

/// A name or a value that is not possible is wrong usage.
fn planned(edit: Result<Edit, EditError>) -> anyhow::Result<Edit> {
    match edit {
        Err(error @ (EditError::UnknownField(_) | EditError::Value { .. })) => {
            Err(Failure::usage(error.to_string()).into())
        }
        other => Ok(other?),
    }
}

/// Says what speaks against a change, and refuses it unless forced.
fn refuse(edit: &Edit, member: &Member, force: bool, console: &Console) -> Result<(), Failure> {
    let Some(objection) = edit.objections.first() else { return Ok(()) };
    let (device, format) = (member.device.label(), member.format.name());
    if force {
        let note = |problem: &Problem| console.note(format_args!("{device}: {format}: {}", problem.message));
        edit.objections.iter().for_each(note);
        return Ok(());
    }
    let more = match edit.objections.len().saturating_sub(1) {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let message =
        format!("{device}: {format}: refused: {}{more}; --force sets it all the same", objection.message);
    Err(Failure::new(Exit::No, message))
}
