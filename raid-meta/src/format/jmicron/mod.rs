//! JMicron JMB36x.
//!
//! The first 128 bytes of the last sector say what the disk is and which disks the array has, by ids of 28 bits. There is
//! no identity of the array beside that list, no copy and no generation.
//!
//! dmraid and FreeBSD's driver disagree on the unit of the offset and on the flags; `check` and `view` say what is
//! believed. `block` has the structure, `new` makes new sets, `rebuild` puts a new disk into one.

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
use block::Block;

const NAME: &str = "jmicron";

/// Sectors of the metadata, the last of the disk.
const TRAILER: Sectors = Sectors(1);

/// The format.
pub struct Jmicron;

impl Format for Jmicron {
    fn name(&self) -> &'static str {
        NAME
    }

    fn description(&self) -> &'static str {
        "JMicron JMB36x"
    }

    fn whole_disk_only(&self) -> bool {
        true
    }

    fn find(&self, device: &Device) -> Result<Vec<Found>, DeviceError> {
        Ok(read(device)?.map(JmicronMetadata::into_found).into_iter().collect())
    }

    fn freshest(&self, views: &[&MemberView]) -> (usize, Vec<Problem>) {
        view::freshest(views)
    }

    /// With the only version there is, so that a search is not stopped by every two letters.
    fn signatures(&self) -> &'static [Signature] {
        &[Signature { bytes: b"JM\x01\0", at: 0 }]
    }

    fn windows(&self, disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
        Trailer(TRAILER).windows(disk, at, |bytes| {
            let block = Block::decode(bytes).filter(|block| block.is_signed() && block.is_sealed())?;
            let least = block.offset(Sectors::MAX).saturating_add(block.length());
            Some((least, Sectors(u64::from(block.chunk_sectors().unwrap_or(2)))))
        })
    }
}

fn read(device: &Device) -> Result<Option<JmicronMetadata>, DeviceError> {
    let Some((offset, bytes)) = Trailer(TRAILER).read(device)? else { return Ok(None) };
    Ok(JmicronMetadata::decode(&bytes, offset, device.length_sectors()))
}

/// The metadata of one disk.
#[derive(Clone, Debug)]
struct JmicronMetadata {
    block: Block,
    offset: Bytes,
    /// Size of the disk.
    disk: Sectors,
}

impl JmicronMetadata {
    /// What the bytes say, if they are ours. Two letters prove nothing: either the checksum is right, or all that
    /// has few possible values has one of them.
    fn decode(bytes: &[u8], offset: Bytes, disk: Sectors) -> Option<Self> {
        let block = Block::decode(bytes)?;
        let is_ours = block.is_signed() && (block.is_sealed() || block.is_plausible());
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

    fn damage(&self) -> Vec<Problem> {
        if self.block.is_sealed() {
            return Vec::new();
        }
        let (found, computed) = (self.block.head.checksum, self.block.computed_checksum(0));
        let message = format!("checksum is {found:#06x}, computed {computed:#06x}");
        vec![Problem::error("checksum", message)]
    }
}

impl Metadata for JmicronMetadata {
    fn format(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> String {
        let [minor, major] = self.block.head.version.to_le_bytes();
        format!("{major}.{minor}")
    }

    fn areas(&self) -> Vec<Area> {
        let checksum = if self.block.is_sealed() { ChecksumState::Ok } else { ChecksumState::Bad };
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

    /// The sum stays what it was, 0 or 1: both are in use, and nobody knows what makes the difference.
    fn seal(&self, areas: &mut [Area]) {
        let residue = if self.block.is_sealed() { self.block.residue() } else { 0 };
        for area in areas {
            if let Some(mut block) = Block::decode(&area.bytes) {
                block.head.checksum = block.computed_checksum(residue);
                area.bytes = block.encode();
            }
        }
    }

    fn view(&self, device: &Device) -> MemberView {
        view::view(&self.block, device.length_sectors())
    }
}
