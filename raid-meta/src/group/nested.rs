//! Sets of sets: slots that are other arrays of the same set.
//!
//! The volumes of a view come subsets first, so the arrays before one are all that its slots can be. Names are given
//! last of all, when they are made unique; until then a slot knows its subset by its place in the list.

use super::slots::Filled;
use crate::model::{Extent, SlotState, SlotView, VolumeView};
use crate::record::{ArrayMember, ArrayRecord, Health, MemberState, Problem};
use crate::units::{Sectors, Slot};
use std::collections::HashMap;

/// A slot of an array and the arrays that it is, by their places in the list.
pub(super) struct Link {
    array: usize,
    slot: usize,
    subset: Option<usize>,
    metadata: Option<usize>,
}

impl Link {
    /// The same link in a list that has `before` more arrays in front.
    pub(super) fn after(self, before: usize) -> Self {
        let moved = |place: usize| place.saturating_add(before);
        Self {
            array: moved(self.array),
            slot: self.slot,
            subset: self.subset.map(moved),
            metadata: self.metadata.map(moved),
        }
    }
}

/// The place of each volume by its identity; the first of equals.
pub(super) fn places(volumes: &[VolumeView]) -> HashMap<&str, usize> {
    let places = volumes.iter().enumerate().rev();
    places.map(|(place, volume)| (volume.uuid.as_str(), place)).collect()
}

/// The arrays before the one that is being made: one for each volume before its own.
pub(super) struct Earlier<'a> {
    pub(super) arrays: &'a [ArrayRecord],
    pub(super) places: &'a HashMap<&'a str, usize>,
}

impl<'a> Earlier<'a> {
    /// The place of the array of that identity.
    pub(super) fn find(&self, uuid: &str) -> Option<usize> {
        self.places.get(uuid).copied().filter(|&place| place < self.arrays.len())
    }

    pub(super) fn get(&self, place: usize) -> Option<&'a ArrayRecord> {
        self.arrays.get(place)
    }

    /// The health of each subset that is in use.
    pub(super) fn healths(&self, filled: &[Filled<'_>]) -> Vec<Health> {
        let in_use = filled.iter().filter(|slot| slot.member.state == MemberState::InSync);
        in_use.filter_map(|slot| self.get(slot.subset?)).map(|subset| subset.health).collect()
    }
}

/// A slot that is a subset. Its state follows from the health of the subset.
pub(super) fn fill<'a>(slot: Slot, view: &SlotView, uuid: &str, earlier: &Earlier<'_>) -> Filled<'a> {
    let place = earlier.find(uuid);
    let subset = place.and_then(|place| earlier.get(place));
    let (state, problem) = state(view, subset);
    let whole = || subset.map(|subset| Extent { offset: Sectors::ZERO, length: subset.size_sectors });
    let extent = view.extent.or_else(whole);
    let member = ArrayMember {
        slot,
        device: None,
        device_offset_sectors: None,
        device_length_sectors: None,
        array: None,
        metadata_array: None,
        state,
        offset_sectors: extent.map(|extent| extent.offset),
        length_sectors: extent.map(|extent| extent.length),
        recovered_sectors: (state == MemberState::Rebuilding).then_some(Sectors::ZERO),
        reshape_offset_sectors: None,
        bad_sectors: Vec::new(),
        write_mostly: false,
        split: false,
    };
    let problems = problem.into_iter().chain(too_small(extent, subset)).collect();
    Filled { member, candidate: None, problems, subset: place, metadata: None }
}

fn state(view: &SlotView, subset: Option<&ArrayRecord>) -> (MemberState, Option<Problem>) {
    let Some(subset) = subset else {
        let problem = Problem::warning("missing-member", "its subset is not described");
        return (MemberState::Missing, Some(problem));
    };
    let name = subset.volume.as_deref().unwrap_or(&subset.name);
    match (view.state, subset.health) {
        (_, Health::Failed) => {
            let absent = subset.members.iter().any(|member| member.state == MemberState::Missing);
            let state = if absent { MemberState::Missing } else { MemberState::Failed };
            (state, Some(Problem::warning("failed-subset", format!("subset {name} has failed"))))
        }
        _ if view.split => {
            let message = format!("{name} is split off, and what is written since is not on it");
            (MemberState::Stale, Some(Problem::note("split-member", message)))
        }
        (SlotState::Failed, _) => {
            let message = format!("subset {name} is marked as failed");
            (MemberState::Failed, Some(Problem::warning("failed-member", message)))
        }
        (SlotState::Rebuilding, _) => {
            let message = format!("subset {name} is to be rebuilt");
            (MemberState::Rebuilding, Some(Problem::warning("rebuilding-member", message)))
        }
        (SlotState::InSync, Health::Optimal | Health::Inconsistent | Health::Initializing) => {
            (MemberState::InSync, None)
        }
        (SlotState::InSync, health) => {
            let health = serde_json::to_value(health).unwrap_or_default();
            let message = format!("subset {name} is {}", health.as_str().unwrap_or("not optimal"));
            (MemberState::InSync, Some(Problem::note("degraded-subset", message)))
        }
    }
}

fn too_small(extent: Option<Extent>, subset: Option<&ArrayRecord>) -> Option<Problem> {
    let (extent, found) = (extent?, subset?.size_sectors);
    let end = extent.offset.saturating_add(extent.length);
    (end > found).then(|| {
        Problem::warning("device-too-small", format!("its data ends at sector {end}, the subset at {found}"))
    })
}

/// The links of an array that is the next of the list.
pub(super) fn links(array: usize, filled: &[Filled<'_>]) -> Vec<Link> {
    let slots = filled.iter().enumerate();
    let link = |(slot, filled): (usize, &Filled<'_>)| Link {
        array,
        slot,
        subset: filled.subset,
        metadata: filled.metadata,
    };
    slots.map(link).filter(|link| link.subset.is_some() || link.metadata.is_some()).collect()
}

/// Writes the final names of the subsets into the slots.
pub(super) fn name_subsets(arrays: &mut [ArrayRecord], links: &[Link]) {
    let names: Vec<String> = arrays.iter().map(|array| array.name.clone()).collect();
    let name = |place: Option<usize>| place.and_then(|place| names.get(place)).cloned();
    for link in links {
        let array = arrays.get_mut(link.array);
        if let Some(member) = array.and_then(|array| array.members.get_mut(link.slot)) {
            member.array = name(link.subset);
            member.metadata_array = name(link.metadata);
        }
    }
}
