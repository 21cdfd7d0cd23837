//! A new disk has the stamp of the others and the numbers of the one that was lost. What the others record of the loss, the
//! bit of a member that is not current and how far it was rebuilt, is taken back.

use super::levels::{levels, raid_type};
use super::sector::{MAGIC_OK, REBUILT, Sector};
use super::view::status;
use super::{Hpt45x, place};
use crate::device::{Device, DeviceError, ReadAt};
use crate::format::rebuild::{RebuildError, Replacement, Round};
use crate::format::vendor::mirrored_stripes_place;
use crate::format::vendor::rebuild::{self, Lost, Seat};
use crate::geometry::Level;
use crate::units::Slot;

/// What to write.
///
/// # Errors
/// What the format, or the disks, can not do.
pub(in crate::format) fn renew(replacement: &Replacement) -> Result<Vec<Round>, RebuildError> {
    rebuild::renew::<Sector>(&Hpt45x, replacement)
}

impl Seat for Sector {
    fn read(device: &Device, _volume: &str) -> Result<Option<Self>, DeviceError> {
        super::read(device)
    }

    fn mend(&mut self, lost: &Lost<'_, Self>) -> Result<(), String> {
        self.clear(lost.slot);
        Ok(())
    }

    /// Each disk mends its own: with the mirrors inside, a disk speaks only of the one that it is in.
    fn follow(&mut self, _mended: &Self, lost: &Lost<'_, Self>) {
        self.clear(lost.slot);
    }

    fn take(&mut self, lost: &Lost<'_, Self>) -> Result<(), String> {
        self.offset = place(lost.target.size()).ok_or("has no room for the metadata")?;
        let levels = levels(self).map_err(|problem| problem.message)?;
        let (half, in_stripe) = mirrored_stripes_place(lost.slot);
        for config in &mut self.configs {
            let number = match (levels.level, config.raid_type) {
                (Level::Raid10, raid_type::RAID0) => in_stripe,
                (Level::Raid10, _) => half,
                _ => lost.slot.0,
            };
            if config.raid_type != raid_type::SPARE {
                config.disk_number = u8::try_from(number).map_err(|_| "there is no such disk")?;
            }
        }
        self.head.magic = MAGIC_OK;
        self.clear(lost.slot);
        Ok(())
    }
}

impl Sector {
    /// The member is current again, and if it was the last that was not, nothing is to be rebuilt.
    fn clear(&mut self, lost: Slot) {
        let Ok(levels) = levels(self) else { return };
        let Some(entry) = levels.redundancy else { return };
        let (half, column) = mirrored_stripes_place(lost);
        let is_inner = levels.level == Level::Raid10 && entry == 0;
        if is_inner && mirrored_stripes_place(levels.slot).1 != column {
            return;
        }
        let number = if levels.level == Level::Raid10 { half } else { lost.0 };
        let bit = 1_u16.checked_shl(number).unwrap_or_default();
        let (Some(config), Some(high)) = (self.configs.get_mut(entry), self.high.get_mut(entry)) else {
            return;
        };
        if config.critical_disks & bit == 0 {
            return;
        }
        config.critical_disks &= !bit;
        if config.critical_disks == 0 {
            config.status &= !status::NEED_REBUILD;
            (config.rebuild_lba, high.rebuild_lba) = (REBUILT, 0);
        }
    }
}
