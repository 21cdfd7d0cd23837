//! New arrays, as mdadm makes them: the same places, the same room for what may come later, the same rounding.
//!
//! An array whose redundancy is not known to be valid begins with a resync at its first sector, and no event
//! counted: that is how it is told from one that was not shut down. Numbers of devices are slots, spares follow.
//! A bad-block log begins empty, whatever was on its sectors. A chunk at a level that has none, and a name in 0.90,
//! which has no room for it, are left out, as mdadm does.

mod bitmap;
mod members;
mod sizes;
#[cfg(test)]
mod tests;
mod v0;
mod v1;

use super::NAME;
use super::facts::Shape;
use super::place::Version;
use super::{shape, v0 as superblock0, v1 as superblock1, words};
use crate::format::create::{CreateError, NewMember, NewSet};
use crate::geometry::{Geometry, Layout, Level, ParityLayout, Raid0Layout, Raid10Layout};
use crate::units::{ChunkSectors, SECTOR_BYTES};
use members::Member;

/// mdadm's chunk, unless told.
const DEFAULT_CHUNK: u32 = 1024;
/// Chunks are whole pages.
const CHUNK_UNIT: u32 = 8;
/// Seconds between two writes of a bitmap's clean bits, unless told.
const DAEMON_SLEEP: u32 = 5;

/// The members of a new array.
///
/// # Errors
/// What md, or the disks, can not do.
pub(in crate::format) fn create(set: &NewSet) -> Result<Vec<NewMember>, CreateError> {
    let array = Array::new(set)?;
    let members = members::members(&array)?;
    Ok(members.iter().map(|member| new_member(&array, member)).collect())
}

fn new_member(array: &Array<'_>, member: &Member) -> NewMember {
    let areas = match array.version {
        Version::V090 => v0::areas(array, member),
        _ => v1::areas(array, member),
    };
    NewMember { areas }
}

/// What is asked for, in md's terms.
#[derive(Debug)]
struct Array<'a> {
    set: &'a NewSet,
    version: Version,
    geometry: Geometry,
    /// md's number for the level.
    level: i32,
    /// md's word for the layout.
    layout: u32,
}

impl<'a> Array<'a> {
    fn new(set: &'a NewSet) -> Result<Self, CreateError> {
        let version = version(set)?;
        let slots = slots(set, version)?;
        check_name(set, version)?;
        check_bitmap(set)?;
        let level = words::level_number(set.level);
        let layout = layout_word(set)?;
        let chunk = chunk(set)?;
        let shape = Shape {
            level,
            layout,
            raid0_layout: set.layout.is_some(),
            chunk_bytes: chunk.map_or(0, |chunk| u64::from(chunk.get()).saturating_mul(SECTOR_BYTES)),
            slots: i64::from(slots),
            max_slots: most_devices(version),
        };
        let geometry = shape::geometry(&shape).map_err(|problem| {
            CreateError::invalid(NAME, "geometry", set.level, format!("one that md has: {}", problem.message))
        })?;
        Ok(Self { set, version, geometry, level, layout })
    }

    /// The chunk in sectors; zero where there is none.
    fn chunk(&self) -> u64 {
        self.geometry.chunk.map_or(0, |chunk| u64::from(chunk.get()))
    }

    /// Number of slots.
    fn slots(&self) -> u32 {
        self.geometry.slots
    }

    /// Slots and spares.
    fn devices(&self) -> u32 {
        self.slots().saturating_add(count(&self.set.spares))
    }

    /// Whether redundancy is valid from the start, or there is none.
    fn is_in_sync(&self) -> bool {
        self.set.in_sync || !self.geometry.level.is_redundant()
    }
}

fn version(set: &NewSet) -> Result<Version, CreateError> {
    let Some(wanted) = &set.version else { return Ok(Version::V12) };
    Version::ALL.into_iter().find(|version| version.name() == wanted).ok_or_else(|| {
        CreateError::invalid(
            NAME,
            "metadata version",
            crate::escape::escape(wanted.as_bytes()),
            "0.90, 1.0, 1.1 or 1.2",
        )
    })
}

fn most_devices(version: Version) -> u32 {
    match version {
        Version::V090 => superblock0::MAX_DEVICES,
        _ => superblock1::MAX_DEVICES,
    }
}

fn count<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}

fn slots(set: &NewSet, version: Version) -> Result<u32, CreateError> {
    let slots = count(&set.disks);
    let least = match set.level {
        Level::Linear | Level::Raid0 | Level::Raid1 => 1,
        Level::Raid4 | Level::Raid5 | Level::Raid10 => 2,
        Level::Raid6 => 4,
    };
    let most = most_devices(version);
    if slots < least || slots.saturating_add(count(&set.spares)) > most {
        let expected = format!("at least {least} for {}, and with spares at most {most}", set.level);
        return Err(CreateError::invalid(NAME, "number of disks", slots, expected));
    }
    Ok(slots)
}

fn check_name(set: &NewSet, version: Version) -> Result<(), CreateError> {
    let invalid = |expected: &str| {
        Err(CreateError::invalid(NAME, "name", crate::escape::escape(set.name.as_bytes()), expected))
    };
    match version {
        Version::V090 => Ok(()),
        _ if set.name.len() > 32 => invalid("at most 32 bytes"),
        _ if set.name.contains([':', '\0']) => invalid("no colon: what is before one is the name of a host"),
        _ => Ok(()),
    }
}

fn check_bitmap(set: &NewSet) -> Result<(), CreateError> {
    if set.bitmap && !set.level.is_redundant() {
        return Err(CreateError::invalid(NAME, "bitmap", "internal", format!("none for {}", set.level)));
    }
    Ok(())
}

fn chunk(set: &NewSet) -> Result<Option<ChunkSectors>, CreateError> {
    let invalid = |found: ChunkSectors, expected: String| {
        Err(CreateError::invalid(NAME, "chunk", format!("{found} sectors"), expected))
    };
    match (set.level, set.chunk) {
        (Level::Linear | Level::Raid1, _) => Ok(None),
        (_, None) => Ok(ChunkSectors::new(DEFAULT_CHUNK)),
        (Level::Raid0, Some(chunk)) if !chunk.get().is_multiple_of(CHUNK_UNIT) => {
            invalid(chunk, format!("a multiple of {CHUNK_UNIT} sectors"))
        }
        (level, Some(chunk))
            if level != Level::Raid0 && (!chunk.get().is_power_of_two() || chunk.get() < CHUNK_UNIT) =>
        {
            invalid(chunk, format!("a power of two of at least {CHUNK_UNIT} sectors"))
        }
        (_, chunk) => Ok(chunk),
    }
}

/// md's word for the layout asked for, or for mdadm's default.
fn layout_word(set: &NewSet) -> Result<u32, CreateError> {
    match (set.level, set.layout) {
        (Level::Raid0, None | Some(Layout::Raid0(Raid0Layout::Original))) => Ok(1),
        (Level::Raid0, Some(Layout::Raid0(Raid0Layout::Alternate))) => Ok(2),
        (Level::Linear | Level::Raid1, None)
        | (Level::Raid4, None | Some(Layout::Parity(ParityLayout::ParityLast))) => Ok(0),
        (Level::Raid5 | Level::Raid6, None) => Ok(ParityLayout::LeftSymmetric.md()),
        (Level::Raid5, Some(Layout::Parity(layout))) if !layout.is_raid6_only() => Ok(layout.md()),
        (Level::Raid6, Some(Layout::Parity(layout))) => Ok(layout.md()),
        (Level::Raid10, None) => Ok(Raid10Layout::near(2).md()),
        (Level::Raid10, Some(Layout::Raid10(layout))) if layout.copies() >= 2 => Ok(layout.md()),
        (level, Some(layout)) => {
            Err(CreateError::invalid(NAME, "layout", layout, format!("one that md has for {level}")))
        }
    }
}
