//! Every byte of the sector as a named field.

use super::sector::{Head, Kind, SUMMED, Sector, TABLE, Tail, bit};
use super::shape::{Part, Shape};
use crate::format::schema::{DiskStruct, Endian, FieldWalk, Repr};
use crate::format::vendor::flags;
use crate::model::Field;
use crate::units::Bytes;

/// The fields of the sector at `offset`.
pub(super) fn fields(sector: &Sector, offset: Bytes) -> Vec<Field> {
    let bytes = sector.encode();
    let mut walk = FieldWalk::new(&bytes, offset, Endian::Little);
    walk.structure::<Head>("via", "", 0, |name, _| head(sector, name));
    for place in 0..TABLE {
        let own = (sector.own_place() == Some(place)).then(|| "this disk".to_owned());
        let name = format!("serial_checksum[{place}]");
        walk.field("via", name, Head::SIZE + place * 4, 4, Repr::Hex, own);
    }
    walk.structure::<Tail>("via", "", SUMMED, |name, _| match name {
        "checksum" if !sector.is_sealed() => {
            Some(format!("wrong, computed {:#04x}", sector.computed_checksum()))
        }
        "checksum2" if !sector.is_second_sealed() => {
            Some(format!("wrong, computed {:#04x}", sector.computed_checksum2()))
        }
        _ => None,
    });
    walk.finish()
}

fn head(sector: &Sector, name: &str) -> Option<String> {
    match name {
        "disk" => Some(disk(sector)),
        "disk_array_ex" => {
            let (count, chunk) = (sector.count(), u64::from(sector.chunk()) / 2);
            Some(format!("{count} disks, chunk {chunk} KiB"))
        }
        "capacity" => sector.head.capacity.checked_mul(512).map(|bytes| format!("{bytes} bytes")),
        _ => None,
    }
}

/// The bits of `disk` in words.
fn disk(sector: &Sector) -> String {
    const FLAGS: &[(u32, &str)] = &[
        (bit::BOOTABLE as u32, "bootable"),
        (bit::ENHANCED as u32, "enhanced"),
        (bit::IN_ARRAY as u32, "in an array"),
        (bit::TOLERANCE as u32, "failed"),
    ];
    let shape = Shape::of(sector);
    let known = FLAGS.iter().fold(0, |all, (flag, _)| all | flag);
    let part = match shape.part {
        Part::Slot(slot) => format!("slot {slot}"),
        Part::Spare => "spare".to_owned(),
        Part::None => format!("raid_type_info {:#04x}", sector.info()),
    };
    let dirty = shape.is_dirty.then(|| "dirty".to_owned());
    let words = [
        Some(kind(sector.kind()).to_owned()),
        Some(format!("array {}", sector.array_index())),
        Some(part),
        dirty,
        flags(u32::from(sector.head.disk) & known, FLAGS),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Raid0 => "raid0",
        Kind::Raid1 => "raid1",
        Kind::Raid5 => "raid5",
        Kind::Span => "span",
        Kind::Raid01 => "raid0+1",
        Kind::Other => "unknown level",
    }
}
