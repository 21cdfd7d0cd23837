//! New sets: composed by their format, proved on paper, and only then a plan of what to write.
//!
//! A format says what belongs on each disk (`create` of a [`Format`]). Before that is planned, it is laid over the
//! disks as they are, in memory, and everything that finds metadata looks at the result: there has to be exactly the
//! array that was asked for, and whatever was there before and is to stay. What would be overwritten, or would be in
//! the way of the new set, is named and refused, unless that is forced.

mod conflict;
mod error;
mod overlay;
mod proof;
mod signature;
#[cfg(test)]
mod tests;

pub use error::NotCreated;

use crate::commit::Plan;
use crate::device::Device;
use crate::format::create::{NewMember, NewSet};
use crate::format::{FORMATS, Format};
use crate::probe::{Options, Probe, probe};
use crate::record::ArrayRecord;
use overlay::Patch;

/// A set that can be written.
#[derive(Debug)]
pub struct Created {
    /// What to write.
    pub plan: Plan,
    /// The new array, and before it the subsets that it is made of, as they will be found.
    pub arrays: Vec<ArrayRecord>,
    /// What is overwritten or was in the way, in words, a line each.
    pub overwritten: Vec<String>,
    /// What whoever creates the set should know.
    pub warnings: Vec<String>,
}

impl Created {
    /// Whether a write-intent bitmap is among what is written.
    #[must_use]
    pub fn has_bitmap(&self) -> bool {
        self.plan.changes().iter().any(|change| change.what.ends_with(" bitmap"))
    }
}

/// Composes a set and proves it. Nothing is written.
///
/// # Errors
/// See [`NotCreated`].
pub fn create(format: &'static dyn Format, set: &NewSet, force: bool) -> Result<Created, NotCreated> {
    let devices: Vec<&Device> = set.disks.iter().chain(&set.spares).collect();
    let before = probed(&devices, &[])?;
    let members = format.create(set)?;
    let patches = patches(&devices, &members)?;
    let kept = conflict::kept(&before, &probed(&devices, &patches)?);
    let conflicts = conflict::find(&devices, &before, &kept, &patches)?;
    if !force && !conflicts.is_empty() {
        return Err(NotCreated::Occupied(conflicts.lines()));
    }
    let erased = conflicts.erasures();
    let all: Vec<Vec<Patch>> =
        erased.iter().zip(&patches).map(|(old, new)| old.iter().chain(new).cloned().collect()).collect();
    let after = probed(&devices, &all)?;
    let proved = proof::prove(format, set, &kept, &after)?;
    let plan = plan(format, &devices, &erased, &members)?;
    Ok(Created { plan, arrays: proved.arrays, overwritten: conflicts.lines(), warnings: proved.warnings })
}

/// What is on a device that somebody may want to keep, a line each: metadata, file systems, partition tables.
///
/// # Errors
/// It can not be read.
pub fn in_the_way(device: &Device) -> Result<Vec<String>, NotCreated> {
    let before = probed(&[device], &[])?;
    Ok(conflict::find(&[device], &before, &[], &[])?.lines())
}

/// What the new metadata puts where.
fn patches(devices: &[&Device], members: &[NewMember]) -> Result<Vec<Vec<Patch>>, NotCreated> {
    if members.len() != devices.len() {
        let (found, expected) = (members.len(), devices.len());
        return Err(NotCreated::unproved(format!("metadata was made for {found} of {expected} disks")));
    }
    let patch = |area: &crate::model::Area| Patch { offset: area.offset, bytes: area.bytes.clone() };
    Ok(members.iter().map(|member| member.areas.iter().map(patch).collect()).collect())
}

/// What is found on the devices with patches over them.
fn probed(devices: &[&Device], patches: &[Vec<Patch>]) -> Result<Probe, NotCreated> {
    let patched = devices.iter().enumerate().map(|(index, device)| {
        overlay::over(device, patches.get(index).map(Vec::as_slice).unwrap_or_default())
    });
    let options = Options { formats: FORMATS.to_vec(), assume_order: false };
    let mut found = probe(patched, &options);
    match found.errors.pop() {
        Some(error) => Err(NotCreated::Read(error)),
        None => Ok(found),
    }
}

/// Old metadata goes first, member by member, then the new.
fn plan(
    format: &dyn Format,
    devices: &[&Device],
    erased: &[Vec<Patch>],
    members: &[NewMember],
) -> Result<Plan, NotCreated> {
    let mut plan = Plan::default();
    for (device, patches) in devices.iter().zip(erased) {
        for patch in patches {
            plan.write(device, patch.offset, &patch.bytes, "old metadata erased")?;
        }
    }
    plan.barrier();
    for (device, member) in devices.iter().zip(members) {
        plan.areas(device, format.name(), &member.areas)?;
    }
    Ok(plan)
}
