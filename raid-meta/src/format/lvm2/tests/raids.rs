//! Logical volumes that are raids, and what the superblocks of their images say.

use super::*;
use crate::geometry::{Level, ParityLayout, Raid10Layout};
use crate::record::{Health, MemberState};
use crate::units::Sectors;

/// A raid of images of two extents, one on each disk behind an extent for the superblock.
fn raid(kind: &str, count: usize, extents: usize, more: &str) -> String {
    let images: Vec<String> = (0..count).map(|n| format!("\"r_rmeta_{n}\", \"r_rimage_{n}\"")).collect();
    let segment =
        format!("device_count = {count}\nregion_size = 32\n{more}\nraids = [{}]", images.join(",\n"));
    let mut text = lv("r", VISIBLE, &[(kind, extents, &segment)]);
    for number in 0..count {
        text += &linear(&format!("r_rimage_{number}"), HIDDEN, 2, number, 1);
        text += &linear(&format!("r_rmeta_{number}"), HIDDEN, 1, number, 0);
    }
    text
}

/// The superblock of a leg that is in sync.
fn superblock(legs: u32, slot: u32, events: u64, level: u32) -> Vec<u8> {
    let mut bytes = vec![0; 512];
    put(&mut bytes, 0, b"DmRd");
    put_u32(&mut bytes, 4, 1);
    put_u32(&mut bytes, 8, legs);
    put_u32(&mut bytes, 12, slot);
    put(&mut bytes, 16, &events.to_le_bytes());
    bytes[32..48].fill(0xff);
    put_u32(&mut bytes, 48, level);
    put_u32(&mut bytes, 56, if level == 1 { 0 } else { 16 });
    bytes[64..72].fill(0xff);
    bytes
}

/// Disks with a raid, and with superblocks of so many events.
fn set(kind: &str, level: u32, extents: usize, events: &[u64], more: &str) -> Vec<Vec<u8>> {
    let count = events.len();
    let mut disks = disks(count, &raid(kind, count, extents, more));
    for (slot, (disk, &events)) in (0..).zip(disks.iter_mut().zip(events)) {
        put(disk, PE_START * 512, &superblock(u32::try_from(count).unwrap(), slot, events, level));
    }
    disks
}

fn r(disks: &[Vec<u8>]) -> ArrayRecord {
    named(&arrays(disks), "vg-r").clone()
}

fn states(array: &ArrayRecord) -> Vec<MemberState> {
    array.members.iter().map(|member| member.state).collect()
}

const SYNC: MemberState = MemberState::InSync;

#[test]
fn a_raid_is_over_its_images_with_the_volumes_of_their_superblocks() {
    let disks = set("raid1", 1, 2, &[7, 7], "");
    let array = r(&disks);
    assert_eq!((array.level, array.health, array.dirty), (Level::Raid1, Health::Optimal, Some(false)));
    assert_eq!(array.size_sectors, Sectors(2 * EXTENT as u64));
    assert_eq!(array.members[1].array.as_deref(), Some("vg-r_rimage_1"));
    assert_eq!(array.members[1].metadata_array.as_deref(), Some("vg-r_rmeta_1"));
    assert_eq!(array.tuning.unwrap().region_size_sectors, Some(Sectors(32)));
    let names: Vec<_> = arrays(&disks).iter().map(|array| array.name.clone()).collect();
    assert_eq!(names.last().map(String::as_str), Some("vg-r"), "subsets come first: {names:?}");
    let record = members(&disks)[1].record();
    let own = record.volumes.iter().find(|volume| volume.name.as_deref() == Some("r")).unwrap();
    assert_eq!(own.slot.unwrap().0, 1);
}

#[test]
fn every_type_has_its_layout() {
    use ParityLayout::*;
    for (kind, count, level, layout) in [
        ("raid4", 3, Level::Raid4, ParityFirst),
        ("raid5", 3, Level::Raid5, LeftSymmetric),
        ("raid5_la", 3, Level::Raid5, LeftAsymmetric),
        ("raid5_n", 3, Level::Raid5, ParityLast),
        ("raid6", 5, Level::Raid6, DdfZeroRestart),
        ("raid6_nc", 5, Level::Raid6, DdfNContinue),
        ("raid6_ra_6", 5, Level::Raid6, RightAsymmetric6),
    ] {
        let array = r(&disks(count, &raid(kind, count, 6, "stripe_size = 16")));
        assert_eq!((array.level, array.layout), (level, Some(layout.into())), "{kind}");
        assert_eq!(array.chunk_sectors.unwrap().get(), 16, "{kind}");
    }
    let array = r(&disks(4, &raid("raid10", 4, 4, "data_copies = 2\nstripe_size = 16")));
    assert_eq!((array.level, array.layout), (Level::Raid10, Some(Raid10Layout::near(2).into())));
    let array = r(&disks(2, &raid("raid0_meta", 2, 4, "stripe_size = 16")));
    assert_eq!((array.level, array.health), (Level::Raid0, Health::Optimal));
    let raid0 =
        lv("r", VISIBLE, &[("raid0", 4, "stripe_count = 2\nstripe_size = 16\nraid0_lvs = [\"i0\", \"i1\"]")])
            + &linear("i0", HIDDEN, 2, 0, 0)
            + &linear("i1", HIDDEN, 2, 1, 0);
    let array = r(&disks(2, &raid0));
    assert_eq!((array.level, array.slots, array.tuning.is_some()), (Level::Raid0, 2, true));
}

#[test]
fn what_the_text_says_of_running_it_is_kept() {
    let more = "writebehind = 256\nmin_recovery_rate = 100\nmax_recovery_rate = 5000\ndata_offset = 1";
    let text = raid("raid1", 2, 2, more).replacen(
        &format!("r_rimage_1 {{\nid = \"{}\"\nstatus = [", lv_id("r_rimage_1")),
        &format!("r_rimage_1 {{\nid = \"{}\"\nstatus = [\"WRITEMOSTLY\", ", lv_id("r_rimage_1")),
        1,
    );
    let array = r(&disks(2, &text));
    let tuning = array.tuning.unwrap();
    assert_eq!(tuning.min_recovery_rate_kib_per_s.unwrap().0, 100);
    assert_eq!(tuning.max_recovery_rate_kib_per_s.unwrap().0, 5000);
    assert_eq!(tuning.max_write_behind_sectors, Some(Sectors(256)));
    assert_eq!(tuning.data_offset_sectors, Some(Sectors::ZERO));
    assert_eq!([array.members[0].write_mostly, array.members[1].write_mostly], [false, true]);
}

#[test]
fn a_missing_disk_degrades_a_raid() {
    let mut disks = set("raid5_ls", 5, 4, &[7, 7, 7], "stripe_size = 16");
    disks.remove(1);
    let array = r(&disks);
    assert_eq!(array.health, Health::Degraded);
    assert_eq!(states(&array), [SYNC, MemberState::Missing, SYNC]);
    disks.pop();
    assert_eq!(r(&disks).health, Health::Failed);
}

#[test]
fn a_leg_that_the_freshest_superblock_calls_failed_is_not_believed() {
    let mut disks = set("raid1", 1, 2, &[9, 5], "");
    let failed = PE_START * 512 + 24;
    disks[0][failed] = 0b10;
    let array = r(&disks);
    assert_eq!((array.health, states(&array)), (Health::Degraded, vec![SYNC, MemberState::Failed]));
    disks[0][failed] = 0;
    let array = r(&disks);
    assert_eq!(states(&array), [SYNC, MemberState::Stale], "nor is one whose superblock is older");
    disks[0][failed] = 0b10;
    disks.remove(0);
    assert_eq!(r(&disks).members[1].state, SYNC, "alone it knows nothing of that");
}

#[test]
fn a_leg_without_a_superblock_is_not_believed_where_others_have_one() {
    let mut disks = set("raid1", 1, 2, &[9, 9], "");
    disks[1][PE_START * 512] = 0;
    assert_eq!(states(&r(&disks)), [SYNC, MemberState::Stale]);
    disks[0][PE_START * 512] = 0;
    let never = r(&disks);
    assert_eq!((never.dirty, never.resync_position_sectors), (Some(true), Some(Sectors::ZERO)));
    assert_eq!(codes(&never.problems), ["never-active"]);
}

#[test]
fn superblocks_say_how_far_rebuild_and_resync_got() {
    let mut disks = set("raid1", 1, 2, &[9, 9], "");
    put(&mut disks[1], PE_START * 512 + 32, &40_u64.to_le_bytes());
    let array = r(&disks);
    assert_eq!((array.health, array.members[1].recovered_sectors), (Health::Rebuilding, Some(Sectors(40))));
    let mut disks = set("raid1", 1, 2, &[9, 9], "");
    put(&mut disks[0], PE_START * 512 + 40, &64_u64.to_le_bytes());
    let array = r(&disks);
    assert_eq!((array.dirty, array.resync_position_sectors), (Some(true), Some(Sectors(64))));
}

#[test]
fn regions_that_the_bitmap_marks_are_out_of_step() {
    let mut disks = set("raid1", 1, 2, &[9, 9], "");
    let mut bitmap = vec![0; 512];
    put(&mut bitmap, 0, b"bitm");
    put_u32(&mut bitmap, 4, 4);
    put_u64(&mut bitmap, 24, 9);
    put_u64(&mut bitmap, 32, 9);
    put_u64(&mut bitmap, 40, 2 * EXTENT);
    put_u32(&mut bitmap, 52, 32 * 512);
    put_u32(&mut bitmap, 56, 5);
    bitmap[256] = 0b0100;
    put(&mut disks[0], PE_START * 512 + 4096, &bitmap);
    let array = r(&disks);
    assert_eq!((array.health, array.resync_position_sectors), (Health::Inconsistent, Some(Sectors(64))));
    disks[0][PE_START * 512 + 4096 + 256] = 0;
    assert_eq!(r(&disks).health, Health::Optimal);
}

#[test]
fn an_image_that_is_split_off_is_left_out() {
    let text = raid("raid1", 3, 2, "").replacen(
        &format!("{}\"\nstatus = [{HIDDEN}]", lv_id("r_rimage_2")),
        &format!("{}\"\nstatus = [\"READ\", \"VISIBLE\"]", lv_id("r_rimage_2")),
        1,
    );
    let array = r(&disks(3, &text));
    assert_eq!(states(&array), [SYNC, SYNC, MemberState::Stale]);
    assert!(array.members[2].split);
}

#[test]
fn an_image_to_be_rebuilt_is_not_believed_and_a_word_left_on_its_metadata_means_nothing() {
    let mark = |name: &str| {
        let status = format!("{}\"\nstatus = [", lv_id(name));
        raid("raid1", 2, 2, "").replacen(&status, &format!("{status}\"REBUILD\", "), 1)
    };
    assert_eq!(states(&r(&disks(2, &mark("r_rimage_1")))), [SYNC, MemberState::Rebuilding]);
    assert_eq!(states(&r(&disks(2, &mark("r_rmeta_1")))), [SYNC, SYNC]);
}

#[test]
fn a_reshape_is_refused() {
    let delta = raid("raid5_ls+RESHAPE+RESHAPE_DELTA_DISKS_PLUS", 3, 4, "stripe_size = 16");
    assert_eq!(r(&disks(3, &delta)).health, Health::Failed);
    let mut disks = set("raid5_ls", 5, 4, &[9, 9, 9], "stripe_size = 16");
    for disk in &mut disks {
        put(disk, PE_START * 512 + 60, &[1]);
    }
    let array = r(&disks);
    assert_eq!(array.health, Health::Reshaping);
    assert!(codes(&array.problems).contains(&"reshape-unsupported"));
}

#[test]
fn space_kept_for_a_reshape_is_not_part_of_the_volume() {
    let text = raid("raid5_ls", 3, 4, "reshape_count = 1\nstripe_size = 16");
    assert_eq!(r(&disks(3, &text)).size_sectors, Sectors(2 * EXTENT as u64));
    let mut disks = set("raid5_ls", 5, 4, &[9, 9, 9], "reshape_count = 1\nstripe_size = 16");
    for disk in &mut disks {
        put(disk, PE_START * 512 + 0x60, &64_u64.to_le_bytes());
    }
    assert_eq!(r(&disks).members[0].offset_sectors, Some(Sectors(64)));
}

#[test]
fn lists_that_do_not_add_up_are_refused() {
    let wrong = raid("raid1", 2, 2, "").replace("device_count = 2", "device_count = 3");
    assert_eq!(r(&disks(2, &wrong)).health, Health::Failed);
    let without = raid("raid1", 2, 2, "").replacen("\"r_rmeta_1\", ", "", 1);
    let array = r(&disks(2, &without));
    assert_eq!((array.health, array.members[1].metadata_array.clone()), (Health::Optimal, None));
    let unnamed = raid("raid1", 2, 2, "").replacen("\"r_rimage_1\"", "\"nothing\"", 1);
    assert_eq!(r(&disks(2, &unnamed)).members[1].state, MemberState::Missing);
}
