//! Superblocks as the kernel writes them.

use super::*;
use crate::device::SimDisk;
use crate::format::{FORMATS, by_name};
use crate::geometry::{Level, ParityLayout};
use crate::group::group;
use crate::identify::{Member, identify};
use crate::record::Evidence;
use crate::units::{SECTOR_BYTES, Slot};
use std::path::Path;
use std::sync::Arc;

/// The metadata device of leg 2 of a raid5 of three that LVM2 made, idle: superblock and bitmap.
fn leg() -> Vec<u8> {
    let mut bytes = vec![0; 256 << 10];
    let mut word = |at: usize, value: u64, size: usize| {
        bytes[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
    };
    word(0, 0x6452_6d44, 4);
    for (at, value) in [(4, 1), (8, 3), (12, 2), (48, 5), (52, 2), (56, 128), (72, 5), (76, 2), (80, 128)] {
        word(at, value, 4);
    }
    for at in [32, 40, 64] {
        word(at, u64::MAX, 8);
    }
    word(16, 0x14, 8);
    word(0x58, 40960, 8);
    word(0x70, 20480, 8);
    for (at, value) in [(0, 0x6d74_6962), (4, 4), (24, 0x14), (32, 0x14), (40, 20480), (52, 2 << 20), (56, 5)]
    {
        word(4096 + at, value, 4);
    }
    bytes[4096 + 256] = 0xe0;
    bytes[4096 + 257..4096 + 512].fill(0xff);
    bytes
}

fn device(bytes: &[u8]) -> Device {
    Device::whole(Path::new("rmeta"), Arc::new(SimDisk::holding(bytes)))
}

fn member(bytes: &[u8]) -> Option<Member> {
    identify(&device(bytes), &[&DmRaid]).unwrap().pop()
}

fn changed(at: usize, value: &[u8]) -> Vec<u8> {
    let mut bytes = leg();
    bytes[at..at + value.len()].copy_from_slice(value);
    bytes
}

#[test]
fn a_superblock_is_a_member_record_and_no_array() {
    let mut members = vec![member(&leg()).unwrap()];
    let record = members[0].record();
    assert_eq!((record.set_id, record.generation.unwrap().0), (None, 20));
    let volume = &record.volumes[0];
    assert_eq!((volume.level, volume.slots, volume.slot), (Some(Level::Raid5), Some(3), Some(Slot(2))));
    assert_eq!(volume.layout, Some(ParityLayout::LeftSymmetric.into()));
    assert_eq!(volume.size_sectors, Some(Sectors(40960)));
    assert_eq!((volume.state.as_deref(), volume.uuid.as_deref()), (Some("clean"), None));
    assert_eq!(record.problems, []);
    assert_eq!(record.evidence, [Evidence::Signature, Evidence::Bounds]);
    assert!(group(&mut members, false).is_empty());
    assert!(FORMATS.iter().any(|format| format.name() == NAME) && by_name(NAME).is_some());
}

#[test]
fn every_byte_comes_back_and_is_in_exactly_one_field() {
    let bytes = leg();
    let member = member(&bytes).unwrap();
    let metadata = member.metadata().unwrap();
    let mut fields = metadata.fields().into_iter();
    for area in metadata.areas() {
        let start = usize::try_from(area.offset.0).unwrap();
        assert_eq!(area.bytes, bytes[start..start + area.bytes.len()]);
        let mut at = area.offset;
        while at < area.offset.saturating_add(Bytes(area.bytes.len() as u64)) {
            let field = fields.next().unwrap();
            assert_eq!(field.offset, at, "{}", field.name);
            at = at.saturating_add(Bytes(u64::from(field.size)));
        }
    }
    assert!(fields.next().is_none());
    assert_eq!(metadata.areas().iter().map(|area| area.role).collect::<Vec<_>>(), ["superblock", "bitmap"]);
}

#[test]
fn four_bytes_of_magic_are_no_superblock() {
    let mut only_magic = vec![0x5a; 8192];
    only_magic[..4].copy_from_slice(b"DmRd");
    assert!(member(&only_magic).is_none());
    for size in [0, 4, 148, 511] {
        assert!(member(&leg()[..size]).is_none(), "{size}");
    }
    assert!(member(&leg()[..512]).is_some(), "without its bitmap it is one still");
    for (at, value) in [(8, 0_u32), (8, 254), (12, 3), (48, 7), (56, 100)] {
        assert!(member(&changed(at, &value.to_le_bytes())).is_none(), "{value} at {at}");
    }
}

#[test]
fn any_flipped_byte_changes_a_field_or_is_noticed() {
    let fields = |bytes: &[u8]| member(bytes).map(|member| member.metadata().unwrap().fields());
    let before = fields(&leg());
    for at in (0..512).chain(4096..4096 + 512) {
        let mut bytes = leg();
        bytes[at] ^= 0x41;
        assert_ne!(fields(&bytes), before, "byte {at}");
    }
}

#[test]
fn features_of_the_future_are_not_believed() {
    for (at, value) in [(4, 2_u32), (0x90, 1)] {
        let member = member(&changed(at, &value.to_le_bytes())).unwrap();
        assert!(!member.is_sound());
        assert!(member.has_problem("unsupported-feature"));
        assert!(witness_at(&device(&changed(at, &value.to_le_bytes())), Bytes::ZERO).is_none());
    }
}

#[test]
fn a_witness_says_what_the_superblock_and_the_bitmap_say() {
    let mut bytes = vec![0; 8192];
    bytes.extend(leg());
    let witness = |bytes: &[u8]| witness_at(&device(bytes), Bytes(8192)).unwrap();
    let clean = witness(&bytes);
    assert_eq!((clean.slot, clean.events, clean.recovered, clean.resync_position), (Slot(2), 20, None, None));
    bytes[8192 + 4096 + 256] = 0xe8;
    assert_eq!(witness(&bytes).resync_position, Some(Sectors(3 * (2 << 20) / SECTOR_BYTES)));
    bytes[8192 + 24] = 0b1;
    let failed = witness(&bytes);
    assert_eq!(failed.failed, [Slot(0)]);
    assert_eq!(failed.resync_position, None, "the marks are then what the failed leg lacks");
    bytes[8192 + 40..8192 + 48].copy_from_slice(&77_u64.to_le_bytes());
    assert_eq!(witness(&bytes).resync_position, Some(Sectors(77)));
    assert!(witness_at(&device(&bytes), Bytes(512)).is_none());
    assert!(witness_at(&device(&bytes), Bytes::MAX).is_none());
}

#[test]
fn failed_legs_beyond_the_first_64_count_only_where_the_superblock_has_them() {
    let mut bytes = changed(8, &100_u32.to_le_bytes());
    bytes[0x78] = 0b10;
    assert_eq!(witness_at(&device(&bytes), Bytes::ZERO).unwrap().failed, [Slot(65)]);
    bytes[4] = 0;
    assert!(witness_at(&device(&bytes), Bytes::ZERO).unwrap().failed.is_empty());
}

#[test]
fn a_rebuild_and_a_reshape_are_told() {
    let rebuilding = changed(32, &1000_u64.to_le_bytes());
    let state = |bytes: &[u8]| member(bytes).unwrap().record().volumes[0].state.clone().unwrap();
    assert_eq!(state(&rebuilding), "rebuilding");
    assert_eq!(witness_at(&device(&rebuilding), Bytes::ZERO).unwrap().recovered, Some(Sectors(1000)));
    assert_eq!(state(&changed(60, &[1])), "reshaping");
    assert!(member(&changed(60, &[1])).unwrap().has_problem("reshaping"));
    assert_eq!(state(&changed(24, &[1])), "degraded");
    assert_eq!(state(&changed(40, &[0; 8])), "resyncing");
}

#[test]
fn dms_raid4_is_md_s_raid5_with_the_parity_first() {
    let member = member(&changed(52, &[4])).unwrap();
    let volume = &member.record().volumes[0];
    assert_eq!((volume.level, volume.layout), (Some(Level::Raid4), Some(ParityLayout::ParityFirst.into())));
}
