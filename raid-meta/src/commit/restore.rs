//! Saved regions back to where they came from: undo files and backups.

use super::{Plan, PlannedDisk, sha256};
use crate::device::{Device, DeviceError, ReadAt};
use crate::record::{RegionRecord, V1};
use crate::units::Bytes;

/// Why a region can not be put back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// What was saved is not what is in the record.
    #[error("{device}: the region at {offset}: {message}")]
    Region {
        /// Which device.
        device: String,
        /// Where.
        offset: Bytes,
        /// What is wrong: what, found, expected.
        message: String,
    },
    /// The device is not the one that it was saved from.
    #[error("{device}: {what} is {found}, the region was saved from one with {expected}")]
    OtherDevice {
        /// Which device.
        device: String,
        /// `size` or `serial number`.
        what: &'static str,
        /// What the device has.
        found: String,
        /// What the record says.
        expected: String,
    },
    /// It can not be read.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

/// The record of saved bytes.
pub(crate) fn region(
    disk: Option<&PlannedDisk>,
    offset: Bytes,
    bytes: &[u8],
    what: Option<String>,
) -> RegionRecord {
    RegionRecord {
        v: V1,
        device: disk.map(|disk| disk.name.clone()).unwrap_or_default(),
        offset_bytes: offset,
        length_bytes: Bytes(bytes.len() as u64),
        sha256: sha256(bytes),
        hex: hex::encode(bytes),
        device_size_bytes: disk.map(|disk| disk.size),
        serial: disk.and_then(|disk| disk.serial.clone()),
        what,
    }
}

/// Saves bytes of a device window, in pieces.
///
/// # Errors
/// They can not be read, or the window ends before.
pub fn save(
    device: &Device,
    offset: Bytes,
    length: Bytes,
    what: &str,
) -> Result<Vec<RegionRecord>, DeviceError> {
    let disk = PlannedDisk::of(device);
    let end = offset.saturating_add(length);
    let mut regions = Vec::new();
    let mut at = offset;
    while at < end {
        let rest = end.saturating_sub(at);
        let wanted = usize::try_from(rest.0).map_or(super::MAX_REGION, |rest| rest.min(super::MAX_REGION));
        let mut bytes = vec![0; wanted];
        device.read_exact_at(at, &mut bytes).map_err(|error| DeviceError {
            device: device.label(),
            offset: at,
            length: Bytes(wanted as u64),
            error,
        })?;
        let start = device.offset().saturating_add(at);
        regions.push(region(Some(&disk), start, &bytes, Some(what.to_owned())));
        at = at.saturating_add(Bytes(wanted as u64));
    }
    Ok(regions)
}

/// The bytes of a region, if they are what was saved.
///
/// # Errors
/// They are not.
pub fn bytes_of(region: &RegionRecord) -> Result<Vec<u8>, RestoreError> {
    let error = |message| RestoreError::Region {
        device: region.device.clone(),
        offset: region.offset_bytes,
        message,
    };
    let bytes = hex::decode(&region.hex).map_err(|cause| error(format!("hex: {cause}")))?;
    if bytes.len() as u64 != region.length_bytes.0 {
        return Err(error(format!("has {} bytes, expected {}", bytes.len(), region.length_bytes)));
    }
    let found = sha256(&bytes);
    if !found.eq_ignore_ascii_case(&region.sha256) {
        let expected = crate::escape::escape(region.sha256.as_bytes());
        return Err(error(format!("sha256 is {found}, expected {expected}")));
    }
    Ok(bytes)
}

/// Whether a device (all of it, not a window) is the one that a region was saved from, as far as the record and the
/// device say.
///
/// # Errors
/// It is another.
pub fn check_device(device: &Device, region: &RegionRecord) -> Result<(), RestoreError> {
    let other = |what, found, expected| RestoreError::OtherDevice {
        device: device.path_text(),
        what,
        found,
        expected,
    };
    let size = device.disk().size();
    if let Some(expected) = region.device_size_bytes.filter(|expected| *expected != size) {
        return Err(other("size", format!("{size} bytes"), format!("{expected} bytes")));
    }
    let serial = device.serial().map(|serial| crate::escape::escape(serial.as_bytes()));
    match (serial, region.serial.clone()) {
        (Some(found), Some(expected)) if found != expected => Err(other("serial number", found, expected)),
        _ => Ok(()),
    }
}

/// Plans to put a region back to a device. The regions of a file are put back in its order, each durable before the
/// next.
///
/// # Errors
/// The region is not what was saved, or does not fit the device.
pub fn restore(plan: &mut Plan, device: &Device, region: &RegionRecord) -> Result<(), RestoreError> {
    let bytes = bytes_of(region)?;
    plan.write(device, region.offset_bytes, &bytes, region.what.as_deref().unwrap_or("region"))?;
    plan.barrier();
    Ok(())
}
