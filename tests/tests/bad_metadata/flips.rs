//! Raw damage: bytes flipped and images cut. What is read is right, or it is refused.

use crate::memory::bounded;
use raid_meta::probe::Probe;
use raid_meta::units::Bytes;
use raid_tests::random::Random;
use raid_tests::whole::{Disks, areas};
use raid_tests::{Fixture, long};

/// Of how many bytes one is flipped, unless all are.
const SAMPLE: u64 = 150;
/// Flips of one disk, unless all bytes are tried: some formats keep much that is empty.
const MOST_FLIPS: u64 = 30;
/// What is read for each flip: a block of 4 KiB in each of these.
const STRIDE: u64 = 64 << 10;

/// Reads here and there, and fails where what is read is not what was written. Refusals are right. Returns whether anything
/// was read.
fn read_is_right(set: &Disks, found: &Probe, expected: &[u8], what: &dyn Fn() -> String) -> bool {
    let mut buffer = vec![0; 4096];
    let mut any = false;
    // What an array consists of holds pieces of the pattern, or none of it.
    let is_part = |name: &str| {
        let uses = |name: &str, used: &Option<String>| used.as_deref() == Some(name);
        let members = found.arrays.iter().flat_map(|array| &array.members);
        members.into_iter().any(|member| uses(name, &member.array) || uses(name, &member.metadata_array))
    };
    for array in found.arrays.iter().filter(|array| !is_part(&array.name)) {
        let Ok(volume) = set.open(array, &found.arrays) else { continue };
        let size = volume.size().to_bytes().unwrap_or(Bytes::MAX).0.min(1 << 40);
        for window in 0..size.div_ceil(STRIDE).min(1 << 14) {
            // Another block of each window, so that all places in a chunk are seen.
            let at = (window * STRIDE + window * 4096 % STRIDE).min(size.saturating_sub(4096));
            let length = usize::try_from(size.min(4096)).unwrap();
            if volume.read(Bytes(at), &mut buffer[..length]).is_err() {
                continue;
            }
            any = true;
            let from = usize::try_from(at).unwrap();
            let right = expected.get(from..from + length);
            assert!(right == Some(&buffer[..length]), "{}: {}: wrong bytes at {at}", what(), array.name);
        }
    }
    any
}

#[test]
fn a_byte_flipped_in_the_metadata_never_makes_read_give_wrong_bytes() {
    for name in Fixture::carried_names() {
        let fixture = Fixture::open(&name).unwrap();
        let (set, expected) = (Disks::load(&fixture), fixture.content());
        let whole = set.walk();
        assert!(read_is_right(&set, &whole, &expected, &|| name.clone()), "{name}: nothing can be read");
        let mut random = Random::new(11);
        for (index, disk) in set.0.iter().enumerate() {
            let areas = areas(&set.only(index).probe());
            let bytes: u64 = areas.iter().map(|(_, length)| length).sum();
            let sample = SAMPLE.max(bytes / MOST_FLIPS);
            for (start, length) in areas {
                for at in start..start + length {
                    if !long() && random.below(sample) > 0 {
                        continue;
                    }
                    let flip = u8::try_from(random.below(255) + 1).unwrap();
                    let byte = disk.content.bytes(at, 1)[0] ^ flip;
                    let damaged = set.with(index, disk.content.clone().with(at, [byte]));
                    let what = || format!("{name}: disk {index}: byte {at} flipped by {flip:#04x}");
                    bounded(what, || {
                        let found = damaged.walk();
                        read_is_right(&damaged, &found, &expected, &what);
                    });
                }
            }
        }
    }
}

#[test]
fn an_image_cut_anywhere_never_makes_read_give_wrong_bytes() {
    for name in Fixture::carried_names() {
        let fixture = Fixture::open(&name).unwrap();
        let (set, expected) = (Disks::load(&fixture), fixture.content());
        let mut random = Random::new(13);
        for (index, disk) in set.0.iter().enumerate() {
            let size = disk.content.len();
            let mut lengths = vec![0, 1, 511, size - 1, size + 1, size + 512];
            for (start, length) in areas(&set.only(index).probe()) {
                let first = start.saturating_sub(4096) / 512;
                lengths.extend((first..(start + length + 4096).min(size) / 512).map(|sector| sector * 512));
            }
            for length in lengths {
                if !long() && random.below(6) > 0 {
                    continue;
                }
                let cut = set.with(index, disk.content.clone().resized(length));
                let what = || format!("{name}: disk {index}: cut to {length} bytes");
                bounded(what, || {
                    let found = cut.walk();
                    read_is_right(&cut, &found, &expected, &what);
                });
            }
        }
    }
}
