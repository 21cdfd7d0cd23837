//! The table of commands.

use clap::CommandFactory;
use raid_tests::{Outcome, Run, run};
use std::ffi::OsStr;

/// Where a command gets its input from when it is given no path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Without {
    /// The disks of the machine.
    Machine,
    /// Records on standard input.
    Records,
    /// It has to be given one.
    Refuses,
}

/// A command of a program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command {
    pub(crate) program: &'static str,
    /// The name of the command; empty for a program that has only one thing to do.
    pub(crate) name: &'static str,
    /// How many times the path is given.
    pub(crate) paths: usize,
    /// What follows the paths.
    pub(crate) after: &'static [&'static str],
    pub(crate) without: Without,
}

const fn command(
    program: &'static str,
    name: &'static str,
    paths: usize,
    after: &'static [&'static str],
    without: Without,
) -> Command {
    Command { program, name, paths, after, without }
}

/// Every command that reads devices.
pub(crate) const COMMANDS: [Command; 5] = [
    command("raid-probe", "", 1, &[], Without::Machine),
    command("raid-meta", "dump", 1, &[], Without::Records),
    command("raid-meta", "get", 1, &["magic"], Without::Refuses),
    command("raid-meta", "check", 1, &[], Without::Records),
    command("raid-meta", "diff", 2, &[], Without::Refuses),
];

/// Programs with no command yet.
pub(crate) const EMPTY: [&str; 2] = ["raid-sync", "raid-repair"];

/// What a run on small input may use.
const MEMORY: u64 = 64 << 20;
const CPU_SECONDS: u64 = 1;

impl Command {
    /// The command with nothing else.
    pub(crate) fn bare(self) -> Run {
        let name = Some(self.name).filter(|name| !name.is_empty());
        run(self.program).args(name).memory_limit(MEMORY).cpu_limit(CPU_SECONDS)
    }

    /// The command on a path.
    pub(crate) fn on(self, path: impl AsRef<OsStr>) -> Run {
        let paths = (0..self.paths).map(|_| path.as_ref());
        self.bare().args(paths).args(self.after)
    }
}

/// Fails unless the program said exactly one line, in its own name, and printed nothing.
#[track_caller]
pub(crate) fn assert_one_line(program: &str, outcome: &Outcome) {
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "messages; {outcome}");
    assert!(lines[0].starts_with(&format!("{program}: ")), "{outcome}");
    assert!(outcome.stdout.is_empty(), "{outcome}");
}

#[test]
fn every_command_is_in_the_table() {
    let definitions = [
        raid_probe::cli::Probe::command(),
        raid_meta::cli::meta::Meta::command(),
        raid_sync::cli::Sync::command(),
        raid_repair::cli::Repair::command(),
    ];
    for definition in definitions {
        let program = definition.get_name();
        let names: Vec<&str> = definition.get_subcommands().map(clap::Command::get_name).collect();
        let expected: Vec<&str> = COMMANDS
            .iter()
            .filter(|command| command.program == program)
            .map(|command| command.name)
            .collect();
        let names = if names.is_empty() && !EMPTY.contains(&program) { vec![""] } else { names };
        assert_eq!(names, expected, "{program}");
    }
}
