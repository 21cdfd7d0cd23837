//! The inverse of [`field_value`](super::schema::field_value): the bytes that a value stands for.
//!
//! Beside what `field_value` gives, it takes what people type: numbers as decimal or `0x…` text, a uuid with or
//! without its separators.

use super::schema::{Encoding, Endian, Repr};
use crate::escape::{escape, unescape};
use serde_json::Value;

/// Longest part of a wrong value that an error repeats.
const MAX_SHOWN_CHARS: usize = 80;

/// A value that a field can not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is {found}, expected {expected}")]
pub struct ValueError {
    /// The value, escaped.
    pub found: String,
    /// What is possible.
    pub expected: String,
}

/// The bytes of a field of that encoding and size whose value is `value`.
///
/// # Errors
/// The value is of another kind, or does not fit.
pub fn field_bytes(value: &Value, encoding: Encoding, size: usize) -> Result<Vec<u8>, ValueError> {
    let bytes = match encoding.repr {
        Repr::Text => text(value, size),
        Repr::Raw => digits(value, &[]).filter(|bytes| bytes.len() == size),
        Repr::Uuid => digits(value, &[':', '-']).filter(|bytes| bytes.len() == size),
        Repr::Unsigned | Repr::Hex => {
            unsigned(value, size).map(|number| number_bytes(number, encoding.endian, size))
        }
        Repr::Signed => {
            signed(value, size).map(|number| number_bytes(number.cast_unsigned(), encoding.endian, size))
        }
    };
    bytes.ok_or_else(|| ValueError { found: shown(value), expected: expected(encoding.repr, size) })
}

fn text(value: &Value, size: usize) -> Option<Vec<u8>> {
    let mut bytes = unescape(value.as_str()?)?;
    let fits = bytes.len() <= size;
    bytes.resize(size, 0);
    fits.then_some(bytes)
}

fn digits(value: &Value, separators: &[char]) -> Option<Vec<u8>> {
    hex::decode(value.as_str()?.replace(separators, "")).ok()
}

fn unsigned(value: &Value, size: usize) -> Option<u64> {
    let number = match value {
        Value::String(text) => parse(text)?,
        other => other.as_u64()?,
    };
    (number <= u64::MAX >> spare_bits(size)).then_some(number)
}

/// A negative number in two's complement of 64 bits. `0x…` says the bits of the field.
fn signed(value: &Value, size: usize) -> Option<i64> {
    let spare = spare_bits(size);
    let number = match value {
        Value::String(text) if text.starts_with("0x") => {
            let bits = unsigned(value, size)?;
            (bits << spare).cast_signed() >> spare
        }
        Value::String(text) => text.parse().ok()?,
        other => other.as_i64()?,
    };
    (i64::MIN >> spare..=i64::MAX >> spare).contains(&number).then_some(number)
}

/// A decimal number, or hexadecimal with `0x`; no signs.
fn parse(text: &str) -> Option<u64> {
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
    let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    plain.then(|| u64::from_str_radix(digits, radix).ok()).flatten()
}

/// Bits of 64 that a number of so many bytes does not have.
fn spare_bits(size: usize) -> u32 {
    64_u32.saturating_sub(u32::try_from(size).unwrap_or(8).saturating_mul(8)).min(63)
}

/// The low bytes of a number. Those beyond eight are zeros.
fn number_bytes(number: u64, endian: Endian, size: usize) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.resize(size, 0);
    if endian == Endian::Big {
        bytes.reverse();
    }
    bytes
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => format!("'{}'", escape(text.as_bytes())),
        other => other.to_string(),
    };
    match text.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn expected(repr: Repr, size: usize) -> String {
    let spare = spare_bits(size);
    match repr {
        Repr::Text => format!("text of at most {size} bytes, others than printable as \\xNN"),
        Repr::Raw => format!("{} hexadecimal digits", size.saturating_mul(2)),
        Repr::Uuid => format!("{} hexadecimal digits, with : or - between", size.saturating_mul(2)),
        Repr::Unsigned | Repr::Hex => format!("a number up to {0} ({0:#x})", u64::MAX >> spare),
        Repr::Signed => format!("a number from {} to {}", i64::MIN >> spare, i64::MAX >> spare),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::schema::field_value;
    use proptest::prelude::*;
    use serde_json::json;

    fn bytes(value: impl Into<Value>, repr: Repr, size: usize) -> Result<Vec<u8>, String> {
        let encoding = Encoding { repr, endian: Endian::Big };
        field_bytes(&value.into(), encoding, size).map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_taken_as_people_type_them() {
        assert_eq!(bytes("258", Repr::Unsigned, 2), Ok(vec![1, 2]));
        assert_eq!(bytes("0x102", Repr::Unsigned, 4), Ok(vec![0, 0, 1, 2]));
        assert_eq!(bytes(17, Repr::Hex, 1), Ok(vec![17]));
        assert_eq!(bytes("-2", Repr::Signed, 2), Ok(vec![0xff, 0xfe]));
        assert_eq!(bytes("0xfffe", Repr::Signed, 2), Ok(vec![0xff, 0xfe]));
        assert_eq!(bytes("a\\x0ab", Repr::Text, 4), Ok(b"a\nb\0".to_vec()));
        assert_eq!(bytes("00010203-04050607", Repr::Uuid, 8), Ok((0..8).collect()));
        assert_eq!(bytes("ff00", Repr::Raw, 2), Ok(vec![0xff, 0]));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_is_possible() {
        let refused = |value: Value, repr, size| bytes(value, repr, size).unwrap_err();
        assert_eq!(refused(json!("256"), Repr::Unsigned, 1), "is '256', expected a number up to 255 (0xff)");
        assert_eq!(refused(json!(-129), Repr::Signed, 1), "is -129, expected a number from -128 to 127");
        assert_eq!(refused(json!("+1"), Repr::Hex, 8).split(',').next(), Some("is '+1'"));
        assert!(refused(json!("abcde"), Repr::Text, 4).contains("at most 4 bytes"));
        assert!(refused(json!("a\\b"), Repr::Text, 4).contains("'a\\x5cb'"));
        assert_eq!(refused(json!("f"), Repr::Raw, 1), "is 'f', expected 2 hexadecimal digits");
        assert!(refused(json!("x".repeat(100)), Repr::Uuid, 16).contains('…'));
        for wrong in [json!(null), json!(1.5), json!(""), json!("0x"), json!("é")] {
            for repr in [Repr::Unsigned, Repr::Signed, Repr::Hex, Repr::Raw, Repr::Uuid] {
                assert!(bytes(wrong.clone(), repr, 4).is_err(), "{wrong} {repr:?}");
            }
        }
    }

    fn encodings() -> impl Strategy<Value = Encoding> {
        let reprs = [Repr::Unsigned, Repr::Signed, Repr::Hex, Repr::Text, Repr::Uuid, Repr::Raw];
        let repr = proptest::sample::select(reprs.to_vec());
        (repr, any::<bool>())
            .prop_map(|(repr, big)| Encoding { repr, endian: if big { Endian::Big } else { Endian::Little } })
    }

    proptest! {
        #![proptest_config(crate::testing::property(4096))]

        #[test]
        fn every_value_of_a_field_gives_its_bytes_back(
            encoding in encodings(), short in proptest::collection::vec(any::<u8>(), 1..=8),
            long in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            let is_number = matches!(encoding.repr, Repr::Unsigned | Repr::Signed | Repr::Hex);
            let original = if is_number { short } else { [short, long].concat() };
            let value = field_value(&original, encoding.repr, encoding.endian);
            prop_assert_eq!(field_bytes(&value, encoding, original.len()), Ok(original));
        }

        #[test]
        fn no_text_is_too_strange(encoding in encodings(), text: String, size in 0_usize..40) {
            if let Ok(bytes) = field_bytes(&Value::from(text), encoding, size) {
                prop_assert_eq!(bytes.len(), size);
            }
        }
    }
}
