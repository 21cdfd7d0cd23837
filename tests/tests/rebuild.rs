//! `raid-repair rebuild`: of every set that can be made, each disk is lost once and put on a new one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use raid_tests::rebuilt::{Lost, can_be_rebuilt, first_block};
use raid_tests::recipes::{self, DISK, MadeSet, Recipe};
use raid_tests::sparse::SparseDisk;
use raid_tests::{Fixture, Outcome, fill_from, long, run};
use serde_json::Value;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// What has to be possible, at the least.
const FORMATS: [&str; 12] =
    ["asr", "ddf", "hpt37x", "hpt45x", "isw", "jmicron", "lsi", "md", "nvidia", "pdc", "sil", "via"];
/// Larger than the other disks, by what is no whole number of anything.
const LARGER: u64 = DISK + 1_234_567 * 512;

fn redundant() -> Vec<Recipe> {
    let everything = recipes::numbered(|_| true, long());
    everything.into_iter().filter(|recipe| recipe.level.is_redundant()).collect()
}

/// Every `step`th of the sets that can be rebuilt, with the pattern in them.
fn filled(step: usize) -> impl Iterator<Item = MadeSet> {
    let recipes = redundant().into_iter().filter(can_be_rebuilt);
    recipes.step_by(step).map(|recipe| filled_set(&recipe))
}

fn filled_set(recipe: &Recipe) -> MadeSet {
    let set = recipe.make();
    fill_from(&set.array, first_block(recipe));
    set
}

fn of(format: &str, level: &str) -> MadeSet {
    let found =
        redundant().into_iter().find(|recipe| recipe.format == format && recipe.level.name() == level);
    filled_set(&found.unwrap())
}

/// An honest no, in one line.
fn is_refused(outcome: &Outcome) -> bool {
    outcome.code == Some(1) && outcome.stderr.lines().count() == 1 && outcome.stdout.is_empty()
}

fn content(disks: &[PathBuf]) -> Vec<SparseDisk> {
    disks.iter().map(|disk| SparseDisk::load(disk).unwrap()).collect()
}

fn store(before: &[SparseDisk], disks: &[PathBuf]) {
    before.iter().zip(disks).for_each(|(disk, path)| disk.store(path).unwrap());
}

/// The bytes of the array on these disks.
fn read(disks: &[PathBuf]) -> Vec<u8> {
    run("raid-table").arg("read").args(disks).outcome().expect_code(0).stdout
}

fn array(disks: &[PathBuf]) -> Value {
    run("raid-probe").args(disks).outcome().records_of("array").pop().unwrap()
}

/// What a slot of an array holds, on its disk.
fn data(array: &Value, slot: usize, disk: &Path) -> Vec<u8> {
    let number = |field: &str| array["members"][slot][field].as_u64().unwrap();
    let mut bytes = vec![0; usize::try_from(number("length_sectors") * 512).unwrap()];
    File::open(disk).unwrap().read_exact_at(&mut bytes, number("offset_sectors") * 512).unwrap();
    bytes
}

/// There is nothing to say of any disk, but what is always said of the sets of a vendor: what is taken for granted, a
/// note, and in some a warning.
fn assert_sound(disks: &[PathBuf], recipe: &Recipe) {
    let verdicts = run("raid-meta").arg("check").args(disks).outcome().expect_code(0).records();
    let warned = match (recipe.format, recipe.level.name()) {
        ("lsi", "raid10") | ("sil", "raid5") => "layout-doubtful",
        ("jmicron", "raid5") => "parity-layout",
        _ => "none",
    };
    let may_have_notes = !matches!(recipe.format, "ddf" | "isw" | "md");
    for problem in verdicts.iter().flat_map(|verdict| verdict["problems"].as_array().unwrap()) {
        let is_note = may_have_notes && problem["severity"] == "note";
        assert!(is_note || problem["code"] == warned, "{recipe}: {problem}");
    }
}

#[test]
fn the_formats_that_can_be_rebuilt_can_be() {
    let possible: Vec<&str> =
        redundant().iter().filter(|recipe| can_be_rebuilt(recipe)).map(|recipe| recipe.format).collect();
    for format in FORMATS {
        assert!(possible.contains(&format), "{format}");
    }
}

#[test]
fn every_disk_of_every_set_is_rebuilt_as_it_was() {
    for set in filled(1) {
        let before = content(&set.disks);
        let written = usize::try_from(first_block(&set.recipe) * 4096).unwrap();
        let whole = read(&set.disks).split_off(written);
        for (slot, size) in [(0, DISK), (set.disks.len() - 1, LARGER)] {
            store(&before, &set.disks);
            let lost = Lost::onto(&set, slot, size);
            let outcome = lost.rebuild();
            let disks = lost.with_new();
            let found = array(&disks);
            assert_eq!(found["health"], "optimal", "{}: {found}", set.recipe);
            assert_eq!(outcome.records_of("array").last(), Some(&found), "{}", set.recipe);
            assert_eq!(found["members"][slot]["device"], lost.new.to_str().unwrap(), "{}", set.recipe);
            assert!(
                data(&found, slot, &lost.new)[written..]
                    == data(&set.array, slot, &set.disks[slot])[written..],
                "{} slot {slot}",
                set.recipe
            );
            assert_sound(&disks, &set.recipe);
            let other = (slot + 1) % disks.len();
            let mut left = disks.clone();
            left.remove(other);
            assert!(read(&left)[written..] == whole, "{} without slot {other}", set.recipe);
        }
    }
}

#[test]
fn nothing_is_written_without_write() {
    for set in filled(5) {
        let lost = Lost::new(&set, 0);
        let disks = lost.with_new();
        let before = content(&disks);
        let outcome = lost.run().outcome().expect_code(0);
        assert!(outcome.records_of("write").iter().all(|write| write["written"] == false), "{outcome}");
        assert!(!outcome.records_of("write").is_empty(), "{outcome}");
        assert!(before.iter().zip(content(&disks)).all(|(before, now)| before.is_same(&now)));
    }
}

#[test]
fn the_undo_file_puts_the_metadata_back() {
    for set in filled(3) {
        let lost = Lost::new(&set, 0);
        let left = lost.left();
        let before = content(&left);
        let _ = lost.rebuild();
        let _ = run("raid-meta").args(["restore", "--write"]).arg(lost.undo()).outcome().expect_code(0);
        assert!(
            before.iter().zip(content(&left)).all(|(before, now)| before.is_same(&now)),
            "{}",
            set.recipe
        );
        assert_eq!(run("raid-probe").arg(&lost.new).outcome().code, Some(1), "{}", set.recipe);
    }
}

#[test]
fn a_format_that_can_not_be_rebuilt_is_refused_before_anything_is_written() {
    let set = Fixture::open("lvm-raid1-2").unwrap();
    let new = set.directory.path().join("new.img");
    File::create(&new).unwrap().set_len(DISK).unwrap();
    let disks = [set.disks.clone(), vec![new.clone()]].concat();
    let before = content(&disks);
    let arrays = run("raid-probe").args(&set.disks).outcome().records_of("array");
    let mirror = arrays.iter().find(|array| array["level"] == "raid1").unwrap()["name"].as_str().unwrap();
    let rebuild = ["rebuild", "--write", "--slot", "0", "--array", mirror, "--onto"];
    let outcome = run("raid-repair").args(rebuild).arg(&new).arg(&set.disks[1]).outcome();
    assert!(is_refused(&outcome) && outcome.stderr.contains("lvm2 sets can not be rebuilt"), "{outcome}");
    assert!(before.iter().zip(content(&disks)).all(|(before, now)| before.is_same(&now)));
}

#[test]
fn what_is_no_place_for_a_member_is_refused_in_one_line() {
    let set = of("md", "raid5");
    let lost = Lost::new(&set, 0);
    let folder = lost.new.parent().unwrap();
    let small = folder.join("small.img");
    File::create(&small).unwrap().set_len(1 << 20).unwrap();
    let missing = folder.join("missing.img");
    let onto = |path: &PathBuf| {
        let slot = ["rebuild", "--write", "--slot", "0", "--onto"];
        run("raid-repair").args(slot).arg(path).args(lost.left()).outcome()
    };
    assert!(onto(&small).stderr.contains("has 2048 sectors, expected at least "), "{}", onto(&small));
    assert!(is_refused(&onto(&small)));
    let own = onto(&set.disks[1]);
    assert!(is_refused(&own) && own.stderr.contains("is slot 1 of"), "{own}");
    assert_eq!(onto(&missing).code, Some(4));
    let old = onto(&set.disks[0]);
    assert!(old.code == Some(1) && old.stderr.contains("carries md 1.2 metadata"), "{old}");
    assert!(old.stderr.contains("--force overwrites it"), "{old}");
}

#[test]
fn a_disk_that_carries_something_is_overwritten_only_with_force() {
    let set = of("md", "raid1");
    let lost = Lost::new(&set, 1);
    let other = of("isw", "raid1");
    SparseDisk::load(&other.disks[0]).unwrap().store(&lost.new).unwrap();
    let refused = lost.run().arg("--write").outcome();
    assert!(refused.code == Some(1) && refused.stderr.contains("carries isw"), "{refused}");
    let state = lost.new.parent().unwrap().join("state");
    let run = lost.run().args(["--write", "--force"]).env("XDG_STATE_HOME", state);
    let _ = run.outcome().expect_code(0);
    assert_eq!(array(&lost.with_new())["health"], "optimal");
    assert_eq!(run_members(&lost.new), ["md"]);
}

fn run_members(disk: &PathBuf) -> Vec<String> {
    let members = run("raid-probe").arg(disk).outcome().records_of("member");
    members.iter().map(|member| member["format"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_slot_that_is_in_step_is_rebuilt_only_with_force() {
    let set = of("md", "raid5");
    let lost = Lost::new(&set, 1);
    let whole = read(&set.disks);
    let run = || lost.run().arg(&set.disks[1]).arg("--write").arg("--undo").arg(lost.undo());
    let refused = run().outcome();
    assert!(is_refused(&refused) && refused.stderr.contains("is in step"), "{refused}");
    let _ = run().arg("--force").outcome().expect_code(0);
    let all = [lost.with_new(), vec![set.disks[1].clone()]].concat();
    let found = array(&all);
    assert_eq!(found["members"][1]["device"], lost.new.to_str().unwrap(), "{found}");
    assert!(read(&lost.with_new()) == whole);
}

#[test]
fn what_can_not_be_computed_is_not_invented() {
    let set = of("md", "raid5");
    let lost = Lost::new(&set, 0);
    for disk in &set.disks[1..] {
        let undo = disk.with_extension("undo");
        let set = run("raid-meta").args(["set", "--write", "--undo"]).arg(undo).arg(disk);
        let _ = set.arg("resync_offset=64").outcome().expect_code(0);
    }
    let written = lost.run().args(["--write", "--undo"]).arg(lost.undo());
    for outcome in [lost.run().outcome(), written.outcome()] {
        assert_eq!(outcome.code, Some(3), "{outcome}");
        assert!(outcome.stderr.contains("parity was not synchronised"), "{outcome}");
        assert!(outcome.stderr.contains("raid-repair salvage"), "{outcome}");
        assert!(!outcome.stderr.contains("--force"), "{outcome}");
    }
    assert!(run_members(&lost.new).is_empty());
    let raid0 = recipes::all().into_iter().find(|recipe| recipe.level.name() == "raid0").unwrap().make();
    let outcome = Lost::new(&raid0, 0).run().outcome();
    assert_eq!(outcome.code, Some(1), "{outcome}");
}

#[test]
fn a_rebuild_that_was_killed_is_gone_on_with() {
    let set = of("md", "raid5");
    let whole = read(&set.disks);
    let lost = Lost::new(&set, 1);
    let position = lost.new.with_extension("position");
    let run = || {
        let state = lost.new.with_extension("state");
        lost.run().arg("--write").arg("--position").arg(&position).env("XDG_STATE_HOME", state)
    };
    for pause in [0, 5, 10, 15] {
        let mut child = run().command().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        let _ = child.kill();
        let _ = child.wait();
    }
    // On a busy machine none of them may have come as far as to begin.
    if position.exists() || array(&lost.with_new())["health"] != "optimal" {
        let _ = run().outcome().expect_code(0);
    }
    assert_eq!(array(&lost.with_new())["health"], "optimal");
    assert!(read(&lost.with_new()) == whole);
    assert!(!position.exists());
}

#[test]
fn the_position_of_another_rebuild_is_refused() {
    let set = of("md", "raid5");
    let lost = Lost::new(&set, 1);
    let position = lost.new.with_extension("position");
    fs::write(&position, "{\"job\":\"scrub\",\"array\":\"x\",\"uuid\":null,\"detail\":\"\",\"state\":1}\n")
        .unwrap();
    let outcome = lost.run().arg("--write").arg("--position").arg(&position).outcome();
    assert!(is_refused(&outcome) && outcome.stderr.contains("position of another job"), "{outcome}");
}
