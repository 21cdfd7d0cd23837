//! One set at a time, in every way: `tests/vm/cases/activate.sh`.

use super::{array_on, is_redundant, text, uuid};
use raid_tests::{Fixture, Vm, long};

fn check(name: &str) {
    let Some(set) = Fixture::open(name) else { return };
    let array = array_on(&set.disks);
    let (array_name, size) = (text(&array, "name"), array["size_sectors"].as_u64().unwrap());
    let redundancy = u32::from(is_redundant(&array));
    let mdadm = u32::from(matches!(text(&array, "format").as_str(), "isw" | "md"));
    let mut vm = Vm::case("activate").program("raid-probe").program("raid-table").processors(2).seconds(600);
    for disk in &set.disks {
        vm = vm.snapshot(disk);
    }
    let numbers = [size.to_string(), redundancy.to_string(), mdadm.to_string()];
    for argument in [array_name.clone(), uuid(&array)].into_iter().chain(numbers) {
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

        const SAMPLE: &[&str] = &[$($name),*];
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
        let is_of = ["md", "ddf", "isw"].iter().any(|format| name.starts_with(format));
        // The stale set holds another pattern, and is degraded; in the middle of a reshape there is no table.
        let is_other = ["stale", "reshape"].iter().any(|kind| name.contains(kind));
        if is_of && !is_other && !SAMPLE.contains(&name.as_str()) {
            check(&name);
        }
    }
}
