//! md's numbers for level, layout, chunk and slots as a geometry, and the sizes that follow.

use super::facts::Shape;
use super::words;
use crate::geometry::{FarSets, Geometry, Layout, Level, ParityLayout, Raid0Layout, Raid10Layout};
use crate::record::Problem;
use crate::units::{ChunkSectors, SECTOR_BYTES, Sectors};

/// The geometry, or why there is none.
pub(super) fn geometry(shape: &Shape) -> Result<Geometry, Problem> {
    let level = words::level(shape.level).ok_or_else(|| {
        let name = words::level_name(shape.level);
        Problem::error("level-unsupported", format!("level is {} ({name})", shape.level))
    })?;
    let slots = slots(shape, level)?;
    let chunk = chunk(shape, level)?;
    let layout = layout(shape, level, slots)?;
    Ok(Geometry { level, layout, chunk, slots })
}

/// What a geometry that can be mapped is still to be warned of.
pub(super) fn doubts(geometry: &Geometry) -> Option<Problem> {
    let layout = geometry.layout?.raid10()?;
    (layout.sets == FarSets::Old).then(|| {
        let message = format!("layout {layout} can put all copies of a chunk on one member");
        Problem::warning("no-redundancy", message)
    })
}

fn slots(shape: &Shape, level: Level) -> Result<u32, Problem> {
    let least = match level {
        Level::Linear | Level::Raid0 | Level::Raid1 => 1,
        Level::Raid4 | Level::Raid5 | Level::Raid10 => 2,
        Level::Raid6 => 4,
    };
    let fits = |slots: &u32| (least..=shape.max_slots).contains(slots);
    u32::try_from(shape.slots).ok().filter(fits).ok_or_else(|| {
        let expected = format!("expected {least} to {} for {level}", shape.max_slots);
        Problem::error("slots-invalid", format!("number of slots is {}, {expected}", shape.slots))
    })
}

fn chunk(shape: &Shape, level: Level) -> Result<Option<ChunkSectors>, Problem> {
    let invalid = |expected: &str| {
        let message = format!("chunk is {} bytes, expected {expected} for {level}", shape.chunk_bytes);
        Problem::error("chunk-invalid", message)
    };
    let sectors = u32::try_from(shape.chunk_bytes / SECTOR_BYTES).ok();
    let whole = shape.chunk_bytes.is_multiple_of(SECTOR_BYTES);
    match level {
        Level::Linear | Level::Raid1 => Ok(None),
        Level::Raid0 => {
            let chunk = sectors.filter(|_| whole).and_then(ChunkSectors::new);
            chunk.map(Some).ok_or_else(|| invalid("whole sectors"))
        }
        _ => {
            let chunk =
                sectors.filter(|sectors| whole && sectors.is_power_of_two()).and_then(ChunkSectors::new);
            chunk.map(Some).ok_or_else(|| invalid("a power of two from 512"))
        }
    }
}

fn layout(shape: &Shape, level: Level, slots: u32) -> Result<Option<Layout>, Problem> {
    let unsupported = || {
        let message = format!("layout is {:#x}, which is none of {level}'s", shape.layout);
        Problem::error("layout-unsupported", message)
    };
    match level {
        Level::Linear | Level::Raid1 => Ok(None),
        Level::Raid0 => match (shape.raid0_layout, shape.layout) {
            (false, _) | (true, 0) => Ok(None),
            (true, 1) => Ok(Some(Layout::Raid0(Raid0Layout::Original))),
            (true, 2) => Ok(Some(Layout::Raid0(Raid0Layout::Alternate))),
            (true, _) => Err(unsupported()),
        },
        Level::Raid4 => Ok(Some(ParityLayout::ParityLast.into())),
        Level::Raid5 | Level::Raid6 => {
            let fits = |layout: &ParityLayout| level == Level::Raid6 || !layout.is_raid6_only();
            let layout = ParityLayout::from_md(shape.layout).filter(fits).ok_or_else(unsupported)?;
            Ok(Some(layout.into()))
        }
        Level::Raid10 => {
            let layout = Raid10Layout::from_md(shape.layout).ok_or_else(unsupported)?;
            check_raid10(layout, slots)?;
            Ok(Some(layout.into()))
        }
    }
}

/// The layout words that md takes although copies do not fit, or two chunks share one place.
fn check_raid10(layout: Raid10Layout, slots: u32) -> Result<(), Problem> {
    let near = u32::from(layout.near);
    let overlapping_offset = layout.offset && near >= 2 && layout.far >= 2 && !slots.is_multiple_of(near);
    let overlapping_sets =
        layout.sets == FarSets::Sets && near == 2 && layout.far == 2 && slots > 8 && !slots.is_multiple_of(4);
    if layout.copies() > slots {
        let message = format!("layout {layout} has {} copies on {slots} slots", layout.copies());
        Err(Problem::error("layout-unsupported", message))
    } else if overlapping_offset || overlapping_sets {
        let message = format!("layout {layout} puts two chunks in one place with {slots} slots");
        Err(Problem::error("layout-overlaps", message))
    } else {
        Ok(())
    }
}

/// Slots whose chunks hold data in one stripe of a level with parity, all slots otherwise.
pub(super) fn data_slots(geometry: &Geometry) -> u32 {
    geometry.slots.saturating_sub(geometry.level.parities()).max(1)
}

/// The size of an array whose members all have `length`.
pub(super) fn array_size(geometry: &Geometry, length: Sectors) -> Sectors {
    let chunk = geometry.chunk.map_or(1, |chunk| u64::from(chunk.get()));
    let rows = length.0.checked_div(chunk).unwrap_or_default();
    let chunks = match geometry.level {
        Level::Raid1 => Some(rows),
        Level::Raid10 => geometry.layout.and_then(Layout::raid10).and_then(|layout| {
            let rows = rows.checked_div(u64::from(layout.far))?;
            rows.checked_mul(u64::from(geometry.slots))?.checked_div(u64::from(layout.near))
        }),
        _ => rows.checked_mul(u64::from(data_slots(geometry))),
    };
    Sectors(chunks.and_then(|chunks| chunks.checked_mul(chunk)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(level: i32, layout: u32, slots: i64) -> Shape {
        Shape { level, layout, raid0_layout: false, chunk_bytes: 65536, slots, max_slots: 1920 }
    }

    fn code(shape: &Shape) -> String {
        geometry(shape).unwrap_err().code
    }

    #[test]
    fn numbers_outside_the_tables_are_named_problems() {
        assert_eq!(code(&shape(-4, 0, 2)), "level-unsupported");
        assert_eq!(code(&shape(5, 6, 3)), "layout-unsupported");
        assert_eq!(code(&shape(5, 16, 3)), "layout-unsupported");
        assert_eq!(code(&shape(6, 21, 5)), "layout-unsupported");
        assert_eq!(code(&shape(6, 2, 3)), "slots-invalid");
        assert_eq!(code(&shape(5, 2, 0)), "slots-invalid");
        assert_eq!(code(&shape(5, 2, i64::MIN)), "slots-invalid");
        assert_eq!(code(&shape(5, 2, 1921)), "slots-invalid");
        assert_eq!(code(&shape(10, 0x60102, 4)), "layout-unsupported");
        assert_eq!(code(&shape(10, 0x105, 4)), "layout-unsupported");
        assert_eq!(code(&shape(10, 0x10202, 5)), "layout-overlaps");
        assert_eq!(code(&shape(10, 0x40202, 9)), "layout-overlaps");
        assert!(geometry(&shape(10, 0x40202, 8)).is_ok());
        assert!(geometry(&shape(10, 0x40202, 12)).is_ok());
        for chunk_bytes in [0, 512 * 3, 513, u64::MAX] {
            assert_eq!(code(&Shape { chunk_bytes, ..shape(5, 2, 3) }), "chunk-invalid");
        }
        assert!(geometry(&Shape { chunk_bytes: 512 * 24, ..shape(0, 0, 3) }).is_ok());
    }

    #[test]
    fn level_4_has_its_parity_last_whatever_the_layout_says() {
        for layout in [0, 4, 5, 99] {
            let geometry = geometry(&shape(4, layout, 3)).unwrap();
            assert_eq!(geometry.layout, Some(ParityLayout::ParityLast.into()));
        }
    }

    #[test]
    fn a_raid0_layout_counts_only_where_it_is_recorded() {
        assert_eq!(geometry(&shape(0, 2, 3)).unwrap().layout, None);
        let recorded = Shape { raid0_layout: true, ..shape(0, 2, 3) };
        assert_eq!(geometry(&recorded).unwrap().layout, Some(Layout::Raid0(Raid0Layout::Alternate)));
    }

    #[test]
    fn array_sizes_are_the_kernels() {
        let size = |level, layout, slots, length| {
            array_size(&geometry(&shape(level, layout, slots)).unwrap(), Sectors(length)).0
        };
        assert_eq!(size(5, 2, 3, 47104), 94208);
        assert_eq!(size(6, 2, 5, 47104), 141_312);
        assert_eq!(size(10, 0x102, 4, 47104), 94208);
        assert_eq!(size(10, 0x102, 5, 1280), 25 * 128);
        assert_eq!(size(10, 0x201, 4, 1281), 5 * 4 * 128);
        assert_eq!(size(1, 0, 2, 49025), 49025);
        assert_eq!(size(5, 2, 3, u64::MAX), 0);
    }
}
