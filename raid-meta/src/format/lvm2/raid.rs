//! Raids: images, each with a volume for its dm-raid superblock.

use super::segment::bare;
use super::vg::{Image, Lv, Raid, Segment, Vg};
use super::view::size;
use crate::escape::escape;
use crate::geometry::{Geometry, Layout, Level, ParityLayout, Raid10Layout};
use crate::model::{SlotState, SlotView, Tuning, VolumeView};
use crate::record::Problem;
use crate::units::{ChunkSectors, Sectors};

/// The volume of a raid.
pub(super) fn volume(vg: &Vg, lv: &Lv, segment: &Segment, raid: &Raid) -> VolumeView {
    let mut volume = bare(vg, lv);
    volume.slots = raid.images.iter().map(|image| slot(vg, image, &mut volume.problems)).collect();
    volume.tuning = Some(tuning(raid));
    let shape = shape(&segment.kind, raid);
    volume.level = shape.map(|(level, _)| level);
    match geometry(segment, raid, shape) {
        Ok(geometry) => {
            volume.geometry = Some(geometry);
            if let Some(length) = usable(vg, segment, &geometry) {
                volume.size = length;
            }
        }
        Err(message) => {
            let message = format!("{}: {message}", escape(&lv.name));
            volume.problems.push(Problem::error("segment-invalid", message));
        }
    }
    volume
}

/// An image. One that is being split off is not part of the raid for as long.
fn slot(vg: &Vg, image: &Image, problems: &mut Vec<Problem>) -> SlotView {
    let find = |name: &[u8]| vg.lv(name).and_then(|place| vg.lvs.get(place));
    let Some(data) = find(&image.data) else {
        let message = format!("there is no image '{}'", escape(&image.data));
        problems.push(Problem::error("image-missing", message));
        return SlotView::empty();
    };
    SlotView {
        // On the volume for the superblock the word may be left from long ago, and means nothing.
        state: if data.has("REBUILD") { SlotState::Rebuilding } else { SlotState::InSync },
        metadata: image.metadata.as_deref().and_then(find).map(|metadata| metadata.id.clone()),
        write_mostly: data.has("WRITEMOSTLY"),
        split: data.is_tracked(),
        ..SlotView::subset(data.id.clone())
    }
}

/// What is written as 0 is left to the kernel.
fn tuning(raid: &Raid) -> Tuning {
    let given = |value: u64| (value > 0).then_some(value);
    Tuning {
        region_size: given(raid.region).map(Sectors),
        min_recovery_rate: given(raid.min_rate),
        max_recovery_rate: given(raid.max_rate),
        max_write_behind: given(raid.write_behind),
        // 1 stands for an explicit 0.
        data_offset: given(raid.data_offset).map(|offset| Sectors(if offset == 1 { 0 } else { offset })),
    }
}

/// Level and layout of a type.
fn shape(kind: &str, raid: &Raid) -> Option<(Level, Option<Layout>)> {
    use ParityLayout::*;
    let parity = |level, layout: ParityLayout| Some((level, Some(Layout::Parity(layout))));
    match kind {
        "raid0" | "raid0_meta" => Some((Level::Raid0, None)),
        "raid1" => Some((Level::Raid1, None)),
        "raid4" => parity(Level::Raid4, ParityFirst),
        "raid5" | "raid5_ls" => parity(Level::Raid5, LeftSymmetric),
        "raid5_la" => parity(Level::Raid5, LeftAsymmetric),
        "raid5_ra" => parity(Level::Raid5, RightAsymmetric),
        "raid5_rs" => parity(Level::Raid5, RightSymmetric),
        "raid5_n" => parity(Level::Raid5, ParityLast),
        "raid6" | "raid6_zr" => parity(Level::Raid6, DdfZeroRestart),
        "raid6_nr" => parity(Level::Raid6, DdfNRestart),
        "raid6_nc" => parity(Level::Raid6, DdfNContinue),
        "raid6_n_6" => parity(Level::Raid6, ParityLast),
        "raid6_la_6" => parity(Level::Raid6, LeftAsymmetric6),
        "raid6_ra_6" => parity(Level::Raid6, RightAsymmetric6),
        "raid6_ls_6" => parity(Level::Raid6, LeftSymmetric6),
        "raid6_rs_6" => parity(Level::Raid6, RightSymmetric6),
        "raid10" | "raid10_near" => {
            let copies = u8::try_from(raid.copies).ok().filter(|&copies| copies > 0)?;
            Some((Level::Raid10, Some(Layout::Raid10(Raid10Layout::near(copies)))))
        }
        _ => None,
    }
}

fn geometry(
    segment: &Segment,
    raid: &Raid,
    shape: Option<(Level, Option<Layout>)>,
) -> Result<Geometry, String> {
    if let Some(flag) = segment.flags.iter().find(|flag| flag.contains("DELTA_DISKS")) {
        return Err(format!("it is being reshaped ({flag}), which is not followed"));
    }
    if let Some(flag) = segment.flags.iter().find(|flag| !flag.starts_with("RESHAPE")) {
        return Err(format!("type {} has '{flag}', which is not known", segment.kind));
    }
    let (level, layout) = shape.ok_or_else(|| format!("volumes of type {} are not read", segment.kind))?;
    let slots = u32::try_from(raid.images.len()).unwrap_or_default();
    if slots == 0 || raid.count.is_some_and(|count| count != u64::from(slots)) {
        let expected = raid.count.map(|count| count.to_string()).unwrap_or_else(|| "some".to_owned());
        return Err(format!("it has {slots} images, expected {expected}"));
    }
    let chunk = match level {
        Level::Raid1 => None,
        _ => Some(
            u32::try_from(raid.chunk)
                .ok()
                .and_then(ChunkSectors::new)
                .ok_or_else(|| format!("its stripes have {} sectors", raid.chunk))?,
        ),
    };
    Ok(Geometry { level, layout, chunk, slots })
}

/// Size without what each image keeps free for a reshape.
fn usable(vg: &Vg, segment: &Segment, geometry: &Geometry) -> Option<Sectors> {
    let images = match geometry.level {
        Level::Raid4 | Level::Raid5 | Level::Raid6 => {
            geometry.slots.checked_sub(geometry.level.parities())?
        }
        Level::Raid10 => {
            let copies = geometry.layout.and_then(|layout| layout.raid10())?.copies();
            geometry.slots.checked_div(copies)?
        }
        _ => return None,
    };
    let kept = segment.reshape_extents.checked_mul(u64::from(images))?;
    size(vg, segment.extents.checked_sub(kept)?)
}
