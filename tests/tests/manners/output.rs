//! Output styles, readers that go away, and outputs that can not be written.

use crate::commands::{COMMANDS, Command, Prints};
use raid_tests::{Fixture, Run, run};
use std::fs::OpenOptions;
use std::process::Stdio;

/// Each command on a fixture where it prints something, with the status it ends with.
fn printing(fixture: &Fixture) -> Vec<(Command, Run, i32)> {
    let status = |command: Command| i32::from(command.name == "diff");
    COMMANDS.into_iter().map(|command| (command, command.on_set(&fixture.disks), status(command))).collect()
}

/// Those that print records.
fn recording(fixture: &Fixture) -> Vec<(Command, Run, i32)> {
    let mut cases = printing(fixture);
    cases.retain(|(command, ..)| command.prints == Prints::Records);
    cases
}

#[test]
fn records_are_printed_unless_standard_output_is_a_terminal() {
    let Some(fixture) = Fixture::open("md12-raid5-ls-3") else { return };
    for (command, run, code) in recording(&fixture) {
        let outcome = run.outcome().expect_code(code);
        assert!(!outcome.records().is_empty(), "{command:?}: {outcome}");
        for record in outcome.records() {
            assert_eq!(record["v"], 1, "{record}");
        }
    }
    for (_, run, code) in recording(&fixture) {
        let json = run.arg("-J").outcome().expect_code(code);
        assert!(!json.records().is_empty());
    }
    for (command, run, code) in recording(&fixture) {
        let text = run.args(["-o", "text"]).outcome().expect_code(code);
        assert!(!text.stdout.is_empty() && !text.text().starts_with('{'), "{command:?}: {text}");
        assert!(!text.text().contains('\x1b'), "no colours unless asked for: {text}");
    }
}

#[test]
fn exported_blocks_are_read_back_by_a_shell() {
    let Some(fixture) = Fixture::open("md12-raid5-ls-3") else { return };
    for (command, run, code) in recording(&fixture) {
        let outcome = run.arg("--export").outcome().expect_code(code);
        let text = outcome.text();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once('=').unwrap();
            let is_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
            assert!(name.starts_with("RAID_") && name.bytes().all(is_name), "{command:?}: {line}");
            assert!(value.starts_with('\'') && value.ends_with('\''), "{command:?}: {line}");
        }
        let first = text.split("\n\n").next().unwrap();
        let script = format!("set -eu\n{first}\nprintf %s \"$RAID_TYPE\"");
        let shell = Run::of("sh").arg("-c").arg(script).outcome().expect_code(0);
        assert!(!shell.stdout.is_empty(), "{shell}");
    }
    let probe =
        run("raid-probe").args(&fixture.disks).args(["--export", "--arrays"]).outcome().expect_code(0);
    assert!(probe.text().contains("\nRAID_MEMBERS_0_DEVICE='"), "{probe}");
    assert!(probe.text().contains("\nRAID_HEALTH='optimal'\n"), "{probe}");
}

#[test]
fn colors_are_for_those_who_ask() {
    let Some(fixture) = Fixture::open("md12-raid5-ls-3") else { return };
    let probe = || run("raid-probe").args(&fixture.disks).args(["-o", "text"]);
    assert!(probe().args(["--color", "always"]).outcome().text().contains("\x1b[32m"));
    assert!(!probe().args(["--color", "never"]).outcome().text().contains('\x1b'));
    assert!(!probe().env("NO_COLOR", "1").outcome().text().contains('\x1b'));
}

#[test]
fn a_reader_that_goes_away_ends_the_program_quietly_with_its_own_status() {
    let Some(fixture) = Fixture::open("md12-raid5-ls-3") else { return };
    for (command, run, code) in printing(&fixture) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut child = run.command();
        let output = child.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{command:?}: {output:?}");
        assert!(output.stderr.is_empty(), "{command:?}: {output:?}");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = run("raid-probe").arg("--help").command().stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn an_output_that_is_full_is_a_failure_of_the_system() {
    let Some(fixture) = Fixture::open("md12-raid5-ls-3") else { return };
    for (command, run, _) in printing(&fixture) {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut child = run.command();
        let output = child.stdin(Stdio::null()).stdout(full).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{command:?}: {output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text.lines().count(), 1, "{command:?}: {text}");
        assert!(text.contains("standard output"), "{command:?}: {text}");
    }
}

#[test]
fn nothing_breaks_when_there_is_nowhere_to_complain() {
    for command in COMMANDS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut child = command.on("missing.img").command();
        let output = child.stdin(Stdio::null()).stderr(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(4), "{command:?}: {output:?}");
    }
}
