//! The metadata of a group changed in memory: sections in both copies, then the headers.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::copy::{Kind, Section};
use super::fresh;
use super::metadata::Ddf;
use super::read::record_length;
use crate::format::Metadata;
use crate::format::schema::DiskStruct;
use crate::model::Area;
use crate::record::ChecksumState;

/// Overwrites a part of some bytes, if it is inside.
pub(super) fn put(bytes: &mut [u8], at: usize, new: &[u8]) {
    if let Some(place) = at.checked_add(new.len()).and_then(|end| bytes.get_mut(at..end)) {
        place.copy_from_slice(new);
    }
}

/// Changes a section in all copies: in each to what the one that counts becomes.
pub(super) fn edit(ddf: &mut Ddf, kind: Kind, change: impl FnOnce(&mut [u8], &Ddf)) {
    let Some(section) = ddf.section(kind) else { return };
    let mut bytes = section.bytes.to_vec();
    change(&mut bytes, ddf);
    let (block, endian, default) = (ddf.block, ddf.endian, ddf.default_sum());
    for copy in ddf.primary.iter_mut().chain(&mut ddf.secondary) {
        let record = record_length(&copy.header, block);
        let is_it = |section: &&mut Section| section.kind == kind && section.bytes.len() == bytes.len();
        for section in copy.sections.iter_mut().filter(is_it) {
            *section = Section::sealed(kind, section.offset, bytes.clone(), record, endian, default);
        }
    }
}

/// The next sequence number, on every disk, in every header.
pub(super) fn finish(group: &mut [Ddf], now: u64) {
    let newest = group.iter().filter_map(|ddf| ddf.header().map(|header| header.sequence_number)).max();
    let next = newest.unwrap_or_default().saturating_add(1);
    for ddf in group {
        let endian = ddf.endian;
        for copy in ddf.primary.iter_mut().chain(&mut ddf.secondary) {
            copy.header.sequence_number = next;
            copy.header.timestamp = fresh::timestamp(now);
            copy.header.open_flag = 0;
            put(&mut copy.bytes, 0, &copy.header.encode(endian));
        }
        if let Some(anchor) = &mut ddf.anchor {
            anchor.header.timestamp = fresh::timestamp(now);
            put(&mut anchor.bytes, 0, &anchor.header.encode(endian));
        }
    }
}

/// The areas of a disk, checksums and all.
pub(super) fn areas(ddf: &Ddf) -> Vec<Area> {
    let mut areas = ddf.areas();
    ddf.seal(&mut areas);
    for area in &mut areas {
        area.checksum = ChecksumState::Ok;
    }
    areas
}
