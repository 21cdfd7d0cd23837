//! The field GF(2^8): polynomial x^8+x^4+x^3+x^2+1, generator 2. Addition is exclusive-or.

/// What is left of the polynomial when bit 8 falls off.
const REDUCTION: u8 = 0x1d;
/// Powers after which the generator repeats.
const ORDER: usize = 255;

/// Powers of the generator, twice around so that the sum of two logarithms is an index.
const POWERS: [u8; 2 * ORDER] = {
    let mut powers = [1; 2 * ORDER];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = double(powers[index - 1]);
        index += 1;
    }
    powers
};

/// Logarithms to the generator; that of zero is not one.
const LOGARITHMS: [u8; 256] = {
    let mut logarithms = [0; 256];
    let mut index = 0;
    let mut exponent: u8 = 0;
    while index < ORDER {
        logarithms[POWERS[index] as usize] = exponent;
        exponent = exponent.wrapping_add(1);
        index += 1;
    }
    logarithms
};

const fn double(value: u8) -> u8 {
    let carry = if value & 0x80 == 0 { 0 } else { REDUCTION };
    value << 1 ^ carry
}

const fn logarithm(value: u8) -> usize {
    LOGARITHMS[value as usize] as usize
}

/// The generator to a power.
#[must_use]
pub fn power(exponent: u8) -> u8 {
    POWERS[usize::from(exponent)]
}

/// The product.
#[must_use]
pub const fn multiply(a: u8, b: u8) -> u8 {
    if a == 0 || b == 0 { 0 } else { POWERS[logarithm(a) + logarithm(b)] }
}

/// The value whose product with this one is 1; zero has none, and gives zero.
#[must_use]
pub fn inverse(value: u8) -> u8 {
    if value == 0 { 0 } else { POWERS[ORDER - logarithm(value)] }
}

/// The products of one factor with every byte.
#[must_use]
pub fn products(factor: u8) -> [u8; 256] {
    let mut table = [0; 256];
    let mut bit_product = factor;
    let mut length = 1;
    while length < table.len() {
        let (low, high) = table.split_at_mut(length);
        for (value, &sum) in high.iter_mut().zip(low.iter()) {
            *value = sum ^ bit_product;
        }
        bit_product = double(bit_product);
        length *= 2;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Multiplication as it is taught: shift and add, bit by bit.
    fn multiply_bit_by_bit(a: u8, b: u8) -> u8 {
        let (mut shifted, mut product) = (a, 0);
        for bit in 0..8 {
            if b >> bit & 1 == 1 {
                product ^= shifted;
            }
            shifted = double(shifted);
        }
        product
    }

    #[test]
    fn powers_of_the_generator_are_the_published_ones() {
        let expected = [1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x1d, 0x3a, 0x74, 0xe8, 0xcd, 0x87, 0x13, 0x26];
        let found: Vec<u8> = (0..16).map(power).collect();
        assert_eq!(found, expected);
        assert_eq!((power(254), inverse(2), power(255)), (0x8e, 0x8e, 1));
    }

    #[test]
    fn tables_agree_with_multiplication_bit_by_bit() {
        for a in 0..=255 {
            let table = products(a);
            for b in 0..=255 {
                let expected = multiply_bit_by_bit(a, b);
                assert_eq!(multiply(a, b), expected, "{a:#x}·{b:#x}");
                assert_eq!(table[usize::from(b)], expected, "{a:#x}·{b:#x}");
            }
            assert_eq!(multiply(a, inverse(a)), u8::from(a != 0));
        }
    }
}
