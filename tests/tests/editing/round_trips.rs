//! A dump turned back into bytes; a backup put back.

use crate::images::{Image, each, open};
use raid_tests::Outcome;

/// The dump with one record changed by a function, or left out where that says none.
fn edited(dump: &Outcome, change: impl Fn(&mut serde_json::Value) -> bool) -> Vec<u8> {
    let mut lines = String::new();
    for mut record in dump.records() {
        if change(&mut record) {
            lines.push_str(&format!("{record}\n"));
        }
    }
    lines.into_bytes()
}

#[test]
fn a_dump_encodes_to_the_same_image() {
    each(|image| {
        let Some(dump) = image.dump() else { return };
        let original = image.bytes();
        let erase = image.write("erase").arg(&image.path).outcome();
        assert_eq!(erase.code, Some(0), "{}: {erase}", image.name);
        let encode =
            image.write("encode").arg("--onto").arg(&image.path).stdin(dump.stdout.clone()).outcome();
        assert_eq!(encode.code, Some(0), "{}: {encode}", image.name);
        image.assert_is(&original, "dump, erase, encode");
    });
}

#[test]
fn a_backup_gives_the_same_image_after_an_erase() {
    each(|image| {
        let backup = image.meta("backup").arg(&image.path).outcome();
        if backup.code == Some(1) {
            return;
        }
        let original = image.bytes();
        let erase = image.write("erase").arg("--undo").arg(image.beside("undo")).arg(&image.path).outcome();
        if erase.code == Some(1) {
            // Two formats that contradict each other: --format has to say which.
            return;
        }
        assert_eq!(erase.code, Some(0), "{}: {erase}", image.name);
        let erased = image.bytes();
        let restore = image.write("restore").stdin(backup.stdout).outcome();
        assert_eq!(restore.code, Some(0), "{}: {restore}", image.name);
        image.assert_is(&original, "backup, erase, restore");
        std::fs::write(&image.path, erased).unwrap();
        let _ = image.write("restore").arg(image.beside("undo")).outcome().expect_code(0);
        image.assert_is(&original, "erase, undo");
    });
}

#[test]
fn a_dump_that_contradicts_itself_is_refused() {
    let Some(image) = md() else { return };
    let (dump, original) = (image.dump().unwrap(), image.bytes());
    let encode = |input: Vec<u8>| image.write("encode").arg("--onto").arg(&image.path).stdin(input).outcome();
    let missing = encode(edited(&dump, |field| field["name"] != "events")).expect_code(1);
    assert!(missing.stderr.contains("events at "), "{missing}");
    let overlapping =
        encode([dump.stdout.clone(), edited(&dump, |field| field["name"] == "events")].concat());
    assert!(overlapping.expect_code(3).stderr.contains("events at "));
    let wrong = |name: &'static str, key: &'static str, value: serde_json::Value| {
        edited(&dump, move |field| {
            if field["name"] == name {
                field[key] = value.clone();
            }
            true
        })
    };
    let large = encode(wrong("level", "value", 1_u64.wrapping_shl(40).into())).expect_code(3);
    assert!(large.stderr.contains("level is 1099511627776, expected a number from -2147483648"), "{large}");
    let _ = encode(wrong("level", "encoding", "roman".into())).expect_code(3);
    let _ = encode(wrong("level", "encoding", serde_json::Value::Null)).expect_code(3);
    let _ = encode(wrong("magic", "value", "0x00000000".into())).expect_code(1);
    let _ = encode(wrong("magic", "size_bytes", "0xffffffffffffffff".into())).expect_code(3);
    image.assert_is(&original, "nothing of that is written");
}

#[test]
fn an_edited_dump_is_sealed_on_request() {
    let Some(image) = md() else { return };
    let dump = image.dump().unwrap();
    let input = edited(&dump, |field| {
        if field["name"] == "events" {
            field["value"] = 77.into();
        }
        true
    });
    let encode = image.write("encode").arg("--seal").arg("--onto").arg(&image.path).stdin(input).outcome();
    let _ = encode.expect_code(0);
    let _ = image.meta("check").arg(&image.path).outcome().expect_code(0);
    let get = image.meta("get").arg(&image.path).args(["-o", "text", "events"]).outcome().expect_code(0);
    assert_eq!(get.text(), "77\n");
}

#[test]
fn a_dump_goes_to_another_disk_of_that_size_and_not_to_one_where_it_would_not_be_found() {
    let Some(image) = open("md10-raid1-2") else { return };
    let (dump, size) = (image.dump().unwrap(), image.bytes().len() as u64);
    let other = image.beside("other.img");
    let blank = |size: u64| std::fs::File::create(&other).unwrap().set_len(size).unwrap();
    let encode = || image.write("encode").arg("--onto").arg(&other).stdin(dump.stdout.clone()).outcome();
    blank(size + (1 << 20));
    assert!(encode().expect_code(1).stderr.contains("would not be recognised"));
    blank(size);
    let _ = encode().expect_code(0);
    let again = image.meta("dump").arg(&other).outcome().expect_code(0);
    let values =
        |dump: &Outcome| dump.records().iter().map(|field| field["value"].clone()).collect::<Vec<_>>();
    assert_eq!(values(&again), values(&dump));
}

fn md() -> Option<Image> {
    open("md12-raid5-ls-3")
}
