//! What mdadm says of md superblocks is what we say.
//!
//! Tried on real disks, and on the same disks with a superblock that was edited here: real superblocks
//! of arrays in the middle of a reshape, with spares, journals and bitmaps, without the arrays.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "a test")]

use raid_meta::device::{Device, FileDisk};
use raid_meta::format::{Metadata, by_name};
use raid_meta::geometry::{Layout, Level};
use raid_meta::model::{MemberView, VolumeView};
use raid_meta::record::{Direction, Problem, Role};
use raid_tests::{Fixture, mdadm};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The lines `key : value` of mdadm's text.
fn pairs(text: &str) -> BTreeMap<String, String> {
    let pair = |line: &str| {
        let (key, value) = line.split_once(" : ")?;
        Some((key.trim().to_owned(), value.trim().to_owned()))
    };
    text.lines().filter_map(pair).collect()
}

/// What we found on a disk.
struct Ours {
    metadata: Box<dyn Metadata>,
    view: MemberView,
    sound: bool,
}

impl Ours {
    fn of(path: &Path) -> Self {
        let device = Device::whole(path, Arc::new(FileDisk::open(path, None).unwrap()));
        let mut found = by_name("md").unwrap().find(&device).unwrap();
        assert_eq!(found.len(), 1, "{}", path.display());
        let found = found.remove(0);
        let metadata = found.metadata.unwrap();
        let view = metadata.view(&device);
        Self { view, metadata, sound: !found.problems.iter().any(Problem::is_error) }
    }

    fn volume(&self) -> &VolumeView {
        &self.view.volumes[0]
    }

    fn field(&self, name: &str) -> String {
        let fields = self.metadata.fields();
        let field =
            fields.iter().find(|field| field.name == name).unwrap_or_else(|| panic!("no field {name}"));
        field.value.as_str().map_or_else(|| field.value.to_string(), str::to_owned)
    }

    fn number(&self, name: &str) -> i64 {
        self.field(name).parse().unwrap()
    }

    fn meaning(&self, name: &str) -> String {
        let fields = self.metadata.fields();
        fields.into_iter().find(|field| field.name == name).unwrap().meaning.unwrap_or_default()
    }
}

/// The first number in a text.
fn first_number(text: &str) -> u64 {
    let digits = text.trim_start_matches(|character: char| !character.is_ascii_digit());
    let end = digits.find(|character: char| !character.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().unwrap()
}

/// mdadm's words for a layout as ours.
fn layout_name(theirs: &str) -> String {
    theirs.replace('=', "-")
}

/// `Sat Nov 21 00:54:54 2026` as `2026-11-21T00:54:54Z`.
fn iso_time(theirs: &str) -> String {
    let words: Vec<&str> = theirs.split_whitespace().collect();
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|month| *month == words[1]).unwrap() + 1;
    format!("{}-{month:02}-{:0>2}T{}Z", words[4], words[2], words[3])
}

/// Compares everything of mdadm's text that both have; the number of lines compared.
fn compare(path: &Path, theirs: &BTreeMap<String, String>) -> usize {
    let ours = Ours::of(path);
    let mut compared = 0;
    for (key, value) in theirs {
        let equal = if ours.field("major_version") == "0" {
            compare_090(&ours, key, value)
        } else {
            compare_1x(&ours, key, value)
        };
        let equal = equal.or_else(|| compare_common(&ours, theirs, key, value));
        if let Some((found, expected)) = equal {
            assert_eq!(found, expected, "{}: {key}: mdadm says '{value}'", path.display());
            compared += 1;
        }
    }
    compared
}

type Pair = Option<(String, String)>;

fn compare_common(ours: &Ours, theirs: &BTreeMap<String, String>, key: &str, value: &str) -> Pair {
    let volume = ours.volume();
    let text = |ours: String, theirs: &str| Some((ours, theirs.to_owned()));
    match key {
        "Magic" => text(ours.field("magic"), &format!("0x{value}")),
        "Raid Level" => text(volume.geometry.unwrap().level.name().to_owned(), value),
        "Raid Devices" => text(ours.field("raid_disks"), value),
        "Creation Time" => text(ours.meaning("ctime"), &iso_time(value)),
        "Update Time" => text(ours.meaning("utime"), &iso_time(value)),
        "Events" => text(ours.view.generation.to_string(), value),
        // In a reshape mdadm says what the array will have, not what it has.
        "Array Size" if volume.reshape.is_none() => {
            text(volume.size.0.to_string(), &(first_number(value) * 2).to_string())
        }
        "Layout" => match volume.geometry.unwrap().layout {
            Some(layout) => text(layout.to_string(), &layout_name(value)),
            None => None,
        },
        "Chunk Size" => {
            let chunk = volume.reshape.as_ref().map_or(volume.geometry, |reshape| Some(reshape.from));
            text(format!("{}K", chunk.unwrap().chunk.unwrap().get() / 2), value)
        }
        "Reshape pos'n" => {
            let position = volume.reshape.as_ref().unwrap().position.0;
            text((position / 2).to_string(), &first_number(value).to_string())
        }
        "Delta Devices" => {
            let reshape = volume.reshape.as_ref().unwrap();
            let delta = i64::from(reshape.to.slots) - i64::from(reshape.from.slots);
            text(format!("{delta} ({}->{})", reshape.from.slots, reshape.to.slots), value)
        }
        "New Layout" => text(volume.reshape.as_ref().unwrap().to.layout.unwrap().to_string(), value),
        "New Chunksize" => {
            text(format!("{}K", volume.reshape.as_ref().unwrap().to.chunk.unwrap().get() / 2), value)
        }
        "State" if theirs.contains_key("Checksum") => {
            text(ours.volume().state.clone().unwrap().split(',').next().unwrap().to_owned(), value)
        }
        _ => None,
    }
}

fn compare_1x(ours: &Ours, key: &str, value: &str) -> Pair {
    let number = |name: &str| Some((ours.number(name).to_string(), first_number(value).to_string()));
    let text = |ours: String| Some((ours, value.to_owned()));
    match key {
        "Version" => text(ours.metadata.version()),
        "Feature Map" => {
            let map = u32::from_str_radix(ours.field("feature_map").trim_start_matches("0x"), 16).unwrap();
            text(format!("{map:#x}"))
        }
        "Array UUID" => text(ours.view.set_id.clone()),
        "Device UUID" => text(ours.view.member_id.clone().unwrap()),
        "Name" => text(ours.view.set_name.clone().unwrap()),
        "Avail Dev Size" => number("data_size"),
        "Used Dev Size" => number("size"),
        "Data Offset" => number("data_offset"),
        "Super Offset" => number("super_offset"),
        "Recovery Offset" => number("recovery_offset"),
        "New Offset" => {
            let moved = ours.volume().own.as_ref().unwrap().reshape_offset.unwrap().0;
            Some((moved.to_string(), first_number(value).to_string()))
        }
        "Internal Bitmap" => number("bitmap_offset"),
        "PPL" => text(format!(
            "{} sectors at offset {} sectors from superblock",
            ours.number("ppl.size"),
            ours.number("ppl.offset")
        )),
        "Bad Block Log" => {
            let offset = ours.number("bblog_offset");
            let present =
                if ours.field("feature_map") == "0x00000008" { " - bad blocks present." } else { "" };
            text(format!(
                "{} entries available at offset {offset} sectors{present}",
                ours.number("bblog_size") * 64
            ))
        }
        "Checksum" => {
            let stored = ours.field("sb_csum").trim_start_matches("0x").trim_start_matches('0').to_owned();
            let meaning = ours.meaning("sb_csum").replace("computed 0x", "expected ");
            text(format!("{stored} - {meaning}"))
        }
        "Device Role" => text(role_words(ours)),
        "Array State" => {
            let theirs = value.split_whitespace().next().unwrap_or_default().to_owned();
            Some((array_state(ours), theirs))
        }
        _ => None,
    }
}

/// mdadm calls a device that has failed a spare: all that it has lost is its role.
fn role_words(ours: &Ours) -> String {
    let replacement = ours.meaning("feature_map").contains("replacement");
    let slot = ours.meaning("dev_number").trim_start_matches("slot ").to_owned();
    match ours.view.role {
        Role::Active => format!("Active device {slot}"),
        Role::Spare if replacement => format!("Replacement device {slot}"),
        Role::Spare | Role::Failed => "spare".to_owned(),
        Role::Journal => "Journal".to_owned(),
        role => panic!("role {role:?}"),
    }
}

fn array_state(ours: &Ours) -> String {
    let slots = ours.volume().slots.iter();
    let state = slots.map(|slot| match &slot.key {
        Some(key) if key.starts_with("slot") => 'R',
        Some(_) => 'A',
        None => '.',
    });
    state.collect()
}

fn compare_090(ours: &Ours, key: &str, value: &str) -> Pair {
    let text = |ours: String| Some((ours, value.to_owned()));
    match key {
        "Version" => text(format!("{}.{}.00", ours.number("major_version"), ours.number("minor_version"))),
        "UUID" => text(ours.view.set_id.clone()),
        "Used Dev Size" => Some((ours.field("size"), first_number(value).to_string())),
        "Preferred Minor" => text(ours.field("md_minor")),
        "Total Devices" => text(ours.field("nr_disks")),
        "Active Devices" => text(ours.field("active_disks")),
        "Working Devices" => text(ours.field("working_disks")),
        "Failed Devices" => text(ours.field("failed_disks")),
        "Spare Devices" => text(ours.field("spare_disks")),
        "Checksum" => {
            let stored = ours.field("sb_csum").trim_start_matches("0x").trim_start_matches('0').to_owned();
            text(format!("{stored} - {}", ours.meaning("sb_csum")))
        }
        _ => None,
    }
}

fn disks() -> Vec<(Fixture, Vec<PathBuf>)> {
    let names = Fixture::names().into_iter().filter(|name| name.starts_with("md"));
    let mut sets: Vec<_> = names.filter_map(|name| Fixture::open(&name)).collect();
    sets.extend(Fixture::captured("mdraid"));
    sets.into_iter().map(|set| (set.disks.clone(), set)).map(|(disks, set)| (set, disks)).collect()
}

#[test]
fn mdadm_and_we_say_the_same_of_every_disk() {
    for (_set, disks) in disks() {
        for disk in disks {
            let text = mdadm(&["--examine"], &disk);
            let compared = compare(&disk, &pairs(&text));
            assert!(compared >= 15, "{}: only {compared} lines compared:\n{text}", disk.display());
            assert!(Ours::of(&disk).metadata.check().is_empty(), "{}", disk.display());
        }
    }
}

#[test]
fn descriptors_of_090_are_the_ones_that_mdadm_lists() {
    for (_set, disks) in disks() {
        for disk in disks {
            let text = mdadm(&["--examine"], &disk);
            let ours = Ours::of(&disk);
            if ours.metadata.version() != "0.90" {
                continue;
            }
            let mut rows = 0;
            for line in text.lines().filter(|line| line.ends_with("active sync") || line.contains("sync   /"))
            {
                let words: Vec<&str> = line.split_whitespace().collect();
                let prefix =
                    if words[0] == "this" { "this_disk".to_owned() } else { format!("disks[{}]", words[0]) };
                let names = ["number", "major", "minor", "raid_disk"];
                for (name, word) in names.iter().zip(&words[1..]) {
                    assert_eq!(ours.field(&format!("{prefix}.{name}")), **word, "{line}");
                }
                assert_eq!(ours.meaning(&format!("{prefix}.state")), "active, in sync");
                rows += 1;
            }
            assert_eq!(rows, ours.number("raid_disks") + 1, "{text}");
        }
    }
}

/// A disk of a set with its 1.2 superblock edited, the checksum made right by the rule, not by our code.
fn edited(from: &Path, to: &Path, edits: &[(usize, &[u8])]) {
    let mut image = fs::read(from).unwrap();
    for (at, bytes) in edits {
        image[4096 + at..4096 + at + bytes.len()].copy_from_slice(bytes);
    }
    image[4096 + 0xd8..4096 + 0xdc].fill(0);
    let devices = u32::from_le_bytes(image[4096 + 0xdc..4096 + 0xe0].try_into().unwrap()) as usize;
    let words = image[4096..4096 + 256 + 2 * devices].chunks(4);
    let sum: u64 = words.map(|word| u64::from(u32::from_le_bytes(word.try_into().unwrap()))).sum();
    let folded = (sum & 0xffff_ffff) + (sum >> 32);
    image[4096 + 0xd8..4096 + 0xdc].copy_from_slice(&folded.to_le_bytes()[..4]);
    fs::write(to, image).unwrap();
}

/// The name of a case, and what it edits.
type Case = (&'static str, Vec<(usize, Vec<u8>)>);

fn raid5_cases() -> Vec<Case> {
    let word = |at: usize, value: u32| (at, value.to_le_bytes().to_vec());
    let long = |at: usize, value: u64| (at, value.to_le_bytes().to_vec());
    let half = |at: usize, value: u16| (at, value.to_le_bytes().to_vec());
    let minus = |at: usize, value: i32| (at, value.to_le_bytes().to_vec());
    vec![
        (
            "growing",
            vec![
                word(8, 4),
                word(0x5c, 4),
                word(0x64, 5),
                long(0x68, 9216),
                word(0x70, 1),
                word(0x74, 2),
                word(0x78, 128),
            ],
        ),
        (
            "shrinking",
            vec![
                word(8, 4),
                word(0x5c, 2),
                word(0x64, 5),
                long(0x68, 9216),
                minus(0x70, -1),
                word(0x74, 2),
                word(0x78, 128),
            ],
        ),
        (
            "layout and chunk",
            vec![
                word(8, 0x44),
                word(0x64, 5),
                long(0x68, 9216),
                word(0x74, 0),
                word(0x78, 256),
                minus(0x7c, -512),
            ],
        ),
        ("recovering", vec![word(8, 2), long(0x98, 1024)]),
        ("spare", vec![word(0xa0, 3)]),
        ("failed", vec![half(0x100, 0xfffe)]),
        ("dirty", vec![long(0xd0, 2048)]),
        ("bad blocks", vec![word(8, 8)]),
        ("journal", vec![word(8, 0x200), word(0xa0, 3), half(0x106, 0xfffd)]),
        ("replacement", vec![word(8, 0x12), word(0xa0, 3), half(0x106, 0), long(0x98, 512)]),
        ("partial parity log", vec![word(8, 0x800), half(0x60, 8), half(0x62, 2040)]),
    ]
}

#[test]
fn mdadm_and_we_say_the_same_of_superblocks_in_every_state() {
    let Some(set) = Fixture::open("md12-raid5-ls-3") else { return };
    let image = set.path("edited.img");
    for (name, edits) in raid5_cases() {
        let edits: Vec<_> = edits.iter().map(|(at, bytes)| (*at, bytes.as_slice())).collect();
        edited(&set.disks[0], &image, &edits);
        let text = mdadm(&["--examine"], &image);
        let compared = compare(&image, &pairs(&text));
        assert!(compared >= 18, "{name}: only {compared} lines compared:\n{text}");
        assert!(Ours::of(&image).sound, "{name}");
    }
}

#[test]
fn a_shrinking_array_runs_backwards() {
    let Some(set) = Fixture::open("md12-raid5-ls-3") else { return };
    let image = set.path("edited.img");
    let case = raid5_cases().into_iter().find(|(name, _)| *name == "shrinking").unwrap();
    let edits: Vec<_> = case.1.iter().map(|(at, bytes)| (*at, bytes.as_slice())).collect();
    edited(&set.disks[0], &image, &edits);
    let ours = Ours::of(&image);
    assert_eq!(ours.volume().reshape.as_ref().unwrap().direction, Direction::Backward);
    assert_eq!(ours.volume().slots.len(), 3);
}

#[test]
fn mdadm_and_we_have_the_same_names_for_layouts() {
    let sets = [
        ("md12-raid10-n2-4", Level::Raid10, vec![0x102, 0x201, 0x1_0201, 0x103]),
        ("md12-raid6-ls-5", Level::Raid6, vec![0, 1, 2, 3, 4, 5, 8, 9, 10, 16, 17, 18, 19, 20]),
        ("md12-raid5-ls-3", Level::Raid5, vec![0, 1, 2, 3, 4, 5]),
    ];
    for (name, level, layouts) in sets {
        let Some(set) = Fixture::open(name) else { return };
        let image = set.path("edited.img");
        for number in layouts {
            let word = u32::to_le_bytes(number);
            edited(&set.disks[0], &image, &[(0x4c, &word)]);
            let text = mdadm(&["--examine"], &image);
            let theirs = pairs(&text);
            let geometry = Ours::of(&image).volume().geometry.unwrap();
            assert_eq!(geometry.level, level);
            let ours = geometry.layout.unwrap();
            let unlike = matches!(ours, Layout::Parity(layout) if layout.md() >= 4);
            if !unlike {
                assert_eq!(ours.to_string(), layout_name(&theirs["Layout"]), "{number:#x}");
            }
        }
    }
}

#[test]
fn the_bitmap_is_the_one_that_mdadm_prints() {
    let Some(set) = Fixture::open("md12-raid5-ls-3") else { return };
    let image = set.path("edited.img");
    edited(&set.disks[0], &image, &[(8, &1_u32.to_le_bytes()), (0x60, &8_u32.to_le_bytes())]);
    let mut bytes = fs::read(&image).unwrap();
    let mut bitmap = b"bitm\x04\0\0\0".to_vec();
    bitmap.extend_from_slice(&bytes[4096 + 0x10..4096 + 0x20]);
    for value in [2_u64, 1, 47104] {
        bitmap.extend(value.to_le_bytes());
    }
    for value in [0_u32, 1 << 20, 5, 16, 8, 0] {
        bitmap.extend(value.to_le_bytes());
    }
    bitmap.resize(256, 0);
    // The last bit is behind the last chunk.
    bitmap.extend([0x15, 0x00, 0x80]);
    bitmap.resize(4096, 0xff);
    bytes[16 * 512..24 * 512].copy_from_slice(&bitmap);
    fs::write(&image, bytes).unwrap();
    // mdadm takes a file for the bitmap itself.
    let file = set.path("bitmap");
    fs::write(&file, &bitmap).unwrap();
    let text = mdadm(&["--examine-bitmap"], &file);
    let theirs = pairs(&text);
    let ours = Ours::of(&image);
    let bits = ours.meaning("bitmap.bits");
    assert_eq!(bits, "3 of 23 chunks may be out of step");
    assert!(theirs["Bitmap"].starts_with("23 bits (chunks), 3 dirty"), "{text}");
    assert_eq!(theirs["Events"], ours.field("bitmap.events"));
    assert_eq!(theirs["Events Cleared"], ours.field("bitmap.events_cleared"));
    assert_eq!(theirs["UUID"], ours.field("bitmap.uuid"));
    assert_eq!(
        first_number(&theirs["Sync Size"]).to_string(),
        (ours.number("bitmap.sync_size") / 2).to_string()
    );
    assert_eq!(theirs["Chunksize"], "1 MB");
    assert_eq!(
        theirs["Write Mode"],
        format!("Allow write behind, max {}", ours.number("bitmap.write_behind"))
    );
    assert!(ours.metadata.check().is_empty());
    let text = mdadm(&["--examine"], &image);
    assert!(compare(&image, &pairs(&text)) >= 18, "{text}");
}

#[test]
fn the_bad_blocks_are_the_ones_that_mdadm_prints() {
    let Some(set) = Fixture::open("md12-raid5-ls-3") else { return };
    let image = set.path("edited.img");
    edited(&set.disks[0], &image, &[(8, &8_u32.to_le_bytes())]);
    let mut bytes = fs::read(&image).unwrap();
    bytes[24 * 512..32 * 512].fill(0xff);
    for (index, (start, length)) in [(3000_u64, 8_u64), (9000, 20)].into_iter().enumerate() {
        let at = 24 * 512 + index * 8;
        bytes[at..at + 8].copy_from_slice(&(start << 10 | length).to_le_bytes());
    }
    fs::write(&image, bytes).unwrap();
    let text = mdadm(&["--examine-badblocks"], &image);
    let listed: Vec<String> = text.lines().skip(1).map(|line| line.trim().to_owned()).collect();
    let ours = Ours::of(&image);
    let bad = &ours.volume().own.as_ref().unwrap().bad_sectors;
    let said: Vec<String> = bad
        .iter()
        .map(|range| format!("{} for {} sectors", range.start_sectors.0 + 2048, range.length_sectors))
        .collect();
    assert_eq!(said, listed);
}

#[test]
fn a_big_endian_090_superblock_says_what_mdadm_says_of_it() {
    let Some(set) = Fixture::open("md090-raid5-4") else { return };
    let image = set.path("swapped.img");
    let mut bytes = fs::read(&set.disks[1]).unwrap();
    let sector = ((bytes.len() as u64 / 512) & !127) - 128;
    let at = usize::try_from(sector * 512).unwrap();
    let superblock = &mut bytes[at..at + 4096];
    for first in [39, 41, 44] {
        let (low, high) = superblock[first * 4..first * 4 + 8].split_at_mut(4);
        low.swap_with_slice(high);
    }
    superblock.chunks_exact_mut(4).for_each(<[u8]>::reverse);
    fs::write(&image, bytes).unwrap();
    let text = mdadm(&["--examine", "-e", "0.swap"], &image);
    // mdadm swaps in memory, and says so by a version that is on no disk.
    let mut theirs = pairs(&text);
    theirs.remove("Version");
    assert!(compare(&image, &theirs) >= 15, "{text}");
    let codes: Vec<String> =
        Ours::of(&image).metadata.check().into_iter().map(|problem| problem.code).collect();
    assert_eq!(codes, ["byte-order"]);
}

#[test]
fn a_wrong_checksum_is_expected_to_be_the_same_by_both() {
    let Some(set) = Fixture::open("md12-raid5-ls-3") else { return };
    let image = set.path("edited.img");
    let mut bytes = fs::read(&set.disks[2]).unwrap();
    bytes[4096 + 0xd8..4096 + 0xdc].copy_from_slice(&[1, 2, 3, 4]);
    fs::write(&image, bytes).unwrap();
    let text = mdadm(&["--examine"], &image);
    assert!(compare(&image, &pairs(&text)) >= 18, "{text}");
    assert!(!Ours::of(&image).sound);
}
