//! Superblocks 0.90: a member's number is its slot, so the new disk has the number of the one that it replaces.

use super::{Own, area, changed, too_small};
use crate::format::md::NAME;
use crate::format::md::place::{Place, Version};
use crate::format::md::v0::{Descriptor, MAX_DEVICES, V0, disk_state};
use crate::format::rebuild::{Disk, RebuildError, Replacement, Round};
use crate::record::ChecksumState;
use crate::units::Sectors;

/// Sectors from the superblock to the bitmap.
const BITMAP_AT: i64 = 8;

/// What to write to the members and the new disk.
pub(super) fn renew(replacement: &Replacement, members: &[Own<V0>]) -> Result<Vec<Round>, RebuildError> {
    let Some(freshest) = members.iter().max_by_key(|own| own.superblock.head.events) else {
        return Err(replacement.refused(NAME, "none of its disks is there"));
    };
    if freshest.superblock.facts().reshape.is_some() {
        return Err(replacement.refused(NAME, "is being reshaped"));
    }
    let number = replacement.slot.0;
    if number >= MAX_DEVICES || members.iter().any(|own| own.superblock.this_disk.number == number) {
        return Err(replacement.refused(NAME, format!("another disk has the number {number} of the slot")));
    }
    let new = target(replacement, freshest, number)?;
    let common = common(freshest, number);
    let mut rounds = Vec::new();
    for step in 1..=2 {
        let mut common = common.clone();
        common.head.events = common.head.events.saturating_add(step);
        common.head.utime = u32::try_from(replacement.now).unwrap_or(u32::MAX);
        // A checkpoint of a resync counts only at the event of its superblock.
        if freshest.superblock.head.cp_events == freshest.superblock.head.events {
            common.head.cp_events = common.head.events;
        }
        rounds.extend(one(Disk::Target, &new, &common, step == 1));
        for own in members {
            rounds.extend(one(Disk::Member(own.index), own, &common, false));
        }
    }
    Ok(rounds)
}

/// The new disk: nothing of it is known but its place.
fn target(replacement: &Replacement, like: &Own<V0>, number: u32) -> Result<Own<V0>, RebuildError> {
    const KEPT: u64 = 128;
    let device = &replacement.target;
    let used = u64::from(like.superblock.head.size).saturating_mul(2);
    let too_small = || too_small(device, used.saturating_add(KEPT).next_multiple_of(KEPT));
    let place = Place::on(device, Version::V090).ok_or_else(too_small)?;
    if place.sector < Sectors(used) {
        return Err(too_small());
    }
    let mut superblock = like.superblock.clone();
    superblock.sector = place.sector;
    superblock.this_disk.number = number;
    Ok(Own { index: 0, place, superblock, bitmap: like.bitmap.clone() })
}

/// What all superblocks say: the table of disks with the new one, and its counts.
fn common(freshest: &Own<V0>, number: u32) -> V0 {
    let mut common = freshest.superblock.clone();
    if let Some(disk) = usize::try_from(number).ok().and_then(|index| common.disks.get_mut(index)) {
        disk.number = number;
        disk.major = 0;
        disk.minor = 0;
        disk.raid_disk = number;
        disk.state = disk_state::ACTIVE | disk_state::SYNC;
    }
    let slots = usize::try_from(common.head.raid_disks).unwrap_or_default();
    let active = disk_state::ACTIVE | disk_state::SYNC;
    let is_active = |disk: &&Descriptor| {
        disk.state & active == active && disk.state & (disk_state::FAULTY | disk_state::REMOVED) == 0
    };
    let count = common.disks.iter().take(slots).filter(is_active).count();
    let count = u32::try_from(count).unwrap_or_default();
    let head = &mut common.head;
    head.active_disks = count;
    head.working_disks = count.saturating_add(head.spare_disks);
    head.nr_disks = head.working_disks;
    head.failed_disks = head.raid_disks.saturating_sub(count);
    common
}

fn one(disk: Disk, own: &Own<V0>, common: &V0, is_new: bool) -> Vec<Round> {
    let mut superblock = V0 { sector: own.place.sector, ..common.clone() };
    let number = usize::try_from(own.superblock.this_disk.number).unwrap_or(usize::MAX);
    superblock.this_disk = common.disks.get(number).unwrap_or(&own.superblock.this_disk).clone();
    superblock.head.sb_csum = superblock.computed_checksum();
    let bytes = superblock.encode();
    let bytes = if is_new { bytes } else { changed(bytes, &own.superblock.encode()) };
    let is_whole = common.head.active_disks == common.head.raid_disks && common.facts().resync.is_none();
    let bitmap = own.bitmap.as_ref().and_then(|bitmap| {
        let sector = own.place.relative(BITMAP_AT)?;
        let bytes = bitmap.at_event(common.head.events, is_whole).encode();
        Some((disk, area("bitmap", sector, bytes, ChecksumState::Absent)))
    });
    let superblock = area("superblock", own.place.sector, bytes, ChecksumState::Ok);
    vec![bitmap.into_iter().collect(), vec![(disk, superblock)]]
}
