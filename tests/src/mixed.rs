//! A thousand sparse images of mixed kinds, as a probe meets them: members of arrays, blank and used disks,
//! partition tables, file systems, and files that are no disks at all.

use crate::forge::MdSet;
use crate::random::Random;
use crate::sparse::SparseDisk;
use crate::{Fixture, forge};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Kept of either end of a real disk: past that no prober looks.
const ENDS: u64 = 256 << 10;
const MIB: u64 = 1 << 20;

/// One kind of image, with a maker of as many as are wanted.
struct Kind {
    name: &'static str,
    count: usize,
    make: Box<dyn FnMut(u64) -> SparseDisk>,
}

/// Writes a thousand images into a directory; their paths, the kinds shuffled.
///
/// # Panics
/// They can not be written.
#[must_use]
pub fn thousand_images(directory: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for kind in &mut kinds(directory) {
        for index in 0..kind.count as u64 {
            let path = directory.join(format!("{}-{index}.img", kind.name));
            (kind.make)(index).store(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            paths.push(path);
        }
    }
    paths.extend(members_of_real_sets(directory, 1000 - paths.len()));
    let mut random = Random::new(3);
    for index in (1..paths.len()).rev() {
        paths.swap(index, usize::try_from(random.below(index as u64 + 1)).expect("an index"));
    }
    paths
}

fn kinds(directory: &Path) -> Vec<Kind> {
    let kind = |name, count, make: Box<dyn FnMut(u64) -> SparseDisk>| Kind { name, count, make };
    let mut kinds = vec![
        kind("md-1.0", 30, Box::new(|number| md_member(number, 0))),
        kind("md-1.1", 30, Box::new(|number| md_member(number, 1))),
        kind("md-1.2", 30, Box::new(|number| md_member(number, 2))),
        kind("md-0.90", 30, Box::new(|number| md_legacy(number, false))),
        kind("md-0.90-big", 20, Box::new(|number| md_legacy(number, true))),
        kind("blank", 140, Box::new(|number| SparseDisk::blank(*cycled(&BLANKS, number)))),
        kind("random", 100, Box::new(random_ends)),
        kind("mbr", 70, Box::new(mbr_disk)),
        kind("gpt", 70, Box::new(gpt_disk)),
        kind("text", 60, Box::new(|number| text(usize::try_from(number).expect("small") * 997 + 10))),
        kind("tiny", 40, Box::new(|number| text(usize::try_from(number).expect("small") * 13))),
    ];
    let filesystems = filesystems(directory);
    if !filesystems.is_empty() {
        kinds.push(kind("filesystem", 100, Box::new(move |number| cycled(&filesystems, number).clone())));
    }
    kinds
}

fn cycled<T>(of: &[T], number: u64) -> &T {
    &of[usize::try_from(number).expect("small") % of.len()]
}

/// Sizes of blank images.
const BLANKS: [u64; 9] =
    [4096, 65536, 65536 + 512, MIB, 10 * MIB, 10 * MIB + 1, 64 * MIB, 1 << 30, 100 << 30];

fn md_member(number: u64, minor: u8) -> SparseDisk {
    let device_bytes = (8 + number) * MIB;
    let (at, block) = MdSet { number: number + 100 * u64::from(minor), device_bytes }.version_1(minor);
    SparseDisk::blank(device_bytes).with(at, block)
}

fn md_legacy(number: u64, big_endian: bool) -> SparseDisk {
    let device_bytes = (8 + number) * MIB;
    let (at, block) =
        MdSet { number: number + if big_endian { 1000 } else { 2000 }, device_bytes }.version_0(big_endian);
    SparseDisk::blank(device_bytes).with(at, block)
}

fn random_ends(number: u64) -> SparseDisk {
    let mut random = Random::new(number);
    let size = 4 * MIB + random.below(1000) * 512;
    let (head, tail) = (random.bytes(65536), random.bytes(131_072));
    SparseDisk::blank(size).with(0, head).with(size - 131_072, tail)
}

/// A text of that many bytes.
#[must_use]
pub fn text(length: usize) -> SparseDisk {
    let line = b"All work and no play makes Jack a dull boy.\n";
    let bytes: Vec<u8> = line.iter().copied().cycle().take(length).collect();
    SparseDisk::blank(length as u64).with(0, bytes)
}

/// A disk of 32 MiB with four partitions by an MBR; in every third one, an md member.
#[must_use]
pub fn mbr_disk(number: u64) -> SparseDisk {
    let mut table = vec![0; 512];
    for (index, entry) in table[446..510].chunks_exact_mut(16).enumerate() {
        let first = 2048 + u32::try_from(index).expect("small") * 12288;
        entry[4] = 0xfd;
        entry[8..12].copy_from_slice(&first.to_le_bytes());
        entry[12..].copy_from_slice(&12288_u32.to_le_bytes());
    }
    table[510..].copy_from_slice(&[0x55, 0xaa]);
    with_member(SparseDisk::blank(32 * MIB).with(0, table), number, 5000)
}

/// The same by a GPT with its copy at the end.
#[must_use]
pub fn gpt_disk(number: u64) -> SparseDisk {
    let disk = SparseDisk::blank(32 * MIB);
    let last = disk.len() / 512 - 1;
    let mut entries = vec![0; 128 * 128];
    for (index, entry) in entries.chunks_exact_mut(128).take(4).enumerate() {
        let first = 2048 + index as u64 * 12288;
        entry[..32].copy_from_slice(&[0x11; 32]);
        entry[32..40].copy_from_slice(&first.to_le_bytes());
        entry[40..48].copy_from_slice(&(first + 12287).to_le_bytes());
    }
    let header = |own: u64, other: u64, table: u64| {
        let mut header = vec![0; 512];
        header[..8].copy_from_slice(b"EFI PART");
        header[8..16].copy_from_slice(&[0, 0, 1, 0, 92, 0, 0, 0]);
        header[24..32].copy_from_slice(&own.to_le_bytes());
        header[32..40].copy_from_slice(&other.to_le_bytes());
        header[40..48].copy_from_slice(&34_u64.to_le_bytes());
        header[48..56].copy_from_slice(&(last - 33).to_le_bytes());
        header[72..80].copy_from_slice(&table.to_le_bytes());
        header[80..88].copy_from_slice(&[128, 0, 0, 0, 128, 0, 0, 0]);
        header[88..92].copy_from_slice(&crc32(&entries).to_le_bytes());
        let checksum = crc32(&header[..92]);
        header[16..20].copy_from_slice(&checksum.to_le_bytes());
        header
    };
    let mut protective = vec![0; 512];
    protective[446 + 4] = 0xee;
    protective[446 + 8] = 1;
    protective[446 + 12..446 + 16].copy_from_slice(&u32::MAX.to_le_bytes());
    protective[510..].copy_from_slice(&[0x55, 0xaa]);
    let disk = disk.with(0, protective).with(512, header(1, last, 2)).with(1024, entries.clone());
    let disk = disk.with((last - 32) * 512, entries.clone()).with(last * 512, header(last, 1, last - 32));
    with_member(disk, number, 6000)
}

fn with_member(disk: SparseDisk, number: u64, base: u64) -> SparseDisk {
    if !number.is_multiple_of(3) {
        return disk;
    }
    let (at, block) = MdSet { number: number + base, device_bytes: 12288 * 512 }.version_1(2);
    disk.with(MIB + at, block)
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}

/// What the installed programs make: a name, a size, and the command to which the image is the last argument.
const MAKERS: [(&str, u64, &[&str]); 13] = [
    ("ext2", 4, &["mke2fs", "-q", "-F", "-t", "ext2"]),
    ("ext3", 16, &["mke2fs", "-q", "-F", "-t", "ext3"]),
    ("ext4", 16, &["mke2fs", "-q", "-F", "-t", "ext4"]),
    ("ext4-odd", 17, &["mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024"]),
    ("swap", 4, &["mkswap"]),
    ("xfs", 320, &["mkfs.xfs", "-q"]),
    ("btrfs", 128, &["mkfs.btrfs", "-q"]),
    ("vfat", 16, &["mkfs.vfat"]),
    ("fat32", 64, &["mkfs.vfat", "-F", "32"]),
    ("minix", 4, &["mkfs.minix"]),
    ("cramfs", 0, &["mkfs.cramfs", "/etc/alternatives"]),
    ("squashfs", 0, &["mksquashfs", "/etc/alternatives"]),
    ("iso9660", 0, &["sh", "-c", "genisoimage -quiet -r -o \"$0\" /etc/alternatives"]),
];

/// A file system of each kind for which there is a program, made in that directory: name and image.
#[must_use]
pub fn filesystem_images(directory: &Path) -> Vec<(&'static str, PathBuf)> {
    let made = MAKERS.iter().filter_map(|(name, mib, command)| {
        let path = directory.join(format!("{name}.fs"));
        if *mib > 0 {
            SparseDisk::blank(mib * MIB).store(&path).ok()?;
        }
        let (program, arguments) = command.split_first()?;
        let mut command = Command::new(program);
        command.args(arguments).arg(&path).stdout(Stdio::null()).stderr(Stdio::null());
        let sbin = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
        let done = command.env("PATH", sbin).status().is_ok_and(|status| status.success());
        done.then_some((*name, path))
    });
    made.collect()
}

fn filesystems(directory: &Path) -> Vec<SparseDisk> {
    let images = filesystem_images(directory);
    images.iter().map(|(_, path)| SparseDisk::load(path).expect("it was made").ends(ENDS)).collect()
}

/// Copies of the fixtures' disks; every copy of a set is a set of its own.
fn members_of_real_sets(directory: &Path, count: usize) -> Vec<PathBuf> {
    let sets: Vec<Vec<_>> =
        Fixture::names().iter().filter_map(|name| Some(load(&Fixture::open(name)?))).collect();
    let mut paths = Vec::new();
    for number in 0_u32.. {
        for (set, disks) in sets.iter().enumerate() {
            for (slot, (disk, serial)) in disks.iter().enumerate() {
                if paths.len() == count {
                    return paths;
                }
                let path = directory.join(format!("set-{set}-{number}-{slot}.img"));
                forge::renumber(disk.clone(), number).store(&path).expect("the disk can be written");
                if let Some(serial) = serial {
                    fs::write(path.with_extension("img.serial"), serial).expect("so can its serial number");
                }
                paths.push(path);
            }
        }
    }
    paths
}

/// The ends of the disks of a set, with their serial numbers.
fn load(set: &Fixture) -> Vec<(SparseDisk, Option<Vec<u8>>)> {
    let load = |path: &PathBuf| {
        let disk = SparseDisk::load(path).expect("it was unpacked").ends(ENDS);
        (disk, fs::read(path.with_extension("img.serial")).ok())
    };
    set.disks.iter().map(load).collect()
}
