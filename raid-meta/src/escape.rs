//! Text from a disk is hostile: everything that is not plain printable text becomes `\xNN`.
//!
//! The escape is reversible: a backslash is escaped too, so [`unescape`] gives the original bytes back.
//! Paths go through the same pair, so that a record can name any file.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// Printable text for bytes: ASCII from space to tilde as it is, valid UTF-8 letters as they are, a
/// backslash, a control character and everything else as `\xNN`.
#[must_use]
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_plain(character) {
                text.push(character);
            } else {
                escape_bytes(character.encode_utf8(&mut [0; 4]).as_bytes(), &mut text);
            }
        }
        escape_bytes(chunk.invalid(), &mut text);
    }
    text
}

/// Letters and digits of any script, and printable ASCII without the backslash. Other scripts' controls,
/// marks and directional overrides can change what a terminal shows.
fn is_plain(character: char) -> bool {
    match character {
        ' '..='~' => character != '\\',
        _ => character.is_alphanumeric(),
    }
}

fn escape_bytes(bytes: &[u8], text: &mut String) {
    for byte in bytes {
        // Writing to a String does not fail.
        let _ = write!(text, "\\x{byte:02x}");
    }
}

/// The bytes that [`escape`] was given; none when the text has a backslash that is not `\xNN`.
#[must_use]
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let digits = escaped.strip_prefix('x')?.get(..2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = escaped.get(3..)?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(bytes)
}

/// [`escape`] without the trailing NULs, for fixed-width fields.
#[must_use]
pub fn escape_padded(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    escape(bytes.get(..end).unwrap_or_default())
}

/// A path as text for a record or a message.
#[must_use]
pub fn path_to_text(path: &Path) -> String {
    escape(path.as_os_str().as_bytes())
}

/// The path that a record names. Text that is no valid escape is taken literally: people write records by
/// hand.
#[must_use]
pub fn text_to_path(text: &str) -> PathBuf {
    match unescape(text) {
        Some(bytes) => PathBuf::from(std::ffi::OsString::from_vec(bytes)),
        None => PathBuf::from(OsStr::new(text)),
    }
}

/// A name that device-mapper accepts without mangling and a shell needs no quotes for: letters, digits and
/// `_ . + -` stay, every other byte becomes `_`.
#[must_use]
pub fn dm_name(text: &[u8]) -> String {
    text.iter()
        .map(|&byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'+' | b'-' => char::from(byte),
            _ => '_',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_text_is_visible_and_harmless() {
        assert_eq!(escape(b"vol0"), "vol0");
        assert_eq!(escape(b"a\nb\x1b[31m\xff\\"), "a\\x0ab\\x1b[31m\\xff\\x5c");
        assert_eq!(escape("gr\u{fc}n\u{202e}".as_bytes()), "gr\u{fc}n\\xe2\\x80\\xae");
        assert_eq!(escape_padded(b"name\0\0"), "name");
        assert_eq!(escape_padded(b"na\0me\0"), "na\\x00me");
    }

    proptest! {
        #[test]
        fn escaping_loses_nothing(bytes: Vec<u8>) {
            prop_assert_eq!(unescape(&escape(&bytes)), Some(bytes));
        }
    }
}
