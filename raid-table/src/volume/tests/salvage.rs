//! What is left of damaged arrays: compared, sector by sector, with what the layout says must be obtainable.

use super::*;
use crate::layout::Places;
use crate::volume::{Effort, MemberSource, Obtained, Origin, Salvage, SalvageOptions, SalvageSources};
use raid_meta::rescue::Readable;
use std::sync::atomic::{AtomicU64, Ordering};

/// How sectors of a member came to be unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Map,
    Broken,
    Listed,
    CutOff,
}

/// An array with damage, and what of its members can be read.
struct Damaged {
    array: Array,
    maps: Vec<Option<Arc<Readable>>>,
    /// By slot and member sector.
    readable: Vec<Vec<bool>>,
}

impl SalvageSources for Damaged {
    fn open(&self, member: &ArrayMember) -> Result<MemberSource, String> {
        let device = Sources::open(&self.array, member)?;
        let readable = self.maps[member.slot.index()].clone();
        Ok(MemberSource { device, readable })
    }
}

fn map_text(readable: &[bool]) -> String {
    let mut text = format!("0x0 + 1\n0 {} +\n", OFFSET * SECTOR_BYTES);
    for (sector, &is_readable) in readable.iter().enumerate() {
        let status = ["-", "+"][usize::from(is_readable)];
        text += &format!("{} 512 {status}\n", (sector + OFFSET_SECTORS) * SECTOR);
    }
    text
}

impl Damaged {
    fn new(array: Array) -> Self {
        let sectors = array.disks[0].bytes.len() / SECTOR - OFFSET_SECTORS;
        let slots = array.disks.len();
        Self { array, maps: vec![None; slots], readable: vec![vec![true; sectors]; slots] }
    }

    /// Damages `length` sectors from a member sector on.
    fn damage(&mut self, slot: usize, start: usize, length: usize, kind: Kind) {
        let sectors = self.readable[slot].len();
        let end = if kind == Kind::CutOff { sectors } else { (start + length).min(sectors) };
        let range = start.min(sectors)..end;
        // What can not be read holds something else, so that its use would be seen.
        let bytes = (range.start + OFFSET_SECTORS) * SECTOR..(range.end + OFFSET_SECTORS) * SECTOR;
        let disk = &mut self.array.disks[slot];
        if let Some(bytes) = disk.bytes.get_mut(bytes.clone()) {
            bytes.fill(0x5A);
        }
        self.readable[slot][range.clone()].fill(false);
        match kind {
            Kind::Map => {
                let map = map_text(&self.readable[slot]);
                self.maps[slot] = Some(Arc::new(Readable::read("map", map.as_bytes(), 1000).unwrap()));
            }
            Kind::Broken => disk.broken.extend(range.map(|sector| sector as u64 + OFFSET)),
            Kind::Listed => self.array.record.members[slot].bad_sectors.push(SectorRange {
                start_sectors: Sectors(range.start as u64),
                length_sectors: Sectors(range.len() as u64),
            }),
            Kind::CutOff => disk.bytes.truncate(bytes.start),
        }
    }

    fn lose(&mut self, slot: usize) {
        self.array.without(&[slot]);
        self.readable[slot].fill(false);
    }

    fn is_readable(&self, place: crate::layout::Place) -> bool {
        self.readable[place.slot.index()][usize::try_from(place.sector.0).unwrap()]
    }

    /// What the layout says of a sector: read, computed, or lost.
    fn expected(&self, map: &Map, sector: u64) -> Origin {
        let extent = map.extents(Sectors(sector), Sectors(1)).next().unwrap();
        let copies: &Places = &extent.copies;
        if copies.iter().any(|&place| self.is_readable(place)) {
            return Origin::Member;
        }
        let Some(row) = extent.stripe.and_then(|stripe| map.row(stripe)) else { return Origin::Lost };
        let member = copies[0].sector;
        let (mut lost, mut parities) = (0, 0);
        for (slot, role) in (0..).map(Slot).zip(row.roles()) {
            match (role, self.is_readable(crate::layout::Place { slot, sector: member })) {
                (Role::Data { .. }, false) => lost += 1,
                (Role::P | Role::Q, true) => parities += 1,
                _ => {}
            }
        }
        let valid = self.array.record.resync_position_sectors.is_none_or(|valid| member < valid);
        if lost <= parities && valid { Origin::Computed } else { Origin::Lost }
    }

    fn map(&self) -> Map {
        let record = &self.array.record;
        let lengths = vec![record.members[0].length_sectors.unwrap(); record.slots as usize];
        Map::new(&record.geometry(), &lengths, record.size_sectors).unwrap()
    }

    fn open(&self, options: SalvageOptions) -> Salvage {
        Salvage::open(&self.array.record, &[], self, options).unwrap()
    }
}

/// Reads an array in windows, quickly, then thoroughly what was left for later.
fn salvage(salvage: &mut Salvage, window: u64) -> (Vec<u8>, Vec<Origin>) {
    let size = salvage.size().0;
    let mut bytes = vec![0xCC; usize::try_from(size).unwrap() * SECTOR];
    let mut origins = Vec::new();
    let mut at = 0;
    for part in bytes.chunks_mut(usize::try_from(window).unwrap() * SECTOR) {
        for found in salvage.read(Sectors(at), part, Effort::Quick) {
            assert_eq!(found.start.0, origins.len() as u64, "runs follow each other");
            origins.extend(std::iter::repeat_n(found.origin, usize::try_from(found.length.0).unwrap()));
        }
        at += (part.len() / SECTOR) as u64;
    }
    assert_eq!(origins.len() as u64, size, "every sector is spoken of");
    let later: Vec<usize> = (0..origins.len()).filter(|&place| origins[place] == Origin::Later).collect();
    for run in later.chunk_by(|one, next| one + 1 == *next) {
        let (first, last) = (run[0], run[run.len() - 1] + 1);
        let part = &mut bytes[first * SECTOR..last * SECTOR];
        for Obtained { start, length, origin } in salvage.read(Sectors(first as u64), part, Effort::Thorough)
        {
            let start = usize::try_from(start.0).unwrap();
            origins[start..start + usize::try_from(length.0).unwrap()].fill(origin);
        }
    }
    (bytes, origins)
}

/// Fails unless everything is obtained that can be, true, and nothing else. Where reading fails, what could be read may
/// be computed instead.
fn assert_salvaged(damaged: &Damaged, window: u64) {
    let map = damaged.map();
    let broken = damaged.array.disks.iter().any(|disk| !disk.broken.is_empty());
    let (bytes, origins) = salvage(&mut damaged.open(SalvageOptions::default()), window);
    for (sector, (found, origin)) in (0..).zip(bytes.chunks(SECTOR).zip(origins)) {
        let expected = damaged.expected(&map, sector);
        let is_right =
            origin == expected || (broken && (origin, expected) == (Origin::Computed, Origin::Member));
        assert!(is_right, "sector {sector}: {origin:?}, expected {expected:?}");
        let content = if origin == Origin::Lost { vec![0; SECTOR] } else { sector_content(sector) };
        assert!(found == content, "sector {sector} ({origin:?}) holds {:x?}", &found[..8]);
    }
}

fn shapes() -> Vec<(Level, Option<Layout>, u32)> {
    let mut shapes = all_shapes();
    shapes.retain(|&(level, ..)| level != Level::Linear);
    // raid4 and raid0 have few.
    shapes.extend([(Level::Raid0, None, 2), (Level::Raid1, None, 2), (Level::Raid1, None, 4)]);
    shapes
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => Just(Kind::Map),
        4 => Just(Kind::Broken),
        2 => Just(Kind::Listed),
        1 => Just(Kind::CutOff),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn everything_that_is_left_is_obtained_and_nothing_else(
        shape in proptest::sample::select(shapes()),
        damages in proptest::collection::vec((0usize..6, 0usize..64, 1usize..40, kind()), 0..14),
        missing in proptest::collection::vec(0usize..12, 0..3),
        dirty in proptest::option::weighted(0.2, 0u64..64),
        window in 1u64..400,
    ) {
        let (level, layout, slots) = shape;
        let mut damaged = Damaged::new(array(level, layout, slots, 8, 64));
        let slots = slots as usize;
        damaged.array.record.dirty = dirty.map(|_| true);
        if matches!(level, Level::Raid4 | Level::Raid5 | Level::Raid6) {
            damaged.array.record.resync_position_sectors = dirty.map(Sectors);
        }
        for (slot, start, length, kind) in damages {
            if slot < slots {
                damaged.damage(slot, start, length, kind);
            }
        }
        for slot in missing {
            if slot < slots {
                damaged.lose(slot);
            }
        }
        assert_salvaged(&damaged, window);
    }

    #[test]
    fn scattered_bad_sectors_are_told_apart_one_by_one(
        shape in proptest::sample::select(shapes()),
        bad in proptest::collection::vec((0usize..6, 0usize..64), 0..120),
        in_maps in any::<bool>(),
    ) {
        let (level, layout, slots) = shape;
        let mut damaged = Damaged::new(array(level, layout, slots, 8, 64));
        for (slot, sector) in bad {
            if slot < slots as usize {
                damaged.damage(slot, sector, 1, if in_maps { Kind::Map } else { Kind::Broken });
            }
        }
        assert_salvaged(&damaged, 333);
    }
}

fn raid5(slots: u32) -> Damaged {
    Damaged::new(array(Level::Raid5, Some(ParityLayout::LeftSymmetric.into()), slots, 8, 64))
}

#[test]
fn two_half_dead_members_make_a_whole() {
    let mut damaged = raid5(3);
    damaged.damage(0, 0, 31, Kind::Map);
    damaged.damage(1, 31, 33, Kind::Map);
    let (_, origins) = salvage(&mut damaged.open(SalvageOptions::default()), 64);
    assert!(origins.iter().all(|origin| *origin <= Origin::Computed));
    assert_salvaged(&damaged, 64);
}

#[test]
fn an_array_with_too_few_members_gives_what_the_others_hold() {
    let mut damaged = raid5(4);
    damaged.lose(0);
    damaged.lose(2);
    assert!(damaged.array.open().is_err(), "as a volume it is refused");
    assert_salvaged(&damaged, 100);
    let lost = damaged.open(SalvageOptions::default());
    let map = damaged.map();
    let sector = (0..).find(|&sector| damaged.expected(&map, sector) == Origin::Lost).unwrap();
    assert_eq!(lost.reason(Sectors(sector)), "slot 0 is missing, slot 2 is missing");
}

#[test]
fn parity_out_of_step_is_used_only_when_forced_and_is_marked() {
    let mut damaged = raid5(3);
    damaged.array.record.dirty = Some(true);
    damaged.array.record.resync_position_sectors = Some(Sectors(20));
    damaged.damage(1, 0, 64, Kind::Broken);
    assert_salvaged(&damaged, 70);
    let reason = damaged.open(SalvageOptions::default()).reason(Sectors(112));
    assert!(reason.ends_with("parity was not synchronised there"), "{reason}");
    let forced = SalvageOptions { force: true, ..SalvageOptions::default() };
    let (bytes, origins) = salvage(&mut damaged.open(forced), 70);
    let map = damaged.map();
    for (sector, (found, origin)) in (0..).zip(bytes.chunks(SECTOR).zip(origins)) {
        assert!(found == sector_content(sector));
        let is_lost = damaged.expected(&map, sector) == Origin::Lost;
        assert_eq!(origin == Origin::Unsynchronised, is_lost, "sector {sector}: {origin:?}");
    }
}

#[test]
fn an_older_member_is_used_only_when_asked_for_and_where_nothing_else_is_left() {
    let mut damaged = raid5(3);
    damaged.array.record.members[1].state = MemberState::Stale;
    damaged.readable[1].fill(false);
    damaged.damage(0, 16, 16, Kind::Broken);
    assert_salvaged(&damaged, 70);
    let stale = SalvageOptions { stale: true, ..SalvageOptions::default() };
    let (bytes, origins) = salvage(&mut damaged.open(stale), 70);
    let map = damaged.map();
    for (sector, (found, origin)) in (0..).zip(bytes.chunks(SECTOR).zip(origins)) {
        assert!(found == sector_content(sector), "the old member holds the same here");
        let is_lost = damaged.expected(&map, sector) == Origin::Lost;
        assert_eq!(origin == Origin::Stale, is_lost, "sector {sector}: {origin:?}");
    }
}

#[test]
fn what_a_member_does_not_have_yet_is_never_used() {
    let mut damaged = raid5(3);
    damaged.array.record.members[1].state = MemberState::Rebuilding;
    damaged.array.record.members[1].recovered_sectors = Some(Sectors(10));
    damaged.readable[1][10..].fill(false);
    damaged.array.disks[1].bytes[(OFFSET_SECTORS + 10) * SECTOR..].fill(0xAA);
    damaged.lose(0);
    assert_salvaged(&damaged, 70);
    let all = SalvageOptions { force: true, stale: true, ..SalvageOptions::default() };
    let (_, origins) = salvage(&mut damaged.open(all), 70);
    assert!(origins.contains(&Origin::Lost));
}

/// Opens the members of several arrays by the names of their devices.
struct Shelf(Vec<(String, Damaged)>);

impl SalvageSources for Shelf {
    fn open(&self, member: &ArrayMember) -> Result<MemberSource, String> {
        let device = member.device.as_deref().unwrap_or_default();
        let (set, _) = device.split_once('/').ok_or("no such device")?;
        let found = self.0.iter().find(|(name, _)| name == set).ok_or("no such set")?;
        SalvageSources::open(&found.1, member)
    }
}

#[test]
fn members_that_are_arrays_are_salvaged_themselves() {
    // A raid5 whose members are mirrors.
    let outer = array(Level::Raid5, Some(ParityLayout::LeftSymmetric.into()), 3, 8, 64);
    let mut shelf = Vec::new();
    let mut records = Vec::new();
    let mut record = outer.record.clone();
    for (slot, disk) in outer.disks.iter().enumerate() {
        let name = format!("mirror{slot}");
        let mut mirror = array(Level::Raid1, None, 2, 8, 80);
        for copy in &mut mirror.disks {
            copy.bytes[OFFSET_SECTORS * SECTOR..].copy_from_slice(&disk.bytes);
        }
        for member in &mut mirror.record.members {
            member.device = Some(format!("{name}/{}", member.slot));
        }
        mirror.record.name.clone_from(&name);
        records.push(mirror.record.clone());
        record.members[slot].device = None;
        record.members[slot].array = Some(name.clone());
        shelf.push((name, Damaged::new(mirror)));
    }
    // Both copies of one member are gone from here to there, and a part of another.
    let at = OFFSET_SECTORS;
    shelf[0].1.damage(0, at + 10, 30, Kind::Broken);
    shelf[0].1.damage(1, at + 20, 30, Kind::Map);
    shelf[1].1.damage(0, at + 35, 10, Kind::Broken);
    shelf[1].1.damage(1, at + 38, 10, Kind::Broken);
    let shelf = Shelf(shelf);
    let mut opened = Salvage::open(&record, &records, &shelf, SalvageOptions::default()).unwrap();
    let (bytes, origins) = salvage(&mut opened, 50);
    let mut expected = Damaged::new(outer);
    expected.readable[0][20..40].fill(false);
    expected.readable[1][38..45].fill(false);
    let map = expected.map();
    let mut lost = 0;
    for (sector, (found, origin)) in (0..).zip(bytes.chunks(SECTOR).zip(origins)) {
        let wanted = expected.expected(&map, sector);
        let is_right = origin == wanted || (origin, wanted) == (Origin::Computed, Origin::Member);
        assert!(is_right, "sector {sector}: {origin:?}, expected {wanted:?}");
        assert!(origin == Origin::Lost || found == sector_content(sector), "sector {sector}");
        lost += u32::from(origin == Origin::Lost);
    }
    assert!(lost > 0, "the case has a lost part");
}

/// A disk that counts the reads that failed.
struct Counting(Memory, Arc<AtomicU64>);

impl ReadAt for Counting {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read_at(offset, buffer);
        self.1.fetch_add(u64::from(read.is_err()), Ordering::Relaxed);
        read
    }

    fn size(&self) -> Bytes {
        self.0.size()
    }

    fn sector_size(&self) -> SectorSize {
        SectorSize::B512
    }
}

struct CountingSources(Damaged, Arc<AtomicU64>);

impl SalvageSources for CountingSources {
    fn open(&self, member: &ArrayMember) -> Result<MemberSource, String> {
        let disk = &self.0.array.disks[member.slot.index()];
        let memory = disk.clone();
        Ok(MemberSource { device: Arc::new(Counting(memory, Arc::clone(&self.1))), readable: None })
    }
}

/// How many reads fail while an array with a long and a short bad place on one member is salvaged.
fn failed_reads(level: Level, layout: Option<Layout>) -> u64 {
    let mut damaged = Damaged::new(array(level, layout, 3, 128, 16384));
    damaged.damage(0, 1000, 6000, Kind::Broken);
    damaged.damage(0, 9001, 1, Kind::Broken);
    let sources = CountingSources(damaged, Arc::default());
    let record = &sources.0.array.record;
    let mut opened = Salvage::open(record, &[], &sources, SalvageOptions::default()).unwrap();
    let (_, origins) = salvage(&mut opened, 512);
    let lost = origins.iter().filter(|origin| **origin == Origin::Lost).count();
    assert_eq!(lost, if level == Level::Raid5 { 0 } else { 6001 });
    sources.1.load(Ordering::Relaxed)
}

#[test]
fn a_dying_disk_is_asked_a_few_times_where_redundancy_does_and_each_sector_once_where_not() {
    let with_redundancy = failed_reads(Level::Raid5, Some(ParityLayout::LeftSymmetric.into()));
    assert!((1..12).contains(&with_redundancy), "{with_redundancy} reads failed");
    let without = failed_reads(Level::Raid0, None);
    assert!((6001..6001 * 5 / 4 + 100).contains(&without), "{without} reads failed");
}
