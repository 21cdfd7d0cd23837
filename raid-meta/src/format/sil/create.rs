//! New sets: what the firmware would write, on disks whose IDENTIFY data is not known.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::NAME;
use super::copies::Copies;
use super::sector::{Copy, Kind, MAJOR, NOT_USED, Sector, VENDOR};
use super::shape::{FIRMWARE_RESERVED, concatenated};
use super::view::{state, status};
use crate::device::Device;
use crate::format::create::{CreateError, NewMember, NewSet};
use crate::format::schema::{DiskStruct, Endian};
use crate::format::time::utc;
use crate::format::vendor::{Plan, Rules, mirrored_stripes_place, sum8};
use crate::geometry::{Level, ParityLayout};
use crate::units::{Sectors, Slot};

const RULES: Rules = Rules {
    format: NAME,
    levels: &[
        (Level::Linear, 1..=8),
        (Level::Raid0, 2..=8),
        (Level::Raid1, 2..=8),
        (Level::Raid5, 3..=8),
        (Level::Raid10, 4..=8),
    ],
    parity: &[ParityLayout::LeftSymmetric],
    chunks: 8..=0x8000,
    usual_chunk: 256,
    reserved: Sectors(FIRMWARE_RESERVED),
    largest: Sectors(1 << 48),
    spares: 8,
};

/// The metadata of all disks of a new set, and of its spares.
///
/// # Errors
/// What the format, or the disks, can not do.
pub(in crate::format) fn create(set: &NewSet) -> Result<Vec<NewMember>, CreateError> {
    let plan = RULES.plan(set)?;
    let kind = kind(set.level);
    let name = RULES.name(&set.name, b' ')?;
    let member = |(slot, disk): (Slot, &Device)| {
        let text_type = name;
        written(&Sector { text_type, ..member(set, &plan, kind, slot, disk) }, disk)
    };
    let mut members: Vec<NewMember> = (0..).map(Slot).zip(&set.disks).map(member).collect();
    members.extend((0_u32..).zip(&set.spares).map(|(number, disk)| written(&spare(set, number, disk), disk)));
    Ok(members)
}

fn kind(level: Level) -> Kind {
    match level {
        Level::Raid0 => Kind::Raid0,
        Level::Raid1 => Kind::Raid1,
        Level::Raid10 => Kind::Raid10,
        Level::Linear => Kind::Jbod,
        Level::Raid4 | Level::Raid5 | Level::Raid6 => Kind::Raid5,
    }
}

/// The four copies, the one that others look at last.
fn written(sector: &Sector, disk: &Device) -> NewMember {
    let copies = Copies::new(sector, disk.length_sectors());
    let areas = copies.iter().flat_map(|copies| copies.all().iter().rev().map(Copy::area));
    NewMember { areas: areas.collect() }
}

fn member(set: &NewSet, plan: &Plan, kind: Kind, slot: Slot, disk: &Device) -> Sector {
    let slots = i8::try_from(plan.geometry.slots).unwrap_or(i8::MAX);
    let number = u8::try_from(slot.0).unwrap_or(u8::MAX);
    let is_dirty = set.level.is_redundant() && !set.in_sync;
    let sector = Sector {
        array_sectors: size(set, plan, kind).0,
        raid0_stride: chunk(plan),
        disk_number: number,
        idechannel: number,
        mirrored_set_state: if is_dirty { state::ONLINE } else { state::AVAILABLE },
        ..common(set, kind, disk)
    };
    match kind {
        Kind::Raid1 => Sector { drives_per_mirrored_set: slots, mirrored_set_number: 0, ..sector },
        Kind::Raid10 => {
            let (half, pair) = mirrored_stripes_place(slot);
            Sector {
                disk_number: u8::try_from(pair).unwrap_or(u8::MAX),
                drives_per_striped_set: slots.checked_div(2).unwrap_or_default(),
                striped_set_number: i8::try_from(half).unwrap_or(i8::MAX),
                drives_per_mirrored_set: 2,
                mirrored_set_number: i8::try_from(pair).unwrap_or(i8::MAX),
                ..sector
            }
        }
        _ => Sector { drives_per_striped_set: slots, striped_set_number: 0, ..sector },
    }
}

/// Several disks one after the other have what each of them adds.
fn size(set: &NewSet, plan: &Plan, kind: Kind) -> Sectors {
    if kind != Kind::Jbod || set.disks.len() == 1 {
        return plan.size;
    }
    let parts = set.disks.iter().map(|disk| concatenated(kind, disk.length_sectors()));
    parts.fold(Sectors::ZERO, Sectors::saturating_add)
}

fn chunk(plan: &Plan) -> u16 {
    plan.geometry.chunk.and_then(|chunk| u16::try_from(chunk.get()).ok()).unwrap_or_default()
}

/// A spare is in no set: its time is its own.
fn spare(set: &NewSet, number: u32, disk: &Device) -> Sector {
    let [hour, minutes, seconds] = clock(set, &format!("spare {number}"));
    let array_sectors = disk.length_sectors().saturating_sub(Sectors(FIRMWARE_RESERVED)).0;
    Sector { array_sectors, hour, minutes, seconds, ..common(set, Kind::Spare, disk) }
}

/// What all disks have alike.
fn common(set: &NewSet, kind: Kind, disk: &Device) -> Sector {
    let [year, month, day] = date(set.now);
    let [hour, minutes, seconds] = clock(set, "set");
    Sector {
        product_id: 0x3114,
        vendor_id: VENDOR,
        minor_ver: 3,
        major_ver: MAJOR,
        seconds,
        minutes,
        hour,
        day,
        month,
        year,
        unknown6: 0x64,
        raid_type: kind.number().unwrap_or_default(),
        drives_per_striped_set: NOT_USED,
        striped_set_number: NOT_USED,
        drives_per_mirrored_set: NOT_USED,
        mirrored_set_number: NOT_USED,
        incarnation_no: 1,
        member_status: status::CURRENT,
        mirrored_set_state: state::AVAILABLE,
        text_type: [b' '; 16],
        ..identify(disk)
    }
}

/// The date in BCD.
fn date(now: u64) -> [u8; 3] {
    let text = utc(now).unwrap_or_default();
    [2..4, 5..7, 8..10].map(|digits| {
        text.get(digits).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or_default()
    })
}

/// The time of the day in BCD. It is drawn, not read off a clock: the date and the time are all that tells sets apart,
/// and several may be made in one second.
fn clock(set: &NewSet, purpose: &str) -> [u8; 3] {
    let [first, second, third, ..] = set.identity_for(&format!("sil time of {purpose}"));
    [(first, 24), (second, 60), (third, 60)]
        .map(|(byte, limit)| bcd(byte.checked_rem(limit).unwrap_or_default()))
}

fn bcd(number: u8) -> u8 {
    let tens = number.checked_div(10).unwrap_or_default();
    let ones = number.checked_rem(10).unwrap_or_default();
    tens.wrapping_shl(4) | ones
}

/// The IDENTIFY data of an ATA disk of that size and serial number.
pub(super) fn identify(disk: &Device) -> Sector {
    const FIXED_DISK: u16 = 0x0040;
    const LBA28_MAX: u64 = 0x0fff_ffff;
    /// Words 82 to 87: LBA48, and the bit that says that the words are valid.
    const FEATURES: [u16; 6] = [0, 0x7400, 0x4000, 0, 0x3400, 0x4000];
    let size = disk.length_sectors().0;
    let mut sector = Sector::zeroed();
    let geometry: [u16; 10] = [FIXED_DISK, 0x3fff, 0x37c8, 16, 0, 0, 63, 0, 0, 0];
    write_words(&mut sector.identify_0, 0, &geometry);
    sector.identify_serial = swapped(disk.serial().unwrap_or_default());
    sector.identify_firmware = swapped("1.0");
    sector.identify_model = swapped("RAID MEMBER");
    sector.identify_47 = 0x8010;
    sector.magic = 0x2f00_0000;
    write_words(&mut sector.identify_50, 0, &[0x4000, 0, 0, 7]);
    sector.thisdisk_sectors = u32::try_from(size.min(LBA28_MAX)).unwrap_or_default();
    write_words(&mut sector.identify_62, (80 - 62) * 2, &[0x00fe, 0x001e]);
    write_words(&mut sector.identify_62, (82 - 62) * 2, &FEATURES);
    sector.lba48_sectors = size;
    let sum = sum8(&Sector { checksum2: 0x00a5, ..sector.clone() }.encode(Endian::Little)).wrapping_neg();
    Sector { checksum2: u16::from_le_bytes([0xa5, sum]), ..sector }
}

fn write_words(bytes: &mut [u8], at: usize, words: &[u16]) {
    let places = bytes.get_mut(at..).unwrap_or_default().chunks_exact_mut(2);
    for (place, word) in places.zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
}

/// Text as IDENTIFY has it: padded with blanks, two characters swapped in each word.
fn swapped<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [b' '; N];
    for (byte, character) in bytes.iter_mut().zip(text.trim().bytes()) {
        *byte = character;
    }
    bytes.chunks_exact_mut(2).for_each(<[u8]>::reverse);
    bytes
}
