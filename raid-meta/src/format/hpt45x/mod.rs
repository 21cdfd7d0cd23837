//! HighPoint `HPT45x` and `RocketRAID`, the vendor's third format: `RAID_3.0` of its drivers.
//!
//! One sector, the eleventh from the end of each disk, says what the set is and which of its disks this one is. An array
//! of one level has one entry in it; a raid10 has two, one for its stripe and one for its mirror, each
//! with the disk's number in that level. Where each level's entry is does not matter to where the data is.
//!
//! Sources: the header of the vendor's own driver for the `RocketRAID` 18xx (names, checksums, stamps, what is recorded
//! of a rebuild), dmraid (where, names of sets), the metadata of a real disk. The driver gives a
//! set a new stamp whenever it takes a disk in or out, so a disk that was left behind is in a set of its own; there is
//! no generation. The time in it is that of the creation.
//!
//! `sector` the structures and the checksums, `levels` what the entries add up to, `check` the rules, `view` what it
//! means, `meaning` the words, `create` new sets, `rebuild` a new disk in one.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod check;
mod create;
mod levels;
mod meaning;
mod rebuild;
mod sector;
#[cfg(test)]
mod tests;
mod view;

pub(super) use create::create;
pub(super) use rebuild::renew;

use super::vendor::Trailer;
use super::{Format, Found, Metadata, Range, Signature};
use crate::device::{Device, DeviceError};
use crate::geometry::Level;
use crate::model::{Area, Field, MemberView};
use crate::record::Problem;
use crate::units::{Bytes, ChunkSectors, SECTOR_BYTES, Sectors};
use levels::levels;
use sector::{MAGIC_BAD, MAGIC_OK, Sector};

const NAME: &str = "hpt45x";

/// From the end of the disk, in sectors.
const FROM_END: u64 = 11;

/// The format.
pub struct Hpt45x;

impl Format for Hpt45x {
    fn name(&self) -> &'static str {
        NAME
    }

    fn description(&self) -> &'static str {
        "HighPoint HPT45x and RocketRAID (version 3)"
    }

    fn whole_disk_only(&self) -> bool {
        true
    }

    fn find(&self, device: &Device) -> Result<Vec<Found>, DeviceError> {
        let found = |sector: Sector| {
            let (offset, problems) = (sector.offset, check::identity(&sector, device));
            Found { metadata: Some(Box::new(sector)), offset, version: None, problems }
        };
        Ok(read(device)?.map(found).into_iter().collect())
    }

    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: [Signature; 2] = [
            Signature { bytes: &MAGIC_OK.to_le_bytes(), at: 0 },
            Signature { bytes: &MAGIC_BAD.to_le_bytes(), at: 0 },
        ];
        &SIGNATURES
    }

    /// The disk ends ten sectors further on, and begins before what the set takes of it.
    fn windows(&self, disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
        Trailer(Sectors(FROM_END)).windows(disk, at, |bytes| {
            let sector = Sector::decode(bytes, at)?;
            let (least, slack) = match levels(&sector) {
                Ok(levels) if levels.level != Level::Linear => {
                    (levels.length, levels.geometry.and_then(|geometry| geometry.chunk))
                }
                _ => (Sectors(0), None),
            };
            Some((least, slack.map_or(Sectors(1), ChunkSectors::sectors)))
        })
    }
}

fn read(device: &Device) -> Result<Option<Sector>, DeviceError> {
    let found = Trailer(Sectors(FROM_END)).read(device)?;
    Ok(found.and_then(|(offset, bytes)| Sector::decode(&bytes, offset)))
}

/// Where the metadata is on a disk of that size.
fn place(size: Bytes) -> Option<Bytes> {
    size.whole_sectors().0.checked_sub(FROM_END)?.checked_mul(SECTOR_BYTES).map(Bytes)
}

impl Metadata for Sector {
    fn format(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> String {
        "3".to_owned()
    }

    fn areas(&self) -> Vec<Area> {
        vec![self.area()]
    }

    fn fields(&self) -> Vec<Field> {
        meaning::fields(self)
    }

    fn check(&self) -> Vec<Problem> {
        check::all(self)
    }

    fn seal(&self, areas: &mut [Area]) {
        for area in areas {
            self.seal_bytes(&mut area.bytes);
        }
    }

    fn view(&self, device: &Device) -> MemberView {
        view::view(self, device)
    }
}
