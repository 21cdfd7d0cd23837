//! Arrays of up to 16 GiB, sparse: whatever goes through all of an array takes no more memory for a larger one, and no more
//! time for each byte.

use nix::sys::resource::{UsageWho, getrusage};
use raid_tests::bench_array::BenchArray;
use raid_tests::cost::{cost, usage_of};
use raid_tests::program;
use raid_tests::served::Served;
use std::fs::File;
use std::path::Path;
use std::process::Command;

const GIB: u64 = 1 << 30;
const SIZES: [u64; 3] = [1, 4, 16];
const MEMORY_KIB: u64 = 64 << 10;
/// How much more the processor may have to do for a byte of the largest array than for one of the one before.
const GROWTH: f64 = 2.0;
/// Seconds for a GiB that are too few to be compared.
const NOISE: f64 = 0.05;

/// An array of about so many GiB, with room for the metadata.
fn array(gib: u64) -> BenchArray {
    BenchArray::raid6(Path::new(env!("CARGO_TARGET_TMPDIR")), 10, gib * GIB / 8 + (2 << 20))
}

/// Seconds of the processor for a GiB of each size, from what a job takes of them for an array.
fn seconds_of_a_gib(mut job: impl FnMut(&BenchArray) -> f64) -> Vec<f64> {
    let mut seconds = |gib: u64| {
        let array = array(gib);
        job(&array) / (array.bytes() as f64 / GIB as f64)
    };
    SIZES.map(&mut seconds).to_vec()
}

/// Seconds that a program takes.
fn seconds_of(mut command: Command) -> f64 {
    let cost = cost(&mut command);
    assert!(cost.succeeded, "{command:?}");
    cost.processor.as_secs_f64()
}

/// The most memory that any program took which this process ran.
fn peak_of_children() -> u64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the usage of children is known");
    usage.max_rss().unsigned_abs()
}

fn assert_bounded(job: &str, peak: u64, seconds: &[f64]) {
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
    let seconds = seconds_of_a_gib(|array| seconds_of(command("raid-repair", &["scrub", "-q"], array, &[])));
    assert_bounded("scrub", peak_of_children(), &seconds);
}

#[test]
fn a_scrub_that_looks_at_images_in_memory_keeps_no_more_of_them_than_others() {
    let array = BenchArray::raid6(Path::new(env!("CARGO_TARGET_TMPDIR")), 10, 48 << 20).filled();
    for threads in ["1", "2", "8"] {
        let _ = seconds_of(command("raid-repair", &["scrub", "-q", "--threads", threads], &array, &[]));
    }
    let peak = peak_of_children();
    assert!(peak < MEMORY_KIB, "{peak} KiB of memory");
}

#[test]
fn reading_takes_no_more_memory_for_a_larger_array_that_lacks_two_members() {
    let seconds = seconds_of_a_gib(|array| seconds_of(command("raid-table", &["read"], array, &[1, 4])));
    assert_bounded("read", peak_of_children(), &seconds);
}

#[test]
fn a_rebuild_takes_no_more_memory_for_a_larger_array() {
    let seconds = seconds_of_a_gib(|array| {
        let (target, undo) = (array.path("target.img"), array.path("rebuild-undo"));
        let (start, length) = array.member_range();
        File::create(&target).and_then(|file| file.set_len(start + length)).expect("a target");
        let mut rebuild = command("raid-repair", &["rebuild", "-q", "--slot", "3", "--write"], array, &[3]);
        rebuild.arg("--onto").arg(target).arg("--undo").arg(undo);
        seconds_of(rebuild)
    });
    assert_bounded("rebuild", peak_of_children(), &seconds);
}

#[test]
fn a_salvage_takes_no_more_memory_for_a_larger_array_that_lacks_two_members() {
    let seconds = seconds_of_a_gib(|array| {
        let mut salvage = command("raid-repair", &["salvage", "-q"], array, &[1, 4]);
        salvage.arg("-O").arg(array.path("salvaged.img"));
        seconds_of(salvage)
    });
    assert_bounded("salvage", peak_of_children(), &seconds);
}

#[test]
fn serving_takes_no_more_memory_for_a_larger_array_that_lacks_two_members() {
    let mut peak = 0;
    let seconds = seconds_of_a_gib(|array| {
        let served = Served::start(array.directory(), &array.without(&[1, 4]), &[]);
        let copied = Command::new("nbdcopy").args(["--no-extents", &served.uri(), "null:"]).status();
        assert!(copied.expect("nbdcopy runs (is tests/install-deps done?)").success());
        let usage = usage_of(served.id());
        peak = peak.max(usage.peak_kib);
        usage.processor.as_secs_f64()
    });
    assert_bounded("serve", peak, &seconds);
}
