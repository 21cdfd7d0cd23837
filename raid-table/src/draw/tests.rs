//! Pictures: what they show, and that nothing in a record can break out of them.

use super::{svg, text};
use crate::layout::tests::config;
use proptest::prelude::*;
use raid_meta::record::ArrayRecord;
use serde_json::{Value, json};

const STATES: [&str; 5] = ["in-sync", "rebuilding", "stale", "missing", "failed"];

fn member(slot: usize, device: &str, state: &str, length: u64) -> Value {
    json!({
        "slot": slot, "device": (state != "missing").then_some(device), "state": state, "length_sectors": length,
        "recovered_sectors": (state == "rebuilding").then_some(16)
    })
}

fn array(level: &str, layout: Option<&str>, chunk: Option<u32>, size: u64, members: &[Value]) -> ArrayRecord {
    let value = json!({
        "v": 1, "name": "md_x", "level": level, "layout": layout, "chunk_sectors": chunk, "size_sectors": size,
        "slots": members.len(), "members": members
    });
    serde_json::from_value(value).unwrap()
}

/// The same members for any level: 64 sectors each, the second of them missing.
fn four(level: &str, layout: Option<&str>, chunk: Option<u32>, size: u64) -> ArrayRecord {
    let states = ["in-sync", "missing", "in-sync", "rebuilding"];
    let members: Vec<Value> =
        (0..).zip(states).map(|(slot, state)| member(slot, &format!("/dev/sd{slot}"), state, 64)).collect();
    array(level, layout, chunk, size, &members)
}

fn grid(record: &ArrayRecord) -> String {
    let all = text(record, 80, false).unwrap();
    let lines: Vec<&str> = all.lines().filter(|line| line.contains('│')).map(str::trim).collect();
    lines.join("\n")
}

#[test]
fn a_raid6_shows_one_rotation_and_marks_what_is_not_there() {
    let drawn = text(&four("raid6", Some("left-symmetric"), Some(8), 128), 80, false).unwrap();
    let expected = "\
md_x
raid6 left-symmetric, chunk 4 KiB, 4 slots, 64 KiB (128 sectors), optimal

       slot 0       slot 1       slot 2       slot 3
        sd0           -           sd2          sd3
      in-sync      missing      in-sync     rebuilding
   ┌────────────┬────────────┬────────────┬────────────┐
 0 │     Q      │░░░░ D0 ░░░░│     D1     │     P      │
 1 │     D2     │░░░░ D3 ░░░░│     P      │     Q      │
 2 │     D5     │░░░░ P ░░░░░│     Q      │~~~~ D4 ~~~~│
 3 │     P      │░░░░ Q ░░░░░│     D6     │~~~~ D7 ~~~~│
   │ ⋮ 4 more rows; the pattern repeats every 4
   └────────────┴────────────┴────────────┴────────────┘

slot 0: /dev/sd0, 64 sectors, in-sync
slot 1: -, 64 sectors, missing
slot 2: /dev/sd2, 64 sectors, in-sync
slot 3: /dev/sd3, 64 sectors, rebuilding below 16
D data   P parity   Q second parity   ░ missing or failed   ~ stale or not rebuilt
";
    assert_eq!(drawn, expected);
}

#[test]
fn copies_of_a_raid10_are_told_from_the_first() {
    let drawn = grid(&four("raid10", Some("offset-2"), Some(8), 32));
    assert_eq!(
        drawn,
        "0 │     D0     │░░░░ D1 ░░░░│     D2     │     D3     │\n\
         1 │    D3'     │░░░ D0' ░░░░│    D1'     │    D2'     │"
    );
    let far = grid(&four("raid10", Some("far-2"), Some(8), 128));
    assert!(far.contains("far copy 1, from sector 32 of each member"), "{far}");
    assert!(far.contains("4 │    D3'     │░░░ D0' ░░░░│    D1'     │~~~ D2' ~~~~│"), "{far}");
}

#[test]
fn zones_of_a_raid0_are_drawn_one_by_one() {
    let members =
        [member(0, "a", "in-sync", 16), member(1, "b", "in-sync", 64), member(2, "c", "in-sync", 64)];
    let drawn = grid(&array("raid0", Some("alternate"), Some(8), 144, &members));
    assert!(drawn.contains("zone 1: sectors 48 to 143, on 2 of 3 members from sector 16"), "{drawn}");
    assert!(drawn.contains("2 │    -     │    D6    │    D7    │"), "{drawn}");
}

#[test]
fn members_without_chunks_show_the_sectors_they_hold() {
    let linear = grid(&four("linear", None, None, 256));
    assert!(linear.contains("0-63") && linear.contains("░ 64-127 ░"), "{linear}");
    let large = [member(0, "a", "in-sync", 1_953_525_168), member(1, "b", "in-sync", 1_953_525_168)];
    let document = svg(&array("linear", None, None, 3_907_050_336, &large)).unwrap();
    assert!(
        document.contains("style=\"font-size:7px\">1953525168-3907050335<"),
        "long ranges are made to fit"
    );
    let mirror = grid(&four("raid1", None, None, 60));
    assert!(mirror.contains("0-59") && mirror.contains("~ 0-59' ~"), "{mirror}");
}

#[test]
fn a_reshape_is_drawn_before_and_after() {
    let mut record = four("raid5", Some("left-symmetric"), Some(8), 128);
    let geometry =
        |slots| json!({"level": "raid5", "layout": "left-symmetric", "chunk_sectors": 8, "slots": slots});
    let reshape =
        json!({"from": geometry(3), "to": geometry(4), "position_sectors": 48, "direction": "forward"});
    record.reshape = Some(serde_json::from_value(reshape).unwrap());
    let drawn = text(&record, 80, false).unwrap();
    for expected in [
        "before: raid5 left-symmetric, chunk 4 KiB, 3 slots, holds sectors 48 to 127",
        "after: raid5 left-symmetric, chunk 4 KiB, 4 slots, holds sectors 0 to 47",
        "reshape: forward, moved below sector 48",
        " 3 │    D6    │░░░ D7 ░░░│    P     │\n",
        "⋮ 1 more row; the pattern repeats every 3",
    ] {
        assert!(drawn.contains(expected), "{expected} in\n{drawn}");
    }
}

#[test]
fn wide_arrays_are_drawn_in_several_grids() {
    let members: Vec<Value> =
        (0..30).map(|slot| member(slot, "/dev/mapper/a-long-name", STATES[slot % 5], 64)).collect();
    let drawn = text(&array("raid5", Some("left-symmetric"), Some(8), 8 * 29, &members), 72, false).unwrap();
    assert!(
        drawn.lines().filter(|line| line.contains('│')).all(|line| line.chars().count() <= 72),
        "{drawn}"
    );
    assert_eq!(drawn.matches("┌").count(), 8, "{drawn}");
    assert!((0..30).all(|slot| drawn.contains(&format!("slot {slot}"))));
    assert!(drawn.contains("a-long-name") && drawn.contains("rebuilding"), "room for names: {drawn}");
    assert!(text(&four("raid5", Some("left-symmetric"), Some(8), 64), 0, false).is_ok());
}

#[test]
fn an_array_that_can_not_be_mapped_is_not_drawn() {
    let record = four("raid5", None, Some(8), 64);
    assert_eq!(text(&record, 80, false).unwrap_err().to_string(), "raid5: no layout");
    assert!(svg(&record).is_err());
}

/// The text of an SVG document, after a check that it is well-formed as far as we write XML.
fn text_of_svg(document: &str) -> String {
    let mut open = Vec::new();
    let mut text = String::new();
    for piece in document.split_inclusive('>') {
        let (before, tag) = piece.split_once('<').unwrap_or((piece, ""));
        text.push_str(before);
        let Some(tag) = tag.strip_suffix('>') else { continue };
        assert!(!tag.contains('<') && tag.matches('"').count() % 2 == 0, "{tag}");
        match tag.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop().as_deref(), Some(name)),
            None if tag.ends_with('/') => {}
            None => open.push(tag.split(' ').next().unwrap().to_owned()),
        }
    }
    assert!(open.is_empty(), "{open:?} not closed");
    let entities = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"];
    let plain = entities.iter().fold(text.clone(), |text, entity| text.replace(entity, ""));
    assert!(!plain.contains('&'), "{text}");
    assert!(document.chars().all(|character| character == '\n' || !character.is_control()));
    text
}

#[test]
fn names_can_not_break_out_of_a_picture() {
    let mut record = four("raid5", Some("left-symmetric"), Some(8), 64);
    record.name = "</text><script>\"&'\u{1b}[2J\u{202e}\n".to_owned();
    record.members[0].device = Some("/dev/<a>\0&b\\x0a".to_owned());
    let document = svg(&record).unwrap();
    let shown = text_of_svg(&document);
    assert!(!document.contains("<script"));
    assert!(
        shown.contains("&lt;/text&gt;&lt;script&gt;&quot;&amp;&#39;\\x1b[2J\\xe2\\x80\\xae\\x0a"),
        "{shown}"
    );
    assert!(
        shown.contains("/dev/&lt;a&gt;\\x00&amp;b\\x0a"),
        "what is escaped already is left alone: {shown}"
    );
    let drawn = text(&record, 80, false).unwrap();
    assert!(drawn.chars().all(|character| character == '\n' || !character.is_control()));
}

fn any_record() -> impl Strategy<Value = ArrayRecord> {
    let level = prop::sample::select(vec![
        ("linear", None),
        ("raid0", Some("original")),
        ("raid0", None),
        ("raid1", None),
        ("raid4", Some("parity-first")),
        ("raid5", Some("left-asymmetric")),
        ("raid6", Some("ddf-n-continue")),
        ("raid6", Some("right-symmetric-6")),
        ("raid10", Some("near-2")),
        ("raid10", Some("far-3-sets")),
        ("raid10", Some("near-2-offset-2")),
    ]);
    let member = (".{0,8}", prop::sample::select(STATES.to_vec()), 0..2000u64);
    (level, prop::collection::vec(member, 0..12), 0..3000u64, ".{0,20}").prop_map(
        |((level, layout), members, size, name)| {
            let members: Vec<Value> = (0..)
                .zip(members)
                .map(|(slot, (device, state, length))| super::tests::member(slot, &device, state, length))
                .collect();
            let mut record = array(level, layout, Some(8), size, &members);
            record.name = name;
            record
        },
    )
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn pictures_of_any_record_are_sound(record in any_record(), width in 0..200usize) {
        let Ok(plain) = text(&record, width, false) else {
            prop_assert!(svg(&record).is_err());
            return Ok(());
        };
        let coloured = text(&record, width, true).unwrap();
        let stripped = coloured.split('\x1b').enumerate().map(|(number, piece)| match number {
            0 => piece,
            _ => piece.split_once('m').unwrap().1,
        });
        let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        prop_assert_eq!(trimmed(&stripped.collect::<String>()), trimmed(&plain));
        prop_assert!(plain.lines().count() < 1000);
        text_of_svg(&svg(&record).unwrap());
    }
}
