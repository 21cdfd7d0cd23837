//! What a volume means, as one disk sees it.

use super::check;
use super::migration::{self, Observed, Record};
use super::mpb::{Disk, Map, Migration, Mpb, Volume, map_state};
use super::names;
use super::ppl::{self, Log};
use super::shape::{Shape, migration_unit, shapes};
use crate::device::Device;
use crate::escape;
use crate::model::{OwnPart, SlotState, SlotView, VolumeView};
use crate::record::{Problem, SectorRange, WriteLog};
use crate::units::{Sectors, Slot};

/// Which entry of the disk table the device itself is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// This one.
    Entry(usize),
    /// None of them: the device is not part of the set any more.
    Foreign,
    /// Not known: the device's serial number is missing.
    Unknown,
}

/// The view of the volume with that index.
pub(super) fn view(
    mpb: &Mpb,
    index: usize,
    own: Own,
    record: Option<&Record>,
    device: &Device,
) -> VolumeView {
    let Some(volume) = mpb.volumes.get(index) else { return VolumeView::default() };
    let mut problems = check::volume(mpb, index);
    let is_sound = !problems.iter().any(Problem::is_error);
    let understood = shapes(mpb, volume).ok();
    let level = understood.as_ref().map(|(to, _)| to.geometry.level);
    let usable = understood.as_ref().filter(|_| is_sound);
    let mut view = VolumeView {
        uuid: names::volume_uuid(mpb, index, volume),
        name: Some(escape::escape(volume.name())),
        dm_name: names::dm_name(mpb, volume),
        geometry: usable.map(|(to, _)| to.geometry),
        level,
        size: usable.map_or_else(|| mpb.volume_size(volume), |shapes| exported_size(mpb, volume, shapes)),
        slots: slots(mpb, volume),
        dirty: level.map(|level| level.is_redundant() && volume.state.dirty != 0),
        initializing: level.is_some_and(|level| level.is_redundant() && is_initializing(volume)),
        resync_position: usable.and_then(|(to, _)| resync_position(mpb, volume, to)),
        own: usable.and_then(|shapes| own_part(mpb, volume, shapes, own)),
        state: Some(state_text(volume)),
        ..VolumeView::default()
    };
    if let Some((to, Some(from))) = usable
        && volume.migration() == Some(Migration::General)
    {
        let kept = record.filter(|record| keeps_record(volume, own, record));
        let Observed { view: reshape, problems: found } =
            migration::observe(mpb, volume, from, to, view.size, kept);
        problems.extend(found.into_iter().map(|problem| check::of_volume(volume, problem)));
        view.reshape = Some(reshape);
    }
    if let (Some((to, _)), Some(_)) = (usable, &view.own) {
        view.write_log = write_log(mpb, volume, to, device, &mut problems);
    }
    view.problems = problems;
    view
}

/// The size that is to be used. A general migration sets the field to the final size when it starts; until it ends, the
/// array has the old one.
fn exported_size(mpb: &Mpb, volume: &Volume, (to, from): &(Shape, Option<Shape>)) -> Sectors {
    let before = from.as_ref().filter(|_| volume.migration() == Some(Migration::General));
    let capacity = before.map_or(to.capacity(), Shape::capacity);
    mpb.volume_size(volume).min(capacity)
}

/// The slots, as many as the larger of the maps has.
fn slots(mpb: &Mpb, volume: &Volume) -> Vec<SlotView> {
    let count = volume.maps().map(|map| map.disk_ord_tbl.len()).max().unwrap_or_default();
    (0..count).map(|slot| slot_view(mpb, volume, slot)).collect()
}

fn slot_view(mpb: &Mpb, volume: &Volume, slot: usize) -> SlotView {
    let map = identity_map(volume, slot);
    match mpb.disk(map, slot) {
        None => SlotView::empty(),
        Some(disk) => SlotView::disk(names::disk_key(&disk.serial), slot_state(volume, slot, disk)),
    }
}

/// The map that says which disk is in a slot: the first, unless only the second has the slot.
fn identity_map(volume: &Volume, slot: usize) -> &Map {
    let has_slot = slot < volume.map.disk_ord_tbl.len();
    volume.source.as_ref().filter(|_| !has_slot).unwrap_or(&volume.map)
}

/// A disk that failed may be known by the disk table, by the slot table, or by both.
fn slot_state(volume: &Volume, slot: usize, disk: &Disk) -> SlotState {
    let is_marked_for_good = volume.map.is_out_of_sync(slot);
    let is_marked = volume.sync_map().is_out_of_sync(slot);
    if disk.is_out() || is_marked_for_good {
        SlotState::Failed
    } else if !is_marked {
        SlotState::InSync
    } else if volume.migration() == Some(Migration::Rebuild) {
        SlotState::Rebuilding
    } else {
        SlotState::Failed
    }
}

/// Whether redundancy has never been computed throughout.
fn is_initializing(volume: &Volume) -> bool {
    match volume.migration() {
        Some(Migration::Initialize) => true,
        _ => volume.sync_map().head.map_state == map_state::UNINITIALIZED,
    }
}

/// How far redundancy is valid, where it is not throughout.
fn resync_position(mpb: &Mpb, volume: &Volume, shape: &Shape) -> Option<Sectors> {
    if !shape.geometry.level.is_redundant() {
        return None;
    }
    match volume.migration() {
        Some(Migration::Initialize | Migration::Repair) => Some(checkpoint(mpb, volume, shape, false)),
        // Neither the moved stripes nor the checkpoint are flushed in order: captured sets have checkpoints past
        // stripes whose parity never reached the disk. Data does not depend on it, recovery would.
        Some(Migration::General) => Some(Sectors::ZERO),
        _ if is_initializing(volume) || volume.state.dirty != 0 => Some(Sectors::ZERO),
        _ => None,
    }
}

/// The checkpoint of a migration that keeps the geometry, in the sectors that the kernel counts.
fn checkpoint(mpb: &Mpb, volume: &Volume, shape: &Shape, is_rebuild: bool) -> Sectors {
    let unit = migration_unit(mpb, &volume.map, &shape.geometry, is_rebuild);
    let units = volume.curr_migr_unit().saturating_mul(mpb.scale());
    Sectors(units.saturating_mul(unit)).min(shape.capacity())
}

/// The part of the volume on the device itself. Without a serial number the slot is not known, but
/// the data begins at the same place on every member.
fn own_part(mpb: &Mpb, volume: &Volume, (to, from): &(Shape, Option<Shape>), own: Own) -> Option<OwnPart> {
    let slot = match own {
        Own::Entry(disk) => Some(volume.maps().find_map(|map| map.slot_of(disk))?),
        Own::Foreign => return None,
        Own::Unknown => None,
    };
    let length = from.as_ref().map_or(to.per_member, |from| from.per_member.max(to.per_member));
    let part = OwnPart {
        slot: slot.and_then(|slot| u32::try_from(slot).ok()).map(Slot),
        offset: to.start,
        length,
        available: length,
        recovered: None,
        reshape_offset: None,
        bad_sectors: Vec::new(),
    };
    let (Own::Entry(disk), Some(slot)) = (own, slot) else { return Some(part) };
    let recovered = (slot_view(mpb, volume, slot).state == SlotState::Rebuilding)
        .then(|| recovered(mpb, volume, to).min(length));
    Some(OwnPart { recovered, bad_sectors: bad_sectors(mpb, disk, to.start, length), ..part })
}

/// How far a rebuild has come. The checkpoint belongs to the one disk that is being rebuilt; of several it says nothing.
fn recovered(mpb: &Mpb, volume: &Volume, shape: &Shape) -> Sectors {
    let rebuilding = slots(mpb, volume).iter().filter(|slot| slot.state == SlotState::Rebuilding).count();
    if rebuilding == 1 { checkpoint(mpb, volume, shape, true) } else { Sectors::ZERO }
}

/// The bad blocks of a disk inside a range of it, from the start of the range.
fn bad_sectors(mpb: &Mpb, disk: usize, start: Sectors, length: Sectors) -> Vec<SectorRange> {
    let end = start.saturating_add(length);
    let entries = mpb.bad_blocks.iter().flat_map(|log| &log.entries);
    let inside = |first: Sectors, after: Sectors| {
        let (first, after) = (first.max(start), after.min(end));
        let length_sectors = after.saturating_sub(first);
        (!length_sectors.is_zero())
            .then(|| SectorRange { start_sectors: first.saturating_sub(start), length_sectors })
    };
    entries
        .filter(|entry| usize::from(entry.disk_ordinal) == disk)
        .filter_map(|entry| {
            let first = mpb.sectors(entry.first_block());
            inside(first, first.saturating_add(mpb.sectors(entry.blocks())))
        })
        .collect()
}

/// Whether the disk is one of those that keep the migration record of the volume. One of unknown place keeps it if
/// it has one.
fn keeps_record(volume: &Volume, own: Own, record: &Record) -> bool {
    match own {
        Own::Entry(disk) => volume.map.slot_of(disk).is_some_and(|slot| slot < 2),
        Own::Foreign => false,
        Own::Unknown => !record.is_empty(),
    }
}

/// The write log of a volume that was not shut down, where it may hold newer data than the members.
fn write_log(
    mpb: &Mpb,
    volume: &Volume,
    shape: &Shape,
    device: &Device,
    problems: &mut Vec<Problem>,
) -> Option<WriteLog> {
    const JOURNALING: [u8; 2] = [2, 4];
    if volume.state.dirty == 0 {
        return None;
    }
    if JOURNALING.contains(&volume.head.rwh_policy) {
        return Some(WriteLog::Journal);
    }
    match ppl::read(mpb, volume, shape, device) {
        Log::Entries => Some(WriteLog::Ppl),
        Log::Invalid => {
            let message = format!(
                "the partial parity log at sector {} ({} bytes) is not valid",
                ppl::start(shape),
                ppl::length(volume)
            );
            problems.push(check::of_volume(volume, Problem::warning("write-log", message)));
            None
        }
        Log::Empty | Log::None => None,
    }
}

/// The state in the format's own words.
fn state_text(volume: &Volume) -> String {
    let mut words =
        vec![super::meaning::map_state(volume.map.head.map_state).unwrap_or("unknown").to_owned()];
    if volume.state.dirty != 0 {
        words.push("dirty".to_owned());
    }
    if let Some(migration) = volume.migration() {
        words.push(super::meaning::migration(migration).to_owned());
    }
    words.join(", ")
}
