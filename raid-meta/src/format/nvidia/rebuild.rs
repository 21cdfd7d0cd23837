//! A new disk has the array part of the others and the unit number of the one that was lost. Firmware gives the disks that
//! are left a new signature when it misses one; with them the new disk has that.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::block::{ARRAY_ERROR, UNIT_REBUILDING, job};
use super::view::{Shape, unit_of};
use super::{Nvidia, NvidiaMetadata, TRAILER};
use crate::device::{Device, DeviceError};
use crate::format::rebuild::{RebuildError, Replacement, Round};
use crate::format::vendor::Trailer;
use crate::format::vendor::rebuild::{self, Lost, Seat};

/// What to write.
///
/// # Errors
/// What the format, or the disks, can not do.
pub(in crate::format) fn renew(replacement: &Replacement) -> Result<Vec<Round>, RebuildError> {
    rebuild::renew::<NvidiaMetadata>(&Nvidia, replacement)
}

impl Seat for NvidiaMetadata {
    fn read(device: &Device, _volume: &str) -> Result<Option<Self>, DeviceError> {
        super::read(device)
    }

    fn mend(&mut self, lost: &Lost<'_, Self>) -> Result<(), String> {
        let array = &mut self.block.array;
        if lost.is_only {
            array.flags &= !ARRAY_ERROR;
        }
        if lost.is_only && array.raid_job_code == job::REBUILDING {
            (array.raid_job_code, array.raid_job_mark) = (job::IDLE, 0);
        }
        Ok(())
    }

    fn follow(&mut self, mended: &Self, _lost: &Lost<'_, Self>) {
        self.block.array = mended.block.array.clone();
    }

    fn take(&mut self, lost: &Lost<'_, Self>) -> Result<(), String> {
        self.offset = Trailer(TRAILER).place(lost.target).ok_or("has no room for the metadata")?;
        let shape = Shape::of(&self.block).ok_or("the level of the set is not known")?;
        let unit = unit_of(lost.slot.0, shape.level, u32::from(self.block.array.stripe_width));
        self.block.unit.unit_number = u8::try_from(unit).map_err(|_| "there is no such unit")?;
        self.block.unit.unit_flags &= !UNIT_REBUILDING;
        Ok(())
    }
}
