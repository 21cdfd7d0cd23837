//! A virtual disk opened for writing, and closed.
//!
//! A disk that is out of step fails for good, in the table of physical disks that all disks of the group have. Each
//! disk is written copy by copy, each copy between an open and a closed header, so that one of the two always is whole:
//! first the copy that does not count, then the one that does.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::copy::{Copy, Kind, Which};
use super::edit::{self, edit, put};
use super::level::element_state;
use super::metadata::Ddf;
use super::read::{self, Found};
use super::structs::{Guid, PdEntry, VdEntry, pd_state};
use super::tables::{self, Config};
use super::volume::{self, INCONSISTENT};
use super::{NAME, fresh};
use crate::format::Metadata;
use crate::format::schema::DiskStruct;
use crate::format::transition::{Present, Rewrite, Transition, TransitionError};
use crate::model::Area;
use crate::record::ChecksumState;
use std::collections::BTreeSet;

/// The sections that say what the group is.
const SAID: [Kind; 4] = [Kind::Controller, Kind::PhysicalDisks, Kind::VirtualDisks, Kind::Configurations];

/// What to write for the volume with that uuid.
///
/// # Errors
/// See [`TransitionError`].
pub(super) fn transition(
    uuid: &str,
    members: &[Present],
    to: Transition,
    now: u64,
) -> Result<Vec<Rewrite>, TransitionError> {
    let before = members.iter().map(carried).collect::<Result<Vec<_>, _>>()?;
    let guid = guid(&before, uuid)?;
    let mut group = before.clone();
    match to {
        Transition::Open => open(&mut group, members, &guid, now),
        Transition::Close => set_dirty(&mut group, &guid, false),
    }
    let bytes = |ddf: &Ddf| SAID.map(|kind| ddf.section(kind).map(|section| section.bytes.clone()));
    if before.iter().map(bytes).eq(group.iter().map(bytes)) {
        return Ok(Vec::new());
    }
    for ddf in &mut group {
        SAID.into_iter().for_each(|kind| edit(ddf, kind, |_, _| {}));
    }
    edit::finish(&mut group, now);
    let both = before.iter().zip(&group).enumerate();
    Ok(both.map(|(member, (before, after))| Rewrite { member, rounds: rounds(before, after) }).collect())
}

fn carried(present: &Present) -> Result<Ddf, TransitionError> {
    let error =
        |message: String| TransitionError::Member { device: present.device.label(), format: NAME, message };
    let found = read::find(&present.device).map_err(|cause| error(cause.to_string()))?;
    match found {
        Some(Found::Metadata(ddf)) if ddf.fatal_problems().is_empty() && reference(&ddf).is_some() => {
            Ok(*ddf)
        }
        _ => Err(error("its metadata is damaged".to_owned())),
    }
}

fn reference(ddf: &Ddf) -> Option<u32> {
    ddf.disk_data().map(|own| own.pd_reference)
}

/// The identity of the virtual disk in the metadata.
fn guid(group: &[Ddf], uuid: &str) -> Result<Guid, TransitionError> {
    let mut disks = group.iter().flat_map(|ddf| ddf.virtual_disks().into_iter().map(move |disk| (ddf, disk)));
    let found = disks.find(|(ddf, (index, disk))| volume::uuid(ddf, disk, *index) == uuid);
    found.map(|(_, (_, disk))| disk.vd_guid).ok_or_else(|| TransitionError::State {
        format: NAME,
        volume: uuid.to_owned(),
        message: "is not in the metadata".to_owned(),
    })
}

/// The configurations of a virtual disk, one of each element: each disk knows only its own.
pub(super) fn configs(group: &[Ddf], guid: &Guid) -> Vec<Config> {
    let mut all: Vec<Config> = group.iter().flat_map(|ddf| volume::of_volume(ddf, guid)).collect();
    all.sort_by_key(|config| {
        (config.head.secondary_element_seq, std::cmp::Reverse(config.head.sequence_number))
    });
    all.dedup_by_key(|config| config.head.secondary_element_seq);
    all
}

/// The disks of a virtual disk.
fn references(configs: &[Config]) -> BTreeSet<u32> {
    configs.iter().flat_map(|config| &config.elements).filter_map(|element| element.reference).collect()
}

fn open(group: &mut [Ddf], members: &[Present], guid: &Guid, now: u64) {
    let there = |in_sync: bool| {
        let both = group.iter().zip(members).filter(move |(_, present)| present.in_sync || !in_sync);
        both.filter_map(|(ddf, _)| reference(ddf)).collect::<BTreeSet<u32>>()
    };
    let (current, present) = (there(true), there(false));
    let disks: Vec<PdEntry> = group
        .first()
        .map(Ddf::physical_disks)
        .unwrap_or_default()
        .into_iter()
        .map(|(_, disk)| disk)
        .collect();
    // A rebuild has no position that could be wrong: it begins again.
    let is_rebuilt = |reference: u32| {
        let mut entries = disks.iter().filter(|disk| disk.pd_reference == reference);
        present.contains(&reference) && entries.any(|disk| disk.pd_state & pd_state::REBUILDING != 0)
    };
    let mut failed = references(&configs(group, guid));
    failed.retain(|&reference| !current.contains(&reference) && !is_rebuilt(reference));
    let is_recorded = |reference: &u32| {
        let mut entries = disks.iter().filter(|disk| disk.pd_reference == *reference);
        entries.any(|disk| disk.pd_state & pd_state::FAILED != 0)
    };
    failed.retain(|reference| !is_recorded(reference));
    if !failed.is_empty() {
        fail(group, &failed, now);
    }
    if is_redundant(group, guid) {
        set_dirty(group, guid, true);
    }
}

fn is_redundant(group: &[Ddf], guid: &Guid) -> bool {
    let configs = configs(group, guid);
    let (Some(first), Some(ddf)) = (configs.first(), group.first()) else { return false };
    volume::shape(ddf, &first.head).is_ok_and(|shape| shape.is_redundant())
}

/// Records disks as failed, and what becomes of all virtual disks that they are in.
fn fail(group: &mut [Ddf], failed: &BTreeSet<u32>, now: u64) {
    for ddf in group.iter_mut() {
        change_disks(ddf, |disk| {
            if failed.contains(&disk.pd_reference) {
                disk.pd_state &= !(pd_state::ONLINE | pd_state::REBUILDING);
                disk.pd_state |= pd_state::FAILED | pd_state::MISSING;
            }
        });
    }
    let guids: BTreeSet<Guid> =
        group.iter().flat_map(Ddf::virtual_disks).map(|(_, disk)| disk.vd_guid).collect();
    for guid in guids {
        let configs = configs(group, &guid);
        if references(&configs).is_disjoint(failed) {
            continue;
        }
        let Some(state) = state(group, &configs) else { continue };
        for ddf in group.iter_mut() {
            change_volume(ddf, &guid, |volume| volume.vd_state = volume.vd_state & !STATE | state);
            touch_configs(ddf, &guid, now);
        }
    }
}

/// The bits of [`VdEntry::vd_state`] that say how whole it is.
pub(super) const STATE: u8 = 0x07;

/// How whole a virtual disk is, from the table of disks.
pub(super) fn state(group: &[Ddf], configs: &[Config]) -> Option<u8> {
    let ddf = group.first()?;
    let disks = ddf.physical_disks();
    let works = |reference: Option<u32>| {
        let state = disks.iter().find(|(_, disk)| Some(disk.pd_reference) == reference);
        let state = state.map_or(0, |(_, disk)| disk.pd_state);
        state & (pd_state::ONLINE | pd_state::FAILED | pd_state::REBUILDING) == pd_state::ONLINE
    };
    let first = configs.first()?;
    let of_element = |config: &Config| {
        let working: Vec<bool> = config.elements.iter().map(|element| works(element.reference)).collect();
        let shape = volume::shape(
            ddf,
            &super::structs::VdConfig { secondary_element_count: 1, ..config.head.clone() },
        );
        shape.ok().map(|shape| element_state(&shape.geometry(), &working))
    };
    let states = configs.iter().map(of_element).collect::<Option<Vec<u8>>>()?;
    Some(super::level::combined_state(first.head.secondary_raid_level, &states))
}

fn set_dirty(group: &mut [Ddf], guid: &Guid, dirty: bool) {
    for ddf in group {
        change_volume(ddf, guid, |volume| {
            volume.vd_state &= !INCONSISTENT;
            volume.vd_state |= if dirty { INCONSISTENT } else { 0 };
        });
    }
}

/// Changes entries of the table of disks.
fn change_disks(ddf: &mut Ddf, change: impl Fn(&mut PdEntry)) {
    edit(ddf, Kind::PhysicalDisks, |bytes, ddf| {
        for (index, mut disk) in ddf.physical_disks() {
            change(&mut disk);
            put(bytes, tables::entry_at(index), &disk.encode(ddf.endian));
        }
    });
}

/// Changes the entry of a virtual disk.
pub(super) fn change_volume(ddf: &mut Ddf, guid: &Guid, change: impl Fn(&mut VdEntry)) {
    edit(ddf, Kind::VirtualDisks, |bytes, ddf| {
        for (index, mut disk) in ddf.virtual_disks() {
            if volume::same_guid(&disk.vd_guid, guid) {
                change(&mut disk);
                put(bytes, tables::entry_at(index), &disk.encode(ddf.endian));
            }
        }
    });
}

/// The configurations of a virtual disk count as new.
pub(super) fn touch_configs(ddf: &mut Ddf, guid: &Guid, now: u64) {
    edit(ddf, Kind::Configurations, |bytes, ddf| {
        for mut config in volume::of_volume(ddf, guid) {
            config.head.sequence_number = config.head.sequence_number.saturating_add(1);
            config.head.timestamp = fresh::timestamp(now);
            put(bytes, config.index.saturating_mul(ddf.record()), &config.head.encode(ddf.endian));
        }
    });
}

/// What to write to a disk.
pub(super) fn rounds(before: &Ddf, after: &Ddf) -> Vec<Vec<Area>> {
    let (old, new) = (before.areas(), edit::areas(after));
    let first = before.other().map(|copy| copy.which);
    let order = [first, before.believed().map(|copy| copy.which)];
    let copies = order.into_iter().flatten().filter_map(|which| copy(after, which));
    copies.flat_map(|copy| copy_rounds(after, copy, &old, &new)).collect()
}

fn copy(ddf: &Ddf, which: Which) -> Option<&Copy> {
    ddf.copies().find(|copy| copy.which == which)
}

/// Open, changed, closed.
fn copy_rounds(ddf: &Ddf, copy: &Copy, old: &[Area], new: &[Area]) -> Vec<Vec<Area>> {
    let is_header = |area: &&Area| area.role == copy.which.header_role();
    let is_section =
        |area: &&Area| copy.sections.iter().any(|section| section.kind.role(copy.which) == area.role);
    let mut header = copy.header.clone();
    header.open_flag = 1;
    let mut bytes = copy.bytes.clone();
    put(&mut bytes, 0, &header.encode(ddf.endian));
    copy.sum.unwrap_or(ddf.default_sum()).store(&mut bytes, ddf.endian);
    let role = copy.which.header_role();
    let opened = Area { role, offset: copy.offset, bytes, checksum: ChecksumState::Ok };
    let was = |area: &Area| old.iter().any(|old| old.offset == area.offset && old.bytes == area.bytes);
    let changed = new.iter().filter(is_section).filter(|area| !was(area)).cloned().collect();
    let closed = new.iter().filter(is_header).cloned().collect();
    vec![vec![opened], changed, closed]
}
