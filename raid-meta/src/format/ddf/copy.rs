//! One copy of the metadata: a header and the sections that it points to.
//!
//! A disk has two, the primary and usually the secondary. They say the same, unless an update was interrupted.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::structs::{
    BAD_BLOCKS, CONTROLLER, Controller, DISK_DATA, DiskData, Header, NONE, PHYSICAL_DISKS, SPARE, VD_CONFIG,
    VENDOR_CONFIG, VENDOR_LOG, VIRTUAL_DISKS,
};
use super::sum::{self, Sum};
use crate::format::schema::{DiskStruct, Endian};
use crate::record::{ChecksumState, Problem};
use crate::units::Bytes;
use std::sync::Arc;

/// Which of the headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Primary,
    Secondary,
}

impl Which {
    /// What it is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        }
    }

    /// The type that its header has.
    pub(super) fn header_type(self) -> u8 {
        match self {
            Self::Primary => 1,
            Self::Secondary => 2,
        }
    }

    /// Where a header says that it is.
    pub(super) fn lba(self, header: &Header) -> u64 {
        match self {
            Self::Primary => header.primary_header_lba,
            Self::Secondary => header.secondary_header_lba,
        }
    }

    /// The role of its header's area.
    pub(super) fn header_role(self) -> &'static str {
        match self {
            Self::Primary => "primary-header",
            Self::Secondary => "secondary-header",
        }
    }
}

/// Which of the sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Controller,
    PhysicalDisks,
    VirtualDisks,
    Configurations,
    DiskData,
    BadBlocks,
    Diagnostics,
    VendorLogs,
}

impl Kind {
    /// All, in the order of the header.
    pub(super) const ALL: [Self; 8] = [
        Self::Controller,
        Self::PhysicalDisks,
        Self::VirtualDisks,
        Self::Configurations,
        Self::DiskData,
        Self::BadBlocks,
        Self::Diagnostics,
        Self::VendorLogs,
    ];

    /// What it is called in the names of fields.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Controller => "controller",
            Self::PhysicalDisks => "physical_disks",
            Self::VirtualDisks => "virtual_disks",
            Self::Configurations => "configurations",
            Self::DiskData => "disk_data",
            Self::BadBlocks => "bad_blocks",
            Self::Diagnostics => "diagnostics",
            Self::VendorLogs => "vendor_logs",
        }
    }

    /// The role of its area.
    pub(super) fn role(self, which: Which) -> &'static str {
        let (primary, secondary) = match self {
            Self::Controller => ("primary-controller", "secondary-controller"),
            Self::PhysicalDisks => ("primary-physical-disks", "secondary-physical-disks"),
            Self::VirtualDisks => ("primary-virtual-disks", "secondary-virtual-disks"),
            Self::Configurations => ("primary-configurations", "secondary-configurations"),
            Self::DiskData => ("primary-disk-data", "secondary-disk-data"),
            Self::BadBlocks => ("primary-bad-blocks", "secondary-bad-blocks"),
            Self::Diagnostics => ("primary-diagnostics", "secondary-diagnostics"),
            Self::VendorLogs => ("primary-vendor-logs", "secondary-vendor-logs"),
        };
        match which {
            Which::Primary => primary,
            Which::Secondary => secondary,
        }
    }

    /// Whether nothing can be understood without it.
    pub(super) fn is_needed(self) -> bool {
        matches!(self, Self::PhysicalDisks | Self::VirtualDisks | Self::Configurations | Self::DiskData)
    }

    /// Most that is read of it.
    pub(super) fn limit(self) -> Bytes {
        Bytes(if self == Self::Configurations { 8 << 20 } else { 1 << 20 })
    }

    /// Offset and length in a header, in blocks; none where there is no such section.
    pub(super) fn place(self, header: &Header) -> Option<(u32, u32)> {
        let (offset, length) = match self {
            Self::Controller => (header.controller_data_offset, header.controller_data_length),
            Self::PhysicalDisks => (header.physical_disk_records_offset, header.physical_disk_records_length),
            Self::VirtualDisks => (header.virtual_disk_records_offset, header.virtual_disk_records_length),
            Self::Configurations => {
                (header.configuration_records_offset, header.configuration_records_length)
            }
            Self::DiskData => (header.physical_disk_data_offset, header.physical_disk_data_length),
            Self::BadBlocks => (header.bbm_log_offset, header.bbm_log_length),
            Self::Diagnostics => (header.diagnostic_space_offset, header.diagnostic_space_length),
            Self::VendorLogs => (header.vendor_specific_logs_offset, header.vendor_specific_logs_length),
        };
        (offset != NONE && length != 0).then_some((offset, length))
    }

    fn signature(self) -> Option<u32> {
        match self {
            Self::Controller => Some(CONTROLLER),
            Self::PhysicalDisks => Some(PHYSICAL_DISKS),
            Self::VirtualDisks => Some(VIRTUAL_DISKS),
            Self::DiskData => Some(DISK_DATA),
            Self::BadBlocks => Some(BAD_BLOCKS),
            Self::VendorLogs => Some(VENDOR_LOG),
            Self::Configurations | Self::Diagnostics => None,
        }
    }

    /// The lengths that its checksum may cover, of so many bytes.
    fn covered(self, length: usize) -> Vec<usize> {
        match self {
            Self::Controller => vec![Controller::SIZE, length],
            Self::DiskData => vec![DiskData::SIZE, length],
            _ => vec![length],
        }
    }
}

/// A structure with a checksum, in a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Where it begins in the section.
    pub(super) at: usize,
    /// Its length.
    pub(super) length: usize,
    /// Its checksum, if that is right.
    pub(super) sum: Option<Sum>,
}

/// One section.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) kind: Kind,
    /// From the start of the device window.
    pub(super) offset: Bytes,
    /// Equal sections of the two copies share theirs.
    pub(super) bytes: Arc<[u8]>,
    pub(super) parts: Vec<Part>,
    /// What is wrong with its signature.
    pub(super) problem: Option<Problem>,
}

impl Section {
    /// A section with these bytes. Configuration records have `record` bytes each.
    pub(super) fn new(kind: Kind, offset: Bytes, bytes: Arc<[u8]>, record: usize, endian: Endian) -> Self {
        let parts = parts(kind, &bytes, record, endian);
        let problem = kind.signature().filter(|_| parts.is_empty()).map(|expected| {
            let found = signature(&bytes, endian).unwrap_or_default();
            let message =
                format!("{}: the signature is {found:#010x}, expected {expected:#010x}", kind.name());
            Problem::error("section-signature", message)
        });
        Self { kind, offset, bytes, parts, problem }
    }

    /// A section with these bytes and right checksums.
    pub(super) fn sealed(
        kind: Kind,
        offset: Bytes,
        mut bytes: Vec<u8>,
        record: usize,
        endian: Endian,
        default: Sum,
    ) -> Self {
        let unsealed = Self { kind, offset, bytes: Arc::from([]), parts: Vec::new(), problem: None };
        unsealed.seal(&mut bytes, record, endian, default);
        Self::new(kind, offset, Arc::from(bytes), record, endian)
    }

    /// State of its checksums.
    pub(super) fn checksum(&self) -> ChecksumState {
        if self.parts.iter().any(|part| part.sum.is_none()) {
            ChecksumState::Bad
        } else if self.parts.is_empty() {
            ChecksumState::Absent
        } else {
            ChecksumState::Ok
        }
    }

    /// Whether its signature and all its checksums are right.
    pub(super) fn is_sound(&self) -> bool {
        self.problem.is_none() && self.checksum() != ChecksumState::Bad
    }

    /// All that is wrong with its signature and checksums.
    pub(super) fn problems(&self, endian: Endian) -> Vec<Problem> {
        let bad = self.parts.iter().filter(|part| part.sum.is_none());
        let sums = bad.map(|part| {
            let bytes = self.bytes.get(part.at..).unwrap_or_default();
            let place = if part.at == 0 { String::new() } else { format!(" (at byte {})", part.at) };
            checksum_problem(&format!("{}{place}", self.kind.name()), bytes, part.length, endian)
        });
        self.problem.iter().cloned().chain(sums).collect()
    }

    /// Makes the checksums right in changed bytes of the section, in the kind that each had.
    pub(super) fn seal(&self, bytes: &mut [u8], record: usize, endian: Endian, default: Sum) {
        for part in parts(self.kind, bytes, record, endian) {
            let known = self.parts.iter().find(|known| known.at == part.at && known.length == part.length);
            let length = self.kind.covered(part.length).into_iter().min().unwrap_or(part.length);
            let sum = known.and_then(|known| known.sum).unwrap_or(Sum { length, ..default });
            if let Some(structure) =
                part.at.checked_add(part.length).and_then(|end| bytes.get_mut(part.at..end))
            {
                sum.store(structure, endian);
            }
        }
    }
}

/// That a checksum is wrong.
pub(super) fn checksum_problem(what: &str, bytes: &[u8], length: usize, endian: Endian) -> Problem {
    let sum = Sum { variant: sum::Variant::Plain, length };
    let stored = sum::stored(bytes, endian).unwrap_or_default();
    let computed = sum.compute(bytes).unwrap_or_default();
    Problem::error("checksum", format!("{what}: checksum is {stored:#010x}, computed {computed:#010x}"))
}

/// The first number.
pub(super) fn signature(bytes: &[u8], endian: Endian) -> Option<u32> {
    let word = bytes.get(..4)?.try_into().ok()?;
    Some(match endian {
        Endian::Big => u32::from_be_bytes(word),
        Endian::Little => u32::from_le_bytes(word),
    })
}

/// The structures with checksums in a section.
fn parts(kind: Kind, bytes: &[u8], record: usize, endian: Endian) -> Vec<Part> {
    let part = |at: usize, bytes: &[u8]| {
        let length = bytes.len();
        Part { at, length, sum: Sum::find(bytes, &kind.covered(length), endian) }
    };
    if kind == Kind::Configurations {
        let has_sum =
            |bytes: &&[u8]| matches!(signature(bytes, endian), Some(VD_CONFIG | SPARE | VENDOR_CONFIG));
        let records = bytes.chunks_exact(record.max(1)).enumerate().filter(|(_, bytes)| has_sum(bytes));
        return records.map(|(index, bytes)| part(index.saturating_mul(record), bytes)).collect();
    }
    let is_ours = kind.signature().is_some() && kind.signature() == signature(bytes, endian);
    if is_ours { vec![part(0, bytes)] } else { Vec::new() }
}

/// A header and its sections.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub(super) which: Which,
    /// From the start of the device window.
    pub(super) offset: Bytes,
    /// The block of the header.
    pub(super) bytes: Vec<u8>,
    pub(super) header: Header,
    /// The header's checksum, if that is right.
    pub(super) sum: Option<Sum>,
    pub(super) sections: Vec<Section>,
    /// What is wrong with where the sections are.
    pub(super) problems: Vec<Problem>,
}

impl Copy {
    /// The section of that kind.
    pub(super) fn section(&self, kind: Kind) -> Option<&Section> {
        self.sections.iter().find(|section| section.kind == kind)
    }

    /// Whether all that is needed is there and sound.
    pub(super) fn is_sound(&self) -> bool {
        let mut needed = Kind::ALL.into_iter().filter(|kind| kind.is_needed());
        self.sum.is_some() && needed.all(|kind| self.section(kind).is_some_and(Section::is_sound))
    }

    /// Whether it is whole: sound, and not being written.
    pub(super) fn is_whole(&self) -> bool {
        self.is_sound() && !self.header.is_open()
    }

    /// Whether the sections are those of the other copy.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.sections.len() == other.sections.len()
            && self.sections.iter().zip(&other.sections).all(|(a, b)| a.kind == b.kind && a.bytes == b.bytes)
    }

    /// All that is wrong with the header and the sections by themselves.
    pub(super) fn all_problems(&self, endian: Endian) -> Vec<Problem> {
        let mut problems = self.problems.clone();
        if self.sum.is_none() {
            problems.push(checksum_problem("header", &self.bytes, Header::SIZE, endian));
        }
        problems.extend(self.sections.iter().flat_map(|section| section.problems(endian)));
        let name = self.which.name();
        problems
            .into_iter()
            .map(|problem| Problem { message: format!("{name} {}", problem.message), ..problem })
            .collect()
    }
}
