//! HighPoint `HPT37x`, the vendor's second format.
//!
//! One sector near the front of each disk, without a checksum, says what the set is and which of its disks this one is. All
//! disks but the first have their data behind it; the first has its data all over it, so that sector 9 of the array
//! *is* the metadata of its first disk: what is written there is lost, or destroys the set.
//!
//! Sources: dmraid, the drivers of Linux 2.4 and `FreeBSD`, the vendor's own driver for its next
//! format (which still reads this one), the metadata of a real disk. Where they disagree, see `levels`; what is not
//! certain is said with each member. There is no generation: software that writes the metadata gives the
//! disks a new stamp, and one that was not there is no longer in the set.
//!
//! `sector` the structures, `levels` what they add up to, `check` the rules, `view` what it means, `meaning` the
//! words, `create` new sets, `rebuild` a new disk in one.

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

use super::{Format, Found, Metadata, Range, Signature};
use crate::device::{Device, DeviceError, ReadAt};
use crate::model::{Area, Field, MemberView};
use crate::record::Problem;
use crate::units::{Bytes, SECTOR_BYTES, SECTOR_LENGTH};
use sector::{MAGIC, MAGIC_BAD, MAGIC_OK, Sector};

const NAME: &str = "hpt37x";

/// Where the metadata is.
const METADATA: Bytes = Bytes(9 * SECTOR_BYTES);

/// The format.
pub struct Hpt37x;

impl Format for Hpt37x {
    fn name(&self) -> &'static str {
        NAME
    }

    fn description(&self) -> &'static str {
        "HighPoint HPT37x (version 2)"
    }

    fn whole_disk_only(&self) -> bool {
        true
    }

    fn find(&self, device: &Device) -> Result<Vec<Found>, DeviceError> {
        let found = |sector: Sector| {
            let problems = check::identity(&sector, device);
            Found { metadata: Some(Box::new(sector)), offset: METADATA, version: None, problems }
        };
        Ok(read(device)?.map(found).into_iter().collect())
    }

    fn signatures(&self) -> &'static [Signature] {
        const SIGNATURES: [Signature; 2] = [
            Signature { bytes: &MAGIC_OK.to_le_bytes(), at: MAGIC },
            Signature { bytes: &MAGIC_BAD.to_le_bytes(), at: MAGIC },
        ];
        &SIGNATURES
    }

    /// The disk begins nine sectors before; where it ends, nothing says.
    fn windows(&self, disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
        let sector = at.whole_sectors().to_bytes();
        let start = sector.and_then(|sector| sector.checked_sub(METADATA));
        let window = |offset: Bytes| Some(Range { offset, length: disk.size().checked_sub(offset)? });
        Ok(start.and_then(window).into_iter().collect())
    }
}

fn read(device: &Device) -> Result<Option<Sector>, DeviceError> {
    let bytes = device.read(METADATA, SECTOR_LENGTH)?;
    Ok(bytes.and_then(|bytes| Sector::decode(&bytes, METADATA, device.length_sectors())))
}

impl Metadata for Sector {
    fn format(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> String {
        "2".to_owned()
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

    fn view(&self, _device: &Device) -> MemberView {
        view::view(self)
    }
}
