//! Linux md.

use super::{Format, Found};
use crate::device::{Device, DeviceError};

/// The format.
pub struct Md;

impl Format for Md {
    fn name(&self) -> &'static str {
        "md"
    }

    fn description(&self) -> &'static str {
        "Linux software RAID"
    }

    fn whole_disk_only(&self) -> bool {
        false
    }

    fn find(&self, _device: &Device) -> Result<Vec<Found>, DeviceError> {
        Ok(Vec::new())
    }
}
