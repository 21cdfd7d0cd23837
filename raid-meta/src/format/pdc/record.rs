//! The record of 2048 bytes that describes one array on one disk.
//!
//! Old firmware leaves what it does not use as it was in memory: a descending pattern, the byte at offset o being −o. So a
//! field that came later has a value only where it is not that pattern; [`Record`] answers with the pattern seen through.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::format::schema::{DiskStruct, Endian};
use crate::format::vendor::sum32;
use crate::units::Sectors;

const LE: Endian = Endian::Little;

/// What a record begins with.
pub(super) const SIGNATURE: &[u8; 24] = b"Promise Technology, Inc.";
/// The same of the FreeBSD driver of old.
pub(super) const FREEBSD_SIGNATURE: &[u8; 24] = b"FreeBSD ATA driver RAID ";
/// Length of a record.
pub(super) const RECORD: usize = 2048;
/// Disks in the table.
pub(super) const MAX_DISKS: usize = 8;

/// Bit of `integrity`: the record is valid.
pub(super) const VALID: u32 = 0x80;

/// Levels, as `raid_type` has them.
pub(super) mod kind {
    pub(crate) const RAID0: u8 = 0;
    pub(crate) const RAID1: u8 = 1;
    pub(crate) const RAID3: u8 = 2;
    pub(crate) const RAID5: u8 = 4;
    pub(crate) const SPAN: u8 = 8;
    pub(crate) const JBOD: u8 = 0x10;
}

/// Bits of a disk's flags.
pub(super) mod disk_flag {
    pub(crate) const VALID: u8 = 0x01;
    pub(crate) const ONLINE: u8 = 0x02;
    pub(crate) const ASSIGNED: u8 = 0x04;
    pub(crate) const SPARE: u8 = 0x08;
    pub(crate) const DUPLICATE: u8 = 0x10;
    pub(crate) const REDIRECTED: u8 = 0x20;
    pub(crate) const DOWN: u8 = 0x40;
    pub(crate) const READY: u8 = 0x80;
}

/// Bits of the array's status.
pub(super) mod status {
    pub(crate) const VALID: u8 = 0x01;
    pub(crate) const ONLINE: u8 = 0x02;
    pub(crate) const INITED: u8 = 0x04;
    pub(crate) const READY: u8 = 0x08;
    pub(crate) const DEGRADED: u8 = 0x10;
    pub(crate) const MARKED: u8 = 0x20;
    pub(crate) const MIGRATING: u8 = 0x40;
    pub(crate) const FUNCTIONAL: u8 = 0x80;
}

/// `magic_3` while the array is idle, while a disk of it is rebuilt, and while it is being synchronized.
pub(super) const IDLE: u32 = 0x0300_0000;
pub(super) const REBUILDING: u32 = 0x0304_0010;
pub(super) const RESYNCING: u32 = 0x0304_0008;

crate::disk_struct! {
    /// Up to the table of disks.
    pub(super) struct Head {
        /// [`SIGNATURE`].
        id: [u8; 24] as text,
        dummy_0: u32 as hex,
        /// Identity of the disk, as `disk_id` has it.
        magic_0: u64 as hex,
        /// Low bits of the identity of the array.
        magic_1: u16 as hex,
        /// The next bits of it.
        magic_2: u32 as hex,
        filler1: [u8; 470] as raw,
        integrity: u32 as hex,
        /// What the disk is, as in the table.
        disk_flags: u8 as hex,
        /// Position of the disk; 255 none.
        disk_number: u8,
        disk_channel: u8,
        disk_device: u8,
        disk_id: u64 as hex,
        /// First sector of the array's part of the disk.
        disk_offset: u32,
        disk_sectors: u32,
        /// How much of the disk is current while it is being rebuilt; all ones otherwise.
        disk_rebuild: u32 as hex,
        generation: u16,
        status: u8 as hex,
        raid_type: u8,
        total_disks: u8,
        /// Power of two of the chunk in sectors.
        stripe_shift: u8,
        /// Disks in a stripe.
        array_width: u8,
        array_number: u8,
        total_sectors: u32,
        cylinders: u16,
        heads: u8,
        sectors: u8,
        volume_id: u64 as hex,
    }
}

crate::disk_struct! {
    /// A disk of the array.
    pub(super) struct DiskEntry {
        flags: u8 as hex,
        number: u8,
        channel: u8,
        device: u8,
        id: u64 as hex,
    }
}

crate::disk_struct! {
    /// Behind the table of disks.
    pub(super) struct Tail {
        name: [u8; 32] as text,
        filler2: [u8; 32] as raw,
        /// What the array is doing.
        magic_3: u32 as hex,
        /// How much of the array is done with it; all ones otherwise.
        rebuild_lba64: u64 as hex,
        magic_4: u32 as hex,
        magic_5: u32 as hex,
        total_sectors_high: u32 as hex,
        magic_6: u8 as hex,
        /// In units of 512 bytes.
        sector_size: u8,
        magic_7: u16 as hex,
        magic_8: [u8; 124] as raw,
        backup_time: u32 as hex,
        magic_9: u16 as hex,
        disk_offset_high: u32 as hex,
        disk_sectors_high: u32 as hex,
        disk_rebuild_high: u32 as hex,
        magic_10: u16 as hex,
        magic_11: [u8; 12] as raw,
        filler3: [u8; 1136] as raw,
        checksum: u32 as hex,
    }
}

/// Where the table of disks begins.
pub(super) const TABLE_AT: usize = Head::SIZE;
/// Where it ends.
pub(super) const TAIL_AT: usize = RECORD - Tail::SIZE;

/// A decoded record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) head: Head,
    /// [`MAX_DISKS`] of them.
    pub(super) disks: Vec<DiskEntry>,
    pub(super) tail: Tail,
}

impl Record {
    /// None without a signature.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..RECORD)?;
        let head = Head::decode(bytes, LE).filter(|head| is_signature(&head.id))?;
        let table = bytes.get(TABLE_AT..TAIL_AT)?.chunks_exact(DiskEntry::SIZE);
        let disks = table.map(|entry| DiskEntry::decode(entry, LE)).collect::<Option<_>>()?;
        Some(Self { head, disks, tail: Tail::decode(bytes.get(TAIL_AT..)?, LE)? })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.head.encode(LE);
        self.disks.iter().for_each(|disk| bytes.extend(disk.encode(LE)));
        bytes.extend(self.tail.encode(LE));
        bytes
    }

    /// The sum of all words before it.
    pub(super) fn computed_checksum(&self) -> u32 {
        sum32(&self.encode()).wrapping_sub(self.tail.checksum)
    }

    pub(super) fn seal(&mut self) {
        self.tail.checksum = self.computed_checksum();
    }

    /// Where the array's part of the disk begins.
    pub(super) fn offset(&self) -> Sectors {
        const FILLER: u32 = 0xedee_eff0;
        let low = if self.head.disk_offset == FILLER { 0 } else { self.head.disk_offset };
        joined(low, self.high(self.tail.disk_offset_high))
    }

    /// How long it is.
    pub(super) fn length(&self) -> Sectors {
        joined(self.head.disk_sectors, self.high(self.tail.disk_sectors_high))
    }

    /// How much of the disk is current, while it is being rebuilt.
    pub(super) fn rebuilt(&self) -> Option<Sectors> {
        let low = self.head.disk_rebuild;
        let high = if self.is_high_filler() && low == u32::MAX {
            low
        } else {
            self.high(self.tail.disk_rebuild_high)
        };
        (low != u32::MAX || high != u32::MAX).then(|| joined(low, high))
    }

    /// Size of the array.
    pub(super) fn total(&self) -> Sectors {
        const FILLER: u32 = 0x1516_1718;
        let high = self.tail.total_sectors_high;
        let is_filler = self.is_high_filler() && high == FILLER;
        joined(self.head.total_sectors, if is_filler { 0 } else { high })
    }

    /// How much of the array has been synchronized, while it is.
    pub(super) fn resynced(&self) -> Option<Sectors> {
        let is_known = self.tail.magic_3 == RESYNCING && self.tail.rebuild_lba64 != u64::MAX;
        is_known.then_some(Sectors(self.tail.rebuild_lba64))
    }

    /// Bytes in a logical sector, in units of 512.
    pub(super) fn sector_units(&self) -> u8 {
        match self.tail.sector_size {
            units @ 1..=8 => units,
            _ => 1,
        }
    }

    fn high(&self, value: u32) -> u32 {
        if self.is_high_filler() { 0 } else { value }
    }

    /// The fields that came later hold the pattern of old firmware.
    pub(super) fn is_high_filler(&self) -> bool {
        self.tail.disk_offset_high == 0x8b8c_8d8e
            && self.tail.disk_sectors_high == 0x8788_898a
            && self.tail.disk_rebuild_high == 0x8384_8586
    }

    /// The disk waits to be used, or the record stands for room that nothing uses.
    pub(super) fn is_unassigned(&self) -> bool {
        self.head.total_disks == 0
    }

    pub(super) fn is_spare(&self) -> bool {
        self.is_unassigned() && self.head.disk_flags & disk_flag::SPARE != 0
    }

    /// dmraid's name: the low half of the array's identity in decimal.
    pub(super) fn dm_name(&self) -> String {
        let low = self.head.volume_id & u64::from(u32::MAX);
        crate::format::vendor::set_name(super::NAME, &low.to_string())
    }

    /// The name of the array without its padding.
    pub(super) fn name(&self) -> &[u8] {
        let end = self.tail.name.iter().position(|&byte| byte == 0);
        self.tail.name.get(..end.unwrap_or(self.tail.name.len())).unwrap_or_default().trim_ascii_end()
    }
}

/// Whether a record begins here.
pub(super) fn is_signature(bytes: &[u8]) -> bool {
    bytes.starts_with(SIGNATURE) || bytes.starts_with(FREEBSD_SIGNATURE)
}

fn joined(low: u32, high: u32) -> Sectors {
    Sectors(u64::from(high) << 32 | u64::from(low))
}
