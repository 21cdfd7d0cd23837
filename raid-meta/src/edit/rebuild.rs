//! A new disk in the place of a lost one: what is erased of it before, and what is written to all when its data is there.
//!
//! The plan is tried: everything that finds metadata looks at the disks as they would be. The new disk has to be in
//! step in the slot, in all volumes that the lost one was in, every other slot has to be as it was, and nothing may be wrong
//! that was not wrong before.

#[cfg(test)]
mod tests;

use super::EditError;
use crate::commit::Plan;
use crate::create::{NotCreated, in_the_way};
use crate::device::{Device, DeviceError};
use crate::escape::escape;
use crate::format::Format;
use crate::format::rebuild::{Disk, RebuildError, Replacement};
use crate::geometry::Level;
use crate::probe::{Options, Probe, probe};
use crate::record::{ArrayMember, ArrayRecord, MemberState, Problem, Severity};
use crate::units::{Sectors, Slot};

/// A rebuild that can be carried out.
#[derive(Debug)]
pub struct Rebuild {
    /// What of the new disk each volume takes.
    pub parts: Vec<Part>,
    /// What is on the new disk and in the way, in words, a line each.
    pub in_the_way: Vec<String>,
    /// What takes that away; before any data.
    pub erasure: Plan,
    /// What makes the new disk a member; after all data.
    pub metadata: Plan,
    /// The arrays with it, as they will be found.
    pub arrays: Vec<ArrayRecord>,
}

/// Where the data of one slot goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Name of the array.
    pub array: String,
    /// Identity of the volume.
    pub uuid: Option<String>,
    /// The slot.
    pub slot: Slot,
    /// Where the data begins in the window of the new disk.
    pub offset: Sectors,
    /// How much there is.
    pub length: Sectors,
}

/// Why a rebuild can not be planned. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum PlanRebuildError {
    /// The format, or a disk, can not do it.
    #[error(transparent)]
    Format(#[from] RebuildError),
    /// A disk can not be read.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// What is on the new disk can not be taken away.
    #[error(transparent)]
    Erase(#[from] EditError),
    /// The array would not be what it should be.
    #[error("{device}: would not be a sound member: {message}")]
    Unsound {
        /// The new disk, or another.
        device: String,
        /// What is wrong.
        message: String,
    },
}

impl From<NotCreated> for PlanRebuildError {
    fn from(error: NotCreated) -> Self {
        match error {
            NotCreated::Read(error) => Self::Device(error),
            error => Self::Unsound { device: String::new(), message: error.to_string() },
        }
    }
}

/// Plans the rebuild of a slot onto a new disk. Where the data of an earlier run is on it already (`resumed`), what is
/// found there is that data, and not in the way.
///
/// # Errors
/// See [`PlanRebuildError`].
pub fn rebuild(
    format: &'static dyn Format,
    replacement: &Replacement,
    resumed: bool,
) -> Result<Rebuild, PlanRebuildError> {
    let target = &replacement.target;
    let in_the_way = if resumed { Vec::new() } else { in_the_way(target)? };
    let mut erasure = Plan::default();
    if !resumed {
        super::erase(&mut erasure, target, &Options::default())?;
    }
    let blank = erasure.preview(target);
    let clean = Replacement { target: blank, ..replacement.clone() };
    let metadata = plan(format, &clean)?;
    let (arrays, parts) = prove(format, &clean, &metadata)?;
    Ok(Rebuild { parts, in_the_way, erasure, metadata, arrays })
}

fn plan(format: &'static dyn Format, replacement: &Replacement) -> Result<Plan, PlanRebuildError> {
    let mut plan = Plan::default();
    for round in format.renew(replacement)? {
        for (disk, area) in round {
            let device = match disk {
                Disk::Target => Some(&replacement.target),
                Disk::Member(index) => replacement.members.get(index),
            };
            let Some(device) = device else { continue };
            plan.write(device, area.offset, &area.bytes, &format!("{} {}", format.name(), area.role))?;
        }
        plan.barrier();
    }
    Ok(plan)
}

/// The arrays as they will be, and the new disk's parts of them.
fn prove(
    format: &'static dyn Format,
    replacement: &Replacement,
    plan: &Plan,
) -> Result<(Vec<ArrayRecord>, Vec<Part>), PlanRebuildError> {
    let options = Options { formats: vec![format], assume_order: false };
    let before = probe(replacement.members.iter().cloned(), &options);
    let all = replacement.members.iter().chain([&replacement.target]);
    let mut after = probe(all.map(|device| plan.preview(device)), &options);
    if let Some(error) = after.errors.pop() {
        return Err(error.into());
    }
    let target = &replacement.target;
    let parts = parts(&after, target);
    let is_meant =
        |part: &Part| part.uuid.as_deref() == Some(&*replacement.volume) && part.slot == replacement.slot;
    if !parts.iter().any(is_meant) {
        let message = format!("it is not found in slot {}", replacement.slot);
        return Err(unsound(target, message));
    }
    let needed = parts.iter().map(|part| needed(&before, part)).max().unwrap_or_default();
    if needed > target.length_sectors() {
        let message = format!("has {} sectors, expected at least {needed}", target.length_sectors());
        return Err(RebuildError::disk(format.name(), target, message).into());
    }
    check_others(&before, &after, target)?;
    check_problems(&before, &after)?;
    let is_touched = |array: &ArrayRecord| parts.iter().any(|part| part.array == array.name);
    Ok((after.arrays.into_iter().filter(is_touched).collect(), parts))
}

fn unsound(device: &Device, message: impl Into<String>) -> PlanRebuildError {
    PlanRebuildError::Unsound { device: device.label(), message: message.into() }
}

fn is_on(member: &ArrayMember, device: &Device) -> bool {
    member.device.as_deref() == Some(&*device.path_text())
        && member.device_offset_sectors.unwrap_or_default() == device.offset_sectors()
}

/// What the new disk is to the arrays: in step, or not at all.
fn parts(after: &Probe, target: &Device) -> Vec<Part> {
    let members =
        after.arrays.iter().flat_map(|array| array.members.iter().map(move |member| (array, member)));
    let own = members.filter(|(_, member)| is_on(member, target) && member.state == MemberState::InSync);
    own.map(|(array, member)| Part {
        array: array.name.clone(),
        uuid: array.uuid.clone(),
        slot: member.slot,
        offset: member.offset_sectors.unwrap_or_default(),
        length: member.length_sectors.unwrap_or_default(),
    })
    .collect()
}

/// Where a part ends: the members of an array that can be rebuilt are of one length, and those that are there know it.
fn needed(before: &Probe, part: &Part) -> Sectors {
    let of_array = before.arrays.iter().filter(|array| array.uuid == part.uuid && array.name == part.array);
    let lengths = of_array.flat_map(|array| &array.members).filter_map(|member| member.length_sectors);
    part.offset.saturating_add(lengths.chain([part.length]).max().unwrap_or_default())
}

/// Every slot that the new disk is not in has to be as it was.
fn check_others(before: &Probe, after: &Probe, target: &Device) -> Result<(), PlanRebuildError> {
    for old in &before.arrays {
        let same = |new: &&ArrayRecord| new.uuid == old.uuid && new.name == old.name;
        let Some(new) = after.arrays.iter().find(same) else {
            return Err(unsound(target, format!("array {} would not be found any more", old.name)));
        };
        let is_same_state = new.dirty == old.dirty || new.dirty == Some(false) && is_copied(old);
        if (new.geometry(), new.size_sectors) != (old.geometry(), old.size_sectors) || !is_same_state {
            return Err(unsound(target, format!("array {} would have another geometry or state", old.name)));
        }
        let others = old.members.iter().zip(&new.members).filter(|(_, new)| !is_on(new, target));
        for (old_member, new_member) in others {
            if old_member != new_member {
                let message = format!("slot {} of {} would change", old_member.slot, old.name);
                return Err(unsound(target, message));
            }
        }
    }
    Ok(())
}

/// A mirror of which one disk is left: the other is made from it, and so in step with it.
fn is_copied(old: &ArrayRecord) -> bool {
    let left = old.members.iter().filter(|member| member.state == MemberState::InSync).count();
    old.level == Level::Raid1 && old.members.len() == 2 && left == 1
}

/// Nothing may be wrong with a disk that was not wrong before.
fn check_problems(before: &Probe, after: &Probe) -> Result<(), PlanRebuildError> {
    let known: Vec<&Problem> = before.members.iter().flat_map(|member| &member.problems).collect();
    for member in &after.members {
        let is_new = |problem: &&Problem| problem.severity != Severity::Note && !known.contains(problem);
        if let Some(problem) = member.problems.iter().find(is_new) {
            return Err(unsound(&member.device, escape(problem.message.as_bytes())));
        }
    }
    Ok(())
}
