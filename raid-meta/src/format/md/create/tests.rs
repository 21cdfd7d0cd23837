//! Arrays that are made, found again, and put together.

use crate::device::{Device, SimDisk, WriteAt};
use crate::format::Format;
use crate::format::create::{CreateError, NewMember, NewSet};
use crate::format::md::Md;
use crate::geometry::{Layout, Level};
use crate::probe::{Options, Probe, probe};
use crate::record::{ArrayRecord, Health, MemberState};
use crate::units::{Bytes, ChunkSectors, SectorSize, Sectors};
use std::path::Path;
use std::sync::Arc;

const VERSIONS: [&str; 4] = ["0.90", "1.0", "1.1", "1.2"];

struct Bench {
    disks: Vec<SimDisk>,
}

impl Bench {
    fn new(sizes: &[u64]) -> Self {
        Self { disks: sizes.iter().map(|&sectors| SimDisk::new(Bytes(sectors * 512))).collect() }
    }

    fn equal(count: usize) -> Self {
        Self::new(&vec![49152; count])
    }

    fn device(&self, index: usize) -> Device {
        Device::whole(Path::new(&format!("disk{index}")), Arc::new(self.disks[index].clone()))
    }

    fn devices(&self) -> Vec<Device> {
        (0..self.disks.len()).map(|index| self.device(index)).collect()
    }

    /// A set of the disks but the last few, which are spares.
    fn set(&self, level: Level, spares: usize) -> NewSet {
        let mut disks = self.devices();
        let spares = disks.split_off(disks.len() - spares);
        let identity = *b"0123456789abcdef";
        NewSet {
            spares,
            identity,
            now: 1_800_000_000,
            chunk: chunk(level),
            ..NewSet::new(level, "vol0", disks)
        }
    }

    fn write(&self, members: &[NewMember]) {
        assert_eq!(members.len(), self.disks.len());
        for (disk, member) in self.disks.iter().zip(members) {
            for area in &member.areas {
                disk.write_at(area.offset, &area.bytes).unwrap();
            }
        }
    }

    fn probe(&self) -> Probe {
        let found = probe(self.devices(), &Options::default());
        for member in &found.members {
            assert_eq!(member.problems, [], "{:?}", member.device);
        }
        found
    }

    /// The array that a set makes.
    fn array(&self, set: &NewSet) -> ArrayRecord {
        self.write(&super::create(set).unwrap_or_else(|error| panic!("{error}")));
        let mut found = self.probe();
        assert_eq!(found.members.len(), self.disks.len());
        assert_eq!(found.arrays.len(), 1);
        found.arrays.remove(0)
    }
}

fn chunk(level: Level) -> Option<ChunkSectors> {
    if matches!(level, Level::Linear | Level::Raid1) { None } else { ChunkSectors::new(128) }
}

fn of_version(mut set: NewSet, version: &str) -> NewSet {
    set.version = Some(version.to_owned());
    set
}

fn refusal(set: &NewSet) -> CreateError {
    super::create(set).unwrap_err()
}

#[test]
fn every_level_in_every_version_is_found_again_as_it_was_asked_for() {
    for version in VERSIONS {
        for level in Level::ALL {
            for spares in [0, 2] {
                let bench = Bench::equal(4 + spares);
                let set = of_version(bench.set(level, spares), version);
                let array = bench.array(&set);
                assert_eq!((array.level, array.slots, array.chunk_sectors), (level, 4, set.chunk));
                let order: Vec<_> = array.members.iter().map(|member| member.device.clone()).collect();
                assert_eq!(order, (0..4).map(|slot| Some(format!("disk{slot}"))).collect::<Vec<_>>());
                assert!(array.members.iter().all(|member| member.state == MemberState::InSync));
                assert_eq!(array.spares.len(), spares);
                assert_eq!(array.volume.as_deref(), (version != "0.90").then_some("vol0"));
                let expected = if level.is_redundant() { Health::Initializing } else { Health::Optimal };
                assert_eq!(array.health, expected, "{version} {level}");
            }
        }
    }
}

#[test]
fn redundancy_that_is_known_to_be_valid_is_recorded_so() {
    for version in VERSIONS {
        for bitmap in [false, true] {
            let bench = Bench::equal(4);
            let set = NewSet { in_sync: true, bitmap, ..of_version(bench.set(Level::Raid6, 0), version) };
            let array = bench.array(&set);
            assert_eq!((array.health, array.dirty), (Health::Optimal, Some(false)));
            assert_eq!(array.resync_position_sectors, None);
        }
    }
}

#[test]
fn a_bitmap_is_read_back_without_a_complaint_on_every_level_and_size() {
    for version in VERSIONS {
        for sectors in [8192, 49152, 1 << 24, 1 << 34] {
            for level in [Level::Raid1, Level::Raid5, Level::Raid10] {
                let bench = Bench::new(&[sectors; 4]);
                let set = NewSet { bitmap: true, ..of_version(bench.set(level, 0), version) };
                bench.array(&set);
                let found = Md.find(&bench.device(1)).unwrap();
                let areas = found[0].metadata.as_ref().unwrap().areas();
                assert!(areas.iter().any(|area| area.role == "bitmap"), "{version} {sectors} {level}");
            }
        }
    }
}

#[test]
fn what_is_written_is_what_is_found_and_the_same_again() {
    for version in VERSIONS {
        let bench = Bench::equal(5);
        let set = NewSet { bitmap: true, ..of_version(bench.set(Level::Raid5, 1), version) };
        let members = super::create(&set).unwrap();
        bench.write(&members);
        for (index, member) in members.iter().enumerate() {
            let found = Md.find(&bench.device(index)).unwrap();
            let mut found = found[0].metadata.as_ref().unwrap().areas();
            let mut written = member.areas.clone();
            assert_eq!(written.last().unwrap().role, "superblock");
            found.sort_by_key(|area| area.offset);
            written.sort_by_key(|area| area.offset);
            assert_eq!(found.len(), written.len());
            for (found, written) in found.iter().zip(&written) {
                // A bitmap is written in whole pages, and read as far as it means something.
                assert_eq!((found.role, found.offset), (written.role, written.offset));
                assert!(written.bytes.starts_with(&found.bytes), "{version} {index} {}", found.role);
            }
        }
        let again = super::create(&set).unwrap();
        assert!(members.iter().zip(&again).all(|(one, other)| one.areas == other.areas));
    }
}

#[test]
fn every_layout_of_every_level_is_recorded() {
    let layouts = [
        (
            Level::Raid5,
            "left-asymmetric right-asymmetric left-symmetric right-symmetric parity-first parity-last",
        ),
        (
            Level::Raid6,
            "left-symmetric parity-last left-asymmetric-6 parity-first-6 ddf-zero-restart ddf-n-continue",
        ),
        (Level::Raid10, "near-2 near-3 far-2 offset-2 far-2-sets near-2-far-2 far-3"),
        (Level::Raid4, "parity-last"),
    ];
    for (level, names) in layouts {
        for name in names.split(' ') {
            let bench = Bench::equal(5);
            let layout: Layout = name.parse().unwrap();
            let array = bench.array(&NewSet { layout: Some(layout), ..bench.set(level, 0) });
            assert_eq!(array.layout, Some(layout));
        }
    }
}

#[test]
fn a_raid0_of_unequal_disks_records_its_layout_and_uses_them_to_their_ends() {
    for (asked, recorded) in [(None, "original"), (Some("alternate"), "alternate")] {
        let bench = Bench::new(&[49152, 20480, 49152 + 37]);
        let layout = asked.map(|name: &str| name.parse().unwrap());
        let array = bench.array(&NewSet { layout, ..bench.set(Level::Raid0, 0) });
        assert_eq!(array.layout.unwrap().to_string(), recorded);
        assert_eq!(array.size_sectors, Sectors((49152 - 2048) * 2 + 20480 - 2048));
    }
    let bench = Bench::new(&[49152, 20480]);
    let error = refusal(&of_version(bench.set(Level::Raid0, 0), "0.90"));
    assert!(error.to_string().starts_with("md: metadata version is 0.90, expected 1.0"), "{error}");
}

#[test]
fn a_size_is_taken_where_whole_stripes_make_it() {
    let bench = Bench::equal(4);
    for (level, layout, size, stripe) in [
        (Level::Raid1, None, 2000, 2),
        (Level::Raid5, None, 3 * 128 * 20, 384),
        (Level::Raid6, None, 2 * 128 * 20, 256),
        (Level::Raid10, Some("near-2"), 2 * 128 * 21, 256),
        (Level::Raid10, Some("far-2"), 4 * 128 * 21, 512),
    ] {
        let layout = layout.map(|name: &str| name.parse().unwrap());
        let set = NewSet { layout, size: Some(Sectors(size)), ..bench.set(level, 0) };
        assert_eq!(bench.array(&set).size_sectors, Sectors(size), "{level}");
        let error = refusal(&NewSet { size: Some(Sectors(size + 1)), ..set.clone() }).to_string();
        assert!(error.ends_with(&format!("expected a multiple of {stripe} sectors")), "{error}");
        let error = refusal(&NewSet { size: Some(Sectors(stripe << 40)), ..set.clone() }).to_string();
        assert!(error.contains("expected at most "), "{error}");
        assert!(super::create(&NewSet { size: Some(Sectors::MAX), ..set.clone() }).is_err());
        assert!(super::create(&NewSet { size: Some(Sectors::ZERO), ..set }).is_err());
    }
}

#[test]
fn what_md_can_not_do_is_refused_with_what_it_can() {
    let bench = Bench::equal(3);
    let set = |level| bench.set(level, 0);
    let chunk = |sectors| ChunkSectors::new(sectors);
    for (set, message) in [
        (set(Level::Raid6), "md: number of disks is 3, expected at least 4 for raid6"),
        (
            NewSet { chunk: chunk(24), ..set(Level::Raid5) },
            "md: chunk is 24 sectors, expected a power of two",
        ),
        (NewSet { chunk: chunk(4), ..set(Level::Raid5) }, "md: chunk is 4 sectors, expected a power of two"),
        (
            NewSet { chunk: chunk(12), ..set(Level::Raid0) },
            "md: chunk is 12 sectors, expected a multiple of 8",
        ),
        (NewSet { name: "x".repeat(33), ..set(Level::Raid1) }, "md: name is xxxx"),
        (NewSet { name: "host:x".into(), ..set(Level::Raid1) }, "md: name is host:x, expected no colon"),
        (NewSet { version: Some("1.3\n".into()), ..set(Level::Raid1) }, "md: metadata version is 1.3\\x0a, "),
        (NewSet { bitmap: true, ..set(Level::Raid0) }, "md: bitmap is internal, expected none for raid0"),
        (
            NewSet { layout: Some("near-2".parse().unwrap()), ..set(Level::Raid5) },
            "md: layout is near-2, expected one that md has for raid5",
        ),
        (
            NewSet { layout: Some("near-4".parse().unwrap()), ..set(Level::Raid10) },
            "md: geometry is raid10, expected one that md has: layout near-4 has 4 copies on 3 slots",
        ),
        (
            NewSet { size: Some(Sectors(8)), ..set(Level::Raid0) },
            "md: size is 8 sectors, expected none: raid0 uses all of each disk",
        ),
    ] {
        let error = refusal(&set).to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn what_there_is_no_room_for_is_left_out() {
    let bench = Bench::equal(2);
    let set = NewSet { chunk: ChunkSectors::new(8), ..bench.set(Level::Raid1, 0) };
    assert_eq!(bench.array(&set).chunk_sectors, None);
    assert_eq!(bench.array(&of_version(bench.set(Level::Raid1, 0), "1.2")).volume.as_deref(), Some("vol0"));
}

#[test]
fn a_disk_of_any_size_has_room_or_is_refused() {
    for version in VERSIONS {
        for sectors in (0..300).chain([2047, 2048, 2176, 4096, 4224, 5000]) {
            let bench = Bench::new(&[sectors, sectors]);
            let set = of_version(NewSet { bitmap: true, ..bench.set(Level::Raid1, 0) }, version);
            match super::create(&set) {
                Ok(members) => {
                    bench.write(&members);
                    assert_eq!(bench.probe().arrays.len(), 1, "{version} {sectors}");
                }
                Err(error) => assert!(matches!(error, CreateError::Disk { .. }), "{error}"),
            }
        }
    }
}

#[test]
fn disks_of_4096_byte_sectors_get_whole_ones() {
    for version in VERSIONS {
        let disks: Vec<_> = (0..2)
            .map(|_| SimDisk::new(Bytes(24 << 20)).with_sector_size(SectorSize::B4096).direct())
            .collect();
        let bench = Bench { disks };
        let set = of_version(NewSet { bitmap: true, ..bench.set(Level::Raid1, 0) }, version);
        assert_eq!(bench.array(&set).slots, 2);
    }
}
