//! New sets: every disk gets the same table, and a reserved block of its own.

use super::block::{
    BLOCK_MAGIC, LINES, Line, NONE, ReservedBlock, SOFTWARE_MAGIC, TABLE_MAGIC, Table, TableHead, VERSION,
    line_level, line_type,
};
use super::{AsrMetadata, NAME, PlacedTable, TABLE_FROM_END, TABLE_SECTORS};
use crate::device::Device;
use crate::escape::escape;
use crate::format::create::{CreateError, NewMember, NewSet};
use crate::format::schema::DiskStruct;
use crate::format::vendor::{Plan, Rules, mirrored_stripes_place};
use crate::geometry::Level;
use crate::units::{Bytes, ChunkSectors, SECTOR_BYTES, Sectors, Slot};

/// Most disks of a set.
const MAX_DISKS: usize = 16;

const RULES: Rules = Rules {
    format: NAME,
    levels: &[(Level::Raid0, 2..=MAX_DISKS), (Level::Raid1, 2..=2), (Level::Raid10, 4..=MAX_DISKS)],
    parity: &[],
    chunks: 8..=2048,
    usual_chunk: 128,
    reserved: Sectors(TABLE_FROM_END),
    largest: Sectors(u32::MAX as u64),
    spares: 1,
};

/// Longest name. One byte less than there is room for: dmraid reads on behind a name that fills it.
const NAME_BYTES: usize = 15;

/// Opaque numbers as a real disk has them: of an array, of its first disk, of a reserved block.
const ARRAY_TID: u16 = 0x0082;
const DISK_TID: u16 = 0x0202;
const BLOCK_TIDS: (u16, u16) = (0x8202, 0x0203);

/// The tables and blocks of all disks, then of the spare.
pub(in crate::format) fn create(set: &NewSet) -> Result<Vec<NewMember>, CreateError> {
    let plan = RULES.plan(set)?;
    let new = New { plan: &plan, name: name(set)?, magics: magics(set) };
    let table = new.table(set);
    let mut members = Vec::with_capacity(set.disks.len().saturating_add(set.spares.len()));
    for (slot, disk) in (0..).map(Slot).zip(&set.disks) {
        members.push(new.disk(slot, disk, &table)?);
    }
    for (slot, disk) in (plan.geometry.slots..).map(Slot).zip(&set.spares) {
        members.push(new.disk(slot, disk, &new.spare_table(slot, disk))?);
    }
    Ok(members)
}

/// The name, padded as the firmware pads it. dmraid knows a set by its name alone, so there is one.
fn name(set: &NewSet) -> Result<[u8; 16], CreateError> {
    let name: [u8; NAME_BYTES] = RULES.name(&set.name, b' ')?;
    if name.first() == Some(&b' ') {
        let found = format!("'{}'", escape(set.name.as_bytes()));
        return Err(CreateError::invalid(NAME, "name", found, "at least one character"));
    }
    let mut padded = [b' '; 16];
    for (byte, name) in padded.iter_mut().zip(name) {
        *byte = name;
    }
    Ok(padded)
}

/// Numbers, all different: of the disks by slot, then of the spare, then of up to three arrays.
fn magics(set: &NewSet) -> Vec<u32> {
    let [a, b, c, d, ..] = set.identity_for("asr magics");
    let first = u32::from_be_bytes([a, b, c, d]) % 0x7fff_0000;
    let count = set.disks.len().saturating_add(set.spares.len()).saturating_add(3);
    (1..).take(count).map(|number: u32| first.saturating_add(number)).collect()
}

struct New<'a> {
    plan: &'a Plan,
    name: [u8; 16],
    magics: Vec<u32>,
}

impl New<'_> {
    fn magic(&self, slot: Slot) -> u32 {
        self.magics.get(slot.index()).copied().unwrap_or(NONE)
    }

    /// Number of an array: 0 the set, 1 and 2 the halves of a raid10.
    fn array_magic(&self, number: usize) -> u32 {
        self.magics.iter().rev().nth(number).copied().unwrap_or(NONE)
    }

    fn table(&self, set: &NewSet) -> Table {
        let mut lines = Vec::new();
        let slots = self.plan.geometry.slots;
        match self.plan.geometry.level {
            Level::Raid10 => {
                lines.push(self.array(0, line_level::TOP, line_type::RAID1, 2));
                for half in 0..2_u32 {
                    let number = if half == 0 { 1 } else { 2 };
                    lines.push(self.array(number, line_level::ARRAY, line_type::RAID0, slots / 2));
                    let disks = (0..slots).map(Slot).filter(|slot| mirrored_stripes_place(*slot).0 == half);
                    lines.extend(disks.map(|slot| self.disk_line(slot, line_type::RAID0)));
                }
            }
            level => {
                let kind = if level == Level::Raid1 { line_type::RAID1 } else { line_type::RAID0 };
                lines.push(self.array(0, line_level::ARRAY, kind, slots));
                lines.extend((0..slots).map(|slot| self.disk_line(Slot(slot), kind)));
            }
        }
        let spare = set.spares.first().map(|_| Slot(slots));
        let mut table = table(lines);
        table.head.spareid = spare.map_or(0, |spare| u8::try_from(spare.0).unwrap_or(u8::MAX));
        table.head.sparedrivemagic = spare.map_or(0, |spare| self.magic(spare));
        table
    }

    fn array(&self, number: usize, raidlevel: u8, raidtype: u8, count: u32) -> Line {
        let chunk = self.plan.geometry.chunk.map_or(0, |chunk| chunk.get().saturating_mul(count));
        Line {
            raidmagic: self.array_magic(number),
            raidcnt: u16::try_from(count).unwrap_or(u16::MAX),
            raidlevel,
            raidtype,
            lcapcty: word(self.plan.size),
            strpsize: u16::try_from(chunk).unwrap_or(u16::MAX),
            block_storage_tid: ARRAY_TID,
            ..self.line()
        }
    }

    fn disk_line(&self, slot: Slot, raidtype: u8) -> Line {
        let chunk = self.plan.geometry.chunk.map_or(0, ChunkSectors::get);
        let tid = u16::try_from(slot.0).unwrap_or_default().saturating_mul(2);
        Line {
            raidmagic: self.magic(slot),
            raidcnt: 1,
            raidlevel: line_level::DISK,
            raidtype,
            raidid: slot.0,
            lcapcty: word(self.plan.length()),
            strpsize: u16::try_from(chunk).unwrap_or(u16::MAX),
            block_storage_tid: DISK_TID.saturating_add(tid),
            ..self.line()
        }
    }

    fn line(&self) -> Line {
        Line { raidseq: 1, name: self.name, ..Line::zeroed() }
    }

    /// A spare has a table of its own, which names the array: that of the mirrors, or none where there is nothing
    /// to be rebuilt.
    fn spare_table(&self, slot: Slot, disk: &Device) -> Table {
        let spare =
            Line { raidtype: line_type::SPARE, lcapcty: word(disk.length_sectors()), ..Line::zeroed() };
        let all = Line { raidmagic: NONE, raidcnt: 1, raidlevel: line_level::ARRAY, ..spare.clone() };
        let own = Line { raidmagic: self.magic(slot), raidlevel: line_level::DISK, ..spare };
        let mut table = table(vec![all, own]);
        let is_redundant = self.plan.geometry.level.is_redundant();
        table.head.raidmagic = if is_redundant { self.array_magic(0) } else { NONE };
        table
    }

    fn disk(&self, slot: Slot, disk: &Device, table: &Table) -> Result<NewMember, CreateError> {
        let refused = |message: &str| CreateError::Disk {
            device: disk.label(),
            format: NAME,
            slot,
            message: message.to_owned(),
        };
        let sectors = disk.length_sectors();
        let place = sectors.checked_sub(Sectors(TABLE_FROM_END)).ok_or_else(|| refused("it is too small"))?;
        let raidtbl = u32::try_from(place.0).map_err(|_| refused("it is larger than 2 TiB"))?;
        let (sv_block_storage_tid, svtid) = BLOCK_TIDS;
        let block = ReservedBlock {
            magic0: BLOCK_MAGIC,
            smagic: SOFTWARE_MAGIC,
            resver: VERSION,
            drivemagic: self.magic(slot),
            raidtbl,
            first_reserved_block: raidtbl,
            sv_block_storage_tid,
            svtid,
            ..ReservedBlock::zeroed()
        };
        let bytes = |sectors: u64| Bytes(sectors.saturating_mul(SECTOR_BYTES));
        let found = AsrMetadata {
            offset: bytes(place.0.saturating_add(TABLE_SECTORS)),
            block,
            table: Some(PlacedTable { offset: bytes(place.0), table: table.clone() }),
        };
        Ok(NewMember { areas: found.placed_areas() })
    }
}

/// A table of these lines, with its checksum.
fn table(lines: Vec<Line>) -> Table {
    let used = u16::try_from(lines.len()).unwrap_or_default();
    let unused = LINES.saturating_sub(lines.len());
    let mut table = Table {
        head: TableHead {
            ridcode: TABLE_MAGIC,
            rversion: 2,
            maxelm: u16::try_from(LINES).unwrap_or_default(),
            elmcnt: used,
            elmsize: u16::try_from(Line::SIZE).unwrap_or_default(),
            action_priority: 0x10,
            ..TableHead::zeroed()
        },
        lines: lines.into_iter().chain((0..unused).map(|_| Line::zeroed())).collect(),
    };
    table.head.rchksum = table.checksum();
    table
}

fn word(sectors: Sectors) -> u32 {
    u32::try_from(sectors.0).unwrap_or(u32::MAX)
}
