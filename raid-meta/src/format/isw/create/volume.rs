//! The volume itself.

use super::room::{Extent, data_members};
use super::{halves, padded};
use crate::format::create::NewSet;
use crate::format::isw::mpb::{
    Map, MapHead, Mpb, NONE_FAILED, Volume, VolumeHead, VolumeState, attribute, map_state,
};
use crate::format::schema::DiskStruct;
use crate::geometry::Level;

/// What is kept behind the data on each member, for a log or a bitmap.
const DIRTY_STRIPES: u64 = 2048;
/// Reads and writes may be combined.
const COALESCING: u32 = 0xc;
/// No log and no bitmap.
const MULTIPLE_OFF: u8 = 5;

/// Adds the volume to a container.
pub(super) fn add(set: &NewSet, mpb: &mut Mpb, extent: &Extent, strip: u64) {
    let members = set.disks.len() as u64;
    let size = extent.length.saturating_mul(data_members(set.level, members));
    let scale = mpb.scale();
    let blocks = |sectors: u64| halves(sectors.checked_div(scale).unwrap_or_default());
    let is_synced = set.in_sync || !set.level.is_redundant();
    let created = mpb.header.num_raid_devs_created.max(u16::try_from(mpb.volumes.len()).unwrap_or_default());
    mpb.header.num_raid_devs_created = created.saturating_add(1);

    let mut head = VolumeHead::zeroed();
    head.volume = padded(set.name.as_bytes());
    (head.size_low, head.size_high) = blocks(size);
    head.status = COALESCING;
    head.my_vol_raid_dev_num = mpb.header.num_raid_devs_created;
    head.rwh_policy = MULTIPLE_OFF;
    mpb.header.attributes |= attributes(set, head.size_high);

    let mut state = VolumeState::zeroed();
    state.dirty = u8::from(!is_synced);
    let mut map = map(set, extent, strip, blocks);
    map.map_state = if is_synced { map_state::NORMAL } else { map_state::UNINITIALIZED };
    let disk_ord_tbl = (0..u32::from(map.num_members)).collect();
    let disk_ord_tbl = match mpb.volumes.first() {
        Some(volume) => volume.map.disk_ord_tbl.clone(),
        None => disk_ord_tbl,
    };
    mpb.volumes.push(Volume { head, state, map: Map { head: map, disk_ord_tbl }, source: None });
}

fn map(set: &NewSet, extent: &Extent, strip: u64, blocks: impl Fn(u64) -> (u32, u32)) -> MapHead {
    let is_mirrored = matches!(set.level, Level::Raid1 | Level::Raid10);
    let domains = if is_mirrored { 2 } else { 1 };
    let reserved = extent.length.saturating_add(DIRTY_STRIPES);
    let reserved = match set.level {
        Level::Raid1 => reserved,
        _ => reserved.checked_div(strip).unwrap_or_default().saturating_mul(strip),
    };
    let stripes = extent.length.checked_div(strip.saturating_mul(domains)).unwrap_or_default();
    let mut map = MapHead::zeroed();
    (map.pba_of_lba0_lo, map.pba_of_lba0_hi) = blocks(extent.start);
    (map.blocks_per_member_lo, map.blocks_per_member_hi) = blocks(reserved);
    (map.num_data_stripes_lo, map.num_data_stripes_hi) = halves(stripes);
    map.blocks_per_strip = u16::try_from(blocks(strip).0).unwrap_or(u16::MAX);
    map.raid_level = raid_level(set);
    map.num_members = u8::try_from(set.disks.len()).unwrap_or(u8::MAX);
    map.num_domains = if is_mirrored { 2 } else { 1 };
    map.failed_disk_num = NONE_FAILED;
    map.ddf = 1;
    map
}

/// A raid10 of four is written as a raid1, as firmware does.
fn raid_level(set: &NewSet) -> u8 {
    match set.level {
        Level::Raid1 => 1,
        Level::Raid10 if set.disks.len() == 4 => 1,
        Level::Raid10 => 10,
        Level::Raid5 => 5,
        _ => 0,
    }
}

fn attributes(set: &NewSet, size_high: u32) -> u32 {
    let level = match set.level {
        Level::Raid0 => attribute::RAID0,
        Level::Raid1 => attribute::RAID1,
        Level::Raid5 => attribute::RAID5,
        _ if set.disks.len() > 4 => attribute::RAID10 | attribute::RAID10_EXT,
        _ => attribute::RAID10,
    };
    if size_high == 0 { level } else { level | attribute::VOLUME_2TB }
}
