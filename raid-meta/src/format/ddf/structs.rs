//! The structures on the disk, field by field.
//!
//! Numbers are big-endian; a few vendors write the same structures little-endian throughout. Bytes that have no
//! meaning are 0xff, and kept whatever they are.

use crate::disk_struct;

/// What a header begins with.
pub(super) const HEADER: u32 = 0xde11_de11;
/// What controller data begin with.
pub(super) const CONTROLLER: u32 = 0xad11_1111;
/// What the table of physical disks begins with.
pub(super) const PHYSICAL_DISKS: u32 = 0x2222_2222;
/// What the table of virtual disks begins with.
pub(super) const VIRTUAL_DISKS: u32 = 0xdddd_dddd;
/// What the configuration of a virtual disk begins with.
pub(super) const VD_CONFIG: u32 = 0xeeee_eeee;
/// What a spare assignment begins with.
pub(super) const SPARE: u32 = 0x5555_5555;
/// What a vendor's own configuration begins with.
pub(super) const VENDOR_CONFIG: u32 = 0x8888_8888;
/// What the data of the disk itself begin with.
pub(super) const DISK_DATA: u32 = 0x3333_3333;
/// What the log of bad blocks begins with.
pub(super) const BAD_BLOCKS: u32 = 0xabad_b10c;
/// What a vendor's log begins with.
pub(super) const VENDOR_LOG: u32 = 0x01db_eef0;
/// No reference, no section, no place.
pub(super) const NONE: u32 = u32::MAX;

/// Identity of a group, a controller, a physical or a virtual disk.
pub(super) type Guid = [u8; 24];

disk_struct! {
    /// Anchor, primary and secondary header: they differ in type, sequence number, open flag and time.
    pub(super) struct Header {
        signature: u32 as hex,
        crc: u32 as hex,
        ddf_header_guid: Guid,
        ddf_rev: [u8; 8] as text,
        sequence_number: u32,
        timestamp: u32,
        open_flag: u8,
        foreign_flag: u8,
        disk_grouping: u8,
        pad_33: [u8; 13],
        header_ext: [u8; 32],
        primary_header_lba: u64,
        secondary_header_lba: u64,
        header_type: u8,
        pad_71: [u8; 3],
        workspace_length: u32,
        workspace_lba: u64,
        max_pd_entries: u16,
        max_vd_entries: u16,
        max_partitions: u16,
        configuration_record_length: u16,
        max_primary_element_entries: u16,
        max_mapped_block_entries: u32,
        pad_8e: [u8; 50],
        controller_data_offset: u32,
        controller_data_length: u32,
        physical_disk_records_offset: u32,
        physical_disk_records_length: u32,
        virtual_disk_records_offset: u32,
        virtual_disk_records_length: u32,
        configuration_records_offset: u32,
        configuration_records_length: u32,
        physical_disk_data_offset: u32,
        physical_disk_data_length: u32,
        bbm_log_offset: u32,
        bbm_log_length: u32,
        diagnostic_space_offset: u32,
        diagnostic_space_length: u32,
        vendor_specific_logs_offset: u32,
        vendor_specific_logs_length: u32,
        pad_100: [u8; 256],
    }
}

disk_struct! {
    /// The controller that wrote last.
    pub(super) struct Controller {
        signature: u32 as hex,
        crc: u32 as hex,
        controller_guid: Guid,
        vendor_id: u16 as hex,
        device_id: u16 as hex,
        sub_vendor_id: u16 as hex,
        sub_device_id: u16 as hex,
        product_id: [u8; 16] as text,
        pad_38: [u8; 8],
        vendor_data: [u8; 448],
    }
}

disk_struct! {
    /// The head of the tables of physical and of virtual disks.
    pub(super) struct TableHead {
        signature: u32 as hex,
        crc: u32 as hex,
        populated_entries: u16,
        max_entries: u16,
        pad_0c: [u8; 52],
    }
}

disk_struct! {
    /// A physical disk.
    pub(super) struct PdEntry {
        pd_guid: Guid,
        pd_reference: u32 as hex,
        pd_type: u16 as hex,
        pd_state: u16 as hex,
        configured_size: u64,
        path_information: [u8; 18] as text,
        block_size: u16,
        pad_3c: [u8; 4],
    }
}

disk_struct! {
    /// A virtual disk.
    pub(super) struct VdEntry {
        vd_guid: Guid,
        vd_number: u16,
        pad_1a: [u8; 2],
        vd_type_crc: u16 as hex,
        vd_type: u16 as hex,
        vd_state: u8,
        init_state: u8,
        drive_failures_remaining: u8,
        pad_23: [u8; 13],
        vd_name: [u8; 16] as text,
    }
}

disk_struct! {
    /// How a virtual disk, or one element of a nested one, lies on its disks. Two tables follow: the references
    /// of the disks, and where on each the data begins.
    pub(super) struct VdConfig {
        signature: u32 as hex,
        crc: u32 as hex,
        vd_guid: Guid,
        timestamp: u32,
        sequence_number: u32,
        pad_28: [u8; 24],
        primary_element_count: u16,
        strip_size: u8,
        primary_raid_level: u8,
        raid_level_qualifier: u8,
        secondary_element_count: u8,
        secondary_element_seq: u8,
        secondary_raid_level: u8,
        block_count: u64,
        vd_size: u64,
        block_size: u16,
        rotate_parity_count: u8,
        pad_5b: [u8; 5],
        associated_spares: [u8; 32],
        cache_policies: [u8; 8],
        bg_rate: u8,
        pad_89: [u8; 3],
        mdf_parity_disks: u8,
        mdf_parity_generator_polynomial: u16 as hex,
        pad_8f: [u8; 1],
        mdf_constant_generation_method: u8,
        pad_91: [u8; 239],
        v0: [u8; 32],
        v1: [u8; 32],
        v2: [u8; 16],
        v3: [u8; 16],
        vendor_specific_scratch_space: [u8; 32],
    }
}

disk_struct! {
    /// The head of a spare assignment.
    pub(super) struct SpareHead {
        signature: u32 as hex,
        crc: u32 as hex,
        timestamp: u32,
        pad_0c: [u8; 7],
        spare_type: u8 as hex,
        populated_entries: u16,
        max_entries: u16,
        pad_18: [u8; 8],
    }
}

disk_struct! {
    /// A virtual disk that a spare is dedicated to.
    pub(super) struct SpareEntry {
        vd_guid: Guid,
        secondary_element: u16,
        pad_1a: [u8; 6],
    }
}

disk_struct! {
    /// The head of a vendor's own configuration; what follows is the vendor's.
    pub(super) struct VendorConfig {
        signature: u32 as hex,
        crc: u32 as hex,
        vd_guid: Guid,
    }
}

disk_struct! {
    /// Which physical disk this one is.
    pub(super) struct DiskData {
        signature: u32 as hex,
        crc: u32 as hex,
        pd_guid: Guid,
        pd_reference: u32 as hex,
        forced_reference_flag: u8,
        forced_guid_flag: u8,
        vendor_scratch: [u8; 32] as text,
        pad_46: [u8; 442],
    }
}

disk_struct! {
    /// The head of the log of bad blocks, as version 2.0 has it.
    pub(super) struct BadBlocksHead {
        signature: u32 as hex,
        crc: u32 as hex,
        entry_count: u32,
        spare_block_count: u32,
        pad_10: [u8; 8],
        first_spare_lba: u64,
    }
}

disk_struct! {
    /// A run of bad blocks, and where their content is.
    pub(super) struct BadBlocksEntry {
        defective_block_start: u64,
        spare_block_offset: u32,
        remapped_or_marked_count: u16,
        pad_0e: [u8; 2],
    }
}

disk_struct! {
    /// The head of a vendor's log; what follows is the vendor's.
    pub(super) struct VendorLogHead {
        signature: u32 as hex,
        crc: u32 as hex,
        log_owner: [u8; 8] as text,
        pad_10: [u8; 16],
    }
}

/// Bits of [`PdEntry::pd_type`].
pub(super) mod pd_type {
    pub(crate) const FORCED_GUID: u16 = 0x1;
    pub(crate) const ACTIVE: u16 = 0x2;
    pub(crate) const GLOBAL_SPARE: u16 = 0x4;
    pub(crate) const SPARE: u16 = 0x8;
    pub(crate) const FOREIGN: u16 = 0x10;
    pub(crate) const PASS_THROUGH: u16 = 0x20;
}

/// Bits of [`PdEntry::pd_state`].
pub(super) mod pd_state {
    pub(crate) const ONLINE: u16 = 0x1;
    pub(crate) const FAILED: u16 = 0x2;
    pub(crate) const REBUILDING: u16 = 0x4;
    pub(crate) const MISSING: u16 = 0x40;
}

impl Header {
    /// Whether it is being written.
    pub(super) fn is_open(&self) -> bool {
        self.open_flag & 0x0f != 0
    }
}

impl PdEntry {
    /// Whether a disk is recorded here. Of a removed one, only the GUID is wiped.
    pub(super) fn is_used(&self) -> bool {
        self.pd_reference != NONE && !is_blank(&self.pd_guid)
    }
}

impl VdEntry {
    /// Whether a virtual disk is recorded here.
    pub(super) fn is_used(&self) -> bool {
        const DELETED: u8 = 2;
        !is_blank(&self.vd_guid) && self.vd_state & 7 != DELETED
    }
}

/// Whether bytes are what unused space is filled with.
pub(super) fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0xff)
}
