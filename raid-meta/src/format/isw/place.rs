//! Where the MPB is on its device.
//!
//! The anchor, its first sector, is the last but one of the device. A longer MPB goes on in the sectors
//! *before* the anchor, so on the device it is rotated by one sector:
//!
//! ```text
//! … | MPB sector 1 … k-1 | MPB sector 0 (the anchor) | migration record | end of the device
//! ```
//!
//! A device whose size is not a multiple of its sectors ends at its last whole sector.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::units::{Bytes, SECTOR_BYTES, SectorSize};

/// Longest MPB: what is left between the copy area of general migrations and the migration record, 160 sectors of
/// 512 bytes or 20 of 4096.
pub(super) const MAX_MPB: usize = 160 * 512;

/// Ends and sector size of a device, and how many sectors its MPB takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Size of the device.
    pub(super) device: Bytes,
    sector: usize,
    /// Where the anchor is.
    pub(super) anchor: Bytes,
    /// Sectors that the MPB takes, at least one.
    pub(super) count: usize,
}

impl Place {
    /// The place on a device of that size, for an MPB of one sector; none when the device is too small.
    pub(super) fn new(device: Bytes, sector: SectorSize) -> Option<Self> {
        let sector_bytes = sector.bytes().0;
        let whole_sectors = device.0.checked_div(sector_bytes)?;
        let anchor = whole_sectors.checked_sub(2)?.checked_mul(sector_bytes)?;
        Some(Self { device, sector: usize::try_from(sector_bytes).ok()?, anchor: Bytes(anchor), count: 1 })
    }

    /// The same place for an MPB of that many bytes; none when it is too long, or would begin before the device does.
    pub(super) fn of_length(self, bytes: usize) -> Option<Self> {
        let count = bytes.div_ceil(self.sector).max(1);
        let place = Self { count, ..self };
        (bytes <= MAX_MPB && place.extension_length() as u64 <= self.anchor.0).then_some(place)
    }

    /// Bytes of a sector.
    pub(super) fn sector(self) -> usize {
        self.sector
    }

    /// Bytes of all sectors that the MPB takes.
    pub(super) fn length(self) -> usize {
        self.sector.saturating_mul(self.count)
    }

    /// Bytes before the anchor.
    fn extension_length(self) -> usize {
        self.length().saturating_sub(self.sector)
    }

    /// First byte of the MPB in device order.
    pub(super) fn start(self) -> Bytes {
        self.anchor.saturating_sub(Bytes(self.extension_length() as u64))
    }

    /// Where the migration record is.
    pub(super) fn migration_record(self) -> Bytes {
        self.anchor.saturating_add(Bytes(self.sector as u64))
    }

    /// Sectors (of 512 bytes) in one sector of the device.
    pub(super) fn sectors_per_block(self) -> u64 {
        self.sector as u64 / SECTOR_BYTES
    }

    /// Device order to logical order.
    pub(super) fn unrotate(self, mut bytes: Vec<u8>) -> Vec<u8> {
        let sector = self.sector.min(bytes.len());
        bytes.rotate_right(sector);
        bytes
    }

    /// Logical order to device order.
    pub(super) fn rotate(self, mut bytes: Vec<u8>) -> Vec<u8> {
        let sector = self.sector.min(bytes.len());
        bytes.rotate_left(sector);
        bytes
    }

    /// Where a byte of the logical MPB is on the device.
    pub(super) fn device_offset(self, logical: usize) -> Bytes {
        match logical.checked_sub(self.sector) {
            None => self.anchor.saturating_add(Bytes(logical as u64)),
            Some(rest) => self.start().saturating_add(Bytes(rest as u64)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(device: u64, bytes: usize) -> Place {
        Place::new(Bytes(device), SectorSize::B512).unwrap().of_length(bytes).unwrap()
    }

    #[test]
    fn an_mpb_of_one_sector_is_the_last_but_one_of_the_device() {
        let place = place(1 << 20, 512);
        assert_eq!((place.start(), place.anchor), (Bytes(0xffc00), Bytes(0xffc00)));
        assert_eq!(place.device_offset(511), Bytes(0xffdff));
        assert_eq!(place.migration_record(), Bytes(0xffe00));
    }

    #[test]
    fn a_longer_mpb_goes_on_before_its_first_sector() {
        let place = place(1 << 20, 1025);
        assert_eq!((place.count, place.start()), (3, Bytes(0xff800)));
        assert_eq!(place.device_offset(0), Bytes(0xffc00));
        assert_eq!(place.device_offset(512), Bytes(0xff800));
        assert_eq!(place.device_offset(1535), Bytes(0xffbff));
        let logical: Vec<u8> = [0, 1, 2].iter().flat_map(|&byte| [byte; 512]).collect();
        let device = place.rotate(logical.clone());
        assert_eq!((device.first(), device.last()), (Some(&1), Some(&0)));
        assert_eq!(place.unrotate(device), logical);
    }

    #[test]
    fn a_partial_last_sector_is_not_part_of_the_device() {
        assert_eq!(Place::new(Bytes((1 << 20) + 511), SectorSize::B512).unwrap().anchor, Bytes(0xffc00));
        assert_eq!(Place::new(Bytes(1 << 20), SectorSize::B4096).unwrap().anchor, Bytes(0xfe000));
    }

    #[test]
    fn devices_without_room_have_no_place() {
        assert!(Place::new(Bytes(1023), SectorSize::B512).is_none());
        let smallest = Place::new(Bytes(1024), SectorSize::B512).unwrap();
        assert!(smallest.of_length(512).is_some());
        assert!(smallest.of_length(513).is_none());
        let large = Place::new(Bytes(1 << 30), SectorSize::B512).unwrap();
        assert!(large.of_length(MAX_MPB).is_some());
        assert!(large.of_length(MAX_MPB + 1).is_none());
    }
}
