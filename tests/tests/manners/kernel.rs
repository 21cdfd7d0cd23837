//! What the commands for the kernel say before they need one, and servers before they serve.

use crate::commands::{KERNEL, SERVERS, assert_one_line};
use raid_tests::{Fixture, run};

#[test]
fn where_nothing_is_found_the_kernel_is_not_asked_and_nothing_is_served() {
    let directory = tempfile::tempdir().unwrap();
    let text = directory.path().join("text");
    std::fs::write(&text, "no array\n".repeat(10_000)).unwrap();
    for command in KERNEL.into_iter().chain(SERVERS) {
        let outcome = command.on(&text).outcome().expect_code(1);
        assert_one_line(command.program, &outcome);
        let outcome = command.on(directory.path().join("missing")).outcome().expect_code(4);
        assert!(outcome.stdout.is_empty(), "{outcome}");
    }
}

#[test]
fn an_image_is_refused_before_anything_is_made() {
    let set = Fixture::open("isw-raid1-2").unwrap();
    let outcome = run("raid-table").arg("activate").args(&set.disks).outcome().expect_code(1);
    assert_one_line("raid-table", &outcome);
    assert!(outcome.stderr.contains("is a file, and the kernel maps block devices"), "{outcome}");
}

#[test]
fn a_dry_run_prints_the_tables_that_emit_prints() {
    let set = Fixture::open("isw-raid5-3").unwrap();
    let dry = run("raid-table").args(["activate", "-n"]).args(&set.disks).outcome().expect_code(0);
    let emitted = run("raid-table").args(["emit", "-J"]).args(&set.disks).outcome().expect_code(0);
    assert_eq!(dry.stdout, emitted.stdout);
    let degraded = run("raid-table").args(["activate", "-n"]).args(&set.disks[1..]).outcome().expect_code(1);
    assert!(degraded.stderr.contains("--degraded"), "{degraded}");
}
