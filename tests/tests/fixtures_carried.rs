//! The sets that the project carries as text are the disks that they say they are.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use raid_tests::Fixture;
use std::fs;
use std::process::Command;

#[test]
fn the_disks_of_a_carried_set_are_to_the_byte_those_that_they_were_made_from() {
    for name in Fixture::carried_names() {
        let Some(original) = Fixture::open_shared(&name) else { return };
        let carried = Fixture::open(&name).unwrap();
        assert_eq!(carried.disks.len(), original.disks.len(), "{name}");
        for (ours, theirs) in carried.disks.iter().zip(&original.disks) {
            assert!(fs::read(ours).unwrap() == fs::read(theirs).unwrap(), "{}: differs", ours.display());
        }
    }
}

#[test]
fn every_disk_of_a_carried_set_comes_back_to_the_same_text() {
    for name in Fixture::carried_names() {
        let fixture = Fixture::open(&name).unwrap();
        assert!(!fixture.disks.is_empty(), "{name}");
        for (number, disk) in fixture.disks.iter().enumerate() {
            let text = raid_tests::workspace().join(format!("tests/fixtures/{name}/disk{number}.img.txt"));
            let output =
                Command::new(raid_tests::program("raid-image")).arg("text").arg(disk).output().unwrap();
            assert!(output.status.success(), "{name}: {output:?}");
            assert!(output.stdout == fs::read(&text).unwrap(), "{}: differs", text.display());
        }
    }
}
