//! Arrays on simulated disks, spoilt at known places: each is found where it is, with the right member, and nothing else.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use raid_meta::device::{Device, OnceDisk, ReadAt, SimDisk, WriteAt};
use raid_meta::record::{ArrayMember, ArrayRecord, MemberState, PlaceRole};
use raid_meta::units::SECTOR_LENGTH;
use raid_table::layout::{Content, Map};
use raid_table::volume::{OpenOptions, Sources, Targets, WritableVolume};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const MEMBER_SECTORS: u64 = 208;
const OFFSET: u64 = 8;

struct Array {
    record: ArrayRecord,
    disks: Vec<SimDisk>,
}

impl Sources for Array {
    fn open(&self, member: &ArrayMember) -> Result<Arc<dyn ReadAt>, String> {
        Ok(Arc::new(self.disks[member.slot.index()].clone()))
    }
}

impl<'a> Scrub<'a> {
    /// Whether the first sectors are compared without a copy.
    fn is_seen_in_memory(&self, memory: &mut Memory<'a>) -> bool {
        let length = (memory.view() as u64 / SECTOR_BYTES).min(self.end);
        if self.has_parity {
            let (trusted, _) = self.trusted(0);
            return self.stripes_in_memory(0, length, &trusted, memory).is_some();
        }
        let extent = self.columns.map().extents(Sectors::ZERO, Sectors(length)).next().unwrap();
        self.copies_in_memory(&extent, extent.length.0, memory).is_some()
    }
}

impl Targets for Array {
    fn open(&self, member: &ArrayMember) -> Result<Arc<dyn WriteAt>, String> {
        Ok(Arc::new(self.disks[member.slot.index()].clone()))
    }
}

/// A member and one of its data's sectors.
type Place = (u32, u64);

impl Array {
    fn new(level: &str, layout: Option<&str>, slots: u32) -> Self {
        Self::with_members_of(MEMBER_SECTORS, level, layout, slots)
    }

    fn with_members_of(length: u64, level: &str, layout: Option<&str>, slots: u32) -> Self {
        let members: Vec<_> = (0..slots)
            .map(|slot| {
                json!({"slot": slot, "device": format!("disk{slot}"), "state": "in-sync",
                    "offset_sectors": OFFSET, "length_sectors": length})
            })
            .collect();
        let chunk = (level != "raid1").then_some(16);
        let record = json!({"v": 1, "name": "a", "level": level, "layout": layout, "chunk_sectors": chunk,
            "size_sectors": 0, "slots": slots, "members": members});
        let mut record: ArrayRecord = serde_json::from_value(record).unwrap();
        let lengths = vec![Sectors(length); slots as usize];
        record.size_sectors = Map::new(&record.geometry(), &lengths, Sectors::ZERO).unwrap().capacity();
        let disk = || SimDisk::new(Sectors(OFFSET + length).to_bytes().unwrap());
        let array = Self { record, disks: (0..slots).map(|_| disk()).collect() };
        let volume = WritableVolume::open(&array.record, &array, false).unwrap();
        let content: Vec<u8> = (1..=array.record.size_sectors.0)
            .flat_map(|sector| sector.to_le_bytes().repeat(SECTOR_LENGTH / 8))
            .collect();
        volume.write(Bytes::ZERO, &content).unwrap();
        array
    }

    /// The arrays of the tests: what compares parity, and what votes.
    fn kinds() -> Vec<Self> {
        let kinds = [
            ("raid6", Some("left-symmetric"), 6),
            ("raid6", Some("left-asymmetric"), 5),
            ("raid6", Some("ddf-n-restart"), 6),
            ("raid6", Some("parity-first"), 4),
            ("raid5", Some("left-symmetric"), 3),
            ("raid5", Some("right-asymmetric"), 5),
            ("raid1", None, 3),
            ("raid1", None, 2),
            ("raid10", Some("near-3"), 6),
            ("raid10", Some("near-2"), 5),
            ("raid10", Some("offset-2"), 4),
            ("raid10", Some("far-3"), 4),
            ("raid10", Some("far-2"), 2),
            ("raid10", Some("offset-2"), 2),
        ];
        kinds.map(|(level, layout, slots)| Self::new(level, layout, slots)).into()
    }

    fn volume(&self) -> Volume {
        Volume::open(&self.record, self, OpenOptions::default()).unwrap()
    }

    fn spoil(&self, (slot, sector): Place, bytes: &[u8]) {
        let disk = &self.disks[Slot(slot).index()];
        let at = Sectors(OFFSET + sector).to_bytes().unwrap();
        let mut content = vec![0; SECTOR_LENGTH];
        disk.read_exact_at(at, &mut content).unwrap();
        for (byte, change) in content.iter_mut().zip(bytes) {
            *byte ^= change;
        }
        disk.write_at(at, &content).unwrap();
    }

    fn repair(&self, findings: &[Finding]) {
        for repair in findings.iter().flat_map(|finding| &finding.repairs) {
            let at = Sectors(OFFSET).saturating_add(repair.sector).to_bytes().unwrap();
            let disk = &self.disks[repair.slot.index()];
            let mut old = vec![0; repair.old.len()];
            disk.read_exact_at(at, &mut old).unwrap();
            assert!(old == repair.old, "what is to be replaced is what is there");
            disk.write_at(at, &repair.new).unwrap();
        }
    }

    fn content(&self) -> Vec<u8> {
        let volume = self.volume();
        let mut content = vec![0; usize::try_from(ReadAt::size(&volume).0).unwrap()];
        volume.read(Bytes::ZERO, &mut content).unwrap();
        content
    }

    /// The members' sectors that are compared with one: itself among them.
    fn group(&self, (slot, sector): Place) -> Vec<Place> {
        let volume = self.volume();
        let map = volume.columns().unwrap().map();
        if map.geometry().level.parities() > 0 {
            return (0..self.record.slots).map(|slot| (slot, sector)).collect();
        }
        let Some(Content::Data { array_sector, .. }) = map.reverse(Slot(slot), Sectors(sector)) else {
            return Vec::new();
        };
        let extent = map.extents(array_sector, Sectors(1)).next().unwrap();
        extent.copies.iter().map(|place| (place.slot.0, place.sector.0)).collect()
    }
}

#[test]
fn what_was_found_is_outdated_when_what_spoke_for_it_changed() {
    for array in Array::kinds() {
        let other = array.group((1, 20)).into_iter().find(|(slot, _)| *slot != 1);
        let trust_slot = other.map(|(slot, _)| Slot(slot));
        let options = Options { trust_data: true, trust_slot, ..options() };
        array.spoil((1, 19), &[0xff; 40]);
        array.spoil((1, 20), &[0xff; 40]);
        let found = findings(&array, options);
        assert!(found.iter().any(|finding| !finding.repairs.is_empty()), "{:?}", array.record.layout);
        let volume = array.volume();
        let scrub = Scrub::new(&volume, options).unwrap();
        assert_eq!(scrub.first_changed(&found), None, "{:?}", array.record.layout);
        for place in array.group((1, 20)) {
            array.spoil(place, &[0x5a; 200]);
            assert!(scrub.first_changed(&found).is_some(), "{place:?} of {:?}", array.record.layout);
            array.spoil(place, &[0x5a; 200]);
        }
        assert_eq!(scrub.first_changed(&found), None, "{:?}", array.record.layout);
    }
}

fn options() -> Options {
    Options { threads: 2, ..Options::default() }
}

fn findings(array: &Array, options: Options) -> Vec<Finding> {
    let volume = array.volume();
    let scrub = Scrub::new(&volume, options).unwrap();
    let mut all = Vec::new();
    let mut end = Sectors::ZERO;
    scrub
        .run(Sectors::ZERO, |segment| {
            assert!(segment.end > end && segment.unreadable.is_empty());
            end = segment.end;
            all.extend(segment.findings);
            Ok::<(), ()>(())
        })
        .unwrap();
    assert_eq!(end, scrub.end());
    all
}

/// Each wrong sector by member, and the sectors (of any member) where nothing is known.
fn places(array: &Array, findings: &[Finding]) -> (BTreeSet<Place>, BTreeSet<Vec<Place>>) {
    let (mut wrong, mut undecidable) = (BTreeSet::new(), BTreeSet::new());
    for finding in findings {
        for number in 0..finding.length.0 {
            match (finding.wrong, finding.sector) {
                (Some((slot, _)), Some(sector)) => {
                    assert!(wrong.insert((slot.0, sector.0 + number)), "found once");
                }
                (None, Some(sector)) if array.record.level.parities() > 0 => {
                    undecidable.insert(array.group((0, sector.0 + number)));
                }
                _ => {
                    let volume = array.volume();
                    let map = volume.columns().unwrap().map();
                    let at = finding.array[usize::try_from(number).unwrap()];
                    let place = map.extents(at, Sectors(1)).next().unwrap().copies[0];
                    undecidable.insert(array.group((place.slot.0, place.sector.0)));
                }
            }
        }
    }
    (wrong, undecidable)
}

/// What is to be found: worked out from what was spoilt alone.
fn expected(array: &Array, spoilt: &BTreeSet<Place>) -> (BTreeSet<Place>, BTreeSet<Vec<Place>>) {
    let mut groups: BTreeMap<Vec<Place>, Vec<Place>> = BTreeMap::new();
    for &place in spoilt {
        let group = array.group(place);
        if !group.is_empty() {
            groups.entry(group).or_default().push(place);
        }
    }
    let (mut wrong, mut undecidable) = (BTreeSet::new(), BTreeSet::new());
    for (group, bad) in groups {
        let located = match array.record.level {
            Level::Raid6 => bad.len() == 1,
            Level::Raid1 | Level::Raid10 => (group.len() - bad.len()) * 2 > group.len(),
            _ => false,
        };
        if located {
            wrong.extend(bad);
        } else {
            undecidable.insert(group);
        }
    }
    (wrong, undecidable)
}

/// Noise that is different at every place, without zeros.
fn noise((slot, sector): Place) -> Vec<u8> {
    let mut state = (u64::from(slot) << 32 | sector).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u8::try_from(state >> 33 & 0xff).unwrap().max(1)
    };
    std::iter::repeat_with(next).take(SECTOR_LENGTH).collect()
}

/// A fixed sample, or with `RAID_TESTS_LONG=1` many more from a new seed.
fn property() -> ProptestConfig {
    let long = std::env::var_os("RAID_TESTS_LONG").is_some_and(|value| value == "1");
    let (cases, rng_seed) = if long { (5_000, RngSeed::Random) } else { (200, RngSeed::Fixed(20)) };
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(property())]

    #[test]
    fn what_is_spoilt_is_found_where_it_is_and_nothing_else(
        kind in 0..14_usize,
        places_of in proptest::collection::btree_set((0..6_u32, 0..MEMBER_SECTORS), 0..24),
    ) {
        let array = Array::kinds().swap_remove(kind);
        let spoilt: BTreeSet<Place> =
            places_of.into_iter().map(|(slot, sector)| (slot % array.record.slots, sector)).collect();
        let before = array.content();
        for &place in &spoilt {
            array.spoil(place, &noise(place));
        }
        let found = findings(&array, options());
        let (wrong, undecidable) = places(&array, &found);
        let (expected_wrong, expected_undecidable) = expected(&array, &spoilt);
        prop_assert_eq!(&wrong, &expected_wrong);
        prop_assert_eq!(&undecidable, &expected_undecidable);
        array.repair(&found);
        let (wrong, left) = places(&array, &findings(&array, options()));
        prop_assert!(wrong.is_empty());
        prop_assert_eq!(&left, &undecidable);
        if undecidable.is_empty() {
            prop_assert!(array.content() == before);
        }
    }

    #[test]
    fn trust_makes_everything_agree_again(
        kind in 0..14_usize,
        places_of in proptest::collection::btree_set((0..6_u32, 0..MEMBER_SECTORS), 0..24),
    ) {
        let array = Array::kinds().swap_remove(kind);
        for (slot, sector) in places_of {
            let place = (slot % array.record.slots, sector);
            array.spoil(place, &noise(place));
        }
        let trusting = |slot| Options { trust_data: true, trust_slot: Some(Slot(slot)), ..options() };
        // Not every slot has a copy of everything.
        for slot in 0..array.record.slots {
            array.repair(&findings(&array, trusting(slot)));
        }
        prop_assert_eq!(findings(&array, options()), []);
    }
}

#[test]
fn a_stripe_with_one_byte_wrong_names_the_member_and_the_array_sector() {
    let array = Array::new("raid6", Some("left-symmetric"), 6);
    let volume = array.volume();
    let map = volume.columns().unwrap().map();
    // The fourth stripe; sector 5 of its chunk.
    let (row, sector) = (map.row(3).unwrap(), 3 * 16 + 5);
    let data = row.data_slot(2).unwrap();
    let mut one_byte = [0; SECTOR_LENGTH];
    one_byte[511] = 0x40;
    array.spoil((data.0, sector), &one_byte);
    let found = findings(&array, options());
    let [finding] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((finding.stripe, finding.wrong), (Some(3), Some((data, PlaceRole::Data))));
    assert_eq!((finding.sector, finding.length), (Some(Sectors(sector)), Sectors(1)));
    assert_eq!(finding.array, [Sectors((3 * 4 + 2) * 16 + 5)]);
    assert_eq!(finding.repairs.len(), 1);
}

#[test]
fn one_byte_is_not_believed_in_a_page_that_contradicts_it() {
    let array = Array::new("raid6", Some("left-symmetric"), 6);
    let mut one_byte = [0; SECTOR_LENGTH];
    one_byte[0] = 1;
    array.spoil((1, 40), &one_byte);
    array.spoil((1, 41), &noise((1, 41)));
    array.spoil((2, 41), &noise((2, 41)));
    let (wrong, undecidable) = places(&array, &findings(&array, options()));
    assert_eq!((wrong.len(), undecidable.len()), (0, 2));
    let known = findings(&Array::kinds().swap_remove(0), options());
    assert_eq!(known, []);
}

#[test]
fn without_a_member_raid6_still_shows_that_something_is_wrong_and_raid5_can_not() {
    let spoilt = |level, layout| {
        let mut array = Array::new(level, Some(layout), 6);
        array.spoil((1, 40), &noise((1, 40)));
        array.record.members[4].state = MemberState::Missing;
        array.record.members[4].device = None;
        array
    };
    let array = spoilt("raid6", "left-symmetric");
    let found = findings(&array, options());
    assert_eq!(places(&array, &found).1.len(), 1);
    assert!(found[0].repairs.is_empty());
    let array = spoilt("raid5", "left-symmetric");
    let volume = array.volume();
    assert!(matches!(Scrub::new(&volume, options()), Err(ScrubError::NothingLeft { missing: 1, .. })));
}

#[test]
fn what_was_never_synchronised_is_not_compared() {
    let array = Array::new("raid5", Some("left-symmetric"), 5);
    array.spoil((1, 40), &noise((1, 40)));
    array.spoil((1, 60), &noise((1, 60)));
    let below = Options { synchronised_below: Sectors(50), ..options() };
    let (_, undecidable) = places(&array, &findings(&array, below));
    assert_eq!(undecidable.into_iter().collect::<Vec<_>>(), [array.group((0, 40))]);
}

#[test]
fn where_parity_was_never_computed_it_is_no_evidence_against_the_data() {
    let array = Array::new("raid6", Some("left-symmetric"), 6);
    let volume = array.volume();
    let row = volume.columns().unwrap().map().row(3).unwrap();
    let data = row.data_slot(2).unwrap();
    array.spoil((data.0, 53), &noise((data.0, 53)));
    let before = array.content();
    let trusting = |below| Options { trust_data: true, synchronised_below: Sectors(below), ..options() };
    assert_eq!(findings(&array, trusting(54))[0].wrong, Some((data, PlaceRole::Data)));
    let found = findings(&array, trusting(53));
    let [finding] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(finding.wrong, None);
    let repaired: Vec<Slot> = finding.repairs.iter().map(|repair| repair.slot).collect();
    assert_eq!(repaired, [row.p(), row.q().unwrap()]);
    array.repair(&found);
    assert!(array.content() == before);
    assert_eq!(findings(&array, options()), []);
}

#[test]
fn copies_that_are_apart_on_a_member_are_put_right_each_in_its_place() {
    let array = Array::new("raid10", Some("far-2"), 2);
    let before = array.content();
    // Chunks 0 and 1 follow each other in the array; on a member its copy of chunk 1 is elsewhere.
    for sector in 8..24 {
        let extent =
            array.volume().columns().unwrap().map().extents(Sectors(sector), Sectors(1)).next().unwrap();
        let copy = extent.copies.iter().find(|place| place.slot == Slot(1)).unwrap();
        array.spoil((1, copy.sector.0), &noise((1, sector)));
    }
    array.repair(&findings(&array, Options { trust_slot: Some(Slot(0)), ..options() }));
    assert!(array.content() == before);
    assert_eq!(findings(&array, options()), []);
}

#[test]
fn what_can_not_be_read_is_told_and_the_rest_is_compared() {
    for kind in [0, 4, 6, 9] {
        let array = Array::kinds().swap_remove(kind);
        array.spoil((1, 100), &noise((1, 100)));
        array.disks[0].fail_reads(bytes(OFFSET + 42)..bytes(OFFSET + 43));
        let volume = array.volume();
        let (mut unreadable, mut found) = (Vec::new(), 0);
        let scrub = Scrub::new(&volume, options()).unwrap();
        let each = |segment: Segment| {
            unreadable.extend(segment.unreadable);
            found += segment.findings.len();
            Ok::<(), ()>(())
        };
        scrub.run(Sectors::ZERO, each).unwrap();
        let [unreadable] = unreadable.as_slice() else { panic!("{kind}: {unreadable:?}") };
        let end = unreadable.sector.saturating_add(unreadable.length).0;
        assert!(unreadable.slot == Slot(0) && unreadable.sector.0 <= 42 && 42 < end && end - 42 <= 8);
        assert_eq!(found, 1, "{kind}");
    }
}

fn bytes(sector: u64) -> Bytes {
    Sectors(sector).to_bytes().unwrap()
}

/// A disk of which only the first sectors are no hole, that counts what is read of it.
struct Sparse {
    disk: SimDisk,
    read: Arc<AtomicU64>,
}

impl ReadAt for Sparse {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.read.fetch_add(buffer.len() as u64, Ordering::Relaxed);
        self.disk.read_at(offset, buffer)
    }

    fn next_data(&self, offset: Bytes) -> std::io::Result<Option<(Bytes, Bytes)>> {
        let end = bytes(OFFSET + 20);
        Ok((offset < end).then_some((offset, end)))
    }

    fn size(&self) -> Bytes {
        self.disk.size()
    }

    fn sector_size(&self) -> raid_meta::units::SectorSize {
        self.disk.sector_size()
    }
}

struct Counted<'a>(&'a Array, Arc<AtomicU64>);

impl Sources for Counted<'_> {
    fn open(&self, member: &ArrayMember) -> Result<Arc<dyn ReadAt>, String> {
        let disk = self.0.disks[member.slot.index()].clone();
        Ok(Arc::new(Sparse { disk, read: Arc::clone(&self.1) }))
    }
}

#[test]
fn holes_of_all_members_agree_and_are_not_read() {
    for kind in [0, 4, 6, 9] {
        let array = Array::kinds().swap_remove(kind);
        let read = Arc::new(AtomicU64::new(0));
        for disk in &array.disks {
            let zeros = vec![0; SECTOR_LENGTH];
            (OFFSET..OFFSET + MEMBER_SECTORS)
                .for_each(|sector| disk.write_at(bytes(sector), &zeros).unwrap());
        }
        array.spoil((1, 17), &noise((1, 17)));
        let volume =
            Volume::open(&array.record, &Counted(&array, Arc::clone(&read)), OpenOptions::default()).unwrap();
        let scrub = Scrub::new(&volume, Options { request: Bytes(4096), ..options() }).unwrap();
        let (mut found, mut compared) = (0, Sectors::ZERO);
        let each = |segment: Segment| {
            found += segment.findings.len();
            compared = compared.saturating_add(segment.compared);
            Ok::<(), ()>(())
        };
        scrub.run(Sectors::ZERO, each).unwrap();
        assert_eq!((found, compared.to_bytes()), (1, Some(scrub.bytes_before(scrub.end()))), "{kind}");
        // A hole is read where its copy on another member is none.
        let most = u64::from(array.record.slots) * 32 * SECTOR_LENGTH as u64;
        let read = read.load(Ordering::Relaxed);
        assert!(read > 0 && read <= most, "{kind}: {read} bytes");
    }
}

/// The disks of an array as images, in a folder; each is preceded by a sector of something else.
struct Images<'a> {
    array: &'a Array,
    folder: tempfile::TempDir,
}

impl<'a> Images<'a> {
    fn new(array: &'a Array) -> Self {
        let images = Self { array, folder: tempfile::tempdir().unwrap() };
        for (number, disk) in array.disks.iter().enumerate() {
            let mut content = vec![0x5a; SECTOR_LENGTH + usize::try_from(disk.size().0).unwrap()];
            disk.read_exact_at(Bytes::ZERO, &mut content[SECTOR_LENGTH..]).unwrap();
            std::fs::write(images.path(number), content).unwrap();
        }
        images
    }

    fn path(&self, number: usize) -> std::path::PathBuf {
        self.folder.path().join(number.to_string())
    }

    fn volume(&self) -> Volume {
        Volume::open(&self.array.record, self, OpenOptions::default()).unwrap()
    }
}

impl Sources for Images<'_> {
    fn open(&self, member: &ArrayMember) -> Result<Arc<dyn ReadAt>, String> {
        let path = self.path(member.slot.index());
        let device = Device::whole(&path, Arc::new(OnceDisk::open(&path, None, false).unwrap()));
        let length = device.size();
        Ok(Arc::new(device.window(bytes(1), length.saturating_sub(bytes(1))).unwrap()))
    }
}

fn segments(volume: &Volume) -> Vec<Segment> {
    let mut segments = Vec::new();
    let each = |segment| {
        segments.push(segment);
        Ok::<(), ()>(())
    };
    Scrub::new(volume, options()).unwrap().run(Sectors::ZERO, each).unwrap();
    segments
}

/// Members for several looks at what is in memory, and a rest.
const LARGE_MEMBER: u64 = 9 * 4096 + 16;

#[test]
fn images_are_compared_in_memory_as_disks_are() {
    let kinds = [
        ("raid6", Some("left-symmetric"), 6, true),
        ("raid5", Some("left-asymmetric"), 3, true),
        ("raid1", None, 3, true),
        ("raid10", Some("near-2"), 5, false),
    ];
    for (level, layout, slots, in_memory) in kinds {
        let array = Array::with_members_of(LARGE_MEMBER, level, layout, slots);
        for number in 0..300 {
            let place = (number % slots, u64::from(number) * 7919 % LARGE_MEMBER);
            array.spoil(place, &noise(place));
        }
        let images = Images::new(&array);
        let (volume, on_disks) = (images.volume(), array.volume());
        let scrub = Scrub::new(&volume, options()).unwrap();
        let mut memory = Memory::new(scrub.slice(), scrub.columns.slots(), scrub.views());
        // Chunks of raid10 are too short to be worth it.
        assert_eq!(scrub.is_seen_in_memory(&mut memory), in_memory, "{level}");
        assert!(segments(&volume) == segments(&on_disks), "{level}");
    }
}

#[test]
fn an_image_that_is_cut_off_is_told_to_be_unreadable_there() {
    for (level, layout) in [("raid6", Some("left-symmetric")), ("raid1", None)] {
        let array = Array::with_members_of(LARGE_MEMBER, level, layout, 4);
        let images = Images::new(&array);
        let volume = images.volume();
        let image = std::fs::File::options().write(true).open(images.path(2)).unwrap();
        image.set_len(bytes(1 + OFFSET + 4000).0).unwrap();
        let segments = segments(&volume);
        let unreadable: Vec<&Unreadable> = segments.iter().flat_map(|segment| &segment.unreadable).collect();
        let first = unreadable.iter().map(|unreadable| unreadable.sector.0).min().unwrap();
        assert!(first <= 4000 && 4000 - first < 8, "{level}: {first}");
        assert!(unreadable.iter().all(|unreadable| unreadable.slot == Slot(2)), "{level}");
        let length: u64 = unreadable.iter().map(|unreadable| unreadable.length.0).sum();
        assert_eq!(first + length, LARGE_MEMBER, "{level}");
        assert!(segments.iter().all(|segment| segment.findings.is_empty()), "{level}");
    }
}
