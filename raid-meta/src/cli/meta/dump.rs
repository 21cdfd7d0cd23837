//! `raid-meta dump`.

use super::{probed, soundness};
use crate::cli::{Chosen, Console, EXIT_STATUS_HELP, Exit, OutputArgs, OutputFormat, SourceArgs};
use crate::identify::Member;
use crate::inspect;
use crate::record::Record;
use clap::{Args, ValueEnum};

/// Print every field of the metadata
///
/// A field has a name, an offset from the start of the device (or of the partition), a size, a value, and where that
/// is more than the value, what it means. Every byte of the metadata belongs to one field.
#[derive(Args)]
#[command(after_help = EXIT_STATUS_HELP)]
pub(super) struct Dump {
    #[command(flatten)]
    output: OutputArgs<DumpFormat>,

    #[command(flatten)]
    source: SourceArgs,
}

/// How a dump is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DumpFormat {
    /// A table; the default on a terminal
    Text,
    /// JSON Lines, one field record a line; the default elsewhere
    Json,
    /// A hexdump in which each byte stands beside the name of its field
    Hex,
}

impl OutputFormat for DumpFormat {
    const TEXT: Self = Self::Text;
    const JSON: Self = Self::Json;
}

impl Dump {
    pub(super) fn run(&self, console: &mut Console) -> anyhow::Result<Exit> {
        let mut inputs = self.source.inputs(console)?;
        let unknown = inputs.take_unknown();
        let found = probed(inputs, &self.source.devices, console);
        if let Chosen::Style(style) = self.output.chosen() {
            console.set_style(style);
            console.pass_on(&unknown)?;
        }
        let (found, tally) = found?;
        let mut exit = Exit::Done;
        for member in &found.members {
            console.problems(member);
            self.print(member, console)?;
            exit = exit.and(soundness(member));
        }
        Ok(tally.exit(exit))
    }

    fn print(&self, member: &Member, console: &mut Console) -> anyhow::Result<()> {
        if let Chosen::Own(_) = self.output.chosen() {
            return hexdump(member, console);
        }
        for field in inspect::fields(member) {
            console.print(&Record::Field(field))?;
        }
        Ok(())
    }
}

fn hexdump(member: &Member, console: &mut Console) -> anyhow::Result<()> {
    console.text(&format!("{}: {}\n", member.device.label(), member.format.name()))?;
    for line in inspect::hexdump(member) {
        console.text(format!("{line}").trim_end())?;
        console.text("\n")?;
    }
    Ok(())
}
