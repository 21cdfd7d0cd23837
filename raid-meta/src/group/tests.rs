//! What the comparison of members concludes, with views made by hand.

use super::*;
use crate::device::{Device, SimDisk};
use crate::format::{FORMATS, Found};
use crate::geometry::{Geometry, Layout, Level, ParityLayout, Raid10Layout};
use crate::model::{Extent, OwnPart, SlotState, SlotView, Witness};
use crate::record::Health;
use crate::units::{Bytes, ChunkSectors, Slot};
use std::path::Path;
use std::sync::Arc;

/// A set of `slots` disks named by their numbers, all agreeing at generation 10.
fn members(level: Level, layout: Option<Layout>, slots: u32) -> Vec<Member> {
    let chunk = (!matches!(level, Level::Raid1)).then(|| ChunkSectors::new(128).unwrap());
    let geometry = Geometry { level, layout, chunk, slots };
    (0..slots).map(|slot| member(slot, view(slot, geometry))).collect()
}

fn raid5() -> Vec<Member> {
    members(Level::Raid5, Some(ParityLayout::LeftSymmetric.into()), 3)
}

fn member(number: u32, view: MemberView) -> Member {
    let disk = Arc::new(SimDisk::new(Bytes(1 << 20)));
    Member {
        device: Device::whole(Path::new(&format!("disk{number}")), disk),
        format: FORMATS[0],
        found: Found { metadata: None, offset: Bytes::ZERO, version: None, problems: Vec::new() },
        view: Some(view),
        evidence: Vec::new(),
        problems: Vec::new(),
        carved: false,
    }
}

fn view(slot: u32, geometry: Geometry) -> MemberView {
    let slots = (0..geometry.slots).map(|key| SlotView::disk(key.to_string(), SlotState::InSync));
    let volume = VolumeView {
        uuid: "0123abcd".to_owned(),
        name: Some("data".to_owned()),
        dm_name: "md_data".to_owned(),
        geometry: Some(geometry),
        level: Some(geometry.level),
        size: Sectors(2048),
        slots: slots.collect(),
        dirty: Some(false),
        own: Some(OwnPart {
            slot: Some(Slot(slot)),
            offset: Sectors(8),
            length: Sectors(1024),
            available: Sectors(1024),
            ..OwnPart::default()
        }),
        ..VolumeView::default()
    };
    MemberView {
        set_id: "set".to_owned(),
        key: Some(slot.to_string()),
        generation: 10,
        generation_slack: 1,
        role: Role::Active,
        volumes: vec![volume],
        ..MemberView::default()
    }
}

fn edit(member: &mut Member) -> &mut MemberView {
    member.view.as_mut().unwrap()
}

/// The other members have dropped the disk in a slot and gone on.
fn drop_from_the_others(members: &mut [Member], slot: usize) {
    for (number, member) in members.iter_mut().enumerate() {
        if number != slot {
            edit(member).generation = 20;
            edit(member).volumes[0].slots[slot] = SlotView::empty();
        }
    }
}

fn only(mut members: Vec<Member>) -> ArrayRecord {
    let mut arrays = group(&mut members, false);
    assert_eq!(arrays.len(), 1, "{arrays:?}");
    arrays.remove(0)
}

fn states(array: &ArrayRecord) -> Vec<MemberState> {
    array.members.iter().map(|member| member.state).collect()
}

fn codes(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|problem| problem.code.as_str()).collect()
}

#[test]
fn members_that_agree_make_an_optimal_array() {
    let mut members = raid5();
    members.reverse();
    let arrays = group(&mut members, false);
    let array = &arrays[0];
    assert_eq!(array.health, Health::Optimal);
    assert_eq!(array.problems, []);
    let devices: Vec<_> = array.members.iter().map(|member| member.device.as_deref().unwrap()).collect();
    assert_eq!(devices, ["disk0", "disk1", "disk2"]);
    assert!(members.iter().all(|member| member.evidence.contains(&Evidence::Members)));
}

#[test]
fn a_missing_member_degrades_and_two_fail_a_raid5() {
    let mut one_missing = raid5();
    one_missing.remove(1);
    let array = only(one_missing);
    assert_eq!(array.health, Health::Degraded);
    assert_eq!(array.members[1].state, MemberState::Missing);
    assert_eq!(array.members[1].device, None);
    assert_eq!(codes(&array.problems), ["missing-member"]);
    let mut two_missing = raid5();
    two_missing.truncate(1);
    assert_eq!(only(two_missing).health, Health::Failed);
}

#[test]
fn a_member_that_the_others_went_on_without_is_stale() {
    let mut members = raid5();
    drop_from_the_others(&mut members, 2);
    let arrays = group(&mut members, false);
    assert_eq!(states(&arrays[0]), [MemberState::InSync, MemberState::InSync, MemberState::Stale]);
    assert_eq!(arrays[0].health, Health::Degraded);
    assert_eq!(codes(&members[2].problems), ["stale-member"]);
    assert!(members[2].problems[0].message.contains("generation 10, the freshest has 20"));
    assert!(arrays[0].problems[0].message.starts_with("slot 2 (disk2): "));
}

#[test]
fn a_member_one_generation_behind_is_current_and_two_behind_is_not() {
    for (behind, expected) in [(1, MemberState::InSync), (2, MemberState::Stale)] {
        let mut members = raid5();
        edit(&mut members[1]).generation -= behind;
        assert_eq!(only(members).members[1].state, expected);
    }
}

#[test]
fn two_halves_that_deny_each_other_are_divergent() {
    let mut members = members(Level::Raid1, None, 2);
    edit(&mut members[0]).volumes[0].slots[1].key = None;
    edit(&mut members[1]).volumes[0].slots[0].key = None;
    let array = only(members);
    assert_eq!(codes(&array.problems), ["divergent"]);
    assert!(is_contradictory(&array));
    assert_eq!(states(&array), [MemberState::InSync, MemberState::Stale]);
}

#[test]
fn a_copy_of_a_member_is_reported_as_a_duplicate() {
    let mut members = raid5();
    let geometry = edit(&mut members[0]).volumes[0].geometry.unwrap();
    members.push(member(7, view(0, geometry)));
    let array = only(members);
    assert!(codes(&array.problems).contains(&"duplicate-member"), "{:?}", array.problems);
    assert!(is_contradictory(&array));
}

#[test]
fn a_member_being_rebuilt_is_current_up_to_its_mark() {
    let mut members = raid5();
    edit(&mut members[2]).volumes[0].own.as_mut().unwrap().recovered = Some(Sectors(256));
    let array = only(members);
    assert_eq!(array.health, Health::Rebuilding);
    assert_eq!(array.members[2].state, MemberState::Rebuilding);
    assert_eq!(array.members[2].recovered_sectors, Some(Sectors(256)));
}

#[test]
fn raid10_survives_losses_in_different_pairs_only() {
    let near = Some(Raid10Layout::near(2).into());
    for (lost, expected) in [([0, 2], Health::Degraded), ([0, 1], Health::Failed), ([1, 2], Health::Degraded)]
    {
        let mut members = members(Level::Raid10, near, 4);
        let keep: Vec<bool> = (0..4).map(|slot| !lost.contains(&slot)).collect();
        let mut keep = keep.into_iter();
        members.retain(|_| keep.next().unwrap());
        assert_eq!(only(members).health, expected, "without {lost:?}");
    }
}

#[test]
fn unknown_slots_are_taken_in_order_only_when_asked() {
    let nameless = || {
        let mut members = raid5();
        for member in &mut members {
            edit(member).key = None;
            edit(member).role = Role::Unknown;
            edit(member).volumes[0].own.as_mut().unwrap().slot = None;
        }
        members
    };
    let arrays = group(&mut nameless(), false);
    assert_eq!(arrays[0].health, Health::Failed);
    let arrays = group(&mut nameless(), true);
    assert_eq!(arrays[0].health, Health::Optimal);
    assert_eq!(arrays[0].members[2].device.as_deref(), Some("disk2"));
}

#[test]
fn two_arrays_of_one_name_get_two_names() {
    let mut all = raid5();
    let mut others = raid5();
    for other in &mut others {
        edit(other).set_id = "other".to_owned();
        edit(other).volumes[0].uuid = "feed:5678".to_owned();
    }
    all.extend(others);
    let arrays = group(&mut all, false);
    assert_eq!(
        arrays.iter().map(|array| array.name.as_str()).collect::<Vec<_>>(),
        ["md_data", "md_data-feed"]
    );
}

/// A set named by its disks, with a volume over ranges of them for each of `subsets`, and one over those.
fn nested(level: Level, subsets: u32) -> Vec<Member> {
    let linear = Geometry { level: Level::Linear, layout: None, chunk: None, slots: 1 };
    let volume = |number: u32| VolumeView {
        uuid: format!("leg{number}"),
        dm_name: "leg".to_owned(),
        geometry: Some(linear),
        size: Sectors(100),
        slots: vec![SlotView {
            extent: Some(Extent { offset: Sectors(u64::from(number) * 100), length: Sectors(100) }),
            ..SlotView::disk((number / 2).to_string(), SlotState::InSync)
        }],
        ..VolumeView::default()
    };
    let geometry = Geometry { level, layout: None, chunk: ChunkSectors::new(4), slots: subsets };
    let top = VolumeView {
        uuid: "top".to_owned(),
        dm_name: "top".to_owned(),
        geometry: Some(geometry),
        size: Sectors(100),
        slots: (0..subsets).map(|number| SlotView::subset(format!("leg{number}"))).collect(),
        ..VolumeView::default()
    };
    let volumes: Vec<_> = (0..subsets).map(volume).chain([top]).collect();
    let disk = |number: u32| member(number, MemberView { volumes: volumes.clone(), ..view(number, linear) });
    (0..subsets.div_ceil(2)).map(disk).collect()
}

#[test]
fn a_set_of_sets_names_its_subsets_as_they_are_called_in_the_end() {
    let arrays = group(&mut nested(Level::Raid0, 4), false);
    let names: Vec<_> = arrays.iter().map(|array| array.name.as_str()).collect();
    assert_eq!(names, ["leg", "leg-2", "leg-3", "leg-4", "top"]);
    let top = arrays.last().unwrap();
    let members: Vec<_> = top.members.iter().map(|member| member.array.as_deref().unwrap()).collect();
    assert_eq!(members, names[..4]);
    assert_eq!(top.health, Health::Optimal);
    assert_eq!(top.members[1].length_sectors, Some(Sectors(100)));
}

#[test]
fn a_disk_may_be_in_several_slots_where_the_set_says_where() {
    let arrays = group(&mut nested(Level::Raid0, 4), false);
    assert!(arrays.iter().all(|array| array.problems.is_empty()), "{arrays:?}");
    let place = |array: &ArrayRecord| {
        (array.members[0].device.clone().unwrap(), array.members[0].offset_sectors.unwrap())
    };
    assert_eq!(place(&arrays[1]), ("disk0".to_owned(), Sectors(100)));
    assert_eq!(place(&arrays[2]), ("disk1".to_owned(), Sectors(200)));
}

#[test]
fn a_failed_subset_is_a_missing_member() {
    let without_one = |level| {
        let mut members = nested(level, 4);
        members.pop();
        group(&mut members, false)
    };
    let arrays = without_one(Level::Raid1);
    let top = arrays.last().unwrap();
    assert_eq!(arrays[2].health, Health::Failed);
    assert_eq!(top.health, Health::Degraded);
    let (present, missing) = (MemberState::InSync, MemberState::Missing);
    assert_eq!(states(top), [present, present, missing, missing]);
    assert_eq!(codes(&top.problems), ["failed-subset", "failed-subset"]);
    assert_eq!(top.members[2].array.as_deref(), Some("leg-3"));
    assert_eq!(without_one(Level::Raid0).last().unwrap().health, Health::Failed);
}

#[test]
fn a_degraded_subset_is_in_sync_and_degrades_what_it_is_in() {
    let mut members = nested(Level::Raid0, 2);
    let volumes = &mut edit(&mut members[0]).volumes;
    volumes[0].geometry = Some(Geometry { level: Level::Raid1, layout: None, chunk: None, slots: 2 });
    volumes[0].slots.push(SlotView::empty());
    let arrays = group(&mut members, false);
    let top = arrays.last().unwrap();
    assert_eq!(states(top), [MemberState::InSync, MemberState::InSync]);
    assert_eq!(codes(&top.problems), ["degraded-subset"]);
    assert_eq!(top.health, Health::Degraded);
}

/// A mirror of two, each with a superblock of so many events.
fn witnessed(events: [u64; 2]) -> Vec<Member> {
    let mut members = nested(Level::Raid1, 2);
    let top = &mut edit(&mut members[0]).volumes[2];
    for (slot, (view, events)) in (0..).zip(top.slots.iter_mut().zip(events)) {
        view.metadata = Some(format!("leg{slot}"));
        let witness = Witness {
            slot: Slot(slot),
            events,
            failed: Vec::new(),
            recovered: None,
            resync_position: None,
            reshaping: false,
            data_offset: Sectors::ZERO,
        };
        top.witnesses.push(witness);
    }
    members
}

fn top(mut members: Vec<Member>, change: impl FnOnce(&mut Vec<Witness>)) -> ArrayRecord {
    change(&mut edit(&mut members[0]).volumes[2].witnesses);
    group(&mut members, false).pop().unwrap()
}

#[test]
fn the_superblock_with_the_most_events_says_which_legs_are_current() {
    let sound = top(witnessed([7, 8]), |_| {});
    assert_eq!((sound.health, sound.dirty), (Health::Optimal, Some(false)));
    assert_eq!(sound.members[1].metadata_array.as_deref(), Some("leg-2"));
    let older = top(witnessed([9, 7]), |_| {});
    assert_eq!(states(&older), [MemberState::InSync, MemberState::Stale]);
    assert!(older.problems[0].message.contains("has 7 events, that of slot 0 has 9"), "{:?}", older.problems);
    let failed = top(witnessed([9, 8]), |witnesses| witnesses[0].failed.push(Slot(1)));
    assert_eq!(states(&failed), [MemberState::InSync, MemberState::Failed]);
    let old_claim = top(witnessed([8, 9]), |witnesses| witnesses[0].failed.push(Slot(1)));
    assert_eq!(old_claim.health, Health::Optimal);
    let without = top(witnessed([8, 8]), |witnesses| drop(witnesses.pop()));
    assert_eq!(states(&without), [MemberState::InSync, MemberState::Stale]);
}

#[test]
fn superblocks_say_how_far_a_rebuild_or_a_resync_got() {
    let rebuilding = top(witnessed([8, 8]), |witnesses| witnesses[1].recovered = Some(Sectors(60)));
    assert_eq!(rebuilding.health, Health::Rebuilding);
    assert_eq!(rebuilding.members[1].recovered_sectors, Some(Sectors(60)));
    let whole = top(witnessed([8, 8]), |witnesses| witnesses[1].recovered = Some(Sectors(100)));
    assert_eq!(whole.health, Health::Optimal);
    let resync = top(witnessed([8, 8]), |witnesses| witnesses[0].resync_position = Some(Sectors(40)));
    assert_eq!((resync.dirty, resync.resync_position_sectors), (Some(true), Some(Sectors(40))));
}

#[test]
fn a_leg_that_is_split_off_does_not_degrade_and_is_not_believed() {
    let mut members = witnessed([9, 2]);
    edit(&mut members[0]).volumes[2].slots[1].split = true;
    let array = top(members, |_| {});
    assert_eq!(states(&array), [MemberState::InSync, MemberState::Stale]);
    assert_eq!(array.health, Health::Optimal);
    assert_eq!(codes(&array.problems), ["split-member"]);
}

#[test]
fn a_raid0_of_unequal_members_adds_them_up_and_needs_a_layout() {
    let mut members = members(Level::Raid0, None, 2);
    edit(&mut members[1]).volumes[0].own.as_mut().unwrap().length = Sectors(2100);
    let array = only(members);
    assert_eq!(array.size_sectors, Sectors(1024 + 2048));
    assert_eq!(codes(&array.problems), ["device-too-small", "raid0-layout-unknown"]);
}

#[test]
fn a_journal_device_says_whether_the_journal_matters() {
    let with_journal = |generation, write_log| {
        let mut members = raid5();
        for member in &mut members {
            edit(member).volumes[0].write_log = Some(WriteLog::Journal);
        }
        let mut journal = raid5().remove(0);
        let view = edit(&mut journal);
        (view.role, view.key, view.generation) = (Role::Journal, Some("9".to_owned()), generation);
        view.volumes[0].write_log = write_log;
        members.push(journal);
        only(members).write_log
    };
    assert_eq!(with_journal(10, None), None);
    assert_eq!(with_journal(10, Some(WriteLog::Journal)), Some(WriteLog::Journal));
    assert_eq!(with_journal(8, None), Some(WriteLog::Journal));
    let mut alone = raid5();
    edit(&mut alone[1]).volumes[0].write_log = Some(WriteLog::Journal);
    assert_eq!(only(alone).write_log, Some(WriteLog::Journal));
}
