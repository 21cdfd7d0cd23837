//! How fast `raid-probe --deep` goes through a file in the page cache, on one core, against what others do with the same file:
//! `cat` reads it, `grep` looks for one fixed string where the search looks for all signatures.

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use raid_tests::cost::{Cost, cost};
use raid_tests::{program, strangers};
use std::process::{Command, ExitCode};

const ROUNDS: usize = 9;
const GIB: u64 = 1 << 30;
/// Bytes a second that are good enough.
const GOAL: f64 = 1e9;
/// Where the machine itself can not read a file that fast: the least of what `cat` reaches.
const GOAL_OF_CAT: f64 = 0.8;

fn main() -> ExitCode {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    strangers::mixed_file(&file, GIB);
    let mut ours = Command::new(program("raid-probe"));
    ours.arg("--deep").arg(&file);
    let mut cat = Command::new("cat");
    cat.arg(&file);
    let mut grep = Command::new("grep");
    grep.args(["-c", "-a", "-F", "Intel Raid ISM Cfg Sig. "]).arg(&file).env("LC_ALL", "C");
    println!("1 GiB in the page cache (noise, text, zeros), medians of {ROUNDS} rounds in turn");
    let mut commands = [("raid-probe --deep", ours), ("cat", cat), ("grep -caF", grep)];
    let mut costs = vec![Vec::new(); commands.len()];
    for _ in 0..=ROUNDS {
        for (costs, (_, command)) in costs.iter_mut().zip(&mut commands) {
            costs.push(cost(command));
        }
    }
    let rates: Vec<f64> = costs.iter_mut().map(|costs| rate(&mut costs[1..])).collect();
    for ((name, _), rate) in commands.iter().zip(&rates) {
        println!("{name:18} {:6.2} GB/s, ratio to ours {:.2}", rate / 1e9, rates[0] / rate);
    }
    println!("goal: at least {} GB/s, or {GOAL_OF_CAT} of what cat reaches", GOAL / 1e9);
    if rates[0] >= GOAL || rates[0] >= GOAL_OF_CAT * rates[1] { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Bytes a second of processor time, in the median round: what other work the machine has does not count.
fn rate(costs: &mut [Cost]) -> f64 {
    costs.sort_by_key(|cost| cost.processor);
    f64::from(u32::try_from(GIB).unwrap()) / costs[costs.len() / 2].processor.as_secs_f64()
}
