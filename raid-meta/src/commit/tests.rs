use super::*;
use crate::device::{PowerCut, SimDisk, SimPower, WriteEvent};
use crate::record::RegionRecord;
use crate::testing::Kept;
use nix::errno::Errno;
use std::path::Path;

const SIZE: usize = 64 * 1024;

/// A machine of simulated disks on one power.
struct Bench {
    power: SimPower,
    disks: Vec<SimDisk>,
}

struct Full;

impl UndoStore for Full {
    fn save(&mut self, _regions: &[RegionRecord]) -> Result<String, CommitError> {
        Err(CommitError::Undo { path: "undo".to_owned(), error: Errno::ENOSPC.into() })
    }
}

impl OpenDisk for Bench {
    fn open(&self, disk: &PlannedDisk) -> Result<Arc<dyn WriteAt>, CommitError> {
        let index: usize = disk.name.parse().unwrap();
        Ok(Arc::new(self.disks[index].clone()))
    }
}

impl Bench {
    fn new(sector_size: SectorSize) -> Self {
        let power = SimPower::new();
        let disk = |seed: usize| {
            let bytes: Vec<u8> = (0..SIZE).map(|at| u8::try_from((at * 7 + seed) % 251).unwrap()).collect();
            SimDisk::holding(&bytes).with_sector_size(sector_size).direct().on(&power)
        };
        Self { disks: vec![disk(1), disk(2)], power }
    }

    /// The machine after a power cut.
    fn after(&self, cut: PowerCut) -> Self {
        let power = SimPower::new();
        Self { disks: self.disks.iter().map(|disk| disk.power_cut(cut).on(&power)).collect(), power }
    }

    fn device(&self, index: usize) -> Device {
        // A plan may be made from a disk that refuses what is not in whole sectors.
        let disk = SimDisk::holding(&self.disks[index].peek(Bytes::ZERO, SIZE));
        let disk = disk.with_sector_size(self.disks[index].sector_size());
        Device::whole(Path::new(&index.to_string()), Arc::new(disk))
    }

    fn content(&self) -> Vec<Vec<u8>> {
        self.disks.iter().map(|disk| disk.peek(Bytes::ZERO, SIZE)).collect()
    }

    /// Writes of all kinds: within a sector, across some, over an earlier one, at the very end, in a window.
    fn plan(&self) -> Plan {
        let (first, second) = (self.device(0), self.device(1));
        let mut plan = Plan::default();
        plan.write(&first, Bytes(100), b"within a sector", "a").unwrap();
        plan.write(&second, Bytes(4000), &[0xaa; 9000], "b").unwrap();
        plan.barrier();
        plan.write(&first, Bytes(SIZE as u64 - 3), b"end", "c").unwrap();
        plan.write(&first, Bytes(105), &[0xbb; 600], "over a").unwrap();
        plan.write(&second.window(Bytes(8192), Bytes(4096)).unwrap(), Bytes(1), b"window", "d").unwrap();
        plan
    }

    /// Puts back what was saved.
    fn undo(&self, regions: &[RegionRecord]) {
        let mut plan = Plan::default();
        for region in regions {
            restore(&mut plan, &self.device(region.device.parse().unwrap()), region).unwrap();
        }
        commit(&plan, self, &mut Kept::default()).unwrap();
    }
}

fn benches() -> [Bench; 2] {
    [SectorSize::B512, SectorSize::B4096].map(Bench::new)
}

#[test]
fn a_plan_is_carried_out_and_its_undo_gives_the_original() {
    for bench in benches() {
        let original = bench.content();
        let mut expected = original.clone();
        expected[0][100..115].copy_from_slice(b"within a sector");
        expected[1][4000..13000].fill(0xaa);
        expected[0][SIZE - 3..].copy_from_slice(b"end");
        expected[0][105..705].fill(0xbb);
        expected[1][8193..8199].copy_from_slice(b"window");
        let mut kept = Kept::default();
        assert_eq!(commit(&bench.plan(), &bench, &mut kept).unwrap().as_deref(), Some("undo"));
        assert!(bench.content() == expected);
        bench.undo(&kept.0);
        assert!(bench.content() == original);
    }
}

#[test]
fn after_a_stop_at_any_write_and_any_loss_the_undo_gives_the_original() {
    for bench in [SectorSize::B512, SectorSize::B4096] {
        let writes = 5;
        for stop in 0..writes {
            for torn in [0, 1, 512, 700, 4096] {
                let bench = Bench::new(bench);
                let original = bench.content();
                let mut kept = Kept::default();
                bench.power.tear_after(stop, Bytes(torn));
                let error = commit(&bench.plan(), &bench, &mut kept).unwrap_err();
                let done = usize::try_from(stop).unwrap();
                assert!(
                    matches!(error, CommitError::Failed { done: found, all: 5, .. } if found == done),
                    "{error}"
                );
                let cuts = [PowerCut::LosesAll, PowerCut::LosesNothing, PowerCut::KeepsFirst(1)];
                let random = (0..8).map(|seed| PowerCut::KeepsSome { seed });
                for cut in cuts.into_iter().chain(random) {
                    let after = bench.after(cut);
                    after.undo(&kept.0);
                    assert!(after.content() == original, "stop {stop}, torn {torn}, {cut:?}");
                }
            }
        }
    }
}

#[test]
fn whichever_call_fails_nothing_is_written_without_an_undo_and_the_undo_works() {
    for failing in 0.. {
        let bench = Bench::new(SectorSize::B4096);
        let original = bench.content();
        let mut kept = Kept::default();
        bench.power.fail_call(failing, Errno::EIO);
        let Err(error) = commit(&bench.plan(), &bench, &mut kept) else {
            assert!(failing > 20, "the plan takes more calls than {failing}");
            break;
        };
        bench.power.restore();
        match &error {
            CommitError::Failed { .. } => assert!(!kept.0.is_empty()),
            _ => {
                assert!(kept.0.is_empty(), "{error}");
                assert!(bench.content() == original, "{error}");
            }
        }
        bench.undo(&kept.0);
        assert!(bench.content() == original, "call {failing}: {error}");
    }
}

#[test]
fn a_disk_that_changed_meanwhile_is_not_written() {
    let bench = Bench::new(SectorSize::B512);
    let plan = bench.plan();
    bench.disks[1].load(Bytes(5000), b"!");
    let changed = bench.content();
    let message = commit(&plan, &bench, &mut Kept::default()).unwrap_err().to_string();
    assert!(message.starts_with("1: byte 5000 is 0x21, expected 0x"), "{message}");
    assert!(bench.content() == changed);
}

#[test]
fn without_an_undo_file_nothing_is_written() {
    let bench = Bench::new(SectorSize::B512);
    let original = bench.content();
    let message = commit(&bench.plan(), &bench, &mut Full).unwrap_err().to_string();
    assert!(message.contains("nothing was written"), "{message}");
    assert!(bench.content() == original);
    assert_eq!(bench.disks[0].log(), []);
}

#[test]
fn what_comes_before_a_barrier_is_durable_before_what_comes_after() {
    let bench = Bench::new(SectorSize::B512);
    commit(&bench.plan(), &bench, &mut Kept::default()).unwrap();
    let kinds: Vec<_> = bench.disks[0].log().iter().map(|event| matches!(event, WriteEvent::Flush)).collect();
    // "a", flush; then "end" alone, because the next overlaps "a" only across the barrier.
    assert_eq!(kinds, [false, true, false, false, true]);
}

#[test]
fn what_is_there_already_is_not_written() {
    let bench = Bench::new(SectorSize::B512);
    let mut plan = Plan::default();
    let there = bench.disks[0].peek(Bytes(512), 100);
    plan.write(&bench.device(0), Bytes(512), &there, "same").unwrap();
    assert!(plan.is_empty());
    assert_eq!(commit(&plan, &bench, &mut Full).unwrap(), None);
}

#[test]
fn a_write_past_the_end_of_its_window_is_not_planned() {
    let bench = Bench::new(SectorSize::B512);
    let window = bench.device(0).window(Bytes(512), Bytes(512)).unwrap();
    assert!(Plan::default().write(&window, Bytes(510), b"abc", "x").is_err());
}

#[test]
fn a_region_that_is_not_what_was_saved_is_not_put_back() {
    let bench = Bench::new(SectorSize::B512);
    let region = save(&bench.device(0), Bytes(10), Bytes(20), "x").unwrap().remove(0);
    let try_it = |region: &RegionRecord| {
        restore(&mut Plan::default(), &bench.device(0), region).map_err(|e| e.to_string())
    };
    assert_eq!(try_it(&region), Ok(()));
    let cut = RegionRecord { hex: region.hex[2..].to_owned(), ..region.clone() };
    assert_eq!(try_it(&cut), Err("0: the region at 10: has 19 bytes, expected 20".into()));
    let odd = RegionRecord { hex: region.hex[1..].to_owned(), ..region.clone() };
    assert!(try_it(&odd).unwrap_err().starts_with("0: the region at 10: hex: "));
    let changed = RegionRecord { hex: format!("00{}", &region.hex[2..]), ..region.clone() };
    assert!(try_it(&changed).unwrap_err().starts_with("0: the region at 10: sha256 is "));
    let far = RegionRecord { offset_bytes: Bytes(u64::MAX), ..region };
    assert!(try_it(&far).is_err());
}

#[test]
fn a_region_belongs_to_the_device_that_it_was_saved_from() {
    let bench = Bench::new(SectorSize::B512);
    let first = bench.device(0).with_serial(Some("A".into()));
    let region = save(&first, Bytes(0), Bytes(1), "x").unwrap().remove(0);
    let try_it = |device: &Device| check_device(device, &region).map_err(|error| error.to_string());
    assert_eq!(try_it(&first), Ok(()));
    assert_eq!(try_it(&bench.device(0)), Ok(()), "a serial number that is not known says nothing");
    let other = first.clone().with_serial(Some("B".into()));
    assert_eq!(try_it(&other), Err("0: serial number is B, the region was saved from one with A".into()));
    let grown = Device::whole(Path::new("0"), Arc::new(SimDisk::new(Bytes(1))));
    assert_eq!(
        try_it(&grown),
        Err("0: size is 1 bytes, the region was saved from one with 65536 bytes".into())
    );
}

#[test]
fn what_is_large_is_saved_in_pieces_that_come_back_together() {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|at| u8::try_from(at % 253).unwrap()).collect();
    let disk = SimDisk::holding(&bytes);
    let device = Device::whole(Path::new("0"), Arc::new(disk));
    let regions = save(&device, Bytes(100), Bytes(2_500_000), "x").unwrap();
    assert_eq!(regions.len(), 3);
    let mut plan = Plan::default();
    plan.write(&device, Bytes(100), &[0; 2_500_000], "x").unwrap();
    assert_eq!(
        plan.undo().iter().map(|region| &region.sha256).collect::<Vec<_>>(),
        regions.iter().map(|region| &region.sha256).collect::<Vec<_>>()
    );
    let together: Vec<u8> = regions.iter().flat_map(|region| bytes_of(region).unwrap()).collect();
    assert!(together == bytes[100..2_500_100]);
    assert!(save(&device, Bytes(0), Bytes(u64::MAX), "x").is_err());
}
