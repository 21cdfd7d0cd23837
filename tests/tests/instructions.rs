//! `RAID_SIMD` names instructions; a name that there is not is said once, and nothing else changes.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use raid_tests::{Fixture, run};

#[test]
fn instructions_that_there_are_not_are_named_and_others_are_used() {
    let set = Fixture::open("isw-raid5-3").unwrap();
    for (name, lines) in [("portable", 0), ("", 0), ("sse9", 1)] {
        let read = run("raid-table").arg("read").args(&set.disks[1..]).env("RAID_SIMD", name).outcome();
        let read = read.expect_code(0);
        assert!(read.stdout == set.content());
        assert_eq!(read.stderr.lines().count(), lines, "{read}");
        assert_eq!(read.stderr.contains("RAID_SIMD: sse9 is none"), lines == 1, "{read}");
        let scrub = run("raid-repair").arg("scrub").args(&set.disks).env("RAID_SIMD", name).outcome();
        assert_eq!(scrub.stderr.matches("RAID_SIMD").count(), lines, "{scrub}");
    }
}
