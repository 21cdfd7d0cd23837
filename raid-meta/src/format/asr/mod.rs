//! Adaptec HostRAID (ASR).
//!
//! The last sector of a disk, the *reserved block*, has the number of the disk and says where the *table* is: lines about
//! arrays and about disks, the same on all members of a set. A disk finds itself in the table by its
//! number. All is big-endian. Every line has a counter of its changes and the table may have a time, which together tell
//! which of two tables is newer.
//!
//! Sources: dmraid, the driver of `FreeBSD`, the metadata of a real disk. Nobody verifies the checksum; it is right where
//! firmware wrote it.
//!
//! `block` the structures, `arrays` what the lines add up to, `check` the rules, `view` what it means, `meaning` the
//! words, `create` new sets, `rebuild` a new disk in one.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod arrays;
mod block;
mod check;
mod create;
mod meaning;
mod rebuild;
#[cfg(test)]
mod tests;
mod view;

pub(super) use create::create;
pub(super) use rebuild::renew;

use super::{Format, Found, Metadata, Range, Signature};
use crate::device::{Device, DeviceError, ReadAt};
use crate::model::{Area, Field, MemberView};
use crate::record::{ChecksumState, Problem};
use crate::units::{Bytes, SECTOR_BYTES, SECTOR_LENGTH, Sectors};
use block::{BLOCK_MAGIC, ReservedBlock, TABLE_BYTES, Table};

const NAME: &str = "asr";

/// Where the firmware puts the table, in sectors from the end of the disk; and its length.
const TABLE_FROM_END: u64 = 17;
const TABLE_SECTORS: u64 = 16;

/// Roles of the areas.
const TABLE: &str = "raid-table";
const BLOCK: &str = "reserved-block";

/// The format.
pub struct Asr;

impl Format for Asr {
    fn name(&self) -> &'static str {
        NAME
    }

    fn description(&self) -> &'static str {
        "Adaptec HostRAID"
    }

    fn whole_disk_only(&self) -> bool {
        true
    }

    fn find(&self, device: &Device) -> Result<Vec<Found>, DeviceError> {
        let Some(found) = read(device)? else { return Ok(Vec::new()) };
        let (offset, version) = (found.offset, Some(found.version()));
        let problems = check::identity(&found, device);
        Ok(vec![Found { metadata: Some(Box::new(found)), offset, version, problems }])
    }

    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: [Signature; 1] = [Signature { bytes: &BLOCK_MAGIC.to_be_bytes(), at: 0 }];
        &SIGNATURES
    }

    /// The disk ends with the reserved block; how long it is, follows from where that says the table is.
    fn windows(&self, disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
        let bytes = disk.read(at, SECTOR_LENGTH)?;
        let Some(block) = bytes.as_deref().and_then(block::reserved_block) else { return Ok(Vec::new()) };
        let end = at.saturating_add(Bytes(SECTOR_BYTES));
        let length = Sectors(u64::from(block.raidtbl).saturating_add(TABLE_FROM_END)).to_bytes();
        let start = length.and_then(|length| end.checked_sub(length));
        let mut starts: Vec<Bytes> = start.into_iter().collect();
        if start != Some(Bytes::ZERO) {
            starts.push(Bytes::ZERO);
        }
        let window = |offset| Range { offset, length: end.saturating_sub(offset) };
        Ok(starts.into_iter().map(window).collect())
    }
}

fn read(device: &Device) -> Result<Option<AsrMetadata>, DeviceError> {
    let Some(offset) = last_sector(device.size()) else { return Ok(None) };
    let bytes = device.read(offset, SECTOR_LENGTH)?;
    let Some(block) = bytes.as_deref().and_then(block::reserved_block) else { return Ok(None) };
    let table = find_table(device, &block, offset)?;
    Ok(Some(AsrMetadata { offset, block, table }))
}

fn last_sector(size: Bytes) -> Option<Bytes> {
    size.whole_sectors().0.checked_sub(1)?.checked_mul(SECTOR_BYTES).map(Bytes)
}

/// The table where the block says it is. On an image that was cut, and on a disk that was copied to another of a different size,
/// it is not there, but perhaps where the firmware always puts it.
fn find_table(
    device: &Device,
    block: &ReservedBlock,
    end: Bytes,
) -> Result<Option<PlacedTable>, DeviceError> {
    let stated = Sectors(u64::from(block.raidtbl)).to_bytes();
    let usual = end.checked_sub(Bytes(TABLE_SECTORS.saturating_mul(SECTOR_BYTES)));
    for offset in [stated, usual].into_iter().flatten() {
        let is_before = offset.saturating_add(Bytes(TABLE_BYTES as u64)) <= end;
        let Some(bytes) = device.read(offset, TABLE_BYTES)?.filter(|_| is_before) else { continue };
        if let Some(table) = Table::decode(&bytes) {
            return Ok(Some(PlacedTable { offset, table }));
        }
    }
    Ok(None)
}

/// A table and where it is.
#[derive(Clone, Debug)]
struct PlacedTable {
    offset: Bytes,
    table: Table,
}

/// The metadata of one disk.
#[derive(Clone, Debug)]
struct AsrMetadata {
    /// Where the reserved block is.
    offset: Bytes,
    block: ReservedBlock,
    table: Option<PlacedTable>,
}

impl PlacedTable {
    fn area(&self) -> Area {
        let is_right = self.table.checksum() == self.table.head.rchksum;
        let checksum = if is_right { ChecksumState::Ok } else { ChecksumState::Bad };
        Area { role: TABLE, offset: self.offset, bytes: self.table.encode(), checksum }
    }
}

impl AsrMetadata {
    fn block_area(&self) -> Area {
        let bytes = block::encode_block(&self.block);
        Area { role: BLOCK, offset: self.offset, bytes, checksum: ChecksumState::Absent }
    }

    /// The table, then the block that makes it count.
    fn placed_areas(&self) -> Vec<Area> {
        self.table.iter().map(PlacedTable::area).chain([self.block_area()]).collect()
    }
}

impl Metadata for AsrMetadata {
    fn format(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> String {
        self.block.resver.to_string()
    }

    fn areas(&self) -> Vec<Area> {
        self.placed_areas()
    }

    fn fields(&self) -> Vec<Field> {
        let table = self.table.iter().flat_map(|table| meaning::table_fields(table, &table.area()));
        table.chain(meaning::block_fields(self, &self.block_area())).collect()
    }

    fn check(&self) -> Vec<Problem> {
        check::all(self)
    }

    fn seal(&self, areas: &mut [Area]) {
        for area in areas.iter_mut().filter(|area| area.role == TABLE) {
            block::seal(&mut area.bytes);
        }
    }

    fn view(&self, _device: &Device) -> MemberView {
        view::view(self)
    }
}
