//! What is written through an array is where the layout arithmetic and the reference parity put it.

use super::*;
use raid_meta::device::{SimDisk, WriteAt};

/// An array on simulated disks.
struct Written {
    record: ArrayRecord,
    map: Map,
    disks: Vec<SimDisk>,
}

impl Targets for Written {
    fn open(&self, member: &ArrayMember) -> Result<Arc<dyn WriteAt>, String> {
        Ok(Arc::new(self.disks[member.slot.index()].clone()))
    }
}

impl Written {
    /// All members hold what was laid out for `like`.
    fn new(like: &Array) -> Self {
        let lengths: Vec<Sectors> =
            like.record.members.iter().map(|member| member.length_sectors.unwrap()).collect();
        let map = Map::new(&like.record.geometry(), &lengths, like.record.size_sectors).unwrap();
        let disks = like.disks.iter().map(|disk| SimDisk::holding(&disk.bytes)).collect();
        Self { record: like.record.clone(), map, disks }
    }

    fn open(&self, degraded: bool) -> Result<WritableVolume, OpenVolumeError> {
        WritableVolume::open(&self.record, self, degraded)
    }

    fn without(&mut self, slot: usize) {
        self.record.members[slot].state = MemberState::Missing;
        self.record.members[slot].device = None;
    }

    fn image(&self, slot: usize) -> Vec<u8> {
        let disk = &self.disks[slot];
        let mut bytes = vec![0; usize::try_from(disk.size().0).unwrap()];
        disk.read_exact_at(Bytes::ZERO, &mut bytes).unwrap();
        bytes
    }

    /// Puts content where the plain way of the reading tests puts it, on images of what the disks hold.
    fn laid_out(&self, content: &[u8]) -> Vec<Vec<u8>> {
        let mut disks: Vec<Vec<u8>> = (0..self.disks.len()).map(|slot| self.image(slot)).collect();
        for extent in self.map.extents(Sectors::ZERO, self.record.size_sectors) {
            let from = usize::try_from(extent.array.0).unwrap() * SECTOR;
            let length = usize::try_from(extent.length.0).unwrap() * SECTOR;
            for place in &extent.copies {
                let at = (OFFSET_SECTORS + usize::try_from(place.sector.0).unwrap()) * SECTOR;
                disks[place.slot.index()][at..at + length].copy_from_slice(&content[from..from + length]);
            }
        }
        // No array sectors of its own: only the parity of what is there now.
        lay_out(&self.map, OFFSET_SECTORS * SECTOR, 0, 0, &mut disks);
        disks
    }
}

fn blank(level: Level, layout: Option<Layout>, slots: u32) -> Written {
    let mut array = array(level, layout, slots, 8, 64);
    for disk in &mut array.disks {
        disk.bytes.fill(0);
    }
    Written::new(&array)
}

fn pattern(size: u64) -> Vec<u8> {
    (0..size).flat_map(sector_content).collect()
}

#[test]
fn what_is_written_whole_is_laid_out_with_its_redundancy() {
    for (level, layout, slots) in all_shapes() {
        let written = blank(level, layout, slots);
        let content = pattern(written.record.size_sectors.0);
        let volume = written.open(false).unwrap();
        volume.write(Bytes::ZERO, &content).unwrap();
        volume.flush().unwrap();
        let expected = written.laid_out(&content);
        for (slot, expected) in expected.iter().enumerate() {
            assert!(written.image(slot) == *expected, "{level} {layout:?}: slot {slot}");
        }
        let mut back = vec![0; content.len()];
        volume.volume().read(Bytes::ZERO, &mut back).unwrap();
        assert!(back == content, "{level} {layout:?}");
    }
}

#[test]
fn parity_that_was_out_of_step_is_in_step_where_it_was_written() {
    let like = array(Level::Raid6, Some(ParityLayout::LeftSymmetric.into()), 5, 8, 64);
    let written = Written::new(&like);
    written.disks[0].write_at(Bytes(OFFSET * SECTOR_BYTES), &[0x55; 64 * SECTOR]).unwrap();
    let content = pattern(like.size());
    written.open(false).unwrap().write(Bytes::ZERO, &content).unwrap();
    for (slot, disk) in like.disks.iter().enumerate() {
        assert!(written.image(slot) == disk.bytes, "slot {slot}");
    }
}

#[test]
fn without_a_member_its_data_goes_into_the_redundancy() {
    for (level, layout, slots) in all_shapes() {
        for lost in 0..slots as usize {
            let like = array(level, layout, slots, 8, 64);
            let present: Vec<bool> = (0..slots as usize).map(|slot| slot != lost).collect();
            let mut written = Written::new(&like);
            written.without(lost);
            if loses_data(&like.record.geometry(), &present) {
                assert!(written.open(true).is_err());
                continue;
            }
            let volume = written.open(true).unwrap();
            let mut content = pattern(like.size());
            let (start, end) = (5 * SECTOR + 100, content.len() - 3 * SECTOR - 7);
            content[start..end].fill(0x3C);
            volume.write(Bytes(start as u64), &content[start..end]).unwrap();
            let mut back = vec![0; content.len()];
            volume.volume().read(Bytes::ZERO, &mut back).unwrap();
            assert!(back == content, "{level} {layout:?} without {lost}");
            assert!(written.image(lost) == like.disks[lost].bytes, "{level}: slot {lost} was written");
        }
    }
}

#[test]
fn what_a_write_could_not_keep_true_is_refused() {
    let like = array(Level::Raid5, Some(ParityLayout::LeftSymmetric.into()), 3, 8, 64);
    let mut written = Written::new(&like);
    written.without(1);
    let error = |written: &Written, degraded| written.open(degraded).err().unwrap().to_string();
    assert!(error(&written, false).contains("nothing would record that it is out of date"));
    written.record.dirty = Some(true);
    let volume = written.open(true).unwrap();
    let mut chunks = (0..2).map(|chunk| volume.write(Bytes(chunk * 8 * SECTOR_BYTES), &[0; SECTOR]));
    assert!(chunks.any(|written| written.is_err()), "parity that may be old was used");

    let mut rebuilding = Written::new(&like);
    rebuilding.record.members[0].state = MemberState::Rebuilding;
    assert!(error(&rebuilding, true).contains("is being rebuilt"));
    let mut logged = Written::new(&like);
    logged.record.write_log = Some(raid_meta::record::WriteLog::Ppl);
    assert!(error(&logged, true).contains("write log"));
}

#[test]
fn a_range_beyond_the_end_and_a_failing_member_are_named() {
    let like = array(Level::Raid1, None, 2, 8, 64);
    let written = Written::new(&like);
    let volume = written.open(false).unwrap();
    let end = like.size() * SECTOR_BYTES;
    assert!(matches!(volume.write(Bytes(end), &[1]), Err(WriteError::OutOfRange { .. })));
    assert!(volume.write(Bytes(u64::MAX), &[1, 2]).is_err());
    volume.write(Bytes(end), &[]).unwrap();
    written.disks[1].fail_writes(Bytes((OFFSET + 3) * SECTOR_BYTES)..Bytes((OFFSET + 4) * SECTOR_BYTES));
    let error = volume.write(Bytes::ZERO, &[7; 8 * SECTOR]).unwrap_err().to_string();
    assert!(error.starts_with("test: slot 1 (disk1): 8 sectors at 0 of its data: "), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_writes_leave_what_laying_out_their_sum_leaves(
        shape in proptest::sample::select(all_shapes()),
        writes in proptest::collection::vec((0.0f64..1.0, 1usize..9000, any::<u8>()), 1..12),
    ) {
        let (level, layout, slots) = shape;
        let like = array(level, layout, slots, 8, 64);
        let written = Written::new(&like);
        let volume = written.open(false).unwrap();
        let mut content = pattern(like.size());
        for (start, length, byte) in writes {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let start = (start * content.len() as f64) as usize;
            let end = content.len().min(start + length);
            content[start..end].fill(byte);
            volume.write(Bytes(start as u64), &content[start..end]).unwrap();
        }
        let expected = written.laid_out(&content);
        for (slot, expected) in expected.iter().enumerate() {
            prop_assert!(written.image(slot) == *expected, "{} {:?}: slot {}", level, layout, slot);
        }
    }
}
