//! Every rule has its named problem.

use super::*;

/// What is wrong with a superblock, and by what name.
fn cases() -> Vec<(&'static str, Made)> {
    let made = Made::raid5;
    let features = |bits| Made::raid5().with_features(bits);
    let ppl = i32::from_le_bytes([8, 0, 0xf8, 0]);
    vec![
        ("unsupported-version", made().with(|head| head.major_version = 2)),
        ("max-dev-invalid", made().with(|head| head.max_dev = 1921)),
        ("misplaced", made().with(|head| head.super_offset = 9)),
        ("unsupported-feature", features(1 << 13)),
        ("unsupported-feature", made().with(|head| head.pad0 = 1)),
        ("unsupported-feature", made().with(|head| head.pad3[27] = 1)),
        ("feature-contradiction", features(feature::RAID0_LAYOUT)),
        (
            "feature-contradiction",
            features(feature::PPL | feature::BITMAP).with(|head| head.bitmap_offset = ppl),
        ),
        ("feature-contradiction", features(feature::PPL | feature::JOURNAL)),
        ("feature-contradiction", features(feature::PPL | feature::MULTIPLE_PPLS)),
        ("feature-contradiction", features(feature::PPL).with(|head| head.level = 6)),
        ("feature-contradiction", features(feature::BITMAP)),
        ("feature-contradiction", features(feature::BAD_BLOCKS)),
        ("feature-contradiction", features(feature::REPLACEMENT).with(|head| head.dev_number = 3)),
        ("data-too-small", made().with(|head| (head.size, head.data_size) = (9, 9))),
        ("size-overrun", made().with(|head| head.size = 4097)),
        ("data-out-of-range", made().with(|head| head.data_offset = u64::MAX - 5)),
        ("data-overlaps-superblock", made().with(|head| head.data_offset = 8)),
        (
            "data-overlaps-superblock",
            features(feature::RESHAPE | feature::NEW_OFFSET).with(|head| head.new_offset = -2040),
        ),
        (
            "data-out-of-range",
            features(feature::RESHAPE | feature::NEW_OFFSET).with(|head| head.new_offset = -2049),
        ),
    ]
}

#[test]
fn what_the_kernel_refuses_is_an_error_of_the_find() {
    for (code, made) in cases() {
        let problems = made.found().problems;
        assert!(
            problems.iter().any(|problem| problem.code == code && problem.is_error()),
            "{code}: {problems:?}"
        );
    }
}

#[test]
fn a_geometry_that_can_not_be_mapped_is_an_error_of_the_volume_alone() {
    let cases: [(&str, Change); 9] = [
        ("level-unsupported", |head| head.level = -4),
        ("level-unsupported", |head| head.level = 7),
        ("layout-unsupported", |head| head.layout = 6),
        ("chunk-invalid", |head| head.chunksize = 0),
        ("chunk-invalid", |head| head.chunksize = 129),
        ("slots-invalid", |head| head.raid_disks = 0),
        ("slots-invalid", |head| head.raid_disks = u32::MAX),
        ("slots-invalid", |head| (head.level, head.raid_disks) = (6, 3)),
        ("size-invalid", |head| head.size = 0),
    ];
    for (code, change) in cases {
        let made = Made::raid5().with(change);
        assert_eq!(made.codes(), [code]);
        let view = made.view();
        assert_eq!(view.volumes[0].geometry.is_none(), code != "size-invalid", "{code}");
        assert!(view.volumes[0].problems.iter().any(|problem| problem.code == code && problem.is_error()));
    }
}

#[test]
fn things_that_are_in_each_others_way_are_warned_of() {
    let overlapping = [
        Made::raid5().with_bitmap(&[0; 8], |_| {}).with(|head| head.bitmap_offset = 2100),
        Made::raid5().with_bitmap(&[0; 8], |_| {}).with_bad_blocks(&[]).with(|head| head.bblog_offset = 8),
        Made::raid5().with_bad_blocks(&[]).with(|head| head.bblog_offset = 2038),
    ];
    for made in overlapping {
        assert!(made.codes().contains(&"area-overlaps".to_owned()), "{:?}", made.codes());
        assert!(!made.found().problems.iter().any(Problem::is_error));
    }
    let large = Made::raid5().with_bad_blocks(&[]).with(|head| head.bblog_size = 9);
    assert_eq!(large.codes(), ["bad-block-log-too-large"]);
    let shifted = Made::raid5().with_bad_blocks(&[]).with(|head| head.bblog_shift = 64);
    assert_eq!(shifted.codes(), ["bad-block-log-invalid"]);
}

#[test]
fn a_device_that_was_cut_short_is_still_sound() {
    let made = Made::raid5().with(|head| (head.size, head.data_size) = (1 << 40, 1 << 40));
    assert_eq!(made.codes(), ["device-too-small"]);
    assert!(!made.found().problems.iter().any(Problem::is_error));
}

#[test]
fn a_superblock_at_the_end_knows_a_partition_from_its_disk() {
    let mut made = Made::raid5().with(|head| {
        head.super_offset = 8176;
        head.data_offset = 0;
        head.data_size = 8000;
    });
    made.version = Version::V10;
    assert_eq!(made.codes(), [""; 0]);
    let covering = made.clone().with(|head| head.data_size = 8177);
    assert_eq!(covering.codes(), ["area-overlaps", "data-overlaps-superblock"]);
    // The same bytes through a disk on which the partition begins at sector 2048 and ends with the disk.
    let whole = device(2048 + DEVICE, &[(2048 + 8176, made.superblock())]);
    assert_eq!(codes(&whole), ["misplaced"]);
    let partition = whole.window(Bytes(2048 * 512), Bytes(DEVICE * 512)).unwrap();
    assert_eq!(codes(&partition), [""; 0]);
}

#[test]
fn superblocks_of_several_versions_are_all_found() {
    let old = Made0::raid5(Endian::Little).device().read(Bytes(8064 * 512), 4096).unwrap().unwrap();
    let first = Made::raid5().with(|head| head.super_offset = 0);
    let device = device(DEVICE, &[(0, first.superblock()), (8, Made::raid5().superblock()), (8064, old)]);
    let versions: Vec<_> =
        Md.find(&device).unwrap().into_iter().map(|found| found.version.unwrap()).collect();
    assert_eq!(versions, ["1.2", "1.1", "0.90"]);
}

#[test]
fn contradictions_of_090_are_named() {
    let made = || Made0::raid5(Endian::Little);
    assert_eq!(made().codes(), [""; 0]);
    let cases: [(&str, Change0); 7] = [
        ("unsupported-version", |superblock| superblock.head.minor_version = 92),
        ("unsupported-version", |superblock| superblock.head.major_version = 2),
        ("size-overrun", |superblock| superblock.head.size = 4033),
        ("device-number-invalid", |superblock| superblock.this_disk.number = 27),
        ("descriptors-differ", |superblock| superblock.this_disk.state = 0),
        ("slots-invalid", |superblock| superblock.head.raid_disks = 28),
        ("chunk-invalid", |superblock| superblock.head.chunk_size = 65537),
    ];
    for (code, change) in cases {
        assert_eq!(made().with(change).codes(), [code]);
    }
    // The place of a superblock 1.0 of a partition can be the place of a 0.90 of the disk.
    let device = made().with(|superblock| superblock.head.major_version = 1).device();
    assert!(Md.find(&device).unwrap().is_empty());
}
