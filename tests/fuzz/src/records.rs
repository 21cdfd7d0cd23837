//! What has to hold for records, wherever they come from.

use raid_meta::record::{ArrayRecord, Record, read_records};
use raid_meta::units::{Sectors, Slot};
use raid_table::layout::{ArrayMap, Content, Map, Side};
use raid_table::{draw, plan};

/// Pieces of an array that are followed to their members and back.
const PIECES: usize = 64;
/// Width of a picture.
const WIDTH: usize = 100;

/// A record comes back from the line that it is written as. Its length.
pub fn come_back(record: &Record) -> usize {
    let line = record.to_line().expect("a record can be written");
    assert!(!line.contains('\n'), "one line: {line}");
    let back = read_records("line", line.as_bytes()).next().expect("a line").expect("a record");
    assert_eq!(back.to_line().expect("a record can be written"), line);
    line.len()
}

/// An array gives tables that read back as they are, a map whose two directions agree, and a picture; or a reason why not.
pub fn array_holds(array: &ArrayRecord, others: &[ArrayRecord]) {
    if let Ok(plan) = plan::plan(array, others, &plan::Options::default()) {
        plan.tables.into_iter().for_each(|table| {
            come_back(&Record::Table(table));
        });
    }
    if let Ok(map) = ArrayMap::new(array) {
        [Side::Before, Side::After].into_iter().filter_map(|side| map.map(side)).for_each(directions_agree);
        for sector in near_the_ends(map.size()) {
            map.place(sector).into_iter().for_each(|place| {
                come_back(&Record::Place(place));
            });
        }
        let _ = map.place_on_slot(Slot(0), map.size());
    }
    let _ = draw::text(array, WIDTH, false);
}

/// What the map says where a sector is, it says of that place.
fn directions_agree(map: &Map) {
    for start in near_the_ends(map.size()) {
        for extent in map.extents(start, map.size()).take(PIECES) {
            assert!(extent.length > Sectors::ZERO, "a piece of nothing at {}", extent.array);
            for (number, place) in extent.copies.iter().enumerate() {
                let expected = Content::Data { array_sector: extent.array, copy: number };
                assert_eq!(map.reverse(place.slot, place.sector), Some(expected), "{place:?}");
            }
        }
    }
}

fn near_the_ends(size: Sectors) -> [Sectors; 4] {
    [Sectors::ZERO, Sectors(size.0 / 2), Sectors(size.0.saturating_sub(300)), size]
}
