//! What is tried on the format.

use super::Hpt45x;
use super::meaning::Date;
use super::sector::MAGIC_BAD;
use crate::device::{Device, ReadAt, SimDisk};
use crate::format::create::NewSet;
use crate::format::vendor::testing::{
    DISK, array, assembled, assert_every_byte_counts, assert_identity, assert_noise_is_harmless,
    assert_set_works, blank, captured, changed, codes, created, disk_with, find, metadata, wanted,
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
const MAGIC: usize = 0;
const STAMP: usize = 4;
const ENTRIES: usize = 0xb;
const CONFIG: [usize; 2] = [0xc, 0x1c];
const TYPE: usize = 4;
const DISKS: usize = 5;
const NUMBER: usize = 6;
const SHIFT: usize = 7;
const STATUS: usize = 8;
const CRITICAL: usize = 10;
const REBUILD: usize = 12;

fn disks(level: Level, count: usize) -> Vec<Device> {
    created(&Hpt45x, &wanted(level, count, None))
}

/// The device with these bytes of its sector set, and the checksums right.
fn with(device: &Device, bytes: &[(usize, &[u8])]) -> Device {
    changed(&Hpt45x, device, true, |sector| {
        for (at, new) in bytes {
            sector[*at..at + new.len()].copy_from_slice(new);
        }
    })
}

/// The array that is left when these bytes are set on every disk.
fn array_with(devices: &[Device], bytes: &[(usize, &[u8])]) -> ArrayRecord {
    let changed: Vec<Device> = devices.iter().map(|device| with(device, bytes)).collect();
    array(&Hpt45x, &changed)
}

fn check(device: &Device) -> Vec<String> {
    metadata(&Hpt45x, device).check().into_iter().map(|problem| problem.message).collect()
}

#[test]
fn a_disk_of_a_real_set_is_read_with_a_warning_that_it_is_cut_short() {
    let device = captured("hpt45x-raid");
    let sector = metadata(&Hpt45x, &device);
    assert_identity(&device, sector.as_ref());
    assert_eq!(sector.areas()[0].checksum, ChecksumState::Ok);
    assert_eq!(codes(&sector.check()), ["device-too-small"]);
    let view = sector.view(&device);
    let volume = &view.volumes[0];
    assert_eq!((view.role, view.key.as_deref()), (Role::Active, Some("0")));
    assert_eq!((volume.dm_name.as_str(), volume.name.as_deref()), ("hpt45x_dbagefdi", Some("RAID_0_0")));
    assert_eq!(volume.size, Sectors(640_345_856));
    assert_eq!(volume.own.as_ref().unwrap().length, Sectors(320_172_928));
    let geometry = volume.geometry.unwrap();
    assert_eq!((geometry.level, geometry.slots, geometry.chunk.unwrap().get()), (Level::Raid0, 2, 128));
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
            let array = assert_set_works(&Hpt45x, &wanted(level, count, None));
            assert!(array.name.starts_with("hpt45x_"), "{}", array.name);
            assert!(array.name[7..].bytes().all(|byte| byte.is_ascii_lowercase()));
            assert_eq!(array.volume.as_deref(), Some("data1"));
        }
    }
    assert_set_works(&Hpt45x, &wanted(Level::Raid0, 2, Some(8)));
    assert_set_works(&Hpt45x, &wanted(Level::Raid10, 4, Some(4096)));
}

#[test]
fn sizes_are_those_that_dmraid_maps() {
    let size = |level, count| array(&Hpt45x, &disks(level, count)).size_sectors;
    let chunks = (DISK - 11) / 128 * 128;
    assert_eq!(size(Level::Raid0, 2), Sectors(2 * chunks));
    assert_eq!(size(Level::Raid1, 2), Sectors(DISK - 11));
    assert_eq!(size(Level::Raid10, 4), Sectors(2 * chunks));
    assert_eq!(size(Level::Linear, 2), Sectors(2 * (DISK - 11)));
}

#[test]
fn sets_beyond_two_tebibytes_keep_their_size() {
    let set = NewSet { disks: blank(4, 4 << 30), ..wanted(Level::Raid0, 4, None) };
    assert_eq!(array(&Hpt45x, &created(&Hpt45x, &set)).size_sectors, Sectors((16 << 30) - 4 * 128));
}

#[test]
fn a_stripe_over_mirrors_is_the_same_raid10_as_a_mirror_over_stripes() {
    let devices = disks(Level::Raid10, 4);
    let whole = array(&Hpt45x, &devices);
    let swapped: Vec<Device> = devices
        .iter()
        .map(|device| {
            changed(&Hpt45x, device, true, |sector| {
                let (first, second) = sector[0xc..0x2c].split_at_mut(16);
                first.swap_with_slice(second);
            })
        })
        .collect();
    let turned = array(&Hpt45x, &swapped);
    assert_eq!((turned.level, turned.size_sectors), (whole.level, whole.size_sectors));
    assert_eq!((turned.members, turned.health), (whole.members, Health::Optimal));
}

#[test]
fn a_disk_with_the_mark_of_failure_is_a_failed_member() {
    let mut devices = disks(Level::Raid1, 2);
    devices[1] = with(&devices[1], &[(MAGIC, &MAGIC_BAD.to_le_bytes())]);
    let array = array(&Hpt45x, &devices);
    assert_eq!((array.health, array.members[1].state), (Health::Degraded, MemberState::Failed));
}

#[test]
fn members_that_are_not_current_are_rebuilding_or_failed() {
    let devices = disks(Level::Raid1, 2);
    let rebuilding = array_with(
        &devices,
        &[
            (CONFIG[0] + STATUS, &[1, 0]),
            (CONFIG[0] + CRITICAL, &[2, 0]),
            (CONFIG[0] + REBUILD, &[0, 16, 0, 0]),
        ],
    );
    assert_eq!(rebuilding.health, Health::Rebuilding);
    assert_eq!(rebuilding.members[1].recovered_sectors, Some(Sectors(4096)));
    assert_eq!(rebuilding.members[0].state, MemberState::InSync);
    let failed = array_with(&devices, &[(CONFIG[0] + CRITICAL, &[2, 0])]);
    assert_eq!((failed.health, failed.members[1].state), (Health::Degraded, MemberState::Failed));
    let dirty = array_with(&devices, &[(CONFIG[0] + STATUS, &[1, 0]), (CONFIG[0] + REBUILD, &[0, 16, 0, 0])]);
    assert_eq!((dirty.health, dirty.dirty), (Health::Inconsistent, Some(true)));
    assert_eq!(dirty.resync_position_sectors, Some(Sectors(4096)));
}

#[test]
fn half_of_a_raid10_that_is_not_current_is_failed() {
    let array = array_with(&disks(Level::Raid10, 4), &[(CONFIG[1] + CRITICAL, &[1, 0])]);
    let states: Vec<MemberState> = array.members.iter().map(|member| member.state).collect();
    let (failed, current) = (MemberState::Failed, MemberState::InSync);
    assert_eq!(states, [failed, current, failed, current]);
    assert_eq!(array.health, Health::Degraded);
}

#[test]
fn a_disk_of_an_older_stamp_is_in_a_set_of_its_own() {
    let mut devices = disks(Level::Raid1, 2);
    devices[1] = with(&devices[1], &[(STAMP, &[1, 2, 3, 4])]);
    let arrays = assembled(&Hpt45x, &devices);
    assert_eq!(arrays.len(), 2);
    assert!(arrays.iter().all(|array| array.health == Health::Degraded));
}

#[test]
fn spares_are_in_no_array() {
    let mut set = wanted(Level::Raid1, 2, None);
    set.spares = blank(1, DISK);
    let devices = created(&Hpt45x, &set);
    let members = identify(&devices[2], &[&Hpt45x]).unwrap();
    let view = members[0].view.as_ref().unwrap();
    assert_eq!((view.role, view.volumes.len()), (Role::Spare, 0));
    assert_eq!(members[0].problems, []);
    assert_eq!(assembled(&Hpt45x, &devices).len(), 1);
    assert_eq!(assembled(&Hpt45x, &devices[2..]).len(), 0);
}

#[test]
fn a_raid5_is_recognised_and_not_mapped() {
    let array = array_with(&disks(Level::Raid0, 3), &[(CONFIG[0] + TYPE, &[8])]);
    assert_eq!((array.level, array.health), (Level::Raid5, Health::Failed));
    assert!(codes(&array.problems).contains(&"unsupported-layout"));
}

#[test]
fn every_rule_says_what_it_found_and_what_it_expected() {
    let device = &disks(Level::Raid0, 2)[0];
    let raid10 = &disks(Level::Raid10, 4)[0];
    let cases: &[(&Device, usize, u8, &str)] = &[
        (device, ENTRIES, 0, "config_entries is 0, expected 1 or 2"),
        (device, CONFIG[0] + TYPE, 7, "config[0].raid_type is 7, expected 4, 5, 6 or 8"),
        (device, CONFIG[0] + DISKS, 0, "config[0].total_disks is 0, expected 1 to 8"),
        (device, CONFIG[0] + DISKS, 9, "config[0].total_disks is 9, expected 1 to 8"),
        (device, CONFIG[0] + NUMBER, 2, "config[0].disk_number is 2, expected less than 2"),
        (device, CONFIG[0] + SHIFT, 0, "config[0].stripe_shift is 0, expected 1 to 20"),
        (device, CONFIG[0] + SHIFT, 32, "config[0].stripe_shift is 32, expected 1 to 20"),
        (raid10, CONFIG[1] + DISKS, 3, "config[1].total_disks is 3, expected 2"),
        (raid10, CONFIG[1] + NUMBER, 2, "config[1].disk_number is 2, expected less than 2"),
        (raid10, CONFIG[0] + DISKS, 1, "config[0].total_disks is 1, expected at least 2"),
        (raid10, CONFIG[1] + TYPE, 8, "config[0].raid_type is 5 and config[1].raid_type 8, expected 5 and 6"),
    ];
    for (device, at, value, message) in cases {
        let device = with(device, &[(*at, &[*value])]);
        assert_eq!(check(&device), [*message]);
        assert_eq!(metadata(&Hpt45x, &device).view(&device).volumes.len(), 1);
    }
    let empty = with(device, &[(CONFIG[0], &[0; 4])]);
    assert_eq!(check(&empty), ["config[0].total_sectors is 0, expected the size of the array"]);
    let large = with(device, &[(CONFIG[0], &[0xff; 4]), (0x94, &[0xff; 4])]);
    assert_eq!(codes(&metadata(&Hpt45x, &large).check()), ["device-too-small"]);
}

#[test]
fn a_position_that_no_set_has_is_not_believed() {
    let device = with(&disks(Level::Raid0, 2)[0], &[(CONFIG[0] + NUMBER, &[8])]);
    let found = find(&Hpt45x, &device).unwrap();
    assert_eq!(found.problems[0].message, "config[0].disk_number is 8, expected less than 8");
    assert_eq!(assembled(&Hpt45x, &[device]).len(), 0);
}

#[test]
fn a_wrong_checksum_is_a_warning_and_sealing_makes_it_right() {
    let device = &disks(Level::Raid1, 2)[0];
    let broken = changed(&Hpt45x, device, false, |sector| sector[0x2c] ^= 1);
    let problem = &metadata(&Hpt45x, &broken).check()[0];
    assert_eq!((problem.code.as_str(), problem.is_error()), ("checksum", false));
    assert_eq!(metadata(&Hpt45x, &broken).areas()[0].checksum, ChecksumState::Bad);
    let sealed = changed(&Hpt45x, &broken, true, |_| ());
    assert_eq!(check(&sealed), [""; 0]);
    let bytes = &metadata(&Hpt45x, &sealed).areas()[0].bytes;
    assert_eq!(bytes.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte)), 0);
}

#[test]
fn a_remainder_in_the_part_that_old_firmware_does_not_sum_up_stays() {
    let device = &disks(Level::Raid1, 2)[0];
    let old = changed(&Hpt45x, device, false, |sector| sector[0x90] = 0x55);
    assert_eq!(check(&old), [""; 0]);
    let renamed = changed(&Hpt45x, &old, true, |sector| sector[0x2c] = b'X');
    let bytes = &metadata(&Hpt45x, &renamed).areas()[0].bytes;
    assert_eq!((bytes[0x90], check(&renamed).len()), (0x55, 0));
}

#[test]
fn hostile_names_are_escaped_and_never_part_of_the_dm_name() {
    let device = with(&disks(Level::Raid1, 2)[0], &[(0x2c, b"a\n\x1b[1m;$()/\xff\xff\0\0")]);
    let view = metadata(&Hpt45x, &device).view(&device);
    assert_eq!(view.volumes[0].name.as_deref(), Some("a\\x0a\\x1b[1m;$()/\\xff\\xff"));
    assert!(view.volumes[0].dm_name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
}

#[test]
fn the_date_of_creation_comes_back() {
    let fields = metadata(&Hpt45x, &disks(Level::Raid1, 2)[0]).fields();
    let timestamp = fields.iter().find(|field| field.name == "timestamp").unwrap();
    assert_eq!(timestamp.meaning.as_deref(), Some("created 2023-11-14 22:13:20"));
    let date = Date { year: 2031, month: 12, day: 31, hour: 23, minute: 59, second: 59 };
    assert_eq!(Date::unpacked(date.packed().unwrap()), date);
    assert_eq!(Date { year: 2032, ..date }.packed(), None);
}

#[test]
fn every_byte_counts() {
    assert_every_byte_counts(&Hpt45x, &disks(Level::Raid10, 4)[3]);
}

#[test]
fn devices_of_any_size_are_survived() {
    for sectors in 0..=12 {
        assert!(find(&Hpt45x, &disk_with(0, sectors, &[])).is_none());
    }
    let magic = [0xf3, 0x16, 0x78, 0x5a];
    for length in [4_usize, 511, 512, 5631, 5632, 6143] {
        let bytes: Vec<u8> = magic.into_iter().cycle().take(length).collect();
        let disk = SimDisk::holding(&bytes);
        let device = Device::whole(Path::new("cut.img"), Arc::new(disk));
        assert_eq!(find(&Hpt45x, &device).is_some(), length >= 5632, "{length}");
    }
}

#[test]
fn disks_with_large_sectors_are_not_supported() {
    let device = &disks(Level::Raid1, 2)[0];
    let area = &metadata(&Hpt45x, device).areas()[0];
    let disk = SimDisk::new(device.size()).with_sector_size(SectorSize::B4096);
    disk.load(area.offset, &area.bytes);
    let device = Device::whole(Path::new("4kn.img"), Arc::new(disk));
    assert_eq!(codes(&find(&Hpt45x, &device).unwrap().problems), ["sector-size"]);
}

#[test]
fn the_window_of_a_signature_ends_where_the_disk_does() {
    let device = &disks(Level::Raid1, 2)[0];
    let at = metadata(&Hpt45x, device).areas()[0].offset;
    let whole = Range { offset: Bytes(0), length: device.size() };
    assert!(Hpt45x.windows(device, at).unwrap().contains(&whole));
    assert_eq!(Hpt45x.windows(device, Bytes(at.0 + 512)).unwrap(), []);
    assert_eq!(Hpt45x.windows(device, Bytes::MAX).unwrap(), []);
    let inside = SimDisk::new(Bytes(device.size().0 + (5 << 20)));
    inside.load(Bytes(at.0 + (3 << 20)), &metadata(&Hpt45x, device).areas()[0].bytes);
    let file = Device::whole(Path::new("file.img"), Arc::new(inside));
    let windows = Hpt45x.windows(&file, Bytes(at.0 + (3 << 20))).unwrap();
    assert_eq!(windows[0], Range { offset: Bytes(3 << 20), length: device.size() });
}

#[test]
fn what_the_firmware_does_not_know_is_not_created() {
    let refused = |set: &NewSet| super::create(set).unwrap_err().to_string();
    assert!(refused(&wanted(Level::Raid5, 3, None)).contains("level is raid5"));
    assert!(refused(&wanted(Level::Raid1, 3, None)).contains("number of disks is 3, expected 2"));
    assert!(
        refused(&NewSet { name: "sixteen letters!".to_owned(), ..wanted(Level::Raid1, 2, None) })
            .contains("name")
    );
    assert!(refused(&NewSet { disks: blank(2, 11), ..wanted(Level::Raid1, 2, None) }).contains("11 sectors"));
}

proptest! {
    #![proptest_config(property(2000))]

    #[test]
    fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 508), at in 4..512_usize) {
        assert_noise_is_harmless(&Hpt45x, &disks(Level::Raid10, 4)[0], at, &noise);
    }
}
