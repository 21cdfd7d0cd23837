//! What a member should hold, compared with what it held.

use super::*;
use std::sync::atomic::{AtomicU64, Ordering};

/// A disk that counts what is read of it.
struct Counted {
    disk: Memory,
    bytes: Arc<AtomicU64>,
}

impl ReadAt for Counted {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        self.disk.read_at(offset, buffer)
    }

    fn size(&self) -> Bytes {
        self.disk.size()
    }

    fn sector_size(&self) -> SectorSize {
        self.disk.sector_size()
    }
}

struct CountedDisks<'a>(&'a Array, Arc<AtomicU64>);

impl Sources for CountedDisks<'_> {
    fn open(&self, member: &ArrayMember) -> Result<Arc<dyn ReadAt>, String> {
        let disk = self.0.disks[member.slot.index()].clone();
        Ok(Arc::new(Counted { disk, bytes: Arc::clone(&self.1) }))
    }
}

/// What a member reader gives, in windows of an odd length, and what is on the disk.
fn compare(array: &Array, slot: usize, window: usize) {
    let volume = array.open().unwrap();
    let number = Slot(u32::try_from(slot).unwrap());
    let mut reader = volume.member(number).unwrap();
    let sectors = usize::try_from(reader.length().0).unwrap();
    assert!(sectors > 0);
    let mut found = vec![0x55; sectors * SECTOR];
    for (index, part) in found.chunks_mut(window * SECTOR).enumerate() {
        reader.read(Sectors((index * window) as u64), part).unwrap();
    }
    let Some(map) = volume.parts.first().map(|part| &part.map) else { return };
    for (sector, bytes) in found.chunks(SECTOR).enumerate() {
        let at = (OFFSET_SECTORS + sector) * SECTOR;
        let is_used = map.reverse(number, Sectors(sector as u64)).is_some();
        let expected = if is_used { &array.disks[slot].bytes[at..at + SECTOR] } else { &[0; SECTOR] };
        assert!(bytes == expected, "{} slot {slot} sector {sector}", array.record.level);
    }
}

fn redundant_shapes() -> impl Iterator<Item = (Level, Option<Layout>, u32)> {
    all_shapes().into_iter().filter(|(level, ..)| level.is_redundant())
}

#[test]
fn every_member_of_every_level_is_what_the_others_say() {
    for (level, layout, slots) in redundant_shapes() {
        for lost in losses(slots as usize).into_iter().filter(|lost| !lost.is_empty()) {
            let mut array = array(level, layout, slots, 8, 64);
            array.without(&lost);
            if array.open().is_ok() {
                lost.iter().for_each(|&slot| compare(&array, slot, 13));
            }
        }
    }
}

#[test]
fn a_sector_that_can_not_be_read_is_had_by_another_way_or_named() {
    let layout = Some(ParityLayout::LeftSymmetric.into());
    let mut raid6 = array(Level::Raid6, layout, 5, 8, 64);
    raid6.disks[1].broken = [OFFSET + 9, OFFSET + 30].into();
    raid6.disks[2].broken = [OFFSET + 10].into();
    compare(raid6.without(&[0]), 0, 64);
    raid6.disks[3].broken = [OFFSET + 10, OFFSET + 9].into();
    raid6.disks[4].broken = [OFFSET + 10].into();
    let volume = raid6.open().unwrap();
    let mut reader = volume.member(Slot(0)).unwrap();
    let error = reader.read(Sectors(0), &mut [0; 64 * SECTOR]).unwrap_err();
    assert!(matches!(error, ReadError::Io { .. }), "{error}");
    let mut mirror = array(Level::Raid1, None, 3, 8, 64);
    mirror.disks[1].broken = [OFFSET + 3].into();
    compare(mirror.without(&[0]), 0, 64);
    mirror.disks[2].broken = [OFFSET + 3].into();
    let volume = mirror.open().unwrap();
    assert!(volume.member(Slot(0)).unwrap().read(Sectors(0), &mut [0; 64 * SECTOR]).is_err());
}

#[test]
fn what_was_never_synchronised_is_not_the_source_of_a_member() {
    let mut raid5 = array(Level::Raid5, Some(ParityLayout::LeftSymmetric.into()), 3, 8, 64);
    raid5.record.dirty = Some(true);
    raid5.record.resync_position_sectors = Some(Sectors(32));
    let volume = raid5.without(&[0]).open().unwrap();
    let mut reader = volume.member(Slot(0)).unwrap();
    reader.read(Sectors(0), &mut [0; 32 * SECTOR]).unwrap();
    let error = reader.read(Sectors(32), &mut [0; 32 * SECTOR]).unwrap_err();
    assert!(error.to_string().contains("parity was not synchronised"), "{error}");
}

#[test]
fn an_array_between_two_geometries_has_no_members_to_be_computed() {
    let raid5 = array(Level::Raid5, Some(ParityLayout::LeftSymmetric.into()), 3, 8, 64);
    let volume = raid5.open().unwrap();
    assert!(volume.member(Slot(3)).is_none());
}

#[test]
fn nothing_is_read_that_is_not_needed() {
    let left_symmetric = Some(ParityLayout::LeftSymmetric.into());
    for (level, layout, needed) in
        [(Level::Raid6, left_symmetric, 3), (Level::Raid5, left_symmetric, 4), (Level::Raid1, None, 1)]
    {
        let mut array = array(level, layout, 5, 128, 640);
        array.without(&[2]);
        let count = Arc::new(AtomicU64::new(0));
        let disks = CountedDisks(&array, Arc::clone(&count));
        let volume = Volume::open(&array.record, &disks, OpenOptions::default()).unwrap();
        volume.member(Slot(2)).unwrap().read(Sectors(0), &mut [0; 640 * SECTOR]).unwrap();
        assert_eq!(count.load(Ordering::Relaxed), needed * 640 * SECTOR_BYTES, "{level}");
    }
}
