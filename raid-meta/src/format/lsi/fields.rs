//! Every byte of the sector as a named field.

use super::table::{Array, Disk, ENTRY, FLAG_OUT, Head, Kind, NO_DEVICE, TABLE_END, Table, Tail};
use crate::format::schema::{DiskStruct, Endian, FieldWalk, Repr};
use crate::format::vendor::flags;
use crate::model::Field;
use crate::units::Bytes;
use serde_json::Value;

/// The fields of the sector at `offset`.
pub(super) fn fields(table: &Table, offset: Bytes) -> Vec<Field> {
    let bytes = table.encode();
    let mut walk = FieldWalk::new(&bytes, offset, Endian::Little);
    walk.structure::<Head>("lsi", "", 0, |_, _| None);
    for place in 0..table.entries.len() {
        let at = Head::SIZE + place * ENTRY;
        if let Some(array) = table.array(place) {
            let meaning = |name: &str, value: &Value| array_meaning(&array, name, value);
            walk.structure::<Array>("lsi_raid", &format!("raid[{place}]."), at, meaning);
        } else if place < table.used() {
            let number = place - table.arrays();
            walk.structure::<Disk>("lsi_disk", &format!("disk[{number}]."), at, disk_meaning);
        } else {
            walk.field("lsi", format!("entry[{place}]"), at, ENTRY, Repr::Raw, None);
        }
    }
    walk.structure::<Tail>("lsi", "", TABLE_END, |name, _| match name {
        "disk_number" => Some("this disk, in its array".to_owned()),
        "raid_number" => Some("the array of this disk".to_owned()),
        _ => None,
    });
    walk.finish()
}

fn array_meaning(array: &Array, name: &str, value: &Value) -> Option<String> {
    match name {
        "raid_type" => Some(kind(array.kind()).to_owned()),
        "stripe_sectors" | "total_sectors" => size(value),
        "flags" => flags(u32::from(array.flags), &[(u32::from(FLAG_OUT), "degraded")]),
        _ => None,
    }
}

fn disk_meaning(name: &str, value: &Value) -> Option<String> {
    let byte = || u8::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok();
    match name {
        "device" => byte().map(device),
        "disk_sectors" => size(value),
        "flags" => flags(u32::from(byte()?), &[(u32::from(FLAG_OUT), "gone")]),
        _ => None,
    }
}

fn device(byte: u8) -> String {
    if byte == NO_DEVICE {
        return "no disk".to_owned();
    }
    format!("channel {}, device {}", byte >> 4, byte & 0x0f)
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Raid0 => "raid0",
        Kind::Raid1 => "raid1",
        Kind::Raid10 => "raid10",
        Kind::Other => "unknown",
    }
}

fn size(value: &Value) -> Option<String> {
    value.as_u64()?.checked_mul(512).map(|bytes| format!("{bytes} bytes"))
}
