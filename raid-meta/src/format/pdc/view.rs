//! What a record means.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::check;
use super::record::{DiskEntry, MAX_DISKS, Record, disk_flag, kind, status};
use crate::escape::escape;
use crate::format::vendor::{
    data_members, geometry, mirrored_stripes_place, mirrored_stripes_slot, round_down, share,
};
use crate::geometry::{Geometry, Level};
use crate::model::{DiskKey, MemberView, OwnPart, SlotState, SlotView, VolumeView};
use crate::record::{Problem, Role};
use crate::units::{ChunkSectors, Sectors, Slot};

/// What the type and the counts add up to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) level: Level,
    pub(super) slots: u32,
}

impl Shape {
    /// None where the level is not one that can be mapped. A mirror is one of stripes where the width says so; that two
    /// or three disks can only be a mirror is certain without it.
    pub(super) fn of(record: &Record) -> Option<Self> {
        let head = &record.head;
        let slots = u32::from(head.total_disks);
        let is_halved = u32::from(head.array_width).checked_mul(2) == Some(slots) && slots >= 4;
        let level = match head.raid_type {
            _ if slots == 0 => return None,
            kind::RAID0 => Level::Raid0,
            kind::RAID1 | kind::RAID3 if is_halved => Level::Raid10,
            kind::RAID1 if slots <= 3 || head.array_width == 1 => Level::Raid1,
            kind::SPAN => Level::Linear,
            kind::JBOD if slots == 1 => Level::Linear,
            _ => return None,
        };
        Some(Self { level, slots })
    }

    fn geometry(self, record: &Record) -> Option<Geometry> {
        geometry(self.level, chunk(record), self.slots, None)
    }

    /// The disk of the table that is in a slot. Of a mirror over stripes the first half of the disks is one stripe, the
    /// second half the other.
    pub(super) fn disk_in(self, slot: Slot) -> usize {
        if self.level != Level::Raid10 {
            return slot.index();
        }
        let (half, in_stripe) = mirrored_stripes_place(slot);
        Slot(half.saturating_mul(self.slots / 2).saturating_add(in_stripe)).index()
    }

    /// The slot of a disk of the table.
    fn slot_of(self, disk: usize) -> Option<Slot> {
        let disk = u32::try_from(disk).ok().filter(|disk| *disk < self.slots)?;
        if self.level != Level::Raid10 {
            return Some(Slot(disk));
        }
        let width = self.slots / 2;
        mirrored_stripes_slot(disk.checked_div(width)?, disk.checked_rem(width)?, width)
    }
}

fn chunk(record: &Record) -> Option<ChunkSectors> {
    1_u32.checked_shl(u32::from(record.head.stripe_shift)).and_then(ChunkSectors::new)
}

/// How much of the disk the array uses: an equal share in whole chunks; in a span all that the disk has for it.
pub(super) fn member_length(record: &Record, shape: Shape) -> Sectors {
    let share = share(record.total(), data_members(shape.level, shape.slots));
    match shape.level {
        Level::Linear => record.length(),
        Level::Raid1 => share,
        Level::Raid0 if shape.slots == 1 => share,
        _ => round_down(share, chunk(record)),
    }
}

/// Which entry of the table the disk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// The one that its number says, with its id.
    Agreed(usize),
    /// The one with its id; the number says another.
    ById(usize),
    /// None.
    None,
}

impl Position {
    pub(super) fn of(record: &Record) -> Self {
        let head = &record.head;
        let has_id = |index: &usize| members(record).get(*index).is_some_and(|disk| disk.id == head.disk_id);
        let number = usize::from(head.disk_number);
        if has_id(&number) {
            return Self::Agreed(number);
        }
        (0..MAX_DISKS).find(has_id).map_or(Self::None, Self::ById)
    }

    fn index(self) -> Option<usize> {
        match self {
            Self::Agreed(index) | Self::ById(index) => Some(index),
            Self::None => None,
        }
    }
}

fn members(record: &Record) -> &[DiskEntry] {
    record.disks.get(..usize::from(record.head.total_disks)).unwrap_or(&record.disks)
}

/// How the set names a disk: its id; and its entry, where two have the same id.
fn key(record: &Record, index: usize) -> Option<DiskKey> {
    let id = members(record).get(index)?.id;
    let is_unique = members(record).iter().filter(|disk| disk.id == id).count() == 1;
    Some(if is_unique { format!("{id:016x}") } else { format!("{id:016x}#{index}") })
}

/// The view of the disk that carries the record.
pub(super) fn view(record: &Record) -> MemberView {
    let own_id = format!("{:016x}", record.head.disk_id);
    if record.is_unassigned() {
        let (set_id, role) =
            if record.is_spare() { ("spare", Role::Spare) } else { ("unused", Role::Unknown) };
        return MemberView {
            set_id: set_id.to_owned(),
            member_id: Some(own_id.clone()),
            key: Some(own_id),
            role,
            ..MemberView::default()
        };
    }
    let index = Position::of(record).index();
    MemberView {
        set_id: set_id(record),
        set_name: name(record),
        key: index.and_then(|index| key(record, index)).or_else(|| Some(own_id.clone())),
        member_id: Some(own_id),
        generation: u64::from(record.head.generation),
        role: match index {
            None => Role::Foreign,
            Some(_) if record.head.disk_flags & disk_flag::DOWN != 0 => Role::Failed,
            Some(_) => Role::Active,
        },
        volumes: vec![volume(record, index)],
        ..MemberView::default()
    }
}

pub(super) fn set_id(record: &Record) -> String {
    format!("{:016x}", record.head.volume_id)
}

fn name(record: &Record) -> Option<String> {
    Some(escape(record.name())).filter(|name| !name.is_empty())
}

fn volume(record: &Record, index: Option<usize>) -> VolumeView {
    let problems = check::array(record);
    let is_sound = !problems.iter().any(Problem::is_error);
    let shape = Shape::of(record);
    let is_redundant = shape.is_some_and(|shape| shape.level.is_redundant());
    let is_marked = record.head.status & status::MARKED != 0;
    VolumeView {
        uuid: set_id(record),
        name: name(record),
        dm_name: record.dm_name(),
        geometry: shape.filter(|_| is_sound).and_then(|shape| shape.geometry(record)),
        level: shape.map_or_else(|| unmapped_level(record), |shape| Some(shape.level)),
        size: size(record, shape),
        slots: shape.map_or_else(Vec::new, |shape| slots(record, shape)),
        dirty: is_redundant.then_some(is_marked),
        initializing: is_redundant && record.head.status & status::INITED == 0,
        resync_position: (is_redundant && is_marked).then(|| record.resynced().unwrap_or_default()),
        own: shape.map(|shape| own(record, shape, index)),
        state: Some(state(record.head.status).to_owned()),
        problems,
        ..VolumeView::default()
    }
}

/// Levels that are known by name only.
fn unmapped_level(record: &Record) -> Option<Level> {
    (record.head.raid_type == kind::RAID5).then_some(Level::Raid5)
}

/// What the stripes hold; a span has what is recorded.
fn size(record: &Record, shape: Option<Shape>) -> Sectors {
    let striped = shape.filter(|shape| shape.level != Level::Linear);
    let size = striped
        .and_then(|shape| member_length(record, shape).checked_mul(data_members(shape.level, shape.slots)));
    size.unwrap_or_else(|| record.total())
}

fn slots(record: &Record, shape: Shape) -> Vec<SlotView> {
    let slot = |slot: u32| {
        let index = shape.disk_in(Slot(slot));
        let state = members(record).get(index).map_or(SlotState::Failed, |disk| slot_state(disk.flags));
        key(record, index).map_or_else(SlotView::empty, |key| SlotView::disk(key, state))
    };
    (0..shape.slots).map(slot).collect()
}

fn slot_state(flags: u8) -> SlotState {
    if flags & disk_flag::DOWN != 0 || flags & disk_flag::ONLINE == 0 {
        SlotState::Failed
    } else if flags & disk_flag::REDIRECTED != 0 {
        SlotState::Rebuilding
    } else {
        SlotState::InSync
    }
}

fn own(record: &Record, shape: Shape, index: Option<usize>) -> OwnPart {
    let is_rebuilding =
        record.head.disk_flags & (disk_flag::REDIRECTED | disk_flag::DOWN) == disk_flag::REDIRECTED;
    OwnPart {
        slot: index.and_then(|index| shape.slot_of(index)),
        offset: record.offset(),
        length: member_length(record, shape),
        available: record.length(),
        recovered: record.rebuilt().or(is_rebuilding.then_some(Sectors::ZERO)).filter(|_| is_rebuilding),
        ..OwnPart::default()
    }
}

fn state(value: u8) -> &'static str {
    match value {
        _ if value & status::MIGRATING != 0 => "migrating",
        _ if value & status::DEGRADED != 0 => "degraded",
        _ if value & status::INITED == 0 => "not initialized",
        _ if value & status::MARKED != 0 => "marked",
        _ => "ready",
    }
}

/// The view with the highest generation, as the difference of 16 bits says which is higher.
pub(super) fn freshest(views: &[&MemberView]) -> (usize, Vec<Problem>) {
    const HALF: u64 = 0x8000;
    let is_newer = |a: u64, b: u64| matches!(a.wrapping_sub(b) & 0xffff, 1..HALF);
    let mut best = 0;
    for (index, view) in views.iter().enumerate() {
        if views.get(best).is_some_and(|champion| is_newer(view.generation, champion.generation)) {
            best = index;
        }
    }
    let champion = views.get(best).map_or(0, |view| view.generation);
    let highest = views.iter().map(|view| view.generation).max().unwrap_or_default();
    let problem = (highest > champion).then(|| {
        let message = format!(
            "the generation, which counts to 65535, has begun again: {champion} is later than {highest}; members of generation {highest} are old"
        );
        Problem::error("divergent", message)
    });
    (best, problem.into_iter().collect())
}
