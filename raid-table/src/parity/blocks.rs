//! Sums and products of whole blocks.

use super::Engine;

/// A block with what it is multiplied by.
#[derive(Clone, Copy, Debug)]
pub struct Weighted<'a> {
    /// The factor.
    pub weight: u8,
    /// The block.
    pub block: &'a [u8],
}

/// Where blocks that are looked at come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// From the processor's cache: they were just read or computed.
    Cached,
    /// From memory: asking for them early pays, while for cached ones it costs as much as the comparison.
    Streamed,
}

/// Which of a stripe's parity blocks are those of its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Whether P is.
    pub p: bool,
    /// Whether Q is.
    pub q: bool,
}

impl Agreement {
    /// Whether both are.
    #[must_use]
    pub fn both(self) -> bool {
        self.p && self.q
    }
}

/// `target ^= source`.
///
/// # Panics
/// The blocks differ in length.
pub fn xor_into(target: &mut [u8], source: &[u8]) {
    Engine::chosen().xor_into(target, source);
}

/// `target ^= factor·source`.
///
/// # Panics
/// The blocks differ in length.
pub fn multiply_into(target: &mut [u8], source: &[u8], factor: u8) {
    Engine::chosen().multiply_into(target, source, factor);
}

/// `target = Σ weight·block`.
///
/// # Panics
/// A block is not as long as the target.
pub fn combine(target: &mut [u8], terms: &[Weighted<'_>]) {
    Engine::chosen().combine(target, terms);
}

/// P and Q of data blocks, each with the power of the generator with which it enters Q.
///
/// # Panics
/// A block is not as long as P and Q.
pub fn syndromes(p: &mut [u8], q: &mut [u8], data: &[Weighted<'_>]) {
    combine(q, data);
    let data: Vec<&[u8]> = data.iter().map(|term| term.block).collect();
    generate_p(p, &data);
}

/// P: the exclusive-or of the data.
///
/// # Panics
/// A block is not as long as P.
pub fn generate_p(p: &mut [u8], data: &[&[u8]]) {
    Engine::chosen().generate_p(p, data);
}

/// P and Q of the data. The position of a block is its exponent in Q; none where no block has that exponent.
///
/// # Panics
/// A block is not as long as P and Q, or a position is above 254.
pub fn generate_pq(p: &mut [u8], q: &mut [u8], data: &[Option<&[u8]>]) {
    Engine::chosen().generate_pq(p, q, data);
}

/// Whether P is the exclusive-or of the data.
///
/// # Panics
/// A block is not as long as P.
#[must_use]
pub fn p_agrees(p: &[u8], data: &[&[u8]], access: Access) -> bool {
    Engine::chosen().p_agrees(p, data, access)
}

/// Whether P and Q are those of the data, given as to [`generate_pq`].
///
/// # Panics
/// A block is not as long as P and Q, or a position is above 254.
#[must_use]
pub fn pq_agree(p: &[u8], q: &[u8], data: &[Option<&[u8]>], access: Access) -> Agreement {
    Engine::chosen().pq_agree(p, q, data, access)
}

/// The data of two exponents, into `x` and `y`, from P, Q and the rest of the data, given as to [`generate_pq`]
/// with none at these two exponents.
///
/// # Panics
/// The exponents are the same, or as [`generate_pq`].
pub fn recover_two(
    x: &mut [u8],
    y: &mut [u8],
    exponents: [u8; 2],
    p: &[u8],
    q: &[u8],
    data: &[Option<&[u8]>],
) {
    Engine::chosen().recover_two(x, y, exponents, p, q, data);
}

/// The data of an exponent, into `x`, and P, from Q and the rest of the data, given as to [`generate_pq`] with
/// none at this exponent.
///
/// # Panics
/// As [`generate_pq`].
pub fn recover_data_and_p(x: &mut [u8], p: &mut [u8], exponent: u8, q: &[u8], data: &[Option<&[u8]>]) {
    Engine::chosen().recover_data_and_p(x, p, exponent, q, data);
}
