//! Arrays on sparse images: what reads them is told, or keeps, where they have holes, and nothing else changes.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

use nix::sys::signal::Signal;
use raid_tests::bench_array::BenchArray;
use raid_tests::program;
use raid_tests::served::Served;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::process::Command;

const MIB: u64 = 1 << 20;
/// Where the array has data: at both ends of it, at an odd place, and in one block.
const DATA: [(u64, u64); 4] = [(0, 300_000), (20 * MIB + 12_345, 5 * MIB), (60 * MIB, 4096), (99 * MIB, 100)];
/// Members that are missing.
const LOST: [&[usize]; 3] = [&[], &[3], &[1, 4]];
/// What a copy of the array may take on the disk: its data in whole chunks, by far.
const ROOM: u64 = 12 * MIB;

/// A raid6 with little in it; `plain` holds the same.
fn array() -> BenchArray {
    let array = BenchArray::raid6(Path::new(env!("CARGO_TARGET_TMPDIR")), 10, 14 * MIB);
    let plain = File::create(&array.plain).unwrap();
    plain.set_len(array.bytes()).unwrap();
    for (start, length) in DATA {
        let bytes: Vec<u8> = (start..start + length).map(|at| at.to_le_bytes()[0] | 1).collect();
        plain.write_all_at(&bytes, start).unwrap();
    }
    assert!(array.bytes() > 100 * MIB);
    raid_tests::write_file(&array.record, &array.plain);
    array
}

fn output_of(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The same bytes, and little room for them.
#[track_caller]
fn assert_sparse_copy(copy: &Path, array: &BenchArray) {
    assert!(fs::read(copy).unwrap() == fs::read(&array.plain).unwrap(), "{}", copy.display());
    let room = fs::metadata(copy).unwrap().blocks() * 512;
    assert!(room < ROOM, "{}: {room} bytes on the disk", copy.display());
}

/// Ranges that are said to be zeros are; how many bytes they are.
fn zeros(map: &Value, plain: &[u8], is_zero: impl Fn(&Value) -> bool, start: &str) -> u64 {
    let number = |range: &Value, name: &str| usize::try_from(range[name].as_u64().unwrap()).unwrap();
    let ranges = map.as_array().unwrap().iter();
    let ranges: Vec<(usize, usize)> = ranges
        .filter(|range| is_zero(range))
        .map(|range| (number(range, start), number(range, "length")))
        .collect();
    for &(start, length) in &ranges {
        assert!(plain[start..start + length].iter().all(|byte| *byte == 0), "{length} bytes at {start}");
    }
    ranges.iter().map(|(_, length)| *length as u64).sum()
}

#[test]
fn clients_are_told_where_the_holes_are_and_leave_them_out() {
    let array = array();
    let plain = fs::read(&array.plain).unwrap();
    for lost in LOST {
        for overlay in [false, true] {
            let overlay_path = array.path(&format!("overlay{}", lost.len())).display().to_string();
            let arguments: &[&str] = if overlay { &["--overlay", &overlay_path] } else { &[] };
            let served = Served::start(array.directory(), &array.without(lost), arguments);
            let uri = served.uri();
            let text = output_of(Command::new("nbdinfo").args(["--map", "--json", &uri]));
            let map = serde_json::from_slice(&text).unwrap();
            let told = zeros(&map, &plain, |range| range["type"] == 3, "offset");
            let text = output_of(Command::new("qemu-img").args(["map", "-f", "raw", "--output=json", &uri]));
            let map = serde_json::from_slice(&text).unwrap();
            let seen = zeros(&map, &plain, |range| range["zero"] == true && range["data"] == false, "start");
            assert!(told == seen && told > array.bytes() - ROOM, "{told} and {seen} of {}", array.bytes());
            let copy = array.path("copy.img");
            output_of(Command::new("nbdcopy").arg(&uri).arg(&copy));
            assert_sparse_copy(&copy, &array);
            fs::remove_file(&copy).unwrap();
            output_of(Command::new("qemu-img").args(["convert", "-f", "raw", "-O", "raw", &uri]).arg(&copy));
            assert_sparse_copy(&copy, &array);
            fs::remove_file(&copy).unwrap();
            assert_eq!(served.stop(Signal::SIGTERM), "");
        }
    }
}

#[test]
fn what_is_written_into_a_hole_is_no_hole_any_more() {
    let array = array();
    let overlay = array.path("overlay").display().to_string();
    let served = Served::start(array.directory(), &array.members, &["--overlay", &overlay]);
    let uri = served.uri();
    output_of(Command::new("qemu-io").args(["-f", "raw", "-c", "write -P 7 40M 64k", &uri]));
    let copy = array.path("copy.img");
    output_of(Command::new("nbdcopy").arg(&uri).arg(&copy));
    let mut expected = fs::read(&array.plain).unwrap();
    expected[40 << 20..(40 << 20) + (64 << 10)].fill(7);
    assert!(fs::read(&copy).unwrap() == expected);
}

/// Reads the array into an open file.
fn read_into(array: &BenchArray, lost: &[usize], arguments: &[&str], file: File) {
    let mut read = Command::new(program("raid-table"));
    read.arg("read").args(arguments).args(array.without(lost)).stdout(file);
    assert!(read.status().unwrap().success(), "{read:?}");
}

#[test]
fn an_array_that_is_read_to_a_new_file_keeps_its_holes() {
    let array = array();
    for lost in LOST {
        let copy = array.path("copy.img");
        read_into(&array, lost, &[], File::create(&copy).unwrap());
        assert_sparse_copy(&copy, &array);
    }
}

#[test]
fn where_a_file_has_something_already_zeros_are_written() {
    let array = array();
    let plain = fs::read(&array.plain).unwrap();
    let path = array.path("there.img");
    let before = vec![0xff; 120 << 20];
    fs::write(&path, &before).unwrap();
    read_into(&array, &[2], &[], File::options().write(true).open(&path).unwrap());
    let found = fs::read(&path).unwrap();
    assert!(found.len() == before.len() && found.starts_with(&plain));
    assert!(found[plain.len()..].iter().all(|byte| *byte == 0xff));
    // Behind what is there, and at its end wherever it is written.
    fs::write(&path, b"before").unwrap();
    let mut file = File::options().write(true).open(&path).unwrap();
    file.seek(SeekFrom::End(0)).unwrap();
    read_into(&array, &[2], &[], file);
    assert!(fs::read(&path).unwrap() == [b"before".as_slice(), &plain].concat());
    let mut file = File::create(&path).unwrap();
    file.write_all(b"before").unwrap();
    read_into(&array, &[2], &["--length", "90M"], File::options().append(true).open(&path).unwrap());
    assert!(fs::read(&path).unwrap() == [b"before".as_slice(), &plain[..90 << 20]].concat());
}

#[test]
fn a_pipe_gets_the_zeros_of_odd_ranges_in_holes() {
    let array = array();
    let plain = fs::read(&array.plain).unwrap();
    for (start, length) in [(0, 1), (29_999_999, 777), (70 << 20, 5 << 20), (19 << 20, 3 << 20)] {
        let mut read = Command::new(program("raid-table"));
        read.args(["read", "--offset", &start.to_string(), "--length", &length.to_string()]);
        let found = output_of(read.args(array.without(&[0, 9])));
        assert!(found == plain[start..start + length], "{length} bytes at {start}");
    }
}

#[test]
fn a_salvaged_and_a_rebuilt_image_hold_what_they_should_and_keep_holes() {
    let array = array();
    let image = array.path("salvaged.img");
    let mut salvage = Command::new(program("raid-repair"));
    output_of(salvage.args(["salvage", "-q", "-O"]).arg(&image).args(array.without(&[3])));
    assert_sparse_copy(&image, &array);
    let target = array.path("target.img");
    File::create(&target).unwrap().set_len(14 * MIB).unwrap();
    let mut rebuild = Command::new(program("raid-repair"));
    rebuild.args(["rebuild", "-q", "--slot", "3", "--write", "--onto"]).arg(&target);
    output_of(rebuild.arg("--undo").arg(array.path("rebuild-undo")).args(array.without(&[3])));
    let (start, length) = array.member_range();
    let part = |path: &Path| {
        let mut bytes = vec![0; usize::try_from(length).unwrap()];
        File::open(path).unwrap().read_exact_at(&mut bytes, start).unwrap();
        bytes
    };
    assert!(part(&target) == part(&array.members[3]));
    assert!(fs::metadata(&target).unwrap().blocks() * 512 < 4 * MIB);
}
