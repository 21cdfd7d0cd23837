//! DDF sets that are made here, with data written in userspace: blkid and dmraid name them, md assembles them and
//! reads the data back, and what mdadm has written to their metadata since is sound to us.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "a test")]

use raid_meta::device::{Device, FileDisk, WritableDisk, WriteAt};
use raid_meta::format::by_name;
use raid_meta::format::create::NewSet;
use raid_meta::geometry::{Layout, Level};
use raid_meta::probe::{Options, probe};
use raid_meta::record::{ArrayMember, ArrayRecord, Health, Problem};
use raid_meta::units::{Bytes, Sectors};
use raid_table::volume::{Targets, WritableVolume};
use raid_tests::Vm;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Sets that md can assemble: name, level, layout, disks, spares.
const SETS: [(&str, Level, Option<&str>, usize, usize); 8] = [
    ("stripe", Level::Raid0, None, 3, 0),
    ("mirror", Level::Raid1, None, 2, 1),
    ("four", Level::Raid4, None, 3, 0),
    ("five", Level::Raid5, None, 3, 0),
    ("asym", Level::Raid5, Some("right-asymmetric"), 3, 0),
    ("six", Level::Raid6, None, 4, 0),
    ("sixzero", Level::Raid6, Some("ddf-zero-restart"), 4, 0),
    ("ten", Level::Raid10, None, 4, 0),
];

fn device(path: &Path) -> Device {
    Device::whole(path, Arc::new(FileDisk::open(path, None).unwrap()))
}

fn write(path: &Path) -> WritableDisk {
    WritableDisk::open(path, None, Path::new("/"), &[]).unwrap()
}

/// Makes a set on blank disks.
fn create(
    directory: &Path,
    (name, level, layout, count, spares): (&str, Level, Option<&str>, usize, usize),
) -> Vec<PathBuf> {
    let disk = |number: usize| {
        let path = directory.join(format!("{name}{number}.img"));
        File::create(&path).unwrap().set_len(40 << 20).unwrap();
        path
    };
    let disks: Vec<PathBuf> = (0..count + spares).map(disk).collect();
    add(&disks, spares, name, |set| NewSet {
        level,
        layout: layout.map(|layout| layout.parse::<Layout>().unwrap()),
        ..set
    });
    disks
}

fn add(disks: &[PathBuf], spares: usize, name: &str, change: impl FnOnce(NewSet) -> NewSet) {
    let mut devices: Vec<Device> = disks.iter().map(|disk| device(disk)).collect();
    let spares = devices.split_off(devices.len() - spares);
    let mut identity = [0; 16];
    identity[..name.len()].copy_from_slice(name.as_bytes());
    let set = NewSet {
        spares,
        identity,
        now: 1_795_222_494,
        in_sync: true,
        ..NewSet::new(Level::Raid1, name, devices)
    };
    let members = by_name("ddf").unwrap().create(&change(set)).unwrap();
    for (member, path) in members.iter().zip(disks) {
        let disk = write(path);
        for area in &member.areas {
            disk.write_at(area.offset, &area.bytes).unwrap();
        }
    }
}

/// Members are whole devices.
struct Files;

impl Targets for Files {
    fn open(&self, member: &ArrayMember) -> Result<Arc<dyn WriteAt>, String> {
        Ok(Arc::new(write(Path::new(member.device.as_ref().unwrap()))))
    }
}

fn arrays(disks: &[PathBuf]) -> Vec<ArrayRecord> {
    let found = probe(disks.iter().map(|disk| device(disk)), &Options::default());
    for member in &found.members {
        let errors: Vec<&Problem> = member.problems.iter().filter(|problem| problem.is_error()).collect();
        assert_eq!(errors, Vec::<&Problem>::new(), "{}", member.device.label());
    }
    found.arrays
}

/// Block n of the array becomes n+1, redundancy and all.
fn fill(array: &ArrayRecord) {
    let volume = WritableVolume::open(array, &Files, false).unwrap();
    let sectors = array.size_sectors.0;
    let mut content = Vec::new();
    for block in 0..(sectors * 512).div_ceil(4096) {
        content.extend(u32::try_from(block + 1).unwrap().to_le_bytes().repeat(1024));
    }
    content.truncate(usize::try_from(sectors * 512).unwrap());
    for (piece, bytes) in content.chunks(1 << 20).enumerate() {
        volume.write(Bytes((piece as u64) << 20), bytes).unwrap();
    }
    volume.flush().unwrap();
}

#[test]
fn md_blkid_and_dmraid_take_the_sets_that_are_made_here() {
    let directory = tempfile::tempdir().unwrap();
    let mut vm = Vm::case("ddf").seconds(600);
    let mut expected = Vec::new();
    let mut all = Vec::new();
    for set in SETS {
        let disks = create(directory.path(), set);
        all.extend(disks.iter().cloned());
        for array in arrays(&disks) {
            expected.push((array.volume.clone().unwrap(), array.level, array.size_sectors));
            fill(&array);
        }
    }
    for disk in &all {
        vm = vm.disk(disk);
    }
    for (name, _, size) in &expected {
        vm = vm.arg(name.as_str()).arg(size.to_string());
    }
    let outcome = vm.succeed();
    let text = outcome.text();
    assert!(text.contains("blkid ddf_raid_member\n") && text.contains("blkid 01.02.00\n"), "{text}");
    for (name, level, size) in &expected {
        assert!(text.contains(&format!("md {name} {level} {size}\n")), "{name}: {text}");
        assert!(
            text.contains(&format!("\"ddf1_{name}\"")) || text.contains(&format!("ddf1_{name}")),
            "{name}: {text}"
        );
    }
    // What mdadm and the kernel wrote since is read here as it was meant.
    let after = arrays(&all);
    assert_eq!(after.len(), expected.len());
    for (array, (name, level, size)) in after.iter().zip(&expected) {
        assert_eq!((array.volume.as_ref(), array.level, array.size_sectors), (Some(name), *level, *size));
        assert_eq!(array.health, Health::Optimal, "{name}: {:?}", array.problems);
    }
}

#[test]
fn md_takes_both_volumes_of_a_group() {
    let directory = tempfile::tempdir().unwrap();
    let size = Some(Sectors(16_384));
    let disk = |number: usize| {
        let path = directory.path().join(format!("disk{number}.img"));
        File::create(&path).unwrap().set_len(48 << 20).unwrap();
        path
    };
    let disks: Vec<PathBuf> = (0..3).map(disk).collect();
    add(&disks, 0, "first", |set| NewSet { level: Level::Raid5, size, ..set });
    add(&disks, 0, "second", |set| NewSet { level: Level::Raid0, ..set });
    let arrays = arrays(&disks);
    let mut vm = Vm::case("ddf");
    for disk in &disks {
        vm = vm.disk(disk);
    }
    for array in &arrays {
        fill(array);
        vm = vm.arg(array.volume.clone().unwrap()).arg(array.size_sectors.to_string());
    }
    let text = vm.succeed().text();
    assert!(text.contains("md first raid5 16384\n") && text.contains("md second raid0 "), "{text}");
}
