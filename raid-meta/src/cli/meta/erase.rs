//! `raid-meta erase`.

use super::Opened;
use crate::cli::{Console, EXIT_STATUS_HELP, Exit, OutputArgs, SourceArgs, WriteArgs};
use crate::commit::Plan;
use crate::edit::erase;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  raid-meta erase disk0.img                  what would be overwritten
  raid-meta erase --write --format md disk0.img
  raid-meta erase --write --undo U disk0.img; raid-meta restore --write U";

/// Overwrite metadata with zeros, every copy of it
///
/// Afterwards none of the formats (or none of those that --format names) is found on the devices any more. Data is not
/// touched. What is overwritten is saved in the undo file.
#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub(super) struct Erase {
    #[command(flatten)]
    write: WriteArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    source: SourceArgs,
}

impl Erase {
    pub(super) fn run(&self, console: &mut Console) -> anyhow::Result<Exit> {
        console.set_style(self.output.style());
        let devices = &self.source.devices;
        let mut inputs = self.source.inputs(console)?;
        let unknown = inputs.take_unknown();
        let opened = Opened::new(inputs, devices, console);
        console.pass_on(&unknown)?;
        let opened = opened?;
        let mut plan = Plan::default();
        for device in &opened.devices {
            erase(&mut plan, device, &devices.options())?;
        }
        let exit = self.write.carry_out_and_print(&plan, devices, console)?;
        Ok(opened.tally.exit(exit))
    }
}
