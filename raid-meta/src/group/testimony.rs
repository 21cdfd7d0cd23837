//! What dm-raid superblocks say of an array: fresher than the metadata of its set.
//!
//! A set whose members have dm-raid superblocks records in its own metadata only what its owner changes; that a leg
//! failed or is being rebuilt the kernel records in the superblocks. As for the kernel the one with the most events
//! speaks for the array. A leg that it calls failed, whose own superblock is older, or which has none while others
//! do, is not believed.

use super::nested::Earlier;
use super::slots::Filled;
use super::{Candidate, sectors};
use crate::model::{VolumeView, Witness};
use crate::record::{ArrayRecord, Health, MemberState, Problem};
use crate::units::{Count, Sectors, Slot};

/// How many events a leg may be behind: superblocks are written one after the other.
const SLACK: u64 = 1;

/// All superblocks of one volume.
pub(super) struct Testimony<'a> {
    /// One for each superblock that was found.
    witnesses: Vec<&'a Witness>,
    /// Slots whose superblock nobody could look for: the device that has it does not know of the volume, or is not
    /// there.
    unseen: Vec<Slot>,
    /// All were looked for, and there is none.
    is_silent: bool,
}

/// What the superblocks say of a slot.
struct Verdict {
    state: MemberState,
    recovered: Option<Sectors>,
    problem: Problem,
}

impl<'a> Testimony<'a> {
    pub(super) fn new(
        candidates: &[Candidate<'a>],
        champion: Candidate<'a>,
        volume: &VolumeView,
        earlier: &Earlier<'_>,
    ) -> Self {
        let slots = (0..).zip(&volume.slots);
        let holders: Vec<(Slot, &str)> =
            slots.filter_map(|(slot, view)| Some((Slot(slot), view.metadata.as_deref()?))).collect();
        let mut testimony = Self { witnesses: Vec::new(), unseen: Vec::new(), is_silent: false };
        for (slot, uuid) in &holders {
            let place = earlier.find(uuid).and_then(|place| champion.view.volumes.get(place));
            let holder = place.and_then(|place| holder(candidates, champion, place));
            match holder.and_then(|holder| holder.volume(&volume.uuid)) {
                Some(view) => {
                    testimony.witnesses.extend(view.witnesses.iter().filter(|witness| witness.slot == *slot));
                }
                None => testimony.unseen.push(*slot),
            }
        }
        testimony.is_silent =
            !holders.is_empty() && testimony.witnesses.is_empty() && testimony.unseen.is_empty();
        testimony
    }

    /// The one with the most events, the first of equals.
    fn freshest(&self) -> Option<&'a Witness> {
        self.witnesses
            .iter()
            .copied()
            .reduce(|best, other| if other.events > best.events { other } else { best })
    }

    fn of_slot(&self, slot: Slot) -> Option<&'a Witness> {
        self.witnesses.iter().copied().find(|witness| witness.slot == slot)
    }

    /// Lets the superblocks overrule what the set says of a slot.
    pub(super) fn correct(&self, filled: &mut Filled<'_>, earlier: &Earlier<'_>) {
        if let (Some(witness), Some(offset)) =
            (self.of_slot(filled.member.slot), filled.member.offset_sectors)
        {
            filled.member.offset_sectors = Some(offset.saturating_add(witness.data_offset));
        }
        let state = filled.member.state;
        if filled.member.split || !matches!(state, MemberState::InSync | MemberState::Rebuilding) {
            return;
        }
        let Some(verdict) = self.verdict(filled, earlier) else { return };
        // That it is to be rebuilt from the start is more than how far that got.
        if (verdict.state, state) != (MemberState::Rebuilding, MemberState::Rebuilding) {
            filled.member.state = verdict.state;
            filled.member.recovered_sectors = verdict.recovered;
            filled.problems.push(verdict.problem);
        }
    }

    fn verdict(&self, filled: &Filled<'_>, earlier: &Earlier<'_>) -> Option<Verdict> {
        let freshest = self.freshest()?;
        let slot = filled.member.slot;
        let verdict = |state, code, message: String| Verdict {
            state,
            recovered: None,
            problem: Problem::warning(code, message),
        };
        if freshest.failed.contains(&slot) {
            let message = format!("marked as failed by the dm-raid superblock of slot {}", freshest.slot);
            return Some(verdict(MemberState::Failed, "failed-member", message));
        }
        let Some(own) = self.of_slot(slot) else {
            let message = match filled.metadata.and_then(|place| earlier.get(place))?.health {
                Health::Failed => "its dm-raid superblock can not be read",
                _ if self.unseen.contains(&slot) => return None,
                _ => "it has no dm-raid superblock, other slots have",
            };
            return Some(verdict(MemberState::Stale, "stale-member", message.to_owned()));
        };
        if freshest.events.saturating_sub(own.events) > SLACK {
            let (found, most) = (Count(own.events), Count(freshest.events));
            let message = format!(
                "its dm-raid superblock has {found} events, that of slot {} has {most}",
                freshest.slot
            );
            return Some(verdict(MemberState::Stale, "stale-member", message));
        }
        let length = filled.member.length_sectors.unwrap_or(Sectors::MAX);
        let recovered = own.recovered.filter(|&recovered| recovered < length)?;
        let message = format!("rebuilt up to {}", sectors(recovered));
        let rebuilding = verdict(MemberState::Rebuilding, "rebuilding-member", message);
        Some(Verdict { recovered: Some(recovered), ..rebuilding })
    }

    /// What the superblocks say of the array as a whole.
    pub(super) fn apply(&self, array: &mut ArrayRecord) {
        if let Some(freshest) = self.freshest() {
            array.resync_position_sectors = freshest.resync_position;
            array.dirty = Some(freshest.resync_position.is_some());
            if freshest.reshaping {
                let message = format!(
                    "the dm-raid superblock of slot {} says that the array is being reshaped, which is not followed",
                    freshest.slot
                );
                array.problems.push(Problem::error("reshape-unsupported", message));
            }
        } else if self.is_silent && array.level.is_redundant() {
            let message =
                "no slot has a dm-raid superblock: the array was never active, nor its redundancy computed";
            array.problems.push(Problem::note("never-active", message));
            array.resync_position_sectors = Some(Sectors::ZERO);
            array.dirty = Some(true);
        }
    }

    /// The health, where an array is not in the geometry that its set says.
    pub(super) fn health(&self, health: Health) -> Health {
        match self.freshest() {
            Some(freshest) if freshest.reshaping => health.min(Health::Reshaping),
            Some(freshest) if freshest.resync_position.is_some() => health.min(Health::Inconsistent),
            _ => health,
        }
    }
}

/// The device on which a volume begins.
fn holder<'a>(
    candidates: &[Candidate<'a>],
    champion: Candidate<'_>,
    volume: &VolumeView,
) -> Option<Candidate<'a>> {
    let key = volume.slots.first()?.key.as_ref()?;
    let is_named = |candidate: &&Candidate<'a>| {
        candidate.view.key.as_ref() == Some(key) && candidate.view.family == champion.view.family
    };
    candidates.iter().find(is_named).copied()
}
