//! New sets. A mirror has the type that dmraid and the driver of Linux 2.4 know, a raid10 what the firmware's
//! own tools expect of a mirror over stripes.

use super::levels::{DATA_OFFSET, MAX_DISKS, order, raid_type};
use super::sector::{MAGIC, MAGIC_OK, REBUILT, Sector};
use super::{METADATA, NAME};
use crate::device::Device;
use crate::format::create::{CreateError, NewMember, NewSet};
use crate::format::vendor::{Plan, Rules, mirrored_stripes_place};
use crate::geometry::Level;
use crate::units::{SECTOR_LENGTH, Sectors, Slot};

const RULES: Rules = Rules {
    format: NAME,
    levels: &[
        (Level::Linear, 1..=MAX_DISKS as usize),
        (Level::Raid0, 2..=MAX_DISKS as usize),
        (Level::Raid1, 2..=2),
        (Level::Raid10, 4..=MAX_DISKS as usize),
    ],
    parity: &[],
    chunks: 8..=4096,
    usual_chunk: 128,
    // The first disk has its data over the metadata, as the firmware has it, but no more of it than the others.
    reserved: DATA_OFFSET,
    largest: Sectors(u32::MAX as u64),
    spares: 8,
};

/// Longest name; a NUL follows it.
const NAME_BYTES: usize = 14;

/// The sectors of all disks, then of the spares.
pub(in crate::format) fn create(set: &NewSet) -> Result<Vec<NewMember>, CreateError> {
    let new =
        New { plan: RULES.plan(set)?, name: RULES.name::<NAME_BYTES>(&set.name, 0)?, stamp: stamp(set) };
    let slots = (0..).map(Slot).zip(&set.disks);
    let members = slots.map(|(slot, disk)| new.member(slot, disk));
    members.chain(set.spares.iter().map(|disk| new.spare(disk))).collect()
}

/// The stamp of the set. The two that follow are those of the halves of a raid10.
fn stamp(set: &NewSet) -> u32 {
    let [a, b, c, d, ..] = set.identity_for("hpt37x stamp");
    u32::from_le_bytes([a, b, c, d]).clamp(1, u32::MAX - 2)
}

struct New {
    plan: Plan,
    name: [u8; NAME_BYTES],
    stamp: u32,
}

impl New {
    fn member(&self, slot: Slot, disk: &Device) -> Result<NewMember, CreateError> {
        let mut sector = self.blank(disk, slot)?;
        let geometry = &self.plan.geometry;
        let head = &mut sector.head;
        let (half, in_stripe) = mirrored_stripes_place(slot);
        let (raid_type, level_name) = match geometry.level {
            Level::Linear => (raid_type::SPAN, "SPAN"),
            Level::Raid1 => (raid_type::RAID1, "RAID 1"),
            Level::Raid10 => (raid_type::MIRROR_OF_STRIPES, "RAID 0+1"),
            _ => (raid_type::RAID0, "RAID 0"),
        };
        let (stamps, order, disks, number) = match (geometry.level, half) {
            (Level::Raid10, 0) => {
                let stamps = (self.stamp.saturating_add(1), self.stamp);
                (stamps, order::FIRST | order::CURRENT, geometry.slots / 2, in_stripe)
            }
            (Level::Raid10, _) => {
                let stamps = (self.stamp.saturating_add(2), self.stamp);
                (stamps, order::CURRENT, geometry.slots / 2, in_stripe)
            }
            _ => ((self.stamp, 0), order::OK, geometry.slots, slot.0),
        };
        (head.magic_0, head.magic_1) = stamps;
        head.order = order;
        head.raid_type = raid_type;
        head.raid_disks = byte(disks);
        head.disk_number = byte(number);
        head.raid0_shift = geometry.chunk.map_or(0, |chunk| byte(chunk.get().trailing_zeros()));
        head.total_secs = self.total(geometry.level);
        copy(&mut sector.tail.name_2, level_name.as_bytes());
        Ok(NewMember { areas: vec![sector.area()] })
    }

    /// The first disk of a span has ten sectors more than the plan takes of it.
    fn total(&self, level: Level) -> u32 {
        let more = if level == Level::Linear { DATA_OFFSET } else { Sectors::ZERO };
        u32::try_from(self.plan.size.saturating_add(more).0).unwrap_or(u32::MAX)
    }

    fn spare(&self, disk: &Device) -> Result<NewMember, CreateError> {
        let sector = self.blank(disk, Slot(self.plan.geometry.slots))?;
        Ok(NewMember { areas: vec![sector.area()] })
    }

    /// A sector with what all disks have alike.
    fn blank(&self, disk: &Device, slot: Slot) -> Result<Sector, CreateError> {
        let mut bytes = [0; SECTOR_LENGTH];
        copy(bytes.get_mut(MAGIC..).unwrap_or_default(), &MAGIC_OK.to_le_bytes());
        let sector = Sector::decode(&bytes, METADATA, disk.length_sectors());
        let mut sector = sector.ok_or_else(|| CreateError::Disk {
            device: disk.label(),
            format: NAME,
            slot,
            message: "it has no room for the metadata".to_owned(),
        })?;
        sector.tail.rebuild_lba = REBUILT;
        copy(&mut sector.tail.name_1, &self.name);
        Ok(sector)
    }
}

fn byte(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

fn copy(field: &mut [u8], text: &[u8]) {
    for (byte, text) in field.iter_mut().zip(text) {
        *byte = *text;
    }
}
