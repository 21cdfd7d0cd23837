//! What need not be written where there is a hole.

/// Whether all of it is zeros. A page at a time: what is not zero mostly shows at once, and a page is compared without a branch.
pub(crate) fn is_zero(block: &[u8]) -> bool {
    block.chunks(4096).all(|page| page.iter().fold(0, |all, byte| all | byte) == 0)
}
