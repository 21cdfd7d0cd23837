//! Arrays whose machine lost power in the middle of something (`tests/vm/cases/md_midway.sh`).

use raid_tests::{Wreck, Wrecked, run};

fn wreck(sets: &[(&str, usize)]) -> Wreck {
    const POWER_CUT: i32 = 9;
    Wreck::of("md_midway", sets, POWER_CUT)
}

/// The record names the reshape as mdadm does.
#[track_caller]
fn is_reshaping(array: &Wrecked, from_slots: u64, to_slots: u64) {
    array.says("/health", "reshaping");
    array.says("/reshape/position_sectors", 2 * array.mdadm_number(0, "Reshape pos'n"));
    array.says("/reshape/from/slots", from_slots);
    array.says("/reshape/to/slots", to_slots);
}

#[test]
fn an_array_that_was_growing_is_read_on_both_sides_of_the_border() {
    let wreck = wreck(&[("grow", 4), ("offset", 4), ("ten", 5), ("shrink", 5)]);
    for (name, from, to) in [("grow", 3, 4), ("offset", 3, 4), ("ten", 4, 5), ("shrink", 5, 4)] {
        let mut array = wreck.array(name);
        if name == "shrink" {
            array.sectors = array.sectors / 4 * 3;
        }
        is_reshaping(&array, from, to);
        array.says("/size_sectors", array.sectors);
        array.is_whole();
        // Not every byte need be readable without a disk, but none may be wrong.
        array.read_without_each();
    }
}

#[test]
fn what_a_reshape_writes_over_itself_is_refused() {
    let wreck = wreck(&[("chunk", 5), ("layout", 4), ("five2six", 4)]);
    let chunk = wreck.array("chunk");
    is_reshaping(&chunk, 5, 5);
    chunk.says("/reshape/from/chunk_sectors", 128);
    chunk.says("/reshape/to/chunk_sectors", 64);
    let layout = wreck.array("layout");
    is_reshaping(&layout, 4, 4);
    layout.says("/reshape/to/layout", "right-asymmetric");
    let five2six = wreck.array("five2six");
    is_reshaping(&five2six, 4, 4);
    five2six.says("/reshape/from/layout", "left-symmetric-6");
    five2six.says("/reshape/to/layout", "left-symmetric");
    for array in [chunk, layout, five2six] {
        // The recorded position is where it was in the beginning, or little further.
        assert!(array.read() < 0.9, "{}: {}", array.what, array.record());
        array.read_without_each();
    }
}

#[test]
fn what_was_not_rebuilt_yet_is_not_used() {
    let wreck = wreck(&[("recover5", 4), ("recover6", 7), ("recover1", 3), ("recover10", 5)]);
    for (name, spare, removed) in [("recover5", 3, 1), ("recover1", 2, 0), ("recover10", 4, 2)] {
        let array = wreck.array(name);
        array.says("/health", "rebuilding");
        array.says(&format!("/members/{removed}/state"), "rebuilding");
        let recovered = array.mdadm_number(spare, "Recovery Offset");
        array.says(&format!("/members/{removed}/recovered_sectors"), recovered);
        assert!((1000..40_000).contains(&recovered), "{name}: {recovered}");
        array.is_whole();
        assert!(array.read_without_each() > 0.1, "{name}: {}", array.record());
    }
    let six = wreck.array("recover6");
    six.says("/health", "rebuilding");
    six.is_whole();
    six.read_without_each();
}

#[test]
fn a_member_that_is_being_replaced_is_still_the_member() {
    let wreck = wreck(&[("replace", 4)]);
    let array = wreck.array("replace");
    array.says("/slots", 3);
    array.says("/members/1/state", "in-sync");
    array.is_whole();
    assert!(array.read_without_each() > 0.2, "{}", array.record());
}

#[test]
fn parity_that_may_be_wrong_is_not_believed() {
    let wreck =
        wreck(&[("resync", 3), ("dirty5", 3), ("dirty1", 2), ("bitmap", 3), ("ppl", 3), ("journal", 4)]);
    for name in ["resync", "dirty5", "dirty1", "bitmap"] {
        let array = wreck.array(name).busy();
        array.is_whole();
        array.read_without_each();
    }
    for name in ["dirty5", "bitmap"] {
        let array = wreck.array(name).busy();
        array.says("/dirty", true);
        assert_eq!(array.mdadm(0, "State"), "active");
        assert!(array.without(1).read() < 0.99, "{name}: parity was believed: {}", array.record());
    }
    let log = wreck.array("ppl").busy();
    assert!(log.read() > 0.9, "{}", log.record());
    log.read_without_each();
    let journal = wreck.array("journal");
    journal.says("/write_log", "journal");
    let outcome = run("raid-table").arg("read").args(&journal.disks).outcome().expect_code(3);
    assert!(outcome.stdout.is_empty() && outcome.stderr.contains("journal"), "{outcome}");
}
