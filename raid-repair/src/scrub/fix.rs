//! From findings to the writes that put them right.

use super::place::{PlaceError, member_places};
use raid_meta::commit::Plan;
use raid_meta::device::{Device, DeviceError};
use raid_meta::record::{ArrayMember, ArrayRecord};
use raid_meta::units::{Bytes, Sectors};
use raid_sync::scrub::{Finding, Repair};

/// Why it can not be put right.
#[derive(Debug, thiserror::Error)]
pub enum FixError {
    /// It is not known where to write.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A member can not be opened.
    #[error("{array}: {message}")]
    Open {
        /// Which array.
        array: String,
        /// Why.
        message: String,
    },
    /// A member can not be read.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// Somebody wrote to what does not agree, or to what says so.
    #[error("{array}: sector {sector} of it was changed meanwhile; nothing more was written")]
    Outdated {
        /// Which array.
        array: String,
        /// The first of its sectors that are concerned.
        sector: Sectors,
    },
    /// Somebody wrote there meanwhile.
    #[error("{device}: sector {sector} was changed meanwhile; nothing more was written")]
    Changed {
        /// Which device.
        device: String,
        /// Where.
        sector: Sectors,
    },
}

/// The writes that put findings right.
///
/// # Errors
/// See [`FixError`].
pub fn plan(
    array: &ArrayRecord,
    arrays: &[ArrayRecord],
    findings: &[Finding],
    open: &dyn Fn(&ArrayMember) -> Result<Device, String>,
) -> Result<Plan, FixError> {
    let mut plan = Plan::default();
    for repair in findings.iter().flat_map(|finding| &finding.repairs) {
        add(&mut plan, array, arrays, repair, open)?;
    }
    Ok(plan)
}

fn add(
    plan: &mut Plan,
    array: &ArrayRecord,
    arrays: &[ArrayRecord],
    repair: &Repair,
    open: &dyn Fn(&ArrayMember) -> Result<Device, String>,
) -> Result<(), FixError> {
    let (mut old, mut new) = (repair.old.as_slice(), repair.new.as_slice());
    for place in member_places(array, arrays, repair.slot, repair.sector, repair.length())? {
        let device =
            open(&place.member).map_err(|message| FixError::Open { array: array.name.clone(), message })?;
        let length =
            place.length.to_bytes().and_then(|bytes| usize::try_from(bytes.0).ok()).unwrap_or_default();
        let (old_here, new_here);
        (old_here, old) = old.split_at(length.min(old.len()));
        (new_here, new) = new.split_at(length.min(new.len()));
        let offset = place.sector.to_bytes().unwrap_or(Bytes::MAX);
        if device.read(offset, old_here.len())?.as_deref() != Some(old_here) {
            return Err(FixError::Changed { device: device.label(), sector: place.sector });
        }
        plan.write(&device, offset, new_here, &format!("slot {} of {}", repair.slot, array.name))?;
    }
    Ok(())
}
