//! The devices of a new array, and how much of each it uses.

use super::sizes;
use super::{Array, NAME};
use crate::device::Device;
use crate::format::create::CreateError;
use crate::format::md::place::{Place, Version};
use crate::geometry::{Layout, Level};
use crate::units::{Sectors, Slot};

/// A device of the new array.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) place: Place,
    /// Number of the device: its slot, and after those the spares.
    pub(super) number: u32,
    /// Where the data begins.
    pub(super) data_offset: u64,
    /// What the array uses of each member; zero where it uses all.
    pub(super) size: u64,
    /// Whether the members differ so that the layout of a raid0 matters.
    pub(super) uneven: bool,
}

/// The devices, slots first.
///
/// # Errors
/// One is too small, or the size asked for is not possible.
pub(super) fn members(array: &Array<'_>) -> Result<Vec<Member>, CreateError> {
    let set = array.set;
    let devices = || set.disks.iter().chain(&set.spares);
    let smallest = devices().map(Device::length_sectors).min().unwrap_or_default();
    let data_offset = match array.version {
        Version::V090 | Version::V10 => 0,
        Version::V11 | Version::V12 => sizes::data_offset(smallest.0, array.chunk()),
    };
    let rooms: Vec<u64> = (0..)
        .zip(devices())
        .map(|(number, device)| room(array, device, number, data_offset))
        .collect::<Result<_, _>>()?;
    let size = match array.geometry.level {
        Level::Linear | Level::Raid0 => all_of_each(array)?,
        _ => used(array, &rooms)?,
    };
    let used = rooms.get(..set.disks.len()).unwrap_or_default();
    let uneven = used.windows(2).any(|pair| pair.first() != pair.last());
    check_even(array, uneven)?;
    let member = |(number, device): (u32, &Device)| {
        let place = Place::on(device, array.version)?;
        Some(Member { place, number, data_offset, size, uneven })
    };
    Ok((0..).zip(devices()).filter_map(member).collect())
}

/// What a device has for data, in whole KiB and chunks.
fn room(array: &Array<'_>, device: &Device, number: u32, data_offset: u64) -> Result<u64, CreateError> {
    let length = device.length_sectors().0;
    let unit = array.chunk().max(2);
    let room = sizes::room(array.version, length, data_offset).unwrap_or_default();
    let room = room.checked_div(unit).unwrap_or_default().saturating_mul(unit);
    let least = unit.max(16);
    if room < least {
        let message = format!("has {length} sectors, too few for the metadata and {least} of data");
        return Err(refused(device, number, message));
    }
    Ok(room)
}

/// The layout of a raid0 whose members differ has to be recorded.
fn check_even(array: &Array<'_>, uneven: bool) -> Result<(), CreateError> {
    let is_raid0 = array.geometry.level == Level::Raid0 && array.version == Version::V090;
    if is_raid0 && (uneven || array.set.layout.is_some()) {
        let expected = "1.0, 1.1 or 1.2 for a raid0 of unequal disks: 0.90 does not record its layout";
        return Err(CreateError::invalid(NAME, "metadata version", "0.90", expected));
    }
    Ok(())
}

fn refused(device: &Device, number: u32, message: String) -> CreateError {
    CreateError::Disk { device: device.label(), format: NAME, slot: Slot(number), message }
}

/// linear and raid0 use all of each member and record no size.
fn all_of_each(array: &Array<'_>) -> Result<u64, CreateError> {
    match array.set.size {
        None => Ok(0),
        Some(size) => {
            let expected = format!("none: {} uses all of each disk", array.geometry.level);
            Err(CreateError::invalid(NAME, "size", format!("{size} sectors"), expected))
        }
    }
}

/// What is used of each member: for the size asked for, or as much as all have.
fn used(array: &Array<'_>, rooms: &[u64]) -> Result<u64, CreateError> {
    let most = rooms.iter().copied().min().unwrap_or_default();
    let Some(size) = array.set.size else { return Ok(most) };
    let wanted = for_size(array, size.0).filter(|&wanted| wanted > 0);
    let invalid = |expected: String| CreateError::invalid(NAME, "size", format!("{size} sectors"), expected);
    let whole = |wanted: u64| crate::format::md::shape::array_size(&array.geometry, Sectors(wanted)) == size;
    let wanted = wanted.filter(|&wanted| whole(wanted)).ok_or_else(|| invalid(whole_sizes(array)))?;
    if wanted > most {
        let largest = crate::format::md::shape::array_size(&array.geometry, Sectors(most));
        return Err(invalid(format!("at most {largest} on these disks")));
    }
    Ok(wanted)
}

/// What a size has to be, in words.
fn whole_sizes(array: &Array<'_>) -> String {
    let unit = for_size(array, 1).unwrap_or_default();
    let stripe = crate::format::md::shape::array_size(&array.geometry, Sectors(unit));
    format!("a multiple of {stripe} sectors")
}

/// The least length of each member with which an array has at least that size.
fn for_size(array: &Array<'_>, size: u64) -> Option<u64> {
    let unit = array.chunk().max(2);
    let chunks = size.div_ceil(unit);
    let slots = u64::from(array.slots());
    let rows = match array.geometry.level {
        Level::Raid1 => chunks,
        Level::Raid10 => {
            let layout = array.geometry.layout.and_then(Layout::raid10)?;
            let rows = chunks.checked_mul(u64::from(layout.near))?.div_ceil(slots.max(1));
            rows.checked_mul(u64::from(layout.far))?
        }
        level => chunks.div_ceil(slots.saturating_sub(u64::from(level.parities())).max(1)),
    };
    rows.checked_mul(unit)
}
