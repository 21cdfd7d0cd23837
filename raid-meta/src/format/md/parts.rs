//! What hangs on a superblock: bitmap, bad-block log, partial parity log, journal.
//!
//! None of it decides whether a superblock is believed. What is damaged, overlaps something or can not be
//! read is a warning, and is then taken for what is safe: a bitmap for all set, a log for empty as the kernel
//! takes it.

use super::badblocks::{self, BadBlocks};
use super::bitmap::{self, Bitmap, Expected};
use super::facts::{DeviceRole, Facts};
use super::journal::{BLOCK_BYTES, Chain, MetaBlock, Ring};
use super::place::{Extent, Place, read_up_to, to_bytes};
use super::ppl::{HEADER_BYTES, PplHeader};
use super::v1::{V1, feature};
use crate::device::{Device, DeviceError};
use crate::model::{Area, Field};
use crate::record::{ChecksumState, Problem};
use crate::units::{Bytes, SECTOR_BYTES, Sectors};

/// Most headers of a ring of partial parity logs: it has 1 MiB.
const MAX_PPL_HEADERS: usize = 256;
/// Room of a 0.90 bitmap, in sectors from the superblock: the rest of the 64 KiB.
const V0_BITMAP: (i64, Sectors) = (8, Sectors(120));

/// The parts.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    /// Write-intent bitmap.
    pub(super) bitmap: Option<Bitmap>,
    /// Bad-block log.
    pub(super) bad_blocks: Option<BadBlocks>,
    /// Headers of the partial parity log, the first whatever it holds, the others as long as they are valid.
    pub(super) ppl: Vec<PplHeader>,
    /// On a journal device: the block at the tail, and what the chain amounts to.
    pub(super) journal: Option<(MetaBlock, Chain)>,
    /// What is wrong with them.
    pub(super) problems: Vec<Problem>,
    /// Bytes that are in use: every byte is in one area at most.
    claimed: Vec<Extent>,
}

impl Parts {
    /// Reads the parts of a 1.x superblock.
    pub(super) fn of_v1(device: &Device, place: &Place, superblock: &V1, facts: &Facts) -> Self {
        let mut parts = Self::default();
        let layout = Layout { place, superblock };
        parts.problems.extend(layout.problems());
        parts.claimed.push(layout.superblock());
        parts.note(|parts| parts.read_bad_blocks(device, place, superblock));
        parts.note(|parts| parts.read_bitmap(device, place, layout.bitmap_place(), facts));
        parts.note(|parts| parts.read_ppl(device, place, superblock, facts));
        parts.note(|parts| parts.read_journal(device, superblock, facts));
        parts
    }

    /// Reads the bitmap of a 0.90 superblock.
    pub(super) fn of_v0(device: &Device, place: &Place, facts: &Facts) -> Self {
        let mut parts = Self::default();
        let (distance, room) = V0_BITMAP;
        let bitmap = place.relative(distance).filter(|_| facts.has_bitmap).map(|sector| (sector, room));
        parts.note(|parts| parts.read_bitmap(device, place, bitmap, facts));
        parts
    }

    /// Does one thing; what can not be read is a problem, not an error: the superblock is sound.
    fn note(&mut self, read: impl FnOnce(&mut Self) -> Result<(), DeviceError>) {
        if let Err(error) = read(self) {
            self.problems.push(Problem::warning("unreadable", error.to_string()));
        }
    }

    /// Takes bytes for an area, unless they are another's. That is then a problem, and the area is not read.
    fn claim(&mut self, name: &'static str, start: Sectors, bytes: &[u8]) -> bool {
        let length = Sectors((bytes.len() as u64).div_ceil(SECTOR_BYTES));
        let wanted = Extent { name, start, length };
        if let Some(other) = self.claimed.iter().find(|other| other.overlaps(&wanted)) {
            let message = format!("{name} at sector {start} overlaps the {}", other.name);
            let problem = Problem::warning("area-overlaps", message);
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
            return false;
        }
        self.claimed.push(wanted);
        true
    }

    fn read_bitmap(
        &mut self,
        device: &Device,
        place: &Place,
        found: Option<(Sectors, Sectors)>,
        facts: &Facts,
    ) -> Result<(), DeviceError> {
        let Some((sector, room)) = found else { return Ok(()) };
        let header = read_up_to(device, sector, bitmap::HEAD_BYTES)?;
        let Some(head) = Bitmap::decode(&header, sector) else {
            let message = format!("bitmap at sector {sector} is beyond the end of the device");
            self.problems.push(Problem::warning("bitmap-invalid", message));
            return Ok(());
        };
        let wanted = head.head.wanted_bytes().and_then(|bytes| usize::try_from(bytes).ok());
        let wanted = wanted.unwrap_or(bitmap::HEAD_BYTES).min(bitmap::MAX_BYTES);
        let room = usize::try_from(to_bytes(room).0).unwrap_or(bitmap::MAX_BYTES);
        let bytes = read_up_to(device, sector, place.round_up(wanted).min(room).max(bitmap::HEAD_BYTES))?;
        if !self.claim("bitmap", sector, &bytes) {
            return Ok(());
        }
        let decoded = Bitmap::decode(&bytes, sector);
        let expected = Expected { uuid: facts.uuid_bytes, events: facts.events };
        self.problems.extend(decoded.iter().flat_map(|bitmap| bitmap.problems(&expected)));
        self.bitmap = decoded;
        Ok(())
    }

    fn read_bad_blocks(
        &mut self,
        device: &Device,
        place: &Place,
        superblock: &V1,
    ) -> Result<(), DeviceError> {
        let head = &superblock.head;
        let Some(log) = (Layout { place, superblock }).bad_blocks() else { return Ok(()) };
        let length = usize::from(head.bblog_size.min(badblocks::MAX_SECTORS)).saturating_mul(512);
        let bytes = read_up_to(device, log.start, length)?;
        if bytes.len() < length {
            let message = format!("bad-block log ends after {} of {length} bytes", bytes.len());
            self.problems.push(Problem::warning("bad-block-log-invalid", message));
        }
        if bytes.is_empty() || !self.claim("bad-block log", log.start, &bytes) {
            return Ok(());
        }
        let log = BadBlocks::decode(&bytes, log.start, head.bblog_shift);
        self.problems.extend(log.problems(place.device));
        self.bad_blocks = Some(log);
        Ok(())
    }

    fn read_ppl(
        &mut self,
        device: &Device,
        place: &Place,
        superblock: &V1,
        facts: &Facts,
    ) -> Result<(), DeviceError> {
        let Some(log) = (Layout { place, superblock }).ppl() else { return Ok(()) };
        let most = if superblock.has(feature::MULTIPLE_PPLS) { MAX_PPL_HEADERS } else { 1 };
        let mut sector = log.start;
        while self.ppl.len() < most && sector < log.end() {
            let bytes = read_up_to(device, sector, HEADER_BYTES)?;
            let Some(header) = PplHeader::decode(&bytes, sector) else { break };
            if !self.claim("partial parity log", sector, &bytes) {
                break;
            }
            let problem = header.problem(&facts.uuid_bytes);
            let is_first = self.ppl.is_empty();
            let next = header.next_sector();
            if problem.is_none() || is_first {
                self.ppl.push(header);
            }
            if let Some(problem) = problem {
                self.problems.extend(is_first.then_some(problem));
                break;
            }
            let Some(next) = next else { break };
            sector = next;
        }
        Ok(())
    }

    fn read_journal(&mut self, device: &Device, superblock: &V1, facts: &Facts) -> Result<(), DeviceError> {
        if facts.role != DeviceRole::Journal {
            return Ok(());
        }
        let tail = Sectors(superblock.head.recovery_offset);
        let ring = Ring { start: facts.data_offset, length: facts.data_size, tail };
        let read = |sector| Ok(MetaBlock::decode(&read_up_to(device, sector, BLOCK_BYTES)?, sector));
        let chain = ring.follow(&facts.uuid_bytes, read)?;
        if chain == Chain::Nothing {
            let message = format!("no valid journal block at the tail, sector {tail} of the journal");
            self.problems.push(Problem::warning("journal-invalid", message));
        }
        let sector = ring.start.checked_add(tail).filter(|_| tail < ring.length);
        if let Some(sector) = sector {
            let bytes = read_up_to(device, sector, BLOCK_BYTES)?;
            let block = MetaBlock::decode(&bytes, sector);
            self.journal =
                block.filter(|_| self.claim("journal", sector, &bytes)).map(|block| (block, chain));
        }
        Ok(())
    }

    /// The areas.
    pub(super) fn areas(&self, uuid: &[u8; 16]) -> Vec<Area> {
        let area = |role, sector, bytes, checksum| Area { role, offset: to_bytes(sector), bytes, checksum };
        let mut areas = Vec::new();
        areas.extend(
            self.bitmap
                .iter()
                .map(|bitmap| area("bitmap", bitmap.sector, bitmap.encode(), ChecksumState::Absent)),
        );
        areas.extend(
            self.bad_blocks
                .iter()
                .map(|log| area("bad-block-log", log.sector, log.encode(), ChecksumState::Absent)),
        );
        areas.extend(
            self.ppl.iter().map(|header| area("ppl", header.sector, header.encode(), header.checksum())),
        );
        areas.extend(
            self.journal
                .iter()
                .map(|(block, _)| area("journal", block.sector, block.encode(), block.checksum(uuid))),
        );
        areas
    }

    /// The fields of all areas.
    pub(super) fn fields(&self) -> Vec<Field> {
        let at = |sector| -> Bytes { to_bytes(sector) };
        let bitmap = self.bitmap.iter().flat_map(|bitmap| bitmap.fields(at(bitmap.sector)));
        let bad_blocks = self.bad_blocks.iter().flat_map(|log| log.fields(at(log.sector)));
        let headers = self.ppl.iter().enumerate();
        let ppl = headers.flat_map(|(index, header)| header.fields(index, at(header.sector)));
        let journal = self.journal.iter().flat_map(|(block, _)| block.fields(at(block.sector)));
        bitmap.chain(bad_blocks).chain(ppl).chain(journal).collect()
    }
}

/// Where a 1.x superblock says that its parts are.
struct Layout<'a> {
    place: &'a Place,
    superblock: &'a V1,
}

impl Layout<'_> {
    fn superblock(&self) -> Extent {
        let length = Sectors((self.superblock.encode().len() as u64).div_ceil(SECTOR_BYTES));
        Extent { name: "superblock", start: self.place.sector, length }
    }

    fn data(&self) -> Extent {
        let head = &self.superblock.head;
        Extent { name: "data", start: Sectors(head.data_offset), length: Sectors(head.data_size) }
    }

    fn bad_blocks(&self) -> Option<Extent> {
        let head = &self.superblock.head;
        let start = self.place.relative(i64::from(head.bblog_offset))?;
        let length = Sectors(u64::from(head.bblog_size));
        (head.bblog_offset != 0 && !length.is_zero()).then_some(Extent {
            name: "bad-block log",
            start,
            length,
        })
    }

    fn ppl(&self) -> Option<Extent> {
        let (distance, length) = self.superblock.ppl_place();
        let start = self.place.relative(i64::from(distance))?;
        self.superblock.has_ppl().then_some(Extent { name: "partial parity log", start, length })
    }

    fn bitmap_start(&self) -> Option<Sectors> {
        let distance = i64::from(self.superblock.head.bitmap_offset);
        let has_bitmap = self.superblock.has(feature::BITMAP) && !self.superblock.has_ppl();
        self.place.relative(distance).filter(|_| has_bitmap && distance != 0)
    }

    /// Start of the bitmap and the room up to the next thing.
    fn bitmap_place(&self) -> Option<(Sectors, Sectors)> {
        let start = self.bitmap_start()?;
        let others = [Some(self.superblock()), Some(self.data()), self.bad_blocks()];
        let next = others.iter().flatten().map(|extent| extent.start).filter(|&next| next > start).min();
        let end = next.unwrap_or(self.place.device).min(self.place.device);
        Some((start, end.saturating_sub(start)))
    }

    /// Things that are in each other's way, or too large.
    fn problems(&self) -> Vec<Problem> {
        let head = &self.superblock.head;
        let bitmap = self.bitmap_start().map(|start| Extent { name: "bitmap", start, length: Sectors(1) });
        let extents: Vec<Extent> =
            [Some(self.superblock()), Some(self.data()), bitmap, self.bad_blocks(), self.ppl()]
                .into_iter()
                .flatten()
                .collect();
        let mut problems = Vec::new();
        for (index, extent) in extents.iter().enumerate() {
            for other in extents.iter().take(index).filter(|other| other.overlaps(extent)) {
                let message =
                    format!("{} at sector {} overlaps the {}", extent.name, extent.start, other.name);
                problems.push(Problem::warning("area-overlaps", message));
            }
        }
        if head.bblog_offset != 0 && head.bblog_size > badblocks::KERNEL_SECTORS {
            let message = format!(
                "bad-block log has {} sectors, the kernel takes at most {}",
                head.bblog_size,
                badblocks::KERNEL_SECTORS
            );
            problems.push(Problem::warning("bad-block-log-too-large", message));
        }
        if head.bblog_offset != 0 && head.bblog_shift >= 64 {
            let message = format!("bad-block log shift is {}, expected less than 64", head.bblog_shift);
            problems.push(Problem::warning("bad-block-log-invalid", message));
        }
        problems
    }
}
