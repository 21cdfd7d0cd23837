//! raid-probe names every md, isw and ddf set for what it is: complete, shuffled, with a disk missing, cut short.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

use raid_tests::{Fixture, Outcome, run};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::path::PathBuf;

/// The formats of which every set is tried.
const FORMATS: &[&str] = &["md", "isw", "ddf"];

fn probe(disks: &[PathBuf]) -> Outcome {
    run("raid-probe").args(disks).outcome()
}

/// The only array that the disks make.
#[track_caller]
fn only_array(outcome: &Outcome) -> Value {
    let arrays = outcome.records_of("array");
    assert_eq!(arrays.len(), 1, "{outcome}");
    arrays.into_iter().next().unwrap()
}

/// The disks but those at the given places.
fn without(disks: &[PathBuf], missing: &[usize]) -> Vec<PathBuf> {
    let kept = disks.iter().enumerate().filter(|(place, _)| !missing.contains(place));
    kept.map(|(_, disk)| disk.clone()).collect()
}

fn states(array: &Value) -> Vec<&str> {
    let members = array["members"].as_array().unwrap();
    members.iter().map(|member| member["state"].as_str().unwrap()).collect()
}

#[test]
fn every_set_is_named_with_level_layout_chunk_size_slots_and_health() {
    for set in Fixture::all_of(FORMATS) {
        let outcome = probe(&set.disks).expect_code(0);
        assert_eq!(outcome.records_of("member").len(), set.disks.len(), "{}: {outcome}", set.name);
        let array = only_array(&outcome);
        for field in ["level", "layout", "chunk_sectors", "slots", "health"] {
            assert_eq!(array[field], set.case[field], "{}: {field}: {outcome}", set.name);
        }
        assert_eq!(array["size_sectors"], set.case["array_size_sectors"], "{}: {outcome}", set.name);
        assert!(array["name"].as_str().is_some_and(|name| !name.is_empty()), "{}: {outcome}", set.name);
    }
}

#[test]
fn every_disk_has_a_slot_of_its_own_and_is_in_sync() {
    for set in Fixture::all_of(FORMATS).filter(|set| set.case["health"] == "optimal") {
        let array = only_array(&probe(&set.disks).expect_code(0));
        let members = array["members"].as_array().unwrap();
        let devices: BTreeSet<&str> = members.iter().filter_map(|member| member["device"].as_str()).collect();
        let expected: BTreeSet<&str> = set.disks.iter().map(|disk| disk.to_str().unwrap()).collect();
        assert_eq!(devices, expected, "{}", set.name);
        let slots: Vec<u64> = members.iter().map(|member| member["slot"].as_u64().unwrap()).collect();
        assert_eq!(slots, (0..set.disks.len() as u64).collect::<Vec<_>>(), "{}", set.name);
        assert!(states(&array).iter().all(|state| *state == "in-sync"), "{}: {array}", set.name);
        assert_eq!(array["problems"], Value::Array(Vec::new()), "{}", set.name);
    }
}

#[test]
fn the_order_of_the_disks_changes_nothing_in_the_array() {
    /// Of disks that say the same, a message may name any.
    fn without_messages(mut array: Value) -> Value {
        for problem in array["problems"].as_array_mut().unwrap() {
            problem["message"].take();
        }
        array
    }
    for set in Fixture::all_of(FORMATS) {
        let array = without_messages(only_array(&probe(&set.disks)));
        let mut disks = set.disks.clone();
        disks.reverse();
        assert_eq!(without_messages(only_array(&probe(&disks))), array, "{}", set.name);
        disks.rotate_left(1);
        assert_eq!(without_messages(only_array(&probe(&disks))), array, "{}", set.name);
    }
}

#[test]
fn a_missing_disk_leaves_a_slot_that_says_so() {
    for set in Fixture::all_of(FORMATS).filter(|set| set.case["health"] == "optimal") {
        let is_redundant = !matches!(set.case["level"].as_str(), Some("raid0" | "linear"));
        for missing in 0..set.disks.len() {
            let outcome = probe(&without(&set.disks, &[missing])).expect_code(0);
            let array = only_array(&outcome);
            let health = if is_redundant { "degraded" } else { "failed" };
            assert_eq!(array["health"], health, "{} without disk{missing}: {outcome}", set.name);
            let gone = states(&array).iter().filter(|state| **state == "missing").count();
            assert_eq!(gone, 1, "{} without disk{missing}: {outcome}", set.name);
            for member in array["members"].as_array().unwrap() {
                assert_eq!(member["device"].is_null(), member["state"] == "missing", "{member}");
            }
        }
    }
}

#[test]
fn a_disk_that_was_left_behind_is_stale_and_the_reason_is_given() {
    for set in Fixture::all_of(FORMATS).filter(|set| set.name.contains("stale")) {
        let outcome = probe(&set.disks).expect_code(0);
        let array = only_array(&outcome);
        assert_eq!(states(&array).iter().filter(|state| **state == "stale").count(), 1, "{outcome}");
        let stale =
            array["members"].as_array().unwrap().iter().find(|member| member["state"] == "stale").unwrap();
        assert!(stale["device"].as_str().unwrap().ends_with("disk2.img"), "{outcome}");
        let reasons = array["problems"].as_array().unwrap();
        let named = reasons.iter().any(|problem| problem["message"].as_str().unwrap().contains("disk2.img"));
        assert!(named, "{outcome}");
    }
}

#[test]
fn an_isw_disk_without_its_serial_has_no_slot_that_could_be_known() {
    for set in Fixture::all_of(&["isw"]) {
        for disk in &set.disks {
            fs::remove_file(format!("{}.serial", disk.display())).unwrap();
        }
        let outcome = probe(&set.disks).expect_code(3);
        let unknown = |record: &Value| {
            let problems = record["problems"].as_array().into_iter().flatten();
            problems.into_iter().any(|problem| problem["code"] == "slot-unknown")
        };
        assert!(outcome.records().iter().any(unknown), "{}: {outcome}", set.name);
        for array in outcome.records_of("array") {
            let is_placed = |member: &Value| !member["device"].is_null();
            assert!(!array["members"].as_array().unwrap().iter().any(is_placed), "guessed: {outcome}");
        }
    }
}

#[test]
fn serials_on_the_command_line_do_for_those_in_files() {
    for set in Fixture::all_of(&["isw"]) {
        let expected = only_array(&probe(&set.disks));
        let mut options = Vec::new();
        for disk in &set.disks {
            let file = format!("{}.serial", disk.display());
            let serial = fs::read_to_string(&file).unwrap();
            options.push(format!("--serial={}={}", disk.display(), serial.trim()));
            fs::remove_file(&file).unwrap();
        }
        let outcome = run("raid-probe").args(&options).args(&set.disks).outcome().expect_code(0);
        assert_eq!(only_array(&outcome), expected, "{}", set.name);
    }
}

#[test]
fn a_disk_image_cut_short_is_a_member_with_a_warning() {
    for set in Fixture::all_of(&["md12"]).filter(|set| set.case["health"] == "optimal") {
        for disk in &set.disks {
            let whole = fs::read(disk).unwrap();
            OpenOptions::new().write(true).open(disk).unwrap().set_len(12 << 20).unwrap();
            let outcome = probe(&set.disks).expect_code(0);
            let members = outcome.records_of("member");
            let cut = members
                .iter()
                .find(|member| member["device"].as_str() == disk.to_str())
                .unwrap_or(&Value::Null);
            let problems = cut["problems"].as_array().into_iter().flatten();
            let warnings = problems.filter(|problem| problem["severity"] == "warning").count();
            assert!(warnings > 0, "{}: {}: {outcome}", set.name, disk.display());
            fs::write(disk, whole).unwrap();
        }
    }
}

#[test]
fn two_sets_given_together_are_two_arrays() {
    let sets: Vec<Fixture> =
        ["md12-raid5-ls-3", "isw-raid5-3"].iter().filter_map(|name| Fixture::open(name)).collect();
    let [first, second] = sets.as_slice() else { panic!("the project carries both sets") };
    let mixed: Vec<PathBuf> =
        first.disks.iter().zip(&second.disks).flat_map(|(a, b)| [a.clone(), b.clone()]).collect();
    let outcome = probe(&mixed).expect_code(0);
    let arrays = outcome.records_of("array");
    let mut formats: Vec<_> = arrays.iter().map(|array| array["format"].as_str().unwrap()).collect();
    formats.sort_unstable();
    assert_eq!(formats, ["isw", "md"], "{outcome}");
    assert!(arrays.iter().all(|array| array["health"] == "optimal"), "{outcome}");
}
