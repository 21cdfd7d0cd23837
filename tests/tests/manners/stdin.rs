//! Records on standard input, and what is none.

use crate::commands::{COMMANDS, Prints, Without, assert_one_line};
use raid_tests::{Fixture, run};
use std::process::Command;

#[test]
fn what_is_no_record_is_bad_data_told_in_one_line() {
    let inputs: [&[u8]; 9] = [
        b"hello\n",
        b"{\"type\":\"member\"}\n",
        b"{\"type\":\"member\",\"v\":2}\n",
        b"{\"type\":\"later\",\"v\":3}\n",
        b"{\"type\":\"array\",\"v\":1}\n",
        b"[1,2]\n",
        b"\xff\xfe\x00\n",
        b"{\"type\":\"arr",
        b"\0\0\0\0",
    ];
    for command in COMMANDS.into_iter().filter(|command| command.without == Without::Records) {
        for input in inputs {
            let outcome = command.reading(input).outcome();
            assert_eq!(outcome.code, Some(3), "{command:?} {input:?}: {outcome}");
            assert_one_line(command.program, &outcome);
        }
    }
}

#[test]
fn a_line_without_end_is_refused_in_bounded_memory() {
    let line = vec![b'x'; 40 << 20];
    for command in COMMANDS.into_iter().filter(|command| command.without == Without::Records) {
        let outcome = command.reading(line.clone()).outcome().expect_code(3);
        assert_one_line(command.program, &outcome);
    }
}

#[test]
fn deeply_nested_json_is_refused() {
    let line = [b"{\"type\":\"x\",\"v\":1,\"y\":".to_vec(), vec![b'['; 1 << 20]].concat();
    for command in COMMANDS.into_iter().filter(|command| command.without == Without::Records) {
        let outcome = command.reading(line.clone()).outcome().expect_code(3);
        assert_one_line(command.program, &outcome);
    }
}

#[test]
fn no_records_at_all_is_an_honest_no() {
    for command in COMMANDS.into_iter().filter(|command| command.without == Without::Records) {
        for input in ["", "\n\n"] {
            let outcome = command.reading(input).outcome().expect_code(1);
            assert_one_line(command.program, &outcome);
        }
    }
}

#[test]
fn a_record_of_an_unknown_type_is_passed_on_unchanged() {
    let line = "{\"v\":1,\"zeta\":[1,{\"b\":null,\"a\":\"\\u00e9\"}],\"type\":\"later\",\"alpha\":-1}\n";
    let Some(fixture) = Fixture::open("md12-raid5-ls-3") else { return };
    let found = run("raid-probe").args(&fixture.disks).outcome().expect_code(0);
    let input = [line.as_bytes(), &found.stdout].concat();
    for command in COMMANDS.into_iter().filter(|command| command.without == Without::Records) {
        if command.prints == Prints::Records {
            let outcome = command.reading(input.clone()).outcome().expect_code(0);
            let expected = line.replace("\\u00e9", "\u{e9}");
            assert!(outcome.text().contains(&expected), "{command:?}: {outcome}");
        }
    }
}

#[test]
fn a_command_that_needs_a_path_says_so() {
    for command in COMMANDS.into_iter().filter(|command| command.without == Without::Refuses) {
        let outcome = command.bare().outcome().expect_code(2);
        assert_one_line(command.program, &outcome);
    }
}

#[test]
fn records_are_not_waited_for_on_a_terminal() {
    for command in COMMANDS.into_iter().filter(|command| command.without == Without::Records) {
        let program = raid_tests::program(command.program);
        let line = format!("{} {} {}", program.display(), command.name, command.after.join(" "));
        // script(1) gives its command a terminal on all three.
        let ended = Command::new("timeout")
            .args(["10", "script", "--quiet", "--return", "--command", &line, "/dev/null"])
            .output()
            .unwrap();
        assert_eq!(ended.status.code(), Some(2), "{command:?}: {ended:?}");
    }
}

#[test]
fn a_path_is_taken_from_the_records_of_raid_probe() {
    let Some(fixture) = Fixture::open("isw-raid1-2") else { return };
    let found = run("raid-probe").args(&fixture.disks).outcome().expect_code(0);
    for command in COMMANDS.into_iter().filter(|command| command.without == Without::Records) {
        let piped = command.reading(found.stdout.clone()).outcome().expect_code(0);
        let given = command.on_set(&fixture.disks).outcome().expect_code(0);
        assert_eq!(piped.text(), given.text(), "{command:?}");
    }
}
