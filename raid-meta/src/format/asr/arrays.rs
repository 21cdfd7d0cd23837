//! What the lines add up to.
//!
//! The order of the lines matters: an array's line is followed by those of its disks, and the line of an array of
//! arrays by its arrays. Which disk comes first in an array, the place says where it is plugged in, not the order of the lines.

use super::block::{Line, Table, line_level, line_type};
use crate::format::vendor::{data_members, geometry, round_down};
use crate::geometry::{Geometry, Level};
use crate::model::{SlotState, SlotView};
use crate::record::Problem;
use crate::units::{ChunkSectors, Sectors, Slot};

/// Smallest and largest chunk that is believed.
const CHUNKS: std::ops::RangeInclusive<u16> = 1..=0x8000;

/// An array with its disks, in the order of their places.
#[derive(Clone, Debug)]
pub(super) struct Group<'a> {
    pub(super) line: &'a Line,
    pub(super) disks: Vec<&'a Line>,
}

/// The array that a disk is in: one group of disks, or an array of arrays.
#[derive(Clone, Debug)]
pub(super) struct Array<'a> {
    /// Its own line: that of the group, if there is only one level.
    pub(super) top: &'a Line,
    pub(super) groups: Vec<Group<'a>>,
}

/// The array understood.
#[derive(Clone, Debug)]
pub(super) struct Shape<'a> {
    pub(super) level: Level,
    /// None where it can not be mapped.
    pub(super) geometry: Option<Geometry>,
    /// The disk in each slot; none where it is known to be missing.
    pub(super) slots: Vec<Option<&'a Line>>,
    /// Data on each disk.
    pub(super) length: Sectors,
    pub(super) size: Sectors,
    /// It is a stripe over mirrors, whose order nothing confirms.
    pub(super) is_unverified: bool,
}

/// The line of the disk with that number, and where it is among the lines.
pub(super) fn disk_line(table: &Table, drivemagic: u32) -> Option<(usize, &Line)> {
    let is_own = |line: &Line| line.raidlevel == line_level::DISK && line.raidmagic == drivemagic;
    table.used().iter().enumerate().rev().find(|(_, line)| is_own(line))
}

/// The array that the disk in that line is in.
pub(super) fn array_of(table: &Table, index: usize) -> Option<Array<'_>> {
    let lines = table.used();
    let before = lines.get(..index)?;
    let last = |level: u8| before.iter().rposition(|line| line.raidlevel == level);
    let group = last(line_level::ARRAY)?;
    match last(line_level::TOP).filter(|&top| top < group) {
        Some(top) => {
            let inside = lines.get(top.checked_add(1)?..)?;
            let end = inside.iter().position(|line| line.raidlevel == line_level::TOP);
            let inside = inside.get(..end.unwrap_or(inside.len()))?;
            let heads = inside.iter().enumerate().filter(|(_, line)| line.raidlevel == line_level::ARRAY);
            let groups = heads.filter_map(|(head, _)| group_at(inside, head)).collect();
            Some(Array { top: lines.get(top)?, groups })
        }
        None => {
            let group = group_at(lines, group)?;
            Some(Array { top: group.line, groups: vec![group] })
        }
    }
}

/// The first array of the table, for a disk that is in none of them.
pub(super) fn first_array(table: &Table) -> Option<Array<'_>> {
    let disk = table.used().iter().position(|line| line.raidlevel == line_level::DISK)?;
    array_of(table, disk)
}

fn group_at(lines: &[Line], head: usize) -> Option<Group<'_>> {
    let below = lines.get(head.checked_add(1)?..)?;
    let mut disks: Vec<&Line> = below.iter().take_while(|line| line.raidlevel == line_level::DISK).collect();
    disks.sort_by_key(|line| place(line));
    Some(Group { line: lines.get(head)?, disks })
}

/// Where a disk is plugged in.
pub(super) fn place(line: &Line) -> (u8, u8, u8, u32) {
    (line.raidhba, line.raidchnl, line.raidlun, line.raidid)
}

impl<'a> Array<'a> {
    /// All lines of the array.
    pub(super) fn lines(&self) -> impl Iterator<Item = &'a Line> {
        let groups = self
            .groups
            .iter()
            .flat_map(|group| std::iter::once(group.line).chain(group.disks.iter().copied()));
        std::iter::once(self.top).chain(groups)
    }

    pub(super) fn disks(&self) -> impl Iterator<Item = &'a Line> {
        self.groups.iter().flat_map(|group| group.disks.iter().copied())
    }

    /// How often the array's lines were changed.
    pub(super) fn sequence(&self) -> u16 {
        self.lines().map(|line| line.raidseq).max().unwrap_or_default()
    }

    /// Understands the array.
    ///
    /// # Errors
    /// What can not be understood or mapped.
    pub(super) fn shape(&self) -> Result<Shape<'a>, Problem> {
        match self.groups.as_slice() {
            [group] if self.top.raidlevel == line_level::ARRAY => single(group),
            _ => self.nested(),
        }
    }

    /// Two arrays that mirror each other, or mirrors that are striped.
    fn nested(&self) -> Result<Shape<'a>, Problem> {
        let types: Vec<u8> = self.groups.iter().map(|group| group.line.raidtype).collect();
        let all = |wanted: u8| types.iter().all(|&found| found == wanted);
        let counts: Vec<usize> = self.groups.iter().map(|group| group.disks.len()).collect();
        let mirrors = self.top.raidtype == line_type::RAID1 && all(line_type::RAID0) && types.len() == 2;
        let stripes = self.top.raidtype == line_type::RAID0 && all(line_type::RAID1) && types.len() > 1;
        if !mirrors && !stripes {
            let message = format!(
                "an array of raidtype {} over arrays of raidtype {types:?}, expected 1 over two of 0, or 0 over 1",
                self.top.raidtype
            );
            return Err(Problem::error("unsupported-level", message));
        }
        let even = counts.windows(2).all(|pair| pair.first() == pair.last());
        let complete = self.groups.iter().all(|group| usize::from(group.line.raidcnt) == group.disks.len());
        if !even || !complete || stripes && counts.first() != Some(&2) {
            let message = format!("the arrays below have {counts:?} disks, expected the same number in each");
            return Err(Problem::error("member-count", message));
        }
        let slots: Vec<Option<&Line>> = if stripes {
            self.disks().map(Some).collect()
        } else {
            let width = counts.first().copied().unwrap_or_default();
            let column = |index: usize| self.groups.iter().map(move |group| group.disks.get(index).copied());
            (0..width).flat_map(column).collect()
        };
        Ok(Shape { is_unverified: stripes, ..striped(Level::Raid10, slots)? })
    }
}

fn single<'a>(group: &Group<'a>) -> Result<Shape<'a>, Problem> {
    let (count, found) = (usize::from(group.line.raidcnt), group.disks.len());
    let mut slots: Vec<Option<&Line>> = group.disks.iter().copied().map(Some).collect();
    if group.line.raidtype == line_type::RAID1 && found < count {
        slots.resize(count.min(super::block::LINES), None);
    } else if count != found || count == 0 {
        let message = format!("raidcnt is {count}, but {found} disks follow the line");
        return Err(Problem::error("member-count", message));
    }
    match group.line.raidtype {
        line_type::RAID0 => striped(Level::Raid0, slots),
        line_type::RAID1 => Ok(shape(Level::Raid1, None, slots)),
        line_type::RAID4 => Ok(Shape { geometry: None, ..striped(Level::Raid4, slots)? }),
        line_type::RAID5 => Ok(Shape { geometry: None, ..striped(Level::Raid5, slots)? }),
        other => {
            let message = format!("raidtype is {other}, expected 0, 1, 4 or 5");
            Err(Problem::error("unsupported-level", message))
        }
    }
}

fn striped(level: Level, slots: Vec<Option<&Line>>) -> Result<Shape<'_>, Problem> {
    let mut chunks = slots.iter().flatten().map(|line| line.strpsize);
    let chunk = chunks.next().unwrap_or_default();
    if let Some(other) = chunks.find(|&other| other != chunk) {
        let message = format!("strpsize is {chunk} for one disk and {other} for another, expected the same");
        return Err(Problem::error("chunk", message));
    }
    let is_possible = chunk.is_power_of_two() && CHUNKS.contains(&chunk);
    let chunk = ChunkSectors::new(u32::from(chunk))
        .filter(|_| is_possible)
        .ok_or_else(|| Problem::error("chunk", format!("strpsize is {chunk}, expected a power of two")))?;
    Ok(shape(level, Some(chunk), slots))
}

/// An array is as large as its smallest disk allows.
fn shape(level: Level, chunk: Option<ChunkSectors>, slots: Vec<Option<&Line>>) -> Shape<'_> {
    let smallest = slots.iter().flatten().map(|line| line.lcapcty).min().unwrap_or_default();
    let length = round_down(Sectors(u64::from(smallest)), chunk);
    let count = u32::try_from(slots.len()).unwrap_or(u32::MAX);
    Shape {
        level,
        geometry: geometry(level, chunk, count, None),
        size: Sectors(length.0.saturating_mul(data_members(level, count))),
        slots,
        length,
        is_unverified: false,
    }
}

impl Shape<'_> {
    /// The slot of the disk with that number.
    pub(super) fn slot(&self, drivemagic: u32) -> Option<Slot> {
        let found = self.slots.iter().position(|line| line.is_some_and(|line| line.raidmagic == drivemagic));
        found.and_then(|slot| u32::try_from(slot).ok()).map(Slot)
    }

    /// The slots as all members see them.
    pub(super) fn views(&self) -> Vec<SlotView> {
        let view = |line: &Option<&Line>| match line {
            Some(line) => SlotView::disk(key(line.raidmagic), slot_state(line, self.level)),
            None => SlotView::empty(),
        };
        self.slots.iter().map(view).collect()
    }
}

/// How a set names a disk.
pub(super) fn key(drivemagic: u32) -> String {
    format!("{drivemagic:08x}")
}

/// What the states of a disk's line are made of.
pub(super) mod disk_state {
    pub(in super::super) const MAIN: u8 = 0x0f;
    pub(in super::super) const DEGRADED: u8 = 1;
    pub(in super::super) const UNCONFIGURED: u8 = 2;
    pub(in super::super) const FAILED: u8 = 3;
    pub(in super::super) const REPLACED: u8 = 4;
    pub(in super::super) const UNINITIALISED: u8 = 0x0a;
    pub(in super::super) const BUILDING: u8 = 0x10;
    pub(in super::super) const REBUILDING: u8 = 0x20;
}

/// What the line of a disk says of it. What is being built for the first time is as good as the others; what can not be
/// trusted is not read where there is another copy.
pub(super) fn slot_state(line: &Line, level: Level) -> SlotState {
    let is_rebuilding = line.raidstate & disk_state::REBUILDING != 0;
    match line.raidstate & disk_state::MAIN {
        disk_state::FAILED | disk_state::DEGRADED => SlotState::Failed,
        0 if !is_rebuilding => SlotState::InSync,
        _ if level.is_redundant() => SlotState::Rebuilding,
        _ => SlotState::InSync,
    }
}
