//! The fields of a record and what they mean.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::record::{
    DiskEntry, Head, RESYNCING, Record, TABLE_AT, TAIL_AT, Tail, VALID, disk_flag, kind, status,
};
use crate::format::schema::{DiskStruct, Endian, FieldWalk};
use crate::format::vendor::flags;
use crate::model::Field;
use crate::units::Bytes;

const DISK_FLAGS: [(u32, &str); 8] = [
    (disk_flag::VALID as u32, "valid"),
    (disk_flag::ONLINE as u32, "online"),
    (disk_flag::ASSIGNED as u32, "assigned"),
    (disk_flag::SPARE as u32, "spare"),
    (disk_flag::DUPLICATE as u32, "duplicate"),
    (disk_flag::REDIRECTED as u32, "redirected"),
    (disk_flag::DOWN as u32, "down"),
    (disk_flag::READY as u32, "ready"),
];

const STATUS: [(u32, &str); 8] = [
    (status::VALID as u32, "valid"),
    (status::ONLINE as u32, "online"),
    (status::INITED as u32, "initialized"),
    (status::READY as u32, "ready"),
    (status::DEGRADED as u32, "degraded"),
    (status::MARKED as u32, "marked"),
    (status::MIGRATING as u32, "migrating"),
    (status::FUNCTIONAL as u32, "functional"),
];

/// All fields of a record at that place.
pub(super) fn fields(record: &Record, offset: Bytes) -> Vec<Field> {
    let bytes = record.encode();
    let mut walk = FieldWalk::new(&bytes, offset, Endian::Little);
    walk.structure::<Head>("promise", "", 0, |name, _| head(record, name));
    for (number, disk) in record.disks.iter().enumerate() {
        let at = TABLE_AT.saturating_add(number.saturating_mul(DiskEntry::SIZE));
        walk.structure::<DiskEntry>("promise_disk", &format!("disks[{number}]."), at, |name, _| match name {
            "flags" => flags(u32::from(disk.flags), &DISK_FLAGS),
            _ => None,
        });
    }
    walk.structure::<Tail>("promise", "", TAIL_AT, |name, _| tail(record, name));
    walk.finish()
}

fn head(record: &Record, name: &str) -> Option<String> {
    let head = &record.head;
    match name {
        "integrity" => flags(head.integrity, &[(VALID, "valid")]),
        "disk_flags" => flags(u32::from(head.disk_flags), &DISK_FLAGS),
        "disk_number" if head.disk_number == u8::MAX => Some("none".to_owned()),
        "disk_offset" => seen_through(head.disk_offset, record.offset().0, "sector"),
        "disk_sectors" => seen_through(head.disk_sectors, record.length().0, "sectors"),
        "disk_rebuild" if record.rebuilt().is_none() => Some("not being rebuilt".to_owned()),
        "status" => flags(u32::from(head.status), &STATUS),
        "raid_type" => Some(kind_name(head.raid_type).to_owned()),
        "stripe_shift" => {
            1_u64.checked_shl(u32::from(head.stripe_shift)).map(|chunk| format!("{chunk} sectors"))
        }
        "total_sectors" => seen_through(head.total_sectors, record.total().0, "sectors"),
        "volume_id" => Some(format!("dm name {}", record.dm_name())),
        _ => None,
    }
}

/// The value, where other fields make it another than the number says.
fn seen_through(low: u32, value: u64, unit: &str) -> Option<String> {
    (u64::from(low) != value).then(|| format!("{unit} {value}"))
}

fn tail(record: &Record, name: &str) -> Option<String> {
    let tail = &record.tail;
    let computed = record.computed_checksum();
    match name {
        "magic_3" if tail.magic_3 == RESYNCING => Some("being synchronized".to_owned()),
        "sector_size" if record.sector_units() != tail.sector_size => Some("1, filler".to_owned()),
        "checksum" if tail.checksum == computed => Some("correct".to_owned()),
        "checksum" => Some(format!("wrong, computed {computed:#010x}")),
        _ => None,
    }
}

/// What the firmware calls the level.
pub(super) fn kind_name(value: u8) -> &'static str {
    match value {
        kind::RAID0 => "RAID0",
        kind::RAID1 => "RAID1, or RAID0+1",
        kind::RAID3 => "RAID3",
        kind::RAID5 => "RAID5",
        kind::SPAN => "span",
        kind::JBOD => "JBOD",
        _ => "not a level",
    }
}
