//! What need not be written where there is a hole.

static ZEROS: [u8; 4096] = [0; 4096];

/// Whether all of it is zeros. A page at a time: what is not zero mostly shows at once, and the page that it is compared with
/// stays in the processor's cache.
pub(crate) fn is_zero(block: &[u8]) -> bool {
    block.chunks(ZEROS.len()).all(|page| ZEROS.starts_with(page))
}
