//! The command line of raid-table.

#[cfg(feature = "kernel")]
mod activate;
#[cfg(feature = "kernel")]
mod chosen;
#[cfg(feature = "full")]
mod copy;
#[cfg(feature = "kernel")]
mod deactivate;
mod default;
#[cfg(feature = "full")]
mod draw;
mod emit;
#[cfg(feature = "full")]
mod export;
#[cfg(feature = "full")]
mod instructions;
#[cfg(feature = "full")]
mod map;
#[cfg(feature = "full")]
mod output;
#[cfg(feature = "full")]
mod read;
#[cfg(feature = "kernel")]
mod recorder;
#[cfg(feature = "full")]
mod serve;
mod tally;
#[cfg(feature = "kernel")]
mod wait;

#[cfg(feature = "full")]
pub use instructions::check_instructions;
#[cfg(feature = "full")]
pub use read::{ReadArgs, WITHOUT_FORCE, open_volume, open_volume_once};

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use raid_meta::cli::{CommonArgs, Console, EXIT_STATUS_HELP, Exit, Program};

const EXAMPLES: &str = "\
Examples:
  raid-table disk0.img disk1.img disk2.img
                                        the tables, as dmsetup prints them
  raid-probe /dev/sd? | raid-table -o concise | dmsetup create --concise
                                        create all arrays that are whole
  raid-probe *.img | raid-table map --array md_data --sector 0 2048
                                        where two sectors of an array are
  raid-probe *.img | raid-table read --array md_data > data.img
                                        the bytes of an array, computed where members are missing

Without a command: emit.";

/// Map RAID arrays: for the kernel, and in userspace
///
/// Arrays come from devices or images, or as the records that raid-probe prints. Nothing is written to any device.
#[derive(Parser)]
#[command(name = "raid-table", version, max_term_width = 100)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
struct Definition {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Subcommand)]
enum Command {
    Emit(emit::Emit),
    #[cfg(feature = "full")]
    Map(map::MapCommand),
    #[cfg(feature = "full")]
    Draw(draw::Draw),
    #[cfg(feature = "full")]
    Read(ReadArgs),
    #[cfg(feature = "full")]
    Serve(serve::Serve),
    #[cfg(feature = "kernel")]
    Activate(activate::Activate),
    #[cfg(feature = "kernel")]
    Deactivate(deactivate::Deactivate),
}

/// The program. Its first argument may be a command or already one for `emit`.
pub struct Table(Definition);

impl Parser for Table {
    fn try_parse() -> Result<Self, clap::Error> {
        let command = Self::command();
        Self::try_parse_from(default::with_default(&command, "emit", std::env::args_os()))
    }
}

impl CommandFactory for Table {
    fn command() -> clap::Command {
        Definition::command()
    }

    fn command_for_update() -> clap::Command {
        Definition::command_for_update()
    }
}

impl FromArgMatches for Table {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Definition::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl Program for Table {
    const NAME: &'static str = "raid-table";

    fn common(&self) -> &CommonArgs {
        &self.0.common
    }

    fn run(self, console: &mut Console) -> anyhow::Result<Exit> {
        match self.0.command {
            Command::Emit(emit) => emit.run(console),
            #[cfg(feature = "full")]
            Command::Map(map) => map.run(console),
            #[cfg(feature = "full")]
            Command::Draw(draw) => draw.run(console),
            #[cfg(feature = "full")]
            Command::Read(read) => read.run(console),
            #[cfg(feature = "full")]
            Command::Serve(serve) => serve.run(console),
            #[cfg(feature = "kernel")]
            Command::Activate(activate) => activate.run(console),
            #[cfg(feature = "kernel")]
            Command::Deactivate(deactivate) => deactivate.run(console),
        }
    }
}

#[cfg(feature = "full")]
/// Taken by commands that need no such permission, so that a line for `emit` works for them too.
#[derive(clap::Args)]
struct DegradedArgs {
    /// Accepted; this command needs no permission to do without missing members
    #[arg(long, hide = true)]
    degraded: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Table::command().debug_assert();
    }
}
