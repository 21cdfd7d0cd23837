//! An overlay holds what was written, over stops and power cuts at any moment, and belongs to one array.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::file::write_zeros;
use super::{BLOCK, BLOCK_LENGTH, Identity, Overlay, OverlayError, OverlayFile, Ranges, Store, file_length};
use proptest::prelude::*;
use raid_meta::device::{PowerCut, ReadAt, SimDisk, WriteAt};
use raid_meta::units::{Bytes, SectorSize};
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// Not a whole number of blocks, and more than one byte of map.
const SIZE: usize = 21 * BLOCK_LENGTH + 1536;
const SECTOR: usize = 512;

impl Store for SimDisk {
    fn punch(&self, offset: Bytes, length: Bytes) -> io::Result<()> {
        write_zeros(self, offset, length)
    }
}

fn array() -> Vec<u8> {
    (0..SIZE).map(|at| u8::try_from(at / 16 % 251).unwrap() | 1).collect()
}

fn overlay(store: &SimDisk) -> Overlay<SimDisk> {
    Overlay::new(Arc::new(SimDisk::holding(&array())), store.clone())
}

fn store() -> SimDisk {
    SimDisk::new(file_length(Bytes(SIZE as u64)).unwrap())
}

/// What is done to an overlay.
#[derive(Clone, Debug)]
enum Act {
    Write(Range<usize>, u8),
    Zero(Range<usize>),
    Flush,
}

impl Act {
    /// Its range of the array, with what it leaves there.
    fn change(&self) -> Option<(Range<usize>, u8)> {
        match self {
            Self::Write(range, value) => Some((range.clone(), *value)),
            Self::Zero(range) => Some((range.clone(), 0)),
            Self::Flush => None,
        }
    }

    fn apply(&self, overlay: &Overlay<SimDisk>) -> io::Result<()> {
        match self {
            Self::Write(range, value) => overlay.write(Bytes(range.start as u64), &vec![*value; range.len()]),
            Self::Zero(range) => overlay.write_zeros(Bytes(range.start as u64), Bytes(range.len() as u64)),
            Self::Flush => overlay.flush(),
        }
    }
}

/// Acts on ranges of multiples of `unit` bytes.
fn acts(unit: usize) -> impl Strategy<Value = Vec<Act>> {
    let range = (0..SIZE / unit, 0..3 * BLOCK_LENGTH / unit)
        .prop_map(move |(start, length)| start * unit..((start + length) * unit).min(SIZE));
    let act = prop_oneof![
        4 => (range.clone(), any::<u8>()).prop_map(|(range, value)| Act::Write(range, value)),
        2 => range.prop_map(Act::Zero),
        1 => Just(Act::Flush),
    ];
    prop::collection::vec(act, 1..12)
}

fn content(overlay: &Overlay<SimDisk>) -> Vec<u8> {
    let mut bytes = vec![0; SIZE];
    overlay.read(Bytes::ZERO, &mut bytes).unwrap();
    bytes
}

proptest! {
    #[test]
    fn what_was_written_is_read_and_the_rest_is_the_array(acts in prop_oneof![acts(1), acts(SECTOR)], reads in prop::collection::vec((0..SIZE, 0..SIZE), 5)) {
        let overlay = overlay(&store());
        let mut expected = array();
        for act in &acts {
            act.apply(&overlay).unwrap();
            if let Some((range, value)) = act.change() {
                expected[range].fill(value);
            }
        }
        prop_assert!(content(&overlay) == expected);
        for (start, length) in reads {
            let end = (start + length).min(SIZE);
            let mut bytes = vec![0; end - start];
            overlay.read(Bytes(start as u64), &mut bytes).unwrap();
            prop_assert!(bytes == expected[start..end]);
        }
    }

    #[test]
    fn after_a_stop_and_a_power_cut_every_sector_is_as_some_write_since_the_flush_left_it(
        // A disk writes whole sectors; bytes of one that are written one after the other are not lost one by one.
        acts in acts(SECTOR),
        stop in 0_u64..60,
        seed in any::<u64>(),
    ) {
        let store = store();
        let running = overlay(&store);
        store.power().stop_after(stop);
        let mut states = vec![array()];
        for act in &acts {
            if let Some((range, value)) = act.change() {
                let mut next = states.last().unwrap().clone();
                next[range].fill(value);
                states.push(next);
            }
            match act.apply(&running) {
                Ok(()) if matches!(act, Act::Flush) => states = vec![states.pop().unwrap()],
                Ok(()) => {}
                Err(_) => break,
            }
        }
        let kept = usize::try_from(seed % 7).unwrap();
        for cut in [PowerCut::LosesAll, PowerCut::LosesNothing, PowerCut::KeepsFirst(kept), PowerCut::KeepsSome { seed }] {
            let after = store.power_cut(cut);
            after.power().restore();
            let found = content(&overlay(&after));
            for sector in 0..SIZE / SECTOR {
                let range = sector * SECTOR..(sector + 1) * SECTOR;
                prop_assert!(
                    states.iter().any(|state| state[range.clone()] == found[range.clone()]),
                    "{cut:?}: sector {sector} is as no write left it"
                );
            }
        }
    }

    #[test]
    fn ranges_are_the_set_of_what_was_added(added in prop::collection::vec((0_u64..60, 0_u64..9), 0..20), within in (0_u64..60, 0_u64..30)) {
        let mut ranges = Ranges::default();
        let mut set = [false; 80];
        for (start, length) in added {
            ranges.add(start..start + length);
            set[usize::try_from(start).unwrap()..usize::try_from(start + length).unwrap()].fill(true);
        }
        let listed: Vec<u64> = ranges.iter().flatten().collect();
        let expected: Vec<u64> = (0..80).filter(|at| set[usize::try_from(*at).unwrap()]).collect();
        prop_assert_eq!(&listed, &expected);
        let window = within.0..within.0 + within.1;
        let inside: Vec<u64> = ranges.within(window.clone()).into_iter().flatten().collect();
        let expected: Vec<u64> = expected.into_iter().filter(|at| window.contains(at)).collect();
        prop_assert_eq!(inside, expected);
    }
}

#[test]
fn a_block_of_which_a_part_is_written_needs_the_rest_from_the_array() {
    let base = SimDisk::holding(&array());
    base.fail_reads(Bytes(BLOCK)..Bytes(BLOCK + 1));
    let overlay = Overlay::new(Arc::new(base), store());
    overlay.write(Bytes(BLOCK + 512), &[7; 512]).unwrap_err();
    overlay.write(Bytes(BLOCK), &[7; BLOCK_LENGTH]).unwrap();
    overlay.write(Bytes(BLOCK + 512), &[8; 512]).unwrap();
    let mut bytes = [0; 1024];
    overlay.read(Bytes(BLOCK), &mut bytes).unwrap();
    assert!(bytes[..512].iter().all(|byte| *byte == 7) && bytes[512..].iter().all(|byte| *byte == 8));
}

#[test]
fn nothing_is_promised_after_a_flush_that_failed() {
    let store = store();
    let overlay = overlay(&store);
    overlay.write(Bytes(0), &[1; 4096]).unwrap();
    store.power().stop_after(0);
    overlay.flush().unwrap_err();
    store.power().restore();
    overlay.flush().unwrap_err();
    overlay.write(Bytes(0), &[1; 4096]).unwrap_err();
}

/// An array without content of any size.
struct Blank(u64);

impl ReadAt for Blank {
    fn read_at(&self, _: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(0);
        Ok(buffer.len())
    }

    fn size(&self) -> Bytes {
        Bytes(self.0)
    }

    fn sector_size(&self) -> SectorSize {
        SectorSize::B512
    }
}

#[test]
fn the_ends_of_a_very_large_array_are_in_their_places() {
    let size = 100 << 40;
    let store = SimDisk::new(file_length(Bytes(size)).unwrap());
    let overlay = Overlay::new(Arc::new(Blank(size)), store.clone());
    for at in [0, (3 << 40) + BLOCK, size - BLOCK] {
        overlay.write(Bytes(at), &[9; BLOCK_LENGTH]).unwrap();
    }
    overlay.flush().unwrap();
    let again = Overlay::new(Arc::new(Blank(size)), store);
    for at in [0, (3 << 40) + BLOCK, size - BLOCK] {
        let mut bytes = [0; BLOCK_LENGTH];
        again.read(Bytes(at), &mut bytes).unwrap();
        assert!(bytes.iter().all(|byte| *byte == 9));
        assert_eq!(again.holds(Bytes(at), Bytes(at + BLOCK)).unwrap(), (true, Bytes(at + BLOCK)));
    }
    assert!(!again.holds(Bytes(BLOCK), Bytes(size)).unwrap().0);
}

fn identity(name: &str) -> Identity {
    let line = serde_json::json!({
        "name": name, "format": "md", "set_id": null, "uuid": "1-2", "level": "raid5", "size_bytes": SIZE,
    });
    serde_json::from_value(line).unwrap()
}

#[test]
fn a_file_is_the_overlay_of_one_array_and_of_one_server_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("overlay");
    let size = Bytes(SIZE as u64);
    let first = OverlayFile::open(&path, &identity("md_a"), size).unwrap();
    assert!(matches!(OverlayFile::open(&path, &identity("md_a"), size), Err(OverlayError::InUse { .. })));
    let overlay = Overlay::new(Arc::new(SimDisk::holding(&array())), first);
    overlay.write(Bytes(1000), &[5; 5000]).unwrap();
    overlay.write_zeros(Bytes(8192), Bytes(8192)).unwrap();
    overlay.flush().unwrap();
    drop(overlay);
    let other = OverlayFile::open(&path, &identity("md_b"), size).unwrap_err();
    assert!(other.to_string().contains("md_a (md, raid5"), "{other}");
    let again = OverlayFile::open(&path, &identity("md_a"), size).unwrap();
    let overlay = Overlay::new(Arc::new(SimDisk::holding(&array())), again);
    let mut expected = array();
    expected[1000..6000].fill(5);
    expected[8192..16384].fill(0);
    let mut found = vec![0; SIZE];
    overlay.read(Bytes::ZERO, &mut found).unwrap();
    assert!(found == expected);
}

#[test]
fn a_file_that_is_something_else_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("precious");
    for content in [vec![1; 100], vec![0; 1 << 22], b"{\"type\":\"raid-overlay\"}\n".to_vec()] {
        std::fs::write(&path, &content).unwrap();
        let opened = OverlayFile::open(&path, &identity("md_a"), Bytes(SIZE as u64));
        assert!(matches!(opened, Err(OverlayError::NoOverlay { .. })));
        assert!(std::fs::read(&path).unwrap() == content);
    }
}

#[test]
fn an_overlay_that_was_cut_short_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("overlay");
    drop(OverlayFile::open(&path, &identity("md_a"), Bytes(SIZE as u64)).unwrap());
    std::fs::File::options().write(true).open(&path).unwrap().set_len(8192).unwrap();
    let opened = OverlayFile::open(&path, &identity("md_a"), Bytes(SIZE as u64));
    assert!(matches!(opened, Err(OverlayError::NoOverlay { .. })));
    // Silence about what a disk of zeros can do is no test of it.
    let disk = SimDisk::new(Bytes(8192));
    disk.write_at(Bytes(0), &[1]).unwrap();
    disk.punch(Bytes(0), Bytes(512)).unwrap();
    assert_eq!(disk.peek(Bytes(0), 1), [0]);
}
