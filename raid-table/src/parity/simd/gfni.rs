//! Multiplication as a matrix of bits, which is what `gf2p8affineqb` takes.

use crate::parity::field::multiply;

/// The matrix of each factor. Its last byte says which bits of a value make up bit 0 of the product, its first those of bit 7.
pub(super) static MATRICES: [u64; 256] = {
    let mut matrices = [0; 256];
    let mut factor = u8::MAX;
    while factor > 0 {
        matrices[factor as usize] = matrix(factor);
        factor -= 1;
    }
    matrices
};

/// The matrix of the generator.
pub(super) const DOUBLE: u64 = matrix(2);

const fn matrix(factor: u8) -> u64 {
    let mut matrix = 0;
    let mut bit = 0;
    while bit < 8 {
        let product = multiply(factor, 1 << bit);
        let mut row = 0;
        while row < 8 {
            matrix |= ((product >> row & 1) as u64) << (8 * (7 - row) + bit);
            row += 1;
        }
        bit += 1;
    }
    matrix
}
