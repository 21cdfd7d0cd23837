//! The fuzz targets of `tests/fuzz`, each for a few seconds from the committed inputs; for ten minutes in a long run, from
//! what earlier runs found too. They are built by `tests/fuzz/run --build`, which `make test` does.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, reason = "a test")]

#[allow(dead_code, reason = "what the targets use")]
#[path = "../fuzz/src/image.rs"]
mod image;

use raid_meta::format::FORMATS;
use raid_tests::{Run, long, workspace};
use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

/// Seconds of one target, beside those that the committed inputs take.
const SECONDS: u64 = 4;
const SECONDS_LONG: u64 = 600;
/// Longest that starting, the committed inputs and the last input may take beside that, on a busy machine.
const MARGIN: Duration = Duration::from_secs(300);

/// A test for each target, and the list of them.
macro_rules! targets {
    ($($test:ident: $target:literal,)*) => {
        const TARGETS: &[&str] = &[$($target),*];
        $(#[test] fn $test() { holds_for_what_is_made_up($target); })*
    };
}

targets! {
    md: "format:md",
    isw: "format:isw",
    hpt45x: "format:hpt45x",
    lsi: "format:lsi",
    nvidia: "format:nvidia",
    sil: "format:sil",
    via: "format:via",
    ddf: "format:ddf",
    hpt37x: "format:hpt37x",
    pdc: "format:pdc",
    jmicron: "format:jmicron",
    asr: "format:asr",
    lvm2: "format:lvm2",
    dm_raid: "format:dm-raid",
    lvm_text: "lvm-text",
    dumps: "dump",
    registry: "registry",
    search: "carve",
    records: "records",
    maps: "mapfile",
}

#[track_caller]
fn holds_for_what_is_made_up(target: &str) {
    let seconds = if long() { SECONDS_LONG } else { SECONDS };
    let run = Run::of(workspace().join("tests/fuzz/run")).directory(workspace());
    let run = if long() { run } else { run.arg("--sample") };
    let limit = Duration::from_secs(seconds) + MARGIN;
    let outcome = run.arg(target).arg(seconds.to_string()).time_limit(limit).outcome();
    if outcome.code != Some(0) {
        panic!("{target}: status {:?}\n{}", outcome.code, end_of(&outcome.stderr));
    }
    assert!(outcome.stderr.contains("Done "), "{target}: {}", end_of(&outcome.stderr));
}

/// The last lines, in which what happened is told.
fn end_of(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    lines.get(lines.len().saturating_sub(60)..).unwrap_or_default().join("\n")
}

#[test]
fn every_target_and_every_format_is_tried() {
    let mut wanted: BTreeSet<String> =
        FORMATS.iter().map(|format| format!("format:{}", format.name())).collect();
    for entry in fs::read_dir(workspace().join("tests/fuzz/targets")).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        if name != "format" {
            wanted.insert(name);
        }
    }
    assert_eq!(TARGETS.iter().map(|target| (*target).to_owned()).collect::<BTreeSet<_>>(), wanted);
}

#[test]
fn every_format_has_committed_disks_on_which_it_finds_something() {
    for format in FORMATS {
        let mut tried = 0;
        for entry in fs::read_dir(workspace().join("tests/fuzz/corpus/disks")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if !name.starts_with(&format!("{}-", format.name())) || name.contains("found-") {
                continue;
            }
            for disk in image::images(&fs::read(&path).unwrap()) {
                let found = format.find(&disk.device("disk")).unwrap();
                assert!(found.iter().any(|found| found.metadata.is_some()), "{}", path.display());
                tried += 1;
            }
        }
        assert!(tried > 0, "tests/fuzz/corpus/disks has none for {}", format.name());
    }
}

#[test]
fn a_target_that_was_not_built_is_an_error_that_says_how() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::of(workspace().join("tests/fuzz/run")).env("CARGO_TARGET_DIR", folder.path());
    let outcome = run.args(["records", "1"]).outcome().expect_code(4);
    assert!(outcome.stderr.contains("tests/fuzz/run --build first"), "{}", outcome.stderr);
}
