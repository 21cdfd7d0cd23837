//! Members in partitions of a disk image are found where they are, and read through the window that the record names.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use raid_tests::{Fixture, Outcome, run};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// First sector of the partition, as partitioning tools like it.
const START: u64 = 2048;

/// An image of a disk in whose only partition another image is, made by sfdisk.
fn in_partition(disk: &Path, label: &str) -> PathBuf {
    let content = fs::read(disk).unwrap();
    let sectors = content.len() as u64 / 512;
    let path = disk.with_extension("disk");
    let file = File::create(&path).unwrap();
    file.set_len((START + sectors + 2048) * 512).unwrap();
    let mut sfdisk = Command::new("sfdisk").arg("--quiet").arg(&path).stdin(Stdio::piped()).spawn().unwrap();
    let script = format!("label: {label}\nstart={START}, size={sectors}\n");
    std::io::Write::write_all(&mut sfdisk.stdin.take().unwrap(), script.as_bytes()).unwrap();
    assert!(sfdisk.wait().unwrap().success());
    file.write_all_at(&content, START * 512).unwrap();
    path
}

fn probe(disks: &[PathBuf]) -> Outcome {
    run("raid-probe").args(disks).outcome()
}

#[test]
fn arrays_of_partitions_are_found_and_read_under_either_kind_of_table() {
    for (name, label) in [("md12-raid5-ls-3", "gpt"), ("md090-raid5-4", "dos"), ("md10-raid1-2", "gpt")] {
        let set = Fixture::open(name).unwrap();
        let disks: Vec<PathBuf> = set.disks.iter().map(|disk| in_partition(disk, label)).collect();
        let outcome = probe(&disks).expect_code(0);
        let members = outcome.records_of("member");
        assert_eq!(members.len(), disks.len(), "{name}: {outcome}");
        for member in &members {
            assert_eq!(member["device_offset_sectors"], START, "{name}: {outcome}");
        }
        assert_eq!(outcome.records_of("array")[0]["health"], "optimal", "{name}: {outcome}");
        for read in [
            run("raid-table").arg("read").args(&disks).outcome(),
            run("raid-table").arg("read").stdin(outcome.stdout).outcome(),
        ] {
            assert!(read.code == Some(0) && read.stdout == set.content(), "{name}: {}", read.stderr);
        }
    }
}

#[test]
fn a_lost_first_gpt_costs_nothing_but_a_message() {
    let set = Fixture::open("md12-raid5-ls-3").unwrap();
    let disks: Vec<PathBuf> = set.disks.iter().map(|disk| in_partition(disk, "gpt")).collect();
    let file = File::options().write(true).open(&disks[0]).unwrap();
    file.write_all_at(&[0; 4096], 512).unwrap();
    let outcome = run("raid-probe").arg("-v").args(&disks).outcome().expect_code(0);
    assert_eq!(outcome.records_of("array")[0]["health"], "optimal", "{outcome}");
    assert!(outcome.stderr.contains("GPT"), "{outcome}");
}

#[test]
fn metadata_at_the_end_of_a_disk_is_not_taken_for_that_of_its_last_partition() {
    // A partition up to the end of a disk that is a member as a whole: the table belongs to the array.
    let set = Fixture::open("md10-raid1-2").unwrap();
    for disk in &set.disks {
        let file = File::options().write(true).open(disk).unwrap();
        let sectors = u32::try_from(fs::metadata(disk).unwrap().len() / 512).unwrap();
        let mut table = [0; 512];
        table[450] = 0x83;
        table[454..458].copy_from_slice(&2048u32.to_le_bytes());
        table[458..462].copy_from_slice(&(sectors - 2048).to_le_bytes());
        table[510..].copy_from_slice(&[0x55, 0xaa]);
        file.write_all_at(&table, 0).unwrap();
    }
    let outcome = probe(&set.disks).expect_code(0);
    assert_eq!(outcome.records_of("member").len(), 2, "{outcome}");
    for member in outcome.records_of("member") {
        assert_eq!(member["device_offset_sectors"], 0, "{outcome}");
    }
}
