//! The partial parity log behind the data of a raid5 volume.
//!
//! After a crash, the newest log of a member says which stripes were being written and holds the parity of what
//! was not written in them. Headers with their parity follow each other; the last good one of the chain is
//! the newest.

use super::mpb::{Mpb, Volume};
use super::shape::Shape;
use crate::device::Device;
use crate::units::{Bytes, Sectors};
use crc::{CRC_32_ISCSI, Crc};

const HEADER: usize = 4096;
const CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// Where the checksum of a header is.
const CHECKSUM: usize = 0x214;

/// What the newest log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Log {
    /// No log is kept, or none is needed.
    None,
    /// A log without entries: nothing was being written.
    Empty,
    /// A log with entries: the parity of some stripes may be old.
    Entries,
    /// A log is kept but can not be read.
    Invalid,
}

/// Bytes of the log area, for volumes that have one.
fn area_length(volume: &Volume) -> Option<usize> {
    match volume.head.rwh_policy {
        1 => Some(HEADER + (128 << 10)),
        3 => Some(1 << 20),
        _ => None,
    }
}

/// Reads the log of this device's part of a volume.
pub(super) fn read(mpb: &Mpb, volume: &Volume, shape: &Shape, device: &Device) -> Log {
    let Some(length) = area_length(volume) else { return Log::None };
    let start = shape.end().to_bytes();
    match start.and_then(|start| device.read(start, length).ok().flatten()) {
        Some(area) => newest(&area, mpb.original_family()),
        None => Log::Invalid,
    }
}

/// Walks the chain of logs in an area.
fn newest(area: &[u8], family: u32) -> Log {
    let mut found = Log::Invalid;
    let mut last_generation = 0;
    let mut rest = area;
    while let Some(header) = rest.get(..HEADER).and_then(|header| Header::parse(header, family)) {
        if header.generation < last_generation {
            break;
        }
        last_generation = header.generation;
        found = if header.entries == 0 { Log::Empty } else { Log::Entries };
        let Some(next) = rest.get(HEADER.saturating_add(header.parity)..) else { break };
        rest = next;
    }
    found
}

struct Header {
    generation: u64,
    entries: u32,
    /// Bytes of parity that follow.
    parity: usize,
}

impl Header {
    /// A header whose signature and checksum are right.
    fn parse(bytes: &[u8], family: u32) -> Option<Self> {
        const MAX_ENTRIES: u32 = 148;
        const ENTRIES: usize = 0x218;
        const ENTRY: usize = 24;
        let word = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?));
        let entries = word(0x210)?;
        if word(0x200)? != family || entries > MAX_ENTRIES || word(CHECKSUM)? != checksum(bytes) {
            return None;
        }
        let table = bytes.get(ENTRIES..)?.chunks_exact(ENTRY).take(entries as usize);
        let sizes = table.filter_map(|entry| entry.get(8..12)?.try_into().ok().map(u32::from_le_bytes));
        let parity = sizes.fold(0_usize, |sum, size| sum.saturating_add(size as usize));
        let generation = u64::from(word(0x208)?) | u64::from(word(0x20c)?) << 32;
        Some(Self { generation, entries, parity })
    }
}

/// CRC-32C of a header, its own field taken as 0.
fn checksum(bytes: &[u8]) -> u32 {
    let mut digest = CRC32C.digest();
    digest.update(bytes.get(..CHECKSUM).unwrap_or_default());
    digest.update(&[0; 4]);
    digest.update(bytes.get(CHECKSUM + 4..).unwrap_or_default());
    digest.finalize()
}

/// Where the log begins, for messages.
pub(super) fn start(shape: &Shape) -> Sectors {
    shape.end()
}

/// Bytes in the log area of a volume; zero where there is none.
pub(super) fn length(volume: &Volume) -> Bytes {
    Bytes(area_length(volume).unwrap_or_default() as u64)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const FAMILY: u32 = 2_073_230_233;

    fn header(generation: u64, pp_sizes: &[u32]) -> Vec<u8> {
        header_of(FAMILY, generation, pp_sizes)
    }

    /// A log's header, sealed.
    pub(in super::super) fn header_of(family: u32, generation: u64, pp_sizes: &[u32]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        bytes[..512].fill(0xff);
        bytes[0x200..0x204].copy_from_slice(&family.to_le_bytes());
        bytes[0x208..0x210].copy_from_slice(&generation.to_le_bytes());
        bytes[0x210..0x214].copy_from_slice(&u32::try_from(pp_sizes.len()).unwrap().to_le_bytes());
        for (index, size) in pp_sizes.iter().enumerate() {
            let at = 0x218 + 24 * index + 8;
            bytes[at..at + 4].copy_from_slice(&size.to_le_bytes());
        }
        let sum = checksum(&bytes);
        bytes[CHECKSUM..CHECKSUM + 4].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    #[test]
    fn the_checksum_of_an_empty_log_is_the_known_one() {
        assert_eq!(checksum(&header(0, &[])), 0x4a46_1405);
    }

    #[test]
    fn the_last_good_log_of_the_chain_counts() {
        let chain = |parts: &[Vec<u8>]| newest(&parts.concat(), FAMILY);
        let parity = vec![7; 4096];
        assert_eq!(chain(&[header(1, &[])]), Log::Empty);
        assert_eq!(chain(&[header(1, &[4096]), parity.clone()]), Log::Entries);
        assert_eq!(chain(&[header(1, &[4096]), parity.clone(), header(2, &[])]), Log::Empty);
        assert_eq!(chain(&[header(2, &[]), header(1, &[4096]), parity]), Log::Empty);
        assert_eq!(chain(&[vec![0; HEADER]]), Log::Invalid);
        assert_eq!(newest(&header(1, &[]), FAMILY + 1), Log::Invalid);
        assert_eq!(newest(&[], FAMILY), Log::Invalid);
        assert_eq!(chain(&[header(1, &[u32::MAX, u32::MAX])]), Log::Entries);
    }
}
