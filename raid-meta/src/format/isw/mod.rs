//! Intel Matrix Storage (IMSM, RST, VROC).

use super::{Format, Found};
use crate::device::{Device, DeviceError};

/// The format.
pub struct Isw;

impl Format for Isw {
    fn name(&self) -> &'static str {
        "isw"
    }

    fn description(&self) -> &'static str {
        "Intel Matrix Storage, Rapid Storage, VROC (imsm)"
    }

    fn whole_disk_only(&self) -> bool {
        true
    }

    fn find(&self, _device: &Device) -> Result<Vec<Found>, DeviceError> {
        Ok(Vec::new())
    }
}
