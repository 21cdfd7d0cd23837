//! raid-probe without a PATH finds what is on the disks of a machine, given a recording of its sysfs.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use raid_tests::{Fixture, Outcome, run};
use std::fs;
use std::path::Path;

/// A recorded machine whose disks sda, sdb, … are those of a set; serial numbers as SCSI disks give them.
fn record(set: &Fixture) {
    let root = set.directory.path();
    for (disk, letter) in set.disks.iter().zip('a'..) {
        let name = format!("sd{letter}");
        let size = fs::metadata(disk).unwrap().len() / 512;
        add(root, &format!("sys/block/{name}/size"), format!("{size}\n").as_bytes());
        add(root, &format!("sys/block/{name}/queue/logical_block_size"), b"512\n");
        let serial_file = format!("{}.serial", disk.display());
        if let Ok(serial) = fs::read_to_string(&serial_file) {
            fs::remove_file(serial_file).unwrap();
            let padded = format!("{:>20}", serial.trim());
            let page = [b"\0\x80\0\x14", padded.as_bytes()].concat();
            add(root, &format!("sys/block/{name}/device/vpd_pg80"), &page);
        }
        fs::create_dir_all(root.join("dev")).unwrap();
        fs::rename(disk, root.join("dev").join(name)).unwrap();
    }
}

fn add(root: &Path, path: &str, content: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

fn scan(root: &Path) -> Outcome {
    run("raid-probe").arg("--sysroot").arg(root).outcome()
}

#[test]
fn all_disks_of_the_machine_are_searched_and_their_serials_come_from_sysfs() {
    for set in ["isw-raid5-3", "md12-raid5-ls-3"].iter().filter_map(|name| Fixture::open(name)) {
        record(&set);
        let outcome = scan(set.directory.path()).expect_code(0);
        let arrays = outcome.records_of("array");
        assert_eq!(arrays.len(), 1, "{}: {outcome}", set.name);
        assert_eq!(arrays[0]["health"], "optimal", "{}: {outcome}", set.name);
        let devices: Vec<String> =
            outcome.records_of("member").iter().map(|member| member["device"].to_string()).collect();
        for (device, name) in devices.iter().zip(["sda", "sdb", "sdc"]) {
            assert!(device.ends_with(&format!("dev/{name}\"")), "{}: {devices:?}", set.name);
        }
    }
}

#[test]
fn a_path_into_the_recorded_machine_has_its_serial_too() {
    let set = Fixture::open("isw-raid5-3").unwrap();
    record(&set);
    let root = set.directory.path();
    let disks = ["dev/sda", "dev/sdb", "dev/sdc"].map(|name| root.join(name));
    let read = run("raid-table").arg("read").arg("--sysroot").arg(root).args(disks).outcome().expect_code(0);
    assert!(read.stdout == set.content());
}

#[test]
fn devices_stacked_on_the_disks_do_not_show_the_metadata_a_second_time() {
    let set = Fixture::open("md10-raid1-2").unwrap();
    record(&set);
    let root = set.directory.path();
    for name in ["dm-0", "md0", "loop0", "bcache0"] {
        add(root, &format!("sys/block/{name}/size"), b"49152\n");
        add(root, &format!("sys/block/{name}/slaves/sda/size"), b"49152\n");
        fs::copy(root.join("dev/sda"), root.join("dev").join(name)).unwrap();
    }
    let outcome = scan(root).expect_code(0);
    assert_eq!(outcome.records_of("member").len(), 2, "{outcome}");
}

#[test]
fn a_disk_without_its_node_is_reported_and_the_others_are_searched() {
    let set = Fixture::open("md10-raid1-2").unwrap();
    record(&set);
    let root = set.directory.path();
    fs::remove_file(root.join("dev/sdb")).unwrap();
    let outcome = scan(root).expect_code(5);
    assert_eq!(outcome.records_of("array")[0]["health"], "degraded", "{outcome}");
    assert!(outcome.stderr.contains("dev/sdb"), "{outcome}");
}

#[test]
fn a_machine_without_disks_is_an_honest_no_and_one_without_sysfs_a_failure() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(scan(root.path()).code, Some(4));
    fs::create_dir_all(root.path().join("sys/block")).unwrap();
    assert_eq!(scan(root.path()).code, Some(1));
}
