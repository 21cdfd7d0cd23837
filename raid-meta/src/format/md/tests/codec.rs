//! Bytes in and out: the worked examples, identity, and what damage does.

use super::super::journal::tests::{block, data_payload};
use super::super::ppl;
use super::*;
use crate::model::Area;
use crate::record::ChecksumState;
use crate::testing::property;
use proptest::prelude::*;

/// A superblock with everything that can be beside it at once.
fn full() -> Made {
    Made::raid5()
        .with_bitmap(&[0x10, 0, 0, 0, 0, 0, 0, 0], |_| {})
        .with_bad_blocks(&[3000 << 10 | 8, 3400 << 10 | 20])
        .with_features(feature::BAD_BLOCKS)
}

fn with_ppl() -> Made {
    let header = ppl::tests::header(&UUID, 1, &[]);
    let place = i32::from_le_bytes([8, 0, 0xf8, 0]);
    Made::raid5()
        .with_features(feature::MULTIPLE_PPLS)
        .with(|head| head.bitmap_offset = place)
        .and(16, header.clone())
        .and(24, header)
}

fn journal_device() -> Made {
    Made::raid5()
        .with_roles(&[0, 1, 2, 0xfffd])
        .with_features(feature::JOURNAL)
        .with(|head| (head.dev_number, head.recovery_offset) = (3, 16))
        .and(2048 + 16, block(&UUID, 1, 16, &data_payload()))
}

#[test]
fn the_structures_have_the_documented_sizes() {
    assert_eq!(v1::Head::SIZE, 256);
    assert_eq!(v0::Head::SIZE, 0x200);
    assert_eq!(v0::Descriptor::SIZE, 128);
    let at = |name| v1::Head::FIELDS.iter().find(|field| field.name == name).unwrap().offset;
    assert_eq!(
        ["reshape_position", "super_offset", "device_uuid", "bblog_offset", "sb_csum", "pad3"].map(at),
        [0x68, 0x90, 0xa8, 0xbc, 0xd8, 0xe4]
    );
    let at = |name| v0::Head::FIELDS.iter().find(|field| field.name == name).unwrap().offset;
    assert_eq!(
        ["utime", "sb_csum", "events", "recovery_cp", "reshape_position", "layout"].map(at),
        [0x80, 0x98, 0x9c, 0xac, 0xb0, 0x100]
    );
}

#[test]
fn the_checksum_of_the_documented_1x_example_is_the_documented_one() {
    let made = Made::raid5().with_roles(&[0, 1, 2]).with(|head| {
        head.set_name = [0; 32];
        head.size = 2048;
        head.data_size = 2048;
        head.dev_number = 0;
        head.device_uuid = std::array::from_fn(|index| 16 + u8::try_from(index).unwrap());
        head.events = 1;
    });
    let bytes = made.superblock();
    assert_eq!(bytes.len(), 262);
    assert_eq!(bytes[0xd8..0xdc], 0x07ae_af19_u32.to_le_bytes());
    assert_eq!(made.codes(), [""; 0]);
}

fn example_090() -> Vec<u32> {
    let mut words = vec![0; 1024];
    let values: [(usize, u32); 24] = [
        (0, MAGIC),
        (2, 90),
        (5, 0x1111_1111),
        (6, 0x6b00_e789),
        (32, 0x6b00_e789),
        (7, 1),
        (8, 1024),
        (9, 2),
        (10, 2),
        (13, 0x2222_2222),
        (14, 0x3333_3333),
        (15, 0x4444_4444),
        (33, 1),
        (34, 2),
        (35, 2),
        (39, 7),
        (41, 7),
        (43, u32::MAX),
        (132, 6),
        (160, 1),
        (163, 1),
        (164, 6),
        (996, 6),
        (38, 0x29d7_cd40),
    ];
    for (word, value) in values {
        words[word] = value;
    }
    words
}

fn device_090(words: &[u32], endian: Endian) -> Device {
    let order = |word: &u32| if endian == Endian::Big { word.to_be_bytes() } else { word.to_le_bytes() };
    device(DEVICE, &[(8064, words.iter().flat_map(order).collect())])
}

#[test]
fn the_documented_090_example_is_the_same_in_both_byte_orders() {
    let little = device_090(&example_090(), Endian::Little);
    assert_eq!(codes(&little), [""; 0]);
    let mut words = example_090();
    words.swap(39, 40);
    words.swap(41, 42);
    let big = device_090(&words, Endian::Big);
    assert_eq!(codes(&big), ["byte-order"]);
    let (little, big) = (view_of(&little), view_of(&big));
    assert_eq!(little.set_id, "11111111:22222222:33333333:44444444");
    assert_eq!((&big.set_id, big.generation), (&little.set_id, 7));
    assert_eq!(big.volumes[0].slots, little.volumes[0].slots);
    assert_ne!(big.family, little.family);
}

fn view_of(device: &Device) -> MemberView {
    only(device).metadata.unwrap().view(device)
}

#[test]
fn a_090_checksum_is_accepted_when_its_16_bit_fold_is_right() {
    let mut words = example_090();
    words[38] = 0xf717;
    assert_eq!(codes(&device_090(&words, Endian::Little)), ["checksum-folded"]);
    words[38] = 0xf718;
    assert_eq!(codes(&device_090(&words, Endian::Little)), ["checksum"]);
}

#[test]
fn what_is_decoded_encodes_to_the_same_bytes_and_every_byte_has_one_field() {
    for made in [Made::raid5(), full(), with_ppl(), journal_device()] {
        assert_eq!(made.codes(), [""; 0]);
        exercise(&made.device());
    }
    for endian in [Endian::Little, Endian::Big] {
        exercise(&Made0::raid5(endian).device());
    }
    let areas = |made: &Made| {
        let areas = made.found().metadata.unwrap().areas();
        areas.iter().map(|area| (area.role, area.offset.0 / 512, area.bytes.len())).collect::<Vec<_>>()
    };
    assert_eq!(areas(&full()), [("superblock", 8, 512), ("bitmap", 16, 512), ("bad-block-log", 24, 4096)]);
    assert_eq!(areas(&with_ppl()), [("superblock", 8, 512), ("ppl", 16, 4096), ("ppl", 24, 4096)]);
    assert_eq!(areas(&journal_device()), [("superblock", 8, 512), ("journal", 2064, 4096)]);
}

#[test]
fn an_area_is_whole_logical_sectors() {
    let disk = SimDisk::new(Bytes(DEVICE * SECTOR_BYTES)).with_sector_size(crate::units::SectorSize::B4096);
    disk.load(Bytes(4096), &Made::raid5().superblock());
    let device = Device::whole(Path::new("disk"), Arc::new(disk));
    let areas = only(&device).metadata.unwrap().areas();
    assert_eq!(areas[0].bytes.len(), 4096);
    exercise(&device);
}

#[test]
fn any_byte_changed_in_a_superblock_is_a_problem_or_no_superblock() {
    let changed = |device: &Device, sector: u64, covered: usize, bytes: &[u8]| {
        for at in 0..covered {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 0x20;
            let device = super::device(device.length_sectors().0, &[(sector, damaged)]);
            exercise(&device);
            let found = Md.find(&device).unwrap();
            assert!(found.iter().all(|found| found.problems.iter().any(Problem::is_error)), "byte {at}");
        }
    };
    let made = Made::raid5();
    changed(&made.device(), 8, 256 + 8, &made.superblock());
    let made = Made0::raid5(Endian::Little);
    let mut superblock = made.0.clone();
    superblock.head.sb_csum = superblock.computed_checksum();
    changed(&made.device(), 8064, 4096, &superblock.encode());
}

#[test]
fn a_byte_changed_in_what_hangs_on_a_superblock_does_no_harm() {
    for made in [full(), with_ppl(), journal_device()] {
        for (index, (_, bytes)) in made.more.iter().enumerate() {
            for at in (0..bytes.len()).step_by(13) {
                let mut damaged = made.clone();
                damaged.more[index].1[at] ^= 0x81;
                exercise(&damaged.device());
            }
        }
    }
}

#[test]
fn sealing_makes_every_checksum_right_again() {
    let v0 = [Endian::Little, Endian::Big].map(|endian| Made0::raid5(endian).device());
    for made in [full().device(), with_ppl().device(), journal_device().device()].into_iter().chain(v0) {
        let metadata = only(&made).metadata.unwrap();
        let mut areas = metadata.areas();
        let sealable: Vec<_> =
            areas.iter_mut().filter(|area| area.checksum != ChecksumState::Absent).collect();
        assert!(!sealable.is_empty());
        for area in sealable {
            assert_eq!(area.checksum, ChecksumState::Ok);
            area.bytes[0xc0] ^= 1;
        }
        let put = |areas: &[Area]| {
            let sectors = areas.iter().map(|area| (area.offset.0 / SECTOR_BYTES, area.bytes.clone()));
            let disk = device(DEVICE, &sectors.collect::<Vec<_>>());
            only(&disk).metadata.unwrap().areas()
        };
        assert!(put(&areas).iter().any(|area| area.checksum == ChecksumState::Bad));
        metadata.seal(&mut areas);
        assert!(put(&areas).iter().all(|area| area.checksum != ChecksumState::Bad));
    }
}

#[test]
fn a_device_of_any_length_is_read_as_far_as_it_goes() {
    let whole: Vec<u8> = {
        let device = full().device();
        device.read(Bytes(0), 32 * 512).unwrap().unwrap()
    };
    for length in (0..whole.len()).filter(|length| *length < 5200 || length % 61 == 0) {
        let disk = SimDisk::holding(&whole[..length]);
        let device = Device::whole(Path::new("disk"), Arc::new(disk));
        exercise(&device);
        let found = Md.find(&device).unwrap();
        let sound = found.iter().any(|found| !found.problems.iter().any(Problem::is_error));
        assert_eq!(sound, length >= 4096 + 256 + 8, "{length} bytes");
    }
}

#[test]
fn every_field_at_its_limits_does_no_harm() {
    for made in [full(), with_ppl(), journal_device()] {
        for spec in v1::Head::FIELDS.iter().filter(|spec| spec.name != "magic") {
            for pattern in [0x00, 0xff, 0x7f, 0x80] {
                let mut bytes = made.head.encode(Endian::Little);
                bytes[spec.offset..spec.offset + spec.size].fill(pattern);
                let mut made = made.clone();
                made.head = v1::Head::decode(&bytes, Endian::Little).unwrap();
                exercise(&made.device());
            }
        }
    }
}

#[test]
fn every_field_of_090_at_its_limits_does_no_harm() {
    for endian in [Endian::Little, Endian::Big] {
        let made = Made0::raid5(endian);
        for spec in v0::Head::FIELDS.iter().filter(|spec| spec.name != "magic") {
            for pattern in [0x00, 0xff, 0x7f, 0x80] {
                let mut bytes = made.0.head.encode(endian);
                bytes[spec.offset..spec.offset + spec.size].fill(pattern);
                let head = v0::Head::decode(&bytes, endian).unwrap();
                exercise(&made.clone().with(|superblock| superblock.head = head).device());
            }
        }
    }
}

#[test]
fn little_is_read_where_there_is_nothing() {
    struct Counting(SimDisk, std::sync::atomic::AtomicUsize);
    impl crate::device::ReadAt for Counting {
        fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.1.fetch_add(buffer.len(), std::sync::atomic::Ordering::Relaxed);
            self.0.read_at(offset, buffer)
        }
        fn size(&self) -> Bytes {
            self.0.size()
        }
        fn sector_size(&self) -> crate::units::SectorSize {
            self.0.sector_size()
        }
    }
    let disk = Arc::new(Counting(SimDisk::new(Bytes(1 << 40)), 0.into()));
    let device = Device::whole(Path::new("disk"), disk.clone());
    assert!(Md.find(&device).unwrap().is_empty());
    assert_eq!(disk.1.load(std::sync::atomic::Ordering::Relaxed), 16);
}

#[test]
fn a_place_that_can_not_be_read_hides_nothing_elsewhere() {
    let disk = SimDisk::new(Bytes(DEVICE * SECTOR_BYTES));
    disk.fail_reads(Bytes(0)..Bytes(512));
    let device = Device::whole(Path::new("disk"), Arc::new(disk.clone()));
    assert!(Md.find(&device).is_err());
    disk.load(Bytes(4096), &Made::raid5().superblock());
    assert_eq!(Md.find(&device).unwrap().len(), 1);
}

#[test]
fn what_can_not_be_read_beside_a_superblock_is_a_warning() {
    let made = full();
    let disk = SimDisk::new(Bytes(DEVICE * SECTOR_BYTES));
    disk.load(Bytes(4096), &made.superblock());
    disk.fail_reads(Bytes(24 * 512)..Bytes(25 * 512));
    let device = Device::whole(Path::new("disk"), Arc::new(disk));
    assert!(codes(&device).contains(&"unreadable".to_owned()));
}

proptest! {
    #![proptest_config(property(4096))]

    #[test]
    fn arbitrary_bytes_behind_the_magic_number_do_no_harm(
        bytes in proptest::collection::vec(any::<u8>(), 4096),
        sector in prop_oneof![Just(0_u64), Just(8), Just(8176), Just(8064)],
        big: bool,
        right: bool,
    ) {
        let mut bytes = bytes;
        let endian = if big && sector == 8064 { Endian::Big } else { Endian::Little };
        let magic = if endian == Endian::Big { MAGIC.to_be_bytes() } else { MAGIC.to_le_bytes() };
        bytes[..4].copy_from_slice(&magic);
        if right {
            bytes[4..8].copy_from_slice(&u32::from(sector != 8064).to_le_bytes());
            bytes[0xdc..0xe0].copy_from_slice(&64_u32.to_le_bytes());
        }
        exercise(&device(DEVICE, &[(sector, bytes)]));
    }

    #[test]
    fn arbitrary_values_under_a_right_checksum_do_no_harm(
        fields in proptest::collection::vec((0..v1::Head::FIELDS.len(), any::<u64>()), 1..12),
        roles in proptest::collection::vec(any::<u16>(), 0..40),
    ) {
        let mut made = full().with_roles(&roles);
        let mut bytes = made.head.encode(Endian::Little);
        for (index, value) in fields {
            let spec = &v1::Head::FIELDS[index];
            if !["magic", "max_dev"].contains(&spec.name) {
                for (to, from) in bytes[spec.offset..spec.offset + spec.size].iter_mut().zip(value.to_le_bytes()) {
                    *to = from;
                }
            }
        }
        made.head = v1::Head::decode(&bytes, Endian::Little).unwrap();
        exercise(&made.device());
    }
}
