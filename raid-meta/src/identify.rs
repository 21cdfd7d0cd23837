//! Every candidate on a device, with the evidence it rests on.

use crate::device::{Device, DeviceError};
use crate::format::{Format, Found};
use crate::model::MemberView;
use crate::record::{Evidence, MemberRecord, Problem};

/// One metadata instance on one device window.
#[derive(Debug)]
pub struct Member {
    /// The window that it describes.
    pub device: Device,
    /// Its format.
    pub format: &'static str,
    /// What was found.
    pub found: Found,
    /// What it means; none when too little is left of it.
    pub view: Option<MemberView>,
    /// What the find rests on.
    pub evidence: Vec<Evidence>,
    /// All that is wrong with it, the format's and the view's problems included.
    pub problems: Vec<Problem>,
}

impl Member {
    /// The record.
    #[must_use]
    pub fn record(&self) -> MemberRecord {
        unimplemented!()
    }
}

/// Asks each of the formats what it finds on one window.
///
/// # Errors
/// A read failed.
pub fn identify(_device: &Device, _formats: &[&'static dyn Format]) -> Result<Vec<Member>, DeviceError> {
    Ok(Vec::new())
}
