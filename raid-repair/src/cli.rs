//! The command line of raid-repair.

use clap::Parser;
use raid_meta::cli::{CommonArgs, Console, EXIT_STATUS_HELP, Exit, Failure, Program};

/// Change, repair and watch RAID arrays
///
/// This version has no commands yet: it answers --help and --version only.
#[derive(Parser)]
#[command(name = "raid-repair", version, max_term_width = 100, after_help = EXIT_STATUS_HELP)]
pub struct Repair {
    #[command(flatten)]
    common: CommonArgs,
}

impl Program for Repair {
    const NAME: &'static str = "raid-repair";

    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn run(self, _console: &mut Console) -> anyhow::Result<Exit> {
        Err(Failure::usage("this version has no commands yet").into())
    }
}
