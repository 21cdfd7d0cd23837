//! The sector.

use crate::disk_struct;
use crate::escape::escape;
use crate::format::schema::{DiskStruct, Endian};
use crate::model::Area;
use crate::record::ChecksumState;
use crate::units::{Bytes, SECTOR_LENGTH, Sectors};

const LE: Endian = Endian::Little;

/// Of a disk that takes part.
pub(super) const MAGIC_OK: u32 = 0x5a78_16f0;
/// Of a disk that has failed.
pub(super) const MAGIC_BAD: u32 = 0x5a78_16fd;
/// Where it is in the sector.
pub(super) const MAGIC: usize = 0x20;
/// What `rebuild_lba` is when there is nothing to rebuild.
pub(super) const REBUILT: u32 = 0x7fff_ffff;

disk_struct! {
    /// The set, and which of its disks this one is.
    pub(super) struct Head {
        filler: [u8; 32],
        /// [`MAGIC_OK`] or [`MAGIC_BAD`].
        magic: u32 as hex,
        /// Stamp of the set, or of one half of a raid10; zero for a spare.
        magic_0: u32 as hex,
        /// Stamp of both halves of a raid10.
        magic_1: u32 as hex,
        order: u32 as hex,
        /// In one half of a raid10.
        raid_disks: u8,
        /// The chunk is so many times doubled.
        raid0_shift: u8,
        raid_type: u8,
        disk_number: u8,
        total_secs: u32,
        disk_mode: u32 as hex,
        boot_mode: u32 as hex,
        boot_disk: u8 as hex,
        boot_protect: u8 as hex,
        /// How many entries of the log are used.
        error_log_entries: u8,
        error_log_index: u8,
    }
}

disk_struct! {
    /// What went wrong with a disk.
    pub(super) struct LogEntry {
        timestamp: u32,
        reason: u8 as hex,
        disk: u8,
        status: u8 as hex,
        sectors: u8,
        lba: u32,
    }
}

disk_struct! {
    /// Rebuild, and names.
    pub(super) struct Tail {
        unknown_0: [u8; 16],
        rebuild_lba: u32,
        unknown_1: [u8; 1],
        name_1: [u8; 15] as text,
        unknown_2: [u8; 1],
        name_2: [u8; 15] as text,
        unknown_3: [u8; 8],
    }
}

/// Entries of the log.
pub(super) const LOG_ENTRIES: usize = 32;
/// Where the log begins, and what follows it.
pub(super) const LOG: usize = Head::SIZE;
pub(super) const TAIL: usize = LOG + LOG_ENTRIES * LogEntry::SIZE;

const _: () = assert!(TAIL + Tail::SIZE == SECTOR_LENGTH);

/// The sector at its place, on a disk of that size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sector {
    pub(super) offset: Bytes,
    pub(super) disk: Sectors,
    pub(super) head: Head,
    pub(super) log: Vec<LogEntry>,
    pub(super) tail: Tail,
}

impl Sector {
    /// Decodes the sector; none when the signature is not there.
    pub(super) fn decode(bytes: &[u8], offset: Bytes, disk: Sectors) -> Option<Self> {
        let head = Head::decode(bytes, LE)?;
        if !matches!(head.magic, MAGIC_OK | MAGIC_BAD) {
            return None;
        }
        let log = bytes.get(LOG..TAIL)?.chunks_exact(LogEntry::SIZE);
        Some(Self {
            offset,
            disk,
            head,
            log: log.map(|entry| LogEntry::decode(entry, LE)).collect::<Option<_>>()?,
            tail: Tail::decode(bytes.get(TAIL..)?, LE)?,
        })
    }

    /// Its bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.head.encode(LE);
        bytes.extend(self.log.iter().flat_map(|entry| entry.encode(LE)));
        bytes.extend(self.tail.encode(LE));
        bytes
    }

    pub(super) fn area(&self) -> Area {
        let checksum = ChecksumState::Absent;
        Area { role: "superblock", offset: self.offset, bytes: self.encode(), checksum }
    }

    /// The name that the user gave the set, escaped.
    pub(super) fn name(&self) -> Option<String> {
        let name = self.tail.name_1.split(|&byte| byte == 0).next().unwrap_or_default();
        (!name.is_empty()).then(|| escape(name))
    }

    /// A spare belongs to no set.
    pub(super) fn is_spare(&self) -> bool {
        self.head.magic_0 == 0
    }

    /// How far a rebuild is, where one is recorded. Software writes zero where the firmware writes [`REBUILT`].
    pub(super) fn rebuilding(&self) -> Option<Sectors> {
        let position = self.tail.rebuild_lba;
        (position != 0 && position != REBUILT).then_some(Sectors(u64::from(position)))
    }
}
