//! raid1: every member holds the whole array.

use super::{Content, Extent, Family, Place, Places, shortest, slot};
use raid_meta::units::Sectors;

/// Members that are copies of each other, as long as the shortest.
#[derive(Clone, Debug)]
pub(super) struct Mirror {
    slots: u64,
    length: u64,
}

impl Mirror {
    pub(super) fn new(lengths: &[Sectors]) -> Self {
        Self { slots: lengths.len() as u64, length: shortest(lengths) }
    }
}

impl Family for Mirror {
    fn capacity(&self) -> u64 {
        self.length
    }

    fn extent(&self, at: u64, limit: u64) -> Extent {
        let mut copies = Places::default();
        for number in 0..self.slots {
            copies.push(Place { slot: slot(number), sector: Sectors(at) });
        }
        Extent { array: Sectors(at), length: Sectors(limit), stripe: None, copies }
    }

    fn reverse(&self, slot: u64, sector: u64) -> Option<Content> {
        let copy = usize::try_from(slot).ok()?;
        (sector < self.length).then_some(Content::Data { array_sector: Sectors(sector), copy })
    }

    fn used(&self, _: u64) -> u64 {
        self.length
    }
}
