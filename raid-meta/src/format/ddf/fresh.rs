//! A new group: its tables, and on every disk the places of its copies, as mdadm has them.
//!
//! The primary copy begins 16 MiB before the end of the disk, the secondary copy 32 MiB before it, where the data
//! ends.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::copy::{Copy, Kind, Section, Which};
use super::edit::put;
use super::metadata::{Anchor, Ddf};
use super::names::{EPOCH_1980, MDADM};
use super::structs::{
    CONTROLLER, Controller, DISK_DATA, DiskData, Guid, HEADER, Header, NONE, PHYSICAL_DISKS, PdEntry,
    TableHead, VIRTUAL_DISKS, pd_state, pd_type,
};
use super::sum::{Sum, Variant};
use super::tables;
use crate::device::ReadAt;
use crate::format::create::NewSet;
use crate::format::schema::{DiskStruct, Endian};
use crate::format::time::utc;
use crate::units::{Bytes, SECTOR_BYTES, SECTOR_LENGTH, SectorSize};

const BE: Endian = Endian::Big;
/// Disks in an element.
pub(super) const MAX_ELEMENTS: u32 = 256;
/// Sectors at the end of a disk that hold no data.
const RESERVED: u64 = 65_536;
/// Sectors from the primary copy to the end.
const PRIMARY: u64 = 32_768;
const MAX_DISKS: u16 = 1023;
const MAX_VOLUMES: u16 = 255;
const MAX_CONFIGS: u16 = 64;
const CONFIG_BLOCKS: u16 = 7;

/// Offset and length in blocks of the sections.
const SECTIONS: [(Kind, u32, u32); 5] = [
    (Kind::Controller, 1, 1),
    (Kind::PhysicalDisks, 2, 128),
    (Kind::VirtualDisks, 130, 32),
    (Kind::Configurations, 162, 455),
    (Kind::DiskData, 617, 1),
];

/// The metadata of all disks of a new group without volumes; or the index of a disk, and what is wrong with it.
pub(super) fn group(set: &NewSet) -> Result<Vec<Ddf>, (usize, String)> {
    let devices = || set.disks.iter().chain(&set.spares);
    let sizes: Vec<u64> = devices().map(|device| device.size().whole_sectors().0).collect();
    if sizes.len() > usize::from(MAX_DISKS) {
        return Err((usize::from(MAX_DISKS), format!("a group has at most {MAX_DISKS} disks")));
    }
    if let Some(index) = sizes.iter().position(|sectors| *sectors <= RESERVED) {
        let message = format!(
            "{} sectors, expected more than {RESERVED}",
            sizes.get(index).copied().unwrap_or_default()
        );
        return Err((index, message));
    }
    if let Some(index) = devices().position(|device| !device.size().0.is_multiple_of(SECTOR_BYTES)) {
        return Err((index, "its size is not a multiple of 512 bytes".to_owned()));
    }
    let references = references(set, sizes.len());
    let disks: Vec<PdEntry> = sizes
        .iter()
        .zip(&references)
        .enumerate()
        .map(|(index, (sectors, reference))| disk(set, index, *sectors, *reference))
        .collect();
    let shared = Shared {
        header: header(set),
        controller: controller(),
        physical_disks: table(PHYSICAL_DISKS, MAX_DISKS, section_length(Kind::PhysicalDisks), &disks),
        virtual_disks: table(VIRTUAL_DISKS, MAX_VOLUMES, section_length(Kind::VirtualDisks), &[]),
    };
    Ok(disks.iter().zip(sizes).filter_map(|(disk, sectors)| shared.metadata(disk, sectors)).collect())
}

fn section_length(kind: Kind) -> usize {
    let blocks = SECTIONS.into_iter().find(|(other, _, _)| *other == kind).map_or(0, |(_, _, blocks)| blocks);
    (blocks as usize).saturating_mul(SECTOR_LENGTH)
}

/// References that differ, and are neither none nor the mark of a missing disk.
fn references(set: &NewSet, count: usize) -> Vec<u32> {
    let mut references: Vec<u32> = Vec::with_capacity(count);
    for index in 0..count {
        let bytes = set.identity_for(&format!("ddf reference {index}"));
        let mut reference = bytes.first_chunk().map_or(1, |word| u32::from_be_bytes(*word));
        while reference == 0 || reference == NONE || references.contains(&reference) {
            reference = reference.wrapping_add(1);
        }
        references.push(reference);
    }
    references
}

/// Seconds since 1980.
pub(super) fn timestamp(now: u64) -> u32 {
    u32::try_from(now.saturating_sub(EPOCH_1980)).unwrap_or(u32::MAX)
}

/// The identity of a group or a volume: vendor, kind of controller, time, and a number.
pub(super) fn dated_guid(set: &NewSet, purpose: &str) -> Guid {
    let mut guid = [0; 24];
    put(&mut guid, 0, MDADM);
    put(&mut guid, 8, &[0xde, 0xad, 0xbe, 0xef]);
    put(&mut guid, 16, &timestamp(set.now).to_be_bytes());
    put(&mut guid, 20, set.identity_for(&format!("ddf {purpose}")).get(..4).unwrap_or_default());
    guid
}

/// The identity of a disk: vendor, date, and a number.
fn disk_guid(set: &NewSet, index: usize) -> Guid {
    let mut guid = [b'0'; 24];
    put(&mut guid, 0, MDADM);
    let date: String =
        utc(set.now).unwrap_or_default().chars().filter(char::is_ascii_digit).take(8).collect();
    put(&mut guid, 8, date.as_bytes());
    put(&mut guid, 16, set.identity_for(&format!("ddf disk {index}")).get(..8).unwrap_or_default());
    guid
}

fn disk(set: &NewSet, index: usize, sectors: u64, reference: u32) -> PdEntry {
    let mut path_information = [0; 18];
    put(&mut path_information, 0, b" Information: nil");
    PdEntry {
        pd_guid: disk_guid(set, index),
        pd_reference: reference,
        pd_type: pd_type::FORCED_GUID | pd_type::GLOBAL_SPARE,
        pd_state: pd_state::ONLINE,
        configured_size: sectors.saturating_sub(RESERVED),
        path_information,
        block_size: if is_version_2(set) { 512 } else { u16::MAX },
        pad_3c: [0xff; 4],
    }
}

/// Versions that can be made, as they are recorded, the usual one first: it is what mdadm reads.
pub(super) const VERSIONS: [&str; 2] = ["01.02.00", "02.00.00"];

fn is_version_2(set: &NewSet) -> bool {
    set.version.as_deref() == Some("02.00.00")
}

/// The block size in a configuration: recorded since version 2.0.
pub(super) fn block_size_field(ddf: &Ddf) -> u16 {
    let is_2 = ddf.header().is_some_and(|header| header.ddf_rev.starts_with(b"02"));
    if is_2 { u16::try_from(ddf.block.bytes().0).unwrap_or(u16::MAX) } else { u16::MAX }
}

fn blank<T: DiskStruct>() -> Option<T> {
    T::decode(&vec![0xff; T::SIZE], BE)
}

fn header(set: &NewSet) -> Option<Header> {
    let place = |kind: Kind| SECTIONS.into_iter().find(|(other, _, _)| *other == kind);
    let (offset, length) = (
        |kind| place(kind).map_or(NONE, |(_, offset, _)| offset),
        |kind| place(kind).map_or(0, |(_, _, length)| length),
    );
    Some(Header {
        signature: HEADER,
        ddf_header_guid: dated_guid(set, "group"),
        ddf_rev: *if is_version_2(set) { b"02.00.00" } else { b"01.02.00" },
        // Counted up once before it is written.
        sequence_number: 2,
        timestamp: timestamp(set.now),
        open_flag: 0,
        foreign_flag: 0,
        disk_grouping: 0,
        workspace_length: u32::try_from(PRIMARY).ok()?,
        max_pd_entries: MAX_DISKS,
        max_vd_entries: MAX_VOLUMES,
        max_partitions: MAX_CONFIGS,
        configuration_record_length: CONFIG_BLOCKS,
        max_primary_element_entries: u16::try_from(MAX_ELEMENTS).ok()?,
        controller_data_offset: offset(Kind::Controller),
        controller_data_length: length(Kind::Controller),
        physical_disk_records_offset: offset(Kind::PhysicalDisks),
        physical_disk_records_length: length(Kind::PhysicalDisks),
        virtual_disk_records_offset: offset(Kind::VirtualDisks),
        virtual_disk_records_length: length(Kind::VirtualDisks),
        configuration_records_offset: offset(Kind::Configurations),
        configuration_records_length: length(Kind::Configurations),
        physical_disk_data_offset: offset(Kind::DiskData),
        physical_disk_data_length: length(Kind::DiskData),
        bbm_log_length: 0,
        diagnostic_space_length: 0,
        vendor_specific_logs_length: 0,
        ..blank()?
    })
}

/// The controller is nobody's: no host is recorded, as mdadm does where it knows none.
fn controller() -> Option<Controller> {
    const HOST: &[u8] = b"(none)";
    let mut controller_guid = [b' '; 24];
    put(&mut controller_guid, 0, MDADM);
    put(&mut controller_guid, 18, HOST);
    let mut vendor_data = [0xff; 448];
    put(&mut vendor_data, 0, b"(none)\0");
    Some(Controller {
        signature: CONTROLLER,
        controller_guid,
        vendor_id: 0xdead,
        device_id: 0xbeef,
        sub_vendor_id: 0,
        sub_device_id: 0,
        product_id: *b"raid-meta       ",
        vendor_data,
        ..blank()?
    })
}

fn table(signature: u32, max_entries: u16, length: usize, disks: &[PdEntry]) -> Vec<u8> {
    let mut bytes = vec![0xff; length];
    let populated_entries = u16::try_from(disks.len()).unwrap_or(u16::MAX);
    let head = TableHead { signature, crc: NONE, populated_entries, max_entries, pad_0c: [0xff; 52] };
    put(&mut bytes, 0, &head.encode(BE));
    for (index, disk) in disks.iter().enumerate() {
        put(&mut bytes, tables::entry_at(index), &disk.encode(BE));
    }
    bytes
}

/// What all disks of the group have alike.
struct Shared {
    header: Option<Header>,
    controller: Option<Controller>,
    physical_disks: Vec<u8>,
    virtual_disks: Vec<u8>,
}

impl Shared {
    fn metadata(&self, disk: &PdEntry, sectors: u64) -> Option<Ddf> {
        let header = Header {
            primary_header_lba: sectors.checked_sub(PRIMARY)?,
            secondary_header_lba: sectors.checked_sub(RESERVED)?,
            workspace_lba: sectors.checked_sub(RESERVED)?,
            ..self.header.clone()?
        };
        let mut vendor_scratch = [b' '; 32];
        put(&mut vendor_scratch, 0, b"Linux");
        let data = DiskData {
            signature: DISK_DATA,
            pd_guid: disk.pd_guid,
            pd_reference: disk.pd_reference,
            forced_reference_flag: 1,
            forced_guid_flag: 1,
            vendor_scratch,
            ..blank()?
        };
        let anchor = Header { sequence_number: NONE, open_flag: 0xff, header_type: 0, ..header.clone() };
        let block = SectorSize::B512;
        let configs: Vec<u8> = vec![0xff; section_length(Kind::Configurations)];
        let content = |kind: Kind| -> Option<Vec<u8>> {
            Some(match kind {
                Kind::Controller => self.controller.as_ref()?.encode(BE),
                Kind::PhysicalDisks => self.physical_disks.clone(),
                Kind::VirtualDisks => self.virtual_disks.clone(),
                Kind::Configurations => configs.clone(),
                _ => data.encode(BE),
            })
        };
        let copy = |which: Which| -> Option<Copy> {
            let header = Header { header_type: which.header_type(), ..header.clone() };
            let at = which.lba(&header);
            let record = super::read::record_length(&header, block);
            let section = |(kind, offset, _): (Kind, u32, u32)| {
                let offset = at.checked_add(u64::from(offset))?.checked_mul(SECTOR_BYTES)?;
                Some(Section::sealed(kind, Bytes(offset), content(kind)?, record, BE, SUM))
            };
            Some(Copy {
                which,
                offset: Bytes(at.checked_mul(SECTOR_BYTES)?),
                bytes: header.encode(BE),
                sum: Some(SUM),
                sections: SECTIONS.into_iter().filter_map(section).collect(),
                problems: Vec::new(),
                header,
            })
        };
        Some(Ddf {
            block,
            size: Bytes(sectors.checked_mul(SECTOR_BYTES)?),
            endian: BE,
            primary: Some(copy(Which::Primary)?),
            secondary: Some(copy(Which::Secondary)?),
            anchor: Some(Anchor {
                offset: Bytes(sectors.checked_sub(1)?.checked_mul(SECTOR_BYTES)?),
                bytes: anchor.encode(BE),
                header: anchor,
                sum: Some(SUM),
            }),
            problems: Vec::new(),
        })
    }
}

const SUM: Sum = Sum { variant: Variant::Plain, length: Header::SIZE };

/// A number of four bytes.
pub(super) fn word(number: u32, endian: Endian) -> [u8; 4] {
    match endian {
        Endian::Big => number.to_be_bytes(),
        Endian::Little => number.to_le_bytes(),
    }
}

/// A number of eight bytes.
pub(super) fn long(number: u64, endian: Endian) -> [u8; 8] {
    match endian {
        Endian::Big => number.to_be_bytes(),
        Endian::Little => number.to_le_bytes(),
    }
}
