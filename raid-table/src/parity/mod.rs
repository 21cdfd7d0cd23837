//! XOR, the field GF(2^8), and recovery of lost members.
//!
//! P of a stripe is the exclusive-or of its data, Q the sum of `g^e·D` in GF(2^8) with the polynomial 0x11d and
//! the generator g = 2; [`crate::layout::Row`] says which exponent `e` belongs to which slot. Every block of a
//! stripe is a linear combination of enough of the others, and [`Recovery`] finds it: which blocks to read,
//! and what to multiply each with.
//!
//! The plain version is [`mod@reference`], byte by byte. [`generate_pq`], [`pq_agree`], [`combine`] and the others do the
//! same, in one pass over memory, on blocks of any equal length that may lie anywhere, with the widest vectors that the processor
//! has, or those that the variable `RAID_SIMD` names: see [`Engine`].

mod blocks;
mod field;
mod recover;
pub mod reference;
mod simd;
mod stripe;

pub use blocks::{
    Access, Agreement, Weighted, combine, generate_p, generate_pq, multiply_into, p_agrees, pq_agree,
    recover_data_and_p, recover_two, syndromes, xor_into,
};
pub use field::{inverse, multiply, power, products};
pub use recover::{RecoverError, Recovery, recover};
pub use simd::{Engine, VARIABLE};
pub use stripe::{Stripe, recover_pair};
