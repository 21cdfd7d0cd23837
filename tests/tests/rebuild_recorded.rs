//! `raid-repair rebuild` where the disks that are left record that one was lost: firmware and drivers do, in most formats of
//! the vendors. Afterwards nothing says so any more.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

use raid_tests::rebuilt::{Lost, first_block};
use raid_tests::recipes::{MadeSet, numbered};
use raid_tests::{Outcome, fill_from, run};
use std::path::Path;

/// Format, level, the slot that is lost, what the others record, and what they say when it was rebuilt.
type Case = (&'static str, &'static str, usize, &'static [&'static str], &'static [&'static str]);

const CASES: [Case; 9] = [
    (
        "asr",
        "raid1",
        0,
        &["line[0].raidstate=1", "line[1].raidstate=3"],
        &["line[0].raidstate=0", "line[1].raidstate=0"],
    ),
    (
        "asr",
        "raid10",
        1,
        &["line[0].raidstate=1", "line[5].raidstate=3"],
        &["line[0].raidstate=0", "line[5].raidstate=0"],
    ),
    ("hpt45x", "raid1", 1, &["config[0].critical_disks=2"], &["config[0].critical_disks=0"]),
    (
        "hpt45x",
        "raid1",
        0,
        &["config[0].critical_disks=1", "config[0].status=1", "config[0].rebuild_lba=64"],
        &["config[0].critical_disks=0", "config[0].status=0", "config[0].rebuild_lba=2147483647"],
    ),
    (
        "lsi",
        "raid1",
        1,
        &["raid[0].flags=2", "disk[1].device=255"],
        &["raid[0].flags=0", "disk[1].device=16"],
    ),
    ("lsi", "raid10", 2, &["raid[0].flags=2", "disk[1].flags=2"], &["raid[0].flags=0", "disk[1].flags=0"]),
    (
        "nvidia",
        "raid5",
        1,
        &["array.flags=2", "array.raid_job_code=3"],
        &["array.flags=0", "array.raid_job_code=0"],
    ),
    ("pdc", "raid10", 3, &["disks[3].flags=0x47", "status=0x9f"], &["disks[3].flags=7", "status=0x8f"]),
    ("via", "raid1", 1, &["disk=0x100c"], &["disk=0x0c"]),
];

fn set_fields(disk: &Path, fields: &[&str], undo: &Path) {
    let set = run("raid-meta").args(["set", "--write", "--undo"]).arg(undo).arg(disk).args(fields);
    let _ = set.outcome().expect_code(0);
}

fn made(format: &str, level: &str) -> MadeSet {
    let recipes = numbered(|name| name == format, false);
    let recipe = recipes.iter().find(|recipe| recipe.level.name() == level).unwrap();
    let set = recipe.make();
    fill_from(&set.array, first_block(recipe));
    set
}

fn number(text: &str) -> u64 {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).unwrap(),
        None => text.parse().unwrap(),
    }
}

/// The values of the fields on a disk.
fn values(disk: &Path, fields: &[&str]) -> Vec<u64> {
    let names = fields.iter().map(|field| field.split_once('=').unwrap().0);
    let text =
        run("raid-meta").args(["get", "-o", "text"]).arg(disk).args(names).outcome().expect_code(0).text();
    text.lines().map(|line| number(line.split_whitespace().last().unwrap())).collect()
}

fn array(outcome: &Outcome) -> serde_json::Value {
    outcome.records_of("array").pop().unwrap()
}

#[test]
fn what_was_recorded_of_a_loss_is_taken_back() {
    for (format, level, slot, recorded, expected) in CASES {
        let set = made(format, level);
        let whole = run("raid-table").arg("read").args(&set.disks).outcome().expect_code(0).stdout;
        let lost = Lost::new(&set, slot);
        for disk in lost.left() {
            set_fields(&disk, recorded, &disk.with_extension("recorded"));
        }
        let before = array(&run("raid-probe").args(lost.left()).outcome());
        assert_eq!(before["health"], "degraded", "{format} {level}: {before}");
        let _ = lost.rebuild();
        let disks = lost.with_new();
        let after = array(&run("raid-probe").args(&disks).outcome());
        assert_eq!(after["health"], "optimal", "{format} {level}: {after}");
        for disk in lost.left() {
            let wanted: Vec<u64> =
                expected.iter().map(|field| number(field.split_once('=').unwrap().1)).collect();
            assert_eq!(values(&disk, expected), wanted, "{format} {level} {}", disk.display());
        }
        let mut left = disks;
        let _ = left.remove((slot + 1) % set.disks.len());
        let read = run("raid-table").arg("read").args(&left).outcome().expect_code(0).stdout;
        assert!(read == whole, "{format} {level}");
    }
}

#[test]
fn a_member_whose_identity_is_forgotten_is_refused_before_anything_is_written() {
    let set = made("jmicron", "raid5");
    let lost = Lost::new(&set, 1);
    for disk in lost.left() {
        set_fields(&disk, &["member[1]=0xffffffff"], &disk.with_extension("recorded"));
    }
    let outcome = lost.run().arg("--write").outcome();
    assert_eq!(outcome.code, Some(1), "{outcome}");
    assert!(outcome.stderr.contains("does not say any more which disk was member 1"), "{outcome}");
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome}");
}

#[test]
fn a_half_of_a_raid10_that_is_gone_is_rebuilt_disk_by_disk() {
    for format in ["asr", "hpt37x", "hpt45x", "jmicron", "lsi", "nvidia", "pdc", "sil", "via"] {
        let set = made(format, "raid10");
        let whole = run("raid-table").arg("read").args(&set.disks).outcome().expect_code(0).stdout;
        let lost = [Lost::new(&set, 0), Lost::new(&set, 2)];
        let mut left: Vec<_> = [1, 3].map(|slot| set.disks[slot].clone()).to_vec();
        for (lost, slot) in lost.iter().zip(["0", "2"]) {
            let rebuild = ["rebuild", "--write", "--slot", slot, "--undo"];
            let rebuild = run("raid-repair").args(rebuild).arg(lost.undo()).arg("--onto").arg(&lost.new);
            let _ = rebuild.args(&left).outcome().expect_code(0);
            left.push(lost.new.clone());
        }
        assert_eq!(array(&run("raid-probe").args(&left).outcome())["health"], "optimal", "{format}");
        let new: Vec<_> = lost.iter().map(|lost| lost.new.clone()).chain([set.disks[1].clone()]).collect();
        let read = run("raid-table").arg("read").args(&new).outcome().expect_code(0).stdout;
        let written = usize::try_from(first_block(&set.recipe) * 4096).unwrap();
        assert!(read[written..] == whole[written..], "{format}");
    }
}
