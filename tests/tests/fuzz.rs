//! The fuzz targets, from the seeds in `tests/fuzz/corpus`: seconds each, or with `RAID_TESTS_LONG=1` ten minutes each. Every
//! format of the registry is fuzzed, a new one too.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use raid_meta::format::FORMATS;
use raid_tests::{long, workspace};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

fn run(arguments: &[String]) -> (bool, String) {
    let script = workspace().join("tests/fuzz/run");
    let output = Command::new(script).args(arguments).stdin(Stdio::null()).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Looks for inputs that break a target.
fn fuzz(target: &str) {
    let seconds = if long() { 600 } else { 4 };
    let (is_fine, said) = run(&[target.to_owned(), seconds.to_string()]);
    let end: Vec<&str> = said.lines().rev().take(30).collect();
    assert!(is_fine, "{target}:\n{}", end.into_iter().rev().collect::<Vec<_>>().join("\n"));
}

fn seeds(kind: &str) -> Vec<PathBuf> {
    let folder = workspace().join("tests/fuzz/corpus").join(kind);
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn nothing_breaks_the_decoder_of_any_format() {
    for format in FORMATS {
        fuzz(&format!("format:{}", format.name()));
    }
}

#[test]
fn what_is_decoded_encodes_to_the_bytes_that_were_read_and_each_is_in_one_field() {
    fuzz("dump");
}

#[test]
fn nothing_breaks_the_registry_and_the_grouping() {
    fuzz("registry");
}

#[test]
fn nothing_breaks_the_search() {
    fuzz("carve");
}

#[test]
fn nothing_breaks_the_record_reader() {
    fuzz("records");
}

#[test]
fn the_seeds_are_small_and_every_format_has_one() {
    let disks = seeds("disks");
    for path in disks.iter().chain(&seeds("records")) {
        assert!(fs::metadata(path).unwrap().len() <= 32 << 10, "{}", path.display());
    }
    for format in FORMATS {
        let name = format.name();
        let is_of = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(name);
        assert!(disks.iter().any(is_of), "no seed for {name}: tests/fuzz/README.md says how to make one");
    }
}
