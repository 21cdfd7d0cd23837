//! dm names have to be unique in the stream.

use crate::record::ArrayRecord;
use std::collections::{HashMap, HashSet};

/// Leaves the first array of a name its name and adds a dash and four (or more) digits of the uuid to the others.
pub(super) fn make_unique(arrays: &mut [ArrayRecord]) {
    make_unique_beside(arrays, &[]);
}

/// The same, with names that are taken already. Slots that name one of the arrays follow.
pub(super) fn make_unique_beside(arrays: &mut [ArrayRecord], others: &[ArrayRecord]) {
    let mut used: HashSet<String> = others.iter().map(|array| array.name.clone()).collect();
    let mut renamed: HashMap<String, String> = HashMap::new();
    let mut numbers: HashMap<String, usize> = HashMap::new();
    for array in arrays.iter_mut() {
        let number = numbers.entry(array.name.clone()).or_insert(2);
        let name = free_name(array, &used, number);
        used.insert(name.clone());
        if name != array.name {
            renamed.insert(std::mem::replace(&mut array.name, name.clone()), name);
        }
    }
    if others.is_empty() || renamed.is_empty() {
        return;
    }
    for member in arrays.iter_mut().flat_map(|array| &mut array.members) {
        for name in [&mut member.array, &mut member.metadata_array].into_iter().flatten() {
            if let Some(new) = renamed.get(name) {
                name.clone_from(new);
            }
        }
    }
}

/// `number` is the first that no array of the name has yet.
fn free_name(array: &ArrayRecord, used: &HashSet<String>, number: &mut usize) -> String {
    let mut name = array.name.clone();
    let digits: String =
        array.uuid.as_deref().unwrap_or_default().chars().filter(char::is_ascii_hexdigit).collect();
    let mut length = 4;
    while used.contains(&name) && length <= digits.len() {
        name = format!("{}-{}", array.name, digits.get(..length).unwrap_or_default());
        length += 1;
    }
    while used.contains(&name) {
        name = format!("{}-{number}", array.name);
        *number += 1;
    }
    name
}
