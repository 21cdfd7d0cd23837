//! The sector, and its checksums.

use crate::disk_struct;
use crate::escape::escape;
use crate::format::schema::{DiskStruct, Endian};
use crate::format::vendor::sum8;
use crate::model::Area;
use crate::record::ChecksumState;
use crate::units::{Bytes, SECTOR_BYTES, SECTOR_LENGTH, Sectors};

const LE: Endian = Endian::Little;

/// Of a disk that takes part.
pub(super) const MAGIC_OK: u32 = 0x5a78_16f3;
/// Of a disk that has failed.
pub(super) const MAGIC_BAD: u32 = 0x5a78_16fd;
/// What `rebuild_lba` is when there is nothing to rebuild.
pub(super) const REBUILT: u32 = 0x7fff_ffff;

/// What the first checksum covers, from the start: all that the vendor's version 3.0 knew.
const FIRST_PART: usize = 0x90;
/// Where the first checksum is.
const CHECKSUM_0: usize = 8;
/// Where the second is, which makes the whole sector add up to nothing.
const CHECKSUM_1: usize = 0x90;

disk_struct! {
    /// The beginning.
    pub(super) struct Head {
        /// [`MAGIC_OK`] or [`MAGIC_BAD`].
        magic: u32 as hex,
        /// Stamp of the set; zero for a spare.
        magic_0: u32 as hex,
        checksum_0: u8 as hex,
        mode: u8 as hex,
        user_mode: u8 as hex,
        /// How many of the two entries count.
        config_entries: u8,
    }
}

disk_struct! {
    /// One level of the array, and the disk's number in it.
    pub(super) struct Config {
        /// Size of the array of this level: the low half.
        total_sectors: u32,
        raid_type: u8,
        total_disks: u8,
        disk_number: u8,
        /// The chunk is so many times doubled.
        stripe_shift: u8,
        status: u16 as hex,
        /// A bit for each member that is not current.
        critical_disks: u16 as hex,
        /// How much of such a member is current: the low half.
        rebuild_lba: u32,
    }
}

disk_struct! {
    /// Texts, and what a later version added.
    pub(super) struct Texts {
        name: [u8; 16] as text,
        /// When the array was created; a packed date.
        timestamp: u32 as hex,
        description: [u8; 64] as text,
        creator: [u8; 16] as text,
        checksum_1: u8 as hex,
        private_flag: u8 as hex,
        /// The last stamp was saved in `failed_stamp`.
        already_broken: u8,
        /// Queueing and caches.
        flags: u8 as hex,
    }
}

disk_struct! {
    /// The high halves of an entry's numbers.
    pub(super) struct High {
        total_sectors: u32,
        rebuild_lba: u32,
    }
}

disk_struct! {
    /// The rest.
    pub(super) struct Tail {
        failed_stamp_0: u32 as hex,
        failed_stamp_1: u32 as hex,
        failed_stamp_2: u32 as hex,
        failed_stamp_3: u32 as hex,
        filler: [u8; 332],
    }
}

/// The sector at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sector {
    /// From the start of the disk.
    pub(super) offset: Bytes,
    pub(super) head: Head,
    pub(super) configs: [Config; 2],
    pub(super) texts: Texts,
    pub(super) high: [High; 2],
    pub(super) tail: Tail,
}

/// Where each structure begins, in order.
pub(super) const CONFIGS: [usize; 2] = [0x0c, 0x1c];
pub(super) const TEXTS: usize = 0x2c;
pub(super) const HIGH: [usize; 2] = [0x94, 0x9c];
pub(super) const TAIL: usize = 0xa4;

impl Sector {
    /// Decodes the sector; none when the signature is not there.
    pub(super) fn decode(bytes: &[u8], offset: Bytes) -> Option<Self> {
        let head = part::<Head>(bytes, 0)?;
        if !matches!(head.magic, MAGIC_OK | MAGIC_BAD) {
            return None;
        }
        let [config_0, config_1] = CONFIGS.map(|at| part::<Config>(bytes, at));
        let [high_0, high_1] = HIGH.map(|at| part::<High>(bytes, at));
        Some(Self {
            offset,
            head,
            configs: [config_0?, config_1?],
            texts: part(bytes, TEXTS)?,
            high: [high_0?, high_1?],
            tail: part(bytes, TAIL)?,
        })
    }

    /// Its bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.head.encode(LE);
        bytes.extend(self.configs.iter().flat_map(|config| config.encode(LE)));
        bytes.extend(self.texts.encode(LE));
        bytes.extend(self.high.iter().flat_map(|high| high.encode(LE)));
        bytes.extend(self.tail.encode(LE));
        bytes
    }

    pub(super) fn area(&self) -> Area {
        let bytes = self.encode();
        let checksum = if Sums::of(&bytes).are_right() { ChecksumState::Ok } else { ChecksumState::Bad };
        Area { role: "superblock", offset: self.offset, bytes, checksum }
    }

    /// Makes the checksums right again in changed bytes. A remainder that the sound original has in its second part,
    /// which only newer firmware sums up, stays.
    pub(super) fn seal_bytes(&self, bytes: &mut [u8]) {
        let original = Sums::of(&self.encode());
        let kept = if original.are_right() { original.second } else { 0 };
        let changed = Sums::of(bytes);
        add(bytes, CHECKSUM_0, 0_u8.wrapping_sub(changed.first));
        add(bytes, CHECKSUM_1, kept.wrapping_sub(changed.second));
    }

    /// The checksums as they are.
    pub(super) fn sums(&self) -> Sums {
        Sums::of(&self.encode())
    }

    /// Size of the array of that entry, in both halves.
    pub(super) fn total(&self, entry: usize) -> Sectors {
        let low = self.configs.get(entry).map_or(0, |config| config.total_sectors);
        let high = self.high.get(entry).map_or(0, |high| high.total_sectors);
        Sectors(u64::from(high) << 32 | u64::from(low))
    }

    /// How much of a member that is not current is so.
    pub(super) fn rebuilt(&self, entry: usize) -> Option<Sectors> {
        let low = self.configs.get(entry)?.rebuild_lba;
        let high = self.high.get(entry)?.rebuild_lba;
        (low < REBUILT).then_some(Sectors(u64::from(high) << 32 | u64::from(low)))
    }

    /// Sectors before the metadata: what there is for data.
    pub(super) fn room(&self) -> Sectors {
        self.offset.whole_sectors()
    }

    /// The name up to its end, escaped; what is left behind it from an older name is not part of it.
    pub(super) fn name(&self) -> Option<String> {
        let name = self.texts.name.split(|&byte| byte == 0).next().unwrap_or_default();
        (!name.is_empty()).then(|| escape(name))
    }

    /// A spare belongs to no set.
    pub(super) fn is_spare(&self) -> bool {
        self.head.magic_0 == 0
    }
}

/// What the two parts add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) first: u8,
    pub(super) second: u8,
}

impl Sums {
    fn of(bytes: &[u8]) -> Self {
        let (first, second) = bytes.split_at_checked(FIRST_PART).unwrap_or((bytes, &[]));
        Self { first: sum8(first), second: sum8(second) }
    }

    /// The first part adds up to nothing; version 3.0 has no checksum over the second.
    pub(super) fn are_right(self) -> bool {
        self.first == 0
    }
}

fn part<T: DiskStruct>(bytes: &[u8], at: usize) -> Option<T> {
    T::decode(bytes.get(at..)?, LE)
}

fn add(bytes: &mut [u8], at: usize, difference: u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = byte.wrapping_add(difference);
    }
}

const _: () = assert!(SECTOR_LENGTH as u64 == SECTOR_BYTES && TAIL + Tail::SIZE == SECTOR_LENGTH);
