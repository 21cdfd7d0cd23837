//! What mdadm says of DDF metadata is what we say: of real disks, of sets of every level that are made here, and
//! of sets in other states.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "a test")]

use raid_meta::device::{Device, FileDisk};
use raid_meta::format::create::NewSet;
use raid_meta::format::{Metadata, by_name};
use raid_meta::geometry::{Layout, Level};
use raid_tests::{Fixture, mdadm};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn device(path: &Path) -> Device {
    Device::whole(path, Arc::new(FileDisk::open(path, None).unwrap()))
}

fn metadata(path: &Path) -> Box<dyn Metadata> {
    let mut found = by_name("ddf").unwrap().find(&device(path)).unwrap();
    assert_eq!(found.len(), 1, "{}", path.display());
    let found = found.remove(0);
    assert_eq!(found.problems, [], "{}", path.display());
    found.metadata.unwrap()
}

/// The fields of a disk by name: value and meaning.
struct Dump(BTreeMap<String, (String, String)>);

impl Dump {
    fn of(path: &Path) -> Self {
        let fields = metadata(path).fields().into_iter();
        let entry = |field: raid_meta::model::Field| {
            let value = field.value.as_str().map_or_else(|| field.value.to_string(), str::to_owned);
            (field.name, (value, field.meaning.unwrap_or_default()))
        };
        Self(fields.map(entry).collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(&format!("primary.{name}"))
    }

    fn text(&self, name: &str) -> &str {
        &self.0.get(&format!("primary.{name}")).unwrap_or_else(|| panic!("no field {name}")).0
    }

    fn number(&self, name: &str) -> u64 {
        let text = self.text(name);
        match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).unwrap(),
            None => text.parse().unwrap(),
        }
    }

    /// A GUID as mdadm prints it.
    fn guid(&self, name: &str) -> String {
        let digits = self.text(name).to_uppercase();
        let words: Vec<&str> = (0..6).map(|word| &digits[word * 8..word * 8 + 8]).collect();
        words.join(":")
    }

    /// The place of the configuration of a virtual disk among the records.
    fn config(&self, disk: usize) -> Option<String> {
        let guid = self.text(&format!("virtual_disks[{disk}].vd_guid"));
        let names = (0..65).map(|index| format!("configurations[{index}]"));
        names.into_iter().find(|name| {
            self.has(&format!("{name}.vd_guid")) && self.text(&format!("{name}.vd_guid")) == guid
        })
    }

    /// The place of the disk of that reference in the table.
    fn disk(&self, reference: &str) -> Option<usize> {
        (0..1023).find(|index| {
            let name = format!("physical_disks[{index}].pd_reference");
            self.has(&name) && self.text(&name) == reference
        })
    }

    /// What mdadm would say of the whole.
    fn group(&self) -> Vec<(String, String)> {
        let disks = (0..255).filter(|index| self.has(&format!("virtual_disks[{index}].vd_guid")));
        let disks: Vec<usize> = disks.collect();
        let text = |key: &str, value: String| (key.to_owned(), value);
        let mut lines = vec![
            text("Magic", self.text("header.signature").trim_start_matches("0x").to_owned()),
            text("Version", self.text("header.ddf_rev").to_owned()),
            text("Controller GUID", self.guid("controller.controller_guid")),
            text("Container GUID", self.guid("header.ddf_header_guid")),
            text("Seq", format!("{:08x}", self.number("header.sequence_number"))),
            text("Redundant hdr", "yes".to_owned()),
            text("Virtual Disks", disks.len().to_string()),
            text("Physical Disks", self.text("physical_disks.max_entries").to_owned()),
        ];
        lines.extend(disks.iter().flat_map(|&disk| self.volume(disk)));
        lines
    }

    fn volume(&self, disk: usize) -> Vec<(String, String)> {
        const STATES: [&str; 8] = [
            "Optimal",
            "Degraded",
            "Deleted",
            "Missing",
            "Failed",
            "Partially Optimal",
            "-reserved-",
            "-reserved-",
        ];
        const INIT: [&str; 4] =
            ["Not Initialised", "QuickInit in Progress", "Fully Initialised", "*UNKNOWN*"];
        const ACCESS: [&str; 4] = ["Read/Write", "Reserved", "Read Only", "Blocked (no access)"];
        let line = |key: &str, value: String| (format!("{key}[{disk}]"), value);
        let field = |name: &str| format!("virtual_disks[{disk}].{name}");
        let word = |words: &[&str], index: u64| words[usize::try_from(index).unwrap()].to_owned();
        let state = self.number(&field("vd_state"));
        let init = self.number(&field("init_state"));
        let consistent = if state & 0x10 == 0 { "Consistent" } else { "Not Consistent" };
        let mut lines = vec![
            line("VD GUID", self.guid(&field("vd_guid"))),
            line("unit", self.text(&field("vd_number")).to_owned()),
            line("state", format!("{}, {consistent}", word(&STATES, state & 7))),
            line("init state", word(&INIT, init & 3)),
            line("access", word(&ACCESS, init >> 6)),
            line("Name", self.text(&field("vd_name")).to_owned()),
        ];
        if let Some(config) = self.config(disk) {
            lines.extend(self.elements(disk, &config));
        }
        lines
    }

    fn elements(&self, disk: usize, config: &str) -> Vec<(String, String)> {
        let line = |key: &str, value: String| (format!("{key}[{disk}]"), value);
        let number = |name: &str| self.number(&format!("{config}.{name}"));
        let count = number("primary_element_count");
        let member = |slot: u64| {
            let reference = self.text(&format!("{config}.physical_disk_sequence[{slot}]"));
            let index = self.disk(reference).map_or_else(|| "--".to_owned(), |index| index.to_string());
            format!("{index}@{}K", number(&format!("starting_block[{slot}]")) / 2)
        };
        let members: Vec<String> = (0..count).map(member).collect();
        let level = match number("primary_raid_level") {
            0x0f => "JBOD".to_owned(),
            0x11 => "RAID1E".to_owned(),
            0x1f => "CONCAT".to_owned(),
            level => format!("RAID{level}"),
        };
        let mut lines = vec![
            line("Raid Devices", format!("{count} ({})", members.join(" "))),
            line("Raid Level", level),
            line("Device Size", (number("block_count") / 2).to_string()),
            line("Array Size", (number("vd_size") / 2).to_string()),
        ];
        if number("strip_size") != 0xff {
            lines.push(line("Chunk Size", format!("{} sectors", 1_u64 << number("strip_size"))));
        }
        if number("secondary_element_count") != 1 {
            let position =
                format!("{} of {}", number("secondary_element_seq"), number("secondary_element_count"));
            let words = ["Striped", "Mirrored", "Concatenated", "Spanned"];
            let level = usize::try_from(number("secondary_raid_level")).unwrap();
            lines.push(line("Secondary Position", position));
            lines.push(line("Secondary Level", words[level].to_owned()));
        }
        lines
    }

    /// The rows of the table of physical disks: number, reference, size, words.
    fn disks(&self) -> Vec<Vec<String>> {
        const TYPES: [(u64, &str); 5] =
            [(2, "active"), (4, "Global-Spare"), (8, "spare"), (0x10, "foreign"), (0x20, "pass-through")];
        const STATES: [(u64, &str); 6] = [
            (2, "Failed"),
            (4, "Rebuilding"),
            (8, "in-transition"),
            (0x10, "SMART-errors"),
            (0x20, "Unrecovered-Read-Errors"),
            (0x40, "Missing"),
        ];
        let words = |bits: u64, names: &[(u64, &str)]| -> Vec<String> {
            names.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| (*name).to_owned()).collect()
        };
        let row = |index: usize| {
            let field = |name: &str| format!("physical_disks[{index}].{name}");
            let state = self.number(&field("pd_state"));
            // A disk that failed is for mdadm not online, rebuilding or in transition, whatever the bits say.
            let state = if state & 2 == 0 { state } else { state & !(1 | 4 | 8) };
            let online = if state & 1 == 0 { "Offline" } else { "Online" };
            let mut row = vec![
                index.to_string(),
                self.text(&field("pd_reference")).trim_start_matches("0x").to_owned(),
                format!("{}K", self.number(&field("configured_size")) / 2),
            ];
            row.extend(words(self.number(&field("pd_type")), &TYPES));
            row.push(online.to_owned());
            row.extend(words(state, &STATES));
            row
        };
        (0..1023).filter(|index| self.has(&format!("physical_disks[{index}].pd_guid"))).map(row).collect()
    }
}

/// Compares what mdadm prints with our dump, line by line, none left over on either side.
#[track_caller]
fn compare(path: &Path, text: &str) {
    let ours = Dump::of(path);
    let mut expected = ours.group();
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some((key, value)) = line.split_once(" : ") {
            found.push((key.trim().to_owned(), value.trim().to_owned()));
        }
    }
    expected.sort();
    found.sort();
    assert_eq!(found, expected, "{}:\n{text}", path.display());
    let table = text.lines().skip_while(|line| !line.contains("RefNo")).skip(1);
    let rows: Vec<Vec<String>> = table
        .take_while(|line| line.trim_start().starts_with(|first: char| first.is_ascii_digit()))
        .map(|line| line.split([' ', '/', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect())
        .collect();
    assert_eq!(rows, ours.disks(), "{}:\n{text}", path.display());
}

#[test]
fn mdadm_and_we_say_the_same_of_real_disks() {
    for set in Fixture::all_of(&["ddf"]) {
        for disk in &set.disks {
            let text = mdadm(&["--examine"], disk);
            compare(disk, &text);
        }
    }
}

/// Blank disks as sparse files.
fn blank(directory: &Path, count: usize) -> Vec<PathBuf> {
    let disk = |number: usize| {
        let path = directory.join(format!("disk{number}.img"));
        File::create(&path).unwrap().set_len((48 << 20) + 512 * number as u64).unwrap();
        path
    };
    (0..count).map(disk).collect()
}

/// Makes a set on the disks, the last `spares` of them spares.
fn create(disks: &[PathBuf], spares: usize, name: &str, change: impl FnOnce(NewSet) -> NewSet) {
    let mut devices: Vec<Device> = disks.iter().map(|disk| device(disk)).collect();
    let spares = devices.split_off(devices.len() - spares);
    let set = NewSet {
        spares,
        identity: [7; 16],
        now: 1_795_222_494,
        in_sync: true,
        ..NewSet::new(Level::Raid1, name, devices)
    };
    let members = by_name("ddf").unwrap().create(&change(set)).unwrap();
    for (member, path) in members.iter().zip(disks) {
        let file = File::options().write(true).open(path).unwrap();
        for area in &member.areas {
            file.write_all_at(&area.bytes, area.offset.0).unwrap();
        }
    }
}

/// Sets fields in both copies, checksums and all.
fn edit(path: &Path, edits: &[(&str, &[u8])]) {
    let metadata = metadata(path);
    let (mut areas, fields) = (metadata.areas(), metadata.fields());
    for (name, bytes) in edits {
        for copy in ["primary", "secondary"] {
            let name = format!("{copy}.{name}");
            let field = fields.iter().find(|field| field.name == name).unwrap();
            let area = areas.iter_mut().find(|area| {
                area.offset <= field.offset && field.offset.0 < area.offset.0 + area.bytes.len() as u64
            });
            let area = area.unwrap();
            let at = usize::try_from(field.offset.0 - area.offset.0).unwrap();
            area.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        }
    }
    metadata.seal(&mut areas);
    let file = File::options().write(true).open(path).unwrap();
    for area in areas {
        file.write_all_at(&area.bytes, area.offset.0).unwrap();
    }
}

#[test]
fn mdadm_reads_the_sets_that_are_made_here() {
    let cases = [
        (Level::Linear, 2, None),
        (Level::Raid0, 3, None),
        (Level::Raid1, 2, None),
        (Level::Raid1, 3, None),
        (Level::Raid4, 3, None),
        (Level::Raid5, 4, Some("right-asymmetric")),
        (Level::Raid6, 5, Some("ddf-zero-restart")),
        (Level::Raid10, 4, None),
        (Level::Raid10, 5, None),
        (Level::Raid10, 6, Some("near-3")),
    ];
    for (level, count, layout) in cases {
        let directory = tempfile::tempdir().unwrap();
        let disks = blank(directory.path(), count);
        let layout = layout.map(|name| name.parse::<Layout>().unwrap());
        create(&disks, 0, "volume", |set| NewSet { level, layout, ..set });
        for disk in &disks {
            let text = mdadm(&["--examine"], disk);
            compare(disk, &text);
        }
    }
}

#[test]
fn mdadm_reads_a_group_of_two_volumes_and_a_spare() {
    let directory = tempfile::tempdir().unwrap();
    let disks = blank(directory.path(), 4);
    create(&disks, 1, "first", |set| NewSet {
        level: Level::Raid5,
        size: Some(raid_meta::units::Sectors(8192)),
        ..set
    });
    create(&disks, 1, "second", |set| set);
    for disk in &disks {
        let text = mdadm(&["--examine"], disk);
        compare(disk, &text);
    }
}

#[test]
fn mdadm_and_we_have_the_same_words_for_states() {
    let directory = tempfile::tempdir().unwrap();
    let disks = blank(directory.path(), 3);
    create(&disks, 0, "states", |set| NewSet { level: Level::Raid5, ..set });
    let whole = fs::read(&disks[0]).unwrap();
    let cases: [&[(&str, &[u8])]; 10] = [
        &[("virtual_disks[0].vd_state", &[1])],
        &[("virtual_disks[0].vd_state", &[0x14])],
        &[("virtual_disks[0].vd_state", &[3])],
        &[("virtual_disks[0].vd_state", &[5])],
        &[("virtual_disks[0].init_state", &[0])],
        &[("virtual_disks[0].init_state", &[1])],
        &[("virtual_disks[0].init_state", &[0x82])],
        &[("virtual_disks[0].init_state", &[0xc2])],
        &[("physical_disks[1].pd_state", &[0, 0x42]), ("physical_disks[2].pd_state", &[0, 5])],
        &[
            ("configurations[0].physical_disk_sequence[1]", &[0, 0, 0, 0]),
            ("physical_disks[1].pd_state", &[0, 0x3b]),
        ],
    ];
    for edits in cases {
        fs::write(&disks[0], &whole).unwrap();
        edit(&disks[0], edits);
        let text = mdadm(&["--examine"], &disks[0]);
        compare(&disks[0], &text);
    }
}
