//! The two checksums of md: a folded sum of words for superblocks, CRC-32C for its logs.

use crc::{CRC_32_ISCSI, Crc};

/// CRC-32C (Castagnoli) with the usual inversions.
const CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// The sum of the bytes as little-endian 32-bit words, the word at `skip` taken as zero, the carries
/// added once. A last half word is added as a 16-bit number. The sum of a big-endian superblock is the
/// sum of its values, so its words have to be put in order before.
pub(super) fn folded_sum(bytes: &[u8], skip: usize) -> u32 {
    let mut sum = 0_u64;
    for (index, chunk) in bytes.chunks(4).enumerate() {
        if index != skip / 4 {
            let mut word = [0; 4];
            for (to, from) in word.iter_mut().zip(chunk) {
                *to = *from;
            }
            sum = sum.wrapping_add(u64::from(u32::from_le_bytes(word)));
        }
    }
    let (high, low) = halves(sum);
    high.wrapping_add(low)
}

fn halves(sum: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = sum.to_be_bytes();
    (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]))
}

/// A sum folded to 16 bits, twice: what some architectures stored, and all that the kernel compares for 0.90.
pub(super) fn fold16(sum: u32) -> u32 {
    let fold = |sum: u32| (sum & 0xffff).wrapping_add(sum >> 16);
    fold(fold(sum))
}

/// CRC-32C over several pieces as if they were one, with the final inversion.
pub(super) fn crc32c(pieces: &[&[u8]]) -> u32 {
    let mut digest = CRC32C.digest();
    for piece in pieces {
        digest.update(piece);
    }
    digest.finalize()
}

/// CRC-32C without the final inversion, as the journal stores it.
pub(super) fn crc32c_plain(pieces: &[&[u8]]) -> u32 {
    !crc32c(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc32c_is_castagnolis() {
        assert_eq!(crc32c(&[b"123456789"]), 0xe306_9283);
        assert_eq!(crc32c_plain(&[b"1234", b"56789"]), 0x1cf9_6d7c);
    }

    #[test]
    fn the_ppl_signature_of_the_example_uuid_is_the_documented_one() {
        let uuid: Vec<u8> = (0..16).collect();
        assert_eq!(crc32c(&[&uuid]), 0xd9c9_08eb);
    }

    #[test]
    fn a_trailing_half_word_counts_as_a_number_and_carries_are_folded_once() {
        assert_eq!(folded_sum(&[1, 0, 0, 0, 2, 1], 100), 0x103);
        assert_eq!(folded_sum(&[0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0], 100), 2);
        assert_eq!(folded_sum(&[7, 0, 0, 0, 5, 0, 0, 0], 4), 7);
    }
}
