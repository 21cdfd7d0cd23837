//! Room for one piece of every member, used again and again.

use super::views::Views;
use raid_table::parity::Access;
use raid_table::volume::MemberHoles;

/// Of longer requests, which are for direct reads, not all members' parts fit into the processor's cache.
pub(super) const CACHED_SLICE: usize = 64 << 10;
/// What buffers begin at a multiple of: enough for direct reads.
const ALIGNMENT: usize = 4096;
/// Columns of the same length at multiples of a page would all fall on the same lines of the processor's cache.
const STAGGER: usize = 832;

/// A buffer for each slot.
pub(super) struct Memory<'a> {
    bytes: Vec<u8>,
    start: usize,
    stride: usize,
    slice: usize,
    slots: usize,
    /// Where the members have holes.
    pub(super) holes: MemberHoles,
    /// Room to look at images without a copy; none where there is none.
    pub(super) views: Option<Views<'a>>,
}

impl<'a> Memory<'a> {
    pub(super) fn new(slice: usize, slots: usize, views: Option<Views<'a>>) -> Self {
        let stride = slice.saturating_add(if slice > CACHED_SLICE { ALIGNMENT } else { STAGGER });
        let bytes = vec![0; stride.saturating_mul(slots).saturating_add(ALIGNMENT)];
        let start = bytes.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        Self { bytes, start, stride, slice, slots, holes: MemberHoles::new(slots), views }
    }

    /// Bytes of a buffer.
    pub(super) fn slice(&self) -> usize {
        self.slice
    }

    /// Where what was read into the buffers is.
    pub(super) fn access(&self) -> Access {
        if self.slice > CACHED_SLICE { Access::Streamed } else { Access::Cached }
    }

    /// Bytes that can be looked at without a copy, at most.
    pub(super) fn view(&self) -> usize {
        self.views.as_ref().map_or(0, Views::most)
    }

    /// The first bytes of every buffer, by slot.
    pub(super) fn columns_mut(&mut self, length: usize) -> impl Iterator<Item = &mut [u8]> {
        let (stride, slots) = (self.stride, self.slots);
        let rest = self.bytes.get_mut(self.start..).unwrap_or_default();
        rest.chunks_mut(stride).take(slots).map(move |column| {
            let length = length.min(column.len());
            &mut column[..length]
        })
    }

    /// As [`Memory::columns_mut`], to look at.
    pub(super) fn columns(&self, length: usize) -> Vec<&[u8]> {
        let rest = self.bytes.get(self.start..).unwrap_or_default();
        let columns = rest.chunks(self.stride).take(self.slots);
        columns.map(|column| column.get(..length).unwrap_or(column)).collect()
    }
}
