//! One way of computing with blocks: which instructions are used.

use super::{Kernels, available};
use crate::parity::field::{inverse, power};
use crate::parity::{Access, Agreement, Weighted, reference};
use std::sync::OnceLock;

/// The variable that says which instructions to use: the name of an [`Engine`].
pub const VARIABLE: &str = "RAID_SIMD";

/// The functions of this module with one kind of instructions.
#[derive(Clone, Copy)]
pub struct Engine(&'static Kernels);

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Engine").field(&self.name()).finish()
    }
}

impl Engine {
    /// Those that this processor can run, the fastest first. The last one needs nothing special.
    #[must_use]
    pub fn available() -> Vec<Self> {
        available().into_iter().map(Self).collect()
    }

    /// The one that the functions of this module use: that of the variable [`VARIABLE`] at the first use; the fastest,
    /// if there is none of that name here.
    #[must_use]
    pub fn chosen() -> Self {
        static CHOSEN: OnceLock<&Kernels> = OnceLock::new();
        Self(CHOSEN.get_or_init(|| {
            let wanted = std::env::var_os(VARIABLE);
            let available = available();
            let named =
                available.iter().find(|kernels| wanted.as_ref().is_some_and(|name| name == kernels.name));
            named.unwrap_or(&available[0])
        }))
    }

    /// `avx512`, `avx2-gfni`, `avx2` or `portable`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// As [`xor_into`](crate::parity::xor_into).
    ///
    /// # Panics
    /// As it.
    pub fn xor_into(self, target: &mut [u8], source: &[u8]) {
        self.multiply_into(target, source, 1);
    }

    /// As [`multiply_into`](crate::parity::multiply_into).
    ///
    /// # Panics
    /// As it.
    pub fn multiply_into(self, target: &mut [u8], source: &[u8], factor: u8) {
        same_length(target.len(), [source]);
        let (target, tail) = target.split_at_mut(self.whole(target.len()));
        let (source, source_tail) = source.split_at(target.len());
        // SAFETY: this engine is one of `available`; the lengths are the same, and whole vectors.
        unsafe { (self.0.multiply_add)(target, source, factor) };
        reference::multiply_into(tail, source_tail, factor);
    }

    /// As [`combine`](crate::parity::combine).
    ///
    /// # Panics
    /// As it.
    pub fn combine(self, target: &mut [u8], terms: &[Weighted<'_>]) {
        if terms.iter().all(|term| term.weight == 1) {
            let blocks: Vec<&[u8]> = terms.iter().map(|term| term.block).collect();
            return self.generate_p(target, &blocks);
        }
        same_length(target.len(), terms.iter().map(|term| term.block));
        let (target, tail) = target.split_at_mut(self.whole(target.len()));
        // SAFETY: as in `multiply_into`.
        unsafe { (self.0.combine)(target, terms) };
        if !tail.is_empty() {
            let rest = |term: &Weighted<'_>| term.block.len() - tail.len();
            let ends = terms.iter().map(|term| Weighted { block: &term.block[rest(term)..], ..*term });
            let ends: Vec<Weighted<'_>> = ends.collect();
            reference::combine(tail, &ends);
        }
    }

    /// As [`generate_p`](crate::parity::generate_p).
    ///
    /// # Panics
    /// As it.
    pub fn generate_p(self, p: &mut [u8], data: &[&[u8]]) {
        same_length(p.len(), data.iter().copied());
        let (p, tail) = p.split_at_mut(self.whole(p.len()));
        // SAFETY: as in `multiply_into`.
        unsafe { (self.0.sum)(p, data) };
        if !tail.is_empty() {
            reference::generate_p(tail, &plain_tails(data, p.len()));
        }
    }

    /// As [`generate_pq`](crate::parity::generate_pq).
    ///
    /// # Panics
    /// As it.
    pub fn generate_pq(self, p: &mut [u8], q: &mut [u8], data: &[Option<&[u8]>]) {
        let data = checked(data, p.len());
        same_length(p.len(), [&*q]);
        let whole = self.whole(p.len());
        let ((p, p_tail), (q, q_tail)) = (p.split_at_mut(whole), q.split_at_mut(whole));
        // SAFETY: as in `multiply_into`.
        unsafe { (self.0.syndromes)(p, q, data) };
        if !p_tail.is_empty() {
            reference::generate_pq(p_tail, q_tail, &tails(data, whole));
        }
    }

    /// As [`p_agrees`](crate::parity::p_agrees).
    ///
    /// # Panics
    /// As it.
    #[must_use]
    pub fn p_agrees(self, p: &[u8], data: &[&[u8]], access: Access) -> bool {
        same_length(p.len(), data.iter().copied());
        let (p, tail) = p.split_at(self.whole(p.len()));
        // SAFETY: as in `multiply_into`.
        let agrees = unsafe { (self.0.sum_agrees)(p, data, access) };
        agrees && (tail.is_empty() || reference::p_agrees(tail, &plain_tails(data, p.len())))
    }

    /// As [`pq_agree`](crate::parity::pq_agree).
    ///
    /// # Panics
    /// As it.
    #[must_use]
    pub fn pq_agree(self, p: &[u8], q: &[u8], data: &[Option<&[u8]>], access: Access) -> Agreement {
        let data = checked(data, p.len());
        same_length(p.len(), [q]);
        let whole = self.whole(p.len());
        let ((p, p_tail), (q, q_tail)) = (p.split_at(whole), q.split_at(whole));
        // SAFETY: as in `multiply_into`.
        let head = unsafe { (self.0.agree)(p, q, data, access) };
        if p_tail.is_empty() {
            return head;
        }
        let tail = reference::pq_agree(p_tail, q_tail, &tails(data, whole));
        Agreement { p: head.p && tail.p, q: head.q && tail.q }
    }

    /// As [`recover_two`](crate::parity::recover_two).
    ///
    /// # Panics
    /// As it.
    pub fn recover_two(
        self,
        x: &mut [u8],
        y: &mut [u8],
        exponents: [u8; 2],
        p: &[u8],
        q: &[u8],
        data: &[Option<&[u8]>],
    ) {
        assert_ne!(exponents[0], exponents[1], "two lost blocks have two exponents");
        let data = checked(data, x.len());
        same_length(x.len(), [&*y, p, q]);
        let whole = self.whole(x.len());
        let ((x, x_tail), (y, y_tail)) = (x.split_at_mut(whole), y.split_at_mut(whole));
        let factors = reference::pair_factors(exponents);
        // SAFETY: as in `multiply_into`.
        unsafe { (self.0.two)([x, y], factors, [p, q], data) };
        if !x_tail.is_empty() {
            reference::recover_two(x_tail, y_tail, exponents, &p[whole..], &q[whole..], &tails(data, whole));
        }
    }

    /// As [`recover_data_and_p`](crate::parity::recover_data_and_p).
    ///
    /// # Panics
    /// As it.
    pub fn recover_data_and_p(
        self,
        x: &mut [u8],
        p: &mut [u8],
        exponent: u8,
        q: &[u8],
        data: &[Option<&[u8]>],
    ) {
        let data = checked(data, x.len());
        same_length(x.len(), [&*p, q]);
        let whole = self.whole(x.len());
        let ((x, x_tail), (p, p_tail)) = (x.split_at_mut(whole), p.split_at_mut(whole));
        // SAFETY: as in `multiply_into`.
        unsafe { (self.0.data_and_p)(x, p, inverse(power(exponent)), q, data) };
        if !x_tail.is_empty() {
            reference::recover_data_and_p(x_tail, p_tail, exponent, &q[whole..], &tails(data, whole));
        }
    }

    /// What of a length is whole vectors.
    fn whole(self, length: usize) -> usize {
        length - length % self.0.width
    }
}

/// The data without the exponents above the highest that is there.
fn checked<'d, 'a>(data: &'d [Option<&'a [u8]>], length: usize) -> &'d [Option<&'a [u8]>] {
    let used = data.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    assert!(used <= 255, "the generator has 255 different powers");
    same_length(length, data.iter().flatten().copied());
    &data[..used]
}

fn same_length<'a>(length: usize, blocks: impl IntoIterator<Item = &'a [u8]>) {
    for block in blocks {
        assert_eq!(block.len(), length, "blocks of a stripe are of one length");
    }
}

fn tails<'a>(data: &[Option<&'a [u8]>], at: usize) -> Vec<Option<&'a [u8]>> {
    data.iter().map(|block| block.map(|block| &block[at..])).collect()
}

fn plain_tails<'a>(data: &[&'a [u8]], at: usize) -> Vec<&'a [u8]> {
    data.iter().map(|block| &block[at..]).collect()
}
