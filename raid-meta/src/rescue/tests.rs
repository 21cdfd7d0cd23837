//! Maps as ddrescue writes them, and maps that nobody should.

use super::*;
use crate::units::Sectors;
use proptest::prelude::*;

/// Written by ddrescue 1.27.
const REAL: &str = "\
# Mapfile. Created by GNU ddrescue version 1.27
# Command line: ddrescue -n disk.img copy.img copy.map
# Start time:   2026-01-02 03:04:05
# Finished
# current_pos  current_status  current_pass
0x00010000     +               1
#      pos        size  status
0x00000000  0x00010000  +
0x00010000  0x00000200  -
0x00010200  0x00001E00  /
0x00012000  0x000EE000  +
";

fn blocks(text: &str) -> Result<Vec<(u64, u64, char)>, String> {
    let mut found = Vec::new();
    let read = read_map("m", text.as_bytes(), |line| {
        if let Line::Block(block) = line {
            found.push((block.start.0, block.length.0, block.status.symbol()));
        }
        Ok(())
    });
    read.map(|()| found).map_err(|error| error.to_string())
}

fn readable(text: &str) -> Readable {
    Readable::read("m", text.as_bytes(), 100).unwrap()
}

#[test]
fn a_map_of_ddrescue_is_read() {
    let expected =
        [(0, 0x10000, '+'), (0x10000, 0x200, '-'), (0x10200, 0x1e00, '/'), (0x12000, 0xee000, '+')];
    assert_eq!(blocks(REAL).unwrap(), expected);
    let map = readable(REAL);
    assert_eq!(map.ranges(), 2);
    assert_eq!(map.total(), Sectors(0x80 + 0x770));
    assert_eq!(map.at(Sectors(0)), (true, Sectors(0x80)));
    assert_eq!(map.at(Sectors(0x80)), (false, Sectors(0x10)));
    assert_eq!(map.at(Sectors(0x90)), (true, Sectors(0x770)));
    assert!(!map.at(Sectors(0x800)).0, "what the map does not mention was not read");
}

#[test]
fn numbers_are_as_in_c_and_the_pass_may_be_left_out() {
    assert_eq!(blocks("0 ?\n0 512 +\n01000 0X200 -\n").unwrap(), [(0, 512, '+'), (512, 512, '-')]);
}

#[test]
fn a_sector_of_which_a_byte_was_not_read_was_not_read() {
    let map = readable("0 +\n0 511 +\n511 1 -\n512 100 +\n612 1024 +\n1636 1 ?\n");
    assert_eq!(map.at(Sectors(0)), (false, Sectors(1)));
    assert_eq!(map.at(Sectors(1)), (true, Sectors(2)));
    assert!(!map.at(Sectors(3)).0);
}

#[test]
fn what_is_no_map_is_refused_with_its_line() {
    let cases = [
        ("", "m: is no map file: no status line"),
        ("# only a comment\n", "m: is no map file"),
        ("GARBAGE\n", "m: line 1: found \"GARBAGE\", expected \"POSITION STATUS [PASS]\""),
        ("0 +\n0 512\n", "m: line 2: found \"0 512\", expected \"POSITION SIZE STATUS\""),
        ("0 +\n0 512 x\n", "m: line 2: found \"0 512 x\""),
        ("0 +\n0 512 + +\n", "m: line 2"),
        ("0 +\n-1 512 +\n", "m: line 2"),
        ("0 +\n0 09 +\n", "m: line 2"),
        ("0 +\n\n0 0 +\n", "m: line 3: the block at 0x0 is empty"),
        ("0 +\n0 1024 +\n512 512 -\n", "m: line 3: the block at 0x200 begins before the end"),
        ("0 +\n1024 512 +\n0 512 -\n", "m: line 3: the block at 0x0 begins before the end"),
        (
            "0 +\n0x7fffffffffffffff 1 +\n",
            "m: line 2: a block of 0x1 bytes at 0x7fffffffffffffff ends beyond",
        ),
        ("0 +\n0x8000000000000000 1 +\n", "m: line 2"),
        ("0 +\n0xffffffffffffffffffff 1 +\n", "m: line 2"),
        ("0 \x1b[2J\n", "m: line 1: found \"0 \\x1b[2J\""),
    ];
    for (text, expected) in cases {
        let message = blocks(text).unwrap_err();
        assert!(message.starts_with(expected), "{text:?}: {message}");
    }
    let long = format!("0 +\n{}\n", "0".repeat(MAX_LINE + 1));
    assert_eq!(blocks(&long).unwrap_err(), "m: line 2: longer than 1024 bytes, and no comment");
    assert!(blocks(&format!("#{}\n0 +\n", "x".repeat(1 << 20))).is_ok(), "a comment may be long");
}

#[test]
fn more_ranges_than_are_wanted_are_refused_and_none_of_the_rest_is_kept() {
    let mut text = "0 +\n".to_owned();
    for number in 0..2000 {
        text += &format!("{} 512 {}\n", number * 512, if number % 2 == 0 { '+' } else { '-' });
    }
    let message = Readable::read("m", text.as_bytes(), 100).unwrap_err().to_string();
    assert!(
        message.starts_with("m: line 2") && message.contains("more than 100 separate ranges"),
        "{message}"
    );
}

proptest! {
    #[test]
    fn no_text_does_more_than_fail(text in "[0-9x+?*/#\\- \\n]{0,200}") {
        let _ = blocks(&text);
        let _ = Readable::read("m", text.as_bytes(), 10);
    }

    #[test]
    fn a_sector_is_readable_where_every_byte_of_it_is_finished(
        lengths in proptest::collection::vec((1u64..2000, 0usize..5), 1..40),
    ) {
        let statuses = ['+', '?', '*', '/', '-'];
        let mut text = "0x0 + 1\n".to_owned();
        let mut bytes = Vec::new();
        for &(length, status) in &lengths {
            text += &format!("{:#x} {length:#x} {}\n", bytes.len(), statuses[status]);
            bytes.extend(std::iter::repeat_n(status == 0, usize::try_from(length).unwrap()));
        }
        let map = readable(&text);
        for sector in 0..bytes.len().div_ceil(512) + 2 {
            let own = bytes.get(sector * 512..(sector + 1) * 512);
            let expected = own.is_some_and(|own| own.iter().all(|&read| read));
            prop_assert_eq!(map.at(Sectors(sector as u64)).0, expected);
        }
    }
}

proptest! {
    #[test]
    fn what_either_map_has_both_together_have(
        parts in proptest::collection::vec((0u64..40, 1u64..9, any::<bool>()), 0..20),
    ) {
        let map = |wanted| {
            let (mut text, mut at) = ("0 +\n".to_owned(), 0);
            for &(gap, length, _) in parts.iter().filter(|part| part.2 == wanted) {
                text += &format!("{} {} +\n", (at + gap) * 512, length * 512);
                at += gap + length;
            }
            readable(&text)
        };
        let (one, other) = (map(true), map(false));
        let both = one.or(&other);
        prop_assert_eq!(&both, &other.or(&one));
        for sector in (0..1000).map(Sectors) {
            prop_assert_eq!(both.at(sector).0, one.at(sector).0 || other.at(sector).0);
        }
        prop_assert_eq!(both.total(), Sectors((0..1000).map(Sectors).filter(|sector| both.at(*sector).0).count() as u64));
    }
}
