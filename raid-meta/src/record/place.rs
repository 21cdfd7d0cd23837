//! `place`: where a sector lives.

use super::V1;
use crate::units::{Count, Sectors, Slot};
use serde::{Deserialize, Serialize};

/// What a member holds at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PlaceRole {
    /// Data.
    Data,
    /// The exclusive-or of the stripe.
    P,
    /// The Q syndrome of the stripe.
    Q,
    /// A further copy of data.
    Copy,
}

/// Where a sector lives, one record for each array sector or member sector asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlaceRecord {
    /// Record version.
    pub v: V1,
    /// Name of the array.
    pub array: String,
    /// Sector of the array; null for parity and for member sectors that the array does not use.
    pub array_sector: Option<Sectors>,
    /// Path of the device that holds it, escaped; null when that member is missing.
    pub device: Option<String>,
    /// Slot of the member.
    pub member_slot: Slot,
    /// Sector on the device (its window included).
    pub member_sector: Sectors,
    /// What is there.
    pub role: PlaceRole,
    /// Number of the stripe (row of chunks); null for levels without.
    pub stripe: Option<Count>,
    /// The other places of the same stripe or the other copies.
    pub mates: Vec<PlaceMate>,
}

/// Another place that belongs to the same stripe sector or holds a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PlaceMate {
    /// Path of the device, escaped.
    pub device: Option<String>,
    /// Slot of the member.
    pub member_slot: Slot,
    /// Sector on the device.
    pub member_sector: Sectors,
    /// What is there.
    pub role: PlaceRole,
}
