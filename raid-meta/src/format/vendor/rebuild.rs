//! A new disk in a set whose disks say which of them they are.
//!
//! What a disk of such a set carries is what all of them have alike, and its own place. So the new disk is written what
//! the one that speaks for the set has, with the place of the lost one. The set stays what it is: another identity would be
//! another set, and another name, on each disk that is not written yet. The other disks are written only where they
//! record that the slot was lost.

use crate::device::{Device, DeviceError, ReadAt};
use crate::format::rebuild::{Disk, RebuildError, Replacement, Round};
use crate::format::{Format, Metadata};
use crate::model::{Area, MemberView, OwnPart, VolumeView};
use crate::record::Role;
use crate::units::{SectorSize, Sectors, Slot};

/// The metadata of one disk of a set that can be given a new disk.
pub(in crate::format) trait Seat: Metadata + Clone {
    /// The metadata is behind the data, which must not reach it.
    const IS_BEHIND_DATA: bool = true;

    /// What the device carries of the volume.
    ///
    /// # Errors
    /// It can not be read.
    fn read(device: &Device, volume: &str) -> Result<Option<Self>, DeviceError>;

    /// Takes back what is recorded of the loss, in the metadata that speaks for the set.
    ///
    /// # Errors
    /// Why the slot can not be given a new disk.
    fn mend(&mut self, lost: &Lost<'_, Self>) -> Result<(), String>;

    /// Says of the set what the mended metadata says.
    fn follow(&mut self, mended: &Self, lost: &Lost<'_, Self>);

    /// Makes the mended metadata that of the new disk.
    ///
    /// # Errors
    /// Why it can not be.
    fn take(&mut self, lost: &Lost<'_, Self>) -> Result<(), String>;

    /// What to write, in this order, with checksums as those of `original` are.
    fn written(&self, original: &Self) -> Vec<Area> {
        let mut areas = self.areas();
        original.seal(&mut areas);
        areas
    }
}

/// A disk that is left.
pub(in crate::format) struct Survivor<S> {
    index: usize,
    pub(in crate::format) found: S,
    view: MemberView,
}

/// What was lost, and what there is instead.
pub(in crate::format) struct Lost<'a, S> {
    pub(in crate::format) slot: Slot,
    pub(in crate::format) target: &'a Device,
    pub(in crate::format) replacement: &'a Replacement,
    pub(in crate::format) survivors: &'a [Survivor<S>],
    /// No other slot is without its disk.
    pub(in crate::format) is_only: bool,
}

impl<S> Survivor<S> {
    fn own(&self) -> Option<&OwnPart> {
        self.view.volumes.iter().find_map(|volume| volume.own.as_ref())
    }

    pub(in crate::format) fn slot(&self) -> Option<Slot> {
        self.own().and_then(|own| own.slot)
    }
}

/// What to write: the new disk, and then what the others have to say of it.
///
/// # Errors
/// What the format, or the disks, can not do.
pub(in crate::format) fn renew<S: Seat>(
    format: &dyn Format,
    replacement: &Replacement,
) -> Result<Vec<Round>, RebuildError> {
    let name = format.name();
    let survivors = survivors::<S>(format, replacement)?;
    let views: Vec<&MemberView> = survivors.iter().map(|survivor| &survivor.view).collect();
    let lead = if views.is_empty() { None } else { survivors.get(format.freshest(&views).0) };
    let lead = lead.ok_or_else(|| replacement.refused(name, "none of its disks is there"))?;
    let slots = lead.view.volumes.first().map_or(0, |volume| volume.slots.len());
    let lost = Lost {
        slot: replacement.slot,
        target: &replacement.target,
        replacement,
        survivors: &survivors,
        is_only: survivors.len().saturating_add(1) >= slots,
    };
    let refused = |message: String| replacement.refused(name, message);
    let mut mended = lead.found.clone();
    mended.mend(&lost).map_err(refused)?;
    let mut new = mended.clone();
    new.take(&lost).map_err(|message| RebuildError::disk(name, lost.target, message))?;
    let areas = new.written(&lead.found);
    check_room::<S>(name, &lost, &areas)?;
    let mut rounds = vec![placed(Disk::Target, areas)];
    for survivor in &survivors {
        let mut follower = survivor.found.clone();
        follower.follow(&mended, &lost);
        let areas = follower.written(&survivor.found);
        if areas != survivor.found.areas() {
            rounds.push(placed(Disk::Member(survivor.index), areas));
        }
    }
    Ok(rounds)
}

fn placed(disk: Disk, areas: Vec<Area>) -> Round {
    areas.into_iter().map(|area| (disk, area)).collect()
}

/// The disks in slots of the volume; spares are not touched.
fn survivors<S: Seat>(
    format: &dyn Format,
    replacement: &Replacement,
) -> Result<Vec<Survivor<S>>, RebuildError> {
    let mut survivors = Vec::with_capacity(replacement.members.len());
    for (index, device) in replacement.members.iter().enumerate() {
        let damaged = |message: String| RebuildError::disk(format.name(), device, message);
        let found = S::read(device, &replacement.volume).map_err(|error| damaged(error.to_string()))?;
        let Some(found) = found else { continue };
        let view = found.view(device);
        survivors.push(Survivor { index, found, view });
    }
    let mut views: Vec<&mut MemberView> = survivors.iter_mut().map(|survivor| &mut survivor.view).collect();
    format.complete(&mut views);
    let is_member = |survivor: &Survivor<S>| {
        let is_volume = |volume: &VolumeView| volume.uuid == replacement.volume;
        survivor.view.volumes.iter().any(is_volume)
            && survivor.view.role == Role::Active
            && survivor.slot().is_some_and(|slot| slot != replacement.slot)
    };
    survivors.retain(is_member);
    Ok(survivors)
}

/// The metadata has its place on the new disk, and the data ends before it.
fn check_room<S: Seat>(name: &'static str, lost: &Lost<'_, S>, areas: &[Area]) -> Result<(), RebuildError> {
    let device = lost.target;
    let refused = |message: String| Err(RebuildError::disk(name, device, message));
    if device.sector_size() != SectorSize::B512 {
        let size = device.sector_size().bytes();
        return refused(format!("its sectors have {size} bytes, the format knows only 512"));
    }
    let sectors = device.length_sectors();
    let first = areas.iter().map(|area| area.offset.whole_sectors()).min().unwrap_or_default();
    let behind = if S::IS_BEHIND_DATA { sectors.saturating_sub(first) } else { Sectors::ZERO };
    let needed = lost.end().saturating_add(behind);
    if needed > sectors || areas.is_empty() {
        return refused(format!("has {sectors} sectors, expected at least {needed}"));
    }
    Ok(())
}

impl<S> Lost<'_, S> {
    /// With the new disk there are two: whichever is written first, it has all data.
    pub(in crate::format) fn is_two(&self) -> bool {
        self.is_only && self.survivors.len() == 1
    }

    /// Where the data of a disk ends.
    pub(in crate::format) fn end(&self) -> Sectors {
        let end = |own: &OwnPart| own.offset.saturating_add(own.length);
        self.survivors.iter().filter_map(Survivor::own).map(end).max().unwrap_or_default()
    }

    /// A number for the new disk that is none of those.
    pub(in crate::format) fn new_number(&self, purpose: &str, is_free: impl Fn(u64) -> bool) -> u64 {
        let bytes = self.replacement.identity_for(purpose);
        let mut number = bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)).unwrap_or_default();
        while !is_free(number) {
            number = number.wrapping_add(1);
        }
        number
    }
}
