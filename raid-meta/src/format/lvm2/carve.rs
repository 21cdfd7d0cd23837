//! A physical volume found by its label in the middle of something.

use super::label::{ID, Label};
use crate::device::{Device, DeviceError, ReadAt};
use crate::format::{Range, Signature};
use crate::units::{Bytes, SECTOR_BYTES, SECTOR_LENGTH};

pub(super) const SIGNATURES: [Signature; 1] = [Signature { bytes: ID, at: 0 }];

/// The device that begins so many sectors before the label as the label says, and is as long as it says.
pub(super) fn windows(disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
    let Some(bytes) = disk.read(at, SECTOR_LENGTH)? else { return Ok(Vec::new()) };
    let Some(label) = Label::decode(&bytes, at) else { return Ok(Vec::new()) };
    let before =
        label.header.sector.checked_mul(SECTOR_BYTES).and_then(|before| at.checked_sub(Bytes(before)));
    let is_sound =
        label.header.crc == label.computed_checksum() && label.header.sector < super::label::SECTORS;
    let Some(offset) = before.filter(|_| is_sound) else { return Ok(Vec::new()) };
    let rest = disk.size().saturating_sub(offset);
    let length = match label.pv.device_size {
        0 => rest,
        size => rest.min(Bytes(size)),
    };
    Ok(vec![Range { offset, length }])
}
