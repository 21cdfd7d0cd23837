//! From devices to arrays in one call: partitions, every format, groups.

use crate::device::{Device, DeviceError};
use crate::format::Format;
use crate::identify::Member;
use crate::record::ArrayRecord;

/// What to look for.
pub struct Options {
    /// Formats to ask.
    pub formats: Vec<&'static dyn Format>,
    /// Members whose slot is unknown take the free slots in the order given.
    pub assume_order: bool,
}

/// What was found.
#[derive(Debug)]
pub struct Probe {
    /// All members, in the order of the devices.
    pub members: Vec<Member>,
    /// The arrays, subsets before the sets that use them.
    pub arrays: Vec<ArrayRecord>,
    /// Devices that could not be read (in part).
    pub errors: Vec<DeviceError>,
}

/// Probes devices.
#[must_use]
pub fn probe(_devices: &[Device], _options: &Options) -> Probe {
    Probe { members: Vec::new(), arrays: Vec::new(), errors: Vec::new() }
}
