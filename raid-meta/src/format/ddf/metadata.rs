//! All that is on one disk, and which of it to believe.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::copy::{Copy, Kind, Section, Which};
use super::read::record_length;
use super::structs::{DiskData, Guid, Header, PdEntry, SpareHead, VdEntry};
use super::sum::Sum;
use super::tables::{self, Config};
use super::{NAME, check, fields, view};
use crate::device::Device;
use crate::escape;
use crate::format::Metadata;
use crate::format::schema::{DiskStruct, Endian};
use crate::model::{Area, Field, MemberView};
use crate::record::{ChecksumState, Problem};
use crate::units::{Bytes, SECTOR_BYTES, SectorSize, Sectors};

/// The block at the end of the disk that says where the copies are.
#[derive(Clone, Debug)]
pub(super) struct Anchor {
    pub(super) offset: Bytes,
    pub(super) bytes: Vec<u8>,
    pub(super) header: Header,
    /// Its checksum, if that is right.
    pub(super) sum: Option<Sum>,
}

/// The metadata of one disk.
#[derive(Clone, Debug)]
pub(super) struct Ddf {
    /// The unit of all places and lengths.
    pub(super) block: SectorSize,
    /// Size of the device window.
    pub(super) size: Bytes,
    pub(super) endian: Endian,
    pub(super) anchor: Option<Anchor>,
    pub(super) primary: Option<Copy>,
    pub(super) secondary: Option<Copy>,
    /// What is wrong with the anchor, and with what it leads to.
    pub(super) problems: Vec<Problem>,
}

impl Ddf {
    /// Where it was found: the anchor, or what stands in for it.
    pub(super) fn offset(&self) -> Bytes {
        let anchor = self.anchor.as_ref().map(|anchor| anchor.offset);
        anchor.or(self.copies().next().map(|copy| copy.offset)).unwrap_or_default()
    }

    /// The copies, the primary first.
    pub(super) fn copies(&self) -> impl Iterator<Item = &Copy> {
        self.primary.iter().chain(&self.secondary)
    }

    /// The copy that counts: a whole one before one that is being written or damaged, then the newest, then the
    /// primary. None when no header is sound.
    pub(super) fn believed(&self) -> Option<&Copy> {
        let rank = |copy: &&Copy| {
            (copy.is_whole(), copy.is_sound(), copy.header.sequence_number, copy.which == Which::Primary)
        };
        self.copies().filter(|copy| copy.sum.is_some()).max_by_key(rank)
    }

    /// The copy that does not count.
    pub(super) fn other(&self) -> Option<&Copy> {
        let believed = self.believed()?;
        self.copies().find(|copy| copy.which != believed.which)
    }

    /// The header that counts; the anchor where no copy has one.
    pub(super) fn header(&self) -> Option<&Header> {
        let anchor = self.anchor.as_ref().map(|anchor| &anchor.header);
        self.believed().map(|copy| &copy.header).or(anchor).or(self.copies().next().map(|copy| &copy.header))
    }

    /// The section that counts: of the other copy where it is damaged here, and was written together with this one.
    pub(super) fn section(&self, kind: Kind) -> Option<&Section> {
        let believed = self.believed()?;
        let own = believed.section(kind);
        if own.is_some_and(Section::is_sound) {
            return own;
        }
        let same = |other: &&Copy| {
            other.sum.is_some()
                && !other.header.is_open()
                && other.header.sequence_number == believed.header.sequence_number
        };
        let spare = self.other().filter(same).and_then(|other| other.section(kind));
        spare.filter(|section| section.is_sound()).or(own)
    }

    fn bytes(&self, kind: Kind) -> &[u8] {
        self.section(kind).map(|section| &*section.bytes).unwrap_or_default()
    }

    /// Bytes of a configuration record.
    pub(super) fn record(&self) -> usize {
        self.header().map_or(0, |header| record_length(header, self.block))
    }

    /// The physical disks of the group.
    pub(super) fn physical_disks(&self) -> Vec<(usize, PdEntry)> {
        tables::physical_disks(self.bytes(Kind::PhysicalDisks), self.endian)
    }

    /// The virtual disks of the group.
    pub(super) fn virtual_disks(&self) -> Vec<(usize, VdEntry)> {
        tables::virtual_disks(self.bytes(Kind::VirtualDisks), self.endian)
    }

    /// The configurations of the virtual disks that this disk is in.
    pub(super) fn configs(&self) -> Vec<Config> {
        let room = self.header().map_or(0, |header| header.max_primary_element_entries);
        tables::configs(self.bytes(Kind::Configurations), self.record(), room, self.endian)
    }

    /// What this disk is a spare for.
    pub(super) fn spare(&self) -> Option<(SpareHead, Vec<Guid>)> {
        tables::spare(self.bytes(Kind::Configurations), self.record(), self.endian)
    }

    /// Blocks of this disk whose content is not where it was, or lost: first block and count.
    pub(super) fn bad_blocks(&self) -> Vec<(u64, u64)> {
        let section = self.section(Kind::BadBlocks).filter(|section| section.is_sound());
        section.map(|section| tables::bad_blocks(&section.bytes, self.endian)).unwrap_or_default()
    }

    /// Which disk this one is, where that can be believed.
    pub(super) fn disk_data(&self) -> Option<DiskData> {
        let section = self.section(Kind::DiskData).filter(|section| section.is_sound())?;
        DiskData::decode(&section.bytes, self.endian)
    }

    /// Blocks as sectors.
    pub(super) fn sectors(&self, blocks: u64) -> Sectors {
        Sectors(blocks.saturating_mul(self.block.bytes().0 / SECTOR_BYTES))
    }

    /// How structures whose checksum was wrong are to be covered.
    pub(super) fn default_sum(&self) -> Sum {
        let sums = self.copies().filter_map(|copy| copy.sum).chain(self.anchor.iter().filter_map(|a| a.sum));
        Sum { variant: sums.map(|sum| sum.variant).next().unwrap_or_default(), length: Header::SIZE }
    }

    /// What makes all of it unbelievable.
    pub(super) fn fatal_problems(&self) -> Vec<Problem> {
        if self.believed().is_none() {
            let mut problems = self.problems.clone();
            problems.extend(self.copies().flat_map(|copy| copy.all_problems(self.endian)));
            return problems;
        }
        let is_lost = |kind: &Kind| match (kind, self.section(*kind)) {
            (kind, None) => kind.is_needed(),
            // One damaged record does not make the others wrong, and without its name a disk is still of the set.
            (Kind::PhysicalDisks | Kind::VirtualDisks, Some(section)) => !section.is_sound(),
            _ => false,
        };
        let lost = Kind::ALL.into_iter().filter(is_lost);
        lost.map(|kind| {
            let message = format!("{}: no copy can be believed", kind.name());
            Problem::error("section-damaged", message)
        })
        .collect()
    }

    /// Whether the two copies say the same, both whole.
    fn copies_say_the_same(&self) -> bool {
        let (Some(primary), Some(secondary)) = (&self.primary, &self.secondary) else { return false };
        primary.is_whole()
            && secondary.is_whole()
            && primary.header.sequence_number == secondary.header.sequence_number
            && primary.says_the_same(secondary)
    }
}

fn header_area(role: &'static str, offset: Bytes, bytes: &[u8], sum: Option<Sum>) -> Area {
    let checksum = if sum.is_some() { ChecksumState::Ok } else { ChecksumState::Bad };
    Area { role, offset, bytes: bytes.to_vec(), checksum }
}

/// The areas of a copy, its header last: without it, the sections are nothing.
pub(super) fn copy_areas(copy: &Copy) -> impl Iterator<Item = Area> {
    let sections = copy.sections.iter().map(|section| Area {
        role: section.kind.role(copy.which),
        offset: section.offset,
        bytes: section.bytes.to_vec(),
        checksum: section.checksum(),
    });
    let header = header_area(copy.which.header_role(), copy.offset, &copy.bytes, copy.sum);
    sections.chain(std::iter::once(header))
}

impl Metadata for Ddf {
    fn format(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> String {
        self.header().map_or_else(String::new, |header| escape::escape_padded(&header.ddf_rev))
    }

    /// Copy by copy, each header after its sections, the anchor last: in that order they can be written.
    fn areas(&self) -> Vec<Area> {
        let anchor = self.anchor.iter();
        let anchor = anchor.map(|anchor| header_area("anchor", anchor.offset, &anchor.bytes, anchor.sum));
        self.copies().flat_map(copy_areas).chain(anchor).collect()
    }

    fn fields(&self) -> Vec<Field> {
        fields::all(self)
    }

    fn check(&self) -> Vec<Problem> {
        check::all(self)
    }

    fn seal(&self, areas: &mut [Area]) {
        let default = self.default_sum();
        for area in areas {
            if let Some(anchor) = self.anchor.iter().find(|anchor| anchor.offset == area.offset) {
                anchor.sum.unwrap_or(default).store(&mut area.bytes, self.endian);
            }
            for copy in self.copies() {
                if copy.offset == area.offset {
                    copy.sum.unwrap_or(default).store(&mut area.bytes, self.endian);
                }
                let record = record_length(&copy.header, self.block);
                let section = copy.sections.iter().find(|section| {
                    section.offset == area.offset && area.role == section.kind.role(copy.which)
                });
                if let Some(section) = section {
                    section.seal(&mut area.bytes, record, self.endian, default);
                }
            }
        }
    }

    fn copies_agree(&self) -> bool {
        self.copies_say_the_same()
    }

    fn view(&self, device: &Device) -> MemberView {
        view::view(self, device)
    }
}
