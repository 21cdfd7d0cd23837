//! What the tests of all vendors' formats do alike.

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a test that panics has failed")]

use crate::device::{Device, SimDisk};
use crate::format::create::NewSet;
use crate::format::{Format, Found, Metadata};
use crate::geometry::Level;
use crate::group::group;
use crate::identify::identify;
use crate::record::{ArrayRecord, ChecksumState, Health, MemberState, Problem};
use crate::units::{Bytes, ChunkSectors, Sectors};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Sectors of a disk of the examples: an odd number, and no whole number of chunks.
pub(crate) const DISK: u64 = 2_097_152 + 77;

/// A disk of the examples that holds these bytes.
pub(crate) fn disk_with(number: usize, sectors: u64, parts: &[(Bytes, &[u8])]) -> Device {
    let disk = SimDisk::new(Bytes(sectors * 512));
    for (offset, bytes) in parts {
        disk.load(*offset, bytes);
    }
    let path = format!("disk{number}.img");
    Device::whole(Path::new(&path), Arc::new(disk)).with_serial(Some(format!("SERIAL{number:04}")))
}

/// So many blank disks of that size.
pub(crate) fn blank(disks: usize, sectors: u64) -> Vec<Device> {
    (0..disks).map(|number| disk_with(number, sectors, &[])).collect()
}

/// What is asked for: a set of so many disks of [`DISK`] sectors, in step; the format's own chunk if none.
pub(crate) fn wanted(level: Level, disks: usize, chunk: Option<u32>) -> NewSet {
    NewSet {
        chunk: chunk.and_then(ChunkSectors::new),
        identity: *b"0123456789abcdef",
        now: 1_700_000_000,
        in_sync: true,
        ..NewSet::new(level, "data1", blank(disks, DISK))
    }
}

/// The disks (and then the spares) after the set was written to them.
pub(crate) fn created(format: &dyn Format, set: &NewSet) -> Vec<Device> {
    let members = format.create(set).unwrap();
    let again = format.create(set).unwrap();
    let disks: Vec<&Device> = set.disks.iter().chain(&set.spares).collect();
    assert_eq!(members.len(), disks.len());
    let written =
        members.iter().zip(again).zip(disks).enumerate().map(|(number, ((member, again), disk))| {
            assert_eq!(member.areas, again.areas, "the same request gives the same bytes");
            let parts: Vec<_> =
                member.areas.iter().map(|area| (area.offset, area.bytes.as_slice())).collect();
            disk_with(number, disk.length_sectors().0, &parts)
        });
    written.collect()
}

/// The only find on the device.
pub(crate) fn find(format: &dyn Format, device: &Device) -> Option<Found> {
    let mut found = format.find(device).unwrap();
    assert!(found.len() <= 1, "{found:?}");
    found.pop()
}

/// The metadata of the device, which is sound.
pub(crate) fn metadata(format: &dyn Format, device: &Device) -> Box<dyn Metadata> {
    let found = find(format, device).expect("metadata");
    assert_eq!(found.problems, []);
    found.metadata.unwrap()
}

/// The device with all changed of its metadata that `change` changes, checksums right again if `sealed`.
pub(crate) fn changed(
    format: &dyn Format,
    device: &Device,
    sealed: bool,
    change: impl Fn(&mut [u8]),
) -> Device {
    let metadata = metadata(format, device);
    let mut areas = metadata.areas();
    areas.iter_mut().for_each(|area| change(&mut area.bytes));
    if sealed {
        metadata.seal(&mut areas);
    }
    let parts: Vec<_> = areas.iter().map(|area| (area.offset, area.bytes.as_slice())).collect();
    let number = device
        .path_text()
        .chars()
        .filter_map(|char| char.to_digit(10))
        .fold(0, |all, digit| all * 10 + digit as usize);
    disk_with(number, device.length_sectors().0, &parts)
}

/// The arrays that the devices add up to.
pub(crate) fn assembled(format: &'static dyn Format, devices: &[Device]) -> Vec<ArrayRecord> {
    let mut members: Vec<_> =
        devices.iter().flat_map(|device| identify(device, &[format]).unwrap()).collect();
    group(&mut members, false)
}

/// The only array that the devices add up to.
pub(crate) fn array(format: &'static dyn Format, devices: &[Device]) -> ArrayRecord {
    let mut arrays = assembled(format, devices);
    assert_eq!(arrays.len(), 1, "{arrays:?}");
    arrays.remove(0)
}

/// The codes of problems.
pub(crate) fn codes(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|problem| problem.code.as_str()).collect()
}

/// What the areas hold is what is on the device; the fields cover every byte once, in order, with unique names.
pub(crate) fn assert_identity(device: &Device, metadata: &dyn Metadata) {
    let fields = metadata.fields();
    let mut next = fields.iter();
    for area in metadata.areas() {
        let on_disk = device.read(area.offset, area.bytes.len()).unwrap();
        assert!(on_disk.as_ref() == Some(&area.bytes), "{} differs", area.role);
        let mut at = area.offset.0;
        let end = at + area.bytes.len() as u64;
        while at < end {
            let field = next.next().unwrap_or_else(|| panic!("byte {at} has no field"));
            assert_eq!(field.offset.0, at, "{}", field.name);
            at += u64::from(field.size);
        }
        assert_eq!(at, end, "{}", area.role);
    }
    assert!(next.next().is_none());
    let mut names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), fields.len(), "names are unique");
}

/// Flips every byte of the metadata in turn: it is not found any more, or has a problem, or a field differs; and what
/// is found still round-trips. Bytes under a checksum always give an error.
pub(crate) fn assert_every_byte_counts(format: &dyn Format, device: &Device) {
    let whole = metadata(format, device);
    let (areas, fields) = (whole.areas(), whole.fields());
    for (index, area) in areas.iter().enumerate() {
        for at in 0..area.bytes.len() {
            let mut areas = areas.clone();
            areas[index].bytes[at] ^= 0xa5;
            let parts: Vec<_> = areas.iter().map(|area| (area.offset, area.bytes.as_slice())).collect();
            let flipped = disk_with(0, device.length_sectors().0, &parts);
            for found in format.find(&flipped).unwrap() {
                let Some(metadata) = found.metadata else {
                    assert!(!found.problems.is_empty(), "byte {at} of {}", area.role);
                    continue;
                };
                assert_identity(&flipped, metadata.as_ref());
                metadata.check();
                metadata.view(&flipped);
                let is_seen = !found.problems.is_empty() || metadata.fields() != fields;
                assert!(is_seen, "byte {at} of {}", area.role);
            }
        }
    }
}

/// Random bytes in place of the metadata, with its checksums right: no panic, and what is found round-trips.
pub(crate) fn assert_noise_is_harmless(format: &dyn Format, device: &Device, at: usize, noise: &[u8]) {
    let noisy = changed(format, device, true, |bytes| {
        for (byte, noise) in bytes.iter_mut().skip(at).zip(noise) {
            *byte = *noise;
        }
    });
    for found in format.find(&noisy).unwrap() {
        if let Some(metadata) = found.metadata {
            assert_identity(&noisy, metadata.as_ref());
            metadata.check();
            metadata.view(&noisy);
        }
    }
    assembled_anyhow(format, &noisy);
}

fn assembled_anyhow(format: &dyn Format, device: &Device) {
    if let Some(format) = crate::format::by_name(format.name()) {
        assembled(format, std::slice::from_ref(device));
    }
}

/// A new set of that level is found on its disks, whole, in order, without a problem; in any order of the disks;
/// and it is degraded, or failed, without one. Gives the array.
pub(crate) fn assert_set_works(format: &'static dyn Format, set: &NewSet) -> ArrayRecord {
    let devices = created(format, set);
    for device in &devices {
        let metadata = metadata(format, device);
        assert_identity(device, metadata.as_ref());
        assert_eq!(metadata.check(), [], "{}", device.label());
        assert!(metadata.areas().iter().all(|area| area.checksum != ChecksumState::Bad));
        let mut areas = metadata.areas();
        metadata.seal(&mut areas);
        assert_eq!(areas, metadata.areas(), "sealing what is sealed changes nothing");
    }
    let whole = array(format, &devices);
    assert_eq!((whole.health, &whole.problems), (Health::Optimal, &Vec::new()));
    assert_eq!((whole.level, whole.slots as usize), (set.level, set.disks.len()));
    for (slot, member) in whole.members.iter().enumerate() {
        assert_eq!(member.device, Some(format!("disk{slot}.img")));
        assert_eq!(member.state, MemberState::InSync);
        let end = member.offset_sectors.unwrap().0 + member.length_sectors.unwrap().0;
        assert!(end <= devices[slot].length_sectors().0);
    }
    let backwards: Vec<_> = devices.iter().rev().cloned().collect();
    assert_eq!(array(format, &backwards).members, whole.members);
    for missing in 0..set.disks.len() {
        let mut rest = devices.clone();
        rest.remove(missing);
        let Some(degraded) = assembled(format, &rest).pop() else { continue };
        let lost = matches!(set.level, Level::Linear | Level::Raid0) || set.disks.len() == 1;
        assert_eq!(degraded.health, if lost { Health::Failed } else { Health::Degraded }, "{missing}");
        assert_eq!(degraded.members[missing].state, MemberState::Missing);
        assert_eq!(degraded.name, whole.name);
    }
    whole
}

/// The size that a set of equal members has.
pub(crate) fn capacity(set: &ArrayRecord) -> Sectors {
    let member = set.members[0].length_sectors.unwrap();
    let parts = match set.level {
        Level::Linear => u64::from(set.slots),
        level => super::data_members(level, set.slots),
    };
    Sectors(member.0 * parts)
}

/// `tests/captured/NAME.img.txt`: metadata from a real machine, on a disk as large as the image that was captured.
pub(crate) fn captured(name: &str) -> Device {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/captured"));
    let path = folder.join(format!("{name}.img.txt"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let number = |word: &str| match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).unwrap(),
        None => word.parse().unwrap(),
    };
    let mut disk = None;
    for line in text.lines() {
        let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            ["size", size] => disk = Some(SimDisk::new(Bytes(number(size)))),
            ["hex", at, bytes] => {
                disk.as_ref().unwrap().load(Bytes(number(at)), &hex::decode(bytes).unwrap());
            }
            ["fill", at, length, word] => {
                let word = u32::try_from(number(word)).unwrap().to_le_bytes();
                let bytes: Vec<u8> =
                    word.into_iter().cycle().take(usize::try_from(number(length)).unwrap()).collect();
                disk.as_ref().unwrap().load(Bytes(number(at)), &bytes);
            }
            other => panic!("{}: {other:?}", path.display()),
        }
    }
    Device::whole(Path::new(&format!("{name}.img")), Arc::new(disk.unwrap()))
}

/// A device of any size that ends with this sector is looked at without harm, and its metadata said to be of a larger disk.
pub(crate) fn assert_small_devices_are_harmless(format: &dyn Format, sector: &[u8]) {
    for size in [0, 1, 511, 512, 513, 1024, 4096] {
        let last = (size / 512_u64).checked_sub(1);
        let disk = SimDisk::new(Bytes(size));
        last.iter().for_each(|last| disk.load(Bytes(last * 512), sector));
        let device = Device::whole(Path::new("small.img"), Arc::new(disk));
        let found = find(format, &device);
        assert_eq!(found.is_some(), last.is_some(), "{size}");
        let problems = found.map(|found| found.metadata.unwrap().check());
        problems.iter().for_each(|problems| assert_eq!(codes(problems), ["device-too-small"]));
    }
}

/// A disk of [`DISK`] sectors that ends with this sector is found inside of a larger file.
pub(crate) fn assert_found_in_a_larger_file(format: &dyn Format, sector: &[u8]) {
    for start in [0_u64, 2048] {
        let disk = SimDisk::new(Bytes((start + DISK + 100) * 512));
        let at = Bytes((start + DISK - 1) * 512);
        disk.load(at, sector);
        let disk = Device::whole(Path::new("large.img"), Arc::new(disk));
        let windows = format.windows(&disk, at).unwrap();
        let begins: Vec<u64> = windows.iter().map(|window| window.offset.0 / 512).collect();
        assert!(begins.contains(&start), "{begins:?}");
        for window in windows {
            assert!(find(format, &disk.window(window.offset, window.length).unwrap()).is_some());
        }
    }
}
