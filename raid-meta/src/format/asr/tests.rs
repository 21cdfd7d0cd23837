//! What is tried on the format.

use super::block::{FIRST_LINE, Line, NONE, line_level, line_type};
use super::{Asr, BLOCK, TABLE};
use crate::device::{Device, ReadAt, SimDisk};
use crate::format::create::NewSet;
use crate::format::schema::DiskStruct;
use crate::format::vendor::testing::{
    DISK, array, assembled, assert_every_byte_counts, assert_identity, assert_noise_is_harmless,
    assert_set_works, blank, changed, codes, created, disk_with, find, metadata, wanted,
};
use crate::format::{Format, Range};
use crate::geometry::Level;
use crate::identify::identify;
use crate::model::Area;
use crate::record::{ArrayRecord, ChecksumState, Health, MemberState, Role};
use crate::testing::property;
use crate::units::{Bytes, SectorSize, Sectors};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;

/// Where fields of a line are.
const COUNT: usize = 0;
const SEQUENCE: usize = 2;
const MAGIC: usize = 4;
const TYPE: usize = 9;
const STATE: usize = 10;
const ID: usize = 0x10;
const CAPACITY: usize = 0x18;
const CHUNK: usize = 0x1c;
const NAME: usize = 0x30;

/// Where fields of the head are.
const HEAD_LINES: usize = 0x0a;
const HEAD_LINE_SIZE: usize = 0x0c;
const HEAD_TIME: usize = 0x1c;
const HEAD_DIRTY: usize = 0x21;

fn line(index: usize, field: usize) -> usize {
    FIRST_LINE + index * Line::SIZE + field
}

fn disks(level: Level, count: usize) -> Vec<Device> {
    created(&Asr, &wanted(level, count, None))
}

/// The device with these bytes set in the area of that role, and the checksum right.
fn with_area(device: &Device, role: &str, bytes: &[(usize, &[u8])]) -> Device {
    let metadata = metadata(&Asr, device);
    let mut areas = metadata.areas();
    for area in areas.iter_mut().filter(|area| area.role == role) {
        for (at, new) in bytes {
            area.bytes[*at..at + new.len()].copy_from_slice(new);
        }
    }
    metadata.seal(&mut areas);
    holding(device, &areas)
}

fn holding(device: &Device, areas: &[Area]) -> Device {
    let parts: Vec<_> = areas.iter().map(|area| (area.offset, area.bytes.as_slice())).collect();
    let number = usize::from(device.path_text().as_bytes()[4] - b'0');
    disk_with(number, device.length_sectors().0, &parts)
}

fn with(device: &Device, bytes: &[(usize, &[u8])]) -> Device {
    with_area(device, TABLE, bytes)
}

fn all_with(devices: &[Device], bytes: &[(usize, &[u8])]) -> Vec<Device> {
    devices.iter().map(|device| with(device, bytes)).collect()
}

fn check(device: &Device) -> Vec<String> {
    metadata(&Asr, device).check().into_iter().map(|problem| problem.message).collect()
}

fn states(array: &ArrayRecord) -> Vec<MemberState> {
    array.members.iter().map(|member| member.state).collect()
}

#[test]
fn the_published_example_has_its_checksum() {
    let mut table = vec![0; 8192];
    table[..4].copy_from_slice(&[0x90, 0x07, 0x65, 0xc4]);
    table[HEAD_LINES + 1] = 3;
    let lines: [&[u8]; 3] = [
        &[0, 2, 0, 1, 0, 0, 0xaa, 0xaa, 1, 1],
        &[0, 1, 0, 1, 0, 0, 0, 1, 0, 1],
        &[0, 1, 0, 1, 0, 0, 0, 2, 0, 1],
    ];
    for (index, bytes) in lines.iter().enumerate() {
        let at = line(index, 0);
        table[at..at + bytes.len()].copy_from_slice(bytes);
        table[line(index, CAPACITY) + 2..][..2].copy_from_slice(&[3, 0xe8]);
        table[line(index, NAME)..][..16].copy_from_slice(b"MIR             ");
    }
    table[line(2, ID) + 3] = 1;
    assert_eq!(super::block::sum(&table), 0x0bbc);
    super::block::seal(&mut table);
    assert_eq!(table[0x0e..0x10], [0x0b, 0xbc]);
}

#[test]
fn new_sets_of_every_level_are_found_whole_and_degrade_as_they_should() {
    for (level, counts) in
        [(Level::Raid0, vec![2, 3, 16]), (Level::Raid1, vec![2]), (Level::Raid10, vec![4, 6, 16])]
    {
        for count in counts {
            let array = assert_set_works(&Asr, &wanted(level, count, None));
            assert_eq!(array.name, "asr_data1");
            assert_eq!(array.volume.as_deref(), Some("data1"));
        }
    }
    assert_set_works(&Asr, &wanted(Level::Raid0, 2, Some(8)));
    assert_set_works(&Asr, &wanted(Level::Raid10, 4, Some(2048)));
}

#[test]
fn sizes_leave_room_for_the_table() {
    let size = |level, count| array(&Asr, &disks(level, count)).size_sectors;
    let chunks = (DISK - 17) / 128 * 128;
    assert_eq!(size(Level::Raid0, 2), Sectors(2 * chunks));
    assert_eq!(size(Level::Raid1, 2), Sectors(DISK - 17));
    assert_eq!(size(Level::Raid10, 4), Sectors(2 * chunks));
}

#[test]
fn disks_are_in_the_order_of_their_places_not_of_their_lines() {
    let devices = all_with(&disks(Level::Raid0, 3), &[(line(1, ID), &[0, 0, 0, 9])]);
    let order: Vec<_> =
        array(&Asr, &devices).members.into_iter().map(|member| member.device.unwrap()).collect();
    assert_eq!(order, ["disk1.img", "disk2.img", "disk0.img"]);
}

#[test]
fn stripes_over_mirrors_are_one_raid10_and_said_to_be_unverified() {
    // Top, array A, disks 0 and 2, array B, disks 1 and 3: as a stripe over the mirrors 0 2 and 1 3.
    let swapped = [(line(0, TYPE), &[0][..]), (line(1, TYPE), &[1]), (line(4, TYPE), &[1])];
    let array = array(&Asr, &all_with(&disks(Level::Raid10, 4), &swapped));
    let order: Vec<_> = array.members.iter().map(|member| member.device.clone().unwrap()).collect();
    assert_eq!(order, ["disk0.img", "disk2.img", "disk1.img", "disk3.img"]);
    assert_eq!((array.level, array.health), (Level::Raid10, Health::Optimal));
    assert_eq!(codes(&array.problems), ["unverified-layout"]);
}

#[test]
fn mirrors_of_mirrors_are_refused() {
    let array = array(&Asr, &all_with(&disks(Level::Raid10, 4), &[(line(1, TYPE), &[1])]));
    assert_eq!(array.health, Health::Failed);
    assert!(codes(&array.problems).contains(&"unsupported-level"));
}

#[test]
fn the_states_of_the_lines_are_the_states_of_the_members() {
    let devices = disks(Level::Raid1, 2);
    let state = |state: u8| array(&Asr, &all_with(&devices, &[(line(2, STATE), &[state])]));
    let (current, failed, rebuilding) = (MemberState::InSync, MemberState::Failed, MemberState::Rebuilding);
    for (found, expected, health) in [
        (0x00, current, Health::Optimal),
        (0x01, failed, Health::Degraded),
        (0x03, failed, Health::Degraded),
        (0x04, rebuilding, Health::Rebuilding),
        (0x20, rebuilding, Health::Rebuilding),
        (0x10, current, Health::Initializing),
    ] {
        let array = state(found);
        assert_eq!((states(&array), array.health), (vec![current, expected], health), "{found:#x}");
    }
    let unused = with(&devices[0], &[(line(1, STATE), &[2])]);
    assert_eq!(codes(&metadata(&Asr, &unused).check()), ["disk-state"]);
    let building = array(&Asr, &all_with(&devices, &[(line(0, STATE), &[0x0b])]));
    assert_eq!(building.health, Health::Initializing);
    let dirty = array(&Asr, &all_with(&devices, &[(HEAD_DIRTY, &[3])]));
    assert_eq!((dirty.health, dirty.dirty), (Health::Inconsistent, Some(true)));
}

#[test]
fn a_disk_that_missed_a_change_is_stale() {
    let mut devices = disks(Level::Raid1, 2);
    devices[0] = with(&devices[0], &[(line(0, SEQUENCE), &[0, 2]), (line(0, STATE), &[1])]);
    let newer = array(&Asr, &devices);
    assert_eq!(states(&newer), [MemberState::InSync, MemberState::Stale]);
    devices[1] = with(&devices[1], &[(HEAD_TIME, &[1, 2, 3, 4])]);
    let later = array(&Asr, &devices);
    assert_eq!(states(&later), [MemberState::Stale, MemberState::InSync]);
}

#[test]
fn a_mirror_whose_table_has_lost_a_disk_is_degraded() {
    let device = &disks(Level::Raid1, 2)[0];
    let alone = with(device, &[(HEAD_LINES, &[0, 2])]);
    let array = array(&Asr, &[alone]);
    assert_eq!((array.health, array.slots), (Health::Degraded, 2));
    let stripe = with(&disks(Level::Raid0, 2)[0], &[(HEAD_LINES, &[0, 2])]);
    assert_eq!(check(&stripe), ["raidcnt is 2, but 1 disks follow the line"]);
}

#[test]
fn a_disk_that_no_line_is_about_is_foreign() {
    let mut devices = disks(Level::Raid1, 2);
    devices[1] = with_area(&devices[1], BLOCK, &[(0x40, &[1, 2, 3, 4])]);
    let members = identify(&devices[1], &[&Asr]).unwrap();
    let view = members[0].view.as_ref().unwrap();
    assert_eq!((view.role, view.key.as_deref()), (Role::Foreign, Some("01020304")));
    let array = array(&Asr, &devices);
    assert_eq!(states(&array), [MemberState::InSync, MemberState::Missing]);
}

#[test]
fn spares_are_for_their_array_or_for_all() {
    for (level, count, spares, alone) in [(Level::Raid1, 2, 1, 0), (Level::Raid0, 2, 0, 0)] {
        let mut set = wanted(level, count, None);
        set.spares = blank(1, DISK);
        let devices = created(&Asr, &set);
        let members = identify(&devices[2], &[&Asr]).unwrap();
        assert_eq!(members[0].view.as_ref().unwrap().role, Role::Spare);
        assert_eq!(members[0].problems, []);
        let array = array(&Asr, &devices);
        assert_eq!((array.health, array.spares.len()), (Health::Optimal, spares));
        assert_eq!(assembled(&Asr, &devices[2..]).len(), alone);
    }
}

#[test]
fn parity_is_recognised_and_not_mapped() {
    for (found, level) in [(4, Level::Raid4), (5, Level::Raid5)] {
        let array = array(&Asr, &all_with(&disks(Level::Raid0, 3), &[(line(0, TYPE), &[found])]));
        assert_eq!((array.level, array.health), (level, Health::Failed));
        assert!(codes(&array.problems).contains(&"unsupported-layout"));
    }
}

#[test]
fn every_rule_says_what_it_found_and_what_it_expected() {
    let stripe = &disks(Level::Raid0, 2)[0];
    let cases: &[(usize, &[u8], &str)] = &[
        (line(0, TYPE), &[9], "raidtype is 9, expected 0, 1, 4 or 5"),
        (line(0, COUNT), &[0, 3], "raidcnt is 3, but 2 disks follow the line"),
        (line(0, COUNT), &[0, 0], "raidcnt is 0, but 2 disks follow the line"),
        (line(1, CHUNK), &[0, 64], "strpsize is 64 for one disk and 128 for another, expected the same"),
        (line(2, ID), &[0, 0, 0, 0], "two disks of the array are at place 0"),
        (line(0, STATE), &[4], "raidstate is 0x04: the firmware has given the array up"),
        (line(0, STATE), &[3], "the array is being changed to another level or size, which is not supported"),
        (line(1, 8), &[line_level::OSI], "raidcnt is 2, but 0 disks follow the line"),
    ];
    for (at, value, message) in cases {
        let device = with(stripe, &[(*at, *value)]);
        let mut found = check(&device);
        found.extend(array(&Asr, &[device]).problems.into_iter().map(|problem| problem.message));
        assert!(found.iter().any(|found| found == message), "{message}: {found:?}");
    }
    let chunks = with(stripe, &[(line(1, CHUNK), &[0, 96]), (line(2, CHUNK), &[0, 96])]);
    assert_eq!(check(&chunks), ["strpsize is 96, expected a power of two"]);
    let zero = with(stripe, &[(line(1, CAPACITY), &[0; 4])]);
    assert!(check(&zero)[0].starts_with("lcapcty of a disk is 0"));
    let large = with(stripe, &[(line(1, CAPACITY), &[0xff; 4]), (line(0, CAPACITY), &[0; 4])]);
    assert_eq!(codes(&metadata(&Asr, &large).check()), ["device-too-small"]);
}

#[test]
fn heads_that_can_not_be_true_are_not_believed() {
    let stripe = &disks(Level::Raid0, 2)[0];
    let cases: &[(usize, &[u8], &str)] = &[
        (HEAD_LINES, &[0, 0], "elmcnt is 0, expected 1 to 126"),
        (HEAD_LINES, &[0, 127], "elmcnt is 127, expected 1 to 126"),
        (HEAD_LINES, &[0xff, 0xff], "elmcnt is 65535, expected 1 to 126"),
        (HEAD_LINE_SIZE, &[0, 32], "elmsize is 32, expected 64"),
    ];
    for (at, value, message) in cases {
        let device = with(stripe, &[(*at, *value)]);
        let found = find(&Asr, &device).unwrap();
        assert_eq!(found.problems[0].message, *message);
        assert_identity(&device, found.metadata.unwrap().as_ref());
        assert_eq!(assembled(&Asr, &[device]).len(), 0);
    }
    let version = with_area(stripe, BLOCK, &[(0x3f, &[7])]);
    assert_eq!(codes(&find(&Asr, &version).unwrap().problems), ["unsupported-version"]);
}

#[test]
fn two_disks_of_one_number_are_an_error() {
    let devices = disks(Level::Raid1, 2);
    let bytes = metadata(&Asr, &devices[0]).areas()[0].bytes.clone();
    let first = &bytes[line(1, MAGIC)..][..4];
    let twice = with(&devices[0], &[(line(2, MAGIC), first)]);
    assert!(codes(&metadata(&Asr, &twice).check()).contains(&"duplicate-disk"));
}

#[test]
fn a_table_that_is_not_where_it_should_be_is_looked_for_where_it_usually_is() {
    let device = &disks(Level::Raid1, 2)[0];
    let moved = with_area(device, BLOCK, &[(0x104, &[0xff; 4])]);
    assert_eq!(codes(&metadata(&Asr, &moved).check()), ["table-moved"]);
    let area = &metadata(&Asr, device).areas()[1];
    let without = disk_with(0, DISK, &[(area.offset, &area.bytes)]);
    let found = find(&Asr, &without).unwrap();
    assert_eq!(codes(&found.problems), ["table-missing"]);
    assert_identity(&without, found.metadata.unwrap().as_ref());
    assert_eq!(identify(&without, &[&Asr]).unwrap()[0].view.as_ref().unwrap().role, Role::Unknown);
}

#[test]
fn a_wrong_checksum_is_a_warning_and_sealing_makes_it_right() {
    let device = &disks(Level::Raid1, 2)[0];
    let areas = metadata(&Asr, device).areas();
    let mut broken = areas.clone();
    broken[0].bytes[line(2, NAME)] ^= 1;
    let broken = holding(device, &broken);
    assert_eq!(codes(&metadata(&Asr, &broken).check()), ["checksum"]);
    assert_eq!(metadata(&Asr, &broken).areas()[0].checksum, ChecksumState::Bad);
    assert_eq!(check(&with(&broken, &[])), [""; 0]);
    let mut behind = areas;
    behind[0].bytes[line(126, NAME)] ^= 1;
    assert_eq!(check(&holding(device, &behind)), [""; 0], "unused lines are not summed up");
}

#[test]
fn names_come_from_the_disks_line_or_the_first_and_are_harmless() {
    let device = &disks(Level::Raid1, 2)[0];
    let name = |bytes: &[(usize, &[u8])]| {
        let device = with(device, bytes);
        let view = metadata(&Asr, &device).view(&device);
        (view.volumes[0].name.clone().unwrap_or_default(), view.volumes[0].dm_name.clone())
    };
    let text = |name: &str, dm: &str| (name.to_owned(), dm.to_owned());
    assert_eq!(name(&[(line(1, NAME), &[0; 16]), (line(0, NAME), b"FIRST ")]), text("FIRST", "asr_FIRST"));
    assert_eq!(
        name(&[(line(1, NAME), b"sixteen letters!")]),
        text("sixteen letters!", "asr_sixteen_letters_")
    );
    assert_eq!(
        name(&[(line(1, NAME), b"a\n\x1b[m;$()/\xff\xff")]),
        text("a\\x0a\\x1b[m;$()/\\xff\\xff", "asr_a___m_______")
    );
    assert_eq!(name(&[(line(1, NAME), &[0; 16]), (line(0, NAME), &[0; 16])]), text("", "asr_"));
}

#[test]
fn every_byte_counts() {
    assert_every_byte_counts(&Asr, &disks(Level::Raid10, 4)[3]);
}

#[test]
fn devices_of_any_size_are_survived() {
    let device = &disks(Level::Raid1, 2)[0];
    let block = &metadata(&Asr, device).areas()[1].bytes;
    for length in [0_usize, 1, 511, 512, 513, 1024, 8703, 8704] {
        let mut bytes = vec![0x90; length];
        if let Some(start) = (length / 512 * 512).checked_sub(512) {
            bytes[start..start + 512].copy_from_slice(block);
        }
        let disk = Device::whole(Path::new("cut.img"), Arc::new(SimDisk::holding(&bytes)));
        let found = find(&Asr, &disk);
        assert_eq!(found.is_some(), length >= 512, "{length}");
        if let Some(found) = found {
            assert_eq!(codes(&found.problems), ["table-missing"]);
        }
    }
}

#[test]
fn disks_with_large_sectors_are_not_supported() {
    let device = &disks(Level::Raid1, 2)[0];
    let disk = SimDisk::new(device.size()).with_sector_size(SectorSize::B4096);
    for area in metadata(&Asr, device).areas() {
        disk.load(area.offset, &area.bytes);
    }
    let device = Device::whole(Path::new("4kn.img"), Arc::new(disk));
    assert_eq!(codes(&find(&Asr, &device).unwrap().problems), ["sector-size"]);
}

#[test]
fn the_window_of_a_signature_follows_from_where_the_table_is() {
    let device = &disks(Level::Raid1, 2)[0];
    let areas = metadata(&Asr, device).areas();
    let at = areas[1].offset;
    assert_eq!(Asr.windows(device, at).unwrap(), [Range { offset: Bytes(0), length: device.size() }]);
    let inside = SimDisk::new(Bytes(device.size().0 + (5 << 20)));
    for area in &areas {
        inside.load(Bytes(area.offset.0 + 1536), &area.bytes);
    }
    let file = Device::whole(Path::new("file.img"), Arc::new(inside));
    let windows = Asr.windows(&file, Bytes(at.0 + 1536)).unwrap();
    assert_eq!(windows[0], Range { offset: Bytes(1536), length: device.size() });
    assert_eq!(Asr.windows(device, Bytes(0)).unwrap(), []);
    assert_eq!(Asr.windows(device, Bytes::MAX).unwrap(), []);
}

#[test]
fn what_the_firmware_does_not_know_is_not_created() {
    let refused = |set: &NewSet| super::create(set).unwrap_err().to_string();
    assert!(refused(&wanted(Level::Raid5, 3, None)).contains("level is raid5"));
    assert!(refused(&wanted(Level::Linear, 2, None)).contains("level is linear"));
    for name in ["", "sixteen letters!", "two\nlines"] {
        let set = NewSet { name: name.to_owned(), ..wanted(Level::Raid1, 2, None) };
        assert!(refused(&set).contains("name is"), "{name}");
    }
    let large =
        NewSet { disks: blank(2, 5 << 30), size: Some(Sectors(1 << 20)), ..wanted(Level::Raid1, 2, None) };
    assert!(refused(&large).contains("2 TiB"));
}

#[test]
fn all_numbers_of_a_set_differ() {
    let mut set = wanted(Level::Raid10, 16, None);
    set.spares = blank(1, DISK);
    let devices = created(&Asr, &set);
    let mut keys: Vec<String> =
        devices.iter().map(|device| metadata(&Asr, device).view(device).key.unwrap()).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 17);
    assert!(!keys.contains(&super::arrays::key(NONE)) && line_type::SPARE == 0xfe);
}

proptest! {
    #![proptest_config(property(1000))]

    #[test]
    fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 500), at in 4..512_usize) {
        assert_noise_is_harmless(&Asr, &disks(Level::Raid10, 4)[0], at, &noise);
    }

    #[test]
    fn lines_in_any_order_never_panic(levels in prop::collection::vec(0..4_u8, 7), types in prop::collection::vec(0..6_u8, 7)) {
        let device = &disks(Level::Raid10, 4)[0];
        let noisy = changed(&Asr, device, true, |bytes| {
            if bytes.len() > 512 {
                for index in 0..7 {
                    bytes[line(index, 8)] = levels[index];
                    bytes[line(index, TYPE)] = types[index];
                }
            }
        });
        let metadata = metadata(&Asr, &noisy);
        metadata.check();
        metadata.view(&noisy);
        assembled(&Asr, &[noisy]);
    }
}
