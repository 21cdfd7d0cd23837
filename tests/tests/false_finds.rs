//! What is no RAID member is not found as one: neither at the places of metadata nor by searching.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use raid_tests::{Outcome, run, strangers};
use std::path::PathBuf;

/// What was found all the same, and by which status it ended.
fn probe(images: &[PathBuf], options: &[&str]) -> (Vec<String>, Outcome) {
    let outcome = run("raid-probe").args(options).args(images).outcome();
    let found = outcome
        .records()
        .into_iter()
        .map(|record| format!("{} as {} ({})", record["device"], record["format"], record["problems"]));
    (found.collect(), outcome)
}

fn assert_nothing(images: &[PathBuf]) {
    let (found, outcome) = probe(images, &[]);
    assert_eq!(found, [] as [String; 0], "{}", outcome.stderr);
    let outcome = outcome.expect_code(1);
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome}");
    let (found, outcome) = probe(images, &["--deep"]);
    assert_eq!(found, [] as [String; 0], "--deep: {}", outcome.stderr);
    assert!(matches!(outcome.code, Some(1 | 5)), "{outcome}");
    // One that is all signatures may be given up, no other.
    let given_up = outcome.stderr.lines().filter(|line| line.contains("not followed"));
    let given_up: Vec<&str> = given_up.filter(|line| !line.contains("/all-")).collect();
    assert_eq!(given_up.len(), 0, "{given_up:?}");
}

#[test]
fn file_systems_tables_containers_and_archives_are_no_members() {
    let directory = tempfile::tempdir().unwrap();
    let images = strangers::made_by_programs(directory.path());
    assert!(images.len() >= 40);
    assert_nothing(&images);
}

#[test]
fn constant_random_and_other_bytes_are_no_members() {
    let directory = tempfile::tempdir().unwrap();
    let images = strangers::made_here(directory.path());
    assert!(images.len() >= 60);
    assert_nothing(&images);
}
