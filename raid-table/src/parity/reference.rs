//! Sums and products of whole blocks, byte by byte: what the faster versions have to agree with.

use super::field::{inverse, multiply, power, products};
use super::{Agreement, Weighted};

/// `target ^= source`.
pub fn xor_into(target: &mut [u8], source: &[u8]) {
    for (target, source) in target.iter_mut().zip(source) {
        *target ^= source;
    }
}

/// `target ^= factor·source`.
pub fn multiply_into(target: &mut [u8], source: &[u8], factor: u8) {
    let products = products(factor);
    for (target, &source) in target.iter_mut().zip(source) {
        *target ^= products[usize::from(source)];
    }
}

/// `target = Σ weight·block`.
pub fn combine(target: &mut [u8], terms: &[Weighted<'_>]) {
    target.fill(0);
    for term in terms {
        multiply_into(target, term.block, term.weight);
    }
}

/// P of data blocks.
pub fn generate_p(p: &mut [u8], data: &[&[u8]]) {
    p.fill(0);
    for block in data {
        xor_into(p, block);
    }
}

/// P and Q of data blocks, whose positions are their exponents.
pub fn generate_pq(p: &mut [u8], q: &mut [u8], data: &[Option<&[u8]>]) {
    p.fill(0);
    q.fill(0);
    for (exponent, block) in (0..=u8::MAX).zip(data) {
        if let Some(block) = block {
            xor_into(p, block);
            multiply_into(q, block, power(exponent));
        }
    }
}

/// Whether P is the one of the data.
#[must_use]
pub fn p_agrees(p: &[u8], data: &[&[u8]]) -> bool {
    let mut computed = vec![0; p.len()];
    generate_p(&mut computed, data);
    computed == p
}

/// Whether P and Q are those of the data.
#[must_use]
pub fn pq_agree(p: &[u8], q: &[u8], data: &[Option<&[u8]>]) -> Agreement {
    let (mut computed_p, mut computed_q) = (vec![0; p.len()], vec![0; q.len()]);
    generate_pq(&mut computed_p, &mut computed_q, data);
    Agreement { p: computed_p == p, q: computed_q == q }
}

/// The data blocks of two exponents, from P, Q and the other data.
pub fn recover_two(
    x: &mut [u8],
    y: &mut [u8],
    exponents: [u8; 2],
    p: &[u8],
    q: &[u8],
    data: &[Option<&[u8]>],
) {
    let (from_p, from_q) = pair_factors(exponents);
    generate_pq(x, y, data);
    xor_into(x, p);
    xor_into(y, q);
    for (x, y) in x.iter_mut().zip(y) {
        let (a, b) = (*x, *y);
        *x = multiply(from_p, a) ^ multiply(from_q, b);
        *y = a ^ *x;
    }
}

/// The data block of an exponent, and P, from Q and the other data.
pub fn recover_data_and_p(x: &mut [u8], p: &mut [u8], exponent: u8, q: &[u8], data: &[Option<&[u8]>]) {
    let factor = inverse(power(exponent));
    generate_pq(p, x, data);
    xor_into(x, q);
    for (x, p) in x.iter_mut().zip(p) {
        *x = multiply(factor, *x);
        *p ^= *x;
    }
}

/// With `A` and `B` what the data of exponents `x` and `y` makes up of P and Q: the factors of `A` and `B` in the
/// block of `x`. The block of `y` is the rest of `A`.
#[must_use]
pub fn pair_factors([x, y]: [u8; 2]) -> (u8, u8) {
    let quotient = multiply(power(y), inverse(power(x)));
    let scale = inverse(quotient ^ 1);
    (multiply(quotient, scale), multiply(inverse(power(x)), scale))
}
