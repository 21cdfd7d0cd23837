//! The rules that the block and the table are held to.

use super::AsrMetadata;
use super::arrays::{self, Array, disk_state};
use super::block::{CHECKSUM, LINES, Line, Table, VERSION, line_type};
use crate::device::{Device, ReadAt};
use crate::escape::escape;
use crate::format::schema::DiskStruct;
use crate::record::Problem;
use crate::units::{SECTOR_BYTES, SectorSize, Sectors};
use std::collections::BTreeSet;

/// States of an array's line.
pub(super) mod array_state {
    pub(in super::super) const DEGRADED: u8 = 1;
    pub(in super::super) const REBUILDING: u8 = 2;
    pub(in super::super) const MORPHING: u8 = 3;
    pub(in super::super) const DEAD: u8 = 4;
    pub(in super::super) const BUILDING: u8 = 0x0b;
}

/// What makes the find itself not to be believed.
pub(super) fn identity(found: &AsrMetadata, device: &Device) -> Vec<Problem> {
    let size = device.sector_size();
    let version = found.block.resver;
    let rules = [
        (size != SectorSize::B512).then(|| {
            let message = format!("the disk has sectors of {} bytes, expected 512", size.bytes());
            Problem::error("sector-size", message)
        }),
        (version != VERSION).then(|| {
            let message = format!("resver is {version}, expected {VERSION}");
            Problem::error("unsupported-version", message)
        }),
    ];
    let mut problems: Vec<Problem> = rules.into_iter().flatten().collect();
    match &found.table {
        None => {
            let message = format!("no table of lines at sector {} nor before the end", found.block.raidtbl);
            problems.push(Problem::error("table-missing", message));
        }
        Some(table) => problems.extend(table_head(&table.table)),
    }
    problems
}

fn table_head(table: &Table) -> Vec<Problem> {
    let head = &table.head;
    let most = usize::from(head.maxelm).min(LINES);
    let mut problems = Vec::new();
    if head.elmcnt == 0 || usize::from(head.elmcnt) >= most.max(1) {
        let message = format!("elmcnt is {}, expected 1 to {}", head.elmcnt, most.saturating_sub(1));
        problems.push(Problem::error("line-count", message));
    }
    if usize::from(head.elmsize) != Line::SIZE {
        let message = format!("elmsize is {}, expected {}", head.elmsize, Line::SIZE);
        problems.push(Problem::error("line-size", message));
    }
    problems
}

/// All that is wrong.
pub(super) fn all(found: &AsrMetadata) -> Vec<Problem> {
    let Some(placed) = &found.table else { return Vec::new() };
    let table = &placed.table;
    let sector = placed.offset.whole_sectors();
    let pointer = Sectors(u64::from(found.block.raidtbl));
    let computed = table.checksum();
    let rules = [
        (pointer != sector).then(|| {
            let message = format!("raidtbl is {pointer}, the table is at sector {sector}");
            Problem::warning("table-moved", message)
        }),
        (table.head.rchksum != computed).then(|| {
            let stored = table.head.rchksum;
            let message = format!("rchksum at byte {CHECKSUM} is {stored:#06x}, computed {computed:#06x}");
            Problem::warning("checksum", message)
        }),
    ];
    let mut problems: Vec<Problem> = rules.into_iter().flatten().collect();
    problems.extend(own(found, table));
    problems
}

/// The disk's own line, and its array.
fn own(found: &AsrMetadata, table: &Table) -> Vec<Problem> {
    let drivemagic = found.block.drivemagic;
    match arrays::disk_line(table, drivemagic) {
        Some((_, line)) if line.raidtype == line_type::SPARE => Vec::new(),
        Some((index, line)) => match arrays::array_of(table, index) {
            Some(array) => of_array(found, line, &array),
            None => {
                let message = format!("line {index} of disk {drivemagic:#010x} follows no line of an array");
                vec![Problem::error("line-order", message)]
            }
        },
        None => Vec::new(),
    }
}

fn of_array(found: &AsrMetadata, line: &Line, array: &Array<'_>) -> Vec<Problem> {
    let mut problems = set(array);
    let end = Sectors(u64::from(line.lcapcty));
    let last = found.disk_sectors();
    if end > last {
        let message = format!("its data ends at sector {end}, the disk has {last}");
        problems.push(Problem::warning("device-too-small", message));
    }
    let state = line.raidstate & disk_state::MAIN;
    if matches!(state, disk_state::UNCONFIGURED | disk_state::UNINITIALISED) {
        let message = format!("raidstate is {:#04x}, of a disk that is not in use yet", line.raidstate);
        problems.push(Problem::warning("disk-state", message));
    }
    problems
}

/// What is wrong with an array, whichever of its disks says so.
pub(super) fn set(array: &Array<'_>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = duplicates(array);
    if array.lines().any(|line| line.raidlevel != 0 && line.raidstate == array_state::MORPHING) {
        let message = "the array is being changed to another level or size, which is not supported";
        problems.push(Problem::error("unsupported-migration", message));
    }
    if array.top.raidstate == array_state::DEAD {
        problems
            .push(Problem::warning("array-state", "raidstate is 0x04: the firmware has given the array up"));
    }
    match array.shape() {
        Ok(shape) => {
            if shape.geometry.is_none() {
                let message = format!("how a {} is laid out is not known for this format", shape.level);
                problems.push(Problem::error("unsupported-layout", message));
            }
            if shape.length.is_zero() {
                let message = "lcapcty of a disk is 0, expected what the array uses of it";
                problems.push(Problem::error("zero-size", message));
            }
            if shape.is_unverified {
                let message =
                    "a stripe over mirrors: the order of the mirrors is taken from the order of their lines";
                problems.push(Problem::warning("unverified-layout", message));
            }
            let recorded = Sectors(u64::from(array.top.lcapcty));
            if !recorded.is_zero() && recorded != shape.size {
                let name = escape(array.top.name.trim_ascii_end());
                let message =
                    format!("lcapcty of array '{name}' is {recorded}, its disks give {}", shape.size);
                problems.push(Problem::warning("array-size", message));
            }
        }
        Err(problem) => problems.push(problem),
    }
    problems
}

/// Disks that can not be told apart, by their number or by their place.
fn duplicates(array: &Array<'_>) -> Vec<Problem> {
    let (mut magics, mut places) = (BTreeSet::new(), BTreeSet::new());
    let mut problems = Vec::new();
    for line in array.disks() {
        if !magics.insert(line.raidmagic) {
            let message = format!("two disks of the array have the number {:#010x}", line.raidmagic);
            problems.push(Problem::error("duplicate-disk", message));
        }
    }
    for group in &array.groups {
        places.clear();
        let is_striped = group.line.raidtype != line_type::RAID1;
        for line in group.disks.iter().filter(|_| is_striped) {
            if !places.insert(arrays::place(line)) {
                let message = format!("two disks of the array are at place {}", line.raidid);
                problems.push(Problem::error("duplicate-place", message));
            }
        }
    }
    problems
}

impl AsrMetadata {
    /// Sectors of the disk: the reserved block is the last.
    pub(super) fn disk_sectors(&self) -> Sectors {
        Sectors((self.offset.0 / SECTOR_BYTES).saturating_add(1))
    }
}
