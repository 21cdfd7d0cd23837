//! Where on which device a sector of a member is, through the arrays that members may be.

use raid_meta::record::{ArrayMember, ArrayRecord};
use raid_meta::units::{Sectors, Slot};
use raid_table::layout::{ArrayMap, LayoutError, Side};

/// Sets nested deeper than this do not exist; records that say so are wrong.
const MAX_NESTING: u32 = 8;

/// Sectors of a device that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberPlace {
    /// The member that names the device and the window in it.
    pub member: ArrayMember,
    /// First sector, from the start of the window.
    pub sector: Sectors,
    /// Number of sectors.
    pub length: Sectors,
}

/// Why it can not be said.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The slot has no device.
    #[error("{array}: slot {slot} has no device")]
    Missing {
        /// Which array.
        array: String,
        /// Which slot.
        slot: Slot,
    },
    /// The member is an array that is not known, keeps everything twice, or can not be mapped.
    #[error("{array}: slot {slot}: {name}: {message}")]
    Subset {
        /// Which array.
        array: String,
        /// Which slot.
        slot: Slot,
        /// The array that is the member.
        name: String,
        /// What is wrong with it.
        message: String,
    },
}

/// The places of sectors of a member's data.
///
/// # Errors
/// It is on no device, or on several at once.
pub fn member_places(
    array: &ArrayRecord,
    arrays: &[ArrayRecord],
    slot: Slot,
    sector: Sectors,
    length: Sectors,
) -> Result<Vec<MemberPlace>, PlaceError> {
    let mut places = Vec::new();
    add(array, arrays, slot, (sector, length), 0, &mut places)?;
    Ok(places)
}

fn add(
    array: &ArrayRecord,
    arrays: &[ArrayRecord],
    slot: Slot,
    (sector, length): (Sectors, Sectors),
    depth: u32,
    places: &mut Vec<MemberPlace>,
) -> Result<(), PlaceError> {
    let missing = || PlaceError::Missing { array: array.name.clone(), slot };
    let member = array.members.iter().find(|member| member.slot == slot).ok_or_else(missing)?;
    let sector = member.offset_sectors.unwrap_or_default().saturating_add(sector);
    if member.device.is_some() {
        places.push(MemberPlace { member: member.clone(), sector, length });
        return Ok(());
    }
    let name = member.array.as_deref().ok_or_else(missing)?;
    let failed = |message: &str| PlaceError::Subset {
        array: array.name.clone(),
        slot,
        name: name.to_owned(),
        message: message.to_owned(),
    };
    let below =
        arrays.iter().find(|other| other.name == name).ok_or_else(|| failed("is not among the records"))?;
    if depth >= MAX_NESTING {
        return Err(failed("is nested too deep"));
    }
    let map = ArrayMap::new(below).map_err(|error: LayoutError| failed(&error.to_string()))?;
    let map = map.map(Side::Before).filter(|_| below.reshape.is_none() && !below.level.is_redundant());
    let map = map.ok_or_else(|| failed("is redundant itself, or between two geometries"))?;
    for extent in map.extents(sector, length) {
        if let Some(place) = extent.copies.first() {
            add(below, arrays, place.slot, (place.sector, extent.length), depth + 1, places)?;
        }
    }
    Ok(())
}
