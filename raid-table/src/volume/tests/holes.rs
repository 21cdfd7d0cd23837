//! What is said to be a hole reads as zeros, and nothing that is one is overlooked.

use super::*;

/// Makes sectors of a member's data a hole.
fn punch(array: &mut Array, slot: usize, sectors: std::ops::Range<u64>) {
    let disk = &mut array.disks[slot];
    for sector in sectors {
        let at = OFFSET_SECTORS + usize::try_from(sector).unwrap();
        disk.bytes[at * SECTOR..(at + 1) * SECTOR].fill(0);
        disk.holes.insert(OFFSET + sector);
    }
}

/// Whether each sector is in a hole, asked for run by run.
fn holes_of(volume: &Volume) -> Vec<bool> {
    let (mut holes, mut found) = (volume.holes(), Vec::new());
    while (found.len() as u64) < volume.size().0 {
        let start = Sectors(found.len() as u64);
        let (is_hole, end) = volume.hole(&mut holes, start, volume.size());
        assert!(start < end && end <= volume.size());
        found.resize(usize::try_from(end.0).unwrap(), is_hole);
    }
    found
}

/// The same by way of the device that a volume is.
fn holes_of_device(volume: &Volume) -> Vec<bool> {
    let mut found = vec![true; usize::try_from(volume.size().0).unwrap()];
    let mut at = Bytes::ZERO;
    while let Some((start, end)) = volume.next_data(at).unwrap() {
        assert!(start >= at && end > start);
        let sectors = [start, end].map(|edge| usize::try_from(edge.whole_sectors().0).unwrap());
        found[sectors[0]..sectors[1]].fill(false);
        at = end;
    }
    found
}

/// Whether sectors read as zeros, one by one; none where they can not be read.
fn is_zero(volume: &Volume, sector: usize) -> Option<bool> {
    let mut buffer = [0x55; SECTOR];
    let read = volume.read(Bytes((sector * SECTOR) as u64), &mut buffer);
    read.ok().map(|()| buffer == [0; SECTOR])
}

#[test]
fn an_array_of_holes_is_one_with_whatever_it_can_do_without() {
    for (level, layout, slots) in all_shapes() {
        for lost in losses(slots as usize) {
            let mut array = array(level, layout, slots, 8, 64);
            (0..slots as usize).for_each(|slot| punch(&mut array, slot, 0..64));
            let Ok(volume) = array.without(&lost).open() else { continue };
            assert_eq!(volume.hole(&mut volume.holes(), Sectors::ZERO, volume.size()), (true, volume.size()));
            assert_eq!(volume.next_data(Bytes::ZERO).unwrap(), None, "{level} {layout:?} without {lost:?}");
        }
    }
}

#[test]
fn what_was_a_hole_is_asked_for_again() {
    let mut raid1 = array(Level::Raid1, None, 2, 8, 64);
    punch(&mut raid1, 0, 8..16);
    let volume = raid1.open().unwrap();
    let mut holes = volume.holes();
    assert_eq!(volume.hole(&mut holes, Sectors(8), Sectors(64)), (true, Sectors(16)));
    let before = format!("{holes:?}");
    holes.forget();
    assert_ne!(format!("{holes:?}"), before);
    assert_eq!(volume.hole(&mut holes, Sectors(8), Sectors(64)), (true, Sectors(16)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn holes_read_as_zeros_and_none_of_a_whole_array_is_overlooked(
        shape in proptest::sample::select(all_shapes()),
        punched in proptest::collection::vec((0usize..6, 0u64..64, 1u64..24), 0..12),
        lost in proptest::sample::select(losses(6)),
        recovered in 0u64..65,
        synchronised in proptest::option::of(0u64..65),
    ) {
        let (level, layout, slots) = shape;
        let mut array = array(level, layout, slots, 8, 64);
        for (slot, start, length) in punched {
            punch(&mut array, slot % slots as usize, start..(start + length).min(64));
        }
        let whole = array.open().unwrap();
        let map = &whole.parts[0].map;
        let is_hole = |sector: usize| {
            let extent = map.extents(Sectors(sector as u64), Sectors(1)).next().unwrap();
            let place = extent.copies[0];
            array.disks[place.slot.index()].holes.contains(&(OFFSET + place.sector.0))
        };
        let expected: Vec<bool> = (0..usize::try_from(array.size()).unwrap()).map(is_hole).collect();
        prop_assert_eq!(&holes_of(&whole), &expected);
        prop_assert_eq!(&holes_of_device(&whole), &expected);
        array.record.members[0].recovered_sectors = Some(Sectors(recovered));
        array.record.members[0].state = MemberState::Rebuilding;
        array.record.resync_position_sectors = synchronised.map(Sectors);
        // A hole can always be read.
        let broken = [OFFSET + 5, OFFSET + 40].into_iter().filter(|sector| !array.disks[1].holes.contains(sector));
        array.disks[1].broken = broken.collect();
        let lost: Vec<usize> = lost.into_iter().filter(|slot| *slot < slots as usize).collect();
        let Ok(volume) = array.without(&lost).open() else { return Ok(()) };
        for (sector, is_hole) in holes_of(&volume).into_iter().enumerate() {
            prop_assert!(!is_hole || is_zero(&volume, sector) == Some(true), "sector {}", sector);
        }
    }
}
