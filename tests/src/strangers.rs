//! Images of what is no RAID member: file systems, partition tables, containers, archives, noise.

use crate::random::Random;
use crate::sparse::SparseDisk;
use raid_meta::format::FORMATS;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const MIB: u64 = 1 << 20;

/// What the programs of others make: a name, the size of the file beforehand in MiB (0: there is none), and a
/// shell command for which `$0` is the file.
const MADE_BY_PROGRAMS: [(&str, u64, &str); 53] = [
    ("ext2", 4, "mke2fs -q -F -t ext2 $0"),
    ("ext3", 16, "mke2fs -q -F -t ext3 $0"),
    ("ext4", 16, "mke2fs -q -F -t ext4 $0"),
    ("ext4-1k", 17, "mke2fs -q -F -t ext4 -b 1024 $0"),
    ("ext4-raid-hints", 16, "mke2fs -q -F -t ext4 -E stride=16,stripe_width=64 $0"),
    ("xfs", 320, "mkfs.xfs -q $0"),
    ("btrfs", 128, "mkfs.btrfs -q $0"),
    ("f2fs", 64, "mkfs.f2fs -q $0"),
    ("fat12", 4, "mkfs.vfat -F 12 $0"),
    ("fat16", 16, "mkfs.vfat -F 16 $0"),
    ("fat32", 64, "mkfs.vfat -F 32 $0"),
    ("exfat", 16, "mkfs.exfat $0"),
    ("ntfs", 16, "mkfs.ntfs -Q -F -q $0"),
    ("reiserfs", 64, "mkreiserfs -q -f -f $0"),
    ("jfs", 32, "mkfs.jfs -q $0"),
    ("nilfs2", 160, "mkfs.nilfs2 -q -f $0"),
    ("minix", 4, "mkfs.minix $0"),
    ("minix3", 4, "mkfs.minix -3 $0"),
    ("bfs", 4, "mkfs.bfs $0"),
    ("cramfs", 0, "mkfs.cramfs /etc/alternatives $0"),
    ("squashfs", 0, "mksquashfs /etc/alternatives $0 -quiet"),
    ("erofs", 0, "mkfs.erofs $0 /etc/alternatives"),
    ("udf", 32, "mkfs.udf $0"),
    ("iso9660", 0, "genisoimage -quiet -r -J -o $0 /etc/alternatives"),
    ("iso-hfs", 0, "genisoimage -quiet -hfs -o $0 /etc/alternatives"),
    ("swap", 4, "mkswap $0"),
    ("swap-odd", 5, "truncate -s -300 $0 && mkswap $0"),
    ("luks1", 16, "printf x | cryptsetup -q --type luks1 --pbkdf-force-iterations 1000 luksFormat $0 -"),
    ("luks2", 32, "printf x | cryptsetup -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 luksFormat $0 -"),
    ("bcache", 16, "make-bcache -B $0"),
    ("bcache-cache", 128, "make-bcache -C $0"),
    ("mbr", 8, "printf 'label: dos\\n,2M\\n,\\n' | sfdisk -q $0"),
    ("mbr-raid-type", 8, "printf 'label: dos\\n,2M,fd\\n,,8e\\n' | sfdisk -q $0"),
    ("gpt", 8, "printf 'label: gpt\\n,2M\\n,\\n' | sfdisk -q $0"),
    ("gpt-4k-aligned", 9, "sgdisk -a 8 -n 1:0:+1M -n 2:0:0 -t 1:fd00 $0"),
    ("hybrid", 8, "sgdisk -n 1:0:+1M -n 2:0:0 -h 1 $0"),
    ("bsd", 8, "parted -s $0 mklabel bsd"),
    ("sun", 8, "parted -s $0 mklabel sun"),
    ("mac", 8, "parted -s $0 mklabel mac"),
    ("amiga", 8, "parted -s $0 mklabel amiga"),
    ("qcow2", 0, "qemu-img create -q -f qcow2 $0 16M"),
    ("vmdk", 0, "qemu-img create -q -f vmdk $0 16M"),
    ("vdi", 0, "qemu-img create -q -f vdi $0 16M"),
    ("vpc", 0, "qemu-img create -q -f vpc $0 16M"),
    ("vhdx", 0, "qemu-img create -q -f vhdx $0 16M"),
    ("tar", 0, "tar -cf $0 -C /etc alternatives"),
    ("tar-gz", 0, "tar -czf $0 -C /etc alternatives"),
    ("xz", 0, "xz -c /bin/ls > $0"),
    ("zst", 0, "zstd -q -c /bin/ls > $0"),
    ("bz2", 0, "bzip2 -c /bin/ls > $0"),
    ("zip", 0, "zip -q - /bin/ls > $0"),
    ("cpio", 0, "cd /etc && find alternatives | cpio -o --quiet > $0"),
    ("elf", 0, "cat /bin/ls /bin/sh > $0"),
];

/// Makes an image of each kind that needs a program of others.
///
/// # Panics
/// A program is missing or fails; `tests/install-deps` installs them.
#[must_use]
pub fn made_by_programs(directory: &Path) -> Vec<PathBuf> {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let make = |(name, mib, command): &(&str, u64, &str)| {
        let image = directory.join(format!("{name}.img"));
        if *mib > 0 {
            SparseDisk::blank(mib * MIB).store(&image).expect("the directory can be written");
        }
        let mut shell = Command::new("sh");
        shell
            .args(["-ec", command])
            .arg(&image)
            .env("PATH", &path)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let output = shell.output().expect("there is a shell");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {command}: {said} (is tests/install-deps done?)");
        image
    };
    MADE_BY_PROGRAMS.iter().map(make).collect()
}

/// Writes images that need no program: constant bytes, noise, text, pictures, and what has no program here to make it.
///
/// # Panics
/// The directory can not be written.
#[must_use]
pub fn made_here(directory: &Path) -> Vec<PathBuf> {
    let store = |(name, disk): (String, SparseDisk)| {
        let image = directory.join(format!("{name}.img"));
        disk.store(&image).expect("the directory can be written");
        image
    };
    let all = constants().into_iter().chain(noise()).chain(files()).chain(labels());
    all.map(store).collect()
}

/// A file of one pattern again and again.
fn pattern(pattern: &[u8], length: u64) -> SparseDisk {
    let length = usize::try_from(length).expect("small");
    let bytes: Vec<u8> = pattern.iter().copied().cycle().take(length).collect();
    SparseDisk::blank(length as u64).with(0, bytes)
}

/// Files of one byte or one word, those among them that short signatures are made of.
fn constants() -> Vec<(String, SparseDisk)> {
    let mut all = Vec::new();
    for size in [0, 1, 511, 512, 513, 1024, 4096, 65536, 65537, MIB, MIB + 100, 3 * MIB + 512] {
        all.push((format!("zeros-{size}"), SparseDisk::blank(size)));
        all.push((format!("ones-{size}"), pattern(&[0xff], size)));
    }
    for (name, word) in [("55aa", b"\x55\xaa"), ("aa55", b"\xaa\x55"), ("jm", b"JM"), ("spaces", b"  ")] {
        all.push((format!("all-{name}"), pattern(word, MIB + 512)));
    }
    all
}

/// Random bytes of several sizes, and some in which every sector has a short signature.
fn noise() -> Vec<(String, SparseDisk)> {
    let mut all = Vec::new();
    for seed in 0..24_u64 {
        let mut random = Random::new(seed);
        let size = 65536 * (seed + 1) + random.below(1024);
        let bytes = random.bytes(usize::try_from(size).expect("small"));
        all.push((format!("random-{seed}"), SparseDisk::blank(size).with(0, bytes)));
    }
    let signatures = FORMATS.iter().flat_map(|format| {
        let short = format.signatures().iter().filter(|signature| signature.bytes.len() <= 3);
        short.enumerate().map(|(number, signature)| (format.name(), number, signature))
    });
    for (name, number, signature) in signatures {
        let mut bytes = Random::new(99).bytes(512 * 1024);
        let place = signature.at..signature.at + signature.bytes.len();
        bytes.chunks_mut(512).for_each(|sector| sector[place.clone()].copy_from_slice(signature.bytes));
        let disk = SparseDisk::blank(bytes.len() as u64).with(0, bytes);
        all.push((format!("all-random-but-{name}-{number}"), disk));
    }
    all
}

/// Files of people.
fn files() -> Vec<(String, SparseDisk)> {
    let mut random = Random::new(5);
    let mut headed = |head: &[u8], length: usize| {
        let bytes = [head, &random.bytes(length)].concat();
        SparseDisk::blank(bytes.len() as u64).with(0, bytes)
    };
    vec![
        ("text".into(), crate::mixed::text(200_000)),
        ("jpeg".into(), headed(b"\xff\xd8\xff\xe0\0\x10JFIF\0", 77_777)),
        ("png".into(), headed(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", 123_456)),
        ("pdf".into(), headed(b"%PDF-1.7\n", 65_000)),
        ("rom".into(), headed(b"\x55\xaa\x80\xe9", 65_532)),
        (
            "words".into(),
            pattern(b"NVIDIA Promise Technology Intel Raid LABELTWO Silicon Image JMicron\n", MIB),
        ),
    ]
}

/// Labels of things whose programs are not to be had everywhere, as far as anybody would recognise them.
fn labels() -> Vec<(String, SparseDisk)> {
    let size = 8 * MIB;
    let mut hfs = vec![0; 512];
    hfs[..4].copy_from_slice(b"H+\0\x04");
    hfs[8..12].copy_from_slice(b"10.0");
    let mut uberblock = vec![0; 1024];
    uberblock[..8].copy_from_slice(&0x00ba_b10c_u64.to_le_bytes());
    uberblock[8..16].copy_from_slice(&5000_u64.to_le_bytes());
    let mut drbd = vec![0; 4096];
    drbd[..8].copy_from_slice(&(20_u64 << 11).to_be_bytes());
    drbd[60..64].copy_from_slice(&0x8374_026b_u32.to_be_bytes());
    let mut boot = vec![0; 512];
    boot[..3].copy_from_slice(&[0xeb, 0x52, 0x90]);
    boot[510..].copy_from_slice(&[0x55, 0xaa]);
    let zfs_places = [0, 256 << 10, size - (512 << 10), size - (256 << 10)];
    let zfs = zfs_places.into_iter().fold(SparseDisk::blank(size), |disk, label| {
        (128..256).fold(disk, |disk, block| disk.with(label + block * 1024, uberblock.clone()))
    });
    let twice = |at: u64, behind: u64, bytes: Vec<u8>| {
        SparseDisk::blank(size).with(at, bytes.clone()).with(size - behind, bytes)
    };
    vec![
        ("hfsplus".into(), twice(1024, 1024, hfs)),
        ("zfs".into(), zfs),
        ("drbd".into(), SparseDisk::blank(size).with(size - 4096, drbd)),
        ("boot-sector-twice".into(), twice(0, 512, boot)),
        ("stratis".into(), SparseDisk::blank(size).with(512, b"!Stra0tis\x86\xff\x02^\x41rh".to_vec())),
        ("vdo".into(), SparseDisk::blank(size).with(0, b"dmvdo001".to_vec())),
    ]
}

/// Writes a file without holes in which noise, text and zeros take turns, for measuring.
///
/// # Panics
/// It can not be written.
pub fn mixed_file(path: &Path, size: u64) {
    use std::io::Write;
    const PIECE: usize = 1 << 20;
    let (noise, text) = (Random::new(1).bytes(PIECE), crate::mixed::text(PIECE).bytes(0, PIECE));
    let pieces = [noise.clone(), text, vec![0; PIECE], noise];
    let mut file = std::fs::File::create(path).expect("the directory can be written");
    for piece in pieces.iter().cycle().take(usize::try_from(size).expect("in memory") / PIECE) {
        file.write_all(piece).expect("there is room");
    }
}
