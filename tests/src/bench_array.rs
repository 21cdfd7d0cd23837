//! An array for benchmarks: raid6 of ten members full of noise, and a plain file that holds the same.

use crate::filled::write_file;
use crate::{records, run};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const SECTOR: u64 = 512;

/// Members on images, as `raid-meta create` makes them, and what they hold.
#[derive(Debug)]
pub struct BenchArray {
    directory: TempDir,
    /// The images, in slot order.
    pub members: Vec<PathBuf>,
    /// A file with the bytes of the array.
    pub plain: PathBuf,
    /// The array record.
    pub record: Value,
}

impl BenchArray {
    /// An array of `count` members, about `member_bytes` each, in chunks of 64 KiB, left-symmetric. Sparse and zero unless filled.
    ///
    /// # Panics
    /// It can not be made.
    #[must_use]
    pub fn raid6(parent: &Path, count: usize, member_bytes: u64) -> Self {
        let directory = tempfile::tempdir_in(parent).expect("a folder for images");
        let members: Vec<PathBuf> =
            (0..count).map(|slot| directory.path().join(format!("member{slot}.img"))).collect();
        for member in &members {
            File::create(member).and_then(|file| file.set_len(member_bytes)).expect("an image");
        }
        let outcome = run("raid-meta")
            .args(["create", "--format", "md", "--level", "raid6", "--name", "bench", "--chunk", "64"])
            .args(["--layout", "left-symmetric", "--assume-clean", "--write", "--undo"])
            .arg(directory.path().join("undo"))
            .args(&members)
            .time_limit(Duration::from_secs(600))
            .outcome();
        assert_eq!(outcome.code, Some(0), "{outcome}");
        let is_array = |record: &Value| record["type"] == "array";
        let record = records(&outcome.stdout).into_iter().rfind(is_array).expect("an array record");
        let plain = directory.path().join("plain.img");
        Self { directory, members, plain, record }
    }

    /// Fills it with noise, parity computed, and the plain file with the same.
    ///
    /// # Panics
    /// It can not be written.
    #[must_use]
    pub fn filled(self) -> Self {
        noise(&self.plain, self.bytes());
        write_file(&self.record, &self.plain);
        self
    }

    /// Size of the array.
    ///
    /// # Panics
    /// The record is not one.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.record["size_sectors"].as_u64().expect("a size") * SECTOR
    }

    /// Where the data of every member begins, and how much of it the array uses: in bytes.
    ///
    /// # Panics
    /// The record is not one.
    #[must_use]
    pub fn member_range(&self) -> (u64, u64) {
        let member = &self.record["members"][0];
        let value = |name: &str| member[name].as_u64().expect("a number of sectors") * SECTOR;
        let data = self.members.len() as u64 - 2;
        (value("offset_sectors"), self.bytes() / data)
    }

    /// The folder of the images.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// A path in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The images but that of some slots.
    #[must_use]
    pub fn without(&self, slots: &[usize]) -> Vec<&Path> {
        let left = self.members.iter().enumerate().filter(|(slot, _)| !slots.contains(slot));
        left.map(|(_, path)| path.as_path()).collect()
    }
}

/// A file of noise.
fn noise(path: &Path, bytes: u64) {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).expect("a file"));
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..bytes / 8 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        file.write_all(&state.to_le_bytes()).expect("a file can be written");
    }
    file.flush().expect("a file can be written");
    assert_eq!(fs::metadata(path).map(|file| file.len()).ok(), Some(bytes), "an array is whole sectors");
}
