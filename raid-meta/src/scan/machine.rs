//! The disks of a machine and their partitions, from sysfs.
//!
//! Disks are what holds data itself: devices stacked on others (md, dm, loop, bcache) would show the same
//! metadata a second time, and memory, floppies and optical drives hold none. Partitions are the kernel's.

use super::serial::{serial_in, text};
use crate::device::{Device, FileDisk, OpenError};
use crate::escape::path_to_text;
use crate::units::{Bytes, SectorSize, Sectors};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

/// Drivers, by the letters their device names begin with, of what is no disk.
const NOT_DISKS: [&str; 7] = ["dm", "md", "loop", "ram", "zram", "sr", "fd"];
/// Drivers that number their disks in letters: sda, …, sdz, sdaa.
const LETTERED: [&str; 5] = ["sd", "vd", "hd", "xvd", "dasd"];

/// Why the disks of the machine can not be listed.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {error}, expected the block devices of sysfs")]
pub struct ScanError {
    /// Which folder.
    pub path: String,
    /// Why.
    pub error: io::Error,
}

/// A disk or a partition that the kernel knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundDisk {
    /// The kernel's name: `sda`, `nvme0n1p2`.
    pub name: String,
    /// The device node, below the sysroot's `dev`.
    pub path: PathBuf,
    /// Size.
    pub size: Sectors,
    /// Logical sector size, where sysfs says it.
    pub sector_size: Option<SectorSize>,
    /// Serial number of the disk, of a partition that of the disk it is on.
    pub serial: Option<String>,
    /// The disk that a partition is on.
    pub partition_of: Option<String>,
    /// Where on that disk the partition begins.
    pub start: Sectors,
    /// Whether the kernel knows partitions of this disk.
    pub has_partitions: bool,
}

impl FoundDisk {
    /// Opens it for reading. A partition, and a disk whose partitions are listed beside it, is not searched
    /// for partitions any more.
    ///
    /// # Errors
    /// The device node is missing or can not be read.
    pub fn open(&self) -> Result<Device, OpenError> {
        let disk = FileDisk::open(&self.path, self.sector_size)?;
        let device = Device::whole(&self.path, Arc::new(disk)).with_serial(self.serial.clone());
        let device = match &self.partition_of {
            Some(disk) => {
                let disk = self.path.with_file_name(disk.rsplit('!').next().unwrap_or(disk));
                device.with_disk(disk, self.start.to_bytes().unwrap_or(Bytes::MAX))
            }
            None => device,
        };
        let is_listed = self.partition_of.is_some() || self.has_partitions;
        Ok(if is_listed { device.undivided() } else { device })
    }
}

/// The disks and partitions of the machine in natural order, each disk followed by its partitions. `sysroot` is the
/// folder that holds `sys` and `dev`: `/`, or the copy of another machine's.
///
/// # Errors
/// Neither `sys/block` nor `sys/class/block` can be listed.
pub fn machine(sysroot: &Path) -> Result<Vec<FoundDisk>, ScanError> {
    let dev = sysroot.join("dev");
    let entries = block_directories(&sysroot.join("sys"))?;
    let mut found = Vec::new();
    for (name, directory) in &entries {
        if directory.join("partition").exists() || !is_disk(name, directory) {
            continue;
        }
        let disk = describe(name, directory, &dev);
        let partitions = partitions_of(&disk, directory, &entries, &dev);
        found.push(FoundDisk { has_partitions: !partitions.is_empty(), ..disk });
        found.extend(partitions);
    }
    found.sort_by(|a, b| natural_order(&a.name, &b.name));
    Ok(found)
}

/// Block devices by name, with their sysfs directories. `sys/block` has the disks alone, `sys/class/block` the
/// partitions too; a recorded machine may have either.
fn block_directories(sys: &Path) -> Result<BTreeMap<String, PathBuf>, ScanError> {
    let mut found = BTreeMap::new();
    let mut is_listed = false;
    let mut failed = None;
    for folder in ["class/block", "block"].map(|folder| sys.join(folder)) {
        match fs::read_dir(&folder) {
            Ok(entries) => {
                is_listed = true;
                found.extend(entries.flatten().filter_map(|entry| {
                    let name = entry.file_name().into_string().ok()?;
                    Some((name, entry.path()))
                }));
            }
            Err(error) => failed = Some(ScanError { path: path_to_text(&folder), error }),
        }
    }
    match failed {
        Some(error) if !is_listed => Err(error),
        _ => Ok(found),
    }
}

/// Whether a block device is a disk with a medium in it.
fn is_disk(name: &str, directory: &Path) -> bool {
    let is_other = NOT_DISKS.contains(&driver(name));
    let is_stacked = fs::read_dir(directory.join("slaves")).is_ok_and(|mut slaves| slaves.next().is_some());
    // The paths of an nvme multipath disk are there, but have no device nodes.
    let is_hidden = text(&directory.join("hidden")).is_some_and(|hidden| hidden == "1");
    !is_other && !is_stacked && !is_hidden && !size_of(directory).is_zero()
}

/// The letters that a name begins with.
fn driver(name: &str) -> &str {
    name.find(|character: char| !character.is_ascii_lowercase())
        .and_then(|end| name.get(..end))
        .unwrap_or(name)
}

fn size_of(directory: &Path) -> Sectors {
    number_in(&directory.join("size"))
}

/// A number of sectors in a file of sysfs; zero where there is none.
fn number_in(path: &Path) -> Sectors {
    Sectors(text(path).and_then(|text| text.parse().ok()).unwrap_or_default())
}

fn describe(name: &str, directory: &Path, dev: &Path) -> FoundDisk {
    let sector_size = text(&directory.join("queue/logical_block_size"))
        .and_then(|size| size.parse().ok())
        .and_then(SectorSize::new);
    FoundDisk {
        name: name.to_owned(),
        // In sysfs a slash in a device name is an exclamation mark.
        path: dev.join(name.replace('!', "/")),
        size: size_of(directory),
        sector_size,
        serial: serial_in(directory),
        partition_of: None,
        start: Sectors::ZERO,
        has_partitions: false,
    }
}

/// The partitions of a disk: the directories inside its own that have a number, and those beside it that are
/// named after it, where a recorded machine has no nesting.
fn partitions_of(
    disk: &FoundDisk,
    directory: &Path,
    entries: &BTreeMap<String, PathBuf>,
    dev: &Path,
) -> Vec<FoundDisk> {
    let mut places = BTreeMap::new();
    let inside = fs::read_dir(directory).into_iter().flatten().flatten();
    places.extend(inside.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path()))));
    let beside = entries.iter().filter(|(name, _)| is_partition_name(name, &disk.name));
    places.extend(beside.map(|(name, place)| (name.clone(), place.clone())));
    let is_partition = |place: &PathBuf| place.join("partition").exists() && !size_of(place).is_zero();
    places.retain(|_, place| is_partition(place));
    places
        .iter()
        .map(|(name, place)| FoundDisk {
            sector_size: disk.sector_size,
            serial: disk.serial.clone(),
            partition_of: Some(disk.name.clone()),
            start: number_in(&place.join("start")),
            ..describe(name, place, dev)
        })
        .collect()
}

/// Whether the kernel would give that name to a partition of the disk: a number after it, with a `p` between
/// where the disk's name ends in a digit.
fn is_partition_name(name: &str, disk: &str) -> bool {
    let number =
        name.strip_prefix(disk).map(|rest| match disk.ends_with(|last: char| last.is_ascii_digit()) {
            true => rest.strip_prefix('p').unwrap_or_default(),
            false => rest,
        });
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The order in which the kernel counts: numbers by value, and the letters of [`LETTERED`] drivers too.
fn natural_order(a: &str, b: &str) -> Ordering {
    order_key(a).cmp(&order_key(b))
}

/// Driver, letters (fewer come first), and the rest as numbers with the text after each.
fn order_key(name: &str) -> (&str, usize, &str, Vec<(u64, &str)>) {
    let start = driver(name);
    let lettered =
        LETTERED.iter().find_map(|prefix| start.strip_prefix(prefix).map(|letters| (*prefix, letters)));
    let (prefix, letters) = lettered.unwrap_or((start, ""));
    let mut rest = name.get(start.len()..).unwrap_or_default();
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let digits = split_at(rest, |character| !character.is_ascii_digit());
        let after = rest.get(digits.len()..).unwrap_or_default();
        let text = split_at(after, |character| character.is_ascii_digit());
        pieces.push((digits.parse().unwrap_or(u64::MAX), text));
        rest = after.get(text.len()..).unwrap_or_default();
    }
    (prefix, letters.len(), letters, pieces)
}

/// The part of a text before the first character that ends it.
fn split_at(text: &str, ends: impl Fn(char) -> bool) -> &str {
    text.find(ends).and_then(|end| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::ReadAt;
    use crate::scan::serial_of;
    use std::os::unix::fs::symlink;
    use tempfile::TempDir;

    /// A recorded machine: files by path below the sysroot.
    fn sysroot(files: &[(&str, &[u8])]) -> TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        root
    }

    fn names(root: &TempDir) -> Vec<String> {
        machine(root.path()).unwrap().into_iter().map(|disk| disk.name).collect()
    }

    #[test]
    fn disks_come_in_natural_order_each_followed_by_its_partitions() {
        let sizes = [
            "sdb",
            "sdaa",
            "sda",
            "sda/sda10",
            "sda/sda2",
            "vda",
            "nvme0n1",
            "nvme0n1/nvme0n1p1",
            "nvme10n1",
            "nvme2n1",
        ];
        let files: Vec<(String, &[u8])> = sizes
            .iter()
            .flat_map(|name| {
                let number = name.contains('/').then(|| (format!("sys/block/{name}/partition"), &b"1\n"[..]));
                number.into_iter().chain([(format!("sys/block/{name}/size"), &b"2048\n"[..])])
            })
            .collect();
        let files: Vec<(&str, &[u8])> =
            files.iter().map(|(path, content)| (path.as_str(), *content)).collect();
        let expected =
            ["nvme0n1", "nvme0n1p1", "nvme2n1", "nvme10n1", "sda", "sda2", "sda10", "sdb", "sdaa", "vda"];
        assert_eq!(names(&sysroot(&files)), expected);
    }

    #[test]
    fn stacked_hidden_and_empty_devices_are_no_disks() {
        let root = sysroot(&[
            ("sys/block/sda/size", b"2048\n"),
            ("sys/block/dm-0/size", b"2048\n"),
            ("sys/block/md127/size", b"2048\n"),
            ("sys/block/loop3/size", b"2048\n"),
            ("sys/block/zram0/size", b"2048\n"),
            ("sys/block/sr0/size", b"2048\n"),
            ("sys/block/nbd0/size", b"0\n"),
            ("sys/block/nbd1/size", b"2048\n"),
            ("sys/block/sdb/size", b"0\n"),
            ("sys/block/bcache0/size", b"2048\n"),
            ("sys/block/bcache0/slaves/sda/size", b"2048\n"),
            ("sys/block/nvme0c0n1/size", b"2048\n"),
            ("sys/block/nvme0c0n1/hidden", b"1\n"),
        ]);
        assert_eq!(names(&root), ["nbd1", "sda"]);
    }

    #[test]
    fn every_disk_has_its_serial_number_and_a_partition_its_disks() {
        let root = sysroot(&[
            ("sys/block/sda/size", b"2048\n"),
            ("sys/block/sda/device/vpd_pg80", b"\0\x80\0\x08    SER1"),
            ("sys/block/sda/sda1/size", b"1024\n"),
            ("sys/block/sda/sda1/partition", b"1\n"),
            ("sys/block/nvme0n1/size", b"2048\n"),
            ("sys/block/nvme0n1/device/serial", b"NV 7          \n"),
            ("sys/block/vda/size", b"2048\n"),
            ("sys/block/vda/serial", b"VIRT\n"),
            ("sys/block/sdb/size", b"2048\n"),
            ("dev/sda", b""),
            ("dev/sda1", b""),
            ("elsewhere/sda", b""),
        ]);
        let found = machine(root.path()).unwrap();
        let serials: Vec<_> = found.iter().map(|disk| (disk.name.as_str(), disk.serial.as_deref())).collect();
        let sda = Some("SER1");
        let expected =
            [("nvme0n1", Some("NV 7")), ("sda", sda), ("sda1", sda), ("sdb", None), ("vda", Some("VIRT"))];
        assert_eq!(serials, expected);
        let serial = |path: &str| serial_of(&root.path().join(path), root.path());
        assert_eq!(serial("dev/sda").as_deref(), sda);
        assert_eq!(serial("dev/sda1").as_deref(), sda, "the disk's, for a partition");
        assert_eq!(serial("elsewhere/sda"), None, "a file that only has the name of a disk");
        assert_eq!(serial("dev/missing"), None);
    }

    #[test]
    fn links_into_the_device_tree_are_followed_as_on_a_live_machine() {
        let root = sysroot(&[
            ("sys/devices/pci0/block/sda/size", b"2048\n"),
            ("sys/devices/pci0/block/sda/device/vpd_pg80", b"\0\x80\0\x04SER1"),
            ("sys/devices/pci0/block/sda/sda1/size", b"1024\n"),
            ("sys/devices/pci0/block/sda/sda1/partition", b"1\n"),
            ("dev/sda1", b""),
        ]);
        fs::create_dir_all(root.path().join("sys/class/block")).unwrap();
        for (name, target) in [("sda", "sda"), ("sda1", "sda/sda1")] {
            let target = format!("../../devices/pci0/block/{target}");
            symlink(target, root.path().join("sys/class/block").join(name)).unwrap();
        }
        assert_eq!(names(&root), ["sda", "sda1"]);
        assert_eq!(serial_of(&root.path().join("dev/sda1"), root.path()).as_deref(), Some("SER1"));
    }

    #[test]
    fn a_flat_recording_still_tells_partitions_from_disks() {
        let root = sysroot(&[
            ("sys/class/block/sda/size", b"2048\n"),
            ("sys/class/block/sda1/size", b"1024\n"),
            ("sys/class/block/sda1/partition", b"1\n"),
            ("sys/class/block/nvme0n1/size", b"2048\n"),
            ("sys/class/block/nvme0n1p1/size", b"1024\n"),
            ("sys/class/block/nvme0n1p1/partition", b"1\n"),
            ("sys/class/block/nvme0n10/size", b"2048\n"),
        ]);
        let found = machine(root.path()).unwrap();
        let parents: Vec<_> =
            found.iter().map(|disk| (disk.name.as_str(), disk.partition_of.as_deref())).collect();
        let expected = [
            ("nvme0n1", None),
            ("nvme0n1p1", Some("nvme0n1")),
            ("nvme0n10", None),
            ("sda", None),
            ("sda1", Some("sda")),
        ];
        assert_eq!(parents, expected);
    }

    #[test]
    fn a_recorded_disk_opens_with_its_serial_and_its_sector_size() {
        let root = sysroot(&[
            ("sys/block/sda/size", b"16\n"),
            ("sys/block/sda/queue/logical_block_size", b"4096\n"),
            ("sys/block/sda/device/serial", b"SER1\n"),
            ("sys/block/cciss!c0d0/size", b"16\n"),
            ("dev/sda", &[0; 8192]),
            ("dev/cciss/c0d0", &[0; 8192]),
        ]);
        let found = machine(root.path()).unwrap();
        let [array, disk] = found.as_slice() else { panic!("{found:?}") };
        let device = disk.open().unwrap();
        assert_eq!(device.sector_size(), SectorSize::B4096);
        assert_eq!(device.serial(), Some("SER1"));
        assert!(!device.is_undivided(), "the kernel knows no partitions of it, the image may have a table");
        assert_eq!(array.path, root.path().join("dev/cciss/c0d0"));
        assert!(array.open().is_ok());
    }

    #[test]
    fn a_sysroot_without_sysfs_is_an_error_that_names_the_folder() {
        let root = sysroot(&[]);
        let error = machine(root.path()).unwrap_err().to_string();
        assert!(error.contains("sys/block"), "{error}");
        fs::create_dir_all(root.path().join("sys/block")).unwrap();
        assert_eq!(machine(root.path()).unwrap(), [], "a machine without disks");
    }
}
