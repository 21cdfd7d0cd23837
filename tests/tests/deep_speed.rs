//! Searching a device costs little more than reading it.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use raid_tests::cost::compare;
use raid_tests::{program, strangers};
use std::process::Command;

/// The most of the processor's time, in multiples of what `grep` takes to look for one string. Without optimisation the
/// search is some times slower than the benchmark says.
const LIMIT: f64 = 4.0;

#[test]
fn searching_for_all_signatures_costs_a_few_times_what_grep_takes_for_one_string() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    strangers::mixed_file(&file, 256 << 20);
    let mut measured = Vec::new();
    for _ in 0..4 {
        let (mut ours, mut theirs) = (Command::new(program("raid-probe")), Command::new("grep"));
        ours.arg("--deep").arg(&file);
        theirs.args(["-c", "-a", "-F", "Intel Raid ISM Cfg Sig. "]).arg(&file).env("LC_ALL", "C");
        let comparison = compare(3, ours, theirs);
        let (ours, theirs) = (comparison.ours.processor, comparison.theirs.processor);
        eprintln!("raid-probe --deep {ours:?}, grep {theirs:?}: ratio {:.2}", comparison.processor_ratio());
        if comparison.processor_ratio() <= LIMIT {
            return;
        }
        measured.push(comparison.processor_ratio());
    }
    panic!("raid-probe --deep takes this many times what grep takes: {measured:?}");
}
