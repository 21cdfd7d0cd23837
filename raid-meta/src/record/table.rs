//! `table`: one device-mapper device, in dependency order.

use super::V1;
use crate::units::Sectors;
use serde::{Deserialize, Serialize};

/// What a device is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TableRole {
    /// The array itself.
    Array,
    /// A helper that gives one member its offset and length.
    Member,
    /// A partition of the array.
    Partition,
    /// A snapshot that takes the writes.
    Overlay,
}

/// One line of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TableLine {
    /// First sector of the dm device that the line maps.
    pub start_sectors: Sectors,
    /// Number of sectors.
    pub length_sectors: Sectors,
    /// Target type.
    pub target: String,
    /// Its parameters, as dmsetup takes them.
    pub params: String,
}

/// One dm device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TableRecord {
    /// Record version.
    pub v: V1,
    /// dm name.
    pub name: String,
    /// dm uuid.
    pub uuid: String,
    /// Name of the array that it belongs to.
    pub array: String,
    /// What it is for.
    pub role: TableRole,
    /// Names of the dm devices that have to exist before.
    pub depends: Vec<String>,
    /// Whether the device has to be created read-only.
    pub read_only: bool,
    /// The table.
    pub lines: Vec<TableLine>,
}
