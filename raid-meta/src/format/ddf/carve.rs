//! Where a disk would be whose headers are found in the middle of something, and the older generations on a disk.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::copy::{Copy, Kind, Which};
use super::metadata::{Ddf, copy_areas};
use super::names;
use super::read::{USUAL_DISTANCE, header_order, sound_header};
use super::structs::Header;
use crate::device::{Device, DeviceError, ReadAt};
use crate::format::{Generation, Range, Signature};
use crate::units::{Bytes, SECTOR_LENGTH, SectorSize};

/// What headers begin with, in both byte orders.
pub(super) static SIGNATURES: [Signature; 2] = [
    Signature { bytes: &[0xde, 0x11, 0xde, 0x11], at: 0 },
    Signature { bytes: &[0x11, 0xde, 0x11, 0xde], at: 0 },
];

/// How far after a header an anchor is looked for.
const SEARCHED: u64 = 33 << 20;
/// What is read of that at a time.
const PIECE: u64 = 1 << 20;

/// The disk that a header at `at` belongs to.
pub(super) fn windows(disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
    let Some(header) = header_at(disk, at)? else { return Ok(Vec::new()) };
    let places = Places { disk, block: disk.sector_size(), header: &header };
    let window = match header.header_type {
        0 => places.of_anchor(at)?,
        1 => places.of_copy(Which::Primary, at)?,
        2 => places.of_copy(Which::Secondary, at)?,
        _ => None,
    };
    Ok(window.into_iter().collect())
}

/// The sound header at a place.
fn header_at(disk: &Device, at: Bytes) -> Result<Option<Header>, DeviceError> {
    // Most places have none: a read of one sector says so.
    let Some(bytes) = disk.read(at, SECTOR_LENGTH)?.filter(|bytes| header_order(bytes).is_some()) else {
        return Ok(None);
    };
    let block = usize::try_from(disk.sector_size().bytes().0).unwrap_or(SECTOR_LENGTH);
    let whole = if block == SECTOR_LENGTH { Some(bytes) } else { disk.read(at, block)? };
    Ok(whole.and_then(|bytes| sound_header(&bytes)).map(|(header, _)| header))
}

struct Places<'a> {
    disk: &'a Device,
    block: SectorSize,
    header: &'a Header,
}

impl Places<'_> {
    fn bytes(&self, blocks: u64) -> Option<Bytes> {
        self.block.bytes().checked_mul(blocks)
    }

    /// Whether a header of the same group and type is there.
    fn has(&self, at: Bytes, header_type: u8) -> Result<bool, DeviceError> {
        let found = header_at(self.disk, at)?;
        Ok(found.is_some_and(|found| {
            found.header_type == header_type && found.ddf_header_guid == self.header.ddf_header_guid
        }))
    }

    /// A window that ends with the anchor. It begins where the device does, or where the usual distance to the
    /// primary header says.
    fn of_anchor(&self, at: Bytes) -> Result<Option<Range>, DeviceError> {
        let end = at.saturating_add(self.block.bytes());
        let Some(primary) = self.bytes(self.header.primary_header_lba) else { return Ok(None) };
        let usual = end.checked_sub(USUAL_DISTANCE).and_then(|header| header.checked_sub(primary));
        for start in usual.into_iter().chain([Bytes::ZERO]) {
            if self.has(start.saturating_add(primary), 1)? {
                return Ok(end.checked_sub(start).map(|length| Range { offset: start, length }));
            }
        }
        Ok(None)
    }

    /// A window in which the copy is where its header says. It ends with the anchor, or where that is gone with
    /// the copy.
    fn of_copy(&self, which: Which, at: Bytes) -> Result<Option<Range>, DeviceError> {
        let own = self.bytes(which.lba(self.header));
        let Some(start) = own.and_then(|own| at.checked_sub(own)) else { return Ok(None) };
        let Some(end) = self.anchor_after(start, at)?.or(self.copies_end(start)?) else { return Ok(None) };
        let end = end.min(self.disk.size());
        Ok(end.checked_sub(start).map(|length| Range { offset: start, length }))
    }

    /// The end of the anchor: at the usual distance, in the last block, or found by search.
    fn anchor_after(&self, start: Bytes, at: Bytes) -> Result<Option<Bytes>, DeviceError> {
        let block = self.block.bytes();
        let primary = self.bytes(self.header.primary_header_lba).and_then(|at| start.checked_add(at));
        let usual = primary.and_then(|primary| primary.checked_add(USUAL_DISTANCE));
        for end in usual.into_iter().chain([self.disk.size()]) {
            if let Some(anchor) = end.checked_sub(block)
                && self.has(anchor, 0)?
            {
                return Ok(Some(end));
            }
        }
        let last = at.saturating_add(Bytes(SEARCHED));
        let mut position = at;
        while position < last {
            let length = self.disk.size().saturating_sub(position).0.min(PIECE);
            let length = usize::try_from(length).unwrap_or_default();
            let Some(bytes) = self.disk.read(position, length)?.filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            let headers = bytes.chunks_exact(SECTOR_LENGTH).enumerate();
            for (index, _) in headers.filter(|(_, bytes)| header_order(bytes).is_some()) {
                let found = position.saturating_add(Bytes(index.saturating_mul(SECTOR_LENGTH) as u64));
                if self.has(found, 0)? {
                    return Ok(Some(found.saturating_add(block)));
                }
            }
            position = position.saturating_add(Bytes(PIECE));
        }
        Ok(None)
    }

    /// The end of the primary copy if its header is sound, else of the copy that was found.
    fn copies_end(&self, start: Bytes) -> Result<Option<Bytes>, DeviceError> {
        let own = if self.header.header_type == 2 { Which::Secondary } else { Which::Primary };
        let header = |which: Which| self.bytes(which.lba(self.header)).and_then(|at| start.checked_add(at));
        let which = match header(Which::Primary) {
            Some(primary) if self.has(primary, 1)? => Which::Primary,
            _ => own,
        };
        let places = Kind::ALL.into_iter().filter_map(|kind| kind.place(self.header));
        let blocks = places.map(|(offset, length)| u64::from(offset).saturating_add(u64::from(length))).max();
        let length = blocks.and_then(|blocks| self.bytes(blocks));
        Ok(header(which).zip(length).and_then(|(at, length)| at.checked_add(length)))
    }
}

/// The generations that the copies hold, the newest first.
pub(super) fn history(ddf: &Ddf) -> Vec<Generation> {
    let Some(believed) = ddf.believed() else { return Vec::new() };
    let older = ddf
        .other()
        .filter(|other| other.is_sound() && other.header.sequence_number != believed.header.sequence_number);
    let mut generations: Vec<Generation> = std::iter::once((believed, true))
        .chain(older.map(|other| (other, false)))
        .map(generation(ddf))
        .collect();
    generations.sort_by_key(|generation| std::cmp::Reverse(generation.generation));
    generations
}

fn generation(ddf: &Ddf) -> impl Fn((&Copy, bool)) -> Generation + '_ {
    |(copy, current)| Generation {
        areas: copy_areas(copy).collect(),
        generation: u64::from(copy.header.sequence_number),
        updated: Some(names::unix_time(copy.header.timestamp)),
        current,
        description: Some(description(ddf, copy)),
    }
}

/// The copy, and the volumes that it knows.
fn description(ddf: &Ddf, copy: &Copy) -> String {
    let bytes = copy.section(Kind::VirtualDisks).map(|section| &*section.bytes).unwrap_or_default();
    let disks = super::tables::virtual_disks(bytes, ddf.endian);
    let volumes: Vec<String> = disks
        .iter()
        .map(|(_, disk)| {
            let name = crate::escape::escape(names::volume_name(&disk.vd_name));
            format!("{name} ({})", super::meaning::volume_state(disk))
        })
        .collect();
    let volumes = if volumes.is_empty() { "no volumes".to_owned() } else { volumes.join("; ") };
    let open = if copy.header.is_open() { ", not finished" } else { "" };
    format!("{} copy{open}: {volumes}", copy.which.name())
}
