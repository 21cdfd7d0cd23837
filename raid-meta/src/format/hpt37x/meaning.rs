//! Every byte as a named field, and the words for numbers.

use super::levels::{order, raid_type};
use super::sector::{Head, LOG, LogEntry, MAGIC_BAD, MAGIC_OK, REBUILT, Sector, TAIL, Tail};
use crate::format::schema::{DiskStruct, Endian, FieldWalk};
use crate::format::time::utc;
use crate::format::vendor::flags;
use crate::model::Field;

const STRUCTURE: &str = "hpt37x";

/// Bits of the order.
const ORDER: &[(u32, &str)] = &[
    (order::FIRST, "first half of a RAID0+1, or mirror"),
    (order::CURRENT, "half of a RAID0+1 is current"),
    (order::OK, "takes part"),
];

/// The fields, in the order of the bytes.
pub(super) fn fields(sector: &Sector) -> Vec<Field> {
    let area = sector.area();
    let mut walk = FieldWalk::new(&area.bytes, area.offset, Endian::Little);
    walk.structure::<Head>(STRUCTURE, "", 0, |name, _| head(sector, name));
    let places = (LOG..TAIL).step_by(LogEntry::SIZE);
    for (index, (at, entry)) in places.zip(&sector.log).enumerate() {
        let prefix = format!("errorlog[{index}].");
        walk.structure::<LogEntry>(STRUCTURE, &prefix, at, |name, _| log(entry, name));
    }
    walk.structure::<Tail>(STRUCTURE, "", TAIL, |name, _| {
        let is_done = name == "rebuild_lba" && sector.tail.rebuild_lba == REBUILT;
        is_done.then(|| "nothing to rebuild".to_owned())
    });
    walk.finish()
}

fn head(sector: &Sector, name: &str) -> Option<String> {
    let head = &sector.head;
    match name {
        "magic" if head.magic == MAGIC_OK => Some("member".to_owned()),
        "magic" if head.magic == MAGIC_BAD => Some("failed member".to_owned()),
        "magic_0" if sector.is_spare() => Some("spare".to_owned()),
        "order" => flags(head.order, ORDER),
        "raid_type" => type_text(head.raid_type).map(str::to_owned),
        "raid0_shift" => {
            let chunk = 1_u32.checked_shl(u32::from(head.raid0_shift))?;
            (head.raid0_shift > 0).then(|| format!("chunk of {chunk} sectors"))
        }
        _ => None,
    }
}

fn type_text(number: u8) -> Option<&'static str> {
    Some(match number {
        raid_type::RAID0 => "RAID0",
        raid_type::RAID1 => "RAID1",
        raid_type::MIRROR_OF_STRIPES => "RAID0+1, stripe",
        raid_type::SPAN => "span",
        raid_type::RAID3 => "RAID3",
        raid_type::RAID5 => "RAID5",
        raid_type::SINGLE => "single disk",
        raid_type::STRIPE_OF_MIRRORS => "RAID0+1, mirror",
        _ => return None,
    })
}

fn log(entry: &LogEntry, name: &str) -> Option<String> {
    match (name, entry.reason) {
        ("timestamp", _) if entry.timestamp != 0 => utc(u64::from(entry.timestamp)),
        ("reason", 0xfe) => Some("removed".to_owned()),
        ("reason", 0xff) => Some("broken".to_owned()),
        _ => None,
    }
}
