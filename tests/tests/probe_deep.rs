//! `raid-probe --deep` finds members wherever in a file they are, makes of them the arrays that they were, and ends in time
//! on whatever it is given.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use raid_tests::forge::MdSet;
use raid_tests::random::Random;
use raid_tests::sparse::SparseDisk;
use raid_tests::{Fixture, Outcome, Run, run};
use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const SECTOR: u64 = 512;

fn deep(paths: &[PathBuf]) -> Run {
    run("raid-probe").arg("--deep").args(paths)
}

/// All disks of a set in one file, one behind the other, with noise before, between and after; the file, and where
/// each disk begins.
fn in_one_file(set: &Fixture, noise_sectors: u64) -> (PathBuf, Vec<u64>) {
    let path = set.path("all.bin");
    let mut file = File::create(&path).unwrap();
    let mut random = Random::new(7);
    let mut noise = move || random.bytes(usize::try_from(noise_sectors * SECTOR).unwrap());
    file.write_all(&noise()).unwrap();
    let mut starts = Vec::new();
    for disk in &set.disks {
        starts.push(std::io::Seek::stream_position(&mut file).unwrap());
        file.write_all(&fs::read(disk).unwrap()).unwrap();
        file.write_all(&noise()).unwrap();
    }
    (path, starts)
}

/// The serial numbers of disks in one file, as options.
fn serials(set: &Fixture, file: &Path, starts: &[u64]) -> Vec<String> {
    let serial = |disk: &PathBuf| fs::read_to_string(disk.with_extension("img.serial")).ok();
    let serials = set.disks.iter().zip(starts).filter_map(|(disk, start)| Some((serial(disk)?, start)));
    serials
        .map(|(serial, start)| format!("--serial={}@{start}={}", file.display(), serial.trim_end()))
        .collect()
}

fn starts_of(outcome: &Outcome) -> Vec<u64> {
    let start = |member: &Value| member["device_offset_sectors"].as_u64().unwrap() * SECTOR;
    outcome.records_of("member").iter().map(start).collect()
}

fn has(record: &Value, code: &str) -> bool {
    record["problems"].as_array().unwrap().iter().any(|problem| problem["code"] == code)
}

/// What is probed without `--deep`, the places of the members left out.
fn arrays_of(set: &Fixture) -> Vec<Value> {
    run("raid-probe").args(&set.disks).outcome().records_of("array")
}

#[test]
fn a_set_whose_disks_are_in_one_file_is_found_and_read() {
    for name in Fixture::carried_names() {
        let set = Fixture::open(&name).unwrap();
        let (file, starts) = in_one_file(&set, 77);
        let outcome =
            deep(std::slice::from_ref(&file)).args(serials(&set, &file, &starts)).outcome().expect_code(0);
        assert_eq!(starts_of(&outcome), starts, "{name}: {outcome}");
        let (arrays, expected) = (outcome.records_of("array"), arrays_of(&set));
        assert_eq!(arrays.len(), expected.len(), "{name}: {outcome}");
        for (array, expected) in arrays.iter().zip(&expected) {
            assert!(has(array, "carved"), "{name}: {outcome}");
            for field in ["format", "name", "uuid", "level", "layout", "size_sectors", "slots", "health"] {
                assert_eq!(array[field], expected[field], "{name}: {field}: {outcome}");
            }
        }
        if name.contains("reshape") || name.contains("stale") {
            continue;
        }
        let read = run("raid-table").arg("read").stdin(outcome.stdout).outcome();
        assert!(read.code == Some(0) && read.stdout == set.content(), "{name}: {}", read.stderr);
    }
}

#[test]
fn disks_at_their_place_are_no_other_finds_than_without_the_search() {
    for name in Fixture::carried_names() {
        let set = Fixture::open(&name).unwrap();
        let plain = run("raid-probe").args(&set.disks).outcome();
        let searched = deep(&set.disks).outcome();
        assert_eq!(searched.code, plain.code, "{name}: {searched}");
        assert_eq!(searched.records(), plain.records(), "{name}");
    }
}

#[test]
fn disks_that_were_grown_are_found_by_what_is_at_their_old_end() {
    for name in ["md10-raid1-2", "md090-raid5-4", "isw-raid5-3"] {
        let set = Fixture::open(name).unwrap();
        for disk in &set.disks {
            let size = fs::metadata(disk).unwrap().len();
            File::options().write(true).open(disk).unwrap().set_len(size + (3 << 20)).unwrap();
        }
        let plain = run("raid-probe").args(&set.disks).outcome();
        assert_ne!(plain.code, Some(0), "{name}: {plain}");
        let outcome = deep(&set.disks).outcome().expect_code(0);
        assert_eq!(starts_of(&outcome), vec![0; set.disks.len()], "{name}: {outcome}");
        let read = run("raid-table").arg("read").stdin(outcome.stdout).outcome();
        assert!(read.code == Some(0) && read.stdout == set.content(), "{name}: {}", read.stderr);
    }
}

#[test]
fn members_of_partitions_are_found_without_the_table() {
    for name in ["md12-raid5-ls-3", "md10-raid1-2", "md090-raid5-4"] {
        let set = Fixture::open(name).unwrap();
        let move_up = |disk: &PathBuf| {
            let content = fs::read(disk).unwrap();
            let file = File::create(disk).unwrap();
            file.set_len(content.len() as u64 + (5 << 20)).unwrap();
            file.write_all_at(&content, 1 << 20).unwrap();
        };
        set.disks.iter().for_each(move_up);
        let outcome = deep(&set.disks).outcome().expect_code(0);
        assert_eq!(starts_of(&outcome), vec![1 << 20; set.disks.len()], "{name}: {outcome}");
        let read = run("raid-table").arg("read").stdin(outcome.stdout).outcome();
        assert!(read.code == Some(0) && read.stdout == set.content(), "{name}: {}", read.stderr);
    }
}

#[test]
fn an_old_copy_of_a_disk_in_a_backup_is_not_mixed_into_the_array() {
    let set = Fixture::open("md12-raid5-ls-3").unwrap();
    let (backup, _) = in_one_file(&set, 8);
    let mut paths = set.disks.clone();
    paths.push(backup);
    let outcome = deep(&paths).outcome().expect_code(0);
    let arrays = outcome.records_of("array");
    let healths: Vec<_> = arrays.iter().map(|array| array["health"].as_str().unwrap()).collect();
    assert_eq!(healths, ["optimal", "inconsistent"], "{outcome}");
    assert!(!has(&arrays[0], "carved") && has(&arrays[1], "duplicate-member"), "{outcome}");
    assert_ne!(arrays[0]["name"], arrays[1]["name"]);
}

#[test]
fn what_is_found_by_searching_is_marked_and_can_be_looked_at_in_its_window() {
    let set = Fixture::open("md12-raid5-ls-3").unwrap();
    let (file, starts) = in_one_file(&set, 3);
    let outcome = deep(std::slice::from_ref(&file)).outcome().expect_code(0);
    for (member, start) in outcome.records_of("member").iter().zip(starts) {
        assert!(has(member, "carved"), "{outcome}");
        let length = member["device_length_sectors"].as_u64().unwrap() * SECTOR;
        let window = format!("{}@{start}+{length}", file.display());
        let check = run("raid-meta").arg("check").arg(window).outcome();
        assert_eq!(check.code, Some(0), "{check}");
    }
}

#[test]
fn a_file_without_members_is_an_honest_no() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("noise");
    fs::write(&path, Random::new(3).bytes((8 << 20) + 100)).unwrap();
    let outcome = deep(&[path]).outcome().expect_code(1);
    assert!(outcome.stdout.is_empty() && outcome.stderr.lines().count() == 1, "{outcome}");
}

#[test]
fn a_sparse_file_costs_what_is_in_it() {
    let set = MdSet { number: 1, device_bytes: 64 << 20 };
    let (at, block) = set.version_1(2);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("huge");
    SparseDisk::blank(1 << 42).with((1 << 41) + at, block).store(&path).unwrap();
    let outcome = deep(&[path]).cpu_limit(5).outcome().expect_code(0);
    assert_eq!(starts_of(&outcome), [1 << 41], "{outcome}");
}

/// A file of so many sectors, each with the same beginning.
fn flood(path: &Path, sector: &[u8], count: usize) {
    let mut padded = sector.to_vec();
    padded.resize(sector.len().next_multiple_of(512), 0);
    fs::write(path, padded.repeat(count)).unwrap();
}

#[test]
fn a_file_full_of_signatures_ends_in_time_and_says_that_it_was_not_searched_to_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("flood");
    let magics = [&b"\xfc\x4e\x2b\xa9\x01\0\0\0"[..], b"Intel Raid ISM Cfg Sig. 1.3.00\0\0"];
    for magic in magics {
        flood(&path, magic, 65536);
        let outcome =
            deep(std::slice::from_ref(&path)).cpu_limit(30).memory_limit(512 << 20).outcome().expect_code(5);
        assert!(outcome.stderr.contains("not followed"), "{outcome}");
    }
}

#[test]
fn a_file_full_of_members_takes_bounded_memory() {
    let (_, superblock) = MdSet { number: 1, device_bytes: 8 << 20 }.version_1(1);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("members");
    flood(&path, &superblock, 8192);
    let outcome = deep(&[path]).cpu_limit(30).memory_limit(1 << 30).outcome().expect_code(5);
    assert!(outcome.stderr.contains("no more metadata is taken"), "{outcome}");
}

#[test]
fn progress_is_silent_off_a_terminal_and_records_where_they_are_asked_for() {
    let set = Fixture::open("md10-raid1-2").unwrap();
    let quiet = deep(&set.disks).outcome().expect_code(0);
    assert_eq!(quiet.stderr, "");
    let told = deep(&set.disks).arg("--progress=json").outcome().expect_code(0);
    let records = raid_tests::records(told.stderr.as_bytes());
    assert!(records.iter().all(|record| record["type"] == "progress"), "{told}");
    let last = records.last().unwrap();
    assert_eq!(last["done_bytes"], last["total_bytes"], "{told}");
    assert_eq!(told.stdout, quiet.stdout);
}
