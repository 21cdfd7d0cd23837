//! Maps and places of array records.

use crate::layout::{ArrayMap, LayoutError, Side};
use raid_meta::record::{ArrayRecord, PlaceRecord, PlaceRole};
use raid_meta::units::{Count, Sectors, Slot};
use serde_json::{Value, json};

/// A record as a person would write it: three members with windows, offsets, and one that is missing.
fn raid5() -> Value {
    json!({
        "v": 1, "name": "md_x", "level": "raid5", "layout": "left-symmetric", "chunk_sectors": 8,
        "size_sectors": 64, "slots": 3,
        "members": [
            {"slot": 0, "device": "a", "device_offset_sectors": 1000, "device_length_sectors": 100,
             "state": "in-sync", "offset_sectors": 16, "length_sectors": 32},
            {"slot": 1, "device": "b", "state": "in-sync", "offset_sectors": 20},
            {"slot": 2, "state": "missing"}
        ]
    })
}

fn record(value: Value) -> ArrayRecord {
    serde_json::from_value(value).unwrap()
}

fn map(value: Value) -> Result<ArrayMap, LayoutError> {
    ArrayMap::new(&record(value))
}

/// `device:slot:sector:role`.
fn text(place: &PlaceRecord) -> String {
    let cell = |device: &Option<String>, slot: Slot, sector: Sectors, role: PlaceRole| {
        let role = serde_json::to_value(role).unwrap();
        format!("{}:{slot}:{sector}:{}", device.as_deref().unwrap_or("-"), role.as_str().unwrap())
    };
    let own = cell(&place.device, place.member_slot, place.member_sector, place.role);
    let mates =
        place.mates.iter().map(|mate| cell(&mate.device, mate.member_slot, mate.member_sector, mate.role));
    std::iter::once(own).chain(mates).collect::<Vec<_>>().join(" ")
}

#[test]
fn an_array_sector_has_its_place_and_the_mates_of_its_stripe() {
    let map = map(raid5()).unwrap();
    // Stripe 1 is D3 P D2: chunk 2 of the array is on slot 2, chunk 3 on slot 0.
    let place = map.place(Sectors(16 + 3)).unwrap();
    assert_eq!(text(&place), "-:2:11:data a:0:1027:data b:1:31:p");
    assert_eq!((place.array_sector, place.stripe), (Some(Sectors(19)), Some(Count(1))));
    assert_eq!(text(&map.place(Sectors(24 + 3)).unwrap()), "a:0:1027:data b:1:31:p -:2:11:data");
    assert!(map.place(Sectors(64)).is_none());
}

#[test]
fn a_device_sector_says_what_it_holds() {
    let map = map(raid5()).unwrap();
    let found = map.places_on_device("b", Sectors(31));
    assert_eq!(found.iter().map(text).collect::<Vec<_>>(), ["b:1:31:p a:0:1027:data -:2:11:data"]);
    assert_eq!((found[0].array_sector, found[0].stripe), (None, Some(Count(1))));
    let found = map.places_on_device("a", Sectors(1027));
    assert_eq!(found[0].array_sector, Some(Sectors(27)));
    let unused = map.places_on_device("a", Sectors(1015));
    assert_eq!((text(&unused[0]), unused[0].array_sector), ("a:0:1015:data".to_owned(), None));
    assert!(map.places_on_device("a", Sectors(999)).is_empty(), "before the window");
    assert!(map.places_on_device("c", Sectors(31)).is_empty());
    assert!(map.place_on_slot(Slot(3), Sectors(0)).is_none());
}

#[test]
fn copies_name_each_other() {
    let raid10 = json!({
        "v": 1, "name": "m", "level": "raid10", "layout": "near-2", "chunk_sectors": 8, "size_sectors": 40, "slots": 3,
        "members": [
            {"slot": 0, "device": "a", "state": "in-sync", "length_sectors": 32},
            {"slot": 1, "device": "b", "state": "in-sync", "length_sectors": 32},
            {"slot": 2, "device": "c", "state": "in-sync", "length_sectors": 32}
        ]
    });
    let map = map(raid10).unwrap();
    assert_eq!(text(&map.place(Sectors(9)).unwrap()), "c:2:1:data a:0:9:copy");
    assert_eq!(text(&map.places_on_device("a", Sectors(9))[0]), "a:0:9:copy c:2:1:data");
}

#[test]
fn a_reshape_maps_each_sector_on_its_side() {
    // Three to four members, chunk 8, forward; 48 of 64 sectors are moved: two rows of the new geometry.
    let geometry =
        |slots| json!({"level": "raid5", "layout": "left-symmetric", "chunk_sectors": 8, "slots": slots});
    let member = |slot: u32, device: &str| {
        json!({"slot": slot, "device": device, "state": "in-sync", "offset_sectors": 100, "length_sectors": 32,
               "reshape_offset_sectors": 60})
    };
    let growing = |position: u64, direction: &str| {
        json!({
            "v": 1, "name": "r", "level": "raid5", "layout": "left-symmetric", "chunk_sectors": 8, "size_sectors": 64,
            "slots": 4, "members": [member(0, "a"), member(1, "b"), member(2, "c"), member(3, "d")],
            "reshape": {"from": geometry(3), "to": geometry(4), "position_sectors": position, "direction": direction}
        })
    };
    let map = map(growing(48, "forward")).unwrap();
    assert_eq!(map.place(Sectors(47)).unwrap().mates.len(), 3);
    assert_eq!(text(&map.place(Sectors(0)).unwrap()), "a:0:60:data b:1:60:data c:2:60:data d:3:60:p");
    assert_eq!(text(&map.place(Sectors(48)).unwrap()), "a:0:124:data b:1:124:data c:2:124:p");
    assert_eq!(map.places_on_device("a", Sectors(60))[0].array_sector, Some(Sectors(0)));
    assert_eq!(map.places_on_device("a", Sectors(124))[0].array_sector, Some(Sectors(48)));
    assert_eq!(map.places_on_device("a", Sectors(100))[0].array_sector, None, "moved away from here");

    let sides = |map: &ArrayMap, start, length| -> Vec<(u64, u64, Side)> {
        let stretches = map.stretches(Sectors(start), Sectors(length));
        stretches.map(|stretch| (stretch.start.0, stretch.length.0, stretch.side)).collect()
    };
    assert_eq!(sides(&map, 40, 100), [(40, 8, Side::After), (48, 16, Side::Before)]);
    assert_eq!(sides(&map, 0, 48), [(0, 48, Side::After)]);
    assert_eq!(sides(&map, 50, 2), [(50, 2, Side::Before)]);
    assert_eq!(sides(&map, 64, 2), []);
    let backward = ArrayMap::new(&record(growing(48, "backward"))).unwrap();
    assert_eq!(sides(&backward, 40, 100), [(40, 8, Side::Before), (48, 16, Side::After)]);
}

#[test]
fn lengths_that_are_left_out_follow_where_only_one_is_possible() {
    let array = |level: &str, layout: Option<&str>, lengths: &[Option<u64>], size: u64| {
        let members: Vec<Value> = (0..)
            .zip(lengths)
            .map(|(slot, length): (u32, _)| json!({"slot": slot, "state": "in-sync", "length_sectors": length}))
            .collect();
        map(
            json!({"v": 1, "name": "n", "level": level, "layout": layout, "chunk_sectors": 8, "size_sectors": size,
                   "slots": members.len(), "members": members}),
        )
    };
    let capacity = |map: Result<ArrayMap, LayoutError>| map.unwrap().map(Side::Before).unwrap().capacity().0;
    assert_eq!(capacity(array("raid1", None, &[None, None], 77)), 77);
    assert_eq!(capacity(array("raid5", Some("left-symmetric"), &[None, None, None], 30)), 32);
    assert_eq!(capacity(array("raid5", Some("left-symmetric"), &[None, Some(100), None], 30)), 192);
    assert_eq!(capacity(array("raid10", Some("offset-2"), &[None, None, None], 32)), 48);
    assert_eq!(capacity(array("linear", None, &[Some(80), None, Some(9)], 104)), 104);
    assert_eq!(capacity(array("raid0", Some("original"), &[Some(80), None], 120)), 120);
    for error in [
        array("raid10", Some("far-2"), &[None, None, None], 32),
        array("linear", None, &[None, Some(8), None], 32),
    ] {
        assert_eq!(error.unwrap_err(), LayoutError::LengthUnknown { slot: Slot(0) });
    }
}

#[test]
fn a_record_with_more_slots_than_members_is_no_trouble() {
    let mut value = raid5();
    value["slots"] = json!(u32::MAX);
    assert!(matches!(
        map(value).unwrap_err(),
        LayoutError::LengthUnknown { .. } | LayoutError::TooManySlots { .. }
    ));
}
