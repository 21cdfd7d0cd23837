//! Arrays laid out in memory by the layout arithmetic and the reference parity, read back whole, in odd
//! ranges, and with everything missing that the level can do without.

mod holes;
mod member;
mod salvage;
mod write;

use super::*;
use crate::layout::{Map, Role};
use crate::parity;
use proptest::prelude::*;
use raid_meta::geometry::{Geometry, Layout, Level, ParityLayout, Raid10Layout};
use raid_meta::group::loses_data;
use raid_meta::record::{ArrayMember, ArrayRecord, Direction, MemberState, ReshapeRecord};
use raid_meta::units::{ChunkSectors, Slot};
use std::collections::HashSet;
use std::sync::Arc;

const SECTOR: usize = SECTOR_LENGTH;

/// A disk in memory; some sectors can not be read, some are holes.
#[derive(Clone, Default)]
struct Memory {
    bytes: Vec<u8>,
    broken: HashSet<u64>,
    holes: HashSet<u64>,
}

impl ReadAt for Memory {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        let start = usize::try_from(offset.0).unwrap().min(self.bytes.len());
        let length = buffer.len().min(self.bytes.len() - start);
        let sectors = (offset.0 / SECTOR_BYTES)..(offset.0 + length as u64).div_ceil(SECTOR_BYTES);
        if sectors.into_iter().any(|sector| self.broken.contains(&sector)) {
            return Err(io::Error::from_raw_os_error(nix::libc::EIO));
        }
        buffer[..length].copy_from_slice(&self.bytes[start..start + length]);
        Ok(length)
    }

    fn next_data(&self, offset: Bytes) -> io::Result<Option<(Bytes, Bytes)>> {
        let mut sectors = offset.whole_sectors().0..(self.bytes.len() / SECTOR) as u64;
        let start = sectors.find(|sector| !self.holes.contains(sector));
        let end = sectors.find(|sector| self.holes.contains(sector)).unwrap_or(sectors.end);
        Ok(start.map(|start| (offset.max(Bytes(start * SECTOR_BYTES)), Bytes(end * SECTOR_BYTES))))
    }

    fn size(&self) -> Bytes {
        Bytes(self.bytes.len() as u64)
    }

    fn sector_size(&self) -> SectorSize {
        SectorSize::B512
    }
}

/// An array whose every sector holds its number.
struct Array {
    record: ArrayRecord,
    disks: Vec<Memory>,
}

impl Sources for Array {
    fn open(&self, member: &ArrayMember) -> Result<Arc<dyn ReadAt>, String> {
        let disk = &self.disks[member.slot.index()];
        Ok(Arc::new(disk.clone()))
    }
}

fn sector_content(sector: u64) -> Vec<u8> {
    (sector + 1).to_le_bytes().repeat(SECTOR / 8)
}

/// Writes the pattern of array sectors `[start, end)` to member images, parity and all.
fn lay_out(map: &Map, offset: usize, start: u64, end: u64, disks: &mut [Vec<u8>]) {
    for extent in map.extents(Sectors(start), Sectors(end - start)) {
        for place in &extent.copies {
            for sector in 0..extent.length.0 {
                let at = offset + usize::try_from(place.sector.0 + sector).unwrap() * SECTOR;
                disks[place.slot.index()][at..at + SECTOR]
                    .copy_from_slice(&sector_content(extent.array.0 + sector));
            }
        }
    }
    let mut stripe = 0;
    while let Some(row) = map.row(stripe) {
        let chunk = map.geometry().chunk.unwrap().get() as usize * SECTOR;
        let at = offset + usize::try_from(row.member_sector().0).unwrap() * SECTOR;
        let columns: Vec<Vec<u8>> = disks.iter().map(|disk| disk[at..at + chunk].to_vec()).collect();
        for (slot, role) in row.roles().enumerate() {
            if matches!(role, Role::P | Role::Q) {
                let present: Vec<Option<&[u8]>> = columns
                    .iter()
                    .zip(row.roles())
                    .map(|(column, role)| matches!(role, Role::Data { .. }).then_some(column.as_slice()))
                    .collect();
                let slot_number = Slot(u32::try_from(slot).unwrap());
                let target = &mut disks[slot][at..at + chunk];
                parity::recover(&row, &present, slot_number, target).unwrap();
            }
        }
        stripe += 1;
    }
}

const OFFSET: u64 = 16;
const OFFSET_SECTORS: usize = 16;

fn array(level: Level, layout: Option<Layout>, slots: u32, chunk: u32, member_sectors: u64) -> Array {
    let chunk = (level != Level::Raid1).then(|| ChunkSectors::new(chunk).unwrap());
    let geometry = Geometry { level, layout, chunk, slots };
    let lengths = vec![Sectors(member_sectors); slots as usize];
    let map = Map::new(&geometry, &lengths, Sectors::ZERO).unwrap();
    let size = map.capacity();
    let map = Map::new(&geometry, &lengths, size).unwrap();
    let bytes = usize::try_from(OFFSET + member_sectors).unwrap() * SECTOR;
    let mut disks = vec![vec![0xEE; bytes]; slots as usize];
    lay_out(&map, OFFSET_SECTORS * SECTOR, 0, size.0, &mut disks);
    let disks = disks.into_iter().map(|bytes| Memory { bytes, ..Memory::default() }).collect();
    let members = (0..slots).map(|slot| array_member(slot, member_sectors)).collect();
    let record = serde_json::from_value::<ArrayRecord>(serde_json::json!({
        "v": 1, "name": "test", "level": level, "layout": layout, "chunk_sectors": chunk,
        "size_sectors": size, "slots": slots, "members": [],
    }));
    Array { record: ArrayRecord { members, ..record.unwrap() }, disks }
}

fn array_member(slot: u32, length: u64) -> ArrayMember {
    ArrayMember {
        slot: Slot(slot),
        device: Some(format!("disk{slot}")),
        device_offset_sectors: None,
        device_length_sectors: None,
        array: None,
        state: MemberState::InSync,
        offset_sectors: Some(Sectors(OFFSET)),
        length_sectors: Some(Sectors(length)),
        recovered_sectors: None,
        reshape_offset_sectors: None,
        bad_sectors: Vec::new(),
        metadata_array: None,
        write_mostly: false,
        split: false,
    }
}

impl Array {
    fn open(&self) -> Result<Volume, OpenVolumeError> {
        Volume::open(&self.record, self, OpenOptions::default())
    }

    fn without(&mut self, slots: &[usize]) -> &mut Self {
        for &slot in slots {
            self.record.members[slot].state = MemberState::Missing;
            self.record.members[slot].device = None;
        }
        self
    }

    fn size(&self) -> u64 {
        self.record.size_sectors.0
    }
}

/// Reads sectors and compares; the first wrong one is named.
fn assert_reads(volume: &Volume, start: u64, sectors: u64) {
    let mut buffer = vec![0; usize::try_from(sectors).unwrap() * SECTOR];
    volume.read(Bytes(start * SECTOR_BYTES), &mut buffer).unwrap();
    for (number, found) in buffer.chunks(SECTOR).enumerate() {
        let expected = start + number as u64;
        assert!(found == sector_content(expected), "sector {expected} holds {:x?}", &found[..8]);
    }
}

fn all_shapes() -> Vec<(Level, Option<Layout>, u32)> {
    let mut shapes = vec![(Level::Linear, None, 3), (Level::Raid0, None, 3), (Level::Raid1, None, 3)];
    for layout in [ParityLayout::ParityFirst, ParityLayout::ParityLast] {
        shapes.push((Level::Raid4, Some(layout.into()), 4));
    }
    for layout in ParityLayout::ALL {
        if !layout.is_raid6_only() {
            shapes.extend([2, 3, 5].map(|slots| (Level::Raid5, Some(layout.into()), slots)));
        }
        shapes.extend([4, 5, 6].map(|slots| (Level::Raid6, Some(layout.into()), slots)));
    }
    for word in [0x102, 0x103, 0x201, 0x202, 0x10201, 0x10301, 0x50201, 0x40201] {
        let layout = Raid10Layout::from_md(word).unwrap();
        let slots = [3, 4, 5].into_iter().filter(|&slots| slots >= layout.copies());
        shapes.extend(slots.map(|slots| (Level::Raid10, Some(layout.into()), slots)));
    }
    shapes
}

/// Every set of up to two slots.
fn losses(slots: usize) -> Vec<Vec<usize>> {
    let mut losses = vec![vec![]];
    losses.extend((0..slots).map(|slot| vec![slot]));
    losses.extend((0..slots).flat_map(|a| (0..a).map(move |b| vec![b, a])));
    losses
}

#[test]
fn every_level_reads_back_whole_and_without_whatever_it_can_do_without() {
    for (level, layout, slots) in all_shapes() {
        for lost in losses(slots as usize) {
            let mut array = array(level, layout, slots, 8, 64);
            let present: Vec<bool> = (0..slots as usize).map(|slot| !lost.contains(&slot)).collect();
            let is_lost = loses_data(&array.record.geometry(), &present);
            let opened = array.without(&lost).open();
            match opened {
                Ok(volume) => {
                    assert!(!is_lost, "{level} {layout:?} opens without {lost:?}");
                    assert_reads(&volume, 0, array.size());
                }
                Err(error) => {
                    assert!(is_lost && error.health().is_some(), "{level} {layout:?} {lost:?}: {error}")
                }
            }
        }
    }
}

#[test]
fn unequal_members_of_a_raid0_read_back_in_both_layouts() {
    for layout in ["original", "alternate"] {
        let layout: Layout = layout.parse().unwrap();
        let lengths = [16, 40, 24, 40].map(Sectors);
        let geometry =
            Geometry { level: Level::Raid0, layout: Some(layout), chunk: ChunkSectors::new(8), slots: 4 };
        let map = Map::new(&geometry, &lengths, Sectors(120)).unwrap();
        let mut disks = vec![vec![0; 64 * SECTOR]; 4];
        lay_out(&map, OFFSET_SECTORS * SECTOR, 0, 120, &mut disks);
        let mut array = array(Level::Raid0, None, 4, 8, 16);
        array.disks = disks.into_iter().map(|bytes| Memory { bytes, ..Memory::default() }).collect();
        array.record.layout = Some(layout);
        array.record.size_sectors = Sectors(120);
        for (member, length) in array.record.members.iter_mut().zip(lengths) {
            member.length_sectors = Some(length);
        }
        assert_reads(&array.open().unwrap(), 0, 120);
    }
}

#[test]
fn unreadable_sectors_are_read_from_elsewhere_or_named() {
    let mut raid5 = array(Level::Raid5, Some(ParityLayout::LeftSymmetric.into()), 3, 8, 64);
    raid5.disks[0].broken = [OFFSET + 9, OFFSET + 20].into();
    raid5.disks[1].broken = [OFFSET + 10].into();
    assert_reads(&raid5.open().unwrap(), 0, raid5.size());
    raid5.disks[2].broken = [OFFSET + 9].into();
    let volume = raid5.open().unwrap();
    let mut buffer = vec![0; usize::try_from(raid5.size()).unwrap() * SECTOR];
    let error = volume.read(Bytes::ZERO, &mut buffer).unwrap_err();
    assert!(matches!(error, ReadError::Io { length: Sectors(1), .. }), "{error}");
}

#[test]
fn a_member_is_not_believed_beyond_what_was_rebuilt() {
    let mut raid5 = array(Level::Raid5, Some(ParityLayout::LeftSymmetric.into()), 3, 8, 64);
    raid5.record.members[1].state = MemberState::Rebuilding;
    raid5.record.members[1].recovered_sectors = Some(Sectors(21));
    raid5.disks[1].bytes[(OFFSET_SECTORS + 21) * SECTOR..].fill(0xAA);
    assert_reads(&raid5.open().unwrap(), 0, raid5.size());
    let volume = raid5.without(&[0]).open().unwrap();
    assert_reads(&volume, 0, 32);
    let error = volume.read(Bytes(48 * SECTOR_BYTES), &mut vec![0; 16 * SECTOR]).unwrap_err();
    assert!(error.to_string().contains("slot 1 (disk1) is not rebuilt yet"), "{error}");
}

#[test]
fn parity_is_not_believed_beyond_the_resync_position() {
    let mut raid5 = array(Level::Raid5, Some(ParityLayout::LeftSymmetric.into()), 3, 8, 64);
    raid5.record.dirty = Some(true);
    raid5.record.resync_position_sectors = Some(Sectors(32));
    assert_reads(&raid5.open().unwrap(), 0, raid5.size());
    let volume = raid5.without(&[0]).open().unwrap();
    assert_reads(&volume, 0, 64);
    let mut buffer = vec![0; SECTOR * 64];
    let error = volume.read(Bytes(64 * SECTOR_BYTES), &mut buffer).unwrap_err();
    assert!(error.to_string().contains("parity was not synchronised"), "{error}");
    let forced = OpenOptions { force: true, ..OpenOptions::default() };
    assert_reads(&Volume::open(&raid5.record, &raid5, forced).unwrap(), 0, raid5.size());
}

#[test]
fn a_truncated_or_listed_bad_sector_is_computed_or_refused() {
    let mut raid1 = array(Level::Raid1, None, 2, 8, 64);
    raid1.disks[0].bytes.truncate((OFFSET_SECTORS + 40) * SECTOR);
    assert_reads(&raid1.open().unwrap(), 0, 64);
    let range = SectorRange { start_sectors: Sectors(50), length_sectors: Sectors(3) };
    raid1.record.members[1].bad_sectors = vec![range];
    let volume = raid1.open().unwrap();
    assert_reads(&volume, 0, 50);
    assert_reads(&volume, 53, 11);
    let error = volume.read(Bytes(45 * SECTOR_BYTES), &mut vec![0; 12 * SECTOR]).unwrap_err();
    assert!(error.to_string().contains("array sectors 50 to 52"), "{error}");
}

#[test]
fn both_sides_of_a_reshape_are_read_in_their_own_geometry() {
    let layout = Some(ParityLayout::LeftAsymmetric.into());
    for (direction, position) in [(Direction::Forward, 72), (Direction::Backward, 72)] {
        let mut array = array(Level::Raid5, layout, 4, 8, 64);
        let to = array.record.geometry();
        let from = Geometry { slots: 3, ..to };
        let lengths = [Sectors(64); 4];
        let size = 128;
        let old = Map::new(&from, &lengths[..3], Sectors(size)).unwrap();
        let new = Map::new(&to, &lengths, Sectors(size)).unwrap();
        let mut disks = vec![vec![0xEE; 256 * SECTOR]; 4];
        lay_out(&old, OFFSET_SECTORS * SECTOR, 0, size, &mut disks[..3]);
        lay_out(&new, 128 * SECTOR, 0, size, &mut disks);
        for (at, disk) in disks.iter_mut().enumerate() {
            // What the position says is not there any more is not to be read.
            let (old_rows, new_rows) =
                if direction == Direction::Forward { (0..36, 32..64) } else { (40..64, 0..16) };
            let wipe = |disk: &mut Vec<u8>, base: usize, rows: std::ops::Range<usize>| {
                disk[(base + rows.start) * SECTOR..(base + rows.end) * SECTOR].fill(0xDD);
            };
            if at < 3 {
                wipe(disk, OFFSET_SECTORS, if direction == Direction::Forward { 0..32 } else { old_rows });
            }
            wipe(disk, 128, new_rows);
        }
        array.disks = disks.into_iter().map(|bytes| Memory { bytes, ..Memory::default() }).collect();
        for member in &mut array.record.members {
            member.reshape_offset_sectors = Some(Sectors(128));
        }
        array.record.size_sectors = Sectors(size);
        let position = Sectors(position);
        array.record.reshape =
            Some(ReshapeRecord { from, to, position_sectors: position, direction, uncertain: vec![] });
        assert_reads(&array.open().unwrap(), 0, size);
        let uncertain = SectorRange { start_sectors: Sectors(72), length_sectors: Sectors(8) };
        array.record.reshape.as_mut().unwrap().uncertain.push(uncertain);
        let volume = array.open().unwrap();
        assert_reads(&volume, 0, 72);
        assert_reads(&volume, 80, 48);
        assert!(volume.read(Bytes(79 * SECTOR_BYTES), &mut [0; SECTOR]).is_err());
    }
}

#[test]
fn a_record_that_contradicts_itself_is_refused() {
    let mut raid1 = array(Level::Raid1, None, 2, 8, 64);
    raid1.record.members.swap(0, 1);
    assert!(raid1.open().is_err());
    raid1.record.members.pop();
    assert!(raid1.open().is_err());
    raid1.record.members.clear();
    assert!(raid1.open().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_byte_range_reads_the_same_as_the_whole(
        shape in proptest::sample::select(all_shapes()),
        lose in 0usize..8,
        ranges in proptest::collection::vec((0.0f64..1.0, 0usize..9000), 8),
    ) {
        let (level, layout, slots) = shape;
        let mut array = array(level, layout, slots, 8, 64);
        if level.is_redundant() && lose < slots as usize {
            array.without(&[lose]);
        }
        let volume = array.open().unwrap();
        let whole: Vec<u8> = (0..array.size()).flat_map(sector_content).collect();
        for (start, length) in ranges {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let start = (start * whole.len() as f64) as usize;
            let length = length.min(whole.len() - start);
            let mut buffer = vec![0; length];
            volume.read(Bytes(start as u64), &mut buffer).unwrap();
            prop_assert!(buffer == whole[start..start + length]);
        }
    }
}
