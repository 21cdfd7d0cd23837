//! `format`: what the programs know.

use super::V1;
use crate::format::Format;
use serde::{Deserialize, Serialize};

/// A metadata format: what `raid-probe --list-formats` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FormatRecord {
    /// Record version.
    pub v: V1,
    /// Name, as in `--format` and in the other records.
    pub name: String,
    /// What people call it.
    pub description: String,
    /// Whether it lives only on whole disks, never in partitions.
    pub whole_disk_only: bool,
}

impl From<&dyn Format> for FormatRecord {
    fn from(format: &dyn Format) -> Self {
        Self {
            v: V1,
            name: format.name().to_owned(),
            description: format.description().to_owned(),
            whole_disk_only: format.whole_disk_only(),
        }
    }
}
