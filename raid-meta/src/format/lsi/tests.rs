//! Tests of the format as a whole.

use super::table::{Array, Disk, FLAG_OUT, Head, NO_DEVICE, Table, Tail};
use super::{Lsi, NAME};
use crate::device::Device;
use crate::format::create::NewSet;
use crate::format::schema::{DiskStruct, Endian};
use crate::format::vendor::sum8;
use crate::format::vendor::testing::{
    DISK, array, assembled, assert_every_byte_counts, assert_found_in_a_larger_file, assert_identity,
    assert_set_works, assert_small_devices_are_harmless, blank, codes, created, disk_with, find, metadata,
    wanted,
};
use crate::geometry::Level;
use crate::record::{ArrayRecord, Health, MemberState};
use crate::testing::property;
use crate::units::{Bytes, Sectors};
use proptest::prelude::*;

const AT: Bytes = Bytes((DISK - 1) * 512);

fn pair(level: Level) -> Vec<Device> {
    created(&Lsi, &wanted(level, 2, None))
}

/// The disk with its table changed.
fn edited(device: &Device, change: impl Fn(&mut Table)) -> Device {
    let number = device.path_text().chars().filter_map(|char| char.to_digit(10)).sum::<u32>() as usize;
    let mut table = Table::decode(&device.read(AT, 512).unwrap().unwrap()).unwrap();
    change(&mut table);
    disk_with(number, DISK, &[(AT, &table.encode())])
}

fn edit_array(table: &mut Table, change: impl Fn(&mut Array)) {
    let mut array = table.array(0).unwrap();
    change(&mut array);
    table.entries[0] = array.encode(Endian::Little).try_into().unwrap();
}

fn edit_disk(table: &mut Table, number: usize, change: impl Fn(&mut Disk)) {
    let mut disk = Disk::decode(&table.entries[1 + number], Endian::Little).unwrap();
    change(&mut disk);
    table.entries[1 + number] = disk.encode(Endian::Little).try_into().unwrap();
}

fn check(device: &Device) -> Vec<String> {
    let problems = find(&Lsi, device).unwrap().metadata.unwrap().check();
    codes(&problems).into_iter().map(str::to_owned).collect()
}

fn states(array: &ArrayRecord) -> Vec<MemberState> {
    array.members.iter().map(|member| member.state).collect()
}

/// The table of a real controller with two arrays of two disks, as its description decodes it.
fn real(disk_number: u8, raid_number: u8) -> Table {
    let array = |raid_type, config_offset, total_sectors| Array {
        raid_type,
        unknown_1: 0x10,
        stripe_sectors: 128,
        array_width: 2,
        disk_count: 2,
        config_offset,
        total_sectors,
        ..Array::zeroed()
    };
    let disk = |device, disk_sectors, disk_number, raid_number| Disk {
        device,
        unknown_1: 0x10,
        disk_sectors,
        disk_number,
        raid_number,
        ..Disk::zeroed()
    };
    let arrays = [array(1, 0x30, 321_672_704), array(8, 0x50, 640_345_856)];
    let disks = [
        disk(0x01, 160_836_352, 0, 0),
        disk(0x11, 160_836_352, 1, 0),
        disk(0x00, 320_172_928, 0, 1),
        disk(0x10, 320_172_928, 1, 1),
    ];
    let arrays = arrays.iter().map(|array| array.encode(Endian::Little));
    let disks = disks.iter().map(|disk| disk.encode(Endian::Little));
    let mut entries: Vec<[u8; 16]> = arrays.chain(disks).map(|entry| entry.try_into().unwrap()).collect();
    entries.resize(30, [0; 16]);
    Table {
        head: Head {
            magic: *b"$XIDE$",
            unknown_6: 0x10,
            flags: 4,
            version: 0x3732,
            config_entries: 7,
            raid_count: 2,
            total_disks: 4,
            unknown_d: 0,
            unknown_e: 4,
        },
        entries,
        tail: Tail { disk_number, raid_number, timestamp: 0x3b40_e180, filler: [0; 10] },
    }
}

fn real_disk(number: usize, disk_number: u8, raid_number: u8, sectors: u64) -> Device {
    let table = real(disk_number, raid_number).encode();
    disk_with(number, sectors, &[(Bytes((sectors - 1) * 512), &table)])
}

#[test]
fn two_arrays_of_one_controller_are_two_sets() {
    let disks = [real_disk(0, 0, 0, 160_836_480), real_disk(1, 1, 0, 160_836_480)];
    assert_identity(&disks[0], metadata(&Lsi, &disks[0]).as_ref());
    let first = array(&Lsi, &disks);
    assert_eq!((first.level, first.health), (Level::Raid0, Health::Optimal));
    assert_eq!((first.name.as_str(), first.size_sectors.0), ("lsi_jjebahhhga", 321_672_704));
    assert_eq!(first.members[0].length_sectors, Some(Sectors(160_836_352)));
}

#[test]
fn an_array_of_a_type_that_nobody_knows_is_named_and_not_read() {
    let disk = real_disk(0, 0, 1, 320_173_056);
    assert_eq!(check(&disk), ["unsupported-level"]);
    let view = metadata(&Lsi, &disk).view(&disk);
    let volume = &view.volumes[0];
    assert_eq!((volume.dm_name.as_str(), volume.geometry), ("lsi_jjebahhhgb", None));
    assert_eq!((volume.slots.len(), volume.own.as_ref().unwrap().slot.unwrap().0), (2, 0));
}

#[test]
fn sets_of_all_levels_and_sizes_work() {
    for disks in 2..=8 {
        let set = assert_set_works(&Lsi, &wanted(Level::Raid0, disks, Some(16)));
        assert_eq!(set.chunk_sectors.unwrap().get(), 16);
        assert_eq!(set.size_sectors.0, (DISK - 1) / 16 * 16 * disks as u64);
    }
    let set = assert_set_works(&Lsi, &wanted(Level::Raid1, 2, None));
    assert_eq!(set.size_sectors.0, DISK - 1);
}

#[test]
fn a_raid10_says_that_its_order_is_not_certain() {
    for disks in [4, 6, 8] {
        let devices = created(&Lsi, &wanted(Level::Raid10, disks, None));
        let array = array(&Lsi, &devices);
        assert_eq!((array.health, codes(&array.problems)), (Health::Optimal, vec!["layout-doubtful"]));
        let order: Vec<_> = array.members.iter().map(|member| member.device.clone().unwrap()).collect();
        let expected: Vec<_> = (0..disks).map(|number| format!("disk{number}.img")).collect();
        assert_eq!(order, expected);
        assert_eq!(array.size_sectors.0, (DISK - 1) / 128 * 128 * disks as u64 / 2);
        let half: Vec<_> = devices.iter().step_by(2).cloned().collect();
        assert_eq!(assembled(&Lsi, &half)[0].health, Health::Degraded, "one of each pair is left");
    }
}

#[test]
fn what_the_format_does_not_have_is_refused() {
    let refused = |set: &NewSet| super::create(set).unwrap_err().to_string();
    assert!(refused(&wanted(Level::Raid5, 3, None)).contains("level"));
    assert!(refused(&wanted(Level::Linear, 2, None)).contains("level"));
    assert!(refused(&wanted(Level::Raid1, 3, None)).contains("number of disks"));
    assert!(refused(&NewSet { spares: blank(1, DISK), ..wanted(Level::Raid1, 2, None) }).contains("spares"));
    let large = NewSet { disks: blank(2, 1 << 33), ..wanted(Level::Raid1, 2, None) };
    assert_eq!(array(&Lsi, &created(&Lsi, &large)).size_sectors.0, u64::from(u32::MAX));
}

#[test]
fn every_byte_is_in_a_field() {
    assert_every_byte_counts(&Lsi, &pair(Level::Raid1)[0]);
    assert_every_byte_counts(&Lsi, &real_disk(0, 0, 0, DISK));
}

#[test]
fn version_3_is_known_by_name_only() {
    let mut bytes = vec![0; 512];
    bytes[..6].copy_from_slice(b"$_IDE$");
    assert!(find(&Lsi, &disk_with(0, DISK, &[(AT, &bytes)])).is_none(), "not with a wrong sum");
    bytes[511] = sum8(&bytes).wrapping_neg();
    let found = find(&Lsi, &disk_with(0, DISK, &[(AT, &bytes)])).unwrap();
    assert!(found.metadata.is_none());
    assert_eq!(codes(&found.problems), ["unsupported-version"]);
}

#[test]
fn a_disk_that_is_known_to_be_gone_is_failed_even_if_it_does_not_know() {
    let devices = pair(Level::Raid1);
    let marks: [fn(&mut Disk); 2] = [|disk| disk.device = NO_DEVICE, |disk| disk.flags |= FLAG_OUT];
    for mark in marks {
        let survivor = edited(&devices[1], |table| {
            edit_disk(table, 0, mark);
            edit_array(table, |array| array.flags |= FLAG_OUT);
        });
        let array = array(&Lsi, &[devices[0].clone(), survivor]);
        assert_eq!(states(&array), [MemberState::Failed, MemberState::InSync]);
        assert_eq!(array.health, Health::Degraded);
    }
}

#[test]
fn a_degraded_array_with_all_its_disks_may_not_be_in_step() {
    let marked = |device: &Device| edited(device, |table| edit_array(table, |array| array.flags |= FLAG_OUT));
    let devices: Vec<_> = pair(Level::Raid1).iter().map(marked).collect();
    let array = array(&Lsi, &devices);
    assert_eq!((array.health, array.dirty), (Health::Inconsistent, Some(true)));
    assert_eq!(codes(&array.problems), ["degraded"]);
}

#[test]
fn disks_of_unequal_size_are_used_as_far_as_the_smallest() {
    let smaller = |device: &Device| {
        edited(device, |table| {
            edit_disk(table, 1, |disk| disk.disk_sectors = 12_800);
            edit_array(table, |array| array.total_sectors = 25_600);
        })
    };
    let devices: Vec<_> = pair(Level::Raid0).iter().map(smaller).collect();
    let array = array(&Lsi, &devices);
    assert_eq!((array.health, array.size_sectors), (Health::Optimal, Sectors(25_600)));
    assert!(array.members.iter().all(|member| member.length_sectors == Some(Sectors(12_800))));
}

/// A disk, what is done to it, and the problem that this is.
type Case<'a> = (&'a Device, fn(&mut Table), &'static str);

#[test]
fn numbers_that_can_not_be_are_problems() {
    let raid0 = &pair(Level::Raid0)[0];
    let raid10 = &created(&Lsi, &wanted(Level::Raid10, 4, None))[0];
    let cases: [Case<'_>; 18] = [
        (raid0, |table| table.head.raid_count = 0, "entry-count"),
        (raid0, |table| table.head.raid_count = 255, "entry-count"),
        (raid0, |table| table.head.total_disks = 255, "entry-count"),
        (raid0, |table| table.tail.raid_number = 1, "array-number"),
        (raid0, |table| table.tail.disk_number = 2, "position"),
        (raid0, |table| edit_disk(table, 0, |disk| disk.disk_number = 1), "position"),
        (raid0, |table| edit_array(table, |array| array.raid_type = 8), "unsupported-level"),
        (raid0, |table| edit_array(table, |array| array.stripe_sectors = 0), "chunk"),
        (raid0, |table| edit_array(table, |array| array.stripe_sectors = 24), "chunk"),
        (raid0, |table| edit_array(table, |array| array.disk_count = 255), "entry-table"),
        (raid0, |table| edit_array(table, |array| array.disk_count = 0), "member-count"),
        (raid0, |table| edit_array(table, |array| array.config_offset = 0), "entry-table"),
        (raid0, |table| edit_array(table, |array| array.config_offset = 0x21), "entry-table"),
        (raid0, |table| edit_array(table, |array| array.config_offset = 0xf0), "volume-size"),
        (raid0, |table| edit_array(table, |array| array.total_sectors = 0), "volume-size"),
        (raid0, |table| edit_array(table, |array| array.total_sectors = u32::MAX), "volume-size"),
        (raid0, |table| edit_disk(table, 0, |disk| disk.disk_sectors = 0), "volume-size"),
        (raid10, |table| edit_array(table, |array| array.array_width = 4), "member-count"),
    ];
    for (device, change, code) in cases {
        let device = edited(device, change);
        let problems = check(&device);
        assert!(problems.iter().any(|found| found == code), "{code}: {problems:?}");
        assembled(&Lsi, &[device]);
    }
}

#[test]
fn devices_of_any_size_are_looked_at_without_harm() {
    let sector = pair(Level::Raid1)[0].read(AT, 512).unwrap().unwrap();
    assert_small_devices_are_harmless(&Lsi, &sector);
}

#[test]
fn a_disk_inside_of_a_larger_file_is_found() {
    let sector = pair(Level::Raid1)[0].read(AT, 512).unwrap().unwrap();
    assert_found_in_a_larger_file(&Lsi, &sector);
}

#[test]
fn the_format_is_in_the_registry() {
    assert_eq!(crate::format::by_name(NAME).unwrap().name(), NAME);
}

proptest! {
    #![proptest_config(property(2000))]

    #[test]
    fn noise_in_a_table_is_harmless(at in 6..512_usize, noise in prop::collection::vec(any::<u8>(), 1..128)) {
        let device = &pair(Level::Raid1)[0];
        let mut bytes = device.read(AT, 512).unwrap().unwrap();
        for (byte, noise) in bytes.iter_mut().skip(at).zip(&noise) {
            *byte = *noise;
        }
        let noisy = disk_with(0, DISK, &[(AT, &bytes)]);
        let metadata = find(&Lsi, &noisy).unwrap().metadata.unwrap();
        assert_identity(&noisy, metadata.as_ref());
        metadata.check();
        metadata.view(&noisy);
        assembled(&Lsi, &[noisy]);
    }
}
