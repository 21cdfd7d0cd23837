//! Tables against the layouts they are made from, and against what is written in the kernel's documents.

use super::simulated::Kernel;
use super::*;
use crate::layout::Role;
use crate::target::plain;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use raid_meta::geometry::{FarSets, Geometry, Layout, ParityLayout, Raid0Layout, Raid10Layout};
use raid_meta::record::{MemberState, TableRole};
use raid_meta::units::Sectors;
use serde_json::{Value, json};

/// The array that a record written by hand describes.
fn array(fields: Value) -> ArrayRecord {
    let mut record = json!({"v": 1, "name": "a", "members": []});
    record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(record).unwrap()
}

/// Members on /dev/d0, /dev/d1, … with that data offset and length; `None` is a missing one.
fn members(lengths: &[Option<u64>], offset: u64) -> Value {
    let member = |(slot, length): (usize, &Option<u64>)| match length {
        Some(length) => json!({"slot": slot, "device": format!("/dev/d{slot}"), "state": "in-sync",
            "device_length_sectors": 10_000_000, "offset_sectors": offset, "length_sectors": length}),
        None => json!({"slot": slot, "state": "missing"}),
    };
    lengths.iter().enumerate().map(member).collect()
}

/// Members that fill their devices.
fn bare(slots: u64, length: u64) -> Value {
    let member = |slot| {
        json!({"slot": slot, "device": format!("/dev/d{slot}"), "state": "in-sync",
            "device_length_sectors": length, "length_sectors": length})
    };
    (0..slots).map(member).collect()
}

const DEGRADED: Options =
    Options { degraded: true, read_only: false, read_write_anyway: false, recorded: false };

fn planned(array: &ArrayRecord) -> Vec<String> {
    let plan = plan(array, &[], &DEGRADED).unwrap_or_else(|error| panic!("{error}"));
    Kernel::load(&plan.tables);
    plain(&plan.tables).collect()
}

fn refused(array: &ArrayRecord, options: &Options) -> PlanError {
    plan(array, &[], options).unwrap_err()
}

#[test]
fn a_raid0_is_one_striped_line_with_the_members_offsets() {
    let record = json!({"level": "raid0", "chunk_sectors": 128, "size_sectors": 512, "slots": 2,
        "members": members(&[Some(256), Some(256)], 2048)});
    assert_eq!(planned(&array(record)), ["a: 0 512 striped 2 128 /dev/d0 2048 /dev/d1 2048"]);
}

#[test]
fn what_is_left_of_the_last_row_of_a_raid0_is_mapped_chunk_by_chunk() {
    let record = json!({"level": "raid0", "chunk_sectors": 8, "size_sectors": 44, "slots": 2,
        "members": members(&[Some(24), Some(24)], 0)});
    let expected =
        ["a: 0 32 striped 2 8 /dev/d0 0 /dev/d1 0", "a: 32 8 linear /dev/d0 16", "a: 40 4 linear /dev/d1 16"];
    assert_eq!(planned(&array(record)), expected);
}

#[test]
fn a_raid0_of_different_members_has_a_line_for_each_zone_with_the_members_in_turn() {
    let zones = |layout: Option<&str>| {
        let record = json!({"level": "raid0", "layout": layout, "chunk_sectors": 8, "size_sectors": 72, "slots": 3,
            "members": members(&[Some(8), Some(40), Some(24)], 100)});
        array(record)
    };
    // The second zone begins with chunk 3, so in the original layout with its second member.
    assert_eq!(
        planned(&zones(Some("original"))),
        [
            "a: 0 24 striped 3 8 /dev/d0 100 /dev/d1 100 /dev/d2 100",
            "a: 24 32 striped 2 8 /dev/d2 108 /dev/d1 108",
            "a: 56 16 linear /dev/d1 124"
        ]
    );
    assert_eq!(
        planned(&zones(Some("alternate"))),
        [
            "a: 0 24 striped 3 8 /dev/d0 100 /dev/d1 100 /dev/d2 100",
            "a: 24 32 striped 2 8 /dev/d1 108 /dev/d2 108",
            "a: 56 16 linear /dev/d1 124"
        ]
    );
    let unknown = refused(&zones(None), &DEGRADED);
    assert!(matches!(unknown.reason, Reason::Layout(LayoutError::Raid0LayoutUnknown { .. })), "{unknown}");
    assert!(!unknown.reason.is_no());
}

#[test]
fn a_linear_array_is_a_line_for_each_member() {
    let record = json!({"level": "linear", "size_sectors": 100, "slots": 2,
        "members": members(&[Some(64), Some(64)], 2048)});
    assert_eq!(planned(&array(record)), ["a: 0 64 linear /dev/d0 2048", "a: 64 36 linear /dev/d1 2048"]);
}

#[test]
fn members_that_are_the_device_need_no_helper() {
    let record = json!({"level": "raid1", "size_sectors": 100, "slots": 2, "members": bare(2, 100)});
    assert_eq!(planned(&array(record)), ["a: 0 100 raid raid1 2 0 nosync 2 - /dev/d0 - /dev/d1"]);
}

#[test]
fn members_with_an_offset_or_a_rest_get_a_helper() {
    let record = json!({"level": "raid1", "size_sectors": 100, "slots": 2,
        "members": members(&[Some(100), Some(100)], 8)});
    let plan = plan(&array(record), &[], &Options::default()).unwrap();
    let lines: Vec<String> = plain(&plan.tables).collect();
    assert_eq!(
        lines,
        [
            "a_member0: 0 100 linear /dev/d0 8",
            "a_member1: 0 100 linear /dev/d1 8",
            "a: 0 100 raid raid1 2 0 nosync 2 - /dev/mapper/a_member0 - /dev/mapper/a_member1"
        ]
    );
    let [first, _, whole] = plan.tables.as_slice() else { panic!() };
    assert_eq!((first.role, whole.role), (TableRole::Member, TableRole::Array));
    assert_eq!((first.uuid.as_str(), whole.uuid.as_str()), ("RAIDTABLE-a-member0", "RAIDTABLE-a"));
    assert_eq!(whole.depends, ["a_member0", "a_member1"]);
    assert!(plan.tables.iter().all(|table| table.array == "a" && !table.read_only));
}

#[test]
fn a_member_that_is_not_in_sync_is_not_in_the_table_and_makes_it_read_only() {
    for state in ["missing", "stale", "failed", "rebuilding"] {
        let mut record = json!({"level": "raid5", "layout": "left-symmetric", "chunk_sectors": 8,
            "size_sectors": 16, "slots": 3, "members": bare(3, 8)});
        record["members"][1]["state"] = json!(state);
        let array = array(record);
        let plan = plan(&array, &[], &DEGRADED).unwrap();
        let lines: Vec<String> = plain(&plan.tables).collect();
        assert_eq!(lines, ["a: 0 16 raid raid5_ls 2 8 nosync 3 - /dev/d0 - - - /dev/d2"], "{state}");
        assert!(plan.tables[0].read_only);
        assert_eq!(plan.problems[0].code, "degraded");
        let refused = refused(&array, &Options::default());
        assert_eq!(refused.to_string(), "a: degraded: slot 1 is not in sync; --degraded maps it without");
        assert!(refused.reason.is_no());
    }
}

#[test]
fn parity_layouts_have_the_kernels_names() {
    let lines = |level: &str, layout: &str, slots: u64| {
        let data = slots - if level == "raid6" { 2 } else { 1 };
        let record = json!({"level": level, "layout": layout, "chunk_sectors": 8, "size_sectors": 8 * data,
            "slots": slots, "members": bare(slots, 8)});
        planned(&array(record)).pop().unwrap()
    };
    for (layout, kind) in [
        ("left-asymmetric", "raid5_la"),
        ("right-asymmetric", "raid5_ra"),
        ("left-symmetric", "raid5_ls"),
        ("right-symmetric", "raid5_rs"),
        ("parity-first", "raid4"),
        ("parity-last", "raid5_n"),
    ] {
        let expected = format!("a: 0 16 raid {kind} 2 8 nosync 3 - /dev/d0 - /dev/d1 - /dev/d2");
        assert_eq!(lines("raid5", layout, 3), expected);
    }
    assert!(lines("raid4", "parity-last", 3).contains(" raid5_n "));
    assert!(lines("raid4", "parity-first", 3).contains(" raid4 "));
    for (layout, kind) in [
        ("ddf-zero-restart", "raid6_zr"),
        ("ddf-n-restart", "raid6_nr"),
        ("ddf-n-continue", "raid6_nc"),
        ("parity-last", "raid6_n_6"),
        ("left-asymmetric-6", "raid6_la_6"),
        ("right-asymmetric-6", "raid6_ra_6"),
        ("left-symmetric-6", "raid6_ls_6"),
        ("right-symmetric-6", "raid6_rs_6"),
    ] {
        let expected = format!("a: 0 16 raid {kind} 1 8 4 - /dev/d0 - /dev/d1 - /dev/d2 - /dev/d3");
        assert_eq!(lines("raid6", layout, 4), expected);
    }
    let first = lines("raid6", "parity-first", 4);
    assert_eq!(first, "a: 0 16 raid raid6_n_6 1 8 4 - /dev/d2 - /dev/d3 - /dev/d0 - /dev/d1");
    let first_6 = lines("raid6", "parity-first-6", 4);
    assert_eq!(first_6, "a: 0 16 raid raid6_n_6 1 8 4 - /dev/d1 - /dev/d2 - /dev/d0 - /dev/d3");
}

#[test]
fn a_size_that_is_no_multiple_of_the_stripe_is_cut_from_a_larger_target() {
    let record = json!({"level": "raid5", "layout": "left-asymmetric", "chunk_sectors": 8, "size_sectors": 20,
        "slots": 3, "members": bare(3, 16)});
    let expected = [
        "a_whole: 0 32 raid raid5_la 2 8 nosync 3 - /dev/d0 - /dev/d1 - /dev/d2",
        "a: 0 20 linear /dev/mapper/a_whole 0",
    ];
    assert_eq!(planned(&array(record)), expected);
}

#[test]
fn a_raid10_is_mirrors_in_turn() {
    let record = json!({"level": "raid10", "layout": "near-2", "chunk_sectors": 8, "size_sectors": 36, "slots": 4,
        "members": members(&[Some(24), None, Some(24), Some(24)], 2048)});
    assert_eq!(
        planned(&array(record)),
        [
            "a_member0: 0 24 linear /dev/d0 2048",
            "a_mirror0: 0 24 raid raid1 2 0 nosync 2 - /dev/mapper/a_member0 - -",
            "a_member2: 0 16 linear /dev/d2 2048",
            "a_member3: 0 16 linear /dev/d3 2048",
            "a_mirror1: 0 16 raid raid1 2 0 nosync 2 - /dev/mapper/a_member2 - /dev/mapper/a_member3",
            "a: 0 32 striped 2 8 /dev/mapper/a_mirror0 0 /dev/mapper/a_mirror1 0",
            "a: 32 4 linear /dev/mapper/a_mirror0 16",
        ]
    );
}

#[test]
fn far_copies_are_ranges_and_offset_copies_every_other_chunk() {
    let lines = |layout: &str| {
        let record = json!({"level": "raid10", "layout": layout, "chunk_sectors": 8, "size_sectors": 32, "slots": 2,
            "members": members(&[Some(32), Some(32)], 100)});
        planned(&array(record))
    };
    let mirrors = |copies: [&str; 4]| {
        [
            format!("a_mirror0_copy0: 0 16 {}", copies[0]),
            format!("a_mirror0_copy1: 0 16 {}", copies[1]),
            "a_mirror0: 0 16 raid raid1 2 0 nosync 2 - /dev/mapper/a_mirror0_copy0 - /dev/mapper/a_mirror0_copy1".into(),
            format!("a_mirror1_copy0: 0 16 {}", copies[2]),
            format!("a_mirror1_copy1: 0 16 {}", copies[3]),
            "a_mirror1: 0 16 raid raid1 2 0 nosync 2 - /dev/mapper/a_mirror1_copy0 - /dev/mapper/a_mirror1_copy1".into(),
            "a: 0 32 striped 2 8 /dev/mapper/a_mirror0 0 /dev/mapper/a_mirror1 0".to_owned(),
        ]
    };
    let far = ["linear /dev/d0 100", "linear /dev/d1 116", "linear /dev/d1 100", "linear /dev/d0 116"];
    assert_eq!(lines("far-2"), mirrors(far));
    let offset = [
        "unstriped 2 8 0 /dev/d0 100",
        "unstriped 2 8 0 /dev/d1 108",
        "unstriped 2 8 0 /dev/d1 100",
        "unstriped 2 8 0 /dev/d0 108",
    ];
    assert_eq!(lines("offset-2"), mirrors(offset));
}

#[test]
fn a_raid10_that_is_one_mirror_is_that_mirror() {
    let record = json!({"level": "raid10", "layout": "near-2", "chunk_sectors": 8, "size_sectors": 16, "slots": 2,
        "members": bare(2, 16)});
    let expected = [
        "a_mirror0: 0 16 raid raid1 2 0 nosync 2 - /dev/d0 - /dev/d1",
        "a: 0 16 linear /dev/mapper/a_mirror0 0",
    ];
    assert_eq!(planned(&array(record)), expected);
}

#[test]
fn a_raid6_of_mds_own_is_an_array_for_each_row_of_the_rotation() {
    let record = json!({"level": "raid6", "layout": "left-symmetric", "chunk_sectors": 8, "size_sectors": 88,
        "slots": 4, "members": members(&[Some(48), None, Some(48), Some(48)], 2048)});
    let lines = planned(&array(record));
    // Row 0 is `D0 D1` on slots 1 and 2 with P on 3 and Q on 0; there are rows 0 and 4 of six.
    let row_0 = [
        "a_member2_row0: 0 16 unstriped 4 8 0 /dev/d2 2048",
        "a_member3_row0: 0 16 unstriped 4 8 0 /dev/d3 2048",
        "a_member0_row0: 0 16 unstriped 4 8 0 /dev/d0 2048",
        "a_row0: 0 32 raid raid6_n_6 1 8 4 - - - /dev/mapper/a_member2_row0 - /dev/mapper/a_member3_row0 \
         - /dev/mapper/a_member0_row0",
    ];
    assert_eq!(lines[..4], row_0);
    let last = lines.iter().rev().take(3).rev().collect::<Vec<_>>();
    assert_eq!(
        last,
        [
            "a: 0 64 striped 4 16 /dev/mapper/a_row0 0 /dev/mapper/a_row1 0 /dev/mapper/a_row2 0 /dev/mapper/a_row3 0",
            "a: 64 16 linear /dev/mapper/a_row0 16",
            "a: 80 8 linear /dev/mapper/a_row1 16",
        ]
    );
}

#[test]
fn a_dirty_array_is_mapped_with_a_warning_and_not_degraded() {
    let dirty = |missing: bool, position: Option<u64>, level: &str, layout: Option<&str>| {
        let mut record = json!({"level": level, "layout": layout, "chunk_sectors": 8, "size_sectors": 16, "slots": 3,
            "dirty": true, "resync_position_sectors": position, "members": bare(3, 16)});
        if missing {
            record["members"][0]["state"] = json!("missing");
        }
        plan(&array(record), &[], &DEGRADED)
    };
    let raid5 = |missing, position| dirty(missing, position, "raid5", Some("left-symmetric"));
    assert_eq!(raid5(false, None).unwrap().problems[0].code, "dirty");
    for position in [None, Some(0), Some(15)] {
        let error = raid5(true, position).unwrap_err();
        assert!(matches!(error.reason, Reason::DirtyDegraded { .. }), "{error}");
        assert!(error.reason.is_no());
    }
    assert!(raid5(true, Some(16)).is_ok());
    assert!(dirty(true, Some(0), "raid1", None).is_ok());
}

#[test]
fn more_missing_members_than_the_level_can_do_without_is_a_no() {
    let missing = |level: &str, layout: Option<&str>, slots: usize, which: &[usize]| {
        let mut record = json!({"level": level, "layout": layout, "chunk_sectors": 8, "size_sectors": if level == "raid10" { 64 } else { 8 }, "slots": slots,
            "members": bare(slots as u64, 32)});
        for slot in which {
            record["members"][slot]["state"] = json!("failed");
        }
        match plan(&array(record), &[], &DEGRADED) {
            Ok(_) => true,
            Err(PlanError { reason: Reason::Failed { missing }, .. }) => {
                assert_eq!(missing.len(), which.len());
                false
            }
            Err(error) => panic!("{error}"),
        }
    };
    assert!(!missing("raid0", None, 2, &[1]));
    assert!(!missing("linear", None, 2, &[1]));
    assert!(missing("raid1", None, 3, &[0, 2]));
    assert!(!missing("raid1", None, 2, &[0, 1]));
    assert!(missing("raid5", Some("left-symmetric"), 4, &[3]));
    assert!(!missing("raid5", Some("left-symmetric"), 4, &[0, 3]));
    assert!(missing("raid6", Some("left-symmetric"), 5, &[0, 3]));
    assert!(!missing("raid6", Some("left-symmetric"), 5, &[0, 3, 4]));
    assert!(missing("raid10", Some("near-2"), 4, &[0, 3]));
    assert!(!missing("raid10", Some("near-2"), 4, &[2, 3]));
    assert!(missing("raid10", Some("far-2"), 4, &[0, 2]));
    assert!(!missing("raid10", Some("far-2"), 4, &[0, 3]));
    assert!(missing("raid10", Some("far-2-sets"), 4, &[0, 3]));
    assert!(!missing("raid10", Some("far-2-sets"), 4, &[0, 1]));
}

#[test]
fn what_device_mapper_can_not_say_is_refused_as_unsupported() {
    let mut cases = Vec::new();
    let raid5 = json!({"level": "raid5", "layout": "left-symmetric", "chunk_sectors": 8, "size_sectors": 16,
        "slots": 3, "members": bare(3, 8)});
    let mut with = |field: &str, value: Value, reason: &'static str| {
        let mut record = raid5.clone();
        record[field] = value;
        cases.push((record, reason));
    };
    with("health", json!("reshaping"), "reshaping");
    with("write_log", json!("journal"), "journal");
    with("chunk_sectors", json!(4), "unsupported-by-dm: raid: raid5_ls with a chunk of 4 sectors");
    with("layout", Value::Null, "raid5: no layout");
    with("name", json!("a b"), "'a b' can not be the name of a dm device");
    with("name", json!("x".repeat(124)), "longer than 127 bytes");
    let mut bad = raid5.clone();
    bad["members"][2]["bad_sectors"] = json!([{"start_sectors": 0, "length_sectors": 4}]);
    cases.push((bad, "slot 2 has a list of 4 bad sectors"));
    let mut short = raid5.clone();
    short["members"][1]["device_length_sectors"] = json!(7);
    cases.push((short, "slot 1: the array uses 8 sectors of it, the device has 7"));
    let mut unnameable = raid5.clone();
    unnameable["members"][1]["device"] = json!("a\\x0ab");
    cases.push((unnameable, "control character"));
    let many = json!({"level": "raid6", "layout": "left-symmetric", "chunk_sectors": 8, "size_sectors": 16,
        "slots": 17, "members": bare(17, 8)});
    cases.push((many, "unsupported-by-dm: raid6 left-symmetric of 17 members"));
    for (mut record, reason) in cases {
        if reason.contains("127") {
            record["members"][0]["offset_sectors"] = json!(0);
            record["members"][0]["device_length_sectors"] = json!(100);
        }
        let error = refused(&array(record), &DEGRADED);
        assert!(error.to_string().contains(reason), "{reason}: {error}");
        assert!(!error.reason.is_no(), "{error}");
    }
}

#[test]
fn a_set_of_sets_comes_after_its_subsets() {
    let subset = |name: &str, first: u64| {
        let member = |slot: u64| {
            json!({"slot": slot, "device": format!("/dev/d{}", first + slot), "state": "in-sync",
            "device_length_sectors": 100, "length_sectors": 64})
        };
        array(json!({"name": name, "level": "raid0", "chunk_sectors": 8, "size_sectors": 128, "slots": 2,
            "format": "asr", "members": [member(0), member(1)]}))
    };
    let top = array(
        json!({"name": "top", "level": "raid1", "size_sectors": 128, "slots": 2, "format": "asr",
        "members": [{"slot": 0, "array": "s0", "state": "in-sync"}, {"slot": 1, "array": "s1", "state": "in-sync"}]}),
    );
    let arrays = [subset("s0", 0), subset("s1", 2), top];
    let plan = plan(&arrays[2], &arrays, &Options::default()).unwrap();
    assert_eq!(
        plain(&plan.tables).collect::<Vec<_>>(),
        [
            "s0: 0 128 striped 2 8 /dev/d0 0 /dev/d1 0",
            "s1: 0 128 striped 2 8 /dev/d2 0 /dev/d3 0",
            "top: 0 128 raid raid1 2 0 nosync 2 - /dev/mapper/s0 - /dev/mapper/s1",
        ]
    );
    assert_eq!(plan.tables[2].uuid, "DMRAID-top");
    assert_eq!(plan.tables[2].depends, ["s0", "s1"]);
    let alone = super::plan(&arrays[2], &arrays[2..], &Options::default()).unwrap_err();
    assert_eq!(alone.to_string(), "top: its member s0 is not among the arrays");
    let mut own = arrays[2].clone();
    own.members[0].array = Some("top".into());
    let circle = super::plan(&own, std::slice::from_ref(&own), &Options::default()).unwrap_err();
    assert!(matches!(circle.reason, Reason::SubsetMissing { .. }));
}

/// A volume group with one raid1 of `legs` images, each with its metadata, and the array last.
fn lvm_mirror(legs: u64, more: Value) -> Vec<ArrayRecord> {
    let part = |name: &str, leg: u64, offset: u64, length: u64| {
        array(
            json!({"name": format!("vg-lv_{name}_{leg}"), "format": "lvm2", "volume": name, "level": "linear",
            "size_sectors": length, "slots": 1, "members": [{"slot": 0, "device": format!("/dev/d{leg}"),
            "state": "in-sync", "offset_sectors": offset, "length_sectors": length}]}),
        )
    };
    let member = |leg: u64| {
        json!({"slot": leg, "array": format!("vg-lv_rimage_{leg}"), "metadata_array": format!("vg-lv_rmeta_{leg}"),
            "state": "in-sync", "offset_sectors": 0, "length_sectors": 4096})
    };
    let mut top = json!({"name": "vg-lv", "format": "lvm2", "level": "raid1", "size_sectors": 4096, "slots": legs,
        "tuning": {"region_size_sectors": 1024}, "members": (0..legs).map(member).collect::<Vec<_>>()});
    top.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let parts = (0..legs).flat_map(|leg| [part("rmeta", leg, 2048, 8), part("rimage", leg, 2056, 4104)]);
    parts.chain([array(top)]).collect()
}

fn lvm_table(arrays: &[ArrayRecord]) -> String {
    let plan = plan(arrays.last().unwrap(), arrays, &Options::default()).unwrap();
    plain(&plan.tables).last().unwrap()
}

#[test]
fn an_array_with_tuning_is_a_raid_target_with_its_metadata_devices() {
    let arrays = lvm_mirror(2, json!({"dirty": true, "resync_position_sectors": 0}));
    let plan = plan(&arrays[4], &arrays, &Options::default()).unwrap();
    assert_eq!(
        plain(&plan.tables).collect::<Vec<_>>(),
        [
            "vg-lv_rmeta_0: 0 8 linear /dev/d0 2048",
            "vg-lv_rimage_0: 0 4104 linear /dev/d0 2056",
            "vg-lv_rmeta_1: 0 8 linear /dev/d1 2048",
            "vg-lv_rimage_1: 0 4104 linear /dev/d1 2056",
            "vg-lv: 0 4096 raid raid1 3 0 region_size 1024 2 /dev/mapper/vg-lv_rmeta_0 /dev/mapper/vg-lv_rimage_0 \
             /dev/mapper/vg-lv_rmeta_1 /dev/mapper/vg-lv_rimage_1",
        ]
    );
    assert_eq!(plan.problems, [], "the kernel resyncs it by itself");
}

#[test]
fn an_array_that_is_mapped_read_only_is_without_metadata_devices_because_the_kernel_writes_them_even_so() {
    let dirty = json!({"dirty": true, "resync_position_sectors": 0});
    let arrays = lvm_mirror(2, dirty);
    let read_only = Options { read_only: true, ..Options::default() };
    let plan = plan(&arrays[4], &arrays, &read_only).unwrap();
    assert_eq!(
        plain(&plan.tables).collect::<Vec<_>>(),
        [
            "vg-lv_rimage_0: 0 4104 linear /dev/d0 2056",
            "vg-lv_rimage_1: 0 4104 linear /dev/d1 2056",
            "vg-lv_member0: 0 4096 linear /dev/mapper/vg-lv_rimage_0 0",
            "vg-lv_member1: 0 4096 linear /dev/mapper/vg-lv_rimage_1 0",
            "vg-lv: 0 4096 raid raid1 2 0 nosync 2 - /dev/mapper/vg-lv_member0 - /dev/mapper/vg-lv_member1",
        ]
    );
    assert!(plan.tables.iter().all(|table| table.read_only));
    assert_eq!(plan.problems[0].code, "dirty", "the kernel does not resync it");

    let mut degraded = lvm_mirror(3, json!({}));
    degraded[6].members[0].state = MemberState::Missing;
    let without = Options { degraded: true, ..Options::default() };
    let plan = super::plan(&degraded[6], &degraded, &without).unwrap();
    assert!(plan.tables.iter().all(|table| !table.name.contains("rmeta")), "{plan:?}");
    let anyway = Options { read_write_anyway: true, ..without };
    let plan = super::plan(&degraded[6], &degraded, &anyway).unwrap();
    assert_eq!(plan.tables.iter().filter(|table| table.name.contains("rmeta")).count(), 2, "{plan:?}");
}

#[test]
fn a_slot_that_is_split_off_is_not_missed_and_its_devices_are_there() {
    let mut arrays = lvm_mirror(3, json!({}));
    let member = &mut arrays.last_mut().unwrap().members[2];
    (member.state, member.split) = (MemberState::Stale, true);
    let plan = plan(&arrays[6], &arrays, &Options::default()).unwrap();
    assert_eq!(plan.tables.len(), 7);
    assert!(plan.tables.iter().all(|table| !table.read_only));
    assert!(lvm_table(&arrays).ends_with("/dev/mapper/vg-lv_rimage_1 - -"), "{}", lvm_table(&arrays));
    let mut gone = arrays.clone();
    gone[6].members[1].state = MemberState::Missing;
    let refused = super::plan(&gone[6], &gone, &Options::default()).unwrap_err();
    assert_eq!(refused.to_string(), "vg-lv: degraded: slot 1 is not in sync; --degraded maps it without");
}

#[test]
fn what_the_metadata_says_of_running_an_array_is_in_its_table() {
    let tuning = json!({"tuning": {"region_size_sectors": 2048, "min_recovery_rate_kib_per_s": 100,
        "max_recovery_rate_kib_per_s": 5000, "max_write_behind_sectors": 256, "data_offset_sectors": 0}});
    let mut arrays = lvm_mirror(2, tuning);
    arrays[4].members[1].write_mostly = true;
    let params = "raid1 13 0 min_recovery_rate 100 max_recovery_rate 5000 write_mostly 1 max_write_behind 256 \
                  region_size 2048 data_offset 0 2 ";
    assert!(lvm_table(&arrays).contains(params), "{}", lvm_table(&arrays));
    let raid10 = json!({"level": "raid10", "layout": "near-2", "chunk_sectors": 128, "size_sectors": 8192});
    let line = lvm_table(&lvm_mirror(4, raid10));
    assert!(
        line.starts_with("vg-lv: 0 8192 raid raid10 5 128 region_size 1024 raid10_copies 2 4 "),
        "{line}"
    );
    let mut raid0 =
        lvm_mirror(2, json!({"level": "raid0", "chunk_sectors": 128, "size_sectors": 8192, "tuning": {}}));
    for member in &mut raid0[4].members {
        member.metadata_array = None;
    }
    let line = lvm_table(&raid0);
    let legs = "2 - /dev/mapper/vg-lv_rimage_0 - /dev/mapper/vg-lv_rimage_1";
    assert_eq!(line, format!("vg-lv: 0 8192 raid raid0 1 128 {legs}"));
}

#[test]
fn a_stretch_without_a_name_is_a_line_and_no_device() {
    let stripes = array(json!({"name": "vg-lv_0", "format": "lvm2", "level": "raid0", "chunk_sectors": 8,
        "size_sectors": 128, "slots": 2, "members": members(&[Some(64), Some(64)], 0)}));
    let top = array(
        json!({"name": "vg-lv", "format": "lvm2", "volume": "lv", "level": "linear", "size_sectors": 228,
        "slots": 2, "members": [{"slot": 0, "array": "vg-lv_0", "state": "in-sync", "length_sectors": 128},
        {"slot": 1, "device": "/dev/d1", "state": "in-sync", "offset_sectors": 500, "length_sectors": 100}]}),
    );
    let arrays = [stripes, top];
    let plan = plan(&arrays[1], &arrays, &Options::default()).unwrap();
    assert_eq!(
        plain(&plan.tables).collect::<Vec<_>>(),
        ["vg-lv: 0 128 striped 2 8 /dev/d0 0 /dev/d1 0", "vg-lv: 128 100 linear /dev/d1 500"]
    );
}

#[test]
fn subsets_of_subsets_without_end_are_refused_and_common_ones_are_planned_once() {
    let both = |name: u32| {
        let below = format!("s{}", name + 1);
        array(
            json!({"name": format!("s{name}"), "level": "raid0", "chunk_sectors": 8, "size_sectors": 16, "slots": 2,
            "members": [{"slot": 0, "array": below, "state": "in-sync", "length_sectors": 8},
            {"slot": 1, "array": below, "state": "in-sync", "length_sectors": 8}]}),
        )
    };
    let leaf = |number: u32| {
        array(json!({"name": format!("s{number}"), "level": "linear", "size_sectors": 16, "slots": 1,
            "members": members(&[Some(16)], 0)}))
    };
    let arrays: Vec<ArrayRecord> = (0..6).map(both).chain([leaf(6)]).collect();
    assert_eq!(plan(&arrays[0], &arrays, &Options::default()).unwrap().tables.len(), 7);
    let arrays: Vec<ArrayRecord> = (0..60).map(both).chain([leaf(60)]).collect();
    let error = plan(&arrays[0], &arrays, &Options::default()).unwrap_err();
    assert!(error.to_string().ends_with("is nested too deep"), "{error}");
}

#[test]
fn uuids_say_whose_device_it_is() {
    let with = |format: &str, uuid: &str, set_id: &str| {
        let record = array(json!({"format": format, "uuid": uuid, "set_id": set_id, "level": "raid1",
            "size_sectors": 8, "slots": 1, "members": bare(1, 8)}));
        plan(&record, &[], &Options::default()).unwrap().tables[0].uuid.clone()
    };
    assert_eq!(with("md", "1:2", "x"), "RAIDTABLE-md-1_2");
    assert_eq!(with("isw", "1:2", "x"), "DMRAID-a");
    let (group, volume) = ("a".repeat(32), format!("{}-{}", "b".repeat(6), "b".repeat(26)));
    assert_eq!(with("lvm2", &volume, &group), format!("LVM-{group}{}", "b".repeat(32)));
    assert_eq!(with("lvm2", "short", &group), "RAIDTABLE-a");
}

fn cases() -> ProptestConfig {
    let long = std::env::var_os("RAID_TESTS_LONG").is_some_and(|value| value == "1");
    let (cases, rng_seed) = if long { (5_000, RngSeed::Random) } else { (150, RngSeed::Fixed(20)) };
    ProptestConfig { cases, rng_seed, ..ProptestConfig::default() }
}

fn parity_layout(level: Level) -> impl Strategy<Value = Option<Layout>> {
    let layouts = ParityLayout::ALL.into_iter().filter(move |layout| match level {
        Level::Raid4 => matches!(layout, ParityLayout::ParityFirst | ParityLayout::ParityLast),
        Level::Raid5 => !layout.is_raid6_only(),
        _ => true,
    });
    prop::sample::select(layouts.map(|layout| Some(layout.into())).collect::<Vec<_>>())
}

fn raid10_layout() -> impl Strategy<Value = Option<Layout>> {
    let sets = prop::sample::select(vec![FarSets::Whole, FarSets::Sets, FarSets::Old]);
    (1..4_u8, 1..4_u8, any::<bool>(), sets)
        .prop_map(|(near, far, offset, sets)| Some(Layout::Raid10(Raid10Layout { near, far, offset, sets })))
}

fn geometry(levels: &'static [Level]) -> impl Strategy<Value = Geometry> {
    let level = prop::sample::select(levels);
    (level, 0..6_u32, prop::sample::select(vec![8, 16, 32])).prop_flat_map(|(level, more, chunk)| {
        let layout = match level {
            Level::Linear | Level::Raid1 => Just(None).boxed(),
            Level::Raid0 => {
                let layouts = [Raid0Layout::Original, Raid0Layout::Alternate];
                prop::sample::select(layouts.map(|layout| Some(Layout::Raid0(layout))).to_vec()).boxed()
            }
            Level::Raid10 => raid10_layout().boxed(),
            _ => parity_layout(level).boxed(),
        };
        let fewest = match level {
            Level::Raid4 | Level::Raid5 | Level::Raid10 => 2,
            Level::Raid6 => 4,
            _ => 1,
        };
        let chunk =
            if matches!(level, Level::Linear | Level::Raid1) { None } else { ChunkSectors::new(chunk) };
        layout.prop_map(move |layout| Geometry { level, layout, chunk, slots: fewest + more })
    })
}

/// An array with random members, whole or with one missing, and its map.
fn any_array(levels: &'static [Level]) -> impl Strategy<Value = (ArrayRecord, Map)> {
    let lengths = prop::collection::vec(0..400_u64, 16);
    (geometry(levels), lengths, 1..=100_u64, prop::option::of(0..16_usize), 0..3_u64).prop_filter_map(
        "no such array",
        |(geometry, lengths, percent, missing, offset)| {
            let slots = geometry.slots as usize;
            let lengths: Vec<Sectors> = lengths[..slots].iter().map(|&length| Sectors(64 + length)).collect();
            let whole = Map::new(&geometry, &lengths, Sectors::ZERO).ok()?;
            let size = (whole.capacity().0 * percent).div_ceil(100).max(1);
            let map = Map::new(&geometry, &lengths, Sectors(size)).ok()?;
            let lengths: Vec<Option<u64>> = lengths.iter().map(|length| Some(length.0)).collect();
            let mut record = array(json!({"level": geometry.level, "layout": geometry.layout,
                "chunk_sectors": geometry.chunk, "size_sectors": size, "slots": slots,
                "members": members(&lengths, offset * 1000)}));
            let missing = missing.filter(|&slot| slot < slots && geometry.level.is_redundant());
            if let Some(slot) = missing {
                record.members[slot].state = MemberState::Missing;
            }
            Some((record, map))
        },
    )
}

/// The plan, unless what is missing is too much for it.
fn plan_if_whole(array: &ArrayRecord) -> Result<Option<Plan>, TestCaseError> {
    match plan(array, &[], &DEGRADED) {
        Ok(plan) => Ok(Some(plan)),
        Err(PlanError { reason: Reason::Failed { .. }, .. }) => Ok(None),
        Err(error) => Err(TestCaseError::fail(error.to_string())),
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn every_sector_of_the_tables_is_where_the_layout_says((array, map) in any_array(&Level::ALL)) {
        let Some(plan) = plan_if_whole(&array)? else { return Ok(()) };
        let kernel = Kernel::load(&plan.tables);
        prop_assert_eq!(kernel.size("a"), map.size().0);
        for sector in (0..map.size().0).step_by(7).chain([map.size().0 - 1]) {
            let extent = map.extents(Sectors(sector), Sectors(1)).next().unwrap();
            let mut expected: Vec<_> = extent.copies.iter().map(|copy| {
                let member = &array.members[copy.slot.index()];
                let spot = (format!("/dev/d{}", copy.slot), member.offset_sectors.unwrap_or_default().0 + copy.sector.0);
                (member.state == MemberState::InSync).then_some(spot)
            }).collect();
            let mut found = kernel.resolve("a", sector);
            expected.sort();
            found.sort();
            prop_assert_eq!(found, expected, "sector {}", sector);
        }
    }

    #[test]
    fn the_kernel_takes_each_chunk_for_what_it_is(
        (array, map) in any_array(&[Level::Raid4, Level::Raid5, Level::Raid6])
    ) {
        let Some(plan) = plan_if_whole(&array)? else { return Ok(()) };
        let chunk = array.chunk_sectors.unwrap().sectors().0;
        let stripes = Kernel::load(&plan.tables).stripes();
        prop_assert_eq!(stripes.len() as u64, map.size().0.div_ceil(chunk * u64::from(map.slots() - array.level.parities())));
        for stripe in stripes {
            let mut numbers = std::collections::BTreeSet::new();
            for ((device, sector), role) in stripe {
                let slot = Slot(device.trim_start_matches("/dev/d").parse().unwrap());
                let start = array.members[slot.index()].offset_sectors.unwrap_or_default().0;
                let number = (sector - start) / chunk;
                numbers.insert(number);
                let meant = map.row(number).unwrap().role(slot).unwrap();
                match (role, meant) {
                    // Where a row is put in order afterwards, the index differs; Q does not depend on it.
                    (Role::Data { exponent, .. }, Role::Data { exponent: meant, .. }) => prop_assert_eq!(exponent, meant),
                    _ => prop_assert_eq!(role, meant),
                }
            }
            prop_assert_eq!(numbers.len(), 1, "one stripe of the array is one stripe of the target");
        }
    }
}
