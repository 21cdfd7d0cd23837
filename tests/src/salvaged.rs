//! What a salvage has to come to: damage of members, and by the layout what that leaves of the array; and maps, read.

use crate::random::Random;
use crate::{Fixture, run};
use raid_meta::record::{ArrayMember, ArrayRecord, PlaceMate, PlaceRole};
use raid_meta::units::Sectors;
use raid_table::layout::ArrayMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const SECTOR: usize = 512;

/// A map as the blocks that it has.
///
/// # Panics
/// It is none.
#[must_use]
pub fn blocks(map: &Path) -> Vec<(usize, usize, char)> {
    let number = |text: &str| usize::from_str_radix(text.strip_prefix("0x").unwrap(), 16).unwrap();
    let text = fs::read_to_string(map).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    let block = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (number(words[0]), number(words[1]), words[2].chars().next().unwrap())
    };
    lines.map(block).collect()
}

/// The ranges that a comment of a map names.
///
/// # Panics
/// It is none.
#[must_use]
pub fn marks(map: &Path, word: &str) -> Vec<(usize, usize)> {
    let text = fs::read_to_string(map).unwrap();
    let number = |text: &str| usize::from_str_radix(text.strip_prefix("0x").unwrap(), 16).unwrap();
    let lines =
        text.lines().filter_map(|line| line.strip_prefix("# ")?.strip_prefix(word)?.strip_prefix(' '));
    lines
        .map(|rest| rest.split_once(' ').unwrap())
        .map(|(start, length)| (number(start), number(length)))
        .collect()
}

/// A character for each sector: `+` read, `r` reconstructed, `-` lost.
///
/// # Panics
/// It is no map of that many bytes.
#[must_use]
pub fn sectors(map: &Path, size: usize) -> Vec<char> {
    let mut found = vec![' '; size / SECTOR];
    for (start, length, status) in blocks(map) {
        found[start / SECTOR..(start + length) / SECTOR].fill(status);
    }
    for (start, length) in marks(map, "reconstructed") {
        found[start / SECTOR..(start + length) / SECTOR].fill('r');
    }
    found
}

/// Fails unless what a map has as finished is the content, and the rest zeros.
///
/// # Panics
/// That is not so.
#[track_caller]
pub fn assert_true(content: &[u8], out: &Path, map: &Path, what: &str) {
    let out = fs::read(out).unwrap();
    for (sector, status) in sectors(map, content.len()).into_iter().enumerate() {
        let range = sector * SECTOR..(sector + 1) * SECTOR;
        let is_right = match status {
            '+' | 'r' => out[range.clone()] == content[range],
            _ => out[range].iter().all(|&byte| byte == 0),
        };
        assert!(is_right, "{what}: sector {sector} ({status}) is wrong");
    }
}

/// Fails unless a map says of each sector what it should.
///
/// # Panics
/// That is not so.
#[track_caller]
pub fn assert_is(map: &Path, expected: &[char], what: &str) {
    let found = sectors(map, expected.len() * SECTOR);
    if let Some(sector) = found.iter().zip(expected).position(|(found, expected)| found != expected) {
        let (found, expected) = (found[sector], expected[sector]);
        panic!("{what}: sector {sector}: '{found}', expected '{expected}'");
    }
}

/// The record of the array that a set is.
///
/// # Panics
/// There is none.
#[must_use]
pub fn array(set: &Fixture) -> ArrayRecord {
    let outcome = run("raid-probe").args(&set.disks).outcome().expect_code(0);
    serde_json::from_value(outcome.records_of("array").last().unwrap().clone()).unwrap()
}

/// Sectors of a disk that can not be read, and its map.
pub struct Damage {
    /// For each sector whether it is one.
    pub unreadable: Vec<bool>,
    /// The map.
    pub map: PathBuf,
}

impl Damage {
    /// Makes sectors unreadable: in the map, and by other content in the image.
    ///
    /// # Panics
    /// The image can not be written.
    #[must_use]
    pub fn new(disk: &Path, ranges: &[(usize, usize)]) -> Self {
        Self::new_at(disk, ranges, &disk.with_extension("map"))
    }

    /// As [`Damage::new`], with the map there.
    ///
    /// # Panics
    /// The image can not be written.
    #[must_use]
    pub fn new_at(disk: &Path, ranges: &[(usize, usize)], map: &Path) -> Self {
        let damage = Self { map: map.to_owned(), ..Self::of(disk, ranges) };
        let file = File::options().write(true).open(disk).unwrap();
        let bad = damage.unreadable.iter().enumerate().filter(|(_, bad)| **bad);
        for (sector, _) in bad {
            file.write_all_at(&[0xBA; SECTOR], (sector * SECTOR) as u64).unwrap();
        }
        fs::write(&damage.map, map_text(&damage.unreadable)).unwrap();
        damage
    }

    /// What would be unreadable; the image stays as it is, and nothing is written.
    ///
    /// # Panics
    /// There is no such image.
    #[must_use]
    pub fn of(disk: &Path, ranges: &[(usize, usize)]) -> Self {
        let length = usize::try_from(fs::metadata(disk).unwrap().len()).unwrap() / SECTOR;
        let mut unreadable = vec![false; length];
        for &(start, count) in ranges {
            let end = (start + count).min(length);
            unreadable[start.min(end)..end].fill(true);
        }
        Self { unreadable, map: disk.with_extension("map") }
    }
}

/// The map of a device of which these sectors are unreadable.
fn map_text(unreadable: &[bool]) -> String {
    let mut text = "# a map\n0x0 + 1\n".to_owned();
    let mut at = 0;
    for run in unreadable.chunk_by(|one, next| one == next) {
        let status = if run[0] { '-' } else { '+' };
        text += &format!("0x{:X} 0x{:X} {status}\n", at * SECTOR, run.len() * SECTOR);
        at += run.len();
    }
    text
}

/// Random ranges in the data of a member.
///
/// # Panics
/// The member is empty.
#[must_use]
pub fn random_ranges(random: &mut Random, member: &ArrayMember) -> Vec<(usize, usize)> {
    let (start, length) = (member.offset_sectors.unwrap().0, member.length_sectors.unwrap().0);
    let start = start + member.device_offset_sectors.unwrap().0;
    let many = random.below(9);
    let range = |random: &mut Random| {
        let longest = [8, 300, 5000][usize::try_from(random.below(3)).unwrap()];
        let first = start + random.below(length);
        let count = (1 + random.below(longest)).min(start + length - first);
        (usize::try_from(first).unwrap(), usize::try_from(count).unwrap())
    };
    (0..many).map(|_| range(random)).collect()
}

/// What the layout says of every sector of the array, with these parts of the disks unreadable.
///
/// # Panics
/// The array has no map.
#[must_use]
pub fn expected(array: &ArrayRecord, damages: &[(String, Damage)]) -> Vec<char> {
    let map = ArrayMap::new(array).unwrap();
    let is_readable = |device: &Option<String>, sector: Sectors| {
        let damage = damages.iter().find(|(disk, _)| Some(disk) == device.as_ref());
        let sector = usize::try_from(sector.0).unwrap();
        damage.is_some_and(|(_, damage)| damage.unreadable.get(sector) == Some(&false))
    };
    let state = |sector| {
        let place = map.place(Sectors(sector)).unwrap();
        let mates = |role: fn(PlaceRole) -> bool| place.mates.iter().filter(move |mate| role(mate.role));
        let is_there = |mate: &PlaceMate| is_readable(&mate.device, mate.member_sector);
        let own = is_readable(&place.device, place.member_sector);
        if own || mates(|role| role == PlaceRole::Copy).any(is_there) {
            return '+';
        }
        let lost = 1 + mates(|role| role == PlaceRole::Data).filter(|mate| !is_there(mate)).count();
        let parity = mates(|role| matches!(role, PlaceRole::P | PlaceRole::Q));
        if lost <= parity.filter(|mate| is_there(mate)).count() { 'r' } else { '-' }
    };
    (0..array.size_sectors.0).map(state).collect()
}
