//! A new disk has the line of the one that was lost. Where one disk is left, it is there with a number of its own, and the
//! tables get a new sequence: an old disk of the set is known as such. Where several are left, it has the number of the one
//! that was lost, and the sequence stays: a table that is behind another is stale, and those of several disks can not be
//! written at once.

use super::arrays::{self, disk_state};
use super::block::{LINES, Line, NONE, Table, line_level};
use super::check::array_state;
use super::{Asr, AsrMetadata, PlacedTable, TABLE_FROM_END, TABLE_SECTORS};
use crate::device::{Device, DeviceError};
use crate::format::rebuild::{RebuildError, Replacement, Round};
use crate::format::vendor::rebuild::{self, Lost, Seat};
use crate::units::{Bytes, SECTOR_BYTES, Sectors};

/// What to write.
///
/// # Errors
/// What the format, or the disks, can not do.
pub(in crate::format) fn renew(replacement: &Replacement) -> Result<Vec<Round>, RebuildError> {
    rebuild::renew::<AsrMetadata>(&Asr, replacement)
}

impl Seat for AsrMetadata {
    fn read(device: &Device, _volume: &str) -> Result<Option<Self>, DeviceError> {
        super::read(device)
    }

    fn mend(&mut self, lost: &Lost<'_, Self>) -> Result<(), String> {
        let own = self.block.drivemagic;
        let table = self.table_mut()?;
        let changed = lines_of(table, own, lost)?;
        let number = lost.new_number("asr disk", |number| is_free(table, number));
        let line = table.lines.get_mut(changed.disk).ok_or("the table has no such line")?;
        if lost.is_two() || line.raidmagic == NONE {
            line.raidmagic = low(number);
        }
        line.raidstate &= disk_state::BUILDING;
        for index in changed.all() {
            let Some(line) = table.lines.get_mut(index) else { continue };
            line.raidseq = changed.sequence.saturating_add(u16::from(lost.is_two()));
            let is_degraded = matches!(line.raidstate, array_state::DEGRADED | array_state::REBUILDING);
            if line.raidlevel != line_level::DISK && is_degraded && lost.is_only {
                line.raidstate = 0;
            }
        }
        Ok(())
    }

    fn follow(&mut self, mended: &Self, _lost: &Lost<'_, Self>) {
        if let (Some(own), Some(mended)) = (&mut self.table, &mended.table) {
            own.table.clone_from(&mended.table);
        }
    }

    fn take(&mut self, lost: &Lost<'_, Self>) -> Result<(), String> {
        let sectors = lost.target.length_sectors();
        let place = sectors.checked_sub(Sectors(TABLE_FROM_END)).ok_or("has no room for the metadata")?;
        let raidtbl = u32::try_from(place.0).map_err(|_| "is larger than 2 TiB")?;
        let own = self.block.drivemagic;
        let table = self.table_mut()?;
        let index = lines_of(table, own, lost)?.disk;
        let line = table.lines.get_mut(index).ok_or("the table has no such line")?;
        self.block.drivemagic = line.raidmagic;
        (self.block.raidtbl, self.block.first_reserved_block) = (raidtbl, raidtbl);
        self.block.serial_number = [0; 32];
        let bytes = |sectors: u64| Bytes(sectors.saturating_mul(SECTOR_BYTES));
        self.offset = bytes(place.0.saturating_add(TABLE_SECTORS));
        self.table = self.table.take().map(|placed| PlacedTable { offset: bytes(place.0), ..placed });
        Ok(())
    }
}

impl AsrMetadata {
    fn table_mut(&mut self) -> Result<&mut Table, String> {
        self.table.as_mut().map(|placed| &mut placed.table).ok_or_else(|| "it has no table".to_owned())
    }
}

/// The lines that speak of a lost disk, by their numbers.
struct Changed {
    disk: usize,
    array: usize,
    top: Option<usize>,
    /// The highest of the array.
    sequence: u16,
}

impl Changed {
    fn all(&self) -> impl Iterator<Item = usize> {
        [Some(self.disk), Some(self.array), self.top].into_iter().flatten()
    }
}

/// The lines of the array that the disk `own` is in. Where the line of the lost disk was taken out, it has one again.
fn lines_of(table: &mut Table, own: u32, lost: &Lost<'_, AsrMetadata>) -> Result<Changed, String> {
    let (index, own_line) = arrays::disk_line(table, own).ok_or("the table has no line of its disk")?;
    let array = arrays::array_of(table, index).ok_or("the table has no array of its disk")?;
    let shape = array.shape().map_err(|problem| problem.message)?;
    let (sequence, length) = (array.sequence(), shape.length);
    let slot = shape.slots.get(lost.slot.index()).ok_or("the array has no such slot")?;
    let magic = slot.map(|line| line.raidmagic);
    let disk = match magic.and_then(|magic| arrays::disk_line(table, magic)) {
        Some((disk, _)) => disk,
        None => {
            let line = Line { raidstate: 0, ..own_line.clone() };
            insert(table, index, line)?
        }
    };
    let room = lost.target.length_sectors().saturating_sub(Sectors(TABLE_FROM_END)).max(length);
    if let Some(line) = table.lines.get_mut(disk) {
        line.lcapcty = line.lcapcty.min(u32::try_from(room.0).unwrap_or(u32::MAX));
    }
    let before = table.used().get(..disk).unwrap_or_default();
    let last = |level: u8| before.iter().rposition(|line| line.raidlevel == level);
    let array = last(line_level::ARRAY).ok_or("no line of an array is before that of the disk")?;
    Ok(Changed { disk, array, top: last(line_level::TOP), sequence })
}

/// A line for a disk at the end of those of the group that the line `beside` is in, plugged in behind them.
fn insert(table: &mut Table, beside: usize, mut line: Line) -> Result<usize, String> {
    let used = table.used().len();
    if used.saturating_add(2) > LINES {
        return Err("the table has no room for one more line".to_owned());
    }
    let is_disk = |line: &Line| line.raidlevel == line_level::DISK;
    let below = table.used().get(beside..).unwrap_or_default();
    let end = beside.saturating_add(below.iter().take_while(|line| is_disk(line)).count());
    let start = table.used().get(..beside).unwrap_or_default().iter().rposition(|line| !is_disk(line));
    let group = table.used().get(start.map_or(0, |head| head.saturating_add(1))..end).unwrap_or_default();
    let last = group.iter().map(|line| line.raidid).max().unwrap_or_default();
    line.raidid = last.saturating_add(1);
    line.raidmagic = NONE;
    table.lines.insert(end, line);
    table.lines.truncate(LINES);
    table.head.elmcnt = table.head.elmcnt.saturating_add(1);
    Ok(end)
}

/// As much of a number as a line has room for.
fn low(number: u64) -> u32 {
    u32::try_from(number & u64::from(u32::MAX)).unwrap_or(NONE)
}

/// Neither an array nor a disk has that number.
fn is_free(table: &Table, number: u64) -> bool {
    let magic = low(number);
    let spare = table.head.sparedrivemagic;
    !matches!(magic, 0 | NONE) && magic != spare && table.used().iter().all(|line| line.raidmagic != magic)
}
