//! The partial parity log of raid5: what the parity of a stripe should become, recorded before it is written.
//!
//! The log of a member is a header of 4096 bytes followed by partial parity; a ring of logs is several of these one
//! after the other, the one with the highest generation is the last. It matters only when the array was
//! not stopped cleanly.

use super::checksum::crc32c;
use crate::disk_struct;
use crate::format::schema::{DiskStruct, Endian, FieldWalk, Repr};
use crate::model::Field;
use crate::record::{ChecksumState, Problem};
use crate::units::{Bytes, Sectors};

/// Bytes of a header.
pub(super) const HEADER_BYTES: usize = 4096;
/// Most entries in a header.
const MAX_ENTRIES: u32 = 148;
/// Offset of the checksum.
pub(super) const CHECKSUM_AT: usize = 0x214;

disk_struct! {
    /// The header before the entries.
    pub(super) struct Head {
        reserved: [u8; 512],
        signature: u32 as hex,
        pad: u32,
        generation: u64,
        entries_count: u32,
        checksum: u32 as hex,
    }
}

disk_struct! {
    /// One stripe that was being written.
    pub(super) struct Entry {
        data_sector: u64,
        pp_size: u32,
        data_size: u32,
        parity_disk: u32,
        checksum: u32 as hex,
    }
}

/// A header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PplHeader {
    /// Where it begins.
    pub(super) sector: Sectors,
    head: Head,
    entries: Vec<Entry>,
    rest: Vec<u8>,
}

impl PplHeader {
    /// Decodes a header; none when there are fewer than 4096 bytes.
    pub(super) fn decode(bytes: &[u8], sector: Sectors) -> Option<Self> {
        let bytes = bytes.get(..HEADER_BYTES)?;
        let head = Head::decode(bytes, Endian::Little)?;
        let count = usize::try_from(head.entries_count.min(MAX_ENTRIES)).ok()?;
        let table = bytes.get(Head::SIZE..)?;
        let entries: Vec<Entry> = table
            .chunks_exact(Entry::SIZE)
            .take(count)
            .filter_map(|entry| Entry::decode(entry, Endian::Little))
            .collect();
        let rest = table.get(entries.len().checked_mul(Entry::SIZE)?..)?.to_vec();
        Some(Self { sector, head, entries, rest })
    }

    /// The bytes that it was decoded from.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.head.encode(Endian::Little);
        bytes.extend(self.entries.iter().flat_map(|entry| entry.encode(Endian::Little)));
        bytes.extend_from_slice(&self.rest);
        bytes
    }

    pub(super) fn computed_checksum(&self) -> u32 {
        let bytes = self.encode();
        let (before, after) = bytes.split_at_checked(CHECKSUM_AT).unwrap_or((&bytes, &[]));
        crc32c(&[before, &[0; 4], after.get(4..).unwrap_or_default()])
    }

    /// Whether the stored checksum is the computed one.
    pub(super) fn checksum(&self) -> ChecksumState {
        if self.computed_checksum() == self.head.checksum { ChecksumState::Ok } else { ChecksumState::Bad }
    }

    /// Whether it is a header of that array.
    pub(super) fn is_valid(&self, uuid: &[u8; 16]) -> bool {
        self.problem(uuid).is_none()
    }

    /// Why it is not to be believed.
    pub(super) fn problem(&self, uuid: &[u8; 16]) -> Option<Problem> {
        let (head, signature) = (&self.head, crc32c(&[uuid]));
        let message = if head.signature != signature {
            format!("signature is {:#010x}, expected {signature:#010x}", head.signature)
        } else if self.checksum() != ChecksumState::Ok {
            format!("checksum is {:#010x}, computed {:#010x}", head.checksum, self.computed_checksum())
        } else if head.entries_count > MAX_ENTRIES {
            format!("has {} entries, expected at most {MAX_ENTRIES}", head.entries_count)
        } else {
            return None;
        };
        let message = format!("partial parity log at sector {}: {message}", self.sector);
        Some(Problem::warning("ppl-invalid", message))
    }

    /// Sector after the header and its partial parity; none when that is nowhere.
    pub(super) fn next_sector(&self) -> Option<Sectors> {
        let sizes = self.entries.iter().map(|entry| u64::from(entry.pp_size));
        let parity = Bytes(sizes.fold(0, u64::saturating_add)).whole_sectors();
        self.sector.checked_add(Bytes(HEADER_BYTES as u64).whole_sectors())?.checked_add(parity)
    }

    /// All fields; `offset` is where the header begins in the device window.
    pub(super) fn fields(&self, index: usize, offset: Bytes) -> Vec<Field> {
        let bytes = self.encode();
        let mut walk = FieldWalk::new(&bytes, offset, Endian::Little);
        let prefix = format!("ppl[{index}].");
        walk.structure::<Head>("ppl", &prefix, 0, |_, _| None);
        let mut at = Head::SIZE;
        for (number, entry) in self.entries.iter().enumerate() {
            walk.structure::<Entry>("ppl-entry", &format!("{prefix}entries[{number}]."), at, |name, _| {
                entry_meaning(entry, name)
            });
            at = at.saturating_add(Entry::SIZE);
        }
        walk.field("ppl", format!("{prefix}unused"), at, self.rest.len(), Repr::Raw, None);
        walk.finish()
    }
}

fn entry_meaning(entry: &Entry, name: &str) -> Option<String> {
    match name {
        "data_sector" => Some(format!("array sector {}", entry.data_sector)),
        "pp_size" if entry.pp_size == 0 => Some("the whole stripe was written".to_owned()),
        "pp_size" => Some("bytes of partial parity".to_owned()),
        "data_size" => Some("bytes of data".to_owned()),
        "parity_disk" => Some(format!("slot {}", entry.parity_disk)),
        _ => None,
    }
}

/// Whether the last of the valid headers has entries: writes whose parity may be missing.
pub(super) fn has_entries(headers: &[PplHeader], uuid: &[u8; 16]) -> bool {
    let valid = headers.iter().filter(|header| header.is_valid(uuid));
    valid.max_by_key(|header| header.head.generation).is_some_and(|header| !header.entries.is_empty())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The bytes of a valid header.
    pub(in super::super) fn header(uuid: &[u8; 16], generation: u64, entries: &[Entry]) -> Vec<u8> {
        let mut bytes = vec![0xff; 512];
        bytes.resize(HEADER_BYTES, 0);
        let mut header = PplHeader::decode(&bytes, Sectors(0)).unwrap();
        header.head.signature = crc32c(&[uuid]);
        header.head.generation = generation;
        header.head.entries_count = u32::try_from(entries.len()).unwrap();
        header.entries = entries.to_vec();
        header.rest.truncate(header.rest.len() - entries.len() * Entry::SIZE);
        header.head.checksum = header.computed_checksum();
        header.encode()
    }

    fn entry() -> Entry {
        Entry { data_sector: 1024, pp_size: 4096, data_size: 4096, parity_disk: 2, checksum: 7 }
    }

    #[test]
    fn a_header_with_any_byte_changed_is_not_valid() {
        let uuid = [3; 16];
        let bytes = header(&uuid, 1, &[entry()]);
        assert!(PplHeader::decode(&bytes, Sectors(8)).unwrap().is_valid(&uuid));
        assert!(!PplHeader::decode(&bytes, Sectors(8)).unwrap().is_valid(&[4; 16]));
        for at in (0..HEADER_BYTES).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            let header = PplHeader::decode(&damaged, Sectors(8)).unwrap();
            assert!(!header.is_valid(&uuid), "byte {at}");
            assert_eq!(header.encode(), damaged);
        }
    }

    #[test]
    fn the_header_with_the_highest_generation_decides() {
        let uuid = [3; 16];
        let decode = |bytes: Vec<u8>| PplHeader::decode(&bytes, Sectors(8)).unwrap();
        let (old, new) = (decode(header(&uuid, 1, &[entry()])), decode(header(&uuid, 2, &[])));
        assert!(has_entries(std::slice::from_ref(&old), &uuid));
        assert!(!has_entries(&[old.clone(), new], &uuid));
        assert!(!has_entries(&[], &uuid));
        assert_eq!(old.next_sector(), Some(Sectors(24)));
    }
}
