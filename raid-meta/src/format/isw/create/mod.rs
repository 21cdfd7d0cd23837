//! New volumes, as mdadm makes them: in a new container, or beside the volume of an old one.
//!
//! The disks are known by their serial numbers, so every one has to have one, and no two the same. All members
//! get the same MPB, a spare one of its own. A volume whose redundancy is not known to be valid is dirty, its map
//! uninitialized. A chunk asked for with a raid1, which has none, is left out.

mod container;
mod room;
#[cfg(test)]
mod tests;
mod volume;

use super::NAME;
use super::codec::{encode, placed};
use super::mpb::Mpb;
use super::names::processed_serial;
use crate::device::{Device, ReadAt};
use crate::format::create::{CreateError, NewMember, NewSet};
use crate::geometry::{Layout, Level, ParityLayout, Raid10Layout};
use crate::model::Area;
use crate::record::ChecksumState;
use crate::units::{ChunkSectors, SectorSize, Slot};
use container::Container;

/// The version that is written; what it has is said by the attributes.
const VERSION: &str = "1.3.00";
/// Longest name of a volume.
const NAME_BYTES: usize = 16;
/// mdadm's chunk, unless told: 128 KiB.
const DEFAULT_CHUNK: u32 = 256;
/// Chunks are whole pages, and fit the field.
const CHUNKS: std::ops::RangeInclusive<u32> = 8..=32768;
/// What a raid1 has for a chunk.
const MIRROR_STRIP: u64 = 128;

/// The members of a new volume.
///
/// # Errors
/// What the format, or the disks, can not do.
pub(in crate::format) fn create(set: &NewSet) -> Result<Vec<NewMember>, CreateError> {
    check(set)?;
    let serials = serials(set)?;
    let (of_slots, of_spares) = serials.split_at_checked(set.disks.len()).unwrap_or((&serials, &[]));
    let container = match container::existing(set, of_slots)? {
        Some(container) => container,
        None => container::new(set, of_slots)?,
    };
    let clears_record = container.is_new;
    let mpb = with_volume(set, container)?;
    let mut members = Vec::new();
    for (slot, device) in (0..).zip(&set.disks) {
        members.push(member(device, slot, mpb.clone(), clears_record)?);
    }
    for ((slot, device), serial) in (set.disks.len()..).zip(&set.spares).zip(of_spares) {
        members.push(member(device, slot, container::spare(device, slot, serial)?, true)?);
    }
    Ok(members)
}

/// The container with the volume added.
fn with_volume(set: &NewSet, container: Container) -> Result<Mpb, CreateError> {
    let extent = room::find(set, &container.mpb, strip(set))?;
    let mut mpb = container.mpb;
    volume::add(set, &mut mpb, &extent, strip(set));
    mpb.header.generation_num = mpb.header.generation_num.wrapping_add(1);
    Ok(mpb)
}

/// What goes onto a disk: the record of a migration that is none, then the MPB.
fn member(device: &Device, slot: usize, mpb: Mpb, clears_record: bool) -> Result<NewMember, CreateError> {
    let place = container::place(device, slot)?;
    let too_long = || refused(device, slot, "has no room for the metadata".to_owned());
    let mpb = placed(mpb, place).ok_or_else(too_long)?;
    let record = Area {
        role: "migration-record",
        offset: mpb.place.migration_record(),
        bytes: vec![0; mpb.place.sector()],
        checksum: ChecksumState::Absent,
    };
    let mpb =
        Area { role: "mpb", offset: mpb.place.start(), bytes: encode(&mpb), checksum: ChecksumState::Ok };
    Ok(NewMember { areas: clears_record.then_some(record).into_iter().chain([mpb]).collect() })
}

fn refused(device: &Device, slot: usize, message: String) -> CreateError {
    let slot = Slot(u32::try_from(slot).unwrap_or(u32::MAX));
    CreateError::Disk { device: device.label(), format: NAME, slot, message }
}

/// What the format can not do, whatever the disks.
fn check(set: &NewSet) -> Result<(), CreateError> {
    let invalid =
        |what, found: String, expected: &str| Err(CreateError::invalid(NAME, what, found, expected));
    let disks = set.disks.len();
    let (fits, expected) = match set.level {
        Level::Raid0 => (disks >= 2, "at least 2"),
        Level::Raid1 => (disks == 2, "2"),
        Level::Raid5 => (disks >= 3, "at least 3"),
        Level::Raid10 => (disks >= 4 && disks.is_multiple_of(2), "an even number from 4"),
        level => return invalid("level", level.to_string(), "raid0, raid1, raid5 or raid10"),
    };
    if !fits || disks > usize::from(u8::MAX) {
        return invalid("number of disks", disks.to_string(), &format!("{expected} for {}", set.level));
    }
    let name = set.name.as_bytes();
    if name.is_empty() || name.len() > NAME_BYTES || name.contains(&0) {
        return invalid("name", crate::escape::escape(name), "1 to 16 bytes");
    }
    set.only_versions(NAME, &[VERSION])?;
    check_layout(set)?;
    check_chunk(set)?;
    check_sector_sizes(set)
}

fn check_layout(set: &NewSet) -> Result<(), CreateError> {
    let own = match set.level {
        Level::Raid5 => Some(Layout::Parity(ParityLayout::LeftAsymmetric)),
        Level::Raid10 => Some(Layout::Raid10(Raid10Layout::near(2))),
        _ => None,
    };
    match set.layout {
        Some(layout) if own != Some(layout) => {
            let expected = own.map_or_else(|| "none".to_owned(), |own| own.to_string());
            Err(CreateError::invalid(NAME, "layout", layout, format!("{expected} for {}", set.level)))
        }
        _ => Ok(()),
    }
}

fn check_chunk(set: &NewSet) -> Result<(), CreateError> {
    let fits = |chunk: ChunkSectors| chunk.get().is_power_of_two() && CHUNKS.contains(&chunk.get());
    match set.chunk.filter(|&chunk| set.level != Level::Raid1 && !fits(chunk)) {
        Some(chunk) => {
            let expected = "a power of two from 8 to 32768 sectors";
            Err(CreateError::invalid(NAME, "chunk", format!("{chunk} sectors"), expected))
        }
        None => Ok(()),
    }
}

fn check_sector_sizes(set: &NewSet) -> Result<(), CreateError> {
    let mut sizes = set.disks.iter().chain(&set.spares).map(ReadAt::sector_size);
    let first = sizes.next().unwrap_or(SectorSize::B512);
    match sizes.find(|&other| other != first) {
        Some(other) => {
            let found = format!("{} and {}", first.bytes(), other.bytes());
            Err(CreateError::invalid(NAME, "sector size", found, "the same on all disks"))
        }
        None => Ok(()),
    }
}

/// The strip in sectors.
fn strip(set: &NewSet) -> u64 {
    match set.level {
        Level::Raid1 => MIRROR_STRIP,
        _ => u64::from(set.chunk.map_or(DEFAULT_CHUNK, ChunkSectors::get)),
    }
}

/// The serials as the MPB has them: slots, then spares.
fn serials(set: &NewSet) -> Result<Vec<Vec<u8>>, CreateError> {
    let mut serials: Vec<Vec<u8>> = Vec::new();
    for (slot, device) in set.disks.iter().chain(&set.spares).enumerate() {
        let serial = device.serial().map(processed_serial).filter(|serial| !serial.is_empty());
        let Some(serial) = serial else {
            return Err(CreateError::SerialUnknown { device: device.label(), format: NAME });
        };
        if serials.contains(&serial) {
            let message = format!("has the serial number '{}' of another", super::names::disk_key(&serial));
            return Err(refused(device, slot, message));
        }
        serials.push(serial);
    }
    Ok(serials)
}

/// As many bytes as the field has, the rest zeros.
fn padded<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut field = [0; N];
    for (to, from) in field.iter_mut().zip(bytes) {
        *to = *from;
    }
    field
}

/// The low and the high half of a number.
fn halves(number: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}
