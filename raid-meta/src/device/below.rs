//! What a block device lies on: the disk of a partition, what device-mapper or md made it of, what a loop device is attached
//! to. By what the kernel says in sysfs.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Devices that are looked at, of one that lies on many.
const MAX_DEVICES: usize = 1 << 12;

/// Whether what is written to a device, or a file, may be written to another one: it is the same, or lies on it.
#[must_use]
pub fn lies_on(upper: &Path, lower: &Path, sysroot: &Path) -> bool {
    if same(upper, lower) {
        return true;
    }
    let wanted = crate::scan::sysfs_directory(lower, sysroot);
    let mut next: Vec<PathBuf> = crate::scan::sysfs_directory(upper, sysroot).into_iter().collect();
    let mut seen = BTreeSet::new();
    while let Some(directory) = next.pop() {
        if wanted.as_ref() == Some(&directory) {
            return true;
        }
        if seen.len() >= MAX_DEVICES || !seen.insert(directory.clone()) {
            continue;
        }
        next.extend(slaves(&directory));
        next.extend(disk(&directory));
        if let Some(file) = crate::scan::attribute_text(&directory.join("loop/backing_file")) {
            let file = Path::new(&file);
            if same(file, lower) {
                return true;
            }
            next.extend(crate::scan::sysfs_directory(file, sysroot));
        }
    }
    false
}

/// Whether two paths are of the same file, or block device.
fn same(one: &Path, other: &Path) -> bool {
    let (Ok(one), Ok(other)) = (one.metadata(), other.metadata()) else { return false };
    let are_devices = one.file_type().is_block_device() && other.file_type().is_block_device();
    (one.dev(), one.ino()) == (other.dev(), other.ino()) || (are_devices && one.rdev() == other.rdev())
}

fn slaves(directory: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(directory.join("slaves")).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.path().canonicalize().ok())
}

/// The disk that a partition is of.
fn disk(directory: &Path) -> Option<PathBuf> {
    directory.join("partition").exists().then(|| directory.parent().map(Path::to_owned)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A recorded machine: sda with sda1, on which dm-0 lies, on which loop0 does.
    fn machine() -> tempfile::TempDir {
        let machine = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = machine.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for (device, folder) in [("sda", "sda"), ("sdb", "sdb"), ("sda1", "sda/sda1"), ("sda2", "sda/sda2")] {
            write(&format!("dev/{device}"), "");
            write(&format!("sys/block/{folder}/size"), "8\n");
        }
        write("sys/block/sda/sda1/partition", "1\n");
        write("sys/block/sda/sda2/partition", "2\n");
        write("dev/dm-0", "");
        fs::create_dir_all(machine.path().join("sys/block/dm-0/slaves")).unwrap();
        std::os::unix::fs::symlink("../../sda/sda1", machine.path().join("sys/block/dm-0/slaves/sda1"))
            .unwrap();
        write("dev/loop0", "");
        let dm = machine.path().join("dev/dm-0");
        write("sys/block/loop0/loop/backing_file", &format!("{}\n", dm.display()));
        machine
    }

    #[test]
    fn a_device_lies_on_all_that_is_below_it_and_on_nothing_beside_or_above_it() {
        let machine = machine();
        let lies = |upper: &str, lower: &str| {
            let path = |name: &str| machine.path().join("dev").join(name);
            lies_on(&path(upper), &path(lower), machine.path())
        };
        for (upper, lower) in
            [("sda1", "sda"), ("dm-0", "sda1"), ("dm-0", "sda"), ("loop0", "dm-0"), ("loop0", "sda")]
        {
            assert!(lies(upper, lower), "{upper} on {lower}");
            assert!(!lies(lower, upper), "{lower} on {upper}");
        }
        assert!(lies("sdb", "sdb"));
        for (upper, lower) in
            [("sda1", "sda2"), ("sda2", "sda1"), ("dm-0", "sda2"), ("loop0", "sdb"), ("sdb", "none")]
        {
            assert!(!lies(upper, lower), "{upper} on {lower}");
        }
    }

    #[test]
    fn what_lies_on_itself_by_a_wrong_table_comes_to_an_end() {
        let machine = machine();
        fs::create_dir_all(machine.path().join("sys/block/sda/slaves")).unwrap();
        std::os::unix::fs::symlink("../../dm-0", machine.path().join("sys/block/sda/slaves/dm-0")).unwrap();
        let path = |name: &str| machine.path().join("dev").join(name);
        assert!(!lies_on(&path("loop0"), &path("sdb"), machine.path()));
    }
}
