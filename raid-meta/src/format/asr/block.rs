//! The two structures: the reserved block, and the table of lines.

use crate::disk_struct;
use crate::format::schema::{DiskStruct, Endian};
use crate::units::SECTOR_LENGTH;

const BE: Endian = Endian::Big;

/// Of the reserved block.
pub(super) const BLOCK_MAGIC: u32 = 0x37fc_4d1e;
/// "DPTM", further on in it.
pub(super) const SOFTWARE_MAGIC: u32 = 0x4450_544d;
/// Of the table.
pub(super) const TABLE_MAGIC: u32 = 0x9007_65c4;
/// The only version of the reserved block whose disks say by a number of their own which line is theirs.
pub(super) const VERSION: u8 = 8;
/// A disk that has no number yet, or a spare for all arrays.
pub(super) const NONE: u32 = 0xffff_ffff;

disk_struct! {
    /// The reserved block: the last sector of the disk.
    pub(super) struct ReservedBlock {
        magic0: u32 as hex,
        lun_map: [u8; 8],
        drive_type: u16,
        saved_cylinders: u16,
        saved_heads: u8,
        saved_sectors: u8,
        sb0flags: u8 as hex,
        jbod_enable: u8,
        lun_disable: u8,
        percent_dirty: u8,
        bios_info: u16 as hex,
        write_back_skip: u16,
        write_back_clean: u16,
        write_back_max: u16,
        reserved_0: [u8; 2],
        write_back_min: u16,
        reserved_1: [u8; 2],
        read_cache_threshold: u16,
        write_cache_threshold: u16,
        write_back_delay: u16,
        spin_down_time: u8,
        reserved_2: [u8; 1],
        firmware_on_drive: u16,
        firmware_length: u16,
        firmware_start: u32,
        first_reserved_block: u32,
        sv_block_storage_tid: u16 as hex,
        svtid: u16 as hex,
        ecc_flags: u8 as hex,
        reserved_3: [u8; 1],
        hba_number: u8,
        /// [`VERSION`].
        resver: u8,
        /// The disk's own number.
        drivemagic: u32 as hex,
        reserved_4: [u8; 20],
        test_number: u8,
        test_flags: u8 as hex,
        test_max_errors: u16,
        test_cycles: u32,
        test_start: u32,
        test_interval: u32,
        exclusion_start: u8,
        exclusion_end: u8,
        serial_number: [u8; 32] as text,
        reserved_5: [u8; 102],
        fw_test_magic: u32 as hex,
        fw_test_seq: u32,
        fw_test_reserved: [u8; 8],
        smagic: u32 as hex,
        /// Sector of the table.
        raidtbl: u32,
        raidline: u16,
        software: [u8; 246],
    }
}

disk_struct! {
    /// Head of the table.
    pub(super) struct TableHead {
        ridcode: u32 as hex,
        rversion: u32,
        /// Lines that there is room for.
        maxelm: u16,
        /// Lines that are used.
        elmcnt: u16,
        elmsize: u16,
        /// Sum of the bytes of the lines that are used.
        rchksum: u16 as hex,
        res1: u32 as hex,
        res2: u16 as hex,
        res3: u16 as hex,
        raid_flags: u32 as hex,
        timestamp: u32,
        iroc_flags: u8 as hex,
        /// An array is open.
        dirty: u8 as hex,
        action_priority: u8,
        spareid: u8,
        /// The spare of the array.
        sparedrivemagic: u32 as hex,
        /// The array of a spare.
        raidmagic: u32 as hex,
        verify_date: u32 as hex,
        recreate_date: u32 as hex,
        res4: [u8; 12],
    }
}

disk_struct! {
    /// A line: an array, or a disk.
    pub(super) struct Line {
        /// How many lines there are below it.
        raidcnt: u16,
        /// Is counted up when the line changes.
        raidseq: u16,
        /// Number of the array or of the disk.
        raidmagic: u32 as hex,
        raidlevel: u8,
        raidtype: u8,
        raidstate: u8 as hex,
        flags: u8 as hex,
        refcnt: u8,
        raidhba: u8,
        raidchnl: u8,
        raidlun: u8,
        raidid: u32,
        loffset: u32,
        /// Sectors of the array, or used on the disk.
        lcapcty: u32,
        /// Sectors of a chunk on the disk; of an array the chunks of all of its disks.
        strpsize: u16,
        bios_info: u16 as hex,
        lsu: u32 as hex,
        added_drives: u8,
        app_sleep_rate: u8,
        block_storage_tid: u16 as hex,
        cur_app_block: u32,
        app_burst_count: u32,
        name: [u8; 16] as text,
    }
}

/// What a line is about.
pub(super) mod line_level {
    pub(in super::super) const DISK: u8 = 0;
    pub(in super::super) const ARRAY: u8 = 1;
    pub(in super::super) const OSI: u8 = 2;
    /// An array of arrays.
    pub(in super::super) const TOP: u8 = 3;
}

/// What kind of array, or of disk.
pub(super) mod line_type {
    pub(in super::super) const RAID0: u8 = 0;
    pub(in super::super) const RAID1: u8 = 1;
    pub(in super::super) const RAID4: u8 = 4;
    pub(in super::super) const RAID5: u8 = 5;
    pub(in super::super) const SPARE: u8 = 0xfe;
    pub(in super::super) const REDIRECT: u8 = 0xff;
}

/// Lines that a table has room for.
pub(super) const LINES: usize = 127;
/// Where line 0 begins.
pub(super) const FIRST_LINE: usize = TableHead::SIZE;
/// Length of the table.
pub(super) const TABLE_BYTES: usize = FIRST_LINE + LINES * Line::SIZE;
/// Where the checksum is.
pub(super) const CHECKSUM: usize = 0x0e;
/// Where the number of used lines is.
const COUNT: usize = 0x0a;

const _: () = assert!(ReservedBlock::SIZE == SECTOR_LENGTH && TABLE_BYTES == 16 * SECTOR_LENGTH);

/// Decodes a reserved block; none without its two signatures.
pub(super) fn reserved_block(bytes: &[u8]) -> Option<ReservedBlock> {
    let block = ReservedBlock::decode(bytes, BE)?;
    (block.magic0 == BLOCK_MAGIC && block.smagic == SOFTWARE_MAGIC).then_some(block)
}

/// The table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) head: TableHead,
    /// All lines, whether they are used or not.
    pub(super) lines: Vec<Line>,
}

impl Table {
    /// Decodes a table; none when the signature is not there.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let head = TableHead::decode(bytes, BE)?;
        let lines = bytes.get(FIRST_LINE..TABLE_BYTES)?.chunks_exact(Line::SIZE);
        let lines = lines.map(|line| Line::decode(line, BE)).collect::<Option<Vec<_>>>()?;
        (head.ridcode == TABLE_MAGIC).then_some(Self { head, lines })
    }

    /// Its bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.head.encode(BE);
        bytes.extend(self.lines.iter().flat_map(|line| line.encode(BE)));
        bytes
    }

    /// The lines that are used.
    pub(super) fn used(&self) -> &[Line] {
        let count = usize::from(self.head.elmcnt).min(self.lines.len());
        self.lines.get(..count).unwrap_or_default()
    }

    pub(super) fn checksum(&self) -> u16 {
        sum(&self.encode())
    }
}

/// The checksum of a table in bytes: the sum of the bytes of the lines that it says are used.
pub(super) fn sum(table: &[u8]) -> u16 {
    let count =
        table.get(COUNT..).and_then(|bytes| bytes.first_chunk().copied()).map_or(0, u16::from_be_bytes);
    let lines = table.get(FIRST_LINE..).unwrap_or_default();
    let used = usize::from(count).min(LINES).saturating_mul(Line::SIZE);
    lines.iter().take(used).fold(0, |sum: u16, &byte| sum.wrapping_add(u16::from(byte)))
}

/// Makes the checksum of a table in bytes right.
pub(super) fn seal(table: &mut [u8]) {
    let right = sum(table).to_be_bytes();
    if let Some(place) = table.get_mut(CHECKSUM..).and_then(|bytes| bytes.first_chunk_mut()) {
        *place = right;
    }
}

pub(super) fn encode_block(block: &ReservedBlock) -> Vec<u8> {
    block.encode(BE)
}
