//! Arrays of members some of which were found by searching.
//!
//! A device can hold the same member several times: as it is, as it was before the device was grown, as a copy in a
//! backup. In one array a member is there once. So the finds are laid in layers: in the first is all that is where
//! it belongs, and of the others the freshest that is not yet there and whose data nothing else in the set claims; what
//! is left makes a second layer, and so on. Each layer is grouped for itself. Arrays behind the first layer are
//! contradicted by the one before, and say so.

use super::{group, names};
use crate::device::Device;
use crate::identify::Member;
use crate::record::{ArrayRecord, Health, Problem};
use crate::units::Bytes;
use std::cmp::Reverse;
use std::collections::HashMap;

/// Makes arrays as [`group`] does, of members of which some are [`Member::carved`].
pub fn group_with_carved(members: &mut Vec<Member>, assume_order: bool) -> Vec<ArrayRecord> {
    if !members.iter().any(|member| member.carved) {
        return group(members, assume_order);
    }
    let layers = layers(members);
    let mut arrays: Vec<ArrayRecord> = Vec::new();
    let mut done: Vec<(usize, Member)> = Vec::new();
    for (number, layer) in take_layers(members, &layers).into_iter().enumerate() {
        let (places, mut layer): (Vec<usize>, Vec<Member>) = layer.into_iter().unzip();
        let mut made = group(&mut layer, assume_order);
        made.iter_mut().for_each(|array| mark_carved(array, &layer));
        mark_users_of_carved(&mut made);
        if number > 0 {
            made.iter_mut().for_each(|array| mark_copy(array, &arrays));
        }
        names::make_unique_beside(&mut made, &arrays);
        arrays.extend(made);
        done.extend(places.into_iter().zip(layer));
    }
    done.sort_by_key(|(place, _)| *place);
    members.extend(done.into_iter().map(|(_, member)| member));
    arrays
}

/// The number of the layer of each member.
fn layers(members: &[Member]) -> Vec<usize> {
    let mut layers = vec![0; members.len()];
    let mut sets: HashMap<(&str, &str), Vec<Vec<&Member>>> = HashMap::new();
    let mut order: Vec<(usize, &Member)> = members.iter().enumerate().collect();
    order.sort_by_key(|(_, member)| (member.carved, Reverse(generation(member))));
    for (index, member) in order {
        let Some(view) = member.view.as_ref().filter(|_| member.is_sound()) else { continue };
        let set = sets.entry((member.format.name(), &view.set_id)).or_insert_with(|| vec![Vec::new()]);
        let fits = |layer: &Vec<&Member>| !layer.iter().any(|other| exclude_each_other(member, other));
        let layer = if member.carved { set.iter().position(fits).unwrap_or(set.len()) } else { 0 };
        match set.get_mut(layer) {
            Some(layer) => layer.push(member),
            None => set.push(vec![member]),
        }
        if let Some(entry) = layers.get_mut(index) {
            *entry = layer;
        }
    }
    layers
}

fn generation(member: &Member) -> u64 {
    member.view.as_ref().map_or(0, |view| view.generation)
}

/// Whether two members of a set can not both be in one array: they are the same disk of it, or claim the same data.
fn exclude_each_other(a: &Member, b: &Member) -> bool {
    let key = |member: &Member| member.view.as_ref().and_then(|view| view.key.clone());
    let is_same_disk = key(a).is_some() && key(a) == key(b);
    is_same_disk || extents(a).any(|a| extents(b).any(|b| a.overlaps(&b)))
}

/// A range of a disk.
struct Extent<'a> {
    device: &'a Device,
    start: Bytes,
    end: Bytes,
}

impl Extent<'_> {
    fn overlaps(&self, other: &Self) -> bool {
        self.device.path() == other.device.path() && self.start < other.end && other.start < self.end
    }
}

/// Where the data of a member is.
fn extents(member: &Member) -> impl Iterator<Item = Extent<'_>> {
    let own = member.view.iter().flat_map(|view| &view.volumes).filter_map(|volume| volume.own.as_ref());
    own.filter_map(|own| {
        let start = member.device.offset().checked_add(own.offset.to_bytes()?)?;
        let end = start.checked_add(own.length.to_bytes()?)?;
        Some(Extent { device: &member.device, start, end })
    })
}

/// Takes the members out, each with its place, by layer.
fn take_layers(members: &mut Vec<Member>, layers: &[usize]) -> Vec<Vec<(usize, Member)>> {
    let mut taken: Vec<Vec<(usize, Member)>> = Vec::new();
    for (place, (member, &layer)) in members.drain(..).zip(layers).enumerate() {
        taken.resize_with(taken.len().max(layer.saturating_add(1)), Vec::new);
        if let Some(layer) = taken.get_mut(layer) {
            layer.push((place, member));
        }
    }
    taken
}

/// Says of an array which of its members were found by searching.
fn mark_carved(array: &mut ArrayRecord, members: &[Member]) {
    let carved = |member: &&Member| {
        let is_in = |path: &str, offset| {
            *path == member.device.path_text() && offset == Some(member.device.offset_sectors())
        };
        let in_slot = array
            .members
            .iter()
            .any(|slot| slot.device.as_deref().is_some_and(|path| is_in(path, slot.device_offset_sectors)));
        member.carved && in_slot
    };
    let labels: Vec<String> = members.iter().filter(carved).map(|member| member.device.label()).collect();
    if !labels.is_empty() {
        let message =
            format!("found by searching: {}; what is there may be of an earlier life", labels.join(", "));
        array.problems.push(Problem::warning("carved", message));
    }
}

/// What an array says of its members holds for the arrays that it is a member of; those come after it.
fn mark_users_of_carved(arrays: &mut [ArrayRecord]) {
    let mut carved: HashMap<String, Problem> = HashMap::new();
    for array in arrays {
        let mut names =
            array.members.iter().flat_map(|member| [&member.array, &member.metadata_array]).flatten();
        let of_subset = names.find_map(|name| carved.get(name)).cloned();
        let is_told = array.problems.iter().any(|problem| problem.code == "carved");
        array.problems.extend(of_subset.filter(|_| !is_told));
        if let Some(problem) = array.problems.iter().find(|problem| problem.code == "carved") {
            carved.insert(array.name.clone(), problem.clone());
        }
    }
}

/// Says of an array that it is made of copies of the members of another.
fn mark_copy(array: &mut ArrayRecord, before: &[ArrayRecord]) {
    let same = |other: &&ArrayRecord| (&other.format, &other.uuid) == (&array.format, &array.uuid);
    let name = before.iter().find(same).map_or("another array", |other| other.name.as_str());
    let message = format!("made of copies of members of {name}, elsewhere on the devices");
    array.problems.push(Problem::error("duplicate-member", message));
    if array.health == Health::Optimal {
        array.health = Health::Inconsistent;
    }
}
