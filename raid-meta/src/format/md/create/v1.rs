//! Superblocks 1.x of a new array.

use super::members::Member;
use super::{Array, bitmap, sizes};
use crate::format::md::facts::NONE;
use crate::format::md::place::{MAGIC, Version, to_bytes};
use crate::format::md::v1::{HEAD_BYTES, Head, V1, feature};
use crate::format::schema::DiskStruct;
use crate::model::Area;
use crate::record::ChecksumState;
use crate::units::{Bytes, SECTOR_BYTES, Sectors};

/// Roles that a new superblock has room for.
const ROLES: u32 = 128;
/// A device number that nobody has, and a spare's.
const NO_ROLE: u16 = 0xffff;
/// Where the bitmap of 1.1 and 1.2 is, from the superblock on.
const BITMAP_AT: u64 = 8;

/// What is behind or before the superblock.
struct Layout {
    data_offset: u64,
    data_size: u64,
    /// Distance of the bitmap and its bytes.
    bitmap: Option<(i64, Vec<u8>)>,
    /// Distance of the bad-block log.
    bad_blocks: Option<i64>,
}

/// What goes onto a member: the superblock last.
pub(super) fn areas(array: &Array<'_>, member: &Member) -> Vec<Area> {
    let layout = match array.version {
        Version::V10 => at_the_end(array, member),
        _ => at_the_start(array, member),
    };
    let superblock = superblock(array, member, &layout);
    let area = |role, distance, bytes| {
        let sector = member.place.relative(distance)?;
        Some(Area { role, offset: to_bytes(sector), bytes, checksum: ChecksumState::Absent })
    };
    let log = layout.bad_blocks.and_then(|distance| area("bad-block-log", distance, empty_log()));
    let bitmap = layout.bitmap.and_then(|(distance, bytes)| area("bitmap", distance, bytes));
    let superblock = Area {
        role: "superblock",
        offset: member.place.offset(),
        bytes: superblock,
        checksum: ChecksumState::Ok,
    };
    log.into_iter().chain(bitmap).chain([superblock]).collect()
}

fn empty_log() -> Vec<u8> {
    let Bytes(length) = to_bytes(Sectors(sizes::BAD_BLOCK_LOG));
    vec![0xff; usize::try_from(length).unwrap_or_default()]
}

/// The room for a bitmap: what the bitmap takes, or what is left for one that comes later.
fn bitmap_room(size: u64, bitmap: Option<&Vec<u8>>) -> u64 {
    bitmap.map_or(sizes::bitmap_room(size), |bytes| bytes.len() as u64 / SECTOR_BYTES)
}

/// 1.1 and 1.2: superblock, bitmap, bad-block log, headroom, data.
fn at_the_start(array: &Array<'_>, member: &Member) -> Layout {
    let Sectors(superblock) = member.place.sector;
    let before_data = member.data_offset.saturating_sub(superblock);
    let room = before_data.saturating_sub(BITMAP_AT).saturating_sub(sizes::BAD_BLOCK_LOG);
    let bitmap = wanted_bitmap(array, member, room.min(sizes::bitmap_room(member.size).max(8)));
    let room = bitmap_room(member.size, bitmap.as_ref());
    let log = BITMAP_AT.saturating_add(room);
    let fits = log.saturating_add(sizes::BAD_BLOCK_LOG) <= before_data;
    Layout {
        data_offset: member.data_offset,
        data_size: member.place.device.0.saturating_sub(member.data_offset),
        bitmap: bitmap.map(|bytes| (distance(BITMAP_AT), bytes)),
        bad_blocks: fits.then(|| distance(log)),
    }
}

/// 1.0: data, bitmap, bad-block log, superblock.
fn at_the_end(array: &Array<'_>, member: &Member) -> Layout {
    let Sectors(superblock) = member.place.sector;
    let behind_data = superblock.saturating_sub(member.size);
    let free = behind_data.saturating_sub(sizes::BAD_BLOCK_LOG);
    let bitmap = wanted_bitmap(array, member, free.min(sizes::bitmap_room(member.size).max(8)));
    let room = bitmap_room(member.size, bitmap.as_ref());
    let kept = room.saturating_add(sizes::BAD_BLOCK_LOG).min(behind_data);
    let bitmap_at = room.saturating_add(sizes::BAD_BLOCK_LOG);
    Layout {
        data_offset: 0,
        data_size: superblock.saturating_sub(kept),
        bitmap: bitmap.map(|bytes| (distance(bitmap_at).saturating_neg(), bytes)),
        bad_blocks: (kept >= sizes::BAD_BLOCK_LOG).then(|| distance(sizes::BAD_BLOCK_LOG).saturating_neg()),
    }
}

fn wanted_bitmap(array: &Array<'_>, member: &Member, room: u64) -> Option<Vec<u8>> {
    if array.set.bitmap { bitmap::bytes(array, member.size, room, 0) } else { None }
}

fn distance(sectors: u64) -> i64 {
    i64::try_from(sectors).unwrap_or(i64::MAX)
}

fn superblock(array: &Array<'_>, member: &Member, layout: &Layout) -> Vec<u8> {
    let roles = roles(array);
    let used = HEAD_BYTES.saturating_add(roles.len().saturating_mul(2));
    let tail = vec![0; member.place.round_up(used).saturating_sub(used)];
    let mut superblock = V1 { head: head(array, member, layout), roles, tail };
    superblock.head.sb_csum = superblock.computed_checksum();
    superblock.encode()
}

fn roles(array: &Array<'_>) -> Vec<u16> {
    let count = array.devices().max(ROLES);
    let role =
        |number: u32| if number < array.slots() { u16::try_from(number).unwrap_or(NO_ROLE) } else { NO_ROLE };
    (0..count).map(role).collect()
}

fn head(array: &Array<'_>, member: &Member, layout: &Layout) -> Head {
    let set = array.set;
    let mut head = Head::zeroed();
    head.magic = MAGIC;
    head.major_version = 1;
    head.feature_map = features(array, member, layout);
    head.set_uuid = set.identity;
    head.set_name = padded(set.name.as_bytes());
    head.ctime = set.now;
    head.level = array.level;
    head.layout = array.layout;
    head.size = member.size;
    head.chunksize = u32::try_from(array.chunk()).unwrap_or_default();
    head.raid_disks = array.slots();
    head.bitmap_offset = layout.bitmap.as_ref().map_or(0, |&(distance, _)| narrow(distance));
    head.data_offset = layout.data_offset;
    head.data_size = layout.data_size;
    head.super_offset = member.place.sector.0;
    head.dev_number = member.number;
    head.device_uuid = padded(&set.identity_for(&format!("md device {}", member.number)));
    if let Some(distance) = layout.bad_blocks {
        head.bblog_size = u16::try_from(sizes::BAD_BLOCK_LOG).unwrap_or_default();
        head.bblog_offset = narrow(distance);
    }
    head.utime = set.now;
    head.resync_offset = if array.is_in_sync() { NONE } else { 0 };
    head.max_dev = u32::try_from(roles(array).len()).unwrap_or_default();
    head
}

fn features(array: &Array<'_>, member: &Member, layout: &Layout) -> u32 {
    let has_layout = array.level == 0 && (member.uneven || array.set.layout.is_some());
    let bits = [(feature::BITMAP, layout.bitmap.is_some()), (feature::RAID0_LAYOUT, has_layout)];
    bits.iter().filter(|(_, is_set)| *is_set).fold(0, |all, (bit, _)| all | bit)
}

fn narrow(distance: i64) -> i32 {
    i32::try_from(distance).unwrap_or_default()
}

/// As many bytes as the field has, the rest zeros.
fn padded<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut field = [0; N];
    for (to, from) in field.iter_mut().zip(bytes) {
        *to = *from;
    }
    field
}
