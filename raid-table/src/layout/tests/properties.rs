//! Properties of every map: array to member and back is the identity, and no two sectors collide.

use super::{config, full_map, geometry};
use crate::layout::{Content, Extent, LayoutError, Map, Place, Role};
use proptest::prelude::*;
use raid_meta::geometry::{FarSets, Geometry, Layout, Level, ParityLayout, Raid0Layout, Raid10Layout};
use raid_meta::units::{Sectors, Slot};
use std::collections::HashMap;

type LevelAndLayout = (Level, Option<Layout>);

fn parity_layout() -> impl Strategy<Value = LevelAndLayout> {
    prop::sample::select(ParityLayout::ALL.to_vec()).prop_flat_map(|layout| {
        let levels = match layout {
            _ if layout.is_raid6_only() => vec![Level::Raid6],
            ParityLayout::ParityFirst | ParityLayout::ParityLast => {
                vec![Level::Raid4, Level::Raid5, Level::Raid6]
            }
            _ => vec![Level::Raid5, Level::Raid6],
        };
        (prop::sample::select(levels), Just(Some(Layout::Parity(layout))))
    })
}

fn raid10_layout(slots: u32) -> impl Strategy<Value = LevelAndLayout> {
    let sets = prop::sample::select(vec![FarSets::Whole, FarSets::Old, FarSets::Sets]);
    let most = u8::try_from(slots.min(5)).unwrap();
    let copies = (1..=most).prop_flat_map(move |near| (Just(near), 1..=(most / near)));
    (copies, any::<bool>(), sets).prop_map(|((near, far), offset, sets)| {
        (Level::Raid10, Some(Layout::Raid10(Raid10Layout { near, far, offset, sets })))
    })
}

fn level_and_layout(slots: u32) -> impl Strategy<Value = LevelAndLayout> {
    prop_oneof![
        1 => Just((Level::Linear, None)),
        1 => Just((Level::Raid1, None)),
        1 => Just((Level::Raid0, Some(Layout::Raid0(Raid0Layout::Original)))),
        1 => Just((Level::Raid0, Some(Layout::Raid0(Raid0Layout::Alternate)))),
        3 => parity_layout(),
        4 => raid10_layout(slots),
    ]
}

/// Mappable geometries of 2 to 16 members and chunks of 4 KiB to 1 MiB.
fn any_geometry() -> impl Strategy<Value = Geometry> {
    let chunk = (3..=11u32).prop_map(|shift| 1u32 << shift);
    let all = (2..=16u32).prop_flat_map(|slots| (level_and_layout(slots), Just(slots)));
    (all, chunk).prop_filter_map("overlap", |(((level, layout), slots), chunk)| {
        let slots = if level == Level::Raid6 { slots.max(4) } else { slots };
        let geometry = geometry(level, layout, chunk, slots);
        match Map::new(&geometry, &vec![Sectors::ZERO; Slot(slots).index()], Sectors::ZERO) {
            Ok(_) => Some(geometry),
            Err(LayoutError::CopiesOverlap { .. }) => None,
            Err(error) => panic!("{error}"),
        }
    })
}

/// Their maps, with members of uneven lengths and mostly more rows than the pattern takes to repeat.
fn any_map() -> impl Strategy<Value = Map> {
    (any_geometry(), 0..=40u64).prop_flat_map(|(geometry, rows)| {
        let chunk = u64::from(geometry.chunk.unwrap().get());
        let length = prop_oneof![rows * chunk..(rows + 1) * chunk, rows * chunk..(rows + 10) * chunk];
        let lengths = prop::collection::vec(length.prop_map(Sectors), Slot(geometry.slots).index());
        lengths.prop_map(move |lengths| full_map(&geometry, &lengths).unwrap())
    })
}

fn chunk_of(map: &Map) -> u64 {
    map.geometry().chunk.unwrap().sectors().0
}

/// All that a map stores, by place: array data forward, and the parity of every stripe.
fn everything(map: &Map) -> HashMap<Place, Content> {
    let mut stored = HashMap::new();
    let mut store = |place, content| {
        assert_eq!(stored.insert(place, content), None, "{content:?} collides");
    };
    for Extent { array, copies, stripe, .. } in map.extents(Sectors::ZERO, map.size()) {
        for (copy, &place) in copies.iter().enumerate() {
            store(place, Content::Data { array_sector: array, copy });
        }
        let Some(row) = stripe.and_then(|stripe| map.row(stripe)) else { continue };
        if row.array_sector(Sectors::ZERO) != array {
            continue;
        }
        for (slot, role) in (0..).map(Slot).zip(row.roles()) {
            let place = Place { slot, sector: row.member_sector() };
            match role {
                Role::Data { .. } => {}
                Role::P => store(place, Content::P { stripe: row.stripe() }),
                Role::Q => store(place, Content::Q { stripe: row.stripe() }),
            }
        }
    }
    stored
}

/// Row of the md driver's table of layouts, from its formulas as they are written there: P, Q, data slots.
fn md_row(level: Level, layout: ParityLayout, n: u64, stripe: u64) -> (u64, Option<u64>, Vec<u64>) {
    let number = layout.md();
    if level != Level::Raid6 {
        let d = n - 1;
        let p = match number {
            0 | 2 => d - stripe % n,
            1 | 3 => stripe % n,
            4 => 0,
            _ => d,
        };
        let data = |index: u64| match number {
            0 | 1 => index + u64::from(index >= p),
            2 | 3 => (p + 1 + index) % n,
            4 => index + 1,
            _ => index,
        };
        return (p, None, (0..d).map(data).collect());
    }
    if number >= 16 {
        let small = ParityLayout::from_md(number - 16).unwrap();
        let (p, _, data) = md_row(Level::Raid5, small, n - 1, stripe);
        return (p, Some(n - 1), data);
    }
    let d = n - 2;
    let p = match number {
        0 | 2 | 10 => n - 1 - stripe % n,
        1 | 3 | 8 => stripe % n,
        9 => n - 1 - (stripe + 1) % n,
        4 => 0,
        _ => d,
    };
    let q = match number {
        10 => (p + n - 1) % n,
        4 => 1,
        5 => d + 1,
        _ => (p + 1) % n,
    };
    let data = |index: u64| match number {
        0 | 1 | 8 | 9 if p == n - 1 => index + 1,
        0 | 1 | 8 | 9 if index >= p => index + 2,
        0 | 1 | 8 | 9 | 5 => index,
        4 => index + 2,
        10 => (p + 1 + index) % n,
        _ => (p + 2 + index) % n,
    };
    (p, Some(q), (0..d).map(data).collect())
}

/// Exponents by slot: walking upwards from the slot after Q, skipping P; or in the DDF layouts the slots.
fn md_exponents(layout: ParityLayout, n: u64, p: u64, q: u64) -> HashMap<u64, u64> {
    if (8..=10).contains(&layout.md()) {
        return (0..n).map(|slot| (slot, slot)).collect();
    }
    (1..n).map(|step| (q + step) % n).filter(|&slot| slot != p).zip(0..).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_two_chunks_collide_and_every_member_chunk_leads_back(map in any_map()) {
        let stored = everything(&map);
        for (place, content) in &stored {
            prop_assert_eq!(map.reverse(place.slot, place.sector), Some(*content));
        }
        if map.geometry().level == Level::Linear {
            return Ok(());
        }
        for slot in (0..map.slots()).map(Slot) {
            for row in 0..52 {
                let place = Place { slot, sector: Sectors(row * chunk_of(&map)) };
                prop_assert!(stored.contains_key(&place) || map.geometry().level == Level::Raid1
                    || map.reverse(slot, place.sector).is_none());
            }
        }
        if map.geometry().level.parities() > 0 {
            let chunks = map.used(Slot(0)).0 / chunk_of(&map) * u64::from(map.slots());
            prop_assert_eq!(stored.len() as u64, chunks, "every chunk of every member is used");
        }
    }

    #[test]
    fn every_sector_of_any_range_leads_back_to_itself(map in any_map(), at: u64, length in 0..10_000u64) {
        let start = at % (map.size().0 + 1);
        let mut expected = start;
        for extent in map.extents(Sectors(start), Sectors(length)) {
            prop_assert_eq!(extent.array, Sectors(expected));
            prop_assert!(!extent.length.is_zero());
            for (copy, place) in extent.copies.iter().enumerate() {
                for step in [0, at % extent.length.0, extent.length.0 - 1] {
                    let content = map.reverse(place.slot, Sectors(place.sector.0 + step));
                    let array_sector = Sectors(expected + step);
                    prop_assert_eq!(content, Some(Content::Data { array_sector, copy }));
                    prop_assert!(place.sector.0 + step < map.used(place.slot).0);
                }
            }
            expected += extent.length.0;
        }
        prop_assert_eq!(expected, (start + length).min(map.size().0));
    }

    #[test]
    fn a_smaller_array_uses_less_of_the_same_map(map in any_map(), at: u64, slot in 0..16u32, sector: u64) {
        let size = Sectors(at % (map.size().0 + 1));
        let lengths: Vec<Sectors> = (0..map.slots()).map(|slot| map.used(Slot(slot))).collect();
        let smaller = Map::new(map.geometry(), &lengths, size).unwrap();
        prop_assert_eq!(smaller.capacity(), map.capacity());
        let range = (Sectors::ZERO, size);
        prop_assert!(smaller.extents(range.0, Sectors::MAX).eq(map.extents(range.0, range.1)));
        let sector = Sectors(sector % 100_000);
        match smaller.reverse(Slot(slot), sector) {
            Some(content) => prop_assert_eq!(map.reverse(Slot(slot), sector), Some(content)),
            None => match map.reverse(Slot(slot), sector) {
                Some(Content::Data { array_sector, .. }) => prop_assert!(array_sector >= size),
                Some(Content::P { stripe } | Content::Q { stripe }) => {
                    prop_assert!(map.row(stripe).unwrap().array_sector(sector) >= size);
                }
                None => {}
            },
        }
    }

    #[test]
    fn rows_are_the_md_formulas(
        (level, layout) in parity_layout(),
        slots in 4..=16u32,
        stripe in 0..1000u64,
    ) {
        let lengths = vec![Sectors(8000); Slot(slots).index()];
        let map = full_map(&geometry(level, layout, 8, slots), &lengths).unwrap();
        let layout = layout.unwrap().parity().unwrap();
        let (p, q, data) = md_row(level, layout, u64::from(slots), stripe);
        let row = map.row(stripe).unwrap();
        prop_assert_eq!(u64::from(row.p().0), p);
        prop_assert_eq!(row.q().map(|q| u64::from(q.0)), q);
        let exponents = q.map(|q| md_exponents(layout, u64::from(slots), p, q));
        for (index, slot) in (0..).zip(data) {
            let found = row.data_slot(index).unwrap();
            prop_assert_eq!(u64::from(found.0), slot);
            let exponent = exponents.as_ref().map_or(0, |exponents| u8::try_from(exponents[&slot]).unwrap());
            prop_assert_eq!(row.role(found), Some(Role::Data { index, exponent }));
        }
        let again = map.row((stripe + map.period()) % 1000).unwrap();
        prop_assert!(stripe + map.period() >= 1000 || again.roles().eq(row.roles()));
    }

    #[test]
    fn no_geometry_makes_the_map_panic(
        (level, layout) in level_and_layout(4),
        (_, other) in level_and_layout(4),
        mixed in any::<bool>(),
        chunk in prop_oneof![Just(0), Just(u32::MAX), any::<u32>(), (0..32u32).prop_map(|shift| 1 << shift)],
        lengths in prop::collection::vec(any::<u64>(), 0..6),
        small in any::<bool>(),
        (size, start, slot, sector) in any::<(u64, u64, u32, u64)>(),
    ) {
        let lengths: Vec<Sectors> =
            lengths.into_iter().map(|length| Sectors(if small { length >> 13 } else { length })).collect();
        let slots = u32::try_from(lengths.len()).unwrap();
        let layout = if mixed { other } else { layout };
        let Ok(map) = Map::new(&geometry(level, layout, chunk, slots), &lengths, Sectors::ZERO) else {
            return Ok(());
        };
        let size = size % map.capacity().0.saturating_add(1);
        let map = Map::new(map.geometry(), &lengths, Sectors(size)).unwrap();
        for start in [start, start % (size + 1), size.saturating_sub(1)] {
            for extent in map.extents(Sectors(start), Sectors(1000)).take(5) {
                for (copy, place) in extent.copies.iter().enumerate() {
                    let content = Content::Data { array_sector: extent.array, copy };
                    prop_assert_eq!(map.reverse(place.slot, place.sector), Some(content));
                }
            }
        }
        for sector in [sector, sector % (map.used(Slot(slot)).0 + 1)] {
            let _ = map.reverse(Slot(slot), Sectors(sector));
            let _ = map.reverse(Slot(slot % (slots + 1)), Sectors(sector));
        }
        let _ = map.row(sector).map(|row| row.roles().count());
    }
}
