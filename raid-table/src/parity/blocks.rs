//! Sums and products of whole blocks: the reference.

use super::field::products;

/// A block with what it is multiplied by.
#[derive(Clone, Copy, Debug)]
pub struct Weighted<'a> {
    /// The factor.
    pub weight: u8,
    /// The block.
    pub block: &'a [u8],
}

/// `target ^= source`.
///
/// # Panics
/// The blocks differ in length.
pub fn xor_into(target: &mut [u8], source: &[u8]) {
    assert_eq!(target.len(), source.len(), "blocks of a stripe are of one length");
    for (target, source) in target.iter_mut().zip(source) {
        *target ^= source;
    }
}

/// `target ^= factor·source`.
///
/// # Panics
/// The blocks differ in length.
pub fn multiply_into(target: &mut [u8], source: &[u8], factor: u8) {
    assert_eq!(target.len(), source.len(), "blocks of a stripe are of one length");
    let products = products(factor);
    for (target, &source) in target.iter_mut().zip(source) {
        *target ^= products[usize::from(source)];
    }
}

/// `target = Σ weight·block`.
///
/// # Panics
/// A block is not as long as the target.
pub fn combine(target: &mut [u8], terms: &[Weighted<'_>]) {
    target.fill(0);
    for term in terms {
        match term.weight {
            0 => {}
            1 => xor_into(target, term.block),
            factor => multiply_into(target, term.block, factor),
        }
    }
}

/// P and Q of data blocks, each with the power of the generator with which it enters Q.
///
/// # Panics
/// A block is not as long as P and Q.
pub fn syndromes(p: &mut [u8], q: &mut [u8], data: &[Weighted<'_>]) {
    p.fill(0);
    q.fill(0);
    for term in data {
        xor_into(p, term.block);
        multiply_into(q, term.block, term.weight);
    }
}
