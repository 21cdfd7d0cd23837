//! The four copies of one disk, and which of them to believe.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::sector::{Copy, Sector, seal};
use crate::device::{Device, DeviceError};
use crate::format::Generation;
use crate::format::schema::{DiskStruct, Endian};
use crate::model::Area;
use crate::units::{Bytes, SECTOR_LENGTH, Sectors};

/// How many copies there are.
pub(super) const COPIES: usize = 4;
/// Sectors from one copy to the one before.
pub(super) const STEP: u64 = 512;
/// Sectors at the end of a disk that the copies, and what is between them, take.
pub(super) const RESERVED: u64 = 3 * STEP + 1;

/// The copies that are there. The first is always in the last sector.
#[derive(Clone, Debug)]
pub(super) struct Copies {
    /// Sectors of the device.
    device: Sectors,
    first: Copy,
    copies: Vec<Copy>,
    /// The place in `copies` of the one that is believed.
    believed: usize,
    /// Sectors of copies that could not be read.
    unreadable: Vec<Sectors>,
}

impl Copies {
    /// Reads the last sector, and only when that is one of ours, or was once, the others.
    ///
    /// # Errors
    /// The last sector can not be read.
    pub(super) fn read(device: &Device) -> Result<Option<Self>, DeviceError> {
        let size = device.length_sectors();
        let Some(bytes) = place(size, 0).map(|at| device.read(at, SECTOR_LENGTH)).transpose()?.flatten()
        else {
            return Ok(None);
        };
        let Some(first) = place(size, 0).and_then(|at| Copy::decode(0, at, &bytes)) else { return Ok(None) };
        let mut copies = vec![first.clone()];
        let mut unreadable = Vec::new();
        for index in 1..COPIES {
            let Some(at) = place(size, index) else { break };
            match device.read(at, SECTOR_LENGTH) {
                Ok(bytes) => copies.extend(bytes.and_then(|bytes| Copy::decode(index, at, &bytes))),
                Err(_) => unreadable.push(at.whole_sectors()),
            }
        }
        let believed = vote(&copies);
        Ok(Some(Self { device: size, first, copies, believed, unreadable }))
    }

    /// Four equal copies, sealed, for a device of that size; those that it has room for. None when that is none.
    pub(super) fn new(sector: &Sector, device: Sectors) -> Option<Self> {
        let mut bytes = sector.encode(Endian::Little);
        seal(&mut bytes);
        let copy = |index| Copy::decode(index, place(device, index)?, &bytes);
        let copies: Vec<Copy> = (0..COPIES).filter_map(copy).collect();
        let first = copies.first()?.clone();
        Some(Self { device, first, copies, believed: 0, unreadable: Vec::new() })
    }

    /// Sectors of the device.
    pub(super) fn device(&self) -> Sectors {
        self.device
    }

    /// The one in the last sector.
    pub(super) fn first(&self) -> &Copy {
        &self.first
    }

    /// Those that are there, the last sector first.
    pub(super) fn all(&self) -> &[Copy] {
        &self.copies
    }

    /// The copy to believe.
    pub(super) fn champion(&self) -> &Copy {
        self.copies.get(self.believed).unwrap_or(&self.first)
    }

    /// What the copy to believe says.
    pub(super) fn believed(&self) -> &Sector {
        &self.champion().sector
    }

    /// Sectors of copies that could not be read.
    pub(super) fn unreadable(&self) -> &[Sectors] {
        &self.unreadable
    }

    /// Those that say the same as the one that is believed.
    pub(super) fn agreeing(&self) -> impl Iterator<Item = &Copy> {
        self.copies.iter().filter(|copy| copy.sector == *self.believed())
    }

    /// Whether there are several, and all say the same.
    pub(super) fn agree(&self) -> bool {
        self.copies.len() > 1 && self.agreeing().count() == self.copies.len()
    }

    /// The different contents of sound copies: what is believed, and then the others, the newest first.
    pub(super) fn generations(&self) -> Vec<Generation> {
        let mut contents: Vec<&Copy> = Vec::new();
        let sound = self.copies.iter().filter(|copy| copy.is_sound());
        for copy in std::iter::once(self.champion()).chain(sound) {
            if !contents.iter().any(|known| known.sector == copy.sector) {
                contents.push(copy);
            }
        }
        contents.sort_by_key(|copy| std::cmp::Reverse(copy.sector.incarnation_no));
        contents.into_iter().map(|content| self.generation(content)).collect()
    }

    fn generation(&self, content: &Copy) -> Generation {
        let same: Vec<&Copy> = self.copies.iter().filter(|copy| copy.sector == content.sector).collect();
        let numbers: Vec<String> = same.iter().map(|copy| copy.index.to_string()).collect();
        Generation {
            areas: same.iter().map(|copy| copy.area()).collect(),
            generation: u64::from(content.sector.incarnation_no),
            updated: None,
            current: content.sector == *self.believed(),
            description: Some(format!("copies {} of {COPIES}", numbers.join(" "))),
        }
    }

    /// Copies that were equal stay equal: where only some of them have been changed, and alike, the others follow. Else a
    /// change to one copy would be outvoted by the other three.
    pub(super) fn follow(&self, areas: &mut [Area]) {
        let before: Vec<Vec<u8>> = self.copies.iter().map(Copy::encode).collect();
        let mut changes: Vec<(&Vec<u8>, Vec<u8>)> = Vec::new();
        for (area, old) in areas.iter().zip(&before) {
            let is_new = |(of, to): &(&Vec<u8>, Vec<u8>)| *of != old || *to != area.bytes;
            if area.bytes != *old && changes.iter().all(is_new) {
                changes.push((old, area.bytes.clone()));
            }
        }
        for (area, old) in areas.iter_mut().zip(&before).filter(|(area, old)| area.bytes == **old) {
            let mut wanted = changes.iter().filter(|(of, _)| *of == old);
            if let (Some((_, new)), None) = (wanted.next(), wanted.next()) {
                area.bytes.clone_from(new);
            }
        }
    }
}

/// Where copy `index` is on a device of that size; none when the device is too small.
pub(super) fn place(device: Sectors, index: usize) -> Option<Bytes> {
    let back = STEP.checked_mul(index as u64)?.checked_add(1)?;
    device.checked_sub(Sectors(back))?.checked_mul(SECTOR_LENGTH as u64).map(|bytes| Bytes(bytes.0))
}

/// The place of the copy to believe: of the largest group of sound copies that are equal; among equals of the one with
/// the highest counter; among those the first. Where no copy is sound, all of them vote.
fn vote(copies: &[Copy]) -> usize {
    let any_sound = copies.iter().any(Copy::is_sound);
    let rank = |copy: &Copy| {
        let votes = copies.iter().filter(|other| other.sector == copy.sector).count();
        (votes, copy.sector.incarnation_no)
    };
    let voters = copies.iter().enumerate().filter(|(_, copy)| !any_sound || copy.is_sound());
    let best = voters.reduce(|best, other| if rank(other.1) > rank(best.1) { other } else { best });
    best.map(|(place, _)| place).unwrap_or_default()
}
