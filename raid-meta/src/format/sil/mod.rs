//! Silicon Image Medley, also SATARAID: controllers SiI 3112 to 3132.
//!
//! The metadata is one sector: the IDENTIFY data of the disk, with the set written over the words that the vendor may
//! use. It says how many disks there are and which of them this one is, and nothing about the others. There are four
//! copies, 512 sectors apart, the first in the last sector of the disk. What the set is called is the time
//! at which it was made.
//!
//! Offsets are those of dmraid and of FreeBSD's graid, checked with a sector of a real disk. See the modules: `sector` one
//! copy, `copies` the four, `shape` what the numbers add up to, `check` the rules, `fields` every byte named, `view`
//! what it means, `carve` where it would be, `create` new sets, `rebuild` a new disk in one.

mod carve;
mod check;
mod copies;
mod create;
mod fields;
mod rebuild;
mod sector;
mod shape;
#[cfg(test)]
mod tests;
mod view;

pub(super) use create::create;
pub(super) use rebuild::renew;

use super::{Format, Found, Generation, Metadata, Range, Signature};
use crate::device::{Device, DeviceError};
use crate::model::{Area, Field, MemberView};
use crate::record::Problem;
use crate::units::Bytes;
use copies::Copies;

const NAME: &str = "sil";

/// The format.
pub struct Sil;

impl Format for Sil {
    fn name(&self) -> &'static str {
        NAME
    }

    fn description(&self) -> &'static str {
        "Silicon Image Medley, SATARAID"
    }

    fn whole_disk_only(&self) -> bool {
        true
    }

    fn find(&self, device: &Device) -> Result<Vec<Found>, DeviceError> {
        Ok(Copies::read(device)?.map(found).into_iter().collect())
    }

    fn freshest(&self, views: &[&MemberView]) -> (usize, Vec<Problem>) {
        (view::freshest(views), Vec::new())
    }

    fn signatures(&self) -> &'static [Signature] {
        carve::SIGNATURES
    }

    fn windows(&self, disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
        carve::windows(disk, at)
    }

    fn history(&self, device: &Device) -> Result<Vec<Generation>, DeviceError> {
        Ok(Copies::read(device)?.map(|copies| copies.generations()).unwrap_or_default())
    }
}

fn found(copies: Copies) -> Found {
    let offset = copies.first().offset;
    let problems = check::damage(&copies);
    let metadata = SilMetadata { copies };
    Found { version: Some(metadata.version()), metadata: Some(Box::new(metadata)), offset, problems }
}

/// The metadata of one disk.
#[derive(Clone, Debug)]
struct SilMetadata {
    copies: Copies,
}

impl Metadata for SilMetadata {
    fn format(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> String {
        let sector = self.copies.believed();
        format!("{}.{}", sector.major_ver, sector.minor_ver)
    }

    fn areas(&self) -> Vec<Area> {
        self.copies.all().iter().map(sector::Copy::area).collect()
    }

    fn fields(&self) -> Vec<Field> {
        self.copies.all().iter().flat_map(fields::fields).collect()
    }

    fn check(&self) -> Vec<Problem> {
        check::all(&self.copies)
    }

    fn seal(&self, areas: &mut [Area]) {
        self.copies.follow(areas);
        areas.iter_mut().for_each(|area| sector::seal(&mut area.bytes));
    }

    fn copies_agree(&self) -> bool {
        self.copies.agree()
    }

    fn view(&self, _device: &Device) -> MemberView {
        view::view(&self.copies)
    }
}
