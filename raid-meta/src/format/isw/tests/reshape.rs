//! General migrations: how far they have come.

use super::super::migration::{Record, RecordSector, merge};
use super::*;
use crate::geometry::Level;
use crate::model::{ReshapeView, VolumeView};
use crate::record::SectorRange;
use crate::units::Sectors;

/// One unit: 2048 sectors on each of three data members.
const UNIT: u64 = 6144;

/// A raid5 that grows from three disks to four.
fn growing(unit: u32) -> Mpb {
    let mut mpb = raid5(4);
    mpb.volumes[0].source = Some(map(5, 3, 4096));
    mpb.volumes[0].state.migr_type = 3;
    mpb.volumes[0].state.curr_migr_unit_lo = unit;
    sealed(mpb)
}

fn record(unit: u32, rec_status: u32) -> Record {
    Record {
        rec_status,
        curr_migr_unit_lo: unit,
        family_num: 0x1122_3344,
        ascending_migr: 1,
        blocks_per_unit: 6144,
        dest_depth_per_unit: 2048,
        ckpt_area_pba_lo: u32::try_from(DISK / 512).unwrap() - 2209,
        dest_1st_member_lba_lo: unit * 2048,
        num_migr_units_lo: 256,
        post_migr_vol_cap: 4096 * 128 * 3,
        ..zeroed()
    }
}

/// What the disk says when its last sector is that.
fn seen(mpb: &Mpb, serial: Option<&str>, record: &Record) -> VolumeView {
    let sector = RecordSector { record: record.clone(), tail: vec![0; 384] }.encode();
    let bytes = [encode(mpb), sector].concat();
    let disk = SimDisk::new(mpb.place.device);
    disk.load(mpb.place.start(), &bytes);
    let device = Device::whole(Path::new("disk.img"), Arc::new(disk)).with_serial(serial.map(str::to_owned));
    metadata(&device).view(&device).volumes.remove(0)
}

fn reshape(mpb: &Mpb, serial: &str, record: &Record) -> ReshapeView {
    seen(mpb, Some(serial), record).reshape.unwrap()
}

fn range(start: u64, length: u64) -> Vec<SectorRange> {
    vec![SectorRange { start_sectors: Sectors(start), length_sectors: Sectors(length) }]
}

const OLD_SIZE: u64 = 4096 * 128 * 2;

#[test]
fn the_array_keeps_its_old_size_until_the_end() {
    let view = seen(&growing(0), Some("SER0"), &record(0, 0));
    assert_eq!(view.size, Sectors(OLD_SIZE));
    assert_eq!(view.slots.len(), 4);
    let reshape = view.reshape.unwrap();
    assert_eq!((reshape.from.slots, reshape.to.slots, view.geometry.unwrap().slots), (3, 4, 4));
    assert_eq!((reshape.from.level, reshape.to.level), (Level::Raid5, Level::Raid5));
}

#[test]
fn the_record_says_the_position_on_the_first_two_slots_alone() {
    for serial in ["SER0", "SER1"] {
        let view = reshape(&growing(3), serial, &record(4, 0));
        assert_eq!((view.position, view.authoritative), (Sectors(4 * UNIT), true));
        assert_eq!(view.uncertain, []);
    }
    let view = seen(&growing(3), Some("SER2"), &zeroed());
    assert_eq!(codes(&view.problems), ["position-from-mpb"]);
    let reshape = view.reshape.unwrap();
    assert_eq!((reshape.position, reshape.authoritative), (Sectors(3 * UNIT), false));
    assert_eq!(reshape.uncertain, range(3 * UNIT, OLD_SIZE - 3 * UNIT));
}

#[test]
fn a_record_that_was_left_on_another_slot_is_not_believed() {
    assert!(!reshape(&growing(3), "SER2", &record(9, 0)).authoritative);
    assert!(seen(&growing(3), None, &record(9, 0)).reshape.unwrap().authoritative);
    assert!(!seen(&growing(3), None, &zeroed()).reshape.unwrap().authoritative);
}

#[test]
fn a_unit_that_lands_on_its_own_source_is_uncertain_while_it_moves() {
    assert_eq!(reshape(&growing(0), "SER0", &record(0, 1)).uncertain, range(0, UNIT));
    assert_eq!(reshape(&growing(1), "SER0", &record(1, 1)).uncertain, range(UNIT, UNIT));
    // Unit 2 lands on member sectors 4096 to 6143 and comes from 6144 on.
    let view = reshape(&growing(2), "SER0", &record(2, 1));
    assert_eq!((view.position, view.moving, view.uncertain), (Sectors(2 * UNIT), Sectors(UNIT), vec![]));
}

#[test]
fn a_descent_to_fewer_disks_overwrites_what_has_not_been_read() {
    let mut mpb = raid5(4);
    mpb.volumes[0].source = Some(mpb.volumes[0].map.clone());
    mpb.volumes[0].map.disk_ord_tbl.truncate(3);
    mpb.volumes[0].state.migr_type = 3;
    mpb.volumes[0].head.size_low = u32::try_from(OLD_SIZE).unwrap();
    let record = Record { blocks_per_unit: 4096, ..record(2, 0) };
    // Member sectors 0 to 4095 have been written; three data members had 12288 array sectors there.
    let view = reshape(&sealed(mpb), "SER0", &record);
    assert_eq!((view.position, view.uncertain), (Sectors(8192), range(8192, 4096)));
}

#[test]
fn an_empty_record_says_that_nothing_has_moved_yet() {
    let view = reshape(&growing(0), "SER0", &zeroed());
    assert_eq!((view.position, view.authoritative, view.uncertain), (Sectors(0), true, vec![]));
    let view = seen(&growing(1), Some("SER0"), &zeroed());
    assert_eq!(codes(&view.problems), ["migration-record"]);
}

#[test]
fn a_record_that_contradicts_itself_or_the_mpb_makes_everything_uncertain() {
    let changes: [fn(&mut Record); 11] = [
        |record| record.family_num ^= 1,
        |record| record.ascending_migr = 0,
        |record| record.rec_status = 2,
        |record| record.blocks_per_unit = 0,
        |record| record.blocks_per_unit += 1,
        |record| record.dest_depth_per_unit = 0,
        |record| record.dest_depth_per_unit = u32::MAX,
        |record| {
            (record.dest_depth_per_unit, record.blocks_per_unit) = (100, 300);
            record.dest_1st_member_lba_lo = 500;
        },
        |record| record.dest_1st_member_lba_lo += 1,
        |record| record.num_migr_units_lo = 4,
        |record| record.curr_migr_unit_hi = u32::MAX,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut record = record(5, 0);
        change(&mut record);
        let view = seen(&growing(5), Some("SER0"), &record);
        assert!(codes(&view.problems).contains(&"migration-record"), "{number}: {:?}", view.problems);
        let reshape = view.reshape.unwrap();
        assert_eq!((reshape.authoritative, reshape.uncertain), (true, range(0, OLD_SIZE)), "{number}");
    }
    assert_eq!(codes(&seen(&growing(6), Some("SER0"), &record(5, 0)).problems), ["migration-record"]);
}

#[test]
fn where_one_of_two_records_is_damaged_the_other_is_not_enough() {
    let mut damaged = record(2, 1);
    damaged.rec_status = 0x77;
    let views = [
        seen(&growing(0), Some("SER1"), &record(3, 0)),
        seen(&growing(0), Some("SER0"), &damaged),
        seen(&growing(0), Some("SER2"), &zeroed()),
    ];
    let merged = merge(&views.each_ref()).unwrap();
    assert_eq!((merged.position, merged.uncertain), (Sectors(0), range(0, OLD_SIZE)));
}

#[test]
fn of_two_records_the_one_that_is_less_far_counts() {
    let views = |first: &Record, second: &Record| {
        let behind = seen(&growing(0), Some("SER0"), first);
        let ahead = seen(&growing(0), Some("SER1"), second);
        let third = seen(&growing(0), Some("SER2"), &zeroed());
        merge(&[&third, &ahead, &behind]).unwrap()
    };
    let merged = views(&record(2, 1), &record(3, 0));
    assert_eq!((merged.position, merged.uncertain), (Sectors(2 * UNIT), vec![]));
    assert_eq!(merged.moving, Sectors(UNIT));
    let merged = views(&record(1, 1), &record(2, 0));
    assert_eq!((merged.position, merged.uncertain), (Sectors(UNIT), range(UNIT, UNIT)));
    let merged = views(&record(2, 0), &record(3, 1));
    assert_eq!((merged.position, merged.uncertain), (Sectors(2 * UNIT), range(2 * UNIT, 2 * UNIT)));
}

#[test]
fn without_any_record_nothing_above_the_checkpoint_is_certain() {
    let view = seen(&growing(2), Some("SER3"), &zeroed());
    assert_eq!(merge(&[&view]).unwrap().uncertain, range(2 * UNIT, OLD_SIZE - 2 * UNIT));
    assert_eq!(merge(&[]), None);
}

#[test]
fn data_that_moves_to_another_start_can_not_be_followed() {
    let mut mpb = growing(0);
    mpb.volumes[0].source.as_mut().unwrap().head.pba_of_lba0_lo = 8;
    let view = seen(&sealed(mpb), Some("SER0"), &record(0, 0));
    assert_eq!(codes(&view.problems), ["unsupported-migration"]);
    assert_eq!(view.geometry, None);
}

#[test]
fn a_raid0_that_becomes_a_raid5_has_both_geometries() {
    let mut mpb = growing(0);
    mpb.volumes[0].source = Some(map(0, 3, 4096));
    mpb.volumes[0].head.size_low = 4096 * 128 * 3;
    let view = seen(&sealed(mpb), Some("SER0"), &record(2, 0));
    let reshape = view.reshape.unwrap();
    assert_eq!((reshape.from.level, reshape.from.slots), (Level::Raid0, 3));
    assert_eq!((reshape.to.level, reshape.to.slots), (Level::Raid5, 4));
    assert_eq!(view.size, Sectors(4096 * 128 * 3));
}

#[test]
fn a_record_without_a_migration_is_left_alone_and_shown() {
    let mpb = raid5(3);
    let sector = RecordSector { record: record(1, 0), tail: vec![7; 384] }.encode();
    let disk = SimDisk::new(mpb.place.device);
    disk.load(mpb.place.start(), &[encode(&mpb), sector.clone()].concat());
    let metadata = metadata(&Device::whole(Path::new("disk.img"), Arc::new(disk)));
    assert_eq!(codes(&metadata.check()), ["migration-record-unused"]);
    assert_eq!(metadata.areas()[1].bytes, sector);
    assert!(metadata.fields().iter().any(|field| field.name == "migration.curr_migr_unit_lo"));
}
