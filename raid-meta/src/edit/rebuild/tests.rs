//! Sets whose lost disk is replaced, and a stop after every write of it.

use super::*;
use crate::commit::{CommitError, OpenDisk, PlannedDisk, commit, restore};
use crate::device::{PowerCut, SimDisk, SimPower, WriteAt};
use crate::format::by_name;
use crate::format::create::NewSet;
use crate::geometry::Level;
use crate::group::is_contradictory;
use crate::record::{Health, RegionRecord, Role};
use crate::testing::Kept;
use crate::units::Bytes;
use std::path::Path;
use std::sync::Arc;

const DISK: u64 = 131_072 * 512;
const NOW: u64 = 1_800_000_000;
/// Number of the new disk: no set has as many.
const NEW: usize = 9;

struct Bench {
    format: &'static dyn Format,
    power: SimPower,
    disks: Vec<(usize, SimDisk)>,
}

impl OpenDisk for Bench {
    fn open(&self, disk: &PlannedDisk) -> Result<Arc<dyn WriteAt>, CommitError> {
        let number = disk.name.strip_prefix("disk").unwrap().parse().unwrap();
        Ok(Arc::new(self.disk(number).clone()))
    }
}

/// Format, version, level, disks, whether with a bitmap.
type Set = (&'static str, Option<&'static str>, Level, usize, bool);

impl Bench {
    fn new(set: Set) -> Self {
        let (format, _, _, count, _) = set;
        let power = SimPower::new();
        let numbers = (0..count).chain([NEW]);
        let disks = numbers.map(|number| (number, SimDisk::new(Bytes(DISK)).on(&power))).collect();
        let bench = Self { format: by_name(format).unwrap(), power, disks };
        bench.add("one", set);
        bench
    }

    fn add(&self, name: &str, (_, version, level, count, bitmap): Set) {
        let disks = (0..count).map(|number| self.device(number)).collect();
        let set = NewSet { identity: [7; 16], now: NOW, in_sync: true, ..NewSet::new(level, name, disks) };
        let size = (self.format.name() == "isw").then_some(Sectors(24_576));
        let set = NewSet { size, version: version.map(str::to_owned), bitmap, ..set };
        for (number, member) in self.format.create(&set).unwrap().iter().enumerate() {
            member.areas.iter().for_each(|area| self.disk(number).load(area.offset, &area.bytes));
        }
    }

    fn disk(&self, number: usize) -> &SimDisk {
        &self.disks.iter().find(|(other, _)| *other == number).unwrap().1
    }

    fn device(&self, number: usize) -> Device {
        let path = format!("disk{number}");
        Device::whole(Path::new(&path), Arc::new(self.disk(number).clone()))
            .with_serial(Some(format!("SERIAL{number}")))
    }

    fn probe(&self, disks: &[usize]) -> Probe {
        probe(disks.iter().map(|&number| self.device(number)), &Options::default())
    }

    fn array(&self, disks: &[usize]) -> ArrayRecord {
        let arrays = self.probe(disks).arrays;
        arrays.into_iter().find(|array| array.volume.as_deref().is_none_or(|name| name == "one")).unwrap()
    }

    fn replacement(&self, left: &[usize], slot: usize) -> Replacement {
        Replacement {
            volume: self.array(left).uuid.unwrap(),
            slot: Slot(u32::try_from(slot).unwrap()),
            members: left.iter().map(|&number| self.device(number)).collect(),
            target: self.device(NEW),
            identity: [9; 16],
            now: NOW + 60,
        }
    }

    fn plan(&self, left: &[usize], slot: usize) -> Rebuild {
        rebuild(self.format, &self.replacement(left, slot), false).unwrap()
    }

    /// The machine after a power cut.
    fn after(&self, cut: PowerCut) -> Self {
        let power = SimPower::new();
        let disks = self.disks.iter().map(|(number, disk)| (*number, disk.power_cut(cut).on(&power)));
        Self { format: self.format, disks: disks.collect(), power }
    }

    fn undo(&self, regions: &[RegionRecord]) {
        let mut plan = Plan::default();
        for region in regions {
            let number = region.device.strip_prefix("disk").unwrap().parse().unwrap();
            restore(&mut plan, &self.device(number), region).unwrap();
        }
        commit(&plan, self, &mut Kept::default()).unwrap();
    }
}

const SETS: [Set; 42] = [
    ("md", Some("1.2"), Level::Raid1, 2, false),
    ("md", Some("1.2"), Level::Raid1, 2, true),
    ("md", Some("1.0"), Level::Raid5, 3, false),
    ("md", Some("1.0"), Level::Raid5, 3, true),
    ("md", Some("1.1"), Level::Raid6, 5, true),
    ("md", Some("1.1"), Level::Raid4, 3, false),
    ("md", Some("1.2"), Level::Raid10, 4, true),
    ("md", Some("1.2"), Level::Raid6, 4, false),
    ("isw", None, Level::Raid1, 2, false),
    ("md", Some("0.90"), Level::Raid1, 2, true),
    ("md", Some("0.90"), Level::Raid5, 4, false),
    ("md", Some("0.90"), Level::Raid6, 4, true),
    ("isw", None, Level::Raid5, 3, false),
    ("isw", None, Level::Raid5, 4, false),
    ("isw", None, Level::Raid10, 4, false),
    ("isw", None, Level::Raid10, 6, false),
    ("ddf", None, Level::Raid1, 2, false),
    ("ddf", None, Level::Raid5, 3, false),
    ("ddf", None, Level::Raid6, 4, false),
    ("ddf", None, Level::Raid10, 4, false),
    ("ddf", None, Level::Raid10, 3, false),
    ("ddf", Some("02.00.00"), Level::Raid1, 2, false),
    ("lsi", None, Level::Raid1, 2, false),
    ("lsi", None, Level::Raid10, 6, false),
    ("nvidia", None, Level::Raid1, 2, false),
    ("nvidia", None, Level::Raid5, 3, false),
    ("nvidia", None, Level::Raid10, 4, false),
    ("via", None, Level::Raid1, 2, false),
    ("via", None, Level::Raid10, 6, false),
    ("jmicron", None, Level::Raid5, 3, false),
    ("jmicron", None, Level::Raid10, 4, false),
    ("hpt45x", None, Level::Raid1, 2, false),
    ("hpt45x", None, Level::Raid10, 6, false),
    ("hpt37x", None, Level::Raid1, 2, false),
    ("hpt37x", None, Level::Raid10, 6, false),
    ("sil", None, Level::Raid1, 3, false),
    ("sil", None, Level::Raid5, 3, false),
    ("sil", None, Level::Raid10, 4, false),
    ("pdc", None, Level::Raid1, 2, false),
    ("pdc", None, Level::Raid10, 6, false),
    ("asr", None, Level::Raid1, 2, false),
    ("asr", None, Level::Raid10, 6, false),
];

/// Whether an old disk of the slot is told from the new one: in formats that count what they write, if only one disk has
/// to be written beside it.
fn is_told(set: Set) -> bool {
    match set.0 {
        "md" | "isw" | "ddf" => true,
        "pdc" | "asr" => set.3 == 2,
        _ => false,
    }
}

/// The disks without one of them.
fn without(count: usize, lost: usize) -> Vec<usize> {
    (0..count).filter(|&number| number != lost).collect()
}

/// Every set with every disk lost.
fn each(mut check: impl FnMut(Set, usize)) {
    for set in SETS {
        (0..set.3).for_each(|lost| check(set, lost));
    }
}

#[test]
fn the_new_disk_is_in_the_slot_and_the_set_is_whole() {
    each(|set, lost| {
        let bench = Bench::new(set);
        let whole = bench.array(&without(set.3, NEW));
        let known: Vec<Problem> = bench
            .probe(&without(set.3, NEW))
            .members
            .into_iter()
            .flat_map(|member| member.problems)
            .collect();
        let left = without(set.3, lost);
        let rebuild = bench.plan(&left, lost);
        commit(&rebuild.metadata, &bench, &mut Kept::default()).unwrap();
        let with_new = [left.clone(), vec![NEW]].concat();
        let array = bench.array(&with_new);
        assert_eq!(array.health, Health::Optimal, "{set:?} {lost}: {:?}", array.problems);
        assert_eq!(rebuild.arrays, std::slice::from_ref(&array));
        let [part] = rebuild.parts.as_slice() else { panic!("{:?}", rebuild.parts) };
        let old = &whole.members[lost];
        assert_eq!((Some(part.offset), Some(part.length)), (old.offset_sectors, old.length_sectors));
        for member in bench.probe(&with_new).members {
            let is_new = |problem: &&Problem| !known.contains(problem);
            assert_eq!(member.problems.iter().find(is_new), None, "{set:?} {lost}");
            assert_eq!(member.view.unwrap().role, Role::Active);
        }
    });
}

#[test]
fn a_disk_that_was_replaced_is_not_believed_when_it_comes_back() {
    each(|set, lost| {
        let bench = Bench::new(set);
        let left = without(set.3, lost);
        commit(&bench.plan(&left, lost).metadata, &bench, &mut Kept::default()).unwrap();
        let all: Vec<usize> = (0..set.3).chain([NEW]).collect();
        let array = bench.array(&all);
        if !is_told(set) {
            assert!(is_contradictory(&array), "{set:?} {lost}: {:?}", array.problems);
            return;
        }
        assert_eq!(array.members[lost].device.as_deref(), Some("disk9"), "{set:?} {lost}");
        assert!(array.members.iter().all(|member| member.state == MemberState::InSync), "{set:?} {lost}");
    });
}

/// A stop after that write, of the next of which `torn` bytes were written.
fn stop(set: Set, lost: usize, done: u64, torn: u64, cut: PowerCut) {
    let left = without(set.3, lost);
    let bench = Bench::new(set);
    let plan = bench.plan(&left, lost).metadata;
    bench.power.tear_after(done, Bytes(torn));
    let mut kept = Kept::default();
    assert!(commit(&plan, &bench, &mut kept).is_err(), "{set:?} {done}");
    let bench = bench.after(cut);
    let array = bench.array(&[left.clone(), vec![NEW]].concat());
    let usable = array.members.iter().filter(|member| member.state == MemberState::InSync);
    assert!(
        usable.count() + 1 >= set.3 && array.health != Health::Failed,
        "{set:?} {lost} {done} {torn} {cut:?}: {:?}",
        array.problems
    );
    bench.undo(&kept.0);
    let states: Vec<MemberState> = bench.array(&left).members.iter().map(|member| member.state).collect();
    let expected = |slot| if slot == lost { MemberState::Missing } else { MemberState::InSync };
    assert_eq!(states, (0..set.3).map(expected).collect::<Vec<_>>());
}

#[test]
fn a_stop_after_any_write_leaves_the_old_set_or_the_new_one() {
    // The full count takes minutes.
    let is_long = std::env::var_os("RAID_TESTS_LONG").is_some_and(|value| value == "1");
    each(|set, lost| {
        if !is_long && (lost > 0 || set.3 > 4) {
            return;
        }
        let writes = Bench::new(set).plan(&without(set.3, lost), lost).metadata.changes().len() as u64;
        let step = if is_long || writes < 40 { 1 } else { 5 };
        for done in (0..=writes).step_by(step) {
            for (torn, cut) in [
                (0, PowerCut::LosesAll),
                (512, PowerCut::LosesNothing),
                (512, PowerCut::KeepsSome { seed: done }),
            ] {
                stop(set, lost, done, torn, cut);
            }
        }
    });
}

#[test]
fn a_disk_in_two_volumes_is_replaced_in_both() {
    let set = ("isw", None, Level::Raid1, 2, false);
    let bench = Bench::new(set);
    bench.add("two", set);
    let rebuild = bench.plan(&[0], 1);
    assert_eq!(rebuild.parts.len(), 2);
    commit(&rebuild.metadata, &bench, &mut Kept::default()).unwrap();
    for array in bench.probe(&[0, NEW]).arrays {
        assert_eq!(array.health, Health::Optimal);
    }
}

#[test]
fn of_two_disks_that_are_lost_the_other_one_stays_missing() {
    for set in [SETS[4], SETS[7]] {
        let bench = Bench::new(set);
        let left: Vec<usize> = (2..set.3).collect();
        commit(&bench.plan(&left, 1).metadata, &bench, &mut Kept::default()).unwrap();
        let array = bench.array(&[left, vec![NEW]].concat());
        assert_eq!(
            (array.members[0].state, array.members[1].state),
            (MemberState::Missing, MemberState::InSync)
        );
        assert_eq!(array.health, Health::Degraded);
    }
}

#[test]
fn a_disk_that_is_too_small_or_has_no_serial_is_refused() {
    for set in SETS {
        let bench = Bench::new(set);
        let small = SimDisk::new(Bytes(DISK / 32));
        let device = Device::whole(Path::new("disk9"), Arc::new(small)).with_serial(Some("S".into()));
        let replacement = Replacement { target: device, ..bench.replacement(&without(set.3, 0), 0) };
        let message = rebuild(bench.format, &replacement, false).unwrap_err().to_string();
        assert!(message.contains("has 4096 sectors, expected at least "), "{set:?}: {message}");
    }
    let bench = Bench::new(SETS[8]);
    let target = bench.device(NEW).with_serial(None);
    let replacement = Replacement { target, ..bench.replacement(&[0], 1) };
    let message = rebuild(bench.format, &replacement, false).unwrap_err().to_string();
    assert!(message.contains("slot-unknown"), "{message}");
}

#[test]
fn what_is_on_the_new_disk_is_named_and_taken_away_first() {
    let bench = Bench::new(SETS[0]);
    let other = Bench::new(SETS[2]);
    let old = other.disk(0);
    let mut image = vec![0; usize::try_from(DISK).unwrap()];
    crate::device::ReadAt::read_exact_at(old, Bytes(0), &mut image).unwrap();
    bench.disk(NEW).load(Bytes(0), &image);
    let rebuild = bench.plan(&[0], 1);
    assert_eq!(rebuild.in_the_way.len(), 1, "{:?}", rebuild.in_the_way);
    commit(&rebuild.erasure, &bench, &mut Kept::default()).unwrap();
    assert_eq!(bench.probe(&[NEW]).members.len(), 0);
    commit(&rebuild.metadata, &bench, &mut Kept::default()).unwrap();
    assert_eq!(bench.array(&[0, NEW]).health, Health::Optimal);
}
