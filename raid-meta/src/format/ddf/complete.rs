//! The views of a group's disks, completed from one another.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::model::{MemberView, SlotState, SlotView, VolumeView};
use crate::record::Problem;

/// Fills what a view leaves open with what the others know, the newest first.
pub(super) fn complete(views: &mut [&mut MemberView]) {
    let mut known: Vec<(u64, Vec<VolumeView>)> =
        views.iter().map(|view| (view.generation, view.volumes.clone())).collect();
    known.sort_by_key(|(generation, _)| std::cmp::Reverse(*generation));
    let donors = |uuid: &str| -> Vec<&VolumeView> {
        let volumes = known.iter().flat_map(|(_, volumes)| volumes);
        volumes.filter(|volume| volume.uuid == uuid && volume.geometry.is_some()).collect()
    };
    for volume in views.iter_mut().flat_map(|view| &mut view.volumes) {
        let donors = donors(&volume.uuid);
        if volume.geometry.is_none() && volume.problems.is_empty() {
            match donors.first() {
                Some(donor) => adopt(volume, donor),
                None => volume.problems.push(unknown()),
            }
        }
        let geometry = volume.geometry;
        for donor in donors.iter().filter(|donor| donor.geometry == geometry) {
            for (slot, theirs) in volume.slots.iter_mut().zip(&donor.slots) {
                if is_open(slot) {
                    slot.clone_from(theirs);
                }
            }
        }
    }
}

/// Whether a slot is one of an element that the disk does not know.
fn is_open(slot: &SlotView) -> bool {
    slot.key.is_none() && slot.subset.is_none() && slot.state == SlotState::InSync
}

/// Takes over what follows from the configuration. What the tables of the group say stays: all disks have them.
fn adopt(volume: &mut VolumeView, donor: &VolumeView) {
    *volume = VolumeView {
        own: None,
        state: volume.state.clone(),
        problems: donor.problems.clone(),
        ..donor.clone()
    };
}

fn unknown() -> Problem {
    let message = "no disk that is present has the configuration of the volume";
    Problem::error("configuration-missing", message)
}
