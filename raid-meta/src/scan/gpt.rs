//! The GUID partition table: a header in logical sector 1, a table of entries that it points to, and a
//! second header in the last sector with a table of its own.
//!
//! A header is believed when its checksum matches and it names the sector that it was read from; its
//! entries when theirs does. Where the first fails, the second serves. An image of a 4Kn disk does not say
//! so: both sector sizes are tried, the device's first, and the checksum decides. Source: UEFI 2.10, 5.3.

use super::{Extent, Search, u32_at, u64_at};
use crate::device::{Device, DeviceError, ReadAt};
use crate::units::{Bytes, SectorSize};
use crc::{CRC_32_ISO_HDLC, Crc};

const SIGNATURE: &[u8] = b"EFI PART";
/// The part of the header that has a meaning; it may be longer, up to a sector.
const HEADER_BYTES: u32 = 92;
const HEADER_CHECKSUM: std::ops::Range<usize> = 16..20;
/// Smallest entry; larger ones are this times a power of two.
const ENTRY_BYTES: u32 = 128;
/// Largest entry that is read: the standard sets no limit, disks have 128.
const MAX_ENTRY_BYTES: u32 = 4096;
/// Largest table that is read: 64 times the usual 16 KiB.
const MAX_TABLE_BYTES: u64 = 1 << 20;

/// Sixteen bytes at a time: the entries are 16 KiB on every disk.
static CRC32: Crc<u32, crc::Table<16>> = Crc::<u32, crc::Table<16>>::new(&CRC_32_ISO_HDLC);

/// What is at a place where a header could be.
enum Decoded<T> {
    NotOurs,
    /// What is wrong, and the sector of the other header where this one still says it.
    Damaged(String, Option<u64>),
    Sound(T),
}

struct Header {
    alternate: u64,
    table: u64,
    count: u32,
    entry_bytes: u32,
    table_checksum: u32,
}

/// The entries of a table.
struct Table {
    unit: SectorSize,
    entry_bytes: u32,
    bytes: Vec<u8>,
}

/// Adds the partitions of a GPT; whether there is one that can be used. Where the MBR is `protective`, a
/// missing first header is a damaged one.
pub(super) fn search(device: &Device, protective: bool, found: &mut Search) -> bool {
    let mut damage = protective.then(|| "no header in sector 1".to_owned());
    let mut copies = Vec::new();
    for unit in units(device) {
        match read_table(device, 1, unit, found) {
            Decoded::NotOurs => {}
            Decoded::Damaged(message, alternate) => {
                damage = Some(message);
                copies.extend(alternate.map(|sector| (sector, unit)));
            }
            Decoded::Sound(table) => {
                table.add_to(device, found);
                return true;
            }
        }
    }
    let Some(damage) = damage else { return false };
    copies.extend(units(device).map(|unit| ((device.size().0 / unit.bytes().0).saturating_sub(1), unit)));
    for (sector, unit) in copies {
        if let Decoded::Sound(table) = read_table(device, sector, unit, found) {
            found.warn(device, "gpt-damaged", format!("GPT: {damage}; the copy at sector {sector} is used"));
            table.add_to(device, found);
            return true;
        }
    }
    found.warn(device, "gpt-damaged", format!("GPT: {damage}; no sound copy at the end"));
    false
}

/// The sector sizes to try, the device's own first.
fn units(device: &Device) -> [SectorSize; 2] {
    match device.sector_size() {
        SectorSize::B512 => [SectorSize::B512, SectorSize::B4096],
        own => [own, SectorSize::B512],
    }
}

/// The table whose header is in `sector`. A read that fails is damage like any other, and reported.
fn read_table(device: &Device, sector: u64, unit: SectorSize, found: &mut Search) -> Decoded<Table> {
    let table = || match read_header(device, sector, unit)? {
        Decoded::NotOurs => Ok(Decoded::NotOurs),
        Decoded::Damaged(message, alternate) => Ok(Decoded::Damaged(message, alternate)),
        Decoded::Sound(header) => Ok(match read_entries(device, &header, unit)? {
            Ok(bytes) => Decoded::Sound(Table { unit, entry_bytes: header.entry_bytes, bytes }),
            Err(message) => Decoded::Damaged(message, Some(header.alternate)),
        }),
    };
    table().unwrap_or_else(|error: DeviceError| {
        let message = format!("header in sector {sector}: {}", error.error);
        found.errors.push(error);
        Decoded::Damaged(message, None)
    })
}

/// The signature first: where it is not, a sector of 4 KiB is not worth reading.
fn read_header(device: &Device, sector: u64, unit: SectorSize) -> Result<Decoded<Header>, DeviceError> {
    let offset = Extent::from_blocks(sector, 1, unit).offset;
    let read = |length: u64| if sector == 0 { Ok(None) } else { read_whole(device, offset, length) };
    if read(SIGNATURE.len() as u64)?.as_deref() != Some(SIGNATURE) {
        return Ok(Decoded::NotOurs);
    }
    Ok(read(unit.bytes().0)?.map_or(Decoded::NotOurs, |bytes| decode_header(&bytes, sector)))
}

fn decode_header(bytes: &[u8], sector: u64) -> Decoded<Header> {
    if !bytes.starts_with(SIGNATURE) {
        return Decoded::NotOurs;
    }
    let header = || {
        let header_bytes = u32_at(bytes, 12)?;
        let covered = bytes.get(..usize::try_from(header_bytes).ok()?)?;
        let (stored, own) = (u32_at(bytes, HEADER_CHECKSUM.start)?, u64_at(bytes, 24)?);
        let header = Header {
            alternate: u64_at(bytes, 32)?,
            table: u64_at(bytes, 72)?,
            count: u32_at(bytes, 80)?,
            entry_bytes: u32_at(bytes, 84)?,
            table_checksum: u32_at(bytes, 88)?,
        };
        (header_bytes >= HEADER_BYTES).then_some((header, covered, stored, own))
    };
    let Some((header, covered, stored, own)) = header() else {
        return Decoded::Damaged(format!("header in sector {sector}: impossible length"), None);
    };
    let computed = header_checksum(covered);
    if stored != computed {
        let message =
            format!("header in sector {sector}: checksum is {stored:#010x}, computed {computed:#010x}");
        return Decoded::Damaged(message, None);
    }
    if own != sector {
        return Decoded::Damaged(format!("header in sector {sector}: says that it is in sector {own}"), None);
    }
    Decoded::Sound(header)
}

/// The checksum of a header, its own field taken as zero.
fn header_checksum(covered: &[u8]) -> u32 {
    let mut digest = CRC32.digest();
    digest.update(covered.get(..HEADER_CHECKSUM.start).unwrap_or_default());
    digest.update(&[0; 4]);
    digest.update(covered.get(HEADER_CHECKSUM.end..).unwrap_or_default());
    digest.finalize()
}

/// The bytes of the entries, or what is wrong with them.
fn read_entries(
    device: &Device,
    header: &Header,
    unit: SectorSize,
) -> Result<Result<Vec<u8>, String>, DeviceError> {
    let Header { count, entry_bytes, table, .. } = *header;
    let length = u64::from(count).saturating_mul(entry_bytes.into());
    let usual = (entry_bytes / ENTRY_BYTES).is_power_of_two() && entry_bytes.is_multiple_of(ENTRY_BYTES);
    if !usual || entry_bytes > MAX_ENTRY_BYTES || length > MAX_TABLE_BYTES {
        return Ok(Err(format!(
            "{count} entries of {entry_bytes} bytes, expected at most {MAX_TABLE_BYTES} in all"
        )));
    }
    let offset = Extent::from_blocks(table, 1, unit).offset;
    let Some(entries) = read_whole(device, offset, length)? else {
        return Ok(Err(format!("its entries at sector {table} are past the end of the device")));
    };
    let computed = CRC32.checksum(&entries);
    if computed != header.table_checksum {
        let stored = header.table_checksum;
        return Ok(Err(format!(
            "entries at sector {table}: checksum is {stored:#010x}, computed {computed:#010x}"
        )));
    }
    Ok(Ok(entries))
}

fn read_whole(device: &Device, offset: Bytes, length: u64) -> Result<Option<Vec<u8>>, DeviceError> {
    usize::try_from(length).map_or(Ok(None), |length| device.read(offset, length))
}

impl Table {
    fn add_to(&self, device: &Device, found: &mut Search) {
        let entry_bytes = usize::try_from(self.entry_bytes).unwrap_or_default().max(1);
        for (number, entry) in (1u32..).zip(self.bytes.chunks_exact(entry_bytes)) {
            let in_use = entry.iter().take(16).any(|&byte| byte != 0);
            let (Some(first), Some(last)) = (u64_at(entry, 32), u64_at(entry, 40)) else { continue };
            if in_use {
                let count = last.checked_sub(first).map_or(0, |more| more.saturating_add(1));
                let extent = Extent::from_blocks(first, count, self.unit);
                found.add(device, number, extent, format_args!("GPT partition {number}"));
            }
        }
    }
}
