//! A new disk has the stamp of the others, of its half of a raid10 that of the disks of the half, and the number of the one
//! that was lost.

use super::levels::{Kind, Levels, levels, order};
use super::sector::{LogEntry, MAGIC_OK, REBUILT, Sector};
use super::{Hpt37x, METADATA};
use crate::device::{Device, DeviceError};
use crate::format::rebuild::{RebuildError, Replacement, Round};
use crate::format::schema::DiskStruct;
use crate::format::vendor::mirrored_stripes_place;
use crate::format::vendor::rebuild::{self, Lost, Seat};
use crate::geometry::Level;

/// What to write.
///
/// # Errors
/// What the format, or the disks, can not do.
pub(in crate::format) fn renew(replacement: &Replacement) -> Result<Vec<Round>, RebuildError> {
    rebuild::renew::<Sector>(&Hpt37x, replacement)
}

impl Seat for Sector {
    const IS_BEHIND_DATA: bool = false;

    fn read(device: &Device, _volume: &str) -> Result<Option<Self>, DeviceError> {
        super::read(device)
    }

    /// Of a mirror with two disks nothing is to be rebuilt any more.
    fn mend(&mut self, lost: &Lost<'_, Self>) -> Result<(), String> {
        let levels = levels(self).map_err(|problem| problem.message)?;
        if levels.kind == Kind::StripeOfMirrors {
            return Err("it is a stripe over mirrors, which no firmware is known to write".to_owned());
        }
        if levels.level == Level::Raid1 && lost.is_only && self.rebuilding().is_some() {
            self.tail.rebuild_lba = REBUILT;
        }
        Ok(())
    }

    fn follow(&mut self, mended: &Self, _lost: &Lost<'_, Self>) {
        self.tail.rebuild_lba = mended.tail.rebuild_lba;
    }

    fn take(&mut self, lost: &Lost<'_, Self>) -> Result<(), String> {
        let levels = levels(self).map_err(|problem| problem.message)?;
        self.offset = METADATA;
        self.disk = lost.target.length_sectors();
        self.head.magic = MAGIC_OK;
        self.log.iter_mut().for_each(|entry| *entry = LogEntry::zeroed());
        (self.head.error_log_entries, self.head.error_log_index) = (0, 0);
        self.head.disk_number = if levels.kind == Kind::MirrorOfStripes {
            self.join_half(&levels, lost)
        } else {
            u8::try_from(lost.slot.0).map_err(|_| "there is no such disk")?
        };
        Ok(())
    }
}

impl Sector {
    /// Puts the disk into its half: a disk of it says how that is stamped. Where none is left, any stamp will do that the
    /// other half does not have. Gives the number in it.
    fn join_half(&mut self, levels: &Levels, lost: &Lost<'_, Self>) -> u8 {
        let (half, in_stripe) = mirrored_stripes_place(lost.slot);
        let is_beside = |slot| mirrored_stripes_place(slot).0 == half;
        let mut survivors = lost.survivors.iter();
        let beside = survivors.find(|survivor| survivor.slot().is_some_and(is_beside));
        match beside {
            Some(beside) => {
                (self.head.magic_0, self.head.order) = (beside.found.head.magic_0, beside.found.head.order);
            }
            None if is_beside(levels.slot) => {}
            None => {
                let next = self.head.magic_1.checked_add(half.saturating_add(1)).unwrap_or(1);
                let is_taken = next == self.head.magic_0;
                self.head.magic_0 = if is_taken { next.checked_add(2).unwrap_or(1) } else { next };
                self.head.order = order::CURRENT | if half == 0 { order::FIRST } else { 0 };
            }
        }
        u8::try_from(in_stripe).unwrap_or(u8::MAX)
    }
}
