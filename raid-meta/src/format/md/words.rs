//! Numbers of md in words, for the meanings of fields.

use crate::format::time;
use crate::format::words::bytes;
use crate::geometry::{Level, ParityLayout, Raid10Layout};
use crate::units::SECTOR_BYTES;

/// Named bits of a word; bits without a name as a number.
pub(super) fn flags(word: u32, names: &[(u32, &str)]) -> Option<String> {
    let mut words: Vec<String> =
        names.iter().filter(|(bit, _)| word & bit != 0).map(|(_, name)| (*name).to_owned()).collect();
    let unknown = names.iter().fold(word, |rest, (bit, _)| rest & !bit);
    if unknown != 0 {
        words.push(format!("unknown {unknown:#x}"));
    }
    (!words.is_empty()).then(|| words.join(", "))
}

/// The level of md's number, for the levels that can be mapped.
pub(super) fn level(number: i32) -> Option<Level> {
    match number {
        -1 => Some(Level::Linear),
        0 => Some(Level::Raid0),
        1 => Some(Level::Raid1),
        4 => Some(Level::Raid4),
        5 => Some(Level::Raid5),
        6 => Some(Level::Raid6),
        10 => Some(Level::Raid10),
        _ => None,
    }
}

/// md's number of a level.
pub(super) fn level_number(level: Level) -> i32 {
    match level {
        Level::Linear => -1,
        Level::Raid0 => 0,
        Level::Raid1 => 1,
        Level::Raid4 => 4,
        Level::Raid5 => 5,
        Level::Raid6 => 6,
        Level::Raid10 => 10,
    }
}

/// Any level's name.
pub(super) fn level_name(number: i32) -> String {
    match (level(number), number) {
        (Some(level), _) => level.name().to_owned(),
        (None, -4) => "multipath".to_owned(),
        (None, -5) => "faulty (a test personality)".to_owned(),
        (None, _) => "unknown level".to_owned(),
    }
}

/// A layout word in the words of its level.
pub(super) fn layout(level_number: i32, word: u32, raid0_recorded: bool) -> Option<String> {
    let unknown = || "unknown layout".to_owned();
    match level(level_number)? {
        Level::Linear | Level::Raid1 => None,
        Level::Raid0 if !raid0_recorded => Some("not recorded".to_owned()),
        Level::Raid0 => Some(match word {
            1 => "original".to_owned(),
            2 => "alternate".to_owned(),
            _ => unknown(),
        }),
        Level::Raid4 => Some("parity-last, as always at this level".to_owned()),
        Level::Raid5 | Level::Raid6 => {
            Some(ParityLayout::from_md(word).map_or_else(unknown, |layout| layout.name().to_owned()))
        }
        Level::Raid10 => Some(Raid10Layout::from_md(word).map_or_else(unknown, |layout| layout.to_string())),
    }
}

/// A time of 1.x: 40 bits of seconds, 24 bits of microseconds.
pub(super) fn time_1x(value: u64) -> Option<String> {
    let micros = value >> 40;
    let text = time::utc(seconds_1x(value))?;
    match (value, micros) {
        (0, _) => None,
        (_, 0) => Some(text),
        _ => Some(format!("{}.{micros:06}Z", text.trim_end_matches('Z'))),
    }
}

/// The seconds of a time of 1.x.
pub(super) fn seconds_1x(value: u64) -> u64 {
    value & ((1 << 40) - 1)
}

/// A time of 0.90.
pub(super) fn time_0x(seconds: u32) -> Option<String> {
    if seconds == 0 { None } else { time::utc(u64::from(seconds)) }
}

/// A length in sectors as bytes in the largest unit that divides it.
pub(super) fn sectors(count: u64) -> Option<String> {
    count.checked_mul(SECTOR_BYTES).and_then(bytes)
}

/// A length in KiB.
pub(super) fn kib(count: u64) -> Option<String> {
    count.checked_mul(1024).and_then(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_bits_are_named_by_their_number() {
        assert_eq!(flags(0, &[(1, "clean")]), None);
        assert_eq!(flags(0x101, &[(1, "clean"), (2, "errors")]).as_deref(), Some("clean, unknown 0x100"));
    }

    #[test]
    fn sizes_are_exact() {
        assert_eq!(sectors(47104).as_deref(), Some("23 MiB"));
        assert_eq!(sectors(47105).as_deref(), Some("24117760 bytes"));
        assert_eq!(sectors(u64::MAX), None);
        assert_eq!(kib(24512).as_deref(), Some("24512 KiB"));
    }

    #[test]
    fn the_microseconds_of_a_time_are_shown_when_there_are_any() {
        assert_eq!(time_1x(0x6b00_ebde).as_deref(), Some("2026-11-21T00:54:54Z"));
        assert_eq!(time_1x(0x6b00_ebde | 5 << 40).as_deref(), Some("2026-11-21T00:54:54.000005Z"));
        assert_eq!(time_1x(0), None);
    }
}
