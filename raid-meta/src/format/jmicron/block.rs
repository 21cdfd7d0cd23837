//! The structure in the last sector.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::format::schema::{DiskStruct, Endian, FieldWalk, Repr};
use crate::format::vendor::{flags, sum16};
use crate::model::Field;
use crate::units::{Bytes, SECTOR_LENGTH, Sectors};

/// What the metadata begins with.
pub(super) const SIGNATURE: &[u8; 2] = b"JM";
/// The only version that was seen.
pub(super) const VERSION: u16 = 1;
/// Bytes under the checksum.
const COVERED: usize = 128;
/// Disks of the array, and spares.
pub(super) const MAX_MEMBERS: usize = 8;
pub(super) const MAX_SPARES: usize = 2;
/// A member that is missing.
pub(super) const MISSING: u32 = u32::MAX;
/// Largest power of two of a chunk in KiB.
pub(super) const MAX_BLOCK: u8 = 14;

const LE: Endian = Endian::Little;

/// Levels, as `mode` has them.
pub(super) mod mode {
    pub(crate) const RAID0: u8 = 0;
    pub(crate) const RAID1: u8 = 1;
    pub(crate) const RAID01: u8 = 2;
    pub(crate) const JBOD: u8 = 3;
    pub(crate) const RAID5: u8 = 5;
}

/// Bits of `attribute`, as FreeBSD has them. dmraid takes their numbers for the bits.
pub(super) mod attribute {
    pub(crate) const READY: u16 = 0x01;
    pub(crate) const BOOTABLE: u16 = 0x02;
    pub(crate) const BAD: u16 = 0x04;
    pub(crate) const ACTIVE: u16 = 0x10;
    pub(crate) const UNSYNCHRONIZED: u16 = 0x20;
    pub(crate) const NEWEST: u16 = 0x40;
}

const ATTRIBUTES: [(u32, &str); 6] = [
    (attribute::READY as u32, "ready"),
    (attribute::BOOTABLE as u32, "bootable"),
    (attribute::BAD as u32, "a member is bad"),
    (attribute::ACTIVE as u32, "active"),
    (attribute::UNSYNCHRONIZED as u32, "unsynchronized"),
    (attribute::NEWEST as u32, "newest"),
];

crate::disk_struct! {
    /// Up to the lists of disks.
    pub(super) struct Head {
        /// [`SIGNATURE`].
        signature: [u8; 2] as text,
        /// Major and minor, a byte each.
        version: u16 as hex,
        /// Makes the sum of all words 0, on some disks 1.
        checksum: u16 as hex,
        filler: [u8; 10] as raw,
        /// The disk, its low four bits the number of the segment.
        identity: u32 as hex,
        /// Where the array's part of the disk begins.
        segment_base: u32,
        /// Its length in units of 65536 sectors,
        segment_range: u32,
        /// and the rest in sectors.
        segment_range2: u16,
        segment_padding: [u8; 2] as raw,
        name: [u8; 16] as text,
        mode: u8,
        /// Power of two of the chunk in KiB.
        block: u8,
        attribute: u16 as hex,
        filler1: [u8; 4] as raw,
    }
}

crate::disk_struct! {
    /// A disk in a list.
    pub(super) struct Identity {
        identity: u32 as hex,
    }
}

/// Lengths of what is behind the lists: under the checksum, and not.
const FILLER2: usize = 32;
const TAIL: usize = SECTOR_LENGTH - COVERED;
const SPARES_AT: usize = Head::SIZE;
const MEMBERS_AT: usize = SPARES_AT + MAX_SPARES * Identity::SIZE;
const FILLER2_AT: usize = MEMBERS_AT + MAX_MEMBERS * Identity::SIZE;

/// The whole sector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) head: Head,
    /// [`MAX_SPARES`] of them; what is unused is not always zero.
    pub(super) spares: Vec<u32>,
    /// [`MAX_MEMBERS`] of them, up to the first zeros.
    pub(super) members: Vec<u32>,
    pub(super) filler2: Vec<u8>,
    pub(super) tail: Vec<u8>,
}

impl Block {
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let sector = bytes.get(..SECTOR_LENGTH)?;
        Some(Self {
            head: Head::decode(sector, LE)?,
            spares: identities(sector.get(SPARES_AT..MEMBERS_AT)?),
            members: identities(sector.get(MEMBERS_AT..FILLER2_AT)?),
            filler2: sector.get(FILLER2_AT..COVERED)?.to_vec(),
            tail: sector.get(COVERED..)?.to_vec(),
        })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.head.encode(LE);
        for identity in self.spares.iter().chain(&self.members) {
            bytes.extend(identity.to_le_bytes());
        }
        bytes.extend(&self.filler2);
        bytes.extend(&self.tail);
        bytes
    }

    pub(super) fn is_signed(&self) -> bool {
        self.head.signature == *SIGNATURE
    }

    /// The sum of all words.
    pub(super) fn residue(&self) -> u16 {
        sum16(self.encode().get(..COVERED).unwrap_or_default())
    }

    /// The checksum that makes the sum that residue.
    pub(super) fn computed_checksum(&self, residue: u16) -> u16 {
        self.head.checksum.wrapping_add(residue).wrapping_sub(self.residue())
    }

    pub(super) fn is_sealed(&self) -> bool {
        matches!(self.residue(), 0 | 1)
    }

    /// Whether what has few possible values has one of them.
    pub(super) fn is_plausible(&self) -> bool {
        let head = &self.head;
        let is_mode =
            matches!(head.mode, mode::RAID0 | mode::RAID1 | mode::RAID01 | mode::JBOD | mode::RAID5);
        head.version == VERSION
            && is_mode
            && head.block <= MAX_BLOCK
            && !self.length().is_zero()
            && self.index().is_some()
    }

    /// Length of the array's part of the disk.
    pub(super) fn length(&self) -> Sectors {
        Sectors(u64::from(self.head.segment_range) << 16 | u64::from(self.head.segment_range2))
    }

    /// Where the array's part of a disk of that size begins. The unit is 16 sectors for the two programs that also write
    /// it, one sector for dmraid; that is believed where only so the part is on the disk.
    pub(super) fn offset(&self, disk: Sectors) -> Sectors {
        let base = Sectors(u64::from(self.head.segment_base));
        let scaled = Sectors(base.0.saturating_mul(16));
        let room = disk.saturating_sub(super::TRAILER);
        let fits = |offset: Sectors| offset.saturating_add(self.length()) <= room;
        if !fits(scaled) && fits(base) { base } else { scaled }
    }

    pub(super) fn chunk_sectors(&self) -> Option<u32> {
        let block = Some(self.head.block).filter(|block| *block <= MAX_BLOCK)?;
        1_u32.checked_shl(u32::from(block).saturating_add(1))
    }

    /// The members, as many as the list has.
    pub(super) fn listed(&self) -> &[u32] {
        let count =
            self.members.iter().rposition(|member| *member != 0).map_or(0, |last| last.saturating_add(1));
        self.members.get(..count).unwrap_or_default()
    }

    /// Which member the disk is; the first, if it is in the list twice.
    pub(super) fn index(&self) -> Option<usize> {
        self.listed().iter().position(|member| *member != MISSING && self.is_own(*member))
    }

    pub(super) fn is_spare(&self) -> bool {
        self.index().is_none() && self.spares.iter().any(|spare| *spare != 0 && self.is_own(*spare))
    }

    fn is_own(&self, identity: u32) -> bool {
        identity >> 4 == self.head.identity >> 4
    }

    /// The name without what is behind it.
    pub(super) fn name(&self) -> &[u8] {
        let name = &self.head.name;
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        name.get(..end).unwrap_or_default().trim_ascii_end()
    }

    pub(super) fn fields(&self, offset: Bytes) -> Vec<Field> {
        let bytes = self.encode();
        let mut walk = FieldWalk::new(&bytes, offset, LE);
        walk.structure::<Head>("jmicron", "", 0, |name, _| self.meaning(name));
        let mut at = SPARES_AT;
        for (list, count) in [("spare", MAX_SPARES), ("member", MAX_MEMBERS)] {
            for number in 0..count {
                let meaning = if list == "member" { self.member_meaning(number) } else { None };
                let name = format!("{list}[{number}]");
                walk.field("jmicron", name, at, Identity::SIZE, Repr::Hex, meaning);
                at = at.saturating_add(Identity::SIZE);
            }
        }
        walk.field("jmicron", "filler2", FILLER2_AT, FILLER2, Repr::Raw, None);
        walk.field("jmicron", "tail", COVERED, TAIL, Repr::Raw, None);
        walk.finish()
    }

    fn meaning(&self, name: &str) -> Option<String> {
        match name {
            "checksum" if self.is_sealed() => Some(format!("correct, the sum is {}", self.residue())),
            "checksum" => Some(format!("wrong, computed {:#06x}", self.computed_checksum(0))),
            "identity" => match self.index() {
                Some(index) => Some(format!("member {index}")),
                None if self.is_spare() => Some("spare".to_owned()),
                None => Some("not in the list".to_owned()),
            },
            "segment_base" if self.head.segment_base != 0 => {
                Some("units of 16 sectors, or of one".to_owned())
            }
            "segment_range" => Some(format!("with segment_range2: {} sectors", self.length())),
            "name" => Some(crate::escape::escape(self.name())),
            "mode" => Some(mode_name(self.head.mode).to_owned()),
            "block" => self.chunk_sectors().map(|chunk| format!("{chunk} sectors")),
            "attribute" => flags(u32::from(self.head.attribute), &ATTRIBUTES),
            _ => None,
        }
    }

    fn member_meaning(&self, number: usize) -> Option<String> {
        match self.listed().get(number) {
            Some(&MISSING) => Some("missing".to_owned()),
            _ if self.index() == Some(number) => Some("this disk".to_owned()),
            _ => None,
        }
    }

    /// What the flags say.
    pub(super) fn state(&self) -> Option<String> {
        flags(u32::from(self.head.attribute), &ATTRIBUTES)
    }
}

fn identities(bytes: &[u8]) -> Vec<u32> {
    let words = bytes.chunks_exact(Identity::SIZE).filter_map(|word| Identity::decode(word, LE));
    words.map(|word| word.identity).collect()
}

/// What the firmware calls the level.
pub(super) fn mode_name(value: u8) -> &'static str {
    match value {
        mode::RAID0 => "RAID0",
        mode::RAID1 => "RAID1",
        mode::RAID01 => "RAID0+1",
        mode::JBOD => "JBOD",
        mode::RAID5 => "RAID5",
        _ => "not a level",
    }
}
