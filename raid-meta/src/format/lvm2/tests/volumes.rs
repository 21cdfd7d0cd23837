//! Logical volumes that are not raids.

use super::*;
use crate::geometry::Level;
use crate::record::{Health, MemberState, Role};
use crate::units::Sectors;

fn extents(count: usize) -> Sectors {
    Sectors((count * EXTENT) as u64)
}

#[test]
fn a_linear_volume_is_the_ranges_of_its_segments_in_order() {
    let segment = |pv: usize, start: usize| format!("stripe_count = 1\nstripes = [\"pv{pv}\", {start}]");
    let volume = lv("a-b", VISIBLE, &[("striped", 3, &segment(1, 0)), ("striped", 2, &segment(0, 5))]);
    let found = arrays(&disks(2, &volume));
    let array = named(&found, "vg-a--b");
    assert_eq!((array.level, array.size_sectors, array.health), (Level::Linear, extents(5), Health::Optimal));
    assert_eq!(array.uuid.as_deref(), Some(lv_id("a-b").as_str()));
    assert_eq!(array.set_id.as_deref(), Some(lv_id("vg").as_str()));
    let places: Vec<_> = array
        .members
        .iter()
        .map(|member| {
            (member.device.as_deref().unwrap(), member.offset_sectors.unwrap().0, member.length_sectors)
        })
        .collect();
    let start = PE_START as u64;
    assert_eq!(
        places,
        [("disk1", start, Some(extents(3))), ("disk0", start + 5 * EXTENT as u64, Some(extents(2))),]
    );
}

#[test]
fn stripes_are_a_raid0_and_stripes_among_others_a_volume_without_a_name() {
    let stripes = "stripe_count = 2\nstripe_size = 16\nstripes = [\"pv0\", 0, \"pv1\", 3]";
    let linear = "stripe_count = 1\nstripes = [\"pv0\", 9]";
    let volumes = lv("s", VISIBLE, &[("striped", 4, stripes)])
        + &lv("m", VISIBLE, &[("striped", 4, stripes), ("striped", 1, linear)]);
    let found = arrays(&disks(2, &volumes));
    let array = named(&found, "vg-s");
    assert_eq!((array.level, array.slots, array.size_sectors), (Level::Raid0, 2, extents(4)));
    assert_eq!(array.chunk_sectors.unwrap().get(), 16);
    assert_eq!(array.members[1].length_sectors, Some(extents(2)));
    assert_eq!(array.tuning, None);
    let mixed = named(&found, "vg-m");
    assert_eq!((mixed.level, mixed.size_sectors), (Level::Linear, extents(5)));
    assert_eq!(mixed.members[0].array.as_deref(), Some("vg-m_segment0"));
    assert_eq!(mixed.members[1].device.as_deref(), Some("disk0"));
    assert_eq!(named(&found, "vg-m_segment0").volume, None);
}

#[test]
fn a_volume_on_a_missing_disk_has_failed_and_the_others_have_not() {
    let volumes = linear("a", VISIBLE, 2, 0, 0) + &linear("b", VISIBLE, 2, 1, 0);
    let mut set = disks(2, &volumes);
    set.pop();
    let found = arrays(&set);
    assert_eq!(named(&found, "vg-a").health, Health::Optimal);
    assert_eq!(named(&found, "vg-b").health, Health::Failed);
    assert_eq!(named(&found, "vg-b").members[0].state, MemberState::Missing);
    let text =
        group_text(2, 4, &volumes).replacen("flags = []\ndev_size", "flags = [\"MISSING\"]\ndev_size", 1);
    let marked: Vec<_> = (0..2).map(|number| pv(number, Some(&text))).collect();
    let found = arrays(&marked);
    assert_eq!(
        named(&found, "vg-a").members[0].state,
        MemberState::Failed,
        "it came back, but is marked as missing"
    );
}

#[test]
fn a_disk_without_metadata_is_described_by_the_others() {
    let text = group_text(2, 4, &linear("a", VISIBLE, 2, 1, 0));
    let set = [pv(0, Some(&text)), pv(1, None)];
    let found = arrays(&set);
    assert_eq!((found.len(), found[0].health), (1, Health::Optimal));
    assert_eq!(found[0].members[0].device.as_deref(), Some("disk1"));
    let alone = members(&set[1..]);
    assert_eq!(alone[0].record().set_id, None);
    assert_eq!(codes(&alone[0].problems), ["no-metadata"]);
    assert!(arrays(&set[1..]).is_empty());
}

#[test]
fn the_newest_text_speaks_for_all_and_an_older_one_makes_no_disk_stale() {
    let old = group_text(2, 4, &linear("a", VISIBLE, 2, 0, 0));
    let new = group_text(2, 9, &linear("b", VISIBLE, 2, 0, 0));
    let set = [pv(0, Some(&old)), pv(1, Some(&new))];
    let found = arrays(&set);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].name.as_str(), found[0].health), ("vg-b", Health::Optimal));
    let mut both = members(&set);
    group(&mut both, false);
    assert_eq!(codes(&both[0].problems), ["generation-behind"]);
}

#[test]
fn a_copy_of_a_disk_is_contradictory() {
    let mut set = disks(1, &linear("a", VISIBLE, 2, 0, 0));
    set.push(set[0].clone());
    let found = arrays(&set);
    assert!(codes(&found[0].problems).contains(&"duplicate-member"), "{:?}", found[0].problems);
}

#[test]
fn a_disk_that_its_own_text_does_not_list_is_foreign() {
    let text = group_text(1, 4, "");
    let record = members(&[pv(7, Some(&text))])[0].record();
    assert_eq!(record.role, Role::Foreign);
    assert_eq!(record.problems[0].code, "not-listed");
}

#[test]
fn what_is_not_read_is_refused_by_itself_and_by_name() {
    let thin = lv("pool", VISIBLE, &[("thin-pool", 2, "metadata = \"pool_tmeta\"\npool = \"pool_tdata\"")])
        + &linear("pool_tmeta", HIDDEN, 1, 0, 0)
        + &linear("pool_tdata", HIDDEN, 2, 0, 1)
        + &lv("thin", VISIBLE, &[("thin", 8, "thin_pool = \"pool\"\ndevice_id = 1")])
        + &lv("future", VISIBLE, &[("striped+NEWFLAG", 1, "stripe_count = 1\nstripes = [\"pv0\", 7]")])
        + &lv("i", HIDDEN, &[("integrity", 1, "origin = \"i_iorig\"\nmode = \"journal\"")])
        + &linear("i_iorig", HIDDEN, 1, 0, 9)
        + &linear("good", VISIBLE, 1, 0, 12);
    let found = arrays(&disks(1, &thin));
    for (name, kind) in [("vg-pool", "thin-pool"), ("vg-thin", "thin"), ("vg-i", "integrity")] {
        let array = named(&found, name);
        assert_eq!(array.health, Health::Failed, "{name}");
        let told = array.problems.iter().any(|problem| problem.message.contains(&format!("type {kind} ")));
        assert!(told, "{name}: {:?}", array.problems);
    }
    assert_eq!(named(&found, "vg-pool").members[1].array.as_deref(), Some("vg-pool_tdata"));
    assert_eq!(named(&found, "vg-future").health, Health::Failed);
    assert_eq!(named(&found, "vg-good").health, Health::Optimal);
}

#[test]
fn the_store_of_a_snapshot_is_not_read_as_a_volume() {
    let snapshot = |store: &str| {
        linear("origin", VISIBLE, 4, 0, 0)
            + &linear("snap", VISIBLE, 1, 0, 4)
            + &lv(
                "snapshot0",
                HIDDEN,
                &[("snapshot", 4, &format!("chunk_size = 8\norigin = \"origin\"\n{store}"))],
            )
    };
    let found = arrays(&disks(1, &snapshot("cow_store = \"snap\"")));
    assert_eq!(found.len(), 2);
    assert_eq!(named(&found, "vg-origin").health, Health::Optimal);
    assert_eq!(named(&found, "vg-snap").health, Health::Failed);
    let merging = arrays(&disks(1, &snapshot("merging_store = \"snap\"")));
    assert_eq!(named(&merging, "vg-origin").health, Health::Failed);
}

#[test]
fn an_old_mirror_is_a_mirror() {
    let mirror = lv(
        "m",
        VISIBLE,
        &[(
            "mirror",
            2,
            "mirror_count = 2\nmirror_log = \"m_mlog\"\nregion_size = 1024\nmirrors = [\"m_mimage_0\", 0, \"m_mimage_1\", 0]",
        )],
    ) + &linear("m_mlog", HIDDEN, 1, 0, 9)
        + &linear("m_mimage_0", HIDDEN, 2, 0, 0)
        + &linear("m_mimage_1", HIDDEN, 2, 1, 0);
    let mut set = disks(2, &mirror);
    let found = arrays(&set);
    let array = named(&found, "vg-m");
    assert_eq!((array.level, array.health), (Level::Raid1, Health::Optimal));
    set.remove(0);
    assert_eq!(named(&arrays(&set), "vg-m").health, Health::Degraded);
}
