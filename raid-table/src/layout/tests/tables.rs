//! Literal tables, as measured on arrays that the Linux md driver wrote.

use super::{full_map, geometry};
use crate::layout::{Content, LayoutError, Map, Role};
use raid_meta::geometry::{Layout, Level, ParityLayout, Raid0Layout, Raid10Layout};
use raid_meta::units::{Sectors, Slot};

const CHUNK: u32 = 8;

/// One stripe as text: `P Q D0/0 D1/1`, the exponents only where there is a Q.
fn stripe_text(map: &Map, stripe: u64) -> String {
    let row = map.row(stripe).unwrap();
    let first = stripe * u64::from(row.data_slots());
    let cell = |role| match role {
        Role::P => "P".to_owned(),
        Role::Q => "Q".to_owned(),
        Role::Data { index, .. } if row.q().is_none() => format!("D{}", first + u64::from(index)),
        Role::Data { index, exponent } => format!("D{}/{exponent}", first + u64::from(index)),
    };
    row.roles().map(cell).collect::<Vec<_>>().join(" ")
}

fn parity_map(level: Level, layout: &str, slots: u32) -> Map {
    let layout: Layout = layout.parse().unwrap();
    let lengths = vec![Sectors(u64::from(CHUNK) * 20); Slot(slots).index()];
    full_map(&geometry(level, Some(layout), CHUNK, slots), &lengths).unwrap()
}

#[test]
fn raid5_on_four_members_is_laid_out_as_md_does() {
    for (layout, table) in [
        ("left-asymmetric", "D0 D1 D2 P | D3 D4 P D5 | D6 P D7 D8 | P D9 D10 D11"),
        ("right-asymmetric", "P D0 D1 D2 | D3 P D4 D5 | D6 D7 P D8 | D9 D10 D11 P"),
        ("left-symmetric", "D0 D1 D2 P | D4 D5 P D3 | D8 P D6 D7 | P D9 D10 D11"),
        ("right-symmetric", "P D0 D1 D2 | D5 P D3 D4 | D7 D8 P D6 | D9 D10 D11 P"),
        ("parity-first", "P D0 D1 D2 | P D3 D4 D5 | P D6 D7 D8 | P D9 D10 D11"),
        ("parity-last", "D0 D1 D2 P | D3 D4 D5 P | D6 D7 D8 P | D9 D10 D11 P"),
    ] {
        let map = parity_map(Level::Raid5, layout, 4);
        let stripes: Vec<String> = (0..4).map(|stripe| stripe_text(&map, stripe)).collect();
        assert_eq!(stripes.join(" | "), table, "{layout}");
    }
}

#[test]
fn raid4_has_its_parity_on_a_fixed_member() {
    assert_eq!(stripe_text(&parity_map(Level::Raid4, "parity-last", 3), 1), "D2 D3 P");
    assert_eq!(stripe_text(&parity_map(Level::Raid4, "parity-first", 3), 1), "P D2 D3");
}

#[test]
fn raid6_on_five_members_is_laid_out_as_md_does() {
    for (md, table) in [
        (
            0,
            "Q D0/0 D1/1 D2/2 P|D3/0 D4/1 D5/2 P Q|D6/1 D7/2 P Q D8/0|D9/2 P Q D10/0 D11/1|P Q D12/0 D13/1 D14/2",
        ),
        (
            1,
            "P Q D0/0 D1/1 D2/2|D3/2 P Q D4/0 D5/1|D6/1 D7/2 P Q D8/0|D9/0 D10/1 D11/2 P Q|Q D12/0 D13/1 D14/2 P",
        ),
        (
            2,
            "Q D0/0 D1/1 D2/2 P|D3/0 D4/1 D5/2 P Q|D7/1 D8/2 P Q D6/0|D11/2 P Q D9/0 D10/1|P Q D12/0 D13/1 D14/2",
        ),
        (
            3,
            "P Q D0/0 D1/1 D2/2|D5/2 P Q D3/0 D4/1|D7/1 D8/2 P Q D6/0|D9/0 D10/1 D11/2 P Q|Q D12/0 D13/1 D14/2 P",
        ),
        (
            4,
            "P Q D0/0 D1/1 D2/2|P Q D3/0 D4/1 D5/2|P Q D6/0 D7/1 D8/2|P Q D9/0 D10/1 D11/2|P Q D12/0 D13/1 D14/2",
        ),
        (
            5,
            "D0/0 D1/1 D2/2 P Q|D3/0 D4/1 D5/2 P Q|D6/0 D7/1 D8/2 P Q|D9/0 D10/1 D11/2 P Q|D12/0 D13/1 D14/2 P Q",
        ),
        (
            8,
            "P Q D0/2 D1/3 D2/4|D3/0 P Q D4/3 D5/4|D6/0 D7/1 P Q D8/4|D9/0 D10/1 D11/2 P Q|Q D12/1 D13/2 D14/3 P",
        ),
        (
            9,
            "D0/0 D1/1 D2/2 P Q|D3/0 D4/1 P Q D5/4|D6/0 P Q D7/3 D8/4|P Q D9/2 D10/3 D11/4|Q D12/1 D13/2 D14/3 P",
        ),
        (
            10,
            "D0/0 D1/1 D2/2 Q P|D4/0 D5/1 Q P D3/4|D8/0 Q P D6/3 D7/4|Q P D9/2 D10/3 D11/4|P D12/1 D13/2 D14/3 Q",
        ),
        (
            16,
            "D0/0 D1/1 D2/2 P Q|D3/0 D4/1 P D5/2 Q|D6/0 P D7/1 D8/2 Q|P D9/0 D10/1 D11/2 Q|D12/0 D13/1 D14/2 P Q",
        ),
        (
            17,
            "P D0/0 D1/1 D2/2 Q|D3/0 P D4/1 D5/2 Q|D6/0 D7/1 P D8/2 Q|D9/0 D10/1 D11/2 P Q|P D12/0 D13/1 D14/2 Q",
        ),
        (
            18,
            "D0/0 D1/1 D2/2 P Q|D4/0 D5/1 P D3/2 Q|D8/0 P D6/1 D7/2 Q|P D9/0 D10/1 D11/2 Q|D12/0 D13/1 D14/2 P Q",
        ),
        (
            19,
            "P D0/0 D1/1 D2/2 Q|D5/0 P D3/1 D4/2 Q|D7/0 D8/1 P D6/2 Q|D9/0 D10/1 D11/2 P Q|P D12/0 D13/1 D14/2 Q",
        ),
        (
            20,
            "P D0/0 D1/1 D2/2 Q|P D3/0 D4/1 D5/2 Q|P D6/0 D7/1 D8/2 Q|P D9/0 D10/1 D11/2 Q|P D12/0 D13/1 D14/2 Q",
        ),
    ] {
        let layout = ParityLayout::from_md(md).unwrap();
        let map = parity_map(Level::Raid6, layout.name(), 5);
        let stripes: Vec<String> = (0..5).map(|stripe| stripe_text(&map, stripe)).collect();
        assert_eq!(stripes.join("|"), table, "layout {md}");
    }
}

#[test]
fn worked_rows_of_six_members_have_the_exponents_of_the_syndrome() {
    let row = |md, stripe| {
        stripe_text(&parity_map(Level::Raid6, ParityLayout::from_md(md).unwrap().name(), 6), stripe)
    };
    assert_eq!(row(2, 1), "D4/0 D5/1 D6/2 D7/3 P Q");
    assert_eq!(row(0, 2), "D8/1 D9/2 D10/3 P Q D11/0");
    assert_eq!(row(8, 1), "D4/0 P Q D5/3 D6/4 D7/5");
}

fn raid10(word: u32, slots: u32, member_chunks: u64) -> Result<Map, LayoutError> {
    let layout = Raid10Layout::from_md(word).unwrap();
    let lengths = vec![Sectors(u64::from(CHUNK) * member_chunks); Slot(slots).index()];
    full_map(&geometry(Level::Raid10, Some(layout.into()), CHUNK, slots), &lengths)
}

/// Chunk numbers by member row, `-` where a member holds nothing.
fn grid(map: &Map, rows: u64) -> String {
    let cell = |slot, row| match map.reverse(Slot(slot), Sectors(row * u64::from(CHUNK))) {
        Some(Content::Data { array_sector, .. }) => (array_sector.0 / u64::from(CHUNK)).to_string(),
        Some(other) => panic!("{other:?} in a raid10"),
        None => "-".to_owned(),
    };
    let line = |row| (0..map.slots()).map(|slot| cell(slot, row)).collect::<Vec<_>>().join(" ");
    (0..rows).map(line).collect::<Vec<_>>().join(" / ")
}

#[test]
fn raid10_grids_are_mds() {
    for (word, slots, rows, table) in [
        (0x102, 5, 4, "0 0 1 1 2 / 2 3 3 4 4 / 5 5 6 6 7 / 7 8 8 9 9"),
        (0x103, 5, 3, "0 0 0 1 1 / 1 2 2 2 3 / 3 3 4 4 4"),
        (0x40201, 4, 6, "0 1 2 3 / 4 5 6 7 / 8 9 10 11 / 1 0 3 2 / 5 4 7 6 / 9 8 11 10"),
        (0x40201, 5, 6, "0 1 2 3 4 / 5 6 7 8 9 / 10 11 12 13 14 / 1 0 4 2 3 / 6 5 9 7 8 / 11 10 14 12 13"),
        (0x201, 4, 6, "0 1 2 3 / 4 5 6 7 / 8 9 10 11 / 3 0 1 2 / 7 4 5 6 / 11 8 9 10"),
        (0x50201, 5, 4, "0 1 2 3 4 / 1 0 4 2 3 / 5 6 7 8 9 / 6 5 9 7 8"),
    ] {
        assert_eq!(grid(&raid10(word, slots, rows).unwrap(), rows), table, "{word:#x} on {slots}");
    }
}

#[test]
fn an_odd_raid10_leaves_the_last_places_unused() {
    let map = raid10(0x102, 3, 3).unwrap();
    assert_eq!(map.capacity(), Sectors(4 * 8));
    assert_eq!(grid(&map, 3), "0 0 1 / 1 2 2 / 3 3 -");
    let map = raid10(0x201, 3, 5).unwrap();
    assert_eq!(grid(&map, 5), "0 1 2 / 3 4 5 / 2 0 1 / 5 3 4 / - - -");
}

#[test]
fn raid10_words_that_overlap_are_refused() {
    let overlap = |word, slots| {
        let found = raid10(word, slots, 64);
        assert!(matches!(found, Err(LayoutError::CopiesOverlap { .. })), "{word:#x} on {slots}: {found:?}");
    };
    for slots in [5, 7, 9, 11] {
        overlap(0x10202, slots);
        overlap(0x50202, slots);
    }
    for slots in [9, 10, 11] {
        overlap(0x40202, slots);
    }
}

#[test]
fn raid10_words_that_people_make_are_sound() {
    for slots in 2..=12 {
        for copies in 2..=slots.min(4) {
            for word in [0x100 | copies, copies << 8 | 1, copies << 8 | 0x10001, copies << 8 | 0x40001] {
                let map = raid10(word, slots, 64).unwrap();
                assert!(!map.copies_share_a_member(), "{word:#x} on {slots}");
            }
        }
    }
}

#[test]
fn raid10_old_sets_that_share_a_member_are_flagged_or_refused() {
    for (word, slots) in [(0x20201, 2..=3), (0x20301, 3..=8)] {
        for slots in slots {
            let found = raid10(word, slots, 64);
            assert!(found.is_err() || found.unwrap().copies_share_a_member(), "{word:#x} on {slots}");
        }
    }
}

fn raid0(lengths: &[u64], layout: Option<Raid0Layout>) -> Result<Map, LayoutError> {
    let lengths: Vec<Sectors> = lengths.iter().copied().map(Sectors).collect();
    let slots = u32::try_from(lengths.len()).unwrap();
    let total = lengths.iter().map(|length| length.0 / 8 * 8).sum();
    Map::new(&geometry(Level::Raid0, layout.map(Layout::Raid0), CHUNK, slots), &lengths, Sectors(total))
}

#[test]
fn the_two_raid0_layouts_differ_where_they_do_in_md() {
    let members = [2048, 4096, 6144, 4096];
    let original = raid0(&members, Some(Raid0Layout::Original)).unwrap();
    let alternate = raid0(&members, Some(Raid0Layout::Alternate)).unwrap();
    assert_eq!(original.capacity(), Sectors(16384));
    assert_eq!(original.zones().len(), 3);
    let all = |map: &Map| map.extents(Sectors::ZERO, map.size()).collect::<Vec<_>>();
    let (original, alternate) = (all(&original), all(&alternate));
    assert_eq!(original.len(), 2048);
    assert_eq!(original.iter().zip(&alternate).filter(|(a, b)| a.copies != b.copies).count(), 768);
}

#[test]
fn a_raid0_of_unequal_members_needs_its_layout_named() {
    assert_eq!(raid0(&[64, 128], None).unwrap_err(), LayoutError::Raid0LayoutUnknown { zones: 2 });
    assert!(raid0(&[64, 71], None).is_ok(), "less than a chunk is no difference");
    let lengths = [Sectors(64), Sectors(128)];
    let map = Map::new(&geometry(Level::Raid0, None, CHUNK, 2), &lengths, Sectors(128)).unwrap();
    assert_eq!((map.capacity(), map.used(Slot(1))), (Sectors(128), Sectors(64)));
}

#[test]
fn linear_rounds_members_down_only_when_there_is_a_chunk() {
    let lengths = [Sectors(1001), Sectors(0), Sectors(50)];
    let capacity = |chunk| full_map(&geometry(Level::Linear, None, chunk, 3), &lengths).unwrap().capacity();
    assert_eq!((capacity(0), capacity(8)), (Sectors(1051), Sectors(1048)));
}

#[test]
fn geometries_that_can_not_be_mapped_say_why() {
    let parity = |layout| Some(Layout::Parity(layout));
    let near = Some(Layout::Raid10(Raid10Layout::near(2)));
    let left = parity(ParityLayout::LeftSymmetric);
    let message = |level, layout, chunk, slots, size| {
        let lengths = vec![Sectors(1024); Slot(slots).index()];
        Map::new(&geometry(level, layout, chunk, slots), &lengths, Sectors(size)).unwrap_err().to_string()
    };
    let cases = [
        (message(Level::Raid5, left, 0, 3, 0), "raid5: no chunk size"),
        (message(Level::Raid5, left, 24, 3, 0), "raid5: chunk of 24 sectors, expected a power of two"),
        (message(Level::Raid10, near, 24, 4, 0), "raid10: chunk of 24 sectors, expected a power of two"),
        (message(Level::Raid5, left, 8, 1, 0), "raid5: 1 slots, expected at least 2"),
        (message(Level::Raid6, left, 8, 3, 0), "raid6: 3 slots, expected at least 4"),
        (message(Level::Raid6, left, 8, 256, 0), "raid6: 256 slots, expected at most 255"),
        (message(Level::Raid1, None, 0, 2049, 0), "raid1: 2049 slots, expected at most 2048"),
        (message(Level::Raid5, None, 8, 3, 0), "raid5: no layout"),
        (message(Level::Raid4, left, 8, 3, 0), "raid4: 'left-symmetric' is not a layout of this level"),
        (message(Level::Raid1, near, 8, 3, 0), "raid1: 'near-2' is not a layout of this level"),
        (message(Level::Raid10, near, 8, 1, 0), "raid10: 'near-2' makes 2 copies, there are 1 slots"),
        (message(Level::Raid5, left, 8, 3, 2049), "the array has 2049 sectors, its members hold 2048"),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
    let huge = [Sectors(u64::MAX / 600), Sectors(u64::MAX / 600)];
    let found = Map::new(&geometry(Level::Raid0, None, 8, 2), &huge, Sectors::ZERO).unwrap_err();
    assert!(matches!(found, LayoutError::TooLarge { .. }));
    let found = Map::new(&geometry(Level::Raid1, None, 0, 3), &huge, Sectors::ZERO).unwrap_err();
    assert_eq!(found, LayoutError::LengthCount { found: 2, expected: 3 });
}
