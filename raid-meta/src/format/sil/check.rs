//! The rules that the copies, and the one that is believed, are held to.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::copies::{COPIES, Copies, RESERVED, place};
use super::sector::{Kind, MAJOR, MAX_DISKS, NOT_USED, Sector, VENDOR, has_ata_capabilities};
use super::shape::Shape;
use crate::geometry::Level;
use crate::record::Problem;
use crate::units::Sectors;

/// What makes the metadata as a whole not to be believed.
pub(super) fn damage(copies: &Copies) -> Vec<Problem> {
    let sector = copies.believed();
    if copies.champion().is_sound() {
        return Vec::new();
    }
    let found = [
        (!sector.is_sealed()).then(|| checksum(sector)),
        (sector.major_ver != MAJOR).then(|| {
            let message = format!("major_ver is {}, expected {MAJOR}", sector.major_ver);
            Problem::error("version", message)
        }),
    ];
    found.into_iter().flatten().collect()
}

/// All that is wrong.
pub(super) fn all(copies: &Copies) -> Vec<Problem> {
    let mut problems = damage(copies);
    problems.extend(agreement(copies));
    problems.extend(identity(copies));
    problems.extend(set(copies.believed(), copies.device()));
    problems
}

fn checksum(sector: &Sector) -> Problem {
    let (found, expected) = (sector.checksum1, sector.computed_checksum());
    Problem::error("checksum", format!("checksum1 is {found:#06x}, computed {expected:#06x}"))
}

/// Copies that are missing, damaged, or say something else.
fn agreement(copies: &Copies) -> Vec<Problem> {
    let mut problems = Vec::new();
    for sector in copies.unreadable() {
        problems.push(Problem::warning(
            "copy-unreadable",
            format!("the copy at sector {sector} can not be read"),
        ));
    }
    problems.extend(missing(copies));
    for copy in copies.all().iter().filter(|copy| !copy.sector.is_sealed()) {
        let Problem { message, .. } = checksum(&copy.sector);
        let message = format!("copy {} at sector {}: {message}", copy.index, copy.offset.whole_sectors());
        problems.push(Problem::warning("copy-checksum", message));
    }
    problems.extend(disagreement(copies));
    problems
}

fn missing(copies: &Copies) -> Option<Problem> {
    let is_missing = |index: &usize| copies.all().iter().all(|copy| copy.index != *index);
    let places = (0..COPIES).filter(is_missing).map(|index| match place(copies.device(), index) {
        Some(at) => format!("none at sector {}", at.whole_sectors()),
        None => "the device is too small for the others".to_owned(),
    });
    let mut places: Vec<String> = places.collect();
    places.dedup();
    (!places.is_empty()).then(|| {
        let message = format!("{} of {COPIES} copies are there: {}", copies.all().len(), places.join(", "));
        Problem::warning("copies-missing", message)
    })
}

fn disagreement(copies: &Copies) -> Option<Problem> {
    let believed = copies.believed();
    let others: Vec<String> = copies
        .all()
        .iter()
        .filter(|copy| copy.sector != *believed && copy.is_sound())
        .map(|copy| format!("copy {} (incarnation {})", copy.index, copy.sector.incarnation_no))
        .collect();
    let agreeing: Vec<String> = copies.agreeing().map(|copy| copy.index.to_string()).collect();
    (!others.is_empty()).then(|| {
        let message = format!(
            "{} differ from copies {} (incarnation {}), which are believed",
            others.join(", "),
            agreeing.join(" "),
            believed.incarnation_no
        );
        Problem::warning("copies-disagree", message)
    })
}

/// The parts of the sector that say whose it is.
fn identity(copies: &Copies) -> Vec<Problem> {
    let sector = copies.believed();
    let mut problems = Vec::new();
    if sector.vendor_id != VENDOR {
        let message = format!("vendor_id is {:#06x}, expected {VENDOR:#06x}", sector.vendor_id);
        problems.push(Problem::warning("vendor", message));
    }
    if sector.major_ver != MAJOR && copies.champion().is_sound() {
        let message = format!("major_ver is {}, expected {MAJOR}", sector.major_ver);
        problems.push(Problem::warning("version", message));
    }
    if !has_ata_capabilities(sector) {
        let message =
            format!("magic is {:#010x}, expected 0x2f000000: dmraid does not see the disk", sector.magic);
        problems.push(Problem::note("signature", message));
    }
    problems.extend(device_size(sector, copies.device()));
    problems
}

fn device_size(sector: &Sector, device: Sectors) -> Option<Problem> {
    let recorded = sector.disk_sectors().filter(|&recorded| recorded != device)?;
    let message = format!("the device has {device} sectors, the metadata speaks of {recorded}");
    Some(match device < recorded {
        true => Problem::warning("device-too-small", message),
        false => Problem::note("device-size", message),
    })
}

/// Rules about the set.
pub(super) fn set(sector: &Sector, device: Sectors) -> Vec<Problem> {
    let kind = sector.kind();
    match kind {
        Kind::Spare => return Vec::new(),
        Kind::Other => {
            let message = format!("raid_type is {:#04x}, which is not known", sector.raid_type);
            return vec![Problem::error("unsupported-level", message)];
        }
        _ => {}
    }
    let shape = Shape::of(sector, device);
    let mut problems: Vec<Problem> = [
        counts(sector, &shape),
        position(sector, &shape),
        chunk(sector, &shape),
        pair(sector),
        member_status(sector),
        set_state(sector),
    ]
    .into_iter()
    .flatten()
    .collect();
    problems.extend(sizes(sector, &shape, device));
    problems
}

fn counts(sector: &Sector, shape: &Shape) -> Option<Problem> {
    let (striped, mirrored) = (sector.drives_per_striped_set, sector.drives_per_mirrored_set);
    if sector.kind() == Kind::Raid10 && mirrored != 2 {
        let message =
            format!("raid_type is 2 (raid10), but drives_per_mirrored_set is {mirrored}, expected 2");
        return Some(Problem::error("unsupported-level", message));
    }
    let least = match shape.level {
        Some(Level::Raid5) => 3,
        Some(Level::Raid10) => 4,
        _ => 1,
    };
    (!(least..=u32::from(MAX_DISKS)).contains(&shape.slots)).then(|| {
        let message = format!(
            "drives_per_striped_set is {striped} and drives_per_mirrored_set {mirrored}, which is {} disks, expected {least} to {MAX_DISKS}",
            shape.slots
        );
        Problem::error("member-count", message)
    })
}

fn position(sector: &Sector, shape: &Shape) -> Option<Problem> {
    if shape.slot.is_some() || shape.slots == 0 {
        return None;
    }
    let number = sector.disk_number;
    let message = match sector.kind() {
        Kind::Raid10 => format!(
            "disk {number} of striped set {}, expected 2 sets of {}",
            sector.striped_set_number, sector.drives_per_striped_set
        ),
        _ => format!("disk_number is {number}, expected less than {}", shape.slots),
    };
    Some(Problem::error("position", message))
}

fn chunk(sector: &Sector, shape: &Shape) -> Option<Problem> {
    let is_striped = matches!(shape.level, Some(Level::Raid0 | Level::Raid5 | Level::Raid10));
    (is_striped && !sector.raid0_stride.is_power_of_two()).then(|| {
        let message = format!("raid0_stride is {} sectors, expected a power of two", sector.raid0_stride);
        Problem::error("chunk", message)
    })
}

/// graid takes the pair of a raid10 from mirrored_set_number, dmraid the place in the stripe from disk_number: they
/// are the same.
fn pair(sector: &Sector) -> Option<Problem> {
    let pair = sector.mirrored_set_number;
    let number = sector.disk_number;
    let agrees = pair == NOT_USED || i8::try_from(number) == Ok(pair);
    (sector.kind() == Kind::Raid10 && !agrees).then(|| {
        let message = format!(
            "mirrored_set_number is {pair}, disk_number {number}, expected the same: disk_number is believed"
        );
        Problem::warning("pair", message)
    })
}

fn member_status(sector: &Sector) -> Option<Problem> {
    let status = sector.member_status;
    (!(1..=4).contains(&status))
        .then(|| Problem::warning("member-status", format!("member_status is {status}, expected 1 to 4")))
}

fn set_state(sector: &Sector) -> Option<Problem> {
    let state = sector.mirrored_set_state;
    (state > 2)
        .then(|| Problem::warning("set-state", format!("mirrored_set_state is {state}, expected at most 2")))
}

fn sizes(sector: &Sector, shape: &Shape, device: Sectors) -> Vec<Problem> {
    let mut problems = Vec::new();
    if sector.array_sectors == 0 {
        problems.push(Problem::error("volume-size", "array_sectors is 0"));
    }
    let disk = sector.disk_sectors().unwrap_or(device).max(device);
    let room = disk.saturating_sub(Sectors(RESERVED));
    if shape.length > room {
        let message = format!("the set uses {} sectors of the disk, which has room for {room}", shape.length);
        problems.push(Problem::error("out-of-range", message));
    }
    if shape.level == Some(Level::Raid10) && shape.slots > 0 && Sectors(sector.array_sectors) <= room {
        let message = format!(
            "array_sectors is {}: taken for the size of the array, as graid does; dmraid takes it for that of a disk",
            sector.array_sectors
        );
        problems.push(Problem::note("size-doubtful", message));
    }
    if shape.level == Some(Level::Raid5) {
        let message =
            "the metadata does not say how parity rotates: taken for left-symmetric, as dmraid does";
        problems.push(Problem::warning("layout-doubtful", message));
    }
    if sector.rebuild_ptr > shape.length.0 {
        let message = format!(
            "rebuild_ptr is {}, the set uses {} sectors of the disk",
            sector.rebuild_ptr, shape.length
        );
        problems.push(Problem::warning("rebuild-position", message));
    }
    problems
}
