//! The rules that a decoded MPB is held to.
//!
//! An error says that a volume can not be relied on; what can still be read correctly gets a warning.

use super::bbm::BadBlocks;
use super::migration::{self, COPY_AREA, RecordSector};
use super::mpb::{Disk, INDEX_MASK, Map, Migration, Mpb, Volume, attribute};
use super::names::disk_key;
use super::shape::{Shape, shapes};
use crate::escape;
use crate::geometry::Level;
use crate::record::Problem;
use crate::units::Sectors;

/// All that is wrong with the container and its volumes, beside what the decoder found.
pub(super) fn all(mpb: &Mpb, last_sector: Option<&RecordSector>) -> Vec<Problem> {
    let mut problems = container(mpb);
    problems.extend((0..mpb.volumes.len()).flat_map(|index| volume(mpb, index)));
    problems.extend(last_sector.into_iter().flat_map(|sector| migration_record(mpb, sector)));
    problems
}

/// A problem of a volume, with the name of the volume.
pub(super) fn of_volume(volume: &Volume, problem: Problem) -> Problem {
    Problem { message: format!("volume {}: {}", escape::escape(volume.name()), problem.message), ..problem }
}

fn container(mpb: &Mpb) -> Vec<Problem> {
    let header = &mpb.header;
    let unsupported = header.attributes & !attribute::SUPPORTED;
    let rules = [
        (!header.mpb_size.is_multiple_of(4)).then(|| {
            let message = format!("mpb_size is {}, expected a multiple of 4", header.mpb_size);
            Problem::warning("mpb-size-alignment", message)
        }),
        (header.num_raid_devs > 2).then(|| {
            let message = format!("num_raid_devs is {}, expected at most 2", header.num_raid_devs);
            Problem::warning("many-volumes", message)
        }),
        (unsupported != 0).then(|| {
            let message =
                format!("attributes {:#010x}: bits {unsupported:#010x} are not supported", header.attributes);
            Problem::warning("unsupported-attribute", message)
        }),
        device_size(mpb),
    ];
    let mut problems: Vec<Problem> = rules.into_iter().flatten().collect();
    problems.extend(duplicate_serial(mpb));
    problems.extend(mpb.bad_blocks.iter().flat_map(|log| bad_block_ordinals(mpb, log)));
    problems
}

/// Whether no disk of the table has the size of the device. Which of them the device is does not matter then.
fn device_size(mpb: &Mpb) -> Option<Problem> {
    let device = mpb.place.device.whole_sectors();
    let present = mpb.disks.iter().filter(|disk| !disk.is_out());
    let sizes: Vec<Sectors> = present.map(|disk| mpb.disk_size(disk)).collect();
    let smallest = sizes.iter().min()?;
    let block = mpb.scale();
    if sizes.iter().any(|size| size.0 / block == device.0 / block) {
        return None;
    }
    let message = format!("the device has {device} sectors, the metadata speaks of at least {smallest}");
    Some(if device < *smallest {
        Problem::warning("device-too-small", message)
    } else {
        Problem::note("device-size", message)
    })
}

/// A serial that two disks of the table have. It can not say which of them a device is.
fn duplicate_serial(mpb: &Mpb) -> Option<Problem> {
    let mut present = mpb.disks.iter().filter(|disk| !disk.is_out()).map(Disk::serial).enumerate();
    let others = || mpb.disks.iter().filter(|disk| !disk.is_out()).map(Disk::serial);
    let (_, serial) =
        present.find(|(index, serial)| others().take(*index).any(|earlier| earlier == *serial))?;
    let message = format!("two disks of the table have the serial '{}'", disk_key(serial));
    Some(Problem::error("duplicate-serial", message))
}

fn bad_block_ordinals(mpb: &Mpb, log: &BadBlocks) -> Option<Problem> {
    let beyond =
        log.entries.iter().filter(|entry| usize::from(entry.disk_ordinal) >= mpb.disks.len()).count();
    (beyond > 0).then(|| {
        let message =
            format!("{beyond} bad-block entries name disks beyond the {} of the table", mpb.disks.len());
        Problem::warning("bad-block-ordinal", message)
    })
}

/// All that is wrong with the volume of that index.
pub(super) fn volume(mpb: &Mpb, index: usize) -> Vec<Problem> {
    let Some(volume) = mpb.volumes.get(index) else { return Vec::new() };
    let mut problems = state(volume);
    problems.extend(duplicate_serial(mpb));
    problems.extend(volume.maps().flat_map(|map| map_rules(mpb, map)));
    match shapes(mpb, volume) {
        Ok((to, from)) => {
            problems.extend(sizes(mpb, volume, &to));
            problems.extend(volume.source.iter().zip(&from).flat_map(|(map, from)| extent(mpb, map, from)));
            problems.extend(extent(mpb, &volume.map, &to));
            problems.extend(from.and_then(|from| general_migration(volume, &from, &to)));
            problems.extend(overlap(mpb, index, &to));
        }
        Err(problem) => problems.push(problem),
    }
    problems.dedup();
    problems.into_iter().map(|problem| of_volume(volume, problem)).collect()
}

/// Rules about what the volume is doing.
fn state(volume: &Volume) -> Vec<Problem> {
    let state = &volume.state;
    let rules = [
        (state.migr_state > 1).then(|| {
            Problem::error("migration-state", format!("migr_state is {}, expected 0 or 1", state.migr_state))
        }),
        match volume.migration() {
            Some(Migration::StateChange) => {
                Some(Problem::error("unsupported-migration", "a change of state is in progress"))
            }
            Some(Migration::Unknown(kind)) => Some(Problem::error(
                "unsupported-migration",
                format!("migr_type is {kind}, expected at most 4"),
            )),
            _ => None,
        },
        (volume.head.rwh_policy > 6).then(|| {
            let message = format!("rwh_policy is {}, expected at most 6", volume.head.rwh_policy);
            Problem::warning("write-hole-policy", message)
        }),
        (volume.head.reserved_blocks != 0).then(|| {
            let message = format!("reserved_blocks is {}, expected 0", volume.head.reserved_blocks);
            Problem::warning("reserved-blocks", message)
        }),
    ];
    rules.into_iter().flatten().collect()
}

/// Rules about one map by itself.
fn map_rules(mpb: &Mpb, map: &Map) -> Vec<Problem> {
    let head = &map.head;
    let mirrored = matches!(head.raid_level, 1 | 2 | 10);
    let domains = if mirrored { 2 } else { 1 };
    let mut problems = Vec::new();
    if head.map_state > 3 {
        let message = format!("map_state is {}, expected at most 3", head.map_state);
        problems.push(Problem::warning("map-state", message));
    }
    if head.num_domains != domains {
        let message = format!("num_domains is {}, expected {domains}", head.num_domains);
        problems.push(match head.num_domains {
            0 => Problem::error("domain-count", message),
            _ => Problem::warning("domain-count", message),
        });
    }
    problems.extend((0..map.disk_ord_tbl.len()).filter_map(|slot| slot_rule(mpb, map, slot)));
    problems
}

fn slot_rule(mpb: &Mpb, map: &Map, slot: usize) -> Option<Problem> {
    let disk = map.disk_index(slot)?;
    if disk >= mpb.disks.len() {
        let message = format!("slot {slot} has disk {disk}, the table has {}", mpb.disks.len());
        return Some(Problem::warning("disk-index", message));
    }
    let first = map.slot_of(disk)?;
    (first < slot)
        .then(|| Problem::error("duplicate-disk", format!("slots {first} and {slot} both have disk {disk}")))
}

/// Rules about the size of a volume.
fn sizes(mpb: &Mpb, volume: &Volume, to: &Shape) -> Vec<Problem> {
    let size = mpb.volume_size(volume);
    let mut problems = Vec::new();
    if size.is_zero() {
        problems.push(Problem::error("volume-size", "the size is 0"));
    }
    if let Some(recorded) = Shape::of(mpb, &volume.map).ok().filter(|shape| shape.is_stale(size)) {
        let message = format!(
            "the size is {size} sectors, the stripes hold {}; the size is believed",
            recorded.capacity()
        );
        problems.push(Problem::warning("volume-size", message));
    } else if size > to.capacity() {
        let message = format!("the size is {size} sectors, only {} have a place", to.capacity());
        problems.push(Problem::warning("volume-size", message));
    }
    if to.geometry.level == Level::Raid5 && to.geometry.slots < 3 {
        problems.push(Problem::warning(
            "member-count",
            "num_members is 2, expected at least 3 with raid_level 5",
        ));
    }
    problems
}

/// Whether the data ends before the metadata on every disk.
fn extent(mpb: &Mpb, map: &Map, shape: &Shape) -> Option<Problem> {
    let metadata = mpb.metadata_length();
    let end = shape.start.checked_add(shape.per_member);
    let fits = |disk: &Disk| end.is_some_and(|end| end <= mpb.disk_size(disk).saturating_sub(metadata));
    let disks = (0..map.disk_ord_tbl.len()).filter_map(|slot| mpb.disk(map, slot));
    let disk = disks.filter(|disk| !disk.is_out()).find(|disk| !fits(disk))?;
    let message = format!(
        "the data is {} sectors from {} on, disk {} has {}",
        shape.per_member,
        shape.start,
        disk_key(&disk.serial),
        mpb.disk_size(disk)
    );
    Some(Problem::error("out-of-range", message))
}

fn general_migration(volume: &Volume, from: &Shape, to: &Shape) -> Option<Problem> {
    if volume.migration() == Some(Migration::General) {
        return (from.start != to.start).then(|| {
            let message = format!("the data moves from sector {} to {} of the members", from.start, to.start);
            Problem::error("unsupported-migration", message)
        });
    }
    (from.geometry != to.geometry || from.start != to.start).then(|| {
        Problem::error("unsupported-migration", "the two maps differ, but the migration is not a general one")
    })
}

/// Whether an earlier volume uses the same sectors of a disk.
fn overlap(mpb: &Mpb, index: usize, shape: &Shape) -> Option<Problem> {
    let volume = mpb.volumes.get(index)?;
    mpb.volumes.iter().take(index).find_map(|other| {
        let (theirs, _) = shapes(mpb, other).ok()?;
        let is_apart = theirs.end() <= shape.start || shape.end() <= theirs.start;
        let shares_disk = volume
            .map
            .disk_ord_tbl
            .iter()
            .any(|entry| other.map.slot_of((entry & INDEX_MASK) as usize).is_some());
        (!is_apart && shares_disk).then(|| {
            let message = format!("its sectors overlap those of volume {}", escape::escape(other.name()));
            Problem::error("overlap", message)
        })
    })
}

/// Rules about the last sector of the disk. Whether the record fits the migration that is in progress is said with the volume.
fn migration_record(mpb: &Mpb, sector: &RecordSector) -> Vec<Problem> {
    let record = &sector.record;
    if record.is_empty() {
        return Vec::new();
    }
    let is_general = |volume: &&Volume| volume.migration() == Some(Migration::General);
    let Some(volume) = mpb.volumes.iter().find(is_general) else {
        let message = "there is a migration record, but no volume is in a general migration";
        return vec![Problem::note("migration-record-unused", message)];
    };
    let Ok((to, Some(from))) = shapes(mpb, volume) else { return Vec::new() };
    let mut problems = Vec::new();
    if let Err(message) = migration::check(mpb, &from, &to, record) {
        problems.push(Problem::error("migration-record", message));
    }
    problems.extend(copy_area(mpb, &from, &to, record));
    problems.into_iter().map(|problem| of_volume(volume, problem)).collect()
}

/// Whether the copy area is between the volumes and the MPB; a restore would write it to every member.
fn copy_area(mpb: &Mpb, from: &Shape, to: &Shape, record: &migration::Record) -> Option<Problem> {
    let start = mpb.sectors(record.ckpt_area_pba());
    let end = start.saturating_add(Sectors(COPY_AREA));
    let smallest = mpb.disks.iter().filter(|disk| !disk.is_out()).map(|disk| mpb.disk_size(disk)).min()?;
    let metadata = smallest.saturating_sub(mpb.metadata_length());
    (start < from.end().max(to.end()) || end > metadata).then(|| {
        let message = format!("the copy area at sector {start} is not between the data and the metadata");
        Problem::warning("copy-area", message)
    })
}
