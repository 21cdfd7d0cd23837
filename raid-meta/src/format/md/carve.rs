//! In which window a superblock belongs that was found by its magic number alone.
//!
//! A 1.x superblock says on which sector of its device it is and how long the data is, so that its window follows. A
//! 0.90 superblock says only how much of the device the array uses. Its window then begins with the disk (one that
//! was grown), or as far before the superblock as the array uses (a partition whose table is lost).

use super::place::{MAGIC, SUPERBLOCK_BYTES, Version, read_up_to};
use super::{v0, v1};
use crate::device::{Device, DeviceError};
use crate::format::schema::{DiskStruct, Endian};
use crate::format::{Range, Signature};
use crate::units::{Bytes, SECTOR_BYTES, Sectors};

/// The magic number in both byte orders.
pub(super) const SIGNATURES: [Signature; 2] =
    [Signature { bytes: &MAGIC.to_le_bytes(), at: 0 }, Signature { bytes: &MAGIC.to_be_bytes(), at: 0 }];

/// The windows for the superblock in the sector at `at`.
pub(super) fn windows(disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
    let (sector, end) = (at.whole_sectors(), disk.length_sectors());
    let bytes = read_up_to(disk, sector, SUPERBLOCK_BYTES)?;
    let endian = if bytes.starts_with(&MAGIC.to_be_bytes()) { Endian::Big } else { Endian::Little };
    let found = match v0::Head::decode(&bytes, endian) {
        Some(head) if head.major_version == 0 => version_0(&head, sector, end),
        Some(head) if head.major_version == 1 => version_1(&bytes, sector, end).into_iter().collect(),
        _ => Vec::new(),
    };
    Ok(found.into_iter().filter_map(|(start, length)| range(start, length, end)).collect())
}

/// A window cut to the disk.
fn range(start: Sectors, length: Sectors, end: Sectors) -> Option<Range> {
    let length = length.min(end.checked_sub(start)?);
    Some(Range { offset: start.to_bytes()?, length: length.to_bytes()? })
}

/// The only window: the superblock says where in it it is. What is in front of the data says how long the data is;
/// what is behind it, how long the device was.
fn version_1(bytes: &[u8], sector: Sectors, end: Sectors) -> Option<(Sectors, Sectors)> {
    let head = v1::Head::decode(bytes, Endian::Little)?;
    let place = Sectors(head.super_offset);
    let start = sector.checked_sub(place)?;
    let is_in_front = [Version::V11, Version::V12].iter().any(|version| version.sector(end) == Some(place));
    let length = if is_in_front {
        let moved = u64::from(head.new_offset.unsigned_abs());
        let data = head.data_offset.saturating_add(moved);
        Sectors(data.saturating_add(head.data_size.max(head.size)))
    } else {
        behind(start, place, Version::V10, end)?
    };
    Some((start, length))
}

/// Length of a device that begins at `start` and has the superblock of a version that lives at the end at `place`:
/// up to the end of the disk where that is such a length, else the shortest.
fn behind(start: Sectors, place: Sectors, version: Version, end: Sectors) -> Option<Sectors> {
    let rest = end.checked_sub(start)?;
    let tail = if version == Version::V090 { 128 } else { 16 };
    let shortest = place.checked_add(Sectors(tail))?;
    [rest, shortest].into_iter().find(|&length| version.sector(length) == Some(place))
}

/// From where the data of the array would begin, and from the start of the disk. The start of the disk comes first
/// where the two are no further from each other than the rounding of the size.
fn version_0(head: &v0::Head, sector: Sectors, end: Sectors) -> Vec<(Sectors, Sectors)> {
    const SECTORS_OF_KIB: u64 = 1024 / SECTOR_BYTES;
    let used = Sectors(u64::from(head.size).saturating_mul(SECTORS_OF_KIB));
    let rounding = u64::from(head.chunk_size).checked_div(SECTOR_BYTES).unwrap_or_default().max(128);
    let window = |start: Sectors| {
        let place = sector.checked_sub(start)?;
        Some((start, behind(start, place, Version::V090, end)?))
    };
    let own = sector.checked_sub(used).filter(|start| !used.is_zero() && !start.is_zero());
    let is_rounding = own.is_some_and(|start| start.0 < rounding);
    let (whole, own) = (window(Sectors::ZERO), own.and_then(window));
    let order = if is_rounding { [whole, own] } else { [own, whole] };
    order.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::super::Md;
    use super::super::tests::{DEVICE, Made, device};
    use super::*;
    use crate::format::Format;

    /// The windows for a superblock that is in a sector of a larger disk.
    fn found(sector: u64, superblock: Vec<u8>) -> Vec<(u64, u64)> {
        let disk = device(4 * DEVICE, &[(sector, superblock)]);
        let windows = Md.windows(&disk, Bytes(sector * 512)).unwrap();
        windows.iter().map(|window| (window.offset.0 / 512, window.length.0 / 512)).collect()
    }

    #[test]
    fn a_superblock_before_the_data_says_where_its_device_begins_and_the_data_ends() {
        let made = Made::raid5();
        assert_eq!(found(1000 + 8, made.superblock()), [(1000, 2048 + 4096)]);
        assert_eq!(found(7, made.superblock()), [], "would begin before the disk");
        let made = made.with(|head| head.super_offset = 0);
        assert_eq!(found(4 * DEVICE - 8, made.superblock()), [(4 * DEVICE - 8, 8)], "cut to the disk");
    }

    #[test]
    fn a_superblock_behind_the_data_says_how_long_its_device_was() {
        let made = Made::raid5().with(|head| head.super_offset = 4096);
        assert_eq!(found(4096 + 64, made.superblock()), [(64, 4096 + 16)]);
        assert_eq!(found(4 * DEVICE - 16, made.superblock()), [(4 * DEVICE - 16 - 4096, 4096 + 16)]);
        let wild = Made::raid5().with(|head| head.super_offset = u64::MAX);
        assert_eq!(found(4096, wild.superblock()), []);
    }

    #[test]
    fn a_superblock_that_does_not_say_where_it_is_gets_the_window_of_its_data_and_the_start_of_the_disk() {
        let words = |size: u32| {
            let mut bytes = vec![0; 4096];
            bytes[..4].copy_from_slice(&MAGIC.to_be_bytes());
            bytes[11] = 90;
            bytes[32..36].copy_from_slice(&size.to_be_bytes());
            bytes
        };
        assert_eq!(found(1024, words(512)), [(0, 1152)], "the size is that of the device");
        assert_eq!(found(1024, words(500)), [(0, 1152)], "the start is not where a superblock can be");
        assert_eq!(found(2048 + 1024, words(512)), [(2048, 1152), (0, 2048 + 1152)]);
        assert_eq!(found(1024, words(u32::MAX)), [(0, 1152)]);
        assert_eq!(found(1000, words(500)), [], "not where a superblock can be");
    }
}
