//! The words for numbers: what the fields of a dump mean.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::level;
use super::names::{self, guid_meaning};
use super::structs::{Guid, VdEntry};
use crate::format::time::utc;
use crate::format::words::{Bits, bits, bytes, number};
use serde_json::Value;

const PD_TYPE: Bits = &[
    (0x1, "forced-GUID"),
    (0x2, "active"),
    (0x4, "global-spare"),
    (0x8, "spare"),
    (0x10, "foreign"),
    (0x20, "pass-through"),
    (0x1000, "SCSI"),
    (0x2000, "SAS"),
    (0x4000, "FC"),
];

const PD_STATE: Bits = &[
    (0x1, "online"),
    (0x2, "failed"),
    (0x4, "rebuilding"),
    (0x8, "in-transition"),
    (0x10, "SMART-errors"),
    (0x20, "unrecovered-read-errors"),
    (0x40, "missing"),
];

const VD_TYPE: Bits =
    &[(0x1, "shared"), (0x2, "enforce-groups"), (0x4, "unicode-name"), (0x8, "owner-id-valid")];

const SPARE_TYPE: Bits =
    &[(0x1, "dedicated"), (0x2, "revertible"), (0x4, "active"), (0x8, "enclosure-affinity")];

const VD_STATES: [&str; 8] =
    ["optimal", "degraded", "deleted", "missing", "failed", "partially optimal", "offline", "unknown"];

const INIT_STATES: [&str; 4] =
    ["not initialized", "quick initialization in progress", "fully initialized", "unknown"];

const ACCESS: [&str; 4] = ["read/write", "unknown access", "read-only", "blocked"];

/// The state of a virtual disk.
pub(super) fn volume_state(disk: &VdEntry) -> String {
    let morphing = if disk.vd_state & 8 == 0 { "" } else { ", morphing" };
    let consistent = if disk.vd_state & 0x10 == 0 { "consistent" } else { "inconsistent" };
    let state = VD_STATES.get(usize::from(disk.vd_state & 7)).copied().unwrap_or_default();
    format!("{state}{morphing}, {consistent}, {}", init_state(disk.init_state))
}

fn init_state(state: u8) -> String {
    let word =
        |words: &[&'static str; 4], bits: u8| words.get(usize::from(bits)).copied().unwrap_or_default();
    format!("{}, {}", word(&INIT_STATES, state & 3), word(&ACCESS, state >> 6))
}

/// What the numbers of a disk are counted in.
#[derive(Clone, Copy)]
pub(super) struct Units {
    /// Bytes in a block.
    pub(super) block: u64,
}

impl Units {
    fn blocks(self, value: &Value) -> Option<String> {
        bytes(number(value)?.checked_mul(self.block)?)
    }

    /// What a field of a header means.
    pub(super) fn header(self, name: &str, value: &Value) -> Option<String> {
        match name {
            "ddf_header_guid" => {
                let guid = guid(value)?;
                Some(format!("{}; group UUID {}", guid_meaning(&guid, true)?, names::container_uuid(&guid)))
            }
            "timestamp" => time(value),
            "sequence_number" => (number(value)? == u64::from(u32::MAX)).then(|| "none".to_owned()),
            "open_flag" => Some(match number(value)? {
                0xff => "none".to_owned(),
                flag if flag & 0xf == 0 => "closed".to_owned(),
                _ => "open: being written".to_owned(),
            }),
            "header_type" => {
                let word = match number(value)? {
                    0 => "anchor",
                    1 => "primary",
                    2 => "secondary",
                    _ => "unknown",
                };
                Some(word.to_owned())
            }
            "secondary_header_lba" => is_none(value).then(|| "none".to_owned()),
            "workspace_length" => self.blocks(value),
            name if name.ends_with("_offset") => is_none(value).then(|| "none".to_owned()),
            _ => None,
        }
    }

    /// What a field of the controller data means.
    pub(super) fn controller(self, name: &str, value: &Value) -> Option<String> {
        match name {
            "controller_guid" => guid_meaning(&guid(value)?, false),
            _ => None,
        }
    }

    /// What a field of a physical disk means.
    pub(super) fn physical_disk(self, name: &str, value: &Value) -> Option<String> {
        match name {
            "pd_guid" => guid_meaning(&guid(value)?, false),
            "pd_type" => bits(value, PD_TYPE),
            "pd_state" => bits(value, PD_STATE).or_else(|| Some("offline".to_owned())),
            "configured_size" => self.blocks(value),
            "block_size" => (number(value)? == 0xffff).then(|| "not set".to_owned()),
            _ => None,
        }
    }

    /// What a field of a virtual disk means.
    pub(super) fn virtual_disk(self, name: &str, value: &Value) -> Option<String> {
        match name {
            "vd_guid" => guid_meaning(&guid(value)?, true),
            "vd_type" => bits(value, VD_TYPE),
            "vd_state" => {
                let state = u8::try_from(number(value)?).ok()?;
                let word = VD_STATES.get(usize::from(state & 7)).copied()?;
                let morphing = if state & 8 == 0 { "" } else { ", morphing" };
                Some(format!("{word}{morphing}{}", if state & 0x10 == 0 { "" } else { ", inconsistent" }))
            }
            "init_state" => Some(init_state(u8::try_from(number(value)?).ok()?)),
            _ => None,
        }
    }

    /// What a field of a configuration means.
    pub(super) fn config(self, name: &str, value: &Value) -> Option<String> {
        match name {
            "vd_guid" => guid_meaning(&guid(value)?, true),
            "timestamp" => time(value),
            "strip_size" => {
                let shift = u32::try_from(number(value)?).ok().filter(|&shift| shift <= 22);
                match shift {
                    Some(shift) => bytes(self.block.checked_shl(shift)?),
                    None => Some("none".to_owned()),
                }
            }
            "primary_raid_level" => Some(level::level_name(u8::try_from(number(value)?).ok()?)),
            "secondary_raid_level" => Some(
                level::secondary_name(u8::try_from(number(value)?).ok()?).unwrap_or("unknown").to_owned(),
            ),
            "block_count" | "vd_size" => self.blocks(value),
            "block_size" => (number(value)? == 0xffff).then(|| "not set".to_owned()),
            _ => None,
        }
    }

    /// What a field of a spare assignment means.
    pub(super) fn spare(self, name: &str, value: &Value) -> Option<String> {
        match name {
            "vd_guid" => guid_meaning(&guid(value)?, true),
            "timestamp" => time(value),
            "spare_type" => bits(value, SPARE_TYPE).or_else(|| Some("global, committable".to_owned())),
            _ => None,
        }
    }

    /// What a field of the disk data means.
    pub(super) fn disk_data(self, name: &str, value: &Value) -> Option<String> {
        match name {
            "pd_guid" => guid_meaning(&guid(value)?, false),
            _ => None,
        }
    }

    /// What a field of the bad-block log means.
    pub(super) fn bad_blocks(self, name: &str, value: &Value) -> Option<String> {
        match name {
            "spare_block_offset" => is_none(value).then(|| "bad, not remapped".to_owned()),
            _ => None,
        }
    }
}

/// What the reference of a slot means.
pub(super) fn reference(value: u32) -> Option<String> {
    match value {
        0 => Some("missing".to_owned()),
        u32::MAX => Some("unused".to_owned()),
        _ => None,
    }
}

fn guid(value: &Value) -> Option<Guid> {
    hex::decode(value.as_str()?).ok()?.try_into().ok()
}

fn is_none(value: &Value) -> bool {
    matches!(number(value), Some(number) if number == u64::from(u32::MAX) || number == u64::MAX)
}

/// A time counted from 1980.
fn time(value: &Value) -> Option<String> {
    let seconds = u32::try_from(number(value)?).ok().filter(|&seconds| seconds != u32::MAX)?;
    utc(names::unix_time(seconds))
}
