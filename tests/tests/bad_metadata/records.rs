//! Array records written by hand, by somebody who means no good.

use crate::programs::{assert_answers, limited};
use serde_json::{Value, json};
use std::path::Path;

/// What is asked about the array.
const COMMANDS: [&[&str]; 5] = [
    &["emit", "-o", "dmsetup", "--degraded"],
    &["emit", "-o", "json", "--degraded"],
    &["read", "--length", "4096"],
    &["map", "--array", "a", "--sector", "0"],
    &["draw"],
];

/// A raid5 of three images of 1 MiB in the directory.
fn array(directory: &Path) -> Value {
    let member = |slot: usize| {
        let path = directory.join(format!("disk{slot}"));
        std::fs::write(&path, vec![0; 1 << 20]).unwrap();
        json!({"slot": slot, "device": path, "state": "in-sync", "offset_sectors": 0, "length_sectors": 2048})
    };
    json!({
        "type": "array", "v": 1, "name": "a", "level": "raid5", "layout": "left-symmetric", "chunk_sectors": 128,
        "size_sectors": 4096, "slots": 3, "members": [member(0), member(1), member(2)]
    })
}

/// Gives the records to every command. Bad data is refused with one line; a lie that could be true may be believed.
fn try_lines(what: &str, lines: &str) {
    for command in COMMANDS {
        let outcome = limited("raid-table").args(command).stdin(lines).outcome();
        assert_answers("raid-table", &outcome, &format!("{command:?}: {what}"));
        if outcome.code != Some(0) {
            assert_eq!(outcome.stderr.lines().count(), 1, "{command:?}: {what}: {outcome}");
        }
    }
}

/// The same, and none of the commands may find it in order.
fn refused(what: &str, lines: &str) {
    refused_by(&COMMANDS, what, lines);
}

/// The same, and none of these commands may find it in order.
fn refused_by(commands: &[&[&str]], what: &str, lines: &str) {
    try_lines(what, lines);
    for command in commands {
        let outcome = limited("raid-table").args(*command).stdin(lines).outcome();
        assert!(matches!(outcome.code, Some(1 | 3)), "{command:?}: {what}: {outcome}");
    }
}

#[test]
fn the_honest_record_is_understood_by_every_command() {
    let directory = tempfile::tempdir().unwrap();
    let line = array(directory.path()).to_string();
    for command in COMMANDS {
        let _ = limited("raid-table").args(command).stdin(line.as_str()).outcome().expect_code(0);
    }
}

#[test]
fn numbers_that_can_not_be_are_refused_or_come_to_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let honest = array(directory.path());
    let numbers = [
        json!(0),
        json!(1),
        json!(2),
        json!(65535),
        json!(4_294_967_295_u64),
        json!(1_u64 << 53),
        json!(u64::MAX),
        json!("0xffffffffffffffff"),
        json!("0x7fffffffffffffff"),
        json!(-1),
        json!(0.5),
        json!(1e300),
        json!(null),
        json!("NaN"),
        json!(""),
        json!("0x"),
        json!([]),
        json!({}),
        json!(true),
    ];
    let places = [
        "/slots",
        "/size_sectors",
        "/chunk_sectors",
        "/resync_position_sectors",
        "/level",
        "/layout",
        "/name",
        "/members",
        "/members/0",
        "/members/0/slot",
        "/members/1/slot",
        "/members/0/offset_sectors",
        "/members/2/length_sectors",
        "/members/0/device",
        "/members/0/device_offset_sectors",
        "/members/0/device_length_sectors",
        "/members/0/recovered_sectors",
        "/members/0/reshape_offset_sectors",
        "/members/0/bad_sectors",
        "/members/0/state",
        "/reshape",
        "/health",
        "/spares",
        "/problems",
        "/dirty",
        "/v",
        "/type",
        "/write_log",
    ];
    for place in places {
        for number in &numbers {
            let mut lie = honest.clone();
            let (parent, field) = place.rsplit_once('/').unwrap();
            let parent = lie.pointer_mut(parent).unwrap();
            match field.parse::<usize>() {
                Ok(index) => parent[index] = number.clone(),
                Err(_) => parent[field] = number.clone(),
            }
            try_lines(&format!("{place} = {number}"), &lie.to_string());
        }
    }
}

#[test]
fn fields_left_out_are_refused_or_have_their_default() {
    let directory = tempfile::tempdir().unwrap();
    let honest = array(directory.path());
    for field in honest.as_object().unwrap().keys() {
        let mut lie = honest.clone();
        lie.as_object_mut().unwrap().remove(field);
        try_lines(&format!("without {field}"), &lie.to_string());
    }
}

#[test]
fn geometries_at_their_limits_cost_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let most = 1_u64 << 53;
    for level in ["linear", "raid0", "raid1", "raid4", "raid5", "raid6", "raid10"] {
        for layout in [
            json!(null),
            json!("near-2"),
            json!("far-255"),
            json!("offset-200"),
            json!("near-16-far-16"),
            json!("alternate"),
        ] {
            for (chunk, size) in [(1, most), (u64::from(u32::MAX), most), (128, 1), (128, most)] {
                let mut lie = array(directory.path());
                lie["level"] = json!(level);
                lie["layout"] = layout.clone();
                lie["chunk_sectors"] = json!(chunk);
                lie["size_sectors"] = json!(size);
                for member in lie["members"].as_array_mut().unwrap() {
                    member["length_sectors"] = json!(most);
                }
                try_lines(&format!("{level} {layout} chunk {chunk} size {size}"), &lie.to_string());
            }
        }
    }
}

#[test]
fn a_reshape_that_can_not_be_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let geometry = |slots: u64, chunk: u64| json!({"level": "raid5", "layout": "left-symmetric", "chunk_sectors": chunk, "slots": slots});
    for (from, to) in [(3, 2), (3, 4), (3, u64::from(u32::MAX)), (0, 3), (3, 0), (3, 3)] {
        for position in [json!(0), json!(1), json!(1_u64 << 53), json!("0xffffffffffffffff")] {
            for direction in ["forward", "backward"] {
                let mut lie = array(directory.path());
                lie["reshape"] = json!({
                    "from": geometry(from, 128), "to": geometry(to, 1), "position_sectors": position, "direction": direction,
                    "uncertain": [{"start_sectors": 5, "length_sectors": "0xffffffffffffffff"}]
                });
                try_lines(&format!("reshape {from} to {to} at {position} {direction}"), &lie.to_string());
            }
        }
    }
}

#[test]
fn sets_that_contain_themselves_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut own = array(directory.path());
    own["members"][0]["device"] = json!(null);
    own["members"][0]["array"] = json!("a");
    // A map of one array does not look into the arrays that are its members.
    refused_by(&COMMANDS[..3], "itself as a member", &own.to_string());
    let mut ring = String::new();
    for number in 0..100 {
        let mut link = array(directory.path());
        link["name"] = json!(if number == 0 { "a".into() } else { format!("a{number}") });
        link["members"][0]["device"] = json!(null);
        link["members"][0]["array"] =
            json!(if number == 99 { "a".into() } else { format!("a{}", number + 1) });
        ring.push_str(&format!("{link}\n"));
    }
    try_lines("a ring of a hundred", &ring);
    // Each has the next three times: without a limit, 3^40 volumes.
    let mut bushes = String::new();
    for number in 0..40 {
        let mut bush = array(directory.path());
        bush["name"] = json!(if number == 0 { "a".into() } else { format!("a{number}") });
        for member in bush["members"].as_array_mut().unwrap() {
            member["device"] = json!(null);
            member["array"] = json!(format!("a{}", number + 1));
        }
        bushes.push_str(&format!("{bush}\n"));
    }
    try_lines("sets that branch", &bushes);
}

#[test]
fn members_that_share_their_sectors_or_are_one_disk_are_answered() {
    let directory = tempfile::tempdir().unwrap();
    let mut lie = array(directory.path());
    let device = lie["members"][0]["device"].clone();
    for member in lie["members"].as_array_mut().unwrap() {
        member["device"] = device.clone();
    }
    try_lines("one disk in every slot", &lie.to_string());
    let mut twice = array(directory.path());
    let member = twice["members"][0].clone();
    twice["members"].as_array_mut().unwrap().push(member);
    refused("a slot given twice", &twice.to_string());
}

#[test]
fn devices_that_are_none_are_the_systems_failure() {
    let directory = tempfile::tempdir().unwrap();
    for device in ["/dev/null", "/dev/zero", "/", "/no/such/file", "", "a\\x00b", "$(id)", "/proc/self/mem"] {
        let mut lie = array(directory.path());
        lie["members"][0]["device"] = json!(device);
        try_lines(&format!("device {device:?}"), &lie.to_string());
    }
}

#[test]
fn lines_of_any_length_are_refused_in_little_memory() {
    let array = |members: &str| {
        format!(
            r#"{{"type":"array","v":1,"name":"a","level":"raid1","size_sectors":8,"slots":1000000,"members":[{members}]}}"#
        )
    };
    let list = |item: &str, count: usize| format!("{item}{}", format!(",{item}").repeat(count - 1));
    refused("a million members", &array(&list(r#"{"slot":0,"device":null,"state":"missing"}"#, 1_000_000)));
    refused("members up to the longest line", &array(&list(r#"{"slot":0,"state":"missing"}"#, 500_000)));
    refused("five million empty members", &array(&list("{}", 5_000_000)));
    refused("a name of 3 MB", &array("").replace("\"a\"", &format!("\"{}\"", "a".repeat(3 << 20))));
    refused("numbers for members", &array(&list("1", 7_000_000)));
    refused("a line of 100 MB", &"x".repeat(100 << 20));
    refused("a string of 15 MB", &format!(r#"{{"type":"array","v":1,"name":"{}"}}"#, "a".repeat(15 << 20)));
    refused(
        "an unknown record of 15 MB",
        &format!(r#"{{"type":"later","v":1,"x":[{}]}}"#, list("[]", 5_000_000)),
    );
    refused("no type, 15 MB", &format!(r#"[{}]"#, list("[]", 5_000_000)));
    refused("deep nesting", &"[".repeat(100_000));
    refused("deep nesting in a field", &format!(r#"{{"type":"array","v":1,"x":{}}}"#, "[".repeat(100_000)));
}

#[test]
fn what_is_no_record_is_refused() {
    for line in [
        "{",
        "null",
        "1",
        "\"array\"",
        "[]",
        "{}",
        "\u{feff}{}",
        "NaN",
        "{\"type\":\"array\"}",
        "{\"type\":1,\"v\":1}",
        "{\"type\":\"array\",\"v\":2}",
        "{\"type\":\"array\",\"v\":1,\"v\":1}",
        "{\"v\":1}",
        "\0",
        "{\"type\":\"array\",\"v\":NaN}",
    ] {
        refused(line, line);
    }
}
