//! Units as types: a number that counts sectors can not be taken for one that counts bytes.
//!
//! A sector is 512 bytes always, whatever the logical sector size of the disk. Arithmetic on numbers
//! that came from a disk goes through the `checked_` methods; nothing here wraps.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Bytes in a sector.
pub const SECTOR_BYTES: u64 = 512;

/// Bytes in a sector, as the length of a buffer.
pub const SECTOR_LENGTH: usize = 512;

/// Largest integer that every JSON reader keeps exact.
const EXACT_JSON_INTEGER: u64 = 1 << 53;

macro_rules! unit {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// The largest number representable.
            pub const MAX: Self = Self(u64::MAX);

            /// The sum, unless it does not fit.
            #[must_use]
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).map(Self)
            }

            /// The difference, unless it would be negative.
            #[must_use]
            pub fn checked_sub(self, other: Self) -> Option<Self> {
                self.0.checked_sub(other.0).map(Self)
            }

            /// The product, unless it does not fit.
            #[must_use]
            pub fn checked_mul(self, factor: u64) -> Option<Self> {
                self.0.checked_mul(factor).map(Self)
            }

            /// The sum, or the largest number.
            #[must_use]
            pub fn saturating_add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }

            /// The difference, or zero.
            #[must_use]
            pub fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }

            /// Whether this is zero.
            #[must_use]
            pub fn is_zero(self) -> bool {
                self.0 == 0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serialize_u64(self.0, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize_u64(deserializer).map(Self)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "anyOf": [
                        { "type": "integer", "minimum": 0 },
                        { "type": "string", "pattern": "^0x[0-9a-f]+$" }
                    ]
                })
            }
        }
    };
}

unit! {
    /// A count of 512-byte sectors, or a position in them.
    Sectors
}
unit! {
    /// A count of bytes, or a position in them.
    Bytes
}
unit! {
    /// A plain counter read from a disk: events, generations.
    Count
}

impl Sectors {
    /// The same length in bytes, unless it does not fit.
    #[must_use]
    pub fn to_bytes(self) -> Option<Bytes> {
        self.0.checked_mul(SECTOR_BYTES).map(Bytes)
    }
}

impl Bytes {
    /// Whole sectors in this length, the remainder dropped.
    #[must_use]
    pub fn whole_sectors(self) -> Sectors {
        Sectors(self.0 / SECTOR_BYTES)
    }
}

/// Position of a member in its array, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Slot(pub u32);

impl Slot {
    /// The slot as an index.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Chunk (strip, stride) size in sectors; never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct ChunkSectors(std::num::NonZeroU32);

impl ChunkSectors {
    /// A chunk of that many sectors; none when it is zero.
    #[must_use]
    pub fn new(sectors: u32) -> Option<Self> {
        std::num::NonZeroU32::new(sectors).map(Self)
    }

    /// The number of sectors.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0.get()
    }

    /// The chunk as a length.
    #[must_use]
    pub fn sectors(self) -> Sectors {
        Sectors(u64::from(self.get()))
    }
}

impl fmt::Display for ChunkSectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Logical sector size of a device in bytes: 512, or 4096 on a 4Kn disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SectorSize(u32);

impl SectorSize {
    /// 512 bytes, what an image is taken for unless told.
    pub const B512: Self = Self(512);
    /// 4096 bytes (4Kn).
    pub const B4096: Self = Self(4096);

    /// A power of two from 512 to 65536; none otherwise.
    #[must_use]
    pub fn new(bytes: u32) -> Option<Self> {
        (bytes.is_power_of_two() && (512..=65536).contains(&bytes)).then_some(Self(bytes))
    }

    /// The size as a length.
    #[must_use]
    pub fn bytes(self) -> Bytes {
        Bytes(u64::from(self.0))
    }
}

/// JSON for a 64-bit number: a number while every reader keeps it exact, else a string `"0x…"`.
fn serialize_u64<S: Serializer>(value: u64, serializer: S) -> Result<S::Ok, S::Error> {
    if value <= EXACT_JSON_INTEGER {
        serializer.serialize_u64(value)
    } else {
        serializer.serialize_str(&format!("{value:#x}"))
    }
}

/// A JSON value for a 64-bit number, by the same rule as the records.
#[must_use]
pub fn json_u64(value: u64) -> serde_json::Value {
    if value <= EXACT_JSON_INTEGER { value.into() } else { format!("{value:#x}").into() }
}

fn deserialize_u64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u64),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text
            .strip_prefix("0x")
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .ok_or_else(|| serde::de::Error::custom(format!("'{text}' is not a number or \"0x…\""))),
    }
}
