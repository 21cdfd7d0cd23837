//! Fields set to values.

use crate::images::{each, open};
use raid_meta::device::{Device, FileDisk};
use raid_meta::edit::{Assignment, set};
use raid_meta::format::FORMATS;
use raid_meta::identify::{Member, identify};
use serde_json::Value;
use std::sync::Arc;

/// Fields tried in each metadata instance; in a long run all.
fn most() -> usize {
    if raid_tests::long() { usize::MAX } else { 40 }
}

/// Another value of the same kind.
fn other_value(value: &Value) -> Option<Value> {
    match value {
        Value::Number(number) => Some(number.as_u64()?.checked_add(1)?.into()),
        Value::String(text) => {
            let last = text.chars().last()?;
            let other = if last == '0' { '1' } else { '0' };
            let kept = text.get(..text.len() - last.len_utf8())?;
            Some(format!("{kept}{other}").into())
        }
        _ => None,
    }
}

/// The values of fields that can be changed without damage: name, and the value to set.
fn harmless(device: &Device, member: &Member) -> Vec<(String, Value)> {
    let fields = member.metadata().unwrap().fields();
    let step = fields.len().div_ceil(most()).max(1);
    let mut found = Vec::new();
    for field in fields.iter().step_by(step) {
        let Some(value) = other_value(&field.value) else { continue };
        let assignment = Assignment { field: field.name.clone(), value: value.clone() };
        let Ok(edit) = set(device, member, &[assignment]) else { continue };
        if edit.objections.is_empty() && !edit.plan.is_empty() {
            // An entry that is no longer unused gets other names.
            if !field.name.ends_with(".unused") {
                found.push((field.name.clone(), value));
            }
        }
    }
    found
}

#[test]
fn a_field_is_set_checksums_follow_and_the_undo_gives_the_original() {
    each(|image| {
        let disk = Arc::new(FileDisk::open(&image.path, None).unwrap());
        let serial = std::fs::read_to_string(format!("{}.serial", image.path.display())).ok();
        let device =
            Device::whole(&image.path, disk).with_serial(serial.map(|text| text.trim_end().to_owned()));
        let members: Vec<Member> = identify(&device, &FORMATS).unwrap();
        let [member] = members.as_slice() else { return };
        if !member.is_sound() {
            return;
        }
        let original = image.bytes();
        let fields = harmless(&device, member);
        assert!(!fields.is_empty(), "{}: no field can be set", image.name);
        for (name, value) in fields.iter().take(if raid_tests::long() { usize::MAX } else { 2 }) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let undo = image.beside("undo");
            let dry =
                image.meta("set").arg(&image.path).arg(format!("{name}={text}")).outcome().expect_code(0);
            assert!(dry.records_of("difference").iter().any(|field| field["name"] == **name), "{dry}");
            image.assert_is(&original, "set without --write");
            let write = image.write("set").arg("--undo").arg(&undo).arg(&image.path);
            let _ = write.arg(format!("{name}={text}")).outcome().expect_code(0);
            let get = image.meta("get").arg(&image.path).args(["-o", "text", name]).outcome().expect_code(0);
            assert_eq!(get.text(), format!("{text}\n"), "{}: {name}", image.name);
            let dump = image.meta("dump").arg(&image.path).outcome();
            assert_eq!(dump.code, Some(0), "{}: {name}={text}: {dump}", image.name);
            let _ = image.write("restore").arg(&undo).outcome().expect_code(0);
            image.assert_is(&original, &format!("{name}={text}, undo"));
            std::fs::remove_file(&undo).unwrap();
        }
    });
}

#[test]
fn several_fields_are_set_at_once_and_the_checksum_that_follows_is_shown() {
    let Some(image) = open("md12-raid5-ls-3") else { return };
    let set = image.write("set").arg(&image.path).args(["events=0x10", "set_name=a\\x20b"]).outcome();
    let changed: Vec<_> = set.expect_code(0).records_of("difference");
    let names: Vec<_> = changed.iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["set_name", "events", "sb_csum"]);
    let get = image.meta("get").arg(&image.path).args(["-o", "text", "events", "set_name"]).outcome();
    assert_eq!(get.expect_code(0).text(), "16\na b\n");
    let _ = image.meta("check").arg(&image.path).outcome().expect_code(0);
}

#[test]
fn what_check_would_call_damage_is_refused_unless_forced() {
    let Some(image) = open("md12-raid5-ls-3") else { return };
    let original = image.bytes();
    for assignment in
        ["sb_csum=1", "magic=0", "max_dev=0xffffffff", "data_offset=0", "chunksize=3", "raid_disks=0"]
    {
        let refused = image.write("set").arg(&image.path).arg(assignment).outcome();
        assert_eq!(refused.code, Some(1), "{assignment}: {refused}");
        assert!(refused.stderr.contains("refused: ") && refused.stderr.contains("--force"), "{refused}");
        image.assert_is(&original, assignment);
    }
    let undo = image.beside("undo");
    let force = image.write("set").arg("--force").arg("--undo").arg(&undo).arg(&image.path);
    let _ = force.arg("sb_csum=1").outcome().expect_code(0);
    let _ = image.meta("check").arg(&image.path).outcome().expect_code(3);
    // Another field mends the checksum.
    let _ = image.write("set").arg(&image.path).arg("events=8").outcome().expect_code(0);
    let _ = image.meta("check").arg(&image.path).outcome().expect_code(0);
    let gone = image.write("set").arg("--force").arg(&image.path).arg("magic=0").outcome().expect_code(0);
    assert_eq!(gone.records_of("write").len(), 1, "{gone}");
    let _ = image.meta("check").arg(&image.path).outcome().expect_code(1);
}

#[test]
fn a_name_or_a_value_that_is_not_possible_is_wrong_usage() {
    let Some(image) = open("md12-raid5-ls-3") else { return };
    let set = |assignment: &str| image.write("set").arg(&image.path).arg(assignment).outcome().expect_code(2);
    assert!(set("evnets=1").stderr.contains("no field 'evnets'; similar: events"));
    assert!(set("level=x").stderr.contains("level is 'x', expected a number from -2147483648"));
    assert!(set("set_name=123456789012345678901234567890123").stderr.contains("at most 32 bytes"));
    assert!(set("events").stderr.contains("FIELD=VALUE"));
}
