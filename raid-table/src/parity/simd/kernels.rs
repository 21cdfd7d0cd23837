//! The loops over blocks, written once for every width of vector.
//!
//! All of them go through the blocks of a stripe side by side, several vectors at a time, and keep what they compute in
//! registers: a block is read once, and nothing but the result is written. Q is summed by Horner's rule from the
//! highest exponent down, so that all multiplications are by the generator; an exponent without a block is a doubling
//! alone.

/// Defines the loops and the table of them, [`Kernels`](super::Kernels), in a module that has:
///
/// * `Vector`, and `zero`, `xor`, `or`, `is_zero` and `double` (by the generator, byte by byte);
/// * `Table`, what `table` makes of a factor, and `Factor`, what `factor` makes of a table before a loop;
/// * `times`, the product of a factor and a vector.
macro_rules! kernels {
    ($name:literal $(, $feature:literal)?) => {
        const WIDTH: usize = size_of::<Vector>();

        /// The loops with these instructions.
        pub(super) static KERNELS: $crate::parity::simd::Kernels = $crate::parity::simd::Kernels {
            name: $name,
            width: WIDTH,
            sum,
            sum_agrees,
            syndromes,
            agree,
            two,
            data_and_p,
            combine,
            multiply_add,
        };

        /// # Safety
        /// `at + WIDTH` is at most the length of the block.
        #[inline]
        $(#[target_feature(enable = $feature)])?
        unsafe fn load(block: &[u8], at: usize) -> Vector {
            debug_assert!(at + WIDTH <= block.len());
            // SAFETY: the bytes are inside of the block, and any bytes are a vector.
            unsafe { block.as_ptr().add(at).cast::<Vector>().read_unaligned() }
        }

        /// # Safety
        /// As of `load`.
        #[inline]
        $(#[target_feature(enable = $feature)])?
        unsafe fn store(block: &mut [u8], at: usize, vector: Vector) {
            debug_assert!(at + WIDTH <= block.len());
            // SAFETY: the bytes are inside of the block, which is ours alone.
            unsafe { block.as_mut_ptr().add(at).cast::<Vector>().write_unaligned(vector) }
        }

        /// The sum of the data and its weighted sum, of `N` vectors.
        ///
        /// # Safety
        /// `at + N·WIDTH` is at most the length of each block.
        #[inline]
        $(#[target_feature(enable = $feature)])?
        unsafe fn sums<const N: usize>(data: &[Option<&[u8]>], at: usize) -> ([Vector; N], [Vector; N]) {
            let (mut p, mut q) = ([zero(); N], [zero(); N]);
            let Some((&last, lower)) = data.split_last() else { return (p, q) };
            if let Some(block) = last {
                for lane in 0..N {
                    // SAFETY: the caller's promise.
                    p[lane] = unsafe { load(block, at + lane * WIDTH) };
                }
                q = p;
            }
            for block in lower.iter().rev() {
                for lane in 0..N {
                    q[lane] = double(q[lane]);
                }
                let Some(block) = block else { continue };
                for lane in 0..N {
                    // SAFETY: the caller's promise.
                    let vector = unsafe { load(block, at + lane * WIDTH) };
                    p[lane] = xor(p[lane], vector);
                    q[lane] = xor(q[lane], vector);
                }
            }
            (p, q)
        }

        /// The sum of blocks, of `N` vectors.
        ///
        /// # Safety
        /// As of `sums`.
        #[inline]
        $(#[target_feature(enable = $feature)])?
        unsafe fn plain_sum<const N: usize>(blocks: &[&[u8]], at: usize) -> [Vector; N] {
            let mut sum = [zero(); N];
            for block in blocks {
                for lane in 0..N {
                    // SAFETY: the caller's promise.
                    sum[lane] = xor(sum[lane], unsafe { load(block, at + lane * WIDTH) });
                }
            }
            sum
        }

        $(#[target_feature(enable = $feature)])?
        unsafe fn sum(target: &mut [u8], blocks: &[&[u8]]) {
            steps!(target.len(), |at, N| {
                // SAFETY: the blocks are as long as the target, and a step ends inside of it.
                unsafe {
                    let sum = plain_sum::<N>(blocks, at);
                    for lane in 0..N {
                        store(target, at + lane * WIDTH, sum[lane]);
                    }
                }
            });
        }

        $(#[target_feature(enable = $feature)])?
        unsafe fn sum_agrees(target: &[u8], blocks: &[&[u8]], access: $crate::parity::Access) -> bool {
            let mut wrong = zero();
            steps!(target.len(), |at, N| {
                access.ahead(blocks.iter().copied().chain([target]), at, N * WIDTH);
                // SAFETY: as in `sum`.
                unsafe {
                    let sum = plain_sum::<N>(blocks, at);
                    for lane in 0..N {
                        wrong = or(wrong, xor(sum[lane], load(target, at + lane * WIDTH)));
                    }
                }
            });
            is_zero(wrong)
        }

        $(#[target_feature(enable = $feature)])?
        unsafe fn syndromes(p: &mut [u8], q: &mut [u8], data: &[Option<&[u8]>]) {
            steps!(p.len(), |at, N| {
                // SAFETY: as in `sum`.
                unsafe {
                    let sums = sums::<N>(data, at);
                    for lane in 0..N {
                        store(p, at + lane * WIDTH, sums.0[lane]);
                        store(q, at + lane * WIDTH, sums.1[lane]);
                    }
                }
            });
        }

        $(#[target_feature(enable = $feature)])?
        unsafe fn agree(
            p: &[u8],
            q: &[u8],
            data: &[Option<&[u8]>],
            access: $crate::parity::Access,
        ) -> $crate::parity::Agreement {
            let (mut wrong_p, mut wrong_q) = (zero(), zero());
            steps!(p.len(), |at, N| {
                access.ahead(data.iter().copied().flatten().chain([p, q]), at, N * WIDTH);
                // SAFETY: as in `sum`.
                unsafe {
                    let sums = sums::<N>(data, at);
                    for lane in 0..N {
                        wrong_p = or(wrong_p, xor(sums.0[lane], load(p, at + lane * WIDTH)));
                        wrong_q = or(wrong_q, xor(sums.1[lane], load(q, at + lane * WIDTH)));
                    }
                }
            });
            $crate::parity::Agreement { p: is_zero(wrong_p), q: is_zero(wrong_q) }
        }

        $(#[target_feature(enable = $feature)])?
        unsafe fn two(
            [x, y]: [&mut [u8]; 2],
            factors: (u8, u8),
            [p, q]: [&[u8]; 2],
            data: &[Option<&[u8]>],
        ) {
            let (of_p, of_q) = (factor(&table(factors.0)), factor(&table(factors.1)));
            steps!(x.len(), |at, N| {
                // SAFETY: as in `sum`.
                unsafe {
                    let sums = sums::<N>(data, at);
                    for lane in 0..N {
                        let at = at + lane * WIDTH;
                        let both = xor(sums.0[lane], load(p, at));
                        let first = xor(times(of_p, both), times(of_q, xor(sums.1[lane], load(q, at))));
                        store(x, at, first);
                        store(y, at, xor(both, first));
                    }
                }
            });
        }

        $(#[target_feature(enable = $feature)])?
        unsafe fn data_and_p(x: &mut [u8], p: &mut [u8], weight: u8, q: &[u8], data: &[Option<&[u8]>]) {
            let of_q = factor(&table(weight));
            steps!(x.len(), |at, N| {
                // SAFETY: as in `sum`.
                unsafe {
                    let sums = sums::<N>(data, at);
                    for lane in 0..N {
                        let at = at + lane * WIDTH;
                        let found = times(of_q, xor(sums.1[lane], load(q, at)));
                        store(x, at, found);
                        store(p, at, xor(sums.0[lane], found));
                    }
                }
            });
        }

        $(#[target_feature(enable = $feature)])?
        unsafe fn combine(target: &mut [u8], terms: &[$crate::parity::Weighted<'_>]) {
            let tables: Vec<Table> = terms.iter().map(|term| table(term.weight)).collect();
            steps!(target.len(), |at, N| {
                let mut sum = [zero(); N];
                for (term, table) in terms.iter().zip(&tables) {
                    let factor = factor(table);
                    for lane in 0..N {
                        // SAFETY: as in `sum`.
                        let vector = unsafe { load(term.block, at + lane * WIDTH) };
                        sum[lane] = xor(sum[lane], times(factor, vector));
                    }
                }
                for lane in 0..N {
                    // SAFETY: as in `sum`.
                    unsafe { store(target, at + lane * WIDTH, sum[lane]) };
                }
            });
        }

        $(#[target_feature(enable = $feature)])?
        unsafe fn multiply_add(target: &mut [u8], source: &[u8], weight: u8) {
            let factor = factor(&table(weight));
            steps!(target.len(), |at, N| {
                for lane in 0..N {
                    let at = at + lane * WIDTH;
                    // SAFETY: as in `sum`.
                    unsafe {
                        let product = times(factor, load(source, at));
                        store(target, at, xor(load(target, at), product));
                    }
                }
            });
        }
    };
}

/// A loop over a length in whole vectors: four at a time, which hides the latency of each, then those that are left.
macro_rules! steps {
    ($length:expr, |$at:ident, $n:ident| $body:block) => {{
        let (length, mut $at) = ($length, 0);
        while length - $at >= 4 * WIDTH {
            const $n: usize = 4;
            $body
            $at += $n * WIDTH;
        }
        while length - $at >= WIDTH {
            const $n: usize = 1;
            $body
            $at += $n * WIDTH;
        }
    }};
}
