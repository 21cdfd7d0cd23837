//! One copy of the metadata: a sector of IDENTIFY data with the set written over parts of it.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::format::schema::{DiskStruct, Endian};
use crate::format::vendor::sum16;
use crate::model::Area;
use crate::record::ChecksumState;
use crate::units::{Bytes, SECTOR_LENGTH, Sectors};

/// PCI vendor id of Silicon Image.
pub(super) const VENDOR: u16 = 0x1095;
/// The only major version.
pub(super) const MAJOR: u16 = 2;
/// Most disks of a set.
pub(super) const MAX_DISKS: u8 = 8;
/// Bytes under the checksum, itself included.
const SUMMED: usize = 0x140;
/// A count or a number that the level has no use for.
pub(super) const NOT_USED: i8 = -1;

crate::disk_struct! {
    /// The sector. The words of IDENTIFY that have no part in the set are those of the disk when the set was made.
    pub(super) struct Sector {
        /// Words 0 to 9.
        identify_0: [u8; 20] as raw,
        /// Words 10 to 19, two characters swapped in each.
        identify_serial: [u8; 20] as raw,
        /// Words 20 to 22.
        identify_20: [u8; 6] as raw,
        /// Words 23 to 26, characters swapped.
        identify_firmware: [u8; 8] as raw,
        /// Words 27 to 46, characters swapped.
        identify_model: [u8; 40] as raw,
        /// Word 47.
        identify_47: u16 as hex,
        /// Words 48 and 49, the capabilities. Their usual value is what blkid takes for a signature.
        magic: u32 as hex,
        /// Words 50 to 53.
        identify_50: [u8; 8] as raw,
        /// Size of the array.
        array_sectors: u64,
        /// Words 58 and 59.
        identify_58: [u8; 4] as raw,
        /// Words 60 and 61: the sectors of the disk, as many as 28 bits can say.
        thisdisk_sectors: u32,
        /// Words 62 to 99.
        identify_62: [u8; 76] as raw,
        /// Words 100 to 103: the sectors of the disk.
        lba48_sectors: u64,
        /// Words 104 to 129.
        identify_104: [u8; 52] as raw,
        /// PCI device of the controller.
        product_id: u16 as hex,
        /// PCI vendor of the controller.
        vendor_id: u16 as hex,
        minor_ver: u16,
        major_ver: u16,
        /// The six numbers of the time are the identity of the set.
        seconds: u8 as hex,
        minutes: u8 as hex,
        hour: u8 as hex,
        day: u8 as hex,
        month: u8 as hex,
        year: u8 as hex,
        /// Chunk in sectors.
        raid0_stride: u16,
        unknown6: u16 as hex,
        disk_number: u8,
        raid_type: u8 as hex,
        drives_per_striped_set: i8,
        striped_set_number: i8,
        drives_per_mirrored_set: i8,
        mirrored_set_number: i8,
        /// How far the disk has been rebuilt.
        rebuild_ptr: u64,
        /// Update counter.
        incarnation_no: u32,
        member_status: u8,
        mirrored_set_state: u8,
        reported_device_location: u8,
        idechannel: u8,
        auto_rebuild: u8 as hex,
        unknown8: u8 as hex,
        /// Name, padded with blanks.
        text_type: [u8; 16] as text,
        /// Makes the sum of the words up to here zero.
        checksum1: u16 as hex,
        assumed_zeros: [u8; 190] as raw,
        /// The integrity word of IDENTIFY, which was right before the set was written over it.
        checksum2: u16 as hex,
    }
}

/// What a set is, or a disk outside of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Raid0,
    Raid1,
    Raid10,
    Spare,
    Concat,
    Raid5,
    Jbod,
    Other,
}

impl Kind {
    /// The number in the sector; none for kinds that are not known.
    pub(super) fn number(self) -> Option<u8> {
        match self {
            Self::Raid0 => Some(0),
            Self::Raid1 => Some(1),
            Self::Raid10 => Some(2),
            Self::Spare => Some(3),
            Self::Concat => Some(4),
            Self::Raid5 => Some(0x10),
            Self::Jbod => Some(0xff),
            Self::Other => None,
        }
    }

    /// The kind of that number.
    pub(super) fn of(number: u8) -> Self {
        [Self::Raid0, Self::Raid1, Self::Raid10, Self::Spare, Self::Concat, Self::Raid5, Self::Jbod]
            .into_iter()
            .find(|kind| kind.number() == Some(number))
            .unwrap_or(Self::Other)
    }
}

impl Sector {
    /// What the sector says that the set is.
    pub(super) fn kind(&self) -> Kind {
        Kind::of(self.raid_type)
    }

    /// Sectors of the disk, as IDENTIFY said; none where it does not say, or contradicts itself.
    pub(super) fn disk_sectors(&self) -> Option<Sectors> {
        const LBA28_MAX: u64 = 0x0fff_ffff;
        const LBA48_MAX: u64 = 1 << 48;
        let short = u64::from(self.thisdisk_sectors);
        let long = self.lba48_sectors;
        if (short.max(1)..LBA48_MAX).contains(&long) && (long == short || short >= LBA28_MAX) {
            return Some(Sectors(long));
        }
        (short > 0 && short < LBA28_MAX).then_some(Sectors(short))
    }

    /// The six bytes of the time, year first.
    pub(super) fn time(&self) -> [u8; 6] {
        [self.year, self.month, self.day, self.hour, self.minutes, self.seconds]
    }

    /// Serial number of the disk that the set was made with.
    pub(super) fn serial(&self) -> Vec<u8> {
        unswapped(&self.identify_serial)
    }

    /// The checksum that the sector should have.
    pub(super) fn computed_checksum(&self) -> u16 {
        let bytes = self.encode(Endian::Little);
        let sum = sum16(bytes.get(..SUMMED).unwrap_or_default());
        self.checksum1.wrapping_sub(sum)
    }

    /// Whether the checksum is right.
    pub(super) fn is_sealed(&self) -> bool {
        self.computed_checksum() == self.checksum1
    }
}

/// Text of IDENTIFY in the order in which it is read, without the blanks and NULs around it.
pub(super) fn unswapped(words: &[u8]) -> Vec<u8> {
    let text: Vec<u8> = words.chunks(2).flat_map(|word| word.iter().rev().copied()).collect();
    let is_text = |byte: &u8| !matches!(byte, 0 | b' ');
    let (first, last) = (text.iter().position(is_text), text.iter().rposition(is_text));
    first.zip(last).and_then(|(first, last)| text.get(first..=last)).unwrap_or_default().to_vec()
}

/// A sector that is one of the copies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Copy {
    /// Which of the four, the last sector first.
    pub(super) index: usize,
    /// Where it is.
    pub(super) offset: Bytes,
    /// What it holds.
    pub(super) sector: Sector,
}

impl Copy {
    /// The copy in those bytes; none when too little speaks for it.
    ///
    /// Of the four signs (the vendor, the version, the capabilities of an ATA disk, the checksum) two must be there and
    /// the numbers plausible, or three. So no single byte decides, and what `wipefs` leaves is found.
    pub(super) fn decode(index: usize, offset: Bytes, bytes: &[u8]) -> Option<Self> {
        let sector = Sector::decode(bytes, Endian::Little)?;
        let signs = [
            sector.vendor_id == VENDOR,
            sector.major_ver == MAJOR,
            has_ata_capabilities(&sector),
            sector.is_sealed(),
        ];
        let count = signs.into_iter().filter(|&sign| sign).count();
        let is_plausible = sector.kind() != Kind::Other && sector.disk_number < MAX_DISKS;
        let is_ours = count >= 3 || count == 2 && is_plausible;
        is_ours.then_some(Self { index, offset, sector })
    }

    /// The bytes of the sector.
    pub(super) fn encode(&self) -> Vec<u8> {
        self.sector.encode(Endian::Little)
    }

    /// The sector as an area of the metadata.
    pub(super) fn area(&self) -> Area {
        Area {
            role: if self.index == 0 { "sector" } else { "copy" },
            offset: self.offset,
            bytes: self.encode(),
            checksum: if self.sector.is_sealed() { ChecksumState::Ok } else { ChecksumState::Bad },
        }
    }

    /// Whether it is whole: what the vote counts.
    pub(super) fn is_sound(&self) -> bool {
        self.sector.is_sealed() && (self.sector.vendor_id == VENDOR || self.sector.major_ver == MAJOR)
    }
}

/// DMA and LBA, and nothing in the word before: what dmraid looks for.
pub(super) fn has_ata_capabilities(sector: &Sector) -> bool {
    sector.magic & 0x03ff_ffff == 0x0300_0000
}

/// Makes the checksum of a changed copy right.
pub(super) fn seal(bytes: &mut [u8]) {
    const CHECKSUM: usize = SUMMED - 2;
    let sum = sum16(bytes.get(..CHECKSUM).unwrap_or_default()).wrapping_neg();
    if let Some(place) = bytes.get_mut(CHECKSUM..SUMMED) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
}

const _: () = assert!(Sector::SIZE == SECTOR_LENGTH);
