//! What the sections say: the physical disks, the virtual disks, the configuration records.
//!
//! Counts from the disk are bounds, never trusted beyond the section; unused entries are skipped wherever they are.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::copy::signature;
use super::structs::{
    BadBlocksEntry, BadBlocksHead, Guid, NONE, PdEntry, SPARE, SpareEntry, SpareHead, TableHead, VD_CONFIG,
    VENDOR_CONFIG, VdConfig, VdEntry, is_blank,
};
use super::sum::Sum;
use crate::format::schema::{DiskStruct, Endian};
use crate::units::SECTOR_LENGTH;

/// Size of an entry in the tables of disks.
pub(super) const ENTRY: usize = 64;
/// What an element of a virtual disk takes in its configuration: a reference and a start.
const PER_ELEMENT: usize = 12;

/// Where an entry is in its table.
pub(super) fn entry_at(index: usize) -> usize {
    TableHead::SIZE.saturating_add(index.saturating_mul(ENTRY))
}

/// The entries that a table has room for: as many as its head says, or as the section is long.
pub(super) fn entry_count(bytes: &[u8], endian: Endian) -> usize {
    let room = bytes.len().saturating_sub(TableHead::SIZE) / ENTRY;
    let said = TableHead::decode(bytes, endian).map_or(0, |head| usize::from(head.max_entries));
    said.min(room)
}

fn entries<'a, T: DiskStruct + 'a>(bytes: &'a [u8], endian: Endian) -> impl Iterator<Item = (usize, T)> + 'a {
    let table = bytes.get(TableHead::SIZE..).unwrap_or_default();
    let entries = table.chunks_exact(ENTRY).take(entry_count(bytes, endian)).enumerate();
    entries.filter_map(move |(index, entry)| Some((index, T::decode(entry, endian)?)))
}

/// The physical disks, with their places in the table.
pub(super) fn physical_disks(bytes: &[u8], endian: Endian) -> Vec<(usize, PdEntry)> {
    entries(bytes, endian).filter(|(_, entry): &(usize, PdEntry)| entry.is_used()).collect()
}

/// The virtual disks, with their places in the table.
pub(super) fn virtual_disks(bytes: &[u8], endian: Endian) -> Vec<(usize, VdEntry)> {
    entries(bytes, endian).filter(|(_, entry): &(usize, VdEntry)| entry.is_used()).collect()
}

/// What a configuration record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordKind {
    VirtualDisk,
    Spare,
    Vendor,
    /// Nothing is written there.
    Blank,
    Unknown,
}

impl RecordKind {
    /// What the record is, by its first number.
    pub(super) fn of(bytes: &[u8], endian: Endian) -> Self {
        match signature(bytes, endian) {
            Some(VD_CONFIG) => Self::VirtualDisk,
            Some(SPARE) => Self::Spare,
            Some(VENDOR_CONFIG) => Self::Vendor,
            Some(NONE) if is_blank(bytes) => Self::Blank,
            Some(0) if bytes.iter().all(|&byte| byte == 0) => Self::Blank,
            _ => Self::Unknown,
        }
    }
}

/// The elements that a configuration record has room for, by the header's count; 0xffff is no count. None when
/// they do not fit.
pub(super) fn element_room(count: u16, record: usize) -> Option<usize> {
    let room = record.saturating_sub(VdConfig::SIZE) / PER_ELEMENT;
    match usize::from(count) {
        0xffff => Some(room),
        count => (count <= room).then_some(count),
    }
}

/// One disk of a virtual disk, or of an element of a nested one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element {
    /// Which disk; none where it is recorded as missing.
    pub(super) reference: Option<u32>,
    /// Where the data begins on it, in blocks.
    pub(super) start: u64,
}

/// The configuration of a virtual disk, or of one element of a nested one.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Place of the record in the section.
    pub(super) index: usize,
    pub(super) head: VdConfig,
    /// The disks in use, by rank: unused places may lie between them.
    pub(super) elements: Vec<Element>,
    /// The tables fit into the record.
    pub(super) fits: bool,
    /// The checksum is right.
    pub(super) is_sound: bool,
}

/// The virtual disks' configurations among the records. `room` is the header's count of elements.
pub(super) fn configs(bytes: &[u8], record: usize, room: u16, endian: Endian) -> Vec<Config> {
    let records = bytes.chunks_exact(record.max(SECTOR_LENGTH)).enumerate();
    let configs = records.filter(|(_, bytes)| RecordKind::of(bytes, endian) == RecordKind::VirtualDisk);
    let decode = |(index, bytes): (usize, &[u8])| {
        let head = VdConfig::decode(bytes, endian)?;
        let fitting = element_room(room, bytes.len());
        let elements = fitting.map(|room| elements(bytes, room, endian)).unwrap_or_default();
        let is_sound = Sum::find(bytes, &[bytes.len()], endian).is_some();
        Some(Config { index, head, elements, fits: fitting.is_some(), is_sound })
    };
    configs.filter_map(decode).collect()
}

fn elements(bytes: &[u8], room: usize, endian: Endian) -> Vec<Element> {
    let tables = bytes.get(VdConfig::SIZE..).unwrap_or_default();
    let Some((references, starts)) = tables.split_at_checked(room.saturating_mul(4)) else {
        return Vec::new();
    };
    let pairs = references.chunks_exact(4).zip(starts.chunks_exact(8));
    let element = |(reference, start): (&[u8], &[u8])| {
        let reference = signature(reference, endian)?;
        let start = start.try_into().ok()?;
        let start = match endian {
            Endian::Big => u64::from_be_bytes(start),
            Endian::Little => u64::from_le_bytes(start),
        };
        // 0 is what mdadm writes over the reference of a disk that it found missing.
        let disk = (reference != 0).then_some(reference);
        (reference != NONE).then_some(Element { reference: disk, start })
    };
    pairs.filter_map(element).collect()
}

/// The runs of blocks whose content is not where it was, or lost: first block and count.
pub(super) fn bad_blocks(bytes: &[u8], endian: Endian) -> Vec<(u64, u64)> {
    let Some(head) = BadBlocksHead::decode(bytes, endian) else { return Vec::new() };
    let table = bytes.get(BadBlocksHead::SIZE..).unwrap_or_default();
    let entries = table.chunks_exact(BadBlocksEntry::SIZE).take(head.entry_count as usize);
    let entries = entries.filter_map(|entry| BadBlocksEntry::decode(entry, endian));
    entries.map(|entry| (entry.defective_block_start, u64::from(entry.remapped_or_marked_count))).collect()
}

/// The spare assignment among the records: its head, and the virtual disks that the spare is for.
pub(super) fn spare(bytes: &[u8], record: usize, endian: Endian) -> Option<(SpareHead, Vec<Guid>)> {
    let mut records = bytes.chunks_exact(record.max(SECTOR_LENGTH));
    let bytes = records.find(|bytes| RecordKind::of(bytes, endian) == RecordKind::Spare)?;
    let head = SpareHead::decode(bytes, endian)?;
    let table = bytes.get(SpareHead::SIZE..).unwrap_or_default();
    let entries = table.chunks_exact(SpareEntry::SIZE).take(usize::from(head.populated_entries));
    let guids = entries.filter_map(|entry| SpareEntry::decode(entry, endian)).map(|entry| entry.vd_guid);
    Some((head, guids.filter(|guid| !is_blank(guid)).collect()))
}
