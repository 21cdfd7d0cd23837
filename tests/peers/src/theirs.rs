//! What the others do with a stripe.

use crate::foreign;
use crate::stripe::{BLOCK, Stripe};
use raid_table::parity::{inverse, multiply, power};
use std::ffi::{c_int, c_void};

const PAGE: usize = 4096;
const LENGTH: c_int = BLOCK as c_int;

fn count(value: usize) -> c_int {
    c_int::try_from(value).expect("there are few blocks")
}

/// Data, then the two blocks to compute into.
fn with_scratch(stripe: &mut Stripe) -> Vec<*mut c_void> {
    let data = stripe.data();
    stripe.pointers((0..data).chain([data + 2, data + 3]))
}

type PqGen = unsafe extern "C" fn(c_int, c_int, *const *mut c_void) -> c_int;

/// ISA-L's P and Q, by the function given.
pub fn isal_generate(function: PqGen, stripe: &mut Stripe) {
    let blocks = with_scratch(stripe);
    // SAFETY: all blocks are BLOCK bytes, aligned to 64, and the last two are nobody else's.
    let failed = unsafe { function(count(blocks.len()), LENGTH, blocks.as_ptr()) };
    assert_eq!(failed, 0, "ISA-L refuses");
}

pub fn isal_generate_p(stripe: &mut Stripe) {
    let blocks = with_scratch(stripe);
    // SAFETY: as above; the block of Q is not given.
    let failed = unsafe { foreign::xor_gen(count(blocks.len() - 1), LENGTH, blocks.as_ptr()) };
    assert_eq!(failed, 0, "ISA-L refuses");
}

/// Computed anew, and compared.
pub fn isal_check(stripe: &mut Stripe) {
    isal_generate(foreign::pq_gen, stripe);
    compare(stripe, 2);
}

pub fn isal_check_p(stripe: &mut Stripe) {
    isal_generate_p(stripe);
    compare(stripe, 1);
}

fn compare(stripe: &Stripe, parities: usize) {
    let first = stripe.data();
    for parity in first..first + parities {
        assert!(stripe.block(parity) == stripe.block(parity + 2), "a sound stripe is found to be wrong");
    }
}

/// Tables for `ec_encode_data` to compute two lost blocks from the other data, P and Q.
pub fn isal_tables(lost: [usize; 2], data: usize) -> Vec<u8> {
    let power_of = |exponent: usize| power(exponent.to_le_bytes()[0]);
    let [x, y] = lost.map(power_of);
    let scale = inverse(x ^ y);
    let others = (0..data).filter(|index| !lost.contains(index));
    let row = |other: u8| {
        let of_p = multiply(other, scale);
        let terms = others.clone().map(|index| of_p ^ multiply(power_of(index), scale));
        terms.chain([of_p, scale]).collect::<Vec<u8>>()
    };
    let matrix = [row(y), row(x)].concat();
    let mut tables = vec![0; 32 * data * 2];
    // SAFETY: two rows of `data` factors, and 32 bytes of table for each.
    unsafe { foreign::ec_init_tables(count(data), 2, matrix.as_ptr(), tables.as_mut_ptr()) };
    tables
}

pub fn isal_recover(tables: &[u8], lost: [usize; 2], stripe: &mut Stripe) {
    let data = stripe.data();
    let sources = stripe.pointers((0..data + 2).filter(|index| !lost.contains(index)));
    let targets = stripe.pointers([data + 2, data + 3]);
    // SAFETY: as for the generation; the tables are those of as many sources and two targets.
    unsafe {
        foreign::ec_encode_data(
            LENGTH,
            count(data),
            2,
            tables.as_ptr(),
            sources.as_ptr().cast(),
            targets.as_ptr().cast(),
        );
    }
}

/// The kernel's functions that it would choose on this processor.
#[derive(Clone, Copy)]
pub struct Linux {
    pub name: &'static str,
    calls: &'static foreign::Calls,
    recover: &'static foreign::RecoverCalls,
}

impl Linux {
    pub fn chosen() -> Self {
        let wide = std::arch::is_x86_feature_detected!("avx512bw");
        // SAFETY: tables that nobody writes.
        let (wide_calls, wide_recover, calls, recover) = unsafe {
            (
                &foreign::raid6_avx512x4,
                &foreign::raid6_recov_avx512,
                &foreign::raid6_avx2x4,
                &foreign::raid6_recov_avx2,
            )
        };
        let chosen = if wide {
            Self { name: "Linux avx512x4", calls: wide_calls, recover: wide_recover }
        } else {
            Self { name: "Linux avx2x4", calls, recover }
        };
        // SAFETY: before anything of Linux runs, on the only thread.
        unsafe { foreign::raid6_call = *chosen.calls };
        chosen
    }

    pub fn generate(self, stripe: &mut Stripe) {
        let blocks = with_scratch(stripe);
        // SAFETY: as for ISA-L.
        unsafe { (self.calls.gen_syndrome)(count(blocks.len()), BLOCK, blocks.as_ptr()) };
    }

    /// Page by page, as md does it: computed anew into pages of its own, and compared.
    pub fn check(self, stripe: &mut Stripe) {
        let data = stripe.data();
        let mut blocks = with_scratch(stripe);
        for at in (0..BLOCK).step_by(PAGE) {
            // SAFETY: a page of each block; the scratch is the same page every time.
            unsafe { (self.calls.gen_syndrome)(count(blocks.len()), PAGE, blocks.as_ptr()) };
            for parity in [data, data + 1] {
                let (stored, computed) = (stripe.block(parity), stripe.block(parity + 2));
                assert!(stored[at..at + PAGE] == computed[..PAGE], "Linux finds a sound stripe to be wrong");
            }
            for block in &mut blocks[..data] {
                *block = block.wrapping_byte_add(PAGE);
            }
        }
    }

    /// Recovers into the blocks behind the parity, page by page.
    pub fn recover(self, lost: [usize; 2], stripe: &mut Stripe) {
        let data = stripe.data();
        let place = |index| lost.iter().position(|lost| *lost == index).map_or(index, |nth| data + 2 + nth);
        let mut blocks = stripe.pointers((0..data + 2).map(place));
        for _ in (0..BLOCK).step_by(PAGE) {
            let [first, second] = lost.map(count);
            // SAFETY: a page of each block, of which the lost ones are nobody else's.
            unsafe { (self.recover.data2)(count(data + 2), PAGE, first, second, blocks.as_mut_ptr()) };
            for block in &mut blocks {
                *block = block.wrapping_byte_add(PAGE);
            }
        }
    }
}

/// rusty_erasure's P and Q.
pub fn rusty_generate(stripe: &mut Stripe) {
    let count = stripe.data();
    let (data, p, q) = stripe.split(count + 2);
    rusty_erasure::raid::pq_gen(&data[..count], p, q).expect("the blocks are of one length");
}
