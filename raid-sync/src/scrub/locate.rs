//! Which member of a stripe is wrong, from the two syndromes of one sector.
//!
//! With `P'` and `Q'` what is stored plus what the data gives, a byte says: both zero, all is well; only P' is not, P is
//! wrong; only Q' is not, Q is wrong; neither is zero, the data whose exponent is `log Q' - log P'` is wrong by P', if
//! there is data of that exponent. One wrong member gives the same answer in every byte that differs.

use super::finding::Repair;
use super::stripes::{expected_q, missing_data};
use raid_meta::record::PlaceRole;
use raid_meta::units::{SECTOR_LENGTH, Sectors, Slot};
use raid_table::layout::{Role, Row};
use raid_table::parity::{self, Weighted};

/// A stripe, prepared for questions about its sectors.
pub(super) struct Stripe<'a> {
    row: &'a Row,
    trust_data: bool,
    /// By the quotient of the syndromes: whose data has that exponent.
    slots: [Option<Slot>; 256],
}

/// What one sector of a stripe says.
#[derive(Debug, Default)]
pub(super) struct Located {
    /// Bytes that differ.
    pub(super) bytes: usize,
    /// Who is wrong; none where it can not be said.
    pub(super) wrong: Option<(Slot, PlaceRole)>,
    /// What puts it right.
    pub(super) repairs: Vec<Repair>,
    /// What puts it right if the data is to be trusted, and that was said.
    pub(super) from_data: Vec<Repair>,
}

impl Located {
    pub(super) fn agrees(&self) -> bool {
        self.bytes == 0
    }
}

/// A block of parity, and what is to be added to make it that of the data.
struct Syndrome<'a> {
    slot: Slot,
    stored: &'a [u8],
    difference: [u8; SECTOR_LENGTH],
}

impl Syndrome<'_> {
    fn repair(&self, at: Sectors) -> Option<Repair> {
        let is_wrong = self.difference.iter().any(|&byte| byte != 0);
        is_wrong.then(|| repair(self.slot, at, self.stored, &self.difference))
    }
}

fn repair(slot: Slot, sector: Sectors, stored: &[u8], difference: &[u8]) -> Repair {
    let new = stored.iter().zip(difference).map(|(stored, difference)| stored ^ difference).collect();
    Repair { slot, sector, old: stored.to_vec(), new }
}

impl<'a> Stripe<'a> {
    pub(super) fn new(row: &'a Row, trust_data: bool) -> Self {
        let mut slots = [None; 256];
        for (slot, role) in (0..).map(Slot).zip(row.roles()) {
            if let Role::Data { exponent, .. } = role {
                slots[usize::from(parity::power(exponent))] = Some(slot);
            }
        }
        Self { row, trust_data, slots }
    }

    /// What a sector says; the blocks are those of the members by slot, of one sector.
    pub(super) fn locate(&self, sector: &[Option<&[u8]>], at: Sectors) -> Located {
        if missing_data(self.row, sector) > 0 {
            return self.seen_from_q(sector);
        }
        let blocks = parity::Stripe::new(self.row, sector);
        let (p, q) = self.syndromes(&blocks);
        let parities = [p.as_ref(), q.as_ref()];
        let bytes = (0..SECTOR_LENGTH)
            .filter(|&index| parities.into_iter().flatten().any(|parity| parity.difference[index] != 0))
            .count();
        let repairs = parities.into_iter().flatten().filter_map(|parity| parity.repair(at));
        let from_data = if self.trust_data { repairs.collect() } else { Vec::new() };
        let mut located = Located { bytes, from_data, ..Located::default() };
        if let (Some(p), Some(q)) = (&p, &q) {
            located.wrong = self.wrong(p, q);
            located.repairs = self.repairs(located.wrong, sector, p, q, at);
        }
        if located.wrong.is_none() {
            located.repairs.clone_from(&located.from_data);
        }
        located
    }

    /// A data block is missing: P gives it, and then Q shows whether anything is wrong, not what.
    fn seen_from_q(&self, sector: &[Option<&[u8]>]) -> Located {
        let stored = self.row.q().and_then(|slot| sector.get(slot.index()).copied().flatten());
        let (Some(stored), Some(expected)) = (stored, expected_q(self.row, sector)) else {
            return Located::default();
        };
        let bytes = expected.iter().zip(stored).filter(|(expected, stored)| expected != stored).count();
        Located { bytes, ..Located::default() }
    }

    /// What is stored as P and Q, each with its difference from what the data gives.
    fn syndromes<'b>(&self, blocks: &parity::Stripe<'b>) -> (Option<Syndrome<'b>>, Option<Syndrome<'b>>) {
        let data: Vec<Weighted<'_>> = (0..)
            .zip(&blocks.data)
            .filter_map(|(exponent, block)| {
                Some(Weighted { weight: parity::power(exponent), block: (*block)? })
            })
            .collect();
        let (mut p, mut q) = ([0; SECTOR_LENGTH], [0; SECTOR_LENGTH]);
        parity::syndromes(&mut p, &mut q, &data);
        let syndrome = |slot: Slot, stored: &'b [u8], mut difference: [u8; SECTOR_LENGTH]| {
            parity::xor_into(&mut difference, stored);
            Syndrome { slot, stored, difference }
        };
        let p = blocks.p.map(|stored| syndrome(self.row.p(), stored, p));
        let q = blocks.q.zip(self.row.q()).map(|(stored, slot)| syndrome(slot, stored, q));
        (p, q)
    }

    /// The one member that every differing byte names.
    fn wrong(&self, p: &Syndrome<'_>, q: &Syndrome<'_>) -> Option<(Slot, PlaceRole)> {
        let mut found = None;
        for (&in_p, &in_q) in p.difference.iter().zip(&q.difference) {
            let named = match (in_p, in_q) {
                (0, 0) => continue,
                (_, 0) => (p.slot, PlaceRole::P),
                (0, _) => (q.slot, PlaceRole::Q),
                _ => {
                    let quotient = parity::multiply(in_q, parity::inverse(in_p));
                    (self.slots[usize::from(quotient)]?, PlaceRole::Data)
                }
            };
            if *found.get_or_insert(named) != named {
                return None;
            }
        }
        found
    }

    fn repairs(
        &self,
        wrong: Option<(Slot, PlaceRole)>,
        sector: &[Option<&[u8]>],
        p: &Syndrome<'_>,
        q: &Syndrome<'_>,
        at: Sectors,
    ) -> Vec<Repair> {
        let repair = match wrong {
            None => None,
            Some((_, PlaceRole::P)) => p.repair(at),
            Some((_, PlaceRole::Q)) => q.repair(at),
            Some((slot, _)) => {
                let stored = sector.get(slot.index()).copied().flatten();
                stored.map(|stored| repair(slot, at, stored, &p.difference))
            }
        };
        repair.into_iter().collect()
    }
}
