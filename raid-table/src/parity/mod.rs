//! XOR, the field GF(2^8), and recovery of lost members.
//!
//! P of a stripe is the exclusive-or of its data, Q the sum of `g^e·D` in GF(2^8) with the polynomial 0x11d and
//! the generator g = 2; [`crate::layout::Row`] says which exponent `e` belongs to which slot. Every block of a
//! stripe is a linear combination of enough of the others, and [`Recovery`] finds it: which blocks to read,
//! and what to multiply each with.
//!
//! What is here is the plain reference, byte by byte: [`xor_into`], [`multiply_into`], [`combine`] and
//! [`syndromes`] work on blocks of equal length, and faster versions of them have to agree with these.

mod blocks;
mod field;
mod recover;

pub use blocks::{Weighted, combine, multiply_into, syndromes, xor_into};
pub use field::{inverse, multiply, power, products};
pub use recover::{RecoverError, Recovery, recover};
