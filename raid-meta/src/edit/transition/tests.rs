//! Sets that are opened and closed, and stopped in the middle of it.

use super::*;
use crate::commit::{CommitError, OpenDisk, PlannedDisk, commit, restore};
use crate::device::{Device, PowerCut, SimDisk, SimPower, WriteAt};
use crate::format::by_name;
use crate::format::create::NewSet;
use crate::geometry::Level;
use crate::probe::{Options, probe};
use crate::record::{ArrayRecord, Health, MemberState, RegionRecord};
use crate::testing::Kept;
use crate::units::{Bytes, Sectors};
use std::path::Path;
use std::sync::Arc;

const DISK: u64 = 131_072 * 512;
const NOW: u64 = 1_800_000_000;

struct Bench {
    format: &'static dyn Format,
    power: SimPower,
    disks: Vec<SimDisk>,
}

impl OpenDisk for Bench {
    fn open(&self, disk: &PlannedDisk) -> Result<Arc<dyn WriteAt>, CommitError> {
        Ok(Arc::new(self.disks[disk.name.strip_prefix("disk").unwrap().parse::<usize>().unwrap()].clone()))
    }
}

impl Bench {
    fn new(format: &str, level: Level, count: usize) -> Self {
        let power = SimPower::new();
        let disks = (0..count).map(|_| SimDisk::new(Bytes(DISK)).on(&power)).collect();
        let bench = Self { format: by_name(format).unwrap(), power, disks };
        bench.add("one", level);
        bench
    }

    /// Adds a volume in step.
    fn add(&self, name: &str, level: Level) {
        let disks = (0..self.disks.len()).map(|index| self.device(index)).collect();
        let set = NewSet { identity: [7; 16], now: NOW, in_sync: true, ..NewSet::new(level, name, disks) };
        let set = NewSet { size: Some(Sectors(12_288)), ..set };
        for (disk, member) in self.disks.iter().zip(self.format.create(&set).unwrap()) {
            member.areas.iter().for_each(|area| disk.load(area.offset, &area.bytes));
        }
    }

    fn device(&self, index: usize) -> Device {
        let device = Device::whole(Path::new(&format!("disk{index}")), Arc::new(self.disks[index].clone()));
        device.with_serial(Some(format!("SERIAL{index}")))
    }

    fn arrays(&self, disks: &[usize]) -> Vec<ArrayRecord> {
        probe(disks.iter().map(|&index| self.device(index)), &Options::default()).arrays
    }

    fn array(&self, disks: &[usize]) -> ArrayRecord {
        self.arrays(disks).into_iter().find(|array| array.volume.as_deref() == Some("one")).unwrap()
    }

    fn all(&self) -> Vec<usize> {
        (0..self.disks.len()).collect()
    }

    /// The plan with these disks there, all in step.
    fn plan(&self, disks: &[usize], to: Transition) -> Plan {
        let present = |&index: &usize| Present { device: self.device(index), in_sync: true };
        let members: Vec<Present> = disks.iter().map(present).collect();
        let uuid = self.array(disks).uuid.unwrap();
        transition(self.format, &uuid, &members, to, NOW).unwrap()
    }

    fn carry_out(&self, disks: &[usize], to: Transition) {
        let plan = self.plan(disks, to);
        assert!(!plan.is_empty());
        commit(&plan, self, &mut Kept::default()).unwrap();
        assert!(self.plan(disks, to).is_empty(), "{to:?} again");
    }

    /// Puts back what was saved.
    fn undo(&self, regions: &[RegionRecord]) {
        let mut plan = Plan::default();
        for region in regions {
            let index = region.device.strip_prefix("disk").unwrap().parse().unwrap();
            restore(&mut plan, &self.device(index), region).unwrap();
        }
        commit(&plan, self, &mut Kept::default()).unwrap();
    }

    /// The machine after a power cut.
    fn after(&self, cut: PowerCut) -> Self {
        let power = SimPower::new();
        let disks = self.disks.iter().map(|disk| disk.power_cut(cut).on(&power)).collect();
        Self { format: self.format, disks, power }
    }
}

const REDUNDANT: [(&str, Level, usize); 9] = [
    ("isw", Level::Raid1, 2),
    ("isw", Level::Raid5, 3),
    ("isw", Level::Raid10, 4),
    ("isw", Level::Raid10, 6),
    ("ddf", Level::Raid1, 2),
    ("ddf", Level::Raid4, 3),
    ("ddf", Level::Raid5, 3),
    ("ddf", Level::Raid6, 4),
    ("ddf", Level::Raid10, 4),
];

/// Health, whether it is dirty, and its members.
type Said = (Health, Option<bool>, Vec<(Option<String>, MemberState)>);

/// What a set says of itself, without what counts its changes.
fn said(array: &ArrayRecord) -> Said {
    let members = array.members.iter().map(|member| (member.device.clone(), member.state));
    (array.health, array.dirty, members.collect())
}

#[test]
fn a_set_is_dirty_while_it_is_open_and_as_before_when_it_is_closed() {
    for (format, level, count) in REDUNDANT {
        let bench = Bench::new(format, level, count);
        let all = bench.all();
        let before = bench.array(&all);
        assert_eq!(before.dirty, Some(false));
        bench.carry_out(&all, Transition::Open);
        assert_eq!(bench.array(&all).dirty, Some(true), "{format} {level}");
        bench.carry_out(&all, Transition::Close);
        assert_eq!(said(&bench.array(&all)), said(&before), "{format} {level}");
    }
}

#[test]
fn a_set_without_redundancy_has_nothing_to_record() {
    for format in ["isw", "ddf"] {
        let bench = Bench::new(format, Level::Raid0, 2);
        assert!(bench.plan(&bench.all(), Transition::Open).is_empty());
        assert!(bench.plan(&bench.all(), Transition::Close).is_empty());
    }
}

#[test]
fn a_member_that_is_missing_when_a_set_is_opened_is_not_believed_when_it_comes_back() {
    for (format, level, count) in REDUNDANT {
        for missing in 0..count {
            let bench = Bench::new(format, level, count);
            let mut left = bench.all();
            left.remove(missing);
            bench.carry_out(&left, Transition::Open);
            bench.carry_out(&left, Transition::Close);
            for disks in [&left, &bench.all()] {
                let array = bench.array(disks);
                let state = array.members[missing].state;
                assert_ne!(state, MemberState::InSync, "{format} {level} {missing}");
                let others = array.members.iter().filter(|member| member.state == MemberState::InSync);
                assert_eq!(others.count(), count - 1, "{format} {level} {missing}");
                assert_eq!((array.health, array.dirty), (Health::Degraded, Some(false)), "{format} {level}");
            }
        }
    }
}

#[test]
fn a_disk_that_fails_in_one_volume_fails_in_the_other() {
    for format in ["isw", "ddf"] {
        let bench = Bench::new(format, Level::Raid1, 2);
        bench.add("two", Level::Raid1);
        assert_eq!(bench.arrays(&[0, 1]).len(), 2);
        bench.carry_out(&[0], Transition::Open);
        for array in bench.arrays(&[0, 1]) {
            assert_eq!(array.health, Health::Degraded, "{format}");
            assert_ne!(array.members[1].state, MemberState::InSync);
            assert_eq!(array.dirty, Some(array.volume.as_deref() == Some("one")));
        }
    }
}

/// A set that is opened or closed without one of its members, or with all.
struct Case {
    made: (&'static str, Level, usize),
    left: Vec<usize>,
    to: Transition,
}

impl Case {
    /// The set as it is before.
    fn ready(&self) -> Bench {
        let (format, level, count) = self.made;
        let bench = Bench::new(format, level, count);
        if self.to == Transition::Close {
            bench.carry_out(&self.left, Transition::Open);
        }
        bench
    }

    fn stop_everywhere(&self) {
        let ready = self.ready();
        let before = said(&ready.array(&self.left));
        let plan = ready.plan(&self.left, self.to);
        let writes = plan.changes().len() as u64;
        let done = ready.after(PowerCut::LosesNothing);
        done.carry_out(&self.left, self.to);
        let wanted = said(&done.array(&self.left));
        for (stop, torn) in (0..writes).flat_map(|stop| [0, 512, 1024].map(|torn| (stop, torn))) {
            let bench = ready.after(PowerCut::LosesNothing);
            let mut undo = Kept::default();
            bench.power.tear_after(stop, Bytes(torn));
            commit(&plan, &bench, &mut undo).unwrap_err();
            for cut in [PowerCut::LosesAll, PowerCut::LosesNothing, PowerCut::KeepsSome { seed: stop }] {
                let after = bench.after(cut);
                let found = said(&after.array(&self.left));
                if found != before && found != wanted {
                    // The metadata of one disk is torn in two, which only isw can not read then.
                    assert_eq!(self.made.0, "isw", "{:?} {:?} {stop}+{torn} {cut:?}", self.made, self.to);
                    after.undo(&undo.0);
                    assert_eq!(said(&after.array(&self.left)), before);
                }
            }
        }
    }
}

#[test]
fn after_a_stop_at_any_write_the_set_is_as_before_or_as_wanted() {
    // The full count takes minutes.
    let is_long = std::env::var_os("RAID_TESTS_LONG").is_some_and(|value| value == "1");
    let is_sample = |made: &&(_, Level, _)| is_long || matches!(made.1, Level::Raid1 | Level::Raid5);
    for &made in REDUNDANT.iter().filter(is_sample) {
        for missing in [None, Some(0), Some(made.2 - 1)] {
            for to in [Transition::Open, Transition::Close] {
                let left = (0..made.2).filter(|&index| Some(index) != missing).collect();
                Case { made, left, to }.stop_everywhere();
            }
        }
    }
}

#[test]
fn what_is_marked_again_and_again_is_one_sector_of_each_disk_of_a_small_set() {
    for (level, count) in [(Level::Raid1, 2), (Level::Raid5, 3), (Level::Raid10, 4)] {
        let bench = Bench::new("isw", level, count);
        for to in [Transition::Open, Transition::Close] {
            let plan = bench.plan(&bench.all(), to);
            assert_eq!(
                plan.changes().iter().map(|change| change.new.len()).collect::<Vec<_>>(),
                vec![512; count]
            );
            bench.carry_out(&bench.all(), to);
        }
    }
}

#[test]
fn a_plan_taken_back_gives_the_bytes_that_were_there() {
    for (format, level, count) in REDUNDANT {
        let bench = Bench::new(format, level, count);
        let content = || {
            bench
                .disks
                .iter()
                .map(|disk| disk.peek(Bytes::ZERO, usize::try_from(DISK).unwrap()))
                .collect::<Vec<_>>()
        };
        let before = content();
        let plan = bench.plan(&bench.all()[1..], Transition::Open);
        commit(&plan, &bench, &mut Kept::default()).unwrap();
        assert!(content() != before);
        commit(&plan.reversed(), &bench, &mut Kept::default()).unwrap();
        assert!(content() == before, "{format} {level}");
    }
}
