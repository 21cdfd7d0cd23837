//! New sets, as the vendor's BIOS and driver leave them: healthy, whatever is on the disks.

use super::levels::{MAX_DISKS, raid_type};
use super::meaning::Date;
use super::sector::{Config, Head, High, MAGIC_OK, REBUILT, Sector};
use super::{FROM_END, NAME, place};
use crate::device::{Device, ReadAt};
use crate::format::create::{CreateError, NewMember, NewSet};
use crate::format::time::utc;
use crate::format::vendor::{Plan, Rules, mirrored_stripes_place};
use crate::geometry::Level;
use crate::units::{Bytes, SECTOR_LENGTH, Sectors, Slot};

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
    reserved: Sectors(FROM_END),
    largest: Sectors(u64::MAX),
    spares: 8,
};

/// Longest name; a NUL follows it.
const NAME_BYTES: usize = 15;

const CREATOR: &[u8] = b"raid-meta";

/// The sectors of all disks, then of the spares.
pub(in crate::format) fn create(set: &NewSet) -> Result<Vec<NewMember>, CreateError> {
    let plan = RULES.plan(set)?;
    let new = New { plan: &plan, set, name: RULES.name::<NAME_BYTES>(&set.name, 0)?, stamp: stamp(set) };
    let slots = (0..).map(Slot).zip(&set.disks);
    let members = slots.map(|(slot, disk)| new.member(slot, disk));
    members.chain(set.spares.iter().map(|disk| new.spare(disk))).collect()
}

/// The stamp of the set; a spare has none.
fn stamp(set: &NewSet) -> u32 {
    let [a, b, c, d, ..] = set.identity_for("hpt45x stamp");
    u32::from_le_bytes([a, b, c, d]).max(1)
}

struct New<'a> {
    plan: &'a Plan,
    set: &'a NewSet,
    name: [u8; NAME_BYTES],
    stamp: u32,
}

impl New<'_> {
    fn member(&self, slot: Slot, disk: &Device) -> Result<NewMember, CreateError> {
        let mut sector = self.blank(disk, slot)?;
        let geometry = &self.plan.geometry;
        sector.head.magic_0 = self.stamp;
        if geometry.level == Level::Raid10 {
            let (half, in_stripe) = mirrored_stripes_place(slot);
            sector.head.config_entries = 2;
            self.entry(&mut sector, 0, (raid_type::RAID0, geometry.slots / 2, in_stripe));
            self.entry(&mut sector, 1, (raid_type::RAID1, 2, half));
        } else {
            self.entry(&mut sector, 0, (single_type(geometry.level), geometry.slots, slot.0));
        }
        Ok(sealed(&sector))
    }

    fn entry(&self, sector: &mut Sector, index: usize, (raid_type, disks, number): (u8, u32, u32)) {
        let [low, high] = halves(self.plan.size);
        let byte = |number: u32| u8::try_from(number).unwrap_or(u8::MAX);
        if let (Some(config), Some(words)) = (sector.configs.get_mut(index), sector.high.get_mut(index)) {
            *config = Config {
                total_sectors: low,
                raid_type,
                total_disks: byte(disks),
                disk_number: byte(number),
                stripe_shift: byte(self.plan.chunk.get().trailing_zeros()),
                status: 0,
                critical_disks: 0,
                rebuild_lba: REBUILT,
            };
            *words = High { total_sectors: high, rebuild_lba: 0 };
        }
    }

    fn spare(&self, disk: &Device) -> Result<NewMember, CreateError> {
        let mut sector = self.blank(disk, Slot(self.plan.geometry.slots))?;
        let [low, high] = halves(sector.room());
        let ([config, _], [words, _]) = (&mut sector.configs, &mut sector.high);
        config.total_sectors = low;
        words.total_sectors = high;
        Ok(sealed(&sector))
    }

    /// A sector with what all disks have alike.
    fn blank(&self, disk: &Device, slot: Slot) -> Result<Sector, CreateError> {
        let small = || CreateError::Disk {
            device: disk.label(),
            format: NAME,
            slot,
            message: "it has no room for the metadata".to_owned(),
        };
        let offset = place(disk.size()).ok_or_else(small)?;
        let mut sector = zeroed(offset).ok_or_else(small)?;
        sector.head = Head { config_entries: 1, ..sector.head };
        copy(&mut sector.texts.name, &self.name);
        copy(&mut sector.texts.creator, CREATOR);
        sector.texts.timestamp =
            utc(self.set.now).and_then(|text| Date::parsed(&text)?.packed()).unwrap_or_default();
        Ok(sector)
    }
}

fn zeroed(offset: Bytes) -> Option<Sector> {
    let mut bytes = [0; SECTOR_LENGTH];
    bytes.first_chunk_mut().map(|magic| *magic = MAGIC_OK.to_le_bytes())?;
    Sector::decode(&bytes, offset)
}

fn sealed(sector: &Sector) -> NewMember {
    let mut bytes = sector.encode();
    sector.seal_bytes(&mut bytes);
    let sealed = Sector::decode(&bytes, sector.offset);
    NewMember { areas: sealed.iter().map(Sector::area).collect() }
}

fn single_type(level: Level) -> u8 {
    match level {
        Level::Linear => raid_type::SPAN,
        Level::Raid1 => raid_type::RAID1,
        _ => raid_type::RAID0,
    }
}

fn halves(size: Sectors) -> [u32; 2] {
    let word = |value: u64| u32::try_from(value & u64::from(u32::MAX)).unwrap_or(u32::MAX);
    [word(size.0), word(size.0 >> 32)]
}

fn copy(field: &mut [u8], text: &[u8]) {
    for (byte, text) in field.iter_mut().zip(text) {
        *byte = *text;
    }
}
