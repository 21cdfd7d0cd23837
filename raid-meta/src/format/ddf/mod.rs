//! SNIA Disk Data Format, versions 1.0 to 2.0: LSI and Dell controllers, some of Adaptec, mdadm's `ddf`.
//!
//! The disks of a *group* carry the same tables of *physical disks* and *virtual disks*, in two copies, and each
//! disk for itself the *configurations* of those virtual disks that it is in. An anchor in the last block points
//! to the copies. A virtual disk of a nested level is made of *elements*, each with a configuration of its own on
//! its own disks.
//!
//! Facts are those that mdadm's and firmware's metadata show; see the modules: `structs` the structures, `sum`
//! their checksums, `copy` a header and its sections, `read` from a device to them, `metadata` which copy counts,
//! `tables` what the sections say, `level` RAID levels, `view` and `volume` what it means, `complete` what only
//! the disks together know, `check` the rules, `fields` and `meaning` every byte named, `create` and `fresh` new
//! sets, `carve` disks in the middle of something.

mod carve;
mod check;
mod complete;
mod copy;
mod create;
mod edit;
mod fields;
mod fresh;
mod level;
mod meaning;
mod metadata;
mod names;
mod read;
mod rebuild;
mod structs;
mod sum;
mod tables;
#[cfg(test)]
mod tests;
mod transition;
mod view;
mod volume;

pub(super) use create::create;
pub(super) use rebuild::renew;

use super::transition::{Present, Rewrite, Transition, TransitionError};
use super::{Format, Found, Generation, Metadata, Range, Signature};
use crate::device::{Device, DeviceError};
use crate::model::MemberView;
use crate::record::Problem;
use crate::units::Bytes;

const NAME: &str = "ddf";

/// The format.
pub struct Ddf;

impl Format for Ddf {
    fn name(&self) -> &'static str {
        NAME
    }

    fn description(&self) -> &'static str {
        "SNIA Disk Data Format (LSI MegaRAID, Dell PERC, Adaptec, mdadm's ddf)"
    }

    fn whole_disk_only(&self) -> bool {
        true
    }

    fn find(&self, device: &Device) -> Result<Vec<Found>, DeviceError> {
        Ok(read::find(device)?.map(found).into_iter().collect())
    }

    fn signatures(&self) -> &'static [Signature] {
        &carve::SIGNATURES
    }

    fn windows(&self, disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
        carve::windows(disk, at)
    }

    fn transition(
        &self,
        volume: &str,
        members: &[Present],
        to: Transition,
        now: u64,
    ) -> Result<Vec<Rewrite>, TransitionError> {
        transition::transition(volume, members, to, now)
    }

    fn history(&self, device: &Device) -> Result<Vec<Generation>, DeviceError> {
        Ok(match read::find(device)? {
            Some(read::Found::Metadata(ddf)) => carve::history(&ddf),
            _ => Vec::new(),
        })
    }

    fn complete(&self, views: &mut [&mut MemberView]) {
        complete::complete(views);
    }
}

fn found(found: read::Found) -> Found {
    match found {
        read::Found::Metadata(ddf) => Found {
            offset: ddf.offset(),
            version: Some(ddf.version()),
            problems: ddf.fatal_problems(),
            metadata: Some(ddf),
        },
        read::Found::OtherBlocks(block, offset) => {
            let size = block.bytes();
            let message = format!(
                "the anchor is where a disk with blocks of {size} bytes has it (--sector-size {size})"
            );
            let problems = vec![Problem::error("sector-size", message)];
            Found { metadata: None, offset, version: None, problems }
        }
    }
}
