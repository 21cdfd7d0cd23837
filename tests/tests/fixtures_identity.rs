//! What is decoded from the metadata of every md, isw and ddf disk, captured ones too, encodes to the bytes that are on the
//! disk, and every one of those bytes belongs to one field.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use raid_meta::device::{Device, FileDisk, ReadAt};
use raid_meta::format::FORMATS;
use raid_tests::Fixture;
use std::path::Path;
use std::sync::Arc;

/// The number of metadata instances on the disk, each the same bytes again.
fn check(path: &Path) -> usize {
    let disk = FileDisk::open(path, None).unwrap();
    let device = Device::whole(path, Arc::new(disk));
    let found = FORMATS.iter().flat_map(|format| format.find(&device).unwrap());
    let decoded: Vec<_> = found.filter_map(|found| found.metadata).collect();
    for metadata in &decoded {
        let fields = metadata.fields();
        for area in metadata.areas() {
            let mut bytes = vec![0; area.bytes.len()];
            device.read_exact_at(area.offset, &mut bytes).unwrap();
            assert!(area.bytes == bytes, "{}: {} differs", path.display(), area.role);
            let end = area.offset.0 + bytes.len() as u64;
            let inside = fields.iter().filter(|field| (area.offset.0..end).contains(&field.offset.0));
            let covered: u64 = inside.map(|field| u64::from(field.size)).sum();
            assert_eq!(covered, bytes.len() as u64, "{}: {}", path.display(), area.role);
        }
    }
    decoded.len()
}

#[test]
fn every_disk_of_every_set_encodes_to_its_own_bytes() {
    for set in Fixture::all_of(&["md", "isw", "ddf"]) {
        for disk in &set.disks {
            assert_eq!(check(disk), 1, "{}", disk.display());
        }
    }
}

#[test]
fn metadata_captured_from_real_machines_encodes_to_its_own_bytes() {
    for name in ["isw-raid", "mdraid", "nvidia-raid", "promise-raid"] {
        let Some(captured) = Fixture::captured(name) else { return };
        assert!(check(&captured.disks[0]) >= 1, "{name}");
    }
}
