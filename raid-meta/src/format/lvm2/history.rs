//! Texts that are still in a ring: every change of a group writes a new one behind the last.
//!
//! A text begins at a multiple of 512 bytes, with the name of the group and an opening brace. What is left of older
//! ones has no checksum any more; one is believed if all of it is there: the grammar holds to its end, and no other
//! text begins inside.

use super::area::{MetadataArea, Role, Text, spoken};
use super::vg::Vg;
use crate::device::{Device, DeviceError};
use crate::escape::escape;
use crate::format::Generation;
use crate::model::Area;
use crate::record::ChecksumState;
use crate::units::{Bytes, SECTOR_BYTES, SECTOR_LENGTH};

/// Most that is searched of all rings of a device. The usual one is a mebibyte.
const MAX_RINGS: u64 = 48 << 20;

/// The generations in the rings of some areas.
pub(super) fn of_areas(device: &Device, areas: &[MetadataArea]) -> Result<Vec<Generation>, DeviceError> {
    let share = MAX_RINGS.checked_div(areas.len() as u64).unwrap_or_default();
    let mut generations = Vec::new();
    for area in areas {
        generations.extend(of_area(device, area, share)?);
    }
    Ok(generations)
}

/// The generations in the ring of an area, of which so many bytes are searched.
fn of_area(device: &Device, area: &MetadataArea, most: u64) -> Result<Vec<Generation>, DeviceError> {
    let Some(size) = area.size().filter(|&size| size > SECTOR_BYTES) else { return Ok(Vec::new()) };
    let length = size.saturating_sub(SECTOR_BYTES).min(most);
    let start = area.offset.saturating_add(Bytes(SECTOR_BYTES));
    let Ok(length) = usize::try_from(length) else { return Ok(Vec::new()) };
    let Some(ring) = device.read(start, length)? else { return Ok(Vec::new()) };
    let current = area.location(Role::Committed).map(|location| location.offset);
    let starts = starts(&ring);
    let text = |(number, &at): (usize, &usize)| {
        let next = starts.get(number.saturating_add(1)).or(starts.first()).copied()?;
        let text = text(&ring, start, at, next)?;
        let offset = (at as u64).saturating_add(SECTOR_BYTES);
        generation(&text, current == Some(offset))
    };
    Ok(starts.iter().enumerate().filter_map(text).collect())
}

/// Where texts begin.
fn starts(ring: &[u8]) -> Vec<usize> {
    let sectors = ring.chunks(SECTOR_LENGTH).enumerate();
    let begins = sectors.filter(|(_, sector)| is_start(sector));
    begins.map(|(number, _)| number.saturating_mul(SECTOR_LENGTH)).collect()
}

/// `NAME {`, a line end, and the identity.
fn is_start(sector: &[u8]) -> bool {
    let Some(brace) = sector.iter().take(160).position(|&byte| byte == b'{') else { return false };
    let (name, rest) = sector.split_at(brace);
    let is_name = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    !name.is_empty() && name.iter().all(is_name) && rest.starts_with(b"{\nid = \"")
}

/// The text that begins at `at`, and ends before the next one begins: perhaps beyond the end of the ring.
fn text(ring: &[u8], start: Bytes, at: usize, next: usize) -> Option<Text> {
    let (first, second) = match next > at {
        true => (ring.get(at..next)?, &[][..]),
        false => (ring.get(at..)?, ring.get(..next)?),
    };
    let mut bytes = first.to_vec();
    if !first.contains(&0) {
        bytes.extend_from_slice(second);
    }
    // With the NUL.
    let length = spoken(&bytes).len().saturating_add(1);
    if length > bytes.len() {
        return None;
    }
    bytes.truncate(length);
    let in_first = length.min(first.len());
    let mut pieces = vec![(start.saturating_add(Bytes(at as u64)), in_first)];
    if length > in_first {
        pieces.push((start, length.saturating_sub(in_first)));
    }
    Some(Text::new(Role::Committed, pieces, bytes, ChecksumState::Absent))
}

fn generation(text: &Text, current: bool) -> Option<Generation> {
    let root = text.root()?;
    let vg = Vg::read(root)?;
    // The last of what LVM writes: without it the end is another text's.
    vg.created?;
    let areas = text.parts().map(|(offset, bytes)| Area {
        role: text.role.area_role(),
        offset,
        bytes: bytes.to_vec(),
        checksum: text.checksum,
    });
    Some(Generation {
        areas: areas.collect(),
        generation: vg.seqno,
        updated: vg.created,
        current,
        description: vg.description.map(|description| escape(&description)),
    })
}
