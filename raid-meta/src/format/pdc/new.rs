//! New sets, also beside sets that the disks carry already.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::place::{MAX_RECORDS, STEP, USUAL};
use super::record::{
    DiskEntry, Head, IDLE, MAX_DISKS, Record, SIGNATURE, Tail, VALID, disk_flag, kind, status,
};
use super::{NAME, PdcMetadata, check, read};
use crate::device::{Device, ReadAt};
use crate::format::Metadata;
use crate::format::create::{CreateError, NewMember, NewSet};
use crate::format::schema::DiskStruct;
use crate::format::vendor::{Plan, Rules, mirrored_stripes_place};
use crate::geometry::Level;
use crate::model::Area;
use crate::record::{ChecksumState, Problem};
use crate::units::{Sectors, Slot};

/// More sectors than this could not be told from what old firmware leaves in the field.
const LARGEST: Sectors = Sectors((1 << 40) - 1);

const RULES: Rules = Rules {
    format: NAME,
    levels: &[
        (Level::Linear, 1..=MAX_DISKS),
        (Level::Raid0, 1..=MAX_DISKS),
        (Level::Raid1, 2..=2),
        (Level::Raid10, 4..=MAX_DISKS),
    ],
    parity: &[],
    chunks: 2..=65536,
    usual_chunk: 128,
    reserved: Sectors(USUAL),
    largest: LARGEST,
    spares: MAX_DISKS,
};

/// Sectors that FreeBSD leaves at the end of a spare.
const SPARE_RESERVED: Sectors = Sectors(131_072);

/// A disk of the new set: where its record goes, and where its part begins.
struct Place {
    record: Sectors,
    start: Sectors,
    number: u8,
}

/// The metadata of all disks, spares last.
pub(in crate::format) fn create(set: &NewSet) -> Result<Vec<NewMember>, CreateError> {
    let slots = (0..).map(Slot);
    let places: Vec<Place> =
        slots.zip(&set.disks).map(|(slot, disk)| place(slot, disk)).collect::<Result<_, _>>()?;
    let plan = RULES.plan(&beyond(set, &places))?;
    let common = common(set, &plan)?;
    let members = (0..).map(Slot).zip(&places).map(|(slot, place)| {
        let entry = entry_of(slot, &plan);
        member(own(&common, &plan, place, slot, entry), place.record)
    });
    let spares = set.spares.iter().enumerate().map(|(number, disk)| spare(set, number, disk));
    Ok(members.chain(spares).collect())
}

/// Where the record of one more array goes: behind those that are there.
fn place(slot: Slot, disk: &Device) -> Result<Place, CreateError> {
    let error = |message: String| CreateError::Disk { device: disk.label(), format: NAME, slot, message };
    let mut records = read(disk).map_err(|failure| error(failure.to_string()))?;
    records.retain(|found| !found.record.is_unassigned());
    if records.iter().any(|found| found.check().iter().any(Problem::is_error)) {
        return Err(error("it carries records that are damaged".to_owned()));
    }
    let number = records.len() as u64;
    if number >= MAX_RECORDS {
        return Err(error(format!("it carries {number} arrays already, there is room for {MAX_RECORDS}")));
    }
    let usual = disk.length_sectors().checked_sub(Sectors(USUAL));
    let first = records.first().map(|found| found.first).or(usual);
    let record = first.and_then(|first| first.checked_add(Sectors(number.saturating_mul(STEP))));
    let start = records.iter().map(end).max().unwrap_or_default();
    match record {
        Some(record) => Ok(Place { record, start, number: u8::try_from(number).unwrap_or(u8::MAX) }),
        None => Err(error(format!("it has {} sectors, expected at least {USUAL}", disk.length_sectors()))),
    }
}

fn end(found: &PdcMetadata) -> Sectors {
    let extent = check::extent(&found.record);
    extent.offset.saturating_add(extent.length)
}

/// The same set on what the disks have left.
fn beyond(set: &NewSet, places: &[Place]) -> NewSet {
    let rest = |(disk, place): (&Device, &Place)| {
        let start = place.start.to_bytes().unwrap_or_default();
        disk.window(start, disk.size().saturating_sub(start)).unwrap_or_else(|| disk.clone())
    };
    NewSet { disks: set.disks.iter().zip(places).map(rest).collect(), ..set.clone() }
}

/// The entry of the table for the disk in a slot.
fn entry_of(slot: Slot, plan: &Plan) -> u32 {
    if plan.geometry.level != Level::Raid10 {
        return slot.0;
    }
    let (half, in_stripe) = mirrored_stripes_place(slot);
    half.saturating_mul(plan.geometry.slots / 2).saturating_add(in_stripe)
}

/// What all disks have alike.
fn common(set: &NewSet, plan: &Plan) -> Result<Record, CreateError> {
    let (low, high) = halves(plan.size);
    let slots = u8::try_from(plan.geometry.slots).unwrap_or(u8::MAX);
    let (raid_type, width) = match set.level {
        Level::Raid1 => (kind::RAID1, 1),
        Level::Raid10 => (kind::RAID1, slots / 2),
        Level::Linear => (kind::SPAN, slots),
        _ => (kind::RAID0, slots),
    };
    let volume = word(&set.identity_for("pdc array"));
    let ready = status::VALID | status::ONLINE | status::READY | status::FUNCTIONAL;
    let is_known = set.in_sync || !set.level.is_redundant();
    let head = Head {
        id: *SIGNATURE,
        dummy_0: 0x0002_0000,
        magic_1: u16::try_from(volume & 0xffff).unwrap_or_default(),
        magic_2: u32::try_from(volume >> 16 & 0xffff_ffff).unwrap_or_default(),
        integrity: VALID,
        generation: 1,
        status: if is_known { ready | status::INITED } else { ready },
        raid_type,
        total_disks: slots,
        stripe_shift: u8::try_from(plan.chunk.get().ilog2()).unwrap_or_default(),
        array_width: width,
        total_sectors: low,
        cylinders: cylinders(plan.size),
        heads: 254,
        sectors: 63,
        volume_id: volume,
        ..DiskStruct::zeroed()
    };
    let tail = Tail {
        name: RULES.name(&set.name, 0)?,
        magic_3: IDLE,
        rebuild_lba64: u64::MAX,
        magic_4: 0x0401_0101,
        total_sectors_high: high,
        sector_size: 1,
        disk_rebuild_high: u32::MAX,
        ..DiskStruct::zeroed()
    };
    let disks = (0..MAX_DISKS).map(|index| disk_entry(set, plan, index)).collect();
    Ok(Record { head, disks, tail })
}

/// Numbers in the table go up by two, as FreeBSD has them.
fn disk_entry(set: &NewSet, plan: &Plan, index: usize) -> DiskEntry {
    if index >= plan.geometry.slots as usize {
        return DiskEntry::zeroed();
    }
    DiskEntry {
        flags: disk_flag::VALID | disk_flag::ONLINE | disk_flag::ASSIGNED,
        number: u8::try_from(index.saturating_mul(2)).unwrap_or_default(),
        id: word(&set.identity_for(&format!("pdc disk {index}"))),
        ..DiskStruct::zeroed()
    }
}

/// The record of one disk.
fn own(common: &Record, plan: &Plan, place: &Place, slot: Slot, entry: u32) -> Record {
    let mut record = common.clone();
    let (offset, offset_high) = halves(place.start);
    let (length, length_high) = halves(plan.lengths.get(slot.index()).copied().unwrap_or_default());
    let head = &mut record.head;
    if let Some(disk) = record.disks.get(Slot(entry).index()) {
        (head.disk_flags, head.disk_id, head.magic_0) = (disk.flags, disk.id, disk.id);
    }
    head.disk_number = u8::try_from(entry).unwrap_or(u8::MAX);
    (head.disk_offset, head.disk_sectors, head.disk_rebuild) = (offset, length, u32::MAX);
    head.array_number = place.number;
    (record.tail.disk_offset_high, record.tail.disk_sectors_high) = (offset_high, length_high);
    record
}

fn member(mut record: Record, sector: Sectors) -> NewMember {
    record.seal();
    let offset = sector.to_bytes().unwrap_or_default();
    let area = Area { role: "record", offset, bytes: record.encode(), checksum: ChecksumState::Ok };
    NewMember { areas: vec![area] }
}

/// A spare belongs to no set.
fn spare(set: &NewSet, number: usize, disk: &Device) -> NewMember {
    let id = word(&set.identity_for(&format!("pdc spare {number}")));
    let (low, high) = halves(disk.length_sectors().saturating_sub(SPARE_RESERVED));
    let head = Head {
        id: *SIGNATURE,
        dummy_0: 0x0002_0000,
        magic_0: id,
        integrity: VALID,
        disk_flags: disk_flag::VALID | disk_flag::ONLINE | disk_flag::SPARE,
        disk_number: u8::MAX,
        disk_id: id,
        disk_sectors: low,
        disk_rebuild: u32::MAX,
        ..DiskStruct::zeroed()
    };
    let tail =
        Tail { disk_sectors_high: high, disk_rebuild_high: u32::MAX, sector_size: 1, ..DiskStruct::zeroed() };
    let disks = vec![DiskEntry::zeroed(); MAX_DISKS];
    member(Record { head, disks, tail }, disk.length_sectors().saturating_sub(Sectors(USUAL)))
}

/// The number of the last cylinder, as BIOS counts them; as many as fit.
fn cylinders(size: Sectors) -> u16 {
    const CYLINDER: u64 = 255 * 63;
    u16::try_from((size.0 / CYLINDER).saturating_sub(1)).unwrap_or(u16::MAX)
}

pub(super) fn halves(value: Sectors) -> (u32, u32) {
    let half = |value: u64| u32::try_from(value & u64::from(u32::MAX)).unwrap_or_default();
    (half(value.0), half(value.0 >> 32))
}

fn word(bytes: &[u8; 20]) -> u64 {
    bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)).unwrap_or_default()
}
