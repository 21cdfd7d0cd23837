//! The structure in the last but one sector.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::format::schema::{DiskStruct, Endian, FieldWalk, Repr};
use crate::format::vendor::{flags, sum32};
use crate::model::Field;
use crate::units::{Bytes, SECTOR_LENGTH};

/// What the metadata begins with.
pub(super) const VENDOR: &[u8; 8] = b"NVIDIA  ";
/// Version of the metadata.
pub(super) const VERSION: u16 = 100;
/// Version of the array part: the same, and its length.
pub(super) const ARRAY_VERSION: u32 = 0x0064_0044;
/// Length of the structure in words of 32 bits.
pub(super) const WORDS: u32 = 30;

const LE: Endian = Endian::Little;

/// Levels, as `raid_level` has them.
pub(super) mod level {
    pub(crate) const UNKNOWN: u32 = 0;
    pub(crate) const JBOD: u32 = 0xff;
    pub(crate) const RAID0: u32 = 0x80;
    pub(crate) const RAID1: u32 = 0x81;
    pub(crate) const RAID3: u32 = 0x83;
    pub(crate) const RAID5: u32 = 0x85;
    pub(crate) const RAID10: u32 = 0x8a;
    pub(crate) const RAID5_SYMMETRIC: u32 = 0x95;
    /// Stripes under a mirror.
    pub(crate) const RAID01: u32 = 0x8180;
}

/// What the array is doing, as `raid_job_code` has it.
pub(super) mod job {
    pub(crate) const IDLE: u8 = 0;
    pub(crate) const INITIALIZING: u8 = 2;
    pub(crate) const REBUILDING: u8 = 3;
    pub(crate) const UPGRADING: u8 = 4;
    pub(crate) const SYNCHRONIZING: u8 = 5;
}

/// Bit of `unit_flags`: the disk is being rebuilt.
pub(super) const UNIT_REBUILDING: u32 = 0x100;
/// Bit of the array's flags: a disk is missing or has failed.
pub(super) const ARRAY_ERROR: u32 = 0x2;
/// Bit of the array's flags: parity was computed.
pub(super) const ARRAY_PARITY_VALID: u32 = 0x4;

crate::disk_struct! {
    /// What the disk is.
    pub(super) struct Unit {
        /// [`VENDOR`].
        vendor: [u8; 8] as text,
        /// Length in words of 32 bits.
        size: u32,
        /// Makes the sum of these words zero.
        chksum: u32 as hex,
        version: u16,
        /// Position in the array; spares come after the members.
        unit_number: u8,
        reserved: u8 as hex,
        /// Size of the array in sectors.
        capacity: u32,
        sector_size: u32,
        /// Name of the array, padded with blanks.
        product_id: [u8; 16] as text,
        product_revision: [u8; 4] as raw,
        unit_flags: u32 as hex,
    }
}

crate::disk_struct! {
    /// The array, equal on all disks.
    pub(super) struct Array {
        version: u32 as hex,
        /// Identity of the array.
        signature: [u8; 16] as uuid,
        raid_job_code: u8,
        /// Disks that hold data of their own.
        stripe_width: u8,
        /// Disks in the array.
        total_volumes: u8,
        original_width: u8,
        raid_level: u32 as hex,
        /// Chunk in sectors; the next five follow from it.
        stripe_block_size: u32,
        stripe_block_byte_size: u32,
        stripe_block_power: u32,
        stripe_mask: u32 as hex,
        stripe_size: u32,
        stripe_byte_size: u32,
        /// Up to which sector of the array the job is done.
        raid_job_mark: u32,
        original_level: u32 as hex,
        original_capacity: u32,
        flags: u32 as hex,
    }
}

/// Length of what no structure covers.
const TAIL: usize = SECTOR_LENGTH - Unit::SIZE - Array::SIZE;

/// The whole sector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) unit: Unit,
    pub(super) array: Array,
    pub(super) tail: Vec<u8>,
}

impl Block {
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let sector = bytes.get(..SECTOR_LENGTH)?;
        Some(Self {
            unit: Unit::decode(sector, LE)?,
            array: Array::decode(sector.get(Unit::SIZE..)?, LE)?,
            tail: sector.get(SECTOR_LENGTH.checked_sub(TAIL)?..)?.to_vec(),
        })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        [self.unit.encode(LE), self.array.encode(LE), self.tail.clone()].concat()
    }

    /// The checksum that makes the sum zero; none when the size is not one that can be.
    pub(super) fn computed_checksum(&self) -> Option<u32> {
        const SECTOR_WORDS: u32 = 128;
        let words = (WORDS..=SECTOR_WORDS).contains(&self.unit.size).then_some(self.unit.size)?;
        let bytes = self.encode();
        let covered = bytes.get(..usize::try_from(words.checked_mul(4)?).ok()?)?;
        Some(self.unit.chksum.wrapping_sub(sum32(covered)))
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.computed_checksum() == Some(self.unit.chksum)
    }

    /// Makes the checksum right; a size that can not be stays as it is.
    pub(super) fn seal(&mut self) {
        if let Some(computed) = self.computed_checksum() {
            self.unit.chksum = computed;
        }
    }

    pub(super) fn fields(&self, offset: Bytes) -> Vec<Field> {
        let bytes = self.encode();
        let mut walk = FieldWalk::new(&bytes, offset, LE);
        walk.structure::<Unit>("nvidia", "", 0, |name, _| self.unit_meaning(name));
        walk.structure::<Array>("nvidia_array", "array.", Unit::SIZE, |name, _| self.array_meaning(name));
        walk.field("nvidia", "tail", SECTOR_LENGTH - TAIL, TAIL, Repr::Raw, None);
        walk.finish()
    }

    fn unit_meaning(&self, name: &str) -> Option<String> {
        match name {
            "size" => Some("words of 32 bits under the checksum".to_owned()),
            "chksum" if self.is_sealed() => Some("correct".to_owned()),
            "chksum" => self.computed_checksum().map(|computed| format!("wrong, computed {computed:#010x}")),
            "unit_number" => Some(super::view::role_text(self)),
            "capacity" => Some("sectors of the array".to_owned()),
            "unit_flags" => flags(self.unit.unit_flags, &[(UNIT_REBUILDING, "rebuilding")]),
            _ => None,
        }
    }

    fn array_meaning(&self, name: &str) -> Option<String> {
        const FLAGS: [(u32, &str); 3] =
            [(1, "bootable"), (ARRAY_ERROR, "error"), (ARRAY_PARITY_VALID, "parity valid")];
        match name {
            "signature" => Some(format!("dm name {}", self.dm_name())),
            "raid_job_code" => Some(job_name(self.array.raid_job_code).to_owned()),
            "raid_level" => Some(level_name(self.array.raid_level).to_owned()),
            "original_level" => Some(level_name(self.array.original_level).to_owned()),
            "stripe_block_size" => Some("chunk, sectors".to_owned()),
            "flags" => flags(self.array.flags, &FLAGS),
            _ => None,
        }
    }

    /// dmraid's name: the words of the signature added up.
    pub(super) fn dm_name(&self) -> String {
        crate::format::vendor::set_name(super::NAME, &format!("{:08x}", sum32(&self.array.signature)))
    }
}

/// What the firmware calls the level.
pub(super) fn level_name(value: u32) -> &'static str {
    match value {
        level::UNKNOWN => "unknown",
        level::JBOD => "JBOD",
        level::RAID0 => "RAID0",
        level::RAID1 => "RAID1",
        level::RAID3 => "RAID3",
        level::RAID5 => "RAID5, left-asymmetric",
        level::RAID10 => "RAID10",
        level::RAID5_SYMMETRIC => "RAID5, left-symmetric",
        level::RAID01 => "RAID0+1",
        _ => "not a level",
    }
}

/// What the array is doing.
pub(super) fn job_name(code: u8) -> &'static str {
    match code {
        job::IDLE => "idle",
        job::INITIALIZING => "initializing",
        job::REBUILDING => "rebuilding",
        job::UPGRADING => "upgrading",
        job::SYNCHRONIZING => "synchronizing",
        _ => "unknown job",
    }
}
