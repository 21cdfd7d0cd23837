//! A cache of the few blocks that all formats look at, so that each is read once per device.

use super::ReadAt;
use crate::units::{Bytes, SectorSize};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Size of the blocks that are read and kept.
const BLOCK_BYTES: usize = 4096;
const BLOCK: u64 = BLOCK_BYTES as u64;
/// Larger reads go past the cache.
const MAX_CACHED_READ: usize = 8192;
/// Blocks kept; past that, nothing more is.
const MAX_BLOCKS: usize = 256;

/// A disk read in 4 KiB blocks that are kept. For probing: many small reads at few places.
pub struct CachedDisk {
    disk: Arc<dyn ReadAt>,
    blocks: Mutex<BTreeMap<u64, Arc<[u8]>>>,
}

impl CachedDisk {
    /// An empty cache over a disk.
    #[must_use]
    pub fn new(disk: Arc<dyn ReadAt>) -> Self {
        Self { disk, blocks: Mutex::default() }
    }

    fn block(&self, number: u64) -> io::Result<Arc<[u8]>> {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = blocks.get(&number) {
            return Ok(Arc::clone(block));
        }
        let mut buffer = [0; BLOCK_BYTES];
        let read = self.disk.read_at(Bytes(number * BLOCK), &mut buffer)?;
        let block: Arc<[u8]> = buffer.get(..read).unwrap_or_default().into();
        if blocks.len() < MAX_BLOCKS {
            blocks.insert(number, Arc::clone(&block));
        }
        Ok(block)
    }
}

impl ReadAt for CachedDisk {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.len() > MAX_CACHED_READ {
            return self.disk.read_at(offset, buffer);
        }
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = offset.0.saturating_add(done as u64);
            let block = self.block(at / BLOCK)?;
            let Some(source) = block.get(usize::try_from(at % BLOCK).unwrap_or_default()..) else { break };
            let length = source.len().min(rest.len());
            if length == 0 {
                break;
            }
            rest[..length].copy_from_slice(&source[..length]);
            done += length;
        }
        Ok(done)
    }

    fn next_data(&self, offset: Bytes) -> io::Result<Option<(Bytes, Bytes)>> {
        self.disk.next_data(offset)
    }

    fn size(&self) -> Bytes {
        self.disk.size()
    }

    fn sector_size(&self) -> SectorSize {
        self.disk.sector_size()
    }
}
