use super::*;
use proptest::prelude::*;

const SIZE: Bytes = Bytes(64 * 1024);

fn read(disk: &SimDisk, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0xee; length];
    let read = disk.read_at(Bytes(offset), &mut buffer)?;
    buffer.truncate(read);
    Ok(buffer)
}

fn errno(result: io::Result<impl std::fmt::Debug>) -> Option<i32> {
    result.unwrap_err().raw_os_error()
}

#[test]
fn what_is_written_is_read_back_and_the_rest_is_zero() {
    let disk = SimDisk::new(SIZE);
    disk.write_at(Bytes(4090), b"across a block").unwrap();
    assert_eq!(read(&disk, 4088, 18).unwrap(), b"\0\0across a block\0\0");
    assert_eq!(read(&disk, SIZE.0 - 2, 8).unwrap(), [0; 2], "the end of the disk shortens a read");
    assert_eq!(errno(disk.write_at(Bytes(SIZE.0 - 2), b"xyz")), Some(Errno::ENOSPC as i32));
}

#[test]
fn a_disk_of_many_tebibytes_is_as_good_as_a_small_one() {
    let disk = SimDisk::new(Bytes(1 << 50));
    let last = (1 << 50) - 3;
    disk.write_at(Bytes(last), b"end").unwrap();
    assert_eq!(read(&disk, last, 3).unwrap(), b"end");
}

#[test]
fn bad_sectors_fail_where_they_are_touched_and_nowhere_else() {
    let disk = SimDisk::new(SIZE);
    disk.fail_reads(Bytes(512)..Bytes(1024));
    disk.fail_writes(Bytes(2048)..Bytes(2560));
    assert!(read(&disk, 0, 512).is_ok());
    assert!(read(&disk, 1024, 512).is_ok());
    assert_eq!(errno(read(&disk, 511, 2)), Some(Errno::EIO as i32));
    assert_eq!(errno(disk.write_at(Bytes(1024), &[7; 2048])), Some(Errno::EIO as i32));
    assert_eq!(
        disk.peek(Bytes(2040), 12),
        [7, 7, 7, 7, 7, 7, 7, 7, 0, 0, 0, 0],
        "written up to the bad sector"
    );
    disk.heal();
    assert!(read(&disk, 511, 2).is_ok());
}

#[test]
fn a_disk_cut_short_ends_reads_but_not_its_size() {
    let disk = SimDisk::new(SIZE);
    disk.end_reads_at(Bytes(1000));
    assert_eq!(read(&disk, 990, 100).unwrap().len(), 10);
    assert_eq!(read(&disk, 2000, 100).unwrap().len(), 0);
    assert_eq!(disk.size(), SIZE);
}

#[test]
fn a_direct_4kn_disk_refuses_what_is_not_in_whole_sectors() {
    let disk = SimDisk::new(SIZE).with_sector_size(SectorSize::B4096).direct();
    assert_eq!(errno(read(&disk, 512, 4096)), Some(Errno::EINVAL as i32));
    assert_eq!(errno(read(&disk, 4096, 512)), Some(Errno::EINVAL as i32));
    assert_eq!(errno(disk.write_at(Bytes(4096), &[0; 512])), Some(Errno::EINVAL as i32));
    assert!(read(&disk, 4096, 4096).is_ok());
}

#[test]
fn the_log_holds_every_write_and_flush_in_order() {
    let disk = SimDisk::new(SIZE);
    disk.write_at(Bytes(1), b"a").unwrap();
    disk.flush().unwrap();
    disk.write_at(Bytes(2), b"b").unwrap();
    let write = |offset, bytes: &[u8]| WriteEvent::Write { offset: Bytes(offset), bytes: bytes.into() };
    assert_eq!(disk.take_log(), [write(1, b"a"), WriteEvent::Flush, write(2, b"b")]);
    assert_eq!(disk.log(), []);
}

#[test]
fn after_the_stop_nothing_is_written_on_any_disk_of_the_machine() {
    let power = SimPower::new();
    let (first, second) = (SimDisk::new(SIZE).on(&power), SimDisk::new(SIZE).on(&power));
    power.stop_after(2);
    first.write_at(Bytes(0), b"1").unwrap();
    second.write_at(Bytes(0), b"2").unwrap();
    assert!(first.flush().is_err());
    assert!(first.write_at(Bytes(0), b"3").is_err());
    assert!(second.write_at(Bytes(0), b"4").is_err());
    assert_eq!((first.peek(Bytes(0), 1), second.peek(Bytes(0), 1)), (b"1".to_vec(), b"2".to_vec()));
    assert_eq!(read(&first, 0, 1).unwrap(), b"1", "reads go on");
    power.restore();
    assert!(first.write_at(Bytes(0), b"5").is_ok());
}

#[test]
fn a_torn_write_leaves_its_first_bytes() {
    let disk = SimDisk::new(SIZE);
    disk.power().tear_after(1, Bytes(512));
    disk.write_at(Bytes(0), &[1; 1024]).unwrap();
    assert!(disk.write_at(Bytes(0), &[2; 1024]).is_err());
    assert_eq!(disk.peek(Bytes(510), 4), [2, 2, 1, 1]);
}

#[test]
fn one_call_fails_with_the_error_ordered_and_the_next_succeeds() {
    let disk = SimDisk::new(SIZE);
    disk.power().fail_call(2, Errno::ENOMEM);
    disk.write_at(Bytes(0), b"x").unwrap();
    read(&disk, 0, 1).unwrap();
    assert_eq!(errno(disk.flush()), Some(Errno::ENOMEM as i32));
    disk.flush().unwrap();
    assert_eq!(disk.power().calls(), 4);
}

#[test]
fn a_power_cut_keeps_what_was_flushed_and_of_the_rest_what_is_ordered() {
    let disk = SimDisk::new(SIZE);
    disk.write_at(Bytes(0), &[1; 512]).unwrap();
    disk.flush().unwrap();
    disk.write_at(Bytes(0), &[2; 512]).unwrap();
    disk.write_at(Bytes(512), &[3; 512]).unwrap();
    let after = |cut| disk.power_cut(cut).peek(Bytes(511), 2);
    assert_eq!(after(PowerCut::LosesAll), [1, 0]);
    assert_eq!(after(PowerCut::KeepsFirst(1)), [2, 0]);
    assert_eq!(after(PowerCut::LosesNothing), [2, 3]);
    let outcomes: std::collections::BTreeSet<_> =
        (0..64).map(|seed| after(PowerCut::KeepsSome { seed })).collect();
    assert_eq!(outcomes.len(), 4, "each of the two writes is kept or lost: {outcomes:?}");
    disk.power_cut(PowerCut::LosesAll).write_at(Bytes(0), &[9; 512]).unwrap();
    assert_eq!(disk.peek(Bytes(0), 1), [2], "the copy is another disk");
}

proptest! {
    #![proptest_config(crate::testing::property(2048))]

    #[test]
    fn a_power_cut_never_splits_a_sector_nor_invents_bytes(
        writes in proptest::collection::vec((0u64..3000, 1usize..2000), 1..6), seed: u64,
    ) {
        let disk = SimDisk::new(Bytes(8192));
        for (number, (offset, length)) in (1u8..).zip(&writes) {
            disk.write_at(Bytes(*offset), &vec![number; *length]).unwrap();
        }
        let after = disk.power_cut(PowerCut::KeepsSome { seed }).peek(Bytes(0), 8192);
        let touches = |offset: u64, length: usize, at: u64| offset <= at && at < offset + length as u64;
        for (at, &byte) in (0u64..).zip(&after) {
            let possible = byte == 0
                || writes.get(usize::from(byte) - 1).is_some_and(|(offset, length)| touches(*offset, *length, at));
            prop_assert!(possible, "byte {at} is {byte}");
        }
        if let [(offset, length)] = writes.as_slice() {
            for sector in 0..8192 / 512 {
                let start = sector * 512;
                let written: Vec<u8> = (start..start + 512)
                    .filter(|at| touches(*offset, *length, *at))
                    .map(|at| after[usize::try_from(at).unwrap()])
                    .collect();
                prop_assert!(written.windows(2).all(|pair| pair[0] == pair[1]), "sector {sector} is split");
            }
        }
    }

    #[test]
    fn the_sparse_store_reads_as_a_plain_buffer_does(
        writes in proptest::collection::vec((0usize..20_000, proptest::collection::vec(any::<u8>(), 1..6000)), 0..8),
        start in 0usize..24_000, length in 0usize..10_000,
    ) {
        let disk = SimDisk::new(Bytes(30_000));
        let mut plain = vec![0; 30_000];
        for (offset, bytes) in &writes {
            disk.write_at(Bytes(*offset as u64), bytes).unwrap();
            plain[*offset..offset + bytes.len()].copy_from_slice(bytes);
        }
        let end = (start + length).min(plain.len());
        prop_assert_eq!(&read(&disk, start as u64, length).unwrap(), &plain[start..end]);
    }
}
