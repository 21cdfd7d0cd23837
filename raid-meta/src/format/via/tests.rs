//! Tests of the format as a whole.

use super::sector::{Sector, bit, info, seal};
use super::{NAME, Via};
use crate::device::Device;
use crate::format::create::NewSet;
use crate::format::vendor::testing::{
    DISK, array, assembled, assert_every_byte_counts, assert_found_in_a_larger_file, assert_identity,
    assert_noise_is_harmless, assert_set_works, assert_small_devices_are_harmless, blank, codes, created,
    disk_with, find, metadata, wanted,
};
use crate::geometry::Level;
use crate::model::MemberView;
use crate::record::{ArrayRecord, Health, MemberState, Role};
use crate::testing::property;
use crate::units::{Bytes, Sectors};
use proptest::prelude::*;

const AT: Bytes = Bytes((DISK - 1) * 512);

fn pair(level: Level) -> Vec<Device> {
    created(&Via, &wanted(level, 2, None))
}

/// The disk with its sector changed and sealed.
fn edited(device: &Device, change: impl Fn(&mut Sector)) -> Device {
    let number = device.path_text().chars().filter_map(|char| char.to_digit(10)).sum::<u32>() as usize;
    let mut sector = Sector::decode(&device.read(AT, 512).unwrap().unwrap()).unwrap();
    change(&mut sector);
    let mut bytes = sector.encode();
    seal(&mut bytes, true);
    disk_with(number, DISK, &[(AT, &bytes)])
}

fn with_info(sector: &mut Sector, info: u8) {
    sector.head.disk = sector.head.disk & !0x7c00 | u16::from(info) << 10;
}

fn view(device: &Device) -> MemberView {
    metadata(&Via, device).view(device)
}

fn check(device: &Device) -> Vec<String> {
    let problems = find(&Via, device).unwrap().metadata.unwrap().check();
    codes(&problems).into_iter().map(str::to_owned).collect()
}

fn states(array: &ArrayRecord) -> Vec<MemberState> {
    array.members.iter().map(|member| member.state).collect()
}

/// The sector of the format's description: a stripe of two disks, chunk of 64 KiB.
fn described() -> Vec<u8> {
    let mut bytes = vec![0; 512];
    bytes[..6].copy_from_slice(&[0x55, 0xaa, 1, 5, 0, 0x42]);
    bytes[6..14].copy_from_slice(&312_581_632_u64.to_le_bytes());
    for (at, id) in [(0x0e, 0x1122_3344_u32), (0x12, 0x1122_3344), (0x16, 0x5566_7788)] {
        bytes[at..at + 4].copy_from_slice(&id.to_le_bytes());
    }
    bytes
}

#[test]
fn the_sector_of_the_specification_has_its_checksums_and_its_meaning() {
    let mut bytes = described();
    seal(&mut bytes, true);
    assert_eq!((bytes[0x32], bytes[0x1ff]), (0xa6, 0x4c));
    let device = disk_with(0, 312_581_808, &[(Bytes(312_581_807 * 512), &bytes)]);
    let metadata = metadata(&Via, &device);
    assert_identity(&device, metadata.as_ref());
    assert_eq!(metadata.check(), []);
    let view = metadata.view(&device);
    let volume = &view.volumes[0];
    assert_eq!((volume.level, volume.slots.len(), volume.size.0), (Some(Level::Raid0), 2, 625_163_264));
    assert_eq!(volume.geometry.unwrap().chunk.unwrap().get(), 128);
    // 0x42 + 0x11223344 + 0x11223344 … as dmraid adds them up, in letters.
    let sum = 0x42 + 0x1122_3344_u32 + 0x5566_7788;
    let spelled: String = sum.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
    assert_eq!(volume.dm_name, format!("via_{spelled}"));
}

#[test]
fn sets_of_all_levels_and_sizes_work() {
    for disks in 1..=7 {
        let set = assert_set_works(&Via, &wanted(Level::Linear, disks, None));
        assert_eq!(set.size_sectors.0, (DISK - 1) * disks as u64);
    }
    for disks in 2..=7 {
        let set = assert_set_works(&Via, &wanted(Level::Raid0, disks, Some(16)));
        assert_eq!(set.chunk_sectors.unwrap().get(), 16);
        assert_eq!(set.size_sectors.0, (DISK - 1) / 16 * 16 * disks as u64);
    }
    let set = assert_set_works(&Via, &wanted(Level::Raid1, 2, None));
    assert_eq!(set.size_sectors.0, DISK - 1);
    for disks in [4, 6, 8] {
        let set = assert_set_works(&Via, &wanted(Level::Raid10, disks, Some(32768)));
        assert_eq!(set.layout.unwrap().to_string(), "near-2");
        assert_eq!(set.size_sectors.0, (DISK - 1) / 32768 * 32768 * disks as u64 / 2);
    }
}

#[test]
fn a_span_of_unequal_disks_adds_them_up() {
    let mut set = wanted(Level::Linear, 2, None);
    set.disks[1] = disk_with(1, 4001, &[]);
    let array = array(&Via, &created(&Via, &set));
    assert_eq!((array.health, array.size_sectors), (Health::Optimal, Sectors(DISK - 1 + 4000)));
}

#[test]
fn what_the_format_does_not_have_is_refused() {
    let refused = |set: &NewSet| super::create(set).unwrap_err().to_string();
    assert!(refused(&wanted(Level::Raid5, 3, None)).contains("level"));
    assert!(refused(&wanted(Level::Raid0, 8, None)).contains("number of disks"));
    assert!(refused(&wanted(Level::Raid10, 10, None)).contains("number of disks"));
    assert!(refused(&wanted(Level::Raid0, 2, Some(65536))).contains("chunk"));
    assert!(refused(&NewSet { spares: blank(1, DISK), ..wanted(Level::Raid1, 2, None) }).contains("spares"));
}

#[test]
fn identities_are_never_the_same_twice() {
    let devices = created(&Via, &wanted(Level::Raid10, 8, None));
    let mut ids: Vec<_> = devices.iter().map(|device| view(device).member_id.unwrap()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 8);
}

#[test]
fn every_byte_counts() {
    assert_every_byte_counts(&Via, &pair(Level::Raid1)[0]);
}

#[test]
fn a_signature_alone_is_not_a_find() {
    let mut bytes = vec![0; 512];
    bytes[..2].copy_from_slice(&[0x55, 0xaa]);
    bytes[2..].iter_mut().enumerate().for_each(|(at, byte)| *byte = u8::try_from(at % 251).unwrap());
    assert!(find(&Via, &disk_with(0, DISK, &[(AT, &bytes)])).is_none());
}

#[test]
fn a_wrong_checksum_is_damage_and_a_wrong_second_one_a_note() {
    let devices = pair(Level::Raid1);
    let bytes = devices[0].read(AT, 512).unwrap().unwrap();
    let with = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        disk_with(0, DISK, &[(AT, &bytes)])
    };
    assert_eq!(codes(&find(&Via, &with(8)).unwrap().problems), ["checksum"]);
    assert_eq!(codes(&find(&Via, &with(2)).unwrap().problems), ["checksum"]);
    let second = with(0x1ff);
    assert_eq!(check(&second), ["checksum2"]);
    let mut areas = metadata(&Via, &second).areas();
    metadata(&Via, &second).seal(&mut areas);
    assert_eq!(areas, metadata(&Via, &second).areas(), "what was not written by the firmware stays");
    let newer = edited(&devices[0], |sector| sector.head.version_number = 3);
    assert_eq!(codes(&find(&Via, &newer).unwrap().problems), ["version"]);
}

#[test]
fn a_mirror_that_went_on_alone_is_believed() {
    let devices = pair(Level::Raid1);
    for survivor in 0..2 {
        let mut disks = devices.clone();
        disks[survivor] = edited(&devices[survivor], |sector| {
            with_info(sector, sector.info() | info::MIRROR_DIRTY);
        });
        let array = array(&Via, &disks);
        assert_eq!(states(&array)[survivor], MemberState::InSync);
        assert_eq!(states(&array)[1 - survivor], MemberState::Stale);
        assert_eq!(array.health, Health::Degraded);
    }
    let dirty =
        |device: &Device| edited(device, |sector| with_info(sector, sector.info() | info::MIRROR_DIRTY));
    let both = array(&Via, &[dirty(&devices[0]), dirty(&devices[1])]);
    assert_eq!((both.health, both.resync_position_sectors), (Health::Inconsistent, Some(Sectors::ZERO)));
}

#[test]
fn a_new_mirror_that_is_not_in_step_says_so() {
    for (level, disks) in [(Level::Raid1, 2), (Level::Raid10, 4)] {
        let set = NewSet { in_sync: false, ..wanted(level, disks, None) };
        assert_eq!(array(&Via, &created(&Via, &set)).health, Health::Inconsistent);
    }
}

#[test]
fn a_disk_marked_as_failed_is_not_used() {
    let devices = pair(Level::Raid1);
    let failed = edited(&devices[0], |sector| sector.head.disk |= bit::TOLERANCE);
    let array = array(&Via, &[failed, devices[1].clone()]);
    assert_eq!(states(&array), [MemberState::Failed, MemberState::InSync]);
}

#[test]
fn spares_are_not_members_of_a_mirror() {
    let devices = pair(Level::Raid1);
    let third = |sector: &mut Sector| sector.table[2] = 0x1234_5678;
    let disks: Vec<_> = devices.iter().map(|device| edited(device, third)).collect();
    let spare = edited(&disks[1], |sector| {
        sector.head.array_serial_checksum = 0x1234_5678;
        with_info(sector, info::SPARE);
    });
    let spare = disk_with(2, DISK, &[(AT, &spare.read(AT, 512).unwrap().unwrap())]);
    assert_eq!(view(&spare).role, Role::Spare);
    let array = array(&Via, &[disks[0].clone(), disks[1].clone(), spare]);
    assert_eq!((array.slots, array.spares.len(), array.health), (2, 1, Health::Optimal));
}

#[test]
fn the_second_disk_of_a_mirror_may_have_its_place_for_its_role() {
    let devices = pair(Level::Raid1);
    let second = edited(&devices[1], |sector| with_info(sector, info::SPARE));
    assert_eq!(check(&second), ["mirror-role"]);
    assert_eq!(array(&Via, &[devices[0].clone(), second]).health, Health::Optimal);
}

#[test]
fn the_smallest_disk_says_how_much_of_each_is_used() {
    for (level, disks, size) in
        [(Level::Raid1, 2, 5000), (Level::Raid0, 3, 3 * 4992), (Level::Raid10, 4, 2 * 4992)]
    {
        for smallest in 0..disks {
            let mut devices = created(&Via, &wanted(level, disks, None));
            devices[smallest] = edited(&devices[smallest], |sector| sector.head.capacity = 5000);
            let array = array(&Via, &devices);
            assert_eq!((array.health, array.size_sectors), (Health::Optimal, Sectors(size)), "{level}");
            let lengths = array.members.iter().map(|member| member.length_sectors);
            assert!(lengths.eq(vec![array.members[0].length_sectors; disks]));
        }
    }
}

#[test]
fn arrays_of_the_same_disks_with_another_index_are_other_sets() {
    let devices = pair(Level::Raid1);
    let other = edited(&devices[1], |sector| sector.head.disk |= 1 << 7);
    assert_eq!(assembled(&Via, &[devices[0].clone(), other]).len(), 2);
}

#[test]
fn a_byte_that_dmraid_puts_into_the_name_does_not_split_a_set() {
    let devices = pair(Level::Raid1);
    let other = edited(&devices[1], |sector| sector.head.disk_array_ex |= 8);
    assert_eq!(array(&Via, &[devices[0].clone(), other]).health, Health::Optimal);
}

/// A disk, what is done to it, and the problem that this is.
type Case<'a> = (&'a Device, fn(&mut Sector), &'static str);

#[test]
fn numbers_that_can_not_be_are_problems() {
    let raid0 = &pair(Level::Raid0)[0];
    let raid1 = &pair(Level::Raid1)[0];
    let cases: [Case<'_>; 13] = [
        (raid0, |sector| sector.head.disk_array_ex &= 0xf0, "member-count"),
        (raid0, |sector| sector.head.disk_array_ex += 1, "member-count"),
        (raid0, |sector| sector.table[2] = 99, "member-count"),
        (raid0, |sector| with_info(sector, 2), "position"),
        (raid0, |sector| with_info(sector, 1), "position"),
        (raid0, |sector| sector.head.disk_array_ex |= 0xf0, "chunk"),
        (raid0, |sector| sector.head.capacity = 0, "volume-size"),
        (raid0, |sector| sector.head.capacity = u64::MAX, "volume-size"),
        (raid0, |sector| sector.table[1] = sector.table[0], "duplicate-serial"),
        (raid0, |sector| sector.head.array_serial_checksum = 7, "not-in-table"),
        (raid0, |sector| sector.head.disk |= 5 << 3, "unsupported-layout"),
        (raid0, |sector| sector.head.disk |= 4 << 3, "unsupported-level"),
        (raid1, |sector| with_info(sector, 3), "position"),
    ];
    for (device, change, code) in cases {
        let device = edited(device, change);
        let problems = check(&device);
        assert!(problems.iter().any(|found| found == code), "{code}: {problems:?}");
        assembled(&Via, &[device]);
    }
}

#[test]
fn devices_of_any_size_are_looked_at_without_harm() {
    let sector = pair(Level::Raid1)[0].read(AT, 512).unwrap().unwrap();
    assert_small_devices_are_harmless(&Via, &sector);
}

#[test]
fn a_disk_inside_of_a_larger_file_is_found() {
    let sector = pair(Level::Raid1)[0].read(AT, 512).unwrap().unwrap();
    assert_found_in_a_larger_file(&Via, &sector);
}

#[test]
fn the_format_is_in_the_registry() {
    assert_eq!(crate::format::by_name(NAME).unwrap().name(), NAME);
}

proptest! {
    #![proptest_config(property(2000))]

    #[test]
    fn noise_in_a_sealed_sector_is_harmless(at in 2..0x32_usize, noise in prop::collection::vec(any::<u8>(), 1..48)) {
        assert_noise_is_harmless(&Via, &pair(Level::Raid1)[0], at, &noise);
    }
}
