//! Probing is cheap: few reads of few bytes for each image, and no more than half of the time that `wipefs -n`
//! takes for the same thousand.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use raid_meta::device::Device;
use raid_meta::probe::{Options, Probe, probe};
use raid_tests::cost::{Comparison, compare, cost};
use raid_tests::forge::MdSet;
use raid_tests::mixed;
use raid_tests::random::Random;
use raid_tests::sparse::SparseDisk;
use raid_tests::{Fixture, program};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

const MIB: u64 = 1 << 20;

#[test]
fn a_thousand_images_take_at_most_half_the_time_of_wipefs() {
    let directory = tempfile::tempdir().unwrap();
    let images = mixed::thousand_images(directory.path());
    assert_eq!(images.len(), 1000);
    let commands = || {
        let (mut ours, mut theirs) = (Command::new(program("raid-probe")), Command::new("wipefs"));
        ours.args(&images);
        theirs.arg("-n").args(&images);
        (ours, theirs)
    };
    // On a machine with other work, a run that is interrupted more often than its neighbour says nothing.
    let mut measured = Vec::new();
    for _ in 0..4 {
        let (ours, theirs) = commands();
        let comparison = compare(5, ours, theirs);
        report(&comparison);
        if comparison.processor_ratio() <= 0.5 && comparison.wall_ratio() <= 0.5 {
            return;
        }
        measured.push((comparison.processor_ratio(), comparison.wall_ratio()));
    }
    panic!("raid-probe takes this much of the time of wipefs -n (processor, clock): {measured:?}");
}

fn report(comparison: &Comparison) {
    let Comparison { ours, theirs } = comparison;
    eprintln!(
        "raid-probe {:?} (processor {:?}), wipefs -n {:?} (processor {:?}): ratio {:.2} (processor {:.2})",
        ours.wall,
        ours.processor,
        theirs.wall,
        theirs.processor,
        comparison.wall_ratio(),
        comparison.processor_ratio(),
    );
}

/// Probes a disk in memory; what was found, and how many reads of how many bytes that took.
fn counted(disk: SparseDisk) -> (Probe, u64, u64) {
    let disk = Arc::new(disk.counted());
    let device = Device::whole(Path::new("disk.img"), disk.clone());
    let found = probe([device], &Options::default());
    let (reads, bytes) = disk.reads();
    (found, reads, bytes)
}

#[test]
fn a_blank_disk_of_any_size_costs_at_most_five_small_reads() {
    for size in [0, 1, 511, 512, 4096, 65536, MIB, MIB + 512, MIB + 1, 100 * MIB, 1 << 40, u64::MAX >> 1] {
        let (found, reads, bytes) = counted(SparseDisk::blank(size));
        assert!(found.members.is_empty());
        assert!(reads <= 5 && bytes <= 20 << 10, "{size} bytes: {reads} reads of {bytes} bytes");
    }
}

#[test]
fn random_bytes_cost_no_more_than_zeros() {
    let mut random = Random::new(1);
    for _ in 0..64 {
        let size = MIB + 512 * random.below(8);
        let bytes = random.bytes(usize::try_from(size).unwrap());
        let (found, reads, bytes) = counted(SparseDisk::blank(size).with(0, bytes));
        assert!(found.members.is_empty());
        assert!(reads <= 5 && bytes <= 20 << 10, "{size} bytes: {reads} reads of {bytes} bytes");
    }
}

#[test]
fn a_member_costs_its_metadata_and_little_more() {
    let set = MdSet { number: 1, device_bytes: 64 * MIB };
    let superblocks =
        [set.version_1(0), set.version_1(1), set.version_1(2), set.version_0(false), set.version_0(true)];
    for (at, block) in superblocks {
        let (found, reads, bytes) = counted(SparseDisk::blank(set.device_bytes).with(at, block));
        assert_eq!(found.members.len(), 1, "superblock at {at}");
        assert!(reads <= 8 && bytes <= 32 << 10, "superblock at {at}: {reads} reads of {bytes} bytes");
    }
}

#[test]
fn a_real_member_costs_less_than_a_blanket_read() {
    for name in Fixture::carried_names() {
        for disk in &Fixture::open(&name).unwrap().disks {
            let (found, reads, bytes) = counted(SparseDisk::load(disk).unwrap());
            assert_eq!(found.members.len(), 1, "{}", disk.display());
            // The two copies of a DDF group's tables are 309 KiB each, all of it under checksums.
            let most = if name.starts_with("ddf") { 700 << 10 } else { 64 << 10 };
            assert!(reads <= 12 && bytes <= most, "{name}: {reads} reads of {bytes} bytes");
        }
    }
}

#[test]
fn a_partition_costs_two_ends_of_its_own() {
    for number in 0..6 {
        for (table, disk) in [("MBR", mixed::mbr_disk(number)), ("GPT", mixed::gpt_disk(number))] {
            let (_, reads, bytes) = counted(disk);
            assert!(reads <= 30 && bytes <= 128 << 10, "{table} {number}: {reads} reads of {bytes} bytes");
        }
    }
}

#[test]
fn the_program_makes_no_more_reads_than_the_library_says() {
    let directory = tempfile::tempdir().unwrap();
    let path = |number: u64| directory.path().join(format!("{number}.img"));
    let images: Vec<PathBuf> = (0..100).map(path).collect();
    for (index, image) in images.iter().enumerate() {
        SparseDisk::blank((index as u64 + 1) * MIB).store(image).unwrap();
    }
    let reads = |images: &[PathBuf]| cost(Command::new(program("raid-probe")).args(images)).reads;
    let (Some(one), Some(all)) = (reads(&images[..1]), reads(&images)) else {
        eprintln!("the kernel does not count reads: nothing tried");
        return;
    };
    let (calls, bytes) = ((all.0 - one.0) / 99, (all.1 - one.1) / 99);
    assert!(calls <= 5 && bytes <= 20 << 10, "for each image, {calls} reads of {bytes} bytes");
}
