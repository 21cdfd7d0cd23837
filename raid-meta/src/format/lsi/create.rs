//! New sets: a table of one array.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::table::{Array, Disk, ENTRIES, ENTRY, Head, Kind, MAGIC, Table, Tail};
use super::{NAME, TRAILER};
use crate::device::Device;
use crate::format::create::{CreateError, NewMember, NewSet};
use crate::format::schema::{DiskStruct, Endian};
use crate::format::vendor::{Plan, Rules, mirrored_stripes_place};
use crate::geometry::Level;
use crate::model::Area;
use crate::record::ChecksumState;
use crate::units::{Sectors, Slot};

/// How a spare is recorded is not known. An array has its size in 32 bits.
const RULES: Rules = Rules {
    format: NAME,
    levels: &[(Level::Raid0, 2..=8), (Level::Raid1, 2..=2), (Level::Raid10, 4..=8)],
    parity: &[],
    chunks: 8..=32768,
    usual_chunk: 128,
    reserved: TRAILER,
    largest: Sectors(u32::MAX as u64),
    spares: 0,
};

/// Bytes with no known meaning are those of a real disk.
const UNKNOWN: u8 = 0x10;

/// The metadata of all disks of a new set. The format has no place for its name.
///
/// # Errors
/// What the format, or the disks, can not do.
pub(in crate::format) fn create(set: &NewSet) -> Result<Vec<NewMember>, CreateError> {
    let plan = RULES.plan(set)?;
    let entries = entries(set, &plan);
    let slots = (0..).map(Slot).zip(&set.disks);
    let member = |(slot, disk): (Slot, &Device)| {
        let table = Table { head: head(&plan), entries: entries.clone(), tail: tail(set, &plan, slot) };
        let offset = disk.length_sectors().saturating_sub(TRAILER).to_bytes().unwrap_or_default();
        let (bytes, checksum) = (table.encode(), ChecksumState::Absent);
        NewMember { areas: vec![Area { role: "sector", offset, bytes, checksum }] }
    };
    Ok(slots.map(member).collect())
}

fn head(plan: &Plan) -> Head {
    let disks = u8::try_from(plan.geometry.slots).unwrap_or(u8::MAX);
    Head {
        magic: *MAGIC,
        unknown_6: UNKNOWN,
        flags: 4,
        version: u16::from_le_bytes(*b"27"),
        config_entries: disks.saturating_add(2),
        raid_count: 1,
        total_disks: disks,
        unknown_d: 0,
        unknown_e: 4,
    }
}

/// The array, its disks, and nothing.
fn entries(set: &NewSet, plan: &Plan) -> Vec<[u8; ENTRY]> {
    let array = array(set, plan);
    let disks = (0..array.disk_count).map(|number| disk(&array, plan, number).encode(Endian::Little));
    let encoded = std::iter::once(array.encode(Endian::Little)).chain(disks);
    let mut entries: Vec<[u8; ENTRY]> = encoded.filter_map(|entry| entry.try_into().ok()).collect();
    entries.resize(ENTRIES, [0; ENTRY]);
    entries
}

fn array(set: &NewSet, plan: &Plan) -> Array {
    let disk_count = u8::try_from(plan.geometry.slots).unwrap_or(u8::MAX);
    Array {
        raid_type: match set.level {
            Level::Raid0 => 1,
            Level::Raid1 => 2,
            _ => 3,
        },
        unknown_1: UNKNOWN,
        stripe_sectors: u16::try_from(plan.chunk.get()).unwrap_or(u16::MAX),
        array_width: match set.level {
            Level::Raid0 => disk_count,
            Level::Raid1 => 1,
            _ => disk_count >> 1,
        },
        disk_count,
        // Behind the head and the one array.
        config_offset: 0x20,
        unknown_7: 0,
        flags: 0,
        total_sectors: u32::try_from(plan.size.0).unwrap_or(u32::MAX),
        filler: [0; 3],
    }
}

/// Channel, and master or slave: of a raid10 each stripe has a channel.
pub(super) fn device(kind: Kind, disks: u8, number: u8) -> u8 {
    let width = if kind == Kind::Raid10 { disks >> 1 } else { 1 };
    let channel = number.checked_div(width).unwrap_or_default();
    let device = number.checked_rem(width).unwrap_or_default();
    channel.wrapping_shl(4) | device & 0x0f
}

fn disk(array: &Array, plan: &Plan, number: u8) -> Disk {
    Disk {
        device: device(array.kind(), array.disk_count, number),
        unknown_1: UNKNOWN,
        disk_sectors: u32::try_from(plan.length().0).unwrap_or(u32::MAX),
        disk_number: number,
        raid_number: 0,
        flags: 0,
        filler: [0; 7],
    }
}

fn tail(set: &NewSet, plan: &Plan, slot: Slot) -> Tail {
    let [a, b, c, d, ..] = set.identity_for("lsi configuration");
    let number = match set.level {
        Level::Raid10 => {
            let (half, in_stripe) = mirrored_stripes_place(slot);
            half.saturating_mul(plan.geometry.slots >> 1).saturating_add(in_stripe)
        }
        _ => slot.0,
    };
    Tail {
        disk_number: u8::try_from(number).unwrap_or(u8::MAX),
        raid_number: 0,
        timestamp: u32::from_le_bytes([a, b, c, d]),
        filler: [0; 10],
    }
}
