//! A lost block of a stripe as a combination of the others.
//!
//! With `x` the lost data and the sums over the data that is left:
//!
//! * from P: `D_x = P + Σ D`;
//! * from Q: `D_x = g^-x·(Q + Σ g^e·D)`;
//! * two lost, from both: with `A = P + Σ D`, `B = Q + Σ g^e·D` and `d = g^(y-x) + 1`,
//!   `D_x = (g^(y-x)·A + g^-x·B) / d`, and the same for `y`.
//!
//! P and Q are their own sums, with lost data put in as above. In terms of single blocks each of these is one
//! weight per block, found once for a stripe and then applied to all its bytes.

use super::blocks::{Weighted, combine};
use super::field::{inverse, multiply, power};
use crate::layout::{Role, Row};
use raid_meta::units::Slot;

/// Why a block can not be recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoverError {
    /// More is lost than the parity that is left can replace.
    #[error("stripe {stripe}: {lost} data blocks are lost, and {parities} parity blocks are left")]
    TooManyLost {
        /// The stripe.
        stripe: u64,
        /// Data blocks that are not there, or wanted.
        lost: usize,
        /// Parity blocks that are there and not wanted.
        parities: usize,
    },
    /// The array has no such slot.
    #[error("stripe {stripe}: no slot {slot}")]
    NoSuchSlot {
        /// The stripe.
        stripe: u64,
        /// The slot.
        slot: Slot,
    },
    /// Blocks that belong together differ in length.
    #[error("stripe {stripe}: slot {slot} has {found} bytes, expected {expected}")]
    Length {
        /// The stripe.
        stripe: u64,
        /// The slot.
        slot: Slot,
        /// Length of its block.
        found: usize,
        /// Length of the wanted one.
        expected: usize,
    },
}

/// How one block of a stripe follows from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    terms: Vec<(Slot, u8)>,
}

impl Recovery {
    /// The combination that gives the block of a slot, of the blocks that are `usable`. The wanted one never is.
    /// Q is used only where P does not do.
    ///
    /// # Errors
    /// Too much is lost, or there is no such slot.
    pub fn plan(row: &Row, usable: impl Fn(Slot) -> bool, wanted: Slot) -> Result<Self, RecoverError> {
        let stripe = row.stripe();
        let role = row.role(wanted).ok_or(RecoverError::NoSuchSlot { stripe, slot: wanted })?;
        let present = Present::new(row, |slot| slot != wanted && usable(slot));
        let mut sum = Combination::new(row);
        let found = match role {
            Role::Data { exponent, .. } => present.add_lost(&mut sum, exponent, 1),
            Role::P => present.add_sum(&mut sum, |_| 1),
            Role::Q => present.add_sum(&mut sum, power),
        };
        found.ok_or_else(|| {
            let parities = usize::from(present.p.is_some()) + usize::from(present.q.is_some());
            RecoverError::TooManyLost { stripe, lost: present.lost.len(), parities }
        })?;
        Ok(Self { terms: sum.terms() })
    }

    /// The slots whose blocks are needed, with their weights.
    #[must_use]
    pub fn terms(&self) -> &[(Slot, u8)] {
        &self.terms
    }
}

/// Computes the block of a slot into `target`, from the blocks that are there, in slot order. A block
/// given for the wanted slot is not used.
///
/// # Errors
/// As [`Recovery::plan`], and when a block that is needed is not as long as the target.
pub fn recover(
    row: &Row,
    blocks: &[Option<&[u8]>],
    wanted: Slot,
    target: &mut [u8],
) -> Result<(), RecoverError> {
    let block = |slot: Slot| blocks.get(slot.index()).copied().flatten();
    let plan = Recovery::plan(row, |slot| block(slot).is_some(), wanted)?;
    let mut terms = Vec::with_capacity(plan.terms().len());
    for &(slot, weight) in plan.terms() {
        let Some(block) = block(slot) else { continue };
        let (found, expected) = (block.len(), target.len());
        if found != expected {
            return Err(RecoverError::Length { stripe: row.stripe(), slot, found, expected });
        }
        terms.push(Weighted { weight, block });
    }
    combine(target, &terms);
    Ok(())
}

/// A weight for every slot.
struct Combination {
    weights: Vec<u8>,
}

impl Combination {
    fn new(row: &Row) -> Self {
        Self { weights: vec![0; row.roles().count()] }
    }

    fn add(&mut self, slot: Slot, weight: u8) {
        if let Some(sum) = self.weights.get_mut(slot.index()) {
            *sum ^= weight;
        }
    }

    fn terms(self) -> Vec<(Slot, u8)> {
        (0..).map(Slot).zip(self.weights).filter(|(_, weight)| *weight != 0).collect()
    }
}

/// What is left of a stripe.
struct Present {
    /// Data that is there, with its exponents.
    data: Vec<(Slot, u8)>,
    /// Exponents of the data that is not.
    lost: Vec<u8>,
    p: Option<Slot>,
    q: Option<Slot>,
}

impl Present {
    fn new(row: &Row, usable: impl Fn(Slot) -> bool) -> Self {
        let mut present = Self { data: Vec::new(), lost: Vec::new(), p: None, q: None };
        for (slot, role) in (0..).map(Slot).zip(row.roles()) {
            match (role, usable(slot)) {
                (Role::Data { exponent, .. }, true) => present.data.push((slot, exponent)),
                (Role::Data { exponent, .. }, false) => present.lost.push(exponent),
                (Role::P, true) => present.p = Some(slot),
                (Role::Q, true) => present.q = Some(slot),
                (Role::P | Role::Q, false) => {}
            }
        }
        present
    }

    /// Adds a parity: the weighted sum of all data, there or not.
    fn add_sum(&self, sum: &mut Combination, weight: impl Fn(u8) -> u8) -> Option<()> {
        for &(slot, exponent) in &self.data {
            sum.add(slot, weight(exponent));
        }
        self.lost.iter().try_for_each(|&exponent| self.add_lost(sum, exponent, weight(exponent)))
    }

    /// Adds `weight` times the lost data of an exponent.
    fn add_lost(&self, sum: &mut Combination, exponent: u8, weight: u8) -> Option<()> {
        let other = match *self.lost.as_slice() {
            [_] => None,
            [a, b] => Some(if a == exponent { b } else { a }),
            _ => return None,
        };
        match (other, self.p, self.q) {
            (None, Some(p), _) => self.add_p_sum(sum, p, weight),
            (None, None, Some(q)) => self.add_q_sum(sum, q, multiply(weight, inverse(power(exponent)))),
            (Some(other), Some(p), Some(q)) => {
                let quotient = multiply(power(other), inverse(power(exponent)));
                let scale = multiply(weight, inverse(quotient ^ 1));
                self.add_p_sum(sum, p, multiply(scale, quotient));
                self.add_q_sum(sum, q, multiply(scale, inverse(power(exponent))));
            }
            _ => return None,
        }
        Some(())
    }

    /// Adds `weight` times A, the part of P that the lost data makes up.
    fn add_p_sum(&self, sum: &mut Combination, p: Slot, weight: u8) {
        sum.add(p, weight);
        for &(slot, _) in &self.data {
            sum.add(slot, weight);
        }
    }

    /// Adds `weight` times B, the part of Q that the lost data makes up.
    fn add_q_sum(&self, sum: &mut Combination, q: Slot, weight: u8) {
        sum.add(q, weight);
        for &(slot, exponent) in &self.data {
            sum.add(slot, multiply(weight, power(exponent)));
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
