//! Arrays that are whole, with the less common parts of md's metadata (`tests/vm/cases/md_odd.sh`).

use raid_tests::{Run, Wreck};
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;

#[test]
fn logs_and_bitmaps_and_flags_do_not_keep_a_clean_array_from_being_read() {
    let wreck = Wreck::of("md_odd", &[("journal", 4), ("bitmap", 3), ("ppl", 3), ("writemostly", 2)], 0);
    for name in ["journal", "bitmap", "ppl", "writemostly"] {
        let array = wreck.array(name);
        array.says("/health", "optimal");
        array.says("/dirty", false);
        array.is_whole();
    }
    for name in ["bitmap", "ppl", "writemostly"] {
        let array = wreck.array(name);
        for disk in 0..array.disks.len() {
            array.without(disk).says("/health", "degraded");
            array.without(disk).is_whole();
        }
    }
    let journal = wreck.array("journal");
    for disk in 0..3 {
        journal.without(disk).is_whole();
    }
    // Nobody knows what a journal held that is not there.
    let refused =
        raid_tests::run("raid-table").arg("read").args(&journal.disks[..3]).outcome().expect_code(3);
    assert!(refused.stderr.contains("journal"), "{refused}");
    assert!(refused.stdout.is_empty(), "{refused}");
}

#[test]
fn what_is_listed_as_bad_is_computed_or_refused() {
    let wreck = Wreck::of("md_odd", &[("badblocks", 3)], 0);
    let array = wreck.array("badblocks");
    let listed = Run::of("/sbin/mdadm").arg("--examine-badblocks").arg(&array.disks[1]).outcome();
    assert!(listed.text().contains("12288 for 64 sectors"), "{listed}");
    let offset = array.mdadm_number(1, "Data Offset");
    array.says(
        "/members/1/bad_sectors",
        serde_json::json!([{"start_sectors": 12288 - offset, "length_sectors": 64}]),
    );
    array.is_whole();
    array.without(1).is_whole();
    for disk in [0, 2] {
        let fraction = array.without(disk).read();
        assert!((0.9..1.0).contains(&fraction), "without disk {disk}: {fraction}");
    }
}

#[test]
fn the_superblock_of_a_big_endian_machine_is_read() {
    let wreck = Wreck::of("md_odd", &[("swapped", 3)], 0);
    let mut array = wreck.array("swapped");
    // Version 0.90 has no names.
    array.name = "null".into();
    let little = array_record(&array.disks);
    for disk in &array.disks {
        swap(disk);
        let says = Run::of("/sbin/mdadm")
            .args(["--examine", "--metadata=0.swap"])
            .arg(disk)
            .outcome()
            .expect_code(0);
        assert!(says.text().contains("- correct"), "{says}");
    }
    let big = array_record(&array.disks);
    assert_eq!(little, big);
    let outcome = raid_tests::run("raid-table").arg("read").args(&array.disks[1..]).outcome().expect_code(0);
    assert_eq!(outcome.stdout.len() as u64, array.sectors * 512);
    array.pattern.check(0, &outcome.stdout).unwrap_or_else(|message| panic!("{message}"));
    // Members of both kinds are not of one array.
    swap(&array.disks[0]);
    let outcome = raid_tests::run("raid-table").arg("read").args(&array.disks).outcome();
    if outcome.code == Some(0) {
        array.pattern.check(0, &outcome.stdout).unwrap_or_else(|message| panic!("{message}"));
    }
}

fn array_record(disks: &[std::path::PathBuf]) -> serde_json::Value {
    let outcome = raid_tests::run("raid-probe").args(["-J", "--arrays"]).args(disks).outcome().expect_code(0);
    let mut records = outcome.records_of("array");
    assert_eq!(records.len(), 1, "{outcome}");
    records.remove(0)
}

/// Gives the superblock 0.90 of a disk the other byte order: each word, the halves of the two event counts, and
/// those of the reshape position, which is a number of 64 bits.
fn swap(disk: &Path) {
    let file = OpenOptions::new().read(true).write(true).open(disk).expect("an image");
    let sectors = file.metadata().expect("an image has a size").len() / 512;
    let place = ((sectors & !127) - 128) * 512;
    let mut bytes = [0; 4096];
    file.read_exact_at(&mut bytes, place).expect("a superblock");
    for word in bytes.chunks_exact_mut(4) {
        word.reverse();
    }
    for low in [39, 41, 44] {
        let (first, second) = bytes[low * 4..low * 4 + 8].split_at_mut(4);
        first.swap_with_slice(second);
    }
    file.write_all_at(&bytes, place).expect("a superblock");
}
