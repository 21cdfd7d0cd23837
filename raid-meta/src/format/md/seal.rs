//! Checksums made right again after bytes were changed.

use super::journal;
use super::place::{Place, Version};
use super::ppl::PplHeader;
use super::v0::{self, V0};
use super::v1::{self, V1};
use crate::format::schema::Endian;
use crate::model::Area;
use crate::units::Bytes;

/// Seals areas as [`super::MdMember`] gives them: the superblock is the first.
pub(super) fn seal(areas: &mut [Area], place: &Place, uuid: &[u8; 16]) {
    let mut uuid = *uuid;
    for area in areas {
        match area.role {
            "superblock" if place.version == Version::V090 => seal_v0(&mut area.bytes, place),
            "superblock" => {
                seal_v1(&mut area.bytes, place);
                uuid = v1::set_uuid(&area.bytes).unwrap_or(uuid);
            }
            "ppl" => seal_ppl(&mut area.bytes, area.offset),
            "journal" => seal_journal(&mut area.bytes, area.offset, &uuid),
            _ => {}
        }
    }
}

fn seal_v0(bytes: &mut [u8], place: &Place) {
    if let Some(superblock) = V0::decode(bytes, place).into_parts().0 {
        put(bytes, v0::CHECKSUM_AT, superblock.computed_checksum(), superblock.endian);
    }
}

fn seal_v1(bytes: &mut [u8], place: &Place) {
    if let Some(superblock) = V1::decode(bytes, place).into_parts().0 {
        put(bytes, v1::CHECKSUM_AT, superblock.computed_checksum(), Endian::Little);
    }
}

fn seal_ppl(bytes: &mut [u8], offset: Bytes) {
    if let Some(header) = PplHeader::decode(bytes, offset.whole_sectors()) {
        put(bytes, super::ppl::CHECKSUM_AT, header.computed_checksum(), Endian::Little);
    }
}

fn seal_journal(bytes: &mut [u8], offset: Bytes, uuid: &[u8; 16]) {
    if let Some(block) = journal::MetaBlock::decode(bytes, offset.whole_sectors()) {
        put(bytes, journal::CHECKSUM_AT, block.computed_checksum(uuid), Endian::Little);
    }
}

fn put(bytes: &mut [u8], at: usize, value: u32, endian: Endian) {
    let value = if endian == Endian::Big { value.to_be_bytes() } else { value.to_le_bytes() };
    if let Some(target) = bytes.get_mut(at..at.saturating_add(value.len())) {
        target.copy_from_slice(&value);
    }
}
