//! Machines that start from an array, by nothing but `raid-table/boot`: a small Debian on a set of images, its kernel, and an
//! initramfs made in it. See `tests/vm/root` and `tests/vm/boot`.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use raid_tests::{Fixture, Outcome, Run, Vm, boot_program, run, workspace, write_file};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const MIB: u64 = 1024 * 1024;
/// Of the file system that `tests/vm/root` makes.
const ROOT: &str = "root=UUID=7a1d0000-b007-4000-8000-0000c0ffee00 rw init=/usr/sbin/proof";

/// The folder with the root file system and what boots it.
fn debian() -> PathBuf {
    let programs = boot_program("initramfs", "raid-table");
    let made = Run::of(workspace().join("tests/vm/root"))
        .env("RAID_BOOT_PROGRAMS", programs.parent().unwrap())
        .time_limit(Duration::from_secs(900));
    PathBuf::from(made.outcome().expect_code(0).text().trim())
}

/// A machine with the root on an Intel set.
struct Machine {
    debian: PathBuf,
    disks: Vec<PathBuf>,
    array: String,
    _directory: TempDir,
}

impl Machine {
    fn new(level: &str, disks: usize, megabytes: u64) -> Self {
        let debian = debian();
        let directory = tempfile::tempdir().unwrap();
        let disks: Vec<PathBuf> =
            (0..disks).map(|number| directory.path().join(format!("disk{number}.img"))).collect();
        for (number, disk) in disks.iter().enumerate() {
            File::create(disk).and_then(|file| file.set_len(megabytes * MIB)).unwrap();
            fs::write(disk.with_extension("img.serial"), format!("BOOT{number}\n")).unwrap();
        }
        let created = run("raid-meta")
            .args([
                "create",
                "--format",
                "isw",
                "--level",
                level,
                "--name",
                "root",
                "--assume-clean",
                "--write",
            ])
            .args(["--undo".as_ref(), directory.path().join("undo").as_os_str()])
            .args(&disks)
            .outcome()
            .expect_code(0);
        let array = created.records_of("array").pop().unwrap();
        write_file(&array, &debian.join("root.ext4"));
        let array = array["name"].as_str().unwrap().to_owned();
        Self { debian, disks, array, _directory: directory }
    }

    /// Boots with these disks, which stay as they are; what is on the console.
    fn boot(&self, initramfs: &str, disks: &[usize], arguments: &str) -> String {
        self.boot_with(",snapshot", initramfs, disks, arguments)
    }

    fn boot_with(&self, kept: &str, initramfs: &str, disks: &[usize], arguments: &str) -> String {
        let disk = |number: &usize| {
            let path = self.disks[*number].display();
            ["--disk".to_owned(), format!("{path},serial=BOOT{number}{kept}")]
        };
        let outcome: Outcome = Run::of(workspace().join("tests/vm/boot"))
            .args(["--kernel".as_ref(), self.debian.join("kernel").as_os_str()])
            .args(["--initrd".as_ref(), self.debian.join(initramfs).as_os_str()])
            .args(["--timeout", "400", "--append", &format!("{ROOT} {arguments}")])
            .args(disks.iter().flat_map(disk))
            .time_limit(Duration::from_secs(420))
            .outcome();
        let console = outcome.text().replace('\r', "");
        assert_eq!(outcome.code, Some(0), "{console}\n{}", outcome.stderr);
        console
    }

    fn assert_booted(&self, console: &str) {
        let Self { array, .. } = self;
        for line in [
            &format!("PROOF root /dev/mapper/{array} ext4 rw"),
            "PROOF wrote written",
            &format!("PROOF table {array}: 0 "),
            "PROOF system 12",
            "PROOF read-only",
            "PROOF shutdown 0, ",
            "PROOF done",
        ] {
            assert!(console.contains(line), "'{line}' is not on the console:\n{console}");
        }
    }
}

#[track_caller]
fn assert_order(console: &str, texts: &[&str]) {
    let mut rest = console;
    for text in texts {
        let found = rest.split_once(text);
        assert!(found.is_some(), "'{text}' is not on the console, or not in this order:\n{console}");
        rest = found.unwrap().1;
    }
}

fn assert_nothing_else_assembles(list: &Path) {
    let list = fs::read_to_string(list).unwrap();
    assert!(list.contains("usr/sbin/raid-table"), "{list}");
    for other in ["mdadm", "mdmon", "dmraid", "kpartx", "md-raid"] {
        assert!(!list.contains(other), "{other}: {list}");
    }
}

#[test]
fn a_debian_on_a_mirror_boots_through_the_hook_of_initramfs_tools() {
    let machine = Machine::new("raid1", 2, 272);
    assert_nothing_else_assembles(&machine.debian.join("initramfs-tools.img.list"));
    let console = machine.boot("initramfs-tools.img", &[0, 1], "");
    machine.assert_booted(&console);
    assert!(!console.contains("waiting for up to"), "nothing is missing:\n{console}");
}

#[test]
fn a_debian_on_a_raid5_boots_without_a_disk_and_says_why() {
    let machine = Machine::new("raid5", 3, 144);
    let array = &machine.array;

    // Not asked for: it stays as it is, and there is no root.
    let console = machine.boot("initramfs-tools.img", &[0, 2], "raidtable.wait=2 raidtable.degraded=no");
    let refused = format!("raid-table: {array}: degraded: slot 1 is not in sync");
    assert_order(&console, &["slot 1 is missing, after 2s", &refused, "Gave up waiting for root"]);
    assert!(!console.contains("PROOF"), "{console}");

    let console = machine.boot_with("", "initramfs-tools.img", &[0, 2], "raidtable.wait=3");
    assert_order(
        &console,
        &[
            &format!("raid-table: {array}: slot 1 is missing; waiting for up to 3s\n"),
            &format!("raid-table: {array}: slot 1 is missing, after 3s\n"),
            "; active without it\n",
            "PROOF started",
        ],
    );
    machine.assert_booted(&console);
    // What was written reached the disks, and they say that the third is out of date and that they are in step.
    let found = run("raid-probe").args(&machine.disks).outcome().expect_code(0);
    let record = found.records_of("array").pop().unwrap();
    assert_eq!(record["dirty"], false, "{found}");
    assert_ne!(record["members"][1]["state"], "in-sync", "{found}");
}

#[test]
fn the_kernels_command_line_keeps_arrays_from_being_activated() {
    let machine = Machine::new("raid1", 2, 272);
    let console = machine.boot("initramfs-tools.img", &[0, 1], "nodmraid");
    assert_order(&console, &["raid-table: no array is activated", "Gave up waiting for root"]);
    assert!(!console.contains("PROOF"), "{console}");
}

#[test]
fn a_debian_on_a_mirror_boots_through_the_module_of_dracut() {
    let machine = Machine::new("raid1", 2, 272);
    assert_nothing_else_assembles(&machine.debian.join("dracut.img.list"));
    let console = machine.boot("dracut.img", &[0, 1], "");
    machine.assert_booted(&console);
}

#[test]
fn what_a_start_activates_is_as_the_settings_say() {
    let (Some(intel), Some(md)) = (Fixture::open("isw-raid1-2"), Fixture::open("md12-linear-2")) else {
        return;
    };
    let found = run("raid-probe").arg("--arrays").args(&intel.disks).outcome().expect_code(0);
    let array = found.records_of("array").pop().unwrap();
    let boot = workspace().join("raid-table/boot");
    let mut vm = Vm::case("start")
        .program("raid-probe")
        .program("raid-table")
        .file(&boot.join("start"), "/usr/lib/raid-tools/start")
        .file(&boot.join("udev/64-raid-table.rules"), "/usr/lib/udev/rules.d/64-raid-table.rules")
        .arg(array["name"].as_str().unwrap());
    for disk in intel.disks.iter().chain(&md.disks) {
        vm = vm.snapshot(disk);
    }
    let outcome = vm.succeed();
    assert_eq!(outcome.text(), "ok\n", "{outcome}");
}
