//! In which window an MPB belongs that was found by its signature alone.
//!
//! The anchor is the last sector but one of its disk, so it says where the window ends; the disk table says how long
//! the disks are. Which of them this one is, its serial number says, or nothing does; then the sizes are tried, and
//! last the start of what is searched, for a disk that was grown.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use super::mpb::{Disk, MAGIC, Mpb};
use super::place::Place;
use super::{decode_at, names};
use crate::device::{Device, DeviceError, ReadAt};
use crate::format::{Range, Signature};
use crate::units::{Bytes, Sectors};

/// The signature in its sector.
pub(super) const SIGNATURES: [Signature; 1] = [Signature { bytes: MAGIC, at: 0 }];

/// Sizes that are tried: firmware makes sets of four disks and more, which mostly are alike.
const MAX_SIZES: usize = 4;

/// The windows for the MPB whose anchor is at `at`.
pub(super) fn windows(disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
    let Some(whole) = up_to_last_sector(disk, at) else { return Ok(Vec::new()) };
    let Some(place) = Place::new(whole.size(), disk.sector_size()).filter(|place| place.anchor == at) else {
        return Ok(Vec::new());
    };
    let (Some(mpb), _) = decode_at(&whole, place)?.into_parts() else { return Ok(Vec::new()) };
    let start = |size: Sectors| whole.size().checked_sub(size.to_bytes()?);
    let window = |start: Bytes| Range { offset: start, length: whole.size().saturating_sub(start) };
    let sizes = sizes(&mpb, disk.serial());
    let mut windows: Vec<Range> = sizes.into_iter().filter_map(start).map(window).collect();
    let from_start = window(Bytes::ZERO);
    if !windows.contains(&from_start) {
        windows.push(from_start);
    }
    Ok(windows)
}

/// The disk cut off behind the sector that follows the anchor.
fn up_to_last_sector(disk: &Device, at: Bytes) -> Option<Device> {
    let sectors = disk.sector_size().bytes().checked_mul(2)?;
    disk.window(Bytes::ZERO, at.checked_add(sectors)?)
}

/// The sizes that the disk table names, without repetition: first that of the disk with this serial number.
fn sizes(mpb: &Mpb, serial: Option<&str>) -> Vec<Sectors> {
    let serial = serial.map(names::processed_serial).unwrap_or_default();
    let is_own = |disk: &&Disk| disk.serial() == serial;
    let (own, others): (Vec<&Disk>, Vec<&Disk>) = mpb.disks.iter().partition(is_own);
    let mut sizes = Vec::new();
    for size in own.into_iter().chain(others).map(|disk| mpb.disk_size(disk)) {
        if sizes.len() < MAX_SIZES && !size.is_zero() && !sizes.contains(&size) {
            sizes.push(size);
        }
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::super::Isw;
    use super::super::codec::encode;
    use super::super::tests::{DISK, raid1};
    use super::*;
    use crate::device::SimDisk;
    use crate::format::Format;
    use std::path::Path;
    use std::sync::Arc;

    /// The windows for an anchor that is at `at` on a disk of `size` bytes, as start and end.
    fn found(mpb: &Mpb, size: u64, at: u64, serial: Option<&str>) -> Vec<(u64, u64)> {
        let disk = SimDisk::new(Bytes(size));
        let before = mpb.place.anchor.0 - mpb.place.start().0;
        disk.load(Bytes(at - before), &encode(mpb));
        let device =
            Device::whole(Path::new("disk.img"), Arc::new(disk)).with_serial(serial.map(str::to_owned));
        let windows = Isw.windows(&device, Bytes(at)).unwrap();
        windows.iter().map(|window| (window.offset.0, window.offset.0 + window.length.0)).collect()
    }

    #[test]
    fn the_window_ends_behind_the_anchor_and_is_as_long_as_the_disk_table_says() {
        let at = DISK + 4096;
        assert_eq!(found(&raid1(), 2 * DISK, at, None), [(5120, at + 1024), (0, at + 1024)]);
        assert_eq!(found(&raid1(), 2 * DISK, DISK - 1024, None), [(0, DISK)], "a disk that was grown");
        assert_eq!(found(&raid1(), DISK / 2, DISK / 2 - 1024, None), [(0, DISK / 2)], "a disk that was cut");
    }

    #[test]
    fn the_size_of_the_disk_with_the_serial_number_comes_first() {
        let mut mpb = raid1();
        mpb.disks[1].total_blocks_lo /= 2;
        let starts = |serial| {
            let found = found(&mpb, 2 * DISK, DISK, serial);
            found.into_iter().map(|(start, _)| start).collect::<Vec<_>>()
        };
        assert_eq!(starts(None), [1024, DISK / 2 + 1024, 0]);
        assert_eq!(starts(Some("TOYDISK0002")), [DISK / 2 + 1024, 1024, 0]);
    }

    #[test]
    fn an_anchor_in_the_last_sector_has_no_window() {
        assert_eq!(found(&raid1(), DISK, DISK - 512, None), []);
    }
}
