//! `salvage`: what was obtained of an array that is damaged.

use super::{MemberState, V1};
use crate::units::{Bytes, Count, Slot};
use serde::{Deserialize, Serialize};

/// Whether a member was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SalvageUse {
    /// It is current, as far as its state says.
    Current,
    /// It is older than others, and was read where nothing else was left.
    LastResort,
    /// Not read: it is missing, or older than others.
    No,
}

/// A member as it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SalvageMember {
    /// Name of the array that it is a member of.
    pub array: String,
    /// Its slot.
    pub slot: Slot,
    /// Path of the device, escaped; null when missing or a subset.
    pub device: Option<String>,
    /// Name of the array that is this member, in a nested set.
    pub subset: Option<String>,
    /// Its state.
    pub state: MemberState,
    /// Update counter of its metadata; null where it has none or is not known.
    pub generation: Option<Count>,
    /// Whether it was read.
    pub used: SalvageUse,
    /// What its map says was read of the device; null where it has no map.
    pub mapped_bytes: Option<Bytes>,
    /// Further images of the device, escaped, in the order in which they are asked.
    #[serde(default)]
    pub images: Vec<String>,
    /// Sectors that more than one image file has, and not alike, among those that were read. Of very many not all are counted.
    #[serde(default)]
    pub differing_sectors: Count,
    /// Where on the device the first of them is; null where there are none.
    #[serde(default)]
    pub first_difference_bytes: Option<Bytes>,
}

/// A range of the array that is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LostRange {
    /// From the start of the array.
    pub offset_bytes: Bytes,
    /// Length.
    pub length_bytes: Bytes,
    /// What is wrong with each member that its first sector could come from.
    pub reason: String,
}

/// What was obtained of an array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SalvageRecord {
    /// Record version.
    pub v: V1,
    /// Name of the array.
    pub array: String,
    /// Identity of the volume.
    pub uuid: Option<String>,
    /// Path of the image, escaped.
    pub image: String,
    /// Path of its map, escaped.
    pub map: String,
    /// Size of the array.
    pub size_bytes: Bytes,
    /// Read from current members.
    pub good_bytes: Bytes,
    /// Computed by parity that is in step.
    pub reconstructed_bytes: Bytes,
    /// Obtained by parity that may be out of step.
    pub unsynchronised_bytes: Bytes,
    /// Obtained with the help of older members.
    pub stale_bytes: Bytes,
    /// Lost; the image has zeros there.
    pub lost_bytes: Bytes,
    /// Number of ranges that are lost. The map has all of them.
    pub lost_ranges: Count,
    /// The first of them.
    pub lost: Vec<LostRange>,
    /// The members.
    pub members: Vec<SalvageMember>,
}
