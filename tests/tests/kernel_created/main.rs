//! Sets that `raid-meta create` makes, seen by the programs that own the formats or know them: blkid, wipefs, dmraid, mdadm
//! and the kernel.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

mod differences;
mod dmraid;
mod mdadm;

use raid_tests::recipes::MadeSet;

/// Disks that one machine is given at most.
const DISKS: usize = 48;

/// Gives sets to `look` in groups for one machine each.
fn in_machines(sets: &[MadeSet], mut look: impl FnMut(&[MadeSet])) {
    let mut rest = sets;
    while !rest.is_empty() {
        let mut disks = 0;
        let fits = |set: &&MadeSet| {
            disks += set.disks.len();
            disks <= DISKS
        };
        let (now, after) = rest.split_at(rest.iter().take_while(fits).count().max(1));
        look(now);
        rest = after;
    }
}

fn sectors(set: &MadeSet) -> u64 {
    set.array["size_sectors"].as_u64().unwrap()
}
