//! A new disk takes the identity in the list of the one that was lost: the list is all that the set is known by. What
//! the others are flagged with, that a member is bad or that they are not synchronized, it is flagged with too: one
//! without the flag that the others have is taken for one that is yet to be rebuilt.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::block::MISSING;
use super::{Jmicron, JmicronMetadata, TRAILER};
use crate::device::{Device, DeviceError};
use crate::format::rebuild::{RebuildError, Replacement, Round};
use crate::format::vendor::Trailer;
use crate::format::vendor::rebuild::{self, Lost, Seat};

/// What to write.
///
/// # Errors
/// What the format, or the disks, can not do.
pub(in crate::format) fn renew(replacement: &Replacement) -> Result<Vec<Round>, RebuildError> {
    rebuild::renew::<JmicronMetadata>(&Jmicron, replacement)
}

impl Seat for JmicronMetadata {
    fn read(device: &Device, _volume: &str) -> Result<Option<Self>, DeviceError> {
        super::read(device)
    }

    fn mend(&mut self, lost: &Lost<'_, Self>) -> Result<(), String> {
        let identity = self.block.listed().get(lost.slot.index());
        match identity {
            Some(&(0 | MISSING)) | None => Err(format!(
                "the list of its members does not say any more which disk was member {}; with another one \
                 each disk would be of another set until the last is written",
                lost.slot
            )),
            Some(_) => Ok(()),
        }
    }

    fn follow(&mut self, _mended: &Self, _lost: &Lost<'_, Self>) {}

    fn take(&mut self, lost: &Lost<'_, Self>) -> Result<(), String> {
        self.offset = Trailer(TRAILER).place(lost.target).ok_or("has no room for the metadata")?;
        self.disk = lost.target.length_sectors();
        let identity = self.block.listed().get(lost.slot.index()).copied();
        self.block.head.identity = identity.ok_or("the list has no such member")?;
        Ok(())
    }
}
