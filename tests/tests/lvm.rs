//! LVM2 sets: the tables are LVM's own, and reading gives back what was written, with members missing too.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

use raid_tests::{Fixture, run};
use std::collections::BTreeSet;
use std::path::PathBuf;

fn sets() -> impl Iterator<Item = Fixture> {
    Fixture::all_of(&["lvm"])
}

fn without(set: &Fixture, missing: usize) -> Vec<PathBuf> {
    let disks = set.disks.iter().enumerate().filter(|(number, _)| *number != missing);
    disks.map(|(_, disk)| disk.clone()).collect()
}

/// A device number of the machine where the table was loaded, as we name the device: `8:16` was disk1, and of `253:N`
/// the even ones held the superblocks and the odd ones the images.
fn our_name(word: &str) -> String {
    let number = |prefix: &str| word.strip_prefix(prefix)?.parse::<u32>().ok();
    if let Some(minor) = number("8:") {
        return format!("disk{}.img", minor / 16);
    }
    match number("253:") {
        Some(minor) if minor % 2 == 0 => format!("/dev/mapper/vg-lv_rmeta_{}", minor / 2),
        Some(minor) => format!("/dev/mapper/vg-lv_rimage_{}", minor / 2),
        None => word.to_owned(),
    }
}

#[test]
fn tables_are_those_that_lvm_loaded() {
    for set in sets() {
        let carried = raid_tests::workspace().join("tests/fixtures").join(&set.name);
        let theirs = std::fs::read_to_string(carried.join("dmsetup-table.txt")).unwrap();
        let in_our_names = |line: &str| line.split(' ').map(our_name).collect::<Vec<_>>().join(" ");
        let expected: BTreeSet<String> = theirs.lines().map(in_our_names).collect();
        let names = (0..set.disks.len()).map(|number| format!("disk{number}.img"));
        let outcome =
            run("raid-table").args(["-o", "dmsetup"]).args(names).directory(set.directory.path()).outcome();
        let text = outcome.expect_code(0).text();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let found: BTreeSet<String> = lines.iter().cloned().collect();
        assert_eq!(found, expected, "{}", set.name);
        assert_eq!(found.len(), lines.len(), "{}: each device once", set.name);
        let top = lines.last().unwrap();
        assert!(top.starts_with("vg-lv: "), "{}: {top} comes after what it consists of", set.name);
    }
}

#[test]
fn every_set_reads_as_what_was_written() {
    for set in sets() {
        let outcome = run("raid-table").arg("read").args(&set.disks).outcome().expect_code(0);
        assert!(outcome.stdout == set.content(), "{}", set.name);
        let records = run("raid-probe").arg("-J").args(&set.disks).outcome().expect_code(0);
        let array = records.records_of("array").into_iter().find(|array| array["name"] == "vg-lv").unwrap();
        for field in ["level", "layout", "chunk_sectors", "slots", "health"] {
            assert_eq!(array[field], set.case[field], "{}: {field}", set.name);
        }
        assert_eq!(array["size_sectors"], set.case["array_size_sectors"], "{}", set.name);
    }
}

#[test]
fn a_set_without_one_of_its_disks_reads_the_same_or_is_refused() {
    for set in sets() {
        for missing in 0..set.disks.len() {
            let outcome =
                run("raid-table").args(["read", "--array", "vg-lv"]).args(without(&set, missing)).outcome();
            if set.case["level"] == "linear" {
                let _ = outcome.expect_code(1);
            } else {
                assert!(outcome.expect_code(0).stdout == set.content(), "{} without {missing}", set.name);
            }
        }
    }
}

#[test]
fn an_image_that_was_split_off_is_not_read_in_place_of_the_array() {
    let Some(set) = Fixture::open("lvm-raid1-track-3") else { return };
    let refused =
        run("raid-table").args(["read", "--array", "vg-lv"]).arg(&set.disks[2]).outcome().expect_code(1);
    assert!(refused.stdout.is_empty());
    let image = run("raid-table").args(["read", "--array", "vg-lv_rimage_2"]).arg(&set.disks[2]).outcome();
    assert!(image.expect_code(0).stdout == set.content(), "the image itself can be read");
}

#[test]
fn a_leg_that_the_others_went_on_without_is_not_believed() {
    let Some(set) = Fixture::open("lvm-raid1-2") else { return };
    // The superblock of the first leg: more events, and the second leg has failed.
    let mut disk = std::fs::read(&set.disks[0]).unwrap();
    disk[(1 << 20) + 16] += 10;
    disk[(1 << 20) + 24] = 0b10;
    std::fs::write(&set.disks[0], disk).unwrap();
    let mut stale = std::fs::read(&set.disks[1]).unwrap();
    let data = 2560 * 512;
    stale[data..data + 4096].fill(0xee);
    std::fs::write(&set.disks[1], stale).unwrap();
    for disks in [set.disks.clone(), set.disks.iter().rev().cloned().collect()] {
        let outcome = run("raid-table").arg("read").args(&disks).outcome().expect_code(0);
        assert!(outcome.stdout == set.content(), "{disks:?}");
    }
    let degraded = run("raid-table").args(["-o", "dmsetup"]).args(&set.disks).outcome();
    let _ = degraded.expect_code(1);
}

#[test]
fn older_texts_are_listed_with_what_was_done() {
    let Some(set) = Fixture::open("lvm-raid1-track-3") else { return };
    let outcome = run("raid-meta")
        .args(["get", "-o", "text"])
        .arg(&set.disks[0])
        .args(["vg.seqno", "vg.name"])
        .outcome();
    assert_eq!(outcome.expect_code(0).text(), "4\nvg\n");
}
