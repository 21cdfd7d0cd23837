//! `generation`: metadata that is still on a device, current or not.

use super::{AreaRecord, V1};
use crate::units::{Bytes, Count, Sectors};
use serde::{Deserialize, Serialize};

/// A generation of metadata that is still on a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GenerationRecord {
    /// Record version.
    pub v: V1,
    /// Path of the device, escaped.
    pub device: String,
    /// Start of the window in the device: not zero in a partition.
    #[serde(default)]
    pub device_offset_sectors: Sectors,
    /// Format of the metadata.
    pub format: String,
    /// Update counter.
    pub generation: Count,
    /// Seconds since the start of 1970 of the update; null where the format does not record it.
    pub updated: Option<Count>,
    /// The same as text, UTC.
    pub updated_utc: Option<String>,
    /// Whether it is the one that counts.
    pub current: bool,
    /// What made it or what it says, escaped.
    pub description: Option<String>,
    /// Where it is, from the start of the device window.
    pub metadata: Vec<AreaRecord>,
    /// Length of all of it.
    pub length_bytes: Bytes,
}
