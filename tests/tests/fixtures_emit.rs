//! The tables of the fixtures, word for word. That the kernel reads the pattern back through them is for the virtual
//! machine; here they must not change unnoticed.

use raid_tests::{Fixture, Outcome, run};

/// `raid-table ARGUMENTS` in the directory of a set, on all its disks but those left out.
fn emit(name: &str, arguments: &[&str], without: &[usize]) -> Option<Outcome> {
    let fixture = Fixture::open(name)?;
    let kept = (0..fixture.disks.len()).filter(|number| !without.contains(number));
    let disks = kept.map(|number| format!("disk{number}.img"));
    Some(run("raid-table").args(arguments).args(disks).directory(fixture.directory.path()).outcome())
}

/// The lines that dmsetup would print.
fn lines(name: &str, without: &[usize]) -> Option<Vec<String>> {
    let outcome = emit(name, &["--degraded", "-o", "dmsetup"], without)?.expect_code(0);
    Some(outcome.text().lines().map(str::to_owned).collect())
}

fn expect(name: &str, without: &[usize], expected: &[&str]) {
    if let Some(lines) = lines(name, without) {
        assert_eq!(lines, expected, "{name} without {without:?}");
    }
}

#[test]
fn striped_and_linear_arrays_are_one_device() {
    expect(
        "md12-raid0-3",
        &[],
        &["md_md12-raid0-3: 0 141312 striped 3 128 disk0.img 2048 disk1.img 2048 disk2.img 2048"],
    );
    expect("isw-raid0-2", &[], &["isw_dhihafbadh_v0: 0 73728 striped 2 128 disk1.img 0 disk0.img 0"]);
    expect(
        "md12-linear-2",
        &[],
        &[
            "md_md12-linear-2: 0 47104 linear disk0.img 2048",
            "md_md12-linear-2: 47104 47104 linear disk1.img 2048",
        ],
    );
}

#[test]
fn mirrors_and_parity_are_raid_targets_over_helpers() {
    expect(
        "md10-raid1-2",
        &[],
        &[
            "md_md10-raid1-2_member0: 0 49024 linear disk0.img 0",
            "md_md10-raid1-2_member1: 0 49024 linear disk1.img 0",
            "md_md10-raid1-2: 0 49024 raid raid1 2 0 nosync 2 - /dev/mapper/md_md10-raid1-2_member0 \
             - /dev/mapper/md_md10-raid1-2_member1",
        ],
    );
    expect(
        "md12-raid5-ls-3",
        &[1],
        &[
            "md_md12-raid5-ls-3_member0: 0 47104 linear disk0.img 2048",
            "md_md12-raid5-ls-3_member2: 0 47104 linear disk2.img 2048",
            "md_md12-raid5-ls-3: 0 94208 raid raid5_ls 2 128 nosync 3 - /dev/mapper/md_md12-raid5-ls-3_member0 \
             - - - /dev/mapper/md_md12-raid5-ls-3_member2",
        ],
    );
    expect(
        "isw-raid5-3",
        &[],
        &[
            "isw_cgadcgdeij_v0_member0: 0 36864 linear disk0.img 0",
            "isw_cgadcgdeij_v0_member1: 0 36864 linear disk1.img 0",
            "isw_cgadcgdeij_v0_member2: 0 36864 linear disk2.img 0",
            "isw_cgadcgdeij_v0: 0 73728 raid raid5_la 2 128 nosync 3 - /dev/mapper/isw_cgadcgdeij_v0_member0 \
             - /dev/mapper/isw_cgadcgdeij_v0_member1 - /dev/mapper/isw_cgadcgdeij_v0_member2",
        ],
    );
}

#[test]
fn a_raid10_is_striped_over_mirrors() {
    expect(
        "md12-raid10-n2-4",
        &[],
        &[
            "md_md12-raid10-n2-4_member0: 0 47104 linear disk0.img 2048",
            "md_md12-raid10-n2-4_member1: 0 47104 linear disk1.img 2048",
            "md_md12-raid10-n2-4_mirror0: 0 47104 raid raid1 2 0 nosync 2 - /dev/mapper/md_md12-raid10-n2-4_member0 \
             - /dev/mapper/md_md12-raid10-n2-4_member1",
            "md_md12-raid10-n2-4_member2: 0 47104 linear disk2.img 2048",
            "md_md12-raid10-n2-4_member3: 0 47104 linear disk3.img 2048",
            "md_md12-raid10-n2-4_mirror1: 0 47104 raid raid1 2 0 nosync 2 - /dev/mapper/md_md12-raid10-n2-4_member2 \
             - /dev/mapper/md_md12-raid10-n2-4_member3",
            "md_md12-raid10-n2-4: 0 94208 striped 2 128 /dev/mapper/md_md12-raid10-n2-4_mirror0 0 \
             /dev/mapper/md_md12-raid10-n2-4_mirror1 0",
        ],
    );
}

#[test]
fn a_raid6_of_mds_own_layout_is_five_arrays_in_turn_and_can_miss_two_disks() {
    for (without, devices) in [(&[][..], 31), (&[0], 26), (&[1, 3], 21)] {
        let Some(lines) = lines("md12-raid6-ls-5", without) else { return };
        let names: std::collections::BTreeSet<&str> =
            lines.iter().filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
        assert_eq!(names.len(), devices, "{without:?}");
        assert_eq!(
            lines.iter().find(|line| line.starts_with("md_md12-raid6-ls-5: 0 ")).map(|line| &line[..46]),
            Some("md_md12-raid6-ls-5: 0 140160 striped 5 384 /de")
        );
    }
}

#[test]
fn a_degraded_array_is_left_out_unless_asked_for_and_then_read_only() {
    let Some(refused) = emit("md12-raid5-stale-3", &["-J"], &[]) else { return };
    let refused = refused.expect_code(1);
    assert!(refused.stdout.is_empty());
    assert_eq!(
        refused.stderr,
        "raid-table: md_md12-raid5-stale-3: degraded: slot 2 is not in sync; --degraded maps it without\n"
    );
    let Some(given) = emit("md12-raid5-stale-3", &["--degraded", "-J"], &[]) else { return };
    let tables = given.expect_code(0).records_of("table");
    assert!(!tables.is_empty());
    for table in &tables {
        assert_eq!(table["read_only"], true);
        assert!(!table["lines"].to_string().contains("disk2.img"), "the stale member is not used: {table}");
    }
}

#[test]
fn a_reshape_is_bad_data_for_the_kernel() {
    let Some(outcome) = emit("isw-raid5-reshape-3to4", &[], &[]) else { return };
    let outcome = outcome.expect_code(3);
    assert!(outcome.stderr.contains("reshaping"), "{}", outcome.stderr);
}

#[test]
fn one_array_of_two_is_partly_done() {
    let (Some(whole), Some(stale)) = (Fixture::open("md12-raid0-3"), Fixture::open("md12-raid5-stale-3"))
    else {
        return;
    };
    let outcome = run("raid-table").args(["-o", "concise"]).args(&whole.disks).args(&stale.disks).outcome();
    let text = outcome.expect_code(5).text();
    assert_eq!(text.lines().count(), 1);
    assert!(text.starts_with("md_md12-raid0-3,RAIDTABLE-md-"), "{text}");
    assert!(text.contains(",,rw,0 141312 striped 3 128 "), "{text}");
}
