//! What the black-box tests share: the built programs, images to run them on, and reading what they print.
//!
//! `cargo test` builds the programs of a package only for that package's own tests, so the whole workspace has to
//! be built first; [`program`] says so when it was not.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test helper fails by panicking")]

pub mod bench;
pub mod bench_array;
pub mod cost;
mod filled;
mod fixture;
pub mod forge;
pub mod generated;
mod image;
pub mod mapping;
pub mod mixed;
mod pattern;
mod program;
pub mod random;
pub mod rebuilt;
pub mod recipes;
pub mod salvaged;
pub mod served;
pub mod sparse;
pub mod strangers;
mod tables;
mod vm;
pub mod whole;
mod wreck;

pub use filled::{fill, fill_from, write_file};
pub use fixture::Fixture;
pub use image::sparse_copy;
pub use pattern::Pattern;
pub use program::{Outcome, Run, boot_program, mdadm, program, run};
pub use tables::{TableSet, Tried, try_tables};
pub use vm::{Vm, in_machines};
pub use wreck::{Wreck, Wrecked};

use std::path::PathBuf;

/// The five programs.
pub const PROGRAMS: [&str; 5] = ["raid-probe", "raid-meta", "raid-table", "raid-sync", "raid-repair"];

/// Top of the workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.pop();
    path
}

/// Whether to try everything (`RAID_TESTS_LONG=1`) instead of a sample.
#[must_use]
pub fn long() -> bool {
    std::env::var_os("RAID_TESTS_LONG").is_some_and(|value| value == "1")
}

/// How a property is tried: `full` cases in a long run, else a sixteenth of them from a fixed seed.
#[must_use]
pub fn property(full: u32) -> proptest::test_runner::Config {
    use proptest::test_runner::{Config, RngSeed};
    if long() {
        Config::with_cases(full)
    } else {
        Config { rng_seed: RngSeed::Fixed(1), ..Config::with_cases((full / 16).max(16)) }
    }
}

/// The records that a program printed, one JSON object a line.
///
/// # Panics
/// A line is not a JSON object.
#[must_use]
pub fn records(stdout: &[u8]) -> Vec<serde_json::Value> {
    let text = std::str::from_utf8(stdout).expect("records are UTF-8");
    let parse = |line: &str| match serde_json::from_str(line) {
        Ok(value @ serde_json::Value::Object(_)) => value,
        other => panic!("not a record: {line:?}: {other:?}"),
    };
    text.lines().map(parse).collect()
}
