//! Superblock 1.x: 256 bytes and two bytes for each device number, little-endian.
//!
//! The offsets and the rules by which the kernel takes or refuses a superblock are those of Linux 6.1 and
//! 6.12; a word that those call padding and newer kernels call `logical_block_size` is let through.

use super::checksum::folded_sum;
use super::facts::{DeviceRole, Facts, NONE, Reshape, Shape};
use super::place::{MAGIC, Place, Version};
use super::words;
use crate::disk_struct;
use crate::format::Decoded;
use crate::format::schema::{DiskStruct, Endian, uuid_text};
use crate::record::{ChecksumState, Problem};
use crate::units::{SECTOR_BYTES, Sectors};

/// Most entries in `dev_roles`: what fits into 4096 bytes.
pub(super) const MAX_DEVICES: u32 = 1920;
/// Bytes before `dev_roles`.
pub(super) const HEAD_BYTES: usize = 256;

/// Bits of `feature_map`.
pub(super) mod feature {
    /// `bitmap_offset` is valid.
    pub(crate) const BITMAP: u32 = 1;
    /// `recovery_offset` is valid: the device is not in sync.
    pub(crate) const RECOVERY: u32 = 1 << 1;
    /// The reshape fields are valid.
    pub(crate) const RESHAPE: u32 = 1 << 2;
    /// The bad-block log is not empty.
    pub(crate) const BAD_BLOCKS: u32 = 1 << 3;
    /// Being built to replace the device with the same role.
    pub(crate) const REPLACEMENT: u32 = 1 << 4;
    /// The reshape runs from the end.
    pub(crate) const BACKWARDS: u32 = 1 << 5;
    /// `new_offset` is valid.
    pub(crate) const NEW_OFFSET: u32 = 1 << 6;
    /// The recovery may use the bitmap.
    pub(crate) const RECOVERY_BITMAP: u32 = 1 << 7;
    /// The bitmap is one for each node of a cluster.
    pub(crate) const CLUSTERED: u32 = 1 << 8;
    /// The array has a write journal.
    pub(crate) const JOURNAL: u32 = 1 << 9;
    /// A single partial parity log.
    pub(crate) const PPL: u32 = 1 << 10;
    /// A ring of partial parity logs.
    pub(crate) const MULTIPLE_PPLS: u32 = 1 << 11;
    /// `layout` is valid at level 0.
    pub(crate) const RAID0_LAYOUT: u32 = 1 << 12;

    /// All bits, in words.
    pub(crate) const NAMES: [(u32, &str); 13] = [
        (BITMAP, "bitmap"),
        (RECOVERY, "recovery offset"),
        (RESHAPE, "reshape active"),
        (BAD_BLOCKS, "bad blocks"),
        (REPLACEMENT, "replacement"),
        (BACKWARDS, "reshape backwards"),
        (NEW_OFFSET, "new data offset"),
        (RECOVERY_BITMAP, "recovery by bitmap"),
        (CLUSTERED, "clustered"),
        (JOURNAL, "journal"),
        (PPL, "partial parity log"),
        (MULTIPLE_PPLS, "multiple partial parity logs"),
        (RAID0_LAYOUT, "raid0 layout"),
    ];
    /// All bits that are known.
    pub(crate) const KNOWN: u32 = (1 << 13) - 1;
}

disk_struct! {
    /// The part of the superblock before the roles.
    pub(super) struct Head {
        magic: u32 as hex,
        major_version: u32,
        feature_map: u32 as hex,
        pad0: u32 as hex,
        set_uuid: [u8; 16] as uuid,
        set_name: [u8; 32] as text,
        ctime: u64,
        level: i32,
        layout: u32,
        size: u64,
        chunksize: u32,
        raid_disks: u32,
        // Also `ppl.offset` (16 bits, signed) and `ppl.size` (16 bits), by the feature bits.
        bitmap_offset: i32,
        new_level: i32,
        reshape_position: u64,
        delta_disks: i32,
        new_layout: u32,
        new_chunk: u32,
        new_offset: i32,
        data_offset: u64,
        data_size: u64,
        super_offset: u64,
        recovery_offset: u64,
        dev_number: u32,
        cnt_corrected_read: u32,
        device_uuid: [u8; 16] as uuid,
        devflags: u8,
        bblog_shift: u8,
        bblog_size: u16,
        bblog_offset: i32,
        utime: u64,
        events: u64,
        resync_offset: u64,
        sb_csum: u32 as hex,
        max_dev: u32,
        logical_block_size: u32,
        pad3: [u8; 28],
    }
}

/// Offset of `sb_csum`.
pub(super) const CHECKSUM_AT: usize = 0xd8;

/// A superblock 1.x.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct V1 {
    /// The fixed part.
    pub(super) head: Head,
    /// Roles by device number, as many as `max_dev` says and the device has.
    pub(super) roles: Vec<u16>,
    /// What follows up to the end of the logical sector, as it is.
    pub(super) tail: Vec<u8>,
}

impl V1 {
    /// Decodes what is at a place. `bytes` are those from there on: 4096, or up to the end of the device.
    pub(super) fn decode(bytes: &[u8], place: &Place) -> Decoded<Self> {
        if bytes.get(..4) != Some(&MAGIC.to_le_bytes()) {
            return Decoded::NotOurs;
        }
        let Some(head) = Head::decode(bytes, Endian::Little) else {
            let message =
                format!("superblock ends after {} bytes, expected at least {HEAD_BYTES}", bytes.len());
            return Decoded::Damaged(None, vec![Problem::error("truncated", message)]);
        };
        let roles_bytes = role_bytes(&head, bytes);
        let roles = roles_bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok());
        let roles: Vec<u16> = roles.map(u16::from_le_bytes).collect();
        let used = HEAD_BYTES.saturating_add(roles.len().saturating_mul(2));
        let end = place.round_up(used).min(bytes.len());
        let superblock = Self { head, roles, tail: bytes.get(used..end).unwrap_or_default().to_vec() };
        let problems = superblock.problems(place);
        if problems.is_empty() {
            Decoded::Sound(superblock)
        } else {
            Decoded::Damaged(Some(superblock), problems)
        }
    }

    /// The bytes that it was decoded from.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.head.encode(Endian::Little);
        bytes.extend(self.roles.iter().flat_map(|role| role.to_le_bytes()));
        bytes.extend_from_slice(&self.tail);
        bytes
    }

    /// The checksum of the bytes as they are.
    pub(super) fn computed_checksum(&self) -> u32 {
        let bytes = self.encode();
        let covered = HEAD_BYTES.saturating_add(self.roles.len().saturating_mul(2));
        folded_sum(bytes.get(..covered).unwrap_or(&bytes), CHECKSUM_AT)
    }

    /// Whether the stored checksum is the computed one.
    pub(super) fn checksum(&self) -> ChecksumState {
        if self.is_whole() && self.computed_checksum() == self.head.sb_csum {
            ChecksumState::Ok
        } else {
            ChecksumState::Bad
        }
    }

    /// Whether there are as many roles as there should be.
    fn is_whole(&self) -> bool {
        self.roles.len() as u64 == u64::from(self.head.max_dev)
    }

    /// Whether all of these feature bits are set.
    pub(super) fn has(&self, bits: u32) -> bool {
        self.head.feature_map & bits == bits
    }

    /// Whether the word at 0x60 is the place of a partial parity log.
    pub(super) fn has_ppl(&self) -> bool {
        self.has(feature::PPL) || self.has(feature::MULTIPLE_PPLS)
    }

    /// Distance of the partial parity log from the superblock, and its length.
    pub(super) fn ppl_place(&self) -> (i16, Sectors) {
        let [a, b, c, d] = self.head.bitmap_offset.to_le_bytes();
        (i16::from_le_bytes([a, b]), Sectors(u64::from(u16::from_le_bytes([c, d]))))
    }

    /// Role of this device. A device number without an entry is a spare's.
    pub(super) fn role(&self) -> DeviceRole {
        let index = usize::try_from(self.head.dev_number).ok();
        let role = index.and_then(|index| self.roles.get(index));
        role.map_or(DeviceRole::Spare, |&role| DeviceRole::from_1x(role))
    }

    /// Everything that contradicts the rules, short of what only the geometry shows.
    fn problems(&self, place: &Place) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(self.version_problem());
        problems.extend(self.max_dev_problem());
        problems.extend(self.checksum_problem());
        problems.extend(self.place_problem(place));
        problems.extend(self.feature_problems());
        problems.extend(self.padding_problem());
        problems.extend(self.data_problems(place));
        problems.extend(self.device_problem());
        problems
    }

    fn version_problem(&self) -> Option<Problem> {
        let found = self.head.major_version;
        (found != 1).then(|| {
            let message = format!("major version is {found}, expected 1");
            Problem::error("unsupported-version", message)
        })
    }

    fn max_dev_problem(&self) -> Option<Problem> {
        let found = self.head.max_dev;
        if found > MAX_DEVICES {
            let message = format!("max_dev is {found}, expected at most {MAX_DEVICES}");
            return Some(Problem::error("max-dev-invalid", message));
        }
        (!self.is_whole()).then(|| {
            let message = format!("device ends after {} of {found} roles", self.roles.len());
            Problem::error("truncated", message)
        })
    }

    fn checksum_problem(&self) -> Option<Problem> {
        let (found, computed) = (self.head.sb_csum, self.computed_checksum());
        // Without all roles there is nothing to compare, and another problem says so.
        (self.is_whole() && found != computed).then(|| {
            let message = format!("checksum is {found:#010x}, computed {computed:#010x}");
            Problem::error("checksum", message)
        })
    }

    fn place_problem(&self, place: &Place) -> Option<Problem> {
        let recorded = self.head.super_offset;
        (recorded != place.sector.0).then(|| {
            let message = format!(
                "superblock is at sector {}, it says that it belongs at {recorded}: the device is not the one \
                 that it was written to, but holds or is a part of it",
                place.sector
            );
            Problem::error("misplaced", message)
        })
    }

    fn feature_problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let unknown = self.head.feature_map & !feature::KNOWN;
        if unknown != 0 {
            let message = format!("unsupported feature {unknown:#x}");
            problems.push(Problem::error("unsupported-feature", message));
        }
        let contradictions = [
            (self.has(feature::RAID0_LAYOUT) && self.head.level != 0, "a raid0 layout at another level"),
            (self.has_ppl() && self.has(feature::BITMAP), "a partial parity log and a bitmap"),
            (self.has_ppl() && self.has(feature::JOURNAL), "a partial parity log and a journal"),
            (self.has(feature::PPL | feature::MULTIPLE_PPLS), "one partial parity log and several"),
            (self.has_ppl() && self.head.level != 5, "a partial parity log at another level than 5"),
            (self.has(feature::BITMAP) && self.head.bitmap_offset == 0, "a bitmap without an offset"),
            (
                self.has(feature::BAD_BLOCKS) && self.head.bblog_offset == 0,
                "bad blocks without the offset of their log",
            ),
            (
                self.has(feature::REPLACEMENT) && self.role().slot().is_none(),
                "a replacement that claims no slot",
            ),
        ];
        let told = contradictions.iter().filter(|(is_so, _)| *is_so);
        problems.extend(told.map(|(_, what)| {
            let message = format!("features {:#x} say: {what}", self.head.feature_map);
            Problem::error("feature-contradiction", message)
        }));
        problems
    }

    fn padding_problem(&self) -> Option<Problem> {
        (self.head.pad0 != 0 || self.head.pad3.iter().any(|&byte| byte != 0)).then(|| {
            let message = "padding is not zero: written by something newer, with features unknown here";
            Problem::error("unsupported-feature", message)
        })
    }

    fn data_problems(&self, place: &Place) -> Vec<Problem> {
        let mut problems = Vec::new();
        let head = &self.head;
        let mut error = |code, message| problems.push(Problem::error(code, message));
        if head.data_size < 10 {
            error("data-too-small", format!("data size is {} sectors, expected at least 10", head.data_size));
        }
        if matches!(self.role(), DeviceRole::Slot(_)) && head.size > head.data_size {
            let message = format!("array uses {} sectors of {}", head.size, head.data_size);
            error("size-overrun", message);
        }
        match head.data_offset.checked_add(head.data_size) {
            None => {
                let message =
                    format!("data begins at sector {} and has {}", head.data_offset, head.data_size);
                error("data-out-of-range", message);
            }
            Some(end) if self.is_in_the_way(place, head.data_offset, end) => {
                let message = format!("data at sectors {} to {end} covers the superblock", head.data_offset);
                error("data-overlaps-superblock", message);
            }
            Some(_) => {}
        }
        match self.new_data_offset() {
            Some(None) => {
                let message = format!("data moves by {} from {}", head.new_offset, head.data_offset);
                error("data-out-of-range", message);
            }
            Some(Some(offset)) if self.is_in_the_way(place, offset, offset) => {
                let message = format!("data that moves to sector {offset} covers the superblock");
                error("data-overlaps-superblock", message);
            }
            _ => {}
        }
        problems.extend(self.device_length_problem(place));
        problems
    }

    /// Whether data from `offset` to `end` leaves no room for the superblock.
    fn is_in_the_way(&self, place: &Place, offset: u64, end: u64) -> bool {
        if place.version == Version::V10 {
            return end > self.head.super_offset;
        }
        let covered = HEAD_BYTES.saturating_add(self.roles.len().saturating_mul(2));
        let length = place.round_up(covered) as u64 / SECTOR_BYTES;
        offset < self.head.super_offset.saturating_add(length)
    }

    fn device_length_problem(&self, place: &Place) -> Option<Problem> {
        let end = self.head.data_offset.checked_add(self.head.data_size)?;
        (place.version != Version::V10 && end > place.device.0).then(|| {
            let message =
                format!("data ends at sector {end}, the device at {}: it was cut short", place.device);
            Problem::warning("device-too-small", message)
        })
    }

    fn device_problem(&self) -> Option<Problem> {
        if let DeviceRole::Reserved(role) = self.role() {
            let message = format!("role of device {} is the reserved {role:#06x}", self.head.dev_number);
            return Some(Problem::warning("role-unknown", message));
        }
        (self.head.dev_number >= self.head.max_dev).then(|| {
            let message = format!(
                "device number is {}, roles are recorded for {}: a spare",
                self.head.dev_number, self.head.max_dev
            );
            Problem::note("no-role", message)
        })
    }

    /// Where the data begins after a reshape that moves it, if there is one; none inside where that is no
    /// place.
    fn new_data_offset(&self) -> Option<Option<u64>> {
        let moves = self.has(feature::RESHAPE | feature::NEW_OFFSET);
        moves.then(|| self.head.data_offset.checked_add_signed(i64::from(self.head.new_offset)))
    }

    /// What it says, in the terms that all versions share.
    pub(super) fn facts(&self) -> Facts {
        let head = &self.head;
        let role = self.role();
        let own_recovery = self.has(feature::RECOVERY) && role.slot().is_some();
        Facts {
            set_uuid: uuid_text(&head.set_uuid),
            uuid_bytes: head.set_uuid,
            name: trimmed(&head.set_name),
            device_uuid: Some(uuid_text(&head.device_uuid)),
            family: "",
            events: head.events,
            updated: words::seconds_1x(head.utime),
            shape: self.shape(),
            size: Sectors(head.size),
            data_offset: Sectors(head.data_offset),
            data_size: Sectors(head.data_size),
            resync: (head.resync_offset != NONE).then_some(Sectors(head.resync_offset)),
            reshape: self.reshape(),
            devices: self.devices(),
            device: head.dev_number,
            role,
            replacement: self.has(feature::REPLACEMENT),
            recovered: own_recovery.then_some(Sectors(head.recovery_offset)),
            journal: self.has(feature::JOURNAL),
            has_bitmap: self.has(feature::BITMAP),
        }
    }

    fn shape(&self) -> Shape {
        Shape {
            level: self.head.level,
            layout: self.head.layout,
            raid0_layout: self.has(feature::RAID0_LAYOUT),
            chunk_bytes: u64::from(self.head.chunksize).saturating_mul(SECTOR_BYTES),
            slots: i64::from(self.head.raid_disks),
            max_slots: MAX_DEVICES,
        }
    }

    fn reshape(&self) -> Option<Reshape> {
        let head = &self.head;
        let now = self.shape();
        let moves = self.new_data_offset().is_some();
        self.has(feature::RESHAPE).then(|| Reshape {
            from: Shape { slots: now.slots.saturating_sub(i64::from(head.delta_disks)), ..now },
            to: Shape {
                level: head.new_level,
                layout: head.new_layout,
                chunk_bytes: u64::from(head.new_chunk).saturating_mul(SECTOR_BYTES),
                ..now
            },
            position: head.reshape_position,
            backward: head.delta_disks < 0 || self.has(feature::BACKWARDS),
            data_move: if moves { i64::from(head.new_offset) } else { 0 },
        })
    }

    fn devices(&self) -> Vec<(u32, DeviceRole)> {
        let roles = self.roles.iter().map(|&role| DeviceRole::from_1x(role));
        (0..).zip(roles).filter(|(_, role)| !matches!(role, DeviceRole::Spare | DeviceRole::Failed)).collect()
    }
}

/// The bytes of the roles: as many as `max_dev` says within the bound, and whole ones.
/// The uuid of the set, from the bytes of a superblock.
pub(super) fn set_uuid(bytes: &[u8]) -> Option<[u8; 16]> {
    Head::decode(bytes, Endian::Little).map(|head| head.set_uuid)
}

fn role_bytes<'a>(head: &Head, bytes: &'a [u8]) -> &'a [u8] {
    let bounded = if head.max_dev <= MAX_DEVICES { head.max_dev } else { 0 };
    let rest = bytes.get(HEAD_BYTES..).unwrap_or_default();
    let wanted = usize::try_from(bounded).unwrap_or_default().saturating_mul(2);
    rest.get(..wanted).unwrap_or(rest)
}

/// Bytes without the padding at the end.
fn trimmed(name: &[u8]) -> Vec<u8> {
    let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    name.get(..end).unwrap_or_default().to_vec()
}
