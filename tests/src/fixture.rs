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
        Some(Self::unpack_all(&from))
    }

    /// Unpacks `images/NAME` even when the set is carried too.
    ///
    /// # Panics
    /// As [`Fixture::open`].
    #[must_use]
    pub fn open_shared(name: &str) -> Option<Self> {
        Some(Self::unpack_all(&folder()?.join("images").join(name)))
    }

    fn unpack_all(from: &Path) -> Self {
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
        Self { directory, disks, case }
    }

    /// Unpacks `captured/NAME.img.xz`: one disk, cut short.
    ///
    /// # Panics
    /// As [`Fixture::open`].
    #[must_use]
    pub fn captured(name: &str) -> Option<Self> {
        let packed = folder()?.join("captured").join(format!("{name}.img.xz"));
        let directory = tempfile::tempdir().expect("a temporary directory");
        let disk = directory.path().join(format!("{name}.img"));
        unpack(&packed, &disk);
        Some(Self { directory, disks: vec![disk], case: serde_json::Value::Null })
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
