//! Power that fails while metadata is written: after each write, within one, with the loss of what was not flushed.

use crate::images::{each, simulated};
use raid_meta::commit::{CommitError, OpenDisk, Plan, PlannedDisk, UndoStore, commit, restore};
use raid_meta::device::{Device, PowerCut, ReadAt, SimDisk, WriteAt};
use raid_meta::edit::erase;
use raid_meta::probe::Options;
use raid_meta::record::RegionRecord;
use raid_meta::units::Bytes;
use std::path::Path;
use std::sync::Arc;

struct One(SimDisk);

impl OpenDisk for One {
    fn open(&self, _disk: &PlannedDisk) -> Result<Arc<dyn WriteAt>, CommitError> {
        Ok(Arc::new(self.0.clone()))
    }
}

#[derive(Default)]
struct Kept(Vec<RegionRecord>);

impl UndoStore for Kept {
    fn save(&mut self, regions: &[RegionRecord]) -> Result<String, CommitError> {
        self.0 = regions.to_vec();
        Ok("kept".to_owned())
    }
}

fn device(disk: &SimDisk) -> Device {
    Device::whole(Path::new("disk.img"), Arc::new(disk.clone()))
}

fn content(disk: &SimDisk) -> Vec<u8> {
    disk.peek(Bytes(0), usize::try_from(disk.size().0).unwrap())
}

fn undo(disk: &SimDisk, regions: &[RegionRecord]) {
    let mut plan = Plan::default();
    for region in regions {
        restore(&mut plan, &device(disk), region).unwrap();
    }
    commit(&plan, &One(disk.clone()), &mut Kept::default()).unwrap();
}

#[test]
fn an_erase_that_is_interrupted_anywhere_is_undone_bit_for_bit() {
    each(|image| {
        let fresh = || simulated(&image.path);
        let original = content(&fresh());
        let mut plan = Plan::default();
        erase(&mut plan, &device(&fresh()), &Options::default()).unwrap();
        for stop in 0..plan.changes().len() as u64 {
            for torn in [0, 100, 512] {
                let disk = fresh();
                disk.power().tear_after(stop, Bytes(torn));
                let mut kept = Kept::default();
                let error = commit(&plan, &One(disk.clone()), &mut kept).unwrap_err();
                assert!(matches!(error, CommitError::Failed { .. }), "{error}");
                for cut in
                    [PowerCut::LosesAll, PowerCut::LosesNothing, PowerCut::KeepsSome { seed: stop + torn }]
                {
                    let after = disk.power_cut(cut);
                    undo(&after, &kept.0);
                    assert!(content(&after) == original, "{}: stop {stop}, torn {torn}, {cut:?}", image.name);
                }
            }
        }
    });
}
