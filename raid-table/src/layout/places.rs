//! A few places without an allocation.

use raid_meta::units::{Sectors, Slot};
use std::ops::Deref;

/// Copies that need no allocation; more are rare.
const INLINE: usize = 4;

/// A sector of a member, from the start of its data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The member's slot.
    pub slot: Slot,
    /// The sector.
    pub sector: Sectors,
}

/// A list of places, as a slice. Up to four live in the list itself.
#[derive(Clone, Debug, Default)]
pub struct Places {
    inline: [Place; INLINE],
    length: usize,
    spilled: Vec<Place>,
}

impl Places {
    /// A single place.
    #[must_use]
    pub fn one(place: Place) -> Self {
        let mut places = Self::default();
        places.push(place);
        places
    }

    /// Adds a place at the end.
    pub fn push(&mut self, place: Place) {
        match self.inline.get_mut(self.length) {
            Some(free) => *free = place,
            None => {
                if self.spilled.is_empty() {
                    self.spilled.extend_from_slice(&self.inline);
                }
                self.spilled.push(place);
            }
        }
        self.length += 1;
    }
}

impl Deref for Places {
    type Target = [Place];

    fn deref(&self) -> &[Place] {
        if self.spilled.is_empty() {
            self.inline.get(..self.length).unwrap_or_default()
        } else {
            &self.spilled
        }
    }
}

impl PartialEq for Places {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Places {}

impl<'a> IntoIterator for &'a Places {
    type Item = &'a Place;
    type IntoIter = std::slice::Iter<'a, Place>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_the_same_list_inline_and_spilled() {
        let mut places = Places::default();
        let mut expected = Vec::new();
        for number in 0..10 {
            assert_eq!(&*places, expected.as_slice());
            let place = Place { slot: Slot(number), sector: Sectors(u64::from(number) * 8) };
            places.push(place);
            expected.push(place);
        }
        assert_eq!(&*places, expected.as_slice());
    }
}
