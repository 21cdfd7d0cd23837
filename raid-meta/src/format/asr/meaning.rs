//! Every byte as a named field, and the words for numbers.

use super::arrays::disk_state;
use super::block::{FIRST_LINE, Line, NONE, ReservedBlock, TableHead, VERSION, line_level, line_type};
use super::{AsrMetadata, PlacedTable, view};
use crate::format::schema::{DiskStruct, Endian, FieldWalk, Repr};
use crate::format::time::utc;
use crate::format::vendor::flags;
use crate::model::{Area, Field};

/// Bits of a line's flags.
const LINE_FLAGS: &[(u32, &str)] = &[
    (0x01, "alarm off"),
    (0x02, "predictive"),
    (0x04, "write back"),
    (0x08, "SMART disabled"),
    (0x10, "initial build completed"),
    (0x20, "mirror copy"),
    (0x40, "copy direction"),
    (0x80, "table change pending"),
];

/// Bits of the reserved block's flags.
const BLOCK_FLAGS: &[(u32, &str)] = &[
    (0x01, "cache disabled"),
    (0x04, "write through"),
    (0x08, "format error"),
    (0x10, "clear error"),
    (0x80, "SMART emulation"),
];

/// The fields of the table.
pub(super) fn table_fields(placed: &PlacedTable, area: &Area) -> Vec<Field> {
    let table = &placed.table;
    let mut walk = FieldWalk::new(&area.bytes, area.offset, Endian::Big);
    walk.structure::<TableHead>("asr_table", "", 0, |name, _| head(&table.head, name));
    let places = (FIRST_LINE..).step_by(Line::SIZE);
    for (index, (at, entry)) in places.zip(&table.lines).enumerate() {
        if index < table.used().len() {
            let prefix = format!("line[{index}].");
            walk.structure::<Line>("asr_line", &prefix, at, |name, _| line(entry, name));
        } else {
            walk.field("asr_line", format!("line[{index}].unused"), at, Line::SIZE, Repr::Raw, None);
        }
    }
    walk.finish()
}

/// The fields of the reserved block.
pub(super) fn block_fields(found: &AsrMetadata, area: &Area) -> Vec<Field> {
    let mut walk = FieldWalk::new(&area.bytes, area.offset, Endian::Big);
    walk.structure::<ReservedBlock>("asr_block", "block.", 0, |name, _| block(&found.block, name));
    walk.finish()
}

fn block(block: &ReservedBlock, name: &str) -> Option<String> {
    match name {
        "sb0flags" => flags(u32::from(block.sb0flags), BLOCK_FLAGS),
        "resver" if block.resver != VERSION => Some("not supported".to_owned()),
        "drivemagic" if block.drivemagic == NONE => Some("not assigned".to_owned()),
        _ => None,
    }
}

fn head(head: &TableHead, name: &str) -> Option<String> {
    match name {
        "timestamp" if head.timestamp != 0 => utc(u64::from(head.timestamp)),
        "dirty" => Some(if head.dirty == 0 { "clean" } else { "an array is open" }.to_owned()),
        "iroc_flags" => flags(u32::from(head.iroc_flags), &[(0x01, "verify with fix"), (0x80, "bootable")]),
        "raid_flags" => flags(head.raid_flags, &[(1, "alarm off")]),
        "raidmagic" if head.raidmagic == NONE => Some("spare for all arrays".to_owned()),
        _ => None,
    }
}

fn line(line: &Line, name: &str) -> Option<String> {
    match name {
        "raidlevel" => level(line.raidlevel).map(str::to_owned),
        "raidtype" => kind(line.raidtype).map(str::to_owned),
        "raidstate" if line.raidlevel == line_level::DISK => Some(state(line.raidstate)),
        "raidstate" => Some(view::state(line.raidstate)),
        "flags" => flags(u32::from(line.flags), LINE_FLAGS),
        _ => None,
    }
}

fn level(level: u8) -> Option<&'static str> {
    Some(match level {
        line_level::DISK => "disk",
        line_level::ARRAY => "array",
        line_level::OSI => "OSI",
        line_level::TOP => "array of arrays",
        _ => return None,
    })
}

fn kind(kind: u8) -> Option<&'static str> {
    Some(match kind {
        line_type::RAID0 => "RAID0",
        line_type::RAID1 => "RAID1",
        line_type::RAID4 => "RAID4",
        line_type::RAID5 => "RAID5",
        line_type::SPARE => "spare",
        line_type::REDIRECT => "redirect",
        _ => return None,
    })
}

fn state(state: u8) -> String {
    let main = match state & disk_state::MAIN {
        0 => "optimal",
        disk_state::DEGRADED => "degraded",
        disk_state::UNCONFIGURED => "unconfigured",
        disk_state::FAILED => "failed",
        disk_state::REPLACED => "replaced",
        disk_state::UNINITIALISED => "uninitialised",
        _ => "unknown",
    };
    let building = if state & disk_state::BUILDING != 0 { ", building" } else { "" };
    let rebuilding = if state & disk_state::REBUILDING != 0 { ", rebuilding" } else { "" };
    format!("{main}{building}{rebuilding}")
}
