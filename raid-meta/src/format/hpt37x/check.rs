//! The rules that the sector is held to.

use super::levels::{Kind, MAX_DISKS, levels, order};
use super::sector::{LOG_ENTRIES, Sector};
use crate::device::{Device, ReadAt};
use crate::record::Problem;
use crate::units::SectorSize;

/// What makes the find itself not to be believed.
pub(super) fn identity(sector: &Sector, device: &Device) -> Vec<Problem> {
    let size = device.sector_size();
    let number = sector.head.disk_number;
    let rules = [
        (size != SectorSize::B512).then(|| {
            let message = format!("the disk has sectors of {} bytes, expected 512", size.bytes());
            Problem::error("sector-size", message)
        }),
        (!sector.is_spare() && number >= MAX_DISKS).then(|| {
            let message = format!("disk_number is {number}, expected less than {MAX_DISKS}");
            Problem::error("slot", message)
        }),
    ];
    rules.into_iter().flatten().collect()
}

/// All that is wrong with the sector.
pub(super) fn all(sector: &Sector) -> Vec<Problem> {
    let entries = usize::from(sector.head.error_log_entries);
    let mut problems = Vec::new();
    if entries > LOG_ENTRIES {
        let message = format!("error_log_entries is {entries}, expected at most {LOG_ENTRIES}");
        problems.push(Problem::warning("error-log", message));
    }
    if !sector.is_spare() {
        problems.extend(set(sector));
    }
    problems
}

/// What is wrong with the array that the disk is in.
pub(super) fn set(sector: &Sector) -> Vec<Problem> {
    let levels = match levels(sector) {
        Ok(levels) => levels,
        Err(problem) => return vec![problem],
    };
    let end = levels.offset.saturating_add(levels.length);
    let order = sector.head.order;
    let rules = [
        (end > sector.disk).then(|| {
            let message = format!("its data ends at sector {end}, the disk at {}", sector.disk);
            Problem::warning("device-too-small", message)
        }),
        (levels.kind == Kind::Stripe && order & order::OK == 0).then(|| {
            let message = format!("order is {order:#010x}, expected {:#010x} of a stripe", order::OK);
            Problem::warning("order", message)
        }),
        (levels.kind == Kind::MirrorOfStripes && !is_current(sector)).then(|| {
            let message = format!(
                "order is {order:#010x}: bit {:#x}, which both halves of a healthy array have, is missing",
                order::CURRENT
            );
            Problem::warning("order", message)
        }),
        (levels.kind == Kind::StripeOfMirrors).then(|| {
            let message = "raid_type is 7, which is read as a stripe over two mirrors: one other reader does so, \
                           and no firmware is known to write it";
            Problem::warning("unverified-layout", message)
        }),
        sector.rebuilding().filter(|_| levels.level.is_redundant()).map(|position| {
            let message = format!("rebuild_lba is {position}: the redundancy may not be valid from there on");
            Problem::warning("rebuild", message)
        }),
    ];
    rules.into_iter().flatten().collect()
}

/// Whether the half of a raid10 that the disk is in is current. The first always is: the set would be that of the
/// second otherwise.
pub(super) fn is_current(sector: &Sector) -> bool {
    sector.head.order & (order::FIRST | order::CURRENT) != 0
}

/// Where the data of a mirror's second disk begins, the readers do not agree on.
pub(super) fn disputed_offset(sector: &Sector) -> Option<Problem> {
    let levels = levels(sector).ok()?;
    let (taken, others) = match levels.kind {
        Kind::Mirror { .. } if levels.slot.0 == 0 => return None,
        Kind::Mirror { by_order: true } => {
            ("0, as FreeBSD has it", "dmraid has sector 10 for every second disk")
        }
        Kind::Mirror { by_order: false } => ("10, as dmraid and Linux 2.4 have it", "FreeBSD has sector 0"),
        _ => return None,
    };
    let message =
        format!("the data of the mirror's other disk is taken to begin at sector {taken}; {others}");
    Some(Problem::note("disputed-offset", message))
}
