//! 256 bits, multiplied by a matrix of bits.

use super::gfni::{DOUBLE, MATRICES};
use std::arch::x86_64::{
    __m256i, _mm256_gf2p8affine_epi64_epi8, _mm256_or_si256, _mm256_set1_epi64x, _mm256_setzero_si256,
    _mm256_testz_si256, _mm256_xor_si256,
};

type Vector = __m256i;
type Table = u64;
type Factor = __m256i;

kernels!("avx2-gfni", "avx2,gfni");

#[inline]
#[target_feature(enable = "avx2,gfni")]
fn zero() -> Vector {
    _mm256_setzero_si256()
}

#[inline]
#[target_feature(enable = "avx2,gfni")]
fn xor(a: Vector, b: Vector) -> Vector {
    _mm256_xor_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2,gfni")]
fn or(a: Vector, b: Vector) -> Vector {
    _mm256_or_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2,gfni")]
fn is_zero(vector: Vector) -> bool {
    _mm256_testz_si256(vector, vector) == 1
}

#[inline]
#[target_feature(enable = "avx2,gfni")]
fn double(vector: Vector) -> Vector {
    times(_mm256_set1_epi64x(DOUBLE.cast_signed()), vector)
}

fn table(weight: u8) -> Table {
    MATRICES[usize::from(weight)]
}

#[inline]
#[target_feature(enable = "avx2,gfni")]
fn factor(table: &Table) -> Factor {
    _mm256_set1_epi64x(table.cast_signed())
}

#[inline]
#[target_feature(enable = "avx2,gfni")]
fn times(factor: Factor, vector: Vector) -> Vector {
    _mm256_gf2p8affine_epi64_epi8::<0>(vector, factor)
}
