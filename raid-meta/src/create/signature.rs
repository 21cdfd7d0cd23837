//! File systems, partition tables and other things that somebody may want to keep, by their signatures.
//!
//! Not everything that exists: what is common on disks, by bytes that are not there by chance.

use crate::device::{Device, DeviceError, ReadAt};
use crate::scan;
use crate::units::{Bytes, SectorSize};

/// Something that is on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    /// What it is.
    pub(super) name: String,
    /// Where its signature is.
    pub(super) offset: Bytes,
    /// Length of the signature.
    pub(super) length: usize,
}

type Known = (&'static str, usize, &'static [u8]);

const KNOWN: [Known; 27] = [
    ("an xfs file system", 0, b"XFSB"),
    ("a squashfs file system", 0, b"hsqs"),
    ("a LUKS volume", 0, b"LUKS\xba\xbe"),
    ("an ntfs file system", 3, b"NTFS    "),
    ("an exfat file system", 3, b"EXFAT   "),
    ("a BitLocker volume", 3, b"-FVE-FS-"),
    ("an apfs container", 32, b"NXSB"),
    ("a FAT file system", 0x36, b"FAT12   "),
    ("a FAT file system", 0x36, b"FAT16   "),
    ("a FAT file system", 0x52, b"FAT32   "),
    ("an LVM physical volume", 0, b"LABELONE"),
    ("an LVM physical volume", 512, b"LABELONE"),
    ("an LVM physical volume", 1024, b"LABELONE"),
    ("an LVM physical volume", 1536, b"LABELONE"),
    ("a GPT partition table", 512, b"EFI PART"),
    ("a GPT partition table", 4096, b"EFI PART"),
    ("an f2fs file system", 0x400, b"\x10\x20\xf5\xf2"),
    ("an erofs file system", 0x400, b"\xe2\xe1\xf5\xe0"),
    ("an hfs+ file system", 0x400, b"H+\0\x04"),
    ("swap space", 4086, b"SWAPSPACE2"),
    ("swap space", 65526, b"SWAPSPACE2"),
    ("a bcache device", 0x1018, b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81"),
    ("a jfs file system", 0x8000, b"JFS1"),
    ("an ISO 9660 file system", 0x8001, b"CD001"),
    ("a UDF file system", 0x8001, b"BEA01"),
    ("a reiserfs file system", 0x10034, b"ReIsEr"),
    ("a btrfs file system", 0x10040, b"_BHRfS_M"),
];

/// As much as the signatures above take.
const HEAD: usize = 0x10048;

/// What is on a device.
///
/// # Errors
/// A read failed.
pub(super) fn find(device: &Device) -> Result<Vec<Signature>, DeviceError> {
    let size = device.size();
    let length = usize::try_from(size.0).map_or(HEAD, |size| size.min(HEAD));
    let head = device.read(Bytes::ZERO, length)?.unwrap_or_default();
    let mut found: Vec<Signature> = KNOWN.iter().filter_map(|known| of_known(&head, known)).collect();
    found.extend(ext(&head));
    found.extend(zfs(device)?);
    found.extend(mbr(device, &head));
    found.extend(backup_gpt(device)?);
    Ok(found)
}

fn of_known(head: &[u8], &(name, at, bytes): &Known) -> Option<Signature> {
    head.get(at..)?.starts_with(bytes).then(|| signature(name, at as u64, bytes.len()))
}

fn signature(name: impl Into<String>, offset: u64, length: usize) -> Signature {
    Signature { name: name.into(), offset: Bytes(offset), length }
}

/// ext2 to ext4: two bytes alone are too few, so the counts beside them have to be possible.
fn ext(head: &[u8]) -> Option<Signature> {
    const SUPERBLOCK: usize = 0x400;
    let superblock = head.get(SUPERBLOCK..)?;
    let word = |at: usize| superblock.get(at..)?.first_chunk().copied().map(u32::from_le_bytes);
    let is_ext = superblock.get(0x38..0x3a)? == [0x53, 0xef]
        && word(0)? > 0
        && word(4)? > 0
        && word(0x18)? <= 6
        && word(0x20)? > 0;
    is_ext.then(|| signature("an ext2, ext3 or ext4 file system", 0x438, 2))
}

/// A pool's label has a ring of roots; any of them will do.
fn zfs(device: &Device) -> Result<Option<Signature>, DeviceError> {
    const RING: u64 = 128 << 10;
    const SLOT: usize = 1024;
    const MAGIC: u64 = 0x00ba_b10c;
    let Some(ring) = device.read(Bytes(RING), 128 << 10)? else { return Ok(None) };
    let is_root = |slot: &[u8]| {
        let word = slot.first_chunk().copied().map(u64::from_le_bytes);
        word == Some(MAGIC) || word == Some(MAGIC.swap_bytes())
    };
    let slot = (0_u64..).zip(ring.chunks(SLOT)).find(|(_, slot)| is_root(slot));
    Ok(slot
        .map(|(slot, _)| signature("a zfs pool", RING.saturating_add(slot.saturating_mul(SLOT as u64)), 8)))
}

fn mbr(device: &Device, head: &[u8]) -> Option<Signature> {
    let partitions = scan::search(&device.clone()).windows.len().checked_sub(1).filter(|&count| count > 0)?;
    let is_mbr = head.get(510..512) == Some(&[0x55, 0xaa]);
    let name =
        format!("a partition table with {partitions} partition{}", if partitions == 1 { "" } else { "s" });
    is_mbr.then(|| signature(name, 446, 66))
}

fn backup_gpt(device: &Device) -> Result<Option<Signature>, DeviceError> {
    const MAGIC: &[u8] = b"EFI PART";
    for sector in [SectorSize::B512, SectorSize::B4096] {
        let Some(at) = device.size().checked_sub(sector.bytes()) else { continue };
        if device.read(at, MAGIC.len())?.as_deref() == Some(MAGIC) {
            return Ok(Some(signature("a GPT partition table", at.0, MAGIC.len())));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{SimDisk, WriteAt};
    use std::path::Path;
    use std::sync::Arc;

    fn names(disk: &SimDisk) -> Vec<String> {
        let device = Device::whole(Path::new("x"), Arc::new(disk.clone()));
        find(&device).unwrap().into_iter().map(|found| found.name).collect()
    }

    #[test]
    fn each_signature_is_found_where_it_belongs_and_nowhere_else() {
        for (name, at, bytes) in KNOWN {
            let disk = SimDisk::new(Bytes(1 << 20));
            disk.write_at(Bytes(at as u64), bytes).unwrap();
            assert_eq!(names(&disk), [name]);
            let disk = SimDisk::new(Bytes(1 << 20));
            disk.write_at(Bytes(at as u64 + 1), bytes).unwrap();
            assert_eq!(names(&disk), Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn a_disk_of_any_size_or_of_noise_carries_nothing() {
        for size in [0, 1, 511, 512, 4096, 65536, 70000] {
            assert_eq!(names(&SimDisk::holding(&vec![0xa5; size])), Vec::<String>::new());
        }
        assert_eq!(names(&SimDisk::new(Bytes(1 << 44))), Vec::<String>::new());
    }

    #[test]
    fn two_bytes_alone_are_no_ext_file_system() {
        let disk = SimDisk::new(Bytes(1 << 20));
        disk.write_at(Bytes(0x438), &[0x53, 0xef]).unwrap();
        assert_eq!(names(&disk), Vec::<String>::new());
        disk.write_at(Bytes(0x400), &[16, 0, 0, 0, 64, 0, 0, 0]).unwrap();
        disk.write_at(Bytes(0x420), &[0, 32, 0, 0]).unwrap();
        assert_eq!(names(&disk), ["an ext2, ext3 or ext4 file system"]);
    }

    #[test]
    fn pools_and_tables_are_found() {
        let disk = SimDisk::new(Bytes(1 << 20));
        disk.write_at(Bytes((128 << 10) + 5 * 1024), &0x00ba_b10c_u64.to_be_bytes()).unwrap();
        assert_eq!(names(&disk), ["a zfs pool"]);
        let disk = SimDisk::new(Bytes(1 << 20));
        disk.write_at(Bytes((1 << 20) - 512), b"EFI PART").unwrap();
        assert_eq!(names(&disk), ["a GPT partition table"]);
        let disk = SimDisk::new(Bytes(1 << 20));
        disk.write_at(Bytes(446), &[0, 0, 0, 0, 0x83, 0, 0, 0, 8, 0, 0, 0, 0, 4, 0, 0]).unwrap();
        disk.write_at(Bytes(510), &[0x55, 0xaa]).unwrap();
        assert_eq!(names(&disk), ["a partition table with 1 partition"]);
    }
}
