//! Whether what was composed is what was asked for, as everything that finds metadata sees it.

use super::NotCreated;
use super::conflict::is_of;
use crate::device::{Device, ReadAt};
use crate::escape::escape;
use crate::format::Format;
use crate::format::create::NewSet;
use crate::identify::Member;
use crate::probe::Probe;
use crate::record::{ArrayMember, ArrayRecord, Health, MemberState, Problem, Role, Severity};

/// What the proof shows.
#[derive(Debug)]
pub(super) struct Proved {
    /// The new array, after the subsets that it is made of.
    pub(super) arrays: Vec<ArrayRecord>,
    /// What whoever creates the set should know.
    pub(super) warnings: Vec<String>,
}

/// Compares what is found on the disks as they would be with what was asked for.
///
/// # Errors
/// The first thing that differs.
pub(super) fn prove(
    format: &dyn Format,
    set: &NewSet,
    kept: &[ArrayRecord],
    after: &Probe,
) -> Result<Proved, NotCreated> {
    check_members(format, set, kept, after)?;
    let (arrays, top) = new_arrays(kept, after)?;
    check_geometry(format, set, top)?;
    check_slots(set, top)?;
    check_spares(set, top, after)?;
    check_health(set, top)?;
    let mut problems = arrays.iter().flat_map(|array| &array.problems);
    if let Some(problem) = problems.find(|problem| problem.is_error()) {
        return Err(NotCreated::unproved(problem.message.clone()));
    }
    let warnings = warnings(format, set, &arrays, top, after);
    Ok(Proved { arrays, warnings })
}

/// Every disk has metadata of the format and of no other, without a fault.
fn check_members(
    format: &dyn Format,
    set: &NewSet,
    kept: &[ArrayRecord],
    after: &Probe,
) -> Result<(), NotCreated> {
    for device in set.disks.iter().chain(&set.spares) {
        if !after.members.iter().any(|member| is_at(member, device)) {
            return Err(NotCreated::unproved(format!("{}: no metadata is found", device.label())));
        }
    }
    for member in &after.members {
        let label = member.device.label();
        let is_known = set.disks.iter().chain(&set.spares).any(|device| is_at(member, device));
        if member.format.name() != format.name() || !is_known {
            // Inside of a volume that stays there may be anything.
            if kept.iter().any(|array| is_of(member, array)) {
                continue;
            }
            return Err(NotCreated::unproved(format!("{label}: {} metadata is found", member.format.name())));
        }
        if let Some(problem) = member.problems.iter().find(|problem| problem.is_error()) {
            return Err(NotCreated::unproved(format!("{label}: {}", problem.message)));
        }
    }
    Ok(())
}

fn is_at(member: &Member, device: &Device) -> bool {
    let other = &member.device;
    (other.path(), other.offset(), other.size()) == (device.path(), device.offset(), device.size())
}

/// The arrays that were not there before, and the one among them that is no part of another.
fn new_arrays<'a>(
    kept: &[ArrayRecord],
    after: &'a Probe,
) -> Result<(Vec<ArrayRecord>, &'a ArrayRecord), NotCreated> {
    let new: Vec<&ArrayRecord> = after.arrays.iter().filter(|array| !kept.contains(array)).collect();
    let is_part = |array: &ArrayRecord| {
        let mut members = new.iter().flat_map(|other| &other.members);
        members.any(|member| member.array.as_ref() == Some(&array.name))
    };
    let top: Vec<&ArrayRecord> = new.iter().copied().filter(|array| !is_part(array)).collect();
    match top.as_slice() {
        [array] => Ok((new.iter().copied().cloned().collect(), array)),
        others => Err(NotCreated::unproved(format!("{} arrays are found, expected 1", others.len()))),
    }
}

fn differs(what: &str, found: impl ToString, expected: impl ToString) -> NotCreated {
    let (found, expected) = (found.to_string(), expected.to_string());
    NotCreated::unproved(format!("{what} is found as {found}, expected {expected}"))
}

fn check_geometry(format: &dyn Format, set: &NewSet, array: &ArrayRecord) -> Result<(), NotCreated> {
    if array.format.as_deref() != Some(format.name()) {
        return Err(differs("the format", array.format.as_deref().unwrap_or("none"), format.name()));
    }
    if array.level != set.level {
        return Err(differs("the level", array.level, set.level));
    }
    if let (Some(wanted), Some(found)) = (set.chunk, array.chunk_sectors)
        && wanted != found
    {
        return Err(differs("the chunk", found, wanted));
    }
    if let (Some(wanted), Some(found)) = (set.layout, array.layout)
        && wanted != found
    {
        return Err(differs("the layout", found, wanted));
    }
    if let Some(size) = set.size.filter(|&size| array.size_sectors != size) {
        return Err(differs("the size", array.size_sectors, size));
    }
    let name = escape(set.name.as_bytes());
    match &array.volume {
        Some(found) if *found != name => Err(differs("the name", found, name)),
        _ => Ok(()),
    }
}

/// Every slot has its disk: by itself, or in a subset.
fn check_slots(set: &NewSet, array: &ArrayRecord) -> Result<(), NotCreated> {
    if array.members.iter().any(|member| member.array.is_some()) {
        return Ok(());
    }
    if array.members.len() != set.disks.len() {
        return Err(differs("the number of slots", array.members.len(), set.disks.len()));
    }
    for (member, device) in array.members.iter().zip(&set.disks) {
        if !is_in(member, device) || member.state != MemberState::InSync {
            let message = format!("{}: is not found in slot {}", device.label(), member.slot);
            return Err(NotCreated::unproved(message));
        }
    }
    Ok(())
}

fn is_in(member: &ArrayMember, device: &Device) -> bool {
    member.device.as_deref() == Some(&device.path_text())
        && member.device_offset_sectors == Some(device.offset_sectors())
}

fn check_spares(set: &NewSet, array: &ArrayRecord, after: &Probe) -> Result<(), NotCreated> {
    let is_spare = |device: &Device| {
        let of_array = array.spares.iter().any(|spare| {
            spare.device == device.path_text() && spare.device_offset_sectors == device.offset_sectors()
        });
        let has_role = |member: &Member| member.view.as_ref().is_some_and(|view| view.role == Role::Spare);
        of_array || after.members.iter().any(|member| is_at(member, device) && has_role(member))
    };
    match set.spares.iter().find(|device| !is_spare(device)) {
        Some(device) => Err(NotCreated::unproved(format!("{}: is not found as a spare", device.label()))),
        None => Ok(()),
    }
}

fn check_health(set: &NewSet, array: &ArrayRecord) -> Result<(), NotCreated> {
    let is_unsynced = !set.in_sync && set.level.is_redundant();
    match array.health {
        Health::Optimal => Ok(()),
        Health::Initializing | Health::Inconsistent if is_unsynced => Ok(()),
        health => Err(NotCreated::unproved(format!("the array is found {health:?}, expected optimal"))),
    }
}

fn warnings(
    format: &dyn Format,
    set: &NewSet,
    arrays: &[ArrayRecord],
    top: &ArrayRecord,
    after: &Probe,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if !set.in_sync && set.level.is_redundant() && top.health == Health::Optimal {
        warnings.push(format!(
            "{}: the metadata says that redundancy is valid, as {} can not say otherwise; it has to be computed \
             before a disk fails",
            top.name,
            format.name()
        ));
    }
    if set.chunk.is_some() && top.chunk_sectors.is_none() {
        warnings.push(format!("{}: {} has no chunk, the one asked for is left out", top.name, set.level));
    }
    if !set.name.is_empty() && top.volume.is_none() {
        warnings.push(format!("{}: {} does not record the name", top.name, format.name()));
    }
    let is_warning = |problem: &&Problem| problem.severity == Severity::Warning;
    let of_arrays = arrays.iter().flat_map(|array| {
        array.problems.iter().filter(is_warning).map(|problem| format!("{}: {}", array.name, problem.message))
    });
    let of_members = after.members.iter().flat_map(|member| {
        let label = member.device.label();
        member.problems.iter().filter(is_warning).map(move |problem| format!("{label}: {}", problem.message))
    });
    warnings.extend(of_arrays.chain(of_members));
    warnings
}
