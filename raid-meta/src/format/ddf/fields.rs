//! Every byte of the metadata as a named field.
//!
//! Names begin with the copy: `primary.physical_disks[2].pd_state`. Entries and records that are blank are one field
//! each, `….unused`.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::copy::{Copy, Kind, Section, signature};
use super::meaning::{self, Units};
use super::metadata::Ddf;
use super::read::record_length;
use super::structs::{
    BadBlocksEntry, BadBlocksHead, Controller, DiskData, Header, PdEntry, SpareEntry, SpareHead, TableHead,
    VdConfig, VdEntry, VendorConfig, VendorLogHead, is_blank,
};
use super::sum::Sum;
use super::tables::{self, ENTRY, RecordKind};
use crate::format::schema::{DiskStruct, Endian, FieldWalk, Repr};
use crate::model::Field;
use crate::units::Bytes;
use serde_json::Value;

/// All fields, in the order of the areas.
pub(super) fn all(ddf: &Ddf) -> Vec<Field> {
    let units = Units { block: ddf.block.bytes().0 };
    let anchor = ddf
        .anchor
        .iter()
        .flat_map(|anchor| header(&anchor.bytes, anchor.offset, "anchor", anchor.sum, units, ddf.endian));
    ddf.copies().flat_map(|copy| of_copy(ddf, copy, units)).chain(anchor).collect()
}

fn of_copy(ddf: &Ddf, copy: &Copy, units: Units) -> Vec<Field> {
    let name = copy.which.name();
    let mut fields = Vec::new();
    for section in &copy.sections {
        let mut walk = Walk {
            walk: FieldWalk::new(&section.bytes, section.offset, ddf.endian),
            bytes: &section.bytes,
            section,
            at: 0,
            units,
            endian: ddf.endian,
            prefix: format!("{name}.{}", section.kind.name()),
        };
        walk.section(&copy.header, record_length(&copy.header, ddf.block));
        fields.extend(walk.walk.finish());
    }
    fields.extend(header(&copy.bytes, copy.offset, &format!("{name}.header"), copy.sum, units, ddf.endian));
    fields
}

fn sum_text(sum: Option<Sum>) -> String {
    sum.map_or_else(|| "wrong".to_owned(), |sum| format!("correct ({})", sum.variant.name()))
}

fn header(
    bytes: &[u8],
    offset: Bytes,
    prefix: &str,
    sum: Option<Sum>,
    units: Units,
    endian: Endian,
) -> Vec<Field> {
    let mut walk = FieldWalk::new(bytes, offset, endian);
    walk.structure::<Header>("ddf_header", &format!("{prefix}."), 0, |name, value| match name {
        "crc" => Some(sum_text(sum)),
        _ => units.header(name, value),
    });
    let rest = bytes.len().saturating_sub(Header::SIZE);
    walk.field("ddf_header", format!("{prefix}.block_tail"), Header::SIZE, rest, Repr::Raw, None);
    walk.finish()
}

/// A walk over one section.
struct Walk<'a> {
    walk: FieldWalk<'a>,
    bytes: &'a [u8],
    section: &'a Section,
    at: usize,
    units: Units,
    endian: Endian,
    prefix: String,
}

impl Walk<'_> {
    fn section(&mut self, header: &Header, record: usize) {
        if self.section.problem.is_some() {
            return self.rest("raw");
        }
        let units = self.units;
        match self.section.kind {
            Kind::Controller => {
                self.one::<Controller>("ddf_controller", |name, value| units.controller(name, value))
            }
            Kind::DiskData => {
                self.one::<DiskData>("ddf_disk_data", |name, value| units.disk_data(name, value))
            }
            Kind::PhysicalDisks => {
                self.table::<PdEntry>("ddf_phys_disk", |name, value| units.physical_disk(name, value));
            }
            Kind::VirtualDisks => {
                self.table::<VdEntry>("ddf_virt_disk", |name, value| units.virtual_disk(name, value));
            }
            Kind::Configurations => self.records(header, record),
            Kind::BadBlocks => self.bad_blocks(),
            Kind::VendorLogs => self.one::<VendorLogHead>("ddf_vendor_log", |_, _| None),
            Kind::Diagnostics => {}
        }
        self.rest("rest");
    }

    /// All bytes that are left, as one field.
    fn rest(&mut self, name: &str) {
        let length = self.bytes.len().saturating_sub(self.at);
        let name = format!("{}.{name}", self.prefix);
        self.walk.field("ddf_section", name, self.at, length, Repr::Raw, None);
        self.at = self.bytes.len();
    }

    /// A structure, its checksum explained.
    fn structure<T: DiskStruct>(
        &mut self,
        structure: &str,
        prefix: &str,
        meaning: impl Fn(&str, &Value) -> Option<String>,
    ) {
        let at = self.at;
        let part = self.section.parts.iter().find(|part| part.at == at);
        self.walk.structure::<T>(structure, prefix, at, |name, value| match (name, part) {
            ("crc", Some(part)) => Some(sum_text(part.sum)),
            _ => meaning(name, value),
        });
        self.at = at.saturating_add(T::SIZE);
    }

    fn fits(&self, length: usize) -> bool {
        self.at.checked_add(length).is_some_and(|end| end <= self.bytes.len())
    }

    fn one<T: DiskStruct>(&mut self, structure: &str, meaning: impl Fn(&str, &Value) -> Option<String>) {
        if self.fits(T::SIZE) {
            let prefix = format!("{}.", self.prefix);
            self.structure::<T>(structure, &prefix, meaning);
        }
    }

    /// The head of a table, and its entries.
    fn table<T: DiskStruct>(&mut self, structure: &str, meaning: impl Fn(&str, &Value) -> Option<String>) {
        self.one::<TableHead>("ddf_table", |_, _| None);
        for index in 0..tables::entry_count(self.bytes, self.endian) {
            let prefix = format!("{}[{index}].", self.prefix);
            if self.is_blank(ENTRY) {
                self.raw(structure, &format!("{prefix}unused"), ENTRY);
            } else {
                self.structure::<T>(structure, &prefix, &meaning);
            }
        }
    }

    fn is_blank(&self, length: usize) -> bool {
        let end = self.at.saturating_add(length);
        self.bytes.get(self.at..end).is_some_and(is_blank)
    }

    fn raw(&mut self, structure: &str, name: &str, length: usize) {
        self.walk.field(structure, name, self.at, length, Repr::Raw, None);
        self.at = self.at.saturating_add(length);
    }

    /// The configuration records, each to its end.
    fn records(&mut self, header: &Header, record: usize) {
        for (index, bytes) in self.bytes.chunks_exact(record).enumerate() {
            let end = self.at.saturating_add(bytes.len());
            let prefix = format!("{}[{index}].", self.prefix);
            let units = self.units;
            match RecordKind::of(bytes, self.endian) {
                RecordKind::VirtualDisk => {
                    self.structure::<VdConfig>("ddf_vd_config", &prefix, |name, value| {
                        units.config(name, value)
                    });
                    self.elements(&prefix, bytes, header.max_primary_element_entries);
                }
                RecordKind::Spare => self.spare(&prefix, bytes),
                RecordKind::Vendor => {
                    self.structure::<VendorConfig>("ddf_vendor_config", &prefix, |_, _| None)
                }
                RecordKind::Blank => self.raw("ddf_config_record", &format!("{prefix}unused"), bytes.len()),
                RecordKind::Unknown => {
                    let name = format!("{prefix}signature");
                    self.walk.field("ddf_config_record", name, self.at, 4, Repr::Hex, None);
                    self.at = self.at.saturating_add(4);
                }
            }
            let rest = end.saturating_sub(self.at);
            self.raw("ddf_config_record", &format!("{prefix}rest"), rest);
        }
    }

    /// The two tables behind a configuration, as far as they are used.
    fn elements(&mut self, prefix: &str, record: &[u8], room: u16) {
        const REFERENCE: usize = 4;
        const START: usize = 8;
        let Some(room) = tables::element_room(room, record.len()) else { return };
        let tables = record.get(VdConfig::SIZE..).unwrap_or_default();
        let references: Vec<u32> = tables
            .chunks_exact(REFERENCE)
            .take(room)
            .filter_map(|word| signature(word, self.endian))
            .collect();
        let count =
            VdConfig::decode(record, self.endian).map_or(0, |head| usize::from(head.primary_element_count));
        let last = references.iter().rposition(|&reference| reference != u32::MAX);
        let used = last.map_or(0, |last| last.saturating_add(1)).max(count).min(room);
        for (slot, reference) in references.iter().take(used).enumerate() {
            let name = format!("{prefix}physical_disk_sequence[{slot}]");
            self.walk.field(
                "ddf_vd_config",
                name,
                self.at,
                REFERENCE,
                Repr::Hex,
                meaning::reference(*reference),
            );
            self.at = self.at.saturating_add(REFERENCE);
        }
        let unused = room.saturating_sub(used);
        self.raw(
            "ddf_vd_config",
            &format!("{prefix}physical_disk_sequence.unused"),
            unused.saturating_mul(REFERENCE),
        );
        for slot in 0..used {
            let name = format!("{prefix}starting_block[{slot}]");
            self.walk.field("ddf_vd_config", name, self.at, START, Repr::Unsigned, None);
            self.at = self.at.saturating_add(START);
        }
        self.raw("ddf_vd_config", &format!("{prefix}starting_block.unused"), unused.saturating_mul(START));
    }

    fn spare(&mut self, prefix: &str, record: &[u8]) {
        let units = self.units;
        self.structure::<SpareHead>("ddf_spare", prefix, |name, value| units.spare(name, value));
        let room = record.len().saturating_sub(SpareHead::SIZE) / SpareEntry::SIZE;
        let count =
            SpareHead::decode(record, self.endian).map_or(0, |head| usize::from(head.populated_entries));
        for index in 0..count.min(room) {
            let prefix = format!("{prefix}entry[{index}].");
            self.structure::<SpareEntry>("ddf_spare", &prefix, |name, value| units.spare(name, value));
        }
    }

    /// The log, and as many entries as it says, if they are there.
    fn bad_blocks(&mut self) {
        let units = self.units;
        self.one::<BadBlocksHead>("ddf_bad_blocks", |_, _| None);
        let room = self.bytes.len().saturating_sub(BadBlocksHead::SIZE) / BadBlocksEntry::SIZE;
        let count =
            BadBlocksHead::decode(self.bytes, self.endian).map_or(0, |head| head.entry_count as usize);
        for index in 0..count.min(room) {
            let prefix = format!("{}[{index}].", self.prefix);
            self.structure::<BadBlocksEntry>("ddf_bad_blocks", &prefix, |name, value| {
                units.bad_blocks(name, value)
            });
        }
    }
}
