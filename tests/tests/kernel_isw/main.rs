//! Intel metadata: what mdadm says of it and what it leaves behind, against our reading of it.

#![allow(clippy::panic, reason = "a test fails by panicking")]

mod examine;
mod states;

use raid_tests::Fixture;

/// The sets with Intel metadata.
fn isw_sets() -> Vec<String> {
    Fixture::names().into_iter().filter(|name| name.starts_with("isw-")).collect()
}

#[test]
fn every_line_that_mdadm_prints_of_a_set_is_in_our_dump() {
    let _ = (raid_tests::program("raid-meta"), raid_tests::program("raid-probe"));
    let mut wrong = Vec::new();
    for name in isw_sets() {
        let Some(set) = Fixture::open(&name) else { continue };
        let mdadm = examine::examine(&set.disks, "");
        for (disk, text) in set.disks.iter().zip(&mdadm) {
            wrong.extend(examine::differences(disk, text, 512));
        }
        examine::assert_volumes_known(&set.disks, &mdadm);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
