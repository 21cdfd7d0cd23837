//! Which level the type and the order of a disk stand for, and which slot the disk is.
//!
//! | `raid_type` | `order` | |
//! |---|---|---|
//! | 0 | 4 | a disk of a stripe |
//! | 0 | 1 and 4 | a mirror: the first disk has number 0, the other any (`FreeBSD` writes 6) |
//! | 0 or 2 | 1 | a disk of the first half of a mirror over stripes |
//! | 0 or 2 | not 1 | of the second; where it lacks 2, that half is not current |
//! | 1 | | a mirror, as dmraid and the driver of Linux 2.4 know it |
//! | 3 | | one disk after the other |
//! | 6 | | a disk alone |
//! | 7 | which pair | to dmraid a stripe over mirrors; never seen |

use super::sector::{Head, Sector};
use crate::format::vendor::{
    data_members, geometry, mirrored_stripes_slot, round_down, share, striped_mirrors_slot,
};
use crate::geometry::{Geometry, Level};
use crate::record::Problem;
use crate::units::{ChunkSectors, Sectors, Slot};

/// Most disks of a set, or of one half of a raid10.
pub(super) const MAX_DISKS: u8 = 8;
/// Sectors before the data on every disk but the first: the metadata and all before it.
pub(super) const DATA_OFFSET: Sectors = Sectors(10);
/// Largest exponent of the chunk: 512 MiB, far above what any firmware offers.
const MAX_SHIFT: u8 = 20;

/// The types.
pub(super) mod raid_type {
    pub(in super::super) const RAID0: u8 = 0;
    pub(in super::super) const RAID1: u8 = 1;
    pub(in super::super) const MIRROR_OF_STRIPES: u8 = 2;
    pub(in super::super) const SPAN: u8 = 3;
    pub(in super::super) const RAID3: u8 = 4;
    pub(in super::super) const RAID5: u8 = 5;
    pub(in super::super) const SINGLE: u8 = 6;
    pub(in super::super) const STRIPE_OF_MIRRORS: u8 = 7;
}

/// The bits of the order.
pub(super) mod order {
    /// First half of a raid10; with [`OK`] a mirror.
    pub(in super::super) const FIRST: u32 = 1;
    /// The half is current.
    pub(in super::super) const CURRENT: u32 = 2;
    /// The disk takes part in its stripe.
    pub(in super::super) const OK: u32 = 4;
}

/// What kind of array it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Linear,
    Single,
    Stripe,
    /// A mirror by its type, or else by its order.
    Mirror {
        by_order: bool,
    },
    MirrorOfStripes,
    StripeOfMirrors,
}

/// The array, as far as one disk knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Levels {
    pub(super) kind: Kind,
    pub(super) level: Level,
    pub(super) geometry: Option<Geometry>,
    pub(super) slots: u32,
    pub(super) slot: Slot,
    /// Data on the disk.
    pub(super) offset: Sectors,
    pub(super) length: Sectors,
    pub(super) size: Sectors,
}

/// What the type and the order say; none for a type that nobody reads.
pub(super) fn kind(head: &Head) -> Option<Kind> {
    let order = head.order;
    Some(match head.raid_type {
        raid_type::RAID0 if order & order::FIRST != 0 && order & order::OK != 0 => {
            Kind::Mirror { by_order: true }
        }
        raid_type::RAID0 if order & (order::FIRST | order::CURRENT) != 0 => Kind::MirrorOfStripes,
        raid_type::RAID0 => Kind::Stripe,
        raid_type::RAID1 => Kind::Mirror { by_order: false },
        raid_type::MIRROR_OF_STRIPES => Kind::MirrorOfStripes,
        raid_type::SPAN => Kind::Linear,
        raid_type::SINGLE => Kind::Single,
        raid_type::STRIPE_OF_MIRRORS => Kind::StripeOfMirrors,
        _ => return None,
    })
}

impl Kind {
    fn level(self) -> Level {
        match self {
            Self::Linear | Self::Single => Level::Linear,
            Self::Stripe => Level::Raid0,
            Self::Mirror { .. } => Level::Raid1,
            Self::MirrorOfStripes | Self::StripeOfMirrors => Level::Raid10,
        }
    }

    pub(super) fn is_nested(self) -> bool {
        matches!(self, Self::MirrorOfStripes | Self::StripeOfMirrors)
    }
}

/// Understands the sector.
///
/// # Errors
/// What can not be understood or mapped.
pub(super) fn levels(sector: &Sector) -> Result<Levels, Problem> {
    let head = &sector.head;
    let kind = kind(head).ok_or_else(|| {
        let message = format!("raid_type is {}, expected 0 to 3, 6 or 7", head.raid_type);
        Problem::error("unsupported-level", message)
    })?;
    let level = kind.level();
    let (slots, slot) = place(head, kind)?;
    let chunk = if matches!(level, Level::Raid0 | Level::Raid10) { Some(chunk(head)?) } else { None };
    let offset = offset(head, kind);
    let (length, size) = extent(sector, kind, slots, offset, chunk)?;
    Ok(Levels {
        kind,
        level,
        geometry: geometry(level, chunk, slots, None),
        slots,
        slot,
        offset,
        length,
        size,
    })
}

/// How many slots there are, and which one the disk is.
fn place(head: &Head, kind: Kind) -> Result<(u32, Slot), Problem> {
    let (disks, number) = (u32::from(head.raid_disks), u32::from(head.disk_number));
    let is_first_half = head.order & order::FIRST != 0;
    let counted = || in_range("raid_disks", head.raid_disks, 1, MAX_DISKS);
    let numbered = || {
        let message = format!("disk_number is {number}, expected less than {disks}");
        Problem::error("slot", message)
    };
    match kind {
        Kind::Single => Ok((1, Slot(0))),
        // The number of disks is that of a stripe inside, so 1; the mirrored disk has number 1, or 6.
        Kind::Mirror { .. } if disks <= 2 => Ok((2, Slot(u32::from(number > 0)))),
        Kind::Linear | Kind::Stripe | Kind::Mirror { .. } => {
            counted()?;
            if number < disks { Ok((disks, Slot(number))) } else { Err(numbered()) }
        }
        Kind::MirrorOfStripes => {
            in_range("raid_disks", head.raid_disks, 2, MAX_DISKS)?;
            let slot = mirrored_stripes_slot(u32::from(!is_first_half), number, disks);
            Ok((disks.saturating_mul(2), slot.ok_or_else(numbered)?))
        }
        Kind::StripeOfMirrors => {
            in_range("raid_disks", head.raid_disks, 2, 2)?;
            let slot = striped_mirrors_slot(u32::from(is_first_half), number, 2);
            Ok((4, slot.ok_or_else(numbered)?))
        }
    }
}

fn in_range(field: &str, found: u8, least: u8, most: u8) -> Result<(), Problem> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    let expected = if least == most { format!("{least}") } else { format!("{least} to {most}") };
    Err(Problem::error("member-count", format!("{field} is {found}, expected {expected}")))
}

fn chunk(head: &Head) -> Result<ChunkSectors, Problem> {
    let shift = head.raid0_shift;
    let chunk = 1_u32.checked_shl(u32::from(shift)).and_then(ChunkSectors::new);
    chunk.filter(|_| (1..=MAX_SHIFT).contains(&shift)).ok_or_else(|| {
        let message = format!("raid0_shift is {shift}, expected 1 to {MAX_SHIFT}");
        Problem::error("chunk", message)
    })
}

/// Where the data begins. A mirror by its order is the copy of a whole disk: `FreeBSD`, the only reader of
/// such metadata, has the data of both disks at the same place.
fn offset(head: &Head, kind: Kind) -> Sectors {
    match kind {
        Kind::Mirror { by_order: true } => Sectors::ZERO,
        _ if head.disk_number == 0 => Sectors::ZERO,
        _ => DATA_OFFSET,
    }
}

/// The data on the disk, and the size of the array. The recorded size has room for the offset already; it is not to be
/// taken off again.
fn extent(
    sector: &Sector,
    kind: Kind,
    slots: u32,
    offset: Sectors,
    chunk: Option<ChunkSectors>,
) -> Result<(Sectors, Sectors), Problem> {
    let total = Sectors(u64::from(sector.head.total_secs));
    let rest = sector.disk.saturating_sub(offset);
    if kind == Kind::Single {
        return Ok((rest, rest));
    }
    if total.is_zero() {
        let message = "total_secs is 0, expected the size of the array";
        return Err(Problem::error("zero-size", message));
    }
    if kind == Kind::Linear {
        return Ok((rest, total));
    }
    let parts = data_members(kind.level(), slots);
    let mut length = round_down(share(total, parts), chunk);
    // Whether the size is that of the array or of one mirror in it, nothing says but that it fits.
    if kind == Kind::StripeOfMirrors && offset.saturating_add(total) <= sector.disk {
        length = round_down(total, chunk);
    }
    Ok((length, Sectors(length.0.saturating_mul(parts))))
}
