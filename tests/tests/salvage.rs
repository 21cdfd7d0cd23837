//! raid-repair salvage: from damaged sets everything that is left, true, and a map that says so; killed, gone on with, and
//! with the maps of the real ddrescue.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

use raid_meta::record::ArrayMember;
use raid_tests::random::Random;
use raid_tests::salvaged::{self, Damage, array, blocks, expected, marks, random_ranges, sectors};
use raid_tests::{Fixture, Outcome, Run, long, run};
use serde_json::Value;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const SECTOR: usize = 512;

fn salvage(set: &Fixture) -> Run {
    run("raid-repair").args(["salvage", "-q", "-O"]).arg(set.path("out")).args(&set.disks)
}

/// The record that was printed.
#[track_caller]
fn record(outcome: &Outcome) -> Value {
    let records = outcome.records_of("salvage");
    assert_eq!(records.len(), 1, "{outcome}");
    records[0].clone()
}

/// Fails unless what the map of the image has as finished is the content, and the rest zeros.
#[track_caller]
fn assert_true(set: &Fixture, what: &str) {
    let out = set.path("out");
    assert_eq!(fs::metadata(&out).unwrap().len(), set.content().len() as u64, "{}: {what}", set.name);
    salvaged::assert_true(&set.content(), &out, &set.path("out.map"), &format!("{}: {what}", set.name));
}

const SETS: [&str; 8] = [
    "md12-raid0-3",
    "md10-raid1-2",
    "md090-raid5-4",
    "md12-raid5-ls-3",
    "md12-raid6-ls-5",
    "md12-raid10-n2-4",
    "isw-raid5-3",
    "isw-raid10-4",
];

#[test]
fn a_set_without_damage_is_salvaged_whole() {
    for name in SETS.iter().chain(&["lvm-raid5-3", "lvm-raid1-2", "ddf-raid5-ls-3", "md12-linear-2"]) {
        let set = Fixture::open(name).unwrap();
        let outcome = salvage(&set).outcome().expect_code(0);
        assert!(fs::read(set.path("out")).unwrap() == set.content(), "{name}");
        let found = record(&outcome);
        assert_eq!(found["good_bytes"], found["size_bytes"], "{name}");
        assert_eq!(blocks(&set.path("out.map")), [(0, set.content().len(), '+')], "{name}");
        let again = salvage(&set).outcome().expect_code(0);
        assert_eq!(record(&again), found, "{name}: done already");
    }
}

/// Salvages sets after something was done to each member, and holds content and map against what is left by the layout.
fn salvage_damaged(
    seed: u64,
    mut damage: impl FnMut(&mut Random, &ArrayMember, Run) -> (Run, Damage),
    check: impl Fn(&Outcome),
) {
    let mut random = Random::new(if long() { u64::from(std::process::id()) } else { seed });
    for round in 0..if long() { 20 } else { 2 } {
        for name in SETS {
            let set = Fixture::open(name).unwrap();
            let array = array(&set);
            let mut run = salvage(&set);
            let mut damages = Vec::new();
            for member in &array.members {
                let found;
                (run, found) = damage(&mut random, member, run);
                damages.push((member.device.clone().unwrap(), found));
            }
            let expected = expected(&array, &damages);
            let outcome = run.outcome();
            let what = format!("round {round}");
            salvaged::assert_is(&set.path("out.map"), &expected, &format!("{name}: {what}"));
            assert_true(&set, &what);
            let is_whole = !expected.contains(&'-');
            assert_eq!(outcome.code, Some(if is_whole { 0 } else { 5 }), "{name}: {outcome}");
            accepted_by_ddrescuelog(&set.path("out.map"));
            check(&outcome);
        }
    }
}

#[test]
fn random_damage_leaves_what_the_layout_says_and_the_map_says_so() {
    let damage = |random: &mut Random, member: &ArrayMember, run: Run| {
        let device = member.device.as_deref().unwrap();
        let damage = Damage::new(Path::new(device), &random_ranges(random, member));
        (run.arg("--map").arg(format!("{device}={}", damage.map.display())), damage)
    };
    salvage_damaged(1, damage, |_| {});
}

/// Fails unless ddrescue's own program takes the map.
#[track_caller]
fn accepted_by_ddrescuelog(map: &Path) {
    let output = Command::new("ddrescuelog").arg("-t").arg(map).output();
    let output = output.unwrap_or_else(|error| panic!("ddrescuelog: {error} (is tests/install-deps done?)"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn images_and_maps_of_the_real_ddrescue_make_an_array_again() {
    let set = Fixture::open("md12-raid5-ls-3").unwrap();
    let mut run = run("raid-repair").args(["salvage", "-q", "-O"]).arg(set.path("out"));
    for (number, disk) in set.disks.iter().enumerate() {
        // ddrescue takes what a map has as bad for unreadable, and leaves these parts of its image empty.
        let bad = set.path("bad.map");
        let start = (2 + number) * (3 << 20);
        fs::write(
            &bad,
            format!("0 +\n0 {start} +\n{start} {} -\n{} {} +\n", 2 << 20, start + (2 << 20), 1 << 30),
        )
        .unwrap();
        let (copy, map) = (set.path(&format!("copy{number}.img")), set.path(&format!("copy{number}.map")));
        let output = Command::new("ddrescue").arg("-q").arg("-H").args([&bad, disk, &copy, &map]).output();
        let output = output.unwrap_or_else(|error| panic!("ddrescue: {error} (is tests/install-deps done?)"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        run = run.arg(&copy).arg("--map").arg(format!("{number}={}", map.display()));
    }
    let outcome = run.outcome().expect_code(0);
    assert!(record(&outcome)["reconstructed_bytes"].as_u64().unwrap() > 0, "{outcome}");
    assert_true(&set, "ddrescue");
    accepted_by_ddrescuelog(&set.path("out.map"));
}

#[test]
fn a_retry_with_better_maps_touches_only_what_was_lost() {
    let set = Fixture::open("md10-raid1-2").unwrap();
    let kept: Vec<Vec<u8>> = set.disks.iter().map(|disk| fs::read(disk).unwrap()).collect();
    let ranges = [(3000, 4000)];
    let mut run = salvage(&set);
    let mut maps = Vec::new();
    for disk in &set.disks {
        let damage = Damage::new(disk, &ranges);
        run = run.arg("--map").arg(format!("{}={}", disk.display(), damage.map.display()));
        maps.push(damage.map);
    }
    let first = record(&run.outcome().expect_code(5));
    assert_eq!(first["lost_bytes"], 4000 * SECTOR);
    assert_eq!(first["lost_ranges"], 1);
    assert_true(&set, "first");
    // What is in the image already is not looked at again.
    let out = File::options().write(true).open(set.path("out")).unwrap();
    out.write_all_at(b"mine", 77).unwrap();
    fs::write(&set.disks[1], &kept[1]).unwrap();
    fs::write(&maps[1], format!("0 +\n0 {} +\n", kept[1].len())).unwrap();
    let second = record(&run.outcome().expect_code(0));
    assert_eq!(second["lost_bytes"], 0);
    let mut expected = set.content();
    expected[77..81].copy_from_slice(b"mine");
    assert!(fs::read(set.path("out")).unwrap() == expected);
}

#[test]
fn a_run_that_is_killed_at_any_time_leaves_a_map_that_is_true_and_is_gone_on_with() {
    let mut random = Random::new(7);
    for round in 0..if long() { 60 } else { 8 } {
        let set = Fixture::open("md12-raid6-ls-5").unwrap();
        let array = array(&set);
        let mut run = salvage(&set).args(["--map-interval", "0"]);
        for member in array.members.iter().take(3) {
            let device = member.device.clone().unwrap();
            let ranges = random_ranges(&mut random, member);
            let damage = Damage::new(Path::new(&device), &ranges);
            run = run.arg("--map").arg(format!("{device}={}", damage.map.display()));
        }
        let mut kills = 0;
        loop {
            let mut command = run.command();
            let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = quiet.spawn().unwrap();
            std::thread::sleep(Duration::from_millis(random.below(120) + kills * 40));
            let is_done = child.try_wait().unwrap().is_some();
            child.kill().unwrap();
            child.wait().unwrap();
            if set.path("out.map").exists() {
                assert_map_is_covered(&set, &format!("round {round}, killed {kills} times"));
            } else {
                // It had not begun.
                let _ = fs::remove_file(set.path("out"));
            }
            if is_done {
                break;
            }
            kills += 1;
        }
        assert_true(&set, &format!("round {round}, at the end"));
        assert!(!sectors(&set.path("out.map"), set.content().len()).contains(&'?'));
    }
}

/// Fails unless what the map has as finished is in the image. What it does not have may be there as well.
#[track_caller]
fn assert_map_is_covered(set: &Fixture, what: &str) {
    let (content, out) = (set.content(), fs::read(set.path("out")).unwrap());
    for (start, length, _) in blocks(&set.path("out.map")).into_iter().filter(|block| block.2 == '+') {
        assert!(out[start..start + length] == content[start..start + length], "{}: {what}", set.name);
    }
}

/// Another image of a disk, as it is.
fn twin(disk: &Path) -> PathBuf {
    let twin = disk.with_extension("second");
    fs::copy(disk, &twin).unwrap();
    twin
}

#[test]
fn of_two_images_of_each_member_what_either_has_is_used_and_the_map_says_so() {
    let damage = |random: &mut Random, member: &ArrayMember, mut run: Run| {
        let device = member.device.as_deref().unwrap();
        let second = twin(Path::new(device));
        let ranges = random_ranges(random, member);
        let mut damage = Damage::new(Path::new(device), &ranges);
        // Some places are bad in both runs.
        let mut again = Random::new(random.number());
        let shared = ranges.iter().copied().filter(|_| random.below(2) == 0);
        let ranges: Vec<_> = random_ranges(&mut again, member).into_iter().chain(shared).collect();
        let other = Damage::new_at(&second, &ranges, &second.with_extension("second-map"));
        for (image, map) in [(Path::new(device), &damage.map), (second.as_path(), &other.map)] {
            run = run.arg("--map").arg(format!("{}={}", image.display(), map.display()));
        }
        for (one, other) in damage.unreadable.iter_mut().zip(other.unreadable) {
            *one &= other;
        }
        (run.arg("--also").arg(format!("{device}={}", second.display())), damage)
    };
    salvage_damaged(5, damage, |outcome| {
        let found = record(outcome);
        for member in found["members"].as_array().unwrap() {
            assert_eq!(member["images"].as_array().unwrap().len(), 1, "{found}");
            assert_eq!(member["differing_sectors"], 0, "{found}");
        }
    });
}

#[test]
fn images_of_a_member_that_differ_are_said_to() {
    let set = Fixture::open("md12-raid5-ls-3").unwrap();
    let second = twin(&set.disks[0]);
    let file = File::options().write(true).open(&second).unwrap();
    for sector in [9000, 9001, 40_000] {
        file.write_all_at(&[0xDD; SECTOR], sector * SECTOR as u64).unwrap();
    }
    let run = run("raid-repair").args(["salvage", "-O"]).arg(set.path("out")).args(&set.disks);
    let outcome = run.arg("--also").arg(format!("0={}", second.display())).outcome().expect_code(5);
    let found = record(&outcome);
    // What of them is parity was not read.
    let count = found["members"][0]["differing_sectors"].as_u64().unwrap();
    assert!((1..=3).contains(&count), "{found}");
    let first = found["members"][0]["first_difference_bytes"].as_u64().unwrap();
    assert!([9000, 9001, 40_000].contains(&(first / SECTOR as u64)), "{found}");
    let said = format!("{count} sectors are not the same in all of its images, the first at byte {first}");
    assert!(outcome.stderr.contains(&said), "{outcome}");
    assert_eq!(found["good_bytes"], found["size_bytes"]);
    assert!(fs::read(set.path("out")).unwrap() == set.content(), "the first image counts");
}

#[test]
fn an_image_of_another_disk_or_time_is_not_taken_for_one_of_the_member() {
    let set = Fixture::open("md12-raid5-stale-3").unwrap();
    let array = array(&set);
    let state = |wanted: &str| {
        let is_wanted =
            |member: &&raid_meta::record::ArrayMember| serde_json::to_value(member.state).unwrap() == wanted;
        array.members.iter().find(is_wanted).and_then(|member| member.device.clone()).unwrap()
    };
    let fresh = state("in-sync");
    let refused = |image: &Path, text: &str| {
        let run = run("raid-repair").args(["salvage", "-O"]).arg(set.path("out")).args(&set.disks);
        let outcome = run.arg("--also").arg(format!("{fresh}={}", image.display())).outcome().expect_code(1);
        assert!(outcome.stderr.contains(text) && outcome.stderr.lines().count() == 1, "{text}: {outcome}");
        assert!(!set.path("out").exists() && !set.path("out.map").exists(), "{outcome}");
    };
    let other =
        array.members.iter().filter_map(|member| member.device.clone()).find(|device| *device != fresh);
    refused(Path::new(&other.unwrap()), "is not an image of");
    let second = twin(Path::new(&fresh));
    let bytes = fs::read(&second).unwrap();
    // An event less, and the checksum of the superblock with it: both are numbers of one sum.
    let superblock = 4096;
    let number =
        |at: usize| u64::from_le_bytes(bytes[superblock + at..superblock + at + 8].try_into().unwrap());
    let file = File::options().write(true).open(&second).unwrap();
    file.write_all_at(&(number(200) - 1).to_le_bytes(), superblock as u64 + 200).unwrap();
    let checksum = u32::from_le_bytes(bytes[superblock + 216..superblock + 220].try_into().unwrap());
    file.write_all_at(&(checksum - 1).to_le_bytes(), superblock as u64 + 216).unwrap();
    refused(&second, &format!("generation {}, expected {}", number(200) - 1, number(200)));
    file.set_len(20 << 20).unwrap();
    refused(&second, "bytes, expected");
    fs::write(&second, vec![0; bytes.len()]).unwrap();
    refused(&second, "carries no md metadata");
    let twice = twin(Path::new(&fresh));
    let both = run("raid-repair").args(["salvage", "-O"]).arg(set.path("out")).args(&set.disks).arg(&twice);
    let outcome = both.outcome().expect_code(3);
    assert!(outcome.stderr.contains("another image of a member is given with --also"), "{outcome}");
    let onto = run("raid-repair").args(["salvage", "-O"]).arg(&twice).args(&set.disks);
    let outcome = onto.arg("--also").arg(format!("{fresh}={}", twice.display())).outcome().expect_code(1);
    assert!(outcome.stderr.contains("is a member of the array, not overwritten"), "{outcome}");
}

#[test]
fn an_array_with_too_few_members_gives_what_is_left() {
    for (name, missing) in [("md12-raid5-ls-3", 2), ("md12-raid0-3", 1), ("isw-raid5-3", 2)] {
        let set = Fixture::open(name).unwrap();
        let rest = &set.disks[..set.disks.len() - missing];
        let run = run("raid-repair").args(["salvage", "-q", "-O"]).arg(set.path("out")).args(rest);
        let found = record(&run.outcome().expect_code(5));
        assert_true(&set, "too few members");
        let (lost, size) = (found["lost_bytes"].as_u64().unwrap(), found["size_bytes"].as_u64().unwrap());
        let part = lost * 3 / size;
        assert!((1..=2).contains(&part), "{name}: {lost} of {size} lost");
        assert!(found["lost"][0]["reason"].as_str().unwrap().contains("is missing"), "{found}");
    }
}

#[test]
fn an_image_that_was_cut_off_is_lost_behind_its_end() {
    let set = Fixture::open("md12-raid5-ls-3").unwrap();
    for (disk, megabytes) in [(0, 7), (1, 9)] {
        File::options().write(true).open(&set.disks[disk]).unwrap().set_len(megabytes << 20).unwrap();
    }
    let found = record(&salvage(&set).outcome().expect_code(5));
    assert_true(&set, "cut off");
    let reason = found["lost"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("is past the end of the device"), "{reason}");
}

#[test]
fn an_older_member_is_left_out_unless_asked_for_and_then_marked() {
    let set = Fixture::open("md12-raid5-stale-3").unwrap();
    let array = array(&set);
    let fresh: Vec<&str> = array
        .members
        .iter()
        .filter(|member| serde_json::to_value(member.state).unwrap() == "in-sync")
        .filter_map(|member| member.device.as_deref())
        .collect();
    let damage = Damage::new(Path::new(fresh[0]), &[(12_000, 1000), (36_000, 100)]);
    let map = format!("{}={}", fresh[0], damage.map.display());
    let run = || {
        let run = run("raid-repair").args(["salvage", "-O"]).arg(set.path("out")).args(&set.disks);
        run.args(["--map", &map])
    };
    let outcome = run().outcome().expect_code(5);
    assert!(outcome.stderr.contains("not used without --stale"), "{outcome}");
    assert_true(&set, "without the older one");
    let found = record(&outcome);
    assert!(found["members"].as_array().unwrap().iter().any(|member| member["used"] == "no"), "{found}");
    let outcome = run().arg("--stale").outcome().expect_code(5);
    let found = record(&outcome);
    assert_eq!(found["lost_bytes"], 0, "{outcome}");
    assert!(outcome.stderr.contains("from older members"), "{outcome}");
    let stale: usize = marks(&set.path("out.map"), "stale").iter().map(|(_, length)| length).sum();
    assert_eq!(found["stale_bytes"], stale);
    assert!(stale > 0);
    let again = record(&run().outcome().expect_code(5));
    assert_eq!(again["stale_bytes"], stale, "what was marked stays marked");
}

#[test]
fn what_is_not_ours_or_of_another_array_is_not_overwritten() {
    let set = Fixture::open("md10-raid1-2").unwrap();
    fs::write(set.path("out"), "precious").unwrap();
    let onto = || run("raid-repair").args(["salvage", "-O"]).arg(set.path("out"));
    let outcome = onto().args(&set.disks).outcome().expect_code(1);
    assert!(outcome.stderr.contains("exists, and there is no map"), "{outcome}");
    assert_eq!(fs::read(set.path("out")).unwrap(), b"precious");
    fs::remove_file(set.path("out")).unwrap();
    let _ = salvage(&set).outcome().expect_code(0);
    let other = Fixture::open("md12-raid5-ls-3").unwrap();
    let outcome = onto().args(&other.disks).outcome().expect_code(1);
    assert!(outcome.stderr.contains("is of the array"), "{outcome}");
    let member = &set.disks[0];
    let before = fs::read(member).unwrap();
    let onto = run("raid-repair").args(["salvage", "-O"]).arg(member).args(&set.disks);
    let outcome = onto.outcome().expect_code(1);
    assert!(outcome.stderr.contains("is a member of the array"), "{outcome}");
    assert!(fs::read(member).unwrap() == before);
}

#[test]
fn wrong_maps_and_members_are_named_and_nothing_is_made() {
    let set = Fixture::open("md10-raid1-2").unwrap();
    let map = set.path("m.map");
    let disk = set.disks[0].display().to_string();
    let cases = [
        ("0 +\n0 512 +\n0 512 -\n", 3, "m.map: line 3: the block at 0x0 begins before the end"),
        ("garbage\n", 3, "m.map: line 1: found \"garbage\""),
        ("", 3, "m.map: is no map file"),
    ];
    for (text, code, message) in cases {
        fs::write(&map, text).unwrap();
        let run = salvage(&set).arg("--map").arg(format!("{disk}={}", map.display()));
        let outcome = run.outcome().expect_code(code);
        assert!(outcome.stderr.contains(message) && outcome.stderr.lines().count() == 1, "{outcome}");
        assert!(!set.path("out").exists(), "{outcome}");
    }
    fs::write(&map, "0 +\n").unwrap();
    for (argument, code) in [
        (format!("nobody={}", map.display()), 2),
        (format!("7={}", map.display()), 2),
        (disk.clone(), 2),
        (format!("{disk}="), 2),
        (format!("{disk}={}", set.path("missing").display()), 4),
        (format!("{disk}={}", set.directory.path().display()), 4),
    ] {
        let outcome = salvage(&set).args(["--map", &argument]).outcome().expect_code(code);
        assert!(outcome.stderr.lines().count() == 1 && !set.path("out").exists(), "{argument}: {outcome}");
    }
    let empty = salvage(&set).arg("--map").arg(format!("0={}", map.display()));
    let both = empty.arg("--map").arg(format!("1={}", map.display()));
    let found = record(&both.outcome().expect_code(1));
    assert_eq!(found["lost_bytes"], found["size_bytes"], "nothing is left");
}

#[test]
fn sources_that_are_none_make_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    let zeros = directory.path().join("zeros");
    fs::write(&zeros, [0; 1 << 16]).unwrap();
    let run = |path: &Path| run("raid-repair").args(["salvage", "-O"]).arg(&out).arg(path).outcome();
    for (path, code) in [(directory.path().join("missing"), 4), (directory.path().to_owned(), 4), (zeros, 1)]
    {
        let outcome = run(&path).expect_code(code);
        assert_eq!(outcome.stderr.lines().count(), 1, "{outcome}");
        assert!(!out.exists() && outcome.stdout.is_empty(), "{outcome}");
    }
    let records = raid_tests::run("raid-repair").args(["salvage", "-O"]).arg(&out).stdin("garbage\n");
    let _ = records.outcome().expect_code(3);
    assert!(!out.exists());
}

#[test]
fn a_large_sparse_array_and_a_map_of_very_many_parts_take_little_memory() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let mut run = run("raid-repair").args(["salvage", "-q", "-O"]).arg(at("out"));
    for number in 0..3 {
        File::create(at(&format!("d{number}")))
            .unwrap()
            .set_len(if long() { 8 << 30 } else { 1 << 30 })
            .unwrap();
        run = run.arg(at(&format!("d{number}")));
    }
    let create = raid_tests::run("raid-meta").args(["create", "--format=md", "--level=raid5", "--name=big"]);
    let create = create.args(["--write", "-q", "--undo"]).arg(at("undo"));
    let _ = create.args((0..3).map(|number| at(&format!("d{number}")))).outcome().expect_code(0);
    // Every other sector of the first 200 MB, on two members.
    for number in 0..2 {
        let mut text = "0 +\n0 4194304 +\n".to_owned();
        for sector in 8192..400_000_u64 {
            let status = if sector % 2 == number { '-' } else { '+' };
            text += &format!("{} 512 {status}\n", sector * 512);
        }
        text += &format!("{} {} +\n", 400_000_u64 * 512, 16_u64 << 30);
        fs::write(at(&format!("m{number}")), text).unwrap();
        run = run.arg("--map").arg(format!("{number}={}", at(&format!("m{number}")).display()));
    }
    // A new set was not synchronised, and says so.
    let run = run.arg("--force").memory_limit(64 << 20).time_limit(Duration::from_secs(300));
    let found = record(&run.outcome().expect_code(5));
    assert_eq!(found["lost_bytes"], 0, "{found}");
    assert!(found["unsynchronised_bytes"].as_u64().unwrap() > 100 << 20, "{found}");
    let blocks = fs::metadata(at("out")).unwrap().blocks();
    assert!(blocks < 64, "the image is sparse: {blocks} blocks");
}
