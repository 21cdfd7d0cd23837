//! What a virtual disk means, as one disk sees it: an array, or arrays and the array that they make.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::copy::Kind;
use super::level::{Shape, capacity, whole};
use super::metadata::Ddf;
use super::structs::{Controller, Guid, PdEntry, VdConfig, VdEntry, pd_state};
use super::tables::{Config, Element};
use super::{check, meaning, names};
use crate::escape;
use crate::format::schema::DiskStruct;
use crate::geometry::{Geometry, Level};
use crate::model::{Extent, OwnPart, SlotState, SlotView, VolumeView};
use crate::record::{Problem, SectorRange};
use crate::units::{SECTOR_BYTES, Sectors, Slot};

/// The bit of [`VdEntry::vd_state`] that says that redundancy may be out of step.
pub(super) const INCONSISTENT: u8 = 0x10;
/// What [`VdEntry::init_state`] is when redundancy has been computed throughout, in its low bits.
const INITIALIZED: u8 = 2;

/// The views of a virtual disk: those of its elements where they are arrays themselves, and its own last. `own`
/// is the reference of the disk that carries the metadata.
pub(super) fn views(ddf: &Ddf, index: usize, disk: &VdEntry, own: Option<u32>) -> Vec<VolumeView> {
    let volume =
        Volume { ddf, disk, own, disks: ddf.physical_disks().into_iter().map(|(_, disk)| disk).collect() };
    let base = volume.base(index);
    let configs = of_volume(ddf, &disk.vd_guid);
    let Some(first) = configs.first() else { return vec![base] };
    let mut problems = check::volume(ddf, disk, &configs);
    let is_sound = !problems.iter().any(Problem::is_error);
    let shape = shape(ddf, &first.head);
    let (Ok(shape), true) = (shape, is_sound) else {
        let level = shape_level(ddf, &first.head);
        return vec![VolumeView { level, size: ddf.sectors(first.head.vd_size), problems, ..base }];
    };
    let size = check::size(ddf, &first.head, &shape, &mut problems);
    let base = VolumeView { size, problems, ..base };
    match shape {
        Shape::Flat(geometry) => vec![volume.flat(base, geometry, &configs, |element, rank, head| {
            element.saturating_mul(usize::from(head.primary_element_count)).saturating_add(rank)
        })],
        Shape::Interleaved(geometry) => vec![volume.flat(base, geometry, &configs, |element, rank, head| {
            rank.saturating_mul(usize::from(head.secondary_element_count)).saturating_add(element)
        })],
        Shape::Nested { inner, outer } => volume.nested(base, inner, outer, &configs),
    }
}

/// The configurations of a virtual disk that can be believed, by element; of several of one element the newest.
pub(super) fn of_volume(ddf: &Ddf, guid: &Guid) -> Vec<Config> {
    let mut configs: Vec<Config> = ddf.configs();
    configs.retain(|config| config.is_sound && config.fits && same_guid(&config.head.vd_guid, guid));
    configs.sort_by_key(|config| {
        (config.head.secondary_element_seq, std::cmp::Reverse(config.head.sequence_number), config.index)
    });
    configs.dedup_by_key(|config| config.head.secondary_element_seq);
    configs
}

/// Adaptec leaves the last four bytes of a GUID blank in some places and not in others.
pub(super) fn same_guid(a: &Guid, b: &Guid) -> bool {
    let (Some((a_head, a_tail)), Some((b_head, b_tail))) = (a.split_at_checked(20), b.split_at_checked(20))
    else {
        return false;
    };
    a_head == b_head && (a_tail == b_tail || a_tail == [0xff; 4] || b_tail == [0xff; 4])
}

/// Identity of a virtual disk, by its place in the table.
pub(super) fn uuid(ddf: &Ddf, disk: &VdEntry, index: usize) -> String {
    let header = ddf.header().map_or([0; 24], |header| header.ddf_header_guid);
    let controller = ddf.section(Kind::Controller);
    let controller = controller.and_then(|section| Controller::decode(&section.bytes, ddf.endian));
    let controller = controller.map_or([0; 24], |controller| controller.controller_guid);
    names::volume_uuid(&controller, &header, &disk.vd_guid, &disk.vd_name, index)
}

/// How the elements of a virtual disk make it.
///
/// # Errors
/// What can not be understood.
pub(super) fn shape(ddf: &Ddf, head: &VdConfig) -> Result<Shape, Problem> {
    let block = ddf.block.bytes().0 / SECTOR_BYTES;
    Shape::of(head, block, head.vd_guid.starts_with(names::MDADM))
}

fn shape_level(ddf: &Ddf, head: &VdConfig) -> Option<Level> {
    shape(ddf, head).ok().map(|shape| shape.geometry().level)
}

/// The blocks of a member that strips fill.
fn per_member(ddf: &Ddf, head: &VdConfig, geometry: &Geometry) -> Sectors {
    let chunk = geometry.chunk.map_or(1, |chunk| u64::from(chunk.get()));
    Sectors(whole(ddf.sectors(head.block_count).0, chunk))
}

struct Volume<'a> {
    ddf: &'a Ddf,
    disk: &'a VdEntry,
    own: Option<u32>,
    disks: Vec<PdEntry>,
}

impl Volume<'_> {
    /// What the table of virtual disks alone says.
    fn base(&self, index: usize) -> VolumeView {
        let VdEntry { vd_guid, vd_name, .. } = self.disk;
        let name = names::volume_name(vd_name);
        VolumeView {
            uuid: uuid(self.ddf, self.disk, index),
            name: (!name.is_empty()).then(|| escape::escape(name)),
            dm_name: names::dm_name(vd_name, vd_guid),
            dirty: Some(self.is_dirty()),
            state: Some(meaning::volume_state(self.disk)),
            ..VolumeView::default()
        }
    }

    fn is_dirty(&self) -> bool {
        self.disk.vd_state & INCONSISTENT != 0
    }

    /// The same with what follows from the level. No position of a resync is recorded.
    fn with_geometry(&self, base: VolumeView, geometry: Geometry) -> VolumeView {
        let redundant = geometry.level.is_redundant();
        let initializing = redundant && self.disk.init_state & 3 != INITIALIZED;
        let dirty = redundant && self.is_dirty();
        VolumeView {
            geometry: Some(geometry),
            level: Some(geometry.level),
            dirty: Some(dirty),
            initializing,
            resync_position: (initializing || dirty).then_some(Sectors::ZERO),
            ..base
        }
    }

    /// One array. `place` says which slot a disk of an element has. Slots of elements that this disk does not
    /// know stay open.
    fn flat(
        &self,
        base: VolumeView,
        geometry: Geometry,
        configs: &[Config],
        place: impl Fn(usize, usize, &VdConfig) -> usize,
    ) -> VolumeView {
        let mut slots = vec![SlotView::default(); geometry.slots as usize];
        let mut own = None;
        for config in configs {
            let element = usize::from(config.head.secondary_element_seq);
            for rank in 0..usize::from(config.head.primary_element_count) {
                let slot = place(element, rank, &config.head);
                let Some(view) = slots.get_mut(slot) else { continue };
                *view = self.slot(config, rank, &geometry);
                own = own.or_else(|| self.own_part(config, rank, slot, &geometry));
            }
        }
        VolumeView { slots, own, ..self.with_geometry(base, geometry) }
    }

    /// An array for each element, and the array of them.
    fn nested(
        &self,
        base: VolumeView,
        inner: Geometry,
        outer: Geometry,
        configs: &[Config],
    ) -> Vec<VolumeView> {
        let element_view = |number: u32| {
            let part = VolumeView {
                uuid: format!("{}-{number}", base.uuid),
                name: base.name.as_ref().map(|name| format!("{name}-{number}")),
                dm_name: format!("{}-{number}", base.dm_name),
                problems: Vec::new(),
                size: Sectors::ZERO,
                ..base.clone()
            };
            let is_it = |config: &&Config| u32::from(config.head.secondary_element_seq) == number;
            match configs.iter().find(is_it) {
                None => part,
                Some(config) => {
                    let size = capacity(&inner, per_member(self.ddf, &config.head, &inner));
                    let one = std::slice::from_ref(config);
                    self.flat(VolumeView { size, ..part }, inner, one, |_, rank, _| rank)
                }
            }
        };
        let mut views: Vec<VolumeView> = (0..outer.slots).map(element_view).collect();
        let slots = views.iter().map(|view| SlotView::subset(view.uuid.clone())).collect();
        let whole = VolumeView { slots, ..self.with_geometry(base, outer) };
        // What is out of step is inside the elements.
        views.push(VolumeView { initializing: false, resync_position: None, ..whole });
        views
    }

    /// The slot of the disk of that rank.
    fn slot(&self, config: &Config, rank: usize, geometry: &Geometry) -> SlotView {
        let Some(Element { reference: Some(reference), start }) = config.elements.get(rank) else {
            return SlotView::empty();
        };
        let length = per_member(self.ddf, &config.head, geometry);
        let extent = Extent { offset: self.ddf.sectors(*start), length };
        SlotView {
            // The parts of a concatenation differ in length, and each disk knows only its own.
            extent: (geometry.level != Level::Linear).then_some(extent),
            ..SlotView::disk(names::disk_key(*reference), self.state(*reference))
        }
    }

    /// What the table of disks says of one.
    fn state(&self, reference: u32) -> SlotState {
        let entry = self.disks.iter().find(|disk| disk.pd_reference == reference);
        let state = entry.map_or(pd_state::MISSING, |disk| disk.pd_state);
        if state & (pd_state::FAILED | pd_state::MISSING) != 0 {
            SlotState::Failed
        } else if state & pd_state::REBUILDING != 0 {
            SlotState::Rebuilding
        } else if state & pd_state::ONLINE != 0 {
            SlotState::InSync
        } else {
            SlotState::Failed
        }
    }

    /// This disk's part, if it is the one of that rank. How far a rebuild has come is not recorded: it starts over.
    fn own_part(&self, config: &Config, rank: usize, slot: usize, geometry: &Geometry) -> Option<OwnPart> {
        let Element { reference, start } = *config.elements.get(rank)?;
        let own = self.own.filter(|own| reference == Some(*own))?;
        let recovered = (self.state(own) == SlotState::Rebuilding).then_some(Sectors::ZERO);
        Some(OwnPart {
            slot: u32::try_from(slot).ok().map(Slot),
            offset: self.ddf.sectors(start),
            length: per_member(self.ddf, &config.head, geometry),
            available: self.ddf.sectors(config.head.block_count),
            recovered,
            bad_sectors: self.bad_sectors(start, config.head.block_count),
            ..OwnPart::default()
        })
    }

    /// The bad blocks inside so many blocks from `start`, counted from there. Blocks that are remapped are among
    /// them: their content is somewhere else.
    fn bad_sectors(&self, start: u64, count: u64) -> Vec<SectorRange> {
        let end = start.saturating_add(count);
        let inside = |(first, blocks): (u64, u64)| {
            let (first, after) = (first.max(start), first.saturating_add(blocks).min(end));
            let length_sectors = self.ddf.sectors(after.saturating_sub(first));
            let start_sectors = self.ddf.sectors(first.saturating_sub(start));
            (!length_sectors.is_zero()).then_some(SectorRange { start_sectors, length_sectors })
        };
        self.ddf.bad_blocks().into_iter().filter_map(inside).collect()
    }
}
