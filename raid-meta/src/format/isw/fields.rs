//! Every byte of the metadata as a named field, at its place on the device.
//!
//! Where the MPB takes several sectors, its first sector is behind the others on the device. A field that begins in
//! the first sector and ends in the next is then in two places: it is given as two fields, `….part[0]` and `….part[1]`,
//! each with the bytes of its own place.

use super::bbm::{BadBlocks, Entry, LogHead};
use super::codec::encode_logical;
use super::meaning::{self, Units};
use super::migration::{Record, RecordSector};
use super::mpb::{Disk, Header, Map, MapHead, Mpb, VolumeHead, VolumeState};
use super::names;
use crate::format::schema::{DiskStruct, Encoding, Endian, FieldWalk, Repr, field_value};
use crate::model::Field;
use crate::units::{Bytes, SECTOR_BYTES};

const LE: Endian = Endian::Little;

/// The fields of the MPB, in device order.
pub(super) fn mpb_fields(mpb: &Mpb) -> Vec<Field> {
    let logical = encode_logical(mpb);
    let mut walk = Walk { walk: FieldWalk::new(&logical, Bytes::ZERO, LE), at: 0, units: units(mpb) };
    walk.tables(mpb);
    let fields = walk.walk.finish();
    let mut placed: Vec<Field> = fields.into_iter().flat_map(|field| place(mpb, &logical, field)).collect();
    placed.sort_by_key(|field| field.offset);
    placed
}

/// The fields of the last sector.
pub(super) fn migration_fields(mpb: &Mpb, sector: &RecordSector) -> Vec<Field> {
    let bytes = sector.encode();
    let units = units(mpb);
    let mut walk = FieldWalk::new(&bytes, mpb.place.migration_record(), LE);
    walk.structure::<Record>("migr_record", "migration.", 0, |name, value| units.migration(name, value));
    walk.field("migr_record", "migration.sector_tail", Record::SIZE, sector.tail.len(), Repr::Raw, None);
    walk.finish()
}

fn units(mpb: &Mpb) -> Units {
    Units { block: mpb.scale().saturating_mul(SECTOR_BYTES) }
}

fn container_text(mpb: &Mpb) -> String {
    format!("container UUID {}", names::container_uuid(mpb))
}

struct Walk<'a> {
    walk: FieldWalk<'a>,
    at: usize,
    units: Units,
}

impl Walk<'_> {
    fn tables(&mut self, mpb: &Mpb) {
        let Self { walk, units, .. } = self;
        walk.structure::<Header>("imsm_super", "", 0, |name, value| match name {
            "family_num" if mpb.header.orig_family_num == 0 => Some(container_text(mpb)),
            "orig_family_num" if mpb.header.orig_family_num != 0 => Some(container_text(mpb)),
            _ => units.header(name, value),
        });
        self.at += Header::SIZE;
        for index in 0..mpb.disks.len() {
            let Self { walk, at, units } = self;
            let prefix = format!("disk[{index}].");
            walk.structure::<Disk>("imsm_disk", &prefix, *at, |name, value| units.disk(name, value));
            self.at += Disk::SIZE;
        }
        for (index, volume) in mpb.volumes.iter().enumerate() {
            self.volume_head(index, &names::volume_uuid(mpb, index, volume));
            for (number, map) in volume.maps().enumerate() {
                self.map(&format!("dev[{index}].vol.map[{number}]."), map);
            }
        }
        self.raw("padding", mpb.padding.len());
        if let Some(log) = &mpb.bad_blocks {
            self.bad_blocks(log);
        }
        self.raw("sector_tail", mpb.sector_tail.len());
    }

    fn volume_head(&mut self, index: usize, uuid: &str) {
        let Self { walk, at, units } = self;
        let prefix = format!("dev[{index}].");
        walk.structure::<VolumeHead>("imsm_dev", &prefix, *at, |name, value| match name {
            "volume" => Some(format!("volume UUID {uuid}")),
            _ => units.volume(name, value),
        });
        *at += VolumeHead::SIZE;
        let prefix = format!("dev[{index}].vol.");
        walk.structure::<VolumeState>("imsm_vol", &prefix, *at, |name, value| units.state(name, value));
        *at += VolumeState::SIZE;
    }

    fn map(&mut self, prefix: &str, map: &Map) {
        let Self { walk, at, units } = self;
        walk.structure::<MapHead>("imsm_map", prefix, *at, |name, value| units.map(name, value));
        *at += MapHead::SIZE;
        for (slot, entry) in map.disk_ord_tbl.iter().enumerate() {
            let name = format!("{prefix}disk_ord_tbl[{slot}]");
            walk.field("imsm_map", name, *at, 4, Repr::Hex, Some(meaning::slot_entry(*entry)));
            *at += 4;
        }
    }

    fn bad_blocks(&mut self, log: &BadBlocks) {
        let Self { walk, at, .. } = self;
        walk.structure::<LogHead>("bbm_log", "bbm.", *at, |_, _| None);
        *at += LogHead::SIZE;
        for index in 0..log.entries.len() {
            let prefix = format!("bbm.entry[{index}].");
            walk.structure::<Entry>("bbm_log_entry", &prefix, *at, Units::bad_blocks);
            *at += Entry::SIZE;
        }
    }

    fn raw(&mut self, name: &str, length: usize) {
        self.walk.field("imsm_super", name, self.at, length, Repr::Raw, None);
        self.at += length;
    }
}

/// Moves a field from its logical offset to its place on the device, or to its two places.
fn place(mpb: &Mpb, logical: &[u8], field: Field) -> Vec<Field> {
    let start = usize::try_from(field.offset.0).unwrap_or(usize::MAX);
    let end = start.saturating_add(field.size as usize);
    let border = mpb.place.sector();
    if end <= border || start >= border || mpb.place.count == 1 {
        return vec![Field { offset: mpb.place.device_offset(start), ..field }];
    }
    let whole = logical.get(start..end).unwrap_or_default();
    let repr = if field.value == field_value(whole, Repr::Raw, LE) { Repr::Raw } else { Repr::Text };
    let meaning = field.meaning.map_or(String::new(), |meaning| format!(": {meaning}"));
    let part = |number: usize, start: usize, end: usize| Field {
        name: format!("{}.part[{number}]", field.name),
        offset: mpb.place.device_offset(start),
        size: u32::try_from(end - start).unwrap_or(u32::MAX),
        encoding: Encoding { repr, endian: LE },
        value: field_value(logical.get(start..end).unwrap_or_default(), repr, LE),
        meaning: Some(format!("part {} of 2 of {}{meaning}", number + 1, field.name)),
        structure: field.structure.clone(),
    };
    vec![part(0, start, border), part(1, border, end)]
}
