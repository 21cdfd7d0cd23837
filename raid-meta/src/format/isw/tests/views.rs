//! What metadata means.

use super::super::bbm::{BadBlocks, Entry, LogHead};
use super::super::mpb::OUT_OF_SYNC;
use super::*;
use crate::geometry::{Geometry, Layout, Level, ParityLayout, Raid10Layout};
use crate::model::{OwnPart, SlotState, VolumeView};
use crate::record::{Role, SectorRange, WriteLog};
use crate::units::{ChunkSectors, Sectors, Slot};

fn first_volume(mpb: &Mpb, serial: &str) -> VolumeView {
    view_of(mpb, serial).volumes.remove(0)
}

fn states(view: &VolumeView) -> Vec<SlotState> {
    view.slots.iter().map(|slot| slot.state).collect()
}

#[test]
fn a_member_finds_itself_by_its_serial() {
    let view = view_of(&raid5(3), "SER 1");
    assert_eq!((view.role, view.key.as_deref(), view.generation), (Role::Active, Some("SER1"), 2));
    assert_eq!((view.set_id.as_str(), view.family.as_str()), ("11223344-1.3.00", "11223344"));
    let volume = &view.volumes[0];
    let keys: Vec<_> = volume.slots.iter().map(|slot| slot.key.clone().unwrap()).collect();
    assert_eq!(keys, ["SER0", "SER1", "SER2"]);
    assert_eq!(volume.size, Sectors(4096 * 128 * 2));
    assert_eq!((volume.dirty, volume.initializing, volume.resync_position), (Some(false), false, None));
    let own = volume.own.as_ref().unwrap();
    assert_eq!((own.slot, own.offset, own.length), (Some(Slot(1)), Sectors(0), Sectors(4096 * 128)));
    assert_eq!(
        volume.geometry,
        Some(Geometry {
            level: Level::Raid5,
            layout: Some(Layout::Parity(ParityLayout::LeftAsymmetric)),
            chunk: ChunkSectors::new(128),
            slots: 3
        })
    );
}

#[test]
fn the_serial_is_asked_for_where_it_is_not_known() {
    let device = device_of(&raid5(3), None);
    let view = metadata(&device).view(&device);
    assert_eq!((view.role, view.key), (Role::Unknown, None));
    assert_eq!(codes(&view.problems), ["slot-unknown"]);
    assert!(view.problems[0].message.starts_with("disk.img: the disk's serial number is needed"));
    let own = view.volumes[0].own.clone().unwrap();
    assert_eq!((own.slot, own.length), (None, Sectors(4096 * 128)));
}

#[test]
fn a_disk_that_is_not_in_the_table_is_foreign() {
    let view = view_of(&raid5(3), "OTHER");
    assert_eq!((view.role, view.key.as_deref()), (Role::Foreign, Some("OTHER")));
    assert_eq!(view.volumes[0].own, None);
    assert_eq!(codes(&view.problems), ["foreign"]);
}

#[test]
fn firmware_levels_are_told_apart_by_their_members() {
    let geometry = |level: u8, members: u8| {
        let disks = (0..members).map(|number| disk(&format!("SER{number}"), 2)).collect();
        let mpb = container(disks, vec![volume("vol", 8192 * 128, map(level, members, 4096))]);
        first_volume(&mpb, "SER0").geometry.map(|geometry| (geometry.level, geometry.layout))
    };
    let near = Some(Layout::Raid10(Raid10Layout::near(2)));
    assert_eq!(geometry(1, 2), Some((Level::Raid1, None)));
    assert_eq!(geometry(1, 4), Some((Level::Raid10, near)));
    assert_eq!(geometry(10, 6), Some((Level::Raid10, near)));
    assert_eq!(geometry(1, 3), None);
    assert_eq!(geometry(0, 1), Some((Level::Raid0, None)));
}

#[test]
fn mirrored_stripes_count_for_each_domain() {
    let own = first_volume(&raid1(), "TOYDISK0002").own.unwrap();
    assert_eq!(own.length, Sectors(1_048_576));
}

#[test]
fn sizes_on_disks_with_large_sectors_count_large_sectors() {
    let blocks = |number| Disk { total_blocks_lo: 51_200, ..disk(&format!("SER{number}"), 2) };
    let mut mpb = container((0..3).map(blocks).collect(), vec![volume("vol", 19_968, map(5, 3, 624))]);
    mpb.place = Place::new(Bytes(51_200 * 4096), SectorSize::B4096).unwrap();
    mpb.volumes[0].map.head.blocks_per_strip = 16;
    mpb.volumes[0].map.head.blocks_per_member_lo = 10_240;
    let mpb = sealed(mpb);
    let view = first_volume(&mpb, "SER0");
    assert_eq!(view.geometry.unwrap().chunk, ChunkSectors::new(128));
    assert_eq!((view.own.unwrap().length, view.size), (Sectors(79_872), Sectors(159_744)));
    assert_eq!(check_codes(&mpb), Vec::<String>::new());
}

#[test]
fn the_size_is_right_where_the_stripes_contradict_it() {
    let mut mpb = raid5(3);
    mpb.volumes[0].head.size_low = 8192 * 128 * 2;
    let view = first_volume(&sealed(mpb), "SER0");
    assert_eq!((view.size, view.own.unwrap().length), (Sectors(8192 * 128 * 2), Sectors(8192 * 128)));
    assert_eq!(codes(&view.problems), ["volume-size"]);
}

#[test]
fn high_halves_count_only_where_the_attributes_say_so() {
    let mut mpb = raid5(3);
    mpb.volumes[0].map.head.pba_of_lba0_hi = 1;
    assert_eq!(first_volume(&sealed(mpb.clone()), "SER0").own.unwrap().offset, Sectors(0));
    mpb.header.attributes |= 0x0400_0000;
    mpb.disks.iter_mut().for_each(|disk| disk.total_blocks_hi = 2);
    assert_eq!(first_volume(&sealed(mpb), "SER0").own.unwrap().offset, Sectors(1 << 32));
}

#[test]
fn failed_missing_and_unheard_of_disks_are_failed() {
    let mut mpb = raid5(6);
    mpb.disks[0].status = 6;
    mpb.disks[1].scsi_id = u32::MAX;
    mpb.disks[2].serial = padded("ER2:0");
    mpb.volumes[0].map.disk_ord_tbl[3] |= OUT_OF_SYNC;
    mpb.volumes[0].map.disk_ord_tbl[4] = 77;
    let view = first_volume(&sealed(mpb), "SER5");
    let (failed, in_sync) = (SlotState::Failed, SlotState::InSync);
    assert_eq!(states(&view), [failed, failed, failed, failed, failed, in_sync]);
    assert_eq!(view.slots[4].key, None);
}

/// The example of a spare that has taken slot 1 and is being rebuilt.
fn rebuilding(unit: u32) -> Mpb {
    let mut mpb = raid5(3);
    let volume = &mut mpb.volumes[0];
    volume.map.disk_ord_tbl = vec![0, 2, 1];
    volume.source = Some(volume.map.clone());
    volume.source.as_mut().unwrap().disk_ord_tbl = vec![0, 2 | OUT_OF_SYNC, 1];
    volume.source.as_mut().unwrap().head.map_state = 2;
    volume.state.migr_type = 1;
    volume.state.curr_migr_unit_lo = unit;
    sealed(mpb)
}

#[test]
fn a_rebuild_is_current_up_to_its_checkpoint() {
    let view = first_volume(&rebuilding(10), "SER2");
    assert_eq!(states(&view), [SlotState::InSync, SlotState::Rebuilding, SlotState::InSync]);
    assert_eq!(view.own.unwrap().recovered, Some(Sectors(1280)));
    assert_eq!(first_volume(&rebuilding(10), "SER0").own.unwrap().recovered, None);
    assert_eq!(first_volume(&rebuilding(u32::MAX), "SER2").own.unwrap().recovered, Some(Sectors(4096 * 128)));
    assert_eq!(view.state.as_deref(), Some("normal, rebuilding"));
}

#[test]
fn of_two_rebuilds_the_checkpoint_says_nothing() {
    let mut mpb = rebuilding(10);
    mpb.volumes[0].source.as_mut().unwrap().disk_ord_tbl[0] |= OUT_OF_SYNC;
    let view = first_volume(&sealed(mpb), "SER2");
    assert_eq!(view.own.unwrap().recovered, Some(Sectors(0)));
}

#[test]
fn redundancy_is_valid_below_the_checkpoint_of_an_initialization() {
    let mut mpb = raid5(3);
    mpb.volumes[0].map.head.map_state = 1;
    let view = first_volume(&sealed(mpb.clone()), "SER0");
    assert_eq!((view.initializing, view.resync_position), (true, Some(Sectors(0))));
    let mut source = mpb.volumes[0].map.clone();
    source.head.map_state = 1;
    mpb.volumes[0].map.head.map_state = 0;
    mpb.volumes[0].source = Some(source);
    mpb.volumes[0].state.curr_migr_unit_lo = 5;
    mpb.volumes[0].state.dirty = 1;
    let view = first_volume(&sealed(mpb.clone()), "SER0");
    assert_eq!((view.initializing, view.resync_position), (true, Some(Sectors(5 * 384))));
    assert_eq!(view.dirty, Some(true));
    mpb.volumes[0].state.migr_type = 2;
    mpb.volumes[0].source.as_mut().unwrap().head.map_state = 0;
    mpb.volumes[0].head.status |= 0x80;
    let view = first_volume(&sealed(mpb), "SER0");
    assert_eq!((view.initializing, view.resync_position), (false, Some(Sectors(5 * 384))));
}

#[test]
fn a_dirty_volume_has_valid_redundancy_nowhere() {
    let mut mpb = raid5(3);
    mpb.volumes[0].state.dirty = 1;
    let view = first_volume(&sealed(mpb), "SER0");
    assert_eq!((view.dirty, view.resync_position), (Some(true), Some(Sectors(0))));
    let mut mpb = raid1();
    mpb.volumes[0].state.dirty = 1;
    mpb.volumes[0].map.head.raid_level = 0;
    mpb.volumes[0].map.head.num_domains = 1;
    assert_eq!(first_volume(&sealed(mpb), "TOYDISK0001").dirty, Some(false));
}

#[test]
fn a_partial_parity_log_with_entries_matters_after_a_crash() {
    use crate::format::isw::ppl::tests::header_of;
    let log_of = |dirty: u8, header: &[u8]| {
        let mut mpb = raid5(3);
        mpb.volumes[0].head.rwh_policy = 3;
        mpb.volumes[0].state.dirty = dirty;
        let mpb = sealed(mpb);
        let disk = SimDisk::new(mpb.place.device);
        disk.load(mpb.place.start(), &encode(&mpb));
        disk.load(Bytes(4096 * 128 * 512), header);
        let device =
            Device::whole(Path::new("disk.img"), Arc::new(disk)).with_serial(Some("SER0".to_owned()));
        let view = metadata(&device).view(&device).volumes.remove(0);
        let codes: Vec<String> = view.problems.into_iter().map(|problem| problem.code).collect();
        (view.write_log, codes)
    };
    let used = header_of(0x1122_3344, 1, &[4096]);
    assert_eq!(log_of(3, &used), (Some(WriteLog::Ppl), vec![]));
    assert_eq!(log_of(0, &used), (None, vec![]));
    assert_eq!(log_of(3, &header_of(0x1122_3344, 1, &[])), (None, vec![]));
    assert_eq!(log_of(3, &[]), (None, vec!["write-log".to_owned()]));
}

#[test]
fn bad_blocks_are_those_of_the_disk_and_the_volume() {
    let mut mpb = raid5(3);
    mpb.volumes[0].map.head.pba_of_lba0_lo = 1000;
    let entry =
        |disk_ordinal, lba_low, marked_count| Entry { marked_count, disk_ordinal, lba_low, lba_high: 0 };
    let entries = vec![entry(0, 1010, 255), entry(1, 5000, 0), entry(0, 990, 19), entry(0, 10, 0)];
    mpb.bad_blocks = Some(BadBlocks { head: LogHead { signature: 0xabad_b10c, entry_count: 4 }, entries });
    let OwnPart { bad_sectors, .. } = first_volume(&sealed(mpb), "SER0").own.unwrap();
    let range =
        |start, length| SectorRange { start_sectors: Sectors(start), length_sectors: Sectors(length) };
    assert_eq!(bad_sectors, [range(10, 256), range(0, 10)]);
}

#[test]
fn a_spare_record_of_another_disk_is_foreign() {
    let mpb = container(vec![disk("SPARE", 1)], Vec::new());
    assert_eq!(view_of(&mpb, "SPARE").role, Role::Spare);
    assert_eq!(view_of(&mpb, "OTHER").role, Role::Foreign);
    let device = device_of(&mpb, None);
    assert_eq!(metadata(&device).view(&device).role, Role::Spare);
}

#[test]
fn the_roles_of_the_table_are_the_roles_of_the_disks() {
    let mut mpb = raid5(3);
    for (serial, status, role) in
        [("A", 6, Role::Failed), ("B", 1, Role::Spare), ("C", 0x0200_0002, Role::Journal)]
    {
        mpb.disks.push(disk(serial, status));
        let mpb = sealed(mpb.clone());
        assert_eq!(view_of(&mpb, serial).role, role);
    }
}
