//! Arrays whose machine lost power in the middle of something, read by us: every byte right, or refused; never wrong.

#![allow(clippy::panic, reason = "a test fails by panicking")]

use raid_tests::{Pattern, Vm, run};
use serde_json::Value;
use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use tempfile::TempDir;

/// Status with which the machine goes down in the middle.
const CUT: i32 = 9;
const DISK_BYTES: u64 = 24 << 20;
/// Bytes read at once where the whole is refused.
const PART: u64 = 1 << 20;
/// What the busy arrays are rewritten with, to their 8192nd sector.
const ADD: u32 = 10_240;

/// The disks of the arrays of `tests/vm/cases/md_midway.sh`, after the power cut.
struct Wreck {
    directory: TempDir,
    /// Name, number of disks, sectors.
    arrays: Vec<(String, usize, u64)>,
}

impl Wreck {
    /// Runs the job for arrays with so many disks each.
    fn of(arrays: &[(&str, usize)]) -> Self {
        let _ = (raid_tests::program("raid-probe"), raid_tests::program("raid-table"));
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut vm = Vm::case("md_midway");
        for &(name, disks) in arrays {
            for disk in 0..disks {
                let image = directory.path().join(format!("{name}-{disk}.img"));
                let file = File::create(&image).expect("an image can be made");
                file.set_len(DISK_BYTES).expect("an image can be made longer");
                vm = vm.disk_with(&image, &format!(",serial={name}-{disk}"));
            }
            vm = vm.arg(name);
        }
        let outcome = vm.outcome().expect_code(CUT);
        let text = outcome.text();
        let sizes = text.lines().map(|line| line.split_once(' ').expect("a name and a size").1.parse());
        let sizes: Vec<u64> = sizes.map(|size| size.expect("a size")).collect();
        let arrays = arrays.iter().zip(sizes).map(|(&(name, disks), size)| (name.to_owned(), disks, size));
        Self { directory, arrays: arrays.collect() }
    }

    fn array(&self, name: &str) -> Array {
        let (_, disks, sectors) =
            self.arrays.iter().find(|array| array.0 == name).expect("an array of this name");
        let disks =
            (0..*disks).map(|disk| self.directory.path().join(format!("{name}-{disk}.img"))).collect();
        Array { name: name.into(), disks, sectors: *sectors, pattern: Pattern::default() }
    }
}

/// An array to be read from some of its disks.
struct Array {
    name: String,
    disks: Vec<PathBuf>,
    /// The size that all of its geometries have.
    sectors: u64,
    pattern: Pattern,
}

impl Array {
    fn without(&self, disk: usize) -> Self {
        let mut disks = self.disks.clone();
        disks.remove(disk);
        Self { name: format!("{} without disk {disk}", self.name), disks, ..*self }
    }

    fn busy(self) -> Self {
        Self { pattern: Pattern { rewritten: 1024, add: ADD, torn: true }, ..self }
    }

    fn record(&self) -> Value {
        let outcome = run("raid-probe").args(["-J", "--arrays"]).args(&self.disks).outcome().expect_code(0);
        let mut records = outcome.records_of("array");
        assert_eq!(records.len(), 1, "{}: {outcome}", self.name);
        records.remove(0)
    }

    /// Reads all that is not refused; the fraction of it. Wrong bytes end the test.
    fn read(&self) -> f64 {
        let sectors = self.sectors;
        assert_eq!(self.record()["size_sectors"], sectors, "{}", self.name);
        if self.read_part(0..sectors * 512) {
            return 1.0;
        }
        let parts = (0..sectors * 512).step_by(usize::try_from(PART).expect("a small number"));
        let count = parts.clone().count();
        let right = parts.filter(|&start| self.read_part(start..(start + PART).min(sectors * 512))).count();
        f64::from(u32::try_from(right).expect("few")) / f64::from(u32::try_from(count).expect("few"))
    }

    /// Whether these bytes are read, and not refused.
    fn read_part(&self, bytes: Range<u64>) -> bool {
        let outcome = run("raid-table")
            .args(["read", "--offset", &bytes.start.to_string(), "--length"])
            .arg((bytes.end - bytes.start).to_string())
            .args(&self.disks)
            .outcome();
        let name = &self.name;
        // Also what came before the refusal was taken for right.
        if let Err(message) = self.pattern.check(bytes.start / 4096, &outcome.stdout) {
            panic!("{name}: {bytes:?}: {message}\n{}\n{}", outcome.stderr, self.record());
        }
        match outcome.code {
            Some(0) => assert_eq!(outcome.stdout.len() as u64, bytes.end - bytes.start, "{name}: {outcome}"),
            Some(3) => assert!(outcome.stderr.contains("sectors"), "{name}: no range is named: {outcome}"),
            _ => panic!("{name}: {bytes:?}: {outcome}"),
        }
        outcome.code == Some(0)
    }

    /// A line of what mdadm says of a disk: what is after the colon.
    fn mdadm(&self, disk: usize, key: &str) -> String {
        let outcome = raid_tests::Run::of("/sbin/mdadm").arg("--examine").arg(&self.disks[disk]).outcome();
        let text = outcome.text();
        let value =
            text.lines().find_map(|line| line.split_once(" : ").filter(|(name, _)| name.trim() == key));
        value.unwrap_or_else(|| panic!("mdadm says no {key} of {}: {outcome}", self.name)).1.trim().to_owned()
    }

    /// The first word of it as a number.
    fn mdadm_number(&self, disk: usize, key: &str) -> u64 {
        let value = self.mdadm(disk, key);
        value
            .split(' ')
            .next()
            .and_then(|word| word.parse().ok())
            .unwrap_or_else(|| panic!("{key} : {value}"))
    }
}

#[track_caller]
fn says(array: &Array, record: &Value, pointer: &str, expected: impl Into<Value>) {
    assert_eq!(record.pointer(pointer), Some(&expected.into()), "{}: {pointer}: {record}", array.name);
}

/// The record names the reshape as mdadm does.
#[track_caller]
fn is_reshaping(array: &Array, from_slots: u64, to_slots: u64) {
    let record = array.record();
    says(array, &record, "/health", "reshaping");
    says(array, &record, "/reshape/position_sectors", 2 * array.mdadm_number(0, "Reshape pos'n"));
    says(array, &record, "/reshape/from/slots", from_slots);
    says(array, &record, "/reshape/to/slots", to_slots);
}

#[test]
fn an_array_that_was_growing_is_read_on_both_sides_of_the_border() {
    let wreck = Wreck::of(&[("grow", 4), ("offset", 4), ("ten", 5), ("shrink", 5)]);
    for (name, from, to) in [("grow", 3, 4), ("offset", 3, 4), ("ten", 4, 5), ("shrink", 5, 4)] {
        let mut array = wreck.array(name);
        if name == "shrink" {
            array.sectors = array.sectors / 4 * 3;
        }
        is_reshaping(&array, from, to);
        assert!(array.read() > 0.99, "{name}: too much is refused: {}", array.record());
        // Not every byte need be readable without a disk, but none may be wrong.
        for disk in 0..array.disks.len() {
            array.without(disk).read();
        }
    }
}

#[test]
fn what_a_reshape_writes_over_itself_is_refused() {
    let wreck = Wreck::of(&[("chunk", 5), ("layout", 4), ("five2six", 4)]);
    let chunk = wreck.array("chunk");
    is_reshaping(&chunk, 5, 5);
    says(&chunk, &chunk.record(), "/reshape/from/chunk_sectors", 128);
    says(&chunk, &chunk.record(), "/reshape/to/chunk_sectors", 64);
    chunk.read();
    let layout = wreck.array("layout");
    is_reshaping(&layout, 4, 4);
    says(&layout, &layout.record(), "/reshape/to/layout", "right-asymmetric");
    layout.read();
    layout.without(1).read();
    let five2six = wreck.array("five2six");
    is_reshaping(&five2six, 4, 4);
    says(&five2six, &five2six.record(), "/reshape/from/layout", "left-symmetric-6");
    says(&five2six, &five2six.record(), "/reshape/to/layout", "left-symmetric");
    five2six.read();
}

#[test]
fn what_was_not_rebuilt_yet_is_not_used() {
    let wreck = Wreck::of(&[("recover5", 4), ("recover6", 7), ("recover1", 3), ("recover10", 5)]);
    for (name, spare, removed) in [("recover5", 3, 1), ("recover1", 2, 0), ("recover10", 4, 2)] {
        let array = wreck.array(name);
        let record = array.record();
        says(&array, &record, "/health", "rebuilding");
        says(&array, &record, &format!("/members/{removed}/state"), "rebuilding");
        let recovered = array.mdadm_number(spare, "Recovery Offset");
        says(&array, &record, &format!("/members/{removed}/recovered_sectors"), recovered);
        assert!((1000..40_000).contains(&recovered), "{name}: {recovered}");
        assert!(array.read() > 0.99, "{name}: {record}");
        for disk in 0..array.disks.len() {
            let fraction = array.without(disk).read();
            assert!(fraction > 0.1, "{name}: {fraction} is read without disk {disk}");
        }
    }
    let six = wreck.array("recover6");
    says(&six, &six.record(), "/health", "rebuilding");
    assert!(six.read() > 0.99, "{}", six.record());
    for disk in 0..six.disks.len() {
        six.without(disk).read();
    }
}

#[test]
fn a_member_that_is_being_replaced_is_still_the_member() {
    let wreck = Wreck::of(&[("replace", 4)]);
    let array = wreck.array("replace");
    let record = array.record();
    says(&array, &record, "/slots", 3);
    says(&array, &record, "/members/1/state", "in-sync");
    assert!(array.read() > 0.99, "{record}");
    for disk in 0..array.disks.len() {
        assert!(array.without(disk).read() > 0.2, "disk {disk}: {record}");
    }
}

#[test]
fn parity_that_may_be_wrong_is_not_believed() {
    let wreck =
        Wreck::of(&[("resync", 3), ("dirty5", 3), ("dirty1", 2), ("bitmap", 3), ("ppl", 3), ("journal", 4)]);
    for name in ["resync", "dirty5", "dirty1", "bitmap", "ppl"] {
        let array = wreck.array(name);
        let array = if name == "resync" { array } else { array.busy() };
        let fraction = array.read();
        if name != "ppl" {
            assert!(fraction > 0.99, "{name}: refused: {}", array.record());
        }
        for disk in 0..array.disks.len() {
            array.without(disk).read();
        }
    }
    for name in ["dirty5", "bitmap"] {
        let record = wreck.array(name).record();
        says(&wreck.array(name), &record, "/dirty", true);
        assert_eq!(wreck.array(name).mdadm(0, "State"), "active");
        assert!(wreck.array(name).busy().without(1).read() < 0.99, "{name}: parity was believed: {record}");
    }
    let journal = wreck.array("journal");
    says(&journal, &journal.record(), "/write_log", "journal");
    let outcome = run("raid-table").arg("read").args(&journal.disks).outcome().expect_code(3);
    assert!(outcome.stdout.is_empty() && outcome.stderr.contains("journal"), "{outcome}");
}
