//! Sets that `raid-meta create` makes, seen by the programs that own the formats or know them: blkid, wipefs, dmraid, mdadm
//! and the kernel.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

mod differences;
mod dmraid;
mod mdadm;

use raid_tests::recipes::MadeSet;

fn sectors(set: &MadeSet) -> u64 {
    set.array["size_sectors"].as_u64().unwrap()
}
