//! Nothing is lost, nothing is believed, and what is made is understood.

mod codec;
mod copies;
mod fixtures;
mod made;
mod sets;

use super::metadata::Ddf as Group;
use super::structs::{VdConfig, VdEntry};
use super::*;
use crate::device::{ReadAt, SimDisk};
use crate::format::create::NewSet;
use crate::format::schema::{DiskStruct, Endian};
use crate::format::vendor::testing::*;
use crate::geometry::Level;
use crate::units::{Bytes, Sectors};
use std::path::Path;
use std::sync::Arc;

/// What the disks hold beside 32 MiB: 8 MiB and an odd number of sectors.
const DISK: u64 = 65_536 + 16_384 + 77;

/// A set of so many disks, in step.
fn wanted(level: Level, disks: usize) -> NewSet {
    NewSet {
        identity: *b"0123456789abcdef",
        now: 1_700_000_000,
        in_sync: true,
        ..NewSet::new(level, "data1", blank(disks, DISK))
    }
}

/// The disks of a new set.
fn made(level: Level, disks: usize) -> Vec<Device> {
    created(&Ddf, &wanted(level, disks))
}

/// What is on a disk, decoded.
fn decoded(device: &Device) -> Group {
    match read::find(device).unwrap() {
        Some(read::Found::Metadata(ddf)) => *ddf,
        _ => panic!("{}: nothing found", device.label()),
    }
}

/// The device with the areas changed, and all checksums right again.
fn edited(device: &Device, change: impl FnOnce(&mut Group)) -> Device {
    let mut ddf = decoded(device);
    change(&mut ddf);
    let mut areas = ddf.areas();
    ddf.seal(&mut areas);
    overwritten(device, areas.iter().map(|area| (area.offset, area.bytes.clone())).collect())
}

/// A copy of the device with some bytes overwritten.
fn overwritten(device: &Device, parts: Vec<(Bytes, Vec<u8>)>) -> Device {
    let disk = SimDisk::new(device.size()).with_sector_size(device.sector_size());
    for area in decoded(device).areas() {
        disk.load(area.offset, &area.bytes);
    }
    for (offset, bytes) in parts {
        disk.load(offset, &bytes);
    }
    Device::whole(device.path(), Arc::new(disk))
}

/// Changes a section in both copies.
fn edit_section(ddf: &mut Group, kind: copy::Kind, change: impl Fn(&mut [u8])) {
    for copy in ddf.primary.iter_mut().chain(&mut ddf.secondary) {
        for section in copy.sections.iter_mut().filter(|section| section.kind == kind) {
            let mut bytes = section.bytes.to_vec();
            change(&mut bytes);
            section.bytes = Arc::from(bytes);
        }
    }
}

/// Changes the entry of the first virtual disk.
fn edit_volume(device: &Device, change: impl Fn(&mut VdEntry)) -> Device {
    edited(device, |ddf| {
        edit_section(ddf, copy::Kind::VirtualDisks, |bytes| {
            let mut entry = VdEntry::decode(&bytes[64..], Endian::Big).unwrap();
            change(&mut entry);
            bytes[64..128].copy_from_slice(&entry.encode(Endian::Big));
        });
    })
}

/// Changes the first configuration.
fn edit_config(device: &Device, change: impl Fn(&mut VdConfig)) -> Device {
    edited(device, |ddf| {
        edit_section(ddf, copy::Kind::Configurations, |bytes| {
            let mut head = VdConfig::decode(bytes, Endian::Big).unwrap();
            change(&mut head);
            bytes[..512].copy_from_slice(&head.encode(Endian::Big));
        });
    })
}

/// Changes the table of physical disks.
fn edit_disk(device: &Device, index: usize, change: impl Fn(&mut structs::PdEntry)) -> Device {
    edited(device, |ddf| {
        edit_section(ddf, copy::Kind::PhysicalDisks, |bytes| {
            let at = 64 + 64 * index;
            let mut entry = structs::PdEntry::decode(&bytes[at..], Endian::Big).unwrap();
            change(&mut entry);
            bytes[at..at + 64].copy_from_slice(&entry.encode(Endian::Big));
        });
    })
}

/// The codes of all that is wrong with a disk that is found.
fn check_codes(device: &Device) -> Vec<String> {
    let problems = decoded(device).check();
    problems.into_iter().map(|problem| problem.code).collect()
}

fn without(devices: &[Device], missing: &[usize]) -> Vec<Device> {
    let kept = devices.iter().enumerate().filter(|(index, _)| !missing.contains(index));
    kept.map(|(_, device)| device.clone()).collect()
}

fn named(path: &str, disk: SimDisk) -> Device {
    Device::whole(Path::new(path), Arc::new(disk))
}

fn sectors(count: u64) -> Sectors {
    Sectors(count)
}
