//! raid-table read gives back what was once written to every md, isw and ddf set, or says that it can not: with all
//! disks, with every one (raid6, raid10: every two) missing, in odd ranges, from records, and never wrong bytes.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

use raid_tests::{Fixture, Outcome, run};
use std::fs;
use std::path::PathBuf;

/// The formats of which every set is tried.
const FORMATS: &[&str] = &["md", "isw", "ddf"];

fn read(disks: &[PathBuf]) -> Outcome {
    run("raid-table").arg("read").args(disks).outcome()
}

/// Fails unless the bytes are these; names the first place that differs instead of printing megabytes.
#[track_caller]
fn assert_bytes(found: &[u8], expected: &[u8], what: &str) {
    if let Some(place) = found.iter().zip(expected).position(|(found, expected)| found != expected) {
        let word = |bytes: &[u8]| {
            let at = place / 4 * 4;
            bytes.get(at..at + 4).map(|word| u32::from_le_bytes(word.try_into().unwrap()))
        };
        panic!("{what}: byte {place} is of number {:?}, expected {:?}", word(found), word(expected));
    }
    assert_eq!(found.len(), expected.len(), "{what}: length");
}

/// Fails unless the set was read whole and right.
#[track_caller]
fn assert_reads(set: &Fixture, disks: &[PathBuf], what: &str) {
    let outcome = read(disks);
    assert_eq!(outcome.code, Some(0), "{}: {what}: {}", set.name, outcome.stderr);
    assert_bytes(&outcome.stdout, &set.content(), &format!("{}: {what}", set.name));
}

/// Fails unless the set was refused with one of these statuses, and nothing wrong was written before.
#[track_caller]
fn assert_refuses(set: &Fixture, disks: &[PathBuf], codes: &[i32], what: &str) {
    let outcome = read(disks);
    let code = outcome.code.unwrap_or(-1);
    assert!(codes.contains(&code), "{}: {what}: status {code}: {}", set.name, outcome.stderr);
    assert!(!outcome.stderr.is_empty(), "{}: {what}: no reason given", set.name);
    let content = set.content();
    let expected = content.get(..outcome.stdout.len()).unwrap_or(&content);
    assert_bytes(&outcome.stdout, expected, &format!("{}: {what}", set.name));
}

fn without(disks: &[PathBuf], missing: &[usize]) -> Vec<PathBuf> {
    let kept = disks.iter().enumerate().filter(|(place, _)| !missing.contains(place));
    kept.map(|(_, disk)| disk.clone()).collect()
}

fn pairs(count: usize) -> Vec<[usize; 2]> {
    (0..count).flat_map(|first| (first + 1..count).map(move |second| [first, second])).collect()
}

fn level(set: &Fixture) -> &str {
    set.case["level"].as_str().unwrap()
}

/// The disks in the order of their slots.
fn by_slot(set: &Fixture) -> Vec<PathBuf> {
    let outcome = run("raid-probe").args(&set.disks).outcome().expect_code(0);
    let arrays = outcome.records_of("array");
    let members = arrays.first().and_then(|array| array["members"].as_array()).unwrap();
    members.iter().map(|member| PathBuf::from(member["device"].as_str().unwrap())).collect()
}

fn optimal_sets() -> impl Iterator<Item = Fixture> {
    Fixture::all_of(FORMATS).filter(|set| set.case["health"] == "optimal")
}

#[test]
fn every_complete_set_reads_as_what_was_written() {
    for set in optimal_sets() {
        assert_reads(&set, &set.disks, "all disks");
    }
}

#[test]
fn the_records_of_raid_probe_do_for_the_paths() {
    for set in optimal_sets() {
        let records = run("raid-probe").args(&set.disks).outcome().expect_code(0).stdout;
        let outcome = run("raid-table").arg("read").stdin(records).outcome().expect_code(0);
        assert_bytes(&outcome.stdout, &set.content(), &set.name);
    }
}

#[test]
fn each_disk_can_be_missing_where_the_level_is_redundant() {
    for set in optimal_sets() {
        for missing in 0..set.disks.len() {
            let rest = without(&set.disks, &[missing]);
            let what = format!("without disk{missing}");
            if matches!(level(&set), "raid0" | "linear") {
                assert_refuses(&set, &rest, &[1], &what);
            } else {
                assert_reads(&set, &rest, &what);
            }
        }
    }
}

#[test]
fn any_two_disks_of_a_raid6_can_be_missing_and_no_two_of_a_raid5() {
    for set in optimal_sets() {
        for pair in pairs(set.disks.len()) {
            let rest = without(&set.disks, &pair);
            let what = format!("without disks {pair:?}");
            match level(&set) {
                "raid6" => assert_reads(&set, &rest, &what),
                "raid5" => assert_refuses(&set, &rest, &[1], &what),
                _ => {}
            }
        }
    }
}

#[test]
fn one_disk_of_each_mirror_of_a_raid10_can_be_missing_and_not_both() {
    for set in optimal_sets().filter(|set| level(set) == "raid10") {
        let disks = by_slot(&set);
        for [first, second] in pairs(disks.len()) {
            let rest = without(&disks, &[first, second]);
            let what = format!("without slots {first} and {second}");
            if first / 2 == second / 2 {
                assert_refuses(&set, &rest, &[1], &what);
            } else {
                assert_reads(&set, &rest, &what);
            }
        }
    }
}

#[test]
fn odd_ranges_are_cut_from_the_same_bytes() {
    let mut random = Random(7);
    let tries = if raid_tests::long() { 200 } else { 12 };
    for set in optimal_sets() {
        let content = set.content();
        let size = content.len() as u64;
        let mut ranges = vec![(0, 1), (size - 1, 1), (size, 0), (65_535, 2), (1, 3 * 65_536)];
        ranges.extend((0..tries).map(|_| {
            let offset = random.below(size);
            (offset, random.below((size - offset).min(1 << 20) + 1))
        }));
        for (place, (offset, length)) in ranges.into_iter().enumerate() {
            let missing =
                if matches!(level(&set), "raid0" | "linear") { usize::MAX } else { place % set.disks.len() };
            let mut read = run("raid-table").arg("read").args(without(&set.disks, &[missing]));
            read = read.args(["--offset", &offset.to_string(), "--length", &length.to_string()]);
            let outcome = read.outcome();
            let what = format!("{}: {length} bytes from {offset} without disk{missing}", set.name);
            assert_eq!(outcome.code, Some(0), "{what}: {}", outcome.stderr);
            let (start, end) = (usize::try_from(offset).unwrap(), usize::try_from(offset + length).unwrap());
            assert_bytes(&outcome.stdout, &content[start..end], &what);
        }
    }
}

#[test]
fn a_stale_disk_is_not_believed_but_its_place_is_computed() {
    for set in Fixture::all_of(FORMATS).filter(|set| set.name.contains("stale")) {
        assert_reads(&set, &set.disks, "all disks");
        assert_reads(&set, &without(&set.disks, &[2]), "without the stale disk");
        for missing in [0, 1] {
            let rest = without(&set.disks, &[missing]);
            assert_refuses(&set, &rest, &[1, 3], &format!("without disk{missing}, with the stale one"));
        }
    }
}

#[test]
fn an_array_in_the_middle_of_a_reshape_reads_right_or_not_at_all() {
    for set in Fixture::all_of(FORMATS).filter(|set| set.case["health"] == "reshaping") {
        let whole = read(&set.disks);
        if whole.code == Some(0) {
            assert_bytes(&whole.stdout, &set.content(), &set.name);
        } else {
            assert_refuses(&set, &set.disks, &[3], "all disks");
        }
        let content = set.content();
        for offset in (0..content.len()).step_by(content.len() / 97) {
            let length = 70_001.min(content.len() - offset);
            let mut read = run("raid-table").arg("read").args(&set.disks);
            read = read.args(["--offset", &offset.to_string(), "--length", &length.to_string()]);
            let outcome = read.outcome();
            assert!(matches!(outcome.code, Some(0 | 3)), "{}: from {offset}: {outcome}", set.name);
            let end = offset + if outcome.code == Some(0) { length } else { outcome.stdout.len() };
            assert_bytes(&outcome.stdout, &content[offset..end], &format!("{}: from {offset}", set.name));
        }
    }
}

#[test]
fn an_image_cut_short_is_made_up_for_by_the_others() {
    for set in Fixture::all_of(&["md12"]).filter(|set| set.case["health"] == "optimal") {
        let disk = &set.disks[0];
        fs::OpenOptions::new().write(true).open(disk).unwrap().set_len(12 << 20).unwrap();
        if matches!(level(&set), "raid0" | "linear") {
            assert_refuses(&set, &set.disks, &[3], "disk0 cut short");
        } else {
            assert_reads(&set, &set.disks, "disk0 cut short");
        }
    }
}

#[test]
fn without_serials_isw_is_refused_unless_the_order_is_said_to_be_that_of_the_slots() {
    for set in optimal_sets().filter(|set| set.name.starts_with("isw")) {
        let disks = by_slot(&set);
        for disk in &disks {
            fs::remove_file(format!("{}.serial", disk.display())).unwrap();
        }
        let refused = read(&disks).expect_code(3);
        assert!(
            refused.stdout.is_empty() && refused.stderr.contains("slot-unknown"),
            "{}: {refused}",
            set.name
        );
        let assumed =
            run("raid-table").arg("read").arg("--assume-order").args(&disks).outcome().expect_code(0);
        assert_bytes(&assumed.stdout, &set.content(), &set.name);
    }
}

/// `SplitMix64`: the same ranges on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }
}
