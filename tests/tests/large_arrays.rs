//! Arrays of up to 16 GiB, sparse: whatever goes through all of an array takes no more memory for a larger one, and no more
//! time for each byte.

use nix::sys::resource::{UsageWho, getrusage};
use raid_tests::bench_array::BenchArray;
use raid_tests::cost::cost;
use raid_tests::{long, program};
use std::path::Path;
use std::process::Command;

const GIB: u64 = 1 << 30;
const SIZES: [u64; 3] = [1, 4, 16];
/// For what reads every byte, except in a long run.
const SMALL_SIZES: [u64; 3] = [1, 2, 4];
const MEMORY_KIB: i64 = 64 << 10;
/// How much more the processor may have to do for a byte of the largest array than for one of the one before.
const GROWTH: f64 = 2.0;
/// Seconds for a GiB that are too few to be compared.
const NOISE: f64 = 0.05;

/// An array of about so many GiB, with room for the metadata.
fn array(gib: u64) -> BenchArray {
    BenchArray::raid6(Path::new(env!("CARGO_TARGET_TMPDIR")), 10, gib * GIB / 8 + (2 << 20))
}

/// Seconds of the processor for a GiB of each size, from commands that are made for an array.
fn seconds_of_a_gib(sizes: [u64; 3], job: impl Fn(&BenchArray) -> Command) -> Vec<f64> {
    let seconds = |gib: u64| {
        let array = array(gib);
        let mut command = job(&array);
        let cost = cost(&mut command);
        assert!(cost.succeeded, "{command:?}");
        cost.processor.as_secs_f64() / (array.bytes() as f64 / GIB as f64)
    };
    sizes.map(seconds).to_vec()
}

/// What all programs that this process ran took at most is what the largest did.
fn assert_bounded(job: &str, seconds: &[f64]) {
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the usage of children is known").max_rss();
    assert!(peak < MEMORY_KIB, "{job}: {peak} KiB of memory");
    let (middle, largest) = (seconds[1], seconds[2]);
    assert!(largest < (middle * GROWTH).max(NOISE), "{job}: seconds of the processor for a GiB: {seconds:?}");
}

fn command(name: &str, arguments: &[&str], array: &BenchArray, lost: &[usize]) -> Command {
    let mut command = Command::new(program(name));
    command.args(arguments).args(array.without(lost));
    command
}

#[test]
fn a_scrub_takes_no_more_memory_for_a_larger_array() {
    let seconds = seconds_of_a_gib(SIZES, |array| command("raid-repair", &["scrub", "-q"], array, &[]));
    assert_bounded("scrub", &seconds);
}

#[test]
fn reading_takes_no_more_memory_for_a_larger_array_that_lacks_two_members() {
    let sizes = if long() { SIZES } else { SMALL_SIZES };
    let seconds = seconds_of_a_gib(sizes, |array| command("raid-table", &["read"], array, &[1, 4]));
    assert_bounded("read", &seconds);
}
