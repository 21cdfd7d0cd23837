//! Bytes to [`Mpb`] and back.
//!
//! Decoding is pure: bytes and their place in, one of the three answers out. Whatever the bytes are, encoding
//! what was decoded gives them back; what can not be decoded is kept as it is.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::bbm::BadBlocks;
use super::mpb::{Disk, Header, MAGIC, Map, MapHead, Mpb, Volume, VolumeHead, VolumeState};
use super::place::{MAX_MPB, Place};
use crate::format::Decoded;
use crate::format::schema::{DiskStruct, Endian};
use crate::record::Problem;

const LE: Endian = Endian::Little;

/// An MPB with one disk and nothing else.
const SMALLEST: usize = Header::SIZE + Disk::SIZE;

/// Offset of the checksum.
const CHECK_SUM_AT: usize = 32;

/// Most volumes that are read; firmware makes two.
pub(super) const MAX_VOLUMES: u8 = 16;

/// Whether the anchor begins with the signature.
pub(super) fn is_ours(anchor: &[u8]) -> bool {
    anchor.starts_with(MAGIC)
}

/// Where all of the MPB is, from its anchor sector. When the size in the header can not be true, the anchor
/// alone: its header is still worth showing.
pub(super) fn extent(place: Place, anchor: &[u8]) -> Place {
    let size = Header::decode(anchor, LE).map_or(0, |header| header.mpb_size as usize);
    place.of_length(size).unwrap_or(place)
}

/// Decodes the sectors of an MPB, in device order, as long as [`extent`] says.
pub(super) fn decode(place: Place, device_bytes: Vec<u8>) -> Decoded<Mpb> {
    let logical = place.unrotate(device_bytes);
    if !is_ours(&logical) {
        return Decoded::NotOurs;
    }
    let Some(header) = Header::decode(&logical, LE) else {
        return Decoded::Damaged(None, vec![Problem::error("truncated", "the header is cut short")]);
    };
    let mut problems = Vec::new();
    let (body, sector_tail) = match check_size(place, &header) {
        Ok(size) => {
            problems.extend(check_sum_problem(&header, logical.get(..size).unwrap_or_default()));
            logical.split_at_checked(size).unwrap_or((&logical, &[]))
        }
        Err(problem) => {
            problems.push(problem);
            logical.split_at_checked(Header::SIZE).unwrap_or((&logical, &[]))
        }
    };
    let tables = body.get(Header::SIZE..).unwrap_or_default();
    let mut mpb = Mpb {
        place,
        header,
        disks: Vec::new(),
        volumes: Vec::new(),
        padding: Vec::new(),
        bad_blocks: None,
        sector_tail: sector_tail.to_vec(),
    };
    if !tables.is_empty() {
        problems.extend(fill_tables(&mut mpb, tables));
    }
    if problems.is_empty() { Decoded::Sound(mpb) } else { Decoded::Damaged(Some(mpb), problems) }
}

/// The size of the MPB, if it can be true.
fn check_size(place: Place, header: &Header) -> Result<usize, Problem> {
    let size = header.mpb_size as usize;
    let wrong = |expected: String| {
        Err(Problem::error("mpb-size", format!("mpb_size is {size}, expected {expected}")))
    };
    if size < SMALLEST {
        return wrong(format!("at least {SMALLEST}"));
    }
    if size > MAX_MPB {
        return wrong(format!("at most {MAX_MPB}"));
    }
    if place.of_length(size) != Some(place) {
        return wrong(format!("no more than fits before the end of a device of {} bytes", place.device));
    }
    Ok(size)
}

/// The checksum over a logical MPB: the sum of its words, its own field left out.
pub(super) fn check_sum(header: &Header, logical: &[u8]) -> u32 {
    let words = logical.chunks_exact(4).filter_map(|word| word.try_into().ok().map(u32::from_le_bytes));
    words.fold(0, u32::wrapping_add).wrapping_sub(header.check_sum)
}

fn check_sum_problem(header: &Header, logical: &[u8]) -> Option<Problem> {
    let computed = check_sum(header, logical);
    (computed != header.check_sum).then(|| {
        let message = format!("checksum is {:#010x}, computed {computed:#010x}", header.check_sum);
        Problem::error("checksum", message)
    })
}

/// Makes the checksum right again in the sectors of an MPB, in device order.
pub(super) fn seal(place: Place, device_bytes: &mut Vec<u8>) {
    let mut logical = place.unrotate(std::mem::take(device_bytes));
    if let Some(header) = Header::decode(&logical, LE) {
        let size = (header.mpb_size as usize).min(logical.len());
        let sum = check_sum(&header, logical.get(..size).unwrap_or_default());
        if let Some(target) = logical.get_mut(CHECK_SUM_AT..CHECK_SUM_AT.saturating_add(4)) {
            target.copy_from_slice(&sum.to_le_bytes());
        }
    }
    *device_bytes = place.rotate(logical);
}

/// Decodes the tables behind the header, as far as they go; the rest becomes padding.
fn fill_tables(mpb: &mut Mpb, tables: &[u8]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut rest = tables;
    let log = take_log(mpb, &mut rest, &mut problems);
    mpb.disks = take_table(&mut rest, mpb.header.num_disks, "num_disks", take_struct, &mut problems);
    if mpb.header.num_disks == 0 {
        problems.push(Problem::error("truncated", "num_disks is 0, expected at least 1"));
    }
    if mpb.header.num_raid_devs > MAX_VOLUMES {
        let message =
            format!("num_raid_devs is {}, expected at most {MAX_VOLUMES}", mpb.header.num_raid_devs);
        problems.push(Problem::error("volume-count", message));
    } else if mpb.disks.len() == usize::from(mpb.header.num_disks) {
        let count = mpb.header.num_raid_devs;
        mpb.volumes = take_table(&mut rest, count, "num_raid_devs", take_volume, &mut problems);
    }
    mpb.padding = rest.to_vec();
    mpb.bad_blocks = log;
    problems
}

/// Cuts the bad-block log off the end of the tables, if it is one.
fn take_log(mpb: &Mpb, rest: &mut &[u8], problems: &mut Vec<Problem>) -> Option<BadBlocks> {
    let size = mpb.header.bbm_log_size as usize;
    if size == 0 {
        return None;
    }
    let log = match rest.len().checked_sub(size).and_then(|at| rest.split_at_checked(at)) {
        Some((tables, bytes)) => BadBlocks::decode(bytes).map(|log| (tables, log)),
        None => Err(format!("bbm_log_size is {size}, the MPB has {} bytes after its header", rest.len())),
    };
    match log {
        Ok((tables, log)) => {
            *rest = tables;
            Some(log)
        }
        Err(message) => {
            problems.push(Problem::error("bad-block-log", message));
            None
        }
    }
}

/// Takes the entries of a table, and says so when it ends early.
fn take_table<T>(
    rest: &mut &[u8],
    count: u8,
    field: &str,
    take: fn(&mut &[u8]) -> Option<T>,
    problems: &mut Vec<Problem>,
) -> Vec<T> {
    let entries: Vec<T> = std::iter::from_fn(|| take(rest)).take(usize::from(count)).collect();
    if entries.len() < usize::from(count) {
        let message = format!("{field} is {count}, the MPB ends after {}", entries.len());
        problems.push(Problem::error("truncated", message));
    }
    entries
}

fn take_bytes<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes)
}

fn take_struct<T: DiskStruct>(rest: &mut &[u8]) -> Option<T> {
    T::decode(take_bytes(rest, T::SIZE)?, LE)
}

/// Takes all of a volume, or nothing.
fn take_volume(rest: &mut &[u8]) -> Option<Volume> {
    let mut ahead = *rest;
    let head: VolumeHead = take_struct(&mut ahead)?;
    let state: VolumeState = take_struct(&mut ahead)?;
    let map = take_map(&mut ahead)?;
    let source = if state.migr_state == 0 { None } else { Some(take_map(&mut ahead)?) };
    *rest = ahead;
    Some(Volume { head, state, map, source })
}

fn take_map(rest: &mut &[u8]) -> Option<Map> {
    let head: MapHead = take_struct(rest)?;
    let table = take_bytes(rest, 4 * usize::from(head.num_members))?;
    let disk_ord_tbl =
        table.chunks_exact(4).filter_map(|entry| entry.try_into().ok().map(u32::from_le_bytes)).collect();
    Some(Map { head, disk_ord_tbl })
}

/// Encodes in logical order, all sectors whole.
pub(super) fn encode_logical(mpb: &Mpb) -> Vec<u8> {
    let mut bytes = encode_covered(mpb);
    bytes.extend_from_slice(&mpb.sector_tail);
    bytes
}

/// Encodes what the checksum covers: everything but the tail of the last sector.
pub(super) fn encode_covered(mpb: &Mpb) -> Vec<u8> {
    let mut bytes = mpb.header.encode(LE);
    bytes.extend(mpb.disks.iter().flat_map(|disk| disk.encode(LE)));
    bytes.extend(mpb.volumes.iter().flat_map(encode_volume));
    bytes.extend_from_slice(&mpb.padding);
    bytes.extend(mpb.bad_blocks.iter().flat_map(BadBlocks::encode));
    bytes
}

/// Encodes in device order.
pub(super) fn encode(mpb: &Mpb) -> Vec<u8> {
    mpb.place.rotate(encode_logical(mpb))
}

fn encode_volume(volume: &Volume) -> Vec<u8> {
    let mut bytes = volume.head.encode(LE);
    bytes.extend(volume.state.encode(LE));
    bytes.extend(volume.maps().flat_map(encode_map));
    bytes
}

fn encode_map(map: &Map) -> Vec<u8> {
    let mut bytes = map.head.encode(LE);
    bytes.extend(map.disk_ord_tbl.iter().flat_map(|entry| entry.to_le_bytes()));
    bytes
}

/// Counts, size, place and checksum as the tables have them; none when there is no room at the place.
pub(super) fn placed(mut mpb: Mpb, place: Place) -> Option<Mpb> {
    mpb.header.num_disks = u8::try_from(mpb.disks.len()).ok()?;
    mpb.header.num_raid_devs = u8::try_from(mpb.volumes.len()).ok()?;
    let size = encode_covered(&mpb).len();
    mpb.header.mpb_size = u32::try_from(size).ok()?;
    mpb.place = place.of_length(size)?;
    mpb.sector_tail = vec![0; mpb.place.length().saturating_sub(size)];
    mpb.header.check_sum = check_sum(&mpb.header, &encode_covered(&mpb));
    Some(mpb)
}
