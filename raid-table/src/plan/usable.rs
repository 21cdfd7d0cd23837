//! Whether an array may be mapped as it is.

use super::Options;
use super::error::Reason;
use crate::layout::Map;
use raid_meta::group::loses_data;
use raid_meta::record::{ArrayMember, ArrayRecord, Health, MemberState, Problem, WriteLog};
use raid_meta::units::{Sectors, Slot};

/// The slots whose member is not in sync.
pub(super) fn missing(array: &ArrayRecord) -> Vec<Slot> {
    let in_sync = |slot: &Slot| {
        let member = array.members.iter().find(|member| member.slot == *slot);
        member.is_some_and(|member| member.state == MemberState::InSync)
    };
    // More slots than this no level has; the layout refuses them with their number.
    (0..array.slots.min(u32::from(u16::MAX))).map(Slot).filter(|slot| !in_sync(slot)).collect()
}

/// Of those slots the ones that nobody left out on purpose.
pub(super) fn lost(array: &ArrayRecord, missing: &[Slot]) -> Vec<Slot> {
    let split = |slot: &Slot| array.members.iter().any(|member| member.slot == *slot && member.split);
    missing.iter().copied().filter(|slot| !split(slot)).collect()
}

/// The names of the subsets that have devices beside the array: those that are used, with their superblocks unless it is
/// read-only, and those that are split off.
pub(super) fn subsets(array: &ArrayRecord, read_only: bool) -> impl Iterator<Item = &str> {
    let used = array.members.iter().filter(|member| member.state == MemberState::InSync || member.split);
    used.flat_map(move |member| {
        [member.metadata_array.as_deref().filter(|_| !read_only), member.array.as_deref()]
    })
    .flatten()
}

/// Whether the kernel resyncs the array by itself: it has metadata devices that say what is out of step.
fn resyncs_itself(array: &ArrayRecord) -> bool {
    array.tuning.is_some() && array.members.iter().any(|member| member.metadata_array.is_some())
}

/// Refuses what has not one geometry, or not all its data on the members.
pub(super) fn check_whole(array: &ArrayRecord) -> Result<(), Reason> {
    if array.reshape.is_some() || array.health == Health::Reshaping {
        return Err(Reason::Reshaping);
    }
    match array.write_log {
        Some(WriteLog::Journal) => Err(Reason::Journal),
        _ => Ok(()),
    }
}

/// Refuses what can not be mapped without the missing members, or should not be.
pub(super) fn check(
    array: &ArrayRecord,
    map: &Map,
    missing: &[Slot],
    options: &Options,
) -> Result<(), Reason> {
    let lost = lost(array, missing);
    let missing_slots = || lost.clone();
    if array.health == Health::Failed || !survives(array, missing) {
        return Err(Reason::Failed { missing: missing_slots() });
    }
    if !lost.is_empty() && !options.degraded {
        return Err(Reason::Degraded { missing: missing_slots() });
    }
    if !missing.is_empty() && array.level.parities() > 0 && array.parity_valid_below() < map.used(Slot(0)) {
        return Err(Reason::DirtyDegraded { missing: missing_slots() });
    }
    let mut in_sync = array.members.iter().filter(|member| member.state == MemberState::InSync);
    let bad = in_sync.find(|member| !member.bad_sectors.is_empty());
    bad.map_or(Ok(()), |member| Err(Reason::BadSectors { slot: member.slot, sectors: bad_sectors(member) }))
}

fn bad_sectors(member: &ArrayMember) -> Sectors {
    let lengths = member.bad_sectors.iter().map(|range| range.length_sectors);
    lengths.fold(Sectors::ZERO, Sectors::saturating_add)
}

/// Whether the level can do without those members.
fn survives(array: &ArrayRecord, missing: &[Slot]) -> bool {
    let present: Vec<bool> = (0..array.slots).map(|slot| !missing.contains(&Slot(slot))).collect();
    !loses_data(&array.geometry(), &present)
}

/// Whether the redundancy may not be that of the data somewhere.
pub(super) fn is_out_of_step(array: &ArrayRecord) -> bool {
    let is_dirty = array.dirty == Some(true) || array.resync_position_sectors.is_some();
    array.level.is_redundant() && (is_dirty || array.health == Health::Initializing)
}

/// What a user of the device should know.
pub(super) fn notes(
    array: &ArrayRecord,
    missing: &[Slot],
    options: &Options,
    read_only: bool,
) -> Vec<Problem> {
    let mut notes = Vec::new();
    if is_out_of_step(array) && (read_only || !resyncs_itself(array)) {
        let message = "its redundancy may be out of step, and device-mapper does not resync it: scrub it";
        notes.push(Problem::warning("dirty", message));
    }
    if array.write_log == Some(WriteLog::Ppl) {
        let message =
            "its partial parity log has entries, which device-mapper does not apply: mapped read-only";
        notes.push(Problem::warning("ppl-not-applied", message));
    }
    if !lost(array, missing).is_empty() {
        let why = "degraded, and nothing records what is written without the missing members";
        notes.push(if options.recorded && !options.read_only {
            let message = "degraded: the missing members are recorded as failed before anything is written";
            Problem::note("degraded", message)
        } else if options.read_write_anyway && !options.read_only {
            Problem::warning("degraded", format!("{why}: mapped read-write, as told"))
        } else {
            Problem::note("degraded", format!("{why}: mapped read-only"))
        });
    }
    notes
}
