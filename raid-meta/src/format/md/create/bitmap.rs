//! The write-intent bitmap of a new array: its chunk, and its bits.

use super::{Array, DAEMON_SLEEP};
use crate::format::md::bitmap::{HEAD_BYTES, Head, MAGIC};
use crate::format::md::shape;
use crate::format::schema::{DiskStruct, Endian};
use crate::geometry::Level;
use crate::units::{SECTOR_BYTES, Sectors};

/// A bit stands for at least a page.
const LEAST_CHUNK: u64 = 4096;
/// And for as much as this, where there is room for more bits.
const USUAL_CHUNK: u64 = 64 << 20;
/// Bitmaps are written in whole pages.
const PAGE: usize = 4096;

/// A bitmap of an array that uses `size` sectors of each member, in at most `room` sectors; none when there is no
/// room. Its bits are set unless redundancy is valid.
pub(super) fn bytes(array: &Array<'_>, size: u64, room: u64, events: u64) -> Option<Vec<u8>> {
    let covered = match array.geometry.level {
        Level::Raid10 => shape::array_size(&array.geometry, Sectors(size)).0,
        _ => size,
    };
    let chunk = chunk(covered, room)?;
    let mut head = Head::zeroed();
    head.magic = MAGIC;
    head.version = 4;
    head.uuid = array.set.identity;
    head.events = events;
    head.events_cleared = events;
    head.sync_size = covered;
    head.chunksize = u32::try_from(chunk).ok()?;
    head.daemon_sleep = DAEMON_SLEEP;
    let wanted = usize::try_from(head.wanted_bytes()?).ok()?;
    let mut bytes = head.encode(Endian::Little);
    let fill = if array.is_in_sync() { 0 } else { 0xff };
    bytes.resize(wanted.next_multiple_of(PAGE), fill);
    (bytes.len() as u64 <= room.saturating_mul(SECTOR_BYTES)).then_some(bytes)
}

/// Bytes of the array for each bit.
fn chunk(covered: u64, room: u64) -> Option<u64> {
    let bytes = room.checked_mul(SECTOR_BYTES)?.checked_sub(HEAD_BYTES as u64)?;
    let most_bits = bytes.checked_mul(8).filter(|&bits| bits > 0)?;
    let mut chunk = LEAST_CHUNK;
    while covered.checked_mul(SECTOR_BYTES)?.div_ceil(chunk) > most_bits {
        chunk = chunk.checked_mul(2)?;
    }
    Some(chunk.max(USUAL_CHUNK))
}
