//! Superblocks 0.90 of a new array.

use super::members::Member;
use super::{Array, bitmap};
use crate::format::md::place::{MAGIC, to_bytes};
use crate::format::md::v0::{Descriptor, Head, MAX_DEVICES, V0, disk_state, state};
use crate::format::schema::{DiskStruct, Endian};
use crate::model::Area;
use crate::record::ChecksumState;
use crate::units::{SECTOR_BYTES, Sectors};

/// Sectors from the superblock to the bitmap, and what there is for it.
const BITMAP: (i64, u64) = (8, 120);

/// What goes onto a member: the superblock last.
pub(super) fn areas(array: &Array<'_>, member: &Member) -> Vec<Area> {
    let (distance, room) = BITMAP;
    let bits = if array.set.bitmap { bitmap::bytes(array, member.size, room, 0) } else { None };
    let sector = member.place.relative(distance).unwrap_or(Sectors::MAX);
    let superblock = superblock(array, member, bits.is_some());
    let bitmap = bits.map(|bytes| Area {
        role: "bitmap",
        offset: to_bytes(sector),
        bytes,
        checksum: ChecksumState::Absent,
    });
    let superblock = Area {
        role: "superblock",
        offset: member.place.offset(),
        bytes: superblock,
        checksum: ChecksumState::Ok,
    };
    bitmap.into_iter().chain([superblock]).collect()
}

fn superblock(array: &Array<'_>, member: &Member, has_bitmap: bool) -> Vec<u8> {
    let disks: Vec<Descriptor> = (0..MAX_DEVICES).map(|number| descriptor(array, number)).collect();
    let this_disk = descriptor(array, member.number);
    let sector = member.place.sector;
    let mut superblock =
        V0 { endian: Endian::Little, head: head(array, member, has_bitmap), disks, this_disk, sector };
    superblock.head.sb_csum = superblock.computed_checksum();
    superblock.encode()
}

fn descriptor(array: &Array<'_>, number: u32) -> Descriptor {
    let mut descriptor = Descriptor::zeroed();
    if number < array.devices() {
        descriptor.number = number;
        descriptor.raid_disk = number;
        descriptor.state = if number < array.slots() { disk_state::ACTIVE | disk_state::SYNC } else { 0 };
    }
    descriptor
}

fn head(array: &Array<'_>, member: &Member, has_bitmap: bool) -> Head {
    let set = array.set;
    let now = u32::try_from(set.now).unwrap_or(u32::MAX);
    let [uuid0, uuid1, uuid2, uuid3] = uuid_words(set.identity);
    let mut head = Head::zeroed();
    head.magic = MAGIC;
    head.minor_version = 90;
    head.set_uuid0 = uuid0;
    head.ctime = now;
    head.level = array.level;
    head.size = u32::try_from(member.size / 2).unwrap_or(u32::MAX);
    head.nr_disks = array.devices();
    head.raid_disks = array.slots();
    head.set_uuid1 = uuid1;
    head.set_uuid2 = uuid2;
    head.set_uuid3 = uuid3;
    head.utime = now;
    head.state =
        if array.is_in_sync() { state::CLEAN } else { 0 } | if has_bitmap { state::BITMAP } else { 0 };
    head.active_disks = array.slots();
    head.working_disks = array.devices();
    head.spare_disks = array.devices().saturating_sub(array.slots());
    head.recovery_cp = if array.is_in_sync() { u32::MAX } else { 0 };
    // What there is of a layout in 0.90 is not that of a raid0.
    head.layout = if array.level == 0 { 0 } else { array.layout };
    head.chunk_size = u32::try_from(array.chunk().saturating_mul(SECTOR_BYTES)).unwrap_or_default();
    head
}

fn uuid_words(identity: [u8; 16]) -> [u32; 4] {
    let mut words = [0; 4];
    for (to, from) in words.iter_mut().zip(identity.as_chunks::<4>().0) {
        *to = u32::from_le_bytes(*from);
    }
    words
}
