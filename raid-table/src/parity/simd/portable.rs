//! Whole words, on any processor. What the compiler makes of pairs of them is the vectors that every one of its kind has.

use crate::parity::field::multiply;

type Vector = [u64; 2];
/// The factor times each bit.
type Table = [u64; 8];
type Factor = Table;

/// The lowest bit of each byte.
const ONES: u64 = 0x0101_0101_0101_0101;

kernels!("portable");

fn zero() -> Vector {
    [0; 2]
}

#[inline]
fn xor(a: Vector, b: Vector) -> Vector {
    [a[0] ^ b[0], a[1] ^ b[1]]
}

#[inline]
fn or(a: Vector, b: Vector) -> Vector {
    [a[0] | b[0], a[1] | b[1]]
}

#[inline]
fn is_zero(vector: Vector) -> bool {
    vector == zero()
}

#[inline]
fn double(vector: Vector) -> Vector {
    vector.map(|word| {
        let falls_off = word >> 7 & ONES;
        (word & !(ONES << 7)) << 1 ^ (falls_off << 8).wrapping_sub(falls_off) & (ONES * 0x1d)
    })
}

fn table(weight: u8) -> Table {
    [0, 1, 2, 3, 4, 5, 6, 7].map(|bit| u64::from(multiply(weight, 1 << bit)))
}

#[inline]
fn factor(table: &Table) -> Factor {
    *table
}

#[inline]
fn times(factor: Factor, vector: Vector) -> Vector {
    vector.map(|word| {
        let products = factor.iter().enumerate().map(|(bit, product)| (word >> bit & ONES) * product);
        products.fold(0, |sum, product| sum ^ product)
    })
}
