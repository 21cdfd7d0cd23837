//! `mismatch`, `region`, `progress`: what happens while data is read, saved and moved.

use super::V1;
use crate::units::{Bytes, Count, Sectors, Slot};
use serde::{Deserialize, Serialize};

/// A place where redundancy and data do not agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MismatchRecord {
    /// Record version.
    pub v: V1,
    /// Name of the array.
    pub array: String,
    /// Number of the stripe.
    pub stripe: Count,
    /// Slot that is wrong, if the evidence says.
    pub slot: Option<Slot>,
    /// Path of the device in that slot, escaped.
    pub device: Option<String>,
    /// What that member holds there.
    pub role: Option<super::PlaceRole>,
    /// Array sectors affected.
    pub array_sectors: Vec<Sectors>,
    /// Which member is wrong, or `undecidable`.
    pub verdict: String,
}

/// A saved piece of a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RegionRecord {
    /// Record version.
    pub v: V1,
    /// Path of the device, escaped.
    pub device: String,
    /// From the start of the device.
    pub offset_bytes: Bytes,
    /// Length.
    pub length_bytes: Bytes,
    /// SHA-256 of the bytes, hexadecimal.
    pub sha256: String,
    /// The bytes, hexadecimal.
    pub hex: String,
    /// Size of the device that the piece was saved from; null where it is not known.
    #[serde(default)]
    pub device_size_bytes: Option<Bytes>,
    /// Hardware serial number of that device, escaped; null where it is not known.
    #[serde(default)]
    pub serial: Option<String>,
    /// What the piece is: format and role of a metadata area, or what overwrote it.
    #[serde(default)]
    pub what: Option<String>,
}

/// A piece of a device that is overwritten, or would be with `--write`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WriteRecord {
    /// Record version.
    pub v: V1,
    /// Path of the device, escaped.
    pub device: String,
    /// From the start of the device.
    pub offset_bytes: Bytes,
    /// Length.
    pub length_bytes: Bytes,
    /// What is written there.
    pub what: String,
    /// SHA-256 of the bytes that are there before, hexadecimal.
    pub from_sha256: String,
    /// SHA-256 of the bytes that are written, hexadecimal.
    pub to_sha256: String,
    /// Whether it was written; else it was only shown.
    pub written: bool,
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProgressRecord {
    /// Record version.
    pub v: V1,
    /// What is being done.
    pub job: String,
    /// Bytes done.
    pub done_bytes: Bytes,
    /// Bytes in all.
    pub total_bytes: Bytes,
    /// Bytes per second, recently.
    pub rate_bytes_per_s: Option<Bytes>,
    /// Seconds to go.
    pub eta_s: Option<Count>,
}
