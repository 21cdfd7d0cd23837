//! Partitions: of an array as devices of their own, and of its members out of sight.

use crate::target::{Device as DmDevice, Line, Target};
use nix::libc;
use raid_meta::device::{Device, FileDisk, OpenError, ReadAt};
use raid_meta::record::{Problem, TableRecord, TableRole, V1};
use raid_meta::scan;
use raid_meta::units::{SECTOR_BYTES, Sectors};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why the partitions of an array can not be known.
#[derive(Debug, thiserror::Error)]
pub enum PartitionError {
    /// It can not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its tables can not be read.
    #[error(transparent)]
    Read(#[from] raid_meta::device::DeviceError),
}

/// The tables of the partitions of an active array, named and identified as kpartx does: `NAMEp1` where the name ends in a
/// digit, else `NAME1`, with the uuid `part1-UUID`. What is wrong with the partition tables comes with them.
///
/// # Errors
/// The array can not be read.
pub fn partition_tables(array: &TableRecord) -> Result<(Vec<TableRecord>, Vec<Problem>), PartitionError> {
    let path = PathBuf::from(DmDevice::mapped_path(&array.name));
    let disk: Arc<dyn ReadAt> = Arc::new(FileDisk::open(&path, None)?);
    let found = scan::search(&Device::whole(&path, disk));
    if let Some(error) = found.errors.into_iter().next() {
        return Err(error.into());
    }
    let table = |(number, window): (u32, Device)| table(array, number, &window);
    Ok((found.partitions.into_iter().map(table).collect(), found.problems))
}

fn table(array: &TableRecord, number: u32, window: &Device) -> TableRecord {
    let joint = if array.name.ends_with(|last: char| last.is_ascii_digit()) { "p" } else { "" };
    let line = Line {
        start: Sectors::ZERO,
        length: window.length_sectors(),
        target: Target::linear(DmDevice::mapped(&array.name), Sectors(window.offset().0 / SECTOR_BYTES)),
    };
    TableRecord {
        v: V1,
        name: format!("{}{joint}{number}", array.name),
        uuid: format!("part{number}-{}", array.uuid),
        array: array.array.clone(),
        role: TableRole::Partition,
        depends: vec![array.name.clone()],
        read_only: array.read_only,
        lines: vec![line.into()],
    }
}

/// `struct blkpg_partition` of linux/blkpg.h.
#[repr(C)]
struct BlkpgPartition {
    start: libc::c_longlong,
    length: libc::c_longlong,
    number: libc::c_int,
    device_name: [u8; 64],
    volume_name: [u8; 64],
}

/// `struct blkpg_ioctl_arg`.
#[repr(C)]
struct BlkpgArgument {
    operation: libc::c_int,
    flags: libc::c_int,
    data_length: libc::c_int,
    data: *mut BlkpgPartition,
}

const BLKPG_DEL_PARTITION: libc::c_int = 2;
/// Partitions of a disk that are asked for: what the kernel numbers at most.
const MAX_PARTITIONS: libc::c_int = 256;

nix::ioctl_write_ptr_bad!(blkpg, nix::request_code_none!(0x12, 105), BlkpgArgument);

/// Takes the partitions that the kernel found on a member away: they are pieces of the array. How many there were.
///
/// # Errors
/// One is in use, or the disk can not be opened.
pub fn hide_partitions(disk: &Path) -> io::Result<u32> {
    let file = File::open(disk)?;
    let mut hidden = 0;
    for number in 1..=MAX_PARTITIONS {
        let mut partition =
            BlkpgPartition { start: 0, length: 0, number, device_name: [0; 64], volume_name: [0; 64] };
        let argument = BlkpgArgument {
            operation: BLKPG_DEL_PARTITION,
            flags: 0,
            data_length: libc::c_int::try_from(size_of::<BlkpgPartition>()).unwrap_or_default(),
            data: &raw mut partition,
        };
        #[allow(unsafe_code, reason = "an ioctl; both structures live until it returns")]
        // SAFETY: the argument is laid out as the kernel reads it, and points to a partition that outlives the call.
        let deleted = unsafe { blkpg(file.as_raw_fd(), &raw const argument) };
        match deleted {
            Ok(_) => hidden += 1,
            Err(nix::errno::Errno::ENXIO) => {}
            // Not a disk that has partitions.
            Err(nix::errno::Errno::EINVAL | nix::errno::Errno::ENOTTY) if hidden == 0 => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(hidden)
}
