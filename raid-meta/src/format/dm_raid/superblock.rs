//! The superblock of one leg: 148 bytes, the rest of its block zeros. There is no checksum.

use crate::disk_struct;
use crate::format::schema::{DiskStruct, Endian};
use crate::geometry::{Geometry, Layout, Level, ParityLayout, Raid10Layout};
use crate::model::Witness;
use crate::record::Problem;
use crate::units::{ChunkSectors, SECTOR_LENGTH, Sectors, Slot};

/// First bytes.
const MAGIC: &[u8; 4] = b"DmRd";
/// Most legs.
const MAX_LEGS: u32 = 253;
/// All ones stand for "up to the end" and for "none".
const ALL: u64 = u64::MAX;
/// The superblock has what kernels from 2016 on write.
const V190: u32 = 1;
const RESHAPE_ACTIVE: u32 = 1;

disk_struct! {
    /// A sector with a superblock.
    pub(super) struct Superblock {
        magic: [u8; 4] as text,
        compat_features: u32 as hex,
        num_devices: u32,
        array_position: i32,
        events: u64,
        failed_devices: u64 as hex,
        disk_recovery_offset: u64 as hex,
        array_resync_offset: u64 as hex,
        level: i32,
        layout: u32 as hex,
        stripe_sectors: u32,
        flags: u32 as hex,
        reshape_position: u64 as hex,
        new_level: i32,
        new_layout: u32 as hex,
        new_stripe_sectors: u32,
        delta_disks: i32,
        array_sectors: u64,
        data_offset: u64,
        new_data_offset: u64,
        sectors: u64,
        failed_devices_64: u64 as hex,
        failed_devices_128: u64 as hex,
        failed_devices_192: u64 as hex,
        incompat_features: u32 as hex,
        reserved: [u8; 364] as raw,
    }
}

impl Superblock {
    /// The superblock in a sector, if there is one. Four bytes of magic are little: numbers that the kernel would
    /// refuse outright say that it is none.
    pub(super) fn read(sector: &[u8]) -> Option<Self> {
        let superblock = Self::decode(sector.get(..SECTOR_LENGTH)?, Endian::Little)?;
        let is_plausible = superblock.magic == *MAGIC
            && (1..=MAX_LEGS).contains(&superblock.num_devices)
            && superblock.slot().is_none_or(|slot| slot.0 < superblock.num_devices)
            && matches!(superblock.level, 0 | 1 | 4 | 5 | 6 | 10)
            && (superblock.stripe_sectors == 0 || superblock.stripe_sectors.is_power_of_two());
        is_plausible.then_some(superblock)
    }

    /// Which leg it is of; none where the kernel ignores it.
    pub(super) fn slot(&self) -> Option<Slot> {
        u32::try_from(self.array_position).ok().map(Slot)
    }

    /// Whether it has what newer kernels write.
    pub(super) fn is_v190(&self) -> bool {
        self.compat_features & V190 != 0
    }

    /// Legs that it calls failed.
    pub(super) fn failed(&self) -> Vec<Slot> {
        let more = [self.failed_devices_64, self.failed_devices_128, self.failed_devices_192];
        let words = std::iter::once(self.failed_devices).chain(more.into_iter().filter(|_| self.is_v190()));
        let bits = words.flat_map(|word| (0..64).map(move |bit| word >> bit & 1 == 1));
        (0..self.num_devices).zip(bits).filter(|(_, failed)| *failed).map(|(slot, _)| Slot(slot)).collect()
    }

    /// Whether it is between two geometries.
    pub(super) fn is_reshaping(&self) -> bool {
        self.is_v190() && (self.flags & RESHAPE_ACTIVE != 0 || self.delta_disks != 0)
    }

    /// How much of the leg is current, while it is rebuilt.
    pub(super) fn recovered(&self) -> Option<Sectors> {
        (self.disk_recovery_offset != ALL).then_some(Sectors(self.disk_recovery_offset))
    }

    /// Up to where redundancy is valid, unless it is everywhere.
    pub(super) fn resync_position(&self) -> Option<Sectors> {
        (self.array_resync_offset != ALL).then_some(Sectors(self.array_resync_offset))
    }

    /// What it says of its array.
    pub(super) fn witness(&self) -> Option<Witness> {
        Some(Witness {
            slot: self.slot()?,
            events: self.events,
            failed: self.failed(),
            recovered: self.recovered(),
            resync_position: self.resync_position(),
            reshaping: self.is_reshaping(),
            data_offset: if self.is_v190() { Sectors(self.data_offset) } else { Sectors::ZERO },
        })
    }

    /// Level, with dm's raid4 for what it is: md's raid5 with the parity first.
    pub(super) fn level(&self) -> Option<Level> {
        Some(match (self.level, self.layout) {
            (0, _) => Level::Raid0,
            (1, _) => Level::Raid1,
            (4, _) | (5, 4) => Level::Raid4,
            (5, _) => Level::Raid5,
            (6, _) => Level::Raid6,
            (10, _) => Level::Raid10,
            _ => return None,
        })
    }

    /// The geometry, if it is one that can be mapped.
    pub(super) fn geometry(&self) -> Option<Geometry> {
        use ParityLayout::*;
        let level = self.level()?;
        let layout = match (level, self.layout) {
            (Level::Raid4, _) => Some(Layout::Parity(ParityFirst)),
            (Level::Raid5 | Level::Raid6, layout) => Some(Layout::Parity(match (level, layout) {
                (Level::Raid5, 0) => LeftAsymmetric,
                (Level::Raid5, 1) => RightAsymmetric,
                (Level::Raid5, 2) => LeftSymmetric,
                (Level::Raid5, 3) => RightSymmetric,
                (_, 5) => ParityLast,
                (Level::Raid6, 8) => DdfZeroRestart,
                (Level::Raid6, 9) => DdfNRestart,
                (Level::Raid6, 10) => DdfNContinue,
                (Level::Raid6, 16) => LeftAsymmetric6,
                (Level::Raid6, 17) => RightAsymmetric6,
                (Level::Raid6, 18) => LeftSymmetric6,
                (Level::Raid6, 19) => RightSymmetric6,
                _ => return None,
            })),
            (Level::Raid10, layout) => Some(Layout::Raid10(Raid10Layout::from_md(layout)?)),
            _ => None,
        };
        let chunk = ChunkSectors::new(self.stripe_sectors).filter(|_| level != Level::Raid1);
        Some(Geometry { level, layout, chunk, slots: self.num_devices })
    }

    /// What is wrong with it.
    pub(super) fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut fail = |code: &str, message: String| problems.push(Problem::error(code, message));
        if self.compat_features > V190 {
            fail(
                "unsupported-feature",
                format!("compatible features are {:#x}, expected 0 or 1", self.compat_features),
            );
        }
        if self.is_v190() && self.incompat_features != 0 {
            fail(
                "unsupported-feature",
                format!("incompatible features are {:#x}, expected 0", self.incompat_features),
            );
        }
        if self.geometry().is_none() {
            fail("layout-unsupported", format!("level {} has layout {:#x}", self.level, self.layout));
        }
        if self.level != 1 && self.stripe_sectors == 0 {
            fail("chunk-invalid", format!("level {} has no stripe size", self.level));
        }
        if self.slot().is_none() {
            fail("slot-invalid", format!("position is {}, expected 0 or more", self.array_position));
        }
        if self.is_reshaping() {
            problems.push(Problem::warning("reshaping", "the array is being reshaped"));
        }
        problems
    }
}

/// What a sector says, if it is a superblock that can be believed.
pub(super) fn witness(sector: &[u8]) -> Option<Witness> {
    let superblock = Superblock::read(sector)?;
    let is_readable =
        superblock.compat_features <= V190 && (!superblock.is_v190() || superblock.incompat_features == 0);
    superblock.witness().filter(|_| is_readable)
}
