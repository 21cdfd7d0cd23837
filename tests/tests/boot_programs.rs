//! `raid-probe` and `raid-table` as they go into an initramfs: what they take there, what they can do, and that the static
//! ones need nothing else. `make boot boot-static` builds them.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use raid_meta::format::FORMATS;
use raid_tests::{Fixture, Run, Vm, boot_program};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

const NAMES: [&str; 2] = ["raid-probe", "raid-table"];
const MIB: u64 = 1024 * 1024;
/// 2.5 MiB, and 1.2.
const LIMIT_UNPACKED: u64 = MIB * 5 / 2;
const LIMIT_PACKED: u64 = MIB * 6 / 5;

/// Bytes of files, each once however many names it has.
fn unpacked(files: &[PathBuf]) -> u64 {
    let metadata = files.iter().map(|file| fs::metadata(file).unwrap());
    metadata.map(|file| ((file.dev(), file.ino()), file.len())).collect::<BTreeMap<_, _>>().values().sum()
}

/// Bytes of an archive with the files, as an initramfs is packed.
fn packed(files: &[PathBuf], compress: &str) -> u64 {
    let list = files.iter().map(|file| format!("{}\n", file.strip_prefix("/").unwrap().display()));
    let command = format!("cpio --quiet -o -H newc | {compress} | wc -c");
    let run = Run::of("/bin/sh").args(["-euc", &command]).directory("/").stdin(list.collect::<String>());
    run.outcome().expect_code(0).text().trim().parse().unwrap()
}

#[test]
fn both_take_little_of_an_initramfs() {
    let ours: Vec<PathBuf> = NAMES.iter().map(|name| boot_program("initramfs", name)).collect();
    let theirs: Vec<PathBuf> = ["/sbin/mdadm", "/sbin/mdmon"].iter().map(PathBuf::from).collect();
    let size = unpacked(&ours);
    eprintln!("raid-probe and raid-table: {size} bytes; mdadm and mdmon: {}", unpacked(&theirs));
    assert!(size <= LIMIT_UNPACKED, "{size} bytes unpacked, expected at most {LIMIT_UNPACKED}");
    // The first is what Debian does.
    for compress in ["zstd -q -9", "zstd -q -19", "xz -9 --check=crc32", "gzip -9"] {
        let (size, other) = (packed(&ours, compress), packed(&theirs, compress));
        eprintln!("{compress}: {size} bytes; mdadm and mdmon: {other}");
        assert!(size <= LIMIT_PACKED, "{compress}: {size} bytes, expected at most {LIMIT_PACKED}");
    }
}

#[test]
fn every_format_is_in_them() {
    for folder in ["initramfs", "initramfs-static"] {
        let listed =
            Run::of(boot_program(folder, "raid-probe")).arg("--list-formats").outcome().expect_code(0);
        let names: Vec<String> = listed
            .records_of("format")
            .iter()
            .map(|format| format["name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(names, FORMATS.map(|format| format.name().to_owned()), "{folder}");
    }
}

#[test]
fn they_say_what_the_full_ones_say() {
    let Some(set) = Fixture::open("isw-raid5-3") else { return };
    for (name, arguments) in
        [("raid-probe", &[][..]), ("raid-table", &["emit", "--degraded", "-o", "concise"])]
    {
        let full = raid_tests::run(name).args(arguments).args(&set.disks).outcome().expect_code(0);
        let small = Run::of(boot_program("initramfs", name)).args(arguments).args(&set.disks);
        assert_eq!(small.outcome().expect_code(0).text(), full.text(), "{name}");
    }
}

#[test]
fn by_another_name_it_is_neither() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("raid-boot");
    fs::copy(boot_program("initramfs", "raid-table"), &copy).unwrap();
    let outcome = Run::of(copy).outcome().expect_code(2);
    assert!(outcome.stderr.contains("raid-probe") && outcome.stderr.contains("raid-table"), "{outcome}");
}

/// Whether a program header asks for a loader (`PT_INTERP`), by the ELF header of a 64-bit little-endian program.
fn names_a_loader(program: &Path) -> bool {
    let bytes = fs::read(program).unwrap();
    let number = |at: usize, length: usize| {
        bytes[at..at + length].iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
    };
    assert_eq!(&bytes[..6], b"\x7fELF\x02\x01");
    let (table, entry, entries) = (number(0x20, 8), number(0x36, 2), number(0x38, 2));
    assert!(entries > 0);
    (0..entries).any(|index| number(table + index * entry, 4) == 3)
}

#[test]
fn static_programs_need_no_loader_and_activate_an_array() {
    assert!(names_a_loader(&boot_program("initramfs", "raid-table")), "this one is not static");
    let mut vm = Vm::case("activate").seconds(600);
    for name in NAMES {
        let program = boot_program("initramfs-static", name);
        assert!(!names_a_loader(&program), "{}", program.display());
        vm = vm.program_at(&program);
    }
    let Some(set) = Fixture::open("isw-raid1-2") else { return };
    let found = raid_tests::run("raid-probe").arg("--arrays").args(&set.disks).outcome().expect_code(0);
    let array = found.records_of("array").pop().unwrap();
    let (name, size) = (array["name"].as_str().unwrap(), array["size_sectors"].as_u64().unwrap());
    for disk in &set.disks {
        vm = vm.snapshot(disk);
    }
    for argument in [name, &format!("DMRAID-{name}"), &size.to_string(), "1", "1"] {
        vm = vm.arg(argument);
    }
    let outcome = vm.succeed();
    assert!(outcome.text().ends_with(&format!("ok {name}\n")), "{outcome}");
}
