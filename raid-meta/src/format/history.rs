//! The history of formats that keep none: what is found on a device, one beside the other.

use super::{Found, Generation, Metadata};
use crate::device::Device;
use crate::record::Problem;

/// What was found, the newest first. The one that counts is the newest that is sound.
pub(super) fn of_finds(found: &[Found], device: &Device) -> Vec<Generation> {
    let mut generations: Vec<(bool, Generation)> = found
        .iter()
        .filter_map(|find| Some((is_sound(find), of(find.metadata.as_deref()?, device))))
        .collect();
    generations.sort_by_key(|(is_sound, generation)| std::cmp::Reverse((generation.generation, *is_sound)));
    if let Some((_, newest)) = generations.iter_mut().find(|(is_sound, _)| *is_sound) {
        newest.current = true;
    }
    generations.into_iter().map(|(_, generation)| generation).collect()
}

fn is_sound(find: &Found) -> bool {
    !find.problems.iter().any(Problem::is_error)
}

fn of(metadata: &dyn Metadata, device: &Device) -> Generation {
    let view = metadata.view(device);
    let name = view.set_name.unwrap_or(view.set_id);
    Generation {
        areas: metadata.areas(),
        generation: view.generation,
        updated: view.updated,
        current: false,
        description: Some(format!("{} {}, set {name}", metadata.format(), metadata.version())),
    }
}
