//! Nothing is lost, nothing is believed, and what is made is understood.

use super::place::{STEP, USUAL};
use super::record::{DiskEntry, Head, RECORD, RESYNCING, Record, SIGNATURE, Tail, kind, status};
use super::*;
use crate::device::ReadAt;
use crate::format::create::NewSet;
use crate::format::schema::DiskStruct;
use crate::format::vendor::testing::*;
use crate::geometry::Level;
use crate::identify::identify;
use crate::record::{Health, MemberState, Role};
use crate::testing::property;
use crate::units::Slot;
use proptest::prelude::*;

/// A stripe of two disks as in the published example.
fn example() -> Record {
    let head = Head {
        id: *SIGNATURE,
        dummy_0: 0x20000,
        magic_0: 0x1000,
        magic_1: 0x77,
        integrity: 0x80,
        disk_flags: 7,
        disk_id: 0x1000,
        disk_sectors: 312_581_632,
        disk_rebuild: u32::MAX,
        generation: 1,
        status: 0x8f,
        total_disks: 2,
        stripe_shift: 7,
        array_width: 2,
        total_sectors: 625_163_264,
        cylinders: 100,
        heads: 254,
        sectors: 63,
        volume_id: 0x77,
        ..DiskStruct::zeroed()
    };
    let disk = |number: u8| DiskEntry {
        flags: 7,
        channel: number,
        id: 0x1000 + u64::from(number),
        ..DiskStruct::zeroed()
    };
    let mut disks = vec![disk(0), disk(1)];
    disks.resize(8, DiskStruct::zeroed());
    Record { head, disks, tail: Tail::zeroed() }
}

const SECTORS: u64 = 312_581_808;

/// A disk that is large enough for the example, with those records.
fn disk_of(number: usize, records: &[Record]) -> Device {
    let bytes: Vec<Vec<u8>> = records
        .iter()
        .map(|record| {
            let mut record = record.clone();
            record.seal();
            record.encode()
        })
        .collect();
    let places = (0..).map(|number| Bytes((SECTORS - USUAL + number * STEP) * 512));
    let parts: Vec<_> = places.zip(bytes.iter().map(Vec::as_slice)).collect();
    disk_with(number, SECTORS, &parts)
}

fn record_that(number: u8, change: impl Fn(&mut Record)) -> Record {
    let mut record = example();
    record.head.disk_number = number;
    record.head.disk_id = 0x1000 + u64::from(number);
    change(&mut record);
    record
}

fn pair_that(change: impl Fn(&mut Record) + Copy) -> Vec<Device> {
    (0..2).map(|number| disk_of(usize::from(number), &[record_that(number, change)])).collect()
}

/// The example as a mirror.
fn mirror(record: &mut Record) {
    record.head.raid_type = kind::RAID1;
    record.head.array_width = 1;
    record.head.total_sectors = 312_581_632;
}

fn check_codes(change: impl Fn(&mut Record)) -> Vec<String> {
    let device = disk_of(0, &[record_that(0, change)]);
    metadata(&Pdc, &device).check().into_iter().map(|problem| problem.code).collect()
}

#[test]
fn the_published_example_has_its_checksum() {
    assert_eq!(example().encode().len(), RECORD);
    assert_eq!(example().computed_checksum(), 0x2cab_c515);
    assert_eq!(Record::decode(&example().encode()).unwrap(), example());
}

#[test]
fn metadata_of_a_real_card_is_seen_through_its_filler() {
    let device = captured("promise-raid");
    let metadata = metadata(&Pdc, &device);
    assert_identity(&device, metadata.as_ref());
    assert_eq!(codes(&metadata.check()), ["device-too-small"]);
    let view = metadata.view(&device);
    assert_eq!((view.role, view.generation), (Role::Active, 17));
    assert_eq!(view.set_name.as_deref(), Some("PROMISE Array 1"));
    let volume = &view.volumes[0];
    assert_eq!(volume.dm_name, "pdc_bjfeeibeeb");
    assert_eq!((volume.level, volume.size), (Some(Level::Raid0), Sectors(312_368_928)));
    let own = volume.own.as_ref().unwrap();
    assert_eq!((own.slot, own.offset, own.available), (Some(Slot(0)), Sectors(0), Sectors(312_581_745)));
    assert_eq!((own.recovered, volume.dirty), (None, None));
}

#[test]
fn new_sets_of_all_levels_are_what_was_asked_for() {
    let cases =
        [(Level::Linear, 1..=3), (Level::Raid0, 1..=8), (Level::Raid1, 2..=2), (Level::Raid10, 4..=8)];
    for (level, counts) in cases {
        for count in counts.filter(|count| level != Level::Raid10 || count % 2 == 0) {
            for chunk in [None, Some(16)] {
                let array = assert_set_works(&Pdc, &wanted(level, count, chunk));
                assert_eq!(array.size_sectors, capacity(&array));
                assert_eq!(array.volume.as_deref(), Some("data1"));
            }
        }
    }
}

#[test]
fn the_disks_of_a_mirror_over_stripes_are_first_one_stripe_and_then_the_other() {
    let devices = created(&Pdc, &wanted(Level::Raid10, 6, None));
    let numbers: Vec<_> =
        devices.iter().map(|device| read(device).unwrap()[0].record.head.disk_number).collect();
    assert_eq!(numbers, [0, 3, 1, 4, 2, 5]);
}

#[test]
fn a_second_array_goes_beside_the_first() {
    let first = NewSet { size: Some(Sectors(1 << 20)), ..wanted(Level::Raid0, 2, None) };
    let devices = created(&Pdc, &first);
    let second = NewSet { disks: devices.clone(), identity: [7; 16], ..wanted(Level::Raid1, 2, None) };
    let members = super::create(&second).unwrap();
    let both: Vec<Device> = devices
        .iter()
        .zip(&members)
        .enumerate()
        .map(|(number, (device, member))| {
            let areas = metadata(&Pdc, device).areas();
            let parts: Vec<_> =
                areas.iter().chain(&member.areas).map(|area| (area.offset, area.bytes.as_slice())).collect();
            disk_with(number, DISK, &parts)
        })
        .collect();
    let arrays = assembled(&Pdc, &both);
    assert_eq!(arrays.len(), 2);
    assert!(arrays.iter().all(|array| array.health == Health::Optimal), "{arrays:?}");
    assert_eq!(arrays[1].level, Level::Raid1);
    assert_eq!(arrays[1].members[0].offset_sectors, Some(Sectors(1 << 19)));
    assert_eq!(arrays[1].size_sectors, Sectors(DISK - USUAL - (1 << 19)));
    for device in &both {
        for member in identify(device, &[&Pdc]).unwrap() {
            assert_eq!(member.problems, []);
        }
    }
    let third = NewSet { disks: both, ..wanted(Level::Raid1, 2, None) };
    assert!(super::create(&third).unwrap_err().to_string().contains("expected at least"));
}

#[test]
fn redundancy_that_was_never_computed_is_recorded() {
    let set = NewSet { in_sync: false, ..wanted(Level::Raid1, 2, None) };
    assert_eq!(array(&Pdc, &created(&Pdc, &set)).health, Health::Initializing);
}

#[test]
fn spares_belong_to_no_set() {
    let set = NewSet { spares: blank(1, DISK), ..wanted(Level::Raid1, 2, None) };
    let devices = created(&Pdc, &set);
    assert_eq!(array(&Pdc, &devices).health, Health::Optimal);
    let view = metadata(&Pdc, &devices[2]).view(&devices[2]);
    assert_eq!((view.role, view.volumes.len()), (Role::Spare, 0));
}

#[test]
fn a_record_of_unused_room_is_no_member() {
    let unused = record_that(0, |record| {
        record.head.total_disks = 0;
        record.head.disk_flags = 3;
        record.head.disk_offset = 0;
    });
    let device = disk_of(0, &[example(), unused]);
    let views: Vec<_> =
        Pdc.find(&device).unwrap().into_iter().map(|found| found.metadata.unwrap().view(&device)).collect();
    assert_eq!((views[1].role, views[1].volumes.len()), (Role::Unknown, 0));
    assert!(
        Pdc.find(&device).unwrap().iter().all(|found| found.metadata.as_ref().unwrap().check().is_empty())
    );
}

#[test]
fn failed_missing_and_rebuilding_members_are_told_apart() {
    let state = |flags: u8| {
        let devices = pair_that(|record| {
            mirror(record);
            record.disks[1].flags = flags;
            if record.head.disk_number == 1 {
                record.head.disk_flags = flags;
                record.head.disk_rebuild = if flags & 0x20 != 0 { 4096 } else { u32::MAX };
                record.tail.disk_rebuild_high = if flags & 0x20 != 0 { 0 } else { u32::MAX };
            }
        });
        let array = array(&Pdc, &devices);
        (array.health, array.members[1].state, array.members[1].recovered_sectors)
    };
    assert_eq!(state(0x07), (Health::Optimal, MemberState::InSync, None));
    assert_eq!(state(0x67), (Health::Degraded, MemberState::Failed, None));
    assert_eq!(state(0x05), (Health::Degraded, MemberState::Failed, None));
    assert_eq!(state(0x27), (Health::Rebuilding, MemberState::Rebuilding, Some(Sectors(4096))));
}

#[test]
fn a_marked_array_is_dirty_above_what_was_synchronized() {
    let devices = pair_that(|record| {
        mirror(record);
        record.head.status |= status::MARKED;
        record.tail.magic_3 = RESYNCING;
        record.tail.rebuild_lba64 = 8192;
    });
    let array = array(&Pdc, &devices);
    assert_eq!((array.dirty, array.resync_position_sectors), (Some(true), Some(Sectors(8192))));
}

#[test]
fn an_older_member_is_stale_even_where_the_count_has_begun_again() {
    let generations = |first: u16, second: u16| {
        let devices = pair_that(|record| {
            mirror(record);
            record.head.generation = if record.head.disk_number == 0 { first } else { second };
        });
        array(&Pdc, &devices)
    };
    assert_eq!(generations(7, 8).members[0].state, MemberState::Stale);
    let wrapped = generations(65_535, 2);
    assert_eq!(codes(&wrapped.problems)[0], "divergent");
}

#[test]
fn a_disk_that_was_replaced_does_not_come_back() {
    let mut devices = pair_that(mirror);
    devices[1] = disk_of(
        1,
        &[record_that(1, |record| {
            mirror(record);
            record.head.disk_id = 0xdead;
            record.disks[1].id = 0xdead;
        })],
    );
    let array = array(&Pdc, &devices);
    assert_eq!(array.health, Health::Degraded);
    assert_ne!(array.members[1].state, MemberState::InSync);
}

#[test]
fn ids_that_are_all_alike_leave_the_numbers() {
    let devices = pair_that(|record| {
        record.head.disk_id = 0;
        record.disks.iter_mut().for_each(|disk| disk.id = 0);
    });
    assert_eq!(array(&Pdc, &devices).health, Health::Optimal);
}

#[test]
fn what_contradicts_itself_is_told() {
    let none: [&str; 0] = [];
    assert_eq!(check_codes(|_| {}), none);
    assert_eq!(check_codes(mirror), none);
    let of_four = |raid_type: u8, width: u8| {
        move |record: &mut Record| {
            record.head.raid_type = raid_type;
            record.head.total_disks = 4;
            record.head.array_width = width;
        }
    };
    assert_eq!(check_codes(of_four(kind::RAID1, 2)), none);
    assert_eq!(check_codes(of_four(kind::RAID1, 3)), ["array-width"]);
    assert_eq!(
        check_codes(|record| {
            of_four(kind::RAID1, 1)(record);
            record.head.total_sectors = 312_581_632;
        }),
        ["disputed-level"]
    );
    assert_eq!(check_codes(of_four(kind::RAID3, 2)), ["disputed-level"]);
    assert_eq!(check_codes(of_four(kind::RAID3, 4)), ["unsupported-level"]);
    assert_eq!(check_codes(of_four(kind::RAID5, 4)), ["unsupported-level"]);
    assert_eq!(check_codes(|record| record.head.raid_type = kind::JBOD), ["unsupported-level"]);
    assert_eq!(check_codes(|record| record.head.raid_type = 77), ["unsupported-level"]);
    assert_eq!(check_codes(|record| record.head.stripe_shift = 32), ["chunk"]);
    assert_eq!(check_codes(|record| record.head.total_sectors = 0), ["array-size"]);
    assert_eq!(check_codes(|record| record.head.disk_sectors = 9), ["array-size"]);
    assert_eq!(check_codes(|record| record.head.disk_offset = 1 << 30), ["device-too-small"]);
    assert_eq!(check_codes(|record| record.head.status |= status::MIGRATING), ["unsupported-reshape"]);
    assert_eq!(check_codes(|record| record.tail.sector_size = 8), ["sector-size"]);
    assert_eq!(check_codes(|record| record.head.disk_number = 1), ["position"]);
    assert_eq!(check_codes(|record| record.head.disk_id = 9), ["foreign"]);
}

#[test]
fn records_that_claim_the_same_sectors_are_told() {
    let device = disk_of(0, &[example(), record_that(0, |record| record.head.volume_id = 9)]);
    for found in Pdc.find(&device).unwrap() {
        assert_eq!(codes(&found.metadata.unwrap().check()), ["overlap"]);
    }
}

#[test]
fn records_that_are_no_records_are_damaged() {
    let damage = |change: fn(&mut Record)| {
        let found = find(&Pdc, &disk_of(0, &[record_that(0, change)])).unwrap();
        found.problems.into_iter().map(|problem| problem.code).collect::<Vec<_>>()
    };
    assert_eq!(damage(|record| record.head.integrity = 0), ["invalid-record"]);
    assert_eq!(damage(|record| record.head.total_disks = 9), ["disk-count"]);
    let mut bytes = example().encode();
    bytes[1000] ^= 1;
    let device = disk_with(0, SECTORS, &[(Bytes((SECTORS - USUAL) * 512), &bytes)]);
    assert_eq!(codes(&find(&Pdc, &device).unwrap().problems), ["checksum"]);
}

#[test]
fn every_byte_is_covered_by_the_checksum() {
    assert_every_byte_counts(&Pdc, &disk_of(0, &[example()]));
}

#[test]
fn hostile_names_are_escaped() {
    let mut hostile = [b' '; 32];
    hostile[..14].copy_from_slice(b"\n\x1b[2J;$(a)/\xff\\x");
    let device = disk_of(0, &[record_that(0, |record| record.tail.name = hostile)]);
    let view = metadata(&Pdc, &device).view(&device);
    assert_eq!(view.set_name.as_deref(), Some("\\x0a\\x1b[2J;$(a)/\\xff\\x5cx"));
    assert_eq!(view.volumes[0].dm_name, "pdc_bbj");
}

#[test]
fn records_are_found_at_the_cheap_distances_and_carved_at_all_others() {
    let mut record = example();
    record.head.disk_sectors = 100_000;
    record.head.total_sectors = 200_000;
    record.seal();
    let bytes = record.encode();
    for distance in [16, 63, 255, 256, 399, 591, 675, 735, 911, 951, 974, 991, 3087] {
        let at = Bytes((DISK - distance) * 512);
        let device = disk_with(0, DISK, &[(at, &bytes)]);
        assert_eq!(find(&Pdc, &device).is_some(), [16, 63, 255, 256].contains(&distance), "{distance}");
        let windows = Pdc.windows(&device, at).unwrap();
        assert!((1..=3).contains(&windows.len()));
        for window in windows {
            let part = device.window(window.offset, window.length).unwrap();
            assert!(find(&Pdc, &part).is_some(), "{distance}");
        }
    }
}

#[test]
fn a_later_record_belongs_to_the_window_of_the_first() {
    let second = record_that(0, |record| {
        record.head.volume_id = 9;
        record.head.disk_offset = 312_581_632;
        record.head.disk_sectors = 50;
        record.head.total_sectors = 50;
        record.head.raid_type = kind::SPAN;
    });
    let device = disk_of(0, &[example(), second]);
    assert_eq!(Pdc.find(&device).unwrap().len(), 2);
    let at = |number: u64| Bytes((SECTORS - USUAL + number * STEP) * 512);
    assert_eq!(Pdc.windows(&device, at(1)).unwrap(), Pdc.windows(&device, at(0)).unwrap());
}

#[test]
fn devices_of_any_size_are_read_within_their_end() {
    for sectors in [0, 1, 16, 17, 63, 64, 255, 256, 257] {
        let device = disk_with(0, sectors, &[]);
        assert!(find(&Pdc, &device).is_none());
        let at = Bytes(device.size().0.saturating_sub(512));
        assert_eq!(Pdc.windows(&device, at).unwrap(), []);
    }
}

proptest! {
    #![proptest_config(property(2000))]

    #[test]
    fn noise_is_harmless(noise in prop::collection::vec(any::<u8>(), 512), at in 0x1fc..0x400_usize) {
        assert_noise_is_harmless(&Pdc, &disk_of(0, &[example()]), at, &noise);
    }
}
