//! Who uses a device: what the kernel stacked on it, where it is mounted, whether it is swap, which program has it for itself
//! alone, which loop device an image is attached to. Read from sysfs and proc below a sysroot; that somebody has a block
//! device for himself only an attempt to open it so can tell.

use crate::escape::{escape, path_to_text};
use nix::errno::Errno;
use nix::libc::{O_EXCL, O_NONBLOCK};
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Longest table that is read.
const MAX_TABLE_BYTES: u64 = 16 << 20;

/// The users of a block device and of its partitions, or of an image file, each in a few words; none when it is free.
/// What is stacked on it is named as in sysfs: `md127`, `dm-3`.
#[must_use]
pub fn holders(path: &Path, sysroot: &Path) -> Vec<String> {
    let mut found = loops(path, sysroot);
    let Some(directory) = crate::scan::sysfs_directory(path, sysroot) else { return found };
    let places = with_partitions(&directory);
    for place in &places {
        found.extend(names_in(&place.join("holders")));
        found.extend(mounts(place, sysroot).into_iter().map(|mount| format!("a mount at {}", mount.at)));
        if is_swap(place, sysroot) {
            found.push("swap".to_owned());
        }
    }
    if found.is_empty() && is_exclusive(path) {
        let names: Vec<String> = places.iter().map(|place| file_name(place)).collect();
        found.extend(programs_at(&names, sysroot));
        if found.is_empty() {
            found.push("something that the kernel does not name".to_owned());
        }
    }
    found.sort();
    found.dedup();
    found
}

/// Whether nothing that uses a block device can write it: it is mounted read-only wherever it is mounted, and so is what is
/// stacked on it. A swap device can be written, and so can one that is used in a way that can not be seen.
#[must_use]
pub fn only_read(path: &Path, sysroot: &Path) -> bool {
    crate::scan::sysfs_directory(path, sysroot)
        .is_some_and(|directory| place_only_read(&directory, sysroot, 0))
}

fn place_only_read(directory: &Path, sysroot: &Path, depth: u32) -> bool {
    const DEEPEST: u32 = 16;
    let mut is_used = false;
    for place in with_partitions(directory) {
        if depth > DEEPEST || is_swap(&place, sysroot) {
            return false;
        }
        for holder in names_in(&place.join("holders")) {
            is_used = true;
            if !place_only_read(&sysroot.join("sys/block").join(holder), sysroot, depth.saturating_add(1)) {
                return false;
            }
        }
        for mount in mounts(&place, sysroot) {
            is_used = true;
            if !mount.options.split(',').any(|option| option == "ro") {
                return false;
            }
        }
    }
    is_used
}

/// Whether somebody has a block device, or a partition of it, for himself alone.
fn is_exclusive(path: &Path) -> bool {
    if !path.metadata().is_ok_and(|metadata| metadata.file_type().is_block_device()) {
        return false;
    }
    let opened = fs::OpenOptions::new().read(true).custom_flags(O_EXCL | O_NONBLOCK).open(path);
    opened.is_err_and(|error| error.raw_os_error() == Some(Errno::EBUSY as i32))
}

/// The programs that have one of these devices open, beside this one.
fn programs_at(devices: &[String], sysroot: &Path) -> Vec<String> {
    let own = fs::read_link(sysroot.join("proc/self")).ok();
    let is_one = |entry: fs::DirEntry| {
        let open = fs::read_link(entry.path()).ok();
        open.is_some_and(|open| open.starts_with("/dev") && devices.contains(&file_name(&open)))
    };
    let program = |process: fs::DirEntry| {
        let number: u32 = process.file_name().to_str()?.parse().ok()?;
        if own.as_ref().is_some_and(|own| own.as_os_str() == process.file_name()) {
            return None;
        }
        let mut open = fs::read_dir(process.path().join("fd")).ok()?.flatten();
        let name = || crate::scan::attribute_text(&process.path().join("comm")).unwrap_or_default();
        open.any(is_one).then(|| format!("{} (process {number})", escape(name().as_bytes())))
    };
    fs::read_dir(sysroot.join("proc")).into_iter().flatten().flatten().filter_map(program).collect()
}

/// A disk's directory and those of its partitions.
fn with_partitions(disk: &Path) -> Vec<PathBuf> {
    let inside = fs::read_dir(disk).into_iter().flatten().flatten().map(|entry| entry.path());
    let partitions = inside.filter(|place| place.join("partition").exists());
    std::iter::once(disk.to_owned()).chain(partitions).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| escape(entry.file_name().as_encoded_bytes())).collect()
}

/// A file system on a device.
struct Mount {
    /// Where, escaped.
    at: String,
    /// How, for all places where it is mounted.
    options: String,
}

/// The mounts of a device, by its sysfs directory. The third column of the table is its number, the fifth the place, the last
/// the options. A file system that may have several devices has a number of its own there, and one of their paths
/// in the second column behind a lone `-`.
fn mounts(directory: &Path, sysroot: &Path) -> Vec<Mount> {
    let number = crate::scan::attribute_text(&directory.join("dev"));
    let mapped = crate::scan::attribute_text(&directory.join("dm/name"));
    let paths =
        [Some(format!("/dev/{}", file_name(directory))), mapped.map(|name| format!("/dev/mapper/{name}"))];
    let mount = |line: &str| {
        let columns: Vec<&str> = line.split(' ').collect();
        let source = columns.iter().position(|column| *column == "-").and_then(|dash| columns.get(dash + 2));
        let is_source = source.is_some_and(|source| paths.iter().flatten().any(|path| path == source));
        let is_it = is_source || columns.get(2).copied() == number.as_deref();
        let at = columns.get(4).filter(|_| is_it).map(|place| escape(&plain(place)))?;
        Some(Mount { at, options: (*columns.last()?).to_owned() })
    };
    table(&sysroot.join("proc/self/mountinfo")).lines().filter_map(mount).collect()
}

/// A path of the mount table, in which white space and backslashes are `\NNN` in octal.
fn plain(place: &str) -> Vec<u8> {
    let mut parts = place.split('\\');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(3).unwrap_or((part, ""));
        match u8::from_str_radix(digits, 8) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend(digits.bytes()),
        }
        bytes.extend(rest.bytes());
    }
    bytes
}

/// Whether a device, by its sysfs directory, is swapped to.
fn is_swap(directory: &Path, sysroot: &Path) -> bool {
    let table = table(&sysroot.join("proc/swaps"));
    let mut used = table.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    used.any(|swap| swap.rsplit('/').next() == Some(&file_name(directory)))
}

fn table(path: &Path) -> String {
    use std::io::Read;
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(MAX_TABLE_BYTES).read_to_end(&mut bytes));
    read.map(|_| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// The loop devices that an image file is attached to.
fn loops(path: &Path, sysroot: &Path) -> Vec<String> {
    let is_file = |metadata: fs::Metadata| metadata.is_file() && !metadata.file_type().is_block_device();
    let Some(path) = path.canonicalize().ok().filter(|path| path.metadata().is_ok_and(is_file)) else {
        return Vec::new();
    };
    let backs = |place: &PathBuf| {
        let backing = crate::scan::attribute_text(&place.join("loop/backing_file"));
        backing.is_some_and(|backing| same_file(Path::new(&backing), &path))
    };
    let disks = fs::read_dir(sysroot.join("sys/block")).into_iter().flatten().flatten();
    disks
        .map(|disk| disk.path())
        .filter(backs)
        .map(|place| path_to_text(Path::new(&file_name(&place))))
        .collect()
}

fn same_file(a: &Path, b: &Path) -> bool {
    let identity = |path: &Path| path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()));
    a == b || (identity(a).is_some() && identity(a) == identity(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A recorded machine: sda with a partition sda1.
    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new() -> Self {
            let machine = Self(tempfile::tempdir().unwrap());
            machine.write("sys/block/sda/dev", "8:0\n");
            machine.write("sys/block/sda/sda1/dev", "8:1\n");
            machine.write("sys/block/sda/sda1/partition", "1\n");
            machine.write("dev/sda", "");
            machine.write("dev/sda1", "");
            machine
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn holders(&self, device: &str) -> Vec<String> {
            holders(&self.0.path().join("dev").join(device), self.0.path())
        }
    }

    #[test]
    fn a_device_that_nothing_uses_is_free() {
        assert!(Machine::new().holders("sda").is_empty());
    }

    #[test]
    fn what_uses_a_partition_uses_its_disk_too() {
        let machine = Machine::new();
        machine.write("sys/block/sda/sda1/holders/md127", "");
        assert_eq!(machine.holders("sda"), ["md127"]);
        assert_eq!(machine.holders("sda1"), ["md127"]);
    }

    #[test]
    fn a_mount_is_named_by_its_place_and_swap_by_what_it_is() {
        let machine = Machine::new();
        let line =
            "36 35 8:1 / /mnt\\040a rw - ext4 /dev/sda1 rw\n29 1 8:17 / /boot rw - ext4 /dev/sdb1 rw\n";
        machine.write("proc/self/mountinfo", line);
        machine.write("proc/swaps", "Filename Type Size Used Priority\n/dev/sda partition 1 0 -2\n");
        assert_eq!(machine.holders("sda"), ["a mount at /mnt a", "swap"]);
        assert_eq!(machine.holders("sda1"), ["a mount at /mnt a"]);
    }

    #[test]
    fn what_is_mounted_read_only_everywhere_is_only_read() {
        let machine = Machine::new();
        let only_read = || only_read(&machine.0.path().join("dev/sda"), machine.0.path());
        assert!(!only_read(), "nothing uses it that could be seen");
        let root = |options: &str| format!("29 1 8:1 / / rw,relatime - ext4 /dev/sda1 {options}\n");
        machine.write("proc/self/mountinfo", &root("rw,errors=remount-ro"));
        assert!(!only_read());
        machine.write("proc/self/mountinfo", &root("ro,errors=remount-ro"));
        assert!(only_read());
        machine.write("sys/block/sda/sda1/holders/dm-0", "");
        machine.write("sys/block/dm-0/dev", "253:0\n");
        assert!(!only_read(), "what is stacked on it can write");
        let stacked = root("ro") + "30 1 253:0 / /usr ro - ext4 /dev/dm-0 ro\n";
        machine.write("proc/self/mountinfo", &stacked);
        assert!(only_read());
    }

    #[test]
    fn a_file_system_of_several_devices_is_known_by_the_path_that_is_mounted() {
        let machine = Machine::new();
        let line = "40 29 0:35 / /data rw - btrfs /dev/sda1 rw\n41 29 0:36 / /tmp rw - tmpfs sda1 rw\n";
        machine.write("proc/self/mountinfo", line);
        assert_eq!(machine.holders("sda"), ["a mount at /data"]);
        let mapped = "40 29 0:35 / /data rw - btrfs /dev/mapper/vg-lv rw\n";
        machine.write("proc/self/mountinfo", mapped);
        machine.write("sys/block/dm-0/dev", "253:0\n");
        machine.write("sys/block/dm-0/dm/name", "vg-lv\n");
        machine.write("dev/dm-0", "");
        assert_eq!(machine.holders("dm-0"), ["a mount at /data"]);
    }

    #[test]
    fn a_disk_is_written_where_one_of_its_partitions_is_whatever_the_file_system() {
        let machine = Machine::new();
        machine.write("sys/block/sda/sda2/dev", "8:2\n");
        machine.write("sys/block/sda/sda2/partition", "2\n");
        let mounted = |options: &str| {
            let lines = format!(
                "29 1 8:1 / / ro - ext4 /dev/sda1 ro\n40 29 0:35 / /data rw - btrfs /dev/sda2 {options}\n"
            );
            machine.write("proc/self/mountinfo", &lines);
            only_read(&machine.0.path().join("dev/sda"), machine.0.path())
        };
        assert!(!mounted("rw,space_cache=v2"));
        assert!(mounted("ro,space_cache=v2"));
    }

    #[test]
    fn programs_are_named_by_what_they_have_open() {
        let machine = Machine::new();
        for (process, open) in [(77, "/dev/sda1"), (78, "/dev/sdb1"), (79, "/home/sda1"), (80, "/dev/sda")] {
            machine.write(&format!("proc/{process}/comm"), "mkfs\u{1b}\n");
            let directory = machine.0.path().join(format!("proc/{process}/fd"));
            fs::create_dir_all(&directory).unwrap();
            std::os::unix::fs::symlink(open, directory.join("3")).unwrap();
        }
        std::os::unix::fs::symlink("80", machine.0.path().join("proc/self")).unwrap();
        let devices = ["sda".to_owned(), "sda1".to_owned()];
        assert_eq!(programs_at(&devices, machine.0.path()), ["mkfs\\x1b (process 77)"]);
    }

    #[test]
    fn an_image_that_is_attached_to_a_loop_device_is_in_use() {
        let machine = Machine::new();
        machine.write("disk.img", "");
        let image = machine.0.path().join("disk.img");
        assert!(holders(&image, machine.0.path()).is_empty());
        machine.write("sys/block/loop3/loop/backing_file", &format!("{}\n", image.display()));
        assert_eq!(holders(&image, machine.0.path()), ["loop3"]);
    }
}
