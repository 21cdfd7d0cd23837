//! New sets.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::block::{
    ARRAY_PARITY_VALID, ARRAY_VERSION, Array, Block, Unit, VENDOR, VERSION, WORDS, job, level,
};
use super::view::unit_of;
use super::{NAME, TRAILER};
use crate::device::Device;
use crate::format::create::{CreateError, NewMember, NewSet};
use crate::format::vendor::{Plan, Rules};
use crate::geometry::{Layout, Level, ParityLayout};
use crate::model::Area;
use crate::record::ChecksumState;
use crate::units::Sectors;

/// As many disks as a byte can count; the firmware's own boards have room for eight.
const RULES: Rules = Rules {
    format: NAME,
    levels: &[
        (Level::Linear, 1..=255),
        (Level::Raid0, 1..=255),
        (Level::Raid1, 2..=2),
        (Level::Raid10, 4..=254),
        (Level::Raid5, 3..=255),
    ],
    parity: &[ParityLayout::LeftSymmetric, ParityLayout::LeftAsymmetric],
    chunks: 8..=65536,
    usual_chunk: 128,
    reserved: TRAILER,
    largest: Sectors(u32::MAX as u64),
    spares: 1,
};

/// The metadata of all disks, spares last.
pub(in crate::format) fn create(set: &NewSet) -> Result<Vec<NewMember>, CreateError> {
    let plan = RULES.plan(set)?;
    let name: [u8; 16] = RULES.name(if set.name.is_empty() { label(set.level) } else { &set.name }, b' ')?;
    let array = array(set, &plan);
    let width = u32::from(array.stripe_width);
    let units = (0..plan.geometry.slots).map(|slot| unit_of(slot, set.level, width));
    let spares = plan.geometry.slots..;
    let disks = set.disks.iter().zip(units).chain(set.spares.iter().zip(spares));
    let member = |(disk, unit): (&Device, u32)| {
        let unit = self::unit(&plan, name, u8::try_from(unit).unwrap_or(u8::MAX));
        let mut block = Block { unit, array: array.clone(), tail: vec![0xff; TAIL] };
        block.seal();
        let offset = disk.length_sectors().saturating_sub(TRAILER).to_bytes().unwrap_or_default();
        let area = Area { role: "metadata", offset, bytes: block.encode(), checksum: ChecksumState::Ok };
        NewMember { areas: vec![area] }
    };
    Ok(disks.map(member).collect())
}

/// The firmware fills the rest of the sector.
const TAIL: usize = 392;

fn unit(plan: &Plan, name: [u8; 16], number: u8) -> Unit {
    Unit {
        vendor: *VENDOR,
        size: WORDS,
        chksum: 0,
        version: VERSION,
        unit_number: number,
        reserved: 0xff,
        capacity: u32::try_from(plan.size.0).unwrap_or(u32::MAX),
        sector_size: 512,
        product_id: name,
        product_revision: *b"\x00100",
        unit_flags: 0,
    }
}

fn array(set: &NewSet, plan: &Plan) -> Array {
    let slots = plan.geometry.slots;
    let width = match set.level {
        Level::Raid1 => 1,
        Level::Raid10 => slots / 2,
        Level::Raid5 => slots.saturating_sub(1),
        _ => slots,
    };
    let chunk = plan.chunk.get();
    let stripe = chunk.wrapping_mul(width);
    let width = u8::try_from(width).unwrap_or(u8::MAX);
    let is_redundant = set.level.is_redundant();
    Array {
        version: ARRAY_VERSION,
        signature: signature(set),
        raid_job_code: if is_redundant && !set.in_sync { job::INITIALIZING } else { job::IDLE },
        stripe_width: width,
        total_volumes: u8::try_from(slots).unwrap_or(u8::MAX),
        original_width: width,
        raid_level: level_code(plan),
        stripe_block_size: chunk,
        stripe_block_byte_size: chunk.wrapping_mul(512),
        stripe_block_power: chunk.checked_ilog2().unwrap_or_default(),
        stripe_mask: chunk.wrapping_sub(1),
        stripe_size: stripe,
        stripe_byte_size: stripe.wrapping_mul(512),
        raid_job_mark: 0,
        original_level: level_code(plan),
        original_capacity: u32::try_from(plan.size.0).unwrap_or(u32::MAX),
        flags: if set.level == Level::Raid5 && set.in_sync { ARRAY_PARITY_VALID } else { 0 },
    }
}

fn signature(set: &NewSet) -> [u8; 16] {
    let bytes = set.identity_for(NAME);
    bytes.first_chunk().copied().unwrap_or_default()
}

fn level_code(plan: &Plan) -> u32 {
    match (plan.geometry.level, plan.geometry.layout) {
        (Level::Raid0, _) => level::RAID0,
        (Level::Raid1, _) => level::RAID1,
        (Level::Raid10, _) => level::RAID01,
        (Level::Raid5, Some(Layout::Parity(ParityLayout::LeftAsymmetric))) => level::RAID5,
        (Level::Raid5, _) => level::RAID5_SYMMETRIC,
        _ => level::JBOD,
    }
}

/// What the firmware calls an array, where nobody gives it a name.
fn label(level: Level) -> &'static str {
    match level {
        Level::Raid0 => "STRIPE",
        Level::Raid1 => "MIRROR",
        Level::Raid10 => "STRIPE MIRROR",
        Level::Raid5 => "RAID 5",
        _ => "JBOD",
    }
}
