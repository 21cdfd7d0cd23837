//! Commands that read what another one saved: a dump, a backup.

use crate::commands::{Command, STREAMS, assert_one_line};
use raid_tests::{Run, program};
use std::path::Path;

/// The commands reading standard input, each with an image to write to.
fn reading(directory: &Path) -> impl Iterator<Item = (Command, Run)> {
    let image = directory.join("image");
    std::fs::write(&image, [0; 1 << 16]).unwrap();
    STREAMS.into_iter().map(move |command| (command, command.bare().arg("--onto").arg(&image)))
}

#[test]
fn what_is_no_record_is_bad_data_told_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    let inputs: [&[u8]; 7] = [
        b"hello\n",
        b"{\"type\":\"region\"}\n",
        b"{\"type\":\"region\",\"v\":2}\n",
        b"{\"type\":\"field\",\"v\":1}\n",
        b"[1,2]\n",
        b"\xff\xfe\x00\n",
        b"{\"type\":\"reg",
    ];
    for input in inputs {
        for (command, run) in reading(directory.path()) {
            let outcome = run.stdin(input).outcome();
            assert_eq!(outcome.code, Some(3), "{command:?} {input:?}: {outcome}");
            assert_one_line(command.program, &outcome);
        }
    }
}

#[test]
fn a_line_without_end_and_deeply_nested_json_are_refused_in_bounded_memory() {
    let directory = tempfile::tempdir().unwrap();
    let nested = [b"{\"type\":\"x\",\"v\":1,\"y\":".to_vec(), vec![b'['; 1 << 20]].concat();
    for input in [vec![b'x'; 40 << 20], nested] {
        for (command, run) in reading(directory.path()) {
            let outcome = run.stdin(input.clone()).outcome().expect_code(3);
            assert_one_line(command.program, &outcome);
        }
    }
}

#[test]
fn nothing_saved_is_an_honest_no() {
    let directory = tempfile::tempdir().unwrap();
    let other = "{\"type\":\"progress\",\"v\":1,\"job\":\"x\",\"done_bytes\":0,\"total_bytes\":0}\n";
    for input in ["", "\n\n", other] {
        for (command, run) in reading(directory.path()) {
            let outcome = run.stdin(input).outcome().expect_code(1);
            assert_one_line(command.program, &outcome);
        }
    }
}

#[test]
fn what_was_saved_is_not_waited_for_on_a_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let image = directory.path().join("image");
    std::fs::write(&image, [0; 1 << 16]).unwrap();
    for command in STREAMS {
        let line =
            format!("{} {} --onto {}", program(command.program).display(), command.name, image.display());
        // script(1) gives its command a terminal on all three.
        let ended = std::process::Command::new("timeout")
            .args(["10", "script", "--quiet", "--return", "--command", &line, "/dev/null"])
            .output()
            .unwrap();
        assert_eq!(ended.status.code(), Some(2), "{command:?}: {ended:?}");
    }
}

#[test]
fn a_backup_is_not_printed_to_a_terminal() {
    let line = format!("{} backup /dev/null", program("raid-meta").display());
    let ended = std::process::Command::new("timeout")
        .args(["10", "script", "--quiet", "--return", "--command", &line, "/dev/null"])
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
}
