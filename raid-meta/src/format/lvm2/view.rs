//! What a volume group means: a volume for each logical volume, those that others consist of first.

use super::label::dashed;
use super::segment;
use super::vg::{Content, Lv, Name, Vg};
use crate::device::Device;
use crate::escape::{dm_name, escape};
use crate::format::dm_raid;
use crate::geometry::Level;
use crate::model::{MemberView, OwnPart, SlotView, VolumeView, Witness};
use crate::record::{Problem, Role};
use crate::units::{Sectors, Slot};
use std::collections::HashMap;

/// Logical volumes that consist of others, and so on: no deeper than this.
const MAX_NESTING: usize = 8;

/// Metadata of one physical volume is that of the whole group, and which is newest is told by the sequence number. A
/// physical volume whose text is older is no less current: LVM changes a group only when all that it needs is there,
/// and marks the rest as missing.
const ANY_GENERATION: u64 = u64::MAX;

/// The view of a physical volume: `uuid` is its identity from the label.
pub(super) fn member(vg: &Vg, uuid: &str, device: &Device) -> MemberView {
    let own = vg.pvs.iter().find(|pv| pv.id == uuid);
    let mut volumes = volumes(vg);
    for volume in &mut volumes {
        volume.own = own_part(volume, uuid);
    }
    let parts: HashMap<String, OwnPart> =
        volumes.iter().filter_map(|volume| Some((volume.uuid.clone(), volume.own.clone()?))).collect();
    for volume in volumes.iter_mut().filter(|volume| volume.tuning.is_some()) {
        volume.own = image_part(volume, &parts);
        volume.witnesses = witnesses(volume, &parts, device);
    }
    MemberView {
        set_id: vg.id.clone(),
        set_name: Some(escape(&vg.name)),
        member_id: Some(dashed(uuid)),
        key: Some(uuid.to_owned()),
        generation: vg.seqno,
        generation_slack: ANY_GENERATION,
        updated: vg.created,
        role: match own {
            None => Role::Foreign,
            Some(pv) if pv.is_missing => Role::Failed,
            Some(_) => Role::Active,
        },
        volumes,
        problems: problems(vg, own.is_some(), uuid),
        ..MemberView::default()
    }
}

/// The view of a physical volume that has no metadata itself.
pub(super) fn without_metadata(uuid: Option<&str>, used: Option<bool>) -> MemberView {
    let state = match used {
        Some(false) => "the physical volume is in no group",
        _ => "the physical volume has no copy of the metadata of its group",
    };
    MemberView {
        member_id: uuid.map(dashed),
        key: uuid.map(str::to_owned),
        role: if used == Some(false) { Role::Spare } else { Role::Unknown },
        generation_slack: ANY_GENERATION,
        problems: vec![Problem::note("no-metadata", state)],
        ..MemberView::default()
    }
}

fn problems(vg: &Vg, is_listed: bool, uuid: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    if vg.dropped > 0 {
        let message = format!("{} logical volumes more than are looked at", vg.dropped);
        problems.push(Problem::error("too-many-volumes", message));
    }
    if !is_listed {
        let message = format!("its metadata does not list the physical volume {} itself", dashed(uuid));
        problems.push(Problem::warning("not-listed", message));
    }
    for (word, meaning) in [("EXPORTED", "is exported"), ("PARTIAL", "is marked as partial")] {
        if vg.status.iter().any(|status| status == word.as_bytes()) {
            problems.push(Problem::note("group-state", format!("the volume group {meaning}")));
        }
    }
    problems
}

/// The first slot that is on the disk.
fn own_part(volume: &VolumeView, uuid: &str) -> Option<OwnPart> {
    let mut slots = (0..).zip(&volume.slots);
    let (slot, view) = slots.find(|(_, view)| view.key.as_deref() == Some(uuid) && view.extent.is_some())?;
    let extent = view.extent?;
    Some(OwnPart {
        slot: Some(Slot(slot)),
        offset: extent.offset,
        length: extent.length,
        available: extent.length,
        ..OwnPart::default()
    })
}

/// The slot of a raid whose image is on the disk.
fn image_part(volume: &VolumeView, parts: &HashMap<String, OwnPart>) -> Option<OwnPart> {
    let image = |view: &SlotView| parts.get(view.subset.as_ref()?);
    let (slot, own) = (0..).zip(&volume.slots).find_map(|(slot, view)| Some((slot, image(view)?)))?;
    Some(OwnPart { slot: Some(Slot(slot)), ..own.clone() })
}

/// The superblocks that are on the disk. One that says it is of another slot says nothing, except in mirrors: their images
/// are all alike, and may have been numbered anew.
fn witnesses(volume: &VolumeView, parts: &HashMap<String, OwnPart>, device: &Device) -> Vec<Witness> {
    let is_mirror = volume.level == Some(Level::Raid1);
    let witness = |(slot, view): (u32, &SlotView)| {
        let part = parts.get(view.metadata.as_ref()?)?;
        let witness = dm_raid::witness_at(device, part.offset.to_bytes()?)?;
        (is_mirror || witness.slot == Slot(slot)).then_some(Witness { slot: Slot(slot), ..witness })
    };
    (0..).zip(&volume.slots).filter_map(witness).collect()
}

/// All volumes, each after those that it consists of.
fn volumes(vg: &Vg) -> Vec<VolumeView> {
    let mut order = Order { vg, seen: vec![false; vg.lvs.len()], places: Vec::new() };
    (0..vg.lvs.len()).for_each(|place| order.add(place, 0));
    let overlaid = overlaid(vg);
    let lvs = order.places.into_iter().filter_map(|place| vg.lvs.get(place));
    lvs.filter(|lv| !lv.is_snapshot()).flat_map(|lv| volume(vg, lv, &overlaid)).collect()
}

/// Puts logical volumes in order.
struct Order<'a> {
    vg: &'a Vg,
    seen: Vec<bool>,
    places: Vec<usize>,
}

impl Order<'_> {
    fn add(&mut self, place: usize, depth: usize) {
        let Some(seen) = self.seen.get_mut(place).filter(|seen| !**seen) else { return };
        *seen = true;
        if depth < MAX_NESTING {
            let uses = self.vg.lvs.get(place).map(Lv::uses).unwrap_or_default();
            for name in uses {
                if let Some(below) = self.vg.lv(name) {
                    self.add(below, depth.saturating_add(1));
                }
            }
        }
        self.places.push(place);
    }
}

impl Lv {
    /// What ties a snapshot to its origin; not a volume that anything is stored in.
    fn is_snapshot(&self) -> bool {
        self.segments.iter().any(|segment| matches!(segment.content, Content::Snapshot { .. }))
    }
}

/// Logical volumes whose own data is not what is read from them, and why.
fn overlaid(vg: &Vg) -> HashMap<&Name, &'static str> {
    let mut overlaid = HashMap::new();
    for segment in vg.lvs.iter().flat_map(|lv| &lv.segments) {
        if let Content::Snapshot { origin, store, is_merging } = &segment.content {
            overlaid.insert(store, "it holds what changed since a snapshot");
            if *is_merging {
                overlaid.insert(origin, "a snapshot is being merged into it");
            }
        }
    }
    overlaid
}

/// The volume of a logical volume, and before it those of its segments that have to be volumes of their own.
fn volume(vg: &Vg, lv: &Lv, overlaid: &HashMap<&Name, &'static str>) -> Vec<VolumeView> {
    let mut volumes = segment::volumes(vg, lv);
    let Some(top) = volumes.last_mut() else { return volumes };
    if lv.has("NOTSYNCED") {
        top.problems.push(Problem::note("never-synced", "made without a first synchronisation"));
    }
    if let Some(reason) = overlaid.get(&lv.name) {
        top.geometry = None;
        top.problems.push(Problem::error("unsupported-volume", format!("{}: {reason}", escape(&lv.name))));
    }
    volumes
}

/// What LVM calls the device of a logical volume: group and volume, with a dash between them and all other dashes
/// doubled.
pub(super) fn lv_dm_name(vg: &Vg, lv: &Lv) -> String {
    let part = |name: &[u8]| dm_name(name).replace('-', "--");
    format!("{}-{}", part(&vg.name), part(&lv.name))
}

/// Size of a logical volume.
pub(super) fn size(vg: &Vg, extents: u64) -> Option<Sectors> {
    extents.checked_mul(vg.extent_size).map(Sectors)
}
