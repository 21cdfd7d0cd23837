//! LVM2: volume groups, of which RAID is only a part.
//!
//! A physical volume has a label in one of its first four sectors. The label leads to metadata areas: a
//! header and a ring of texts. The newest text describes the whole group in LVM's
//! configuration grammar: its physical volumes, its logical volumes, and the segments that these consist of.
//! A physical volume may have no metadata area; then the others describe it.
//!
//! Each logical volume becomes a volume of the view, those that others consist of first: the images of a raid, and
//! the small volumes that hold their dm-raid superblocks. So arrays and tables are LVM's own, down to the names. What is
//! in step the superblocks know, not the text: see [`crate::group`].
//!
//! Not read, and said so of the logical volume alone: thin pools, caches, snapshots, VDO, integrity, a raid in the middle
//! of a reshape. Texts are only read: writing a new one is LVM's business.
//!
//! The facts are those of LVM2 2.03, read and measured.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod area;
mod carve;
mod checksum;
mod config;
mod history;
mod label;
mod member;
mod raid;
mod segment;
#[cfg(test)]
mod tests;
mod text;
mod vg;
mod view;

use super::{Format, Found, Generation, Range, Signature};
use crate::device::{Device, DeviceError};
use crate::record::Problem;
use crate::units::{Bytes, SECTOR_BYTES, SECTOR_LENGTH};
use label::Label;
use member::Lvm2Member;

/// Name of the format.
const NAME: &str = "lvm2";

/// The format.
pub struct Lvm2;

impl Format for Lvm2 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn description(&self) -> &'static str {
        "LVM2 physical volumes"
    }

    fn whole_disk_only(&self) -> bool {
        false
    }

    /// As LVM does: the first sound label counts. One that is not is reported where there is no other.
    fn find(&self, device: &Device) -> Result<Vec<Found>, DeviceError> {
        Ok(load(device)?.map(Lvm2Member::into_found).into_iter().collect())
    }

    fn signatures(&self) -> &'static [Signature] {
        &carve::SIGNATURES
    }

    fn windows(&self, disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
        carve::windows(disk, at)
    }

    fn history(&self, device: &Device) -> Result<Vec<Generation>, DeviceError> {
        let Some(member) = load(device)? else { return Ok(Vec::new()) };
        let mut generations = history::of_areas(device, member.metadata_areas())?;
        generations.sort_by_key(|generation| std::cmp::Reverse((generation.generation, generation.current)));
        Ok(generations)
    }
}

fn load(device: &Device) -> Result<Option<Lvm2Member>, DeviceError> {
    let mut labels = Vec::new();
    for sector in 0..label::SECTORS {
        let offset = Bytes(sector.saturating_mul(SECTOR_BYTES));
        let Some(bytes) = device.read(offset, SECTOR_LENGTH)? else { break };
        labels.extend(Label::decode(&bytes, offset));
    }
    let best = labels.iter().position(|label| label.damage().is_empty()).unwrap_or_default();
    if labels.is_empty() {
        return Ok(None);
    }
    let chosen = labels.remove(best);
    let other = |label: Label| {
        let message = format!(
            "another label is in sector {}; the first sound one counts",
            label.offset.0 / SECTOR_BYTES
        );
        Problem::warning("several-labels", message)
    };
    let problems = labels.into_iter().map(other).collect();
    Ok(Some(Lvm2Member::load(device, chosen, problems)))
}
