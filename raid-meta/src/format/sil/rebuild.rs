//! A new disk has the set of the others written over its own IDENTIFY data. A disk says nothing of the others, so these
//! stay as they are; their counter too, for whoever is behind it is stale, and they can not all be written at once.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::copies::Copies;
use super::create::identify;
use super::sector::{Kind, Sector};
use super::view::status;
use super::{Sil, SilMetadata};
use crate::device::{Device, DeviceError};
use crate::format::Metadata;
use crate::format::rebuild::{RebuildError, Replacement, Round};
use crate::format::vendor::mirrored_stripes_place;
use crate::format::vendor::rebuild::{self, Lost, Seat};
use crate::model::Area;

/// What to write.
///
/// # Errors
/// What the format, or the disks, can not do.
pub(in crate::format) fn renew(replacement: &Replacement) -> Result<Vec<Round>, RebuildError> {
    rebuild::renew::<SilMetadata>(&Sil, replacement)
}

impl Seat for SilMetadata {
    fn read(device: &Device, _volume: &str) -> Result<Option<Self>, DeviceError> {
        Ok(Copies::read(device)?.map(|copies| Self { copies }))
    }

    fn mend(&mut self, _lost: &Lost<'_, Self>) -> Result<(), String> {
        Ok(())
    }

    fn follow(&mut self, _mended: &Self, _lost: &Lost<'_, Self>) {}

    fn take(&mut self, lost: &Lost<'_, Self>) -> Result<(), String> {
        let set = self.copies.believed();
        let own = member(set, lost)?;
        let sector = over(&identify(lost.target), set, own);
        let copies = Copies::new(&sector, lost.target.length_sectors());
        self.copies = copies.ok_or("has no room for the metadata")?;
        Ok(())
    }

    /// The copy that others look at is the last.
    fn written(&self, original: &Self) -> Vec<Area> {
        let mut areas = self.areas();
        if self.copies.believed() != original.copies.believed() {
            areas.reverse();
        }
        areas
    }
}

/// The numbers of a disk.
struct Own {
    disk_number: u8,
    striped_set_number: i8,
    mirrored_set_number: i8,
    idechannel: u8,
}

fn member(set: &Sector, lost: &Lost<'_, SilMetadata>) -> Result<Own, String> {
    let number = u8::try_from(lost.slot.0).map_err(|_| "there is no such disk")?;
    if set.kind() != Kind::Raid10 {
        let (striped_set_number, mirrored_set_number) = (set.striped_set_number, set.mirrored_set_number);
        return Ok(Own { disk_number: number, striped_set_number, mirrored_set_number, idechannel: number });
    }
    let (half, pair) = mirrored_stripes_place(lost.slot);
    Ok(Own {
        disk_number: u8::try_from(pair).unwrap_or(u8::MAX),
        striped_set_number: i8::try_from(half).unwrap_or(i8::MAX),
        mirrored_set_number: i8::try_from(pair).unwrap_or(i8::MAX),
        idechannel: number,
    })
}

/// What a set writes over the IDENTIFY data of a disk.
fn over(identify: &Sector, set: &Sector, own: Own) -> Sector {
    Sector {
        disk_number: own.disk_number,
        striped_set_number: own.striped_set_number,
        mirrored_set_number: own.mirrored_set_number,
        idechannel: own.idechannel,
        rebuild_ptr: 0,
        member_status: status::CURRENT,
        identify_0: identify.identify_0,
        identify_serial: identify.identify_serial,
        identify_20: identify.identify_20,
        identify_firmware: identify.identify_firmware,
        identify_model: identify.identify_model,
        identify_47: identify.identify_47,
        magic: identify.magic,
        identify_50: identify.identify_50,
        identify_58: identify.identify_58,
        thisdisk_sectors: identify.thisdisk_sectors,
        identify_62: identify.identify_62,
        lba48_sectors: identify.lba48_sectors,
        identify_104: identify.identify_104,
        checksum2: identify.checksum2,
        ..set.clone()
    }
}
