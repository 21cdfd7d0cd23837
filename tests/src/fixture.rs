//! The fixture folders: complete sets of disks, with a `case.json` that says what they are.
//!
//! The project carries some as text, in `tests/fixtures` (its README.md says where they come from). More, packed
//! with xz, may lie beside the workspace in `../shared/fixtures`, or be absent: tests that use those say so and return.

use crate::image::sparse_copy;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A set unpacked into a directory of its own that vanishes with it; free to be changed.
#[derive(Debug)]
pub struct Fixture {
    /// The name of its folder.
    pub name: String,
    /// The directory.
    pub directory: TempDir,
    /// `disk0.img`, `disk1.img`, … with `diskN.img.serial` beside them where the fixture has it.
    pub disks: Vec<PathBuf>,
    /// `case.json`; null for a captured image.
    pub case: serde_json::Value,
}

/// The folder of the sets that the project carries.
fn carried() -> PathBuf {
    crate::workspace().join("tests/fixtures")
}

/// The folder of further fixtures, if it is there.
fn folder() -> Option<PathBuf> {
    let folder = crate::workspace().join("../shared/fixtures");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("{} is absent: nothing tried", folder.display());
    None
}

impl Fixture {
    /// Unpacks the set NAME: the carried one, else `images/NAME`; none, and a line that says so, where those
    /// fixtures are absent.
    ///
    /// # Panics
    /// The fixtures are there, but not this one, or it can not be unpacked.
    #[must_use]
    pub fn open(name: &str) -> Option<Self> {
        let own = carried().join(name);
        let from = if own.is_dir() { own } else { folder()?.join("images").join(name) };
        Some(Self::unpack_all(name, &from))
    }

    /// Unpacks `images/NAME` even when the set is carried too.
    ///
    /// # Panics
    /// As [`Fixture::open`].
    #[must_use]
    pub fn open_shared(name: &str) -> Option<Self> {
        Some(Self::unpack_all(name, &folder()?.join("images").join(name)))
    }

    fn unpack_all(name: &str, from: &Path) -> Self {
        let case =
            fs::read(from.join("case.json")).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        let case = serde_json::from_slice(&case).expect("case.json is JSON");
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut disks = Vec::new();
        for number in 0.. {
            let disk = directory.path().join(format!("disk{number}.img"));
            let [packed, text, serial] =
                ["xz", "txt", "serial"].map(|end| from.join(format!("disk{number}.img.{end}")));
            if text.exists() {
                unpack_text(&text, &disk);
            } else if packed.exists() {
                unpack(&packed, &disk);
            } else {
                break;
            }
            if serial.exists() {
                let _ = fs::copy(serial, directory.path().join(format!("disk{number}.img.serial")));
            }
            disks.push(disk);
        }
        Self { name: name.to_owned(), directory, disks, case }
    }

    /// Unpacks the captured disk NAME, which is cut short: the carried one (`tests/captured`), else
    /// `captured/NAME.img.xz`.
    ///
    /// # Panics
    /// As [`Fixture::open`].
    #[must_use]
    pub fn captured(name: &str) -> Option<Self> {
        let text = crate::workspace().join("tests/captured").join(format!("{name}.img.txt"));
        let directory = tempfile::tempdir().expect("a temporary directory");
        let disk = directory.path().join(format!("{name}.img"));
        if text.exists() {
            unpack_text(&text, &disk);
        } else {
            unpack(&folder()?.join("captured").join(format!("{name}.img.xz")), &disk);
        }
        let name = name.to_owned();
        Some(Self { name, directory, disks: vec![disk], case: serde_json::Value::Null })
    }

    /// The names of all sets, sorted: those carried, and those in `images/` where that is not absent.
    #[must_use]
    pub fn names() -> Vec<String> {
        let mut names = Self::carried_names();
        names.extend(folder().iter().flat_map(|folder| folders_in(&folder.join("images"))));
        names.sort();
        names.dedup();
        names
    }

    /// The names of the sets that the project carries, sorted.
    #[must_use]
    pub fn carried_names() -> Vec<String> {
        let mut names = folders_in(&carried());
        names.sort();
        names
    }

    /// All sets of these formats that are there; a format is what the name of a set begins with.
    pub fn all_of(formats: &'static [&str]) -> impl Iterator<Item = Self> {
        let names = Self::names().into_iter();
        let names = names.filter(|name| formats.iter().any(|format| name.starts_with(format)));
        names.filter_map(|name| Self::open(&name))
    }

    /// What the array holds: block n is n+1 (see the fixtures' README.md), and in the stale set the first 8 MiB are
    /// the ones written after the disk was lost.
    ///
    /// # Panics
    /// `case.json` says no size.
    #[must_use]
    pub fn content(&self) -> Vec<u8> {
        const BLOCK: u64 = 4096;
        const REWRITTEN: u64 = (8 << 20) / BLOCK;
        let sectors = self.case["array_size_sectors"].as_u64().expect("a size in case.json");
        let is_stale = self.name.contains("stale");
        let mut content = Vec::new();
        for block in 0..(sectors * 512).div_ceil(BLOCK) {
            let added = if is_stale && block < REWRITTEN { 10240 } else { 0 };
            let word = u32::try_from(block + 1 + added).expect("a small array");
            content.extend(word.to_le_bytes().repeat(1024));
        }
        content.truncate(usize::try_from(sectors * 512).expect("a small array"));
        content
    }

    /// Path of a file in the directory of the set.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

fn folders_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let folders = entries.filter_map(Result::ok).filter(|entry| entry.path().is_dir());
    folders.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

fn unpack_text(from: &Path, to: &Path) {
    let status = Command::new(crate::program("raid-image")).arg("unpack").args([from, to]).status();
    assert!(status.expect("raid-image runs").success(), "{}: can not be unpacked", from.display());
}

fn unpack(from: &Path, to: &Path) {
    let packed = File::open(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    let mut xz = Command::new("xz")
        .args(["--decompress", "--stdout"])
        .stdin(packed)
        .stdout(Stdio::piped())
        .spawn()
        .expect("xz is installed (tests/install-deps)");
    let stream = xz.stdout.take().expect("standard output is a pipe");
    sparse_copy(stream, to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
    let status = xz.wait().expect("a child can be waited for");
    assert!(status.success(), "{}: xz: {status}", from.display());
}
