//! Each rule about bad input, by its name.

use super::*;
use crate::record::Problem;

fn broken(change: impl FnOnce(&mut Mpb)) -> Vec<String> {
    let mut mpb = raid5(3);
    change(&mut mpb);
    check_codes(&sealed(mpb))
}

#[test]
fn sound_metadata_has_no_problems() {
    assert_eq!(broken(|_| {}), Vec::<String>::new());
    assert_eq!(check_codes(&raid1()), Vec::<String>::new());
}

#[test]
fn a_wrong_checksum_is_an_error_with_both_numbers() {
    let mut mpb = raid1();
    mpb.header.check_sum += 1;
    let found = find(&device_of(&mpb, None)).unwrap();
    assert_eq!(found.problems, [Problem::error("checksum", "checksum is 0x5fac6423, computed 0x5fac6422")]);
}

#[test]
fn the_container_is_held_to_its_rules() {
    assert_eq!(broken(|mpb| mpb.header.attributes |= 0x20), ["unsupported-attribute"]);
    assert_eq!(broken(|mpb| mpb.padding = vec![0; 2]), ["mpb-size-alignment"]);
    assert_eq!(
        broken(|mpb| mpb.disks[1].serial = mpb.disks[0].serial),
        ["duplicate-serial", "duplicate-serial"]
    );
    assert_eq!(
        broken(|mpb| mpb.disks.iter_mut().for_each(|disk| disk.total_blocks_lo += 1)),
        ["device-too-small"]
    );
    assert_eq!(
        broken(|mpb| mpb.disks.iter_mut().for_each(|disk| disk.total_blocks_lo -= 1)),
        ["device-size"]
    );
}

#[test]
fn a_map_is_held_to_its_rules() {
    let map = |change: fn(&mut MapHead)| broken(|mpb| change(&mut mpb.volumes[0].map.head));
    assert_eq!(map(|head| head.raid_level = 6), ["unsupported-level"]);
    assert_eq!(map(|head| head.raid_level = 1), ["domain-count", "member-count"]);
    assert_eq!(map(|head| head.blocks_per_strip = 0), ["chunk"]);
    assert_eq!(map(|head| head.blocks_per_strip = 129), ["chunk"]);
    assert_eq!(map(|head| head.num_domains = 0), ["domain-count"]);
    assert_eq!(map(|head| head.map_state = 4), ["map-state"]);
    assert_eq!(map(|head| head.pba_of_lba0_lo = 0xffff_0000), ["out-of-range"]);
    assert_eq!(map(|head| head.num_data_stripes_lo = 4000), ["volume-size"]);
    let slots = |table: &[u32]| broken(|mpb| mpb.volumes[0].map.disk_ord_tbl = table.to_vec());
    assert_eq!(slots(&[0, 1, 3]), ["disk-index"]);
    assert_eq!(slots(&[0, 1, 1]), ["duplicate-disk"]);
    assert_eq!(slots(&[]), ["member-count"]);
    assert_eq!(slots(&[0]), ["member-count"]);
}

#[test]
fn a_volume_is_held_to_its_rules() {
    let migrating = |kind: u8| {
        broken(|mpb| {
            mpb.volumes[0].source = Some(mpb.volumes[0].map.clone());
            mpb.volumes[0].state.migr_type = kind;
        })
    };
    assert_eq!(migrating(2), Vec::<String>::new());
    assert_eq!(migrating(4), ["unsupported-migration"]);
    assert_eq!(migrating(5), ["unsupported-migration"]);
    assert_eq!(broken(|mpb| mpb.volumes[0].head.size_low = 0), ["volume-size", "volume-size"]);
    assert_eq!(broken(|mpb| mpb.volumes[0].head.rwh_policy = 7), ["write-hole-policy"]);
    assert_eq!(broken(|mpb| mpb.volumes[0].head.reserved_blocks = 1), ["reserved-blocks"]);
    assert_eq!(broken(|mpb| mpb.volumes.push(mpb.volumes[0].clone())), ["overlap"]);
}

#[test]
fn a_volume_with_an_error_can_not_be_mapped_but_can_be_seen() {
    let mut mpb = raid5(3);
    mpb.volumes[0].map.disk_ord_tbl = vec![0, 1, 1];
    let view = view_of(&sealed(mpb), "SER0");
    assert!(view.volumes[0].geometry.is_none());
    assert_eq!(view.volumes[0].level, Some(crate::geometry::Level::Raid5));
    assert_eq!(view.volumes[0].name.as_deref(), Some("vol"));
}

#[test]
fn hostile_names_are_harmless() {
    let mut mpb = raid5(3);
    mpb.volumes[0].head.volume = *b"a/../\x1b[2J b\0\0\0\0\0";
    mpb.header.version = *b"9\n.1.2.3";
    let view = view_of(&sealed(mpb), "SER0");
    assert_eq!(view.volumes[0].name.as_deref(), Some("a/../\\x1b[2J b"));
    assert_eq!(view.volumes[0].dm_name, "isw_cihefeaca_a_..___2J_b");
    assert_eq!(view.set_id, "11223344-9\\x0a.1.2.3");
}
