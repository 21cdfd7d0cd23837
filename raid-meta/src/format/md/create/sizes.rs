//! The room that mdadm leaves on a device: for a bitmap, a bad-block log, and a reshape that moves the data.
//!
//! All lengths are in sectors.

use super::super::place::Version;

/// What the data offset of 1.1 and 1.2 is a multiple of.
const MIB: u64 = 2048;
/// Superblock, its 4 KiB before it in 1.2, and the bad-block log.
const BASE: u64 = 24;
/// Room of a bad-block log.
pub(super) const BAD_BLOCK_LOG: u64 = 8;
/// Most of the room before the data that is kept for a reshape.
const HEADROOM: u64 = 128 * MIB;
/// Most that a member of 0.90 can have: its size is 32 bits of KiB.
const MOST_V090: u64 = (1 << 33) - 2;

/// Room for a bitmap beside data of that length: 4 KiB, 64 from 8 GiB and 128 from 200 GiB on.
pub(super) fn bitmap_room(length: u64) -> u64 {
    const GIB: u64 = 1024 * MIB;
    match length {
        0..128 => 0,
        _ if length.saturating_sub(128) >= 200 * GIB => 256,
        _ if length.saturating_sub(8) > 8 * GIB => 128,
        _ => 8,
    }
}

/// Where the data begins with 1.1 and 1.2: behind the bitmap, and behind headroom of up to a thousandth of the
/// device, but for four chunks at least.
pub(super) fn data_offset(device: u64, chunk: u64) -> u64 {
    let chunk_kib = chunk / 2;
    let mut headroom = HEADROOM;
    while headroom.saturating_mul(1024) > device
        && (chunk == 0 || headroom / 2 >= chunk_kib.saturating_mul(4))
        && headroom > 0
    {
        headroom /= 2;
    }
    let used = BASE.saturating_add(bitmap_room(device)).saturating_add(headroom);
    used.next_multiple_of(MIB)
}

/// What there is for data on a device of that length; none when the superblock alone does not fit.
pub(super) fn room(version: Version, device: u64, data_offset: u64) -> Option<u64> {
    match version {
        Version::V090 => {
            let superblock = (device & !127).checked_sub(128)?;
            Some(superblock.min(MOST_V090))
        }
        Version::V10 => {
            let kept = (16_u64).saturating_add(BAD_BLOCK_LOG).saturating_add(bitmap_room(device));
            (device & !7).checked_sub(kept)
        }
        Version::V11 | Version::V12 => device.checked_sub(data_offset),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_begins_where_mdadm_has_it() {
        for (device, chunk, offset) in [
            (24 << 11, 128, 2048),
            (24 << 11, 1024, 4096),
            (24 << 11, 0, 2048),
            (1 << 21, 1024, 4096),
            (100 << 21, 1024, 133_120),
            (1 << 30, 1024, 264_192),
            (1 << 32, 1024, 264_192),
        ] {
            assert_eq!(data_offset(device, chunk), offset, "{device} {chunk}");
        }
    }

    #[test]
    fn a_bitmap_has_more_room_on_a_large_device() {
        let gib = 1 << 21;
        let rooms = [127, 128, 8 * gib + 8, 8 * gib + 9, 200 * gib + 127, 200 * gib + 128].map(bitmap_room);
        assert_eq!(rooms, [0, 8, 8, 128, 128, 256]);
    }

    #[test]
    fn a_device_without_room_for_the_superblock_has_none_for_data() {
        assert_eq!(room(Version::V090, 255, 0), Some(0));
        assert_eq!(room(Version::V090, 127, 0), None);
        assert_eq!(room(Version::V10, 31, 0), Some(0));
        assert_eq!(room(Version::V10, 23, 0), None);
        assert_eq!(room(Version::V12, 2047, 2048), None);
        assert_eq!(room(Version::V10, 49152, 0), Some(49120));
    }
}
