//! Members filled again, stopped anywhere, and gone on with.

use super::*;
use raid_meta::device::{PowerCut, ReadAt, SimDisk, SimPower};
use raid_meta::geometry::{Layout, Level, ParityLayout};
use raid_meta::record::{ArrayMember, ArrayRecord, MemberState};
use raid_table::volume::{OpenOptions, Sources};
use std::sync::Arc;

const MEMBER_SECTORS: u64 = 4096;
const DATA_AT: Bytes = Bytes(8192);

/// A raid5 of three disks, the second of them missing: every byte of the others follows from its place.
struct Set(ArrayRecord);

fn byte(slot: u32, at: u64) -> u8 {
    u8::try_from((at * 31 + at / 4096 * 7 + u64::from(slot) * 101) & 0xff).unwrap()
}

fn content(slot: u32) -> Vec<u8> {
    (0..MEMBER_SECTORS * SECTOR_BYTES).map(|at| byte(slot, at)).collect()
}

/// What the missing member has to be: the exclusive-or of the others.
fn expected() -> Vec<u8> {
    content(0).iter().zip(content(2)).map(|(a, b)| a ^ b).collect()
}

impl Sources for Set {
    fn open(&self, member: &ArrayMember) -> Result<Arc<dyn ReadAt>, String> {
        Ok(Arc::new(SimDisk::holding(&content(member.slot.0))))
    }
}

impl Set {
    fn new() -> Self {
        let layout: Layout = ParityLayout::LeftSymmetric.into();
        let members: Vec<serde_json::Value> = (0..3)
            .map(|slot| {
                let missing = slot == 1;
                let state = if missing { MemberState::Missing } else { MemberState::InSync };
                let device = (!missing).then(|| format!("disk{slot}"));
                serde_json::json!({"slot": slot, "device": device, "state": state, "offset_sectors": 0,
                    "length_sectors": MEMBER_SECTORS})
            })
            .collect();
        let record = serde_json::json!({"v": 1, "name": "set", "level": Level::Raid5, "layout": layout,
            "chunk_sectors": 128, "size_sectors": 2 * MEMBER_SECTORS, "slots": 3, "members": members});
        Self(serde_json::from_value(record).unwrap())
    }

    fn volume(&self) -> Volume {
        Volume::open(&self.0, self, OpenOptions::default()).unwrap()
    }
}

/// Saves after every so many windows.
struct Saves {
    every: u32,
    windows: u32,
    saved: Bytes,
}

impl Saves {
    fn every(every: u32) -> Self {
        Self { every, windows: 0, saved: Bytes(0) }
    }
}

impl Watch for Saves {
    fn written(&mut self, _done: Bytes) {
        self.windows += 1;
    }

    fn is_due(&mut self) -> bool {
        self.windows.is_multiple_of(self.every)
    }

    fn save(&mut self, done: Bytes) -> Result<(), String> {
        self.saved = done;
        Ok(())
    }
}

fn blank() -> SimDisk {
    SimDisk::new(Bytes(DATA_AT.0 + MEMBER_SECTORS * SECTOR_BYTES + 4096))
}

fn fill(target: &SimDisk, from: Bytes, overlap: bool, saves: &mut Saves) -> Result<(), FillError> {
    let volume = Set::new().volume();
    let part = Part { volume: &volume, slot: Slot(1), offset: DATA_AT, length: Sectors(MEMBER_SECTORS) };
    Fill::new(&[part])?.run(target, from, overlap, saves)
}

fn data(target: &SimDisk) -> Vec<u8> {
    target.peek(DATA_AT, usize::try_from(MEMBER_SECTORS * SECTOR_BYTES).unwrap())
}

#[test]
fn a_member_is_what_the_others_say_and_nothing_beside_it_is_touched() {
    for overlap in [false, true] {
        let target = blank();
        fill(&target, Bytes(0), overlap, &mut Saves::every(1)).unwrap();
        assert!(data(&target) == expected());
        assert_eq!(target.peek(Bytes(0), 8192), vec![0; 8192]);
        assert_eq!(target.peek(Bytes(DATA_AT.0 + MEMBER_SECTORS * SECTOR_BYTES), 4096), vec![0; 4096]);
    }
}

#[test]
fn a_run_that_was_stopped_at_any_write_is_gone_on_with_and_reaches_the_same_end() {
    for (stop, overlap) in (0..9).flat_map(|stop| [(stop, false), (stop, true)]) {
        for cut in [PowerCut::LosesAll, PowerCut::LosesNothing, PowerCut::KeepsSome { seed: stop }] {
            let power = SimPower::new();
            let target = blank().on(&power);
            power.tear_after(stop, Bytes(1024));
            let mut saves = Saves::every(2);
            assert!(fill(&target, Bytes(0), overlap, &mut saves).is_err());
            let target = target.power_cut(cut).on(&SimPower::new());
            fill(&target, saves.saved, overlap, &mut Saves::every(2)).unwrap();
            assert!(data(&target) == expected(), "{stop} {overlap} {cut:?}");
        }
    }
}

#[test]
fn another_disk_than_the_one_that_was_written_is_not_gone_on_with() {
    let error = fill(&blank(), Bytes(1 << 20), false, &mut Saves::every(1)).unwrap_err();
    assert!(matches!(error, FillError::Changed { .. }), "{error}");
}

#[test]
fn a_target_without_room_for_the_member_is_refused() {
    let volume = Set::new().volume();
    let part = Part { volume: &volume, slot: Slot(1), offset: DATA_AT, length: Sectors(MEMBER_SECTORS - 1) };
    assert!(matches!(Fill::new(&[part]), Err(FillError::Length { .. })));
    let part = Part { volume: &volume, slot: Slot(3), offset: DATA_AT, length: Sectors(MEMBER_SECTORS) };
    assert!(matches!(Fill::new(&[part]), Err(FillError::Slot { .. })));
}
