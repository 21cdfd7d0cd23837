//! A new disk has the table of the others and the number of the one that was lost. The tables say that the lost disk is
//! gone, or they do not: nobody has to notice.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::create;
use super::table::{Array, FLAG_OUT, NO_DEVICE, Table};
use super::view;
use super::{Lsi, LsiMetadata, TRAILER};
use crate::device::{Device, DeviceError};
use crate::format::rebuild::{RebuildError, Replacement, Round};
use crate::format::schema::{DiskStruct, Endian};
use crate::format::vendor::Trailer;
use crate::format::vendor::rebuild::{self, Lost, Seat};

/// What to write.
///
/// # Errors
/// What the format, or the disks, can not do.
pub(in crate::format) fn renew(replacement: &Replacement) -> Result<Vec<Round>, RebuildError> {
    rebuild::renew::<LsiMetadata>(&Lsi, replacement)
}

impl Seat for LsiMetadata {
    fn read(device: &Device, _volume: &str) -> Result<Option<Self>, DeviceError> {
        super::read(device)
    }

    fn mend(&mut self, lost: &Lost<'_, Self>) -> Result<(), String> {
        let (array, number) = place(&self.table, lost)?;
        let found = self.table.disk(&array, number);
        let (entry, mut disk) = found.ok_or("the table has no entry for the disk")?;
        if disk.is_out() {
            disk.flags &= !FLAG_OUT;
            if disk.device == NO_DEVICE {
                disk.device = create::device(array.kind(), array.disk_count, number);
            }
            set(&mut self.table, entry, &disk);
        }
        if self.table.disks(&array).iter().flatten().all(|disk| !disk.is_out()) {
            let number = usize::from(self.table.tail.raid_number);
            set(&mut self.table, number, &Array { flags: array.flags & !FLAG_OUT, ..array });
        }
        Ok(())
    }

    fn follow(&mut self, mended: &Self, _lost: &Lost<'_, Self>) {
        self.table.head = mended.table.head.clone();
        self.table.entries.clone_from(&mended.table.entries);
    }

    fn take(&mut self, lost: &Lost<'_, Self>) -> Result<(), String> {
        self.offset = Trailer(TRAILER).place(lost.target).ok_or("has no room for the metadata")?;
        self.table.tail.disk_number = place(&self.table, lost)?.1;
        Ok(())
    }
}

/// The array, and the number of the lost disk in it.
fn place(table: &Table, lost: &Lost<'_, LsiMetadata>) -> Result<(Array, u8), String> {
    let array = table.own_array().ok_or("the table has no such array")?;
    let number = view::number(&array, u32::from(array.disk_count), lost.slot);
    let number = u8::try_from(number).map_err(|_| "the table has no such disk")?;
    Ok((array, number))
}

fn set<T: DiskStruct>(table: &mut Table, entry: usize, value: &T) {
    if let (Some(place), Ok(bytes)) = (table.entries.get_mut(entry), value.encode(Endian::Little).try_into())
    {
        *place = bytes;
    }
}
