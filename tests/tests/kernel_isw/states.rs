//! Intel arrays in the middle of something (`tests/vm/cases/isw_states.sh`): read, and compared with mdadm.

use crate::examine;
use raid_tests::{Wreck, Wrecked};

fn wreck(sets: &[(&str, usize)]) -> Wreck {
    const POWER_CUT: i32 = 9;
    Wreck::of("isw_states", sets, POWER_CUT)
}

/// mdadm says the same of each disk and volume.
fn agrees_with_mdadm(array: &Wrecked) {
    let option = if array.sector_bytes == 4096 { ",sector=4096" } else { "" };
    let mdadm = examine::examine(&array.disks, option);
    let disks = array.disks.iter().zip(&mdadm);
    let wrong: Vec<String> =
        disks.flat_map(|(disk, text)| examine::differences(disk, text, array.sector_bytes)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn whole_sets_are_read_with_any_disk_missing() {
    let wreck = wreck(&[("plain", 3), ("two", 2), ("ten6", 6), ("sector4k", 3)]);
    for name in ["plain", "two-a", "two-b", "ten6", "sector4k"] {
        let array = wreck.array(name);
        array.says("/health", "optimal");
        array.says("/size_sectors", array.sectors);
        array.is_whole();
        if name != "two-b" {
            assert!((array.read_without_each() - 1.0).abs() < f64::EPSILON, "{name}");
        }
    }
    for name in ["plain", "two-a", "ten6", "sector4k"] {
        agrees_with_mdadm(&wreck.array(name));
    }
}

#[test]
fn a_failed_disk_that_is_still_there_is_not_read() {
    let wreck = wreck(&[("failed", 3)]);
    let array = wreck.array("failed");
    array.says("/health", "degraded");
    array.is_whole();
    // Without the failed disk as with it; without another one the array has failed.
    array.without(1).is_whole();
    assert!(array.without(0).read() < 0.01 && array.without(2).read() < 0.01);
    agrees_with_mdadm(&array);
}

#[test]
fn a_spare_that_is_being_filled_is_read_no_further_than_it_is() {
    let wreck = wreck(&[("rebuild", 4)]);
    let array = wreck.array("rebuild");
    array.says("/health", "rebuilding");
    array.is_whole();
    array.without(1).is_whole();
    array.without(3).is_whole();
    for disk in [0, 2] {
        let fraction = array.without(disk).read();
        assert!((0.1..0.7).contains(&fraction), "without disk {disk}: {fraction}");
    }
    agrees_with_mdadm(&array);
}

#[test]
fn parity_that_was_not_made_yet_or_may_be_wrong_is_not_believed() {
    let wreck = wreck(&[("initialize", 3), ("dirty", 3), ("ppl", 3)]);
    let array = wreck.array("initialize");
    array.says("/health", "initializing");
    array.is_whole();
    let fraction = array.read_without_each();
    assert!((0.1..0.9).contains(&fraction), "{fraction}: {}", array.record());
    agrees_with_mdadm(&array);

    let array = wreck.array("dirty").busy();
    array.says("/dirty", true);
    array.is_whole();
    assert!(array.read_without_each() < 0.9, "parity was believed: {}", array.record());
    agrees_with_mdadm(&array);

    let array = wreck.array("ppl").busy();
    array.says("/dirty", true);
    assert!(array.read() > 0.9, "{}", array.record());
    let _ = array.read_without_each();
    agrees_with_mdadm(&array);
}

#[test]
fn a_general_migration_is_read_wherever_it_was_cut() {
    let sets = [("grow3", 4), ("grow14", 4), ("grow40", 4)];
    let wreck = wreck(&sets);
    for (name, _) in sets {
        let array = wreck.array(name);
        array.says("/health", "reshaping");
        array.says("/reshape/from/slots", 3);
        array.says("/reshape/to/slots", 4);
        let fraction = array.read();
        assert!(fraction > 0.7, "{name}: {fraction}: {}", array.record());
        let _ = array.read_without_each();
        agrees_with_mdadm(&array);
    }
}
