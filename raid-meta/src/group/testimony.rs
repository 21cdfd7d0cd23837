//! What dm-raid superblocks say of an array: fresher than the metadata of its set.
//!
//! A set whose members have dm-raid superblocks records in its own metadata only what its owner changes; that a leg
//! failed or is being rebuilt the kernel records in the superblocks. As for the kernel the one with the most events
//! speaks for the array. A leg that it calls failed, whose own superblock is older, or which has none while others
//! do, is not believed.

use super::slots::Filled;
use super::{Candidate, sectors};
use crate::model::{VolumeView, Witness};
use crate::record::{ArrayRecord, Health, MemberState, Problem};
use crate::units::{Count, Sectors, Slot};

/// How many events a leg may be behind: superblocks are written one after the other.
const SLACK: u64 = 1;

/// All superblocks of one volume.
pub(super) struct Testimony<'a> {
    witnesses: Vec<&'a Witness>,
}

impl<'a> Testimony<'a> {
    pub(super) fn new(candidates: &[Candidate<'a>], champion: Candidate<'a>, volume: &VolumeView) -> Self {
        let of_set = candidates.iter().filter(|candidate| candidate.view.family == champion.view.family);
        let views = of_set.filter_map(|candidate| candidate.volume(&volume.uuid));
        Self { witnesses: views.flat_map(|view| &view.witnesses).collect() }
    }

    /// The one with the most events, the first of equals.
    fn freshest(&self) -> Option<&'a Witness> {
        self.witnesses
            .iter()
            .copied()
            .reduce(|best, other| if other.events > best.events { other } else { best })
    }

    fn of_slot(&self, slot: Slot) -> Option<&'a Witness> {
        self.witnesses
            .iter()
            .copied()
            .filter(|witness| witness.slot == slot)
            .max_by_key(|witness| witness.events)
    }

    /// Lets the superblocks overrule what the set says of a slot.
    pub(super) fn correct(&self, filled: &mut Filled<'_>, earlier: &[ArrayRecord]) {
        let member = &filled.member;
        if member.split || !matches!(member.state, MemberState::InSync | MemberState::Rebuilding) {
            return;
        }
        let Some((state, recovered, problem)) = self.verdict(filled, earlier) else { return };
        if state == MemberState::Rebuilding && filled.member.state == MemberState::Rebuilding {
            return;
        }
        filled.member.state = state;
        filled.member.recovered_sectors = recovered;
        filled.problems.push(problem);
    }

    fn verdict(
        &self,
        filled: &Filled<'_>,
        earlier: &[ArrayRecord],
    ) -> Option<(MemberState, Option<Sectors>, Problem)> {
        let freshest = self.freshest()?;
        let slot = filled.member.slot;
        if freshest.failed.contains(&slot) {
            let message = format!("marked as failed by the dm-raid superblock of slot {}", freshest.slot);
            return Some((MemberState::Failed, None, Problem::warning("failed-member", message)));
        }
        let Some(own) = self.of_slot(slot) else {
            let holder = filled.metadata.and_then(|place| earlier.get(place))?;
            let message = match holder.health {
                Health::Failed => "its dm-raid superblock can not be read",
                _ => "it has no dm-raid superblock, other slots have",
            };
            return Some((MemberState::Stale, None, Problem::warning("stale-member", message)));
        };
        if freshest.events.saturating_sub(own.events) > SLACK {
            let (found, most) = (Count(own.events), Count(freshest.events));
            let message = format!(
                "its dm-raid superblock has {found} events, that of slot {} has {most}",
                freshest.slot
            );
            return Some((MemberState::Stale, None, Problem::warning("stale-member", message)));
        }
        let length = filled.member.length_sectors.unwrap_or(Sectors::MAX);
        let recovered = own.recovered.filter(|&recovered| recovered < length)?;
        let message = format!("rebuilt up to {}", sectors(recovered));
        Some((MemberState::Rebuilding, Some(recovered), Problem::warning("rebuilding-member", message)))
    }

    /// What the superblocks say of the array as a whole.
    pub(super) fn apply(&self, array: &mut ArrayRecord) {
        let Some(freshest) = self.freshest() else { return };
        array.resync_position_sectors = freshest.resync_position;
        array.dirty = Some(freshest.resync_position.is_some());
    }
}
