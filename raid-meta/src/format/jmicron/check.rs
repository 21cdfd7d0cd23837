//! The rules that the metadata is held to.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::TRAILER;
use super::block::{Block, MAX_BLOCK, MISSING, VERSION, mode, mode_name};
use super::view::{Shape, member_length};
use crate::format::vendor::expect;
use crate::geometry::Level;
use crate::record::Problem;
use crate::units::Sectors;

/// All that is wrong beside the checksum.
pub(super) fn all(block: &Block, disk: Sectors) -> Vec<Problem> {
    let warning: fn(&str, String) -> Problem = |code, message| Problem::warning(code, message);
    let rules =
        [expect(warning, "version", "version", block.head.version, VERSION), device_size(block, disk)];
    let mut problems: Vec<Problem> = rules.into_iter().flatten().collect();
    problems.extend(array(block, disk));
    problems
}

/// What is wrong with the array that the metadata describes.
pub(super) fn array(block: &Block, disk: Sectors) -> Vec<Problem> {
    let rules = [
        level(block),
        list(block),
        counts(block),
        chunk(block),
        size(block),
        base(block, disk),
        orphan(block),
        bad(block),
    ];
    rules.into_iter().flatten().collect()
}

fn level(block: &Block) -> Option<Problem> {
    match block.head.mode {
        mode::RAID0 | mode::RAID1 | mode::RAID01 | mode::JBOD => None,
        mode::RAID5 => {
            let message = "mode is 5 (RAID5): taken for left-asymmetric parity, which one source alone says";
            Some(Problem::warning("parity-layout", message))
        }
        other => {
            let message = format!("mode is {other} ({}), expected 0 to 3 or 5", mode_name(other));
            Some(Problem::error("unsupported-level", message))
        }
    }
}

/// The list has to name every disk once, with nothing between.
fn list(block: &Block) -> Option<Problem> {
    let listed = block.listed();
    let present = || listed.iter().filter(|member| **member != MISSING);
    let twice = present()
        .enumerate()
        .find(|(index, member)| present().take(*index).any(|earlier| earlier >> 4 == **member >> 4));
    let message = if let Some(hole) = listed.iter().position(|member| *member == 0) {
        format!("member[{hole}] is 0, further members follow")
    } else if let Some((_, member)) = twice {
        format!("the list of members has {member:#010x} twice")
    } else if present().next().is_none() {
        "the list of members has no disk".to_owned()
    } else {
        return None;
    };
    Some(Problem::error("member-list", message))
}

fn counts(block: &Block) -> Option<Problem> {
    let shape = Shape::of(block)?;
    let slots = shape.slots;
    let (is_possible, expected) = match shape.level {
        Level::Raid1 => (slots == 2, "2"),
        Level::Raid10 => (slots >= 4 && slots.is_multiple_of(2), "an even number from 4 on"),
        Level::Raid5 => (slots >= 3, "at least 3"),
        _ => (slots >= 1, "at least 1"),
    };
    (!is_possible).then(|| {
        let name = mode_name(block.head.mode);
        let message = format!("the list has {slots} members, expected {expected} of {name}");
        Problem::error("member-count", message)
    })
}

fn chunk(block: &Block) -> Option<Problem> {
    let is_striped = !matches!(Shape::of(block)?.level, Level::Linear | Level::Raid1);
    let exponent = block.head.block;
    (exponent > MAX_BLOCK).then(|| {
        let message = format!("block is {exponent}, expected at most {MAX_BLOCK} (chunk of 2^n KiB)");
        if is_striped { Problem::error("chunk", message) } else { Problem::warning("chunk", message) }
    })
}

fn size(block: &Block) -> Option<Problem> {
    let shape = Shape::of(block)?;
    member_length(block, shape).is_zero().then(|| {
        Problem::error("array-size", format!("the segment has {} sectors, no whole chunk", block.length()))
    })
}

/// The unit of the base is disputed.
fn base(block: &Block, disk: Sectors) -> Option<Problem> {
    let base = block.head.segment_base;
    (base != 0).then(|| {
        let message = format!(
            "segment_base is {base}: taken for sector {}; readers differ whether it counts sectors or 16 of them",
            block.offset(disk)
        );
        Problem::warning("disputed-offset", message)
    })
}

fn orphan(block: &Block) -> Option<Problem> {
    (block.index().is_none() && !block.is_spare()).then(|| {
        let message =
            format!("its id {:#010x} is not in the list of members: not one any more", block.head.identity);
        Problem::warning("foreign", message)
    })
}

fn bad(block: &Block) -> Option<Problem> {
    let is_redundant = Shape::of(block).is_some_and(|shape| shape.level.is_redundant());
    (is_redundant && block.is_bad()).then(|| {
        let message =
            "attribute 0x0004: a member is bad; members without the flag are taken for ones being rebuilt";
        Problem::warning("member-bad", message)
    })
}

/// Whether the disk has room for its part of the array.
fn device_size(block: &Block, disk: Sectors) -> Option<Problem> {
    let end = block.offset(disk).saturating_add(block.length());
    let room = disk.saturating_sub(TRAILER);
    (end > room).then(|| {
        let message = format!("its part ends at sector {end}, the metadata is at {room}");
        Problem::warning("device-too-small", message)
    })
}
