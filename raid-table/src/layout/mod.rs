//! Pure arithmetic: where each sector of an array lives, both directions.
//!
//! A [`Map`] is built once from a geometry and the lengths of the members, and checked while it is built;
//! after that, no question it is asked can fail or overflow. It answers three:
//!
//! * [`Map::extents`]: the pieces of members that an array range falls apart into, in order;
//! * [`Map::reverse`]: what a member sector holds;
//! * [`Map::row`]: for parity levels, what each slot is to one stripe, and with which power of the
//!   generator it enters Q.
//!
//! There is one file per family of levels: [`linear`](Level::Linear), [`raid0`](Level::Raid0) with its zones,
//! mirrors, the parity levels, raid10. [`ArrayMap`] is the map of an array record, which during a reshape has
//! two geometries, and [`ArrayMap::place`] makes records of single places.
//!
//! Member sectors are counted from the start of the member's data, not of the device. The mappings are those of
//! the Linux md driver and were measured against it; other formats' arrays are the same mappings under
//! other names.

mod array;
mod error;
mod linear;
mod mirror;
mod parity;
mod place;
mod places;
mod raid0;
mod raid10;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use array::map_of;
pub use array::{ArrayMap, Side, Stretch};
pub use error::LayoutError;
pub use parity::{Role, Row};
pub use places::{Place, Places};
pub use raid0::Zone;

use linear::Linear;
use mirror::Mirror;
use parity::Parity;
use raid_meta::geometry::{Geometry, Layout, Level};
use raid_meta::units::{ChunkSectors, SECTOR_BYTES, Sectors, Slot};
use raid0::Raid0;
use raid10::Raid10;

/// Most slots of one array. md's superblock ends at 1920.
const MAX_SLOTS: u32 = 2048;

/// Most sectors of a member or an array: what still has a byte address. All products below are at most
/// 255 times this, and so fit.
const MAX_SECTORS: u64 = u64::MAX / SECTOR_BYTES;

/// The mapping of one array in one geometry.
#[derive(Clone, Debug)]
pub struct Map {
    kind: Kind,
    geometry: Geometry,
    size: u64,
}

#[derive(Clone, Debug)]
enum Kind {
    Linear(Linear),
    Raid0(Raid0),
    Mirror(Mirror),
    Parity(Parity),
    Raid10(Raid10),
}

/// What each family of levels answers. Array sectors given are below the capacity, slots exist.
trait Family {
    /// Array sectors that the members can hold.
    fn capacity(&self) -> u64;
    /// The piece that begins at an array sector, at most `limit` (not zero) sectors long.
    fn extent(&self, at: u64, limit: u64) -> Extent;
    /// What a member sector holds.
    fn reverse(&self, slot: u64, sector: u64) -> Option<Content>;
    /// Sectors of a member that the mapping reaches.
    fn used(&self, slot: u64) -> u64;
}

/// A piece of an array range, contiguous on every member that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// First array sector.
    pub array: Sectors,
    /// Number of sectors.
    pub length: Sectors,
    /// Row of chunks, for raid0 and the parity levels.
    pub stripe: Option<u64>,
    /// Every copy, the primary one first. One, except in mirrors and raid10.
    pub copies: Places,
}

/// What a member sector holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Data of the array.
    Data {
        /// The array sector.
        array_sector: Sectors,
        /// Which of its copies: the position in [`Extent::copies`].
        copy: usize,
    },
    /// Exclusive-or of a stripe.
    P {
        /// The stripe.
        stripe: u64,
    },
    /// Q syndrome of a stripe.
    Q {
        /// The stripe.
        stripe: u64,
    },
}

impl Map {
    /// The map of an array of `size` sectors whose members use `member_lengths`, one per slot. The size may be
    /// smaller than what the members hold. Levels whose members are all used equally take the shortest.
    ///
    /// # Errors
    /// The geometry is not one that can be mapped, or the members are too short for the size.
    pub fn new(geometry: &Geometry, member_lengths: &[Sectors], size: Sectors) -> Result<Self, LayoutError> {
        check_slots(geometry, member_lengths)?;
        check_lengths(member_lengths)?;
        let kind = Kind::new(geometry, member_lengths, size)?;
        let capacity = kind.family().capacity();
        if size.0 > capacity {
            return Err(LayoutError::SizeBeyondMembers { size, capacity: Sectors(capacity) });
        }
        Ok(Self { kind, geometry: *geometry, size: size.0 })
    }

    /// Array sectors that the members can hold; [`Map::size`] may be less.
    #[must_use]
    pub fn capacity(&self) -> Sectors {
        Sectors(self.kind.family().capacity())
    }

    /// Size of the array.
    #[must_use]
    pub fn size(&self) -> Sectors {
        Sectors(self.size)
    }

    /// Number of slots.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.geometry.slots
    }

    /// The geometry it was built from.
    #[must_use]
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Sectors of a member that the mapping reaches, from the start of its data; zero for a slot that is none.
    #[must_use]
    pub fn used(&self, slot: Slot) -> Sectors {
        if slot.0 >= self.slots() {
            return Sectors::ZERO;
        }
        Sectors(self.kind.family().used(u64::from(slot.0)))
    }

    /// The pieces that an array range falls apart into, in order: the largest that lie inside one chunk
    /// (for linear, one member; for mirrors, whole). What is beyond the size of the array is left out.
    pub fn extents(&self, start: Sectors, length: Sectors) -> Extents<'_> {
        Extents {
            family: self.kind.family(),
            at: start.0,
            end: start.saturating_add(length).0.min(self.size),
        }
    }

    /// What each slot is to a stripe; none for levels without parity and for stripes beyond the capacity.
    #[must_use]
    pub fn row(&self, stripe: u64) -> Option<Row> {
        match &self.kind {
            Kind::Parity(parity) => parity.row(stripe),
            _ => None,
        }
    }

    /// Rows of chunks after which the roles of the slots repeat; 1 where they never change.
    #[must_use]
    pub fn period(&self) -> u64 {
        match &self.kind {
            Kind::Parity(parity) => parity.period(),
            Kind::Raid10(raid10) => raid10.period(),
            _ => 1,
        }
    }

    /// The zones of a raid0: more than one where members differ in length. Empty for other levels.
    #[must_use]
    pub fn zones(&self) -> &[Zone] {
        match &self.kind {
            Kind::Raid0(raid0) => raid0.zones(),
            _ => &[],
        }
    }

    /// Whether the layout puts two copies of some chunk on one member, so that it does not survive the loss
    /// of it. Some of md's raid10 words with bit 17 do.
    #[must_use]
    pub fn copies_share_a_member(&self) -> bool {
        matches!(&self.kind, Kind::Raid10(raid10) if raid10.copies_share_a_member())
    }

    /// What a sector of a member holds; none where the array does not use it.
    #[must_use]
    pub fn reverse(&self, slot: Slot, member_sector: Sectors) -> Option<Content> {
        if slot.0 >= self.slots() {
            return None;
        }
        let content = self.kind.family().reverse(u64::from(slot.0), member_sector.0)?;
        let first_array_sector = match content {
            Content::Data { array_sector, .. } => array_sector.0,
            Content::P { stripe } | Content::Q { stripe } => self.row(stripe)?.array_sector(member_sector).0,
        };
        (first_array_sector < self.size).then_some(content)
    }
}

impl Kind {
    fn new(geometry: &Geometry, lengths: &[Sectors], size: Sectors) -> Result<Self, LayoutError> {
        let level = geometry.level;
        let wrong_layout = |layout| LayoutError::LayoutNotOfLevel { level, layout };
        let missing = LayoutError::LayoutMissing { level };
        Ok(match (level, geometry.layout) {
            (Level::Linear, None) => Self::Linear(Linear::new(lengths, geometry.chunk)),
            (Level::Raid1, None) => Self::Mirror(Mirror::new(lengths)),
            (Level::Raid0, None) => Self::Raid0(Raid0::new(lengths, chunk(geometry)?, None, size)?),
            (Level::Raid0, Some(Layout::Raid0(layout))) => {
                Self::Raid0(Raid0::new(lengths, chunk(geometry)?, Some(layout), size)?)
            }
            (Level::Raid4 | Level::Raid5 | Level::Raid6, layout) => {
                let layout = layout.ok_or(missing)?;
                let shift = chunk_shift(geometry)?;
                Self::Parity(Parity::new(level, layout, shift, lengths).ok_or_else(|| wrong_layout(layout))?)
            }
            (Level::Raid10, Some(Layout::Raid10(layout))) => {
                Self::Raid10(Raid10::new(layout, chunk_shift(geometry)?, lengths)?)
            }
            (Level::Raid10, None) => return Err(missing),
            (_, Some(layout)) => return Err(wrong_layout(layout)),
        })
    }

    fn family(&self) -> &dyn Family {
        match self {
            Self::Linear(family) => family,
            Self::Raid0(family) => family,
            Self::Mirror(family) => family,
            Self::Parity(family) => family,
            Self::Raid10(family) => family,
        }
    }
}

fn check_slots(geometry: &Geometry, lengths: &[Sectors]) -> Result<(), LayoutError> {
    let Geometry { level, slots: found, .. } = *geometry;
    let minimum = match level {
        Level::Linear | Level::Raid0 | Level::Raid1 | Level::Raid10 => 1,
        Level::Raid4 | Level::Raid5 => 2,
        Level::Raid6 => 4,
    };
    // The powers of the generator repeat after 255.
    let maximum = if level == Level::Raid6 { 255 } else { MAX_SLOTS };
    if found < minimum {
        return Err(LayoutError::TooFewSlots { level, found, minimum });
    }
    if found > maximum {
        return Err(LayoutError::TooManySlots { level, found, maximum });
    }
    if lengths.len() != Slot(found).index() {
        return Err(LayoutError::LengthCount { found: lengths.len(), expected: found });
    }
    Ok(())
}

/// No member, and not all of them together, may be longer than can be addressed.
fn check_lengths(lengths: &[Sectors]) -> Result<(), LayoutError> {
    let total = lengths.iter().try_fold(Sectors::ZERO, |total, &length| total.checked_add(length));
    match total {
        Some(total) if total.0 <= MAX_SECTORS => Ok(()),
        _ => Err(LayoutError::TooLarge { maximum: Sectors(MAX_SECTORS) }),
    }
}

fn chunk(geometry: &Geometry) -> Result<ChunkSectors, LayoutError> {
    geometry.chunk.ok_or(LayoutError::ChunkMissing { level: geometry.level })
}

/// The power of two that the chunk is, for levels where it has to be one.
fn chunk_shift(geometry: &Geometry) -> Result<u32, LayoutError> {
    let chunk = chunk(geometry)?;
    if chunk.get().is_power_of_two() {
        return Ok(chunk.get().trailing_zeros());
    }
    Err(LayoutError::ChunkNotPowerOfTwo { level: geometry.level, chunk })
}

/// The shortest member decides, where all are used equally.
fn shortest(lengths: &[Sectors]) -> u64 {
    lengths.iter().min().map_or(0, |length| length.0)
}

/// A slot from arithmetic that keeps it below the number of slots.
fn slot(number: u64) -> Slot {
    Slot(u32::try_from(number).unwrap_or(u32::MAX))
}

/// The pieces of an array range; see [`Map::extents`].
pub struct Extents<'a> {
    family: &'a dyn Family,
    at: u64,
    end: u64,
}

impl Iterator for Extents<'_> {
    type Item = Extent;

    fn next(&mut self) -> Option<Extent> {
        let rest = self.end.checked_sub(self.at).filter(|&rest| rest > 0)?;
        let extent = self.family.extent(self.at, rest);
        self.at = self.at.saturating_add(extent.length.0);
        Some(extent)
    }
}
