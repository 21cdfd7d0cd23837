//! What the metadata of one disk means.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::block::{Block, MISSING, attribute, mode};
use super::{NAME, check};
use crate::escape;
use crate::format::vendor::{Positional, data_members, geometry, round_down};
use crate::geometry::{Geometry, Level, ParityLayout};
use crate::model::{MemberView, SlotState};
use crate::record::{Problem, Role};
use crate::units::{ChunkSectors, Sectors, Slot};

/// What the mode and the list add up to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) level: Level,
    pub(super) slots: u32,
}

impl Shape {
    /// None where the level is not known. A stripe over mirrors has its pairs one after the other, as a
    /// near-2 raid10 has.
    pub(super) fn of(block: &Block) -> Option<Self> {
        let level = match block.head.mode {
            mode::RAID0 => Level::Raid0,
            mode::RAID1 => Level::Raid1,
            mode::RAID01 => Level::Raid10,
            mode::JBOD => Level::Linear,
            mode::RAID5 => Level::Raid5,
            _ => return None,
        };
        Some(Self { level, slots: u32::try_from(block.listed().len()).ok()? })
    }

    fn geometry(self, block: &Block) -> Option<Geometry> {
        geometry(self.level, chunk(block), self.slots, Some(ParityLayout::LeftAsymmetric))
    }
}

fn chunk(block: &Block) -> Option<ChunkSectors> {
    block.chunk_sectors().and_then(ChunkSectors::new)
}

/// How much of the disk the array uses: whole chunks where it is striped.
pub(super) fn member_length(block: &Block, shape: Shape) -> Sectors {
    match shape.level {
        Level::Linear | Level::Raid1 => block.length(),
        _ => round_down(block.length(), chunk(block)),
    }
}

impl Block {
    /// While a member is rebuilt, all others have this flag.
    pub(super) fn is_bad(&self) -> bool {
        self.head.attribute & attribute::BAD != 0
    }

    fn is_unsynchronized(&self) -> bool {
        self.head.attribute & attribute::UNSYNCHRONIZED != 0
    }

    /// The list of members is the only identity that an array has.
    fn set_id(&self) -> String {
        self.listed().iter().map(|member| format!("{member:08x}")).collect::<Vec<_>>().join("-")
    }

    /// dmraid's name: no digit is spelled.
    fn dm_name(&self) -> String {
        format!("{NAME}_{}", escape::dm_name(self.name()))
    }
}

/// The view of the disk that carries the metadata.
pub(super) fn view(block: &Block, disk: Sectors) -> MemberView {
    let problems = check::array(block, disk);
    let is_sound = !problems.iter().any(Problem::is_error);
    let shape = Shape::of(block);
    let length = shape.map(|shape| member_length(block, shape)).unwrap_or_default();
    let is_redundant = shape.is_some_and(|shape| shape.level.is_redundant());
    let slot = block.index().and_then(|index| u32::try_from(index).ok()).map(Slot);
    let set = Positional {
        set_id: block.set_id(),
        dm_name: block.dm_name(),
        name: Some(escape::escape(block.name())).filter(|name| !name.is_empty()),
        member_id: Some(format!("{:08x}", block.head.identity)),
        generation: u64::from(is_redundant && block.is_bad()),
        role: match slot {
            Some(_) => Role::Active,
            None if block.is_spare() => Role::Spare,
            None => Role::Foreign,
        },
        level: shape.map(|shape| shape.level),
        geometry: shape.and_then(|shape| shape.geometry(block)).filter(|_| is_sound),
        size: shape.and_then(|shape| size(shape, length)).unwrap_or_default(),
        states: block.listed().iter().map(|member| state(*member)).collect(),
        slot,
        offset: block.offset(disk),
        length,
        dirty: is_redundant.then(|| block.is_unsynchronized()),
        resync_position: (is_redundant && block.is_unsynchronized()).then_some(Sectors::ZERO),
        state: block.state(),
        problems,
        ..Positional::default()
    };
    set.view()
}

/// Nothing says how large the array is but its members. Those of a JBOD can differ; each knows itself.
fn size(shape: Shape, length: Sectors) -> Option<Sectors> {
    let parts = match shape.level {
        Level::Linear => u64::from(shape.slots),
        level => data_members(level, shape.slots),
    };
    length.checked_mul(parts)
}

fn state(member: u32) -> SlotState {
    if member == MISSING { SlotState::Failed } else { SlotState::InSync }
}

/// The first view with the flag that a member is bad, if there is one; of those the first that says that the array is
/// not synchronized.
pub(super) fn freshest(views: &[&MemberView]) -> (usize, Vec<Problem>) {
    let is_dirty = |view: &MemberView| view.volumes.iter().any(|volume| volume.dirty == Some(true));
    let rank = |view: &MemberView| (view.generation, is_dirty(view));
    let best = (0..views.len()).rev().max_by_key(|index| views.get(*index).map(|view| rank(view)));
    (best.unwrap_or_default(), Vec::new())
}
