//! The words for numbers: what the fields of a dump mean.

use super::mpb::{INDEX_MASK, Migration, NO_DISK, OUT_OF_SYNC};
use crate::format::time::utc;
use crate::format::words::{Bits, bits, bytes, number};
use serde_json::Value;

const ATTRIBUTES: Bits = &[
    (0x0000_0001, "RAID0"),
    (0x0000_0002, "RAID1"),
    (0x0000_0004, "RAID10"),
    (0x0000_0008, "RAID1E"),
    (0x0000_0010, "RAID5"),
    (0x0000_0020, "RAIDCNG"),
    (0x0000_0040, "EXP_STRIPE_SIZE"),
    (0x0000_0080, "RAID10_EXT"),
    (0x0200_0000, "NVM"),
    (0x0400_0000, "2TB_DISK"),
    (0x0800_0000, "BBM"),
    (0x1000_0000, "NEVER_USE2"),
    (0x2000_0000, "2TB"),
    (0x4000_0000, "NEVER_USE"),
    (0x8000_0000, "CHECKSUM_VERIFY"),
];

const DISK_STATUS: Bits = &[
    (0x0000_0001, "SPARE"),
    (0x0000_0002, "CONFIGURED"),
    (0x0000_0004, "FAILED"),
    (0x0000_0008, "USABLE"),
    (0x0000_0010, "DETECTED"),
    (0x0000_0020, "CLAIMED"),
    (0x0000_0040, "PASSTHRU"),
    (0x0000_0080, "OFFLINE"),
    (0x0000_0100, "CONFIG_ON_DISK"),
    (0x0000_0200, "SMART_EVENT_TRIGGERED"),
    (0x0000_0400, "SMART_EVENT_SUPPORTED"),
    (0x0000_0800, "FORMATTING"),
    (0x0000_1000, "FORMAT_SUCCEEDED"),
    (0x0000_2000, "FORMAT_FAILED"),
    (0x0000_4000, "ELIGIBLE_FOR_SPARE"),
    (0x0000_8000, "READ_CONFIG_NEEDED"),
    (0x0001_0000, "CONFIG_IS_UPREV"),
    (0x0004_0000, "UNKNOWN_DISK_FAILURE"),
    (0x0008_0000, "DO_READ_CONFIG"),
    (0x0010_0000, "POWERED_OFF"),
    (0x0020_0000, "PASSTHRU_CLAIMABLE"),
    (0x0040_0000, "CLONE_DISK_MODIFIED"),
    (0x0080_0000, "PASSTHRU_DISK_WMPB"),
    (0x0200_0000, "JOURNAL"),
];

const VOLUME_STATUS: Bits = &[
    (0x1, "BOOTABLE"),
    (0x2, "BOOT_DEVICE"),
    (0x4, "READ_COALESCING"),
    (0x8, "WRITE_COALESCING"),
    (0x10, "LAST_SHUTDOWN_DIRTY"),
    (0x20, "HIDDEN_AT_BOOT"),
    (0x40, "CURRENTLY_HIDDEN"),
    (0x80, "VERIFY_AND_FIX"),
    (0x100, "MAP_STATE_UNINIT"),
    (0x200, "NO_AUTO_RECOVERY"),
    (0x400, "CLONE_N_GO"),
    (0x800, "CLONE_MAN_SYNC"),
    (0x1000, "CNG_MASTER_DISK_NUM"),
];

const DIRTY: Bits = &[(0x1, "dirty"), (0x2, "dirty-stripe record valid")];

const MAP_STATES: [&str; 4] = ["normal", "uninitialized", "degraded", "failed"];

const MIGRATION_TYPES: [&str; 5] = ["initialize", "rebuild", "verify", "general migration", "state change"];

const WRITE_HOLE_POLICIES: [&str; 7] = [
    "off",
    "distributed (one partial parity log)",
    "journaling drive",
    "multiple distributed (partial parity log)",
    "multiple logs on a journaling drive",
    "multiple off",
    "write-intent bitmap",
];

/// The state of a map.
pub(super) fn map_state(state: u8) -> Option<&'static str> {
    MAP_STATES.get(usize::from(state)).copied()
}

/// What a volume does.
pub(super) fn migration(migration: Migration) -> &'static str {
    match migration {
        Migration::Initialize => "initializing",
        Migration::Rebuild => "rebuilding",
        Migration::Verify => "verifying",
        Migration::Repair => "repairing",
        Migration::General => "migrating",
        Migration::StateChange => "changing state",
        Migration::Unknown(_) => "in an unknown migration",
    }
}

/// Units in which a field counts.
pub(super) struct Units {
    /// Bytes of a block.
    pub(super) block: u64,
}

impl Units {
    /// A number of blocks as a size.
    fn blocks(&self, value: &Value) -> Option<String> {
        bytes(number(value)?.checked_mul(self.block)?)
    }

    /// What a field of the header means.
    pub(super) fn header(&self, name: &str, value: &Value) -> Option<String> {
        match name {
            "mpb_size" | "bbm_log_size" | "error_log_size" => number(value).and_then(bytes),
            "attributes" => bits(value, ATTRIBUTES),
            "orig_family_num" => is_zero(value).then(|| "family_num is used instead".to_owned()),
            "creation_time" => time(value),
            "cache_size" => number(value).filter(|&n| n > 0).map(|mib| format!("{mib} MiB")),
            _ => None,
        }
    }

    /// What a field of the disk table means.
    pub(super) fn disk(&self, name: &str, value: &Value) -> Option<String> {
        match name {
            "total_blocks_lo" => self.blocks(value),
            "status" => bits(value, DISK_STATUS),
            "scsi_id" => (number(value)? == u64::from(NO_DISK)).then(|| "missing".to_owned()),
            _ => None,
        }
    }

    /// What a field of a volume means.
    pub(super) fn volume(&self, name: &str, value: &Value) -> Option<String> {
        match name {
            "size_low" => self.blocks(value),
            "status" => bits(value, VOLUME_STATUS),
            "rwh_policy" => word(value, &WRITE_HOLE_POLICIES),
            _ => None,
        }
    }

    /// What a field of a volume's state means.
    pub(super) fn state(&self, name: &str, value: &Value) -> Option<String> {
        match name {
            "migr_state" => word(value, &["normal", "migrating"]),
            "migr_type" => word(value, &MIGRATION_TYPES),
            "dirty" => Some(if is_zero(value) { "clean".to_owned() } else { bits(value, DIRTY)? }),
            "fs_state" => (number(value)? == 0xff).then(|| "disabled".to_owned()),
            _ => None,
        }
    }

    /// What a field of a map means.
    pub(super) fn map(&self, name: &str, value: &Value) -> Option<String> {
        match name {
            "pba_of_lba0_lo" | "blocks_per_member_lo" | "blocks_per_strip" => self.blocks(value),
            "map_state" => word(value, &MAP_STATES),
            "raid_level" => level(value),
            "failed_disk_num" => (number(value)? == 0xff).then(|| "none".to_owned()),
            _ => None,
        }
    }

    /// What a field of a bad-block entry means.
    pub(super) fn bad_blocks(name: &str, value: &Value) -> Option<String> {
        match name {
            "marked_count" => Some(format!("{} blocks", number(value)?.checked_add(1)?)),
            _ => None,
        }
    }

    /// What a field of the migration record means.
    pub(super) fn migration(&self, name: &str, value: &Value) -> Option<String> {
        match name {
            "rec_status" => word(value, &["the unit is at its source", "the unit is in the copy area"]),
            "ascending_migr" => word(value, &["descending", "ascending"]),
            "blocks_per_unit"
            | "dest_depth_per_unit"
            | "ckpt_area_pba_lo"
            | "dest_1st_member_lba_lo"
            | "post_migr_vol_cap" => self.blocks(value),
            _ => None,
        }
    }
}

/// What an entry of a slot table means.
pub(super) fn slot_entry(entry: u32) -> String {
    let state = if entry & OUT_OF_SYNC == 0 { "" } else { ", out of sync" };
    format!("disk {}{state}", entry & INDEX_MASK)
}

fn level(value: &Value) -> Option<String> {
    let text = match number(value)? {
        0 => "raid0",
        1 => "raid1, with more than two members raid10",
        2 | 10 => "raid10",
        5 => "raid5",
        _ => "unknown",
    };
    Some(text.to_owned())
}

fn is_zero(value: &Value) -> bool {
    number(value) == Some(0)
}

fn word(value: &Value, words: &[&str]) -> Option<String> {
    let index = usize::try_from(number(value)?).ok()?;
    Some(words.get(index).copied().unwrap_or("unknown").to_owned())
}

/// Seconds since the epoch as date and time; zero is unknown.
fn time(value: &Value) -> Option<String> {
    number(value).filter(|&seconds| seconds > 0).and_then(utc)
}
