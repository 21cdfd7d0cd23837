//! What formats say of the values of their fields in the same words.

use serde_json::Value;

/// Bits of a field with their names.
pub(super) type Bits = &'static [(u64, &'static str)];

/// A number, whether it is shown in decimal or hexadecimal digits.
pub(super) fn number(value: &Value) -> Option<u64> {
    let hex = || u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok();
    value.as_u64().or_else(hex)
}

/// The names of the bits that are set; unknown bits as a number.
pub(super) fn bits(value: &Value, names: Bits) -> Option<String> {
    let set = number(value)?;
    let known = names.iter().filter(|(bit, _)| set & bit != 0);
    let mut words: Vec<String> = known.map(|(_, name)| (*name).to_owned()).collect();
    let unknown = names.iter().fold(set, |rest, (bit, _)| rest & !bit);
    if unknown != 0 {
        words.push(format!("{unknown:#x}"));
    }
    (!words.is_empty()).then(|| words.join(" "))
}

/// A length in bytes in the largest unit that divides it; none for nothing.
pub(super) fn bytes(count: u64) -> Option<String> {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let fitting = units.iter().find(|(_, shift)| count.trailing_zeros() >= *shift);
    match (count, fitting) {
        (0, _) => None,
        (_, Some((unit, shift))) => Some(format!("{} {unit}", count >> shift)),
        (_, None) => Some(format!("{count} bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_have_names_and_unknown_bits_stay_visible() {
        let text = |set: &str| bits(&set.into(), &[(0x2, "RAID1"), (0x8000_0000, "CHECKSUM_VERIFY")]);
        assert_eq!(text("0x80000002").as_deref(), Some("RAID1 CHECKSUM_VERIFY"));
        assert_eq!(text("0x00000100").as_deref(), Some("0x100"));
        assert_eq!(text("0x00000000"), None);
    }

    #[test]
    fn sizes_use_the_largest_whole_unit() {
        assert_eq!(bytes(1 << 20).as_deref(), Some("1 MiB"));
        assert_eq!(bytes(65_536).as_deref(), Some("64 KiB"));
        assert_eq!(bytes(513).as_deref(), Some("513 bytes"));
        assert_eq!(bytes(0), None);
    }
}
