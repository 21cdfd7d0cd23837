//! Writing to an array in userspace: data, and redundancy with it.
//!
//! Mirrors and raid10 write every copy. The parity levels compute P and Q of the sectors that are touched anew from
//! all data of the stripe (a reconstruct-write): what is written over need not be read, and parity that was out
//! of step there is in step afterwards. Data goes out before its parity, and nothing is made durable before
//! [`WritableVolume::flush`]: a write that is interrupted leaves stripes whose parity is old, and whoever
//! writes marks the array dirty first, in its own metadata.

use super::error::{OpenVolumeError, WriteError};
use super::{OpenOptions, Part, Sources, Volume};
use crate::layout::{Extent, Role, Row};
use crate::parity::{self, Weighted};
use raid_meta::device::{ReadAt, WriteAt};
use raid_meta::record::{ArrayMember, ArrayRecord, MemberState};
use raid_meta::units::{Bytes, SECTOR_BYTES, SECTOR_LENGTH, SectorSize, Sectors, Slot};
use std::io;
use std::sync::Arc;

/// Where the members of an array are written to.
pub trait Targets {
    /// Opens the device (window) or the subset that a member record names, for reading and writing.
    ///
    /// # Errors
    /// One line: what can not be opened, and why.
    fn open(&self, member: &ArrayMember) -> Result<Arc<dyn WriteAt>, String>;
}

/// An array that can be read and written.
pub struct WritableVolume {
    volume: Volume,
    /// By slot; none where the member is missing.
    targets: Vec<Option<Arc<dyn WriteAt>>>,
}

/// The targets, opened once, as what the reading half takes.
struct Opened<'a> {
    members: &'a [ArrayMember],
    targets: &'a [Option<Arc<dyn WriteAt>>],
}

impl Sources for Opened<'_> {
    fn open(&self, member: &ArrayMember) -> Result<Arc<dyn ReadAt>, String> {
        let index = self.members.iter().position(|other| other.slot == member.slot);
        let target = index.and_then(|index| self.targets.get(index)?.clone());
        target.map(|target| target as Arc<dyn ReadAt>).ok_or_else(|| "not opened".to_owned())
    }
}

impl WritableVolume {
    /// Opens an array for writing. With `degraded`, an array that misses members is opened too; the caller has
    /// recorded in its metadata that those members are out of date from now on.
    ///
    /// # Errors
    /// As [`Volume::open`]; moreover a reshape, a write log with entries, a member that is being rebuilt, and
    /// without `degraded` one that is missing.
    pub fn open(array: &ArrayRecord, targets: &dyn Targets, degraded: bool) -> Result<Self, OpenVolumeError> {
        refuse_unwritable(array, degraded)?;
        let open = |member: &ArrayMember| {
            let wanted = member.state == MemberState::InSync;
            wanted.then(|| targets.open(member)).transpose().map_err(|message| OpenVolumeError::Member {
                name: array.name.clone(),
                slot: member.slot.0,
                message,
            })
        };
        let targets: Vec<_> = array.members.iter().map(open).collect::<Result<_, _>>()?;
        let opened = Opened { members: &array.members, targets: &targets };
        let volume = Volume::open(array, &opened, OpenOptions::default())?;
        Ok(Self { volume, targets })
    }

    /// The reading half.
    #[must_use]
    pub fn volume(&self) -> &Volume {
        &self.volume
    }

    /// Writes bytes from any byte of the array on, and the redundancy that goes with them.
    ///
    /// # Errors
    /// The range is not inside the array; a member can not be written, or what parity needs not be read.
    /// Part of the range may have been written.
    pub fn write(&self, offset: Bytes, data: &[u8]) -> Result<(), WriteError> {
        let size = ReadAt::size(&self.volume);
        let length = Bytes(data.len() as u64);
        if offset.checked_add(length).is_none_or(|end| end > size) {
            return Err(WriteError::OutOfRange { offset, length, size });
        }
        let mut at = offset.0;
        let mut rest = data;
        while !rest.is_empty() {
            let head = usize::try_from(at % SECTOR_BYTES).unwrap_or_default();
            let whole = rest.len() / SECTOR_LENGTH * SECTOR_LENGTH;
            let length = if head > 0 || whole == 0 { rest.len().min(SECTOR_LENGTH - head) } else { whole };
            let (now, after) = rest.split_at(length);
            if length == whole && head == 0 {
                self.write_sectors(at / SECTOR_BYTES, now)?;
            } else {
                self.write_within_sector(at / SECTOR_BYTES, head, now)?;
            }
            at += length as u64;
            rest = after;
        }
        Ok(())
    }

    /// Makes all writes so far durable.
    ///
    /// # Errors
    /// The first member that can not be flushed.
    pub fn flush(&self) -> Result<(), WriteError> {
        for (slot, target) in (0..).map(Slot).zip(&self.targets) {
            if let Some(target) = target {
                target.flush().map_err(|error| self.failed(slot, Sectors::ZERO, Sectors::ZERO, error))?;
            }
        }
        Ok(())
    }

    fn write_within_sector(&self, sector: u64, head: usize, data: &[u8]) -> Result<(), WriteError> {
        let mut whole = [0; SECTOR_LENGTH];
        self.volume.read(Bytes(sector * SECTOR_BYTES), &mut whole)?;
        if let Some(place) = whole.get_mut(head..head + data.len()) {
            place.copy_from_slice(data);
        }
        self.write_sectors(sector, &whole)
    }

    fn write_sectors(&self, sector: u64, data: &[u8]) -> Result<(), WriteError> {
        let Some(part) = self.volume.parts.first() else { return Ok(()) };
        let length = data.len() as u64 / SECTOR_BYTES;
        let mut stripe = Vec::new();
        let mut rest = data;
        for extent in part.map.extents(Sectors(sector), Sectors(length)) {
            let (bytes, after) = rest.split_at(super::leg::bytes(extent.length.0));
            rest = after;
            if part.map.geometry().level.parities() == 0 {
                self.write_copies(part, &extent, bytes)?;
                continue;
            }
            if stripe.first().is_some_and(|(first, _): &(Extent, &[u8])| first.stripe != extent.stripe) {
                self.write_stripe(part, &std::mem::take(&mut stripe))?;
            }
            stripe.push((extent, bytes));
        }
        if stripe.is_empty() { Ok(()) } else { self.write_stripe(part, &stripe) }
    }

    fn write_copies(&self, part: &Part, extent: &Extent, bytes: &[u8]) -> Result<(), WriteError> {
        for place in &extent.copies {
            self.write_member(part, place.slot, place.sector.0, bytes)?;
        }
        Ok(())
    }

    /// Writes to one stripe: the member sectors from the first to the last that are touched, on all members.
    fn write_stripe(&self, part: &Part, pieces: &[(Extent, &[u8])]) -> Result<(), WriteError> {
        let stripe = pieces.first().and_then(|(extent, _)| extent.stripe);
        let Some(row) = stripe.and_then(|stripe| part.map.row(stripe)) else { return Ok(()) };
        let ranges =
            || pieces.iter().filter_map(|(extent, _)| Some((extent, extent.copies.first()?.sector.0)));
        let start = ranges().map(|(_, sector)| sector).min().unwrap_or_default();
        let end = ranges().map(|(extent, sector)| sector + extent.length.0).max().unwrap_or_default();
        let mut columns = self.columns(part, &row, pieces, start, end)?;
        for (extent, bytes) in pieces {
            let Some(place) = extent.copies.first() else { continue };
            let at = super::leg::bytes(place.sector.0 - start);
            if let Some(target) =
                columns.get_mut(place.slot.index()).and_then(|column| column.get_mut(at..at + bytes.len()))
            {
                target.copy_from_slice(bytes);
            }
            self.write_member(part, place.slot, place.sector.0, bytes)?;
        }
        self.write_parity(part, &row, start, &columns)
    }

    /// The data of a stripe by slot, as it is before the write; not read where it will be written over.
    fn columns(
        &self,
        part: &Part,
        row: &Row,
        pieces: &[(Extent, &[u8])],
        start: u64,
        end: u64,
    ) -> Result<Vec<Vec<u8>>, WriteError> {
        let is_replaced = |slot: Slot| {
            let whole = |extent: &Extent| {
                let place = extent.copies.first();
                extent.length.0 == end - start && place.is_some_and(|place| place.slot == slot)
            };
            pieces.iter().any(|(extent, _)| whole(extent))
        };
        let slots = (0..).map(Slot).zip(row.roles());
        slots
            .map(|(slot, role)| {
                let mut column = vec![0; super::leg::bytes(end - start)];
                if matches!(role, Role::Data { .. }) && !is_replaced(slot) {
                    self.read_column(part, row, slot, start, &mut column)?;
                }
                Ok(column)
            })
            .collect()
    }

    /// The data of one slot: from its member, or computed from the others.
    fn read_column(
        &self,
        part: &Part,
        row: &Row,
        wanted: Slot,
        start: u64,
        column: &mut [u8],
    ) -> Result<(), WriteError> {
        let failed = |slot, error| self.failed(slot, Sectors(start), sectors(column.len()), error);
        if let Some(leg) = part.leg(wanted.index()) {
            let length = column.len();
            return leg
                .read(start, column)
                .map_err(|error| self.failed(wanted, Sectors(start), sectors(length), error));
        }
        let end = start + sectors(column.len()).0;
        if part.parity_valid_below < end {
            let error = io::Error::other("parity there was not synchronised");
            return Err(failed(wanted, error));
        }
        let mut others = Vec::with_capacity(part.legs.len());
        for (slot, leg) in (0..).map(Slot).zip(&part.legs) {
            let mut other = vec![0; column.len()];
            let read = leg.as_ref().filter(|_| slot != wanted).map(|leg| leg.read(start, &mut other));
            others.push(read.transpose().map_err(|error| failed(slot, error))?.map(|()| other));
        }
        let blocks: Vec<Option<&[u8]>> = others.iter().map(Option::as_deref).collect();
        let length = column.len();
        parity::recover(row, &blocks, wanted, column)
            .map_err(|error| self.failed(wanted, Sectors(start), sectors(length), io::Error::other(error)))
    }

    fn write_parity(
        &self,
        part: &Part,
        row: &Row,
        start: u64,
        columns: &[Vec<u8>],
    ) -> Result<(), WriteError> {
        let length = columns.first().map_or(0, Vec::len);
        let data: Vec<Weighted<'_>> = columns
            .iter()
            .zip(row.roles())
            .filter_map(|(block, role)| match role {
                Role::Data { exponent, .. } => Some(Weighted { weight: parity::power(exponent), block }),
                Role::P | Role::Q => None,
            })
            .collect();
        let (mut p, mut q) = (vec![0; length], vec![0; length]);
        parity::syndromes(&mut p, &mut q, &data);
        self.write_member(part, row.p(), start, &p)?;
        row.q().map_or(Ok(()), |slot| self.write_member(part, slot, start, &q))
    }

    /// Writes to a member, if it is there.
    fn write_member(&self, part: &Part, slot: Slot, sector: u64, bytes: &[u8]) -> Result<(), WriteError> {
        let index = slot.index();
        let (Some(Some(leg)), Some(Some(target))) = (part.legs.get(index), self.targets.get(index)) else {
            return Ok(());
        };
        let offset = leg.byte_offset(sector);
        let written = offset.and_then(|offset| target.write_at(offset, bytes));
        written.map_err(|error| self.failed(slot, Sectors(sector), sectors(bytes.len()), error))
    }

    fn failed(&self, slot: Slot, start: Sectors, length: Sectors, error: io::Error) -> WriteError {
        let leg = self.volume.parts.first().and_then(|part| part.legs.get(slot.index())?.as_ref());
        let device = leg.map(|leg| leg.label.clone()).unwrap_or_default();
        WriteError::Member { name: self.volume.name.clone(), slot, device, start, length, error }
    }
}

/// The member of a nested set.
impl ReadAt for WritableVolume {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        self.volume.read_at(offset, buffer)
    }

    fn size(&self) -> Bytes {
        ReadAt::size(&self.volume)
    }

    fn sector_size(&self) -> SectorSize {
        self.volume.sector_size()
    }
}

impl WriteAt for WritableVolume {
    fn write_at(&self, offset: Bytes, buffer: &[u8]) -> io::Result<()> {
        self.write(offset, buffer).map_err(io::Error::other)
    }

    fn flush(&self) -> io::Result<()> {
        WritableVolume::flush(self).map_err(io::Error::other)
    }
}

fn refuse_unwritable(array: &ArrayRecord, degraded: bool) -> Result<(), OpenVolumeError> {
    let refused = |reason| Err(OpenVolumeError::NotWritable { name: array.name.clone(), reason });
    let state = |wanted| array.members.iter().any(|member| member.state == wanted);
    if array.reshape.is_some() {
        return refused("it is between two geometries, which is not written to");
    }
    if array.write_log.is_some() {
        return refused("its write log has entries that a write would have to go around");
    }
    if state(MemberState::Rebuilding) {
        return refused("a member is being rebuilt, which a write would have to keep up with");
    }
    if !degraded && array.members.iter().any(|member| member.state != MemberState::InSync) {
        return refused("a member is missing, and nothing would record that it is out of date");
    }
    Ok(())
}

fn sectors(bytes: usize) -> Sectors {
    Sectors(bytes as u64 / SECTOR_BYTES)
}
