//! The rules that the sector is held to.

use super::levels::{self, MAX_DISKS};
use super::sector::Sector;
use crate::device::{Device, ReadAt};
use crate::record::Problem;
use crate::units::SectorSize;

/// What makes the find itself not to be believed.
pub(super) fn identity(sector: &Sector, device: &Device) -> Vec<Problem> {
    let size = device.sector_size();
    let [config, _] = &sector.configs;
    let rules = [
        (size != SectorSize::B512).then(|| {
            let message = format!("the disk has sectors of {} bytes, expected 512", size.bytes());
            Problem::error("sector-size", message)
        }),
        (!sector.is_spare() && config.disk_number >= MAX_DISKS).then(|| {
            let found = config.disk_number;
            let message = format!("config[0].disk_number is {found}, expected less than {MAX_DISKS}");
            Problem::error("slot", message)
        }),
    ];
    rules.into_iter().flatten().collect()
}

/// All that is wrong with the sector.
pub(super) fn all(sector: &Sector) -> Vec<Problem> {
    let mut problems = checksum(sector);
    if !sector.is_spare() {
        problems.extend(set(sector));
    }
    problems
}

/// What is wrong with the array that the disk is in.
pub(super) fn set(sector: &Sector) -> Vec<Problem> {
    let mut problems: Vec<Problem> = entries(sector).into_iter().collect();
    match levels::levels(sector) {
        Ok(levels) => {
            if levels.geometry.is_none() {
                let message = "how the parity of a raid5 rotates is not known for this format";
                problems.push(Problem::error("unsupported-layout", message));
            }
            if levels.length > sector.room() {
                let message = format!(
                    "its data ends at sector {}, the metadata is at sector {}",
                    levels.length,
                    sector.room()
                );
                problems.push(Problem::warning("device-too-small", message));
            }
        }
        Err(problem) => problems.push(problem),
    }
    problems
}

/// No reader is known to verify the checksums, and only some firmware has the second.
fn checksum(sector: &Sector) -> Vec<Problem> {
    let sums = sector.sums();
    if sums.are_right() {
        return Vec::new();
    }
    let expected = sector.head.checksum_0.wrapping_sub(sums.first);
    let message = format!("checksum_0 is {:#04x}, computed {expected:#04x}", sector.head.checksum_0);
    vec![Problem::warning("checksum", message)]
}

fn entries(sector: &Sector) -> Option<Problem> {
    let found = sector.head.config_entries;
    let message = format!("config_entries is {found}, expected 1 or 2");
    (!(1..=2).contains(&found)).then(|| Problem::warning("config-entries", message))
}
