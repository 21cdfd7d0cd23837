//! What a map says an array looks like: geometry and sizes.

use super::mpb::{Map, Mpb, Volume};
use crate::geometry::{Geometry, Layout, Level, ParityLayout, Raid10Layout};
use crate::record::Problem;
use crate::units::{ChunkSectors, Sectors};

/// The extra length that the size of a volume may differ by, for each data member, before the number
/// of stripes is taken for stale.
const SIZE_TOLERANCE: u64 = 2048;

/// A map understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) geometry: Geometry,
    /// Members' worth of data.
    pub(super) data_members: u64,
    /// Where the data begins on each member.
    pub(super) start: Sectors,
    /// Length of the data on each member, as the number of stripes says.
    pub(super) per_member: Sectors,
}

impl Shape {
    /// Understands a map.
    ///
    /// # Errors
    /// What can not be understood or mapped.
    pub(super) fn of(mpb: &Mpb, map: &Map) -> Result<Self, Problem> {
        let level = level(map)?;
        let slots = u32::from(map.head.num_members);
        let chunk = if level == Level::Raid1 { None } else { Some(chunk(mpb, map)?) };
        let geometry = Geometry { level, layout: layout(level), chunk, slots };
        let data_members = data_members(&geometry);
        let per_member = per_member(mpb, map, level).ok_or_else(|| {
            Problem::error("out-of-range", "the number of stripes is larger than any device")
        })?;
        Ok(Self { geometry, data_members, start: mpb.data_start(map), per_member })
    }

    /// Sectors that all data members hold together.
    pub(super) fn capacity(&self) -> Sectors {
        Sectors(self.per_member.0.saturating_mul(self.data_members))
    }

    /// The same for a volume of that size: where the number of stripes contradicts the size (software that
    /// expanded the volume did not always keep it), the size is right.
    pub(super) fn fitted_to(self, size: Sectors) -> Self {
        let per_member = match self.is_stale(size) {
            true => size.0.checked_div(self.data_members).unwrap_or_default(),
            false => self.per_member.0,
        };
        let chunk = self.geometry.chunk.map_or(1, |chunk| u64::from(chunk.get()));
        let whole_chunks = (per_member / chunk).saturating_mul(chunk);
        Self { per_member: Sectors(whole_chunks), ..self }
    }

    /// Whether the number of stripes contradicts the size of the volume.
    pub(super) fn is_stale(&self, size: Sectors) -> bool {
        self.capacity().0.abs_diff(size.0) > SIZE_TOLERANCE.saturating_mul(self.data_members)
    }

    /// First sector after the data, on each member.
    pub(super) fn end(&self) -> Sectors {
        self.start.saturating_add(self.per_member)
    }
}

/// The shape of a volume where it is or goes, and where it comes from.
///
/// # Errors
/// What can not be understood or mapped.
pub(super) fn shapes(mpb: &Mpb, volume: &Volume) -> Result<(Shape, Option<Shape>), Problem> {
    let to = Shape::of(mpb, &volume.map)?.fitted_to(mpb.volume_size(volume));
    let from = volume.source.as_ref().map(|source| Shape::of(mpb, source)).transpose()?;
    Ok((to, from))
}

/// How many members' worth of data an array holds.
pub(super) fn data_members(geometry: &Geometry) -> u64 {
    let slots = u64::from(geometry.slots);
    match geometry.level {
        Level::Raid1 => 1,
        Level::Raid10 => slots / 2,
        Level::Raid5 => slots.saturating_sub(1),
        _ => slots,
    }
}

/// The level. Level 1 of more than two members is raid10, which is how firmware writes a raid10 of
/// four; 2 is dmraid's number for the same.
fn level(map: &Map) -> Result<Level, Problem> {
    let members = map.head.num_members;
    let (level, fits) = match (map.head.raid_level, members) {
        (0, _) => (Level::Raid0, members >= 1),
        (1, 2) => (Level::Raid1, true),
        (1 | 2, _) => (Level::Raid10, members >= 4 && members.is_multiple_of(2)),
        (10, _) => (Level::Raid10, members >= 2 && members.is_multiple_of(2)),
        (5, _) => (Level::Raid5, members >= 2),
        (other, _) => {
            let message = format!("raid_level is {other}, expected 0, 1, 5 or 10");
            return Err(Problem::error("unsupported-level", message));
        }
    };
    if fits {
        return Ok(level);
    }
    let message =
        format!("num_members is {members}, which is not possible with raid_level {}", map.head.raid_level);
    Err(Problem::error("member-count", message))
}

fn layout(level: Level) -> Option<Layout> {
    match level {
        Level::Raid5 => Some(ParityLayout::LeftAsymmetric.into()),
        Level::Raid10 => Some(Raid10Layout::near(2).into()),
        _ => None,
    }
}

fn chunk(mpb: &Mpb, map: &Map) -> Result<ChunkSectors, Problem> {
    let strip = u32::try_from(mpb.strip(map).0).unwrap_or(u32::MAX);
    let is_sane = strip.is_power_of_two() && strip >= 8;
    ChunkSectors::new(strip).filter(|_| is_sane).ok_or_else(|| {
        let message = format!(
            "blocks_per_strip is {}, expected a power of two of at least 8 sectors",
            map.head.blocks_per_strip
        );
        Problem::error("chunk", message)
    })
}

/// The data on each member. Where data is mirrored, the number of stripes is that of one domain.
fn per_member(mpb: &Mpb, map: &Map, level: Level) -> Option<Sectors> {
    let domains = if matches!(level, Level::Raid1 | Level::Raid10) { 2 } else { 1 };
    mpb.strip(map).checked_mul(mpb.data_stripes(map))?.checked_mul(domains)
}

/// How many sectors of a member one unit of a migration is.
pub(super) fn migration_unit(mpb: &Mpb, map: &Map, geometry: &Geometry, is_rebuild: bool) -> u64 {
    let strip = mpb.strip(map).0;
    match (geometry.level, is_rebuild) {
        (Level::Raid5, true) => strip.max(128),
        (Level::Raid5, false) => strip.saturating_mul(u64::from(geometry.slots)),
        (Level::Raid10, false) => strip.saturating_mul(2),
        _ => 512,
    }
}
