//! The rules that the metadata is held to.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::TRAILER;
use super::block::{ARRAY_VERSION, Block, VERSION, WORDS, job, level, level_name};
use super::view::{Shape, capacity, recorded_length};
use crate::format::vendor::expect;
use crate::geometry::Level;
use crate::record::Problem;
use crate::units::{SECTOR_BYTES, Sectors};

/// All that is wrong beside the checksum.
pub(super) fn all(block: &Block, disk: Sectors) -> Vec<Problem> {
    let warning: fn(&str, String) -> Problem = |code, message| Problem::warning(code, message);
    let array_version = (block.array.version != ARRAY_VERSION).then(|| {
        let message =
            format!("array.version is {:#010x}, expected {ARRAY_VERSION:#010x}", block.array.version);
        Problem::warning("version", message)
    });
    let rules = [
        expect(warning, "size", "size", block.unit.size, WORDS),
        expect(warning, "version", "version", block.unit.version, VERSION),
        array_version,
        device_size(block, disk),
    ];
    let mut problems: Vec<Problem> = rules.into_iter().flatten().collect();
    problems.extend(array(block));
    problems
}

/// What is wrong with the array that the metadata describes.
pub(super) fn array(block: &Block) -> Vec<Problem> {
    let rules = [
        level(block),
        counts(block),
        chunk(block),
        derived(block),
        size(block),
        sector_size(block),
        job(block),
    ];
    rules.into_iter().flatten().collect()
}

fn level(block: &Block) -> Option<Problem> {
    let value = block.array.raid_level;
    let is_known = matches!(
        value,
        level::JBOD | level::RAID0 | level::RAID1 | level::RAID01 | level::RAID5 | level::RAID5_SYMMETRIC
    );
    match value {
        _ if !is_known => {
            let message =
                format!("raid_level is {value:#x} ({}): its layout is not known", level_name(value));
            Some(Problem::error("unsupported-level", message))
        }
        level::RAID5 => {
            let message = "raid_level is 0x85: taken for left-asymmetric parity, which one source alone says";
            Some(Problem::warning("parity-layout", message))
        }
        _ => None,
    }
}

fn counts(block: &Block) -> Option<Problem> {
    let (width, total) = (block.array.stripe_width, block.array.total_volumes);
    let Some(shape) = Shape::of(block) else {
        return (width == 0).then(|| Problem::error("member-count", "stripe_width is 0"));
    };
    let least = match shape.level {
        Level::Raid5 => 3,
        Level::Raid10 => 4,
        _ => 1,
    };
    if shape.level == Level::Raid1 && block.array.raid_level == level::RAID1 && width != 1 {
        let message = format!("stripe_width is {width}, expected 1 for a mirror");
        return Some(Problem::error("member-count", message));
    }
    if shape.slots < least {
        let message = format!("stripe_width is {width}: {} members, expected at least {least}", shape.slots);
        return Some(Problem::error("member-count", message));
    }
    (u32::from(total) < shape.slots).then(|| {
        let message = format!("total_volumes is {total}, expected at least {}", shape.slots);
        Problem::error("member-count", message)
    })
}

fn chunk(block: &Block) -> Option<Problem> {
    let chunk = block.array.stripe_block_size;
    let is_striped =
        Shape::of(block).is_some_and(|shape| !matches!(shape.level, Level::Linear | Level::Raid1));
    (!chunk.is_power_of_two()).then(|| {
        let message = format!("stripe_block_size is {chunk}, expected a power of two");
        if is_striped { Problem::error("chunk", message) } else { Problem::warning("chunk", message) }
    })
}

/// The fields that follow from the chunk and the width.
fn derived(block: &Block) -> Option<Problem> {
    let array = &block.array;
    let chunk = array.stripe_block_size;
    let stripe = chunk.wrapping_mul(u32::from(array.stripe_width));
    let fields = [
        ("stripe_block_byte_size", array.stripe_block_byte_size, chunk.wrapping_mul(512)),
        ("stripe_block_power", array.stripe_block_power, chunk.checked_ilog2().unwrap_or_default()),
        ("stripe_mask", array.stripe_mask, chunk.wrapping_sub(1)),
        ("stripe_size", array.stripe_size, stripe),
        ("stripe_byte_size", array.stripe_byte_size, stripe.wrapping_mul(512)),
    ];
    let (name, found, expected) = fields.into_iter().find(|(_, found, expected)| found != expected)?;
    let message = format!("{name} is {found}, expected {expected} with chunks of {chunk} sectors");
    Some(Problem::warning("stripe-fields", message))
}

fn size(block: &Block) -> Option<Problem> {
    let is_mapped = Shape::of(block).is_some_and(|shape| shape.level != Level::Linear);
    let is_too_small = is_mapped && recorded_length(block).is_zero();
    (block.unit.capacity == 0 || is_too_small).then(|| {
        Problem::error("array-size", format!("capacity is {} sectors, no whole stripe", block.unit.capacity))
    })
}

fn sector_size(block: &Block) -> Option<Problem> {
    let size = u64::from(block.unit.sector_size);
    (size != SECTOR_BYTES)
        .then(|| Problem::error("sector-size", format!("sector_size is {size}, expected {SECTOR_BYTES}")))
}

fn job(block: &Block) -> Option<Problem> {
    let code = block.array.raid_job_code;
    match code {
        job::IDLE => None,
        job::UPGRADING => Some(Problem::error(
            "unsupported-reshape",
            format!(
                "the array is being moved from {} disks of {}: where that stands can not be followed",
                block.array.original_width,
                level_name(block.array.original_level)
            ),
        )),
        job::INITIALIZING | job::REBUILDING | job::SYNCHRONIZING => {
            let mark = Sectors(u64::from(block.array.raid_job_mark));
            let capacity = capacity(block);
            (mark > capacity).then(|| {
                let message = format!("raid_job_mark is {mark}, the array has {capacity} sectors");
                Problem::warning("job-mark", message)
            })
        }
        other => {
            Some(Problem::warning("job-code", format!("raid_job_code is {other}, expected 0 or 2 to 5")))
        }
    }
}

/// Whether the disk has room for its part of the array.
fn device_size(block: &Block, disk: Sectors) -> Option<Problem> {
    let needed = recorded_length(block).saturating_add(TRAILER);
    (needed > disk).then(|| {
        let message = format!("the device has {disk} sectors, its part of the array takes {needed}");
        Problem::warning("device-too-small", message)
    })
}
