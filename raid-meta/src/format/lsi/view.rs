//! What a table means.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::NAME;
use super::check;
use super::table::{Array, Disk, FLAG_OUT, Kind, Table};
use crate::format::vendor::{
    Positional, geometry, mirrored_stripes_place, mirrored_stripes_slot, round_down, set_name,
};
use crate::geometry::{Geometry, Level};
use crate::model::{MemberView, SlotState};
use crate::record::{Problem, Role};
use crate::units::{ChunkSectors, Sectors, Slot};

/// An array as the table describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// None where it is not one that can be.
    pub(super) geometry: Option<Geometry>,
    /// How many disks, as far as the table can have them.
    pub(super) slots: u32,
    /// The slot of this disk, where it has one.
    pub(super) slot: Option<Slot>,
    /// How much of each disk the array uses.
    pub(super) length: Sectors,
    /// Which disks are gone.
    pub(super) states: Vec<SlotState>,
}

impl Shape {
    /// The shape of an array.
    pub(super) fn of(table: &Table, array: &Array) -> Self {
        let disks = table.disks(array);
        let slots = u32::try_from(disks.len()).unwrap_or(u32::MAX);
        let level = level(array.kind());
        let chunk =
            ChunkSectors::new(u32::from(array.stripe_sectors)).filter(|chunk| chunk.get().is_power_of_two());
        let is_striped = level.is_some_and(|level| level != Level::Raid1);
        let present = disks.iter().flatten().filter(|disk| !disk.is_out());
        let smallest = present.map(|disk| u64::from(disk.disk_sectors)).min().unwrap_or_default();
        let state = |slot| state(disks.get(number(array, slots, slot)).and_then(Option::as_ref));
        Self {
            geometry: level.and_then(|level| geometry(level, chunk, slots, None)),
            slots,
            slot: slot(array, slots, u32::from(table.tail.disk_number)),
            length: round_down(Sectors(smallest), chunk.filter(|_| is_striped)),
            states: (0..slots).map(Slot).map(state).collect(),
        }
    }
}

/// The level of an array.
pub(super) fn level(kind: Kind) -> Option<Level> {
    match kind {
        Kind::Raid0 => Some(Level::Raid0),
        Kind::Raid1 => Some(Level::Raid1),
        Kind::Raid10 => Some(Level::Raid10),
        Kind::Other => None,
    }
}

/// The first half of the disks of a raid10 is one stripe, the second is the other.
fn slot(array: &Array, slots: u32, number: u32) -> Option<Slot> {
    if array.kind() != Kind::Raid10 {
        return (number < slots).then_some(Slot(number));
    }
    let width = slots.checked_div(2)?;
    mirrored_stripes_slot(number.checked_div(width)?, number.checked_rem(width)?, width)
}

/// The number of the disk in a slot.
pub(super) fn number(array: &Array, slots: u32, slot: Slot) -> usize {
    if array.kind() != Kind::Raid10 {
        return slot.index();
    }
    let width = slots.checked_div(2).unwrap_or_default();
    let (half, in_stripe) = mirrored_stripes_place(slot);
    half.saturating_mul(width).saturating_add(in_stripe) as usize
}

fn state(disk: Option<&Disk>) -> SlotState {
    if disk.is_none_or(Disk::is_out) { SlotState::Failed } else { SlotState::InSync }
}

/// The view of the disk.
pub(super) fn view(table: &Table) -> MemberView {
    let Some(array) = table.own_array() else {
        return MemberView { set_id: set_id(table), role: Role::Unknown, ..MemberView::default() };
    };
    let shape = Shape::of(table, &array);
    let level = level(array.kind());
    let problems = check::set(table, &array);
    let is_sound = !problems.iter().any(Problem::is_error);
    let is_redundant = level.is_some_and(Level::is_redundant);
    let is_out = table.own_disk().is_some_and(|(_, disk)| disk.is_out());
    let is_dirty = is_redundant && array.flags & FLAG_OUT != 0 && !shape.states.contains(&SlotState::Failed);
    Positional {
        set_id: set_id(table),
        dm_name: dm_name(table),
        role: if is_out { Role::Failed } else { Role::Active },
        level,
        geometry: shape.geometry.filter(|_| is_sound),
        size: Sectors(u64::from(array.total_sectors)),
        slot: shape.slot,
        length: shape.length,
        states: shape.states,
        dirty: is_redundant.then_some(is_dirty),
        resync_position: is_dirty.then_some(Sectors::ZERO),
        state: Some(if array.flags & FLAG_OUT == 0 { "ok" } else { "degraded" }.to_owned()),
        problems,
        ..Positional::default()
    }
    .view()
}

/// The freshest of views: the one that knows the most disks to be gone, for nobody tells a disk that it is. Among
/// equals the first.
pub(super) fn freshest(views: &[&MemberView]) -> usize {
    let failed = |view: &MemberView| {
        let slots = view.volumes.iter().flat_map(|volume| &volume.slots);
        slots.filter(|slot| slot.state == SlotState::Failed).count()
    };
    let ranked = views.iter().enumerate();
    let best = ranked.reduce(|best, other| if failed(other.1) > failed(best.1) { other } else { best });
    best.map(|(index, _)| index).unwrap_or_default()
}

fn set_id(table: &Table) -> String {
    format!("{:08x}-{}", table.tail.timestamp, table.tail.raid_number)
}

/// dmraid puts the number of the array behind the time, both in decimal, and spells that.
fn dm_name(table: &Table) -> String {
    set_name(NAME, &format!("{}{}", table.tail.timestamp, table.tail.raid_number))
}
