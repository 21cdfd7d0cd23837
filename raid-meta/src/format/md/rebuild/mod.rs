//! A member replaced by a new disk, in the superblocks of all.
//!
//! The new disk gets a number and the slot with it; the number that held the slot, where it is another, is marked as
//! failed. The new disk is first: its superblock counts one event more, so from then on the array is whole, and the
//! others follow. All that is done a second time with one event more: a disk that was away when this began is then two
//! events behind, and no reader takes it for a member that merely missed the last write.

mod v0;
mod v1;

use super::bitmap::Bitmap;
use super::facts::Facts;
use super::member::Superblock;
use super::parts::Parts;
use super::place::{Place, SUPERBLOCK_BYTES, Version, read_up_to, to_bytes};
use super::v0::V0;
use super::v1::V1;
use super::{NAME, decode};
use crate::device::{Device, DeviceError};
use crate::format::rebuild::{RebuildError, Replacement, Round};
use crate::model::Area;
use crate::record::ChecksumState;
use crate::units::{SECTOR_LENGTH, Sectors};

/// What to write: see the module.
///
/// # Errors
/// What md, or the disks, can not do.
pub(in crate::format) fn renew(replacement: &Replacement) -> Result<Vec<Round>, RebuildError> {
    let (mut old, mut new): (Vec<Own<V0>>, Vec<Own<V1>>) = (Vec::new(), Vec::new());
    for (index, device) in replacement.members.iter().enumerate() {
        let found = find(device, &replacement.volume);
        let found = found.map_err(|error| RebuildError::disk(NAME, device, error.to_string()))?;
        match found {
            Some((place, Superblock::V0(superblock), facts)) => {
                let bitmap = Parts::of_v0(device, &place, &facts).bitmap;
                old.push(Own { index, place, superblock: *superblock, bitmap });
            }
            Some((place, Superblock::V1(superblock), facts)) => {
                let bitmap = Parts::of_v1(device, &place, &superblock, &facts).bitmap;
                new.push(Own { index, place, superblock: *superblock, bitmap });
            }
            None => {
                let message = "its superblock is damaged, or of another array";
                return Err(RebuildError::disk(NAME, device, message));
            }
        }
    }
    if old.is_empty() { v1::renew(replacement, &new) } else { v0::renew(replacement, &old) }
}

/// A member with its superblock.
struct Own<S> {
    index: usize,
    place: Place,
    superblock: S,
    bitmap: Option<Bitmap>,
}

/// The sound superblock of the array on a device.
fn find(device: &Device, uuid: &str) -> Result<Option<(Place, Superblock, Facts)>, DeviceError> {
    for place in Version::ALL.into_iter().filter_map(|version| Place::on(device, version)) {
        let bytes = read_up_to(device, place.sector, SUPERBLOCK_BYTES)?;
        let (superblock, problems) = decode(&bytes, &place).into_parts();
        let is_sound = !problems.iter().any(crate::record::Problem::is_error);
        let Some(superblock) = superblock.filter(|_| is_sound) else { continue };
        let facts = match &superblock {
            Superblock::V0(superblock) => superblock.facts(),
            Superblock::V1(superblock) => superblock.facts(),
        };
        if facts.set_uuid == uuid {
            return Ok(Some((place, superblock, facts)));
        }
    }
    Ok(None)
}

fn area(role: &'static str, sector: Sectors, bytes: Vec<u8>, checksum: ChecksumState) -> Area {
    Area { role, offset: to_bytes(sector), bytes, checksum }
}

fn too_small(device: &Device, needed: u64) -> RebuildError {
    let found = device.length_sectors();
    RebuildError::disk(NAME, device, format!("has {found} sectors, expected at least {needed}"))
}

/// Of bytes that are there already, those up to the last sector that changes: mostly one, which is never torn.
fn changed(mut bytes: Vec<u8>, before: &[u8]) -> Vec<u8> {
    let sectors = bytes.chunks(SECTOR_LENGTH).zip(before.chunks(SECTOR_LENGTH));
    let differs = |(new, old): (&[u8], &[u8])| new != old;
    let last = sectors.map(differs).rposition(|is_changed| is_changed).unwrap_or_default();
    if bytes.len() == before.len() {
        bytes.truncate(last.saturating_add(1).saturating_mul(SECTOR_LENGTH));
    }
    bytes
}
