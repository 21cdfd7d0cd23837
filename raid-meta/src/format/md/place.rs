//! Where superblocks are, and how much of a device there is to read.

use crate::device::{Device, DeviceError, ReadAt};
use crate::units::{Bytes, SectorSize, Sectors};

/// Magic number of every md superblock.
pub(super) const MAGIC: u32 = 0xa92b_4efc;

/// Bytes that a superblock can have: all of 0.90, and 1.x with the most devices.
pub(super) const SUPERBLOCK_BYTES: usize = 4096;

/// The versions, by where their superblock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// 0.90: 64 KiB aligned, 64 to 128 KiB before the end.
    V090,
    /// 1.0: 4 KiB aligned, 8 to 12 KiB before the end.
    V10,
    /// 1.1: the first sector.
    V11,
    /// 1.2: 4 KiB from the start.
    V12,
}

impl Version {
    /// All versions, in the order in which they are looked for.
    pub(super) const ALL: [Self; 4] = [Self::V12, Self::V11, Self::V10, Self::V090];

    /// The name in records.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::V090 => "0.90",
            Self::V10 => "1.0",
            Self::V11 => "1.1",
            Self::V12 => "1.2",
        }
    }

    /// Sector of the superblock on a device of that many sectors; none when the device is too small.
    pub(super) fn sector(self, device: Sectors) -> Option<Sectors> {
        let Sectors(device) = device;
        match self {
            Self::V090 => (device & !127).checked_sub(128).filter(|&sector| sector > 0).map(Sectors),
            Self::V10 => (device >= 24).then(|| Sectors(device.saturating_sub(16) & !7)),
            Self::V11 => Some(Sectors(0)),
            Self::V12 => Some(Sectors(8)),
        }
    }
}

/// A place where a superblock may be, and the device around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The version whose place it is.
    pub(super) version: Version,
    /// Sector of the superblock.
    pub(super) sector: Sectors,
    /// Whole sectors of the device window.
    pub(super) device: Sectors,
    /// Logical sector size: superblocks are written in whole ones.
    pub(super) sector_size: SectorSize,
}

impl Place {
    /// The place of a version on a device, unless the device is too small for it.
    pub(super) fn on(device: &Device, version: Version) -> Option<Self> {
        let length = device.length_sectors();
        let sector = version.sector(length)?;
        Some(Self { version, sector, device: length, sector_size: device.sector_size() })
    }

    /// Byte offset of the superblock.
    pub(super) fn offset(&self) -> Bytes {
        to_bytes(self.sector)
    }

    /// The sector at a signed distance from the superblock; none before the start of the device.
    pub(super) fn relative(&self, distance: i64) -> Option<Sectors> {
        self.sector.0.checked_add_signed(distance).map(Sectors)
    }

    /// A length in bytes, rounded up to whole logical sectors.
    pub(super) fn round_up(&self, length: usize) -> usize {
        let unit = usize::try_from(self.sector_size.bytes().0).unwrap_or(512);
        length.checked_next_multiple_of(unit).unwrap_or(length)
    }
}

/// A position in bytes. Sectors of a device fit; a wild number stays wild.
pub(super) fn to_bytes(sectors: Sectors) -> Bytes {
    sectors.to_bytes().unwrap_or(Bytes::MAX)
}

/// Reads up to `wanted` bytes at a sector: fewer where the device ends, none where it ended before.
pub(super) fn read_up_to(device: &Device, sector: Sectors, wanted: usize) -> Result<Vec<u8>, DeviceError> {
    let offset = to_bytes(sector);
    let rest = device.size().saturating_sub(offset);
    let length = usize::try_from(rest.0).map_or(wanted, |rest| rest.min(wanted));
    Ok(device.read(offset, length)?.unwrap_or_default())
}

/// A range of sectors with what it is called, for finding overlaps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    /// What it is.
    pub(super) name: &'static str,
    /// First sector.
    pub(super) start: Sectors,
    /// Length.
    pub(super) length: Sectors,
}

impl Extent {
    /// The sector after the last.
    pub(super) fn end(&self) -> Sectors {
        self.start.saturating_add(self.length)
    }

    /// Whether the two share a sector.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end() && other.start < self.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn superblocks_are_where_the_kernel_puts_them() {
        let place = |version: Version, device| version.sector(Sectors(device)).map(|sector| sector.0);
        assert_eq!(place(Version::V10, 49152), Some(49136));
        assert_eq!(place(Version::V10, 49159), Some(49136));
        assert_eq!(place(Version::V10, 23), None);
        assert_eq!(place(Version::V090, 20480), Some(20352));
        assert_eq!(place(Version::V090, 20607), Some(20352));
        assert_eq!(place(Version::V090, 255), None);
        assert_eq!(place(Version::V12, 0), Some(8));
    }
}
