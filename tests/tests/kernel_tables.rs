//! The tables of every md, isw and ddf set, loaded into a real kernel with the pipeline of the manual, read back what was
//! written to the set: whole, and without each member that the level can do without.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use raid_tests::{Fixture, Vm, long};

/// Of a set: how many members may be missing at once. Pairs are for the long run.
fn redundancy(set: &Fixture) -> u32 {
    match set.case["level"].as_str().unwrap() {
        // The stale member is one of them already.
        _ if set.case["health"] != "optimal" => 0,
        "raid6" if long() => 2,
        "raid6" | "raid1" | "raid4" | "raid5" | "raid10" => 1,
        _ => 0,
    }
}

/// What the disks hold where they hold not the plain pattern.
fn rewritten(set: &Fixture) -> &'static [&'static str] {
    if set.name.contains("stale") { &["--rewritten", "2048", "--add", "10240"] } else { &[] }
}

fn losses(disks: usize, redundancy: u32) -> usize {
    match redundancy {
        0 => 0,
        1 => disks,
        _ => disks + disks * (disks - 1) / 2,
    }
}

fn check(name: &str) {
    let Some(set) = Fixture::open(name) else { return };
    let redundancy = redundancy(&set);
    let mut vm = Vm::case("tables").program("raid-probe").program("raid-table");
    for disk in &set.disks {
        vm = vm.snapshot(disk);
    }
    let size = set.case["array_size_sectors"].as_u64().unwrap();
    vm = vm.arg(size.to_string()).arg(redundancy.to_string());
    for argument in rewritten(&set) {
        vm = vm.arg(*argument);
    }
    let outcome = vm.succeed();
    let found = String::from_utf8(outcome.stdout).unwrap();
    let is_degraded = set.case["health"] == "degraded";
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(lines.len(), 1 + losses(set.disks.len(), redundancy), "{name}: {found}");
    for line in lines {
        let must_be_read_only = is_degraded || line.contains("without");
        assert!(line.contains(&format!(": {size} ")), "{name}: {line}");
        assert!(line.ends_with("read-only=1") || !must_be_read_only, "{name}: {line}");
    }
}

macro_rules! sets {
    ($($test:ident: $name:literal),* $(,)?) => {
        $(#[test]
        fn $test() {
            check($name);
        })*

        #[test]
        fn no_md_isw_or_ddf_set_is_left_out() {
            let known = [$($name),*];
            // In the middle of a reshape there is no table.
            let other = ["isw-raid5-reshape-3to4"];
            for name in Fixture::carried_names() {
                let is_ours = ["md", "isw", "ddf"].iter().any(|format| name.starts_with(format));
                assert!(!is_ours || known.contains(&name.as_str()) || other.contains(&name.as_str()), "{name}");
            }
        }
    };
}

sets! {
    ddf_raid0: "ddf-raid0-3",
    ddf_raid1: "ddf-raid1-2",
    ddf_raid5: "ddf-raid5-ls-3",
    isw_raid0: "isw-raid0-2",
    isw_raid1: "isw-raid1-2",
    isw_raid10: "isw-raid10-4",
    isw_raid5: "isw-raid5-3",
    md_raid5_of_version_0_90: "md090-raid5-4",
    md_raid1_of_version_1_0: "md10-raid1-2",
    md_linear: "md12-linear-2",
    md_raid0: "md12-raid0-3",
    md_raid10: "md12-raid10-n2-4",
    md_raid5: "md12-raid5-ls-3",
    md_raid5_with_a_stale_member: "md12-raid5-stale-3",
    md_raid6: "md12-raid6-ls-5",
}
