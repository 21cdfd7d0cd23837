//! The blocks that all contenders work on.

use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap_anonymous};
use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::ptr::NonNull;

/// Bytes of a block.
pub const BLOCK: usize = 64 << 10;
/// From one block to the next: not a power of two, for a cache has few places for addresses that are.
const STRIDE: usize = BLOCK + 832;
/// Bytes of a huge page.
const HUGE: usize = 2 << 20;

/// A stripe of data with P and Q behind it, and two blocks to compute into, all where the others want them.
pub struct Stripe {
    memory: &'static mut [u8],
    start: usize,
    data: usize,
}

impl Stripe {
    /// One full of noise.
    pub fn new(data: usize) -> Self {
        let memory = huge_pages(STRIDE * (data + 4) + HUGE);
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for byte in memory.iter_mut() {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state.to_le_bytes()[0];
        }
        let start = memory.as_ptr().align_offset(HUGE);
        Self { memory, start, data }
    }

    /// Bytes of data.
    pub fn bytes(&self) -> u64 {
        (self.data * BLOCK) as u64
    }

    /// Number of data blocks.
    pub fn data(&self) -> usize {
        self.data
    }

    /// A block: data, then P, Q, and the two more.
    pub fn block(&self, index: usize) -> &[u8] {
        &self.memory[self.start + index * STRIDE..][..BLOCK]
    }

    /// Addresses of blocks, as the others take them.
    pub fn pointers(&mut self, blocks: impl IntoIterator<Item = usize>) -> Vec<*mut c_void> {
        let base = self.memory.as_mut_ptr();
        let pointer = |block: usize| base.wrapping_add(self.start + block * STRIDE).cast();
        blocks.into_iter().map(pointer).collect()
    }

    /// The data, and two blocks to write from `first` on.
    pub fn split(&mut self, first: usize) -> (Vec<&[u8]>, &mut [u8], &mut [u8]) {
        let (before, after) = self.memory[self.start..].split_at_mut(first * STRIDE);
        let (x, y) = after.split_at_mut(STRIDE);
        let data = (0..first).map(|block| &before[block * STRIDE..][..BLOCK]).collect();
        (data, &mut x[..BLOCK], &mut y[..BLOCK])
    }
}

/// Memory for as long as the program runs, in huge pages where the system has them: in small ones, some lie on more of
/// each other's places in the cache than it has, others not, and a run differs from the next by a quarter.
fn huge_pages(length: usize) -> &'static mut [u8] {
    let size = NonZeroUsize::new(length).expect("blocks have bytes");
    let (rights, flags) = (ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_PRIVATE);
    // SAFETY: a new range, where the system likes, that nobody else has and that is never given back.
    unsafe {
        let start = mmap_anonymous(None, size, rights, flags).expect("memory");
        if let Err(error) = madvise(start, length, MmapAdvise::MADV_HUGEPAGE) {
            eprintln!("raid-peers: small pages only: {error}");
        }
        NonNull::slice_from_raw_parts(start.cast(), length).as_mut()
    }
}
