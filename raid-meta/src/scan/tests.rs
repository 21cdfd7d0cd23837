use super::*;
use crate::device::SimDisk;
use crc::{CRC_32_ISO_HDLC, Crc};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;

const MIB: u64 = 1 << 20;
const CRC32: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

fn disk() -> SimDisk {
    SimDisk::new(Bytes(64 * MIB))
}

fn device(disk: &SimDisk) -> Device {
    Device::whole(Path::new("disk.img"), Arc::new(disk.clone()))
}

/// Offsets and lengths of the partitions found, in sectors.
fn partitions(disk: &SimDisk) -> Vec<(u64, u64)> {
    extents(&search(&device(disk)))
}

fn extents(found: &Search) -> Vec<(u64, u64)> {
    let windows = found.windows.iter().skip(1);
    windows.map(|window| (window.offset_sectors().0, window.length_sectors().0)).collect()
}

fn codes(disk: &SimDisk) -> Vec<String> {
    search(&device(disk)).problems.into_iter().map(|problem| problem.code).collect()
}

/// A table sector with entries (boot flag, type, first, count).
fn mbr(entries: &[(u8, u8, u32, u32)]) -> [u8; 512] {
    let mut sector = [0; 512];
    for (place, (flag, kind, first, count)) in sector[446..510].chunks_exact_mut(16).zip(entries) {
        place[0] = *flag;
        place[4] = *kind;
        place[8..12].copy_from_slice(&first.to_le_bytes());
        place[12..].copy_from_slice(&count.to_le_bytes());
    }
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

const PROTECTIVE: [(u8, u8, u32, u32); 1] = [(0, 0xee, 1, u32::MAX)];

/// Where a GPT puts what, and with what sizes.
#[derive(Clone, Copy)]
struct Gpt {
    unit: u64,
    count: u32,
    entry_bytes: u32,
}

impl Gpt {
    const USUAL: Self = Self { unit: 512, count: 128, entry_bytes: 128 };

    fn last(self) -> u64 {
        64 * MIB / self.unit - 1
    }

    fn table_sectors(self) -> u64 {
        (u64::from(self.count) * u64::from(self.entry_bytes)).div_ceil(self.unit)
    }

    /// Puts both copies on a disk. Partitions are (first, last) in units.
    fn write(self, disk: &SimDisk, partitions: &[(u64, u64)]) {
        let mut table = vec![0; self.count as usize * self.entry_bytes as usize];
        for (entry, (first, last)) in table.chunks_exact_mut(self.entry_bytes as usize).zip(partitions) {
            entry[..16].fill(0xaf);
            entry[32..40].copy_from_slice(&first.to_le_bytes());
            entry[40..48].copy_from_slice(&last.to_le_bytes());
        }
        let backup_table = self.last() - self.table_sectors();
        disk.load(Bytes(2 * self.unit), &table);
        disk.load(Bytes(backup_table * self.unit), &table);
        disk.load(Bytes(self.unit), &self.header(1, self.last(), 2, &table));
        disk.load(Bytes(self.last() * self.unit), &self.header(self.last(), 1, backup_table, &table));
    }

    fn header(self, own: u64, other: u64, table_at: u64, table: &[u8]) -> Vec<u8> {
        let mut header = vec![0; 92];
        header[..8].copy_from_slice(b"EFI PART");
        header[8..16].copy_from_slice(&[0, 0, 1, 0, 92, 0, 0, 0]);
        header[24..32].copy_from_slice(&own.to_le_bytes());
        header[32..40].copy_from_slice(&other.to_le_bytes());
        header[72..80].copy_from_slice(&table_at.to_le_bytes());
        header[80..84].copy_from_slice(&self.count.to_le_bytes());
        header[84..88].copy_from_slice(&self.entry_bytes.to_le_bytes());
        header[88..].copy_from_slice(&CRC32.checksum(table).to_le_bytes());
        let checksum = CRC32.checksum(&header);
        header[16..20].copy_from_slice(&checksum.to_le_bytes());
        header
    }
}

#[test]
fn a_disk_without_a_table_is_its_only_window() {
    assert_eq!(partitions(&disk()), []);
    assert_eq!(partitions(&SimDisk::new(Bytes(100))), [], "smaller than a sector");
    assert_eq!(windows(&device(&SimDisk::new(Bytes::ZERO))).unwrap().len(), 1);
}

#[test]
fn primary_and_logical_partitions_are_windows() {
    let disk = disk();
    disk.load(Bytes::ZERO, &mbr(&[(0x80, 0x83, 2048, 4096), (0, 0xfd, 8192, 100), (0, 0x0f, 16384, 65536)]));
    disk.load(Bytes(16384 * 512), &mbr(&[(0, 0x83, 63, 1000), (0, 0x05, 2000, 3000)]));
    disk.load(Bytes(18384 * 512), &mbr(&[(0, 0x83, 64, 500)]));
    assert_eq!(partitions(&disk), [(2048, 4096), (8192, 100), (16447, 1000), (18448, 500)]);
    assert_eq!(codes(&disk), [""; 0]);
}

#[test]
fn a_4kn_disks_mbr_counts_in_4096_bytes() {
    let disk = disk().with_sector_size(SectorSize::B4096);
    disk.load(Bytes::ZERO, &mbr(&[(0, 0x83, 256, 1024), (0, 0x05, 4096, 2048)]));
    disk.load(Bytes(4096 * 4096), &mbr(&[(0, 0x83, 1, 100)]));
    assert_eq!(partitions(&disk), [(2048, 8192), (32776, 800)]);
}

#[test]
fn a_cyclic_chain_of_extended_partitions_ends_with_a_warning() {
    let disk = disk();
    disk.load(Bytes::ZERO, &mbr(&[(0, 0x05, 2048, 65536)]));
    disk.load(Bytes(2048 * 512), &mbr(&[(0, 0x83, 1, 10), (0, 0x05, 100, 100)]));
    disk.load(Bytes(2148 * 512), &mbr(&[(0, 0x83, 1, 10), (0, 0x05, 0, 100)]));
    assert_eq!(partitions(&disk), [(2049, 10), (2149, 10)]);
    assert_eq!(codes(&disk), ["mbr-chain"]);
}

#[test]
fn an_endless_chain_is_followed_only_so_far() {
    let disk = disk();
    disk.load(Bytes::ZERO, &mbr(&[(0, 0x05, 2048, 65536)]));
    for link in 0..1000 {
        let next = mbr(&[(0, 0x83, 1, 1), (0, 0x05, (link + 1) * 4, 4)]);
        disk.load(Bytes(u64::from(2048 + link * 4) * 512), &next);
    }
    assert_eq!(partitions(&disk).len(), 128);
    assert_eq!(codes(&disk), ["mbr-chain"]);
}

#[test]
fn partitions_outside_are_left_out_and_those_cut_by_the_end_are_cut() {
    let disk = disk();
    let end = u32::try_from(64 * MIB / 512).unwrap();
    disk.load(
        Bytes::ZERO,
        &mbr(&[(0, 0x83, end - 100, 200), (0, 0x83, end, 1), (0, 0x83, 0, 10), (0, 0x83, 10, 0)]),
    );
    assert_eq!(partitions(&disk), [(u64::from(end) - 100, 100)]);
    assert_eq!(codes(&disk), ["partition-cut", "partition-outside", "partition-empty"]);
}

#[test]
fn the_same_extent_twice_is_one_window_and_overlapping_ones_are_two() {
    let disk = disk();
    disk.load(Bytes::ZERO, &mbr(&[(0, 0x83, 100, 100), (0, 0x83, 100, 100), (0, 0x83, 150, 100)]));
    assert_eq!(partitions(&disk), [(100, 100), (150, 100)]);
}

#[test]
fn a_file_systems_boot_sector_is_no_partition_table() {
    let disk = disk();
    let mut sector = mbr(&[(0, 0x83, 2048, 4096)]);
    sector[446..490].copy_from_slice(b"\r\nRemove disks or other media.\xff\r\nDisk error\xff");
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    disk.load(Bytes::ZERO, &sector);
    assert_eq!(partitions(&disk), []);
    for name in [b"NTFS    ", b"EXFAT   "] {
        let mut sector = mbr(&[(0, 0x83, 2048, 4096)]);
        sector[3..11].copy_from_slice(name);
        disk.load(Bytes::ZERO, &sector);
        assert_eq!(partitions(&disk), []);
    }
}

#[test]
fn gpt_partitions_are_windows_with_and_without_a_protective_mbr() {
    let disk = disk();
    Gpt::USUAL.write(&disk, &[(2048, 4095), (4096, 4096)]);
    assert_eq!(partitions(&disk), [(2048, 2048), (4096, 1)]);
    disk.load(Bytes::ZERO, &mbr(&PROTECTIVE));
    assert_eq!(partitions(&disk), [(2048, 2048), (4096, 1)]);
    assert_eq!(codes(&disk), [""; 0]);
}

#[test]
fn a_gpt_of_either_sector_size_is_found_on_an_image_that_does_not_say_which() {
    for (unit, factor) in [(512, 1), (4096, 8)] {
        for own in [SectorSize::B512, SectorSize::B4096] {
            let disk = disk().with_sector_size(own);
            Gpt { unit, ..Gpt::USUAL }.write(&disk, &[(256, 1255)]);
            disk.load(Bytes::ZERO, &mbr(&PROTECTIVE));
            assert_eq!(partitions(&disk), [(256 * factor, 1000 * factor)], "{unit} {own:?}");
        }
    }
}

#[test]
fn entries_larger_than_usual_are_read_and_absurd_ones_are_not() {
    let disk = disk();
    Gpt { entry_bytes: 256, count: 16, ..Gpt::USUAL }.write(&disk, &[(2048, 4095), (4096, 4096)]);
    assert_eq!(partitions(&disk), [(2048, 2048), (4096, 1)]);
    for (count, entry_bytes) in [(u32::MAX, 128), (u32::MAX, u32::MAX), (128, 0), (128, 127), (1, 8192)] {
        let disk = SimDisk::new(Bytes(64 * MIB));
        let gpt = Gpt { count, entry_bytes, unit: 512 };
        disk.load(Bytes(512), &gpt.header(1, 2, 2, &[]));
        assert_eq!(partitions(&disk), [], "{count} entries of {entry_bytes}");
        assert_eq!(codes(&disk), ["gpt-damaged"], "{count} entries of {entry_bytes}");
    }
}

#[test]
fn each_byte_of_the_first_gpt_is_covered_and_the_backup_serves_when_one_is_wrong() {
    for offset in (512..604).chain([1024, 1072, 17407]) {
        let disk = disk();
        disk.load(Bytes::ZERO, &mbr(&PROTECTIVE));
        Gpt::USUAL.write(&disk, &[(2048, 4095)]);
        disk.load(Bytes(offset), &[disk.peek(Bytes(offset), 1)[0] ^ 0x10]);
        assert_eq!(partitions(&disk), [(2048, 2048)], "byte {offset}");
        assert_eq!(codes(&disk), ["gpt-damaged"], "byte {offset}");
    }
}

#[test]
fn an_unreadable_first_gpt_is_reported_and_the_backup_serves() {
    let disk = disk();
    disk.load(Bytes::ZERO, &mbr(&PROTECTIVE));
    Gpt::USUAL.write(&disk, &[(2048, 4095)]);
    disk.fail_reads(Bytes(8192)..Bytes(8704));
    let found = search(&device(&disk));
    assert_eq!(extents(&found), [(2048, 2048)]);
    assert_eq!(found.errors.len(), 1);
    assert!(windows(&device(&disk)).is_err());
}

#[test]
fn an_unreadable_first_sector_leaves_the_device_itself() {
    let disk = disk();
    disk.fail_reads(Bytes::ZERO..Bytes(512));
    let found = search(&device(&disk));
    assert_eq!((found.windows.len(), found.errors.len()), (1, 1));
}

#[test]
fn both_gpts_lost_leaves_the_hybrid_mbr() {
    let disk = disk();
    disk.load(Bytes::ZERO, &mbr(&[(0, 0xee, 1, 100), (0, 0x83, 2048, 4096)]));
    assert_eq!(partitions(&disk), [(2048, 4096)]);
    assert_eq!(codes(&disk), ["gpt-damaged"]);
}

#[test]
fn an_mbr_in_use_hides_what_is_left_of_an_older_gpt() {
    let disk = disk();
    Gpt::USUAL.write(&disk, &[(40, 50)]);
    disk.load(Bytes::ZERO, &mbr(&[(0, 0x83, 2048, 4096)]));
    assert_eq!(partitions(&disk), [(2048, 4096)]);
}

#[test]
fn hostile_gpt_entries_give_bounded_windows_inside_the_device() {
    let disk = disk();
    let many: Vec<(u64, u64)> = (1..5000).map(|number| (number, u64::MAX - number)).collect();
    Gpt { count: 5000, ..Gpt::USUAL }.write(&disk, &[(9, 3), (0, u64::MAX), (u64::MAX, u64::MAX)]);
    assert_eq!(partitions(&disk), []);
    Gpt { count: 5000, ..Gpt::USUAL }.write(&disk, &many);
    let found = search(&device(&disk));
    assert_eq!(found.windows.len(), MAX_WINDOWS);
    assert!(found.problems.len() <= MAX_PROBLEMS);
}

#[test]
fn a_window_is_searched_for_its_own_table_and_an_undivided_device_is_not() {
    let disk = disk();
    disk.load(Bytes(MIB), &mbr(&[(0, 0x83, 16, 32)]));
    let window = device(&disk).window(Bytes(MIB), Bytes(MIB)).unwrap();
    assert_eq!(extents(&search(&window)), [(2064, 32)]);
    assert_eq!(windows(&window.undivided()).unwrap().len(), 1);
}

proptest! {
    #![proptest_config(crate::testing::property(2048))]

    #[test]
    fn no_table_names_a_window_outside_of_the_device(
        entries in proptest::collection::vec((prop_oneof![Just(0u8), Just(0x80)], any::<u8>(), any::<u32>(), any::<u32>()), 4),
        chain in proptest::collection::vec((0u32..40, 0u32..50, 0u32..40), 40),
        size in 0u64..40_000,
    ) {
        let disk = SimDisk::new(Bytes(size));
        disk.load(Bytes::ZERO, &mbr(&entries));
        for (sector, (first, count, next)) in (2u64..).zip(&chain) {
            disk.load(Bytes(sector * 512), &mbr(&[(0, 0x83, *first, *count), (0, 5, *next, 1)]));
        }
        for window in search(&device(&disk)).windows {
            prop_assert!(window.offset().0 + window.size().0 <= size);
        }
    }

    #[test]
    fn no_gpt_names_a_window_outside_of_the_device(
        ends in proptest::collection::vec((0u64..70_000_000, any::<u64>()), 0..64), lost in 0u64..64 * MIB,
    ) {
        let disk = disk();
        Gpt::USUAL.write(&disk, &ends);
        disk.end_reads_at(Bytes(lost));
        for window in search(&device(&disk)).windows {
            prop_assert!(window.offset().0 + window.size().0 <= 64 * MIB);
        }
    }
}
