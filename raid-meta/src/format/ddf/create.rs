//! New groups, and further virtual disks in a group that is there, laid out as mdadm lays them out.
//!
//! A group is made in memory, then edited: both ways end in the same metadata of every disk, with one sequence
//! number. What is not understood in a group that is there stays as it is.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::copy::{Copy, Kind};
use super::edit::{areas, edit, finish, put};
use super::fresh;
use super::level::{Numbers, capacity, copies};
use super::metadata::Ddf;
use super::read::{self, record_length};
use super::structs::{NONE, TableHead, VD_CONFIG, VdConfig, VdEntry, is_blank, pd_type};
use super::sum;
use super::tables::{self, ENTRY, RecordKind};
use super::{NAME, check, names};
use crate::device::{Device, ReadAt};
use crate::escape;
use crate::format::create::{CreateError, NewMember, NewSet};
use crate::format::schema::DiskStruct;
use crate::geometry::{Geometry, Layout, Level, ParityLayout, Raid10Layout};
use crate::units::{ChunkSectors, SectorSize, Sectors, Slot};

/// The strip unless told: 64 KiB.
const USUAL_CHUNK: u32 = 128;
/// Smallest and largest strip: a page, and what mdadm reads.
const CHUNKS: std::ops::RangeInclusive<u32> = 8..=1 << 15;
/// What the size of a mirror is rounded to.
const MIRROR_UNIT: u64 = 128;

/// Metadata for all disks of the set, the spares last.
pub(in crate::format) fn create(set: &NewSet) -> Result<Vec<NewMember>, CreateError> {
    set.only_versions(NAME, &fresh::VERSIONS)?;
    check_name(&set.name)?;
    let geometry = geometry(set)?;
    let numbers = Numbers::of(&geometry).ok_or_else(|| layout_error(set))?;
    let mut group = group(set)?;
    let space = Space::find(&group, set, &geometry)?;
    add_volume(&mut group, set, &geometry, numbers, &space)?;
    finish(&mut group, set.now);
    Ok(group.iter().map(|ddf| NewMember { areas: areas(ddf) }).collect())
}

fn invalid(what: &'static str, found: impl Into<String>, expected: impl Into<String>) -> CreateError {
    CreateError::Invalid { format: NAME, what, found: found.into(), expected: expected.into() }
}

fn check_name(name: &str) -> Result<(), CreateError> {
    const LONGEST: usize = 16;
    let is_good = !name.is_empty() && name.len() <= LONGEST && name.trim() == name && !name.contains('\0');
    if is_good {
        return Ok(());
    }
    let expected = format!("1 to {LONGEST} bytes, no spaces around them");
    Err(invalid("name", format!("'{}'", escape::escape(name.as_bytes())), expected))
}

/// What is asked for, with the usual values for what is not.
fn geometry(set: &NewSet) -> Result<Geometry, CreateError> {
    let layout = set.layout.or_else(|| match set.level {
        Level::Raid4 => Some(ParityLayout::ParityLast.into()),
        Level::Raid5 => Some(ParityLayout::LeftSymmetric.into()),
        Level::Raid6 => Some(ParityLayout::DdfNContinue.into()),
        Level::Raid10 => Some(Raid10Layout::near(2).into()),
        Level::Linear | Level::Raid0 | Level::Raid1 => None,
    });
    let chunk = match set.level {
        Level::Linear | Level::Raid1 => None,
        _ => set.chunk.or(ChunkSectors::new(USUAL_CHUNK)),
    };
    if let Some(chunk) =
        chunk.filter(|chunk| !chunk.get().is_power_of_two() || !CHUNKS.contains(&chunk.get()))
    {
        let expected = "a power of two from 4 KiB to 16 MiB";
        return Err(invalid("chunk", format!("{chunk} sectors"), expected));
    }
    let slots = u32::try_from(set.disks.len()).unwrap_or(u32::MAX);
    let (least, most) = match set.level {
        Level::Raid0 | Level::Raid1 | Level::Linear | Level::Raid4 => (2, fresh::MAX_ELEMENTS),
        Level::Raid5 => (3, fresh::MAX_ELEMENTS),
        Level::Raid6 => (4, fresh::MAX_ELEMENTS),
        Level::Raid10 => (3, u32::from(u8::MAX)),
    };
    if !(least..=most).contains(&slots) {
        let expected = format!("{least} to {most} with {}", set.level);
        return Err(invalid("number of disks", slots.to_string(), expected));
    }
    // As many copies as disks is a mirror, and would be read as one.
    let copies = layout.and_then(Layout::raid10).map_or(0, Raid10Layout::copies);
    if copies >= slots {
        let expected = format!("more than {copies} with that layout");
        return Err(invalid("number of disks", slots.to_string(), expected));
    }
    Ok(Geometry { level: set.level, layout, chunk, slots })
}

fn layout_error(set: &NewSet) -> CreateError {
    let found = set.layout.map_or_else(String::new, |layout| layout.to_string());
    let expected = match set.level {
        Level::Raid4 => "parity-first or parity-last",
        Level::Raid5 => "left-symmetric, left-asymmetric or right-asymmetric",
        Level::Raid6 => "ddf-zero-restart, ddf-n-restart or ddf-n-continue",
        Level::Raid10 => "near-2, near-3 with a multiple of three disks, or far-2",
        _ => "none",
    };
    invalid("layout", found, expected)
}

/// All disks, those with a slot first.
fn devices(set: &NewSet) -> impl Iterator<Item = &Device> {
    set.disks.iter().chain(&set.spares)
}

fn disk_error(set: &NewSet, index: usize, message: impl Into<String>) -> CreateError {
    CreateError::Disk {
        device: devices(set).nth(index).map(Device::label).unwrap_or_default(),
        format: NAME,
        slot: Slot(u32::try_from(index).unwrap_or(u32::MAX)),
        message: message.into(),
    }
}

/// The group that the disks are, or a new one.
fn group(set: &NewSet) -> Result<Vec<Ddf>, CreateError> {
    let mut found = Vec::new();
    for (index, device) in devices(set).enumerate() {
        if device.sector_size() != SectorSize::B512 {
            let message = format!("sectors of {} bytes, expected 512", device.sector_size().bytes());
            return Err(disk_error(set, index, message));
        }
        let metadata = read::find(device).map_err(|error| disk_error(set, index, error.to_string()))?;
        found.push(match metadata {
            Some(read::Found::Metadata(ddf)) => Some(*ddf),
            _ => None,
        });
    }
    if found.iter().all(Option::is_none) {
        return fresh::group(set).map_err(|(index, message)| disk_error(set, index, message));
    }
    existing(set, found)
}

/// The group that is on the disks, if it is all there, all sound and of one generation.
fn existing(set: &NewSet, found: Vec<Option<Ddf>>) -> Result<Vec<Ddf>, CreateError> {
    let mut group: Vec<Ddf> = Vec::new();
    for (index, ddf) in found.into_iter().enumerate() {
        let refuse = |message: &str| Err(disk_error(set, index, message));
        let Some(ddf) = ddf else { return refuse("no metadata on it, but on another of the disks") };
        if !ddf.believed().is_some_and(Copy::is_whole)
            || !ddf.fatal_problems().is_empty()
            || ddf.disk_data().is_none()
        {
            return refuse("its metadata is damaged");
        }
        if let (Some(ours), Some(first)) = (ddf.header(), group.first().and_then(Ddf::header)) {
            if ours.ddf_header_guid != first.ddf_header_guid {
                return refuse("of another group than the first of the disks");
            }
            if ours.sequence_number != first.sequence_number {
                return refuse("not as fresh as the first of the disks");
            }
        }
        group.push(ddf);
    }
    let known = group.first().map(Ddf::physical_disks).unwrap_or_default();
    let given: Vec<u32> = group.iter().filter_map(reference).collect();
    for (index, reference) in given.iter().enumerate() {
        if given.iter().take(index).any(|other| other == reference) {
            return Err(disk_error(set, index, "given twice, or a copy of another of the disks"));
        }
        if !known.iter().any(|(_, disk)| disk.pd_reference == *reference && disk.pd_state == 1) {
            return Err(disk_error(set, index, "not online in its group"));
        }
    }
    if known.len() != given.len() {
        let expected = format!("all {} of the group", known.len());
        return Err(invalid("number of disks", given.len().to_string(), expected));
    }
    let disks = group.first().map(Ddf::virtual_disks).unwrap_or_default();
    if disks.iter().any(|(_, disk)| names::volume_name(&disk.vd_name) == set.name.as_bytes()) {
        return Err(invalid(
            "name",
            format!("'{}'", escape::escape(set.name.as_bytes())),
            "one that no volume has",
        ));
    }
    Ok(group)
}

fn reference(ddf: &Ddf) -> Option<u32> {
    ddf.disk_data().map(|own| own.pd_reference)
}

/// Where the new virtual disk lies.
struct Space {
    /// First block on each of the disks.
    starts: Vec<u64>,
    /// Blocks on every disk.
    length: u64,
    size: Sectors,
}

impl Space {
    /// The first gap of every disk that is long enough; as long as the smallest largest gap where no size is
    /// asked for.
    fn find(group: &[Ddf], set: &NewSet, geometry: &Geometry) -> Result<Self, CreateError> {
        let gaps: Vec<Vec<(u64, u64)>> = group.iter().take(set.disks.len()).map(gaps).collect();
        let largest =
            |gaps: &Vec<(u64, u64)>| gaps.iter().map(|(_, length)| *length).max().unwrap_or_default();
        let unit = geometry.chunk.map_or(MIRROR_UNIT, |chunk| u64::from(chunk.get()));
        let whole = |blocks: u64| blocks.checked_div(unit).unwrap_or_default().saturating_mul(unit);
        let room = whole(gaps.iter().map(largest).min().unwrap_or_default());
        let most = capacity(geometry, Sectors(room));
        let length = match set.size {
            None => room,
            Some(size) => {
                // As much of every member as whole stripes take, times as many as are needed. Where the copies of a
                // chunk are in two rows, so is the stripe.
                let rows = unit.saturating_mul(rows_of_stripe(geometry));
                let stripe = capacity(geometry, Sectors(rows)).0.max(1);
                size.0.checked_div(stripe).unwrap_or_default().saturating_mul(rows)
            }
        };
        let size = capacity(geometry, Sectors(length));
        if length == 0 || length > room || size.is_zero() {
            let found = set.size.map_or_else(|| "nothing".to_owned(), |size| format!("{size} sectors"));
            return Err(invalid(
                "size",
                found,
                format!("{unit} to {most} sectors, with what is free on the disks"),
            ));
        }
        let first = |gaps: &Vec<(u64, u64)>| {
            gaps.iter().find(|(_, free)| *free >= length).map(|(start, _)| *start).unwrap_or_default()
        };
        Ok(Self { starts: gaps.iter().map(first).collect(), length, size })
    }
}

/// Rows of chunks after which the copies begin at the first disk again.
fn rows_of_stripe(geometry: &Geometry) -> u64 {
    let copies = copies(geometry);
    if geometry.slots.is_multiple_of(copies) { 1 } else { copies.into() }
}

/// What is free on a disk: start and length, in blocks.
fn gaps(ddf: &Ddf) -> Vec<(u64, u64)> {
    let own = reference(ddf);
    let configs = ddf.configs();
    let mut used: Vec<(u64, u64)> = Vec::new();
    for config in &configs {
        let mine = config.elements.iter().filter(|element| element.reference == own);
        used.extend(
            mine.map(|element| (element.start, element.start.saturating_add(config.head.block_count))),
        );
    }
    used.sort_unstable();
    let disks = ddf.physical_disks();
    let entry = disks.iter().find(|(_, disk)| Some(disk.pd_reference) == own);
    let end = entry.map_or(0, |(_, disk)| check::usable(ddf, disk).0);
    let mut at = 0;
    let mut gaps = Vec::new();
    for (start, after) in used.into_iter().chain(std::iter::once((end, end))) {
        if start.min(end) > at {
            gaps.push((at, start.min(end).saturating_sub(at)));
        }
        at = at.max(after);
    }
    gaps
}

/// Enters the virtual disk into the tables of all disks, and its configuration into the records of its own.
fn add_volume(
    group: &mut [Ddf],
    set: &NewSet,
    geometry: &Geometry,
    numbers: Numbers,
    space: &Space,
) -> Result<(), CreateError> {
    let references: Vec<u32> = group.iter().filter_map(reference).collect();
    let Some((index, entry)) = group.first().and_then(|first| new_entry(first, set, geometry)) else {
        return Err(invalid("number of volumes", "too many", "a free place in the table of virtual disks"));
    };
    for (place, ddf) in group.iter_mut().enumerate() {
        edit(ddf, Kind::VirtualDisks, |bytes, ddf| {
            put(bytes, tables::entry_at(index), &entry.encode(ddf.endian));
            let used = tables::virtual_disks(bytes, ddf.endian).len();
            populate(bytes, used, ddf);
        });
        edit(ddf, Kind::PhysicalDisks, |bytes, ddf| mark_active(bytes, &references, set.disks.len(), ddf));
        if place >= set.disks.len() {
            continue;
        }
        let bytes = config(ddf, set, geometry, numbers, space, &entry, &references, place);
        let record = record_length_of(ddf);
        let mut is_put = false;
        edit(ddf, Kind::Configurations, |section, ddf| {
            let blank = |bytes: &&[u8]| RecordKind::of(bytes, ddf.endian) == RecordKind::Blank;
            let free = section.chunks_exact(record).position(|bytes| blank(&bytes));
            if let (Some(free), Some(bytes)) = (free, &bytes) {
                put(section, free.saturating_mul(record), bytes);
                is_put = true;
            }
        });
        if !is_put {
            return Err(disk_error(set, place, "no room for one more configuration record"));
        }
    }
    Ok(())
}

fn record_length_of(ddf: &Ddf) -> usize {
    ddf.header().map_or(0, |header| record_length(header, ddf.block))
}

/// A free place in the table of virtual disks, and the entry for it.
fn new_entry(ddf: &Ddf, set: &NewSet, geometry: &Geometry) -> Option<(usize, VdEntry)> {
    let section = ddf.section(Kind::VirtualDisks)?;
    let table = section.bytes.get(TableHead::SIZE..)?;
    let room = tables::entry_count(&section.bytes, ddf.endian);
    let free = |entry: &[u8]| entry.get(..24).is_some_and(is_blank);
    let index = table.chunks_exact(ENTRY).take(room).position(free)?;
    let header = ddf.header()?;
    let crc = sum::plain(&header.ddf_header_guid).to_le_bytes();
    let mut vd_name = [0; 16];
    put(&mut vd_name, 0, set.name.as_bytes());
    let entry = VdEntry {
        vd_guid: fresh::dated_guid(set, &format!("volume {index} {}", header.sequence_number)),
        vd_number: u16::try_from(index).ok()?,
        pad_1a: [0xff; 2],
        vd_type_crc: u16::from_be_bytes([*crc.first()?, *crc.get(1)?]),
        vd_type: 0,
        vd_state: 0,
        init_state: if geometry.level.is_redundant() && !set.in_sync { 0 } else { 2 },
        drive_failures_remaining: 0xff,
        pad_23: [0xff; 13],
        vd_name,
    };
    Some((index, entry))
}

/// The configuration record for the disk of that slot.
#[allow(clippy::too_many_arguments, reason = "all that a record is made of")]
fn config(
    ddf: &Ddf,
    set: &NewSet,
    geometry: &Geometry,
    numbers: Numbers,
    space: &Space,
    entry: &VdEntry,
    references: &[u32],
    slot: usize,
) -> Option<Vec<u8>> {
    let per_element = usize::from(numbers.primary_element_count);
    let element = slot.checked_div(per_element)?;
    let first = element.checked_mul(per_element)?;
    let head = VdConfig {
        signature: VD_CONFIG,
        vd_guid: entry.vd_guid,
        timestamp: fresh::timestamp(set.now),
        // One, and one more for every disk that was entered.
        sequence_number: u32::from(numbers.primary_element_count).saturating_add(1),
        primary_element_count: numbers.primary_element_count,
        strip_size: geometry.chunk.map_or(0xff, |chunk| u8::try_from(chunk.get().ilog2()).unwrap_or(0xff)),
        primary_raid_level: numbers.primary_raid_level,
        raid_level_qualifier: numbers.raid_level_qualifier,
        secondary_element_count: numbers.secondary_element_count,
        secondary_element_seq: u8::try_from(element).ok()?,
        secondary_raid_level: numbers.secondary_raid_level,
        block_count: space.length,
        vd_size: space.size.0,
        block_size: fresh::block_size_field(ddf),
        cache_policies: [0; 8],
        bg_rate: 0x80,
        ..VdConfig::decode(&[0xff; VdConfig::SIZE], ddf.endian)?
    };
    let record = record_length_of(ddf);
    let room = tables::element_room(ddf.header()?.max_primary_element_entries, record)?;
    if per_element > room {
        return None;
    }
    let mut bytes = head.encode(ddf.endian);
    for rank in 0..room {
        let slot = first.checked_add(rank)?;
        let reference = references.get(slot).filter(|_| rank < per_element).copied().unwrap_or(NONE);
        bytes.extend(fresh::word(reference, ddf.endian));
    }
    for rank in 0..room {
        let slot = first.checked_add(rank)?;
        let start = space.starts.get(slot).filter(|_| rank < per_element).copied().unwrap_or_default();
        bytes.extend(fresh::long(start, ddf.endian));
    }
    bytes.resize(record, 0xff);
    Some(bytes)
}

/// The disks of the new virtual disk are active, and no spares any more.
fn mark_active(bytes: &mut [u8], references: &[u32], count: usize, ddf: &Ddf) {
    let members = references.get(..count).unwrap_or_default();
    for (index, mut disk) in tables::physical_disks(bytes, ddf.endian) {
        if members.contains(&disk.pd_reference) {
            disk.pd_type = disk.pd_type & !pd_type::GLOBAL_SPARE | pd_type::ACTIVE;
            put(bytes, tables::entry_at(index), &disk.encode(ddf.endian));
        }
    }
}

/// Sets the count of a table.
pub(super) fn populate(bytes: &mut [u8], used: usize, ddf: &Ddf) {
    let Some(mut head) = TableHead::decode(bytes, ddf.endian) else { return };
    head.populated_entries = u16::try_from(used).unwrap_or(u16::MAX);
    put(bytes, 0, &head.encode(ddf.endian));
}
