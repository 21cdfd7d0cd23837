//! Names and identities: GUIDs as text, what mdadm and dmraid derive from them.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::structs::{Guid, is_blank};
use crate::escape;
use crate::format::schema::uuid_text;
use crate::format::time::utc;
use crate::model::DiskKey;
use sha1::{Digest, Sha1};

/// The vendor that mdadm writes.
pub(super) const MDADM: &[u8; 8] = b"Linux-MD";
/// Seconds from the epoch to the start of 1980, which times count from.
pub(super) const EPOCH_1980: u64 = 315_532_800;

/// Seconds since the epoch.
pub(super) fn unix_time(timestamp: u32) -> u64 {
    u64::from(timestamp).saturating_add(EPOCH_1980)
}

/// A GUID as digits.
pub(super) fn guid_text(guid: &Guid) -> String {
    uuid_text(guid)
}

/// What a GUID says: its vendor, and for groups and virtual disks when it was made.
pub(super) fn guid_meaning(guid: &Guid, dated: bool) -> Option<String> {
    if is_blank(guid) {
        return None;
    }
    let text = |bytes: &[u8]| escape::escape(bytes.trim_ascii());
    if !dated {
        return Some(text(guid));
    }
    let vendor = guid.first_chunk::<8>().map(|vendor| text(vendor))?;
    let seconds = guid.get(16..20)?.try_into().ok().map(u32::from_be_bytes)?;
    Some(format!("{vendor}, {}", utc(unix_time(seconds))?))
}

/// Identity of a group, as mdadm prints it.
pub(super) fn container_uuid(header_guid: &Guid) -> String {
    mdadm_uuid(&Sha1::digest(header_guid))
}

/// Identity of a virtual disk, as mdadm prints it. LSI's firmware changes the GUID at every start; there the group's,
/// the name and the place in the table stand for it.
pub(super) fn volume_uuid(controller: &Guid, header: &Guid, vd: &Guid, name: &[u8], index: usize) -> String {
    if !controller.starts_with(b"LSI     ") {
        return mdadm_uuid(&Sha1::digest(vd));
    }
    let index = u16::try_from(index).unwrap_or(u16::MAX);
    let hash = Sha1::new().chain_update(header).chain_update(name).chain_update(index.to_le_bytes());
    mdadm_uuid(&hash.finalize())
}

/// The first 16 bytes as four little-endian words.
fn mdadm_uuid(digest: &[u8]) -> String {
    let words =
        digest.chunks_exact(4).take(4).filter_map(|word| word.try_into().ok().map(u32::from_le_bytes));
    words.map(|word| format!("{word:08x}")).collect::<Vec<_>>().join(":")
}

/// How the group names a disk: its reference.
pub(super) fn disk_key(reference: u32) -> DiskKey {
    format!("{reference:08x}")
}

/// The name of a virtual disk without what pads it.
pub(super) fn volume_name(name: &[u8]) -> &[u8] {
    let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
    let end = name.iter().rposition(|&byte| byte != b' ').map_or(0, |last| last.saturating_add(1));
    if is_blank(name) { &[] } else { name.get(..end).unwrap_or_default() }
}

/// The name of a virtual disk as dmraid gives it: its own, or its GUID, without the part of it that LSI changes.
pub(super) fn dm_name(name: &[u8], guid: &Guid) -> String {
    let name = volume_name(name);
    let end = name.iter().rposition(u8::is_ascii_graphic).map_or(0, |last| last.saturating_add(1));
    if let Some(name) = name.get(..end).filter(|name| !name.is_empty()) {
        return format!("ddf1_{}", escape::dm_name(name));
    }
    let (mut guid, is_lsi) = (*guid, guid.starts_with(b"LSI"));
    if let Some(time) = guid.get_mut(16..20).filter(|_| is_lsi) {
        time.copy_from_slice(&[0x47, 0x11, 0x47, 0x11]);
    }
    format!("ddf1_{}", hex::encode(guid))
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "a test that panics has failed")]
mod tests {
    use super::*;

    fn guid(bytes: &[u8]) -> Guid {
        let mut guid = [0; 24];
        guid[..bytes.len()].copy_from_slice(bytes);
        guid
    }

    #[test]
    fn the_identity_of_a_group_is_the_one_of_the_worked_example() {
        let example = guid(b"Linux-MD\xde\xad\xbe\xef\0\0\0\0\0\0\0\x01\x12\x34\x56\x78");
        assert_eq!(container_uuid(&example), "fa8a93d9:4c603f7e:3725763c:cc97f359");
    }

    #[test]
    fn names_lose_their_padding_and_nothing_else() {
        assert_eq!(volume_name(b"my volume\0junk\0\0"), b"my volume");
        assert_eq!(volume_name(b"vol             "), b"vol");
        assert_eq!(volume_name(&[0xff; 16]), b"");
        assert_eq!(dm_name(b"my vol/../x\n\0\0\0\0", &guid(b"")), "ddf1_my_vol_.._x");
    }

    #[test]
    fn a_volume_without_a_name_is_named_by_its_guid_that_does_not_change() {
        let lsi = |time: u8| guid(&[b"LSI     \0\0\0\0\0\0\0\0".as_slice(), &[time; 8]].concat());
        assert_eq!(dm_name(&[0; 16], &lsi(1)), "ddf1_4c5349202020202000000000000000004711471101010101");
        assert_ne!(dm_name(&[0; 16], &guid(b"x")), dm_name(&[0; 16], &guid(b"y")));
        let name = [b'a'; 16];
        assert_eq!(
            volume_uuid(&lsi(0), &lsi(0), &lsi(1), &name, 0),
            volume_uuid(&lsi(0), &lsi(0), &lsi(2), &name, 0)
        );
    }
}
