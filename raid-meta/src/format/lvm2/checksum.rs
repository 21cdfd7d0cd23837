//! LVM2's checksum: CRC-32 with an initial value of its own, and nothing done to the result.

use crc::{Algorithm, Crc};

const LVM2: Algorithm<u32> = Algorithm {
    width: 32,
    poly: 0x04c1_1db7,
    // The register begins as 0xf597a6cf, of which the crate wants the mirror image.
    init: 0xf597_a6cf_u32.reverse_bits(),
    refin: true,
    refout: true,
    xorout: 0,
    check: 0x4991_cf02,
    residue: 0,
};

/// The checksum of labels, area headers and texts.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    Crc::<u32>::new(&LVM2).checksum(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_has_its_known_values() {
        assert_eq!(checksum(b""), 0xf597_a6cf);
        assert_eq!(checksum(b"123456789"), 0x4991_cf02);
        assert_eq!(checksum(b"\0"), 0x0b2e_4887);
    }
}
