//! How long probing takes, against `wipefs -n` of util-linux on the same thousand sparse images: one process each,
//! warm cache, rounds in turn. Prints the medians and their ratio, and what each reads for an image.

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use raid_tests::cost::{Cost, compare};
use raid_tests::mixed::thousand_images;
use raid_tests::program;
use std::process::{Command, ExitCode};

const ROUNDS: usize = 15;
/// The most of the other's time that is good enough.
const GOAL: f64 = 0.5;

fn main() -> ExitCode {
    let directory = tempfile::tempdir().unwrap();
    let images = thousand_images(directory.path());
    let (mut ours, mut theirs) = (Command::new(program("raid-probe")), Command::new("wipefs"));
    ours.args(&images);
    theirs.arg("-n").args(&images);
    let comparison = compare(ROUNDS, ours, theirs);
    println!(
        "{} sparse images of mixed kinds in one process, warm, medians of {ROUNDS} rounds in turn",
        images.len()
    );
    line("raid-probe", &comparison.ours, images.len());
    line("wipefs -n", &comparison.theirs, images.len());
    let (wall, processor) = (comparison.wall_ratio(), comparison.processor_ratio());
    println!("ratio {wall:.2} by the clock, {processor:.2} of the processor's time; goal: at most {GOAL}");
    if wall <= GOAL { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn line(name: &str, cost: &Cost, images: usize) {
    let millis = |time: std::time::Duration| time.as_secs_f64() * 1e3;
    print!("{name:10} {:7.1} ms, processor {:7.1} ms", millis(cost.wall), millis(cost.processor));
    match cost.reads {
        Some((calls, bytes)) => {
            println!(
                ", for an image {} reads of {} bytes in all",
                calls / images as u64,
                bytes / images as u64
            );
        }
        None => println!(),
    }
}
