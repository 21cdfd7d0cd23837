//! Paths that can not be read, and files that hold no metadata.

use crate::commands::{COMMANDS, ONTO, Paths, assert_one_line};
use raid_tests::{Fixture, run};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Paths that fail, whoever asks: also for root.
fn unreadable(directory: &Path) -> Vec<PathBuf> {
    let at = |name: &str| directory.join(name);
    std::os::unix::fs::symlink("circle", at("circle")).unwrap();
    std::os::unix::fs::symlink("nowhere", at("dangling")).unwrap();
    fs::write(at("file"), [0; 4096]).unwrap();
    let made = Command::new("mkfifo").arg(at("pipe")).status().unwrap();
    assert!(made.success());
    let long = "x".repeat(300);
    let paths = ["missing", "circle", "dangling", "file/below", "pipe", "", "file@4096+1", "file@100", &long];
    let mut paths: Vec<PathBuf> = paths.iter().map(|name| at(name)).collect();
    paths.extend(["/dev/null", "/dev/zero", "/"].map(PathBuf::from));
    paths
}

/// Files in which there is nothing to find.
fn meaningless(directory: &Path) -> Vec<PathBuf> {
    let noise = |length: usize| {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        };
        (0..length).map(|_| next()).collect::<Vec<u8>>()
    };
    let files: [(&str, Vec<u8>); 9] = [
        ("empty", Vec::new()),
        ("one-byte", vec![0]),
        ("100-bytes", vec![b'x'; 100]),
        ("511-bytes", vec![0; 511]),
        ("text", b"just a text\n".repeat(1000)),
        ("zeros", vec![0; 1 << 20]),
        ("ones", vec![0xff; 1 << 20]),
        ("random", noise(1 << 20)),
        ("odd-random", noise((1 << 20) + 333)),
    ];
    let mut paths = Vec::new();
    for (name, bytes) in files {
        let path = directory.join(name);
        fs::write(&path, bytes).unwrap();
        paths.push(path);
    }
    let huge = directory.join("huge");
    File::create(&huge).unwrap().set_len(1 << 40).unwrap();
    paths.push(huge);
    paths
}

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_path_that_can_not_be_read_is_a_failure_of_the_system() {
    let directory = directory();
    for path in unreadable(directory.path()) {
        for command in COMMANDS.into_iter().chain(ONTO) {
            let outcome = command.on(&path).outcome();
            assert_eq!(outcome.code, Some(4), "{command:?} {}: {outcome}", path.display());
            // What takes two paths is done after the first or after both.
            let first = outcome.stderr.lines().next().unwrap_or_default().to_owned();
            let one = raid_tests::Outcome { stderr: first, ..outcome };
            assert_one_line(command.program, &one);
        }
    }
}

#[test]
fn a_message_names_the_path_and_stays_on_its_line() {
    let directory = directory();
    for command in COMMANDS {
        let outcome = command.on(directory.path().join("a\nb\x1b[31m")).outcome().expect_code(4);
        assert!(outcome.stderr.lines().all(|line| line.contains("a\\x0ab\\x1b[31m: ")), "{outcome}");
    }
}

#[test]
fn a_file_without_metadata_is_an_honest_no_in_little_time_and_memory() {
    let directory = directory();
    for path in meaningless(directory.path()) {
        for command in COMMANDS.into_iter().chain(ONTO).filter(|command| command.finds) {
            let outcome = command.on(&path).outcome();
            assert_eq!(outcome.code, Some(1), "{command:?} {}: {outcome}", path.display());
            assert_one_line(command.program, &outcome);
            let quiet = command.on(&path).arg("-q").outcome().expect_code(1);
            assert!(quiet.stderr.is_empty(), "{quiet}");
        }
    }
}

#[test]
fn a_file_with_an_at_sign_in_its_name_is_a_file() {
    let directory = directory();
    let path = directory.path().join("disk@1024");
    fs::write(&path, [0; 4096]).unwrap();
    for command in COMMANDS {
        let _ = command.on(&path).outcome().expect_code(1);
    }
}

#[test]
fn some_paths_that_fail_among_others_that_work_are_a_part_done() {
    let directory = directory();
    let Some(fixture) = Fixture::open("md12-raid5-ls-3") else { return };
    let missing = directory.path().join("missing");
    for command in COMMANDS.into_iter().filter(|command| command.paths == Paths::Many && command.finds) {
        let disks = [fixture.disks.as_slice(), std::slice::from_ref(&missing)].concat();
        let outcome = command.on_set(&disks).outcome().expect_code(5);
        assert!(!outcome.stdout.is_empty(), "{outcome}");
        assert_one_line(command.program, &raid_tests::Outcome { stdout: Vec::new(), ..outcome });
        let disks = [std::slice::from_ref(&missing), fixture.disks.as_slice()].concat();
        let _ = command.on_set(&disks).outcome().expect_code(5);
    }
}

#[test]
fn a_sysroot_stands_for_the_machine() {
    let root = directory();
    let Some(fixture) = Fixture::open("isw-raid1-2") else { return };
    for (name, disk) in ["sda", "sdb"].iter().zip(&fixture.disks) {
        let block = root.path().join("sys/block").join(name);
        fs::create_dir_all(block.join("device")).unwrap();
        fs::create_dir_all(root.path().join("dev")).unwrap();
        let length = fs::copy(disk, root.path().join("dev").join(name)).unwrap();
        fs::write(block.join("size"), format!("{}\n", length / 512)).unwrap();
        let serial = fs::read_to_string(format!("{}.serial", disk.display())).unwrap();
        fs::write(block.join("device/serial"), serial).unwrap();
    }
    let probe = || run("raid-probe").arg("--sysroot").arg(root.path());
    let outcome = probe().outcome().expect_code(0);
    assert_eq!(outcome.records_of("member").len(), 2, "{outcome}");
    assert_eq!(outcome.records_of("array")[0]["health"], "optimal", "{outcome}");
    fs::remove_file(root.path().join("dev/sdb")).unwrap();
    let _ = probe().outcome().expect_code(5);
    let empty = directory();
    let outcome = run("raid-probe").arg("--sysroot").arg(empty.path()).outcome().expect_code(4);
    assert_one_line("raid-probe", &outcome);
    fs::create_dir_all(empty.path().join("sys/block")).unwrap();
    let _ = run("raid-probe").arg("--sysroot").arg(empty.path()).outcome().expect_code(1);
}
