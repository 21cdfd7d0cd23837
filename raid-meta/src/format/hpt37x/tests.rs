//! What is tried on the format.

use super::sector::MAGIC_BAD;
use super::{Hpt37x, METADATA};
use crate::device::{Device, ReadAt, SimDisk};
use crate::format::create::NewSet;
use crate::format::vendor::testing::{
    DISK, array, assembled, assert_every_byte_counts, assert_noise_is_harmless, assert_set_works, blank,
    changed, codes, created, disk_with, find, metadata, wanted,
};
use crate::format::{Format, Range};
use crate::geometry::Level;
use crate::identify::identify;
use crate::record::{ArrayRecord, ChecksumState, Health, MemberState, Role};
use crate::testing::property;
use crate::units::{Bytes, SectorSize, Sectors};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;

/// Where fields are, for tests that change them.
const STAMP: usize = 0x24;
const STAMP_1: usize = 0x28;
const ORDER: usize = 0x2c;
const DISKS: usize = 0x30;
const SHIFT: usize = 0x31;
const TYPE: usize = 0x32;
const NUMBER: usize = 0x33;
const TOTAL: usize = 0x34;
const LOG_COUNT: usize = 0x42;
const LOG: usize = 0x44;
const REBUILD: usize = 0x1d4;
const NAME_1: usize = 0x1d9;

fn disks(level: Level, count: usize) -> Vec<Device> {
    created(&Hpt37x, &wanted(level, count, None))
}

/// The device with these bytes of its sector set.
fn with(device: &Device, bytes: &[(usize, &[u8])]) -> Device {
    changed(&Hpt37x, device, true, |sector| {
        for (at, new) in bytes {
            sector[*at..at + new.len()].copy_from_slice(new);
        }
    })
}

fn check(device: &Device) -> Vec<String> {
    metadata(&Hpt37x, device).check().into_iter().map(|problem| problem.message).collect()
}

/// The first disk of the published example: a stripe of two disks of 312581808 sectors, named SharkR0.
fn published() -> Device {
    let mut sector = [0; 512];
    for (at, bytes) in [
        (0x20, &[0xf0, 0x16, 0x78, 0x5a, 0xb2, 0x06, 0xb2, 0xce][..]),
        (ORDER, &[4, 0, 0, 0, 2, 7, 0, 0]),
        (TOTAL, &625_163_520_u32.to_le_bytes()),
        (0x3c, &[0x78, 0x56, 0x34, 0x12, 0x80]),
        (REBUILD, &[0xff, 0xff, 0xff, 0x7f]),
        (NAME_1, b"SharkR0"),
    ] {
        sector[at..at + bytes.len()].copy_from_slice(bytes);
    }
    disk_with(0, 312_581_808, &[(METADATA, &sector)])
}

/// The offsets of the members.
fn offsets(array: &ArrayRecord) -> Vec<u64> {
    array.members.iter().map(|member| member.offset_sectors.unwrap().0).collect()
}

#[test]
fn the_published_example_has_the_size_that_the_firmware_gave_it() {
    let device = published();
    let view = metadata(&Hpt37x, &device).view(&device);
    let volume = &view.volumes[0];
    assert_eq!((volume.dm_name.as_str(), volume.name.as_deref()), ("hpt37x_deghhhdgbi", Some("SharkR0")));
    assert_eq!(volume.size, Sectors(625_163_520));
    let geometry = volume.geometry.unwrap();
    assert_eq!((geometry.level, geometry.slots, geometry.chunk.unwrap().get()), (Level::Raid0, 2, 128));
    assert_eq!(check(&device), [""; 0]);
}

#[test]
fn new_sets_of_every_level_are_found_whole_and_degrade_as_they_should() {
    for (level, counts) in [
        (Level::Linear, vec![1, 2, 8]),
        (Level::Raid0, vec![2, 3, 8]),
        (Level::Raid1, vec![2]),
        (Level::Raid10, vec![4, 6, 8]),
    ] {
        for count in counts {
            let array = assert_set_works(&Hpt37x, &wanted(level, count, None));
            assert!(array.name.starts_with("hpt37x_"), "{}", array.name);
            assert!(array.name[7..].bytes().all(|byte| byte.is_ascii_lowercase()));
            assert_eq!(array.volume.as_deref(), Some("data1"));
        }
    }
    assert_set_works(&Hpt37x, &wanted(Level::Raid0, 2, Some(8)));
    assert_set_works(&Hpt37x, &wanted(Level::Raid10, 4, Some(4096)));
}

#[test]
fn all_disks_but_the_first_of_each_stripe_have_their_data_behind_the_metadata() {
    assert_eq!(offsets(&array(&Hpt37x, &disks(Level::Raid0, 3))), [0, 10, 10]);
    assert_eq!(offsets(&array(&Hpt37x, &disks(Level::Raid1, 2))), [0, 10]);
    assert_eq!(offsets(&array(&Hpt37x, &disks(Level::Raid10, 4))), [0, 0, 10, 10]);
    assert_eq!(offsets(&array(&Hpt37x, &disks(Level::Linear, 2))), [0, 10]);
}

#[test]
fn sizes_leave_room_for_the_offset_once() {
    let size = |level, count| array(&Hpt37x, &disks(level, count)).size_sectors;
    let chunks = (DISK - 10) / 128 * 128;
    assert_eq!(size(Level::Raid0, 2), Sectors(2 * chunks));
    assert_eq!(size(Level::Raid1, 2), Sectors(DISK - 10));
    assert_eq!(size(Level::Raid10, 4), Sectors(2 * chunks));
    assert_eq!(size(Level::Linear, 2), Sectors(2 * DISK - 10));
}

#[test]
fn a_mirror_that_counts_one_disk_is_a_mirror_of_two() {
    let devices: Vec<Device> =
        disks(Level::Raid1, 2).iter().map(|device| with(device, &[(DISKS, &[1])])).collect();
    let array = array(&Hpt37x, &devices);
    assert_eq!((array.level, array.slots, array.health), (Level::Raid1, 2, Health::Optimal));
}

#[test]
fn a_mirror_whose_type_is_that_of_a_stripe_is_known_by_its_order() {
    let devices = disks(Level::Raid1, 2);
    let written = [(TYPE, &[0][..]), (ORDER, &[5, 0, 0, 0]), (DISKS, &[1])];
    let first = with(&devices[0], &written);
    let second = with(&with(&devices[1], &written), &[(NUMBER, &[6])]);
    let array = array(&Hpt37x, &[second.clone(), first]);
    assert_eq!((array.level, array.slots, array.health), (Level::Raid1, 2, Health::Optimal));
    assert_eq!(array.members[1].device.as_deref(), Some("disk1.img"));
    assert_eq!(offsets(&array), [0, 0]);
    let view = metadata(&Hpt37x, &second).view(&second);
    assert_eq!(codes(&view.problems), ["disputed-offset"]);
}

#[test]
fn where_the_second_disk_of_a_mirror_begins_is_said_to_be_disputed() {
    let devices = disks(Level::Raid1, 2);
    let notes: Vec<usize> =
        devices.iter().map(|device| metadata(&Hpt37x, device).view(device).problems.len()).collect();
    assert_eq!(notes, [0, 1]);
}

#[test]
fn the_halves_of_a_raid10_are_told_apart_by_the_lowest_bit_of_their_order() {
    for (first, second) in [(3, 2), (1, 2), (7, 6)] {
        let order = |device: &Device, order| with(device, &[(ORDER, &[order, 0, 0, 0])]);
        let devices = disks(Level::Raid10, 4);
        let devices = [
            order(&devices[0], first),
            order(&devices[1], second),
            order(&devices[2], first),
            order(&devices[3], second),
        ];
        let array = array(&Hpt37x, &devices);
        assert_eq!((array.health, offsets(&array)), (Health::Optimal, vec![0, 0, 10, 10]));
    }
}

#[test]
fn a_half_that_is_not_current_is_failed() {
    let mut devices = disks(Level::Raid10, 4);
    for index in [1, 3] {
        devices[index] = with(&devices[index], &[(ORDER, &[0; 4])]);
    }
    assert!(check(&devices[1])[0].starts_with("order is 0x00000000: bit 0x2"));
    let array = array(&Hpt37x, &devices);
    let states: Vec<MemberState> = array.members.iter().map(|member| member.state).collect();
    let (failed, current) = (MemberState::Failed, MemberState::InSync);
    assert_eq!(states, [current, failed, current, failed]);
}

#[test]
fn a_stripe_over_mirrors_is_mapped_as_another_reader_does_and_said_to_be_unverified() {
    let devices = disks(Level::Raid10, 4);
    let pairs = |total: u32| -> Vec<Device> {
        [(0, 0), (0, 1), (1, 0), (1, 1)]
            .iter()
            .zip(&devices)
            .map(|(&(pair, number), device)| {
                let order = [pair, 0, 0, 0];
                let total = total.to_le_bytes();
                with(device, &[(TYPE, &[7]), (ORDER, &order), (NUMBER, &[number]), (TOTAL, &total)])
            })
            .collect()
    };
    let chunks = (DISK - 10) / 128 * 128;
    let per_mirror = u32::try_from(chunks).unwrap();
    for total in [per_mirror, 2 * per_mirror] {
        let array = array(&Hpt37x, &pairs(total));
        assert_eq!((array.level, array.size_sectors), (Level::Raid10, Sectors(2 * chunks)));
        assert_eq!(offsets(&array), [0, 10, 0, 10]);
        assert_eq!(codes(&array.problems), ["unverified-layout"]);
    }
}

#[test]
fn a_disk_alone_is_all_of_itself() {
    let device = &disks(Level::Linear, 1)[0];
    let array = array(&Hpt37x, &[with(device, &[(TYPE, &[6]), (DISKS, &[0]), (TOTAL, &[0; 4])])]);
    assert_eq!(
        (array.level, array.size_sectors, array.health),
        (Level::Linear, Sectors(DISK), Health::Optimal)
    );
}

#[test]
fn a_disk_with_the_mark_of_failure_is_a_failed_member() {
    let mut devices = disks(Level::Raid1, 2);
    devices[1] = with(&devices[1], &[(0x20, &MAGIC_BAD.to_le_bytes())]);
    let array = array(&Hpt37x, &devices);
    assert_eq!((array.health, array.members[1].state), (Health::Degraded, MemberState::Failed));
}

#[test]
fn a_rebuild_makes_the_redundancy_doubtful() {
    let changes: [(usize, &[u8]); 1] = [(REBUILD, &[0, 16, 0, 0])];
    let devices: Vec<Device> = disks(Level::Raid1, 2).iter().map(|device| with(device, &changes)).collect();
    let array = array(&Hpt37x, &devices);
    assert_eq!((array.health, array.dirty), (Health::Inconsistent, Some(true)));
    assert!(check(&devices[0])[0].starts_with("rebuild_lba is 4096"));
    let zero = with(&devices[0], &[(REBUILD, &[0; 4])]);
    assert_eq!(check(&zero), [""; 0]);
}

#[test]
fn plain_sets_are_told_apart_by_their_own_stamp_and_halves_by_the_common_one() {
    let mut devices = disks(Level::Raid1, 2);
    devices[1] = with(&devices[1], &[(STAMP, &[1, 2, 3, 4])]);
    assert_eq!(assembled(&Hpt37x, &devices).len(), 2);
    let mut devices = disks(Level::Raid10, 4);
    devices[1] = with(&devices[1], &[(STAMP_1, &[1, 2, 3, 4])]);
    assert_eq!(assembled(&Hpt37x, &devices).len(), 2);
}

#[test]
fn spares_are_in_no_array() {
    let mut set = wanted(Level::Raid1, 2, None);
    set.spares = blank(1, DISK);
    let devices = created(&Hpt37x, &set);
    let members = identify(&devices[2], &[&Hpt37x]).unwrap();
    let view = members[0].view.as_ref().unwrap();
    assert_eq!((view.role, view.volumes.len()), (Role::Spare, 0));
    assert_eq!(members[0].problems, []);
    assert_eq!(assembled(&Hpt37x, &devices).len(), 1);
    assert_eq!(assembled(&Hpt37x, &devices[2..]).len(), 0);
}

#[test]
fn every_rule_says_what_it_found_and_what_it_expected() {
    let stripe = &disks(Level::Raid0, 2)[0];
    let raid10 = &disks(Level::Raid10, 4)[0];
    let cases: &[(&Device, usize, u8, &str)] = &[
        (stripe, LOG_COUNT, 33, "error_log_entries is 33, expected at most 32"),
        (stripe, TYPE, 5, "raid_type is 5, expected 0 to 3, 6 or 7"),
        (stripe, DISKS, 0, "raid_disks is 0, expected 1 to 8"),
        (stripe, DISKS, 9, "raid_disks is 9, expected 1 to 8"),
        (stripe, NUMBER, 2, "disk_number is 2, expected less than 2"),
        (stripe, SHIFT, 0, "raid0_shift is 0, expected 1 to 20"),
        (stripe, SHIFT, 40, "raid0_shift is 40, expected 1 to 20"),
        (stripe, ORDER, 0, "order is 0x00000000, expected 0x00000004 of a stripe"),
        (raid10, DISKS, 1, "raid_disks is 1, expected 2 to 8"),
        (raid10, NUMBER, 2, "disk_number is 2, expected less than 2"),
    ];
    for (device, at, value, message) in cases {
        let device = with(device, &[(*at, &[*value])]);
        assert_eq!(check(&device), [*message]);
        assert_eq!(metadata(&Hpt37x, &device).view(&device).volumes.len(), 1);
    }
    assert_eq!(
        check(&with(stripe, &[(TOTAL, &[0; 4])])),
        ["total_secs is 0, expected the size of the array"]
    );
    let large = with(stripe, &[(TOTAL, &[0xff; 4])]);
    assert_eq!(codes(&metadata(&Hpt37x, &large).check()), ["device-too-small"]);
    let unknown = with(stripe, &[(TYPE, &[200])]);
    assert_eq!(array(&Hpt37x, &[unknown]).health, Health::Failed);
}

#[test]
fn a_position_that_no_set_has_is_not_believed() {
    let device = with(&disks(Level::Raid0, 2)[0], &[(NUMBER, &[8])]);
    assert_eq!(codes(&find(&Hpt37x, &device).unwrap().problems), ["slot"]);
    assert_eq!(assembled(&Hpt37x, &[device]).len(), 0);
}

#[test]
fn the_error_log_is_in_words() {
    let entry = [0x78, 0x56, 0x34, 0x52, 0xff, 1, 0, 8, 1, 0, 0, 0];
    let device = with(&disks(Level::Raid1, 2)[0], &[(LOG, &entry), (LOG_COUNT, &[1])]);
    let fields = metadata(&Hpt37x, &device).fields();
    let meaning = |name: &str| fields.iter().find(|field| field.name == name).unwrap().meaning.clone();
    assert_eq!(meaning("errorlog[0].reason").as_deref(), Some("broken"));
    assert_eq!(meaning("errorlog[0].timestamp").as_deref(), Some("2013-09-14T12:28:40Z"));
    assert_eq!(meaning("errorlog[31].timestamp"), None);
    assert_eq!(check(&device), [""; 0]);
}

#[test]
fn hostile_names_are_escaped_and_never_part_of_the_dm_name() {
    let device = with(&disks(Level::Raid1, 2)[0], &[(NAME_1, b"a\n\x1b[1m;$()/\xff\xff\xff\xff")]);
    let view = metadata(&Hpt37x, &device).view(&device);
    assert_eq!(view.volumes[0].name.as_deref(), Some("a\\x0a\\x1b[1m;$()/\\xff\\xff\\xff\\xff"));
    assert!(view.volumes[0].dm_name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
}

#[test]
fn every_byte_counts() {
    assert_every_byte_counts(&Hpt37x, &disks(Level::Raid10, 4)[3]);
    let metadata = metadata(&Hpt37x, &disks(Level::Raid1, 2)[0]);
    assert_eq!(metadata.areas()[0].checksum, ChecksumState::Absent);
}

#[test]
fn devices_of_any_size_are_survived() {
    for sectors in 0..=12 {
        assert!(find(&Hpt37x, &disk_with(0, sectors, &[])).is_none());
    }
    let magic = [0xf0, 0x16, 0x78, 0x5a];
    for length in [0_usize, 4, 4608, 4644, 5119, 5120, 5121] {
        let bytes: Vec<u8> = magic.into_iter().cycle().take(length).collect();
        let device = Device::whole(Path::new("cut.img"), Arc::new(SimDisk::holding(&bytes)));
        assert_eq!(find(&Hpt37x, &device).is_some(), length >= 5120, "{length}");
    }
}

#[test]
fn disks_with_large_sectors_are_not_supported() {
    let area = &metadata(&Hpt37x, &disks(Level::Raid1, 2)[0]).areas()[0];
    let disk = SimDisk::new(Bytes(1 << 24)).with_sector_size(SectorSize::B4096);
    disk.load(area.offset, &area.bytes);
    let device = Device::whole(Path::new("4kn.img"), Arc::new(disk));
    assert_eq!(codes(&find(&Hpt37x, &device).unwrap().problems), ["sector-size"]);
}

#[test]
fn the_window_of_a_signature_begins_where_the_disk_does() {
    let device = &disks(Level::Raid1, 2)[0];
    let windows = |at| Hpt37x.windows(device, Bytes(at)).unwrap();
    assert_eq!(windows(4608), [Range { offset: Bytes(0), length: device.size() }]);
    assert_eq!(windows(4640), windows(4608));
    assert_eq!(windows(5120)[0].offset, Bytes(512));
    assert_eq!(windows(4096), []);
    assert_eq!(windows(u64::MAX), []);
}

#[test]
fn what_the_firmware_does_not_know_is_not_created() {
    let refused = |set: &NewSet| super::create(set).unwrap_err().to_string();
    assert!(refused(&wanted(Level::Raid5, 3, None)).contains("level is raid5"));
    assert!(refused(&wanted(Level::Raid1, 3, None)).contains("number of disks is 3, expected 2"));
    assert!(
        refused(&NewSet { name: "fifteen letters".to_owned(), ..wanted(Level::Raid1, 2, None) })
            .contains("name")
    );
    assert!(refused(&NewSet { disks: blank(2, 10), ..wanted(Level::Raid1, 2, None) }).contains("10 sectors"));
}

proptest! {
    #![proptest_config(property(2000))]

    #[test]
    fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 476), at in 36..512_usize) {
        assert_noise_is_harmless(&Hpt37x, &disks(Level::Raid10, 4)[0], at, &noise);
    }
}
