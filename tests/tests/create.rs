//! `raid-meta create`: whatever a format says it can make is made, found, and taken for what it is by others.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use raid_meta::geometry::Level;
use raid_tests::recipes::{self, NAME, Recipe};
use raid_tests::sparse::SparseDisk;
use raid_tests::{Outcome, Run, run};
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What has to be possible, at the least: format and levels.
const LEVELS: [(&str, &str); 2] =
    [("md", "linear raid0 raid1 raid4 raid5 raid6 raid10"), ("isw", "raid0 raid1 raid5 raid10")];

fn recipe(format: &str, level: Level) -> Recipe {
    let found = recipes::all().into_iter().find(|recipe| recipe.format == format && recipe.level == level);
    found.unwrap_or_else(|| panic!("{format} {level} can not be made"))
}

fn probe(disks: &[PathBuf]) -> Outcome {
    run("raid-probe").args(disks).outcome()
}

/// Everything that is on disks.
fn content(disks: &[PathBuf]) -> Vec<SparseDisk> {
    disks.iter().map(|disk| SparseDisk::load(disk).unwrap()).collect()
}

fn is_same(before: &[SparseDisk], disks: &[PathBuf]) -> bool {
    before.iter().zip(content(disks)).all(|(before, now)| before.is_same(&now))
}

#[test]
fn every_level_that_a_format_knows_can_be_made() {
    let all = recipes::all();
    for (format, levels) in LEVELS {
        for level in levels.split(' ') {
            let is_there = all.iter().any(|recipe| recipe.format == format && recipe.level.name() == level);
            assert!(is_there, "{format} {level}");
        }
    }
    for version in ["0.90", "1.0", "1.1"] {
        assert!(all.iter().any(|recipe| recipe.version == Some(version)), "md {version}");
    }
}

#[test]
fn what_is_made_is_found_as_it_was_asked_for() {
    for recipe in recipes::all() {
        let set = recipe.make();
        let found = probe(&set.disks).expect_code(0);
        let arrays = found.records_of("array");
        let array = arrays.last().unwrap();
        assert_eq!(array, &set.array, "{recipe}");
        assert_eq!(array["level"], recipe.level.name(), "{recipe}");
        assert_eq!(array["health"], "optimal", "{recipe}: {found}");
        assert_eq!(array["slots"], recipe.disks, "{recipe}");
        if let Some(layout) = recipe.layout {
            assert_eq!(array["layout"], layout.to_string(), "{recipe}");
        }
        if !array["volume"].is_null() {
            assert_eq!(array["volume"], recipe.name, "{recipe}");
        }
        assert_order(array, &set.disks);
        let verdicts = run("raid-meta").arg("check").args(&set.disks).outcome().expect_code(0);
        assert!(verdicts.records().iter().all(|verdict| verdict["result"] == "ok"), "{recipe}: {verdicts}");
    }
}

/// The disks are in their slots.
fn assert_order(array: &Value, disks: &[PathBuf]) {
    let members = array["members"].as_array().unwrap();
    if members.iter().all(|member| member["array"].is_null()) {
        let order: Vec<&str> = members.iter().map(|member| member["device"].as_str().unwrap()).collect();
        assert_eq!(order, disks.iter().map(|disk| disk.to_str().unwrap()).collect::<Vec<_>>());
    }
}

#[test]
fn nothing_is_written_unless_told_and_what_is_shown_is_what_comes() {
    for recipe in recipes::all().iter().filter(|recipe| recipe.layout.is_none()) {
        let (_directory, disks) = recipe.blank();
        let shown = recipe.create(&disks, &[]).expect_code(0);
        let writes = shown.records_of("write");
        assert!(writes.len() >= recipe.disks, "{shown}");
        assert!(writes.iter().all(|write| write["written"] == false), "{shown}");
        let _ = probe(&disks).expect_code(1);
        let written = recipe.create(&disks, &["--write"]).expect_code(0);
        assert_eq!(shown.records_of("array"), written.records_of("array"), "{recipe}");
        assert_eq!(written.records_of("array"), probe(&disks).records_of("array"), "{recipe}");
    }
}

#[test]
fn redundancy_that_was_never_computed_is_not_taken_for_valid_where_that_can_be_said() {
    for format in ["md", "isw"] {
        for level in [Level::Raid1, Level::Raid5, Level::Raid10] {
            let set = recipe(format, level).make_with(&[]);
            assert_eq!(set.array["health"], "initializing", "{}", set.recipe);
            assert_eq!(set.array["resync_position_sectors"], 0, "{}", set.recipe);
        }
        let set = recipe(format, Level::Raid0).make_with(&[]);
        assert_eq!(set.array["health"], "optimal", "{}", set.recipe);
    }
    for recipe in recipes::all().iter().filter(|recipe| recipe.level.is_redundant()) {
        let (_directory, disks) = recipe.blank();
        let outcome = recipe.create(&disks, &[]).expect_code(0);
        let is_valid = outcome.records_of("array").pop().unwrap()["health"] == "optimal";
        assert_eq!(
            outcome.stderr.contains("the metadata says that redundancy is valid"),
            is_valid,
            "{outcome}"
        );
    }
}

#[test]
fn the_same_seed_and_time_give_the_same_bytes() {
    for recipe in recipes::all().iter().filter(|recipe| recipe.layout.is_none()) {
        let (first, second) = (recipe.make(), recipe.make());
        assert!(is_same(&content(&first.disks), &second.disks), "{recipe}");
    }
}

#[test]
fn a_uuid_is_taken_for_the_identity() {
    let uuid = "00010203:04050607:08090a0b:0c0d0e0f";
    let (_directory, disks) = recipe("md", Level::Raid1).blank();
    let outcome = run("raid-meta")
        .args(["create", "--format", "md", "--level", "raid1", "--uuid", uuid])
        .args(&disks)
        .outcome()
        .expect_code(0);
    assert_eq!(outcome.records_of("array")[0]["uuid"], uuid, "{outcome}");
}

#[test]
fn without_a_seed_no_two_sets_are_the_same() {
    let (_directory, disks) = recipe("md", Level::Raid1).blank();
    let uuid = || {
        let create = run("raid-meta").args(["create", "--format", "md", "--level", "raid1"]).args(&disks);
        create.outcome().expect_code(0).records_of("array")[0]["uuid"].clone()
    };
    assert_ne!(uuid(), uuid());
}

#[test]
fn blkid_names_the_format() {
    for recipe in recipes::all() {
        let set = recipe.make();
        for disk in &set.disks {
            let found = Run::of("blkid").args(["-p", "-o", "value", "-s", "TYPE"]).arg(disk).outcome();
            assert_eq!(
                found.text().trim(),
                recipes::blkid_type(recipe.format),
                "{recipe} {}: {found}",
                disk.display()
            );
        }
    }
}

#[test]
fn mdadm_reads_what_it_knows_without_a_complaint() {
    for recipe in recipes::all().iter().filter(|recipe| recipe.format == "md") {
        let set = recipe.make();
        for disk in &set.disks {
            let found = Run::of("mdadm").arg("-E").arg(disk).outcome().expect_code(0);
            let text = found.text();
            assert!(found.stderr.is_empty(), "{recipe}: {found}");
            assert!(text.contains(" correct") || recipe.format == "ddf", "{recipe}: {found}");
            assert!(!text.contains("expected") && !text.contains("not supported"), "{recipe}: {found}");
        }
    }
}

#[test]
fn disks_that_carry_a_set_are_refused_unless_forced_and_then_carry_only_the_new_one() {
    for old in recipes::all().iter().filter(|recipe| recipe.layout.is_none()) {
        let set = old.make();
        let before = content(&set.disks);
        let new = Recipe {
            level: Level::Raid0,
            disks: old.disks,
            name: "new".to_owned(),
            ..recipe("md", Level::Raid0)
        };
        let refused = new.create(&set.disks, &["--write"]).expect_code(1);
        assert!(refused.stderr.contains(&format!(": carries {}", old.format)), "{old}: {refused}");
        assert!(refused.stderr.lines().all(|line| line.ends_with("; --force overwrites it")), "{refused}");
        assert!(is_same(&before, &set.disks), "{old}");
        let forced = new.create(&set.disks, &["--write", "--force"]).expect_code(0);
        assert!(forced.stderr.contains(&format!(": carries {}", old.format)), "{old}: {forced}");
        let found = probe(&set.disks).expect_code(0);
        assert_eq!(found.records_of("array").len(), 1, "{old}: {found}");
        assert!(found.records_of("member").iter().all(|member| member["format"] == "md"), "{old}: {found}");
    }
}

#[test]
fn disks_with_a_file_system_or_a_partition_table_are_refused_unless_forced() {
    let recipe = recipe("md", Level::Raid1);
    for (program, arguments, name) in [
        ("mkfs.ext4", &["-q", "-F"][..], "an ext2, ext3 or ext4 file system"),
        ("mkswap", &[], "swap space"),
        ("sfdisk", &["-q"], "a partition table with 1 partition"),
    ] {
        let (_directory, disks) = recipe.blank();
        let mut child = Command::new(program);
        let script = disks[0].with_extension("script");
        fs::write(&script, "label: dos\nstart=2048\n").unwrap();
        let made = child.args(arguments).arg(&disks[0]).stdin(File::open(&script).unwrap()).output().unwrap();
        assert!(made.status.success(), "{program}: {made:?}");
        let refused = recipe.create(&disks, &["--write"]).expect_code(1);
        let line = format!("raid-meta: {}: carries {name}; --force overwrites it\n", disks[0].display());
        assert_eq!(refused.stderr, line, "{refused}");
        let _ = recipe.create(&disks, &["--write", "--force"]).expect_code(0);
    }
}

#[test]
fn a_disk_that_is_given_twice_is_wrong_usage() {
    let recipe = recipe("md", Level::Raid1);
    let (directory, disks) = recipe.blank();
    let link = directory.path().join("link.img");
    std::os::unix::fs::symlink(&disks[0], &link).unwrap();
    let hard = directory.path().join("hard.img");
    fs::hard_link(&disks[0], &hard).unwrap();
    let window = PathBuf::from(format!("{}@1048576", disks[0].display()));
    for other in [disks[0].clone(), link, hard, window] {
        let outcome = recipe.create(&[disks[0].clone(), other], &["--write"]).expect_code(2);
        assert!(outcome.stderr.contains(": is the same disk as "), "{outcome}");
    }
    let outcome = recipe.create(&disks, &["--spare", disks[1].to_str().unwrap()]).expect_code(2);
    assert!(outcome.stderr.contains(": is the same disk as "), "{outcome}");
    let windows =
        ["@0+33554432", "@33554432"].map(|window| PathBuf::from(format!("{}{window}", disks[0].display())));
    let _ = recipe.create(&windows, &["--write"]).expect_code(0);
    let _ = probe(&windows).expect_code(0);
}

#[test]
fn spares_are_found_as_spares() {
    for (format, level) in [("md", Level::Raid5), ("isw", Level::Raid5)] {
        let recipe = recipe(format, level);
        let (_directory, disks) = Recipe { disks: recipe.disks + 1, ..recipe.clone() }.blank();
        let (spare, slots) = disks.split_last().unwrap();
        let spare = spare.to_str().unwrap();
        let _ = recipe.create(slots, &["--write", "--spare", spare]).expect_code(0);
        let members = probe(&disks).expect_code(0).records_of("member");
        let role =
            |path: &str| members.iter().find(|member| member["device"] == path).unwrap()["role"].clone();
        assert_eq!(role(spare), "spare", "{recipe}");
        assert_eq!(role(slots[0].to_str().unwrap()), "active", "{recipe}");
    }
}

#[test]
fn an_image_has_to_exist_and_to_be_large_enough() {
    let recipe = recipe("md", Level::Raid1);
    let (_directory, mut disks) = recipe.blank();
    fs::remove_file(&disks[1]).unwrap();
    let outcome = recipe.create(&disks, &["--write"]).expect_code(4);
    assert!(outcome.stderr.contains("disk1.img: "), "{outcome}");
    assert!(!disks[1].exists());
    File::create(&disks[1]).unwrap().set_len(8192).unwrap();
    let outcome = recipe.create(&disks, &["--write"]).expect_code(1);
    assert!(outcome.stderr.contains("disk1.img: md: has 16 sectors, too few"), "{outcome}");
    disks[1] = PathBuf::from("/");
    let _ = recipe.create(&disks, &["--write"]).expect_code(4);
}

#[test]
fn a_serial_number_that_is_needed_and_unknown_is_not_invented() {
    let recipe = recipe("isw", Level::Raid1);
    let (_directory, disks) = recipe.blank();
    fs::remove_file(format!("{}.serial", disks[1].display())).unwrap();
    let outcome = recipe.create(&disks, &["--write"]).expect_code(3);
    assert!(outcome.stderr.contains("slot-unknown") && outcome.stderr.contains("disk1.img"), "{outcome}");
    let serial = format!("{}=S1ABCD", disks[1].display());
    let _ = recipe.create(&disks, &["--write", "--serial", &serial]).expect_code(0);
    let found = run("raid-probe").args(["--serial", &serial]).args(&disks).outcome().expect_code(0);
    assert_eq!(found.records_of("array")[0]["health"], "initializing", "{found}");
}

#[test]
fn what_is_impossible_is_wrong_usage_told_in_one_line() {
    let (_directory, disks) = recipe("md", Level::Raid1).blank();
    let create = |arguments: &str| {
        run("raid-meta").arg("create").args(arguments.split(' ')).args(&disks).outcome().expect_code(2)
    };
    for arguments in [
        "--format md --level raid6",
        "--format md --level raid2",
        "--format md --level raid0 --chunk 6",
        "--format md --level raid0 --bitmap internal",
        "--format isw --level raid1 --name v --bitmap internal",
        "--format isw --level raid1",
        "--format md --level raid1 --name a/b",
        "--format md --level raid1 --metadata-version 3",
        "--format md --level raid1 --layout near-2",
        "--format md --level raid1 --layout sideways",
        "--format md --level raid1 --size 0",
        "--format md --level raid1 --size 1T",
        "--format md --level raid1 --uuid 12",
        "--format md --level raid1 --seed a --uuid 00010203:04050607:08090a0b:0c0d0e0f",
        "--level raid1",
        "--format md",
    ] {
        let outcome = create(arguments);
        assert_eq!(outcome.stderr.lines().count(), 1, "{arguments}: {outcome}");
        assert!(outcome.stdout.is_empty(), "{arguments}: {outcome}");
    }
}

#[test]
fn a_version_or_a_bitmap_that_a_format_has_not_is_wrong_usage() {
    let usual = |recipe: &&Recipe| recipe.level == Level::Raid1 && recipe.version.is_none();
    for recipe in recipes::all().iter().filter(usual) {
        let (_directory, disks) = recipe.blank();
        let other = recipe.create(&disks, &["--metadata-version", "9.9"]).expect_code(2);
        assert!(other.stderr.contains("metadata version is 9.9, expected "), "{recipe}: {other}");
        if recipe.format != "md" {
            let bitmap = recipe.create(&disks, &["--bitmap", "internal"]).expect_code(2);
            assert!(bitmap.stderr.contains("bitmap is internal, expected none"), "{recipe}: {bitmap}");
        }
    }
}

#[test]
fn an_array_is_no_larger_than_it_is_asked_to_be() {
    let mut made = 0;
    for recipe in recipes::all() {
        let (_directory, disks) = recipe.blank();
        for (size, bytes) in [("30M", 30 << 20), ("31461888", 31_461_888)] {
            let outcome = recipe.create(&disks, &["--assume-clean", "--size", size]);
            if outcome.code != Some(0) {
                let message = outcome.expect_code(2).stderr;
                assert!(message.contains("size is "), "{recipe}: {message}");
                continue;
            }
            let array = outcome.records_of("array").pop().unwrap();
            let sectors = array["size_sectors"].as_u64().unwrap();
            assert!((20 << 11..=bytes / 512).contains(&sectors), "{recipe}, {size}: {sectors} sectors");
            made += 1;
        }
    }
    assert!(made >= 100, "{made} of a size");
}

#[test]
fn a_second_volume_is_added_to_a_container_that_has_room() {
    let first = recipe("isw", Level::Raid5).make_with(&["--assume-clean", "--size", "16M"]);
    let second =
        Recipe { name: "second".to_owned(), disks: first.disks.len(), ..recipe("isw", Level::Raid0) };
    let made = second.create(&first.disks, &["--write"]).expect_code(0);
    assert_eq!(made.records_of("array").len(), 1, "{made}");
    let arrays = probe(&first.disks).expect_code(0).records_of("array");
    assert_eq!(arrays.len(), 2);
    assert_eq!(arrays[0], first.array);
    assert_eq!(arrays[1], made.records_of("array")[0]);
    assert_eq!((arrays[0]["volume"].as_str(), arrays[1]["volume"].as_str()), (Some(NAME), Some("second")));
}

#[test]
fn an_array_of_4kn_disks_is_made_and_found() {
    for format in ["md", "isw"] {
        let recipe = recipe(format, Level::Raid5);
        let (_directory, disks) = recipe.blank();
        let arguments = ["--write", "--assume-clean", "--sector-size", "4096"];
        let made = recipe.create(&disks, &arguments).expect_code(0);
        let found = run("raid-probe").args(["--sector-size", "4096"]).args(&disks).outcome().expect_code(0);
        assert_eq!(found.records_of("array"), made.records_of("array"), "{recipe}");
    }
}

#[test]
fn what_undoes_it_is_saved_before() {
    let recipe = recipe("md", Level::Raid1);
    let set = recipe.make_with(&["--bitmap", "internal"]);
    let undo = fs::read_dir(set.directory()).unwrap().find_map(|entry| {
        let path = entry.unwrap().path();
        path.extension()
            .is_some_and(|extension| extension.to_string_lossy().starts_with("undo"))
            .then_some(path)
    });
    let saved = fs::read(undo.unwrap()).unwrap();
    let regions = raid_tests::records(&saved);
    assert!(regions.len() >= 4 && regions.iter().all(|region| region["type"] == "region"), "{regions:?}");
    let on = |disk: &Path| regions.iter().filter(|region| region["device"] == disk.to_str().unwrap()).count();
    assert!(set.disks.iter().all(|disk| on(disk) >= 2));
}
