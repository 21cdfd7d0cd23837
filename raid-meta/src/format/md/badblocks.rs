//! The bad-block log: ranges of the device whose content must not be returned.
//!
//! Entries are 64-bit numbers, length in the low 10 bits and start above, in blocks of 512 bytes shifted by
//! the superblock's `bblog_shift`, from the start of the device (not of the data). All-ones ends the list. So does
//! zero: that is what mdadm leaves in a log that has never been written.

use crate::format::schema::{Endian, FieldWalk, Repr};
use crate::model::Field;
use crate::record::{Problem, SectorRange};
use crate::units::{Bytes, Sectors};

/// Most sectors that mdadm takes for a log.
pub(super) const MAX_SECTORS: u16 = 100;
/// Most sectors that the kernel takes.
pub(super) const KERNEL_SECTORS: u16 = 8;

const ENDS: [u64; 2] = [u64::MAX, 0];

/// A log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BadBlocks {
    /// Where it begins.
    pub(super) sector: Sectors,
    shift: u8,
    entries: Vec<u64>,
    rest: Vec<u8>,
}

impl BadBlocks {
    /// Decodes a log from all its bytes.
    pub(super) fn decode(bytes: &[u8], sector: Sectors, shift: u8) -> Self {
        let words = bytes.chunks_exact(8).filter_map(|word| word.try_into().ok()).map(u64::from_le_bytes);
        let entries: Vec<u64> = words.take_while(|entry| !ENDS.contains(entry)).collect();
        let rest = bytes.get(entries.len().saturating_mul(8)..).unwrap_or_default().to_vec();
        Self { sector, shift, entries, rest }
    }

    /// The bytes that it was decoded from.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.entries.iter().flat_map(|entry| entry.to_le_bytes()).collect();
        bytes.extend_from_slice(&self.rest);
        bytes
    }

    /// The ranges, in sectors of the device. Entries that say nothing are left out.
    pub(super) fn ranges(&self) -> Vec<SectorRange> {
        self.entries.iter().filter_map(|&entry| self.range(entry)).collect()
    }

    fn range(&self, entry: u64) -> Option<SectorRange> {
        let factor = 1_u64.checked_shl(u32::from(self.shift))?;
        let start = Sectors(entry >> 10).checked_mul(factor)?;
        let length = Sectors(entry & 0x3ff).checked_mul(factor)?;
        start.checked_add(length)?;
        (!length.is_zero()).then_some(SectorRange { start_sectors: start, length_sectors: length })
    }

    /// What is wrong with the entries.
    pub(super) fn problems(&self, device: Sectors) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut previous_end = Sectors::ZERO;
        for (index, &entry) in self.entries.iter().enumerate() {
            let range = self.range(entry);
            let end = range.map(|range| range.start_sectors.saturating_add(range.length_sectors));
            let fault = match (range, end) {
                (Some(range), Some(end)) if range.start_sectors >= previous_end => {
                    previous_end = end;
                    (end > device).then_some("is beyond the end of the device")
                }
                (Some(_), _) => Some("is not behind the one before"),
                (None, _) => Some("has no length that could be"),
            };
            if let Some(fault) = fault {
                let message = format!("bad-block log entry {index} ({entry:#018x}) {fault}");
                problems.push(Problem::warning("bad-block-log-invalid", message));
                break;
            }
        }
        problems
    }

    /// All fields; `offset` is where the log begins in the device window.
    pub(super) fn fields(&self, offset: Bytes) -> Vec<Field> {
        let bytes = self.encode();
        let mut walk = FieldWalk::new(&bytes, offset, Endian::Little);
        let mut at = 0_usize;
        for (index, &entry) in self.entries.iter().enumerate() {
            let meaning = self.range(entry).map(|range| {
                format!("{} sectors from sector {} of the device", range.length_sectors, range.start_sectors)
            });
            walk.field("bad-block-log", format!("badblocks[{index}]"), at, 8, Repr::Hex, meaning);
            at = at.saturating_add(8);
        }
        let free = Some("free".to_owned());
        walk.field("bad-block-log", "badblocks_unused", at, self.rest.len(), Repr::Raw, free);
        walk.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(hex: &str, shift: u8) -> BadBlocks {
        let mut bytes = hex::decode(hex).unwrap();
        bytes.resize(4096, 0xff);
        BadBlocks::decode(&bytes, Sectors(24), shift)
    }

    fn range(start: u64, length: u64) -> SectorRange {
        SectorRange { start_sectors: Sectors(start), length_sectors: Sectors(length) }
    }

    #[test]
    fn entries_are_the_device_sectors_that_the_kernel_was_told() {
        let log = log("08e02e000000000014a08c0000000000", 0);
        assert_eq!(log.ranges(), [range(3000, 8), range(9000, 20)]);
        assert_eq!(log.problems(Sectors(10000)), []);
        assert_eq!(log.problems(Sectors(9001))[0].code, "bad-block-log-invalid");
    }

    #[test]
    fn entries_count_in_shifted_blocks() {
        assert_eq!(log("08e02e0000000000", 3).ranges(), [range(24000, 64)]);
        assert_eq!(log("08e02e0000000000", 64).ranges(), []);
        assert_eq!(log("08e02e0000000000", 255).ranges(), []);
    }

    #[test]
    fn a_log_that_was_never_written_is_empty() {
        let zeros = BadBlocks::decode(&[0; 4096], Sectors(24), 0);
        assert_eq!(zeros.ranges(), []);
        assert_eq!(zeros.problems(Sectors(100)), []);
        assert_eq!(zeros.encode(), [0; 4096]);
    }

    #[test]
    fn entries_out_of_order_or_without_length_are_named() {
        assert_eq!(log("14a08c000000000008e02e0000000000", 0).problems(Sectors(10000)).len(), 1);
        assert_eq!(log("00e02e0000000000", 0).problems(Sectors(10000)).len(), 1);
    }
}
