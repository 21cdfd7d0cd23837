//! The map of an array record, which during a reshape has two geometries.
//!
//! A forward reshape has moved what is below its position, a backward one what is at or above it. Each side
//! has its own map and, on each member, its own start of data.

use super::{LayoutError, MAX_SLOTS, Map};
use raid_meta::geometry::{Geometry, Layout, Level, Raid10Layout};
use raid_meta::record::{ArrayMember, ArrayRecord, Direction, ReshapeRecord};
use raid_meta::units::{Sectors, Slot};

/// Which of the geometries of a reshape. An array that is not being reshaped is all `Before`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Not moved yet.
    Before,
    /// Moved.
    After,
}

/// A part of an array that has one geometry.
#[derive(Clone, Copy, Debug)]
pub struct Stretch<'a> {
    /// First array sector.
    pub start: Sectors,
    /// Number of sectors.
    pub length: Sectors,
    /// Whether the reshape has been here.
    pub side: Side,
    /// The map of that side.
    pub map: &'a Map,
}

/// The map of an array record.
#[derive(Clone, Debug)]
pub struct ArrayMap {
    pub(super) name: String,
    size: Sectors,
    before: Map,
    after: Option<After>,
    pub(super) homes: Vec<Home>,
}

#[derive(Clone, Debug)]
struct After {
    map: Map,
    position: Sectors,
    direction: Direction,
}

/// Where the member of a slot is.
#[derive(Clone, Debug, Default)]
pub(super) struct Home {
    pub(super) device: Option<String>,
    window_start: Sectors,
    window_end: Option<Sectors>,
    /// Start of the data on the device, before and after.
    starts: [Sectors; 2],
}

impl Home {
    fn new(member: &ArrayMember) -> Self {
        let window_start = member.device_offset_sectors.unwrap_or_default();
        let start = |offset: Option<Sectors>| window_start.saturating_add(offset.unwrap_or_default());
        Self {
            device: member.device.clone(),
            window_start,
            window_end: member.device_length_sectors.map(|length| window_start.saturating_add(length)),
            starts: [
                start(member.offset_sectors),
                start(member.reshape_offset_sectors.or(member.offset_sectors)),
            ],
        }
    }

    /// Start of the data on the device.
    pub(super) fn start(&self, side: Side) -> Sectors {
        let [before, after] = self.starts;
        match side {
            Side::Before => before,
            Side::After => after,
        }
    }

    /// Whether the member's window has that sector of that device.
    pub(super) fn has(&self, device: &str, sector: Sectors) -> bool {
        self.device.as_deref() == Some(device)
            && self.window_start <= sector
            && self.window_end.is_none_or(|end| sector < end)
    }
}

impl ArrayMap {
    /// The map of an array. Lengths that the record leaves out follow from the others or from the size,
    /// where only one length is possible.
    ///
    /// # Errors
    /// As [`Map::new`], and where a missing length can not be found out.
    pub fn new(record: &ArrayRecord) -> Result<Self, LayoutError> {
        let size = record.size_sectors;
        let (before, after) = match &record.reshape {
            None => (map_of(record, &record.geometry(), size)?, None),
            Some(reshape) => {
                let (before, after) = both_sides(record, reshape)?;
                (before, Some(after))
            }
        };
        let slots = after.as_ref().map_or(0, |after| after.map.slots()).max(before.slots());
        let homes =
            by_slot(record, slots).into_iter().map(|member| member.map_or_else(Home::default, Home::new));
        let homes = homes.collect();
        Ok(Self { name: record.name.clone(), size, before, after, homes })
    }

    /// Size of the array.
    #[must_use]
    pub fn size(&self) -> Sectors {
        self.size
    }

    /// The map of one side; none for [`Side::After`] of an array that is not being reshaped.
    #[must_use]
    pub fn map(&self, side: Side) -> Option<&Map> {
        match side {
            Side::Before => Some(&self.before),
            Side::After => self.after.as_ref().map(|after| &after.map),
        }
    }

    /// On which side of a reshape an array sector is.
    #[must_use]
    pub fn side(&self, sector: Sectors) -> Side {
        match &self.after {
            Some(after) if (sector < after.position) == (after.direction == Direction::Forward) => {
                Side::After
            }
            _ => Side::Before,
        }
    }

    /// The stretches of one geometry that an array range consists of: one, or two across the position
    /// of a reshape. What is beyond the size of the array is left out.
    pub fn stretches(&self, start: Sectors, length: Sectors) -> impl Iterator<Item = Stretch<'_>> {
        let end = start.saturating_add(length).min(self.size);
        let boundary = self.after.as_ref().map_or(end, |after| after.position.clamp(start.min(end), end));
        [(start, boundary), (boundary, end)].into_iter().filter(|(start, end)| start < end).map(
            |(start, end)| {
                let side = self.side(start);
                let map = self.map(side).unwrap_or(&self.before);
                Stretch { start, length: end.saturating_sub(start), side, map }
            },
        )
    }

    /// Where a member's data begins on its device, its window included; zero for a slot that is none.
    #[must_use]
    pub fn data_start(&self, slot: Slot, side: Side) -> Sectors {
        self.homes.get(slot.index()).map_or(Sectors::ZERO, |home| home.start(side))
    }
}

fn both_sides(record: &ArrayRecord, reshape: &ReshapeRecord) -> Result<(Map, After), LayoutError> {
    let (size, position, direction) = (record.size_sectors, reshape.position_sectors, reshape.direction);
    let (from, to) = (&reshape.from, &reshape.to);
    let most = Slot(from.slots.max(to.slots));
    if record.members.len() < most.index() {
        let members = record.members.len();
        return Err(LayoutError::ReshapeSlots { from: from.slots, to: to.slots, members });
    }
    let below = position.min(size);
    let above = if position < size { size } else { Sectors::ZERO };
    let (before_size, after_size) = match direction {
        Direction::Forward => (above, below),
        Direction::Backward => (below, above),
    };
    let before = map_of(record, from, before_size)?;
    let after = map_of(record, to, after_size)?;
    Ok((before, After { map: after, position, direction }))
}

/// The map of a record's members in one geometry.
pub(crate) fn map_of(record: &ArrayRecord, geometry: &Geometry, size: Sectors) -> Result<Map, LayoutError> {
    Map::new(geometry, &lengths(record, geometry, size)?, size)
}

/// The members by slot; an empty slot is none.
fn by_slot(record: &ArrayRecord, slots: u32) -> Vec<Option<&ArrayMember>> {
    let mut found = vec![None; Slot(slots.min(MAX_SLOTS)).index()];
    for member in &record.members {
        if let Some(place) = found.get_mut(member.slot.index()) {
            place.get_or_insert(member);
        }
    }
    found
}

/// The length of every slot's member. More slots than can be mapped are left to [`Map::new`] to refuse.
fn lengths(record: &ArrayRecord, geometry: &Geometry, size: Sectors) -> Result<Vec<Sectors>, LayoutError> {
    let members = by_slot(record, geometry.slots);
    let known = members.iter().map(|member| member.and_then(|member| member.length_sectors));
    let known: Vec<Option<Sectors>> = known.collect();
    let Some(unknown) = known.iter().position(Option::is_none) else {
        return Ok(known.into_iter().flatten().collect());
    };
    let missing = Slot(u32::try_from(unknown).unwrap_or(u32::MAX));
    let filler = if uses_all_equally(geometry) {
        known.iter().flatten().min().copied().or_else(|| implied_by_size(geometry, size))
    } else {
        left_by_the_others(geometry, &known, size)
    };
    let filler = filler.ok_or(LayoutError::LengthUnknown { slot: missing })?;
    Ok(known.into_iter().map(|length| length.unwrap_or(filler)).collect())
}

/// Whether only the shortest member matters.
fn uses_all_equally(geometry: &Geometry) -> bool {
    match geometry.level {
        Level::Linear => false,
        Level::Raid0 => geometry.layout.is_none(),
        _ => true,
    }
}

/// The length of the one member that is unknown, where lengths add up to the size of the array.
fn left_by_the_others(geometry: &Geometry, known: &[Option<Sectors>], size: Sectors) -> Option<Sectors> {
    if known.iter().filter(|length| length.is_none()).count() > 1 {
        return None;
    }
    let unit = geometry.chunk.map_or(1, |chunk| chunk.sectors().0);
    let rounded = |length: &Sectors| Sectors(length.0 / unit * unit);
    let sum =
        known.iter().flatten().try_fold(Sectors::ZERO, |sum, length| sum.checked_add(rounded(length)))?;
    size.checked_sub(sum)
}

/// The length that members have at least when none is known. A far raid10 has no such length: where its
/// second copies are depends on the true one.
fn implied_by_size(geometry: &Geometry, size: Sectors) -> Option<Sectors> {
    let slots = u64::from(geometry.slots);
    let chunk = geometry.chunk.map_or(1, |chunk| chunk.sectors().0);
    let rows = |per_row: u64| {
        let chunks = size.0.div_ceil(chunk);
        (per_row > 0).then(|| chunks.div_ceil(per_row))
    };
    let rows = match (geometry.level, geometry.layout) {
        (Level::Raid1, _) => return Some(size),
        (Level::Raid10, Some(Layout::Raid10(Raid10Layout { near, far, offset, .. }))) => {
            if far > 1 && !offset {
                return None;
            }
            let near_chunks = size.0.div_ceil(chunk).checked_mul(u64::from(near))?;
            near_chunks.div_ceil(slots.max(1)).checked_mul(u64::from(far))?
        }
        (level, _) => rows(slots.checked_sub(u64::from(level.parities()))?)?,
    };
    rows.checked_mul(chunk).map(Sectors)
}
