//! What a job in the virtual machine left on its disks, read by the built programs: right, or refused; never wrong.

use crate::pattern::Pattern;
use crate::program::{Run, run};
use crate::vm::Vm;
use serde_json::Value;
use std::fs::{self, File};
use std::ops::Range;
use std::path::PathBuf;
use tempfile::TempDir;

const DISK_BYTES: u64 = 24 << 20;
/// Bytes read at once where the whole is refused.
const PART: u64 = 1 << 20;
/// What a job adds to the pattern where it writes it a second time.
const ADD: u32 = 10_240;

/// The disks of a job whose arguments are names of sets; the disks of a set have the serials SET-0, SET-1, …
#[derive(Debug)]
pub struct Wreck {
    directory: TempDir,
    /// Name, number of disks, further options of the bench.
    sets: Vec<(String, usize)>,
    /// Name, sectors, sectors that were rewritten: what the job printed.
    arrays: Vec<(String, u64, u64)>,
}

impl Wreck {
    /// Runs the job for sets of so many blank disks of 24 MiB, and expects it to end with that status. Each line that it
    /// prints says of an array: NAME SECTORS, and how many of these were rewritten if any. The name is that of its
    /// set, or begins with it and `-`. The disks of a set whose name ends in `4k` have sectors of 4096 bytes.
    ///
    /// # Panics
    /// The job ends otherwise; a program has not been built.
    #[must_use]
    pub fn of(job: &str, sets: &[(&str, usize)], status: i32) -> Self {
        // What is not built is said before the machine starts.
        let _ = ["raid-probe", "raid-table", "raid-meta"].map(crate::program);
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut vm = Vm::case(job);
        for &(set, disks) in sets {
            for disk in 0..disks {
                let image = directory.path().join(format!("{set}-{disk}.img"));
                let file = File::create(&image).expect("an image can be made");
                file.set_len(DISK_BYTES).expect("an image can be made longer");
                fs::write(
                    directory.path().join(format!("{set}-{disk}.img.serial")),
                    format!("{set}-{disk}\n"),
                )
                .expect("a serial can be written");
                vm = vm.disk_with(&image, if set.ends_with("4k") { ",sector=4096" } else { "" });
            }
            vm = vm.arg(set);
        }
        let outcome = vm.outcome().expect_code(status);
        let arrays = outcome.text().lines().map(array_line).collect();
        let sets = sets.iter().map(|&(set, disks)| (set.to_owned(), disks)).collect();
        Self { directory, sets, arrays }
    }

    /// One of the arrays.
    ///
    /// # Panics
    /// The job did not print its name.
    #[must_use]
    pub fn array(&self, name: &str) -> Wrecked {
        let (_, sectors, rewritten) =
            self.arrays.iter().find(|array| array.0 == name).unwrap_or_else(|| panic!("no array {name}"));
        let is_of =
            |set: &str| name.strip_prefix(set).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        let (set, disks) = self.sets.iter().find(|set| is_of(&set.0)).expect("an array is of a set");
        let path = |disk| self.directory.path().join(format!("{set}-{disk}.img"));
        Wrecked {
            name: name.to_owned(),
            what: name.to_owned(),
            disks: (0..*disks).map(path).collect(),
            sectors: *sectors,
            sector_bytes: if set.ends_with("4k") { 4096 } else { 512 },
            pattern: Pattern { rewritten: rewritten / 8, add: ADD, torn: false },
        }
    }
}

fn array_line(line: &str) -> (String, u64, u64) {
    let mut words = line.split(' ');
    let name = words.next().unwrap_or_default().to_owned();
    let mut number = || words.next().map_or(0, |word| word.parse().unwrap_or_else(|_| panic!("{line:?}")));
    (name, number(), number())
}

/// An array and those of its disks from which it is to be read.
#[derive(Clone, Debug)]
pub struct Wrecked {
    /// Its name in the metadata.
    pub name: String,
    /// What a message calls it.
    pub what: String,
    /// The disks.
    pub disks: Vec<PathBuf>,
    /// Its size.
    pub sectors: u64,
    /// Logical sector size of the disks.
    pub sector_bytes: u64,
    /// What it holds.
    pub pattern: Pattern,
}

impl Wrecked {
    /// The same without a disk.
    #[must_use]
    pub fn without(&self, disk: usize) -> Self {
        let mut other = self.clone();
        other.disks.remove(disk);
        other.what = format!("{} without disk {disk}", self.what);
        other
    }

    /// The same, rewritten for the third time when the power went.
    #[must_use]
    pub fn busy(mut self) -> Self {
        self.pattern.torn = true;
        self
    }

    /// The array record of raid-probe.
    ///
    /// # Panics
    /// There is not exactly one.
    #[must_use]
    pub fn record(&self) -> Value {
        let outcome = self.on_disks("raid-probe", &["-J", "--arrays"]).outcome();
        let mut records = outcome.records_of("array");
        records.retain(|record| record["volume"] == *self.name);
        assert_eq!(records.len(), 1, "{}: {outcome}", self.what);
        records.remove(0)
    }

    fn on_disks(&self, program: &str, arguments: &[&str]) -> Run {
        let sector = self.sector_bytes.to_string();
        run(program).args(arguments).args(["--sector-size", &sector]).args(&self.disks)
    }

    /// The record says this at the JSON pointer.
    ///
    /// # Panics
    /// It does not.
    #[track_caller]
    pub fn says(&self, pointer: &str, expected: impl Into<Value>) {
        let record = self.record();
        assert_eq!(record.pointer(pointer), Some(&expected.into()), "{}: {pointer}: {record}", self.what);
    }

    /// Reads all that is not refused, and gives the fraction that this is.
    ///
    /// # Panics
    /// A byte is wrong, or a refusal names no range.
    #[must_use]
    #[track_caller]
    pub fn read(&self) -> f64 {
        let bytes = self.sectors * 512;
        if self.read_part(0..bytes) {
            return 1.0;
        }
        let starts = (0..bytes.div_ceil(PART)).map(|part| part * PART);
        let parts: Vec<bool> = starts.map(|start| self.read_part(start..(start + PART).min(bytes))).collect();
        let count = |parts: usize| f64::from(u32::try_from(parts).expect("an array is small"));
        count(parts.iter().filter(|&&right| right).count()) / count(parts.len())
    }

    /// Reads all of it.
    ///
    /// # Panics
    /// Not all of it is right.
    #[track_caller]
    pub fn is_whole(&self) {
        assert!((self.read() - 1.0).abs() < f64::EPSILON, "{}: refused: {}", self.what, self.record());
    }

    /// Reads it without each disk in turn; gives the least that was read.
    ///
    /// # Panics
    /// As [`Wrecked::read`].
    #[track_caller]
    pub fn read_without_each(&self) -> f64 {
        (0..self.disks.len()).map(|disk| self.without(disk).read()).fold(1.0, f64::min)
    }

    /// Whether these bytes are read, and not refused.
    #[track_caller]
    fn read_part(&self, bytes: Range<u64>) -> bool {
        let (start, length) = (bytes.start.to_string(), (bytes.end - bytes.start).to_string());
        let arguments = ["read", "--array", &self.name, "--offset", &start, "--length", &length];
        let outcome = self.on_disks("raid-table", &arguments).outcome();
        let what = &self.what;
        // What came before a refusal was taken for right too.
        if let Err(message) = self.pattern.check(bytes.start / 4096, &outcome.stdout) {
            panic!("{what}: {bytes:?}: {message}\n{}\n{}", outcome.stderr, self.record());
        }
        match outcome.code {
            Some(0) => assert_eq!(outcome.stdout.len() as u64, bytes.end - bytes.start, "{what}: {outcome}"),
            Some(1) => assert!(outcome.stderr.contains("failed"), "{what}: {outcome}"),
            Some(3) => assert!(outcome.stderr.contains("sectors"), "{what}: no range is named: {outcome}"),
            _ => panic!("{what}: {bytes:?}: {outcome}"),
        }
        outcome.code == Some(0)
    }

    /// What mdadm says of a disk after `KEY :`.
    ///
    /// # Panics
    /// It says nothing.
    #[must_use]
    #[track_caller]
    pub fn mdadm(&self, disk: usize, key: &str) -> String {
        let outcome = Run::of("/sbin/mdadm").arg("--examine").arg(&self.disks[disk]).outcome();
        let text = outcome.text();
        let value =
            text.lines().find_map(|line| line.split_once(" : ").filter(|(name, _)| name.trim() == key));
        let (_, value) = value.unwrap_or_else(|| panic!("mdadm says no {key} of {}: {outcome}", self.what));
        value.trim().to_owned()
    }

    /// The number that mdadm says.
    ///
    /// # Panics
    /// It is none.
    #[must_use]
    #[track_caller]
    pub fn mdadm_number(&self, disk: usize, key: &str) -> u64 {
        let value = self.mdadm(disk, key);
        value
            .split(' ')
            .next()
            .and_then(|word| word.parse().ok())
            .unwrap_or_else(|| panic!("{key} : {value}"))
    }
}
