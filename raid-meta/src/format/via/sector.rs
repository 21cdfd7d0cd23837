//! The sector, and the numbers that are packed into its bits.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::format::schema::{DiskStruct, Endian};
use crate::format::vendor::sum8;
use crate::units::SECTOR_LENGTH;

/// What the sector begins with. It is also what boot sectors end with.
pub(super) const MAGIC: [u8; 2] = [0x55, 0xaa];
/// The newest version that is known.
pub(super) const NEWEST: u8 = 2;
/// Disks in the table.
pub(super) const TABLE: usize = 8;
/// The largest code of a chunk.
pub(super) const MAX_CHUNK_CODE: u8 = 12;
/// Bytes under the first checksum, which follows them.
pub(super) const SUMMED: usize = 0x32;
/// Bytes under the second checksum, which follows them.
const SECOND_SUMMED: usize = 0x1ff;

crate::disk_struct! {
    /// What comes before the table of disks.
    pub(super) struct Head {
        signature: u16 as hex,
        version_number: u8,
        /// Level, place and state of this disk: see [`Sector`].
        disk: u16 as hex,
        /// Number of disks and chunk.
        disk_array_ex: u8 as hex,
        /// Sectors of this disk that are for data.
        capacity: u64,
        /// Identity of this disk.
        array_serial_checksum: u32 as hex,
    }
}

crate::disk_struct! {
    /// What comes behind the table of disks.
    pub(super) struct Tail {
        checksum: u8 as hex,
        filler: [u8; 460] as raw,
        checksum2: u8 as hex,
    }
}

/// Bits of `disk`.
pub(super) mod bit {
    pub(in super::super) const BOOTABLE: u16 = 0x0001;
    pub(in super::super) const ENHANCED: u16 = 0x0002;
    pub(in super::super) const IN_ARRAY: u16 = 0x0004;
    pub(in super::super) const TOLERANCE: u16 = 0x8000;
}

/// Bits of the part of `disk` that depends on the level.
pub(super) mod info {
    /// Place in a stripe or span.
    pub(in super::super) const PLACE: u8 = 0x07;
    /// What the disk is to a mirror.
    pub(in super::super) const MIRROR: u8 = 0x03;
    /// The disk that a mirror was made from.
    pub(in super::super) const SOURCE: u8 = 0;
    pub(in super::super) const SPARE: u8 = 1;
    pub(in super::super) const COPY: u8 = 2;
    pub(in super::super) const MIRROR_DIRTY: u8 = 0x04;
    /// The second of two stripes that mirror each other.
    pub(in super::super) const SECOND_HALF: u8 = 0x08;
    pub(in super::super) const STRIPES_DIRTY: u8 = 0x10;
}

/// What a set is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Raid0,
    Raid1,
    Raid5,
    Span,
    Raid01,
    Other,
}

impl Kind {
    /// The number in the sector; none for kinds that are not known.
    pub(super) fn number(self) -> Option<u8> {
        match self {
            Self::Raid0 => Some(0),
            Self::Raid1 => Some(1),
            Self::Raid5 => Some(5),
            Self::Span => Some(8),
            Self::Raid01 => Some(9),
            Self::Other => None,
        }
    }
}

/// The sector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sector {
    pub(super) head: Head,
    /// The identities of the disks of the set, in the order of the array; 0 for none.
    pub(super) table: [u32; TABLE],
    pub(super) tail: Tail,
}

impl Sector {
    /// The sector in those bytes.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let head = Head::decode(bytes, Endian::Little)?;
        let mut table = [0; TABLE];
        for (id, word) in table.iter_mut().zip(bytes.get(Head::SIZE..SUMMED)?.chunks_exact(4)) {
            *id = u32::from_le_bytes(word.try_into().ok()?);
        }
        Some(Self { head, table, tail: Tail::decode(bytes.get(SUMMED..)?, Endian::Little)? })
    }

    /// The bytes of the sector.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.head.encode(Endian::Little);
        bytes.extend(self.table.iter().flat_map(|id| id.to_le_bytes()));
        bytes.extend(self.tail.encode(Endian::Little));
        bytes
    }

    /// Whether enough speaks for it: the signature of two bytes alone is also that of a ROM. With the checksum two of
    /// four further signs are wanted, without it three.
    pub(super) fn is_ours(&self) -> bool {
        let wanted = if self.is_sealed() { 2 } else { 3 };
        self.is_signed() && self.signs() >= wanted
    }

    /// Whether enough speaks for it where metadata is not expected: of the many sectors that begin like it and are
    /// something else, the 8 bits of the checksum are right in one of 256. All signs, or all but one and the second
    /// checksum.
    pub(super) fn is_ours_anywhere(&self) -> bool {
        let wanted = if self.is_second_sealed() { 3 } else { 4 };
        self.is_signed() && self.is_sealed() && self.signs() >= wanted
    }

    fn is_signed(&self) -> bool {
        self.head.signature == u16::from_le_bytes(MAGIC)
    }

    fn signs(&self) -> usize {
        let signs = [
            self.head.version_number <= NEWEST,
            self.kind() != Kind::Other,
            self.own_place().is_some(),
            self.tail.filler.iter().all(|&byte| byte == 0),
        ];
        signs.into_iter().filter(|&sign| sign).count()
    }

    /// What the set is.
    pub(super) fn kind(&self) -> Kind {
        let number = self.head.disk.to_le_bytes().first().map(|byte| byte >> 3 & 0x0f);
        [Kind::Raid0, Kind::Raid1, Kind::Raid5, Kind::Span, Kind::Raid01]
            .into_iter()
            .find(|kind| kind.number() == number)
            .unwrap_or(Kind::Other)
    }

    /// Which of the controller's arrays it is.
    pub(super) fn array_index(&self) -> u16 {
        self.head.disk >> 7 & 7
    }

    /// The five bits that depend on the level.
    pub(super) fn info(&self) -> u8 {
        u8::try_from(self.head.disk >> 10 & 0x1f).unwrap_or_default()
    }

    /// Sets the five bits that depend on the level.
    pub(super) fn set_info(&mut self, info: u8) {
        const MASK: u16 = 0x7c00;
        self.head.disk = self.head.disk & !MASK | u16::from(info).wrapping_shl(10) & MASK;
    }

    /// Number of disks; of a stripe where two of them mirror each other.
    pub(super) fn count(&self) -> u32 {
        u32::from(self.head.disk_array_ex & 7)
    }

    /// The code of the chunk.
    pub(super) fn chunk_code(&self) -> u8 {
        self.head.disk_array_ex >> 4
    }

    /// The chunk in sectors.
    pub(super) fn chunk(&self) -> u32 {
        8_u32.wrapping_shl(u32::from(self.chunk_code()))
    }

    /// Where the disk is in the table.
    pub(super) fn own_place(&self) -> Option<usize> {
        let own = self.head.array_serial_checksum;
        self.table.iter().position(|&id| id == own && id != 0)
    }

    /// The disks in the table.
    pub(super) fn members(&self) -> impl Iterator<Item = u32> {
        self.table.iter().copied().filter(|&id| id != 0)
    }

    /// The checksum that the sector should have.
    pub(super) fn computed_checksum(&self) -> u8 {
        sum8(self.encode().get(..SUMMED).unwrap_or_default())
    }

    /// The second checksum that the sector should have.
    pub(super) fn computed_checksum2(&self) -> u8 {
        sum8(self.encode().get(..SECOND_SUMMED).unwrap_or_default())
    }

    /// Whether the checksum is right that all readers look at.
    pub(super) fn is_sealed(&self) -> bool {
        self.tail.checksum == self.computed_checksum()
    }

    /// Whether the second checksum is right.
    pub(super) fn is_second_sealed(&self) -> bool {
        self.tail.checksum2 == self.computed_checksum2()
    }
}

/// Makes the checksums of a changed sector right: the first, then the second, which covers it.
pub(super) fn seal(bytes: &mut [u8], second: bool) {
    for summed in [Some(SUMMED), second.then_some(SECOND_SUMMED)].into_iter().flatten() {
        let sum = sum8(bytes.get(..summed).unwrap_or_default());
        if let Some(place) = bytes.get_mut(summed) {
            *place = sum;
        }
    }
}

const _: () = assert!(Head::SIZE + TABLE * 4 == SUMMED && SUMMED + Tail::SIZE == SECTOR_LENGTH);
