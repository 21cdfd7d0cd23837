//! Bytes: identity, fields, checksums, what is still in the ring.

use super::*;
use crate::format::Metadata;
use crate::record::ChecksumState;
use std::collections::HashMap;

fn one() -> Vec<u8> {
    pv(0, Some(&group_text(1, 4, &linear("home", VISIBLE, 3, 0, 0))))
}

fn wrapped() -> Vec<u8> {
    let mut disk = one();
    write_text(&mut disk, AREA_SIZE - 512, &group_text(1, 5, &linear("home", VISIBLE, 3, 0, 0)));
    disk
}

fn metadata(bytes: &[u8]) -> Box<dyn Metadata> {
    find(bytes).remove(0).metadata.unwrap()
}

#[test]
fn every_byte_comes_back_and_is_in_exactly_one_field() {
    for disk in [one(), wrapped()] {
        let metadata = metadata(&disk);
        let mut fields = metadata.fields().into_iter();
        for area in metadata.areas() {
            let start = usize::try_from(area.offset.0).unwrap();
            assert_eq!(area.bytes, disk[start..start + area.bytes.len()], "{}", area.role);
            assert_eq!(area.checksum, ChecksumState::Ok, "{}", area.role);
            let end = start + area.bytes.len();
            let mut next = start;
            while next < end {
                let field = fields.next().unwrap();
                assert_eq!(field.offset, at(next), "{}", field.name);
                next += field.size as usize;
            }
            assert_eq!(next, end, "{}", area.role);
        }
        assert!(fields.next().is_none());
    }
}

#[test]
fn a_text_that_reaches_the_end_goes_on_behind_the_header() {
    let areas = metadata(&wrapped()).areas();
    let roles: Vec<_> = areas.iter().map(|area| (area.role, area.offset.0)).collect();
    let end = (AREA + AREA_SIZE - 512) as u64;
    assert_eq!(
        roles,
        [("label", 512), ("metadata-header", 4096), ("metadata-text", end), ("metadata-text", 4096 + 512)]
    );
    assert_eq!(arrays(&[wrapped()])[0].size_sectors.0, 3 * EXTENT as u64);
}

#[test]
fn fields_have_the_names_of_the_text() {
    let fields = metadata(&one()).fields();
    let names: HashMap<&str, _> = fields.iter().map(|field| (field.name.as_str(), &field.value)).collect();
    assert_eq!(names.len(), fields.len(), "names are unique");
    for (name, value) in [
        ("vg.name", "vg"),
        ("vg.seqno", "4"),
        ("vg.status[1]", "READ"),
        ("vg.physical_volumes.pv0.pe_start", "128"),
        ("vg.logical_volumes.home.segment1.stripes[0]", "pv0"),
        ("description", "Write from test 4"),
        ("label.id", "LABELONE"),
    ] {
        assert_eq!(names.get(name).map(|value| value.as_str().unwrap()), Some(value), "{name}");
    }
    assert_eq!(names["mda[0].raw_locn[0].offset"], 512);
    assert_eq!(names["pv.metadata[0].size"], AREA_SIZE);
    let time = fields.iter().find(|field| field.name == "creation_time").unwrap();
    assert_eq!(time.meaning.as_deref(), Some("2026-11-21T01:03:24Z"));
}

#[test]
fn any_flipped_byte_is_noticed() {
    let disk = one();
    let areas = metadata(&disk).areas();
    for area in areas {
        for offset in (0..area.bytes.len()).step_by(3) {
            let place = usize::try_from(area.offset.0).unwrap() + offset;
            let mut damaged = disk.clone();
            damaged[place] ^= 0x10;
            let found = members(&[damaged]);
            let is_noticed = found.is_empty() || found[0].problems.iter().any(Problem::is_error);
            assert!(is_noticed, "byte {place} of the {}", area.role);
        }
    }
}

#[test]
fn sealing_makes_a_changed_text_sound_again() {
    for disk in [one(), wrapped()] {
        let member = metadata(&disk);
        let mut areas = member.areas();
        let text = areas.iter_mut().rev().find(|area| area.bytes.windows(4).any(|window| window == b"home"));
        let text = &mut text.unwrap().bytes;
        let place = text.windows(4).position(|window| window == b"home").unwrap();
        put(text, place, b"work");
        member.seal(&mut areas);
        let mut changed = disk.clone();
        for area in &areas {
            put(&mut changed, usize::try_from(area.offset.0).unwrap(), &area.bytes);
        }
        assert_eq!(problems_of(&changed), [""; 0]);
        assert_eq!(arrays(&[changed])[0].name, "vg-work");
        let mut same = member.areas();
        member.seal(&mut same);
        assert_eq!(same, member.areas(), "sealing what is right changes nothing");
    }
}

#[test]
fn older_texts_are_found_in_the_ring_until_they_are_overwritten() {
    let mut disk = one();
    let text = |seqno| group_text(1, seqno, &linear("home", VISIBLE, 3, 0, 0));
    let step = text(4).len().next_multiple_of(512);
    for (place, seqno) in [(1, 5), (2, 6)] {
        write_text(&mut disk, 512 + place * step, &text(seqno));
    }
    let history = Lvm2.history(&device(0, &disk)).unwrap();
    let told: Vec<_> = history.iter().map(|generation| (generation.generation, generation.current)).collect();
    assert_eq!(told, [(6, true), (5, false), (4, false)]);
    assert_eq!(history[2].description.as_deref(), Some("Write from test 4"));
    assert_eq!(history[2].updated, Some(1_795_223_004));
    assert_eq!(history[2].areas[0].offset, at(AREA + 512));
    // The end of the second is lost.
    put(&mut disk, AREA + 512 + step + 600, &[0; 64]);
    let told: Vec<_> = Lvm2.history(&device(0, &disk)).unwrap();
    assert_eq!(told.iter().map(|generation| generation.generation).collect::<Vec<_>>(), [6, 4]);
}

#[test]
fn a_text_is_found_across_the_end_of_the_ring() {
    let history = Lvm2.history(&device(0, &wrapped())).unwrap();
    let current = history.iter().find(|generation| generation.current).unwrap();
    assert_eq!((current.generation, current.areas.len()), (5, 2));
}

#[test]
fn a_label_in_the_middle_of_something_has_the_window_of_its_device() {
    let mut file = vec![0; 8192];
    file.extend(one());
    file.extend([0; 4096]);
    let windows = Lvm2.windows(&device(0, &file), at(8192 + 512)).unwrap();
    assert_eq!(windows, [crate::format::Range { offset: at(8192), length: at(DISK) }]);
    assert_eq!(Lvm2.windows(&device(0, &file), at(8192)).unwrap(), []);
}
