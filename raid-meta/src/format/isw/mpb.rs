//! The structures of the metadata parameter block (MPB): header, disk table, volume table.
//!
//! All are little-endian and packed. A volume ends with one map, or with two while it migrates: the
//! first says where it goes, the second where it comes from. The maps have as many slots as each says itself.
//!
//! Numbers are kept as they are on the disk. On a disk with 4096-byte sectors block numbers count such
//! blocks; [`Mpb::scale`] turns them into sectors.

use super::bbm::BadBlocks;
use super::place::Place;
use crate::disk_struct;
use crate::units::Sectors;

/// The first 24 bytes of every MPB; the version text follows.
pub(super) const MAGIC: &[u8; 24] = b"Intel Raid ISM Cfg Sig. ";

/// A slot whose disk is out of step (bit 24 of a table entry); the low 24 bits are the index of the disk.
pub(super) const OUT_OF_SYNC: u32 = 0x0100_0000;

/// Bits of an entry of the slot table that are the index into the disk table.
pub(super) const INDEX_MASK: u32 = 0x00ff_ffff;

disk_struct! {
    /// The header.
    pub(super) struct Header {
        magic: [u8; 24] as text,
        version: [u8; 8] as text,
        check_sum: u32 as hex,
        mpb_size: u32,
        family_num: u32 as hex,
        generation_num: u32,
        error_log_size: u32,
        attributes: u32 as hex,
        num_disks: u8,
        num_raid_devs: u8,
        error_log_pos: u8,
        fill: [u8; 1] as raw,
        cache_size: u32,
        orig_family_num: u32 as hex,
        pwr_cycle_count: u32,
        bbm_log_size: u32,
        num_raid_devs_created: u16,
        filler1: [u8; 2] as raw,
        creation_time: u64,
        filler: [u8; 128] as raw,
    }
}

disk_struct! {
    /// An entry of the disk table.
    pub(super) struct Disk {
        serial: [u8; 16] as text,
        total_blocks_lo: u32,
        scsi_id: u32 as hex,
        status: u32 as hex,
        owner_cfg_num: u32,
        total_blocks_hi: u32,
        filler: [u8; 12] as raw,
    }
}

disk_struct! {
    /// The fixed part of a volume, `imsm_dev`.
    pub(super) struct VolumeHead {
        volume: [u8; 16] as text,
        size_low: u32,
        size_high: u32,
        status: u32 as hex,
        reserved_blocks: u32,
        migr_priority: u8,
        num_sub_vols: u8,
        tid: u8,
        cng_master_disk: u8,
        cache_policy: u16,
        cng_state: u8,
        cng_sub_state: u8,
        my_vol_raid_dev_num: u16,
        nv_cache_mode: u8,
        nv_cache_flags: u8,
        nvc_vol_orig_family_num: u32 as hex,
        nvc_vol_raid_dev_num: u16,
        rwh_policy: u8,
        jd_serial: [u8; 16] as text,
        filler1: [u8; 1] as raw,
        filler: [u8; 12] as raw,
    }
}

disk_struct! {
    /// The state of a volume, `imsm_vol`.
    pub(super) struct VolumeState {
        curr_migr_unit_lo: u32,
        checkpoint_id: u32,
        migr_state: u8,
        migr_type: u8,
        dirty: u8,
        fs_state: u8,
        verify_errors: u16,
        bad_blocks: u16,
        curr_migr_unit_hi: u32,
        filler: [u8; 12] as raw,
    }
}

disk_struct! {
    /// The fixed part of a map, `imsm_map`.
    pub(super) struct MapHead {
        pba_of_lba0_lo: u32,
        blocks_per_member_lo: u32,
        num_data_stripes_lo: u32,
        blocks_per_strip: u16,
        map_state: u8,
        raid_level: u8,
        num_members: u8,
        num_domains: u8,
        failed_disk_num: u8,
        ddf: u8,
        pba_of_lba0_hi: u32,
        blocks_per_member_hi: u32,
        num_data_stripes_hi: u32,
        filler: [u8; 16] as raw,
    }
}

/// What [`MapHead::failed_disk_num`] is where no slot has failed.
pub(super) const NONE_FAILED: u8 = 0xff;

/// What [`MapHead::map_state`] can be.
pub(super) mod map_state {
    pub(in super::super) const NORMAL: u8 = 0;
    /// Redundancy was never computed.
    pub(in super::super) const UNINITIALIZED: u8 = 1;
    pub(in super::super) const DEGRADED: u8 = 2;
    pub(in super::super) const FAILED: u8 = 3;
}

/// A map: its head, and for each slot the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Map {
    pub(super) head: MapHead,
    pub(super) disk_ord_tbl: Vec<u32>,
}

impl Map {
    /// Index into the disk table, for a slot.
    pub(super) fn disk_index(&self, slot: usize) -> Option<usize> {
        self.disk_ord_tbl.get(slot).map(|entry| (entry & INDEX_MASK) as usize)
    }

    /// Whether the slot's disk is out of step.
    pub(super) fn is_out_of_sync(&self, slot: usize) -> bool {
        self.disk_ord_tbl.get(slot).is_some_and(|entry| entry & OUT_OF_SYNC != 0)
    }

    /// The slot that an entry of the disk table has.
    pub(super) fn slot_of(&self, disk: usize) -> Option<usize> {
        (0..self.disk_ord_tbl.len()).find(|&slot| self.disk_index(slot) == Some(disk))
    }
}

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Volume {
    pub(super) head: VolumeHead,
    pub(super) state: VolumeState,
    /// Where it is, or where it goes while it migrates.
    pub(super) map: Map,
    /// Where it comes from; present while it migrates.
    pub(super) source: Option<Map>,
}

impl Volume {
    /// The map whose bits say which disks are out of step: the old one while there are two.
    pub(super) fn sync_map(&self) -> &Map {
        self.source.as_ref().unwrap_or(&self.map)
    }

    /// The maps, in their order on the disk.
    pub(super) fn maps(&self) -> impl Iterator<Item = &Map> {
        std::iter::once(&self.map).chain(&self.source)
    }

    /// What is going on, if anything.
    pub(super) fn migration(&self) -> Option<Migration> {
        self.source.as_ref()?;
        const VERIFY_AND_FIX: u32 = 0x80;
        Some(match self.state.migr_type {
            0 => Migration::Initialize,
            1 => Migration::Rebuild,
            2 if self.head.status & VERIFY_AND_FIX != 0 => Migration::Repair,
            2 => Migration::Verify,
            3 => Migration::General,
            4 => Migration::StateChange,
            other => Migration::Unknown(other),
        })
    }

    /// Checkpoint in units as it is on the disk.
    pub(super) fn curr_migr_unit(&self) -> u64 {
        join(self.state.curr_migr_unit_lo, self.state.curr_migr_unit_hi)
    }

    /// The name without its padding.
    pub(super) fn name(&self) -> &[u8] {
        until_nul(&self.head.volume)
    }
}

/// What a migrating volume does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Migration {
    Initialize,
    Rebuild,
    Verify,
    Repair,
    General,
    StateChange,
    Unknown(u8),
}

/// Bits of [`Header::attributes`] that matter here.
pub(super) mod attribute {
    pub(in super::super) const RAID0: u32 = 0x0000_0001;
    pub(in super::super) const RAID1: u32 = 0x0000_0002;
    pub(in super::super) const RAID10: u32 = 0x0000_0004;
    pub(in super::super) const RAID5: u32 = 0x0000_0010;
    /// A raid10 of more than four disks.
    pub(in super::super) const RAID10_EXT: u32 = 0x0000_0080;
    /// A volume whose size takes more than 32 bits.
    pub(in super::super) const VOLUME_2TB: u32 = 0x2000_0000;
    /// The checksum is to be looked at.
    pub(in super::super) const CHECKSUM_VERIFY: u32 = 0x8000_0000;
    /// The high halves of disk sizes and of the maps' numbers are valid.
    pub(in super::super) const DISK_2TB: u32 = 0x0400_0000;
    /// Everything that does not hinder an activation: the levels, EXP_STRIPE_SIZE, RAID10_EXT, 2TB_DISK, BBM, 2TB,
    /// NEVER_USE (ignored) and CHECKSUM_VERIFY.
    pub(in super::super) const SUPPORTED: u32 = 0xec00_00d7;
}

/// Bits of [`Disk::status`] that matter here.
pub(super) mod status {
    pub(in super::super) const SPARE: u32 = 0x1;
    pub(in super::super) const CONFIGURED: u32 = 0x2;
    pub(in super::super) const FAILED: u32 = 0x4;
    pub(in super::super) const JOURNAL: u32 = 0x0200_0000;
}

/// What [`Disk::scsi_id`] is for a disk that is missing.
pub(super) const NO_DISK: u32 = u32::MAX;

impl Disk {
    /// The serial without its padding.
    pub(super) fn serial(&self) -> &[u8] {
        until_nul(&self.serial)
    }

    /// Whether the disk has failed, is missing, or never was there. A colon is in no serial of a real disk.
    pub(super) fn is_out(&self) -> bool {
        self.status & status::FAILED != 0
            || self.scsi_id == NO_DISK
            || self.serial().ends_with(b":0")
            || self.serial().starts_with(b"missing:")
    }
}

/// A decoded MPB with all its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mpb {
    /// Where on the device it is.
    pub(super) place: Place,
    pub(super) header: Header,
    pub(super) disks: Vec<Disk>,
    pub(super) volumes: Vec<Volume>,
    /// What is between the last volume and the bad-block log: nothing, unless the writer left padding or
    /// a table could not be decoded.
    pub(super) padding: Vec<u8>,
    pub(super) bad_blocks: Option<BadBlocks>,
    /// What is after `mpb_size` in the last sector.
    pub(super) sector_tail: Vec<u8>,
}

impl Mpb {
    /// Sectors in one of the blocks that this disk counts in.
    pub(super) fn scale(&self) -> u64 {
        self.place.sectors_per_block()
    }

    /// A number of blocks in sectors; the largest number where that does not fit.
    pub(super) fn sectors(&self, blocks: u64) -> Sectors {
        Sectors(blocks.saturating_mul(self.scale()))
    }

    /// What the MPB and the migration record take at the end of a disk.
    pub(super) fn metadata_length(&self) -> Sectors {
        self.sectors((self.place.count as u64).saturating_add(1))
    }

    /// The number that identifies the container for good.
    pub(super) fn original_family(&self) -> u32 {
        match self.header.orig_family_num {
            0 => self.header.family_num,
            family => family,
        }
    }

    /// The version text: at most eight bytes, escaped.
    pub(super) fn version(&self) -> String {
        crate::escape::escape(until_nul(&self.header.version))
    }

    /// Whether this is the private record of a spare.
    pub(super) fn is_spare_record(&self) -> bool {
        self.header.num_raid_devs == 0
    }

    /// Size of a disk of the table.
    pub(super) fn disk_size(&self, disk: &Disk) -> Sectors {
        self.sectors(self.wide(disk.total_blocks_lo, disk.total_blocks_hi))
    }

    /// Size of a volume; after the migration, while a general migration goes on.
    pub(super) fn volume_size(&self, volume: &Volume) -> Sectors {
        self.sectors(join(volume.head.size_low, volume.head.size_high))
    }

    /// Where a map's data begins on each member.
    pub(super) fn data_start(&self, map: &Map) -> Sectors {
        self.sectors(self.wide(map.head.pba_of_lba0_lo, map.head.pba_of_lba0_hi))
    }

    /// The number of stripes, for each domain; never scaled.
    pub(super) fn data_stripes(&self, map: &Map) -> u64 {
        self.wide(map.head.num_data_stripes_lo, map.head.num_data_stripes_hi)
    }

    /// The strip.
    pub(super) fn strip(&self, map: &Map) -> Sectors {
        self.sectors(u64::from(map.head.blocks_per_strip))
    }

    /// A disk of the slot table, unless the entry points outside of the disk table.
    pub(super) fn disk(&self, map: &Map, slot: usize) -> Option<&Disk> {
        self.disks.get(map.disk_index(slot)?)
    }

    /// High halves count only where the attributes say so.
    fn wide(&self, low: u32, high: u32) -> u64 {
        let has_high = self.header.attributes & attribute::DISK_2TB != 0;
        join(low, if has_high { high } else { 0 })
    }
}

/// A number stored in two halves.
pub(super) fn join(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// The bytes before the first NUL.
pub(super) fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}
