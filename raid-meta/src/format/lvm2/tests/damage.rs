//! What is wrong, and what nobody would write.

use super::*;
use crate::format::claims::assert_apart;
use crate::geometry::Level;
use crate::record::Health;
use proptest::prelude::*;

fn one(volumes: &str) -> Vec<u8> {
    pv(0, Some(&group_text(1, 4, volumes)))
}

fn label_sealed(mut disk: Vec<u8>, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    change(&mut disk);
    let sum = checksum(&disk[532..1024]);
    put_u32(&mut disk, 528, sum);
    disk
}

fn header_sealed(mut disk: Vec<u8>, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    change(&mut disk);
    let sum = checksum(&disk[AREA + 4..AREA + 512]);
    put_u32(&mut disk, AREA, sum);
    disk
}

#[test]
fn nothing_is_found_where_nothing_is() {
    for size in [0, 1, 511, 512, 1024, 1025, 4096] {
        assert!(find(&vec![0; size]).is_empty(), "{size}");
        assert!(find(&vec![0xff; size]).is_empty(), "{size}");
    }
    let mut foreign = one("");
    put(&mut foreign, 536, b"LVM1 001");
    assert!(find(&foreign).is_empty());
}

#[test]
fn a_label_is_believed_only_where_it_says_it_is() {
    let disk = one("");
    let mut moved = vec![0; DISK];
    put(&mut moved, 1024, &disk[512..1024]);
    assert!(problems_of(&moved).contains(&"misplaced".to_owned()));
    let mut damaged = disk.clone();
    damaged[700] = 1;
    assert!(problems_of(&damaged).contains(&"checksum".to_owned()));
    assert!(arrays(&[damaged]).is_empty());
    let mut both = disk.clone();
    put(&mut both, 1024, &disk[512..1024]);
    assert_eq!(problems_of(&both), ["several-labels"]);
    let long = label_sealed(disk.clone(), |disk| disk[584..1024].fill(1));
    assert!(problems_of(&long).contains(&"lists-unended".to_owned()));
    let id = label_sealed(disk, |disk| put(disk, 544, b"\x1b[31m\n\xff"));
    let found = find(&id).remove(0);
    assert_eq!(
        found.problems[0].message,
        format!("identity is '\\x1b[31m\\x0a\\xff{}', expected 32 letters and digits", &pv_id(0)[7..])
    );
}

#[test]
fn bounds_of_areas_and_texts_are_looked_at_before_they_are_used() {
    let disk = one("");
    let area = |at: usize, value: u64| {
        problems_of(&header_sealed(disk.clone(), |disk| put(disk, AREA + at, &value.to_le_bytes())))
    };
    assert!(area(24, 1).contains(&"area-contradiction".to_owned()));
    assert!(area(32, u64::MAX).contains(&"area-contradiction".to_owned()));
    for value in [1, 511, AREA_SIZE as u64, u64::MAX] {
        assert!(area(40, value).contains(&"text-out-of-range".to_owned()), "offset {value}");
    }
    for value in [AREA_SIZE as u64, u64::MAX] {
        assert!(area(48, value).contains(&"text-out-of-range".to_owned()), "size {value}");
    }
    let far = label_sealed(disk.clone(), |disk| put_u64(disk, 616, usize::MAX - 100));
    assert!(problems_of(&far).contains(&"area-out-of-range".to_owned()));
    let magic = header_sealed(disk, |disk| disk[AREA + 5] ^= 1);
    assert!(problems_of(&magic).contains(&"area-magic".to_owned()));
}

#[test]
fn what_overlaps_other_metadata_is_not_read_twice() {
    let disk = one("");
    let sound = label_sealed(disk.clone(), |_| ());
    assert_eq!(problems_of(&sound), Vec::<String>::new());
    let list = |offset: usize| {
        label_sealed(disk.clone(), |disk| {
            let extension = disk[632..656].to_vec();
            put_u64(disk, 632, offset);
            put_u64(disk, 640, AREA_SIZE);
            disk[648..664].fill(0);
            put(disk, 664, &extension[16..]);
        })
    };
    for offset in [AREA, AREA + 511, 512, AREA + 600] {
        let disk = list(offset);
        assert!(problems_of(&disk).contains(&"area-overlaps".to_owned()), "{offset}");
        let metadata = find(&disk).remove(0).metadata.unwrap();
        assert_apart(&metadata.areas());
        assert!(!metadata.fields().iter().any(|field| field.name.starts_with("mda[1]")), "{offset}");
    }
    let twice = header_sealed(disk.clone(), |disk| {
        let committed = disk[AREA + 40..AREA + 64].to_vec();
        put(disk, AREA + 64, &committed);
    });
    assert!(problems_of(&twice).contains(&"text-out-of-range".to_owned()));
    assert_apart(&find(&twice)[0].metadata.as_ref().unwrap().areas());
}

#[test]
fn a_change_that_was_not_committed_is_reported_and_not_believed() {
    let mut disk = one(&linear("old", VISIBLE, 1, 0, 0));
    let new = format!("{}\0", group_text(1, 5, &linear("new", VISIBLE, 1, 0, 0)));
    put(&mut disk, AREA + 8192, new.as_bytes());
    let disk = header_sealed(disk, |disk| {
        put_u64(disk, AREA + 64, 8192);
        put_u64(disk, AREA + 72, new.len());
        put_u32(disk, AREA + 80, checksum(new.as_bytes()));
    });
    assert_eq!(problems_of(&disk), ["unfinished-change"]);
    assert_eq!(arrays(std::slice::from_ref(&disk))[0].name, "vg-old");
    let mut broken = disk;
    broken[AREA + 600] ^= 1;
    assert!(problems_of(&broken).contains(&"text-checksum".to_owned()));
    assert!(arrays(&[broken]).is_empty(), "the precommitted text is never chosen");
}

#[test]
fn a_disk_with_a_damaged_text_is_still_a_member_of_what_the_others_describe() {
    let mut set = disks(2, &linear("a", VISIBLE, 2, 1, 0));
    set[1][AREA + 700] ^= 1;
    let found = arrays(&set);
    assert_eq!((found.len(), found[0].health), (1, Health::Optimal));
    assert_eq!(found[0].members[0].device.as_deref(), Some("disk1"));
}

#[test]
fn hostile_text_comes_out_escaped_everywhere() {
    let name = "x\u{7};$()`/\u{1b}é";
    let set = disks(1, &linear(name, VISIBLE, 1, 0, 0).replace("READ", "\x1bREAD"));
    let found = arrays(&set);
    assert_eq!(found[0].name, "vg-x__________");
    assert_eq!(found[0].volume.as_deref(), Some("x\\x07;$()`/\\x1bé"));
    let record = serde_json::to_string(&members(&set)[0].record()).unwrap();
    assert!(!record.contains('\u{1b}') && !record.contains("\\u001b"), "{record}");
    let fields = members(&set)[0].metadata().unwrap().fields();
    assert!(
        fields
            .iter()
            .all(|field| !field.name.contains('\u{1b}') && !field.value.to_string().contains("\\u001b"))
    );
}

#[test]
fn volumes_that_consist_of_each_other_or_of_nothing_are_refused_by_themselves() {
    let ring = lv("a", VISIBLE, &[("striped", 2, "stripe_count = 1\nstripes = [\"b\", 0]")])
        + &lv("b", VISIBLE, &[("striped", 2, "stripe_count = 1\nstripes = [\"a\", 0]")])
        + &lv("self", VISIBLE, &[("striped", 2, "stripe_count = 1\nstripes = [\"self\", 0]")])
        + &lv("gone", VISIBLE, &[("striped", 2, "stripe_count = 1\nstripes = [\"pv9\", 0]")])
        + &lv(
            "far",
            VISIBLE,
            &[("striped", 2, "stripe_count = 1\nstripes = [\"pv0\", 9223372036854775807]")],
        )
        + &lv("none", VISIBLE, &[])
        + &linear("good", VISIBLE, 2, 0, 0);
    let found = arrays(&disks(1, &ring));
    for name in ["vg-a", "vg-b", "vg-self", "vg-gone", "vg-far", "vg-none"] {
        assert_eq!(named(&found, name).health, Health::Failed, "{name}");
    }
    assert_eq!(named(&found, "vg-good").health, Health::Optimal);
}

#[test]
fn numbers_at_their_extremes_do_no_harm() {
    let text = group_text(1, 4, &linear("a", VISIBLE, 2, 0, 0));
    let most = i64::MAX.to_string();
    for (from, to) in [
        (format!("extent_size = {EXTENT}"), format!("extent_size = {most}")),
        (format!("extent_size = {EXTENT}"), "extent_size = 0".to_owned()),
        ("extent_count = 2".to_owned(), format!("extent_count = {most}")),
        ("start_extent = 0".to_owned(), format!("start_extent = {most}")),
        (format!("pe_start = {PE_START}"), format!("pe_start = {most}")),
        ("seqno = 4".to_owned(), "seqno = 99999999999999999999".to_owned()),
    ] {
        let changed = text.replace(&from, &to);
        assert_ne!(changed, text, "{from}");
        for array in arrays(&[pv(0, Some(&changed))]) {
            assert_ne!((array.health, array.level), (Health::Optimal, Level::Raid0), "{to}");
        }
    }
}

proptest! {
    #![proptest_config(crate::testing::property(400))]

    #[test]
    fn no_text_makes_a_reader_panic(
        place in 0..2000_usize,
        new in "[a-z0-9\"\\[\\]{}=,# \n\\\\]{0,12}",
        cut in 0..40_usize,
    ) {
        let raid = lv("r", VISIBLE, &[("raid1", 2, "device_count = 2\nraids = [\"r_rmeta_0\", \"r_rimage_0\"]")]);
        let text = group_text(2, 4, &(raid + &linear("r_rimage_0", HIDDEN, 2, 0, 1) + &linear("r_rmeta_0", HIDDEN, 1, 0, 0)));
        let place = place % text.len();
        let end = (place + cut).min(text.len());
        let changed = format!("{}{new}{}", &text[..place], &text[end..]);
        let disk = pv(0, Some(&changed));
        let _ = arrays(std::slice::from_ref(&disk));
        let _ = Lvm2.history(&device(0, &disk)).unwrap();
        let _ = members(&[disk])[0].metadata().unwrap().fields();
    }
}
