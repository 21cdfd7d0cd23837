//! The command line of raid-sync.

use clap::Parser;
use raid_meta::cli::{CommonArgs, Console, EXIT_STATUS_HELP, Exit, Failure, Program};

/// Move RAID data in restartable windows
///
/// This version has no commands yet: it answers --help and --version only.
#[derive(Parser)]
#[command(name = "raid-sync", version, max_term_width = 100, after_help = EXIT_STATUS_HELP)]
pub struct Sync {
    #[command(flatten)]
    common: CommonArgs,
}

impl Program for Sync {
    const NAME: &'static str = "raid-sync";

    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn run(self, _console: &mut Console) -> anyhow::Result<Exit> {
        Err(Failure::usage("this version has no commands yet").into())
    }
}
