//! Metadata made and mended by hand: md superblocks from nothing, and the checksums of md and isw.
//!
//! Everything is told to the byte from the formats' descriptions and nothing is taken from the code under test,
//! so that both would have to be wrong alike.

use crate::sparse::SparseDisk;

const MD_MAGIC: u32 = 0xa92b_4efc;
const SECTOR: u64 = 512;

/// An array to make md superblocks for: a raid5 with chunks of 64 KiB, its first member.
#[derive(Clone, Copy, Debug)]
pub struct MdSet {
    /// Told apart from other sets by this number.
    pub number: u64,
    /// Size of the device that the superblock is for.
    pub device_bytes: u64,
}

impl MdSet {
    fn uuid(&self) -> [u8; 16] {
        let mut uuid = [0xa5; 16];
        uuid[..8].copy_from_slice(&self.number.to_le_bytes());
        uuid
    }

    /// A superblock of version 1.0, 1.1 or 1.2 (the minor number), and where it goes.
    #[must_use]
    pub fn version_1(&self, minor: u8) -> (u64, Vec<u8>) {
        let sectors = self.device_bytes / SECTOR;
        let (at, data) = match minor {
            0 => ((sectors - 16) & !7, 0),
            1 => (0, 2048),
            _ => (8, 2048),
        };
        let room = if minor == 0 { at } else { sectors - data };
        let mut block = vec![0; 4096];
        put(&mut block, 0x00, &MD_MAGIC.to_le_bytes());
        put(&mut block, 0x04, &1_u32.to_le_bytes());
        put(&mut block, 0x10, &self.uuid());
        put(&mut block, 0x20, format!("host:set{}", self.number).as_bytes());
        put(&mut block, 0x48, &5_i32.to_le_bytes());
        put(&mut block, 0x4c, &2_u32.to_le_bytes());
        put(&mut block, 0x50, &(room / 128 * 128).to_le_bytes());
        put(&mut block, 0x58, &128_u32.to_le_bytes());
        put(&mut block, 0x5c, &3_u32.to_le_bytes());
        put(&mut block, 0x80, &data.to_le_bytes());
        put(&mut block, 0x88, &room.to_le_bytes());
        put(&mut block, 0x90, &at.to_le_bytes());
        put(&mut block, 0xa8, &[0x5a; 16]);
        put(&mut block, 0xc0, &0x6b00_e789_u64.to_le_bytes());
        put(&mut block, 0xc8, &17_u64.to_le_bytes());
        put(&mut block, 0xd0, &u64::MAX.to_le_bytes());
        put(&mut block, 0xdc, &3_u32.to_le_bytes());
        put(&mut block, 0x100, &[0, 0, 1, 0, 2, 0]);
        mend_md_1(&mut block);
        (at * SECTOR, block)
    }

    /// A superblock of version 1.2 with a write-intent bitmap and a list of bad blocks behind it.
    #[must_use]
    pub fn with_bitmap_and_bad_blocks(&self) -> (u64, Vec<u8>) {
        let (at, mut bytes) = self.version_1(2);
        put(&mut bytes, 0x08, &9_u32.to_le_bytes());
        put(&mut bytes, 0x60, &8_u32.to_le_bytes());
        put(&mut bytes, 0xba, &8_u16.to_le_bytes());
        put(&mut bytes, 0xbc, &16_u32.to_le_bytes());
        mend_md_1(&mut bytes);
        let mut bitmap = vec![0; 4096];
        put(&mut bitmap, 0x00, b"bitm");
        put(&mut bitmap, 0x04, &4_u32.to_le_bytes());
        put(&mut bitmap, 0x08, &self.uuid());
        put(&mut bitmap, 0x18, &17_u64.to_le_bytes());
        put(&mut bitmap, 0x20, &17_u64.to_le_bytes());
        put(&mut bitmap, 0x28, &((self.device_bytes / SECTOR - 2048) / 128 * 128).to_le_bytes());
        put(&mut bitmap, 0x34, &(1_u32 << 20).to_le_bytes());
        put(&mut bitmap, 0x38, &5_u32.to_le_bytes());
        put(&mut bitmap, 0x40, &8_u32.to_le_bytes());
        let mut bad_blocks = vec![0xff; 4096];
        put(&mut bad_blocks, 0, &(3000_u64 << 10 | 8).to_le_bytes());
        bytes.extend(bitmap);
        bytes.extend(bad_blocks);
        (at, bytes)
    }

    /// A superblock of version 0.90 in either byte order, and where it goes.
    #[must_use]
    pub fn version_0(&self, big_endian: bool) -> (u64, Vec<u8>) {
        let at = ((self.device_bytes / SECTOR) & !127) - 128;
        let uuid = self.uuid();
        let uuid =
            |index: usize| u32::from_le_bytes(uuid[4 * index..4 * index + 4].try_into().expect("four"));
        let mut words = vec![0_u32; 1024];
        let fixed = [
            (0, MD_MAGIC),
            (2, 90),
            (5, uuid(0)),
            (7, 5),
            (8, u32::try_from(at / 128 * 64).unwrap_or(u32::MAX)),
            (9, 3),
            (10, 3),
            (13, uuid(1)),
            (14, uuid(2)),
            (15, uuid(3)),
            (32, 0x6b00_e789),
            (33, 1),
            (34, 3),
            (35, 3),
            (if big_endian { 40 } else { 39 }, 17),
            (if big_endian { 42 } else { 41 }, 17),
            (43, u32::MAX),
            (64, 2),
            (65, 65536),
        ];
        for (word, value) in fixed {
            words[word] = value;
        }
        for (slot, first) in [(0_u32, 128), (1, 160), (2, 192), (0, 992)] {
            words[first] = slot;
            words[first + 3] = slot;
            words[first + 4] = 6;
        }
        let encode = |word: u32| if big_endian { word.to_be_bytes() } else { word.to_le_bytes() };
        let mut block: Vec<u8> = words.into_iter().flat_map(encode).collect();
        mend_md_0(&mut block);
        (at * SECTOR, block)
    }
}

/// Puts the right checksum into a superblock of version 1.x, if `max_dev` can be true.
pub fn mend_md_1(block: &mut [u8]) {
    let max_dev = le32(block, 0xdc) as usize;
    put(block, 0xd8, &[0; 4]);
    let Some(covered) = block.get(..256 + 2 * max_dev.min(1 << 20)) else { return };
    let (words, rest) = covered.as_chunks::<4>();
    let mut sum: u64 = words.iter().map(|word| u64::from(u32::from_le_bytes(*word))).sum();
    if let [low, high] = *rest {
        sum += u64::from(u16::from_le_bytes([low, high]));
    }
    put(block, 0xd8, &fold(sum).to_le_bytes());
}

/// Puts the right checksum into a superblock of version 0.90.
pub fn mend_md_0(block: &mut [u8]) {
    let big_endian = block.starts_with(&MD_MAGIC.to_be_bytes());
    put(block, 0x98, &[0; 4]);
    let decode =
        |word: &[u8; 4]| if big_endian { u32::from_be_bytes(*word) } else { u32::from_le_bytes(*word) };
    let sum = fold(block.as_chunks::<4>().0.iter().take(1024).map(|word| u64::from(decode(word))).sum());
    put(block, 0x98, &if big_endian { sum.to_be_bytes() } else { sum.to_le_bytes() });
}

fn fold(sum: u64) -> u32 {
    let low = u32::try_from(sum & 0xffff_ffff).expect("32 bits");
    low.wrapping_add(u32::try_from(sum >> 32).expect("32 bits"))
}

/// Puts the right checksum into the MPB of an isw disk, if its size can be true.
#[must_use]
pub fn mend_isw(disk: SparseDisk) -> SparseDisk {
    let anchor = (disk.len() / SECTOR - 2) * SECTOR;
    let size = u64::from(le32(&disk.bytes(anchor, 512), 36));
    let before = size.div_ceil(SECTOR).saturating_sub(1) * SECTOR;
    if size > 160 * SECTOR || before > anchor {
        return disk;
    }
    let length = usize::try_from(before).expect("bounded above");
    let mut logical = disk.bytes(anchor, 512);
    logical.extend(disk.bytes(anchor - before, length));
    put(&mut logical, 32, &[0; 4]);
    let covered = &logical[..usize::try_from(size).expect("bounded above").min(logical.len())];
    let words = covered.as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word));
    let sum = words.fold(0, u32::wrapping_add);
    disk.with(anchor + 32, sum.to_le_bytes())
}

/// Puts the right checksums into all metadata of a disk that is of that format, where it was found.
#[must_use]
pub fn mend(format: &str, disk: SparseDisk, superblock: u64) -> SparseDisk {
    if format == "isw" {
        return mend_isw(disk);
    }
    let mut block = disk.bytes(superblock, 4096);
    if le32(&block, 4) == 1 {
        mend_md_1(&mut block)
    } else {
        mend_md_0(&mut block)
    }
    disk.with(superblock, block)
}

/// The same disk in another set, if it carries metadata of md or isw: the identity of the set goes up by a number.
#[must_use]
pub fn renumber(disk: SparseDisk, number: u32) -> SparseDisk {
    let sectors = disk.len() / SECTOR;
    if number == 0 || sectors < 256 {
        return disk;
    }
    let add = |disk: SparseDisk, at: u64| {
        let id = le32(&disk.bytes(at, 4), 0).wrapping_add(number);
        disk.with(at, id.to_le_bytes())
    };
    let anchor = (sectors - 2) * SECTOR;
    if disk.bytes(anchor, 22) == b"Intel Raid ISM Cfg Sig" {
        return mend_isw(add(add(disk, anchor + 40), anchor + 64));
    }
    for (sector, id) in [(0, 16), (8, 16), ((sectors - 16) & !7, 16), ((sectors & !127) - 128, 20)] {
        let at = sector * SECTOR;
        if disk.bytes(at, 4) == MD_MAGIC.to_le_bytes() {
            return mend("md", add(disk, at + id), at);
        }
    }
    disk
}

fn put(block: &mut [u8], at: usize, bytes: &[u8]) {
    block[at..at + bytes.len()].copy_from_slice(bytes);
}

/// The little-endian number at a place.
///
/// # Panics
/// It is not inside.
#[must_use]
pub fn le32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_a_version_1_superblock_is_that_of_the_worked_example() {
        let mut block = vec![0; 4096];
        put(&mut block, 0x00, &MD_MAGIC.to_le_bytes());
        put(&mut block, 0x04, &1_u32.to_le_bytes());
        put(&mut block, 0x10, &std::array::from_fn::<u8, 16, _>(|index| u8::try_from(index).unwrap()));
        put(&mut block, 0x40, &0x6b00_e789_u64.to_le_bytes());
        put(&mut block, 0x48, &5_u32.to_le_bytes());
        put(&mut block, 0x4c, &2_u32.to_le_bytes());
        put(&mut block, 0x50, &2048_u64.to_le_bytes());
        put(&mut block, 0x58, &128_u32.to_le_bytes());
        put(&mut block, 0x5c, &3_u32.to_le_bytes());
        put(&mut block, 0x80, &2048_u64.to_le_bytes());
        put(&mut block, 0x88, &2048_u64.to_le_bytes());
        put(&mut block, 0x90, &8_u64.to_le_bytes());
        put(&mut block, 0xa8, &std::array::from_fn::<u8, 16, _>(|index| u8::try_from(index + 16).unwrap()));
        put(&mut block, 0xc0, &0x6b00_e789_u64.to_le_bytes());
        put(&mut block, 0xc8, &1_u64.to_le_bytes());
        put(&mut block, 0xd0, &u64::MAX.to_le_bytes());
        put(&mut block, 0xdc, &3_u32.to_le_bytes());
        put(&mut block, 0x100, &[0, 0, 1, 0, 2, 0]);
        mend_md_1(&mut block);
        assert_eq!(le32(&block, 0xd8), 0x07ae_af19);
    }

    #[test]
    fn a_superblock_of_version_0_has_the_same_checksum_in_both_byte_orders() {
        let set = MdSet { number: 7, device_bytes: 1 << 24 };
        let (at, little) = set.version_0(false);
        let (_, big) = set.version_0(true);
        assert_eq!(at, (1 << 24) - (64 << 10));
        assert_eq!(le32(&little, 0x98), u32::from_be_bytes(big[0x98..0x9c].try_into().unwrap()));
    }
}
