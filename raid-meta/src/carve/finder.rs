//! The signatures of all formats in one pass over the sectors of a buffer.
//!
//! A sector is looked at in the few places where a signature can begin, at each through a table of first bytes that
//! almost always says no: one or two cache lines of the eight that a sector has.

use crate::format::{Format, Signature};
use crate::units::SECTOR_LENGTH;

/// What to look for, by where in a sector it begins.
pub(super) struct Finder {
    places: Vec<Place>,
}

/// The signatures that begin at one place of a sector.
struct Place {
    at: usize,
    /// Whether a signature begins with that byte.
    first: [bool; 256],
    signatures: Vec<(&'static [u8], usize)>,
}

/// A signature in a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    /// Number of the sector in the buffer.
    pub(super) sector: usize,
    /// Number of the format among those that are looked for.
    pub(super) format: usize,
}

impl Finder {
    /// Looks for the signatures of these formats.
    pub(super) fn new(formats: &[&'static dyn Format]) -> Self {
        let mut finder = Self { places: Vec::new() };
        for (number, format) in formats.iter().enumerate() {
            for signature in format.signatures() {
                finder.add(signature, number);
            }
        }
        finder
    }

    fn add(&mut self, signature: &Signature, format: usize) {
        let Some(&first) = signature.bytes.first() else { return };
        let known = self.places.iter().position(|place| place.at == signature.at);
        let index = known.unwrap_or_else(|| {
            let place = Place { at: signature.at, first: [false; 256], signatures: Vec::new() };
            self.places.push(place);
            self.places.len().saturating_sub(1)
        });
        if let Some(place) = self.places.get_mut(index) {
            place.signatures.push((signature.bytes, format));
            if let Some(entry) = place.first.get_mut(usize::from(first)) {
                *entry = true;
            }
        }
    }

    /// Whether there is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Adds what is in the whole sectors of a buffer, in order; each format once for a sector.
    pub(super) fn search(&self, buffer: &[u8], hits: &mut Vec<Hit>) {
        for (number, sector) in buffer.chunks_exact(SECTOR_LENGTH).enumerate() {
            for place in &self.places {
                let first = sector.get(place.at).copied().unwrap_or_default();
                if place.first.get(usize::from(first)) == Some(&true) {
                    place.compare(sector, number, hits);
                }
            }
        }
    }
}

impl Place {
    fn compare(&self, sector: &[u8], number: usize, hits: &mut Vec<Hit>) {
        let rest = sector.get(self.at..).unwrap_or_default();
        for &(bytes, format) in &self.signatures {
            let hit = Hit { sector: number, format };
            let is_known =
                || hits.iter().rev().take_while(|known| known.sector == number).any(|&known| known == hit);
            if rest.starts_with(bytes) && !is_known() {
                hits.push(hit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::FORMATS;
    use proptest::prelude::*;

    /// The slow twin: every signature compared in every sector.
    fn plainly(buffer: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (sector, bytes) in buffer.chunks_exact(SECTOR_LENGTH).enumerate() {
            for (format, signatures) in FORMATS.iter().map(|format| format.signatures()).enumerate() {
                if signatures.iter().any(|signature| bytes[signature.at..].starts_with(signature.bytes)) {
                    hits.push(Hit { sector, format });
                }
            }
        }
        hits
    }

    fn quickly(buffer: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        Finder::new(&FORMATS).search(buffer, &mut hits);
        hits.sort_by_key(|hit| (hit.sector, hit.format));
        hits
    }

    #[test]
    fn every_signature_of_every_format_is_found_in_its_place_and_not_beside_it() {
        for (format, signatures) in FORMATS.iter().map(|format| format.signatures()).enumerate() {
            for signature in signatures {
                let mut buffer = vec![0; 3 * SECTOR_LENGTH + 100];
                let at = SECTOR_LENGTH + signature.at;
                buffer[at..at + signature.bytes.len()].copy_from_slice(signature.bytes);
                assert!(quickly(&buffer).contains(&Hit { sector: 1, format }), "{signature:?}");
                buffer.rotate_right(1);
                assert_eq!(quickly(&buffer), [], "{signature:?}");
            }
        }
    }

    proptest! {
        #![proptest_config(crate::testing::property(4096))]

        #[test]
        fn the_table_of_first_bytes_loses_nothing(
            places in prop::collection::vec((0_usize..8, any::<prop::sample::Index>(), 0_usize..4), 0..12),
            noise in any::<u8>(),
        ) {
            let all: Vec<_> = FORMATS.iter().flat_map(|format| format.signatures()).collect();
            let mut buffer = vec![noise; 8 * SECTOR_LENGTH];
            for (sector, which, cut) in places {
                let signature = which.get(&all);
                let at = sector * SECTOR_LENGTH + signature.at;
                let length = signature.bytes.len().saturating_sub(cut);
                buffer[at..at + length].copy_from_slice(&signature.bytes[..length]);
            }
            prop_assert_eq!(quickly(&buffer), plainly(&buffer));
        }
    }
}
