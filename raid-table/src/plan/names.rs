//! Names and uuids of dm devices.
//!
//! The uuid tells whose device it is. dmraid's devices have `DMRAID-` and the name, and udev rules and
//! boot loaders know it, so vendor formats keep it. LVM's have `LVM-` and the ids of group and volume.

use super::error::Reason;
use raid_meta::escape::dm_name;
use raid_meta::record::ArrayRecord;

/// In front of the name of an array in a vendor format: what dmraid gives it.
pub const VENDOR_UUID_PREFIX: &str = "DMRAID-";
/// In front of the ids of a volume group and a logical volume.
pub const LVM_UUID_PREFIX: &str = "LVM-";
/// In front of the uuid of an md array.
pub const MD_UUID_PREFIX: &str = "RAIDTABLE-md-";
/// In front of the name of an array that says no format.
pub const OTHER_UUID_PREFIX: &str = "RAIDTABLE-";

/// Longest name that the kernel takes.
const MAX_NAME: usize = 127;
/// Longest uuid.
const MAX_UUID: usize = 128;

/// The dm uuid of an array, also where none of its tables can be made.
#[must_use]
pub fn device_uuid(array: &ArrayRecord) -> String {
    let name = || format!("{OTHER_UUID_PREFIX}{}", array.name);
    match (array.format.as_deref(), array.uuid.as_deref()) {
        (Some("md"), Some(uuid)) => format!("{MD_UUID_PREFIX}{}", dm_name(uuid.as_bytes())),
        (Some("lvm2"), uuid) => lvm_uuid(array.set_id.as_deref(), uuid).unwrap_or_else(name),
        (Some("md") | None, _) => name(),
        (Some(_), _) => format!("{VENDOR_UUID_PREFIX}{}", array.name),
    }
}

/// LVM's own: both ids without their dashes.
fn lvm_uuid(group: Option<&str>, volume: Option<&str>) -> Option<String> {
    let bare = |id: &str| id.replace('-', "");
    let (group, volume) = (bare(group?), bare(volume?));
    (group.len() == 32 && volume.len() == 32).then(|| format!("{LVM_UUID_PREFIX}{group}{volume}"))
}

/// Whether this follows the uuid of an array in that of a helper device of it, and is not part of another's name.
#[must_use]
pub fn is_helper(suffix: &str) -> bool {
    let numbered = |word: &str| {
        let name = word.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let is_numbered = name.len() < word.len();
        match name {
            "whole" | "ordered" => !is_numbered,
            "member" | "mirror" | "copy" | "row" | "data" => is_numbered,
            _ => false,
        }
    };
    suffix.split('_').all(numbered)
}

/// Refuses a name that device-mapper or libdevmapper does not take as it is.
pub(super) fn check_name(name: &str) -> Result<(), Reason> {
    let refuse = |reason| Err(Reason::Name { name: name.to_owned(), reason });
    match name {
        "" => refuse("it is empty"),
        "." | ".." | "control" => refuse("it means something else in /dev/mapper"),
        _ if name.len() > MAX_NAME => refuse("it is longer than 127 bytes"),
        _ if dm_name(name.as_bytes()) != name => refuse("only letters, digits and _ . + - are taken"),
        _ => Ok(()),
    }
}

/// Refuses a uuid that is too long.
pub(super) fn check_uuid(uuid: &str) -> Result<(), Reason> {
    if uuid.len() <= MAX_UUID {
        return Ok(());
    }
    Err(Reason::Name { name: uuid.to_owned(), reason: "as a uuid it is longer than 128 bytes" })
}
