//! Superblocks made for the tests, and what is tried on them.

mod codec;
mod problems;
mod view;

use super::facts::NONE;
use super::place::{MAGIC, Version};
use super::v0::{self, V0};
use super::v1::{self, HEAD_BYTES, V1, feature};
use super::{Md, badblocks, bitmap};
use crate::device::{Device, SimDisk};
use crate::format::schema::{DiskStruct, Endian};
use crate::format::{Format, Found, Metadata};
use crate::model::MemberView;
use crate::record::Problem;
use crate::units::{Bytes, SECTOR_BYTES, Sectors};
use std::path::Path;
use std::sync::Arc;

/// Sectors of the devices that are made.
pub(super) const DEVICE: u64 = 8192;
/// uuid of the arrays that are made.
pub(super) const UUID: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// A change to a 1.x superblock.
pub(super) type Change = fn(&mut v1::Head);
/// A change to a 0.90 superblock.
pub(super) type Change0 = fn(&mut V0);

/// A 1.x superblock to be put on a device, with more things to put there.
#[derive(Clone)]
pub(super) struct Made {
    pub(super) version: Version,
    pub(super) head: v1::Head,
    pub(super) roles: Vec<u16>,
    pub(super) more: Vec<(u64, Vec<u8>)>,
}

impl Made {
    /// A clean raid5 of three members, 1.2, this being number 1.
    pub(super) fn raid5() -> Self {
        let mut head = v1::Head::decode(&[0; HEAD_BYTES], Endian::Little).unwrap();
        head.magic = MAGIC;
        head.major_version = 1;
        head.set_uuid = UUID;
        head.set_name[..9].copy_from_slice(b"host:data");
        head.ctime = 0x6b00_e789;
        head.level = 5;
        head.layout = 2;
        head.size = 4096;
        head.chunksize = 128;
        head.raid_disks = 3;
        head.data_offset = 2048;
        head.data_size = 4096;
        head.super_offset = 8;
        head.dev_number = 1;
        head.device_uuid = [9; 16];
        head.utime = 0x6b00_e789;
        head.events = 7;
        head.resync_offset = NONE;
        head.max_dev = 4;
        Self { version: Version::V12, head, roles: vec![0, 1, 2, 0xffff], more: Vec::new() }
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut v1::Head)) -> Self {
        change(&mut self.head);
        self
    }

    pub(super) fn with_features(self, bits: u32) -> Self {
        self.with(|head| head.feature_map |= bits)
    }

    pub(super) fn with_roles(mut self, roles: &[u16]) -> Self {
        self.roles = roles.to_vec();
        self.head.max_dev = u32::try_from(roles.len()).unwrap();
        self
    }

    /// Puts bytes at a sector of the device.
    pub(super) fn and(mut self, sector: u64, bytes: Vec<u8>) -> Self {
        self.more.push((sector, bytes));
        self
    }

    /// A bitmap of 64 chunks 8 sectors after the superblock, with the first bytes of its bits.
    pub(super) fn with_bitmap(self, bits: &[u8], change: impl FnOnce(&mut bitmap::Head)) -> Self {
        let mut head = bitmap::Head::decode(&[0; bitmap::HEAD_BYTES], Endian::Little).unwrap();
        head.magic = bitmap::MAGIC;
        head.version = 4;
        head.uuid = UUID;
        head.events = self.head.events;
        head.sync_size = self.head.size;
        head.chunksize = 32768;
        head.daemon_sleep = 5;
        change(&mut head);
        let mut bytes = head.encode(Endian::Little);
        bytes.extend_from_slice(bits);
        bytes.resize(4096, 0xff);
        self.with_features(feature::BITMAP).with(|head| head.bitmap_offset = 8).and(16, bytes)
    }

    /// A bad-block log 16 sectors after the superblock.
    pub(super) fn with_bad_blocks(self, entries: &[u64]) -> Self {
        let mut bytes: Vec<u8> = entries.iter().flat_map(|entry| entry.to_le_bytes()).collect();
        bytes.resize(usize::from(badblocks::KERNEL_SECTORS) * 512, 0xff);
        let place = |head: &mut v1::Head| (head.bblog_offset, head.bblog_size) = (16, 8);
        self.with(place).and(24, bytes)
    }

    /// The bytes of the superblock, the checksum made right.
    pub(super) fn superblock(&self) -> Vec<u8> {
        let mut superblock = V1 { head: self.head.clone(), roles: self.roles.clone(), tail: Vec::new() };
        superblock.head.sb_csum = superblock.computed_checksum();
        superblock.encode()
    }

    pub(super) fn device(&self) -> Device {
        let sector = self.version.sector(Sectors(DEVICE)).unwrap();
        let mut pieces = vec![(sector.0, self.superblock())];
        pieces.extend(self.more.iter().cloned());
        device(DEVICE, &pieces)
    }

    /// The only find on the device.
    pub(super) fn found(&self) -> Found {
        only(&self.device())
    }

    pub(super) fn view(&self) -> MemberView {
        let device = self.device();
        let found = only(&device);
        assert!(!found.problems.iter().any(Problem::is_error), "{:?}", found.problems);
        found.metadata.unwrap().view(&device)
    }

    /// The codes of all problems.
    pub(super) fn codes(&self) -> Vec<String> {
        codes(&self.device())
    }
}

/// A 0.90 superblock to be put on a device.
#[derive(Clone)]
pub(super) struct Made0(pub(super) V0);

impl Made0 {
    /// A clean raid5 of three members, this being number 1.
    pub(super) fn raid5(endian: Endian) -> Self {
        let mut bytes = vec![0; 4096];
        bytes[..4].copy_from_slice(&if endian == Endian::Big {
            MAGIC.to_be_bytes()
        } else {
            MAGIC.to_le_bytes()
        });
        let place = super::Place {
            version: Version::V090,
            sector: Version::V090.sector(Sectors(DEVICE)).unwrap(),
            device: Sectors(DEVICE),
            sector_size: crate::units::SectorSize::B512,
        };
        let mut made = Self(V0::decode(&bytes, &place).into_parts().0.unwrap());
        let head = &mut made.0.head;
        head.minor_version = 90;
        (head.set_uuid0, head.set_uuid1, head.set_uuid2, head.set_uuid3) = (0x1111_1111, 2, 3, 0x4444_4444);
        head.level = 5;
        head.layout = 2;
        head.size = 1024;
        head.raid_disks = 3;
        head.chunk_size = 65536;
        head.state = v0::state::CLEAN;
        head.utime = 0x6b00_e789;
        head.events = 1 << 32 | 7;
        head.cp_events = head.events;
        head.recovery_cp = u32::MAX;
        for number in 0..3 {
            made.set_disk(number, number, 6);
        }
        made.0.this_disk = made.0.disks[1].clone();
        made
    }

    pub(super) fn set_disk(&mut self, number: u32, raid_disk: u32, state: u32) {
        let disk = &mut self.0.disks[number as usize];
        (disk.number, disk.raid_disk, disk.state) = (number, raid_disk, state);
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut V0)) -> Self {
        change(&mut self.0);
        self
    }

    pub(super) fn device(&self) -> Device {
        let mut superblock = self.0.clone();
        superblock.head.sb_csum = superblock.computed_checksum();
        device(DEVICE, &[(Version::V090.sector(Sectors(DEVICE)).unwrap().0, superblock.encode())])
    }

    pub(super) fn view(&self) -> MemberView {
        let device = self.device();
        only(&device).metadata.unwrap().view(&device)
    }

    pub(super) fn codes(&self) -> Vec<String> {
        codes(&self.device())
    }
}

/// A device of that many sectors with bytes at sectors of it.
pub(super) fn device(sectors: u64, pieces: &[(u64, Vec<u8>)]) -> Device {
    let disk = SimDisk::new(Bytes(sectors * SECTOR_BYTES));
    for (sector, bytes) in pieces {
        disk.load(Bytes(sector * SECTOR_BYTES), bytes);
    }
    Device::whole(Path::new("disk"), Arc::new(disk))
}

/// The only find on a device.
pub(super) fn only(device: &Device) -> Found {
    let mut found = Md.find(device).unwrap();
    assert_eq!(found.len(), 1);
    found.pop().unwrap()
}

/// The codes of all problems of the only find on a device.
pub(super) fn codes(device: &Device) -> Vec<String> {
    let found = only(device);
    let mut problems = found.problems;
    if let Some(metadata) = found.metadata {
        problems.extend(metadata.check());
        let view = metadata.view(device);
        problems.extend(view.problems);
        problems.extend(view.volumes.into_iter().flat_map(|volume| volume.problems));
    }
    let mut codes: Vec<String> = problems.into_iter().map(|problem| problem.code).collect();
    codes.sort();
    codes.dedup();
    codes
}

/// Does everything that can be done with what is on a device; what was decoded has to be what is there.
pub(super) fn exercise(device: &Device) {
    for found in Md.find(device).unwrap() {
        let Some(metadata) = found.metadata else {
            assert!(!found.problems.is_empty());
            continue;
        };
        check_areas(device, metadata.as_ref());
        let _ = metadata.check();
        let _ = metadata.view(device);
    }
}

/// The areas are the device's bytes, and the fields cover every byte of them once and have unique names.
pub(super) fn check_areas(device: &Device, metadata: &dyn Metadata) {
    let mut covered: Vec<(u64, u64)> =
        metadata.fields().iter().map(|field| (field.offset.0, u64::from(field.size))).collect();
    covered.sort_unstable();
    let mut wanted = Vec::new();
    for area in metadata.areas() {
        let there = device.read(area.offset, area.bytes.len()).unwrap().unwrap();
        assert!(there == area.bytes, "{} at {}", area.role, area.offset);
        wanted.push((area.offset.0, area.bytes.len() as u64));
    }
    wanted.sort_unstable();
    let total = |ranges: &[(u64, u64)]| ranges.iter().map(|(_, length)| length).sum::<u64>();
    assert_eq!(total(&covered), total(&wanted));
    for (start, length) in wanted {
        let mut next = start;
        while next < start + length {
            let field = covered.iter().find(|(offset, size)| *offset == next && *size > 0);
            next += field.unwrap_or_else(|| panic!("no field begins at byte {next}")).1;
        }
    }
    let mut names: Vec<String> = metadata.fields().into_iter().map(|field| field.name).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "names are not unique");
}
