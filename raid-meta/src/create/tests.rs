//! Sets on simulated disks: blank ones, and ones that carry something.

use super::{Created, NotCreated, create};
use crate::commit::{CommitError, OpenDisk, PlannedDisk, commit};
use crate::device::{Device, SimDisk, WriteAt};
use crate::format::by_name;
use crate::format::create::NewSet;
use crate::geometry::Level;
use crate::probe::{Options, probe};
use crate::record::Health;
use crate::testing::Kept;
use crate::units::Bytes;
use std::path::Path;
use std::sync::Arc;

struct Bench(Vec<SimDisk>);

impl Bench {
    fn new(count: usize) -> Self {
        Self((0..count).map(|_| SimDisk::new(Bytes(32 << 20))).collect())
    }

    fn devices(&self) -> Vec<Device> {
        let device = |(index, disk): (usize, &SimDisk)| {
            Device::whole(Path::new(&format!("disk{index}")), Arc::new(disk.clone()))
        };
        self.0.iter().enumerate().map(device).collect()
    }

    fn set(&self, level: Level, name: &str) -> NewSet {
        NewSet { identity: [7; 16], now: 1_800_000_000, ..NewSet::new(level, name, self.devices()) }
    }

    fn create(&self, set: &NewSet, force: bool) -> Result<Created, NotCreated> {
        create(by_name("md").unwrap(), set, force)
    }

    fn write(&self, created: &Created) {
        let _ = commit(&created.plan, self, &mut Kept::default()).unwrap();
    }
}

impl OpenDisk for Bench {
    fn open(&self, disk: &PlannedDisk) -> Result<Arc<dyn WriteAt>, CommitError> {
        let index: usize = disk.name.trim_start_matches("disk").parse().unwrap();
        Ok(Arc::new(self.0[index].clone()))
    }
}

fn lines(outcome: Result<Created, NotCreated>) -> Vec<String> {
    match outcome {
        Err(NotCreated::Occupied(lines)) => lines,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_promised_is_what_is_found_when_it_is_written() {
    let bench = Bench::new(3);
    let created = bench.create(&bench.set(Level::Raid5, "new"), false).unwrap();
    assert_eq!(created.overwritten, Vec::<String>::new());
    assert_eq!(created.warnings, Vec::<String>::new());
    assert_eq!(created.arrays[0].health, Health::Initializing);
    assert!(probe(bench.devices(), &Options::default()).members.is_empty(), "nothing is written yet");
    bench.write(&created);
    assert_eq!(probe(bench.devices(), &Options::default()).arrays, created.arrays);
}

#[test]
fn metadata_that_is_there_is_named_and_refused_unless_forced() {
    let bench = Bench::new(2);
    let old = NewSet { version: Some("1.0".to_owned()), ..bench.set(Level::Raid1, "old") };
    bench.write(&bench.create(&old, false).unwrap());
    let set = NewSet { identity: [8; 16], ..bench.set(Level::Raid0, "new") };
    let refused = lines(bench.create(&set, false));
    assert_eq!(refused[0], "disk0: carries md 1.0 metadata of set 'old'");
    assert_eq!(refused.len(), 2);
    let created = bench.create(&set, true).unwrap();
    assert_eq!(created.overwritten, refused);
    bench.write(&created);
    let found = probe(bench.devices(), &Options::default());
    assert_eq!(found.members.len(), 2, "the old metadata is gone");
    assert_eq!(found.arrays, created.arrays);
}

#[test]
fn a_file_system_is_named_and_refused_and_left_alone_when_forced() {
    let bench = Bench::new(2);
    bench.0[1].write_at(Bytes(0), b"XFSB").unwrap();
    let set = NewSet { version: Some("1.0".to_owned()), ..bench.set(Level::Raid1, "x") };
    assert_eq!(lines(bench.create(&set, false)), ["disk1: carries an xfs file system"]);
    bench.write(&bench.create(&set, true).unwrap());
    let kept = bench.devices()[1].read(Bytes(0), 4).unwrap().unwrap();
    assert_eq!(kept, b"XFSB");
}

#[test]
fn metadata_in_a_partition_is_in_the_way_as_well() {
    let bench = Bench::new(1);
    let disk = &bench.0[0];
    disk.write_at(Bytes(446), &[0, 0, 0, 0, 0xfd, 0, 0, 0, 0, 8, 0, 0, 0, 0xf0, 0, 0]).unwrap();
    disk.write_at(Bytes(510), &[0x55, 0xaa]).unwrap();
    let partition = bench.devices()[0].window(Bytes(1 << 20), Bytes(0xf000 * 512)).unwrap();
    let inner = NewSet { disks: vec![partition], ..bench.set(Level::Raid1, "inner") };
    bench.write(&bench.create(&inner, false).unwrap());
    let set = NewSet { identity: [8; 16], ..bench.set(Level::Raid1, "outer") };
    let refused = lines(bench.create(&set, false));
    assert_eq!(
        refused,
        [
            "disk0@1048576: carries md 1.2 metadata of set 'inner'",
            "disk0: carries a partition table with 1 partition"
        ]
    );
    bench.write(&bench.create(&set, true).unwrap());
    let found = probe(bench.devices(), &Options::default());
    assert_eq!(found.arrays.iter().map(|array| array.name.as_str()).collect::<Vec<_>>(), ["md_outer"]);
}

#[test]
fn a_disk_that_can_not_be_read_is_not_used() {
    let bench = Bench::new(2);
    bench.0[1].fail_reads(Bytes(4096)..Bytes(8192));
    assert!(matches!(bench.create(&bench.set(Level::Raid1, "x"), true), Err(NotCreated::Read(_))));
}
