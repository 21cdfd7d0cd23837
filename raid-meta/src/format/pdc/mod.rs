//! Promise FastTrak.
//!
//! Every disk has a record of 2048 bytes for each array that it is in, one in front of the other near the end of
//! the disk. A record says which part of the disk the array has, and names all disks of the array by ids of 64
//! bits. Each record is a find of its own: arrays on one disk can have different other disks. The generation of an array
//! rises with every write.
//!
//! The layout is that of captured disks and of what FreeBSD writes; where dmraid reads otherwise, `check` and `view`
//! say what is believed. `place` knows where the records are, `record` has the structure, `fields` its meaning for
//! a dump, `new` makes new sets, `rebuild` puts a new disk into one.

mod check;
mod fields;
mod new;
mod place;
mod rebuild;
mod record;
#[cfg(test)]
mod tests;
mod view;

pub(super) use new::create;
pub(super) use rebuild::renew;

use super::{Format, Found, Metadata, Range, Signature};
use crate::device::{Device, DeviceError};
use crate::model::{Area, Extent, Field, MemberView};
use crate::record::{ChecksumState, Problem};
use crate::units::{Bytes, Sectors};
use record::{FREEBSD_SIGNATURE, Record, SIGNATURE};

const NAME: &str = "pdc";

/// The format.
pub struct Pdc;

impl Format for Pdc {
    fn name(&self) -> &'static str {
        NAME
    }

    fn description(&self) -> &'static str {
        "Promise FastTrak"
    }

    fn whole_disk_only(&self) -> bool {
        true
    }

    fn several_sets(&self) -> bool {
        true
    }

    fn find(&self, device: &Device) -> Result<Vec<Found>, DeviceError> {
        Ok(read(device)?.into_iter().map(PdcMetadata::into_found).collect())
    }

    /// Generations are counted in 16 bits and wrap.
    fn freshest(&self, views: &[&MemberView]) -> (usize, Vec<Problem>) {
        view::freshest(views)
    }

    fn signatures(&self) -> &'static [Signature] {
        &[Signature { bytes: SIGNATURE, at: 0 }, Signature { bytes: FREEBSD_SIGNATURE, at: 0 }]
    }

    fn windows(&self, disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
        place::windows(disk, at)
    }
}

/// All records of a device.
fn read(device: &Device) -> Result<Vec<PdcMetadata>, DeviceError> {
    let Some(first) = place::first(device)? else { return Ok(Vec::new()) };
    let records: Vec<(Sectors, Record)> = place::records(device, first)?
        .into_iter()
        .filter_map(|(sector, bytes)| Some((sector, Record::decode(&bytes)?)))
        .collect();
    let extents: Vec<Extent> = records.iter().map(|(_, record)| check::extent(record)).collect();
    let metadata = records.into_iter().enumerate().map(|(number, (sector, record))| {
        let others = extents.iter().enumerate().filter(|(other, _)| *other != number);
        PdcMetadata { record, sector, first, others: others.map(|(_, extent)| *extent).collect() }
    });
    Ok(metadata.collect())
}

/// One record of one disk.
#[derive(Clone, Debug)]
struct PdcMetadata {
    record: Record,
    /// Where it is.
    sector: Sectors,
    /// Where the first record of the disk is: data ends there.
    first: Sectors,
    /// What other records say is theirs.
    others: Vec<Extent>,
}

impl PdcMetadata {
    fn offset(&self) -> Bytes {
        self.sector.to_bytes().unwrap_or_default()
    }

    fn into_found(self) -> Found {
        Found {
            offset: self.offset(),
            version: None,
            problems: check::damage(&self.record),
            metadata: Some(Box::new(self)),
        }
    }
}

impl Metadata for PdcMetadata {
    fn format(&self) -> &'static str {
        NAME
    }

    /// Records have no version of their own; the word behind the signature was never seen to be another.
    fn version(&self) -> String {
        let word = self.record.head.dummy_0;
        format!("{}.{}", word >> 16, word & 0xffff)
    }

    fn areas(&self) -> Vec<Area> {
        let is_sealed = self.record.computed_checksum() == self.record.tail.checksum;
        let checksum = if is_sealed { ChecksumState::Ok } else { ChecksumState::Bad };
        vec![Area { role: "record", offset: self.offset(), bytes: self.record.encode(), checksum }]
    }

    fn fields(&self) -> Vec<Field> {
        fields::fields(&self.record, self.offset())
    }

    fn check(&self) -> Vec<Problem> {
        let mut problems = check::damage(&self.record);
        problems.extend(check::extents(&self.record, self.first, &self.others));
        problems.extend(check::array(&self.record));
        problems
    }

    fn seal(&self, areas: &mut [Area]) {
        for area in areas {
            if let Some(mut record) = Record::decode(&area.bytes) {
                record.seal();
                area.bytes = record.encode();
            }
        }
    }

    fn view(&self, _device: &Device) -> MemberView {
        view::view(&self.record)
    }
}
