//! What a sector means.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::NAME;
use super::check;
use super::sector::{Sector, bit};
use super::shape::{Part, Shape};
use crate::format::vendor::{Positional, set_name};
use crate::geometry::Level;
use crate::model::{MemberView, VolumeView};
use crate::record::{Problem, Role};
use crate::units::Sectors;

/// The view of the disk.
pub(super) fn view(sector: &Sector) -> MemberView {
    let shape = Shape::of(sector);
    if shape.part == Part::Spare {
        return spare(sector);
    }
    let problems = check::set(sector);
    let is_sound = !problems.iter().any(Problem::is_error);
    let is_redundant = shape.level.is_some_and(Level::is_redundant);
    Positional {
        set_id: set_id(sector),
        dm_name: dm_name(sector),
        member_id: Some(member_id(sector)),
        generation: generation(&shape),
        role: role(sector),
        level: shape.level,
        geometry: shape.geometry.filter(|_| is_sound),
        size: shape.size,
        states: Positional::in_sync(shape.slots),
        slot: shape.slot(),
        length: shape.length,
        dirty: is_redundant.then_some(shape.is_dirty),
        resync_position: (is_redundant && shape.is_dirty).then_some(Sectors::ZERO),
        state: Some(state_text(sector, &shape)),
        problems,
        ..Positional::default()
    }
    .view()
}

fn spare(sector: &Sector) -> MemberView {
    MemberView {
        set_id: set_id(sector),
        member_id: Some(member_id(sector)),
        role: Role::Spare,
        ..MemberView::default()
    }
}

/// The format has no counter. But a disk of a mirror that goes on alone is marked as dirty, and the one that was lost is
/// not: it is the older one.
fn generation(shape: &Shape) -> u64 {
    u64::from(shape.level == Some(Level::Raid1) && shape.is_dirty)
}

/// A disk records what it has room for itself. What the array uses of each is what the smallest has, in all levels but
/// spans.
pub(super) fn complete(views: &mut [&mut MemberView]) {
    let is_cut = |volume: &VolumeView| {
        volume.geometry.is_some_and(|geometry| geometry.level != Level::Linear) && volume.own.is_some()
    };
    let cut = views.iter().flat_map(|view| &view.volumes).filter(|volume| is_cut(volume));
    let Some(smallest) = cut.min_by_key(|volume| volume.size).cloned() else { return };
    let length = smallest.own.map(|own| own.length).unwrap_or_default();
    for volume in views.iter_mut().flat_map(|view| &mut view.volumes).filter(|volume| is_cut(volume)) {
        volume.size = smallest.size;
        if let Some(own) = &mut volume.own {
            (own.length, own.available) = (length, length);
        }
    }
}

/// The freshest of views: one that is dirty, for it knows more than the others; among equals the first.
pub(super) fn freshest(views: &[&MemberView]) -> usize {
    let is_dirty = |view: &&MemberView| view.volumes.iter().any(|volume| volume.dirty == Some(true));
    views.iter().position(is_dirty).unwrap_or_default()
}

/// The disks of the set, and which of the controller's arrays it is.
fn set_id(sector: &Sector) -> String {
    let disks: Vec<String> = sector.members().map(|id| format!("{id:08x}")).collect();
    format!("{}-{}", disks.join(":"), sector.array_index())
}

fn member_id(sector: &Sector) -> String {
    format!("{:08x}", sector.head.array_serial_checksum)
}

/// dmraid adds up the byte with the number of disks and the chunk, and the table.
fn dm_name(sector: &Sector) -> String {
    let sum = sector.table.iter().fold(u32::from(sector.head.disk_array_ex), |sum, id| sum.wrapping_add(*id));
    set_name(NAME, &sum.to_string())
}

fn role(sector: &Sector) -> Role {
    if sector.head.disk & bit::TOLERANCE == 0 { Role::Active } else { Role::Failed }
}

fn state_text(sector: &Sector, shape: &Shape) -> String {
    let disk = if role(sector) == Role::Failed { "failed" } else { "ok" };
    format!("{disk}{}", if shape.is_dirty { ", dirty" } else { "" })
}
