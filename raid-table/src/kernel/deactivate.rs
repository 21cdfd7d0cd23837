//! Devices taken down again.

use super::{Audience, Kernel, Mapped, Step};
use crate::plan::{self, device_uuid};
use crate::target::Line;
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

/// Whether the devices of an array can be written, and it was in step when it was mapped: no table says `sync`. Devices of
/// an activation that was interrupted count too.
///
/// # Errors
/// What the kernel says.
pub fn is_open_in_step(kernel: &dyn Kernel, array: &ArrayRecord) -> io::Result<bool> {
    let devices = family(&kernel.mapped()?, &[array]);
    let mut is_there = false;
    for device in &devices {
        let Some(state) = kernel.state(&device.name)? else { continue };
        let mut tables = state.table.iter().chain(&state.loaded);
        if state.read_only && state.loaded.is_empty() || tables.any(|line| says_sync(line)) {
            return Ok(false);
        }
        let has_table = !state.table.is_empty() || !state.loaded.is_empty();
        is_there |= device.uuid == device_uuid(array) && has_table;
    }
    Ok(is_there)
}

fn says_sync(line: &str) -> bool {
    line.split(' ').any(|word| word == "sync")
}

/// Makes the device of an array read-only, while it stays as it is otherwise.
///
/// # Errors
/// The kernel refuses, or it has a table that is not known here.
pub fn make_read_only(kernel: &dyn Kernel, device: &Mapped) -> Result<(), DeactivateError> {
    let refused = |step, error| DeactivateError::Refused { name: device.name.clone(), step, error };
    let state = kernel.state(&device.name).map_err(|error| refused(Step::Look, error))?;
    let Some(state) = state.filter(|state| !state.read_only) else { return Ok(()) };
    let lines = state.table.iter().map(|line| line.parse()).collect::<Result<Vec<Line>, _>>();
    let lines = lines.map_err(|error| refused(Step::Look, io::Error::other(error.to_string())))?;
    kernel.load(&device.name, &lines, true).map_err(|error| refused(Step::Load, error))?;
    kernel.resume(&device.name, Audience::All).map_err(|error| refused(Step::Resume, error))
}

/// Removes devices, each after those that lie on it. What was removed is returned, in order.
///
/// # Errors
/// One is in use by something else: all that lies below it is left too. What was removed before stays removed.
pub fn deactivate(kernel: &dyn Kernel, devices: &[Mapped]) -> Result<Vec<Mapped>, DeactivateError> {
    deactivate_closing(kernel, devices, "", &mut || {})
}

/// As [`deactivate`]; when nothing uses the device with the uuid `closing` any more, it is suspended, so that nothing is
/// written, and `close` called before it is removed.
///
/// # Errors
/// As [`deactivate`].
pub fn deactivate_closing(
    kernel: &dyn Kernel,
    devices: &[Mapped],
    closing: &str,
    close: &mut dyn FnMut(),
) -> Result<Vec<Mapped>, DeactivateError> {
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
                Some(state) => {
                    if device.uuid == closing && !state.table.is_empty() {
                        kernel.suspend(&device.name).map_err(|error| refused(Step::Suspend, error))?;
                        close();
                    }
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
