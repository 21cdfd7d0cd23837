//! Which bytes of a device are taken: every byte is in one area at most, whatever a disk says of where its areas are.

use crate::units::Bytes;

/// Ranges that are taken: first byte, and the byte behind the last.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims(Vec<(Bytes, Bytes)>);

impl Claims {
    /// Takes a range, unless a byte of it is taken.
    pub(super) fn take(&mut self, offset: Bytes, length: usize) -> bool {
        let end = offset.saturating_add(Bytes(length as u64));
        let is_free = self.0.iter().all(|(start, behind)| end <= *start || *behind <= offset);
        if is_free {
            self.0.push((offset, end));
        }
        is_free
    }
}

/// Fails where a byte is in two areas.
#[cfg(test)]
pub(super) fn assert_apart(areas: &[crate::model::Area]) {
    let mut claims = Claims::default();
    for area in areas {
        assert!(claims.take(area.offset, area.bytes.len()), "{} at {}", area.role, area.offset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_taken_once() {
        let mut claims = Claims::default();
        assert!(claims.take(Bytes(512), 512));
        for (offset, length, is_free) in [
            (0, 513, false),
            (1023, 1, false),
            (600, 10, false),
            (0, 2000, false),
            (0, 512, true),
            (1024, 1, true),
        ] {
            assert_eq!(claims.take(Bytes(offset), length), is_free, "{offset} {length}");
        }
        assert!(claims.take(Bytes(u64::MAX - 2), 10), "what ends beyond all ends there");
        assert!(!claims.take(Bytes(u64::MAX - 1), 10));
    }
}
