//! Which disk's MPB to believe.
//!
//! When a spare takes the place of a failed disk, `family_num` changes: disks of the old family
//! are former members, however high their generation. Inside a family the highest generation counts.

use crate::model::MemberView;
use crate::record::{Problem, Role};

/// The index of the view that speaks for the set, and what is doubtful about it.
pub(super) fn freshest(views: &[&MemberView]) -> (usize, Vec<Problem>) {
    let families = families(views);
    let valid: Vec<&Family<'_>> = families.iter().filter(|family| family.is_valid(views)).collect();
    let mut problems = Vec::new();
    if families.len() > 1 && valid.len() != 1 {
        let names: Vec<&str> = families.iter().map(|family| family.name).collect();
        let message = format!(
            "the disks are of the families {}, and {} could be the current one",
            names.join(", "),
            if valid.is_empty() { "none of them" } else { "more than one of them" }
        );
        problems.push(Problem::error("divergent", message));
    }
    let candidates: Vec<&Family<'_>> = if valid.is_empty() { families.iter().collect() } else { valid };
    // Of equals the first counts, as in the order of the devices.
    let Some(family) = candidates.into_iter().rev().max_by_key(|family| family.strength(views)) else {
        return (0, problems);
    };
    problems.extend(divergence(family.champion, views));
    (family.champion_index, problems)
}

/// The disks that carry one family number.
struct Family<'a> {
    name: &'a str,
    champion_index: usize,
    champion: &'a MemberView,
}

fn families<'a>(views: &[&'a MemberView]) -> Vec<Family<'a>> {
    let mut families: Vec<Family<'a>> = Vec::new();
    for (index, view) in views.iter().enumerate() {
        match families.iter_mut().find(|family| family.name == view.family) {
            None => families.push(Family { name: &view.family, champion_index: index, champion: view }),
            Some(family) if rank(view) > rank(family.champion) => {
                (family.champion_index, family.champion) = (index, view);
            }
            Some(_) => {}
        }
    }
    families
}

/// A disk that counts itself out does not speak against one of the same generation that does not; and of a migration
/// those speak that hold the record of it, whatever the order in which the disks are given.
fn rank(view: &MemberView) -> (u64, bool, bool) {
    let reshapes = || view.volumes.iter().filter_map(|volume| volume.reshape.as_ref());
    let is_first_hand = reshapes().all(|reshape| reshape.authoritative);
    (view.generation, matches!(view.role, Role::Active | Role::Unknown), is_first_hand)
}

impl Family<'_> {
    /// Whether the disk that carries the family is in its own table, and no disk of the table has another family.
    fn is_valid(&self, views: &[&MemberView]) -> bool {
        let is_in_table = matches!(self.champion.role, Role::Active | Role::Unknown);
        is_in_table
            && !views.iter().any(|view| view.family != self.name && view.key.is_some() && self.names(view))
    }

    fn names(&self, view: &MemberView) -> bool {
        self.champion.volumes.iter().flat_map(|volume| &volume.slots).any(|slot| slot.key == view.key)
    }

    /// How many disks are of the family and in its table, and how fresh it is.
    fn strength(&self, views: &[&MemberView]) -> (usize, u64) {
        let members = views.iter().filter(|view| view.family == self.name && self.names(view)).count();
        (members, self.champion.generation)
    }
}

/// Whether another disk of the family says something else with the same generation.
fn divergence(champion: &MemberView, views: &[&MemberView]) -> Option<Problem> {
    let differs = |view: &&&MemberView| {
        view.family == champion.family
            && view.generation == champion.generation
            && view.content != champion.content
    };
    let other = views.iter().find(differs)?;
    let name = |view: &MemberView| view.member_id.clone().unwrap_or_else(|| "of unknown serial".to_owned());
    let message = format!(
        "disks {} and {} both have generation {} but not the same metadata",
        name(champion),
        name(other),
        champion.generation
    );
    Some(Problem::error("divergent", message))
}
