//! What the disks of a set add up to: whole, degraded, in other states, nested.

use super::*;
use crate::geometry::Layout;
use crate::record::{ArrayRecord, Health, MemberState, Role};

fn states(array: &ArrayRecord) -> Vec<MemberState> {
    array.members.iter().map(|member| member.state).collect()
}

#[test]
fn each_level_is_what_was_asked_for() {
    let layouts = |level| -> &[&str] {
        match level {
            Level::Raid4 => &["parity-last", "parity-first"],
            Level::Raid5 => &["left-symmetric", "left-asymmetric", "right-asymmetric"],
            Level::Raid6 => &["ddf-zero-restart", "ddf-n-restart", "ddf-n-continue"],
            Level::Raid10 => &["near-2"],
            _ => &[],
        }
    };
    for level in Level::ALL {
        for disks in 4..=9 {
            let none = [None];
            let named: Vec<_> = layouts(level).iter().map(|name| Some(*name)).collect();
            for layout in if named.is_empty() { &none[..] } else { &named[..] } {
                let layout = layout.map(|name| name.parse::<Layout>().unwrap());
                let devices = created(&Ddf, &NewSet { layout, ..wanted(level, disks) });
                let array = array(&Ddf, &devices);
                assert_eq!(
                    (array.level, array.layout, array.slots),
                    (level, layout, u32::try_from(disks).unwrap())
                );
                assert_eq!(
                    (array.health, &array.problems),
                    (Health::Optimal, &Vec::new()),
                    "{level} {disks}"
                );
                assert_eq!(array.name, "ddf1_data1");
                let devices: Vec<_> =
                    array.members.iter().map(|member| member.device.clone().unwrap()).collect();
                let expected: Vec<_> = (0..disks).map(|number| format!("disk{number}.img")).collect();
                assert_eq!(devices, expected, "{level} {disks}");
            }
        }
    }
}

#[test]
fn three_copies_are_three_mirrors_that_are_spanned() {
    let layout = Some("near-3".parse::<Layout>().unwrap());
    let devices = created(&Ddf, &NewSet { layout, ..wanted(Level::Raid10, 6) });
    let array = array(&Ddf, &devices);
    assert_eq!((array.layout, array.health), (layout, Health::Optimal));
    assert_eq!(decoded(&devices[3]).configs()[0].head.secondary_element_seq, 1);
}

#[test]
fn any_disk_can_speak_for_the_whole_set() {
    for level in [Level::Raid10, Level::Raid5] {
        let devices = made(level, 4);
        for missing in 0..4 {
            let array = array(&Ddf, &without(&devices, &[missing]));
            assert_eq!(array.health, Health::Degraded, "{level} without {missing}");
            let mut expected = vec![MemberState::InSync; 4];
            expected[missing] = MemberState::Missing;
            assert_eq!(states(&array), expected);
        }
    }
}

#[test]
fn an_element_of_which_nothing_is_left_is_missing() {
    let array = array(&Ddf, &without(&made(Level::Raid10, 4), &[2, 3]));
    assert_eq!(array.health, Health::Failed);
    assert_eq!(states(&array)[2..], [MemberState::Missing; 2]);
}

#[test]
fn a_disk_that_the_table_has_failed_is_not_in_sync() {
    let devices: Vec<_> =
        made(Level::Raid5, 3).iter().map(|device| edit_disk(device, 1, |disk| disk.pd_state |= 2)).collect();
    let array = array(&Ddf, &devices);
    assert_eq!((array.health, states(&array)[1]), (Health::Degraded, MemberState::Failed));
    assert_eq!(metadata(&Ddf, &devices[1]).view(&devices[1]).role, Role::Failed);
}

#[test]
fn a_disk_that_is_rebuilt_starts_over() {
    let devices: Vec<_> =
        made(Level::Raid5, 3).iter().map(|device| edit_disk(device, 2, |disk| disk.pd_state = 5)).collect();
    let array = array(&Ddf, &devices);
    assert_eq!((array.health, states(&array)[2]), (Health::Rebuilding, MemberState::Rebuilding));
    assert_eq!(array.members[2].recovered_sectors, Some(sectors(0)));
}

#[test]
fn a_missing_disk_has_no_name_in_the_configuration() {
    let devices: Vec<_> = made(Level::Raid5, 3)
        .iter()
        .map(|device| {
            edited(device, |ddf| {
                edit_section(ddf, copy::Kind::Configurations, |bytes| bytes[516..520].fill(0));
            })
        })
        .collect();
    let array = array(&Ddf, &without(&devices, &[1]));
    assert_eq!(states(&array), [MemberState::InSync, MemberState::Missing, MemberState::InSync]);
}

#[test]
fn a_stale_disk_is_left_behind() {
    let mut devices = made(Level::Raid1, 2);
    let newer = |ddf: &mut Group, by: u32| {
        for copy in ddf.primary.iter_mut().chain(&mut ddf.secondary) {
            copy.header.sequence_number += by;
            copy.bytes = copy.header.encode(Endian::Big);
        }
    };
    devices[0] = edited(&devices[0], |ddf| newer(ddf, 1));
    let slightly = array(&Ddf, &devices);
    assert_eq!(states(&slightly), [MemberState::InSync; 2]);
    devices[0] = edited(&devices[0], |ddf| newer(ddf, 1));
    assert_eq!(states(&array(&Ddf, &devices)), [MemberState::InSync, MemberState::Stale]);
}

#[test]
fn a_dirty_volume_has_to_be_synchronised_from_the_start() {
    let devices: Vec<_> = made(Level::Raid5, 3)
        .iter()
        .map(|device| edit_volume(device, |disk| disk.vd_state |= 0x10))
        .collect();
    let dirty = array(&Ddf, &devices);
    assert_eq!((dirty.health, dirty.dirty), (Health::Inconsistent, Some(true)));
    assert_eq!(dirty.resync_position_sectors, Some(sectors(0)));
    let devices = created(&Ddf, &NewSet { in_sync: false, ..wanted(Level::Raid5, 3) });
    assert_eq!(array(&Ddf, &devices).health, Health::Initializing);
}

#[test]
fn spares_belong_to_the_group_and_to_no_slot() {
    let set = NewSet { spares: blank(1, DISK), ..wanted(Level::Raid1, 2) };
    let devices = created(&Ddf, &set);
    assert_eq!(devices.len(), 3);
    let array = array(&Ddf, &devices);
    assert_eq!((array.members.len(), array.spares.len(), array.health), (2, 1, Health::Optimal));
    assert_eq!(metadata(&Ddf, &devices[2]).view(&devices[2]).role, Role::Spare);
}

#[test]
fn a_mirror_over_stripes_is_one_array_whose_slots_alternate() {
    let devices: Vec<_> = made(Level::Raid10, 4)
        .iter()
        .map(|device| {
            edit_config(device, |head| {
                head.primary_raid_level = 0;
                head.secondary_raid_level = 1;
            })
        })
        .collect();
    let array = array(&Ddf, &devices);
    assert_eq!((array.level, array.health), (Level::Raid10, Health::Optimal));
    let order: Vec<_> = array.members.iter().map(|member| member.device.clone().unwrap()).collect();
    assert_eq!(order, ["disk0.img", "disk2.img", "disk1.img", "disk3.img"]);
}

/// Two raid5 of three disks, striped.
fn raid50() -> Vec<Device> {
    let layout = Some("near-3".parse::<Layout>().unwrap());
    let devices = created(&Ddf, &NewSet { layout, ..wanted(Level::Raid10, 6) });
    let raid5 = |device: &Device| {
        edit_config(device, |head| {
            head.primary_raid_level = 5;
            head.raid_level_qualifier = 3;
            head.vd_size *= 2;
        })
    };
    devices.iter().map(raid5).collect()
}

#[test]
fn stripes_over_parity_are_arrays_and_the_array_of_them() {
    let devices = raid50();
    let view = metadata(&Ddf, &devices[4]).view(&devices[4]);
    let names: Vec<_> = view.volumes.iter().map(|volume| volume.dm_name.as_str()).collect();
    assert_eq!(names, ["ddf1_data1-0", "ddf1_data1-1", "ddf1_data1"]);
    assert_eq!(view.volumes[0].geometry, None);
    assert_eq!(view.volumes[1].geometry.unwrap().level, Level::Raid5);
    let whole = &view.volumes[2];
    assert_eq!(whole.geometry.unwrap().chunk.unwrap().get(), 256);
    let subsets: Vec<_> = whole.slots.iter().map(|slot| slot.subset.clone().unwrap()).collect();
    assert_eq!(subsets, [view.volumes[0].uuid.clone(), view.volumes[1].uuid.clone()]);
    let arrays = assembled(&Ddf, &devices);
    let healths: Vec<_> = arrays.iter().take(2).map(|array| (array.level, array.health)).collect();
    assert_eq!(healths, [(Level::Raid5, Health::Optimal); 2]);
}

#[test]
fn a_volume_of_which_no_disk_is_present_says_so() {
    let first = wanted(Level::Raid1, 2);
    let spares = blank(4, DISK);
    let devices = created(&Ddf, &NewSet { spares: spares[2..].to_vec(), ..first });
    let second = NewSet {
        name: "data2".to_owned(),
        disks: devices[2..].to_vec(),
        spares: devices[..2].to_vec(),
        ..wanted(Level::Raid1, 2)
    };
    let devices = created(&Ddf, &second);
    let arrays = assembled(&Ddf, &devices);
    assert_eq!(arrays.iter().map(|array| array.health).collect::<Vec<_>>(), [Health::Optimal; 2]);
    let arrays = assembled(&Ddf, &devices[..2]);
    assert_eq!(arrays.len(), 2);
    assert!(arrays.iter().any(|array| codes(&array.problems).contains(&"configuration-missing")));
}

/// The device with a log of bad blocks where the diagnostics would be, in both copies.
fn with_bad_blocks(device: &Device, entries: &[(u64, u32, u16)]) -> Device {
    let mut log = structs::BadBlocksHead {
        signature: structs::BAD_BLOCKS,
        crc: 0,
        entry_count: u32::try_from(entries.len()).unwrap(),
        spare_block_count: 64,
        pad_10: [0xff; 8],
        first_spare_lba: DISK - 40_000,
    }
    .encode(Endian::Big);
    for (start, replacement, count) in entries {
        let entry = structs::BadBlocksEntry {
            defective_block_start: *start,
            spare_block_offset: *replacement,
            remapped_or_marked_count: *count,
            pad_0e: [0xff; 2],
        };
        log.extend(entry.encode(Endian::Big));
    }
    log.resize(512, 0xff);
    sum::Sum { variant: sum::Variant::Plain, length: 512 }.store(&mut log, Endian::Big);
    let mut logs = Vec::new();
    let pointing = edited(device, |ddf| {
        for copy in ddf.primary.iter_mut().chain(&mut ddf.secondary) {
            (copy.header.bbm_log_offset, copy.header.bbm_log_length) = (618, 1);
            copy.bytes = copy.header.encode(Endian::Big);
            logs.push((Bytes(copy.offset.0 + 618 * 512), log.clone()));
        }
    });
    overwritten(&pointing, logs)
}

#[test]
fn bad_blocks_are_not_read_from_where_they_were() {
    let mut devices = made(Level::Raid1, 2);
    devices[0] = with_bad_blocks(&devices[0], &[(100, 5, 8), (1 << 40, 0, 9), (200, u32::MAX, 1)]);
    assert_eq!(check_codes(&devices[0]), Vec::<String>::new());
    let whole = metadata(&Ddf, &devices[0]);
    assert_identity(&devices[0], &*whole);
    assert!(whole.fields().iter().any(|field| field.name == "secondary.bad_blocks[2].spare_block_offset"));
    let array = array(&Ddf, &devices);
    let bad: Vec<_> =
        array.members[0].bad_sectors.iter().map(|bad| (bad.start_sectors.0, bad.length_sectors.0)).collect();
    assert_eq!(bad, [(100, 8), (200, 1)]);
    assert_eq!(array.members[1].bad_sectors, []);
}

#[test]
fn records_of_vendors_and_spares_are_kept_and_named() {
    let device = &made(Level::Raid1, 2)[0];
    let with = edited(device, |ddf| {
        edit_section(ddf, copy::Kind::Configurations, |bytes| {
            let guid = bytes[8..32].to_vec();
            bytes[3584..3588].copy_from_slice(&[0x88; 4]);
            bytes[3592..3616].copy_from_slice(&guid);
            bytes[3616..3620].copy_from_slice(b"data");
            let spare = &mut bytes[7168..];
            spare[..4].copy_from_slice(&[0x55; 4]);
            spare[0x13] = 3;
            spare[0x14..0x18].copy_from_slice(&[0, 1, 0, 4]);
            spare[0x20..0x38].copy_from_slice(&guid);
            bytes[10_752..10_756].copy_from_slice(b"what");
        });
    });
    assert_eq!(check_codes(&with), Vec::<String>::new());
    let metadata = metadata(&Ddf, &with);
    assert_identity(&with, &*metadata);
    let fields = metadata.fields();
    let field =
        |name: &str| fields.iter().find(|field| field.name == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(
        field("primary.configurations[2].spare_type").meaning.as_deref(),
        Some("dedicated revertible")
    );
    let guid = &field("primary.virtual_disks[0].vd_guid").value;
    assert_eq!(&field("primary.configurations[1].vd_guid").value, guid);
    assert_eq!(&field("primary.configurations[2].entry[0].vd_guid").value, guid);
    assert_eq!(field("primary.configurations[3].signature").value, "0x77686174");
}
