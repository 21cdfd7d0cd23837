//! What superblocks mean.

use super::super::journal::tests::{block, data_payload};
use super::super::ppl;
use super::*;
use crate::geometry::{Layout, Level, ParityLayout};
use crate::model::{SlotState, VolumeView};
use crate::record::{Direction, Role, WriteLog};
use crate::units::Slot;

fn volume(made: &Made) -> VolumeView {
    made.view().volumes.remove(0)
}

fn keys(volume: &VolumeView) -> Vec<Option<&str>> {
    volume.slots.iter().map(|slot| slot.key.as_deref()).collect()
}

#[test]
fn a_clean_member_says_all_of_its_array() {
    let view = Made::raid5().view();
    assert_eq!(view.set_id, "00010203:04050607:08090a0b:0c0d0e0f");
    assert_eq!(view.set_name.as_deref(), Some("host:data"));
    assert_eq!(view.member_id.as_deref(), Some("09090909:09090909:09090909:09090909"));
    assert_eq!((view.key.as_deref(), view.role, view.generation), (Some("1"), Role::Active, 7));
    let volume = &view.volumes[0];
    assert_eq!((volume.name.as_deref(), volume.dm_name.as_str()), (Some("data"), "md_data"));
    let geometry = volume.geometry.unwrap();
    assert_eq!((geometry.level, geometry.slots), (Level::Raid5, 3));
    assert_eq!(geometry.layout, Some(Layout::Parity(ParityLayout::LeftSymmetric)));
    assert_eq!(geometry.chunk.unwrap().get(), 128);
    assert_eq!(volume.size, Sectors(8192));
    assert_eq!(keys(volume), [Some("0"), Some("1"), Some("2")]);
    assert_eq!(
        (volume.dirty, volume.resync_position, volume.state.as_deref()),
        (Some(false), None, Some("clean"))
    );
    let own = volume.own.as_ref().unwrap();
    assert_eq!((own.slot, own.offset, own.length), (Some(Slot(1)), Sectors(2048), Sectors(4096)));
    assert_eq!((own.recovered, own.reshape_offset), (None, None));
}

#[test]
fn names_lose_their_host_and_keep_nothing_that_a_shell_minds() {
    let dm_name = |name: &[u8]| {
        let made = Made::raid5().with(|head| {
            head.set_name = [0; 32];
            head.set_name[..name.len()].copy_from_slice(name);
        });
        volume(&made).dm_name
    };
    assert_eq!(dm_name(b"host:0"), "md_0");
    assert_eq!(dm_name(b"plain"), "md_plain");
    assert_eq!(dm_name(b"a:b:c d"), "md_b_c_d");
    assert_eq!(dm_name(b""), "md_00010203");
    assert_eq!(dm_name(b"host:"), "md_00010203");
    assert_eq!(dm_name(b"01234567890123456789012345678901"), "md_01234567890123456789012345678901");
}

#[test]
fn roles_are_told_apart() {
    let role = |device, roles: &[u16]| {
        let made = Made::raid5().with_roles(roles).with(|head| head.dev_number = device);
        let view = made.view();
        (view.role, view.volumes[0].own.as_ref().unwrap().slot)
    };
    let roles = [0, 0xfffe, 2, 0xffff, 0xfffd, 0xff00, 1];
    assert_eq!(role(0, &roles), (Role::Active, Some(Slot(0))));
    assert_eq!(role(1, &roles), (Role::Failed, None));
    assert_eq!(role(3, &roles), (Role::Spare, None));
    assert_eq!(role(4, &roles), (Role::Journal, None));
    assert_eq!(role(5, &roles), (Role::Unknown, None));
    assert_eq!(role(6, &roles), (Role::Active, Some(Slot(1))));
    assert_eq!(role(7, &roles), (Role::Spare, None));
    assert_eq!(role(u32::MAX, &roles), (Role::Spare, None));
    let made = Made::raid5().with_roles(&roles).with(|head| head.dev_number = 0);
    assert_eq!(keys(&volume(&made)), [Some("0"), Some("6"), Some("2")]);
    let missing = Made::raid5().with_roles(&[0, 1, 0xffff]);
    assert_eq!(volume(&missing).slots[2].state, SlotState::Failed);
    let beyond = Made::raid5().with_roles(&[0, 1, 2, 3]).with(|head| head.dev_number = 3);
    assert_eq!((beyond.view().role, beyond.codes()), (Role::Spare, vec!["slot-out-of-range".to_owned()]));
}

#[test]
fn a_replacement_never_takes_the_slot_of_what_it_replaces() {
    let made = |device, features| {
        let made = Made::raid5().with_roles(&[0, 1, 2, 1]).with_features(features);
        made.with(|head| (head.dev_number, head.recovery_offset) = (device, 512))
    };
    let (other, replaced, building) =
        (made(0, 0), made(1, 0), made(3, feature::REPLACEMENT | feature::RECOVERY));
    assert_eq!(keys(&volume(&other)), keys(&volume(&replaced)));
    assert_eq!(keys(&volume(&other)), keys(&volume(&building)));
    assert_eq!(volume(&other).slots[1].key, replaced.view().key);
    assert_ne!(volume(&other).slots[1].key, building.view().key);
    assert_eq!((building.view().role, replaced.view().role), (Role::Spare, Role::Active));
    assert_eq!(volume(&building).own.unwrap().slot, None);
    assert_eq!(volume(&building).state.as_deref(), Some("clean, replacement"));
    // The other way round: the replacement has the lower number.
    let swapped = made(3, 0);
    assert_eq!(volume(&other).slots[1].key, swapped.view().key);
}

#[test]
fn a_member_being_rebuilt_says_how_far_it_is() {
    let made = Made::raid5().with_features(feature::RECOVERY).with(|head| head.recovery_offset = 512);
    let volume = volume(&made);
    assert_eq!(volume.own.as_ref().unwrap().recovered, Some(Sectors(512)));
    assert_eq!(volume.slots[1].state, SlotState::InSync);
}

#[test]
fn a_dirty_array_is_in_step_below_its_resync_position_or_the_first_marked_chunk() {
    let dirty = |made: Made| made.with(|head| head.resync_offset = 128);
    let position = |made: Made| volume(&dirty(made)).resync_position.map(|position| position.0);
    let made = Made::raid5;
    assert_eq!(volume(&dirty(made())).dirty, Some(true));
    assert!(!volume(&dirty(made())).initializing);
    assert_eq!(position(made()), Some(128));
    // Chunks of 64 sectors.
    assert_eq!(position(made().with_bitmap(&[0x10, 0, 0, 0, 0, 0, 0, 0], |_| {})), Some(256));
    assert_eq!(position(made().with_bitmap(&[0x01, 0, 0, 0, 0, 0, 0, 0], |_| {})), Some(128));
    assert_eq!(position(made().with_bitmap(&[0; 8], |_| {})), Some(4096));
    assert_eq!(position(made().with_bitmap(&[0; 8], |head| head.events = 6)), Some(128));
    assert_eq!(position(made().with_bitmap(&[0; 8], |head| head.version = 3)), Some(128));
    let new = made().with(|head| (head.resync_offset, head.events) = (0, 0));
    assert!(volume(&new).initializing);
}

#[test]
fn an_array_without_redundancy_is_never_dirty_and_uses_whole_chunks() {
    let made = Made::raid5().with(|head| {
        (head.level, head.layout, head.size, head.resync_offset) = (0, 2, 0, 0);
        head.data_size = 4000;
    });
    let volume = volume(&made);
    assert_eq!((volume.dirty, volume.resync_position), (Some(false), None));
    assert_eq!(volume.own.as_ref().unwrap().length, Sectors(3968));
    assert_eq!(volume.own.as_ref().unwrap().available, Sectors(4000));
    assert_eq!(volume.size, Sectors(3 * 3968));
    assert_eq!(volume.geometry.unwrap().layout, None);
    let recorded = made.with_features(feature::RAID0_LAYOUT);
    assert_eq!(super::view::volume(&recorded).geometry.unwrap().layout.unwrap().to_string(), "alternate");
}

#[test]
fn bad_sectors_are_relative_to_the_data() {
    let made = Made::raid5().with_bad_blocks(&[2040 << 10 | 16, 3000 << 10 | 8]);
    let bad = volume(&made).own.unwrap().bad_sectors;
    let bad: Vec<_> = bad.iter().map(|range| (range.start_sectors.0, range.length_sectors.0)).collect();
    assert_eq!(bad, [(0, 8), (952, 8)]);
}

fn growing() -> Made {
    Made::raid5().with_roles(&[0, 1, 2, 3]).with_features(feature::RESHAPE).with(|head| {
        (head.raid_disks, head.delta_disks) = (4, 1);
        (head.new_level, head.new_layout, head.new_chunk) = (5, 2, 128);
        head.reshape_position = 4608;
    })
}

#[test]
fn a_reshape_has_both_geometries_and_a_boundary() {
    let view = volume(&growing());
    let reshape = view.reshape.unwrap();
    assert_eq!((reshape.from.slots, reshape.to.slots), (3, 4));
    assert_eq!((reshape.position, reshape.direction), (Sectors(4608), Direction::Forward));
    assert!(reshape.uncertain.is_empty());
    assert_eq!((view.slots.len(), view.size), (4, Sectors(8192)));
    let moved = growing()
        .with_features(feature::NEW_OFFSET)
        .with(|head| (head.new_offset, head.data_size) = (-1024, 4096));
    assert_eq!(volume(&moved).own.unwrap().reshape_offset, Some(Sectors(1024)));
}

#[test]
fn a_shrinking_array_keeps_the_slots_that_it_leaves() {
    let made = Made::raid5().with_roles(&[0, 1, 2, 3]).with_features(feature::RESHAPE).with(|head| {
        (head.raid_disks, head.delta_disks, head.dev_number) = (3, -1, 3);
        (head.new_level, head.new_layout, head.new_chunk) = (5, 2, 128);
        head.reshape_position = 4608;
    });
    let view = made.view();
    let volume = &view.volumes[0];
    assert_eq!((view.role, volume.slots.len()), (Role::Active, 4));
    assert_eq!(volume.reshape.as_ref().unwrap().direction, Direction::Backward);
    assert_eq!(volume.size, Sectors(8192));
}

#[test]
fn a_reshape_that_can_not_be_followed_leaves_no_geometry() {
    let cases: [(&str, Change); 3] = [
        ("layout-unsupported", |head| head.new_layout = 7),
        ("slots-invalid", |head| head.delta_disks = i32::MIN),
        ("reshape-position-invalid", |head| head.reshape_position = NONE),
    ];
    for (code, change) in cases {
        let made = growing().with(change);
        assert_eq!(made.codes(), [code]);
        assert_eq!(volume(&made).geometry, None);
    }
    assert_eq!(growing().with(|head| head.reshape_position = 4609).codes(), ["reshape-position-unaligned"]);
}

#[test]
fn the_furthest_position_of_a_reshape_is_the_true_one() {
    let (near, far) = (volume(&growing()), volume(&growing().with(|head| head.reshape_position = 6144)));
    let position = |views: &[&VolumeView]| Md.reshape(views).unwrap().position.0;
    assert_eq!(position(&[&near, &far]), 6144);
    assert_eq!(position(&[&far, &near]), 6144);
    let other = volume(&growing().with(|head| (head.new_layout, head.reshape_position) = (0, 7680)));
    assert_eq!(position(&[&near, &other]), 4608);
}

#[test]
fn a_journal_matters_until_its_device_says_that_it_is_empty() {
    let member = Made::raid5().with_features(feature::JOURNAL);
    assert_eq!(volume(&member).write_log, Some(WriteLog::Journal));
    let journal = |payloads: &[u8]| {
        Made::raid5()
            .with_roles(&[0, 1, 2, 0xfffd])
            .with_features(feature::JOURNAL)
            .with(|head| (head.dev_number, head.recovery_offset) = (3, 0))
            .and(2048, block(&UUID, 1, 0, payloads))
    };
    assert_eq!(volume(&journal(&[])).write_log, None);
    assert_eq!(volume(&journal(&data_payload())).write_log, Some(WriteLog::Journal));
    assert_eq!(journal(&[]).view().role, Role::Journal);
    assert_eq!(journal(&[]).with(|head| head.recovery_offset = 8).codes(), ["journal-invalid"]);
    let nowhere = journal(&[]).with(|head| head.recovery_offset = 4096);
    assert_eq!(
        (nowhere.codes(), volume(&nowhere).write_log),
        (vec!["journal-invalid".into()], Some(WriteLog::Journal))
    );
}

#[test]
fn a_partial_parity_log_matters_only_in_an_array_that_was_not_stopped() {
    let entry = ppl::Entry { data_sector: 0, pp_size: 4096, data_size: 4096, parity_disk: 2, checksum: 0 };
    let made = |resync_offset, entries: &[ppl::Entry]| {
        let place = i32::from_le_bytes([8, 0, 0xf8, 0]);
        Made::raid5()
            .with_features(feature::MULTIPLE_PPLS)
            .with(|head| (head.bitmap_offset, head.resync_offset) = (place, resync_offset))
            .and(16, ppl::tests::header(&UUID, 1, entries))
    };
    let entries = std::slice::from_ref(&entry);
    assert_eq!(volume(&made(0, entries)).write_log, Some(WriteLog::Ppl));
    assert_eq!(volume(&made(NONE, entries)).write_log, None);
    assert_eq!(volume(&made(0, &[])).write_log, None);
}

#[test]
fn a_090_member_says_all_of_its_array() {
    for endian in [Endian::Little, Endian::Big] {
        let view = Made0::raid5(endian).view();
        assert_eq!(view.set_id, "11111111:00000002:00000003:44444444");
        assert_eq!(
            (view.key.as_deref(), view.role, view.generation),
            (Some("1"), Role::Active, (1 << 32) | 7)
        );
        let volume = &view.volumes[0];
        assert_eq!((volume.dm_name.as_str(), volume.size), ("md_11111111", Sectors(4096)));
        assert_eq!(keys(volume), [Some("0"), Some("1"), Some("2")]);
        assert_eq!(volume.dirty, Some(false));
        let own = volume.own.as_ref().unwrap();
        assert_eq!((own.offset, own.length, own.available), (Sectors(0), Sectors(2048), Sectors(8064)));
    }
}

#[test]
fn a_090_checkpoint_counts_only_with_its_events() {
    let made = |change: fn(&mut v0::Head)| {
        let made = Made0::raid5(Endian::Little).with(|superblock| {
            superblock.head.state = 0;
            superblock.head.recovery_cp = 640;
            change(&mut superblock.head);
        });
        let volume = made.view().volumes.remove(0);
        (volume.dirty, volume.resync_position.map(|position| position.0))
    };
    assert_eq!(made(|_| {}), (Some(true), Some(640)));
    assert_eq!(made(|head| head.cp_events = 1), (Some(true), Some(0)));
    assert_eq!(made(|head| head.recovery_cp = u32::MAX), (Some(false), None));
    assert_eq!(made(|head| head.state = v0::state::CLEAN), (Some(false), None));
}

#[test]
fn states_of_090_disks_are_told_apart() {
    let mut made = Made0::raid5(Endian::Little);
    made.set_disk(2, 2, 9);
    made.set_disk(3, 3, 0);
    made.set_disk(4, 2, 6);
    let view = made.view();
    assert_eq!(keys(&view.volumes[0]), [Some("0"), Some("1"), Some("4")]);
    let role = |number: usize| {
        let made = made.clone().with(|superblock| superblock.this_disk = superblock.disks[number].clone());
        made.view().role
    };
    assert_eq!([2, 3, 4].map(role), [Role::Failed, Role::Spare, Role::Active]);
}

#[test]
fn a_090_reshape_is_recorded_by_its_minor_version() {
    let made = Made0::raid5(Endian::Big).with(|superblock| {
        let head = &mut superblock.head;
        head.minor_version = v0::RESHAPE_MINOR;
        (head.raid_disks, head.delta_disks) = (3, 1);
        (head.new_level, head.new_layout, head.new_chunk) = (5, 2, 65536);
        head.reshape_position = 5120;
        head.level = 5;
    });
    let made = made.with(|superblock| superblock.head.raid_disks = 4);
    let volume = made.view().volumes.remove(0);
    let reshape = volume.reshape.unwrap();
    assert_eq!((reshape.from.slots, reshape.to.slots, reshape.position), (3, 4, Sectors(5120)));
    assert_eq!(made.with(|superblock| superblock.head.minor_version = 90).view().volumes[0].reshape, None);
}
