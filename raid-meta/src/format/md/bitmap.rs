//! The write-intent bitmap: which chunks of the array may be out of step.
//!
//! Versions 3 and 4 are a header and one bit for each chunk; 5 is one such bitmap for each node of a cluster, of
//! which the first is read; 6 is one byte for each chunk after a longer header. Only version 4 is
//! interpreted, the others are kept as they are: the bits of version 3 are in the order of a host that is
//! not known, and of version 6 there is no array to compare with.

use super::words;
use crate::disk_struct;
use crate::format::schema::{DiskStruct, Endian, FieldWalk, Repr};
use crate::format::words::bytes;
use crate::model::Field;
use crate::record::Problem;
use crate::units::{Bytes, SECTOR_BYTES, Sectors};

/// Magic number: the bytes "bitm".
pub(in crate::format) const MAGIC: u32 = 0x6d74_6962;
/// Bytes before the bits.
pub(in crate::format) const HEAD_BYTES: usize = 256;
/// Bytes before the chunks in version 6.
const LOCKLESS_HEAD_BYTES: usize = 1024;
/// Most that is read of a bitmap.
pub(in crate::format) const MAX_BYTES: usize = 1 << 20;
/// Largest `write_behind` that the kernel takes.
const MAX_WRITE_BEHIND: u32 = 16383;

/// Bits of `state`.
const STATES: [(u32, &str); 5] =
    [(2, "stale"), (4, "write error"), (1 << 3, "first use"), (1 << 4, "clean"), (1 << 15, "host-endian")];
/// The bit of `state` that says that the bits are not to be believed.
const STALE: u32 = 2;

disk_struct! {
    /// Header.
    pub(in crate::format) struct Head {
        magic: u32 as hex,
        version: u32,
        uuid: [u8; 16] as uuid,
        events: u64,
        events_cleared: u64,
        sync_size: u64,
        state: u32 as hex,
        chunksize: u32,
        daemon_sleep: u32,
        write_behind: u32,
        sectors_reserved: u32,
        nodes: u32,
        cluster_name: [u8; 64] as text,
        pad: [u8; 120],
    }
}

impl Head {
    /// Bytes that header and bits take; none when the header is not one to go by.
    pub(in crate::format) fn wanted_bytes(&self) -> Option<u64> {
        let chunks = self.chunks()?;
        match self.version {
            3..=5 => chunks.div_ceil(8).checked_add(HEAD_BYTES as u64),
            6 => chunks.checked_add(LOCKLESS_HEAD_BYTES as u64),
            _ => None,
        }
    }

    /// Number of chunks.
    fn chunks(&self) -> Option<u64> {
        if self.magic != MAGIC || !self.chunksize.is_power_of_two() || self.chunksize < 512 {
            return None;
        }
        Some(self.sync_size.div_ceil(self.chunk_sectors()))
    }

    fn chunk_sectors(&self) -> u64 {
        (u64::from(self.chunksize) / SECTOR_BYTES).max(1)
    }
}

/// What the superblock says that the bitmap should agree with.
#[derive(Clone, Copy, Debug)]
pub(in crate::format) struct Expected {
    /// The array's uuid in the byte order of the device.
    pub(in crate::format) uuid: [u8; 16],
    /// The superblock's events.
    pub(in crate::format) events: u64,
}

/// A bitmap, as far as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::format) struct Bitmap {
    /// Where it begins.
    pub(super) sector: Sectors,
    /// Header.
    pub(super) head: Head,
    /// What follows the header: the rest of a longer header, the bits, and the rest of the last sector.
    body: Vec<u8>,
}

impl Bitmap {
    /// Decodes a bitmap from as many bytes as there are; none when there are too few for the header.
    pub(in crate::format) fn decode(bytes: &[u8], sector: Sectors) -> Option<Self> {
        let head = Head::decode(bytes, Endian::Little)?;
        Some(Self { sector, head, body: bytes.get(HEAD_BYTES..)?.to_vec() })
    }

    /// The bytes that it was decoded from.
    pub(in crate::format) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.head.encode(Endian::Little);
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// The same bitmap at another event; with nothing marked, if all is in step.
    pub(super) fn at_event(&self, events: u64, in_step: bool) -> Self {
        let mut bitmap = self.clone();
        bitmap.head.events = events;
        if in_step && self.readable_bits().is_some() {
            bitmap.head.events_cleared = events;
            let used = self.readable_bits().map_or(0, <[u8]>::len);
            bitmap.body.iter_mut().take(used).for_each(|byte| *byte = 0);
        }
        bitmap
    }

    /// The bytes of the body that hold bits (or, in version 6, bytes) which mean something.
    fn bits(&self) -> Option<&[u8]> {
        let wanted = usize::try_from(self.head.wanted_bytes()?).ok()?;
        self.body.get(self.bits_at()..wanted.checked_sub(HEAD_BYTES)?)
    }

    /// Where the bits begin in the body.
    fn bits_at(&self) -> usize {
        if self.head.version == 6 { LOCKLESS_HEAD_BYTES - HEAD_BYTES } else { 0 }
    }

    /// Chunks that are marked; none when the bits can not be read.
    pub(super) fn dirty_chunks(&self) -> Option<u64> {
        let bits = self.readable_bits()?;
        Some((0..self.head.chunks()?).filter(|&chunk| is_set(bits, chunk)).count() as u64)
    }

    /// Everything below this sector is in step by the bits; none when they can not be read. The sectors are
    /// those of a member, at raid10 those of the array.
    pub(super) fn in_step_below(&self, expected: &Expected) -> Option<Sectors> {
        if !self.problems(expected).is_empty() {
            return None;
        }
        let bits = self.readable_bits()?;
        let first = (0..self.head.chunks()?).find(|&chunk| is_set(bits, chunk));
        let position =
            first.map_or(Some(self.head.sync_size), |chunk| chunk.checked_mul(self.head.chunk_sectors()));
        position.map(Sectors)
    }

    /// The first sector that is not in step by the bits; none when all is, or when they can not be read.
    pub(in crate::format) fn first_dirty(&self, expected: &Expected) -> Option<Sectors> {
        self.in_step_below(expected).filter(|position| position.0 < self.head.sync_size)
    }

    fn readable_bits(&self) -> Option<&[u8]> {
        if self.head.version == 4 { self.bits() } else { None }
    }

    /// Why the bits are not to be believed. None of it is harmful: the kernel then takes all for set.
    pub(in crate::format) fn problems(&self, expected: &Expected) -> Vec<Problem> {
        let head = &self.head;
        let mut problems = Vec::new();
        let mut invalid = |message: String| problems.push(Problem::warning("bitmap-invalid", message));
        if head.magic != MAGIC {
            invalid(format!("bitmap magic is {:#010x}, expected {MAGIC:#010x}", head.magic));
            return problems;
        }
        if !(3..=6).contains(&head.version) {
            invalid(format!("bitmap version is {}, expected 3 to 6", head.version));
        }
        if !head.chunksize.is_power_of_two() || head.chunksize < 512 {
            invalid(format!("bitmap chunk is {} bytes, expected a power of two from 512", head.chunksize));
        }
        if head.daemon_sleep == 0 {
            invalid("bitmap daemon_sleep is 0, expected at least 1".to_owned());
        }
        if head.write_behind > MAX_WRITE_BEHIND {
            invalid(format!(
                "bitmap write_behind is {}, expected at most {MAX_WRITE_BEHIND}",
                head.write_behind
            ));
        }
        if head.uuid != expected.uuid {
            invalid("bitmap has the uuid of another array".to_owned());
        }
        if head.wanted_bytes().is_some() && self.bits().is_none() {
            invalid("bitmap ends before its last bit".to_owned());
        }
        if head.events < expected.events || head.state & STALE != 0 {
            let message =
                format!("bitmap is of event {}, the superblock of {}", head.events, expected.events);
            problems.push(Problem::warning("bitmap-stale", message));
        }
        problems
    }

    /// All fields; `offset` is where the bitmap begins in the device window.
    pub(in crate::format) fn fields(&self, offset: Bytes) -> Vec<Field> {
        let bytes = self.encode();
        let mut walk = FieldWalk::new(&bytes, offset, Endian::Little);
        walk.structure::<Head>("bitmap", "bitmap.", 0, |name, _| self.meaning(name));
        let bits_at = self.bits_at().min(self.body.len());
        let bits = self.bits().map_or(0, <[u8]>::len);
        let begin = HEAD_BYTES.saturating_add(bits_at);
        let end = begin.saturating_add(bits);
        walk.field("bitmap", "bitmap.header_rest", HEAD_BYTES, bits_at, Repr::Raw, None);
        walk.field("bitmap", "bitmap.bits", begin, bits, Repr::Raw, self.bits_meaning());
        walk.field("bitmap", "bitmap.tail", end, bytes.len().saturating_sub(end), Repr::Raw, None);
        walk.finish()
    }

    fn meaning(&self, name: &str) -> Option<String> {
        let head = &self.head;
        match name {
            "magic" if head.magic == MAGIC => Some("write-intent bitmap".to_owned()),
            "version" => Some(
                match head.version {
                    3 => "bits in host order",
                    4 => "little-endian bits",
                    5 => "clustered, one for each node",
                    6 => "lockless, one byte for each chunk",
                    _ => "unknown",
                }
                .to_owned(),
            ),
            "sync_size" => words::sectors(head.sync_size),
            "state" => words::flags(head.state, &STATES),
            "chunksize" => bytes(u64::from(head.chunksize)),
            "daemon_sleep" => Some(format!("{} s", head.daemon_sleep)),
            "write_behind" if head.write_behind == 0 => Some("off".to_owned()),
            "sectors_reserved" if head.sectors_reserved == 0 => Some("not recorded".to_owned()),
            "sectors_reserved" => words::sectors(u64::from(head.sectors_reserved)),
            _ => None,
        }
    }

    fn bits_meaning(&self) -> Option<String> {
        let chunks = self.head.chunks()?;
        match self.dirty_chunks() {
            Some(dirty) => Some(format!("{dirty} of {chunks} chunks may be out of step")),
            None => Some(format!("{chunks} chunks")),
        }
    }
}

fn is_set(bits: &[u8], chunk: u64) -> bool {
    let byte = usize::try_from(chunk / 8).ok().and_then(|index| bits.get(index));
    byte.is_some_and(|byte| byte >> (chunk % 8) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(version: u32) -> Head {
        let mut head = Head::decode(&[0; HEAD_BYTES], Endian::Little).unwrap();
        head.magic = MAGIC;
        head.version = version;
        head.events = 5;
        head.sync_size = 1000;
        head.chunksize = 65536;
        head.daemon_sleep = 5;
        head
    }

    fn bitmap(head: &Head, body: &[u8]) -> Bitmap {
        let mut bytes = head.encode(Endian::Little);
        bytes.extend_from_slice(body);
        Bitmap::decode(&bytes, Sectors(16)).unwrap()
    }

    const EXPECTED: Expected = Expected { uuid: [0; 16], events: 5 };

    #[test]
    fn the_header_is_256_bytes() {
        assert_eq!(Head::SIZE, HEAD_BYTES);
    }

    #[test]
    fn bits_beyond_the_last_chunk_mean_nothing() {
        let clean = bitmap(&header(4), &[0x00, 0xff, 0xff]);
        assert_eq!(clean.dirty_chunks(), Some(0));
        assert_eq!(clean.in_step_below(&EXPECTED), Some(Sectors(1000)));
        let dirty = bitmap(&header(4), &[0x90, 0xff]);
        assert_eq!(dirty.dirty_chunks(), Some(2));
        assert_eq!(dirty.in_step_below(&EXPECTED), Some(Sectors(4 * 128)));
    }

    #[test]
    fn a_stale_bitmap_and_one_of_another_array_say_nothing() {
        let good = bitmap(&header(4), &[0]);
        assert_eq!(good.problems(&EXPECTED), []);
        for (head, expected, code) in [
            (header(4), Expected { events: 6, ..EXPECTED }, "bitmap-stale"),
            (header(4), Expected { uuid: [1; 16], ..EXPECTED }, "bitmap-invalid"),
            (Head { state: STALE, ..header(4) }, EXPECTED, "bitmap-stale"),
            (Head { chunksize: 511, ..header(4) }, EXPECTED, "bitmap-invalid"),
            (Head { version: 7, ..header(4) }, EXPECTED, "bitmap-invalid"),
            (Head { sync_size: 1 << 30, ..header(4) }, EXPECTED, "bitmap-invalid"),
            (Head { sync_size: u64::MAX, chunksize: 512, ..header(4) }, EXPECTED, "bitmap-invalid"),
        ] {
            let bad = bitmap(&head, &[0]);
            assert_eq!(bad.problems(&expected)[0].code, code, "{head:?}");
            assert_eq!(bad.in_step_below(&expected), None);
        }
    }

    #[test]
    fn a_lockless_bitmap_is_kept_and_not_interpreted() {
        let lockless = bitmap(&header(6), &[0; 768 + 8 + 248]);
        assert_eq!(lockless.problems(&EXPECTED), []);
        assert_eq!(lockless.dirty_chunks(), None);
        assert_eq!(lockless.in_step_below(&EXPECTED), None);
        let names: Vec<_> =
            lockless.fields(Bytes(0)).into_iter().map(|field| (field.name, field.size)).collect();
        assert!(names.contains(&("bitmap.header_rest".to_owned(), 768)));
        assert!(names.contains(&("bitmap.bits".to_owned(), 8)));
        assert!(names.contains(&("bitmap.tail".to_owned(), 248)));
    }
}
