//! NVIDIA NVRAID, later MediaShield.
//!
//! The last but one sector of each disk holds 120 bytes: what the disk is, and the array that it is in. All members
//! have the same array part; `unit_number` is the position of the disk. There is no copy and no generation: a disk
//! that has left the array is told by the signature of the array, which changes.
//!
//! The layout is the one NVIDIA published; what firmware fills in was seen on captured disks. `block` has the structure,
//! `check` its rules, `view` what it means, `new` makes new sets, `rebuild` puts a new disk into one.

mod block;
mod check;
mod new;
mod rebuild;
#[cfg(test)]
mod tests;
mod view;

pub(super) use new::create;
pub(super) use rebuild::renew;

use super::vendor::Trailer;
use super::{Format, Found, Metadata, Range, Signature};
use crate::device::{Device, DeviceError};
use crate::model::{Area, Field, MemberView};
use crate::record::{ChecksumState, Problem};
use crate::units::{Bytes, Sectors};
use block::{Block, VENDOR};

const NAME: &str = "nvidia";

/// Sectors from the metadata to the end of the disk.
const TRAILER: Sectors = Sectors(2);

/// The format.
pub struct Nvidia;

impl Format for Nvidia {
    fn name(&self) -> &'static str {
        NAME
    }

    fn description(&self) -> &'static str {
        "NVIDIA NVRAID, MediaShield"
    }

    fn whole_disk_only(&self) -> bool {
        true
    }

    fn find(&self, device: &Device) -> Result<Vec<Found>, DeviceError> {
        Ok(read(device)?.map(NvidiaMetadata::into_found).into_iter().collect())
    }

    fn signatures(&self) -> &'static [Signature] {
        &[Signature { bytes: VENDOR, at: 0 }]
    }

    fn windows(&self, disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
        Trailer(TRAILER).windows(disk, at, |bytes| {
            let block = Block::decode(bytes).filter(Block::is_sealed)?;
            let least = match view::recorded_length(&block) {
                // A JBOD does not say how long its disks are.
                Sectors::ZERO => Sectors::MAX,
                length => length,
            };
            Some((least, Sectors(u64::from(block.array.stripe_block_size))))
        })
    }
}

fn read(device: &Device) -> Result<Option<NvidiaMetadata>, DeviceError> {
    let Some((offset, bytes)) = Trailer(TRAILER).read(device)? else { return Ok(None) };
    Ok(NvidiaMetadata::decode(&bytes, offset, device.length_sectors()))
}

/// The metadata of one disk.
#[derive(Clone, Debug)]
struct NvidiaMetadata {
    block: Block,
    offset: Bytes,
    /// Size of the disk.
    disk: Sectors,
}

impl NvidiaMetadata {
    /// What the bytes say, if they are ours. Readers differ in how many bytes of the vendor's name they compare; where
    /// the blanks at its end are not there, the checksum has to be right.
    fn decode(bytes: &[u8], offset: Bytes, disk: Sectors) -> Option<Self> {
        let block = Block::decode(bytes)?;
        let is_ours = block.unit.vendor == *VENDOR
            || block.unit.vendor.starts_with(VENDOR.trim_ascii_end()) && block.is_sealed();
        is_ours.then_some(Self { block, offset, disk })
    }

    fn into_found(self) -> Found {
        Found {
            offset: self.offset,
            version: Some(self.version()),
            problems: self.damage(),
            metadata: Some(Box::new(self)),
        }
    }

    /// What makes the metadata not to be believed.
    fn damage(&self) -> Vec<Problem> {
        let unit = &self.block.unit;
        match self.block.computed_checksum() {
            None => {
                let message = format!("size is {} words, expected 30", unit.size);
                vec![Problem::error("size", message)]
            }
            Some(computed) if computed != unit.chksum => {
                let message = format!("checksum is {:#010x}, computed {computed:#010x}", unit.chksum);
                vec![Problem::error("checksum", message)]
            }
            Some(_) => Vec::new(),
        }
    }
}

impl Metadata for NvidiaMetadata {
    fn format(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> String {
        self.block.unit.version.to_string()
    }

    fn areas(&self) -> Vec<Area> {
        let checksum = match self.block.computed_checksum() {
            None => ChecksumState::Unchecked,
            Some(computed) if computed == self.block.unit.chksum => ChecksumState::Ok,
            Some(_) => ChecksumState::Bad,
        };
        vec![Area { role: "metadata", offset: self.offset, bytes: self.block.encode(), checksum }]
    }

    fn fields(&self) -> Vec<Field> {
        self.block.fields(self.offset)
    }

    fn check(&self) -> Vec<Problem> {
        let mut problems = self.damage();
        problems.extend(check::all(&self.block, self.disk));
        problems
    }

    fn seal(&self, areas: &mut [Area]) {
        for area in areas {
            if let Some(mut block) = Block::decode(&area.bytes) {
                block.seal();
                area.bytes = block.encode();
            }
        }
    }

    fn view(&self, device: &Device) -> MemberView {
        view::view(&self.block, device.length_sectors())
    }
}
