//! Bytes by offset, zero where nothing was written.

use crate::units::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;

const BLOCK: usize = 4096;

/// A sparse store. A clone shares the blocks until one of the two writes.
#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    blocks: BTreeMap<u64, Arc<[u8; BLOCK]>>,
}

impl Store {
    pub(super) fn read(&self, offset: Bytes, buffer: &mut [u8]) {
        for_blocks(offset, buffer.len(), |number, within, place| {
            let Some(part) = buffer.get_mut(place) else { return };
            match self.blocks.get(&number).and_then(|block| block.get(within)) {
                Some(source) => part.copy_from_slice(source),
                None => part.fill(0),
            }
        });
    }

    pub(super) fn write(&mut self, offset: Bytes, bytes: &[u8]) {
        for_blocks(offset, bytes.len(), |number, within, place| {
            let block = self.blocks.entry(number).or_insert_with(|| Arc::new([0; BLOCK]));
            if let (Some(target), Some(part)) = (Arc::make_mut(block).get_mut(within), bytes.get(place)) {
                target.copy_from_slice(part);
            }
        });
    }
}

/// Calls `each` for every block that a range touches: its number, the bytes in it, and the same bytes in the
/// range. The two are of equal length.
fn for_blocks(
    offset: Bytes,
    length: usize,
    mut each: impl FnMut(u64, std::ops::Range<usize>, std::ops::Range<usize>),
) {
    let mut done = 0;
    while done < length {
        let at = offset.0.saturating_add(done as u64);
        let within = usize::try_from(at % BLOCK as u64).unwrap_or_default();
        let count = (BLOCK - within).min(length - done);
        each(at / BLOCK as u64, within..within + count, done..done + count);
        done += count;
    }
}
