//! The dm-raid superblock: what the kernel keeps for each leg of a device-mapper raid target.
//!
//! It is in the first sector of a metadata device, which holds nothing else but a write-intent bitmap 4 KiB further on.
//! LVM makes such devices (`LV_rmeta_N`), and so can anyone with dmsetup. The superblock says which leg of what shape
//! of array it belongs to, which legs have failed, and how far a rebuild or a resync got. It says neither which array
//! that is nor where the data is: it makes a member record, and no array. Nor is it searched for: nothing would follow
//! from a find, and every volume group with raids is full of them.
//!
//! Where the metadata of a set says which device holds the superblock of which leg, [`witness_at`] reads it.
//!
//! The facts are those of the kernel's dm-raid target 1.15, read and measured.

#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

mod superblock;
#[cfg(test)]
mod tests;

use super::md::bitmap::{self, Bitmap, Expected};
use super::schema::{DiskStruct, Endian, FieldWalk};
use super::{Format, Found, Metadata};
use crate::device::{Device, DeviceError};
use crate::model::{Area, Field, MemberView, OwnPart, SlotState, SlotView, VolumeView, Witness};
use crate::record::{ChecksumState, Problem, Role};
use crate::units::{Bytes, SECTOR_LENGTH, Sectors};
use serde_json::Value;
use superblock::Superblock;

/// Name of the format.
const NAME: &str = "dm-raid";
/// From the superblock to the bitmap.
const BITMAP_OFFSET: Bytes = Bytes(4096);

/// The format.
pub struct DmRaid;

impl Format for DmRaid {
    fn name(&self) -> &'static str {
        NAME
    }

    fn description(&self) -> &'static str {
        "superblock of a device-mapper raid target"
    }

    fn whole_disk_only(&self) -> bool {
        false
    }

    fn find(&self, device: &Device) -> Result<Vec<Found>, DeviceError> {
        let Some(bytes) = device.read(Bytes::ZERO, SECTOR_LENGTH)? else { return Ok(Vec::new()) };
        let Some(superblock) = Superblock::read(&bytes) else { return Ok(Vec::new()) };
        let bitmap = read_bitmap(device, Bytes::ZERO);
        let metadata = DmRaidMember { superblock, bitmap };
        Ok(vec![Found {
            offset: Bytes::ZERO,
            version: Some(metadata.version()),
            problems: metadata.superblock.check().into_iter().filter(Problem::is_error).collect(),
            metadata: Some(Box::new(metadata)),
        }])
    }
}

/// What the superblock at a place of a device says of its array; none where there is none that can be believed.
///
/// Regions that the bitmap marks are not in step either, unless a leg has failed: then they are what that leg
/// lacks.
#[must_use]
pub fn witness_at(device: &Device, offset: Bytes) -> Option<Witness> {
    let bytes = device.read(offset, SECTOR_LENGTH).ok()??;
    let mut witness = superblock::witness(&bytes)?;
    if witness.failed.is_empty() && witness.recovered.is_none() {
        let bitmap = read_bitmap(device, offset);
        let expected = Expected { uuid: [0; 16], events: witness.events };
        let dirty = bitmap.and_then(|bitmap| bitmap.first_dirty(&expected));
        witness.resync_position = match (witness.resync_position, dirty) {
            (Some(recorded), Some(dirty)) => Some(recorded.min(dirty)),
            (recorded, dirty) => recorded.or(dirty),
        };
    }
    Some(witness)
}

/// The bitmap of the superblock at `offset`, as far as it can be read.
fn read_bitmap(device: &Device, offset: Bytes) -> Option<Bitmap> {
    let start = offset.checked_add(BITMAP_OFFSET)?;
    let head = device.read(start, bitmap::HEAD_BYTES).ok()??;
    let wanted = bitmap::Head::decode(&head, Endian::Little)?.wanted_bytes()?;
    let wanted =
        usize::try_from(wanted).ok()?.min(bitmap::MAX_BYTES).checked_next_multiple_of(SECTOR_LENGTH)?;
    let bytes = device.read(start, wanted).ok()??;
    Bitmap::decode(&bytes, start.whole_sectors())
}

/// The metadata device of one leg.
#[derive(Debug)]
struct DmRaidMember {
    superblock: Superblock,
    bitmap: Option<Bitmap>,
}

impl DmRaidMember {
    fn bitmap_offset(&self) -> Bytes {
        BITMAP_OFFSET
    }

    /// What the leg is, and what of it is current.
    fn slot_state(&self) -> SlotState {
        match self.superblock.recovered() {
            Some(recovered) if recovered.0 < self.superblock.sectors => SlotState::Rebuilding,
            _ => SlotState::InSync,
        }
    }

    fn state(&self) -> &'static str {
        if self.superblock.is_reshaping() {
            "reshaping"
        } else if self.slot_state() == SlotState::Rebuilding {
            "rebuilding"
        } else if self.superblock.resync_position().is_some() {
            "resyncing"
        } else if self.superblock.failed().is_empty() {
            "clean"
        } else {
            "degraded"
        }
    }

    fn volume(&self) -> VolumeView {
        let superblock = &self.superblock;
        let failed = superblock.failed();
        let slot = |slot: u32| {
            let state = if failed.iter().any(|failed| failed.0 == slot) {
                SlotState::Failed
            } else {
                SlotState::InSync
            };
            SlotView { state, ..SlotView::default() }
        };
        VolumeView {
            level: superblock.level(),
            geometry: superblock.geometry(),
            size: Sectors(superblock.array_sectors),
            slots: (0..superblock.num_devices).map(slot).collect(),
            resync_position: superblock.resync_position(),
            own: Some(OwnPart {
                slot: superblock.slot(),
                length: Sectors(superblock.sectors),
                recovered: superblock.recovered(),
                ..OwnPart::default()
            }),
            state: Some(self.state().to_owned()),
            ..VolumeView::default()
        }
    }
}

impl Metadata for DmRaidMember {
    fn format(&self) -> &'static str {
        NAME
    }

    /// The versions of the target that began to write it.
    fn version(&self) -> String {
        if self.superblock.is_v190() { "1.9" } else { "1.0" }.to_owned()
    }

    fn areas(&self) -> Vec<Area> {
        let mut areas = vec![Area {
            role: "superblock",
            offset: Bytes::ZERO,
            bytes: self.superblock.encode(Endian::Little),
            checksum: ChecksumState::Absent,
        }];
        areas.extend(self.bitmap.as_ref().map(|bitmap| Area {
            role: "bitmap",
            offset: self.bitmap_offset(),
            bytes: bitmap.encode(),
            checksum: ChecksumState::Absent,
        }));
        areas
    }

    fn fields(&self) -> Vec<Field> {
        let bytes = self.superblock.encode(Endian::Little);
        let mut walk = FieldWalk::new(&bytes, Bytes::ZERO, Endian::Little);
        walk.structure::<Superblock>("superblock", "", 0, |name, value| self.superblock.meaning(name, value));
        let mut fields = walk.finish();
        fields.extend(self.bitmap.iter().flat_map(|bitmap| bitmap.fields(self.bitmap_offset())));
        fields
    }

    fn check(&self) -> Vec<Problem> {
        let mut problems = self.superblock.check();
        let expected = Expected { uuid: [0; 16], events: self.superblock.events };
        problems.extend(self.bitmap.iter().flat_map(|bitmap| bitmap.problems(&expected)));
        problems
    }

    /// It does not say of which set it is, so it has no identity to be grouped by.
    fn view(&self, _device: &Device) -> MemberView {
        let superblock = &self.superblock;
        let is_failed = superblock.slot().is_none_or(|slot| superblock.failed().contains(&slot));
        MemberView {
            generation: superblock.events,
            role: if is_failed { Role::Failed } else { Role::Active },
            volumes: vec![self.volume()],
            ..MemberView::default()
        }
    }
}

impl Superblock {
    /// What a value means.
    fn meaning(&self, name: &str, value: &Value) -> Option<String> {
        let all = value.as_str() == Some("0xffffffffffffffff");
        Some(match name {
            "disk_recovery_offset" if all => "in sync".to_owned(),
            "array_resync_offset" if all => "clean".to_owned(),
            "reshape_position" if all => "none".to_owned(),
            "disk_recovery_offset" => format!("{} sectors are current", self.disk_recovery_offset),
            "array_resync_offset" => format!("in step below sector {}", self.array_resync_offset),
            "level" => self.level()?.to_string(),
            "layout" => self.geometry()?.layout?.to_string(),
            "failed_devices" if !self.failed().is_empty() => {
                let slots: Vec<String> = self.failed().iter().map(ToString::to_string).collect();
                format!("failed: {}", slots.join(", "))
            }
            "flags" if self.is_reshaping() => "reshaping".to_owned(),
            _ => return None,
        })
    }
}
