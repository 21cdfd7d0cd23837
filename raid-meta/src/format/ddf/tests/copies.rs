//! Which copy is believed, what is found without an anchor, and where.

use super::*;
use crate::format::claims::assert_apart;
use crate::identify::identify;
use crate::record::Evidence;

/// The device with the header of one copy changed, checksum and all.
fn with_header(device: &Device, secondary: bool, change: impl FnOnce(&mut structs::Header)) -> Device {
    edited(device, |ddf| {
        let copy = if secondary { &mut ddf.secondary } else { &mut ddf.primary };
        let copy = copy.as_mut().unwrap();
        change(&mut copy.header);
        copy.bytes = copy.header.encode(Endian::Big);
    })
}

fn believed(device: &Device) -> &'static str {
    decoded(device).believed().map_or("none", |copy| copy.which.name())
}

#[test]
fn two_copies_that_agree_are_evidence() {
    let devices = made(Level::Raid1, 2);
    let member = identify(&devices[0], &[&Ddf]).unwrap().remove(0);
    let wanted = [Evidence::Signature, Evidence::Checksum, Evidence::Copies, Evidence::Bounds];
    assert_eq!(member.evidence, wanted);
    assert_eq!(member.problems, []);
}

#[test]
fn the_newer_copy_is_believed_and_the_older_is_history() {
    let device = with_header(&made(Level::Raid1, 2)[0], true, |header| header.sequence_number += 1);
    assert_eq!(believed(&device), "secondary");
    assert_eq!(check_codes(&device), ["copies-differ"]);
    let generations = Ddf.history(&device).unwrap();
    let found: Vec<_> =
        generations.iter().map(|generation| (generation.generation, generation.current)).collect();
    assert_eq!(found, [(4, true), (3, false)]);
    assert_eq!(
        generations[1].description.as_deref(),
        Some("primary copy: data1 (optimal, consistent, fully initialized, read/write)")
    );
}

#[test]
fn a_copy_that_is_being_written_is_not_believed_while_the_other_is_whole() {
    let device = &made(Level::Raid1, 2)[0];
    let open = with_header(device, false, |header| {
        header.open_flag = 1;
        header.sequence_number += 1;
    });
    assert_eq!(believed(&open), "secondary");
    assert_eq!(check_codes(&open), ["copy-open", "copies-differ"]);
    assert_eq!(metadata(&Ddf, &open).view(&open).generation, 3);
}

#[test]
fn a_damaged_section_is_taken_from_the_other_copy() {
    let device = &made(Level::Raid5, 3)[0];
    for kind in copy::Kind::ALL.into_iter().filter(|kind| kind.is_needed()) {
        let section = decoded(device).primary.unwrap().section(kind).cloned().unwrap();
        let mut bytes = section.bytes.to_vec();
        bytes[30] ^= 1;
        let damaged = overwritten(device, vec![(section.offset, bytes)]);
        assert_eq!(believed(&damaged), "secondary", "{kind:?}");
        assert_eq!(check_codes(&damaged), ["checksum"], "{kind:?}");
        let (ours, theirs) = (metadata(&Ddf, &damaged).view(&damaged), metadata(&Ddf, device).view(device));
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "{kind:?}");
    }
}

#[test]
fn metadata_without_a_sound_header_are_damaged() {
    let device = &made(Level::Raid1, 2)[0];
    let ddf = decoded(device);
    let zeros = |copy: &Option<copy::Copy>| (copy.as_ref().unwrap().offset, vec![0; 512]);
    let gone = overwritten(device, vec![zeros(&ddf.primary), zeros(&ddf.secondary)]);
    let found = find(&Ddf, &gone).unwrap();
    assert_eq!(codes(&found.problems), ["header-missing", "header-missing"]);
    let one = overwritten(device, vec![zeros(&ddf.primary)]);
    assert_eq!(check_codes(&one), ["header-missing"]);
    assert_eq!(find(&Ddf, &one).unwrap().problems, []);
}

#[test]
fn an_anchor_under_a_partition_table_is_not_needed() {
    let device = &made(Level::Raid1, 2)[0];
    let anchor = decoded(device).anchor.unwrap().offset;
    let mut table = vec![0; 512];
    table[..8].copy_from_slice(b"EFI PART");
    let over = overwritten(device, vec![(anchor, table)]);
    assert_eq!(check_codes(&over), ["anchor-missing"]);
    assert_eq!(metadata(&Ddf, &over).view(&over).volumes.len(), 1);
    let blank = overwritten(device, vec![(anchor, vec![0; 512])]);
    assert!(find(&Ddf, &blank).is_none());
}

#[test]
fn without_checksum_signature_is_nothing() {
    for bytes in [[0xde, 0x11, 0xde, 0x11], [0x11, 0xde, 0x11, 0xde]] {
        let disk = SimDisk::new(Bytes(1 << 26));
        disk.load(Bytes((1 << 26) - 512), &bytes);
        assert!(find(&Ddf, &named("a", disk)).is_none());
    }
    for size in [0, 1, 511, 512, 513, 4096, 65_536, 1 << 20] {
        assert!(find(&Ddf, &named("a", SimDisk::new(Bytes(size)))).is_none());
    }
}

#[test]
fn an_anchor_of_large_blocks_asks_for_them() {
    let device = &made(Level::Raid1, 2)[0];
    let anchor = decoded(device).anchor.unwrap();
    let disk = SimDisk::new(Bytes(1 << 26));
    disk.load(Bytes((1 << 26) - 4096), &anchor.bytes);
    let found = find(&Ddf, &named("a", disk)).unwrap();
    assert_eq!(codes(&found.problems), ["sector-size"]);
}

/// The metadata of a disk somewhere in a larger file.
fn inside(device: &Device, at: u64, size: u64, skip_anchor: bool) -> Device {
    let disk = SimDisk::new(Bytes(size));
    for area in decoded(device).areas().into_iter().filter(|area| !(skip_anchor && area.role == "anchor")) {
        disk.load(Bytes(at + area.offset.0), &area.bytes);
    }
    named("big.img", disk)
}

#[test]
fn a_disk_in_the_middle_of_a_file_is_found_from_each_of_its_headers() {
    let device = &made(Level::Raid1, 2)[0];
    let ddf = decoded(device);
    let headers = [
        ddf.anchor.as_ref().unwrap().offset,
        ddf.primary.as_ref().unwrap().offset,
        ddf.secondary.as_ref().unwrap().offset,
    ];
    for at in [0, 512, 1 << 20] {
        let big = inside(device, at, 1 << 28, false);
        for header in headers {
            let windows = Ddf.windows(&big, Bytes(at + header.0)).unwrap();
            assert_eq!(windows, [Range { offset: Bytes(at), length: device.size() }], "{at} {header}");
            let window = big.window(windows[0].offset, windows[0].length).unwrap();
            assert_eq!(check_codes(&window), Vec::<String>::new());
        }
        assert_eq!(Ddf.windows(&big, Bytes(at + headers[0].0 - 512)).unwrap(), []);
    }
}

#[test]
fn copies_without_an_anchor_end_their_window() {
    let device = &made(Level::Raid1, 2)[0];
    let ddf = decoded(device);
    let big = inside(device, 512, 1 << 28, true);
    for header in [ddf.primary.as_ref().unwrap().offset, ddf.secondary.as_ref().unwrap().offset] {
        let windows = Ddf.windows(&big, Bytes(512 + header.0)).unwrap();
        assert_eq!(windows.len(), 1);
        assert_eq!(windows[0].offset, Bytes(512));
        let window = big.window(windows[0].offset, windows[0].length).unwrap();
        assert_eq!(check_codes(&window), ["anchor-missing"]);
        let view = metadata(&Ddf, &window).view(&window);
        assert_eq!(view.volumes[0].own.as_ref().unwrap().offset, sectors(0));
    }
}

#[test]
fn an_anchor_that_is_not_in_the_last_block_is_found_by_search() {
    let device = &made(Level::Raid1, 2)[0];
    let ddf = decoded(device);
    let anchor = ddf.anchor.as_ref().unwrap();
    let disk = SimDisk::new(Bytes(device.size().0 + 256 * 512));
    for area in ddf.areas() {
        disk.load(area.offset, &area.bytes);
    }
    let grown = named("a", disk);
    assert!(find(&Ddf, &grown).is_none());
    let window = Range { offset: Bytes(0), length: device.size() };
    assert_eq!(Ddf.windows(&grown, anchor.offset).unwrap(), [window]);
}

#[test]
fn what_overlaps_other_metadata_is_not_read_twice() {
    let device = &made(Level::Raid1, 2)[0];
    let anchor = (device.size().0 / 512 - 1) - (decoded(device).primary.unwrap().offset.0 / 512);
    let anchor = u32::try_from(anchor).unwrap();
    let onto_anchor = with_header(device, false, |header| header.physical_disk_data_offset = anchor);
    let onto_section = with_header(device, false, |header| {
        header.physical_disk_data_offset = header.virtual_disk_records_offset
    });
    for device in [onto_anchor, onto_section] {
        let ddf = decoded(&device);
        assert_eq!(codes(&ddf.primary.as_ref().unwrap().problems), ["overlap"]);
        assert_eq!(believed(&device), "secondary");
        assert_apart(&ddf.areas());
    }
}

#[test]
fn a_header_is_not_a_second_copy_of_itself() {
    let device = edited(&made(Level::Raid1, 2)[0], |ddf| {
        let anchor = ddf.anchor.as_mut().unwrap();
        anchor.header.secondary_header_lba = anchor.header.primary_header_lba;
        anchor.bytes = anchor.header.encode(Endian::Big);
    });
    let ddf = decoded(&device);
    assert!(ddf.secondary.is_none());
    assert_eq!(codes(&ddf.problems), ["header-missing"]);
    assert_apart(&ddf.areas());
}
