//! `raid-repair salvage` onto block devices, from members of which sectors can not be read: what the kernel says, not a map.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

use raid_meta::record::ArrayRecord;
use raid_tests::random::Random;
use raid_tests::salvaged::{Damage, array, assert_true, expected, random_ranges, sectors};
use raid_tests::{Fixture, Vm, long};
use std::fs;
use std::path::{Path, PathBuf};

const SECTOR: usize = 512;
/// What is on the disks before, and stays beyond the array.
const OLD: u8 = 0x5A;

/// The table of a device on `@` of which sectors can not be read.
fn table(unreadable: &[bool]) -> String {
    let mut text = String::new();
    let mut at = 0;
    for run in unreadable.chunk_by(|one, next| one == next) {
        let target = if run[0] { "error".to_owned() } else { format!("linear @ {at}") };
        text += &format!("{at} {} {target}\n", run.len());
        at += run.len();
    }
    text
}

/// A set of which members are damaged, and mended a little.
struct Damaged {
    set: Fixture,
    content: Vec<u8>,
    /// A character for each sector of the array, before and after members are mended.
    expected: [Vec<char>; 2],
}

/// Fails unless a map has as lost what is, and as read as it is nothing that can not be. What can be read may have been computed:
/// a disk is not asked for it sector by sector where redundancy does.
#[track_caller]
fn assert_fits(map: &Path, expected: &[char], what: &str) {
    let found = sectors(map, expected.len() * SECTOR);
    let fits = |(found, expected): (&char, &char)| found == expected || (*found, *expected) == ('r', '+');
    if let Some(sector) = found.iter().zip(expected).position(|pair| !fits(pair)) {
        panic!("{what}: sector {sector}: '{}', expected '{}'", found[sector], expected[sector]);
    }
    let read = found.iter().filter(|state| **state == '+').count();
    assert!(read * 2 > found.len(), "{what}: {read} of {} sectors were read as they are", found.len());
}

impl Damaged {
    fn new(name: &str, random: &mut Random) -> Self {
        let set = Fixture::open(name).unwrap();
        let array = array(&set);
        let content = set.content();
        let expected = Self::damage(&set, &array, random);
        Self { set, content, expected }
    }

    /// Writes the tables of the members, damaged and mended.
    fn damage(set: &Fixture, array: &ArrayRecord, random: &mut Random) -> [Vec<char>; 2] {
        let mut found = [Vec::new(), Vec::new()];
        for (number, member) in array.members.iter().enumerate() {
            let device = member.device.clone().unwrap();
            let start = usize::try_from(member.offset_sectors.unwrap().0).unwrap();
            // The first is the slow one. Two places are lost on the three behind it: the third is mended but for one of them.
            let stays = (start + 9001, 1);
            // At the end of a disk formats are looked for: what is there is no reason not to see this one.
            let length = usize::try_from(member.length_sectors.unwrap().0).unwrap();
            let mut ranges = vec![(start + 301, 3), (start + length - 2, 2)];
            if (1..4).contains(&number) {
                ranges = vec![(start + 4000, 60 + number), stays];
            }
            if number > 0 {
                ranges.extend(random_ranges(random, member));
            }
            let mended = if number == 2 { vec![stays] } else { ranges.clone() };
            let [worse, better] = [ranges, mended].map(|ranges| Damage::of(Path::new(&device), &ranges));
            for (damage, (folder, found)) in
                [worse, better].into_iter().zip(["tables", "mended"].into_iter().zip(&mut found))
            {
                fs::create_dir_all(set.path(folder)).unwrap();
                let disk = set.disks.iter().position(|disk| *disk == Path::new(&device)).unwrap();
                fs::write(set.path(folder).join(disk.to_string()), table(&damage.unreadable)).unwrap();
                found.push((device.clone(), damage));
            }
        }
        found.map(|damages| expected(array, &damages))
    }

    /// A disk that is longer than the array, with something on it.
    fn target(&self, name: &str) -> PathBuf {
        let path = self.set.path(name);
        fs::write(&path, vec![OLD; self.content.len() + (1 << 20)]).unwrap();
        path
    }

    /// Bytes of the blocks of 4 KiB in which something is lost: the kernel writes these.
    fn lost(&self) -> usize {
        self.expected[0].chunks(8).filter(|block| block.contains(&'-')).count() * 8 * SECTOR
    }

    /// A map that the job left.
    fn map(&self, text: &str, name: &str) -> PathBuf {
        let map = text.split("map ").find_map(|part| part.strip_prefix(&format!("{name}.map\n"))).unwrap();
        let path = self.set.path(&format!("{name}.map"));
        fs::write(&path, map).unwrap();
        path
    }

    fn is_salvaged(&self) {
        let name = &self.set.name;
        let (out, killed, content) =
            (self.target("out"), self.target("killed-out"), self.set.path("content"));
        fs::write(&content, &self.content).unwrap();
        let mut vm = Vm::case("salvage").program("raid-repair").seconds(400).arg(self.lost().to_string());
        for (number, disk) in self.set.disks.iter().enumerate() {
            vm = vm.disk_with(disk, &format!(",snapshot,serial=MEMBER{number}"));
        }
        vm = vm.disk_with(&out, ",serial=OUT").disk_with(&killed, ",serial=KILLED");
        vm = vm.disk_with(&content, ",snapshot,serial=CONTENT");
        vm = vm.file(&self.set.path("tables"), "tables").file(&self.set.path("mended"), "mended");
        let text = vm.succeed().text();
        let [before, after] = &self.expected;
        assert_fits(&self.map(&text, "first"), before, &format!("{name}: at first"));
        assert_fits(&self.map(&text, "killed"), after, &format!("{name}: killed"));
        let mended = self.map(&text, "mended");
        // What was computed before stays so.
        assert_fits(&mended, after, &format!("{name}: mended"));
        for (disk, map) in [(&out, &mended), (&killed, &self.map(&text, "killed"))] {
            assert_true(&self.content, disk, map, name);
            let beyond = &fs::read(disk).unwrap()[self.content.len()..];
            assert!(beyond.iter().all(|byte| *byte == OLD), "{name}: {} beyond the array", disk.display());
        }
    }
}

fn is_salvaged(name: &str) {
    let mut random = Random::new(if long() { u64::from(std::process::id()) } else { 3 });
    for _ in 0..if long() { 4 } else { 1 } {
        let damaged = Damaged::new(name, &mut random);
        let [before, after] =
            damaged.expected.each_ref().map(|states| states.iter().filter(|state| **state == '-').count());
        assert!(after > 0 && after < before, "{name}: {before} sectors lost, then {after}");
        damaged.is_salvaged();
    }
}

#[test]
fn a_raid5_with_sectors_that_can_not_be_read_is_salvaged_onto_a_disk() {
    is_salvaged("md12-raid5-ls-3");
}

#[test]
fn a_raid6_with_sectors_that_can_not_be_read_is_salvaged_onto_a_disk() {
    is_salvaged("md12-raid6-ls-5");
}

#[test]
fn a_raid10_with_sectors_that_can_not_be_read_is_salvaged_onto_a_disk() {
    is_salvaged("md12-raid10-n2-4");
}

#[test]
fn a_device_that_is_a_member_or_in_use_or_too_small_is_not_written() {
    let set = Fixture::open("md12-raid5-ls-3").unwrap();
    let blank = set.path("blank");
    fs::write(&blank, vec![0; 48 << 20]).unwrap();
    let vm = Vm::case("salvage_refused").program("raid-repair");
    let vm = set.disks.iter().fold(vm, |vm, disk| vm.disk(disk)).disk(&blank);
    let _ = vm.arg((set.content().len() / SECTOR).to_string()).succeed();
}
