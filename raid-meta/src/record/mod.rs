//! The JSON Lines records: the published interface of the five programs.
//!
//! One object a line, `{"type":"member","v":1,…}`. Every named field is always present, null where the
//! format has none. Version 1 only grows: readers ignore fields they do not know and pass records of a
//! type they do not know on unchanged; a higher `v` is refused. The committed JSON Schema
//! (`raid-meta/schema/records.schema.json`) is generated from these types and held against them by a test.

mod array;
mod event;
mod field;
mod format;
mod generation;
mod member;
mod place;
mod problem;
mod salvage;
mod stream;
mod table;

pub use array::{
    ArrayMember, ArrayRecord, Direction, Health, MemberState, ReshapeRecord, SectorRange, SpareRecord,
    TuningRecord, WriteLog,
};
pub use event::{MismatchRecord, ProgressRecord, RegionRecord, ScrubRecord, WriteRecord};
pub use field::{DifferenceRecord, FieldEncoding, FieldRecord, VerdictRecord, VerdictResult};
pub use format::FormatRecord;
pub use generation::GenerationRecord;
pub use member::{AreaRecord, ChecksumState, Evidence, MemberRecord, Role, VolumeRecord};
pub use place::{PlaceMate, PlaceRecord, PlaceRole};
pub use problem::{Problem, Severity};
pub use salvage::{LostRange, SalvageMember, SalvageRecord, SalvageUse};
pub use stream::{Record, RecordError, read_records};
pub use table::{TableLine, TableRecord, TableRole};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The version of the records, 1. Reading any other fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct V1;

impl V1 {
    /// The number.
    pub const NUMBER: u64 = 1;
}

impl Serialize for V1 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(Self::NUMBER)
    }
}

impl<'de> Deserialize<'de> for V1 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            Self::NUMBER => Ok(Self),
            other => Err(serde::de::Error::custom(format!("record version {other}, expected 1"))),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for V1 {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "V1".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "const": 1 })
    }
}
