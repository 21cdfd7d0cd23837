//! Tests of the format as a whole.

use super::copies::{RESERVED, STEP};
use super::sector::{Copy, Sector, seal};
use super::{NAME, Sil};
use crate::device::{Device, ReadAt, SimDisk};
use crate::format::Format;
use crate::format::create::NewSet;
use crate::format::schema::{DiskStruct, Endian};
use crate::format::vendor::testing::{
    DISK, array, assembled, assert_every_byte_counts, assert_identity, assert_noise_is_harmless,
    assert_set_works, blank, captured, codes, created, disk_with, find, metadata, wanted,
};
use crate::geometry::{Layout, Level, ParityLayout};
use crate::model::Area;
use crate::record::{ArrayRecord, ChecksumState, Health, MemberState, Role};
use crate::testing::property;
use crate::units::{Bytes, Sectors};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;

/// Where copy `index` is on a disk of the examples.
fn at(index: u64) -> Bytes {
    Bytes((DISK - 1 - STEP * index) * 512)
}

/// The disk with every copy changed and sealed.
fn edited(device: &Device, change: impl Fn(&mut Sector)) -> Device {
    edited_copies(device, [0, 1, 2, 3], change)
}

/// The disk with these copies changed and sealed.
fn edited_copies<const N: usize>(device: &Device, copies: [u64; N], change: impl Fn(&mut Sector)) -> Device {
    let number = device.path_text().chars().filter_map(|char| char.to_digit(10)).sum::<u32>() as usize;
    let mut areas = find(&Sil, device).unwrap().metadata.unwrap().areas();
    for area in areas.iter_mut().filter(|area| copies.iter().any(|&copy| area.offset == at(copy))) {
        let mut sector = Sector::decode(&area.bytes, Endian::Little).unwrap();
        change(&mut sector);
        area.bytes = sector.encode(Endian::Little);
        seal(&mut area.bytes);
    }
    with_areas(number, &areas)
}

fn with_areas(number: usize, areas: &[Area]) -> Device {
    let parts: Vec<_> = areas.iter().map(|area| (area.offset, area.bytes.as_slice())).collect();
    disk_with(number, DISK, &parts)
}

/// The disk with these bytes over part of a copy.
fn overwritten(device: &Device, offset: Bytes, bytes: &[u8]) -> Device {
    let areas = metadata(&Sil, device).areas();
    let mut parts: Vec<_> = areas.iter().map(|area| (area.offset, area.bytes.as_slice())).collect();
    parts.push((offset, bytes));
    disk_with(0, DISK, &parts)
}

fn pair(level: Level) -> Vec<Device> {
    created(&Sil, &wanted(level, 2, None))
}

fn check(device: &Device) -> Vec<String> {
    let problems = find(&Sil, device).unwrap().metadata.unwrap().check();
    codes(&problems).into_iter().map(str::to_owned).collect()
}

fn states(array: &ArrayRecord) -> Vec<MemberState> {
    array.members.iter().map(|member| member.state).collect()
}

#[test]
fn the_sector_of_the_specification_has_its_checksum() {
    let mut sector = Sector::zeroed();
    sector.magic = 0x2f00_0000;
    sector.array_sectors = 625_159_168;
    sector.thisdisk_sectors = 0x0fff_ffff;
    (sector.product_id, sector.vendor_id, sector.major_ver) = (0x3114, 0x1095, 2);
    (sector.seconds, sector.minutes, sector.hour) = (0x53, 0x31, 0x14);
    (sector.day, sector.month, sector.year) = (0x12, 7, 5);
    sector.raid0_stride = 128;
    (sector.drives_per_striped_set, sector.drives_per_mirrored_set, sector.mirrored_set_number) = (2, -1, -1);
    (sector.incarnation_no, sector.member_status, sector.mirrored_set_state) = (1, 1, 2);
    sector.text_type.copy_from_slice(b"SET1            ");
    assert_eq!(sector.computed_checksum(), 0xabbc);
    let mut bytes = sector.encode(Endian::Little);
    seal(&mut bytes);
    assert!(Copy::decode(0, Bytes(0), &bytes).unwrap().is_sound());
}

#[test]
fn the_sector_of_a_real_disk_is_read_and_what_is_not_certain_is_said() {
    let device = captured("silicon-raid");
    let metadata = metadata(&Sil, &device);
    assert_identity(&device, metadata.as_ref());
    assert_eq!((metadata.version().as_str(), metadata.areas().len()), ("2.3", 2));
    assert!(metadata.areas().iter().all(|area| area.checksum == ChecksumState::Ok));
    assert!(metadata.copies_agree());
    let problems = metadata.check();
    assert_eq!(codes(&problems), ["copies-missing", "device-too-small", "unsupported-level"]);
    let view = metadata.view(&device);
    assert_eq!((view.set_id.as_str(), view.member_id.as_deref()), ("050712143153", Some("5MT0N4PJ")));
    assert_eq!(view.set_name.as_deref(), Some("SiI Concatenatio"));
    let volume = &view.volumes[0];
    assert_eq!((volume.dm_name.as_str(), volume.geometry), ("sil_afahbicaejcd", None));
    let array = array(&Sil, &[device]);
    assert_eq!(array.health, Health::Failed);
}

#[test]
fn sets_of_all_levels_and_sizes_work() {
    for disks in 1..=8 {
        assert_set_works(&Sil, &wanted(Level::Linear, disks, None));
    }
    for disks in 2..=8 {
        let set = assert_set_works(&Sil, &wanted(Level::Raid0, disks, Some(128)));
        assert_eq!(set.chunk_sectors.unwrap().get(), 128);
        assert_eq!(set.size_sectors.0, (DISK - 2048) / 128 * 128 * disks as u64);
        let set = assert_set_works(&Sil, &wanted(Level::Raid1, disks, None));
        assert_eq!(set.size_sectors, Sectors(DISK - 2048));
    }
    for disks in [4, 6, 8] {
        let set = assert_set_works(&Sil, &wanted(Level::Raid10, disks, None));
        assert_eq!(set.layout.unwrap().to_string(), "near-2");
        assert_eq!(set.size_sectors.0, (DISK - 2048) / 256 * 256 * disks as u64 / 2);
    }
}

#[test]
fn a_raid5_says_that_its_layout_is_not_recorded() {
    let set = wanted(Level::Raid5, 3, Some(16));
    let set = NewSet { layout: Some(Layout::Parity(ParityLayout::LeftSymmetric)), ..set };
    let devices = created(&Sil, &set);
    let array = array(&Sil, &devices);
    assert_eq!((array.health, codes(&array.problems)), (Health::Optimal, vec!["layout-doubtful"]));
    assert_eq!(array.layout, set.layout);
    assert_eq!(array.size_sectors.0, (DISK - 2048) / 16 * 16 * 2);
    assert_eq!(assembled(&Sil, &devices[1..])[0].health, Health::Degraded);
}

#[test]
fn names_are_the_time_that_dmraid_spells_in_decimal() {
    let devices = pair(Level::Raid0);
    let named = |time: [u8; 6]| {
        let device = edited(&devices[0], |sector| {
            [sector.year, sector.month, sector.day, sector.hour, sector.minutes, sector.seconds] = time;
        });
        metadata(&Sil, &device).view(&device).volumes[0].dm_name.clone()
    };
    assert_eq!(named([0x05, 0x07, 0x12, 0x14, 0x31, 0x53]), "sil_afahbicaejcd");
    assert_eq!(named([0xff, 1, 2, 200, 255, 60]), "sil_cffabaccaabfaa");
    let view = metadata(&Sil, &devices[0]).view(&devices[0]);
    assert!(view.set_id.starts_with("231114"), "{}", view.set_id);
}

#[test]
fn sets_made_in_one_second_have_different_names() {
    let set = wanted(Level::Raid1, 2, None);
    let other = NewSet { identity: [7; 16], ..set.clone() };
    let (one, two) = (created(&Sil, &set), created(&Sil, &other));
    assert_ne!(array(&Sil, &one).name, array(&Sil, &two).name);
    assert_eq!(assembled(&Sil, &[one, two].concat()).len(), 2);
}

#[test]
fn spares_belong_to_no_set() {
    let set = NewSet { spares: blank(1, DISK), ..wanted(Level::Raid1, 2, None) };
    let devices = created(&Sil, &set);
    assert_eq!(array(&Sil, &devices).slots, 2);
    let view = metadata(&Sil, &devices[2]).view(&devices[2]);
    assert_eq!((view.role, view.volumes.len()), (Role::Spare, 0));
    assert_eq!(metadata(&Sil, &devices[2]).check(), []);
}

#[test]
fn what_the_format_does_not_have_is_refused() {
    let refused = |set: &NewSet| super::create(set).unwrap_err().to_string();
    assert!(refused(&wanted(Level::Raid6, 4, None)).contains("level"));
    assert!(refused(&wanted(Level::Raid0, 9, None)).contains("number of disks"));
    assert!(refused(&wanted(Level::Raid0, 2, Some(24))).contains("chunk"));
    let layout = Some(Layout::Parity(ParityLayout::RightSymmetric));
    assert!(refused(&NewSet { layout, ..wanted(Level::Raid5, 3, None) }).contains("layout"));
    assert!(refused(&NewSet { name: "x".repeat(17), ..wanted(Level::Raid0, 2, None) }).contains("name"));
    assert!(refused(&NewSet { disks: blank(2, 2048), ..wanted(Level::Raid0, 2, None) }).contains("disk0"));
}

#[test]
fn every_byte_counts() {
    assert_every_byte_counts(&Sil, &pair(Level::Raid1)[0]);
    assert_every_byte_counts(&Sil, &captured("silicon-raid"));
}

#[test]
fn one_copy_that_differs_is_outvoted() {
    let devices = pair(Level::Raid0);
    for copy in 0..4 {
        let device = edited_copies(&devices[0], [copy], |sector| sector.raid0_stride = 16);
        let metadata = metadata(&Sil, &device);
        assert_identity(&device, metadata.as_ref());
        assert_eq!(check(&device), ["copies-disagree"]);
        assert!(!metadata.copies_agree());
        assert_eq!(metadata.view(&device).volumes[0].geometry.unwrap().chunk.unwrap().get(), 256);
    }
}

#[test]
fn of_two_against_two_the_higher_incarnation_counts() {
    let devices = pair(Level::Raid0);
    let device = edited_copies(&devices[0], [2, 3], |sector| sector.incarnation_no = 7);
    assert_eq!(metadata(&Sil, &device).view(&device).generation, 7);
    let device = edited_copies(&devices[0], [2, 3], |sector| sector.incarnation_no = 0);
    assert_eq!(metadata(&Sil, &device).view(&device).generation, 1);
    let history = Sil.history(&device).unwrap();
    let told: Vec<_> = history.iter().map(|one| (one.generation, one.current, one.areas.len())).collect();
    assert_eq!(told, [(1, true, 2), (0, false, 2)]);
}

#[test]
fn a_damaged_copy_does_not_vote() {
    let devices = pair(Level::Raid1);
    for copy in 0..4 {
        let device = overwritten(&devices[0], at(copy).saturating_add(Bytes(0x112)), &[9, 9]);
        assert_eq!(metadata(&Sil, &device).view(&device).generation, 1);
        assert_eq!(check(&device), ["copy-checksum"]);
    }
}

#[test]
fn what_wipefs_leaves_is_found_by_the_other_copies() {
    let device = overwritten(&pair(Level::Raid1)[0], at(0).saturating_add(Bytes(0x60)), &[0; 4]);
    let metadata = metadata(&Sil, &device);
    assert_eq!(check(&device), ["copy-checksum"]);
    assert_eq!(metadata.areas()[0].checksum, ChecksumState::Bad);
    assert_eq!(metadata.view(&device).volumes[0].level, Some(Level::Raid1));
}

#[test]
fn without_a_sound_copy_the_metadata_is_damaged() {
    let whole = metadata(&Sil, &pair(Level::Raid1)[0]);
    let mut areas = whole.areas();
    areas.iter_mut().for_each(|area| area.bytes[0x112] ^= 1);
    let device = with_areas(0, &areas);
    let found = find(&Sil, &device).unwrap();
    assert_eq!(codes(&found.problems), ["checksum"]);
    assert_identity(&device, found.metadata.unwrap().as_ref());
}

#[test]
fn a_copy_that_can_not_be_read_is_said_and_the_others_are_used() {
    let areas = metadata(&Sil, &pair(Level::Raid1)[0]).areas();
    let disk = SimDisk::new(Bytes(DISK * 512));
    areas.iter().for_each(|area| disk.load(area.offset, &area.bytes));
    disk.fail_reads(at(2)..at(1));
    let device = Device::whole(Path::new("disk0.img"), Arc::new(disk));
    assert_eq!(check(&device), ["copy-unreadable", "copies-missing"]);
}

#[test]
fn a_change_to_one_copy_is_a_change_to_those_that_were_equal() {
    let device = &pair(Level::Raid1)[0];
    let whole = metadata(&Sil, device);
    for copy in 0..4 {
        let mut areas = whole.areas();
        areas[copy].bytes[0x129] = 1;
        whole.seal(&mut areas);
        let changed = with_areas(0, &areas);
        assert_eq!(check(&changed), Vec::<String>::new(), "copy {copy}");
        assert_eq!(metadata(&Sil, &changed).view(&changed).volumes[0].dirty, Some(true));
    }
    let mut areas = whole.areas();
    areas[0].bytes[0x129] = 1;
    areas[1].bytes[0x129] = 0;
    whole.seal(&mut areas);
    assert_eq!(check(&with_areas(0, &areas)), ["copies-disagree"], "two changes are none of ours");
}

#[test]
fn erasing_takes_all_four_copies() {
    let device = &pair(Level::Raid1)[0];
    let places: Vec<_> = metadata(&Sil, device).erasures().iter().map(|range| range.offset).collect();
    assert_eq!(places, [at(0), at(1), at(2), at(3)]);
}

#[test]
fn states_of_disks_and_of_the_set_are_told() {
    let devices = pair(Level::Raid1);
    let with = |change: fn(&mut Sector)| array(&Sil, &[devices[0].clone(), edited(&devices[1], change)]);
    let rebuilding = with(|sector| (sector.member_status, sector.rebuild_ptr) = (2, 4096));
    assert_eq!(states(&rebuilding), [MemberState::InSync, MemberState::Rebuilding]);
    assert_eq!(rebuilding.members[1].recovered_sectors, Some(Sectors(4096)));
    for status in [0, 3, 4, 200] {
        let removed = edited(&devices[1], |sector| sector.member_status = status);
        let array = array(&Sil, &[devices[0].clone(), removed]);
        assert_eq!((states(&array)[1], array.health), (MemberState::Failed, Health::Degraded), "{status}");
    }
    let stale = array(&Sil, &[edited(&devices[0], |sector| sector.incarnation_no = 2), devices[1].clone()]);
    assert_eq!(states(&stale), [MemberState::InSync, MemberState::Stale]);
    let dirty = with(|sector| sector.mirrored_set_state = 1);
    assert_eq!((dirty.health, dirty.dirty), (Health::Inconsistent, Some(true)));
    assert_eq!(dirty.resync_position_sectors, Some(Sectors::ZERO));
}

#[test]
fn a_striped_set_runs_with_different_incarnations() {
    let devices = pair(Level::Raid0);
    let array = array(&Sil, &[edited(&devices[0], |sector| sector.incarnation_no = 9), devices[1].clone()]);
    assert_eq!((array.health, codes(&array.problems)), (Health::Optimal, vec!["generation-behind"]));
}

#[test]
fn a_new_mirror_that_is_not_in_step_says_so() {
    let set = NewSet { in_sync: false, ..wanted(Level::Raid1, 2, None) };
    assert_eq!(array(&Sil, &created(&Sil, &set)).health, Health::Inconsistent);
    let set = NewSet { in_sync: false, ..wanted(Level::Raid0, 2, None) };
    assert_eq!(array(&Sil, &created(&Sil, &set)).health, Health::Optimal);
}

/// A disk, what is done to it, and the problem that this is.
type Case<'a> = (&'a Device, fn(&mut Sector), &'static str);

#[test]
fn numbers_that_can_not_be_are_problems() {
    let raid0 = &pair(Level::Raid0)[0];
    let raid10 = &created(&Sil, &wanted(Level::Raid10, 4, None))[0];
    let cases: [Case<'_>; 14] = [
        (raid0, |sector| sector.raid0_stride = 0, "chunk"),
        (raid0, |sector| sector.raid0_stride = 24, "chunk"),
        (raid0, |sector| sector.disk_number = 2, "position"),
        (raid0, |sector| sector.drives_per_striped_set = 0, "member-count"),
        (raid0, |sector| sector.drives_per_striped_set = -1, "member-count"),
        (raid0, |sector| sector.drives_per_striped_set = 127, "member-count"),
        (raid0, |sector| sector.array_sectors = 0, "volume-size"),
        (raid0, |sector| sector.array_sectors = u64::MAX, "out-of-range"),
        (raid0, |sector| sector.raid_type = 0xfd, "unsupported-level"),
        (raid0, |sector| sector.mirrored_set_state = 3, "set-state"),
        (raid0, |sector| sector.vendor_id = 0x1096, "vendor"),
        (raid10, |sector| sector.drives_per_mirrored_set = -1, "unsupported-level"),
        (raid10, |sector| sector.striped_set_number = 2, "position"),
        (raid10, |sector| sector.mirrored_set_number = 1, "pair"),
    ];
    for (device, change, code) in cases {
        let device = edited(device, change);
        let problems = check(&device);
        assert!(problems.iter().any(|found| found == code), "{code}: {problems:?}");
        let view = metadata(&Sil, &device).view(&device);
        assert!(view.volumes.iter().all(|volume| volume.slots.len() <= 254));
    }
}

#[test]
fn a_name_can_not_do_harm() {
    let devices = pair(Level::Raid1);
    let device = edited(&devices[0], |sector| sector.text_type = *b"a\n\x1b[31m;$(x)/\xff\0 ");
    let view = metadata(&Sil, &device).view(&device);
    assert_eq!(view.set_name.as_deref(), Some("a\\x0a\\x1b[31m;$(x)/\\xff"));
    assert!(view.volumes[0].dm_name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_'));
}

#[test]
fn devices_of_any_size_are_looked_at_without_harm() {
    let sector = metadata(&Sil, &pair(Level::Raid1)[0]).areas()[0].bytes.clone();
    for size in [0, 1, 511, 512, 513, 1024, 512 * 512, 513 * 512, RESERVED * 512 - 1, RESERVED * 512] {
        assert!(find(&Sil, &disk_with(0, 0, &[])).is_none());
        let disk = SimDisk::new(Bytes(size));
        let last = (size / 512).checked_sub(1);
        last.iter().for_each(|last| disk.load(Bytes(last * 512), &sector));
        let device = Device::whole(Path::new("small.img"), Arc::new(disk));
        assert_eq!(find(&Sil, &device).is_some(), last.is_some(), "{size}");
        last.iter().for_each(|_| assert!(check(&device).contains(&"copies-missing".to_owned())));
    }
}

/// What the first window at this place gives: where it begins and how long it is, in sectors.
fn carved(disk: &Device, sector: u64) -> Option<(u64, u64)> {
    let signature = Sil.signatures()[3];
    let place = Bytes(sector * 512);
    let bytes = disk.read(place, 512).unwrap().unwrap();
    assert_eq!(&bytes[signature.at..signature.at + signature.bytes.len()], signature.bytes);
    let windows = Sil.windows(disk, place).unwrap();
    assert!(windows.len() <= 5);
    let window = windows.first()?;
    let device = disk.window(window.offset, window.length).unwrap();
    assert!(find(&Sil, &device).unwrap().problems.is_empty());
    Some((window.offset.0 / 512, window.length.0 / 512))
}

#[test]
fn a_disk_inside_of_a_larger_file_is_found_where_it_begins() {
    let areas = metadata(&Sil, &pair(Level::Raid1)[0]).areas();
    for start in [0, 63, 2048] {
        let disk = SimDisk::new(Bytes((start + DISK + 5000) * 512));
        areas.iter().for_each(|area| disk.load(area.offset.saturating_add(Bytes(start * 512)), &area.bytes));
        let disk = Device::whole(Path::new("large.img"), Arc::new(disk));
        assert_eq!(carved(&disk, start + DISK - 1), Some((start, DISK)));
        assert_eq!(carved(&disk, start + DISK - 1 - STEP), None, "the window of the last copy has it");
        let windows = Sil.windows(&disk, Bytes((start + DISK - 1) * 512)).unwrap();
        assert_eq!(windows.len(), 1, "with all copies there, there is no doubt");
    }
}

#[test]
fn the_last_copy_that_is_left_is_enough() {
    let areas = metadata(&Sil, &pair(Level::Raid1)[0]).areas();
    for left in 1..4_u64 {
        let disk = SimDisk::new(Bytes(DISK * 512));
        let copies = areas.iter().skip(usize::try_from(left).unwrap());
        copies.for_each(|area| disk.load(area.offset, &area.bytes));
        let disk = Device::whole(Path::new("disk0.img"), Arc::new(disk));
        assert!(find(&Sil, &disk).is_none());
        let last = DISK - 1 - STEP * left;
        assert_eq!(carved(&disk, last), Some((0, last + 1)));
        let window = disk.window(Bytes(0), Bytes((last + 1) * 512)).unwrap();
        let array = array(&Sil, &[window]);
        let own = &array.members[0];
        assert!(own.length_sectors.unwrap().0 <= last, "the data is in the window");
        assert_eq!((array.health, array.level), (Health::Degraded, Level::Raid1));
    }
}

proptest! {
    #![proptest_config(property(2000))]

    #[test]
    fn noise_in_a_sealed_sector_is_harmless(at in 0..0x13e_usize, noise in prop::collection::vec(any::<u8>(), 1..64)) {
        assert_noise_is_harmless(&Sil, &pair(Level::Raid1)[0], at, &noise);
    }

    #[test]
    fn a_sector_of_noise_is_not_ours(noise in prop::collection::vec(any::<u8>(), 512)) {
        prop_assert!(Copy::decode(0, Bytes(0), &noise).is_none());
    }
}

#[test]
fn the_format_is_in_the_registry() {
    assert_eq!(crate::format::by_name(NAME).unwrap().name(), NAME);
    assert!(captured("silicon-raid").size().0 > 0);
}
