//! The command line of raid-repair.

mod rebuild;
mod salvage;
mod scrub;

use clap::{Parser, Subcommand};
use raid_meta::cli::{CommonArgs, Console, EXIT_STATUS_HELP, Exit, Failure, Program};
use raid_sync::position::PositionError;
use raid_table::cli::check_instructions;

const EXAMPLES: &str = "\
Examples:
  raid-repair scrub disk0.img disk1.img disk2.img disk3.img
                                        where parity or copies do not agree with the data
  raid-probe /dev/sd? | raid-repair scrub --array md_data --position scrub.pos
                                        the same, to be gone on with after a stop
  raid-repair scrub --fix *.img         put right what is known to be wrong
  raid-repair salvage --map disk1.img=disk1.map -O array.img disk?.img
                                        what is left of an array, out of images that ddrescue made";

/// Change, repair and watch RAID arrays
///
/// Arrays come from devices or images, or as the records that raid-probe prints. Nothing is written without being told.
#[derive(Parser)]
#[command(name = "raid-repair", version, max_term_width = 100)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub struct Repair {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Subcommand)]
enum Command {
    Scrub(scrub::ScrubCommand),
    Salvage(salvage::SalvageCommand),
    Rebuild(rebuild::RebuildCommand),
}

impl Program for Repair {
    const NAME: &'static str = "raid-repair";

    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn run(self, console: &mut Console) -> anyhow::Result<Exit> {
        check_instructions(console);
        let is_quiet = self.common.is_quiet();
        match self.command {
            Command::Scrub(scrub) => scrub.run(is_quiet, console),
            Command::Salvage(salvage) => salvage.run(is_quiet, console),
            Command::Rebuild(rebuild) => rebuild.run(is_quiet, console),
        }
    }
}

/// The exit status of a position that can not be used.
fn position_failure(error: PositionError) -> Failure {
    let exit = match error {
        PositionError::Io { .. } => Exit::System,
        PositionError::NotOne { .. } => Exit::BadData,
        PositionError::OtherJob { .. } => Exit::No,
    };
    Failure::new(exit, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Repair::command().debug_assert();
    }
}
