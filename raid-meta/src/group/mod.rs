//! Members to arrays: identity, freshness, missing, foreign, divergent.
//!
//! Every member carries a view of its whole set. Of the members that name the same set, the freshest active one
//! speaks for it: its view says how many slots there are and which disk is in each. The other members are
//! looked up by the name that this view has for them. One that the view knows and that is as fresh is in sync;
//! one that is older, or that claims a slot which the view gives to nobody, is stale. Nothing is believed of a
//! member that the freshest view contradicts.

mod health;
mod layers;
mod names;
mod nested;
mod slots;
mod testimony;
#[cfg(test)]
mod tests;

pub use health::loses_data;
pub use layers::group_with_carved;

use crate::identify::Member;
use crate::model::{MemberView, Tuning, VolumeView};
use crate::record::{
    ArrayRecord, Evidence, MemberState, Problem, Role, Severity, SpareRecord, TuningRecord, V1, WriteLog,
};
use crate::units::{Count, Sectors};
use nested::{Earlier, Link};
use slots::Filled;
use std::collections::HashMap;
use testimony::Testimony;

/// Makes arrays of members. Members get the problems that only the comparison shows. With `assume_order`,
/// members whose slot is unknown take the free slots in the order in which they are given.
pub fn group(members: &mut [Member], assume_order: bool) -> Vec<ArrayRecord> {
    let mut arrays = Vec::new();
    let mut links = Vec::new();
    for set in sets(members) {
        complete(members, &set);
        if assume_order {
            assume_slots(members, &set);
        }
        let assembled = assemble(members, &set);
        for (index, finding) in assembled.findings {
            if let Some(member) = members.get_mut(index) {
                apply(member, finding);
            }
        }
        links.extend(assembled.links.into_iter().map(|link| link.after(arrays.len())));
        arrays.extend(assembled.arrays);
    }
    names::make_unique(&mut arrays);
    nested::name_subsets(&mut arrays, &links);
    arrays
}

/// Lets the members of a set tell each other what only some of them know.
fn complete(members: &mut [Member], set: &[usize]) {
    let of_set = |index: &usize| set.binary_search(index).is_ok();
    let mut format = None;
    let mut views: Vec<&mut MemberView> = Vec::new();
    for (_, member) in members.iter_mut().enumerate().filter(|(index, _)| of_set(index)) {
        format = Some(member.format);
        views.extend(&mut member.view);
    }
    if let Some(format) = format {
        format.complete(&mut views);
    }
}

/// What the comparison shows of one member.
enum Finding {
    Problem(Problem),
    Foreign(Problem),
    Agrees,
}

#[derive(Default)]
struct Assembled {
    arrays: Vec<ArrayRecord>,
    /// Which slots are which arrays of these.
    links: Vec<Link>,
    findings: Vec<(usize, Finding)>,
}

/// A member that can be compared: its place in the list, and its view.
#[derive(Clone, Copy)]
struct Candidate<'a> {
    index: usize,
    member: &'a Member,
    view: &'a MemberView,
}

impl<'a> Candidate<'a> {
    fn volume(&self, uuid: &str) -> Option<&'a VolumeView> {
        self.view.volumes.iter().find(|volume| volume.uuid == uuid)
    }

    fn label(&self) -> String {
        self.member.device.label()
    }
}

/// The members of each set, sets in the order of their first members. Members that are not sound belong to none.
fn sets(members: &[Member]) -> Vec<Vec<usize>> {
    let mut sets: Vec<Vec<usize>> = Vec::new();
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    let sound = members.iter().enumerate().filter(|(_, member)| member.is_sound());
    let views = sound.filter_map(|(index, member)| Some((index, member, member.view.as_ref()?)));
    let (with_set, without): (Vec<_>, Vec<_>) = views.partition(|(_, _, view)| !view.set_id.is_empty());
    for (index, member, view) in with_set {
        let number = *known.entry((member.format.name(), &view.set_id)).or_insert(sets.len());
        match sets.get_mut(number) {
            Some(set) => set.push(index),
            None => sets.push(vec![index]),
        }
    }
    adopt(members, &mut sets, without.into_iter().map(|(index, ..)| index));
    sets
}

/// Puts members that know no set, only their own name, into the set that knows the name.
fn adopt(members: &[Member], sets: &mut [Vec<usize>], orphans: impl Iterator<Item = usize>) {
    let orphans: Vec<usize> = orphans.collect();
    if orphans.is_empty() {
        return;
    }
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    for (number, set) in sets.iter().enumerate() {
        for member in set.iter().filter_map(|&index| members.get(index)) {
            let volumes = member.view.iter().flat_map(|view| &view.volumes);
            let keys = volumes.flat_map(|volume| &volume.slots).filter_map(|slot| slot.key.as_deref());
            known.extend(keys.map(|key| ((member.format.name(), key), number)));
        }
    }
    for index in orphans {
        let Some(member) = members.get(index) else { continue };
        let key = member.view.as_ref().and_then(|view| view.key.as_deref());
        let number = key.and_then(|key| known.get(&(member.format.name(), key)));
        if let Some(set) = number.and_then(|&number| sets.get_mut(number)) {
            set.push(index);
        }
    }
}

fn candidates<'a>(members: &'a [Member], set: &[usize]) -> Vec<Candidate<'a>> {
    let candidate = |&index: &usize| {
        let member = members.get(index)?;
        Some(Candidate { index, member, view: member.view.as_ref()? })
    };
    set.iter().filter_map(candidate).collect()
}

/// Gives the disks whose name in the set is not known the slots that nobody claims, in order.
fn assume_slots(members: &mut [Member], set: &[usize]) {
    let candidates = candidates(members, set);
    let Some((champion, _)) = champion(&candidates) else { return };
    let taken: Vec<_> = candidates.iter().filter_map(|candidate| candidate.view.key.clone()).collect();
    let slots = champion.view.volumes.first().map(|volume| volume.slots.clone()).unwrap_or_default();
    let mut free: Vec<_> =
        slots.into_iter().filter_map(|slot| slot.key).filter(|key| !taken.contains(key)).collect();
    free.reverse();
    for &index in set {
        let Some(member) = members.get_mut(index) else { continue };
        let Some(view) = member.view.as_mut().filter(|view| view.key.is_none()) else { continue };
        let Some(key) = free.pop() else { break };
        let message =
            format!("taken for disk {} of the set by its place among the arguments", key.trim_end());
        view.key = Some(key);
        view.role = Role::Active;
        member.problems.retain(|problem| problem.code != "slot-unknown");
        member.add_problem(Problem::warning("slot-assumed", message));
    }
}

/// The member that speaks for the set, and what is doubtful about the choice.
fn champion<'a>(candidates: &[Candidate<'a>]) -> Option<(Candidate<'a>, Vec<Problem>)> {
    let with = |wanted: fn(&MemberView) -> bool| -> Vec<Candidate<'a>> {
        candidates.iter().filter(|candidate| wanted(candidate.view)).copied().collect()
    };
    let speakers = [
        with(|view| view.role == Role::Active && !view.volumes.is_empty()),
        with(|view| matches!(view.role, Role::Unknown | Role::Failed) && !view.volumes.is_empty()),
        with(|view| !view.volumes.is_empty()),
    ];
    let speakers = speakers.into_iter().find(|speakers| !speakers.is_empty())?;
    let views: Vec<&MemberView> = speakers.iter().map(|speaker| speaker.view).collect();
    let (best, problems) = speakers.first()?.member.format.freshest(&views);
    speakers.get(best).map(|champion| (*champion, problems))
}

fn assemble(members: &[Member], set: &[usize]) -> Assembled {
    let candidates = candidates(members, set);
    let Some((champion, doubts)) = champion(&candidates) else { return Assembled::default() };
    let mut assembled = Assembled::default();
    for candidate in candidates.iter().filter(|candidate| candidate.view.family != champion.view.family) {
        let message = format!(
            "belongs to family {} of the set, {} is of family {}",
            candidate.view.family,
            champion.label(),
            champion.view.family
        );
        assembled.findings.push((candidate.index, Finding::Foreign(Problem::warning("foreign", message))));
    }
    let places = nested::places(&champion.view.volumes);
    for volume in &champion.view.volumes {
        let earlier = Earlier { arrays: &assembled.arrays, places: &places };
        let testimony = Testimony::new(&candidates, champion, volume, &earlier);
        let filled = slots::fill(&candidates, champion, volume, &earlier, &testimony);
        let mut array = array_record(&candidates, champion, volume, &filled);
        testimony.apply(&mut array);
        array.health = testimony.health(health::of(&array, volume, &earlier.healths(&filled)));
        assembled.links.extend(nested::links(assembled.arrays.len(), &filled));
        array.problems.splice(0..0, doubts.iter().cloned());
        assembled.findings.extend(findings(&filled));
        assembled.arrays.push(array);
    }
    assembled
}

fn findings(filled: &[Filled<'_>]) -> Vec<(usize, Finding)> {
    let agreeing = filled.iter().filter(|slot| slot.member.state == MemberState::InSync).count();
    let mut findings = Vec::new();
    for slot in filled {
        let Some(candidate) = slot.candidate else { continue };
        if agreeing > 1 && slot.member.state == MemberState::InSync {
            findings.push((candidate.index, Finding::Agrees));
        }
        findings
            .extend(slot.problems.iter().map(|problem| (candidate.index, Finding::Problem(problem.clone()))));
    }
    findings
}

fn apply(member: &mut Member, finding: Finding) {
    match finding {
        Finding::Problem(problem) => member.add_problem(problem),
        Finding::Foreign(problem) => {
            if let Some(view) = member.view.as_mut() {
                view.role = Role::Foreign;
            }
            member.add_problem(problem);
        }
        Finding::Agrees if member.evidence.contains(&Evidence::Members) => {}
        Finding::Agrees => member.evidence.push(Evidence::Members),
    }
}

fn array_record(
    candidates: &[Candidate<'_>],
    champion: Candidate<'_>,
    volume: &VolumeView,
    filled: &[Filled<'_>],
) -> ArrayRecord {
    let mut current: Vec<&VolumeView> = filled
        .iter()
        .filter(|slot| matches!(slot.member.state, MemberState::InSync | MemberState::Rebuilding))
        .filter_map(|slot| slot.candidate?.volume(&volume.uuid))
        .collect();
    if filled.iter().all(|slot| slot.candidate.is_none()) {
        current.push(volume);
    }
    let mut problems: Vec<Problem> = volume.problems.clone();
    problems.extend(filled.iter().flat_map(|slot| slot.array_problems()));
    let reshape = slots::reshape(champion, volume, &current);
    let geometry = volume.geometry;
    let mut record = ArrayRecord {
        v: V1,
        format: Some(champion.member.format.name().to_owned()),
        set_id: Some(champion.view.set_id.clone()),
        name: volume.dm_name.clone(),
        volume: volume.name.clone(),
        uuid: Some(volume.uuid.clone()),
        level: geometry
            .map(|geometry| geometry.level)
            .or(volume.level)
            .unwrap_or(crate::geometry::Level::Linear),
        layout: geometry.and_then(|geometry| geometry.layout),
        chunk_sectors: geometry.and_then(|geometry| geometry.chunk),
        size_sectors: volume.size,
        slots: u32::try_from(filled.len()).unwrap_or(u32::MAX),
        health: crate::record::Health::Optimal,
        dirty: volume.dirty,
        resync_position_sectors: current.iter().filter_map(|view| view.resync_position).min(),
        members: filled.iter().map(|slot| slot.member.clone()).collect(),
        spares: spares(candidates, filled),
        reshape,
        write_log: write_log(candidates, champion, volume),
        tuning: volume.tuning.map(tuning_record),
        problems,
    };
    slots::fit_raid0(&mut record);
    if geometry.is_none() {
        record.problems.push(Problem::error(
            "unsupported-geometry",
            "the geometry of the volume is not one that can be mapped",
        ));
    }
    record
}

fn tuning_record(tuning: Tuning) -> TuningRecord {
    TuningRecord {
        region_size_sectors: tuning.region_size,
        min_recovery_rate_kib_per_s: tuning.min_recovery_rate.map(Count),
        max_recovery_rate_kib_per_s: tuning.max_recovery_rate.map(Count),
        max_write_behind_sectors: tuning.max_write_behind.map(Sectors),
        data_offset_sectors: tuning.data_offset,
    }
}

/// The write log whose entries matter. A journal device that is as fresh as the champion knows what is in the
/// journal, the other members only that there is one.
fn write_log(candidates: &[Candidate<'_>], champion: Candidate<'_>, volume: &VolumeView) -> Option<WriteLog> {
    let of_set = || candidates.iter().filter(|candidate| candidate.view.family == champion.view.family);
    let oldest = champion.view.generation.saturating_sub(champion.view.generation_slack);
    let knows = |candidate: &&Candidate<'_>| {
        candidate.view.role == Role::Journal && candidate.view.generation >= oldest
    };
    match of_set().find(knows) {
        Some(journal) => journal.volume(&volume.uuid)?.write_log,
        None => of_set().find_map(|candidate| candidate.volume(&volume.uuid)?.write_log),
    }
}

fn spares(candidates: &[Candidate<'_>], filled: &[Filled<'_>]) -> Vec<SpareRecord> {
    let in_slot = |candidate: &&Candidate<'_>| {
        !filled.iter().any(|slot| slot.candidate.is_some_and(|other| other.index == candidate.index))
    };
    candidates
        .iter()
        .filter(|candidate| candidate.view.role == Role::Spare)
        .filter(in_slot)
        .map(|candidate| SpareRecord {
            device: candidate.member.device.path_text(),
            device_offset_sectors: candidate.member.device.offset_sectors(),
            device_length_sectors: candidate.member.device.length_sectors(),
        })
        .collect()
}

/// Whether problems of an array say that its members contradict each other.
#[must_use]
pub fn is_contradictory(array: &ArrayRecord) -> bool {
    let contradictions = ["divergent", "duplicate-member"];
    array
        .problems
        .iter()
        .any(|problem| problem.severity == Severity::Error && contradictions.contains(&problem.code.as_str()))
}

/// For messages: how much older one generation is than another.
fn generations(found: u64, freshest: u64) -> String {
    format!("generation {}, the freshest has {}", Count(found), Count(freshest))
}

/// For messages: a length in sectors.
fn sectors(length: Sectors) -> String {
    format!("{length} sectors")
}
