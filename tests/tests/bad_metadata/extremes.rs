//! Every field of every format at its extremes: its checksum left wrong, and made right; alone, and among the
//! other disks of the set.

use crate::memory::bounded;
use raid_tests::forge::{MdSet, mend};
use raid_tests::random::Random;
use raid_tests::sparse::SparseDisk;
use raid_tests::whole::{Disks, Place, fields};
use raid_tests::{Fixture, long};
use std::collections::BTreeSet;

/// Of how many cases one is tried, unless all are.
const SAMPLE: u64 = 24;

#[test]
fn no_field_at_its_extremes_breaks_anything() {
    for name in Fixture::carried_names() {
        let set = Disks::load(&Fixture::open(&name).unwrap());
        try_set(&name, &set);
    }
}

#[test]
fn no_field_of_a_made_superblock_at_its_extremes_breaks_anything() {
    let set = MdSet { number: 1, device_bytes: 8 << 20 };
    let made = [
        ("1.0", set.version_1(0)),
        ("1.1", set.version_1(1)),
        ("1.2", set.version_1(2)),
        ("1.2 with bitmap and bad blocks", set.with_bitmap_and_bad_blocks()),
        ("0.90", set.version_0(false)),
        ("0.90 big-endian", set.version_0(true)),
    ];
    for (name, (at, block)) in made {
        try_set(name, &Disks::one(SparseDisk::blank(set.device_bytes).with(at, block)));
    }
}

fn try_set(name: &str, set: &Disks) {
    let mut random = Random::new(5);
    let mut seen = BTreeSet::new();
    for (index, disk) in set.0.iter().enumerate() {
        for (format, start, places) in fields(&set.only(index).probe()) {
            for place in &places {
                // The fields of the first disk, and those that only another has.
                if !seen.insert((place.name.clone(), place.size)) || !is_wanted(place) {
                    continue;
                }
                for value in extremes(&disk.content, place) {
                    if !long() && random.below(SAMPLE) > 0 {
                        continue;
                    }
                    let wrong = disk.content.clone().with(place.offset, value.clone());
                    let mended = mend(format, wrong.clone(), start);
                    for (sum, content) in [("bad", wrong), ("good", mended)] {
                        let what =
                            || format!("{name}: disk {index}: {} = {value:02x?}, checksum {sum}", place.name);
                        let changed = set.with(index, content);
                        bounded(what, || changed.only(index).walk());
                        bounded(what, || changed.walk());
                    }
                }
            }
        }
    }
}

/// Of long tables, the first entries and the last ones of a power of ten.
fn is_wanted(place: &Place) -> bool {
    let number = place.name.split_once('[').and_then(|(_, rest)| rest.split(']').next()?.parse::<u32>().ok());
    number.is_none_or(|number| number < 4 || number % 10 == 7)
}

/// Nothing, one, the most, one less, the most of a signed number, its least, and what makes text hostile.
fn extremes(disk: &SparseDisk, place: &Place) -> Vec<Vec<u8>> {
    let size = place.size;
    let number = |low: u8, middle: u8, high: u8| {
        let mut little = vec![middle; size];
        little[0] = low;
        if size > 1 {
            little[size - 1] = high;
        }
        let big = little.iter().rev().copied().collect();
        [little, big]
    };
    let mut values = vec![
        vec![0; size],
        vec![0xff; size],
        b"'\n\x1b[2J$(x)/.. ".iter().copied().cycle().take(size).collect(),
    ];
    values.extend(number(1, 0, 0));
    values.extend(number(0xfe, 0xff, 0xff));
    values.extend(number(0xff, 0xff, 0x7f));
    values.extend(number(0, 0, 0x80));
    values.sort();
    values.dedup();
    values.retain(|value| *value != disk.bytes(place.offset, size));
    values
}
