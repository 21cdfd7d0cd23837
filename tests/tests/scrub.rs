//! `raid-repair scrub`: what was spoilt at known places is found there, nothing else is, and it is put right where the evidence
//! says how.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use raid_tests::bench_array::BenchArray;
use raid_tests::random::Random;
use raid_tests::{Fixture, Outcome, Vm, records, run};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SECTOR: u64 = 512;

/// A copy of a fixture that can be spoilt.
struct Copy {
    folder: tempfile::TempDir,
    disks: Vec<PathBuf>,
    array: Value,
}

impl Copy {
    fn of(name: &str) -> Self {
        let fixture = Fixture::open(name).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let copy = |disk: &PathBuf| {
            for path in [disk.clone(), disk.with_extension("img.serial")].iter().filter(|path| path.exists())
            {
                fs::copy(path, folder.path().join(path.file_name().unwrap())).unwrap();
            }
            folder.path().join(disk.file_name().unwrap())
        };
        let disks: Vec<PathBuf> = fixture.disks.iter().map(copy).collect();
        let arrays = run("raid-probe").args(&disks).outcome().expect_code(0).records_of("array");
        Self { folder, disks, array: arrays.last().unwrap().clone() }
    }

    /// Spoils bytes of a sector of a member's data.
    fn spoil(&self, slot: usize, sector: u64, bytes: &[u8]) {
        let member = &self.array["members"][slot];
        let start = |name: &str| member[name].as_u64().unwrap_or_default();
        let at = (start("device_offset_sectors") + start("offset_sectors") + sector) * SECTOR;
        let file =
            OpenOptions::new().read(true).write(true).open(member["device"].as_str().unwrap()).unwrap();
        let mut there = vec![0; bytes.len()];
        file.read_exact_at(&mut there, at).unwrap();
        let spoilt: Vec<u8> = there.iter().zip(bytes).map(|(there, change)| there ^ change).collect();
        file.write_all_at(&spoilt, at).unwrap();
    }

    fn scrub(&self, arguments: &[&str]) -> Outcome {
        run("raid-repair").arg("scrub").args(arguments).args(&self.disks).outcome()
    }

    fn undo(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn hashes(&self) -> Vec<Vec<u8>> {
        self.disks.iter().map(|disk| fs::read(disk).unwrap()).collect()
    }

    /// What raid-table says is at a sector of a member's data.
    fn place(&self, slot: usize, sector: u64) -> Value {
        let member = &self.array["members"][slot];
        let at = member["offset_sectors"].as_u64().unwrap() + sector;
        let array = self.array["name"].as_str().unwrap();
        let device = member["device"].as_str().unwrap();
        let arguments = ["--array", array, "--device", device, "--sector", &at.to_string()];
        let outcome = run("raid-table").arg("map").args(&self.disks).args(arguments).outcome();
        outcome.expect_code(0).records_of("place")[0].clone()
    }
}

fn summary(outcome: &Outcome) -> (u64, u64, u64) {
    let record = &outcome.records_of("scrub")[0];
    let number = |name: &str| record[name].as_u64().unwrap();
    (number("wrong_sectors"), number("undecidable_sectors"), number("fixed_sectors"))
}

#[test]
fn nothing_is_found_in_what_is_sound() {
    let mut compared = 0;
    for name in Fixture::carried_names() {
        let copy = Copy::of(&name);
        let before = copy.hashes();
        if copy.array["health"] != "optimal" {
            continue;
        }
        let outcome = copy.scrub(&[]);
        if ["linear", "raid0"].contains(&copy.array["level"].as_str().unwrap()) {
            let text = outcome.expect_code(1).stderr;
            assert!(text.contains("has no redundancy to compare"), "{name}");
            continue;
        }
        let outcome = outcome.expect_code(0);
        assert_eq!(outcome.records_of("mismatch"), [] as [Value; 0], "{name}");
        let sum = &outcome.records_of("scrub")[0];
        assert!(sum["compared_sectors"].as_u64() > Some(0) && sum["unchecked_sectors"] == 0, "{name}: {sum}");
        assert!(copy.hashes() == before, "{name}: reading writes nothing");
        compared += 1;
    }
    assert!(compared >= 10, "{compared} sets have redundancy");
}

#[test]
fn in_raid6_the_wrong_member_is_named_and_put_right() {
    let copy = Copy::of("md12-raid6-ls-5");
    let sound = copy.hashes();
    let spoilt = [(0, 0), (1, 1), (2, 130), (3, 1000), (4, 1001), (0, 2047), (2, 2048)];
    for (number, (slot, sector)) in (1..).zip(spoilt) {
        copy.spoil(slot, sector, &vec![number; 512]);
    }
    let outcome = copy.scrub(&["--threads", "2"]).expect_code(1);
    let found = outcome.records_of("mismatch");
    assert_eq!(found.len(), spoilt.len(), "{found:?}");
    for (slot, sector) in spoilt {
        let record = found.iter().find(|record| record["data_sector"] == sector).unwrap();
        let place = copy.place(slot, sector);
        assert_eq!(record["verdict"], "wrong");
        for (ours, theirs) in
            [("slot", "member_slot"), ("device", "device"), ("role", "role"), ("stripe", "stripe")]
        {
            assert_eq!(record[ours], place[theirs], "{ours} of {record}");
        }
        assert_eq!(record["member_sector"], place["member_sector"]);
        match &place["array_sector"] {
            Value::Null => assert_eq!(record["array_sectors"].as_array().unwrap().len(), 3),
            sector => assert_eq!(record["array_sectors"], json!([sector])),
        }
    }
    assert_eq!(summary(&outcome), (7, 0, 0));
    let undo = copy.undo("undo");
    let outcome = copy.scrub(&["--fix", "--undo", undo.to_str().unwrap()]).expect_code(0);
    assert_eq!(summary(&outcome), (7, 0, 7));
    assert!(outcome.records_of("mismatch").iter().all(|record| record["fixed"] == true));
    assert!(copy.hashes() == sound, "as it was before it was spoilt");
    let _ = run("raid-meta").args(["restore", "--write"]).arg(&undo).outcome().expect_code(0);
    assert_eq!(summary(&copy.scrub(&[]).expect_code(1)), (7, 0, 0));
}

#[test]
fn two_wrong_members_in_one_place_are_not_put_right_without_being_told() {
    let copy = Copy::of("md12-raid6-ls-5");
    copy.spoil(0, 300, &[1; 512]);
    let second: Vec<u8> = (0..=255).cycle().take(512).collect();
    copy.spoil(1, 300, &second);
    let spoilt = copy.hashes();
    let outcome = copy.scrub(&["--fix", "--undo", copy.undo("none").to_str().unwrap()]).expect_code(1);
    assert_eq!(summary(&outcome), (0, 1, 0));
    assert_eq!(outcome.records_of("mismatch")[0]["verdict"], "undecidable");
    assert!(copy.hashes() == spoilt);
    let _ =
        copy.scrub(&["--fix", "--trust-data", "--undo", copy.undo("undo").to_str().unwrap()]).expect_code(0);
    assert_eq!(summary(&copy.scrub(&[]).expect_code(0)), (0, 0, 0));
}

#[test]
fn raid5_and_two_copies_are_put_right_only_as_they_are_told() {
    for (name, trust) in [
        ("md12-raid5-ls-3", &["--trust-data"][..]),
        ("isw-raid5-3", &["--trust-data"]),
        ("ddf-raid5-ls-3", &["--trust-data"]),
        ("md10-raid1-2", &["--trust-slot", "0"]),
        ("isw-raid1-2", &["--trust-slot", "0"]),
        ("md12-raid10-n2-4", &["--trust-slot", "0"]),
    ] {
        let copy = Copy::of(name);
        let sound = copy.hashes();
        // In raid5, the parity of the first stripe; else a copy of what slot 0 has.
        let slot =
            if name.contains("raid5") && copy.place(1, 5)["role"] == "p" { 1 } else { copy.parity_slot() };
        copy.spoil(slot, 5, &[0x55; 512]);
        let spoilt = copy.hashes();
        let outcome = copy.scrub(&["--fix", "--undo", copy.undo("none").to_str().unwrap()]).expect_code(1);
        assert_eq!(summary(&outcome), (0, 1, 0), "{name}");
        assert!(copy.hashes() == spoilt && !copy.undo("none").exists(), "{name}");
        let undo = copy.undo("undo");
        let arguments = [trust, &["--fix", "--undo", undo.to_str().unwrap()]].concat();
        assert_eq!(summary(&copy.scrub(&arguments).expect_code(0)), (0, 1, 1), "{name}");
        assert!(copy.hashes() == sound, "{name}");
    }
}

impl Copy {
    /// The slot whose sector 5 is parity or a copy.
    fn parity_slot(&self) -> usize {
        let slots = self.array["members"].as_array().unwrap().len();
        (0..slots)
            .find(|&slot| ["p", "copy"].contains(&self.place(slot, 5)["role"].as_str().unwrap()))
            .unwrap()
    }
}

#[test]
fn an_lvm_mirror_is_put_right_on_the_disks_below_it() {
    let copy = Copy::of("lvm-raid1-2");
    let name = copy.array["name"].as_str().unwrap();
    let sound = copy.hashes();
    // The leg is an array itself, on one disk: its first sector is where the map of the leg says.
    let leg = copy.array["members"][1]["array"].as_str().unwrap();
    let sector = copy.array["members"][1]["offset_sectors"].as_u64().unwrap_or_default() + 9;
    let place = run("raid-table").arg("map").args(&copy.disks).args([
        "--array",
        leg,
        "--sector",
        &sector.to_string(),
    ]);
    let place = place.outcome().expect_code(0).records_of("place")[0].clone();
    let file = OpenOptions::new().write(true).open(place["device"].as_str().unwrap()).unwrap();
    file.write_all_at(&[0x77; 512], place["member_sector"].as_u64().unwrap() * SECTOR).unwrap();
    let outcome = copy.scrub(&["--array", name]).expect_code(1);
    assert_eq!(outcome.records_of("mismatch")[0]["array_sectors"], json!([9]));
    let undo = copy.undo("undo");
    let _ = copy
        .scrub(&["--array", name, "--fix", "--trust-slot", "0", "--undo", undo.to_str().unwrap()])
        .expect_code(0);
    assert!(copy.hashes() == sound);
}

#[test]
fn a_scrub_goes_on_from_its_position_and_no_other() {
    let copy = Copy::of("md12-raid6-ls-5");
    copy.spoil(0, 10, &[1; 512]);
    copy.spoil(1, 8200, &[1; 512]);
    let position = copy.undo("position");
    let kept_at = |name: &Value, sector: u64| {
        let found = json!({"compared": 4096 * 5, "wrong": 1, "undecidable": 0, "fixed": 0, "unreadable": 0, "unchecked": 0});
        let (chunk, size) = (&copy.array["chunk_sectors"], &copy.array["size_sectors"]);
        let detail = format!("raid6 left-symmetric, 5 slots, chunk {chunk}, {size} sectors");
        json!({"job": "scrub", "array": name, "uuid": copy.array["uuid"], "detail": detail,
            "state": {"position_sectors": sector, "found": found}})
        .to_string()
    };
    let kept = |name: &Value| kept_at(name, 4096);
    fs::write(&position, kept(&copy.array["name"])).unwrap();
    let arguments = ["--position", position.to_str().unwrap()];
    let outcome = copy.scrub(&arguments).expect_code(1);
    let found = outcome.records_of("mismatch");
    assert_eq!(
        (found.len(), &found[0]["data_sector"]),
        (1, &json!(8200)),
        "only what comes after the position"
    );
    assert_eq!(summary(&outcome), (2, 0, 0), "but all is counted");
    let whole = copy.scrub(&[]).expect_code(1).records_of("scrub");
    assert_eq!(outcome.records_of("scrub"), whole);
    assert!(!position.exists(), "done");
    fs::write(&position, kept(&json!("md_other"))).unwrap();
    let stderr = copy.scrub(&arguments).expect_code(1).stderr;
    assert!(stderr.contains("is the position of another job"));
    fs::write(&position, kept(&copy.array["name"])).unwrap();
    let trusting = [arguments[0], arguments[1], "--trust-data"];
    let stderr = copy.scrub(&trusting).expect_code(1).stderr;
    assert!(
        stderr.contains("is the position of another job"),
        "what was compared in another way does not count"
    );
    fs::write(&position, kept_at(&copy.array["name"], 1 << 60)).unwrap();
    let stderr = copy.scrub(&arguments).expect_code(3).stderr;
    assert!(stderr.contains("is at sector 1152921504606846976, expected at most"), "{stderr}");
}

/// Every stripe of an array has a wrong sector, which is more than a pipe takes.
fn wrong_everywhere(folder: &Path) -> BenchArray {
    let array = BenchArray::raid6(folder, 4, 32 << 20);
    let (start, length) = array.member_range();
    let file = OpenOptions::new().write(true).open(&array.members[2]).unwrap();
    let mut random = Random::new(3);
    let noise: Vec<u8> = (0..length / 8).flat_map(|_| random.number().to_le_bytes()).collect();
    file.write_all_at(&noise, start).unwrap();
    array
}

/// A scrub that nobody reads from yet.
fn begin(array: &BenchArray, position: &Path) -> (Child, BufReader<ChildStdout>) {
    let mut command = Command::new(raid_tests::program("raid-repair"));
    command.args(["scrub", "--threads", "1", "--position"]).arg(position).args(&array.members);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

/// The stripes that are reported, of whole lines.
fn stripes(text: &[u8]) -> BTreeSet<u64> {
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    records(&text[..whole]).iter().filter_map(|record| record["stripe"].as_u64()).collect()
}

#[test]
fn what_a_position_stands_for_was_printed_before() {
    let folder = tempfile::tempdir().unwrap();
    let array = wrong_everywhere(folder.path());
    let whole = run("raid-repair").arg("scrub").args(&array.members).outcome().expect_code(1);
    let position = folder.path().join("position");
    let (mut scrub, mut output) = begin(&array, &position);
    // The pipe is full long before a position is due.
    sleep(Duration::from_secs(6));
    let (mut text, deadline) = (Vec::new(), Instant::now() + Duration::from_secs(60));
    while !position.exists() {
        assert!(Instant::now() < deadline, "no position after {} bytes", text.len());
        output.read_until(b'\n', &mut text).unwrap();
        sleep(Duration::from_millis(5));
    }
    scrub.kill().unwrap();
    scrub.wait().unwrap();
    output.read_to_end(&mut text).unwrap();
    let before = stripes(&text);

    let kept = fs::read(&position).unwrap();
    let (mut scrub, output) = begin(&array, &position);
    drop(output);
    scrub.wait().unwrap();
    assert_eq!(fs::read(&position).unwrap(), kept, "nobody saw what was found from there on");

    let mut rest = run("raid-repair");
    rest = rest.args(["scrub", "--position", position.to_str().unwrap()]).args(&array.members);
    let rest = rest.outcome().expect_code(1);
    let after = stripes(&rest.stdout);
    assert!(after.len() < stripes(&whole.stdout).len(), "it goes on where it was");
    assert_eq!(before.union(&after).copied().collect::<BTreeSet<_>>(), stripes(&whole.stdout));
    assert_eq!(summary(&rest), summary(&whole));
    assert!(!position.exists(), "done");
}

#[test]
fn what_can_not_be_meant_is_refused_before_anything_is_compared() {
    let copy = Copy::of("md12-raid6-ls-5");
    let stderr = copy.scrub(&["--trust-slot", "5"]).expect_code(2).stderr;
    assert!(stderr.contains("has 5 slots"), "{stderr}");
    let undo = copy.undo("undo");
    fs::write(&undo, "").unwrap();
    let stderr = copy.scrub(&["--fix", "--undo", undo.to_str().unwrap()]).expect_code(4).stderr;
    assert!(stderr.contains("expected a new file"), "{stderr}");
}

#[test]
fn a_wrong_geometry_is_not_written_over_an_array() {
    let copy = Copy::of("md12-raid6-ls-5");
    // Every stripe of the first half gets another content of one member.
    for sector in 0..12_000 {
        copy.spoil(2, sector, &[0x5a; 512]);
    }
    let spoilt = copy.hashes();
    let undo = copy.undo("undo");
    let outcome = copy.scrub(&["--fix", "--threads", "1", "--undo", undo.to_str().unwrap()]);
    let text = outcome.expect_code(1).stderr;
    assert!(text.contains("more than half of what was compared does not agree"), "{text}");
    assert!(copy.hashes() == spoilt);
    let _ = copy.scrub(&["--fix", "--force", "--undo", undo.to_str().unwrap()]).expect_code(0);
}

#[test]
fn a_set_that_changed_since_it_was_recorded_is_not_written() {
    let copy = Copy::of("md12-raid6-ls-5");
    let mut array = copy.array.clone();
    array["name"] = json!("md_by-hand");
    array["layout"] = json!("left-asymmetric-6");
    let run = |arguments: &[&str]| {
        run("raid-repair").arg("scrub").args(arguments).stdin(array.to_string()).outcome()
    };
    // Read, it is what it says; to be written, it is what the disks say.
    let _ = run(&[]).expect_code(1);
    let text = run(&["--fix", "--array", "md_by-hand"]).expect_code(2);
    assert!(text.stderr.contains("no array 'md_by-hand'"));
}

/// The sectors that do not agree: by our own reading of the disks, and by the kernel's own check.
fn kernel_check(disks: &[PathBuf]) -> (u64, u64) {
    let vm = Vm::case("scrub").program("raid-repair").seconds(400);
    let vm = disks.iter().fold(vm, |vm, disk| vm.snapshot(Path::new(disk)));
    let text = vm.outcome().expect_code(0).text();
    let mut numbers = text.lines().map(|line| line.split(' ').next_back().unwrap().parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// A fixture, what to trust, the members and sectors to spoil, and what md counts then.
type Case<'a> = (&'a str, &'a [&'a str], &'a [(usize, u64)], u64);

#[test]
fn kernel_the_check_of_md_finds_the_same_and_nothing_after_the_fix() {
    let cases: [Case<'_>; 4] = [
        ("md12-raid6-ls-5", &[], &[(0, 3), (1, 3000), (4, 7000), (3, 9001)], 32),
        ("md12-raid5-ls-3", &["--trust-data"], &[(0, 3), (1, 3000)], 16),
        ("md10-raid1-2", &["--trust-slot", "0"], &[(1, 3)], 128),
        ("md12-raid10-n2-4", &["--trust-slot", "0"], &[(1, 3)], 128),
    ];
    for (name, trust, spoilt, count) in cases {
        let copy = Copy::of(name);
        for &(slot, sector) in spoilt {
            copy.spoil(slot, sector, &[0x33; 100]);
        }
        assert_eq!(kernel_check(&copy.disks), (spoilt.len() as u64, count), "{name}");
        let undo = copy.undo("undo");
        let arguments = [trust, &["--fix", "--undo", undo.to_str().unwrap()]].concat();
        let _ = copy.scrub(&arguments).expect_code(0);
        assert_eq!(kernel_check(&copy.disks), (0, 0), "{name}");
    }
}
