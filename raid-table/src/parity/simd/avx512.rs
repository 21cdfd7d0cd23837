//! 512 bits, multiplied by a matrix of bits.

use super::gfni::{DOUBLE, MATRICES};
use std::arch::x86_64::{
    __m512i, _mm512_gf2p8affine_epi64_epi8, _mm512_or_si512, _mm512_set1_epi64, _mm512_setzero_si512,
    _mm512_test_epi64_mask, _mm512_xor_si512,
};

type Vector = __m512i;
type Table = u64;
type Factor = __m512i;

kernels!("avx512", "avx512f,avx512bw,gfni");

#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn zero() -> Vector {
    _mm512_setzero_si512()
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn xor(a: Vector, b: Vector) -> Vector {
    _mm512_xor_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn or(a: Vector, b: Vector) -> Vector {
    _mm512_or_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn is_zero(vector: Vector) -> bool {
    _mm512_test_epi64_mask(vector, vector) == 0
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn double(vector: Vector) -> Vector {
    times(_mm512_set1_epi64(DOUBLE.cast_signed()), vector)
}

fn table(weight: u8) -> Table {
    MATRICES[usize::from(weight)]
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn factor(table: &Table) -> Factor {
    _mm512_set1_epi64(table.cast_signed())
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn times(factor: Factor, vector: Vector) -> Vector {
    _mm512_gf2p8affine_epi64_epi8::<0>(vector, factor)
}
