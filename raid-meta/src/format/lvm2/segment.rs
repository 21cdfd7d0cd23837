//! From the segments of a logical volume to volumes.
//!
//! Most logical volumes have one segment, and are one volume. One of several is a concatenation: of ranges of disks or
//! other volumes, and of stripes, which are volumes of their own without a name.

use super::raid;
use super::vg::{Area, Content, Lv, Segment, Vg};
use super::view::{lv_dm_name, size};
use crate::escape::escape;
use crate::geometry::{Geometry, Level};
use crate::model::{Extent, SlotState, SlotView, VolumeView};
use crate::record::Problem;
use crate::units::{ChunkSectors, Sectors};

/// The volumes of a logical volume; the last one is the logical volume itself.
pub(super) fn volumes(vg: &Vg, lv: &Lv) -> Vec<VolumeView> {
    let whole = match lv.segments.as_slice() {
        [] => unsupported(vg, lv, "it has no segments"),
        [only] => single(vg, lv, only),
        segments if segments.iter().all(is_stretch) => return concatenation(vg, lv, segments),
        _ => unsupported(vg, lv, "it has several segments of a kind that stands alone"),
    };
    vec![whole]
}

fn is_stretch(segment: &Segment) -> bool {
    matches!(segment.content, Content::Stripes { .. } | Content::Error)
}

/// A logical volume without its slots.
pub(super) fn bare(vg: &Vg, lv: &Lv) -> VolumeView {
    VolumeView {
        uuid: lv.id.clone(),
        name: Some(escape(&lv.name)),
        dm_name: lv_dm_name(vg, lv),
        size: size(vg, lv.extents()).unwrap_or_default(),
        state: Some(state(lv)),
        ..VolumeView::default()
    }
}

/// Type and status in LVM's words.
fn state(lv: &Lv) -> String {
    let mut words: Vec<String> = lv.segments.iter().map(|segment| segment.kind.clone()).collect();
    words.dedup();
    words.extend(lv.status.iter().map(|word| escape(word).to_lowercase()));
    words.join(" ")
}

/// A logical volume of a kind that is not mapped. Those that it consists of stay its own.
fn unsupported(vg: &Vg, lv: &Lv, reason: &str) -> VolumeView {
    let mut volume = bare(vg, lv);
    let uses = lv.uses().into_iter().filter_map(|name| vg.lvs.get(vg.lv(name)?));
    volume.slots = uses.map(|below| SlotView::subset(below.id.clone())).collect();
    let message = format!("{}: {reason}", escape(&lv.name));
    volume.problems.push(Problem::error("unsupported-volume", message));
    volume
}

fn single(vg: &Vg, lv: &Lv, segment: &Segment) -> VolumeView {
    match &segment.content {
        Content::Stripes { .. } => VolumeView { size: bare(vg, lv).size, ..stripes(vg, lv, segment) },
        Content::Error => concatenation(vg, lv, std::slice::from_ref(segment)).pop().unwrap_or_default(),
        Content::Raid(content) => raid::volume(vg, lv, segment, content),
        Content::Mirror { areas, .. } => mirror(vg, lv, segment, areas),
        Content::Snapshot { .. } | Content::Other { .. } => {
            unsupported(vg, lv, &format!("volumes of type {} are not read", segment.kind))
        }
    }
}

/// Stripes: a raid0, or where there is only one, a range.
fn stripes(vg: &Vg, lv: &Lv, segment: &Segment) -> VolumeView {
    let Content::Stripes { chunk, areas } = &segment.content else { return bare(vg, lv) };
    let count = areas.len() as u64;
    let length = size(vg, segment.extents).unwrap_or_default();
    let each = Sectors(length.0.checked_div(count).unwrap_or_default());
    let mut volume = VolumeView { size: length, ..bare(vg, lv) };
    volume.slots = areas.iter().map(|area| slot(vg, area, each, &mut volume.problems)).collect();
    let chunk = u32::try_from(*chunk).ok().and_then(ChunkSectors::new);
    let slots = u32::try_from(count).unwrap_or_default();
    volume.geometry = match (slots, chunk) {
        (0, _) => None,
        (1, _) => Some(Geometry { level: Level::Linear, layout: None, chunk: None, slots }),
        (_, Some(_)) => Some(Geometry { level: Level::Raid0, layout: None, chunk, slots }),
        (_, None) => None,
    };
    volume.level = Some(if slots > 1 { Level::Raid0 } else { Level::Linear });
    if volume.geometry.is_none() {
        let message = format!("{}: {count} stripes of unknown length", escape(&lv.name));
        volume.problems.push(Problem::error("segment-invalid", message));
    }
    volume
}

/// What is at an area: a disk from some extent on, or another volume.
pub(super) fn slot(vg: &Vg, area: &Area, length: Sectors, problems: &mut Vec<Problem>) -> SlotView {
    let extent = |start: u64| {
        let offset = area.extent.checked_mul(vg.extent_size)?.checked_add(start)?;
        Some(Extent { offset: Sectors(offset), length })
    };
    let mut fail = |what: &str| {
        let message = format!("{what} '{}', extent {}", escape(&area.name), area.extent);
        problems.push(Problem::error("area-invalid", message));
        SlotView::empty()
    };
    if let Some(pv) = vg.pv(&area.name) {
        let end = area.extent.saturating_add(length.0.div_ceil(vg.extent_size));
        let state = if pv.is_missing { SlotState::Failed } else { SlotState::InSync };
        return match extent(pv.start) {
            Some(extent) if pv.extents.is_none_or(|extents| end <= extents) => {
                SlotView { extent: Some(extent), ..SlotView::disk(pv.id.clone(), state) }
            }
            _ => fail("past the end of the physical volume"),
        };
    }
    match vg.lv(&area.name).and_then(|place| vg.lvs.get(place)) {
        Some(lv) => SlotView { extent: extent(0), ..SlotView::subset(lv.id.clone()) },
        None => fail("there is no volume"),
    }
}

/// Segments one after the other.
fn concatenation(vg: &Vg, lv: &Lv, segments: &[Segment]) -> Vec<VolumeView> {
    let mut volumes = Vec::new();
    let mut whole = bare(vg, lv);
    let mut end = 0;
    for (number, segment) in segments.iter().enumerate() {
        if segment.start != end {
            let message =
                format!("{}: a segment begins at extent {}, expected {end}", escape(&lv.name), segment.start);
            whole.problems.push(Problem::error("segment-gap", message));
        }
        end = segment.start.saturating_add(segment.extents);
        let length = size(vg, segment.extents).unwrap_or_default();
        whole.slots.push(match &segment.content {
            Content::Stripes { areas, .. } => match areas.as_slice() {
                [only] => slot(vg, only, length, &mut whole.problems),
                _ => {
                    let part = part(vg, lv, segment, number);
                    let slot = SlotView::subset(part.uuid.clone());
                    volumes.push(part);
                    slot
                }
            },
            _ => SlotView { extent: Some(Extent { offset: Sectors::ZERO, length }), ..SlotView::empty() },
        });
    }
    let slots = u32::try_from(segments.len()).unwrap_or(u32::MAX);
    whole.level = Some(Level::Linear);
    let is_whole = !whole.problems.iter().any(|problem| problem.code == "segment-gap");
    whole.geometry = is_whole.then_some(Geometry { level: Level::Linear, layout: None, chunk: None, slots });
    volumes.push(whole);
    volumes
}

/// A segment as a volume without a name.
fn part(vg: &Vg, lv: &Lv, segment: &Segment, number: usize) -> VolumeView {
    let whole = stripes(vg, lv, segment);
    VolumeView {
        uuid: format!("{}-segment{number}", whole.uuid),
        name: None,
        dm_name: format!("{}_segment{number}", whole.dm_name),
        ..whole
    }
}

/// An old mirror. Which of its images are in step is in a log that is not read: the first one always is.
fn mirror(vg: &Vg, lv: &Lv, segment: &Segment, areas: &[Area]) -> VolumeView {
    let mut volume = bare(vg, lv);
    let length = size(vg, segment.extents).unwrap_or_default();
    volume.slots = areas.iter().map(|area| slot(vg, area, length, &mut volume.problems)).collect();
    volume.level = Some(Level::Raid1);
    let slots = u32::try_from(areas.len()).unwrap_or_default();
    volume.geometry =
        (slots > 0).then_some(Geometry { level: Level::Raid1, layout: None, chunk: None, slots });
    let message = "an old mirror: its log, which knows what is in step, is not read; the first image is";
    volume.problems.push(Problem::note("mirror-log", message));
    volume
}
