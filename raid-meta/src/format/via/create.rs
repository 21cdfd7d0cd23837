//! New sets.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::sector::{Head, Kind, MAGIC, Sector, TABLE, Tail, bit, info, seal};
use super::{NAME, TRAILER};
use crate::device::Device;
use crate::format::create::{CreateError, NewMember, NewSet};
use crate::format::schema::DiskStruct;
use crate::format::vendor::{Plan, Rules, mirrored_stripes_place};
use crate::geometry::Level;
use crate::model::Area;
use crate::record::ChecksumState;
use crate::units::{Sectors, Slot};

/// The table has room for eight disks, the count goes to seven. What a spare is to the firmware nobody has seen, and dmraid
/// would write on it.
const RULES: Rules = Rules {
    format: NAME,
    levels: &[(Level::Linear, 1..=7), (Level::Raid0, 2..=7), (Level::Raid1, 2..=2), (Level::Raid10, 4..=8)],
    parity: &[],
    chunks: 8..=32768,
    usual_chunk: 128,
    reserved: TRAILER,
    largest: Sectors(1 << 48),
    spares: 0,
};

/// The version that dmraid and blkid both know.
const VERSION: u8 = 1;

/// The metadata of all disks of a new set. The format has no place for its name.
///
/// # Errors
/// What the format, or the disks, can not do.
pub(in crate::format) fn create(set: &NewSet) -> Result<Vec<NewMember>, CreateError> {
    let plan = RULES.plan(set)?;
    let table = table(set);
    let slots = (0..).map(Slot).zip(&set.disks).zip(&plan.lengths);
    let member = |((slot, disk), length): ((Slot, &Device), &Sectors)| {
        let sector = sector(set, &plan, table, slot, *length);
        let mut bytes = sector.encode();
        seal(&mut bytes, true);
        let offset = disk.length_sectors().saturating_sub(TRAILER).to_bytes().unwrap_or_default();
        NewMember { areas: vec![Area { role: "sector", offset, bytes, checksum: ChecksumState::Ok }] }
    };
    Ok(slots.map(member).collect())
}

fn sector(set: &NewSet, plan: &Plan, table: [u32; TABLE], slot: Slot, length: Sectors) -> Sector {
    let kind = kind(set.level);
    let count = match kind {
        Kind::Raid01 => plan.geometry.slots.checked_div(2).unwrap_or_default(),
        _ => plan.geometry.slots,
    };
    let code = plan.chunk.get().trailing_zeros().saturating_sub(3);
    let byte = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
    let own = table.get(place(kind, slot, count)).copied().unwrap_or_default();
    let number = u16::from(kind.number().unwrap_or_default());
    let info = u16::from(info(kind, slot, set.in_sync));
    let head = Head {
        signature: u16::from_le_bytes(MAGIC),
        version_number: VERSION,
        disk: bit::IN_ARRAY | number.wrapping_shl(3) | info.wrapping_shl(10),
        disk_array_ex: byte(count) | byte(code).wrapping_shl(4),
        capacity: length.0,
        array_serial_checksum: own,
    };
    Sector { head, table, tail: Tail::zeroed() }
}

fn kind(level: Level) -> Kind {
    match level {
        Level::Linear => Kind::Span,
        Level::Raid0 => Kind::Raid0,
        Level::Raid1 => Kind::Raid1,
        Level::Raid10 => Kind::Raid01,
        Level::Raid4 | Level::Raid5 | Level::Raid6 => Kind::Other,
    }
}

/// The place of a slot in the table: one stripe after the other.
pub(super) fn place(kind: Kind, slot: Slot, count: u32) -> usize {
    if kind != Kind::Raid01 {
        return slot.index();
    }
    let (half, in_stripe) = mirrored_stripes_place(slot);
    half.saturating_mul(count).saturating_add(in_stripe) as usize
}

/// The bits that depend on the level.
pub(super) fn info(kind: Kind, slot: Slot, in_sync: bool) -> u8 {
    let byte = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    match kind {
        Kind::Raid1 => {
            flag(slot.0 == 0, info::SOURCE)
                | flag(slot.0 > 0, info::COPY)
                | flag(!in_sync, info::MIRROR_DIRTY)
        }
        Kind::Raid01 => {
            let (half, in_stripe) = mirrored_stripes_place(slot);
            byte(in_stripe) | flag(half > 0, info::SECOND_HALF) | flag(!in_sync, info::STRIPES_DIRTY)
        }
        _ => byte(slot.0),
    }
}

/// An identity for each disk: never 0, never the same twice.
fn table(set: &NewSet) -> [u32; TABLE] {
    let mut table: [u32; TABLE] = [0; TABLE];
    for place in 0..set.disks.len().min(TABLE) {
        let [a, b, c, d, ..] = set.identity_for(&format!("via disk {place}"));
        let mut id = u32::from_le_bytes([a, b, c, d]);
        while id == 0 || table.contains(&id) {
            id = id.wrapping_add(1);
        }
        if let Some(entry) = table.get_mut(place) {
            *entry = id;
        }
    }
    table
}
