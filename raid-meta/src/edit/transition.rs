//! A volume opened for writing, or closed, in the metadata of all its disks.

#[cfg(test)]
mod tests;

use crate::commit::Plan;
use crate::device::DeviceError;
use crate::format::Format;
use crate::format::transition::{Present, Rewrite, Transition, TransitionError};
use crate::identify::identify;
use crate::record::Problem;

/// Why a transition can not be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanTransitionError {
    /// The format can not record it.
    #[error(transparent)]
    Format(#[from] TransitionError),
    /// A disk can not be read.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

/// Plans what the format records when the volume with that uuid is opened or closed; empty where it is recorded already.
/// `members` are all disks of the set that are there and current, `now` is in seconds since the epoch. The disks are
/// written one after the other, so that a crash leaves at most one of them half-written. The plan is tried: metadata
/// that would have a new error is not handed out.
///
/// # Errors
/// See [`PlanTransitionError`].
pub fn transition(
    format: &'static dyn Format,
    volume: &str,
    members: &[Present],
    to: Transition,
    now: u64,
) -> Result<Plan, PlanTransitionError> {
    let mut plan = Plan::default();
    for Rewrite { member, rounds } in format.transition(volume, members, to, now)? {
        let Some(present) = members.get(member) else { continue };
        for area in rounds.iter().flat_map(|round| round.iter().map(Some).chain([None])) {
            match area {
                Some(area) => {
                    let what = format!("{} {}", format.name(), area.role);
                    plan.write(&present.device, area.offset, &area.bytes, &what)?;
                }
                None => plan.barrier(),
            }
        }
    }
    for present in members {
        check(format, present, &plan)?;
    }
    Ok(plan)
}

/// Refuses a plan after which a disk has an error that it had not before.
fn check(format: &'static dyn Format, present: &Present, plan: &Plan) -> Result<(), PlanTransitionError> {
    let errors = |device| -> Result<Vec<Problem>, DeviceError> {
        let members = identify(device, &[format])?;
        let problems = members.into_iter().flat_map(|member| member.problems);
        Ok(problems.filter(Problem::is_error).collect())
    };
    let before = errors(&present.device)?;
    let after = errors(&plan.preview(&present.device))?;
    match after.into_iter().find(|problem| !before.contains(problem)) {
        None => Ok(()),
        Some(problem) => Err(TransitionError::Member {
            device: present.device.label(),
            format: format.name(),
            message: format!("would not be sound any more: {}", problem.message),
        }
        .into()),
    }
}
