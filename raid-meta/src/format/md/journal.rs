//! The write journal of raid4, raid5 and raid6: data and parity that may not have reached the members.
//!
//! The journal device's data area is a ring of meta blocks, each followed by the pages that it names. The chain
//! begins at the tail that the superblock records and ends at the first block that is not the next one.

use super::checksum::crc32c_plain;
use crate::disk_struct;
use crate::format::schema::{DiskStruct, Endian, FieldWalk, Repr};
use crate::model::Field;
use crate::record::ChecksumState;
use crate::units::{Bytes, Sectors};

/// Magic number of a meta block.
const MAGIC: u32 = 0x6433_c509;
/// Bytes of a meta block.
pub(super) const BLOCK_BYTES: usize = 4096;
/// Sectors of a meta block or page.
const PAGE_SECTORS: u64 = 8;
/// Offset of the checksum.
pub(super) const CHECKSUM_AT: usize = 4;
/// Most meta blocks that are followed; a longer chain is taken for one that matters.
const MAX_CHAIN: usize = 256;

/// Payloads.
mod payload {
    pub(super) const DATA: u16 = 0;
    pub(super) const PARITY: u16 = 1;
    pub(super) const FLUSH: u16 = 2;
}

disk_struct! {
    /// Header of a meta block.
    pub(super) struct Head {
        magic: u32 as hex,
        checksum: u32 as hex,
        version: u8,
        pad0: u8,
        pad1: u16,
        meta_size: u32,
        seq: u64,
        position: u64,
    }
}

disk_struct! {
    /// Header of a payload.
    pub(super) struct Payload {
        payload_type: u16,
        flags: u16,
        size: u32,
        location: u64,
    }
}

/// Header of a flush payload, which has no location.
const FLUSH_HEAD_BYTES: usize = 8;

/// A meta block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MetaBlock {
    /// Where it begins on the device.
    pub(super) sector: Sectors,
    head: Head,
    rest: Vec<u8>,
}

/// A payload in a meta block: its header, where that is in the block, and the bytes of all of it.
struct Part {
    header: Payload,
    at: usize,
    length: usize,
}

impl MetaBlock {
    /// Decodes a meta block; none when there are fewer than 4096 bytes.
    pub(super) fn decode(bytes: &[u8], sector: Sectors) -> Option<Self> {
        let bytes = bytes.get(..BLOCK_BYTES)?;
        let head = Head::decode(bytes, Endian::Little)?;
        Some(Self { sector, head, rest: bytes.get(Head::SIZE..)?.to_vec() })
    }

    /// The bytes that it was decoded from.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.head.encode(Endian::Little);
        bytes.extend_from_slice(&self.rest);
        bytes
    }

    pub(super) fn computed_checksum(&self, uuid: &[u8; 16]) -> u32 {
        let bytes = self.encode();
        let (before, after) = bytes.split_at_checked(CHECKSUM_AT).unwrap_or((&bytes, &[]));
        crc32c_plain(&[uuid, before, &[0; 4], after.get(4..).unwrap_or_default()])
    }

    /// Whether the stored checksum is the computed one.
    pub(super) fn checksum(&self, uuid: &[u8; 16]) -> ChecksumState {
        if self.computed_checksum(uuid) == self.head.checksum {
            ChecksumState::Ok
        } else {
            ChecksumState::Bad
        }
    }

    /// Whether it is a block of that array's journal, at that position.
    pub(super) fn is_valid(&self, uuid: &[u8; 16], position: Sectors) -> bool {
        self.head.magic == MAGIC
            && self.head.version == 1
            && self.head.position == position.0
            && self.checksum(uuid) == ChecksumState::Ok
    }

    /// The payloads, up to the first that does not fit.
    fn parts(&self) -> Vec<Part> {
        let bytes = self.encode();
        let end = usize::try_from(self.head.meta_size).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
        let mut parts = Vec::new();
        let mut at = Head::SIZE;
        while let Some(header) = bytes.get(at..end).and_then(|rest| Payload::decode(rest, Endian::Little)) {
            let Some(length) = payload_length(&header).filter(|&length| length <= end.saturating_sub(at))
            else {
                break;
            };
            parts.push(Part { header, at, length });
            at = at.saturating_add(length);
        }
        parts
    }

    /// Pages that follow the block.
    fn pages(&self) -> u64 {
        let parts = self.parts();
        let sizes =
            parts.iter().filter(|part| is_content(&part.header)).map(|part| u64::from(part.header.size));
        sizes.fold(0, u64::saturating_add) / PAGE_SECTORS
    }

    /// All fields; `offset` is where the block begins in the device window.
    pub(super) fn fields(&self, offset: Bytes) -> Vec<Field> {
        let bytes = self.encode();
        let mut walk = FieldWalk::new(&bytes, offset, Endian::Little);
        walk.structure::<Head>("journal", "journal.", 0, |name, _| match name {
            "magic" if self.head.magic == MAGIC => Some("journal meta block".to_owned()),
            "position" => Some("sectors from the start of the journal".to_owned()),
            _ => None,
        });
        let mut at = Head::SIZE;
        for (number, part) in self.parts().iter().enumerate() {
            payload_fields(&mut walk, &format!("journal.payloads[{number}]."), part);
            at = part.at.saturating_add(part.length);
        }
        let rest = bytes.len().saturating_sub(at);
        walk.field("journal", "journal.unused", at, rest, Repr::Raw, None);
        walk.finish()
    }
}

fn is_content(header: &Payload) -> bool {
    matches!(header.payload_type, payload::DATA | payload::PARITY)
}

/// Bytes of a payload with its header.
fn payload_length(header: &Payload) -> Option<usize> {
    let size = usize::try_from(header.size).ok()?;
    match header.payload_type {
        payload::DATA | payload::PARITY => (size / 8).checked_mul(4)?.checked_add(Payload::SIZE),
        // Shorter than the other headers; a list that makes it as long is there, or nothing is flushed.
        payload::FLUSH => size.checked_add(FLUSH_HEAD_BYTES).filter(|&length| length >= Payload::SIZE),
        _ => None,
    }
}

fn payload_fields(walk: &mut FieldWalk<'_>, prefix: &str, part: &Part) {
    let header = &part.header;
    for spec in Payload::FIELDS {
        if spec.name == "location" && header.payload_type == payload::FLUSH {
            let at = part.at.saturating_add(FLUSH_HEAD_BYTES);
            let length = part.length.saturating_sub(FLUSH_HEAD_BYTES);
            let meaning = Some("member sectors of stripes that need no replay".to_owned());
            walk.field("journal-payload", format!("{prefix}stripes"), at, length, Repr::Raw, meaning);
            return;
        }
        walk.spec("journal-payload", prefix, part.at, spec, |name, _| payload_meaning(header, name));
    }
    let at = part.at.saturating_add(Payload::SIZE);
    let length = part.length.saturating_sub(Payload::SIZE);
    walk.field("journal-payload", format!("{prefix}checksums"), at, length, Repr::Raw, None);
}

fn payload_meaning(header: &Payload, name: &str) -> Option<String> {
    let words = match (name, header.payload_type, header.flags) {
        ("payload_type", payload::DATA, _) => "data",
        ("payload_type", payload::PARITY, _) => "parity",
        ("payload_type", payload::FLUSH, _) => "flush",
        ("flags", _, 1) => "discard",
        ("flags", _, 2) => "reshaped",
        ("flags", _, 3) => "reshaping",
        ("location", payload::DATA, _) => "array sector",
        ("location", payload::PARITY, _) => "member sector",
        _ => return None,
    };
    Some(words.to_owned())
}

/// What the chain of meta blocks amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chain {
    /// No valid block at the tail. The kernel takes that for an empty journal.
    Nothing,
    /// Valid blocks, none with data or parity.
    Empty,
    /// There is something to replay, or the chain is too long to tell.
    Content,
}

/// Where the journal is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ring {
    /// First sector on the device.
    pub(super) start: Sectors,
    /// Length.
    pub(super) length: Sectors,
    /// First block to replay, from `start`.
    pub(super) tail: Sectors,
}

impl Ring {
    /// Follows the chain. `read` gets the block at a sector of the device; none where there is none.
    pub(super) fn follow<E>(
        &self,
        uuid: &[u8; 16],
        mut read: impl FnMut(Sectors) -> Result<Option<MetaBlock>, E>,
    ) -> Result<Chain, E> {
        let mut position = self.tail;
        let mut sequence = None;
        for _ in 0..MAX_CHAIN {
            let sector = self.start.checked_add(position).filter(|_| position < self.length);
            let block = match sector {
                Some(sector) => read(sector)?,
                None => None,
            };
            let is_next = |block: &MetaBlock| sequence.is_none_or(|sequence| block.head.seq == sequence);
            let Some(block) = block.filter(|block| block.is_valid(uuid, position) && is_next(block)) else {
                return Ok(if sequence.is_none() { Chain::Nothing } else { Chain::Empty });
            };
            if block.parts().iter().any(|part| is_content(&part.header)) {
                return Ok(Chain::Content);
            }
            sequence = Some(block.head.seq.wrapping_add(1));
            position = self.after(position, block.pages());
        }
        Ok(Chain::Content)
    }

    /// The position after a block and its pages.
    fn after(&self, position: Sectors, pages: u64) -> Sectors {
        let step = Sectors(pages.saturating_add(1).saturating_mul(PAGE_SECTORS));
        let next = position.saturating_add(step);
        if next < self.length { next } else { next.saturating_sub(self.length) }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The bytes of a valid meta block.
    pub(in super::super) fn block(uuid: &[u8; 16], seq: u64, position: u64, payloads: &[u8]) -> Vec<u8> {
        let mut block = MetaBlock::decode(&[0; BLOCK_BYTES], Sectors(0)).unwrap();
        block.head.magic = MAGIC;
        block.head.version = 1;
        block.head.seq = seq;
        block.head.position = position;
        block.head.meta_size = u32::try_from(Head::SIZE + payloads.len()).unwrap();
        block.rest[..payloads.len()].copy_from_slice(payloads);
        block.head.checksum = block.computed_checksum(uuid);
        block.encode()
    }

    pub(in super::super) fn data_payload() -> Vec<u8> {
        let header = Payload { payload_type: payload::DATA, flags: 0, size: 8, location: 4096 };
        let mut bytes = header.encode(Endian::Little);
        bytes.extend([1, 2, 3, 4]);
        bytes
    }

    fn flush_payload() -> Vec<u8> {
        let header = Payload { payload_type: payload::FLUSH, flags: 0, size: 8, location: 512 };
        header.encode(Endian::Little)
    }

    const UUID: [u8; 16] = [5; 16];
    const RING: Ring = Ring { start: Sectors(2048), length: Sectors(64), tail: Sectors(48) };

    fn follow(blocks: &[(u64, Vec<u8>)]) -> Chain {
        let read = |sector: Sectors| {
            let found = blocks.iter().find(|(at, _)| at + 2048 == sector.0);
            Ok::<_, std::convert::Infallible>(found.and_then(|(_, bytes)| MetaBlock::decode(bytes, sector)))
        };
        RING.follow(&UUID, read).unwrap()
    }

    #[test]
    fn a_chain_of_blocks_without_data_is_empty() {
        assert_eq!(follow(&[]), Chain::Nothing);
        assert_eq!(follow(&[(48, block(&UUID, 9, 48, &[]))]), Chain::Empty);
        let flushed = [(48, block(&UUID, 9, 48, &flush_payload())), (56, block(&UUID, 10, 56, &[]))];
        assert_eq!(follow(&flushed), Chain::Empty);
    }

    #[test]
    fn data_is_found_behind_the_end_of_the_ring() {
        let wrapped = |seq| {
            [
                (48, block(&UUID, 9, 48, &[])),
                (56, block(&UUID, 10, 56, &flush_payload())),
                (0, block(&UUID, seq, 0, &data_payload())),
            ]
        };
        assert_eq!(follow(&wrapped(11)), Chain::Content);
        assert_eq!(follow(&wrapped(12)), Chain::Empty);
    }

    #[test]
    fn a_block_at_another_position_or_of_another_array_ends_the_chain() {
        assert_eq!(follow(&[(48, block(&UUID, 9, 40, &data_payload()))]), Chain::Nothing);
        assert_eq!(follow(&[(48, block(&[6; 16], 9, 48, &data_payload()))]), Chain::Nothing);
    }

    #[test]
    fn a_ring_that_never_ends_is_taken_for_content() {
        let blocks: Vec<_> = (0..8).map(|index| (index * 8, block(&UUID, 0, index * 8, &[]))).collect();
        let read = |sector: Sectors| {
            let found = blocks.iter().find(|(at, _)| at + 2048 == sector.0);
            Ok::<_, std::convert::Infallible>(found.and_then(|(_, bytes)| MetaBlock::decode(bytes, sector)))
        };
        // The sequence number ends it long before.
        assert_eq!(RING.follow(&UUID, read).unwrap(), Chain::Empty);
    }

    #[test]
    fn fields_cover_the_block_whatever_its_payloads_say() {
        let mut payloads = data_payload();
        payloads.extend(flush_payload());
        payloads.extend([9; 30]);
        let bytes = block(&UUID, 1, 0, &payloads);
        let decoded = MetaBlock::decode(&bytes, Sectors(0)).unwrap();
        assert_eq!(decoded.encode(), bytes);
        let fields = decoded.fields(Bytes(0));
        assert_eq!(fields.iter().map(|field| u64::from(field.size)).sum::<u64>(), BLOCK_BYTES as u64);
        assert!(fields.iter().any(|field| field.name == "journal.payloads[1].stripes"));
    }
}
