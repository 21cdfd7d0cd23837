//! 256 bits, multiplied through tables of the products of half bytes.

use crate::parity::field::multiply;
use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm256_add_epi8, _mm256_and_si256, _mm256_broadcastsi128_si256,
    _mm256_cmpgt_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_srli_epi64, _mm256_testz_si256, _mm256_xor_si256,
};

type Vector = __m256i;
/// Products of the low halves of bytes, and of the high ones.
type Table = [[u8; 16]; 2];
type Factor = [__m256i; 2];

kernels!("avx2", "avx2");

#[inline]
#[target_feature(enable = "avx2")]
fn zero() -> Vector {
    _mm256_setzero_si256()
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor(a: Vector, b: Vector) -> Vector {
    _mm256_xor_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn or(a: Vector, b: Vector) -> Vector {
    _mm256_or_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn is_zero(vector: Vector) -> bool {
    _mm256_testz_si256(vector, vector) == 1
}

#[inline]
#[target_feature(enable = "avx2")]
fn double(vector: Vector) -> Vector {
    let falls_off = _mm256_cmpgt_epi8(zero(), vector);
    xor(_mm256_add_epi8(vector, vector), _mm256_and_si256(falls_off, _mm256_set1_epi8(0x1d)))
}

fn table(weight: u8) -> Table {
    let (mut low, mut high) = ([0; 16], [0; 16]);
    for (value, (low, high)) in (0..).zip(low.iter_mut().zip(&mut high)) {
        *low = multiply(weight, value);
        *high = multiply(weight, value << 4);
    }
    [low, high]
}

#[inline]
#[target_feature(enable = "avx2")]
fn factor(table: &Table) -> Factor {
    let [low, high] = table;
    [broadcast(low), broadcast(high)]
}

#[inline]
#[target_feature(enable = "avx2")]
fn broadcast(half: &[u8; 16]) -> __m256i {
    // SAFETY: the array is as long as the vector, which may lie anywhere.
    _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(half.as_ptr().cast::<__m128i>()) })
}

#[inline]
#[target_feature(enable = "avx2")]
fn times([low, high]: Factor, vector: Vector) -> Vector {
    let mask = _mm256_set1_epi8(0x0f);
    let low = _mm256_shuffle_epi8(low, _mm256_and_si256(vector, mask));
    let high = _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi64::<4>(vector), mask));
    xor(low, high)
}
