//! Arrays activated in a real kernel, and taken down again: `tests/vm/cases/activate.sh`.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use raid_tests::{Fixture, Vm, long, run};

fn check(name: &str) {
    let Some(set) = Fixture::open(name) else { return };
    let found = run("raid-probe").args(&set.disks).outcome().expect_code(0);
    let array = found.records_of("array").pop().unwrap();
    let text = |field: &str| array[field].as_str().unwrap().to_owned();
    let (array_name, format) = (text("name"), text("format"));
    let uuid = match format.as_str() {
        "md" => format!("RAIDTABLE-md-{}", text("uuid").replace(':', "_")),
        _ => format!("DMRAID-{array_name}"),
    };
    let redundancy = u32::from(!matches!(text("level").as_str(), "raid0" | "linear"));
    let mdadm = u32::from(matches!(format.as_str(), "isw" | "md"));
    let mut vm = Vm::case("activate").program("raid-probe").program("raid-table").seconds(600);
    for disk in &set.disks {
        vm = vm.snapshot(disk);
    }
    let size = array["size_sectors"].as_u64().unwrap();
    for argument in [array_name.clone(), uuid, size.to_string(), redundancy.to_string(), mdadm.to_string()] {
        vm = vm.arg(argument);
    }
    let outcome = vm.succeed();
    assert!(outcome.text().ends_with(&format!("ok {array_name}\n")), "{outcome}");
    assert_eq!(outcome.text().contains("mdadm read what was written"), mdadm == 1, "{outcome}");
}

macro_rules! sets {
    ($($test:ident: $name:literal),* $(,)?) => {
        $(#[test]
        fn $test() {
            check($name);
        })*
    };
}

sets! {
    isw_raid0: "isw-raid0-2",
    isw_raid1: "isw-raid1-2",
    isw_raid10: "isw-raid10-4",
    isw_raid5: "isw-raid5-3",
    ddf_raid5: "ddf-raid5-ls-3",
    md_raid6: "md12-raid6-ls-5",
}

#[test]
fn every_other_set_too() {
    if !long() {
        eprintln!("the sample is the tests above; RAID_TESTS_LONG=1 tries the others");
        return;
    }
    for name in Fixture::carried_names() {
        let is_of = ["md", "ddf"].iter().any(|format| name.starts_with(format));
        let is_above = ["ddf-raid5-ls-3", "md12-raid6-ls-5"].contains(&name.as_str());
        // The stale set holds another pattern, and is degraded.
        if is_of && !is_above && !name.contains("stale") {
            check(&name);
        }
    }
}
