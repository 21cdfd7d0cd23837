//! On-disk structures declared once: the binrw codec, and the table of fields with offsets, come from the
//! same list.
//!
//! ```
//! use raid_meta::format::schema::DiskStruct;
//!
//! raid_meta::disk_struct! {
//!     /// A label.
//!     pub struct Label {
//!         /// Always "LABL".
//!         magic: u32 as hex,
//!         name: [u8; 16] as text,
//!         events: u64,
//!         reserved: [u8; 4] as raw,
//!     }
//! }
//! assert_eq!(Label::SIZE, 32);
//! ```

use crate::escape;
use crate::model::Field;
use crate::units::{Bytes, json_u64};
use serde_json::Value;

pub use binrw::Endian;

/// How a field is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repr {
    /// An unsigned number.
    Unsigned,
    /// A signed number.
    Signed,
    /// A number whose bits matter: `"0x…"` with all digits.
    Hex,
    /// Text padded with NULs; other bytes as `\xNN`.
    Text,
    /// 16 bytes as `xxxxxxxx:xxxxxxxx:xxxxxxxx:xxxxxxxx`, in storage order.
    Uuid,
    /// Bytes as hexadecimal digits.
    Raw,
}

/// How the value of a field stands for its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// What kind of value it is.
    pub repr: Repr,
    /// Order of the bytes of a number.
    pub endian: Endian,
}

impl Encoding {
    /// Bytes as hexadecimal digits.
    pub const RAW: Self = Self { repr: Repr::Raw, endian: Endian::Little };
    /// Text padded with NULs.
    pub const TEXT: Self = Self { repr: Repr::Text, endian: Endian::Little };
}

/// One field of a structure.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// Name.
    pub name: &'static str,
    /// From the start of the structure.
    pub offset: usize,
    /// Size in bytes.
    pub size: usize,
    /// How it is shown.
    pub repr: Repr,
}

/// The same fields, each at the end of the one before.
#[must_use]
pub const fn laid_out<const N: usize>(mut fields: [FieldSpec; N]) -> [FieldSpec; N] {
    let mut index = 1;
    while index < N {
        fields[index].offset = fields[index - 1].offset + fields[index - 1].size;
        index += 1;
    }
    fields
}

/// A type that can be a field: its size, and how it is shown unless the declaration says otherwise.
pub trait DiskField: Sized {
    /// Its value where all bytes are zero.
    const ZERO: Self;
    /// Size in bytes.
    const SIZE: usize;
    /// Default representation.
    const REPR: Repr;
}

macro_rules! disk_field {
    ($($type:ty => $repr:ident),*) => {
        $(impl DiskField for $type {
            const ZERO: Self = 0;
            const SIZE: usize = size_of::<$type>();
            const REPR: Repr = Repr::$repr;
        })*
    };
}
disk_field!(u8 => Unsigned, u16 => Unsigned, u32 => Unsigned, u64 => Unsigned);
disk_field!(i8 => Signed, i16 => Signed, i32 => Signed, i64 => Signed);

impl<const N: usize> DiskField for [u8; N] {
    const ZERO: Self = [0; N];
    const SIZE: usize = N;
    const REPR: Repr = Repr::Raw;
}

/// A structure declared with [`crate::disk_struct!`].
pub trait DiskStruct: Sized {
    /// Size in bytes.
    const SIZE: usize;
    /// Its fields in order; they cover the structure.
    const FIELDS: &'static [FieldSpec];

    /// Decodes the structure from exactly [`DiskStruct::SIZE`] or more bytes; none when there are fewer.
    fn decode(bytes: &[u8], endian: Endian) -> Option<Self>;

    /// Encodes it to [`DiskStruct::SIZE`] bytes.
    fn encode(&self, endian: Endian) -> Vec<u8>;

    /// The structure whose bytes are all zero: what a new one begins with.
    fn zeroed() -> Self;
}

/// Declares an on-disk structure: fields in order, packed, each `name: type [as hex|text|uuid|raw|signed]`.
/// Types are integers and byte arrays. Gives the struct with a binrw codec and [`DiskStruct`].
#[macro_export]
macro_rules! disk_struct {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $( $(#[$field_meta:meta])* $field:ident : $type:ty $(as $repr:ident)? ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, ::binrw::BinRead, ::binrw::BinWrite)]
        $vis struct $name {
            $( $(#[$field_meta])* pub $field: $type, )*
        }

        impl $crate::format::schema::DiskStruct for $name {
            const SIZE: usize = 0 $( + <$type as $crate::format::schema::DiskField>::SIZE )*;
            const FIELDS: &'static [$crate::format::schema::FieldSpec] = &$crate::format::schema::laid_out([
                $( $crate::format::schema::FieldSpec {
                    name: stringify!($field),
                    offset: 0,
                    size: <$type as $crate::format::schema::DiskField>::SIZE,
                    repr: $crate::disk_struct!(@repr $type $(, $repr)?),
                }, )*
            ]);

            fn decode(bytes: &[u8], endian: $crate::format::schema::Endian) -> Option<Self> {
                let mut cursor = ::std::io::Cursor::new(bytes.get(..Self::SIZE)?);
                <Self as ::binrw::BinRead>::read_options(&mut cursor, endian, ()).ok()
            }

            fn encode(&self, endian: $crate::format::schema::Endian) -> Vec<u8> {
                let mut cursor = ::std::io::Cursor::new(Vec::with_capacity(Self::SIZE));
                // Writing plain integers and arrays to memory does not fail.
                let _ = <Self as ::binrw::BinWrite>::write_options(self, &mut cursor, endian, ());
                cursor.into_inner()
            }

            fn zeroed() -> Self {
                Self { $( $field: <$type as $crate::format::schema::DiskField>::ZERO, )* }
            }
        }
    };
    (@repr $type:ty) => { <$type as $crate::format::schema::DiskField>::REPR };
    (@repr $type:ty, hex) => { $crate::format::schema::Repr::Hex };
    (@repr $type:ty, text) => { $crate::format::schema::Repr::Text };
    (@repr $type:ty, uuid) => { $crate::format::schema::Repr::Uuid };
    (@repr $type:ty, raw) => { $crate::format::schema::Repr::Raw };
    (@repr $type:ty, signed) => { $crate::format::schema::Repr::Signed };
}

/// Collects the fields of an area, structure by structure.
#[derive(Debug)]
pub struct FieldWalk<'a> {
    area: &'a [u8],
    offset: Bytes,
    endian: Endian,
    fields: Vec<Field>,
}

impl<'a> FieldWalk<'a> {
    /// Starts a walk over an area whose first byte is at `offset` of the device window.
    #[must_use]
    pub fn new(area: &'a [u8], offset: Bytes, endian: Endian) -> Self {
        Self { area, offset, endian, fields: Vec::new() }
    }

    /// Adds all fields of a structure that begins `at` bytes into the area. `prefix` is put before each name
    /// as it is (`"disks[3]."`). `meaning` explains a value by the field's name.
    pub fn structure<T: DiskStruct>(
        &mut self,
        structure: &str,
        prefix: &str,
        at: usize,
        meaning: impl Fn(&str, &Value) -> Option<String>,
    ) {
        for spec in T::FIELDS {
            self.spec(structure, prefix, at, spec, &meaning);
        }
    }

    /// Adds one field of a structure that begins `at` bytes into the area; for structures in which a field
    /// has two views.
    pub fn spec(
        &mut self,
        structure: &str,
        prefix: &str,
        at: usize,
        spec: &FieldSpec,
        meaning: impl Fn(&str, &Value) -> Option<String>,
    ) {
        let begin = at.saturating_add(spec.offset);
        let value = self.value(begin, spec.size, spec.repr);
        let explained = meaning(spec.name, &value);
        self.push(
            structure,
            format!("{prefix}{}", spec.name),
            begin,
            spec.size,
            (spec.repr, value),
            explained,
        );
    }

    /// Adds one field by hand.
    pub fn field(
        &mut self,
        structure: &str,
        name: impl Into<String>,
        at: usize,
        size: usize,
        repr: Repr,
        meaning: Option<String>,
    ) {
        let value = self.value(at, size, repr);
        self.push(structure, name.into(), at, size, (repr, value), meaning);
    }

    /// The fields, in the order in which they were added.
    #[must_use]
    pub fn finish(self) -> Vec<Field> {
        self.fields
    }

    fn value(&self, at: usize, size: usize, repr: Repr) -> Value {
        field_value(self.area.get(at..at.saturating_add(size)).unwrap_or_default(), repr, self.endian)
    }

    fn push(
        &mut self,
        structure: &str,
        name: String,
        at: usize,
        size: usize,
        (repr, value): (Repr, Value),
        meaning: Option<String>,
    ) {
        if size == 0 {
            return;
        }
        self.fields.push(Field {
            structure: structure.to_owned(),
            name,
            offset: self.offset.saturating_add(Bytes(at as u64)),
            size: u32::try_from(size).unwrap_or(u32::MAX),
            encoding: Encoding { repr, endian: self.endian },
            value,
            meaning,
        });
    }
}

/// The JSON value of a field's bytes. Numbers of more than eight bytes do not exist; such fields are raw.
#[must_use]
pub fn field_value(bytes: &[u8], repr: Repr, endian: Endian) -> Value {
    match repr {
        Repr::Text => escape::escape_padded(bytes).into(),
        Repr::Raw => hex::encode(bytes).into(),
        Repr::Uuid => uuid_text(bytes).into(),
        Repr::Unsigned => json_u64(unsigned(bytes, endian)),
        Repr::Hex => format!("{:#0width$x}", unsigned(bytes, endian), width = bytes.len() * 2 + 2).into(),
        Repr::Signed => signed(bytes, endian).into(),
    }
}

/// Four groups of eight digits, in storage order.
#[must_use]
pub fn uuid_text(bytes: &[u8]) -> String {
    bytes.chunks(4).map(hex::encode).collect::<Vec<_>>().join(":")
}

fn unsigned(bytes: &[u8], endian: Endian) -> u64 {
    let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    match endian {
        Endian::Little => bytes.iter().rev().take(8).fold(0, fold),
        Endian::Big => bytes.iter().take(8).fold(0, fold),
    }
}

fn signed(bytes: &[u8], endian: Endian) -> i64 {
    let spare_bits = 64 - 8 * u32::try_from(bytes.len().clamp(1, 8)).unwrap_or(8);
    (unsigned(bytes, endian) << spare_bits).cast_signed() >> spare_bits
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::disk_struct! {
        struct Label {
            magic: u32 as hex,
            level: i32,
            name: [u8; 8] as text,
            events: u64,
            id: [u8; 16] as uuid,
            reserved: [u8; 3],
        }
    }

    fn bytes() -> Vec<u8> {
        let mut bytes = vec![0x01, 0x02, 0x03, 0x04, 0xff, 0xff, 0xff, 0xfc];
        bytes.extend_from_slice(b"ab\x01\0\0\0\0\0");
        bytes.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 7]);
        bytes.extend(0..16);
        bytes.extend_from_slice(&[9, 8, 7]);
        bytes
    }

    #[test]
    fn a_structure_encodes_to_the_bytes_it_was_decoded_from_in_both_byte_orders() {
        for endian in [Endian::Big, Endian::Little] {
            assert_eq!(Label::decode(&bytes(), endian).unwrap().encode(endian), bytes());
        }
        assert!(Label::decode(&bytes()[..Label::SIZE - 1], Endian::Big).is_none());
        assert_eq!(Label::zeroed().encode(Endian::Big), [0; Label::SIZE]);
    }

    #[test]
    fn fields_cover_the_structure_and_show_what_the_declaration_says() {
        let bytes = bytes();
        let mut walk = FieldWalk::new(&bytes, Bytes(512), Endian::Big);
        walk.structure::<Label>("label", "", 0, |name, _| (name == "events").then(|| "seven".to_owned()));
        let fields = walk.finish();
        let values: Vec<_> = fields.iter().map(|field| (field.name.as_str(), field.value.clone())).collect();
        assert_eq!(values[0], ("magic", Value::from("0x01020304")));
        assert_eq!(values[1], ("level", Value::from(-4)));
        assert_eq!(values[2], ("name", Value::from("ab\\x01")));
        assert_eq!(values[3], ("events", Value::from(7)));
        assert_eq!(values[4], ("id", Value::from("00010203:04050607:08090a0b:0c0d0e0f")));
        assert_eq!(values[5], ("reserved", Value::from("090807")));
        assert_eq!(fields[3].meaning.as_deref(), Some("seven"));
        let mut next = 512;
        for field in &fields {
            assert_eq!(field.offset.0, next, "{}", field.name);
            next += u64::from(field.size);
        }
        assert_eq!(next, 512 + bytes.len() as u64);
    }
}
