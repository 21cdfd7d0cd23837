//! Nothing is lost, nothing is believed.

use super::super::bbm::{BadBlocks, Entry, LogHead};
use super::*;
use crate::format::isw::names::{container_uuid, volume_uuid};
use crate::model::{Area, Field};
use crate::record::ChecksumState;
use proptest::prelude::*;

/// The bytes that the areas cover are the ones on the disk, and the fields cover them once.
fn assert_identity(device: &Device, metadata: &dyn Metadata) {
    let areas = metadata.areas();
    for area in &areas {
        let read = device.read(area.offset, area.bytes.len()).unwrap().unwrap();
        assert!(area.bytes == read, "{} differs", area.role);
    }
    assert_covered(&areas, &metadata.fields());
}

fn assert_covered(areas: &[Area], fields: &[Field]) {
    let mut next = fields.iter();
    for area in areas {
        let mut at = area.offset.0;
        let end = at + area.bytes.len() as u64;
        while at < end {
            let field = next.next().unwrap_or_else(|| panic!("byte {at} of {} has no field", area.role));
            assert_eq!(field.offset.0, at, "{}", field.name);
            at += u64::from(field.size);
        }
        assert_eq!(at, end);
    }
    assert!(next.next().is_none());
    let mut names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), fields.len(), "names are unique");
}

#[test]
fn the_spare_record_of_the_specification_has_its_checksum() {
    let mut mpb = container(vec![disk("TOYDISK0001", 1)], Vec::new());
    mpb.header = Header { generation_num: 1, pwr_cycle_count: 1, ..header() };
    let mut mpb = sealed(mpb);
    assert_eq!((mpb.header.mpb_size, mpb.header.check_sum), (264, 0x697f_417a));
    mpb.header.family_num = 0x697f_417a;
    let mpb = sealed(mpb);
    assert_eq!(mpb.header.check_sum, 0xd2fe_82f4);
    let view = view_of(&mpb, "TOYDISK0001");
    assert_eq!((view.set_id.as_str(), view.role), ("spare", crate::record::Role::Spare));
}

#[test]
fn the_raid1_of_the_specification_has_its_checksum_and_its_uuids() {
    let mpb = raid1();
    assert_eq!((mpb.header.mpb_size, mpb.header.check_sum), (480, 0x5fac_6422));
    assert_eq!(container_uuid(&mpb), "d68ac6fd:4889fd13:28fdc825:f1acc6e3");
    assert_eq!(volume_uuid(&mpb, 0, &mpb.volumes[0]), "4ee0a379:e29bd0a7:cc0407c6:63f90eec");
    let view = view_of(&mpb, "TOYDISK0001");
    assert_eq!(view.volumes[0].dm_name, "isw_cihefeaca_toyvol");
    assert_eq!(view.volumes[0].uuid, "4ee0a379:e29bd0a7:cc0407c6:63f90eec");
}

/// A container as large as wanted: disks, volumes with two maps of different length, a log, padding, a tail.
fn made() -> impl Strategy<Value = Mpb> {
    (1..=60_u8, 0..=3_usize, 0..=4_u8, any::<[u8; 64]>(), 0..=20_usize, 0..40_usize, any::<bool>()).prop_map(
        |(disks, volumes, extra, noise, entries, padding, is_4kn)| {
            let mut mpb =
                container((0..disks).map(|number| disk(&format!("S{number}"), 2)).collect(), Vec::new());
            let sector_size = if is_4kn { SectorSize::B4096 } else { SectorSize::B512 };
            mpb.place = Place::new(Bytes(DISK), sector_size).unwrap();
            mpb.volumes = (0..volumes)
                .map(|number| {
                    let mut volume = volume(&format!("v{number}"), 4096, map(5, disks, 64));
                    volume.head.filler = noise[..12].try_into().unwrap();
                    volume.head.jd_serial = noise[16..32].try_into().unwrap();
                    volume.source = (extra > 0).then(|| map(5, disks.saturating_sub(extra).max(1), 64));
                    volume
                })
                .collect();
            mpb.header.filler[..64].copy_from_slice(&noise);
            mpb.padding = vec![noise[0]; padding / 4 * 4];
            let entry = Entry { marked_count: noise[1], disk_ordinal: 0, lba_low: 1, lba_high: 0 };
            mpb.bad_blocks = (entries > 0).then(|| BadBlocks {
                head: LogHead { signature: 0xabad_b10c, entry_count: u32::try_from(entries).unwrap() },
                entries: vec![entry; entries],
            });
            let mut mpb = sealed(mpb);
            mpb.sector_tail.fill(noise[2]);
            mpb
        },
    )
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn made_metadata_of_any_number_of_sectors_encodes_to_the_bytes_it_was_decoded_from(mpb in made()) {
        let device = device_of(&mpb, Some("S0"));
        let found = find(&device).unwrap();
        let metadata = found.metadata.unwrap();
        assert_identity(&device, metadata.as_ref());
        prop_assert_eq!(metadata.areas()[0].checksum, ChecksumState::Ok);
        prop_assert_eq!(found.problems, vec![]);
        metadata.view(&device);
    }

    #[test]
    fn any_flipped_byte_is_a_difference_in_a_named_field(mpb in made(), at: usize, flip in 1..=255_u8) {
        let device = device_of(&mpb, Some("S0"));
        let before = metadata(&device);
        let mut bytes = encode(&mpb);
        let at = at % bytes.len();
        bytes[at] ^= flip;
        let disk = SimDisk::new(mpb.place.device).with_sector_size(device.disk().sector_size());
        disk.load(mpb.place.start(), &bytes);
        let changed = Device::whole(Path::new("changed.img"), Arc::new(disk)).with_serial(Some("S0".to_owned()));
        if let Some((after, problems)) = find(&changed).and_then(|found| Some((found.metadata?, found.problems))) {
            assert_identity(&changed, after.as_ref());
            after.view(&changed);
            after.check();
            prop_assert!(before.fields() != after.fields() || !problems.is_empty());
        }
    }

    #[test]
    fn sealing_makes_the_checksum_right_again(mpb in made(), at: usize, flip in 1..=255_u8) {
        let device = device_of(&mpb, None);
        let metadata = metadata(&device);
        let mut areas = metadata.areas();
        let mut logical = mpb.place.unrotate(areas[0].bytes.clone());
        // Past the signature and the sizes.
        let at = 0x38 + at % (mpb.header.mpb_size as usize - 0x38);
        logical[at] ^= flip;
        areas[0].bytes = mpb.place.rotate(logical);
        metadata.seal(&mut areas);
        let disk = SimDisk::new(mpb.place.device).with_sector_size(device.disk().sector_size());
        disk.load(areas[0].offset, &areas[0].bytes);
        let found = find(&Device::whole(Path::new("disk"), Arc::new(disk))).unwrap();
        prop_assert!(found.problems.iter().all(|problem| problem.code != "checksum"), "{:?}", found.problems);
    }

    #[test]
    fn noise_behind_the_signature_never_panics(noise in prop::collection::vec(any::<u8>(), 4096), size in 0..5000_u32) {
        let mut bytes = noise;
        bytes[3072..3096].copy_from_slice(MAGIC);
        bytes[3072 + 0x24..3072 + 0x28].copy_from_slice(&size.to_le_bytes());
        let device = device_holding(&bytes);
        let found = find(&device).unwrap();
        let metadata = found.metadata.unwrap();
        assert_identity(&device, metadata.as_ref());
        metadata.view(&device);
        metadata.check();
    }

    #[test]
    fn a_sealed_mpb_of_noise_never_panics(mut mpb in made(), noise in prop::collection::vec(any::<u8>(), 4000), at in 0x38..600_usize) {
        mpb.place = Place::new(Bytes(DISK), SectorSize::B512).unwrap();
        let mut mpb = sealed(mpb);
        let mut logical = super::super::codec::encode_logical(&mpb);
        let size = mpb.header.mpb_size as usize;
        for (byte, noise) in logical[..size].iter_mut().skip(at).zip(noise).step_by(7) {
            *byte = noise;
        }
        mpb.header = Header::decode(&logical, Endian::Little).unwrap();
        let sum = check_sum(&mpb.header, &logical[..size]);
        logical[0x20..0x24].copy_from_slice(&sum.to_le_bytes());
        let disk = SimDisk::new(mpb.place.device);
        disk.load(mpb.place.start(), &mpb.place.rotate(logical));
        let device = Device::whole(Path::new("noise.img"), Arc::new(disk)).with_serial(Some("S0".to_owned()));
        let metadata = find(&device).unwrap().metadata.unwrap();
        assert_identity(&device, metadata.as_ref());
        metadata.view(&device);
        metadata.check();
    }
}

fn device_holding(bytes: &[u8]) -> Device {
    Device::whole(Path::new("disk.img"), Arc::new(SimDisk::holding(bytes))).with_serial(Some("S0".to_owned()))
}

#[test]
fn a_field_across_the_border_of_the_first_sector_has_two_parts() {
    // The eighth disk begins 216 + 6 * 48 = 504 bytes into the MPB: its serial crosses the border at 512.
    let mpb = raid5(8);
    let device = device_of(&mpb, None);
    let metadata = metadata(&device);
    assert_identity(&device, metadata.as_ref());
    let fields = metadata.fields();
    let part = |name: &str| fields.iter().find(|field| field.name == name).unwrap();
    let (first, second) = (part("disk[6].serial.part[0]"), part("disk[6].serial.part[1]"));
    assert_eq!((first.offset, first.size, second.size), (Bytes(DISK - 1024 + 504), 8, 8));
    assert_eq!(second.offset, mpb.place.start());
    assert_eq!(first.value, "SER6");
    assert!(fields.iter().all(|field| field.name != "disk[6].serial"));
}

#[test]
fn every_length_of_a_cut_device_is_refused_or_damaged_or_not_ours() {
    let mpb = raid5(8);
    let whole = device_of(&mpb, Some("SER0"));
    let tail = whole.read(Bytes(DISK - 4096), 4096).unwrap().unwrap();
    for length in 0..tail.len() {
        for part in [&tail[..length], &tail[length..]] {
            if let Some(found) = find(&device_holding(part)) {
                let is_damaged = !found.problems.is_empty();
                let is_whole = found.metadata.as_ref().is_some_and(|metadata| {
                    metadata.view(&whole);
                    metadata.areas()[0].bytes == encode(&mpb)
                });
                assert!(is_damaged || is_whole, "{length}");
            }
        }
    }
}

#[test]
fn every_cut_of_the_mpb_itself_is_damage() {
    let mpb = raid5(4);
    for size in (0..mpb.header.mpb_size).step_by(4) {
        let mut cut = mpb.clone();
        cut.header.mpb_size = size;
        let covered = encode_covered(&cut);
        cut.header.check_sum = check_sum(&cut.header, covered.get(..size as usize).unwrap_or(&covered));
        let device = device_of(&cut, None);
        let found = find(&device).unwrap();
        assert!(found.problems.iter().any(crate::record::Problem::is_error), "{size}");
        assert_identity(&device, found.metadata.unwrap().as_ref());
    }
}

#[test]
fn counts_at_their_maximum_are_bounded_by_the_size() {
    let mut mpb = raid1();
    mpb.header.num_disks = 255;
    mpb.header.num_raid_devs = 255;
    mpb.header.bbm_log_size = u32::MAX;
    mpb.volumes[0].map.head.num_members = 255;
    mpb.header.check_sum = check_sum(&mpb.header, &encode_covered(&mpb));
    let device = device_of(&mpb, None);
    let found = find(&device).unwrap();
    assert_eq!(codes(&found.problems), ["bad-block-log", "truncated", "volume-count"]);
    assert_identity(&device, found.metadata.unwrap().as_ref());
}

#[test]
fn sizes_that_can_not_be_true_leave_the_header_to_look_at() {
    for size in [0, 4, 263, 81_924, u32::MAX] {
        let mut mpb = raid1();
        mpb.header.mpb_size = size;
        let device = device_of(&mpb, Some("TOYDISK0001"));
        let found = find(&device).unwrap();
        assert_eq!(codes(&found.problems), ["mpb-size"], "{size}");
        let metadata = found.metadata.unwrap();
        assert_eq!(metadata.areas()[0].checksum, ChecksumState::Unchecked);
        assert_identity(&device, metadata.as_ref());
        metadata.view(&device);
    }
}

#[test]
fn the_largest_container_has_255_disks() {
    let disks = (0..255).map(|number| disk(&format!("S{number}"), 2)).collect();
    let mpb = container(disks, vec![volume("all", 4096 * 128 * 254, map(5, 255, 4096))]);
    assert_eq!(mpb.place.count, 27);
    let device = device_of(&mpb, Some("S254"));
    assert_identity(&device, metadata(&device).as_ref());
    assert_eq!(view_of(&mpb, "S254").volumes[0].own.as_ref().unwrap().slot, Some(crate::units::Slot(254)));
}

#[test]
fn metadata_at_the_place_of_another_sector_size_says_which() {
    let mut mpb = raid1();
    mpb.place = Place::new(Bytes(DISK), SectorSize::B4096).unwrap();
    let mpb = sealed(mpb);
    let disk = SimDisk::new(mpb.place.device);
    disk.load(mpb.place.start(), &encode(&mpb));
    let found = find(&Device::whole(Path::new("disk.img"), Arc::new(disk))).unwrap();
    assert!(found.metadata.is_none());
    assert_eq!(codes(&found.problems), ["sector-size"]);
    assert!(found.problems[0].message.contains("--sector-size 4096"));
}

#[test]
fn devices_too_small_for_metadata_have_none() {
    for length in [0, 1, 511, 512, 1023] {
        assert!(find(&device_holding(&vec![0x49; length])).is_none());
    }
}
