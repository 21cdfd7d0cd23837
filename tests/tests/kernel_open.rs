//! What the metadata of an array record while it is active in a real kernel, over power cuts and with a disk that was away:
//! `tests/vm/cases/open.sh`.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use raid_tests::{Fixture, Vm, run};
use std::fs;
use std::path::PathBuf;

/// Copies of the disks of a set, which keep what is written from one boot to the next.
struct Set {
    _folder: tempfile::TempDir,
    disks: Vec<PathBuf>,
    name: String,
    size: u64,
    /// The slot that each disk has.
    slots: Vec<usize>,
    words: &'static str,
}

impl Set {
    fn of(fixture: &str, words: &'static str) -> Self {
        let fixture = Fixture::open(fixture).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let copy = |disk: &PathBuf| {
            let to = folder.path().join(disk.file_name().unwrap());
            fs::copy(disk, &to).unwrap();
            let serial =
                disk.with_file_name(format!("{}.serial", disk.file_name().unwrap().to_str().unwrap()));
            if serial.exists() {
                let name = serial.file_name().unwrap();
                fs::copy(&serial, folder.path().join(name)).unwrap();
            }
            to
        };
        let disks: Vec<PathBuf> = fixture.disks.iter().map(copy).collect();
        let array =
            run("raid-probe").args(&disks).outcome().expect_code(0).records_of("array").pop().unwrap();
        let name = array["name"].as_str().unwrap().to_owned();
        let size = array["size_sectors"].as_u64().unwrap();
        let members = array["members"].as_array().unwrap();
        let slot =
            |disk: &PathBuf| members.iter().position(|member| member["device"] == disk.to_str().unwrap());
        let slots = disks.iter().map(|disk| slot(disk).unwrap()).collect();
        Self { _folder: folder, disks, name, size, slots, words }
    }

    /// Boots for a phase, with the disks but for one. Where the power is cut, the machine ends with 9.
    fn boot(&self, phase: &str, without: Option<usize>, missing: usize, code: i32) {
        let slot = self.slots[missing];
        let mut vm = Vm::case("open").program("raid-probe").program("raid-table").seconds(400);
        for (_, disk) in self.disks.iter().enumerate().filter(|(index, _)| Some(*index) != without) {
            vm = vm.disk(disk);
        }
        for argument in [&self.name, &self.size.to_string(), self.words, phase, &slot.to_string()] {
            vm = vm.arg(argument);
        }
        let outcome = vm.outcome();
        assert_eq!(outcome.code, Some(code), "{phase}: {outcome}");
        assert!(outcome.text().contains(&format!("ok {phase}\n")), "{outcome}");
    }
}

fn whole_and_crashed(fixture: &str, words: &'static str) {
    let set = Set::of(fixture, words);
    set.boot("whole", None, 0, 9);
    set.boot("crashed", None, 0, 0);
}

fn without_a_disk(fixture: &str, words: &'static str, missing: usize) {
    let set = Set::of(fixture, words);
    set.boot("degraded", Some(missing), missing, 0);
    set.boot("returned", None, missing, 9);
    set.boot("lost", Some(missing), missing, 0);
}

const IMSM_DIRTY: &str = "Dirty State : dirty";
const DDF_DIRTY: &str = "Not Consistent";

#[test]
fn an_isw_mirror_is_dirty_while_it_is_active() {
    whole_and_crashed("isw-raid1-2", IMSM_DIRTY);
}

#[test]
fn an_isw_mirror_that_was_written_without_a_disk_does_not_believe_it() {
    without_a_disk("isw-raid1-2", IMSM_DIRTY, 0);
}

#[test]
fn an_isw_raid5_is_dirty_while_it_is_active() {
    whole_and_crashed("isw-raid5-3", IMSM_DIRTY);
}

#[test]
fn an_isw_raid5_that_was_written_without_a_disk_does_not_believe_it() {
    without_a_disk("isw-raid5-3", IMSM_DIRTY, 1);
}

#[test]
fn a_ddf_mirror_that_was_written_without_a_disk_does_not_believe_it() {
    without_a_disk("ddf-raid1-2", DDF_DIRTY, 1);
}

#[test]
fn a_ddf_raid5_is_dirty_while_it_is_active() {
    whole_and_crashed("ddf-raid5-ls-3", DDF_DIRTY);
}
