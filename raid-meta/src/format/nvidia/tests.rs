//! Nothing is lost, nothing is believed, and what is made is understood.

use super::block::{Array, Block, Unit, job, level};
use super::*;
use crate::format::create::NewSet;
use crate::format::schema::DiskStruct;
use crate::format::vendor::testing::*;
use crate::geometry::Level;
use crate::record::{Health, MemberState, Role};
use crate::testing::property;
use crate::units::Slot;
use proptest::prelude::*;

/// A stripe of two disks as in the published example.
fn example() -> Block {
    let unit = Unit {
        vendor: *VENDOR,
        size: 30,
        version: 100,
        reserved: 0xff,
        capacity: 625_163_264,
        sector_size: 512,
        product_id: *b"STRIPE   298.12G",
        product_revision: *b"\x00100",
        ..DiskStruct::zeroed()
    };
    let array = Array {
        version: 0x0064_0044,
        signature: *b"\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0",
        stripe_width: 2,
        total_volumes: 2,
        original_width: 2,
        raid_level: level::RAID0,
        stripe_block_size: 128,
        stripe_block_byte_size: 65536,
        stripe_block_power: 7,
        stripe_mask: 127,
        stripe_size: 256,
        stripe_byte_size: 131_072,
        original_level: level::RAID0,
        original_capacity: 625_163_264,
        ..DiskStruct::zeroed()
    };
    Block { unit, array, tail: vec![0xff; 392] }
}

/// A disk that is large enough for the example, with that metadata.
fn disk_of(number: usize, block: &Block) -> Device {
    const SECTORS: u64 = 312_581_808;
    let mut block = block.clone();
    block.seal();
    disk_with(number, SECTORS, &[(Bytes((SECTORS - 2) * 512), &block.encode())])
}

fn disk_that(number: usize, change: impl Fn(&mut Block)) -> Device {
    let mut block = example();
    block.unit.unit_number = u8::try_from(number).unwrap();
    change(&mut block);
    disk_of(number, &block)
}

fn pair_that(change: impl Fn(&mut Block) + Copy) -> Vec<Device> {
    (0..2).map(|number| disk_that(number, change)).collect()
}

fn check_codes(change: impl Fn(&mut Block)) -> Vec<String> {
    let device = disk_that(0, change);
    metadata(&Nvidia, &device).check().into_iter().map(|problem| problem.code).collect()
}

#[test]
fn the_published_example_has_its_checksum() {
    let mut block = example();
    block.seal();
    assert_eq!(block.unit.chksum, 0x3698_baa2);
    assert_eq!(block.dm_name(), "nvidia_aaaaaaaa");
    assert_eq!(Block::decode(&block.encode()).unwrap(), block);
}

#[test]
fn metadata_of_a_real_board_is_read_with_a_warning_on_the_cut_image() {
    let device = captured("nvidia-raid");
    let metadata = metadata(&Nvidia, &device);
    assert_identity(&device, metadata.as_ref());
    assert_eq!(metadata.version(), "100");
    assert_eq!(codes(&metadata.check()), ["device-too-small"]);
    let view = metadata.view(&device);
    assert_eq!((view.role, view.set_name.as_deref()), (Role::Active, Some("STRIPE   298.12G")));
    let volume = &view.volumes[0];
    assert_eq!(volume.dm_name, "nvidia_jdedhich");
    assert_eq!((volume.size, volume.slots.len()), (Sectors(625_205_760), 4));
    let own = volume.own.as_ref().unwrap();
    assert_eq!((own.slot, own.length), (Some(Slot(3)), Sectors(156_301_440)));
}

#[test]
fn new_sets_of_all_levels_are_what_was_asked_for() {
    let cases = [
        (Level::Linear, 1..=3),
        (Level::Raid0, 1..=5),
        (Level::Raid1, 2..=2),
        (Level::Raid10, 4..=8),
        (Level::Raid5, 3..=6),
    ];
    for (level, counts) in cases {
        for count in counts.filter(|count| level != Level::Raid10 || count % 2 == 0) {
            for chunk in [None, Some(16)] {
                let array = assert_set_works(&Nvidia, &wanted(level, count, chunk));
                assert_eq!(array.size_sectors, capacity(&array));
                assert_eq!(array.volume.as_deref(), Some("data1"));
            }
        }
    }
}

#[test]
fn the_units_of_a_mirror_over_stripes_are_first_one_stripe_and_then_the_other() {
    let devices = created(&Nvidia, &wanted(Level::Raid10, 4, None));
    let units: Vec<_> =
        devices.iter().map(|device| metadata(&Nvidia, device).view(device).member_id.unwrap()).collect();
    assert_eq!(units, ["0", "2", "1", "3"]);
}

#[test]
fn redundancy_that_was_never_computed_is_recorded() {
    let set = NewSet { in_sync: false, ..wanted(Level::Raid5, 3, None) };
    let array = array(&Nvidia, &created(&Nvidia, &set));
    assert_eq!(array.health, Health::Initializing);
    assert_eq!(array.resync_position_sectors, Some(Sectors(0)));
}

#[test]
fn a_spare_is_a_spare() {
    let set = NewSet { spares: blank(1, DISK), ..wanted(Level::Raid1, 2, None) };
    let devices = created(&Nvidia, &set);
    let array = array(&Nvidia, &devices);
    assert_eq!((array.health, array.spares.len()), (Health::Optimal, 1));
    assert_eq!(array.spares[0].device, "disk2.img");
}

#[test]
fn a_disk_being_rebuilt_is_current_as_far_as_the_mark() {
    let mirror = |block: &mut Block| {
        block.array.raid_level = level::RAID1;
        block.array.stripe_width = 1;
        block.array.raid_job_code = job::REBUILDING;
        block.array.raid_job_mark = 1 << 20;
        block.unit.unit_flags = if block.unit.unit_number == 1 { 0x100 } else { 0 };
        block.unit.capacity = 312_581_632;
        block.array.stripe_size = 128;
        block.array.stripe_byte_size = 65536;
    };
    let array = array(&Nvidia, &pair_that(mirror));
    assert_eq!(array.health, Health::Rebuilding);
    assert_eq!(array.members[0].state, MemberState::InSync);
    assert_eq!(array.members[1].recovered_sectors, Some(Sectors(1 << 20)));
}

#[test]
fn an_array_being_resynced_is_dirty_above_the_mark() {
    let array = array(
        &Nvidia,
        &pair_that(|block| {
            block.array.raid_level = level::RAID1;
            block.array.stripe_width = 1;
            block.array.raid_job_code = job::SYNCHRONIZING;
            block.array.raid_job_mark = 4096;
            block.unit.capacity = 312_581_632;
        }),
    );
    assert_eq!((array.health, array.dirty), (Health::Inconsistent, Some(true)));
    assert_eq!(array.resync_position_sectors, Some(Sectors(4096)));
}

#[test]
fn an_array_being_moved_is_not_read() {
    let array = array(&Nvidia, &pair_that(|block| block.array.raid_job_code = job::UPGRADING));
    assert_eq!(array.health, Health::Failed);
    assert_eq!(codes(&array.problems)[0], "unsupported-reshape");
}

#[test]
fn what_contradicts_itself_is_told() {
    assert_eq!(check_codes(|_| {}), Vec::<String>::new());
    assert_eq!(check_codes(|block| block.unit.version = 9), ["version"]);
    assert_eq!(check_codes(|block| block.array.version = 9), ["version"]);
    assert_eq!(check_codes(|block| block.unit.size = 31), ["size"]);
    assert_eq!(check_codes(|block| block.unit.sector_size = 4096), ["sector-size"]);
    assert_eq!(check_codes(|block| block.unit.capacity = 0), ["array-size"]);
    assert_eq!(check_codes(|block| block.unit.capacity = u32::MAX), ["device-too-small"]);
    assert_eq!(check_codes(|block| block.array.raid_level = level::RAID3), ["unsupported-level"]);
    assert_eq!(check_codes(|block| block.array.raid_level = level::RAID10), ["unsupported-level"]);
    assert_eq!(check_codes(|block| block.array.total_volumes = 1), ["member-count"]);
    assert_eq!(check_codes(|block| block.array.raid_level = level::RAID1)[1], "member-count");
    assert_eq!(check_codes(|block| block.array.stripe_mask = 1), ["stripe-fields"]);
    assert_eq!(check_codes(|block| block.array.stripe_block_size = 0)[0], "chunk");
    assert_eq!(check_codes(|block| block.array.raid_job_code = 9), ["job-code"]);
    let mark = |block: &mut Block| {
        block.array.raid_job_code = job::SYNCHRONIZING;
        block.array.raid_job_mark = u32::MAX;
    };
    assert_eq!(check_codes(mark), ["job-mark"]);
    let asymmetric = |block: &mut Block| {
        block.array.raid_level = level::RAID5;
        block.array.total_volumes = 3;
    };
    assert_eq!(check_codes(asymmetric), ["parity-layout"]);
}

#[test]
fn disks_that_describe_the_array_otherwise_diverge() {
    let mut devices = pair_that(|_| {});
    devices[1] = disk_that(1, |block| block.array.stripe_block_size = 64);
    let array = array(&Nvidia, &devices);
    assert!(codes(&array.problems).contains(&"divergent"));
}

#[test]
fn disks_of_one_position_are_both_named() {
    let array = array(&Nvidia, &[disk_that(0, |_| {}), disk_that(1, |block| block.unit.unit_number = 0)]);
    assert!(codes(&array.problems).contains(&"duplicate-member"));
}

#[test]
fn every_byte_is_covered_by_the_checksum_or_by_a_field() {
    assert_every_byte_counts(&Nvidia, &disk_of(0, &example()));
    assert_every_byte_counts(&Nvidia, &captured("nvidia-raid"));
}

#[test]
fn hostile_names_are_escaped() {
    let hostile = *b"\n\x1b[2J;$(a)/\xff\\\0  ";
    let device = disk_that(0, |block| block.unit.product_id = hostile);
    let view = metadata(&Nvidia, &device).view(&device);
    assert_eq!(view.set_name.as_deref(), Some("\\x0a\\x1b[2J;$(a)/\\xff\\x5c\\x00"));
    assert_eq!(view.volumes[0].dm_name, "nvidia_aaaaaaaa");
}

#[test]
fn the_name_of_the_vendor_alone_is_damage_and_half_of_it_nothing() {
    let device = |bytes: &[u8]| disk_with(0, 100, &[(Bytes(98 * 512), bytes)]);
    assert_eq!(codes(&find(&Nvidia, &device(VENDOR)).unwrap().problems), ["size"]);
    assert!(find(&Nvidia, &device(b"NVIDIA")).is_none());
    let mut block = example();
    block.unit.vendor = *b"NVIDIA\0\0";
    assert!(find(&Nvidia, &disk_of(0, &block)).is_some());
}

#[test]
fn devices_of_any_size_are_read_within_their_end() {
    for sectors in [0, 1, 2, 3] {
        assert!(find(&Nvidia, &disk_with(0, sectors, &[])).is_none());
    }
}

#[test]
fn a_disk_inside_something_larger_is_found_where_it_ends() {
    let mut block = example();
    block.unit.capacity = 2 * 16_128;
    block.seal();
    let start = 5 << 20;
    let end = start + (8 << 20);
    let device = disk_with(0, 100_000, &[(Bytes(end - 1024), &block.encode())]);
    let windows = Nvidia.windows(&device, Bytes(end - 1024)).unwrap();
    let inside = windows.iter().position(|window| window.offset == Bytes(start));
    assert!(inside.is_none() || windows.len() <= 3);
    for window in windows {
        let part = device.window(window.offset, window.length).unwrap();
        assert!(find(&Nvidia, &part).is_some());
    }
    assert_eq!(Nvidia.windows(&device, Bytes(512)).unwrap(), []);
}

proptest! {
    #![proptest_config(property(2000))]

    #[test]
    fn noise_is_harmless(noise in prop::collection::vec(any::<u8>(), 512), at in 8..512_usize) {
        assert_noise_is_harmless(&Nvidia, &disk_of(0, &example()), at, &noise);
    }
}
