//! `field`, `verdict` and `difference`: what raid-meta says of metadata.

use super::{Problem, V1};
use crate::format::schema::{Encoding, Endian, Repr};
use crate::units::{Bytes, Sectors};
use serde::{Deserialize, Serialize};

/// How the value of a field stands for its bytes: the kind of value, and for numbers the order of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FieldEncoding {
    /// An unsigned number, least significant byte first.
    UnsignedLe,
    /// An unsigned number, most significant byte first.
    UnsignedBe,
    /// A signed number, least significant byte first.
    SignedLe,
    /// A signed number, most significant byte first.
    SignedBe,
    /// A number as `"0x…"`, least significant byte first.
    HexLe,
    /// A number as `"0x…"`, most significant byte first.
    HexBe,
    /// Text, padded with NULs; bytes that are not printable as `\xNN`.
    Text,
    /// Hexadecimal digits with `:` after each four bytes.
    Uuid,
    /// Hexadecimal digits.
    Raw,
}

impl From<Encoding> for FieldEncoding {
    fn from(encoding: Encoding) -> Self {
        let is_little = encoding.endian == Endian::Little;
        match encoding.repr {
            Repr::Unsigned if is_little => Self::UnsignedLe,
            Repr::Unsigned => Self::UnsignedBe,
            Repr::Signed if is_little => Self::SignedLe,
            Repr::Signed => Self::SignedBe,
            Repr::Hex if is_little => Self::HexLe,
            Repr::Hex => Self::HexBe,
            Repr::Text => Self::Text,
            Repr::Uuid => Self::Uuid,
            Repr::Raw => Self::Raw,
        }
    }
}

impl From<FieldEncoding> for Encoding {
    fn from(encoding: FieldEncoding) -> Self {
        let (repr, endian) = match encoding {
            FieldEncoding::UnsignedLe => (Repr::Unsigned, Endian::Little),
            FieldEncoding::UnsignedBe => (Repr::Unsigned, Endian::Big),
            FieldEncoding::SignedLe => (Repr::Signed, Endian::Little),
            FieldEncoding::SignedBe => (Repr::Signed, Endian::Big),
            FieldEncoding::HexLe => (Repr::Hex, Endian::Little),
            FieldEncoding::HexBe => (Repr::Hex, Endian::Big),
            FieldEncoding::Text => (Repr::Text, Endian::Little),
            FieldEncoding::Uuid => (Repr::Uuid, Endian::Little),
            FieldEncoding::Raw => (Repr::Raw, Endian::Little),
        };
        Self { repr, endian }
    }
}

/// One field of a metadata structure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldRecord {
    /// Record version.
    pub v: V1,
    /// Path of the device, escaped.
    pub device: String,
    /// Start of the window in the device: not zero in a partition.
    #[serde(default)]
    pub device_offset_sectors: Sectors,
    /// Length of the window; null in a dump of a program that did not say it.
    #[serde(default)]
    pub device_length_sectors: Option<Sectors>,
    /// Format of the metadata.
    pub format: String,
    /// Structure that the field is in.
    pub structure: String,
    /// Dotted path with `[n]`, unique in the metadata: the FIELD of get and set.
    pub name: String,
    /// From the start of the device window.
    pub offset_bytes: Bytes,
    /// Size.
    pub size_bytes: Bytes,
    /// How the value stands for the bytes; null in a dump of a program that did not say it.
    #[serde(default)]
    pub encoding: Option<FieldEncoding>,
    /// The value: a number, or text, or `"0x…"` where the bits matter more than the count.
    pub value: serde_json::Value,
    /// What the value means, where that is more than the value.
    pub meaning: Option<String>,
}

/// Outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum VerdictResult {
    /// Nothing wrong.
    Ok,
    /// The metadata of this device is damaged.
    Damaged,
    /// The metadata is whole but does not agree with the other members.
    Disagrees,
}

/// What `raid-meta check` says of one metadata instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VerdictRecord {
    /// Record version.
    pub v: V1,
    /// Path of the device, escaped.
    pub device: String,
    /// Start of the window in the device: not zero in a partition.
    #[serde(default)]
    pub device_offset_sectors: Sectors,
    /// Format of the metadata.
    pub format: String,
    /// Outcome.
    pub result: VerdictResult,
    /// Why.
    pub problems: Vec<Problem>,
}

/// A field that two metadata instances do not have the same: what `raid-meta diff` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DifferenceRecord {
    /// Record version.
    pub v: V1,
    /// Path of the first device, escaped.
    pub from_device: String,
    /// Start of the window in it.
    pub from_device_offset_sectors: Sectors,
    /// Path of the second device, escaped.
    pub to_device: String,
    /// Start of the window in it.
    pub to_device_offset_sectors: Sectors,
    /// Format of the metadata.
    pub format: String,
    /// Structure that the field is in.
    pub structure: String,
    /// Dotted path of the field.
    pub name: String,
    /// Where the field is on the first device, from the start of its window; null where only the second has it.
    pub from_offset_bytes: Option<Bytes>,
    /// Where it is on the second device; null where only the first has it.
    pub to_offset_bytes: Option<Bytes>,
    /// The value on the first device; null where it has no such field.
    pub from: serde_json::Value,
    /// The value on the second device; null where it has no such field.
    pub to: serde_json::Value,
    /// What the first value means, where that is more than the value.
    pub from_meaning: Option<String>,
    /// What the second value means.
    pub to_meaning: Option<String>,
}
