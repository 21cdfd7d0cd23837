//! From a device to the metadata on it.
//!
//! The anchor in the last block says where the two copies are. Only what it leads to is read, every length
//! bounded. Where the anchor is gone, one of the copies can stand in for it, see [`find`].

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::copy::{Copy, Kind, Section, Which, checksum_problem, signature};
use super::metadata::{Anchor, Ddf};
use super::structs::{DISK_DATA, DiskData, HEADER, Header};
use super::sum::Sum;
use crate::device::{Device, DeviceError, ReadAt};
use crate::format::claims::Claims;
use crate::format::schema::{DiskStruct, Endian};
use crate::record::Problem;
use crate::units::{Bytes, SECTOR_LENGTH, SectorSize};
use std::sync::Arc;

/// How far before the end of a disk mdadm, and firmware like it, put the primary header.
pub(super) const USUAL_DISTANCE: Bytes = Bytes(16 << 20);
/// What a search for a header at the end of a window covers.
const SEARCHED: u64 = 1 << 20;

/// What is in the place of an anchor.
pub(super) enum Found {
    /// Metadata.
    Metadata(Box<Ddf>),
    /// An anchor, which is where a disk with blocks of that size has it.
    OtherBlocks(SectorSize, Bytes),
}

/// The metadata of a device: at its anchor, or where the anchor is gone
///  * with a partition table over it: at the usual distance from the end,
///  * in a window that ends with a copy's last section: in front of that.
///
/// # Errors
/// A read failed.
pub(super) fn find(device: &Device) -> Result<Option<Found>, DeviceError> {
    let own = device.sector_size();
    if let Some((anchor, endian)) = anchor(device, own)? {
        return Ok(load(device, own, endian, Some(anchor))?.map(|ddf| Found::Metadata(Box::new(ddf))));
    }
    for other in [SectorSize::B512, SectorSize::B4096] {
        if let Some((anchor, _)) = anchor(device, other)?.filter(|_| other != own) {
            return Ok(anchor.sum.map(|_| Found::OtherBlocks(other, anchor.offset)));
        }
    }
    let lost = lost_anchor(device, own)?;
    Ok(lost.map(|ddf| Found::Metadata(Box::new(ddf))))
}

/// The byte order of a header; none when it is not one.
pub(super) fn header_order(bytes: &[u8]) -> Option<Endian> {
    [Endian::Big, Endian::Little].into_iter().find(|endian| signature(bytes, *endian) == Some(HEADER))
}

/// The checksum of a header, if it is right.
pub(super) fn header_sum(bytes: &[u8], endian: Endian) -> Option<Sum> {
    Sum::find(bytes, &[Header::SIZE, bytes.len()], endian)
}

/// The last block of that size, if it is a header.
fn anchor(device: &Device, block: SectorSize) -> Result<Option<(Anchor, Endian)>, DeviceError> {
    let Some(offset) = device.size().checked_sub(block.bytes()) else { return Ok(None) };
    if !device.size().0.is_multiple_of(block.bytes().0) {
        return Ok(None);
    }
    let Some(head) = device.read(offset, SECTOR_LENGTH)? else { return Ok(None) };
    let Some(endian) = header_order(&head) else { return Ok(None) };
    let Some(bytes) = device.read(offset, block_length(block))? else { return Ok(None) };
    let Some(header) = Header::decode(&bytes, endian) else { return Ok(None) };
    let sum = header_sum(&bytes, endian);
    Ok(Some((Anchor { offset, bytes, header, sum }, endian)))
}

fn block_length(block: SectorSize) -> usize {
    usize::try_from(block.bytes().0).unwrap_or(SECTOR_LENGTH)
}

/// Reads what an anchor leads to. None when that is nothing, and the anchor itself is not one.
fn load(
    device: &Device,
    block: SectorSize,
    endian: Endian,
    anchor: Option<Anchor>,
) -> Result<Option<Ddf>, DeviceError> {
    let Some(header) = anchor.as_ref().map(|anchor| anchor.header.clone()) else { return Ok(None) };
    let mut problems = Vec::new();
    if let Some(anchor) = anchor.as_ref().filter(|anchor| anchor.sum.is_none()) {
        problems.push(checksum_problem("anchor", &anchor.bytes, Header::SIZE, endian));
    }
    let mut source = Source::new(device, block, endian);
    if let Some(anchor) = &anchor {
        source.claims.take(anchor.offset, anchor.bytes.len());
    }
    let primary = source.copy(Which::Primary, &header, None, &mut problems)?;
    let secondary = source.copy(Which::Secondary, &header, primary.as_ref(), &mut problems)?;
    let is_chance = anchor.as_ref().is_some_and(|anchor| anchor.sum.is_none())
        && primary.is_none()
        && secondary.is_none()
        && !header.ddf_rev.starts_with(b"0");
    let ddf = Ddf { block, size: device.size(), endian, anchor, primary, secondary, problems };
    Ok((!is_chance).then_some(ddf))
}

/// Metadata whose anchor is gone.
fn lost_anchor(device: &Device, block: SectorSize) -> Result<Option<Ddf>, DeviceError> {
    let Some(offset) = device.size().checked_sub(block.bytes()) else { return Ok(None) };
    let Some(last) = device.read(offset, block_length(block))? else { return Ok(None) };
    let header = if last.starts_with(b"EFI PART") {
        header_at_usual_place(device)?
    } else if is_disk_data(&last) {
        header_before(device, block)?
    } else {
        None
    };
    let Some((header, endian)) = header else { return Ok(None) };
    let mut source = Source::new(device, block, endian);
    let mut problems = vec![Problem::error(
        "anchor-missing",
        format!(
            "there is no anchor in the last block (byte {offset}); the copies have been found without it"
        ),
    )];
    let primary = source.copy(Which::Primary, &header, None, &mut problems)?;
    let secondary = source.copy(Which::Secondary, &header, primary.as_ref(), &mut problems)?;
    let ddf = Ddf { block, size: device.size(), endian, anchor: None, primary, secondary, problems };
    Ok(ddf.believed().is_some().then_some(ddf))
}

fn is_disk_data(bytes: &[u8]) -> bool {
    let is = |endian| {
        signature(bytes, endian) == Some(DISK_DATA)
            && Sum::find(bytes, &[DiskData::SIZE, bytes.len()], endian).is_some()
    };
    is(Endian::Big) || is(Endian::Little)
}

/// A sound header.
pub(super) fn sound_header(bytes: &[u8]) -> Option<(Header, Endian)> {
    let endian = header_order(bytes)?;
    header_sum(bytes, endian)?;
    Some((Header::decode(bytes, endian)?, endian))
}

fn header_at_usual_place(device: &Device) -> Result<Option<(Header, Endian)>, DeviceError> {
    let Some(offset) = device.size().checked_sub(USUAL_DISTANCE) else { return Ok(None) };
    Ok(device.read(offset, SECTOR_LENGTH)?.and_then(|bytes| sound_header(&bytes)))
}

/// The last header in front of the end of the window.
fn header_before(device: &Device, block: SectorSize) -> Result<Option<(Header, Endian)>, DeviceError> {
    let length = device.size().0.min(SEARCHED);
    let start = device.size().saturating_sub(Bytes(length));
    let Some(bytes) = device.read(start, usize::try_from(length).unwrap_or_default())? else {
        return Ok(None);
    };
    Ok(bytes.rchunks_exact(block_length(block)).find_map(sound_header))
}

/// Where copies are read from.
struct Source<'a> {
    device: &'a Device,
    block: SectorSize,
    endian: Endian,
    /// What has been read of it.
    claims: Claims,
}

impl<'a> Source<'a> {
    fn new(device: &'a Device, block: SectorSize, endian: Endian) -> Self {
        Self { device, block, endian, claims: Claims::default() }
    }

    /// The copy that a header points to; none, and a problem, where there is no header.
    fn copy(
        &mut self,
        which: Which,
        anchor: &Header,
        other: Option<&Copy>,
        problems: &mut Vec<Problem>,
    ) -> Result<Option<Copy>, DeviceError> {
        let lba = which.lba(anchor);
        if which == Which::Secondary && lba == u64::MAX {
            return Ok(None);
        }
        let mut problem = |message: String| {
            problems.push(Problem::error("header-missing", format!("{} header: {message}", which.name())));
            Ok(None)
        };
        let Some(offset) = self.offset(lba) else {
            return problem(format!("block {lba} is beyond any disk"));
        };
        let Some(bytes) = self.device.read(offset, block_length(self.block))? else {
            let blocks = self.blocks(self.device.size());
            return problem(format!("it is in block {lba}, the device has {blocks}"));
        };
        if signature(&bytes, self.endian) != Some(HEADER) {
            return problem(format!("there is none in block {lba}"));
        }
        if !self.claims.take(offset, bytes.len()) {
            return problem(format!("block {lba} is other metadata of the disk"));
        }
        let Some(header) = Header::decode(&bytes, self.endian) else { return Ok(None) };
        let sum = header_sum(&bytes, self.endian);
        let mut copy = Copy { which, offset, bytes, header, sum, sections: Vec::new(), problems: Vec::new() };
        if sum.is_some() {
            self.sections(&mut copy, other)?;
        }
        Ok(Some(copy))
    }

    fn offset(&self, blocks: u64) -> Option<Bytes> {
        self.block.bytes().checked_mul(blocks)
    }

    /// Whole blocks in a length.
    fn blocks(&self, length: Bytes) -> u64 {
        length.0.checked_div(self.block.bytes().0).unwrap_or_default()
    }

    /// Reads all sections of a copy: in one piece where they lie side by side.
    fn sections(&mut self, copy: &mut Copy, other: Option<&Copy>) -> Result<(), DeviceError> {
        let mut places = Vec::new();
        for kind in Kind::ALL {
            match self.place(copy, kind) {
                Ok(place) => places.extend(place.map(|(offset, length)| (kind, offset, length))),
                Err(problem) => copy.problems.push(problem),
            }
        }
        let span = self.span(&places)?;
        let record = record_length(&copy.header, self.block);
        for (kind, offset, length) in places {
            let bytes = match &span {
                Some((start, bytes)) => cut(bytes, *start, offset, length),
                None => self.device.read(offset, length)?,
            };
            let Some(bytes) = bytes else { continue };
            let twin = other.and_then(|other| other.section(kind)).filter(|twin| twin.bytes[..] == bytes[..]);
            let twin = twin
                .filter(|_| other.is_some_and(|other| record == record_length(&other.header, self.block)));
            copy.sections.push(match twin {
                Some(twin) => Section { offset, ..twin.clone() },
                None => Section::new(kind, offset, Arc::from(bytes), record, self.endian),
            });
        }
        Ok(())
    }

    /// Where a section is, bounded; none where there is none.
    fn place(&mut self, copy: &Copy, kind: Kind) -> Result<Option<(Bytes, usize)>, Problem> {
        let Some((offset, length)) = kind.place(&copy.header) else {
            return match kind.is_needed() {
                true => Err(Problem::error("section-missing", format!("{}: there is none", kind.name()))),
                false => Ok(None),
            };
        };
        let out =
            |message: String| Err(Problem::error("out-of-range", format!("{}: {message}", kind.name())));
        if offset == 0 {
            return out("it begins in the header".to_owned());
        }
        let limit = self.blocks(kind.limit());
        if u64::from(length) > limit {
            return out(format!("{length} blocks, expected at most {limit}"));
        }
        let start = self.offset(u64::from(offset)).and_then(|start| start.checked_add(copy.offset));
        let length = self.offset(u64::from(length));
        let end = start.zip(length).and_then(|(start, length)| start.checked_add(length));
        match (start, length, end) {
            (Some(start), Some(length), Some(end)) if end <= self.device.size() => {
                let length = usize::try_from(length.0).unwrap_or_default();
                if !self.claims.take(start, length) {
                    let message = format!("{}: at byte {start} it overlaps other metadata", kind.name());
                    return Err(Problem::error("overlap", message));
                }
                Ok(Some((start, length)))
            }
            _ => out(format!("it ends beyond the device of {} bytes", self.device.size())),
        }
    }

    /// The sections in one read, unless there is more between them than in them.
    fn span(&self, places: &[(Kind, Bytes, usize)]) -> Result<Option<(Bytes, Vec<u8>)>, DeviceError> {
        let start = places.iter().map(|(_, offset, _)| *offset).min();
        let end = places.iter().map(|(_, offset, length)| offset.saturating_add(Bytes(*length as u64))).max();
        let (Some(start), Some(end)) = (start, end) else { return Ok(None) };
        let inside: u64 = places.iter().map(|(_, _, length)| *length as u64).fold(0, u64::saturating_add);
        let length = end.saturating_sub(start).0;
        if length > inside.saturating_mul(2) {
            return Ok(None);
        }
        let bytes = self.device.read(start, usize::try_from(length).unwrap_or_default())?;
        Ok(bytes.map(|bytes| (start, bytes)))
    }
}

fn cut(bytes: &[u8], start: Bytes, offset: Bytes, length: usize) -> Option<Vec<u8>> {
    let from = usize::try_from(offset.checked_sub(start)?.0).ok()?;
    bytes.get(from..from.checked_add(length)?).map(<[u8]>::to_vec)
}

/// Bytes of a configuration record, at least one block.
pub(super) fn record_length(header: &Header, block: SectorSize) -> usize {
    let blocks = usize::from(header.configuration_record_length.max(1));
    blocks.saturating_mul(block_length(block)).max(SECTOR_LENGTH)
}
