//! Every byte of a copy as a named field.

use super::sector::{Copy, Kind, NOT_USED, Sector, unswapped};
use super::view::{state_word, status_word};
use crate::escape::escape;
use crate::format::schema::{Endian, FieldWalk};
use crate::model::Field;
use serde_json::Value;

/// The fields of a copy. Those of the copy in the last sector have their plain names.
pub(super) fn fields(copy: &Copy) -> Vec<Field> {
    let bytes = copy.encode();
    let prefix = if copy.index == 0 { String::new() } else { format!("copy[{}].", copy.index) };
    let mut walk = FieldWalk::new(&bytes, copy.offset, Endian::Little);
    walk.structure::<Sector>("sil", &prefix, 0, |name, value| meaning(&copy.sector, name, value));
    walk.finish()
}

fn meaning(sector: &Sector, name: &str, value: &Value) -> Option<String> {
    match name {
        "identify_serial" => Some(text(&sector.identify_serial)),
        "identify_firmware" => Some(text(&sector.identify_firmware)),
        "identify_model" => Some(text(&sector.identify_model)),
        "array_sectors" | "lba48_sectors" | "thisdisk_sectors" | "rebuild_ptr" => {
            value.as_u64().and_then(size)
        }
        "product_id" => Some(format!("SiI {:04x}", sector.product_id)),
        "year" => Some(time(sector)),
        "raid0_stride" => size(u64::from(sector.raid0_stride)),
        "raid_type" => Some(kind(sector.kind()).to_owned()),
        "drives_per_striped_set" => not_used(sector.drives_per_striped_set),
        "striped_set_number" => not_used(sector.striped_set_number),
        "drives_per_mirrored_set" => not_used(sector.drives_per_mirrored_set),
        "mirrored_set_number" => not_used(sector.mirrored_set_number),
        "member_status" => Some(status_word(sector.member_status).to_owned()),
        "mirrored_set_state" => Some(state_word(sector.mirrored_set_state).to_owned()),
        "checksum1" if !sector.is_sealed() => {
            Some(format!("wrong, computed {:#06x}", sector.computed_checksum()))
        }
        _ => None,
    }
}

fn text(words: &[u8]) -> String {
    format!("'{}'", escape(&unswapped(words)))
}

fn size(sectors: u64) -> Option<String> {
    sectors.checked_mul(512).map(|bytes| format!("{bytes} bytes"))
}

fn not_used(number: i8) -> Option<String> {
    (number == NOT_USED).then(|| "not used".to_owned())
}

/// The time is written in BCD: its digits are those of the bytes in hexadecimal.
fn time(sector: &Sector) -> String {
    let [year, month, day, hour, minutes, seconds] = sector.time();
    format!("20{year:02x}-{month:02x}-{day:02x} {hour:02x}:{minutes:02x}:{seconds:02x}")
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Raid0 => "raid0",
        Kind::Raid1 => "raid1",
        Kind::Raid10 => "raid10",
        Kind::Spare => "spare",
        Kind::Concat => "concatenation",
        Kind::Raid5 => "raid5",
        Kind::Jbod => "JBOD",
        Kind::Other => "unknown",
    }
}
