//! RAID levels: the format's three numbers and their qualifiers, and ours.
//!
//! A virtual disk is one or several *elements*, each a primary RAID level over disks, which a secondary level
//! combines. Most combinations with mirrors are one array. The others are arrays of arrays.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::structs::VdConfig;
use crate::geometry::{Geometry, Layout, Level, ParityLayout, Raid10Layout};
use crate::record::Problem;
use crate::units::{ChunkSectors, Sectors};

/// Primary levels.
mod prl {
    pub(super) const RAID0: u8 = 0x00;
    pub(super) const RAID1: u8 = 0x01;
    pub(super) const RAID3: u8 = 0x03;
    pub(super) const RAID4: u8 = 0x04;
    pub(super) const RAID5: u8 = 0x05;
    pub(super) const RAID6: u8 = 0x06;
    pub(super) const MDF: u8 = 0x07;
    pub(super) const JBOD: u8 = 0x0f;
    pub(super) const RAID1E: u8 = 0x11;
    pub(super) const RAID5E: u8 = 0x15;
    pub(super) const CONCAT: u8 = 0x1f;
    pub(super) const RAID5EE: u8 = 0x25;
    pub(super) const RAID5R: u8 = 0x35;
}

/// Secondary levels.
mod srl {
    pub(super) const STRIPED: u8 = 0;
    pub(super) const MIRRORED: u8 = 1;
    pub(super) const CONCATENATED: u8 = 2;
    pub(super) const SPANNED: u8 = 3;
    pub(super) const NONE: u8 = 0xff;
}

/// Largest exponent of a strip: 2 GiB in blocks of 512 bytes.
const MAX_STRIP: u8 = 22;

/// How the elements of a virtual disk make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// All disks of all elements are slots of one array: element by element.
    Flat(Geometry),
    /// One array too, but the first disks of all elements come before all the second ones.
    Interleaved(Geometry),
    /// Each element is an array, and they are the slots of another.
    Nested { inner: Geometry, outer: Geometry },
}

impl Shape {
    /// The shape that a configuration records, on disks whose blocks have that many sectors. `by_mdadm` says who
    /// made it.
    ///
    /// # Errors
    /// What can not be understood.
    pub(super) fn of(head: &VdConfig, block: u64, by_mdadm: bool) -> Result<Self, Problem> {
        let elements = u32::from(head.secondary_element_count);
        let inner = primary(head, block, by_mdadm)?;
        if elements <= 1 {
            return Ok(Self::Flat(inner));
        }
        let slots = inner.slots.saturating_mul(elements);
        let near =
            |copies: u32| u8::try_from(copies).map(|copies| Layout::Raid10(Raid10Layout::near(copies)));
        let chunk = strip(head, block);
        let raid10 = |copies: u32| -> Option<Geometry> {
            let layout = near(copies).ok()?;
            Some(Geometry { level: Level::Raid10, layout: Some(layout), chunk: Some(chunk?), slots })
        };
        let striped = matches!(head.secondary_raid_level, srl::STRIPED | srl::SPANNED);
        let one = match (inner.level, head.secondary_raid_level) {
            (Level::Raid1, _) if striped => raid10(inner.slots).map(Self::Flat),
            (Level::Raid0, srl::MIRRORED) => raid10(elements).map(Self::Interleaved),
            (Level::Raid1, srl::MIRRORED) => Some(Self::Flat(Geometry { slots, ..inner })),
            _ => None,
        };
        match one {
            Some(shape) => Ok(shape),
            None => Ok(Self::Nested { inner, outer: secondary(head, &inner, block)? }),
        }
    }

    /// The geometry of the whole.
    pub(super) fn geometry(&self) -> Geometry {
        match self {
            Self::Flat(geometry) | Self::Interleaved(geometry) => *geometry,
            Self::Nested { outer, .. } => *outer,
        }
    }

    /// Whether it can do without a disk.
    pub(super) fn is_redundant(&self) -> bool {
        match self {
            Self::Flat(geometry) | Self::Interleaved(geometry) => geometry.level.is_redundant(),
            Self::Nested { inner, outer } => inner.level.is_redundant() || outer.level.is_redundant(),
        }
    }
}

/// What [`super::structs::VdEntry::vd_state`] says in its low bits.
mod state {
    pub(super) const OPTIMAL: u8 = 0;
    pub(super) const DEGRADED: u8 = 1;
    pub(super) const FAILED: u8 = 4;
    pub(super) const PARTIALLY_OPTIMAL: u8 = 5;
}

/// The state of an element whose disks work or do not.
pub(super) fn element_state(geometry: &Geometry, working: &[bool]) -> u8 {
    let works = working.iter().filter(|&&works| works).count();
    let could_lose_another = match geometry.level {
        Level::Raid1 => works > 1,
        Level::Raid6 => works.saturating_add(1) >= working.len(),
        _ => false,
    };
    if working.iter().all(|&works| works) {
        state::OPTIMAL
    } else if crate::group::loses_data(geometry, working) {
        state::FAILED
    } else if could_lose_another {
        state::PARTIALLY_OPTIMAL
    } else {
        state::DEGRADED
    }
}

/// The state of a virtual disk whose elements have these.
pub(super) fn combined_state(secondary_level: u8, elements: &[u8]) -> u8 {
    let has = |state: u8| elements.contains(&state);
    let is_optimal = elements.iter().all(|&element| element == state::OPTIMAL);
    match elements {
        [one] => *one,
        _ if is_optimal => state::OPTIMAL,
        _ if secondary_level == srl::MIRRORED => {
            if has(state::OPTIMAL) {
                state::PARTIALLY_OPTIMAL
            } else if elements.iter().all(|&element| element == state::FAILED) {
                state::FAILED
            } else {
                state::DEGRADED
            }
        }
        _ if has(state::FAILED) => state::FAILED,
        _ if has(state::DEGRADED) => state::DEGRADED,
        _ => state::PARTIALLY_OPTIMAL,
    }
}

/// The strip in sectors; none where there is none, or it can not be.
fn strip(head: &VdConfig, block: u64) -> Option<ChunkSectors> {
    if head.strip_size > MAX_STRIP {
        return None;
    }
    let sectors = block.checked_shl(u32::from(head.strip_size))?;
    ChunkSectors::new(u32::try_from(sectors).ok()?)
}

/// Whether the primary level needs a strip.
fn primary(head: &VdConfig, block: u64, by_mdadm: bool) -> Result<Geometry, Problem> {
    let slots = u32::from(head.primary_element_count);
    let (level, layout) = primary_level(head, by_mdadm)?;
    let chunk = match level {
        Level::Linear | Level::Raid1 => None,
        _ => Some(strip(head, block).ok_or_else(|| {
            let message = format!("strip_size is {}, expected 0 to {MAX_STRIP}", head.strip_size);
            Problem::error("chunk", message)
        })?),
    };
    let least = match level {
        Level::Linear | Level::Raid0 => 1,
        Level::Raid1 | Level::Raid4 | Level::Raid5 | Level::Raid10 => 2,
        Level::Raid6 => 3,
    };
    if slots < least {
        let message = format!("primary_element_count is {slots}, expected at least {least} with {level}");
        return Err(Problem::error("member-count", message));
    }
    Ok(Geometry { level, layout, chunk, slots })
}

fn primary_level(head: &VdConfig, by_mdadm: bool) -> Result<(Level, Option<Layout>), Problem> {
    let parity = |level, layout: ParityLayout| Ok((level, Some(Layout::Parity(layout))));
    let qualifier = head.raid_level_qualifier;
    match (head.primary_raid_level, qualifier) {
        (prl::RAID0, _) => Ok((Level::Raid0, None)),
        (prl::RAID1, _) => Ok((Level::Raid1, None)),
        (prl::RAID4, 0) => parity(Level::Raid4, ParityLayout::ParityFirst),
        (prl::RAID4, 1) => parity(Level::Raid4, ParityLayout::ParityLast),
        (prl::RAID5, 0) => parity(Level::Raid5, ParityLayout::RightAsymmetric),
        (prl::RAID5, 2) => parity(Level::Raid5, ParityLayout::LeftAsymmetric),
        (prl::RAID5, 3) => parity(Level::Raid5, ParityLayout::LeftSymmetric),
        (prl::RAID6, 1) => parity(Level::Raid6, ParityLayout::DdfZeroRestart),
        (prl::RAID6, 2) => parity(Level::Raid6, ParityLayout::DdfNRestart),
        (prl::RAID6, 3) => parity(Level::Raid6, ParityLayout::DdfNContinue),
        (prl::RAID1E, 0) => Ok((Level::Raid10, Some(Raid10Layout::near(2).into()))),
        (prl::RAID1E, 1) => Ok((Level::Raid10, Some(raid1e_offset(by_mdadm).into()))),
        (prl::JBOD | prl::CONCAT, _) => Ok((Level::Linear, None)),
        (prl::RAID4 | prl::RAID5 | prl::RAID6 | prl::RAID1E, _) => {
            let message =
                format!("raid_level_qualifier is {qualifier} with {}", level_name(head.primary_raid_level));
            Err(Problem::error("unsupported-layout", message))
        }
        (other, _) => {
            let message = format!("the primary level is {}, which is not supported", level_name(other));
            Err(Problem::error("unsupported-level", message))
        }
    }
}

/// The specification puts the second copy of a strip into the next row. mdadm, which does not make such sets unless
/// told to, has the kernel put it into the second half of the disks.
fn raid1e_offset(by_mdadm: bool) -> Raid10Layout {
    Raid10Layout { near: 1, far: 2, offset: !by_mdadm, ..Raid10Layout::near(1) }
}

/// What combines elements of that geometry. Where they are striped, the unit is all data of one of their stripes.
fn secondary(head: &VdConfig, inner: &Geometry, block: u64) -> Result<Geometry, Problem> {
    let slots = u32::from(head.secondary_element_count);
    let simple = |level| Ok(Geometry { level, layout: None, chunk: None, slots });
    match head.secondary_raid_level {
        srl::STRIPED | srl::SPANNED => {
            let strips = data_slots(inner);
            let chunk = strip(head, block).and_then(|strip| strip.get().checked_mul(strips));
            let chunk = chunk.and_then(ChunkSectors::new).ok_or_else(|| {
                let message = format!("strip_size is {}, expected 0 to {MAX_STRIP}", head.strip_size);
                Problem::error("chunk", message)
            })?;
            Ok(Geometry { level: Level::Raid0, layout: None, chunk: Some(chunk), slots })
        }
        srl::MIRRORED => simple(Level::Raid1),
        srl::CONCATENATED => simple(Level::Linear),
        other => {
            let message = format!("secondary_raid_level is {other:#04x}, expected 0 to 3");
            Err(Problem::error("unsupported-level", message))
        }
    }
}

/// Slots' worth of data in a stripe.
fn data_slots(geometry: &Geometry) -> u32 {
    match geometry.level {
        Level::Raid1 => 1,
        Level::Linear => 1,
        Level::Raid10 => {
            let copies = geometry.layout.and_then(Layout::raid10).map_or(1, Raid10Layout::copies).max(1);
            geometry.slots.checked_div(copies).unwrap_or(1).max(1)
        }
        level => geometry.slots.saturating_sub(level.parities()).max(1),
    }
}

/// As many whole units as there are.
pub(super) fn whole(sectors: u64, unit: u64) -> u64 {
    sectors.checked_div(unit).unwrap_or_default().saturating_mul(unit)
}

/// Copies of each chunk.
pub(super) fn copies(geometry: &Geometry) -> u32 {
    geometry.layout.and_then(Layout::raid10).map_or(1, Raid10Layout::copies).max(1)
}

/// What an array of that geometry holds, with so much on every slot.
pub(super) fn capacity(geometry: &Geometry, per_slot: Sectors) -> Sectors {
    let chunk = geometry.chunk.map_or(1, |chunk| u64::from(chunk.get()));
    let per_slot = whole(per_slot.0, chunk);
    Sectors(match geometry.level {
        Level::Raid1 => per_slot,
        Level::Linear => per_slot.saturating_mul(u64::from(geometry.slots)),
        Level::Raid10 => {
            let rows = per_slot.checked_div(chunk).unwrap_or_default();
            let chunks =
                rows.saturating_mul(u64::from(geometry.slots)).checked_div(u64::from(copies(geometry)));
            chunks.unwrap_or_default().saturating_mul(chunk)
        }
        _ => per_slot.saturating_mul(u64::from(data_slots(geometry))),
    })
}

/// The primary level in words.
pub(super) fn level_name(level: u8) -> String {
    let name = match level {
        prl::RAID0 => "raid0",
        prl::RAID1 => "raid1",
        prl::RAID3 => "raid3",
        prl::RAID4 => "raid4",
        prl::RAID5 => "raid5",
        prl::RAID6 => "raid6",
        prl::MDF => "multi-disk failure raid",
        prl::JBOD => "single disk",
        prl::RAID1E => "raid1e",
        prl::RAID5E => "raid5e",
        prl::CONCAT => "concatenation",
        prl::RAID5EE => "raid5ee",
        prl::RAID5R => "raid5r",
        other => return format!("unknown ({other:#04x})"),
    };
    name.to_owned()
}

/// The secondary level in words.
pub(super) fn secondary_name(level: u8) -> Option<&'static str> {
    match level {
        srl::STRIPED => Some("striped"),
        srl::MIRRORED => Some("mirrored"),
        srl::CONCATENATED => Some("concatenated"),
        srl::SPANNED => Some("spanned"),
        srl::NONE => Some("none"),
        _ => None,
    }
}

/// The numbers for a geometry, as mdadm has them; see [`Shape::of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) primary_raid_level: u8,
    pub(super) raid_level_qualifier: u8,
    pub(super) secondary_raid_level: u8,
    pub(super) primary_element_count: u16,
    pub(super) secondary_element_count: u8,
}

impl Numbers {
    /// The numbers of a geometry; none where the format has none for it.
    pub(super) fn of(geometry: &Geometry) -> Option<Self> {
        let slots = u16::try_from(geometry.slots).ok()?;
        let simple = |level, qualifier| Self {
            primary_raid_level: level,
            raid_level_qualifier: qualifier,
            secondary_raid_level: srl::NONE,
            primary_element_count: slots,
            secondary_element_count: 1,
        };
        let layout = geometry.layout;
        Some(match (geometry.level, layout.and_then(Layout::parity)) {
            (Level::Linear, _) => simple(prl::CONCAT, 0),
            (Level::Raid0, _) => simple(prl::RAID0, 0),
            (Level::Raid1, _) => simple(prl::RAID1, u8::from(slots > 2)),
            (Level::Raid4, Some(ParityLayout::ParityFirst)) => simple(prl::RAID4, 0),
            (Level::Raid4, Some(ParityLayout::ParityLast)) => simple(prl::RAID4, 1),
            (Level::Raid5, Some(ParityLayout::RightAsymmetric)) => simple(prl::RAID5, 0),
            (Level::Raid5, Some(ParityLayout::LeftAsymmetric)) => simple(prl::RAID5, 2),
            (Level::Raid5, Some(ParityLayout::LeftSymmetric)) => simple(prl::RAID5, 3),
            (Level::Raid6, Some(ParityLayout::DdfZeroRestart)) => simple(prl::RAID6, 1),
            (Level::Raid6, Some(ParityLayout::DdfNRestart)) => simple(prl::RAID6, 2),
            (Level::Raid6, Some(ParityLayout::DdfNContinue)) => simple(prl::RAID6, 3),
            (Level::Raid10, _) => return Self::of_raid10(layout?.raid10()?, slots, simple),
            _ => return None,
        })
    }

    /// Mirrors that are spanned where they come out even, else the interleaved mirror.
    fn of_raid10(layout: Raid10Layout, slots: u16, simple: impl Fn(u8, u8) -> Self) -> Option<Self> {
        let is = |copies: u8| layout == Raid10Layout::near(copies);
        let copies = match () {
            () if is(2) && slots.is_multiple_of(2) => 2,
            () if is(3) && slots.is_multiple_of(3) => 3,
            () if is(2) => return Some(simple(prl::RAID1E, 0)),
            () if layout == raid1e_offset(true) => return Some(simple(prl::RAID1E, 1)),
            () => return None,
        };
        Some(Self {
            primary_raid_level: prl::RAID1,
            raid_level_qualifier: u8::from(copies > 2),
            secondary_raid_level: srl::SPANNED,
            primary_element_count: copies,
            secondary_element_count: u8::try_from(slots.checked_div(copies)?).ok()?,
        })
    }
}
