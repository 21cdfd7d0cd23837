//! Tests of the format as a whole, and what they build their metadata with.

mod codec;
mod families;
mod fixtures;
mod reshape;
mod rules;
mod views;

use super::codec::{check_sum, encode, encode_covered};
use super::mpb::{Disk, Header, MAGIC, Map, MapHead, Mpb, Volume, VolumeHead};
use super::place::Place;
use super::{Isw, NAME};
use crate::device::{Device, SimDisk};
use crate::format::schema::{DiskStruct, Endian};
use crate::format::{Format, Found, Metadata};
use crate::model::MemberView;
use crate::units::{Bytes, SectorSize};
use proptest::prelude::ProptestConfig;
use std::path::Path;
use std::sync::Arc;

/// The disks of the examples: 1 GiB.
pub(super) const DISK: u64 = 1 << 30;

/// How many cases a property is tried on: a sample, or with `RAID_TESTS_LONG=1` many.
fn cases(long: u32) -> ProptestConfig {
    let is_long = std::env::var_os("RAID_TESTS_LONG").is_some_and(|value| value == "1");
    ProptestConfig::with_cases(if is_long { long } else { long / 20 })
}

fn zeroed<T: DiskStruct>() -> T {
    T::decode(&vec![0; T::SIZE], Endian::Little).unwrap()
}

fn padded<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    bytes
}

fn disk(serial: &str, status: u32) -> Disk {
    let total_blocks_lo = u32::try_from(DISK / 512).unwrap();
    Disk { serial: padded(serial), total_blocks_lo, status, ..zeroed() }
}

fn map(level: u8, members: u8, stripes: u32) -> Map {
    let domains = if matches!(level, 1 | 10) { 2 } else { 1 };
    let head = MapHead {
        blocks_per_member_lo: stripes * 128 * u32::from(domains) + 2048,
        num_data_stripes_lo: stripes,
        blocks_per_strip: 128,
        raid_level: level,
        num_members: members,
        num_domains: domains,
        failed_disk_num: 0xff,
        ddf: 1,
        ..zeroed()
    };
    Map { head, disk_ord_tbl: (0..u32::from(members)).collect() }
}

fn volume(name: &str, size: u32, map: Map) -> Volume {
    let head = VolumeHead {
        volume: padded(name),
        size_low: size,
        status: 0xc,
        my_vol_raid_dev_num: 1,
        rwh_policy: 5,
        ..zeroed()
    };
    Volume { head, state: zeroed(), map, source: None }
}

/// Sets counts, sizes, padding and checksum to what the tables say.
fn sealed(mut mpb: Mpb) -> Mpb {
    mpb.header.num_disks = u8::try_from(mpb.disks.len()).unwrap();
    mpb.header.num_raid_devs = u8::try_from(mpb.volumes.len()).unwrap();
    for map in
        mpb.volumes.iter_mut().flat_map(|volume| std::iter::once(&mut volume.map).chain(&mut volume.source))
    {
        map.head.num_members = u8::try_from(map.disk_ord_tbl.len()).unwrap();
    }
    for volume in &mut mpb.volumes {
        volume.state.migr_state = u8::from(volume.source.is_some());
    }
    mpb.header.bbm_log_size =
        mpb.bad_blocks.as_ref().map_or(0, |log| u32::try_from(log.encode().len()).unwrap());
    let size = encode_covered(&mpb).len();
    mpb.header.mpb_size = u32::try_from(size).unwrap();
    mpb.place = mpb.place.of_length(size).unwrap();
    mpb.sector_tail = vec![0; mpb.place.length() - size];
    mpb.header.check_sum = check_sum(&mpb.header, &encode_covered(&mpb));
    mpb
}

fn header() -> Header {
    Header { magic: *MAGIC, version: padded("1.3.00"), ..zeroed() }
}

fn container(disks: Vec<Disk>, volumes: Vec<Volume>) -> Mpb {
    let header = Header {
        family_num: 0x1122_3344,
        orig_family_num: 0x1122_3344,
        generation_num: 2,
        attributes: 0x8000_0002,
        pwr_cycle_count: 1,
        num_raid_devs_created: 1,
        creation_time: 1_700_000_000,
        ..header()
    };
    sealed(Mpb {
        place: Place::new(Bytes(DISK), SectorSize::B512).unwrap(),
        header,
        disks,
        volumes,
        padding: Vec::new(),
        bad_blocks: None,
        sector_tail: Vec::new(),
    })
}

/// A raid1 of two disks.
pub(super) fn raid1() -> Mpb {
    let disks = vec![disk("TOYDISK0001", 2), disk("TOYDISK0002", 2)];
    container(disks, vec![volume("toyvol", 1_048_576, map(1, 2, 4096))])
}

/// A raid5 of as many disks as said, SER0, SER1, …
fn raid5(members: u8) -> Mpb {
    let disks = (0..members).map(|number| disk(&format!("SER{number}"), 2)).collect();
    let size = 4096 * 128 * (u32::from(members) - 1);
    container(disks, vec![volume("vol", size, map(5, members, 4096))])
}

/// The disk that carries the metadata.
fn device_of(mpb: &Mpb, serial: Option<&str>) -> Device {
    let sector_size = SectorSize::new(u32::try_from(mpb.place.sector()).unwrap()).unwrap();
    let disk = SimDisk::new(mpb.place.device).with_sector_size(sector_size);
    disk.load(mpb.place.start(), &encode(mpb));
    Device::whole(Path::new("disk.img"), Arc::new(disk)).with_serial(serial.map(str::to_owned))
}

fn find(device: &Device) -> Option<Found> {
    let mut found = Isw.find(device).unwrap();
    assert!(found.len() <= 1);
    found.pop()
}

fn metadata(device: &Device) -> Box<dyn Metadata> {
    let found = find(device).unwrap();
    assert_eq!(found.problems, []);
    let metadata = found.metadata.unwrap();
    assert_eq!(metadata.format(), NAME);
    metadata
}

/// What the disk with that serial says.
fn view_of(mpb: &Mpb, serial: &str) -> MemberView {
    let device = device_of(mpb, Some(serial));
    metadata(&device).view(&device)
}

fn codes(problems: &[crate::record::Problem]) -> Vec<&str> {
    problems.iter().map(|problem| problem.code.as_str()).collect()
}

/// The codes of all that is wrong with an MPB that decodes.
fn check_codes(mpb: &Mpb) -> Vec<String> {
    metadata(&device_of(mpb, None)).check().into_iter().map(|problem| problem.code).collect()
}
