//! Text from a disk does no harm, whatever it is: every text field of every format, filled with what a terminal, a
//! shell, a path or a parser would take for something else, comes out escaped in text, JSON, `--export` and dm names.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

use raid_meta::device::{Device, FileDisk};
use raid_meta::format::create::NewSet;
use raid_meta::format::schema::Repr;
use raid_meta::format::{FORMATS, Format};
use raid_meta::geometry::Level;
use raid_meta::identify::{Member, identify};
use raid_meta::model::{Area, Field};
use raid_tests::{Fixture, Outcome, Run, run};
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use tempfile::TempDir;

/// What the fields are filled with, repeated to their length. The shell would make a file `c` of each that it runs.
const HOSTILE: [&[u8]; 9] = [
    b"$(>c)\n\xff\x1b[1m/",
    b"';>c;'`>c`\r\\",
    b"\n",
    b"\"$(>c)\"\nRAID_X=1\n",
    b"\x1b[31m\x1b]0;x\x07\x08",
    b"../../etc/;x/",
    b"\xff\xfe\x00\x80\xc3",
    "\u{202e}\u{2066}a\u{200b}".as_bytes(),
    b"-rf %s {} , | \\x41",
];

/// Text in fields that are shown as bytes.
const RAW_TEXT: [&str; 3] = ["identify_serial", "identify_firmware", "identify_model"];

/// The disks of a set of the format, without text that does harm yet.
struct Disks {
    paths: Vec<PathBuf>,
    directory: TempDir,
}

impl Disks {
    /// A set that the format creates, or one of the carried.
    fn of(format: &dyn Format) -> Self {
        match format.name() {
            "md" => Self::carried("md12-raid5-ls-3"),
            "isw" => Self::carried("isw-raid5-3"),
            "lvm2" => Self::carried("lvm-raid1-2"),
            _ => Self::made(format),
        }
    }

    fn carried(name: &str) -> Self {
        let Fixture { directory, disks, .. } = Fixture::open(name).unwrap();
        Self { paths: disks, directory }
    }

    /// A mirror, with serial numbers beside the images.
    fn made(format: &dyn Format) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |number: usize| directory.path().join(format!("disk{number}.img"));
        let paths: Vec<PathBuf> = (0..2).map(path).collect();
        for (number, path) in paths.iter().enumerate() {
            File::create(path).unwrap().set_len(64 << 20).unwrap();
            fs::write(path.with_extension("img.serial"), format!("HOSTILE{number}\n")).unwrap();
        }
        let devices = paths.iter().map(|path| device(path)).collect();
        let members = format.create(&NewSet { in_sync: true, ..NewSet::new(Level::Raid1, "plain", devices) });
        let members = members.unwrap_or_else(|error| panic!("{}: {error}", format.name()));
        for (member, path) in members.iter().zip(&paths) {
            write(path, &member.areas);
        }
        Self { paths, directory }
    }
}

fn device(path: &Path) -> Device {
    let serial = fs::read_to_string(path.with_extension("img.serial")).ok();
    let serial = serial.map(|serial| serial.trim_end().to_owned());
    Device::whole(path, Arc::new(FileDisk::open(path, None).unwrap())).with_serial(serial)
}

fn write(path: &Path, areas: &[Area]) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    for area in areas {
        file.write_all_at(&area.bytes, area.offset.0).unwrap();
    }
}

fn is_text(field: &Field) -> bool {
    field.encoding.repr == Repr::Text || RAW_TEXT.iter().any(|name| field.name.ends_with(name))
}

/// Fills the text fields of these kinds on all disks, checksums right. Gives what was there before, and whether the
/// set is still found.
fn filled(
    format: &'static dyn Format,
    disks: &Disks,
    kinds: &BTreeSet<String>,
    with: &[u8],
) -> (Vec<(PathBuf, Vec<Area>)>, bool) {
    let mut before = Vec::new();
    for path in &disks.paths {
        let members = identify(&device(path), &[format]).unwrap();
        let metadata = members.first().and_then(|member| member.metadata());
        let metadata = metadata.unwrap_or_else(|| panic!("{}: not found", format.name()));
        let mut areas = metadata.areas();
        before.push((path.clone(), areas.clone()));
        for field in metadata.fields().iter().filter(|field| is_text(field) && kinds.contains(&kind(field))) {
            fill(&mut areas, field, with);
        }
        metadata.seal(&mut areas);
        write(path, &areas);
    }
    let is_found = |path: &PathBuf| identify(&device(path), &[format]).unwrap().iter().any(Member::is_sound);
    let found = disks.paths.iter().all(is_found);
    (before, found)
}

/// The name of a field without its place in tables.
fn kind(field: &Field) -> String {
    field.name.chars().filter(|character| !character.is_ascii_digit()).collect()
}

fn fill(areas: &mut [Area], field: &Field, with: &[u8]) {
    for area in areas {
        let Some(at) = field.offset.0.checked_sub(area.offset.0).and_then(|at| usize::try_from(at).ok())
        else {
            continue;
        };
        if let Some(place) = area.bytes.get_mut(at..at + field.size as usize) {
            place.iter_mut().zip(with.iter().cycle()).for_each(|(byte, hostile)| *byte = *hostile);
        }
    }
}

/// The kinds of text fields.
fn text_fields(format: &'static dyn Format, disks: &Disks) -> BTreeSet<String> {
    let members = identify(&device(&disks.paths[0]), &[format]).unwrap();
    let fields = members.iter().filter_map(|member| member.metadata()).flat_map(|metadata| metadata.fields());
    fields.filter(is_text).map(|field| kind(&field)).collect()
}

/// Everything that is printed about the disks, each with the way it was asked for.
fn outputs(paths: &[PathBuf]) -> Vec<(String, Outcome)> {
    let asked: [(&str, &[&str]); 9] = [
        ("raid-probe", &["-o", "text"]),
        ("raid-probe", &["-J"]),
        ("raid-probe", &["--export"]),
        ("raid-meta", &["dump", "-o", "text"]),
        ("raid-meta", &["dump", "-o", "hex"]),
        ("raid-meta", &["check", "-o", "text"]),
        ("raid-table", &["--degraded", "-J"]),
        ("raid-table", &["--degraded", "-o", "dmsetup"]),
        ("raid-table", &["draw", "-o", "text"]),
    ];
    let outcome = |(program, arguments): (&str, &[&str])| {
        let outcome = Run::of(raid_tests::program(program)).args(arguments).args(paths).outcome();
        (format!("{program} {}", arguments.join(" ")), outcome)
    };
    asked.into_iter().map(outcome).collect()
}

/// Text that shows on a terminal what it is, and nothing else.
fn assert_plain(what: &str, bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
    let is_harmful = |character: &char| {
        let is_mark =
            matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
        character.is_control() && *character != '\n' || is_mark
    };
    if let Some(character) = text.chars().find(is_harmful) {
        panic!("{what}: {character:?} in {text}");
    }
}

/// Names that device-mapper, a path and a shell take as they are.
fn assert_names(what: &str, outcome: &Outcome) {
    for table in outcome.records() {
        let name = table["name"].as_str().unwrap();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.+-".contains(&byte);
        assert!(!name.is_empty() && name.bytes().all(is_plain) && !name.starts_with('-'), "{what}: {name:?}");
    }
}

/// A shell that takes the output for assignments does nothing but assign.
fn assert_harmless_in_a_shell(what: &str, outcome: &Outcome, directory: &Path) {
    let before = names_in(directory);
    let mut shell = Command::new("sh")
        .args(["-eu", "-c", "eval \"$(cat)\""])
        .current_dir(directory)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut shell.stdin.take().unwrap(), &outcome.stdout).unwrap();
    assert!(shell.wait().unwrap().success(), "{what}: {outcome}");
    assert_eq!(names_in(directory), before, "{what}: {outcome}");
    for line in outcome.text().lines().filter(|line| !line.is_empty()) {
        assert!(line.starts_with("RAID_") && line.contains('='), "{what}: {line}");
    }
}

fn names_in(directory: &Path) -> BTreeSet<PathBuf> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn assert_harmless(what: &str, disks: &Disks) {
    for (asked, outcome) in outputs(&disks.paths) {
        let what = format!("{what}: {asked}");
        assert!(outcome.signal.is_none() && outcome.code.is_some_and(|code| code <= 5), "{what}: {outcome}");
        assert_plain(&what, &outcome.stdout);
        assert_plain(&what, outcome.stderr.as_bytes());
        if asked == "raid-table --degraded -J" {
            assert_names(&what, &outcome);
        }
        if asked == "raid-probe --export" {
            assert_harmless_in_a_shell(&what, &outcome, disks.directory.path());
        }
    }
}

/// Fills fields, looks at what is printed, and puts everything back; whether the set was found.
fn try_with(format: &'static dyn Format, disks: &Disks, kinds: &BTreeSet<String>, hostile: &[u8]) -> bool {
    let (before, found) = filled(format, disks, kinds, hostile);
    assert_harmless(&format!("{} {kinds:?} {}", format.name(), hostile.escape_ascii()), disks);
    before.iter().for_each(|(path, areas)| write(path, areas));
    found
}

/// Each kind of field alone, and then all at once without which the metadata is still found.
fn assert_escaped(format: &'static dyn Format) {
    let disks = Disks::of(format);
    let alone = |kind: String| BTreeSet::from([kind]);
    let kept = |kind: &String| {
        HOSTILE[..2].iter().all(|hostile| try_with(format, &disks, &alone(kind.clone()), hostile))
    };
    let kinds: BTreeSet<String> = text_fields(format, &disks).into_iter().filter(kept).collect();
    for hostile in HOSTILE.iter().filter(|_| !kinds.is_empty()) {
        try_with(format, &disks, &kinds, hostile);
    }
}

#[test]
fn text_fields_of_all_formats_are_escaped_wherever_they_are_printed() {
    // The superblock of dm-raid has no text, and no disks of its own.
    let formats = FORMATS.into_iter().filter(|format| format.name() != "dm-raid");
    thread::scope(|scope| formats.for_each(|format| drop(scope.spawn(move || assert_escaped(format)))));
}

#[test]
fn a_serial_number_and_a_path_are_text_too() {
    let directory = tempfile::tempdir().unwrap();
    for (number, hostile) in
        [&b"a\nb\x1b[31m\xff"[..], b"$(>c)';>c;'", b"\xff\\x41 , ;"].into_iter().enumerate()
    {
        let fixture = Fixture::open("isw-raid1-2").unwrap();
        let name: std::ffi::OsString = std::os::unix::ffi::OsStringExt::from_vec(hostile.to_vec());
        let path = directory.path().join(name);
        fs::copy(&fixture.disks[0], &path).unwrap();
        let mut serial = std::ffi::OsString::from(&path);
        serial.push(".serial");
        fs::write(serial, hostile).unwrap();
        let kept = tempfile::tempdir().unwrap();
        let disks = Disks { paths: vec![path], directory: kept };
        assert_harmless(&format!("path {number}"), &disks);
        assert_eq!(run("raid-probe").arg("-J").args(&disks.paths).outcome().records_of("member").len(), 1);
    }
}
