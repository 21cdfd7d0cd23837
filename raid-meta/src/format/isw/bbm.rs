//! The bad-block log at the end of the MPB: at most 254 entries, each of 1 to 256 blocks of one disk.
//!
//! Block numbers are those of the disk, not of a volume.

use super::mpb::join;
use crate::disk_struct;
use crate::format::schema::{DiskStruct, Endian};

/// What a log begins with.
const SIGNATURE: u32 = 0xabad_b10c;

/// Most entries in a log.
const MAX_ENTRIES: u32 = 254;

disk_struct! {
    /// The head of the log.
    pub(super) struct LogHead {
        signature: u32 as hex,
        entry_count: u32,
    }
}

disk_struct! {
    /// A run of bad blocks.
    pub(super) struct Entry {
        marked_count: u8,
        disk_ordinal: u8,
        lba_low: u16,
        lba_high: u32,
    }
}

impl Entry {
    /// First block.
    pub(super) fn first_block(&self) -> u64 {
        u64::from(self.lba_low) | join(self.lba_high, 0) << 16
    }

    /// Number of blocks.
    pub(super) fn blocks(&self) -> u64 {
        u64::from(self.marked_count) + 1
    }
}

/// The log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BadBlocks {
    pub(super) head: LogHead,
    pub(super) entries: Vec<Entry>,
}

impl BadBlocks {
    /// Decodes the log from exactly its bytes.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let head = LogHead::decode(bytes, Endian::Little).ok_or_else(|| {
            format!("the log has {} bytes, its head alone has {}", bytes.len(), LogHead::SIZE)
        })?;
        if head.signature != SIGNATURE {
            return Err(format!("the signature is {:#010x}, expected {SIGNATURE:#010x}", head.signature));
        }
        if head.entry_count > MAX_ENTRIES {
            return Err(format!("{} entries, at most {MAX_ENTRIES} are possible", head.entry_count));
        }
        let rest = bytes.get(LogHead::SIZE..).unwrap_or_default();
        if rest.len() != (head.entry_count as usize).saturating_mul(Entry::SIZE) {
            return Err(format!("{} entries do not fill a log of {} bytes", head.entry_count, bytes.len()));
        }
        let entries =
            rest.chunks(Entry::SIZE).filter_map(|entry| Entry::decode(entry, Endian::Little)).collect();
        Ok(Self { head, entries })
    }

    /// Encodes it.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.head.encode(Endian::Little);
        bytes.extend(self.entries.iter().flat_map(|entry| entry.encode(Endian::Little)));
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_holds_48_bits_of_block_number_and_up_to_256_blocks() {
        let entry = Entry::decode(&[255, 2, 0x34, 0x12, 0x78, 0x56, 0, 0x80], Endian::Little).unwrap();
        assert_eq!((entry.first_block(), entry.blocks(), entry.disk_ordinal), (0x8000_5678_1234, 256, 2));
    }

    #[test]
    fn a_log_is_refused_unless_its_size_and_count_and_signature_agree() {
        let log = |count: u32, entries: usize| {
            let mut bytes = LogHead { signature: SIGNATURE, entry_count: count }.encode(Endian::Little);
            bytes.extend(std::iter::repeat_n(0, entries * 8));
            BadBlocks::decode(&bytes)
        };
        assert_eq!(log(254, 254).unwrap().entries.len(), 254);
        assert!(log(255, 255).is_err());
        assert!(log(2, 3).is_err());
        assert!(log(u32::MAX, 1).is_err());
        assert!(BadBlocks::decode(&[0; 16]).is_err());
        assert!(BadBlocks::decode(&[0; 7]).is_err());
    }
}
