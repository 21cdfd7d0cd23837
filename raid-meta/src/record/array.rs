//! `array`: one per volume, subsets before the set that uses them.
//!
//! The record is complete: it can be read by `raid-table` with no metadata left on the disks, and
//! it can be written by hand.

use super::{Problem, V1};
use crate::geometry::{Geometry, Layout, Level};
use crate::units::{ChunkSectors, Count, Sectors, Slot};
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::HashSet;
use std::fmt;

/// Health of an array: the first that applies, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// More members are missing than the level can do without.
    Failed,
    /// Between two geometries.
    Reshaping,
    /// A member is being rebuilt.
    Rebuilding,
    /// Works with a member missing.
    Degraded,
    /// Redundancy was never computed.
    Initializing,
    /// Dirty, or members disagree.
    Inconsistent,
    /// All is well.
    Optimal,
}

/// State of a member of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MemberState {
    /// Its data is current.
    InSync,
    /// Current below `recovered_sectors`.
    Rebuilding,
    /// Present but older than the rest.
    Stale,
    /// Not found.
    Missing,
    /// Marked as failed.
    Failed,
}

/// A range of sectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SectorRange {
    /// First sector.
    pub start_sectors: Sectors,
    /// Number of sectors.
    pub length_sectors: Sectors,
}

/// A slot of an array and what is in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ArrayMember {
    /// Position in the array.
    pub slot: Slot,
    /// Path of the device, escaped; null when missing or when `array` names a subset.
    #[serde(default)]
    pub device: Option<String>,
    /// Start of the window in the device.
    #[serde(default)]
    pub device_offset_sectors: Option<Sectors>,
    /// Length of the window; null means to the end.
    #[serde(default)]
    pub device_length_sectors: Option<Sectors>,
    /// Name of the array that is this member, in a nested set.
    #[serde(default)]
    pub array: Option<String>,
    /// Name of the array that holds the member's dm-raid superblock and bitmap.
    #[serde(default)]
    pub metadata_array: Option<String>,
    /// State.
    pub state: MemberState,
    /// Where the member's data begins, from the start of the device window.
    #[serde(default)]
    pub offset_sectors: Option<Sectors>,
    /// Length of the member's data that the array uses.
    #[serde(default)]
    pub length_sectors: Option<Sectors>,
    /// How much of a rebuilding member is current, from `offset_sectors`.
    #[serde(default)]
    pub recovered_sectors: Option<Sectors>,
    /// Where the data begins in the geometry that a reshape leads to, where it differs.
    #[serde(default)]
    pub reshape_offset_sectors: Option<Sectors>,
    /// Sectors (from `offset_sectors`) whose content the metadata says is lost.
    #[serde(default)]
    pub bad_sectors: Vec<SectorRange>,
    /// Reads go to other members if they can.
    #[serde(default)]
    pub write_mostly: bool,
    /// Left out on purpose, to come back: an image split off. The array is whole without it.
    #[serde(default)]
    pub split: bool,
}

/// How device-mapper is to run an array, beyond its geometry; null where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TuningRecord {
    /// Size of a region of the write-intent bitmap.
    #[serde(default)]
    pub region_size_sectors: Option<Sectors>,
    /// Least recovery rate of each member.
    #[serde(default)]
    pub min_recovery_rate_kib_per_s: Option<Count>,
    /// Most recovery rate of each member.
    #[serde(default)]
    pub max_recovery_rate_kib_per_s: Option<Count>,
    /// How far write-mostly members may be behind.
    #[serde(default)]
    pub max_write_behind_sectors: Option<Sectors>,
    /// Where the data begins on each member, for a reshape out of place.
    #[serde(default)]
    pub data_offset_sectors: Option<Sectors>,
}

/// A device that waits for a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SpareRecord {
    /// Path of the device, escaped.
    pub device: String,
    /// Start of the window in the device.
    pub device_offset_sectors: Sectors,
    /// Length of the window.
    pub device_length_sectors: Sectors,
}

/// Which end of the array a reshape started from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the start: sectors below the position have the new geometry.
    Forward,
    /// From the end: sectors at and above the position have the new geometry.
    Backward,
}

/// A reshape in progress.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReshapeRecord {
    /// Geometry of what has not been moved yet.
    pub from: Geometry,
    /// Geometry of what has been moved.
    pub to: Geometry,
    /// Array sector of the boundary.
    pub position_sectors: Sectors,
    /// Direction of the move.
    pub direction: Direction,
    /// Array sectors that may be in neither geometry: a window that was being moved in place.
    #[serde(default)]
    pub uncertain: Vec<SectorRange>,
}

/// A log of writes that may hold newer data than the members do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WriteLog {
    /// A journal device with entries to replay: data and parity of the members may be old.
    Journal,
    /// A partial parity log with entries: parity of some stripes may be old.
    Ppl,
}

/// One array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ArrayRecord {
    /// Record version.
    pub v: V1,
    /// Format of the metadata.
    #[serde(default)]
    pub format: Option<String>,
    /// Identity of the set (container).
    #[serde(default)]
    pub set_id: Option<String>,
    /// The dm name that activation uses: never empty, unique in the stream.
    #[serde(deserialize_with = "usable_name")]
    pub name: String,
    /// Bare name on disk, escaped.
    #[serde(default)]
    pub volume: Option<String>,
    /// Identity of the volume.
    #[serde(default)]
    pub uuid: Option<String>,
    /// Level.
    pub level: Level,
    /// Layout; null for linear, raid1, and raid0 of equal members.
    #[serde(default)]
    pub layout: Option<Layout>,
    /// Chunk; null for linear and raid1.
    #[serde(default)]
    pub chunk_sectors: Option<ChunkSectors>,
    /// Size of the array.
    pub size_sectors: Sectors,
    /// Number of slots.
    pub slots: u32,
    /// Health.
    #[serde(default = "optimal")]
    pub health: Health,
    /// Whether parity or copies may be out of step; null where the format does not say.
    #[serde(default)]
    pub dirty: Option<bool>,
    /// Redundancy is valid below this member sector (raid10: array sector); null when it all is, or
    /// where the format does not say.
    #[serde(default)]
    pub resync_position_sectors: Option<Sectors>,
    /// One per slot, in order.
    #[serde(deserialize_with = "distinct_slots")]
    pub members: Vec<ArrayMember>,
    /// Spares of the set.
    #[serde(default)]
    pub spares: Vec<SpareRecord>,
    /// The reshape in progress.
    #[serde(default)]
    pub reshape: Option<ReshapeRecord>,
    /// A write log whose entries matter.
    #[serde(default)]
    pub write_log: Option<WriteLog>,
    /// How device-mapper is to run it; null where the format does not run arrays by device-mapper's own raid target.
    #[serde(default)]
    pub tuning: Option<TuningRecord>,
    /// What is wrong, and why each member that is not in sync is not.
    #[serde(default)]
    pub problems: Vec<Problem>,
}

fn optimal() -> Health {
    Health::Optimal
}

/// Longest name that is read; device-mapper takes 127 bytes.
const MAX_NAME: usize = 1024;

fn usable_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    match name.len() {
        0 => Err(D::Error::custom("the name is empty")),
        1..=MAX_NAME => Ok(name),
        long => Err(D::Error::custom(format_args!("a name of {long} bytes, expected at most {MAX_NAME}"))),
    }
}

/// Most members that are read; no format has as many.
const MAX_MEMBERS: usize = 4096;

/// Reads the members one by one: a list without end is left at once, and so is one that gives a slot twice.
fn distinct_slots<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ArrayMember>, D::Error> {
    deserializer.deserialize_seq(Members)
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<ArrayMember>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "at most {MAX_MEMBERS} members")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        let mut slots = HashSet::new();
        while let Some(member) = list.next_element::<ArrayMember>()? {
            if !slots.insert(member.slot) {
                return Err(A::Error::custom(format_args!("slot {} is given twice", member.slot)));
            }
            if members.len() == MAX_MEMBERS {
                return Err(A::Error::custom(format_args!("more than {MAX_MEMBERS} members")));
            }
            members.push(member);
        }
        Ok(members)
    }
}

impl ArrayRecord {
    /// Level, layout, chunk and slots together.
    #[must_use]
    pub fn geometry(&self) -> Geometry {
        Geometry { level: self.level, layout: self.layout, chunk: self.chunk_sectors, slots: self.slots }
    }

    /// Below which sector of its members parity is that of the data. A set that is dirty, or was never synchronised, has
    /// valid parity below the resync position only; without a position, nowhere. Entries in a log of writes say that
    /// some of it is old.
    #[must_use]
    pub fn parity_valid_below(&self) -> Sectors {
        match self.resync_position_sectors {
            _ if self.write_log.is_some() => Sectors::ZERO,
            Some(position) => position,
            None if self.dirty == Some(true) || self.health == Health::Initializing => Sectors::ZERO,
            None => Sectors(u64::MAX),
        }
    }
}
