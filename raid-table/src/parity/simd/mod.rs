//! The loops over blocks with the vectors that the processor has.
//!
//! What is compiled for instructions that only some processors have is called through [`Kernels`], of which
//! [`available`] gives only those that this one has.

#![allow(
    unsafe_code,
    reason = "vectors are read and written through pointers, and the processor is asked first"
)]

#[macro_use]
mod kernels;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx2_gfni;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod engine;
#[cfg(target_arch = "x86_64")]
mod gfni;
mod portable;

pub use engine::{Engine, VARIABLE};

use super::{Access, Agreement, Weighted};

/// Blocks by exponent.
type Data<'a> = [Option<&'a [u8]>];

/// [`Kernels::two`]: into two blocks, with two factors, from P and Q and the data.
type Two = unsafe fn([&mut [u8]; 2], (u8, u8), [&[u8]; 2], &Data<'_>);

/// The loops for one kind of vector.
///
/// All have the same contract: the processor has the instructions, all blocks are at least as long as the first, and the first is
/// a multiple of `width` long.
struct Kernels {
    /// As it is chosen by.
    name: &'static str,
    /// Bytes of a vector.
    width: usize,
    sum: unsafe fn(&mut [u8], &[&[u8]]),
    sum_agrees: unsafe fn(&[u8], &[&[u8]], Access) -> bool,
    syndromes: unsafe fn(&mut [u8], &mut [u8], &Data<'_>),
    agree: unsafe fn(&[u8], &[u8], &Data<'_>, Access) -> Agreement,
    /// Two lost blocks from P and Q; the factors are those of [`super::reference::pair_factors`].
    two: Two,
    /// A lost block and P, from the factor of the block, Q and the data.
    data_and_p: unsafe fn(&mut [u8], &mut [u8], u8, &[u8], &Data<'_>),
    combine: unsafe fn(&mut [u8], &[Weighted<'_>]),
    multiply_add: unsafe fn(&mut [u8], &[u8], u8),
}

/// How far ahead memory is asked for: the processor by itself does not look beyond a page.
const AHEAD: usize = 4096;
/// Bytes that memory gives at a time.
const LINE: usize = 64;

impl Access {
    /// Before `length` bytes of the blocks are read: what will be read soon. What is beyond their end is asked for in vain.
    #[inline]
    fn ahead<'a>(self, blocks: impl Iterator<Item = &'a [u8]>, at: usize, length: usize) {
        if self == Self::Cached {
            return;
        }
        for block in blocks {
            for line in (0..length).step_by(LINE) {
                fetch(block.as_ptr().wrapping_add(at + AHEAD + line));
            }
        }
    }
}

#[inline]
fn fetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, for which no address is wrong; every processor of this kind has it.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// What this processor can run, the fastest first.
fn available() -> Vec<&'static Kernels> {
    let mut found = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        let (avx2, gfni) = (is_x86_feature_detected!("avx2"), is_x86_feature_detected!("gfni"));
        if gfni && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
            found.push(&avx512::KERNELS);
        }
        if gfni && avx2 {
            found.push(&avx2_gfni::KERNELS);
        }
        if avx2 {
            found.push(&avx2::KERNELS);
        }
    }
    found.push(&portable::KERNELS);
    found
}

#[cfg(test)]
mod tests;
