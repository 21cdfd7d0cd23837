//! Superblocks 1.x: a number for the new disk, and its role.

use super::{Own, area, changed, too_small};
use crate::format::md::NAME;
use crate::format::md::facts::NONE;
use crate::format::md::place::{Place, Version, to_bytes};
use crate::format::md::v1::{self, HEAD_BYTES, V1, feature};
use crate::format::rebuild::{Disk, RebuildError, Replacement, Round};
use crate::model::Area;
use crate::record::ChecksumState;
use crate::units::{Bytes, Sectors};

/// A failed device's role.
const FAILED: u16 = 0xfffe;
/// The role of a number that nobody has.
const NO_ROLE: u16 = 0xffff;

/// What to write to the members and the new disk.
pub(super) fn renew(replacement: &Replacement, members: &[Own<V1>]) -> Result<Vec<Round>, RebuildError> {
    let Some(freshest) = members.iter().max_by_key(|own| own.superblock.head.events) else {
        return Err(replacement.refused(NAME, "none of its disks is there"));
    };
    check(replacement, &freshest.superblock)?;
    let roles = roles(replacement, members, freshest)?;
    let new = target(replacement, freshest, roles.number)?;
    let is_whole = is_whole(&freshest.superblock, &roles.table);
    let mut rounds = Vec::new();
    for step in 1..=2 {
        let update = Update {
            roles: &roles.table,
            events: freshest.superblock.head.events.saturating_add(step),
            now: replacement.now,
            is_whole,
        };
        rounds.extend(update.rounds(Disk::Target, &new, step == 1));
        for own in members {
            rounds.extend(update.rounds(Disk::Member(own.index), own, false));
        }
    }
    Ok(rounds)
}

/// What would not be recorded truly.
fn check(replacement: &Replacement, superblock: &V1) -> Result<(), RebuildError> {
    let refusals = [
        (feature::RESHAPE, "is being reshaped"),
        (feature::REPLACEMENT, "has a disk that is being replaced"),
        (feature::CLUSTERED, "belongs to a cluster"),
        (feature::JOURNAL, "has a write journal, which would be out of step"),
        (feature::PPL, "has a partial parity log, which the new disk would not have"),
        (feature::MULTIPLE_PPLS, "has a partial parity log, which the new disk would not have"),
    ];
    let found = refusals.iter().find(|(bit, _)| superblock.has(*bit));
    found.map_or(Ok(()), |(_, message)| Err(replacement.refused(NAME, *message)))
}

/// The roles as they are to be, and the number of the new disk.
struct Roles {
    table: Vec<u16>,
    number: u32,
}

fn roles(replacement: &Replacement, members: &[Own<V1>], freshest: &Own<V1>) -> Result<Roles, RebuildError> {
    let slot = u16::try_from(replacement.slot.0).unwrap_or(NO_ROLE);
    let mut table = freshest.superblock.roles.clone();
    for role in table.iter_mut().filter(|role| **role == slot) {
        *role = FAILED;
    }
    let is_free = |(number, role): &(u32, &u16)| {
        matches!(**role, NO_ROLE | FAILED)
            && !members.iter().any(|own| own.superblock.head.dev_number == *number)
    };
    // A number that nobody ever had comes first.
    let mut free: Vec<(u32, &u16)> = (0..).zip(&table).filter(is_free).collect();
    free.sort_by_key(|(_, role)| **role != NO_ROLE);
    let number = free.first().map(|&(number, _)| number);
    let number = number.ok_or_else(|| replacement.refused(NAME, "has no number left for a new disk"))?;
    if let Some(role) = usize::try_from(number).ok().and_then(|index| table.get_mut(index)) {
        *role = slot;
    }
    Ok(Roles { table, number })
}

/// Whether every slot has its disk, and redundancy is in step: nothing is left that the bitmap would be needed for.
fn is_whole(superblock: &V1, table: &[u16]) -> bool {
    let slots = 0..u16::try_from(superblock.head.raid_disks).unwrap_or(u16::MAX);
    superblock.head.resync_offset == NONE && slots.into_iter().all(|slot| table.contains(&slot))
}

/// The new disk, described like the freshest member, on its own place.
fn target(replacement: &Replacement, like: &Own<V1>, number: u32) -> Result<Own<V1>, RebuildError> {
    let device = &replacement.target;
    let known = &like.superblock.head;
    let needed = least(like);
    let place = Place::on(device, like.place.version).ok_or_else(|| too_small(device, needed))?;
    let data_size = match place.version {
        Version::V10 => {
            let behind = known.super_offset.saturating_sub(known.data_offset).saturating_sub(known.data_size);
            place.sector.0.saturating_sub(behind).saturating_sub(known.data_offset)
        }
        _ => device.length_sectors().0.saturating_sub(known.data_offset),
    };
    if data_size < known.size {
        return Err(too_small(device, needed));
    }
    let mut superblock = like.superblock.clone();
    let head = &mut superblock.head;
    head.feature_map &= !(feature::RECOVERY | feature::RECOVERY_BITMAP | feature::BAD_BLOCKS);
    head.data_size = data_size;
    head.super_offset = place.sector.0;
    head.recovery_offset = 0;
    head.dev_number = number;
    head.cnt_corrected_read = 0;
    head.devflags = 0;
    let identity = replacement.identity_for("md device");
    head.device_uuid.iter_mut().zip(identity).for_each(|(to, from)| *to = from);
    Ok(Own { index: 0, place, superblock, bitmap: like.bitmap.clone() })
}

/// The shortest device that can hold what the array uses of a member.
fn least(like: &Own<V1>) -> u64 {
    let head = &like.superblock.head;
    let used = head.data_offset.saturating_add(head.size);
    match like.place.version {
        Version::V10 => {
            let behind = head.super_offset.saturating_sub(head.data_offset).saturating_sub(head.data_size);
            used.saturating_add(behind).saturating_add(16)
        }
        _ => used,
    }
}

/// One event: what changes in every superblock.
struct Update<'a> {
    roles: &'a [u16],
    events: u64,
    now: u64,
    is_whole: bool,
}

impl Update<'_> {
    /// What is written to a disk: what hangs on the superblock, then the superblock.
    fn rounds(&self, disk: Disk, own: &Own<V1>, is_new: bool) -> Vec<Round> {
        let mut parts = Round::new();
        parts.extend(if is_new { empty_log(own).map(|area| (disk, area)) } else { None });
        parts.extend(self.bitmap(own).map(|area| (disk, area)));
        vec![parts, vec![(disk, self.superblock(own, is_new))]]
    }

    fn bitmap(&self, own: &Own<V1>) -> Option<Area> {
        let bitmap = own.bitmap.as_ref()?.at_event(self.events, self.is_whole);
        let sector = own.place.relative(i64::from(own.superblock.head.bitmap_offset))?;
        Some(area("bitmap", sector, bitmap.encode(), ChecksumState::Absent))
    }

    /// The superblock, or of one that is there already what changes of it: whole sectors, so that none is torn.
    fn superblock(&self, own: &Own<V1>, is_new: bool) -> Area {
        let mut superblock = own.superblock.clone();
        superblock.roles = self.roles.to_vec();
        superblock.head.max_dev = u32::try_from(self.roles.len()).unwrap_or(v1::MAX_DEVICES);
        superblock.head.events = self.events;
        superblock.head.utime = self.now;
        let used = HEAD_BYTES.saturating_add(self.roles.len().saturating_mul(2));
        superblock.tail.resize(own.place.round_up(used).saturating_sub(used), 0);
        superblock.head.sb_csum = superblock.computed_checksum();
        let bytes = superblock.encode();
        let bytes = if is_new { bytes } else { changed(bytes, &own.superblock.encode()) };
        area("superblock", own.place.sector, bytes, ChecksumState::Ok)
    }
}

/// Whatever was on its sectors, the log of bad blocks of a new disk is empty.
fn empty_log(own: &Own<V1>) -> Option<Area> {
    let head = &own.superblock.head;
    let sector = own.place.relative(i64::from(head.bblog_offset)).filter(|_| head.bblog_offset != 0)?;
    let Bytes(length) = to_bytes(Sectors(u64::from(head.bblog_size)));
    let length = usize::try_from(length).ok().filter(|&length| length > 0)?;
    Some(area("bad-block-log", sector, vec![0xff; length], ChecksumState::Absent))
}
