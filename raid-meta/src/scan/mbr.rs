//! The MBR partition table: four entries in sector 0, and a chain of further tables (EBR) inside each
//! extended partition.
//!
//! The same two signature bytes end the boot sector of a file system, so a table is one only when every
//! entry's boot flag is 0x00 or 0x80, and no NTFS or exFAT name is where boot code begins. Positions are in
//! logical sectors: of an EBR's data relative to that EBR, of the next EBR relative to the extended
//! partition. Source: UEFI 2.10, 5.2.1, for the entry; the chain as Linux' `block/partitions/msdos.c`
//! follows it.

use super::{Extent, Search, u32_at};
use crate::device::{Device, DeviceError, ReadAt};
use crate::units::Bytes;
use std::collections::BTreeSet;

/// Bytes of a table with its signature.
const TABLE_BYTES: usize = 512;
const SIGNATURE: [u8; 2] = [0x55, 0xaa];
const ENTRIES_OFFSET: usize = 446;
const ENTRY_BYTES: usize = 16;
/// Tables followed in one extended partition.
/// Number of the first logical partition, whether there are four others or not.
const FIRST_LOGICAL: u32 = 5;
const MAX_CHAIN: usize = 128;

const TYPE_PROTECTIVE: u8 = 0xee;
/// DOS, Windows (LBA) and Linux extended partitions.
const TYPES_EXTENDED: [u8; 3] = [0x05, 0x0f, 0x85];

/// One entry of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    kind: u8,
    first: u32,
    count: u32,
}

impl Entry {
    fn decode(bytes: &[u8]) -> Option<Self> {
        let &flag = bytes.first()?;
        let &kind = bytes.get(4)?;
        let entry = Self { kind, first: u32_at(bytes, 8)?, count: u32_at(bytes, 12)? };
        matches!(flag, 0x00 | 0x80).then_some(entry)
    }

    /// Whether the entry announces a GPT.
    pub(super) fn is_protective(&self) -> bool {
        self.kind == TYPE_PROTECTIVE
    }

    /// Whether the entry describes a partition, of any type but the protective one.
    pub(super) fn is_used(&self) -> bool {
        self.kind != 0 && !self.is_protective() && self.count > 0
    }

    fn is_extended(&self) -> bool {
        TYPES_EXTENDED.contains(&self.kind)
    }
}

/// The four entries of a sector; none when it is no partition table.
pub(super) fn decode(sector: &[u8]) -> Option<[Entry; 4]> {
    let sector = sector.get(..TABLE_BYTES)?;
    let is_file_system = matches!(sector.get(3..11)?, b"NTFS    " | b"EXFAT   ");
    if is_file_system || !sector.ends_with(&SIGNATURE) {
        return None;
    }
    let mut entries = sector.get(ENTRIES_OFFSET..)?.chunks_exact(ENTRY_BYTES).map(Entry::decode);
    let mut next = || entries.next().flatten();
    Some([next()?, next()?, next()?, next()?])
}

/// Adds the primary partitions, then the logical ones.
pub(super) fn search(device: &Device, table: &[Entry; 4], found: &mut Search) -> Result<(), DeviceError> {
    let unit = device.sector_size();
    for (number, entry) in (1u32..).zip(table) {
        if entry.is_used() && !entry.is_extended() {
            let extent = Extent::from_blocks(entry.first.into(), entry.count.into(), unit);
            found.add(device, number, extent, format_args!("MBR partition {number}"));
        }
    }
    let mut number = FIRST_LOGICAL;
    table
        .iter()
        .filter(|entry| entry.is_used() && entry.is_extended())
        .try_for_each(|extended| follow_chain(device, extended.first.into(), &mut number, found))
}

/// Adds the logical partitions of an extended one that begins at sector `extended`.
fn follow_chain(
    device: &Device,
    extended: u64,
    number: &mut u32,
    found: &mut Search,
) -> Result<(), DeviceError> {
    let unit = device.sector_size();
    let mut seen = BTreeSet::new();
    let mut next = Some(0);
    while let Some(relative) = next.take() {
        let at = extended.saturating_add(relative);
        if seen.len() >= MAX_CHAIN || !seen.insert(at) {
            found.warn(
                device,
                "mbr-chain",
                format!("extended partition at sector {extended}: its chain does not end"),
            );
            break;
        }
        let Some(table) = read_table(device, Extent::from_blocks(at, 1, unit).offset)? else {
            found.warn(
                device,
                "mbr-chain",
                format!("extended partition at sector {extended}: no table at sector {at}"),
            );
            break;
        };
        for entry in table.iter().filter(|entry| entry.is_used()) {
            if entry.is_extended() {
                next.get_or_insert(u64::from(entry.first));
            } else {
                let first = at.saturating_add(entry.first.into());
                let extent = Extent::from_blocks(first, entry.count.into(), unit);
                let what = format_args!("MBR logical partition of the table at sector {at}");
                found.add(device, *number, extent, what);
                *number = number.saturating_add(1);
            }
        }
    }
    Ok(())
}

fn read_table(device: &Device, offset: Bytes) -> Result<Option<[Entry; 4]>, DeviceError> {
    Ok(device.read(offset, TABLE_BYTES)?.and_then(|sector| decode(&sector)))
}
