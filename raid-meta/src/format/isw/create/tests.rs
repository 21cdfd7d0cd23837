//! Containers that are made, found again, and added to.

use crate::device::{Device, ReadAt, SimDisk, WriteAt};
use crate::format::create::{CreateError, NewMember, NewSet};
use crate::format::isw::mpb::Mpb;
use crate::format::isw::{decode_at, signature};
use crate::geometry::Level;
use crate::probe::{Options, Probe, probe};
use crate::record::{ArrayRecord, Health, MemberState};
use crate::units::{Bytes, ChunkSectors, SectorSize, Sectors};
use std::path::Path;
use std::sync::Arc;

/// 200 MiB, as in the numbers that mdadm gave.
const DISK: u64 = 409_600;

struct Bench(Vec<SimDisk>);

impl Bench {
    fn new(count: usize) -> Self {
        Self((0..count).map(|_| SimDisk::new(Bytes(DISK * 512))).collect())
    }

    fn of_4096(count: usize) -> Self {
        let disk = || SimDisk::new(Bytes(DISK * 512)).with_sector_size(SectorSize::B4096);
        Self((0..count).map(|_| disk()).collect())
    }

    fn device(&self, index: usize) -> Device {
        let path = format!("disk{index}");
        Device::whole(Path::new(&path), Arc::new(self.0[index].clone()))
            .with_serial(Some(format!("SER {index}")))
    }

    fn set(&self, level: Level, name: &str, spares: usize) -> NewSet {
        let mut disks: Vec<Device> = (0..self.0.len()).map(|index| self.device(index)).collect();
        let spares = disks.split_off(disks.len() - spares);
        NewSet { spares, identity: [5; 16], now: 1_700_000_000, ..NewSet::new(level, name, disks) }
    }

    fn write(&self, members: &[NewMember]) {
        assert_eq!(members.len(), self.0.len());
        for (disk, member) in self.0.iter().zip(members) {
            assert_eq!(member.areas.last().unwrap().role, "mpb");
            for area in &member.areas {
                disk.write_at(area.offset, &area.bytes).unwrap();
            }
        }
    }

    fn probe(&self) -> Probe {
        let found = probe((0..self.0.len()).map(|index| self.device(index)), &Options::default());
        for member in &found.members {
            assert_eq!(member.problems, [], "{:?}", member.device);
        }
        assert_eq!(found.members.len(), self.0.len());
        found
    }

    fn made(&self, set: &NewSet) -> Vec<ArrayRecord> {
        self.write(&super::create(set).unwrap_or_else(|error| panic!("{error}")));
        self.probe().arrays
    }

    fn mpb(&self, index: usize) -> Mpb {
        let device = self.device(index);
        let place = signature(&device, device.sector_size()).unwrap().unwrap();
        decode_at(&device, place).unwrap().into_parts().0.unwrap()
    }
}

fn chunk(sectors: u32) -> Option<ChunkSectors> {
    ChunkSectors::new(sectors)
}

fn refusal(set: &NewSet) -> String {
    super::create(set).unwrap_err().to_string()
}

#[test]
fn every_level_is_found_again_as_it_was_asked_for() {
    for (level, disks) in [
        (Level::Raid0, 2),
        (Level::Raid0, 5),
        (Level::Raid1, 2),
        (Level::Raid5, 3),
        (Level::Raid5, 6),
        (Level::Raid10, 4),
        (Level::Raid10, 6),
    ] {
        for (in_sync, bench) in
            [(false, Bench::new(disks)), (true, Bench::new(disks)), (true, Bench::of_4096(disks))]
        {
            let set = NewSet { in_sync, ..bench.set(level, "vol0", 0) };
            let arrays = bench.made(&set);
            assert_eq!(arrays.len(), 1);
            let array = &arrays[0];
            assert_eq!((array.level, array.slots as usize), (level, disks));
            assert_eq!(array.volume.as_deref(), Some("vol0"));
            let order: Vec<_> = array.members.iter().map(|member| member.device.clone().unwrap()).collect();
            assert_eq!(order, (0..disks).map(|slot| format!("disk{slot}")).collect::<Vec<_>>());
            assert!(array.members.iter().all(|member| member.state == MemberState::InSync));
            let initializing = !in_sync && level.is_redundant();
            assert_eq!(array.health, if initializing { Health::Initializing } else { Health::Optimal });
        }
    }
}

#[test]
fn sizes_are_those_that_mdadm_gives() {
    let number = |set: &NewSet, bench: &Bench| {
        bench.made(set);
        let mpb = bench.mpb(0);
        let volume = mpb.volumes.last().unwrap().clone();
        let head = volume.map.head;
        (
            (head.pba_of_lba0_lo, volume.head.size_low, head.blocks_per_member_lo, head.num_data_stripes_lo),
            (head.blocks_per_strip, head.raid_level, mpb.header.mpb_size, mpb.header.attributes),
        )
    };
    let bench = Bench::new(3);
    let set = NewSet { chunk: chunk(128), ..bench.set(Level::Raid5, "v", 0) };
    assert_eq!(number(&set, &bench), ((0, 794_624, 399_360, 3104), (128, 5, 532, 0x8000_0010)));
    let bench = Bench::new(2);
    let set = NewSet { size: Some(Sectors(65536)), ..bench.set(Level::Raid1, "a", 0) };
    assert_eq!(number(&set, &bench).0, (0, 65536, 67584, 256));
    let set = NewSet { chunk: chunk(256), ..bench.set(Level::Raid0, "b", 0) };
    assert_eq!(number(&set, &bench), ((73728, 647_168, 325_632, 1264), (256, 0, 648, 0x8000_0003)));
    let bench = Bench::new(6);
    let set = NewSet { chunk: chunk(256), ..bench.set(Level::Raid10, "v", 0) };
    let (sizes, (_, level, _, attributes)) = number(&set, &bench);
    assert_eq!((sizes, level, attributes), ((0, 1_191_936, 399_360, 776), 10, 0x8000_0084));
    let bench = Bench::new(4);
    let set =
        NewSet { chunk: chunk(128), size: Some(Sectors(2 * 38 * 2048)), ..bench.set(Level::Raid10, "v", 0) };
    let (sizes, (strip, level, ..)) = number(&set, &bench);
    assert_eq!((sizes.1, sizes.3, strip, level), (2 * 38 * 2048, 304, 128, 1));
}

#[test]
fn a_disk_of_4096_byte_sectors_counts_in_them() {
    let bench = Bench::of_4096(3);
    let set =
        NewSet { chunk: chunk(128), size: Some(Sectors(2 * 39 * 2048)), ..bench.set(Level::Raid5, "v", 0) };
    bench.made(&set);
    let mpb = bench.mpb(1);
    let head = &mpb.volumes[0].map.head;
    assert_eq!(mpb.disks[0].total_blocks_lo, 51200);
    assert_eq!(
        (head.blocks_per_strip, head.blocks_per_member_lo, head.num_data_stripes_lo),
        (16, 10240, 624)
    );
}

#[test]
fn a_second_volume_leaves_the_first_as_it_was() {
    let bench = Bench::new(3);
    let first = NewSet { size: Some(Sectors(2 * 65536)), ..bench.set(Level::Raid5, "first", 0) };
    let before = bench.made(&first);
    let second = bench.set(Level::Raid0, "second", 0);
    let arrays = bench.made(&second);
    assert_eq!(arrays.len(), 2);
    assert_eq!(arrays[0], before[0]);
    assert_eq!((arrays[1].level, arrays[1].volume.as_deref()), (Level::Raid0, Some("second")));
    assert_eq!(arrays[1].members[0].offset_sectors, Some(Sectors(65536 + 8192)));
    let mpb = bench.mpb(2);
    assert_eq!((mpb.header.generation_num, mpb.header.num_raid_devs_created), (3, 2));
    assert_eq!(mpb.volumes[1].head.my_vol_raid_dev_num, 2);
    let third = refusal(&bench.set(Level::Raid0, "third", 0));
    assert!(third.starts_with("isw: number of volumes is 2 already, expected less than 2"), "{third}");
}

#[test]
fn a_volume_is_only_added_to_a_whole_container_with_room_and_another_name() {
    let bench = Bench::new(3);
    bench.made(&NewSet { size: Some(Sectors(2 * 65536)), ..bench.set(Level::Raid5, "first", 0) });
    let error = refusal(&bench.set(Level::Raid0, "first", 0));
    assert!(error.starts_with("isw: name is first, expected one that no volume"), "{error}");
    let mut swapped = bench.set(Level::Raid0, "second", 0);
    swapped.disks.swap(0, 1);
    let error = refusal(&swapped);
    assert!(error.ends_with("all of the container on them, in this order: SER0, SER1, SER2"), "{error}");
    let mut fewer = bench.set(Level::Raid0, "second", 0);
    fewer.disks.pop();
    assert!(refusal(&fewer).starts_with("isw: disks is SER0, SER1, expected all"), "{}", refusal(&fewer));
    let full = Bench::new(2);
    full.made(&full.set(Level::Raid1, "first", 0));
    let error = refusal(&full.set(Level::Raid1, "second", 0));
    assert!(error.contains("sectors for a volume beside the volume that is there"), "{error}");
}

#[test]
fn a_spare_has_a_record_of_its_own() {
    let bench = Bench::new(4);
    bench.made(&bench.set(Level::Raid5, "vol0", 1));
    let spare = bench.mpb(3);
    assert_eq!((spare.header.num_disks, spare.header.num_raid_devs, spare.disks[0].status), (1, 0, 1));
    assert_eq!((spare.header.mpb_size, spare.header.generation_num), (264, 1));
    assert_eq!(spare.disks[0].serial(), b"SER3");
}

#[test]
fn the_record_of_a_spare_is_that_of_the_worked_example() {
    let disk = SimDisk::new(Bytes(1 << 30));
    let device = Device::whole(Path::new("x"), Arc::new(disk)).with_serial(Some("TOYDISK0001".to_owned()));
    let mpb = super::container::spare(&device, 0, b"TOYDISK0001").unwrap();
    assert_eq!(mpb.header.family_num, 0x697f_417a);
    let place = super::container::place(&device, 0).unwrap();
    assert_eq!(crate::format::isw::codec::placed(mpb, place).unwrap().header.check_sum, 0xd2fe_82f4);
}

#[test]
fn the_same_request_gives_the_same_bytes_and_another_identity_another_family() {
    let bench = Bench::new(2);
    let set = bench.set(Level::Raid1, "vol0", 0);
    let bytes = |set: &NewSet| {
        let members = super::create(set).unwrap();
        members.into_iter().flat_map(|member| member.areas).map(|area| area.bytes).collect::<Vec<_>>()
    };
    assert_eq!(bytes(&set), bytes(&set));
    assert_ne!(bytes(&set), bytes(&NewSet { identity: [6; 16], ..set.clone() }));
}

#[test]
fn large_disks_and_volumes_have_their_high_halves() {
    let huge = || SimDisk::new(Bytes(6 << 40));
    let bench = Bench((0..2).map(|_| huge()).collect());
    let arrays = bench.made(&bench.set(Level::Raid0, "huge", 0));
    assert!(arrays[0].size_sectors > Sectors(11 << 31));
    assert_eq!(bench.mpb(0).header.attributes, 0xa400_0001);
}

#[test]
fn what_the_format_can_not_do_is_refused_with_what_it_can() {
    let bench = Bench::new(3);
    let set = |level| bench.set(level, "vol0", 0);
    for (set, message) in [
        (set(Level::Raid6), "isw: level is raid6, expected raid0, raid1, raid5 or raid10"),
        (set(Level::Raid1), "isw: number of disks is 3, expected 2 for raid1"),
        (set(Level::Raid10), "isw: number of disks is 3, expected an even number from 4 for raid10"),
        (NewSet { name: String::new(), ..set(Level::Raid5) }, "isw: name is , expected 1 to 16 bytes"),
        (NewSet { name: "x".repeat(17), ..set(Level::Raid5) }, "isw: name is xxxxxxxxxxxxxxxxx, expected"),
        (NewSet { chunk: chunk(24), ..set(Level::Raid5) }, "isw: chunk is 24 sectors, expected a power"),
        (
            NewSet { chunk: chunk(65536), ..set(Level::Raid5) },
            "isw: chunk is 65536 sectors, expected a power",
        ),
        (NewSet { bitmap: true, ..set(Level::Raid5) }, "isw: bitmap is internal, expected none"),
        (
            NewSet { version: Some("2".into()), ..set(Level::Raid5) },
            "isw: metadata version is 2, expected 1.3.00",
        ),
        (
            NewSet { size: Some(Sectors(4095)), ..set(Level::Raid5) },
            "isw: size is 4095 sectors, expected a multiple",
        ),
        (
            NewSet { size: Some(Sectors(1 << 40)), ..set(Level::Raid5) },
            "isw: size is 1099511627776 sectors, expected at most",
        ),
        (
            NewSet { layout: Some("left-symmetric".parse().unwrap()), ..set(Level::Raid5) },
            "isw: layout is left-symmetric, expected left-asymmetric for raid5",
        ),
    ] {
        assert!(refusal(&set).starts_with(message), "{}", refusal(&set));
    }
}

#[test]
fn a_disk_without_a_serial_or_with_that_of_another_is_refused() {
    let bench = Bench::new(2);
    let mut set = bench.set(Level::Raid1, "vol0", 0);
    set.disks[1] = bench.device(1).with_serial(None);
    assert!(matches!(super::create(&set), Err(CreateError::SerialUnknown { .. })));
    set.disks[1] = bench.device(1).with_serial(Some("  SER0 ".to_owned()));
    let error = refusal(&set);
    assert_eq!(error, "disk1: isw: has the serial number 'SER0' of another");
}

#[test]
fn a_disk_of_any_size_has_room_or_is_refused() {
    for sectors in (0..40).chain([10_402, 12_449, 12_450, 12_451, 14_498]) {
        let disk = || SimDisk::new(Bytes(sectors * 512));
        let bench = Bench(vec![disk(), disk()]);
        match super::create(&bench.set(Level::Raid1, "vol0", 0)) {
            Ok(members) => {
                bench.write(&members);
                assert_eq!(bench.probe().arrays.len(), 1, "{sectors}");
            }
            Err(error) => assert!(matches!(error, CreateError::Disk { .. }), "{error}"),
        }
    }
}
