//! The checksums: CRC-32 over a whole structure, its own field counted as 0xffffffff.
//!
//! Two kinds are in use, with the same polynomial: *plain*, which starts at 0 and is not inverted (mdadm,
//! libblkid), and *ieee*, the ordinary one (FreeBSD, dmraid). Structures of one block are covered by their 512
//! bytes, on disks with larger blocks perhaps by the whole block. What is found is kept, and written again.

use crate::format::schema::Endian;
use crc::{Algorithm, CRC_32_ISO_HDLC, Crc};

const PLAIN: Algorithm<u32> = Algorithm { init: 0, xorout: 0, ..CRC_32_ISO_HDLC };
static PLAIN_CRC: Crc<u32> = Crc::<u32>::new(&PLAIN);
static IEEE_CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// The field of the checksum, in every structure.
const FIELD: std::ops::Range<usize> = 4..8;

/// Which kind of checksum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Variant {
    /// Neither preset nor inverted.
    #[default]
    Plain,
    /// Preset and inverted.
    Ieee,
}

impl Variant {
    /// What it is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Ieee => "ieee",
        }
    }

    fn compute(self, bytes: &[u8]) -> u32 {
        let crc = match self {
            Self::Plain => &PLAIN_CRC,
            Self::Ieee => &IEEE_CRC,
        };
        let mut digest = crc.digest();
        digest.update(bytes.get(..FIELD.start).unwrap_or(bytes));
        digest.update(&[0xff; 4]);
        digest.update(bytes.get(FIELD.end..).unwrap_or_default());
        digest.finalize()
    }
}

/// How a structure is covered by its checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sum {
    /// Which kind.
    pub(super) variant: Variant,
    /// How many bytes from the start of the structure.
    pub(super) length: usize,
}

impl Sum {
    /// The kind and the one of the possible lengths by which the checksum of the structure is right.
    pub(super) fn find(bytes: &[u8], lengths: &[usize], endian: Endian) -> Option<Self> {
        let stored = stored(bytes, endian)?;
        let mut sums = lengths
            .iter()
            .flat_map(|&length| [Variant::Plain, Variant::Ieee].map(|variant| Self { variant, length }));
        sums.find(|sum| sum.compute(bytes) == Some(stored))
    }

    /// The checksum that the structure should have.
    pub(super) fn compute(self, bytes: &[u8]) -> Option<u32> {
        bytes.get(..self.length).map(|covered| self.variant.compute(covered))
    }

    /// Writes the checksum into the structure.
    pub(super) fn store(self, bytes: &mut [u8], endian: Endian) {
        let Some(sum) = self.compute(bytes) else { return };
        let sum = match endian {
            Endian::Big => sum.to_be_bytes(),
            Endian::Little => sum.to_le_bytes(),
        };
        if let Some(field) = bytes.get_mut(FIELD) {
            field.copy_from_slice(&sum);
        }
    }
}

/// The plain checksum of some bytes.
pub(super) fn plain(bytes: &[u8]) -> u32 {
    PLAIN_CRC.checksum(bytes)
}

/// The checksum that the structure has.
pub(super) fn stored(bytes: &[u8], endian: Endian) -> Option<u32> {
    let field = bytes.get(FIELD)?.try_into().ok()?;
    Some(match endian {
        Endian::Big => u32::from_be_bytes(field),
        Endian::Little => u32::from_le_bytes(field),
    })
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test that panics has failed")]
mod tests {
    use super::*;

    #[test]
    fn the_two_kinds_are_those_of_the_check_values() {
        assert_eq!(PLAIN_CRC.checksum(b"123456789"), 0x2dfd_2d88);
        assert_eq!(IEEE_CRC.checksum(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_stored_sum_is_found_again_in_both_kinds_and_byte_orders() {
        for variant in [Variant::Plain, Variant::Ieee] {
            for endian in [Endian::Big, Endian::Little] {
                let sum = Sum { variant, length: 512 };
                let mut bytes = vec![7; 4096];
                sum.store(&mut bytes, endian);
                assert_eq!(Sum::find(&bytes, &[512, 4096], endian), Some(sum));
                bytes[600] ^= 1;
                assert_eq!(Sum::find(&bytes, &[512, 4096], endian), Some(sum));
                bytes[511] ^= 1;
                assert_eq!(Sum::find(&bytes, &[512, 4096], endian), None);
            }
        }
        assert_eq!(Sum::find(&[0; 7], &[512], Endian::Big), None);
    }
}
