//! Which device is in which slot of a volume, and in what state.

use super::nested::{self, Earlier};
use super::testimony::Testimony;
use super::{Candidate, generations, sectors};
use crate::geometry::{Layout, Level};
use crate::model::{Extent, OwnPart, ReshapeView, SlotState, SlotView, VolumeView};
use crate::record::{ArrayMember, ArrayRecord, MemberState, Problem, ReshapeRecord, Role};
use crate::units::{Sectors, Slot};

/// A slot with what was found for it.
pub(super) struct Filled<'a> {
    pub(super) member: ArrayMember,
    pub(super) candidate: Option<Candidate<'a>>,
    pub(super) problems: Vec<Problem>,
    /// The arrays of the set that are the member, and that hold its superblock.
    pub(super) subset: Option<usize>,
    pub(super) metadata: Option<usize>,
}

impl Filled<'_> {
    /// The problems as the array reports them: with the slot, and with the device.
    pub(super) fn array_problems(&self) -> Vec<Problem> {
        let device = self.candidate.map(|candidate| format!(" ({})", candidate.label())).unwrap_or_default();
        let with_slot = |problem: &Problem| Problem {
            message: format!("slot {}{device}: {}", self.member.slot, problem.message),
            ..problem.clone()
        };
        self.problems.iter().map(with_slot).collect()
    }
}

/// Fills all slots of a volume as the champion sees them.
pub(super) fn fill<'a>(
    candidates: &[Candidate<'a>],
    champion: Candidate<'a>,
    volume: &VolumeView,
    earlier: &Earlier<'_>,
    testimony: &Testimony<'_>,
) -> Vec<Filled<'a>> {
    let matcher = Matcher { candidates, champion, volume, earlier };
    let slots = volume.slots.iter().enumerate();
    let fill = |(number, view): (usize, &SlotView)| {
        let mut filled = matcher.fill(Slot(u32::try_from(number).unwrap_or(u32::MAX)), view);
        filled.metadata = view.metadata.as_deref().and_then(|uuid| earlier.find(uuid));
        filled.member.write_mostly = view.write_mostly;
        filled.member.split = view.split;
        testimony.correct(&mut filled, earlier);
        filled
    };
    slots.map(fill).collect()
}

struct Matcher<'a, 'b> {
    candidates: &'b [Candidate<'a>],
    champion: Candidate<'a>,
    volume: &'b VolumeView,
    /// The arrays of the set before this one: its subsets are among them.
    earlier: &'b Earlier<'b>,
}

impl<'a> Matcher<'a, '_> {
    fn fill(&self, slot: Slot, view: &SlotView) -> Filled<'a> {
        if let Some(uuid) = &view.subset {
            return nested::fill(slot, view, uuid, self.earlier);
        }
        let named = self.named(view);
        let mut problems = Vec::new();
        if named.len() > 1 {
            let labels: Vec<String> = named.iter().map(Candidate::label).collect();
            let message = format!("{} all say that they are this member", labels.join(", "));
            problems.push(Problem::error("duplicate-member", message));
        }
        let freshest = named
            .into_iter()
            .reduce(|best, other| if other.view.generation > best.view.generation { other } else { best });
        match freshest {
            Some(candidate) => self.present(slot, view, candidate, problems),
            None => self.absent(slot, view, problems),
        }
    }

    /// The candidates that the champion's view names for the slot.
    fn named(&self, view: &SlotView) -> Vec<Candidate<'a>> {
        let Some(key) = &view.key else { return Vec::new() };
        let is_named = |candidate: &&Candidate<'a>| {
            candidate.view.key.as_ref() == Some(key) && candidate.view.family == self.champion.view.family
        };
        self.candidates.iter().filter(is_named).copied().collect()
    }

    /// A candidate that the view names: in sync, unless something speaks against it.
    fn present(
        &self,
        slot: Slot,
        view: &SlotView,
        candidate: Candidate<'a>,
        mut problems: Vec<Problem>,
    ) -> Filled<'a> {
        let freshest = self.champion.view.generation;
        let behind = freshest.saturating_sub(candidate.view.generation);
        let own = self.own(slot, view, candidate);
        let recovered =
            own.as_ref().and_then(|own| own.recovered.filter(|&recovered| recovered < own.length));
        let state = if view.state == SlotState::Failed {
            let message = format!("marked as failed by {}", self.champion.label());
            problems.push(Problem::warning("failed-member", message));
            MemberState::Failed
        } else if behind > self.champion.view.generation_slack {
            problems.push(Problem::warning("stale-member", generations(candidate.view.generation, freshest)));
            MemberState::Stale
        } else if candidate.view.role == Role::Failed {
            problems.push(Problem::warning("failed-member", "its own metadata marks it as failed"));
            MemberState::Failed
        } else if view.state == SlotState::Rebuilding || recovered.is_some() {
            let current = recovered.unwrap_or_default();
            problems
                .push(Problem::warning("rebuilding-member", format!("rebuilt up to {}", sectors(current))));
            MemberState::Rebuilding
        } else {
            MemberState::InSync
        };
        problems.extend(self.disagreement(candidate, behind, state));
        self.filled(slot, Some(candidate), own, state, problems)
    }

    /// What a member that should agree with the champion does not agree with.
    fn disagreement(&self, candidate: Candidate<'a>, behind: u64, state: MemberState) -> Option<Problem> {
        if state == MemberState::Stale {
            return None;
        }
        if behind > 0 {
            let message = generations(candidate.view.generation, self.champion.view.generation);
            return Some(Problem::note("generation-behind", message));
        }
        let theirs = candidate.volume(&self.volume.uuid)?;
        let differs = theirs.slots != self.volume.slots || theirs.geometry != self.volume.geometry;
        differs.then(|| {
            let message = format!(
                "has the same generation as {} but describes the array otherwise",
                self.champion.label()
            );
            Problem::error("divergent", message)
        })
    }

    /// No candidate that the view names: perhaps one that claims the slot in its own, older view.
    fn absent(&self, slot: Slot, view: &SlotView, mut problems: Vec<Problem>) -> Filled<'a> {
        let Some(claimant) = self.claimant(slot) else {
            let name = view.key.as_ref().map(|key| format!(" (disk {})", key.trim_end())).unwrap_or_default();
            problems.push(Problem::warning("missing-member", format!("no device found{name}")));
            return self.filled(slot, None, stated(slot, view), MemberState::Missing, problems);
        };
        let freshest = self.champion.view.generation;
        let found = claimant.view.generation;
        let label = self.champion.label();
        problems.push(if claimant.view.family != self.champion.view.family {
            Problem::warning("stale-member", format!("of another family of the set than {label}"))
        } else if found < freshest {
            let reason = format!("{}; {label} no longer counts it as a member", generations(found, freshest));
            Problem::warning("stale-member", reason)
        } else {
            Problem::error(
                "divergent",
                format!("claims the slot with generation {found}, which {label} denies"),
            )
        });
        let own = self.own(slot, view, claimant);
        self.filled(slot, Some(claimant), own, MemberState::Stale, problems)
    }

    /// The freshest candidate whose own view puts it into the slot and that the champion's view puts nowhere.
    fn claimant(&self, slot: Slot) -> Option<Candidate<'a>> {
        let claims = |candidate: &&Candidate<'a>| {
            let own = candidate.volume(&self.volume.uuid).and_then(|volume| volume.own.as_ref());
            own.is_some_and(|own| own.slot == Some(slot)) && !self.is_placed(candidate)
        };
        self.candidates.iter().filter(claims).copied().max_by_key(|candidate| candidate.view.generation)
    }

    fn is_placed(&self, candidate: &Candidate<'a>) -> bool {
        candidate.view.family == self.champion.view.family
            && candidate.view.key.is_some()
            && self.volume.slots.iter().any(|slot| slot.key == candidate.view.key)
    }

    /// Where the champion says that the slot's data is, else the candidate's own part; the champion's where the
    /// candidate's metadata does not have the volume.
    fn own(&self, slot: Slot, view: &SlotView, candidate: Candidate<'a>) -> Option<OwnPart> {
        let theirs = candidate.volume(&self.volume.uuid).and_then(|volume| volume.own.clone());
        if let Some(stated) = stated(slot, view) {
            // Only the candidate itself knows what is lost of it.
            let known = theirs.filter(|own| own.slot == Some(slot) && own.offset == stated.offset);
            let bad_sectors = known.map(|own| own.bad_sectors).unwrap_or_default();
            return Some(OwnPart { bad_sectors, ..stated });
        }
        theirs.or_else(|| {
            let own = self.volume.own.clone()?;
            Some(OwnPart { slot: None, recovered: None, bad_sectors: Vec::new(), ..own })
        })
    }

    fn filled(
        &self,
        slot: Slot,
        candidate: Option<Candidate<'a>>,
        own: Option<OwnPart>,
        state: MemberState,
        mut problems: Vec<Problem>,
    ) -> Filled<'a> {
        let device = candidate.map(|candidate| &candidate.member.device);
        if let (Some(device), Some(own)) = (device, &own) {
            problems.extend(truncation(own, device.length_sectors()));
        }
        let member = ArrayMember {
            slot,
            device: device.map(crate::device::Device::path_text),
            device_offset_sectors: device.map(crate::device::Device::offset_sectors),
            device_length_sectors: device.map(crate::device::Device::length_sectors),
            array: None,
            metadata_array: None,
            state,
            offset_sectors: own.as_ref().map(|own| own.offset),
            length_sectors: own.as_ref().map(|own| own.length),
            recovered_sectors: (state == MemberState::Rebuilding)
                .then(|| own.as_ref().and_then(|own| own.recovered).unwrap_or_default()),
            reshape_offset_sectors: own.as_ref().and_then(|own| own.reshape_offset),
            bad_sectors: own.map(|own| own.bad_sectors).unwrap_or_default(),
            write_mostly: false,
            split: false,
        };
        Filled { member, candidate, problems, subset: None, metadata: None }
    }
}

/// The extent of the slot, where the set states it.
fn stated(slot: Slot, view: &SlotView) -> Option<OwnPart> {
    let Extent { offset, length } = view.extent?;
    Some(OwnPart { slot: Some(slot), offset, length, available: length, ..OwnPart::default() })
}

fn truncation(own: &OwnPart, device: Sectors) -> Option<Problem> {
    let end = own.offset.saturating_add(own.length);
    (end > device).then(|| {
        let message = format!("its data ends at sector {end}, the device at {device}");
        Problem::warning("device-too-small", message)
    })
}

/// The reshape as the format understands what the current members say of it.
pub(super) fn reshape(
    champion: Candidate<'_>,
    volume: &VolumeView,
    current: &[&VolumeView],
) -> Option<ReshapeRecord> {
    let first: Vec<&VolumeView> = std::iter::once(volume).chain(current.iter().copied()).collect();
    let ReshapeView { from, to, position, direction, uncertain, .. } =
        champion.member.format.reshape(&first)?;
    Some(ReshapeRecord { from, to, position_sectors: position, direction, uncertain })
}

/// Levels without redundancy add up what each member has, which no member knows alone. The layout of
/// a raid0 means something only where the members differ.
pub(super) fn fit_raid0(array: &mut ArrayRecord) {
    if !matches!(array.level, Level::Raid0 | Level::Linear) || array.reshape.is_some() {
        return;
    }
    let chunk = array.chunk_sectors.map_or(1, |chunk| u64::from(chunk.get()));
    let lengths: Option<Vec<u64>> = array
        .members
        .iter()
        .map(|member| member.length_sectors.map(|length| length.0 / chunk * chunk))
        .collect();
    let Some(lengths) = lengths else { return };
    let equal = lengths.windows(2).all(|pair| pair.first() == pair.last());
    if !equal {
        array.size_sectors =
            lengths.iter().fold(Sectors::ZERO, |sum, &length| sum.saturating_add(Sectors(length)));
    }
    let is_raid0 = array.level == Level::Raid0;
    if equal {
        array.layout = None;
    } else if is_raid0 && !matches!(array.layout, Some(Layout::Raid0(_))) {
        array.problems.push(Problem::error(
            "raid0-layout-unknown",
            "the members differ in size and the metadata does not say which of the two raid0 layouts is used",
        ));
    }
}
