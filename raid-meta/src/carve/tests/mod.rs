//! What a search finds, what it leaves out, and when it stops.

mod toy;

use super::*;
use crate::device::SimDisk;
use crate::probe::{Options, Probe, probe_deep};
use crate::record::Health;
use crate::units::SectorSize;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use toy::{Toy, ToyFormat};

static TOY: ToyFormat = ToyFormat;

/// A disk of that many sectors with metadata in some of them.
fn disk(name: &str, sectors: u64, toys: &[(u64, Toy)]) -> Device {
    let disk = SimDisk::new(Bytes(sectors * 512));
    for (sector, toy) in toys {
        disk.load(Bytes(sector * 512), &toy.encode());
    }
    Device::whole(Path::new(name), Arc::new(disk))
}

fn probe(devices: impl IntoIterator<Item = Device>) -> Probe {
    let options = Options { formats: vec![&TOY], ..Options::default() };
    let serial = |_: &Device, at: Bytes| (at == Bytes(4096)).then(|| "own".to_owned());
    probe_deep(devices, &options, &mut Watch { progress: &mut |_, _| {}, serial: &serial })
}

/// Start and length of the windows of all members, in sectors.
fn windows(found: &Probe) -> Vec<(u64, u64)> {
    let sectors = |member: &Member| (member.device.offset_sectors().0, member.device.length_sectors().0);
    found.members.iter().map(sectors).collect()
}

fn codes(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|problem| problem.code.as_str()).collect()
}

#[test]
fn metadata_anywhere_is_found_in_the_window_that_it_describes() {
    let found = probe([disk("a", 1000, &[(100, Toy::new(1, 0)), (515, Toy::new(1, 1))])]);
    assert_eq!(windows(&found), [(85, 16), (500, 16)]);
    assert!(found.members.iter().all(|member| member.carved && codes(&member.problems) == ["carved"]));
    assert_eq!(found.arrays.len(), 1);
    assert_eq!(found.arrays[0].health, Health::Optimal);
    assert_eq!(codes(&found.arrays[0].problems), ["carved"]);
}

#[test]
fn metadata_where_it_belongs_is_reported_once_and_is_no_find_of_the_search() {
    let found = probe([disk("a", 16, &[(15, Toy::new(1, 0))])]);
    assert_eq!(windows(&found), [(0, 16)]);
    assert_eq!(found.members[0].problems, []);
}

#[test]
fn metadata_that_fits_another_window_than_that_where_it_was_found_says_so() {
    let found = probe([disk("a", 100, &[(99, Toy::new(1, 0))])]);
    assert_eq!(windows(&found), [(0, 100)]);
    assert_eq!(codes(&found.members[0].problems), ["window-uncertain"]);
    assert!(found.members[0].problems[0].message.contains("@43008+8192"), "{:?}", found.members[0].problems);
}

#[test]
fn damaged_metadata_and_a_signature_alone_are_no_finds() {
    let damaged = Toy { is_sound: false, ..Toy::new(1, 0) };
    let found = probe([disk("a", 1000, &[(100, damaged), (5, Toy::new(1, 1))])]);
    assert_eq!(windows(&found), [], "the second would begin before the disk");
}

#[test]
fn an_older_copy_of_a_member_makes_an_array_of_its_own_that_says_what_it_is() {
    let old = Toy { generation: 1, ..Toy::new(1, 0) };
    let new = |slot| Toy { generation: 2, ..Toy::new(1, slot) };
    let grown = disk("a", 100, &[(15, old), (50, new(0))]);
    let found = probe([grown, disk("b", 16, &[(15, new(1))])]);
    assert_eq!(windows(&found), [(0, 16), (35, 16), (0, 16)]);
    let [whole, copy] = found.arrays.as_slice() else { panic!("{:#?}", found.arrays) };
    assert_eq!((whole.name.as_str(), whole.health), ("toy_1", Health::Optimal));
    assert_eq!(copy.health, Health::Degraded);
    assert_ne!(whole.name, copy.name);
    assert!(codes(&copy.problems).contains(&"duplicate-member"), "{:?}", copy.problems);
    assert_eq!(codes(&whole.problems), ["carved"]);
}

#[test]
fn two_copies_of_a_set_in_one_file_make_two_arrays() {
    let member = |at, slot| (at, Toy::new(1, slot));
    let found = probe([disk("a", 200, &[member(20, 0), member(40, 1), member(60, 0), member(80, 1)])]);
    let slots = |array: &crate::record::ArrayRecord| {
        let offset = |member: &crate::record::ArrayMember| member.device_offset_sectors.unwrap().0;
        array.members.iter().map(offset).collect::<Vec<_>>()
    };
    assert_eq!(found.arrays.iter().map(slots).collect::<Vec<_>>(), [[5, 25], [45, 65]]);
    assert_eq!(found.arrays[1].health, Health::Inconsistent);
}

#[test]
fn a_disk_in_a_disk_has_a_serial_number_of_its_own() {
    let device = disk("a", 100, &[(15, Toy::new(1, 0)), (23, Toy::new(2, 0)), (63, Toy::new(3, 0))]);
    let found = probe([device.with_serial(Some("outer".into()))]);
    let serials: Vec<_> = found.members.iter().map(|member| member.device.serial()).collect();
    assert_eq!(serials, [Some("outer"), Some("own"), None]);
}

#[test]
fn a_partition_that_is_a_device_of_its_own_is_searched_with_its_disk_and_reported_once() {
    let whole = disk("sda", 100, &[(35, Toy::new(1, 0)), (70, Toy::new(1, 1))]).undivided();
    let part = disk("sda1", 16, &[(15, Toy::new(1, 0))]).undivided();
    let found = probe([whole, part.with_disk("sda".into(), Bytes(20 * 512))]);
    let labels: Vec<String> = found.members.iter().map(|member| member.device.label()).collect();
    assert_eq!(labels, ["sda@28160", "sda1"]);
    assert_eq!(found.arrays[0].health, Health::Optimal);
}

#[test]
fn a_device_full_of_signatures_is_given_up_and_that_is_said() {
    let false_alarm = Toy { is_sound: false, ..Toy::new(1, 0) }.encode().repeat(4096);
    let disk = SimDisk::new(Bytes(4096 * 512));
    disk.load(Bytes(0), &false_alarm);
    let found = probe([Device::whole(Path::new("a"), Arc::new(disk))]);
    assert!(found.members.iter().all(|member| !member.carved));
    assert_eq!(codes(&found.incomplete), ["carve-limit"]);
}

#[test]
fn a_device_full_of_members_is_given_up_and_that_is_said() {
    let members = Toy { sectors: 1, ..Toy::new(1, 0) }.encode().repeat(2000);
    let disk = SimDisk::new(Bytes(2000 * 512));
    disk.load(Bytes(0), &members);
    let found = probe([Device::whole(Path::new("a"), Arc::new(disk))]);
    assert!(found.members.len() <= MAX_MEMBERS + 1, "{}", found.members.len());
    assert_eq!(codes(&found.incomplete), ["carve-full"]);
}

/// A disk of which some sectors can not be read, and whose rest is a hole.
struct Hurt {
    disk: SimDisk,
    broken: std::ops::Range<u64>,
    reads: Mutex<Vec<(u64, usize)>>,
}

impl ReadAt for Hurt {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads.lock().unwrap().push((offset.0, buffer.len()));
        let end = offset.0 + buffer.len() as u64;
        if offset.0 < self.broken.end && self.broken.start < end {
            return Err(io::Error::other("broken"));
        }
        self.disk.read_at(offset, buffer)
    }

    fn next_data(&self, offset: Bytes) -> io::Result<Option<(Bytes, Bytes)>> {
        let data = [(1 << 20, 2 << 20), ((8 << 20) + 100, (8 << 20) + 700)];
        let next = data.into_iter().find(|(_, end)| offset.0 < *end);
        Ok(next.map(|(start, end)| (Bytes(offset.0.max(start)), Bytes(end))))
    }

    fn size(&self) -> Bytes {
        self.disk.size()
    }

    fn sector_size(&self) -> SectorSize {
        SectorSize::B512
    }
}

#[test]
fn what_can_not_be_read_costs_no_more_than_itself_and_is_told_once() {
    let toys = [((1 << 11) + 100, Toy::new(1, 0)), ((8 << 11) + 1, Toy::new(1, 1))];
    let inner = SimDisk::new(Bytes(16 << 20));
    for (sector, toy) in toys {
        inner.load(Bytes(sector * 512), &toy.encode());
    }
    let broken = (1 << 20) + 65536..(1 << 20) + 65536 + 20000;
    let hurt = Arc::new(Hurt { disk: inner, broken, reads: Mutex::default() });
    let found = probe([Device::whole(Path::new("a"), Arc::clone(&hurt) as Arc<dyn ReadAt>)]);
    assert_eq!(found.members.len(), 2);
    let [error] = found.errors.as_slice() else { panic!("{:?}", found.errors) };
    assert_eq!((error.offset, error.length), (Bytes((1 << 20) + 65536), Bytes(20480)));
    let read: usize = hurt.reads.lock().unwrap().iter().map(|(_, length)| length).sum();
    assert!(read < 2 << 20, "{read} bytes, holes are not read");
}

#[test]
fn progress_goes_up_to_the_end() {
    let mut seen = Vec::new();
    let device = disk("a", 4096, &[]);
    let serial = |_: &Device, _: Bytes| None;
    carve(&device, &[&TOY], &mut [], &mut Watch { progress: &mut |_, at| seen.push(at), serial: &serial });
    assert!(seen.is_sorted());
    assert_eq!(seen.last(), Some(&Bytes(4096 * 512)));
}

#[test]
fn metadata_of_formats_without_signatures_is_not_searched_for() {
    let device = disk("a", 4096, &[]);
    let mut calls = 0;
    let serial = |_: &Device, _: Bytes| None;
    carve(&device, &[], &mut [], &mut Watch { progress: &mut |_, _| calls += 1, serial: &serial });
    assert_eq!(calls, 0);
}
