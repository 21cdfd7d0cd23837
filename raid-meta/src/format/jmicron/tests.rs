//! Nothing is lost, nothing is believed, and what is made is understood.

use super::block::{Block, Head, attribute, mode};
use super::*;
use crate::format::create::NewSet;
use crate::format::schema::DiskStruct;
use crate::format::vendor::testing::*;
use crate::geometry::Level;
use crate::record::{Health, MemberState, Role};
use crate::testing::property;
use proptest::prelude::*;

/// The mirror of the published example.
fn example() -> Block {
    let mut name = [0; 16];
    name[..2].copy_from_slice(b"R1");
    let head = Head {
        signature: *b"JM",
        version: 1,
        identity: 0x10,
        segment_range: 0x12a1,
        segment_range2: 0x9e00,
        name,
        mode: mode::RAID1,
        block: 7,
        attribute: 3,
        ..DiskStruct::zeroed()
    };
    Block {
        head,
        spares: vec![0, 0],
        members: vec![0x10, 0x20, 0, 0, 0, 0, 0, 0],
        filler2: vec![0; 32],
        tail: vec![0; 384],
    }
}

const SECTORS: u64 = 312_581_808;

fn disk_of(number: usize, block: &Block, residue: u16) -> Device {
    let mut block = block.clone();
    block.head.checksum = block.computed_checksum(residue);
    disk_with(number, SECTORS, &[(Bytes((SECTORS - 1) * 512), &block.encode())])
}

fn disk_that(number: usize, change: impl Fn(&mut Block)) -> Device {
    let mut block = example();
    block.head.identity = block.members[number];
    change(&mut block);
    disk_of(number, &block, 0)
}

fn pair_that(change: impl Fn(&mut Block) + Copy) -> Vec<Device> {
    (0..2).map(|number| disk_that(number, change)).collect()
}

fn check_codes(change: impl Fn(&mut Block)) -> Vec<String> {
    let device = disk_that(0, change);
    metadata(&Jmicron, &device).check().into_iter().map(|problem| problem.code).collect()
}

#[test]
fn the_published_example_has_its_checksum() {
    assert_eq!(example().computed_checksum(0), 0xc97e);
    assert_eq!(Block::decode(&example().encode()).unwrap(), example());
    let array = array(&Jmicron, &pair_that(|_| {}));
    assert_eq!((array.name.as_str(), array.size_sectors), ("jmicron_R1", Sectors(312_581_632)));
}

#[test]
fn a_sum_of_one_is_right_too_and_stays() {
    let device = disk_of(0, &example(), 1);
    let metadata = metadata(&Jmicron, &device);
    assert_eq!(metadata.check(), []);
    let mut areas = metadata.areas();
    areas[0].bytes[0x31] = 6;
    metadata.seal(&mut areas);
    assert_eq!(Block::decode(&areas[0].bytes).unwrap().residue(), 1);
    let two = find(&Jmicron, &disk_of(0, &example(), 2)).unwrap();
    assert_eq!(codes(&two.problems), ["checksum"]);
}

#[test]
fn new_sets_of_all_levels_are_what_was_asked_for() {
    let cases =
        [(Level::Linear, 1..=3), (Level::Raid0, 1..=8), (Level::Raid1, 2..=2), (Level::Raid10, 4..=8)];
    for (level, counts) in cases {
        for count in counts.filter(|count| level != Level::Raid10 || count % 2 == 0) {
            for chunk in [None, Some(16)] {
                let array = assert_set_works(&Jmicron, &wanted(level, count, chunk));
                assert_eq!(array.size_sectors, capacity(&array));
                assert_eq!((array.volume.as_deref(), array.name.as_str()), (Some("data1"), "jmicron_data1"));
            }
        }
    }
}

#[test]
fn a_raid5_is_made_and_read_with_a_warning() {
    let array = array(&Jmicron, &created(&Jmicron, &wanted(Level::Raid5, 4, None)));
    assert_eq!(array.health, Health::Optimal);
    assert_eq!(array.layout.unwrap().to_string(), "left-asymmetric");
    assert_eq!(codes(&array.problems), ["parity-layout"]);
    assert_eq!(array.size_sectors, capacity(&array));
}

#[test]
fn disks_of_a_jbod_can_differ() {
    let mut set = wanted(Level::Linear, 2, None);
    set.disks.extend(blank(1, 5000));
    let array = array(&Jmicron, &created(&Jmicron, &set));
    assert_eq!(array.size_sectors, Sectors(2 * (DISK - 1) + 4999));
}

#[test]
fn redundancy_that_was_never_computed_is_recorded() {
    let set = NewSet { in_sync: false, ..wanted(Level::Raid1, 2, None) };
    let array = array(&Jmicron, &created(&Jmicron, &set));
    assert_eq!((array.health, array.dirty), (Health::Inconsistent, Some(true)));
    assert_eq!(array.resync_position_sectors, Some(Sectors(0)));
}

#[test]
fn a_spare_is_a_spare_and_a_stranger_is_none() {
    let set = NewSet { spares: blank(2, DISK), ..wanted(Level::Raid1, 2, None) };
    let array = array(&Jmicron, &created(&Jmicron, &set));
    assert_eq!((array.health, array.spares.len()), (Health::Optimal, 2));
    let stranger = disk_that(0, |block| block.head.identity = 0x90);
    let metadata = metadata(&Jmicron, &stranger);
    assert_eq!(codes(&metadata.check()), ["foreign"]);
    assert_eq!(metadata.view(&stranger).role, Role::Foreign);
}

#[test]
fn a_member_that_is_listed_as_missing_is_missing() {
    let array = array(&Jmicron, &[disk_that(0, |block| block.members[1] = u32::MAX)]);
    assert_eq!((array.health, array.slots), (Health::Degraded, 2));
    assert_eq!(array.members[1].state, MemberState::Missing);
}

#[test]
fn the_member_without_the_flag_is_not_current_while_others_have_it() {
    let mut devices = pair_that(|block| block.head.attribute |= attribute::BAD);
    devices[0] = disk_that(0, |_| {});
    let array = array(&Jmicron, &devices);
    assert_eq!(array.health, Health::Degraded);
    assert_eq!(array.members[0].state, MemberState::Stale);
    assert_eq!(codes(&array.problems)[0], "member-bad");
}

#[test]
fn one_member_that_is_not_synchronized_makes_the_array_dirty() {
    let mut devices = pair_that(|_| {});
    devices[1] = disk_that(1, |block| block.head.attribute |= attribute::UNSYNCHRONIZED);
    assert_eq!(array(&Jmicron, &devices).dirty, Some(true));
}

#[test]
fn the_unit_of_the_base_is_what_fits() {
    let offset = |base: u32, range: u32| {
        let device = disk_that(0, |block| {
            block.head.segment_base = base;
            block.head.segment_range = range;
        });
        let metadata = metadata(&Jmicron, &device);
        let own = metadata.view(&device).volumes[0].own.clone().unwrap();
        assert!(codes(&metadata.check()).contains(&"disputed-offset"));
        own.offset
    };
    assert_eq!(offset(63, 0x100), Sectors(63 * 16));
    assert_eq!(offset(170, 0x12a1), Sectors(170));
}

#[test]
fn what_contradicts_itself_is_told() {
    let none: [&str; 0] = [];
    assert_eq!(check_codes(|_| {}), none);
    assert_eq!(check_codes(|block| block.head.version = 0x101), ["version"]);
    assert_eq!(check_codes(|block| block.head.mode = 4), ["unsupported-level"]);
    assert_eq!(check_codes(|block| block.head.mode = 77), ["unsupported-level"]);
    assert_eq!(check_codes(|block| block.head.mode = mode::RAID01), ["member-count"]);
    assert_eq!(check_codes(|block| block.head.mode = mode::RAID5), ["parity-layout", "member-count"]);
    assert_eq!(check_codes(|block| block.members[3] = 0x40), ["member-list", "member-count"]);
    assert_eq!(check_codes(|block| block.members[1] = 0x11), ["member-list"]);
    assert_eq!(check_codes(|block| block.members[0] = u32::MAX), ["foreign"]);
    assert_eq!(check_codes(|block| block.head.block = 15), ["chunk"]);
    assert_eq!(check_codes(|block| block.head.segment_range = u32::MAX), ["device-too-small"]);
    assert_eq!(
        check_codes(|block| (block.head.segment_range, block.head.segment_range2) = (0, 0)),
        ["array-size"]
    );
}

#[test]
fn two_letters_alone_are_no_find() {
    let mut sector = [0; 512];
    sector[..2].copy_from_slice(b"JM");
    assert!(find(&Jmicron, &disk_with(0, 9, &[(Bytes(8 * 512), &sector)])).is_none());
    let text = b"JM is how this text begins, which has no checksum and nothing that is plausible".repeat(6);
    assert!(find(&Jmicron, &disk_with(0, 9, &[(Bytes(8 * 512), &text)])).is_none());
}

#[test]
fn every_byte_is_covered_by_the_checksum_or_by_a_field() {
    assert_every_byte_counts(&Jmicron, &disk_that(0, |_| {}));
    assert_every_byte_counts(&Jmicron, &disk_of(0, &example(), 1));
}

#[test]
fn hostile_names_are_escaped_and_end_where_they_end() {
    let named = |name: &[u8; 16]| {
        let device = disk_that(0, |block| block.head.name = *name);
        let view = metadata(&Jmicron, &device).view(&device);
        (view.set_name.unwrap_or_default(), view.volumes[0].dm_name.clone())
    };
    assert_eq!(named(b"raid0\0Size\0ror)\0"), ("raid0".to_owned(), "jmicron_raid0".to_owned()));
    assert_eq!(named(b"ABCDEFGHIJKLMNOP").1, "jmicron_ABCDEFGHIJKLMNOP");
    assert_eq!(named(b"mine            ").1, "jmicron_mine");
    let (name, dm_name) = named(b"\n\x1b[2J;$(a)/\xff\\xxx");
    assert_eq!(name, "\\x0a\\x1b[2J;$(a)/\\xff\\x5cxxx");
    assert_eq!(dm_name, "jmicron____2J___a____xxx");
}

#[test]
fn devices_of_any_size_are_read_within_their_end() {
    for sectors in [0, 1, 2] {
        assert!(find(&Jmicron, &disk_with(0, sectors, &[])).is_none());
    }
}

#[test]
fn a_disk_inside_something_larger_is_found_where_it_ends() {
    let mut block = example();
    (block.head.segment_range, block.head.segment_range2) = (0, 16_000);
    block.head.checksum = block.computed_checksum(0);
    let end = (5 << 20) + 16_001 * 512;
    let device = disk_with(0, 100_000, &[(Bytes(end - 512), &block.encode())]);
    let windows = Jmicron.windows(&device, Bytes(end - 512)).unwrap();
    assert_eq!(windows[0].offset, Bytes(5 << 20));
    for window in windows {
        let part = device.window(window.offset, window.length).unwrap();
        assert!(find(&Jmicron, &part).is_some());
    }
    assert_eq!(Jmicron.windows(&device, Bytes(0)).unwrap(), []);
}

proptest! {
    #![proptest_config(property(2000))]

    #[test]
    fn noise_is_harmless(noise in prop::collection::vec(any::<u8>(), 512), at in 2..512_usize) {
        assert_noise_is_harmless(&Jmicron, &disk_that(0, |_| {}), at, &noise);
    }
}
