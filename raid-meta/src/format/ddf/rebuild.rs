//! A member replaced by a new disk, as it is when the rebuild onto a spare is done.
//!
//! The new disk takes the entry of the lost one in the table of physical disks, with an identity of its own, and its
//! place in the configurations of all virtual disks, at the same start. Its own copies are those of a member of the same
//! element, moved to where the new disk ends, with the configurations that concern it. They are written first, the
//! anchor last; then the other disks follow one by one, each copy by copy as in [`super::transition`].

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::copy::{Copy, Kind};
use super::edit::{areas, edit, finish, put};
use super::fresh::word;
use super::level::Shape;
use super::metadata::Ddf;
use super::read::{self, Found};
use super::structs::{DiskData, Guid, Header, NONE, PdEntry, VdConfig, pd_state, pd_type};
use super::tables::{self, Config, RecordKind};
use super::transition::{STATE, change_volume, configs, rounds, state, touch_configs};
use super::{NAME, volume};
use crate::device::{Device, ReadAt};
use crate::escape::escape;
use crate::format::rebuild::{Disk, RebuildError, Replacement, Round};
use crate::format::schema::DiskStruct;
use crate::units::{Bytes, SECTOR_BYTES};

/// What to write: see the module.
///
/// # Errors
/// What the format, or the disks, can not do.
pub(in crate::format) fn renew(replacement: &Replacement) -> Result<Vec<Round>, RebuildError> {
    let before: Vec<Ddf> = replacement.members.iter().map(carried).collect::<Result<_, _>>()?;
    let change = Change::new(replacement, &before)?;
    let mut group = before.clone();
    group.push(change.target(replacement, &before)?);
    for ddf in &mut group {
        change.enter(ddf);
    }
    for guid in &change.guids {
        let configs = configs(&group, guid);
        let Some(state) = state(&group, &configs) else { continue };
        for ddf in &mut group {
            change_volume(ddf, guid, |volume| volume.vd_state = volume.vd_state & !STATE | state);
            touch_configs(ddf, guid, replacement.now);
        }
    }
    finish(&mut group, replacement.now);
    let Some((target, members)) = group.split_last() else { return Ok(Vec::new()) };
    let mut all = new_rounds(target);
    for (index, (before, after)) in before.iter().zip(members).enumerate() {
        let written = |round: Vec<_>| round.into_iter().map(|area| (Disk::Member(index), area)).collect();
        all.extend(rounds(before, after).into_iter().map(written));
    }
    Ok(all)
}

fn carried(device: &Device) -> Result<Ddf, RebuildError> {
    let found = read::find(device).map_err(|error| RebuildError::disk(NAME, device, error.to_string()))?;
    match found {
        Some(Found::Metadata(ddf)) if ddf.fatal_problems().is_empty() && ddf.disk_data().is_some() => {
            Ok(*ddf)
        }
        _ => Err(RebuildError::disk(NAME, device, "its metadata is damaged")),
    }
}

/// All of a new disk; what leads to the rest is last.
fn new_rounds(target: &Ddf) -> Vec<Round> {
    let mut all: Round = areas(target).into_iter().map(|area| (Disk::Target, area)).collect();
    let anchor = target.anchor.as_ref().map(|anchor| anchor.offset);
    let last: Round = all.extract_if(.., |(_, area)| Some(area.offset) == anchor).collect();
    vec![all, last]
}

/// What changes in every disk's metadata.
struct Change {
    /// The reference of the lost disk, and of the new one.
    lost: u32,
    new: u32,
    guid: Guid,
    /// The entry of the new disk, once it is known how large it is.
    entry: PdEntry,
    /// The virtual disks that the lost disk was in.
    guids: Vec<Guid>,
}

impl Change {
    fn new(replacement: &Replacement, group: &[Ddf]) -> Result<Self, RebuildError> {
        let lost = lost_reference(replacement, group)?;
        let Some(newest) = group.iter().max_by_key(|ddf| sequence(ddf)) else {
            return Err(replacement.refused(NAME, "none of its disks is there"));
        };
        let disks = newest.physical_disks();
        let Some((_, old)) = disks.iter().find(|(_, disk)| disk.pd_reference == lost) else {
            return Err(replacement.refused(NAME, format!("disk {lost:#010x} is not in the table of disks")));
        };
        let new = reference(replacement, group);
        let guid = identity(replacement);
        let guids = group
            .iter()
            .flat_map(Ddf::configs)
            .filter(|config| has(config, lost))
            .map(|config| config.head.vd_guid)
            .fold(Vec::new(), |mut guids: Vec<Guid>, guid| {
                if !guids.contains(&guid) {
                    guids.push(guid);
                }
                guids
            });
        let kept = newest.size.whole_sectors().0.saturating_sub(own_size(newest));
        let entry = PdEntry {
            pd_guid: guid,
            pd_reference: new,
            pd_type: (old.pd_type | pd_type::ACTIVE | pd_type::FORCED_GUID)
                & !(pd_type::GLOBAL_SPARE | pd_type::SPARE),
            pd_state: pd_state::ONLINE,
            configured_size: replacement.target.length_sectors().0.saturating_sub(kept),
            ..old.clone()
        };
        Ok(Self { lost, new, guid, entry, guids })
    }

    /// Enters the new disk for the lost one.
    fn enter(&self, ddf: &mut Ddf) {
        edit(ddf, Kind::PhysicalDisks, |bytes, ddf| {
            for (index, disk) in ddf.physical_disks() {
                if disk.pd_reference == self.lost {
                    put(bytes, tables::entry_at(index), &self.entry.encode(ddf.endian));
                }
            }
        });
        edit(ddf, Kind::Configurations, |bytes, ddf| {
            let (record, room) = (ddf.record(), room(ddf));
            for config in ddf.configs().iter().filter(|config| has(config, self.lost)) {
                let table = config.index.saturating_mul(record).saturating_add(VdConfig::SIZE);
                for place in 0..room {
                    let at = table.saturating_add(place.saturating_mul(4));
                    let is_lost = at.checked_add(4).and_then(|end| bytes.get(at..end));
                    if is_lost == Some(&word(self.lost, ddf.endian)) {
                        put(bytes, at, &word(self.new, ddf.endian));
                    }
                }
            }
        });
    }

    /// The metadata of the new disk, before the lost one is replaced in it.
    fn target(&self, replacement: &Replacement, group: &[Ddf]) -> Result<Ddf, RebuildError> {
        let device = &replacement.target;
        let mate = group.iter().filter(|ddf| ddf.configs().iter().any(|config| has(config, self.lost)));
        let mate = mate.max_by_key(|ddf| sequence(ddf));
        let Some(mate) = mate else {
            return Err(replacement.refused(NAME, "no disk that is there knows how the lost one was used"));
        };
        if device.sector_size() != mate.block {
            let message =
                format!("has sectors of {}, expected {}", device.sector_size().bytes(), mate.block.bytes());
            return Err(RebuildError::disk(NAME, device, message));
        }
        let mut ddf = moved(mate, device).ok_or_else(|| too_small(device, self.least(group, mate)))?;
        let least = self.least(group, mate);
        if device.length_sectors().0 < least {
            return Err(too_small(device, least));
        }
        self.keep_own(&mut ddf, group);
        edit(&mut ddf, Kind::DiskData, |bytes, ddf| {
            let Some(mut data) = DiskData::decode(bytes, ddf.endian) else { return };
            data.pd_guid = self.guid;
            data.pd_reference = self.new;
            put(bytes, 0, &data.encode(ddf.endian));
        });
        Ok(ddf)
    }

    /// The shortest disk that has room for what the lost one held.
    fn least(&self, group: &[Ddf], mate: &Ddf) -> u64 {
        let kept = mate.size.whole_sectors().0.saturating_sub(own_size(mate));
        let end = |config: &Config| {
            let mut own = config.elements.iter().filter(|element| element.reference == Some(self.lost));
            own.next().map(|element| element.start.saturating_add(config.head.block_count))
        };
        let used = group.iter().flat_map(Ddf::configs).filter_map(|config| end(&config)).max();
        mate.sectors(used.unwrap_or_default()).0.saturating_add(kept)
    }

    /// Of the configurations those that the lost disk is in, from whoever has them.
    fn keep_own(&self, ddf: &mut Ddf, group: &[Ddf]) {
        let mut records: Vec<Vec<u8>> = Vec::new();
        let mut known: Vec<(Guid, u8)> = Vec::new();
        for other in group {
            let record = other.record();
            for config in other.configs().iter().filter(|config| has(config, self.lost)) {
                let key = (config.head.vd_guid, config.head.secondary_element_seq);
                let section = other.section(Kind::Configurations);
                let start = config.index.saturating_mul(record);
                let bytes = section
                    .zip(start.checked_add(record))
                    .and_then(|(section, end)| section.bytes.get(start..end));
                if let Some(bytes) = bytes.filter(|_| !known.contains(&key)) {
                    known.push(key);
                    records.push(bytes.to_vec());
                }
            }
        }
        edit(ddf, Kind::Configurations, |section, ddf| {
            let record = ddf.record().max(1);
            for bytes in section.chunks_exact_mut(record) {
                if RecordKind::of(bytes, ddf.endian) != RecordKind::Vendor {
                    bytes.fill(0xff);
                }
            }
            let mut free = section
                .chunks_exact_mut(record)
                .filter(|bytes| RecordKind::of(bytes, ddf.endian) == RecordKind::Blank);
            for (place, bytes) in free.by_ref().zip(&records) {
                put(place, 0, bytes);
            }
        });
    }
}

fn too_small(device: &Device, needed: u64) -> RebuildError {
    let found = device.length_sectors();
    RebuildError::disk(NAME, device, format!("has {found} sectors, expected at least {needed}"))
}

fn sequence(ddf: &Ddf) -> u32 {
    ddf.header().map_or(0, |header| header.sequence_number)
}

fn has(config: &Config, reference: u32) -> bool {
    config.elements.iter().any(|element| element.reference == Some(reference))
}

fn room(ddf: &Ddf) -> usize {
    let count = ddf.header().map_or(0, |header| header.max_primary_element_entries);
    tables::element_room(count, ddf.record()).unwrap_or_default()
}

/// The size of its own disk that a member records, in sectors.
fn own_size(ddf: &Ddf) -> u64 {
    let own = ddf.disk_data().map(|own| own.pd_reference);
    let disks = ddf.physical_disks();
    let entry = disks.iter().find(|(_, disk)| Some(disk.pd_reference) == own);
    entry.map_or(0, |(_, disk)| ddf.sectors(disk.configured_size).0)
}

/// The disk in the slot.
fn lost_reference(replacement: &Replacement, group: &[Ddf]) -> Result<u32, RebuildError> {
    let disks = group.iter().flat_map(|ddf| ddf.virtual_disks().into_iter().map(move |disk| (ddf, disk)));
    let mut found =
        disks.filter(|(ddf, (index, disk))| volume::uuid(ddf, disk, *index) == replacement.volume);
    let Some((ddf, (_, disk))) = found.next() else {
        return Err(replacement.refused(NAME, "is no virtual disk of its own, or not in the metadata"));
    };
    let configs = configs(group, &disk.vd_guid);
    let refused = |message: &str| {
        let name = escape(super::names::volume_name(&disk.vd_name));
        replacement.refused(NAME, format!("virtual disk {name} {message}"))
    };
    let Some(first) = configs.first() else { return Err(refused("has no configuration")) };
    let slot = replacement.slot.index();
    let (per, elements) =
        (usize::from(first.head.primary_element_count), usize::from(first.head.secondary_element_count));
    let (element, rank) = match volume::shape(ddf, &first.head) {
        Ok(Shape::Flat(_)) => (slot.checked_div(per), slot.checked_rem(per)),
        Ok(Shape::Interleaved(_)) => (slot.checked_rem(elements), slot.checked_div(elements)),
        _ => return Err(refused("is made of other arrays, of which a member can not be rebuilt")),
    };
    let is_it = |config: &&Config| Some(usize::from(config.head.secondary_element_seq)) == element;
    let place = configs.iter().find(is_it).zip(rank).and_then(|(config, rank)| config.elements.get(rank));
    place.and_then(|place| place.reference).ok_or_else(|| refused("has no disk recorded in the slot"))
}

/// A reference that no disk has, and that means no special thing.
fn reference(replacement: &Replacement, group: &[Ddf]) -> u32 {
    let used: Vec<u32> =
        group.iter().flat_map(Ddf::physical_disks).map(|(_, disk)| disk.pd_reference).collect();
    let bytes = replacement.identity_for("ddf reference");
    let mut reference = bytes.first_chunk().map_or(1, |word| u32::from_be_bytes(*word));
    while reference == 0 || reference == NONE || used.contains(&reference) {
        reference = reference.wrapping_add(1);
    }
    reference
}

/// Vendor, date, and a number.
fn identity(replacement: &Replacement) -> Guid {
    let mut guid = [b'0'; 24];
    put(&mut guid, 0, super::names::MDADM);
    let date = crate::format::time::utc(replacement.now).unwrap_or_default();
    let date: String = date.chars().filter(char::is_ascii_digit).take(8).collect();
    put(&mut guid, 8, date.as_bytes());
    put(&mut guid, 16, replacement.identity_for("ddf disk").get(..8).unwrap_or_default());
    guid
}

/// The copies of a disk at the same distances from the end of another.
fn moved(ddf: &Ddf, device: &Device) -> Option<Ddf> {
    let mut moved = ddf.clone();
    let block = ddf.block.bytes().0;
    let blocks = |size: Bytes| size.0.checked_div(block);
    let (old, new) = (blocks(ddf.size)?, blocks(device.size())?);
    let place = |lba: u64| match lba {
        u64::MAX => Some(lba),
        _ => new.checked_sub(old.checked_sub(lba)?),
    };
    let header = |header: &mut Header| -> Option<()> {
        header.primary_header_lba = place(header.primary_header_lba)?;
        header.secondary_header_lba = place(header.secondary_header_lba)?;
        header.workspace_lba = place(header.workspace_lba)?;
        Some(())
    };
    let offset = |offset: Bytes| {
        let from_end = ddf.size.0.checked_sub(offset.0)?;
        device.size().0.checked_sub(from_end).map(Bytes)
    };
    let copy = |copy: &mut Copy| -> Option<()> {
        header(&mut copy.header)?;
        copy.offset = offset(copy.offset)?;
        for section in &mut copy.sections {
            section.offset = offset(section.offset)?;
        }
        Some(())
    };
    moved.size = Bytes(new.checked_mul(block)?);
    moved.size = device.size().min(moved.size);
    for each in moved.primary.iter_mut().chain(&mut moved.secondary) {
        copy(each)?;
    }
    if let Some(anchor) = &mut moved.anchor {
        header(&mut anchor.header)?;
        anchor.offset = offset(anchor.offset)?;
    }
    let is_whole = ddf.size.0.is_multiple_of(SECTOR_BYTES) && device.size().0.is_multiple_of(block);
    is_whole.then_some(moved)
}
