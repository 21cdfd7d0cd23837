//! Every copy erased, and nothing else.

use crate::images::{Image, each, open};
use raid_tests::run;
use std::fs;

#[test]
fn what_was_erased_is_not_found_and_all_else_is_as_it_was() {
    each(|image| {
        let members = run("raid-probe").arg(&image.path).outcome().records_of("member");
        let original = image.bytes();
        let dry = image.meta("erase").arg(&image.path).outcome();
        if dry.code == Some(1) {
            return;
        }
        image.assert_is(&original, "an erase without --write");
        assert!(dry.records().iter().all(|record| record["written"] == false), "{dry}");
        let erase = image.write("erase").arg(&image.path).outcome().expect_code(0);
        let ranges: Vec<_> = erase.records_of("write").iter().map(range).collect();
        let areas = members.iter().flat_map(|member| member["metadata"].as_array().unwrap());
        assert!(areas.count() > 0 && !ranges.is_empty(), "{}: {erase}", image.name);
        let _ = run("raid-probe").arg(&image.path).outcome().expect_code(1);
        for (at, (now, then)) in image.bytes().iter().zip(&original).enumerate() {
            let is_inside = ranges.iter().any(|(start, end)| (*start..*end).contains(&(at as u64)));
            if now != then {
                assert!(is_inside && *now == 0, "{}: byte {at} was changed", image.name);
            }
        }
    });
}

fn range(record: &serde_json::Value) -> (u64, u64) {
    let number = |field: &str| record[field].as_u64().unwrap();
    (number("offset_bytes"), number("offset_bytes") + number("length_bytes"))
}

/// A disk that was used twice: 1.2 over what once was 1.0.
fn used_twice() -> Option<Image> {
    let (image, old) = (open("md12-raid5-ls-3")?, open("md10-raid1-2")?);
    let mut bytes = image.bytes();
    let tail = old.bytes();
    // The superblock 1.0 where the larger disk has its own.
    let sector = |size: usize| ((size / 512 - 16) & !7) * 512;
    let (to, from) = (sector(bytes.len()), sector(tail.len()));
    let mut superblock = tail[from..from + 4096].to_vec();
    superblock[0x90..0x98].copy_from_slice(&(to as u64 / 512).to_le_bytes());
    bytes[to..to + 4096].copy_from_slice(&superblock);
    fs::write(&image.path, bytes).unwrap();
    Some(image)
}

#[test]
fn a_disk_that_was_used_twice_is_erased_twice() {
    let Some(image) = used_twice() else { return };
    let found = run("raid-probe").arg(&image.path).outcome();
    assert_eq!(found.records_of("member").len(), 2, "{found}");
    let _ = image.write("erase").args(["--format", "md"]).arg(&image.path).outcome().expect_code(0);
    let _ = run("raid-probe").arg(&image.path).outcome().expect_code(1);
}

#[test]
fn history_shows_both_uses_of_a_disk_and_which_of_them_counts() {
    let Some(image) = used_twice() else { return };
    let history = image.meta("history").args(["--format", "md"]).arg(&image.path).outcome().expect_code(0);
    let generations = history.records_of("generation");
    assert_eq!(generations.len(), 2, "{history}");
    let current: Vec<_> = generations.iter().map(|generation| generation["current"] == true).collect();
    assert_eq!(current.iter().filter(|current| **current).count(), 1, "{history}");
    let wanted = generations[0]["generation"].to_string();
    let content =
        image.meta("history").args(["--format", "md", "--content", &wanted]).arg(&image.path).outcome();
    let regions = content.expect_code(0).records_of("region");
    assert!(!regions.is_empty());
    let _ = image
        .meta("history")
        .args(["--format", "md", "--content", "987654321"])
        .arg(&image.path)
        .outcome()
        .expect_code(1);
}
