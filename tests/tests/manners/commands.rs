//! The table of commands.

use raid_tests::{Outcome, Run, run};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::PathBuf;

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

/// How many paths a command takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paths {
    One,
    Two,
    /// Any number.
    Many,
}

/// What a command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prints {
    /// Records, or text, or shell variables.
    Records,
    /// The bytes of an array, or a picture.
    Bytes,
}

/// A command of a program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command {
    pub(crate) program: &'static str,
    /// The name of the command; empty for a program that has only one thing to do.
    pub(crate) name: &'static str,
    pub(crate) paths: Paths,
    /// What follows the paths.
    pub(crate) after: &'static [&'static str],
    pub(crate) without: Without,
    pub(crate) prints: Prints,
    /// Whether it looks for metadata on its paths: the one that does not makes it.
    pub(crate) finds: bool,
}

const fn command(program: &'static str, name: &'static str, paths: Paths) -> Command {
    Command {
        program,
        name,
        paths,
        after: &[],
        without: Without::Records,
        prints: Prints::Records,
        finds: true,
    }
}

/// Every command that is given devices.
pub(crate) const COMMANDS: [Command; 15] = [
    Command { without: Without::Machine, ..command("raid-probe", "", Paths::Many) },
    command("raid-meta", "dump", Paths::Many),
    Command { after: &["magic"], without: Without::Refuses, ..command("raid-meta", "get", Paths::One) },
    command("raid-meta", "check", Paths::Many),
    Command { without: Without::Refuses, ..command("raid-meta", "diff", Paths::Two) },
    Command { after: &["events=9"], without: Without::Refuses, ..command("raid-meta", "set", Paths::One) },
    Command { prints: Prints::Bytes, ..command("raid-meta", "backup", Paths::Many) },
    command("raid-meta", "erase", Paths::Many),
    command("raid-meta", "history", Paths::Many),
    Command {
        after: &CREATE,
        without: Without::Refuses,
        finds: false,
        ..command("raid-meta", "create", Paths::Many)
    },
    command("raid-table", "emit", Paths::Many),
    Command { after: &["--sector", "0"], ..command("raid-table", "map", Paths::Many) },
    Command { prints: Prints::Bytes, ..command("raid-table", "read", Paths::Many) },
    Command { prints: Prints::Bytes, ..command("raid-table", "draw", Paths::Many) },
    command("raid-repair", "scrub", Paths::Many),
];

/// Commands that are given what another one saved, and not the devices.
pub(crate) const STREAMS: [Command; 2] =
    [command("raid-meta", "encode", Paths::One), command("raid-meta", "restore", Paths::One)];

/// Commands that need the kernel for more than an honest no.
pub(crate) const KERNEL: [Command; 2] =
    [command("raid-table", "activate", Paths::Many), command("raid-table", "deactivate", Paths::Many)];

/// Commands that go on until they are told to end, when there is nothing wrong.
pub(crate) const SERVERS: [Command; 1] =
    [Command { after: &["--socket", "unused.sock"], ..command("raid-table", "serve", Paths::Many) }];

/// Commands that make an image, which is there afterwards.
pub(crate) const MAKERS: [Command; 1] =
    [Command { after: &["--out", "unused.img"], ..command("raid-repair", "salvage", Paths::Many) }];

/// Commands that need another disk than those of the set.
pub(crate) const ONTO: [Command; 1] = [Command {
    after: &["--slot", "0", "--onto", "new.img"],
    ..command("raid-repair", "rebuild", Paths::Many)
}];

/// What a set is to be, whatever is on the disks.
const CREATE: [&str; 6] = ["--format=md", "--level=raid1", "--name=x", "--seed=x", "--force", "-q"];

/// Programs with no command yet.
pub(crate) const EMPTY: [&str; 1] = ["raid-sync"];

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
        let times = if self.paths == Paths::Two { 2 } else { 1 };
        self.bare().args(std::iter::repeat_n(path.as_ref(), times)).args(self.after)
    }

    /// The command with no path, on that standard input.
    pub(crate) fn reading(self, input: impl Into<Vec<u8>>) -> Run {
        self.bare().args(self.after).stdin(input)
    }

    /// The command on as many disks of a set as it takes.
    pub(crate) fn on_set(self, disks: &[PathBuf]) -> Run {
        let number = match self.paths {
            Paths::One => 1,
            Paths::Two => 2,
            Paths::Many => disks.len(),
        };
        self.bare().args(&disks[..number]).args(self.after)
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
    for definition in raid_tests::generated::definitions() {
        let program = definition.get_name();
        let names: BTreeSet<&str> = definition.get_subcommands().map(clap::Command::get_name).collect();
        let expected: BTreeSet<&str> = COMMANDS
            .iter()
            .chain(&STREAMS)
            .chain(&KERNEL)
            .chain(&ONTO)
            .chain(&SERVERS)
            .chain(&MAKERS)
            .filter(|command| command.program == program)
            .map(|command| command.name)
            .collect();
        let names = if names.is_empty() && !EMPTY.contains(&program) { BTreeSet::from([""]) } else { names };
        assert_eq!(names, expected, "{program}");
    }
}
