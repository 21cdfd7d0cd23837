//! Names and identities that are derived from the MPB, not stored in it.

use super::mpb::{MAGIC, Mpb, Volume, until_nul};
use crate::escape;
use crate::model::DiskKey;
use sha1::{Digest, Sha1};

/// Longest serial that an MPB holds.
const SERIAL_BYTES: usize = 16;

/// A hardware serial as the MPB has it: without white space, `;` for `:` (which marks failed disks), and the
/// last 16 characters of that.
pub(super) fn processed_serial(hardware: &str) -> Vec<u8> {
    let kept: Vec<u8> = hardware
        .bytes()
        .filter(|&byte| byte > b' ')
        .map(|byte| if byte == b':' { b';' } else { byte })
        .collect();
    kept.get(kept.len().saturating_sub(SERIAL_BYTES)..).unwrap_or_default().to_vec()
}

/// How the set names a disk: its serial, escaped.
pub(super) fn disk_key(serial: &[u8]) -> DiskKey {
    escape::escape(until_nul(serial))
}

/// Identity of the set: the original family and the version text. Disks that differ in either do not belong together.
pub(super) fn set_id(mpb: &Mpb) -> String {
    format!("{:08x}-{}", mpb.original_family(), mpb.version())
}

/// Identity of the container, as mdadm prints it.
pub(super) fn container_uuid(mpb: &Mpb) -> String {
    uuid_text(&identity(mpb).finalize())
}

/// Identity of a volume, as mdadm prints it. It follows from the family, the index and the name.
pub(super) fn volume_uuid(mpb: &Mpb, index: usize, volume: &Volume) -> String {
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    let hash = identity(mpb).chain_update(index.to_le_bytes()).chain_update(volume.head.volume);
    uuid_text(&hash.finalize())
}

fn identity(mpb: &Mpb) -> Sha1 {
    Sha1::new().chain_update(MAGIC).chain_update(mpb.original_family().to_le_bytes())
}

/// The first 16 bytes as four little-endian words.
fn uuid_text(digest: &[u8]) -> String {
    let words =
        digest.chunks_exact(4).take(4).filter_map(|word| word.try_into().ok().map(u32::from_le_bytes));
    words.map(|word| format!("{word:08x}")).collect::<Vec<_>>().join(":")
}

/// The name of a volume as dmraid gives it: the family in decimal with letters for digits, and the name.
pub(super) fn dm_name(mpb: &Mpb, volume: &Volume) -> String {
    let family: String = mpb.header.family_num.to_string().bytes().map(letter).collect();
    format!("isw_{family}_{}", escape::dm_name(volume.name()))
}

/// `a` for `0` … `j` for `9`.
fn letter(digit: u8) -> char {
    char::from(digit.wrapping_sub(b'0').wrapping_add(b'a'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_lose_white_space_and_colons_and_all_but_their_last_characters() {
        assert_eq!(processed_serial("  WD-WCC4N 1234567\n"), b"WD-WCC4N1234567");
        assert_eq!(processed_serial("0123456789abcdefghij"), b"456789abcdefghij");
        assert_eq!(processed_serial("disk:0"), b"disk;0");
        assert_eq!(processed_serial(""), b"");
        assert_eq!(disk_key(b"SER1\0junk\0\0\0\0\0\0\0"), "SER1");
    }

    #[test]
    fn the_family_is_spelled_in_letters() {
        let spelled: String = 287_454_020.to_string().bytes().map(letter).collect();
        assert_eq!(spelled, "cihefeaca");
    }
}
