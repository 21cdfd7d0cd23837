//! Health of an array: the first that applies.

use crate::geometry::{Geometry, Layout, Level, raid10_copy_slots};
use crate::model::VolumeView;
use crate::record::{ArrayRecord, Health, MemberState};

/// The health that the members' states, the volume's own words and the subsets in use add up to.
pub(super) fn of(array: &ArrayRecord, volume: &VolumeView, subsets: &[Health]) -> Health {
    let unmapped = volume.geometry.is_none();
    subsets.iter().copied().fold(own(array, volume, unmapped), Health::min)
}

fn own(array: &ArrayRecord, volume: &VolumeView, unmapped: bool) -> Health {
    let state = |wanted| array.members.iter().any(|member| member.state == wanted);
    let present: Vec<bool> = array.members.iter().map(|member| member.state == MemberState::InSync).collect();
    let lost = match &array.reshape {
        Some(reshape) => loses_data(&reshape.from, &present) || loses_data(&reshape.to, &present),
        None => loses_data(&array.geometry(), &present),
    };
    if unmapped || lost {
        Health::Failed
    } else if array.reshape.is_some() {
        Health::Reshaping
    } else if state(MemberState::Rebuilding) {
        Health::Rebuilding
    } else if array.members.iter().any(|member| member.state != MemberState::InSync && !member.split) {
        Health::Degraded
    } else if volume.initializing {
        Health::Initializing
    } else if volume.dirty == Some(true) || super::is_contradictory(array) {
        Health::Inconsistent
    } else {
        Health::Optimal
    }
}

/// Whether data is lost with only these slots present.
#[must_use]
pub fn loses_data(geometry: &Geometry, present: &[bool]) -> bool {
    let slots = geometry.slots as usize;
    let missing = (0..slots).filter(|&slot| present.get(slot) != Some(&true)).count();
    match geometry.level {
        Level::Linear | Level::Raid0 => missing > 0,
        Level::Raid1 => missing == slots,
        Level::Raid4 | Level::Raid5 => missing > 1,
        Level::Raid6 => missing > 2,
        Level::Raid10 => raid10_is_lost(geometry, present),
    }
}

/// Whether some chunk has all its copies on missing members; the pattern repeats after one chunk per slot.
fn raid10_is_lost(geometry: &Geometry, present: &[bool]) -> bool {
    let Some(layout) = geometry.layout.and_then(Layout::raid10) else { return true };
    if layout.copies() > geometry.slots {
        return true;
    }
    (0..u64::from(geometry.slots)).any(|chunk| {
        raid10_copy_slots(layout, geometry.slots, chunk).all(|slot| present.get(slot.index()) != Some(&true))
    })
}
