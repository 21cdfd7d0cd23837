//! raid0: chunks in turn over the members, and in zones where members differ in length.
//!
//! Zone 0 reaches over all members as far as the shortest; each further zone goes over the members that are
//! longer, from where the one before ended. From zone 1 on it matters how chunks are numbered: by their place
//! in the array (`original`) or in the zone (`alternate`). The two put the same data in different places, and
//! nothing on an old disk says which one wrote it.

use super::{Content, Extent, Family, LayoutError, Place, Places, slot};
use raid_meta::geometry::Raid0Layout;
use raid_meta::units::{ChunkSectors, Sectors, Slot};

/// A part of a raid0 in which the same members take turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    array_start: u64,
    array_end: u64,
    member_start: u64,
    member_end: u64,
    /// What is added to the chunk number in the zone before members are counted off.
    turn: u64,
    members: Vec<Slot>,
}

impl Zone {
    /// First array sector.
    #[must_use]
    pub fn array_start(&self) -> Sectors {
        Sectors(self.array_start)
    }

    /// Number of array sectors.
    #[must_use]
    pub fn array_length(&self) -> Sectors {
        Sectors(self.array_end - self.array_start)
    }

    /// First sector on each of its members.
    #[must_use]
    pub fn member_start(&self) -> Sectors {
        Sectors(self.member_start)
    }

    /// Number of sectors on each of its members.
    #[must_use]
    pub fn member_length(&self) -> Sectors {
        Sectors(self.member_end - self.member_start)
    }

    /// The members that reach into it, in slot order.
    #[must_use]
    pub fn members(&self) -> &[Slot] {
        &self.members
    }

    fn width(&self) -> u64 {
        self.members.len() as u64
    }
}

/// A raid0 with one zone for each different member length.
#[derive(Clone, Debug)]
pub(super) struct Raid0 {
    chunk: u64,
    zones: Vec<Zone>,
}

impl Raid0 {
    /// Without a layout, only zone 0 is mapped, and the size has to fit into it.
    pub(super) fn new(
        lengths: &[Sectors],
        chunk: ChunkSectors,
        layout: Option<Raid0Layout>,
        size: Sectors,
    ) -> Result<Self, LayoutError> {
        let chunk = chunk.sectors().0;
        let lengths: Vec<u64> = lengths.iter().map(|length| length.0 / chunk * chunk).collect();
        let mut zones = zones(&lengths, chunk, layout);
        let beyond_first = zones.get(1).is_some_and(|zone| size.0 > zone.array_start);
        if layout.is_none() {
            if beyond_first {
                return Err(LayoutError::Raid0LayoutUnknown { zones: zones.len() });
            }
            zones.truncate(1);
        }
        Ok(Self { chunk, zones })
    }

    pub(super) fn zones(&self) -> &[Zone] {
        &self.zones
    }
}

fn zones(lengths: &[u64], chunk: u64, layout: Option<Raid0Layout>) -> Vec<Zone> {
    let mut bounds: Vec<u64> = lengths.iter().copied().filter(|&length| length > 0).collect();
    bounds.sort_unstable();
    bounds.dedup();
    let mut zones = Vec::with_capacity(bounds.len());
    let (mut array_start, mut member_start) = (0, 0);
    for member_end in bounds {
        let members: Vec<Slot> = (0..)
            .zip(lengths)
            .filter(|&(_, &length)| length >= member_end)
            .map(|(number, _)| slot(number))
            .collect();
        let width = members.len() as u64;
        let turn = if layout == Some(Raid0Layout::Original) { array_start / chunk % width } else { 0 };
        let array_end = array_start + (member_end - member_start) * width;
        zones.push(Zone { array_start, array_end, member_start, member_end, turn, members });
        (array_start, member_start) = (array_end, member_end);
    }
    zones
}

impl Family for Raid0 {
    fn capacity(&self) -> u64 {
        self.zones.last().map_or(0, |zone| zone.array_end)
    }

    fn extent(&self, at: u64, limit: u64) -> Extent {
        let number = self.zones.partition_point(|zone| zone.array_end <= at);
        // An array sector below the capacity is in a zone.
        let zone = &self.zones[number];
        let from_zone = at - zone.array_start;
        let (chunk_number, within) = (from_zone / self.chunk, from_zone % self.chunk);
        let (row, column) = (chunk_number / zone.width(), (chunk_number + zone.turn) % zone.width());
        let sector = zone.member_start + row * self.chunk + within;
        let slot =
            zone.members.get(usize::try_from(column).unwrap_or(usize::MAX)).copied().unwrap_or_default();
        Extent {
            array: Sectors(at),
            length: Sectors(limit.min(self.chunk - within)),
            stripe: Some(sector / self.chunk),
            copies: Places::one(Place { slot, sector: Sectors(sector) }),
        }
    }

    fn reverse(&self, number: u64, sector: u64) -> Option<Content> {
        let zone = self.zones.get(self.zones.partition_point(|zone| zone.member_end <= sector))?;
        let column = zone.members.binary_search(&slot(number)).ok()? as u64;
        let from_zone = sector - zone.member_start;
        let (row, within) = (from_zone / self.chunk, from_zone % self.chunk);
        let chunk_number = row * zone.width() + (column + zone.width() - zone.turn) % zone.width();
        let array_sector = Sectors(zone.array_start + chunk_number * self.chunk + within);
        Some(Content::Data { array_sector, copy: 0 })
    }

    fn used(&self, number: u64) -> u64 {
        let reaches = |zone: &&Zone| zone.members.binary_search(&slot(number)).is_ok();
        self.zones.iter().rev().find(reaches).map_or(0, |zone| zone.member_end)
    }
}
