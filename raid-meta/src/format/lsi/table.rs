//! The sector: a table that all disks of a controller have alike, and which of them this one is.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::format::schema::{DiskStruct, Endian};
use crate::units::SECTOR_LENGTH;

/// What the sector begins with.
pub(super) const MAGIC: &[u8; 6] = b"$XIDE$";
/// Entries of the table.
pub(super) const ENTRIES: usize = 30;
/// Bytes of an entry.
pub(super) const ENTRY: usize = 16;
/// Where the table ends.
pub(super) const TABLE_END: usize = Head::SIZE + ENTRIES * ENTRY;
/// Flag of an array that is not whole, and of a disk that is gone.
pub(super) const FLAG_OUT: u8 = 0x02;
/// The place of a disk that is not there.
pub(super) const NO_DEVICE: u8 = 0xff;

crate::disk_struct! {
    /// What comes before the entries.
    pub(super) struct Head {
        magic: [u8; 6] as text,
        unknown_6: u8 as hex,
        /// To ataraid; dmraid says that it is a sequence number.
        flags: u8 as hex,
        version: u16 as hex,
        /// One more than there are entries, on a real disk.
        config_entries: u8,
        raid_count: u8,
        total_disks: u8,
        unknown_d: u8 as hex,
        unknown_e: u16 as hex,
    }
}

crate::disk_struct! {
    /// An array.
    pub(super) struct Array {
        raid_type: u8,
        unknown_1: u8 as hex,
        /// Chunk in sectors.
        stripe_sectors: u16,
        /// Disks of a stripe.
        array_width: u8,
        disk_count: u8,
        /// Where in the sector the entry of the first disk is.
        config_offset: u8 as hex,
        unknown_7: u8 as hex,
        flags: u8 as hex,
        /// Size of the array.
        total_sectors: u32,
        filler: [u8; 3] as raw,
    }
}

crate::disk_struct! {
    /// A disk.
    pub(super) struct Disk {
        /// Channel, and master or slave.
        device: u8 as hex,
        unknown_1: u8 as hex,
        /// Sectors of the disk that are used.
        disk_sectors: u32,
        /// Place in its array.
        disk_number: u8,
        /// Which array.
        raid_number: u8,
        flags: u8 as hex,
        filler: [u8; 7] as raw,
    }
}

crate::disk_struct! {
    /// Which disk this one is.
    pub(super) struct Tail {
        disk_number: u8,
        raid_number: u8,
        /// Identity of the controller's configuration.
        timestamp: u32 as hex,
        filler: [u8; 10] as raw,
    }
}

/// What an array is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Raid0,
    Raid1,
    Raid10,
    Other,
}

impl Array {
    /// What the array is.
    pub(super) fn kind(&self) -> Kind {
        match self.raid_type {
            1 => Kind::Raid0,
            2 => Kind::Raid1,
            3 => Kind::Raid10,
            _ => Kind::Other,
        }
    }
}

impl Disk {
    /// Whether the disk is known to be gone.
    pub(super) fn is_out(&self) -> bool {
        self.device == NO_DEVICE || self.flags & FLAG_OUT != 0
    }
}

/// The sector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) head: Head,
    /// The entries as they are: what they are depends on the counts.
    pub(super) entries: Vec<[u8; ENTRY]>,
    pub(super) tail: Tail,
}

impl Table {
    /// The sector in those bytes; none if they are not ours.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let head = Head::decode(bytes, Endian::Little).filter(|head| head.magic == *MAGIC)?;
        let entries = bytes.get(Head::SIZE..TABLE_END)?.chunks_exact(ENTRY);
        let entries = entries.filter_map(|entry| entry.try_into().ok()).collect();
        Some(Self { head, entries, tail: Tail::decode(bytes.get(TABLE_END..)?, Endian::Little)? })
    }

    /// The bytes of the sector.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.head.encode(Endian::Little);
        bytes.extend(self.entries.iter().flatten());
        bytes.extend(self.tail.encode(Endian::Little));
        bytes
    }

    /// Arrays in the table, no more than there is room for.
    pub(super) fn arrays(&self) -> usize {
        usize::from(self.head.raid_count).min(ENTRIES)
    }

    /// Entries of arrays and disks in the table, no more than there is room for.
    pub(super) fn used(&self) -> usize {
        self.arrays().saturating_add(usize::from(self.head.total_disks)).min(ENTRIES)
    }

    /// An array of the table.
    pub(super) fn array(&self, number: usize) -> Option<Array> {
        let entry = self.entries.get(number).filter(|_| number < self.arrays())?;
        Array::decode(entry, Endian::Little)
    }

    /// The array that this disk belongs to.
    pub(super) fn own_array(&self) -> Option<Array> {
        self.array(usize::from(self.tail.raid_number))
    }

    /// The entry of the table for the disk of that number of an array, and where it is in the table.
    pub(super) fn disk(&self, array: &Array, number: u8) -> Option<(usize, Disk)> {
        let offset = usize::from(array.config_offset);
        let first = offset.checked_sub(Head::SIZE)?.checked_div(ENTRY)?;
        let place = first.checked_add(usize::from(number))?;
        let is_disk = (self.arrays()..ENTRIES).contains(&place) && offset.is_multiple_of(ENTRY);
        let entry = self.entries.get(place).filter(|_| is_disk)?;
        Some((place, Disk::decode(entry, Endian::Little)?))
    }

    /// The entry of this disk.
    pub(super) fn own_disk(&self) -> Option<(usize, Disk)> {
        self.disk(&self.own_array()?, self.tail.disk_number)
    }

    /// The disks of an array, in order, as far as the table has them.
    pub(super) fn disks(&self, array: &Array) -> Vec<Option<Disk>> {
        let count = array.disk_count.min(u8::try_from(ENTRIES).unwrap_or(u8::MAX));
        (0..count).map(|number| self.disk(array, number).map(|(_, disk)| disk)).collect()
    }
}

const _: () = assert!(Array::SIZE == ENTRY && Disk::SIZE == ENTRY && TABLE_END + Tail::SIZE == SECTOR_LENGTH);
