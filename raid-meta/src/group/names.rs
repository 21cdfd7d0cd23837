//! dm names have to be unique in the stream.

use crate::record::ArrayRecord;
use std::collections::HashSet;

/// Leaves the first array of a name its name and adds a dash and four (or more) digits of the uuid to the others.
pub(super) fn make_unique(arrays: &mut [ArrayRecord]) {
    let mut used: HashSet<String> = HashSet::new();
    for array in arrays {
        let mut name = array.name.clone();
        let digits: String =
            array.uuid.as_deref().unwrap_or_default().chars().filter(char::is_ascii_hexdigit).collect();
        let mut length = 4;
        while used.contains(&name) && length <= digits.len() {
            name = format!("{}-{}", array.name, digits.get(..length).unwrap_or_default());
            length += 1;
        }
        let mut number = 2;
        while used.contains(&name) {
            name = format!("{}-{number}", array.name);
            number += 1;
        }
        used.insert(name.clone());
        array.name = name;
    }
}
