//! Devices taken down again.

use super::{Kernel, Mapped, Step};
use crate::plan::{self, device_uuid};
use raid_meta::record::ArrayRecord;
use std::io;

/// Why a device is still there.
#[derive(Debug, thiserror::Error)]
pub enum DeactivateError {
    /// Something has it open.
    #[error("{name}: is in use")]
    Busy {
        /// Its name.
        name: String,
    },
    /// The kernel refused.
    #[error("{name}: {step}: {error}")]
    Refused {
        /// Its name.
        name: String,
        /// What was tried.
        step: Step,
        /// What the kernel says.
        error: io::Error,
    },
}

/// The devices of some arrays among those that are there: the arrays, their helpers, and their partitions.
#[must_use]
pub fn family(mapped: &[Mapped], arrays: &[&ArrayRecord]) -> Vec<Mapped> {
    let uuids: Vec<String> = arrays.iter().map(|array| device_uuid(array)).collect();
    let is_of = |device: &&Mapped| uuids.iter().any(|uuid| is_of(&device.uuid, uuid));
    mapped.iter().filter(is_of).cloned().collect()
}

/// Whether a device is an array, one of its helpers, `UUID-member0`, or a partition of it, `part1-UUID`.
pub(super) fn is_of(device: &str, array: &str) -> bool {
    let whole = match device.strip_prefix("part").and_then(|rest| rest.split_once('-')) {
        Some((number, whole)) if number.bytes().all(|byte| byte.is_ascii_digit()) => whole,
        _ => device,
    };
    match whole.strip_prefix(array) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('-').is_some_and(plan::is_helper),
        None => false,
    }
}

/// Removes devices, each after those that lie on it. What was removed is returned, in order.
///
/// # Errors
/// One is in use by something else: all that lies below it is left too. What was removed before stays removed.
pub fn deactivate(kernel: &dyn Kernel, devices: &[Mapped]) -> Result<Vec<Mapped>, DeactivateError> {
    let mut left = devices.to_vec();
    let mut removed = Vec::new();
    while !left.is_empty() {
        let before = left.len();
        let mut busy = None;
        let mut still = Vec::new();
        for device in left {
            let refused = |step, error| DeactivateError::Refused { name: device.name.clone(), step, error };
            let state = kernel.state(&device.name).map_err(|error| refused(Step::Look, error))?;
            match state.filter(|state| state.mapped.uuid == device.uuid) {
                // Gone meanwhile.
                None => {}
                Some(state) if state.open_count > 0 => {
                    busy.get_or_insert_with(|| device.name.clone());
                    still.push(device);
                }
                Some(_) => {
                    kernel.remove(&device.name).map_err(|error| refused(Step::Remove, error))?;
                    removed.push(device);
                }
            }
        }
        left = still;
        if let Some(name) = busy.filter(|_| left.len() == before) {
            return Err(DeactivateError::Busy { name });
        }
    }
    Ok(removed)
}
