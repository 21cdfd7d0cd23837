//! VIA V-RAID: the south bridges VT8237 and later.
//!
//! The metadata is the last sector of each disk. It holds a list of the disks of the set, each known by a checksum of its
//! serial number, and which of them this one is, as a place in the array. There is no copy of it and no counter: of two
//! disks of a mirror that differ, one that says that it was left alone with the data is the newer.
//!
//! Offsets are those of dmraid and of the older ataraid of FreeBSD. See the modules: `sector` the structure, `shape` what
//! the numbers add up to, `check` the rules, `view` what it means, `create` new sets, `rebuild` a new disk
//! in one.

mod check;
mod create;
mod fields;
mod rebuild;
mod sector;
mod shape;
#[cfg(test)]
mod tests;
mod view;

pub(super) use create::create;
pub(super) use rebuild::renew;

use super::vendor::Trailer;
use super::{Format, Found, Metadata, Range, Signature};
use crate::device::{Device, DeviceError};
use crate::model::{Area, Field, MemberView};
use crate::record::{ChecksumState, Problem};
use crate::units::{Bytes, Sectors};
use sector::{MAGIC, Sector};

const NAME: &str = "via";

/// Sectors that the metadata takes at the end of a disk.
const TRAILER: Sectors = Sectors(1);

/// The format.
pub struct Via;

impl Format for Via {
    fn name(&self) -> &'static str {
        NAME
    }

    fn description(&self) -> &'static str {
        "VIA V-RAID"
    }

    fn whole_disk_only(&self) -> bool {
        true
    }

    fn find(&self, device: &Device) -> Result<Vec<Found>, DeviceError> {
        Ok(read(device)?.map(found).into_iter().collect())
    }

    fn freshest(&self, views: &[&MemberView]) -> (usize, Vec<Problem>) {
        (view::freshest(views), Vec::new())
    }

    fn complete(&self, views: &mut [&mut MemberView]) {
        view::complete(views);
    }

    /// Versions 0 to 2.
    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: &[Signature] = &[
            Signature { bytes: &[MAGIC[0], MAGIC[1], 0], at: 0 },
            Signature { bytes: &[MAGIC[0], MAGIC[1], 1], at: 0 },
            Signature { bytes: &[MAGIC[0], MAGIC[1], 2], at: 0 },
        ];
        SIGNATURES
    }

    fn windows(&self, disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
        Trailer(TRAILER).windows(disk, at, |bytes| {
            let sector = Sector::decode(bytes).filter(Sector::is_ours_anywhere)?;
            Some((Sectors(sector.head.capacity), Sectors(u64::from(sector.chunk()))))
        })
    }
}

fn read(device: &Device) -> Result<Option<ViaMetadata>, DeviceError> {
    let disk = device.length_sectors();
    let Some((offset, bytes)) = Trailer(TRAILER).read(device)? else { return Ok(None) };
    let sector = Sector::decode(&bytes).filter(Sector::is_ours);
    Ok(sector.map(|sector| ViaMetadata { sector, offset, disk }))
}

fn found(metadata: ViaMetadata) -> Found {
    Found {
        offset: metadata.offset,
        version: Some(metadata.version()),
        problems: check::damage(&metadata.sector),
        metadata: Some(Box::new(metadata)),
    }
}

/// The metadata of one disk.
#[derive(Clone, Debug)]
struct ViaMetadata {
    sector: Sector,
    offset: Bytes,
    /// Size of the disk.
    disk: Sectors,
}

impl Metadata for ViaMetadata {
    fn format(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> String {
        self.sector.head.version_number.to_string()
    }

    fn areas(&self) -> Vec<Area> {
        let checksum = if self.sector.is_sealed() { ChecksumState::Ok } else { ChecksumState::Bad };
        vec![Area { role: "sector", offset: self.offset, bytes: self.sector.encode(), checksum }]
    }

    fn fields(&self) -> Vec<Field> {
        fields::fields(&self.sector, self.offset)
    }

    fn check(&self) -> Vec<Problem> {
        check::all(&self.sector, self.disk)
    }

    /// The second checksum is not written by all: where it was not right, it is left alone.
    fn seal(&self, areas: &mut [Area]) {
        for area in areas {
            sector::seal(&mut area.bytes, self.sector.is_second_sealed());
        }
    }

    fn view(&self, _device: &Device) -> MemberView {
        view::view(&self.sector)
    }
}
