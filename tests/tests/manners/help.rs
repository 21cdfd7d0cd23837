//! Help, version, and mistakes in the arguments.

use crate::commands::{COMMANDS, EMPTY, KERNEL, MAKERS, ONTO, SERVERS, STREAMS, assert_one_line};
use raid_tests::{PROGRAMS, Run, run};

/// Every program and every command.
fn all() -> impl Iterator<Item = (&'static str, Run)> {
    let programs = PROGRAMS.into_iter().map(|program| (program, run(program)));
    let commands = COMMANDS.into_iter().chain(STREAMS).chain(KERNEL).chain(ONTO).chain(SERVERS).chain(MAKERS);
    programs.chain(commands.map(|command| (command.program, command.bare())))
}

#[test]
fn help_is_printed_with_the_exit_status_table_and_examples() {
    for (program, run) in all() {
        let outcome = run.arg("--help").outcome().expect_code(0);
        let text = outcome.text();
        for wanted in ["Usage: ", "Exit status:\n  0  ", "  5  partly done"] {
            assert!(text.contains(wanted), "{program}: {wanted}: {outcome}");
        }
        assert!(outcome.stderr.is_empty(), "{outcome}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{program}: a line too long: {text}");
    }
    for program in ["raid-probe", "raid-meta", "raid-table"] {
        assert!(run(program).arg("--help").outcome().text().contains("Examples:\n  raid-"), "{program}");
    }
}

#[test]
fn short_help_fits_where_long_help_does() {
    for (program, run) in all() {
        let outcome = run.arg("-h").outcome().expect_code(0);
        assert!(outcome.text().contains("Usage: "), "{program}: {outcome}");
    }
}

#[test]
fn version_is_the_name_and_the_number() {
    for program in PROGRAMS {
        let outcome = run(program).arg("--version").outcome().expect_code(0);
        assert_eq!(outcome.text(), format!("{program} {}\n", env!("CARGO_PKG_VERSION")));
    }
}

#[test]
fn a_bad_option_is_wrong_usage_told_in_one_line() {
    for (program, run) in all() {
        let outcome = run.arg("--no-such-option").outcome().expect_code(2);
        assert_one_line(program, &outcome);
        assert!(outcome.stderr.contains("--no-such-option"), "{outcome}");
    }
}

#[test]
fn a_bad_value_is_wrong_usage_and_names_the_good_ones() {
    for command in COMMANDS.into_iter().chain(SERVERS) {
        for arguments in
            [["--format", "bogus"], ["--color", "bogus"], ["-o", "bogus"], ["--sector-size", "513"]]
        {
            let outcome = command.on("x.img").args(arguments).outcome().expect_code(2);
            assert_one_line(command.program, &outcome);
        }
        let outcome = command.on("x.img").args(["--format", "bogus"]).outcome();
        assert!(outcome.stderr.contains("md") && outcome.stderr.contains("isw"), "{outcome}");
    }
}

#[test]
fn a_serial_for_none_of_the_paths_is_wrong_usage() {
    for command in COMMANDS.into_iter().chain(SERVERS) {
        for serial in ["y.img=SER1", "x.img", "=", "x.imgSER"] {
            let outcome = command.on("x.img").args(["--serial", serial]).outcome().expect_code(2);
            assert_one_line(command.program, &outcome);
        }
    }
}

#[test]
fn a_program_without_commands_says_so() {
    for program in EMPTY {
        let outcome = run(program).outcome().expect_code(2);
        assert_one_line(program, &outcome);
        let outcome = run(program).arg("status").outcome().expect_code(2);
        assert_one_line(program, &outcome);
    }
}

#[test]
fn a_missing_command_is_wrong_usage() {
    let outcome = run("raid-meta").outcome().expect_code(2);
    assert_one_line("raid-meta", &outcome);
    assert!(outcome.stderr.contains("dump"), "{outcome}");
}
