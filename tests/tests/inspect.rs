//! What raid-meta says of metadata, whole and damaged, and the exit status of both reading tools on it.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

use raid_tests::{Fixture, Outcome, run};
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

fn number(record: &Value, field: &str) -> u64 {
    record[field].as_u64().unwrap_or_else(|| panic!("{field}: {record}"))
}

/// Flips a bit of a byte in place.
fn flip(path: &Path, offset: u64) {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset).unwrap();
    file.write_all_at(&[byte[0] ^ 1], offset).unwrap();
}

fn meta(command: &str) -> raid_tests::Run {
    run("raid-meta").arg(command)
}

/// The field of that name in a dump.
fn field(dump: &Outcome, name: &str) -> Value {
    let fields = dump.records_of("field");
    fields.into_iter().find(|field| field["name"] == name).unwrap_or_else(|| panic!("{name}: {dump}"))
}

#[test]
fn a_dump_names_every_byte_of_the_metadata_once() {
    for name in Fixture::names() {
        let Some(fixture) = Fixture::open(&name) else { return };
        let disk = &fixture.disks[0];
        let members = run("raid-probe").arg(disk).outcome().records_of("member");
        if members.is_empty() {
            continue;
        }
        let areas = members.iter().flat_map(|member| member["metadata"].as_array().unwrap());
        let metadata: u64 = areas.map(|area| number(area, "length_bytes")).sum();
        let dump = meta("dump").arg(disk).outcome().expect_code(0);
        let named: u64 = dump.records().iter().map(|field| number(field, "size_bytes")).sum();
        assert_eq!(named, metadata, "{name}");
        assert_eq!(
            hexdump_bytes(&meta("dump").arg(disk).args(["-o", "hex"]).outcome().text()),
            metadata,
            "{name}"
        );
    }
}

/// Bytes that a hexdump accounts for.
fn hexdump_bytes(text: &str) -> u64 {
    let of_line = |line: &str| {
        let (offset, rest) = line.split_at_checked(8)?;
        u64::from_str_radix(offset, 16).ok()?;
        match rest.trim_start().strip_prefix("* the same for ") {
            Some(folded) => folded.split(' ').next()?.parse().ok(),
            None => Some(rest.get(2..49).unwrap_or(rest).split_whitespace().count() as u64),
        }
    };
    text.lines().filter_map(of_line).sum()
}

#[test]
fn get_prints_the_values_that_dump_prints() {
    let Some(fixture) = Fixture::open("md12-raid5-ls-3") else { return };
    let dump = meta("dump").arg(&fixture.disks[1]).outcome().expect_code(0);
    let get = meta("get").arg(&fixture.disks[1]).args(["events", "magic"]).outcome().expect_code(0);
    assert_eq!(get.records(), [field(&dump, "events"), field(&dump, "magic")]);
    let text = meta("get").arg(&fixture.disks[1]).args(["-o", "text", "magic"]).outcome().expect_code(0);
    assert_eq!(text.text(), "0xa92b4efc\n");
}

#[test]
fn a_mistyped_field_is_wrong_usage_and_the_right_one_is_offered() {
    let Some(fixture) = Fixture::open("md12-raid5-ls-3") else { return };
    let outcome = meta("get").arg(&fixture.disks[0]).arg("evnets").outcome().expect_code(2);
    assert!(outcome.stderr.contains("evnets") && outcome.stderr.contains("events"), "{outcome}");
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome}");
}

#[test]
fn check_says_ok_of_whole_sets() {
    for name in Fixture::carried_names().into_iter().filter(|name| !name.contains("stale")) {
        let Some(fixture) = Fixture::open(&name) else { return };
        let outcome = meta("check").args(&fixture.disks).outcome();
        for verdict in outcome.records_of("verdict") {
            assert_eq!(verdict["result"], "ok", "{name}: {verdict}");
        }
        let _ = outcome.expect_code(0);
    }
}

#[test]
fn check_tells_the_member_that_its_set_has_left_behind() {
    let Some(fixture) = Fixture::open("md12-raid5-stale-3") else { return };
    let outcome = meta("check").args(&fixture.disks).outcome().expect_code(1);
    let results: Vec<_> = outcome.records().iter().map(|verdict| verdict["result"].clone()).collect();
    assert_eq!(results, ["ok", "ok", "disagrees"], "{outcome}");
}

#[test]
fn damage_is_bad_data_where_it_is_asked_for_and_where_nothing_sound_remains() {
    for (name, structure) in [("md12-raid5-ls-3", "events"), ("isw-raid5-3", "generation_num")] {
        let Some(fixture) = Fixture::open(name) else { return };
        let disk = &fixture.disks[0];
        let dump = meta("dump").arg(disk).outcome().expect_code(0);
        flip(disk, number(&field(&dump, structure), "offset_bytes"));
        let check = meta("check").args(&fixture.disks).outcome().expect_code(3);
        let results: Vec<_> = check.records().iter().map(|verdict| verdict["result"].clone()).collect();
        assert_eq!(results, ["damaged", "ok", "ok"], "{check}");
        assert!(check.stderr.contains(&format!("raid-meta: {}: ", disk.display())), "{check}");
        let damaged = meta("dump").arg(disk).outcome().expect_code(3);
        assert_ne!(field(&damaged, structure)["value"], field(&dump, structure)["value"]);
        let _ = meta("get").arg(disk).arg(structure).outcome().expect_code(3);
        let _ = run("raid-probe").args(&fixture.disks).outcome().expect_code(0);
        let _ = run("raid-probe").args(&fixture.disks).arg("--strict").outcome().expect_code(3);
        let _ = run("raid-probe").arg(disk).outcome().expect_code(3);
    }
}

#[test]
fn diff_tells_the_fields_that_differ_and_only_those() {
    let Some(fixture) = Fixture::open("md12-raid5-ls-3") else { return };
    let (first, second) = (&fixture.disks[0], &fixture.disks[1]);
    let same = meta("diff").args([first, first]).outcome().expect_code(0);
    assert!(same.stdout.is_empty(), "{same}");
    let differ = meta("diff").args([first, second]).outcome().expect_code(1);
    let (from, to) = (meta("dump").arg(first).outcome(), meta("dump").arg(second).outcome());
    let names: Vec<_> = differ.records().iter().map(|record| record["name"].clone()).collect();
    assert_eq!(names, ["dev_number", "device_uuid", "sb_csum"], "{differ}");
    for record in differ.records() {
        let name = record["name"].as_str().unwrap();
        assert_eq!(record["from"], field(&from, name)["value"]);
        assert_eq!(record["to"], field(&to, name)["value"]);
    }
}

#[test]
fn diff_of_different_formats_is_an_honest_no() {
    let (Some(md), Some(isw)) = (Fixture::open("md12-raid5-ls-3"), Fixture::open("isw-raid5-3")) else {
        return;
    };
    let outcome = meta("diff").args([&md.disks[0], &isw.disks[0]]).outcome().expect_code(1);
    assert_eq!(outcome.stderr.lines().count(), 1, "{outcome}");
}

#[test]
fn two_formats_on_one_device_are_both_printed_and_nothing_else_is_done() {
    let (Some(md), Some(isw)) = (Fixture::open("md12-raid5-ls-3"), Fixture::open("isw-raid5-3")) else {
        return;
    };
    let disk = &isw.disks[0];
    let start = fs::read(&md.disks[0]).unwrap()[..16384].to_vec();
    OpenOptions::new().write(true).open(disk).unwrap().write_all_at(&start, 0).unwrap();
    let probe = run("raid-probe").arg(disk).outcome().expect_code(1);
    let formats: Vec<_> = probe.records_of("member").iter().map(|member| member["format"].clone()).collect();
    assert_eq!(formats, ["md", "isw"], "{probe}");
    assert!(probe.stderr.contains("ambiguous-format"), "{probe}");
    for command in ["dump", "check"] {
        let refused = meta(command).arg(disk).outcome().expect_code(1);
        assert!(refused.stdout.is_empty() && refused.stderr.contains("--format"), "{refused}");
        let _ = meta(command).arg(disk).args(["--format", "isw"]).outcome().expect_code(0);
    }
    let table = run("raid-table").arg("emit").arg(disk).outcome().expect_code(1);
    assert!(table.stdout.is_empty(), "{table}");
}

#[test]
fn a_disk_whose_serial_is_needed_and_unknown_is_bad_data() {
    let Some(fixture) = Fixture::open("isw-raid1-2") else { return };
    let mut serials = Vec::new();
    for disk in &fixture.disks {
        let beside = format!("{}.serial", disk.display());
        serials.push(format!("{}={}", disk.display(), fs::read_to_string(&beside).unwrap().trim()));
        fs::remove_file(beside).unwrap();
    }
    let unknown = run("raid-probe").args(&fixture.disks).outcome().expect_code(3);
    assert!(unknown.stderr.lines().all(|line| line.contains("slot-unknown")), "{unknown}");
    let table = run("raid-table").arg("emit").args(&fixture.disks).outcome().expect_code(3);
    assert!(table.stdout.is_empty() && table.stderr.contains("slot-unknown"), "{table}");
    let piped = run("raid-table").arg("emit").stdin(unknown.stdout).outcome().expect_code(3);
    assert!(piped.stdout.is_empty(), "{piped}");
    let given =
        run("raid-probe").args(&fixture.disks).args(serials.iter().flat_map(|serial| ["--serial", serial]));
    let given = given.outcome().expect_code(0);
    assert_eq!(given.records_of("array")[0]["health"], "optimal", "{given}");
    let assumed = run("raid-probe").args(&fixture.disks).arg("--assume-order").outcome().expect_code(0);
    assert_eq!(assumed.records_of("array")[0]["health"], "optimal", "{assumed}");
}

#[test]
fn a_window_of_a_file_is_a_device() {
    let Some(fixture) = Fixture::open("md10-raid1-2") else { return };
    let disk = fs::read(&fixture.disks[0]).unwrap();
    let whole = fixture.path("dump.bin");
    fs::write(&whole, [vec![0xa5; 1 << 20], disk.clone(), vec![0xa5; 1 << 20]].concat()).unwrap();
    let window = format!("{}@{}+{}", whole.display(), 1 << 20, disk.len());
    let found = run("raid-probe").arg(&window).outcome().expect_code(0);
    let member = &found.records_of("member")[0];
    assert_eq!(member["device"], whole.to_str().unwrap());
    assert_eq!(member["device_offset_sectors"], 2048);
    assert_eq!(number(member, "device_length_sectors"), disk.len() as u64 / 512);
    let dump = |path: &str| meta("dump").arg(path).outcome().expect_code(0).records();
    let strip = |mut records: Vec<Value>| {
        for record in &mut records {
            record["device"] = Value::Null;
            record["device_offset_sectors"] = Value::Null;
        }
        records
    };
    assert_eq!(strip(dump(&window)), strip(dump(fixture.disks[0].to_str().unwrap())));
    let piped = meta("check").stdin(found.stdout).outcome().expect_code(0);
    assert_eq!(piped.records_of("verdict").len(), 1, "{piped}");
    let _ = run("raid-probe").arg(format!("{}@{}", whole.display(), 1 << 20)).outcome().expect_code(1);
}
