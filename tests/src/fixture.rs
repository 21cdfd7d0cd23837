//! The fixture folders: complete sets of disks, packed with xz, with a `case.json` that says what they are.
//!
//! They lie beside the workspace, in `../shared/fixtures`, and may be absent: tests that use them say so and
//! return.

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

/// The folder of all fixtures, if it is there.
fn folder() -> Option<PathBuf> {
    let folder = crate::workspace().join("../shared/fixtures");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("{} is absent: nothing tried", folder.display());
    None
}

impl Fixture {
    /// Unpacks `images/NAME`; none, and a line that says so, where the fixtures are absent.
    ///
    /// # Panics
    /// The fixtures are there, but not this one, or it can not be unpacked.
    #[must_use]
    pub fn open(name: &str) -> Option<Self> {
        let from = folder()?.join("images").join(name);
        let case =
            fs::read(from.join("case.json")).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        let case = serde_json::from_slice(&case).expect("case.json is JSON");
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut disks = Vec::new();
        for number in 0.. {
            let packed = from.join(format!("disk{number}.img.xz"));
            if !packed.exists() {
                break;
            }
            let disk = directory.path().join(format!("disk{number}.img"));
            unpack(&packed, &disk);
            let serial = from.join(format!("disk{number}.img.serial"));
            if serial.exists() {
                let _ = fs::copy(serial, directory.path().join(format!("disk{number}.img.serial")));
            }
            disks.push(disk);
        }
        Some(Self { directory, disks, case })
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

    /// The names of all sets in `images/`, sorted; empty where the fixtures are absent.
    #[must_use]
    pub fn names() -> Vec<String> {
        let Some(folder) = folder() else { return Vec::new() };
        let entries = fs::read_dir(folder.join("images")).expect("the folder of images can be listed");
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// Path of a file in the directory of the set.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
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
