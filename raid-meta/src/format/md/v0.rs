//! Superblock 0.90: 4096 bytes, 1024 words in the byte order of the host that wrote it.
//!
//! The 64-bit counters are declared as such: their halves are in the order that makes them one number in the
//! byte order of the host. A superblock in big-endian order has the same values and the same checksum; it
//! differs from its little-endian twin in `family` of the view, so that the two are never mixed.

use super::checksum::{fold16, folded_sum};
use super::facts::{DeviceRole, Facts, NONE, Reshape, Shape};
use super::place::{MAGIC, Place, SUPERBLOCK_BYTES};
use super::words;
use crate::disk_struct;
use crate::format::Decoded;
use crate::format::schema::{DiskStruct, Endian};
use crate::record::{ChecksumState, Problem};
use crate::units::Sectors;

/// Descriptors in the table, which is also the most devices that an array can have.
pub(super) const MAX_DEVICES: u32 = 27;
/// `minor_version` while a reshape is recorded.
pub(super) const RESHAPE_MINOR: u32 = 91;
/// Offset of `this_disk`.
pub(super) const THIS_DISK_AT: usize = 0xf80;
/// Offset of `sb_csum`.
pub(super) const CHECKSUM_AT: usize = 0x98;

/// Bits of `state`.
pub(super) mod state {
    /// Redundancy is in step.
    pub(crate) const CLEAN: u32 = 1;
    /// There is a write-intent bitmap.
    pub(crate) const BITMAP: u32 = 1 << 8;
    /// All bits, in words.
    pub(crate) const NAMES: [(u32, &str); 7] = [
        (CLEAN, "clean"),
        (1 << 1, "errors"),
        (1 << 2, "bbm errors"),
        (1 << 3, "block container reshape"),
        (1 << 4, "block volume"),
        (1 << 5, "clustered"),
        (BITMAP, "bitmap"),
    ];
}

/// Bits of a descriptor's `state`.
pub(super) mod disk_state {
    /// Failed.
    pub(crate) const FAULTY: u32 = 1;
    /// Has a slot.
    pub(crate) const ACTIVE: u32 = 1 << 1;
    /// Its data is current.
    pub(crate) const SYNC: u32 = 1 << 2;
    /// Not there any more.
    pub(crate) const REMOVED: u32 = 1 << 3;
    /// Holds the write journal.
    pub(crate) const JOURNAL: u32 = 1 << 18;
    /// All bits, in words.
    pub(crate) const NAMES: [(u32, &str); 10] = [
        (FAULTY, "faulty"),
        (ACTIVE, "active"),
        (SYNC, "in sync"),
        (REMOVED, "removed"),
        (1 << 4, "cluster add"),
        (1 << 5, "candidate"),
        (1 << 9, "write-mostly"),
        (1 << 10, "failfast"),
        (1 << 17, "replacement"),
        (JOURNAL, "journal"),
    ];
}

disk_struct! {
    /// The part of the superblock before the descriptors.
    pub(super) struct Head {
        magic: u32 as hex,
        major_version: u32,
        minor_version: u32,
        patch_version: u32,
        gvalid_words: u32,
        set_uuid0: u32 as hex,
        ctime: u32,
        level: i32,
        size: u32,
        nr_disks: u32,
        raid_disks: u32,
        md_minor: u32,
        not_persistent: u32,
        set_uuid1: u32 as hex,
        set_uuid2: u32 as hex,
        set_uuid3: u32 as hex,
        reserved_constant: [u8; 64],
        utime: u32,
        state: u32 as hex,
        active_disks: u32,
        working_disks: u32,
        failed_disks: u32,
        spare_disks: u32,
        sb_csum: u32 as hex,
        events: u64,
        cp_events: u64,
        recovery_cp: u32,
        reshape_position: u64,
        new_level: i32,
        delta_disks: i32,
        new_layout: u32,
        new_chunk: u32,
        logical_block_size: u32,
        reserved_state: [u8; 52],
        layout: u32,
        chunk_size: u32,
        root_pv: u32,
        root_block: u32,
        reserved_personality: [u8; 240],
    }
}

disk_struct! {
    /// One device of the array.
    pub(super) struct Descriptor {
        number: u32,
        major: u32,
        minor: u32,
        raid_disk: u32,
        state: u32 as hex,
        reserved: [u8; 108],
    }
}

/// A superblock 0.90.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct V0 {
    /// Byte order.
    pub(super) endian: Endian,
    /// The part before the descriptors.
    pub(super) head: Head,
    /// The descriptors, 27.
    pub(super) disks: Vec<Descriptor>,
    /// The descriptor of the device that carries the superblock.
    pub(super) this_disk: Descriptor,
    /// Sector of the superblock: where the data ends.
    pub(super) sector: Sectors,
}

impl V0 {
    /// Decodes what is at a place. `bytes` are those from there on, up to 4096.
    pub(super) fn decode(bytes: &[u8], place: &Place) -> Decoded<Self> {
        let endian = match bytes.get(..4) {
            Some(magic) if magic == MAGIC.to_le_bytes() => Endian::Little,
            Some(magic) if magic == MAGIC.to_be_bytes() => Endian::Big,
            _ => return Decoded::NotOurs,
        };
        let Some(superblock) = Self::parse(bytes, endian, place.sector) else {
            let message = format!("superblock ends after {} bytes, expected {SUPERBLOCK_BYTES}", bytes.len());
            return Decoded::Damaged(None, vec![Problem::error("truncated", message)]);
        };
        // The place of a superblock 1.0 of a partition can be here by chance.
        if superblock.head.major_version == 1 {
            return Decoded::NotOurs;
        }
        let problems = superblock.problems();
        if problems.is_empty() {
            Decoded::Sound(superblock)
        } else {
            Decoded::Damaged(Some(superblock), problems)
        }
    }

    fn parse(bytes: &[u8], endian: Endian, sector: Sectors) -> Option<Self> {
        let table = bytes.get(Head::SIZE..THIS_DISK_AT)?;
        let disks: Option<Vec<Descriptor>> =
            table.chunks_exact(Descriptor::SIZE).map(|disk| Descriptor::decode(disk, endian)).collect();
        Some(Self {
            endian,
            head: Head::decode(bytes, endian)?,
            disks: disks?,
            this_disk: Descriptor::decode(bytes.get(THIS_DISK_AT..)?, endian)?,
            sector,
        })
    }

    /// The bytes that it was decoded from.
    pub(super) fn encode(&self) -> Vec<u8> {
        self.encode_as(self.endian)
    }

    fn encode_as(&self, endian: Endian) -> Vec<u8> {
        let mut bytes = self.head.encode(endian);
        for disk in &self.disks {
            bytes.extend(disk.encode(endian));
        }
        bytes.extend(self.this_disk.encode(endian));
        bytes
    }

    /// The checksum of the bytes as they are.
    pub(super) fn computed_checksum(&self) -> u32 {
        let mut bytes = self.encode();
        if self.endian == Endian::Big {
            // Not the encoding in the other order: reserved bytes are words too.
            bytes.chunks_exact_mut(4).for_each(<[u8]>::reverse);
        }
        folded_sum(&bytes, CHECKSUM_AT)
    }

    /// Whether the stored checksum matches, if only as far as the kernel compares it.
    pub(super) fn checksum(&self) -> ChecksumState {
        let (found, computed) = (self.head.sb_csum, self.computed_checksum());
        if fold16(found) == fold16(computed) { ChecksumState::Ok } else { ChecksumState::Bad }
    }

    fn is_reshaping(&self) -> bool {
        self.head.minor_version == RESHAPE_MINOR && self.head.reshape_position != NONE
    }

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(self.version_problem());
        problems.extend(self.checksum_problem());
        problems.extend(self.size_problem());
        problems.extend(self.disk_problems());
        if self.endian == Endian::Big {
            let message = "superblock is in big-endian byte order: a little-endian kernel does not see it";
            problems.push(Problem::note("byte-order", message));
        }
        problems
    }

    fn version_problem(&self) -> Option<Problem> {
        let (major, minor) = (self.head.major_version, self.head.minor_version);
        (major != 0 || !(90..=RESHAPE_MINOR).contains(&minor)).then(|| {
            let message = format!("version is {major}.{minor}, expected 0.90 or 0.91");
            Problem::error("unsupported-version", message)
        })
    }

    fn checksum_problem(&self) -> Option<Problem> {
        let (found, computed) = (self.head.sb_csum, self.computed_checksum());
        let message = format!("checksum is {found:#010x}, computed {computed:#010x}");
        match self.checksum() {
            ChecksumState::Ok if found == computed => None,
            ChecksumState::Ok => {
                Some(Problem::note("checksum-folded", format!("{message}: equal when folded to 16 bits")))
            }
            _ => Some(Problem::error("checksum", message)),
        }
    }

    /// A superblock 0.90 does not say where it belongs; only its size tells a disk from a partition.
    fn size_problem(&self) -> Option<Problem> {
        let end = u64::from(self.head.size).saturating_mul(2);
        (self.head.level >= 1 && end > self.sector.0).then(|| {
            let message = format!("data ends at sector {end}, the superblock is at {}", self.sector);
            Problem::error("size-overrun", message)
        })
    }

    fn disk_problems(&self) -> Option<Problem> {
        let number = self.this_disk.number;
        match self.own_descriptor() {
            None => {
                let message = format!("number of this disk is {number}, expected less than {MAX_DEVICES}");
                Some(Problem::error("device-number-invalid", message))
            }
            Some(listed) if *listed != self.this_disk => {
                let message = format!("this_disk and disks[{number}] differ; the second is believed");
                Some(Problem::warning("descriptors-differ", message))
            }
            Some(_) => None,
        }
    }

    fn own_descriptor(&self) -> Option<&Descriptor> {
        self.disks.get(usize::try_from(self.this_disk.number).ok()?)
    }

    /// What a descriptor's device is to the array.
    pub(super) fn role(&self, disk: &Descriptor) -> DeviceRole {
        let has = |bits| disk.state & bits == bits;
        if has(disk_state::FAULTY) || has(disk_state::REMOVED) {
            DeviceRole::Failed
        } else if has(disk_state::JOURNAL) {
            DeviceRole::Journal
        } else if has(disk_state::ACTIVE | disk_state::SYNC) {
            DeviceRole::Slot(disk.raid_disk)
        } else if has(disk_state::ACTIVE) && self.is_reshaping() {
            DeviceRole::Building(disk.raid_disk)
        } else {
            DeviceRole::Spare
        }
    }

    /// The identity of the array, as mdadm prints it: four numbers.
    fn uuid_text(&self) -> String {
        let words: Vec<String> = self.uuid_words().iter().map(|word| format!("{word:08x}")).collect();
        words.join(":")
    }

    fn uuid_words(&self) -> [u32; 4] {
        [self.head.set_uuid0, self.head.set_uuid1, self.head.set_uuid2, self.head.set_uuid3]
    }

    /// The four words in the order of the bytes on the device, as the bitmap has them.
    fn uuid_bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        for (to, word) in bytes.chunks_exact_mut(4).zip(self.uuid_words()) {
            let word = if self.endian == Endian::Big { word.to_be_bytes() } else { word.to_le_bytes() };
            to.copy_from_slice(&word);
        }
        bytes
    }

    /// What it says, in the terms that all versions share.
    pub(super) fn facts(&self) -> Facts {
        let head = &self.head;
        let role = self.own_descriptor().map_or(DeviceRole::Spare, |disk| self.role(disk));
        let building = matches!(role, DeviceRole::Building(_));
        Facts {
            set_uuid: self.uuid_text(),
            uuid_bytes: self.uuid_bytes(),
            name: Vec::new(),
            device_uuid: None,
            family: if self.endian == Endian::Big { "big-endian" } else { "" },
            events: head.events,
            updated: u64::from(head.utime),
            shape: self.shape(),
            size: Sectors(u64::from(head.size).saturating_mul(2)),
            data_offset: Sectors::ZERO,
            data_size: self.sector,
            resync: self.resync(),
            reshape: self.reshape(),
            devices: self.devices(),
            device: self.this_disk.number,
            role,
            replacement: false,
            recovered: building.then_some(Sectors::ZERO),
            journal: false,
            has_bitmap: head.state & state::BITMAP != 0,
        }
    }

    /// Where redundancy ends to be in step. The checkpoint counts only with the events it was written at.
    fn resync(&self) -> Option<Sectors> {
        let head = &self.head;
        if head.state & state::CLEAN != 0 {
            None
        } else if head.events != head.cp_events {
            Some(Sectors::ZERO)
        } else {
            (head.recovery_cp != u32::MAX).then(|| Sectors(u64::from(head.recovery_cp)))
        }
    }

    fn shape(&self) -> Shape {
        Shape {
            level: self.head.level,
            layout: self.head.layout,
            raid0_layout: false,
            chunk_bytes: u64::from(self.head.chunk_size),
            slots: i64::from(self.head.raid_disks),
            max_slots: MAX_DEVICES,
        }
    }

    fn reshape(&self) -> Option<Reshape> {
        let head = &self.head;
        let now = self.shape();
        self.is_reshaping().then(|| Reshape {
            from: Shape { slots: now.slots.saturating_sub(i64::from(head.delta_disks)), ..now },
            to: Shape {
                level: head.new_level,
                layout: head.new_layout,
                chunk_bytes: u64::from(head.new_chunk),
                ..now
            },
            position: head.reshape_position,
            backward: head.delta_disks < 0,
            data_move: 0,
        })
    }

    fn devices(&self) -> Vec<(u32, DeviceRole)> {
        let roles = self.disks.iter().map(|disk| self.role(disk));
        (0..).zip(roles).filter(|(_, role)| !matches!(role, DeviceRole::Spare | DeviceRole::Failed)).collect()
    }

    /// The level and layout in words, for the fields.
    pub(super) fn layout_words(&self) -> Option<String> {
        words::layout(self.head.level, self.head.layout, false)
    }
}
