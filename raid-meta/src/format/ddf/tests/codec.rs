//! Bytes to metadata and back: identity, flips, lies, both checksums and byte orders.

use super::*;
use crate::record::ChecksumState;
use crate::testing::property;
use crate::units::SectorSize;
use proptest::prelude::*;

#[test]
fn areas_and_fields_are_the_bytes_of_the_disk() {
    for level in Level::ALL {
        for device in made(level, 4) {
            let metadata = metadata(&Ddf, &device);
            assert_identity(&device, &*metadata);
            assert!(metadata.areas().iter().all(|area| area.checksum == ChecksumState::Ok));
            assert_eq!(metadata.check(), []);
        }
    }
}

/// Flips single bytes, most in those parts that are not blank.
#[test]
fn a_flipped_byte_never_goes_unnoticed() {
    let device = &made(Level::Raid5, 3)[0];
    for area in decoded(device).areas() {
        let step = if crate::testing::property(16).cases > 16 { 1 } else { (area.bytes.len() / 40).max(1) };
        let head = (0..area.bytes.len().min(128)).step_by(7);
        for at in head.chain((0..area.bytes.len()).step_by(step)) {
            let mut bytes = area.bytes.clone();
            bytes[at] ^= 0x81;
            let is_signature = area.role == "anchor" && at < 4;
            let is_blank_record = area.role.ends_with("configurations") && at >= 3584;
            let flipped = overwritten(device, vec![(area.offset, bytes)]);
            let Some(found) = find(&Ddf, &flipped) else {
                assert!(is_signature, "{} {at}", area.role);
                continue;
            };
            let metadata = found.metadata.unwrap();
            assert_identity(&flipped, &*metadata);
            let _ = metadata.view(&flipped);
            assert!(is_blank_record || !metadata.check().is_empty(), "{} {at}", area.role);
        }
    }
}

/// The metadata written with the other checksum, or the other byte order.
fn rewritten(device: &Device, variant: sum::Variant) -> Device {
    let ddf = decoded(device);
    let mut areas = ddf.areas();
    for area in &mut areas {
        let lengths: Vec<(usize, usize)> =
            if area.role.ends_with("configurations") { vec![(0, 3584)] } else { vec![(0, area.bytes.len())] };
        for (at, length) in lengths {
            sum::Sum { variant, length }.store(&mut area.bytes[at..at + length], Endian::Big);
        }
    }
    overwritten(device, areas.into_iter().map(|area| (area.offset, area.bytes)).collect())
}

#[test]
fn both_checksums_are_read_and_kept() {
    let device = rewritten(&made(Level::Raid5, 3)[0], sum::Variant::Ieee);
    let metadata = metadata(&Ddf, &device);
    assert_eq!(metadata.check(), []);
    assert_identity(&device, &*metadata);
    let mut areas = metadata.areas();
    let before = areas.clone();
    metadata.seal(&mut areas);
    assert_eq!(areas, before, "sealing what is right changes nothing");
    let fields = metadata.fields();
    let sum = fields.iter().find(|field| field.name == "primary.header.crc").unwrap();
    assert_eq!(sum.meaning.as_deref(), Some("correct (ieee)"));
}

#[test]
fn a_change_that_is_sealed_is_sound() {
    let device = &made(Level::Raid5, 3)[0];
    let ddf = decoded(device);
    let mut areas = ddf.areas();
    for area in &mut areas {
        area.bytes[40] ^= 1;
    }
    ddf.seal(&mut areas);
    let changed = overwritten(device, areas.into_iter().map(|area| (area.offset, area.bytes)).collect());
    let metadata = find(&Ddf, &changed).unwrap().metadata.unwrap();
    assert!(metadata.areas().iter().all(|area| area.checksum == ChecksumState::Ok));
}

/// All numbers of the structures in the other byte order.
fn swapped(device: &Device) -> Device {
    fn swap<T: DiskStruct>(bytes: &mut [u8], at: usize) {
        let decoded = T::decode(&bytes[at..], Endian::Big).unwrap();
        bytes[at..at + T::SIZE].copy_from_slice(&decoded.encode(Endian::Little));
    }
    let ddf = decoded(device);
    let mut areas = ddf.areas();
    for area in &mut areas {
        let bytes = &mut area.bytes;
        let mut length = bytes.len();
        match area.role.split_once('-').map_or(area.role, |(_, kind)| kind) {
            "anchor" | "header" => swap::<structs::Header>(bytes, 0),
            "controller" => swap::<structs::Controller>(bytes, 0),
            "disk-data" => swap::<structs::DiskData>(bytes, 0),
            "physical-disks" => {
                swap::<structs::TableHead>(bytes, 0);
                (1..1024).for_each(|entry| swap::<structs::PdEntry>(bytes, 64 * entry));
            }
            "virtual-disks" => {
                swap::<structs::TableHead>(bytes, 0);
                (1..256).for_each(|entry| swap::<structs::VdEntry>(bytes, 64 * entry));
            }
            _ => {
                swap::<VdConfig>(bytes, 0);
                bytes[512..1536].chunks_exact_mut(4).for_each(<[u8]>::reverse);
                bytes[1536..3584].chunks_exact_mut(8).for_each(<[u8]>::reverse);
                length = 3584;
            }
        }
        sum::Sum { variant: sum::Variant::Plain, length }.store(&mut bytes[..length], Endian::Little);
    }
    overwritten(device, areas.into_iter().map(|area| (area.offset, area.bytes)).collect())
}

#[test]
fn the_little_endian_vendors_are_read_as_the_others() {
    let devices = made(Level::Raid10, 4);
    let little: Vec<_> = devices.iter().map(swapped).collect();
    for device in &little {
        let metadata = metadata(&Ddf, device);
        assert_eq!(metadata.check(), []);
        assert_identity(device, &*metadata);
        let mut areas = metadata.areas();
        metadata.seal(&mut areas);
        assert_eq!(areas, metadata.areas());
    }
    let (ours, theirs) = (array(&Ddf, &little), array(&Ddf, &devices));
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
}

#[test]
fn a_disk_with_large_blocks_counts_in_them() {
    let small = &made(Level::Raid1, 2)[0];
    let ddf = decoded(small);
    let blocks = 65_536 + 4096;
    let disk = SimDisk::new(Bytes(blocks * 4096)).with_sector_size(SectorSize::B4096);
    let mut header = ddf.anchor.as_ref().unwrap().header.clone();
    header.primary_header_lba = blocks - 32_768;
    header.secondary_header_lba = u64::MAX;
    header.configuration_record_length = 2;
    header.configuration_records_length = 130;
    let put = |at: u64, bytes: &[u8], length: usize| {
        let mut bytes = bytes.to_vec();
        bytes.resize(bytes.len().next_multiple_of(4096), 0xff);
        sum::Sum { variant: sum::Variant::Plain, length: if length == 0 { bytes.len() } else { length } }
            .store(&mut bytes, Endian::Big);
        disk.load(Bytes(at * 4096), &bytes);
    };
    put(blocks - 1, &header.encode(Endian::Big), 512);
    let primary = structs::Header { header_type: 1, sequence_number: 3, open_flag: 0, ..header };
    put(blocks - 32_768, &primary.encode(Endian::Big), 512);
    for section in &ddf.primary.as_ref().unwrap().sections {
        let (offset, length) = section.kind.place(&primary).unwrap();
        let length = length as usize * 4096;
        let mut bytes = section.bytes.to_vec();
        if section.kind == copy::Kind::Configurations {
            bytes.truncate(3584);
            bytes.resize(8192, 0xff);
            sum::Sum { variant: sum::Variant::Plain, length: 8192 }.store(&mut bytes, Endian::Big);
            bytes.resize(length, 0xff);
            disk.load(Bytes((blocks - 32_768 + u64::from(offset)) * 4096), &bytes);
            continue;
        }
        bytes.resize(length, 0xff);
        let covered = if bytes.len() == 4096 { 512 } else { 0 };
        put(blocks - 32_768 + u64::from(offset), &bytes, covered);
    }
    let device = named("a", disk);
    let found = find(&Ddf, &device).unwrap();
    assert_eq!(found.problems, []);
    let metadata = found.metadata.unwrap();
    assert_identity(&device, &*metadata);
    assert_eq!(codes(&metadata.check()), Vec::<&str>::new());
    let view = metadata.view(&device);
    let own = view.volumes[0].own.clone().unwrap();
    let small = super::metadata(&Ddf, small).view(small).volumes[0].own.clone().unwrap();
    assert_eq!(own.length.0, small.length.0 * 8);
}

proptest! {
    #![proptest_config(property(512))]

    /// Whatever the header says, nothing is read beyond the device, and nothing panics.
    #[test]
    fn lying_headers_are_harmless(changes in proptest::collection::vec((0x60_usize..0x100, any::<u8>()), 1..6)) {
        let device = &made(Level::Raid5, 3)[1];
        let lying = edited(device, |ddf| {
            for copy in ddf.primary.iter_mut().chain(&mut ddf.secondary) {
                for (at, value) in &changes {
                    copy.bytes[*at] = *value;
                }
            }
            for (at, value) in &changes {
                ddf.anchor.as_mut().unwrap().bytes[*at] = *value;
            }
        });
        for found in Ddf.find(&lying).unwrap() {
            if let Some(metadata) = found.metadata {
                assert_identity_of_areas(&lying, &*metadata);
                let _ = (metadata.check(), metadata.view(&lying));
            }
        }
        let _ = Ddf.history(&lying).unwrap();
    }

    /// Nor with any configuration.
    #[test]
    fn lying_configurations_are_harmless(changes in proptest::collection::vec((0x40_usize..0x60, any::<u8>()), 1..6)) {
        let devices = made(Level::Raid10, 4);
        let lying: Vec<_> = devices.iter().map(|device| edited(device, |ddf| {
            edit_section(ddf, copy::Kind::Configurations, |bytes| {
                for (at, value) in &changes {
                    bytes[*at] = *value;
                }
            });
        })).collect();
        let _ = assembled(&Ddf, &lying);
        for device in &lying {
            let _ = decoded(device).check();
        }
    }

    /// Nor with any tables.
    #[test]
    fn lying_tables_are_harmless(changes in proptest::collection::vec((4_usize..400, any::<u8>()), 1..20)) {
        let devices = made(Level::Raid10, 4);
        let lying: Vec<_> = devices.iter().map(|device| edited(device, |ddf| {
            for kind in [copy::Kind::PhysicalDisks, copy::Kind::VirtualDisks] {
                edit_section(ddf, kind, |bytes| {
                    for (at, value) in &changes {
                        bytes[*at] = *value;
                    }
                });
            }
        })).collect();
        let _ = assembled(&Ddf, &lying);
        for device in &lying {
            let metadata = find(&Ddf, device).unwrap().metadata.unwrap();
            assert_identity(device, &*metadata);
            let _ = metadata.check();
        }
    }
}

/// As [`assert_identity`], where sections may lie over each other.
fn assert_identity_of_areas(device: &Device, metadata: &dyn Metadata) {
    for area in metadata.areas() {
        let on_disk = device.read(area.offset, area.bytes.len()).unwrap();
        assert!(on_disk.as_ref() == Some(&area.bytes), "{} differs", area.role);
    }
    let named: u64 = metadata.fields().iter().map(|field| u64::from(field.size)).sum();
    let bytes: u64 = metadata.areas().iter().map(|area| area.bytes.len() as u64).sum();
    assert_eq!(named, bytes);
}
