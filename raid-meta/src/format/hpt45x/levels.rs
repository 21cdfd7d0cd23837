//! What the entries add up to: level, geometry, and which slot the disk is.

use super::sector::{Config, Sector};
use crate::format::vendor::{data_members, geometry, mirrored_stripes_slot, round_down, share};
use crate::geometry::{Geometry, Level};
use crate::record::Problem;
use crate::units::{ChunkSectors, Sectors, Slot};

/// Most members of one level.
pub(super) const MAX_DISKS: u8 = 8;
/// Largest exponent of the chunk: 512 MiB, far above what any firmware offers.
const MAX_SHIFT: u8 = 20;

/// The levels of the vendor's drivers.
pub(super) mod raid_type {
    pub(in super::super) const SPARE: u8 = 0;
    pub(in super::super) const SINGLE: u8 = 3;
    pub(in super::super) const SPAN: u8 = 4;
    pub(in super::super) const RAID0: u8 = 5;
    pub(in super::super) const RAID1: u8 = 6;
    pub(in super::super) const RAID3: u8 = 7;
    pub(in super::super) const RAID5: u8 = 8;
}

/// The array, as far as one disk knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Levels {
    pub(super) level: Level,
    /// None for a raid5: nothing says how its parity rotates.
    pub(super) geometry: Option<Geometry>,
    pub(super) slots: u32,
    pub(super) slot: Slot,
    /// Data on the disk.
    pub(super) length: Sectors,
    pub(super) size: Sectors,
    /// The entry of the level that has redundancy.
    pub(super) redundancy: Option<usize>,
}

/// The stripe and the mirror of a raid10: the indexes of their entries.
struct Nested {
    stripe: usize,
    mirror: usize,
}

/// Understands the entries.
///
/// # Errors
/// What can not be understood or mapped.
pub(super) fn levels(sector: &Sector) -> Result<Levels, Problem> {
    match nested(sector)? {
        Some(nested) => raid10(sector, &nested),
        None => single(sector),
    }
}

/// Whether both entries count. dmraid does not look at their number but at the second entry alone.
fn nested(sector: &Sector) -> Result<Option<Nested>, Problem> {
    let [first, second] = &sector.configs;
    match (sector.head.config_entries, first.raid_type, second.raid_type) {
        (1, _, _) | (_, _, raid_type::SPARE) => Ok(None),
        (_, raid_type::RAID0, raid_type::RAID1) => Ok(Some(Nested { stripe: 0, mirror: 1 })),
        (_, raid_type::RAID1, raid_type::RAID0) => Ok(Some(Nested { stripe: 1, mirror: 0 })),
        (_, first, second) => Err(Problem::error(
            "unsupported-level",
            format!("config[0].raid_type is {first} and config[1].raid_type {second}, expected 5 and 6"),
        )),
    }
}

fn single(sector: &Sector) -> Result<Levels, Problem> {
    let [config, _] = &sector.configs;
    let level = match config.raid_type {
        raid_type::SPAN => Level::Linear,
        raid_type::RAID0 => Level::Raid0,
        raid_type::RAID1 => Level::Raid1,
        raid_type::RAID5 => Level::Raid5,
        other => {
            let message = format!("config[0].raid_type is {other}, expected 4, 5, 6 or 8");
            return Err(Problem::error("unsupported-level", message));
        }
    };
    place(0, config)?;
    let slots = u32::from(config.total_disks);
    let chunk = if matches!(level, Level::Raid0 | Level::Raid5) { Some(chunk(0, config)?) } else { None };
    let total = nonzero(sector, 0)?;
    let parts = data_members(level, slots);
    let length = match level {
        Level::Linear => sector.room(),
        _ => round_down(share(total, parts), chunk),
    };
    let size = if level == Level::Linear { total } else { Sectors(length.0.saturating_mul(parts)) };
    Ok(Levels {
        level,
        geometry: geometry(level, chunk, slots, None),
        slots,
        slot: Slot(u32::from(config.disk_number)),
        length,
        size,
        redundancy: level.is_redundant().then_some(0),
    })
}

/// A stripe over mirrors as the vendor's driver makes it, or a mirror over stripes: the data is in the same places.
fn raid10(sector: &Sector, nested: &Nested) -> Result<Levels, Problem> {
    let [first, second] = &sector.configs;
    let (stripe, mirror) = if nested.stripe == 0 { (first, second) } else { (second, first) };
    place(nested.stripe, stripe)?;
    place(nested.mirror, mirror)?;
    if mirror.total_disks != 2 {
        let found = mirror.total_disks;
        let message = format!("config[{}].total_disks is {found}, expected 2", nested.mirror);
        return Err(Problem::error("member-count", message));
    }
    let chunk = chunk(nested.stripe, stripe)?;
    let width = u32::from(stripe.total_disks);
    let number = |config: &Config| u32::from(config.disk_number);
    let slot = mirrored_stripes_slot(number(mirror), number(stripe), width)
        .ok_or_else(|| Problem::error("slot", "the disk is in no slot of the array"))?;
    let total = nonzero(sector, nested.stripe)?;
    let length = round_down(share(total, u64::from(width)), Some(chunk));
    let slots = width.saturating_mul(2);
    let understood = geometry(Level::Raid10, Some(chunk), slots, None).ok_or_else(|| {
        let message = format!("config[{}].total_disks is {width}, expected at least 2", nested.stripe);
        Problem::error("member-count", message)
    })?;
    Ok(Levels {
        level: Level::Raid10,
        geometry: Some(understood),
        slots,
        slot,
        length,
        size: Sectors(length.0.saturating_mul(u64::from(width))),
        redundancy: Some(nested.mirror),
    })
}

/// Whether the entry has a number of disks, and this is one of them.
fn place(entry: usize, config: &Config) -> Result<(), Problem> {
    let (count, number) = (config.total_disks, config.disk_number);
    if !(1..=MAX_DISKS).contains(&count) {
        let message = format!("config[{entry}].total_disks is {count}, expected 1 to {MAX_DISKS}");
        return Err(Problem::error("member-count", message));
    }
    if number >= count {
        let message = format!("config[{entry}].disk_number is {number}, expected less than {count}");
        return Err(Problem::error("slot", message));
    }
    Ok(())
}

fn chunk(entry: usize, config: &Config) -> Result<ChunkSectors, Problem> {
    let shift = config.stripe_shift;
    let chunk = 1_u32.checked_shl(u32::from(shift)).and_then(ChunkSectors::new);
    chunk.filter(|_| (1..=MAX_SHIFT).contains(&shift)).ok_or_else(|| {
        let message = format!("config[{entry}].stripe_shift is {shift}, expected 1 to {MAX_SHIFT}");
        Problem::error("chunk", message)
    })
}

fn nonzero(sector: &Sector, entry: usize) -> Result<Sectors, Problem> {
    let total = sector.total(entry);
    if total.is_zero() {
        let message = format!("config[{entry}].total_sectors is 0, expected the size of the array");
        return Err(Problem::error("zero-size", message));
    }
    Ok(total)
}
