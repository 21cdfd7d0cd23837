//! What the metadata of one disk means.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::block::{Block, UNIT_REBUILDING, job, job_name, level};
use super::{TRAILER, check};
use crate::escape::escape;
use crate::format::vendor::{Positional, data_members, geometry, mirrored_stripes_slot, round_down, share};
use crate::geometry::{Geometry, Level, ParityLayout};
use crate::model::MemberView;
use crate::record::{Problem, Role};
use crate::units::{ChunkSectors, Sectors, Slot};

/// What `raid_level` and the counts add up to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) level: Level,
    /// Number of members; further disks are spares.
    pub(super) slots: u32,
    parity: Option<ParityLayout>,
}

impl Shape {
    /// None where the level is not one that is known how to read. A mirror over stripes of one disk each is a mirror.
    pub(super) fn of(block: &Block) -> Option<Self> {
        let width = u32::from(block.array.stripe_width);
        let doubled = width.saturating_mul(2);
        let (level, slots, parity) = match block.array.raid_level {
            level::JBOD => (Level::Linear, width, None),
            level::RAID0 => (Level::Raid0, width, None),
            level::RAID1 => (Level::Raid1, doubled, None),
            level::RAID01 if width == 1 => (Level::Raid1, doubled, None),
            level::RAID01 => (Level::Raid10, doubled, None),
            level::RAID5 => (Level::Raid5, width.saturating_add(1), Some(ParityLayout::LeftAsymmetric)),
            level::RAID5_SYMMETRIC => {
                (Level::Raid5, width.saturating_add(1), Some(ParityLayout::LeftSymmetric))
            }
            _ => return None,
        };
        (slots > 0).then_some(Self { level, slots, parity })
    }

    pub(super) fn geometry(self, block: &Block) -> Option<Geometry> {
        let chunk = ChunkSectors::new(block.array.stripe_block_size);
        geometry(self.level, chunk.filter(|chunk| chunk.get().is_power_of_two()), self.slots, self.parity)
    }

    /// The slot of the disk; none for a spare. The first half of the units of a mirror over stripes are one stripe, the
    /// second half the other.
    fn slot(self, block: &Block) -> Option<Slot> {
        let unit = u32::from(block.unit.unit_number);
        if self.level == Level::Raid10 {
            let width = u32::from(block.array.stripe_width);
            return mirrored_stripes_slot(unit.checked_div(width)?, unit.checked_rem(width)?, width);
        }
        (unit < self.slots).then_some(Slot(unit))
    }
}

/// The unit that is in a slot.
pub(super) fn unit_of(slot: u32, level: Level, width: u32) -> u32 {
    if level != Level::Raid10 {
        return slot;
    }
    let (half, in_stripe) = crate::format::vendor::mirrored_stripes_place(Slot(slot));
    half.saturating_mul(width).saturating_add(in_stripe)
}

/// How much of each disk the array uses, as far as the metadata alone says it: nothing in a JBOD, whose disks differ.
pub(super) fn recorded_length(block: &Block) -> Sectors {
    let Some(shape) = Shape::of(block) else { return Sectors::ZERO };
    let length = share(Sectors(u64::from(block.unit.capacity)), data_members(shape.level, shape.slots));
    match shape.level {
        Level::Linear => Sectors::ZERO,
        Level::Raid1 => length,
        _ => round_down(length, ChunkSectors::new(block.array.stripe_block_size)),
    }
}

/// How much of this disk the array uses.
fn length(block: &Block, shape: Shape, disk: Sectors) -> Sectors {
    if shape.level == Level::Linear { jbod_length(block, shape, disk) } else { recorded_length(block) }
}

/// All of the disk up to the metadata, as dmraid has it. FreeBSD leaves 2048 sectors; that is believed
/// where the capacity proves it.
fn jbod_length(block: &Block, shape: Shape, disk: Sectors) -> Sectors {
    const FREEBSD_TRAILER: Sectors = Sectors(0x800);
    let freebsd = disk.saturating_sub(FREEBSD_TRAILER);
    let is_freebsd = freebsd.checked_mul(u64::from(shape.slots)) == Some(capacity(block));
    if is_freebsd { freebsd } else { disk.saturating_sub(TRAILER) }
}

pub(super) fn capacity(block: &Block) -> Sectors {
    Sectors(u64::from(block.unit.capacity))
}

/// For a dump: what the unit number makes of the disk.
pub(super) fn role_text(block: &Block) -> String {
    match Shape::of(block).map(|shape| shape.slot(block)) {
        Some(Some(slot)) => format!("slot {slot}"),
        Some(None) => "spare".to_owned(),
        None => "position unknown".to_owned(),
    }
}

/// The view of the disk that carries the metadata.
pub(super) fn view(block: &Block, disk: Sectors) -> MemberView {
    let problems = check::array(block);
    let is_sound = !problems.iter().any(Problem::is_error);
    let shape = Shape::of(block);
    let slot = shape.and_then(|shape| shape.slot(block));
    let length = shape.map(|shape| length(block, shape, disk)).unwrap_or_default();
    let name = escape(block.unit.product_id.trim_ascii_end());
    let is_redundant = shape.is_some_and(|shape| shape.level.is_redundant());
    let job = block.array.raid_job_code;
    let set = Positional {
        set_id: crate::format::schema::uuid_text(&block.array.signature),
        dm_name: block.dm_name(),
        name: Some(name).filter(|name| !name.is_empty()),
        member_id: Some(block.unit.unit_number.to_string()),
        role: match (shape, slot) {
            (None, _) => Role::Unknown,
            (_, Some(_)) => Role::Active,
            (_, None) => Role::Spare,
        },
        level: shape.map(|shape| shape.level),
        geometry: shape.and_then(|shape| shape.geometry(block)).filter(|_| is_sound),
        size: size(block, shape, length),
        states: Positional::in_sync(shape.map_or(0, |shape| shape.slots)),
        slot,
        length,
        recovered: recovered(block),
        dirty: is_redundant.then_some(job == job::SYNCHRONIZING),
        initializing: is_redundant && job == job::INITIALIZING,
        resync_position: is_resyncing(job).then(|| mark(block)).filter(|_| is_redundant),
        state: Some(job_name(job).to_owned()),
        problems,
        ..Positional::default()
    };
    set.view()
}

/// The array is as large as recorded, in whole stripes.
fn size(block: &Block, shape: Option<Shape>, length: Sectors) -> Sectors {
    let whole = shape
        .filter(|shape| shape.level != Level::Linear)
        .and_then(|shape| length.checked_mul(data_members(shape.level, shape.slots)));
    whole.unwrap_or_else(|| capacity(block))
}

fn is_resyncing(job: u8) -> bool {
    matches!(job, job::INITIALIZING | job::SYNCHRONIZING)
}

fn mark(block: &Block) -> Sectors {
    Sectors(u64::from(block.array.raid_job_mark)).min(capacity(block))
}

/// How much of the disk is current while it is being rebuilt; the mark counts sectors of the array.
fn recovered(block: &Block) -> Option<Sectors> {
    let is_rebuilding =
        block.array.raid_job_code == job::REBUILDING && block.unit.unit_flags & UNIT_REBUILDING != 0;
    is_rebuilding.then(|| share(mark(block), u64::from(block.array.stripe_width)))
}
