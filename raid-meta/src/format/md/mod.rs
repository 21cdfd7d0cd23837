//! Linux md: software RAID with metadata 0.90 and 1.0, 1.1, 1.2.
//!
//! A device has one superblock, whose version is a matter of where it is ([`place`](self)). Beside it there may be a
//! write-intent bitmap, a bad-block log, a partial parity log or a journal. A 1.x superblock says on which sector
//! it belongs, so one that is seen through a window that is not its own is `misplaced`. A 0.90 superblock does
//! not say: the one of a partition at the end of a disk is found through the disk as well, and only the
//! comparison of the two windows, by place on the disk, tells whose it is.
//!
//! Problems that make a superblock not to be believed are errors of the find: `truncated`, `unsupported-version`,
//! `max-dev-invalid`, `checksum`, `misplaced`, `unsupported-feature`, `feature-contradiction`, `data-too-small`,
//! `data-out-of-range`, `data-overlaps-superblock`, `size-overrun`, `device-number-invalid`. A device that was cut
//! short is only warned of (`device-too-small`): what is left can be read. A geometry that can not be mapped
//! (`level-`, `layout-unsupported`, `layout-overlaps`, `slots-`, `chunk-`, `size-`, `reshape-position-invalid`) is
//! an error of the volume.
//!
//! The facts are those of the Linux md driver and of mdadm, read and measured.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod badblocks;
pub(super) mod bitmap;
mod carve;
mod checksum;
mod create;
mod facts;
mod journal;
mod member;
mod parts;
mod place;
mod ppl;
mod rebuild;
mod reshape;
mod seal;
mod shape;
#[cfg(test)]
mod tests;
mod v0;
mod v0_fields;
mod v1;
mod v1_fields;
mod view;
mod words;

pub(super) use create::create;
pub(super) use rebuild::renew;

use super::{Decoded, Format, Found, Range, Signature};
use crate::device::{Device, DeviceError};
use crate::model::{ReshapeView, VolumeView};
use crate::record::{Direction, Problem};
use crate::units::Bytes;
use member::{MdMember, Superblock};
use place::{MAGIC, Place, SUPERBLOCK_BYTES, Version, read_up_to};
use v0::V0;
use v1::V1;

/// Name of the format.
const NAME: &str = "md";

/// The format.
pub struct Md;

impl Format for Md {
    fn name(&self) -> &'static str {
        NAME
    }

    fn description(&self) -> &'static str {
        "Linux software RAID (md 0.90, 1.0, 1.1, 1.2)"
    }

    fn whole_disk_only(&self) -> bool {
        false
    }

    /// Four reads of a few bytes each, where there is nothing. All finds are reported: a device that was used
    /// twice has two superblocks. A place that can not be read is an error only if nothing was found elsewhere.
    fn find(&self, device: &Device) -> Result<Vec<Found>, DeviceError> {
        let mut found = Vec::new();
        let mut failure = None;
        for place in Version::ALL.into_iter().filter_map(|version| Place::on(device, version)) {
            match look(device, place) {
                Ok(find) => found.extend(find),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        match failure {
            Some(error) if found.is_empty() => Err(error),
            _ => Ok(found),
        }
    }

    /// Members can differ in the position when their superblocks were being written: the furthest is true, because
    /// a position is recorded after the data before it was moved.
    fn reshape(&self, views: &[&VolumeView]) -> Option<ReshapeView> {
        let champion = views.first()?.reshape.as_ref()?;
        let same = |view: &&ReshapeView| {
            (view.from, view.to, view.direction) == (champion.from, champion.to, champion.direction)
        };
        let alike = views.iter().filter_map(|view| view.reshape.as_ref()).filter(same);
        let furthest = match champion.direction {
            Direction::Forward => alike.max_by_key(|view| view.position),
            Direction::Backward => alike.min_by_key(|view| view.position),
        };
        furthest.cloned()
    }

    fn signatures(&self) -> &'static [Signature] {
        &carve::SIGNATURES
    }

    fn windows(&self, disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
        carve::windows(disk, at)
    }
}

/// Looks at one place: at the magic number first, because mostly there is nothing.
fn look(device: &Device, place: Place) -> Result<Option<Found>, DeviceError> {
    let magic = read_up_to(device, place.sector, 4)?;
    let is_ours =
        magic == MAGIC.to_le_bytes() || (place.version == Version::V090 && magic == MAGIC.to_be_bytes());
    if !is_ours {
        return Ok(None);
    }
    let bytes = read_up_to(device, place.sector, SUPERBLOCK_BYTES)?;
    let (superblock, problems) = match decode(&bytes, &place) {
        Decoded::NotOurs => return Ok(None),
        Decoded::Sound(superblock) => (Some(superblock), Vec::new()),
        Decoded::Damaged(superblock, problems) => (superblock, problems),
    };
    Ok(Some(found(device, place, superblock, problems)))
}

fn decode(bytes: &[u8], place: &Place) -> Decoded<Superblock> {
    match place.version {
        Version::V090 => map(V0::decode(bytes, place), |superblock| Superblock::V0(Box::new(superblock))),
        _ => map(V1::decode(bytes, place), |superblock| Superblock::V1(Box::new(superblock))),
    }
}

fn map<A, B>(decoded: Decoded<A>, convert: impl FnOnce(A) -> B) -> Decoded<B> {
    match decoded {
        Decoded::NotOurs => Decoded::NotOurs,
        Decoded::Sound(value) => Decoded::Sound(convert(value)),
        Decoded::Damaged(value, problems) => Decoded::Damaged(value.map(convert), problems),
    }
}

fn found(device: &Device, place: Place, superblock: Option<Superblock>, problems: Vec<Problem>) -> Found {
    let load = |superblock| -> Box<dyn super::Metadata> {
        Box::new(MdMember::load(device, place, superblock, problems.clone()))
    };
    Found {
        metadata: superblock.map(load),
        offset: place.offset(),
        version: Some(place.version.name().to_owned()),
        problems,
    }
}
