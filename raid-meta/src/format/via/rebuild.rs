//! A new disk takes the place in the table of the one that was lost, with its identity: how firmware makes one of a
//! serial number is not known, and another table would be another set.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::create;
use super::sector::{Kind, Sector, info};
use super::{TRAILER, Via, ViaMetadata};
use crate::device::{Device, DeviceError};
use crate::format::rebuild::{RebuildError, Replacement, Round};
use crate::format::vendor::Trailer;
use crate::format::vendor::rebuild::{self, Lost, Seat, Survivor};

/// What to write.
///
/// # Errors
/// What the format, or the disks, can not do.
pub(in crate::format) fn renew(replacement: &Replacement) -> Result<Vec<Round>, RebuildError> {
    rebuild::renew::<ViaMetadata>(&Via, replacement)
}

impl Seat for ViaMetadata {
    fn read(device: &Device, _volume: &str) -> Result<Option<Self>, DeviceError> {
        super::read(device)
    }

    /// The disk of a mirror that was left alone is marked as dirty; with a copy made from it, it is in step.
    fn mend(&mut self, lost: &Lost<'_, Self>) -> Result<(), String> {
        if lost.is_only && self.sector.kind() == Kind::Raid1 {
            self.sector.set_info(self.sector.info() & !info::MIRROR_DIRTY);
        }
        Ok(())
    }

    fn follow(&mut self, mended: &Self, _lost: &Lost<'_, Self>) {
        if self.sector.kind() == Kind::Raid1 {
            let dirty = mended.sector.info() & info::MIRROR_DIRTY;
            self.sector.set_info(self.sector.info() & !info::MIRROR_DIRTY | dirty);
        }
    }

    fn take(&mut self, lost: &Lost<'_, Self>) -> Result<(), String> {
        self.offset = Trailer(TRAILER).place(lost.target).ok_or("has no room for the metadata")?;
        let sector = &mut self.sector;
        let is_synced = sector.info() & dirty_flag(sector.kind()) == 0;
        sector.set_info(create::info(sector.kind(), lost.slot, is_synced));
        sector.head.array_serial_checksum = identity(sector, lost)?;
        Ok(())
    }
}

fn dirty_flag(kind: Kind) -> u8 {
    match kind {
        Kind::Raid1 => info::MIRROR_DIRTY,
        Kind::Raid01 => info::STRIPES_DIRTY,
        _ => 0,
    }
}

/// The identity in the table that no disk has which is there. Where several were lost, the order of the table decides.
fn identity(sector: &Sector, lost: &Lost<'_, ViaMetadata>) -> Result<u32, String> {
    let own = |survivor: &Survivor<ViaMetadata>| survivor.found.sector.head.array_serial_checksum;
    let is_free = |id: &u32| !lost.survivors.iter().any(|survivor| own(survivor) == *id);
    let usual = sector.table.get(create::place(sector.kind(), lost.slot, sector.count())).copied();
    let usual = usual.filter(|id| *id != 0 && is_free(id));
    let id = usual.or_else(|| sector.members().find(is_free));
    id.ok_or_else(|| "the table of the set has no identity for it".to_owned())
}
