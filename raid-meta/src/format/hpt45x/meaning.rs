//! Every byte as a named field, and the words for numbers.

use super::levels::raid_type;
use super::sector::{
    CONFIGS, Config, HIGH, Head, High, MAGIC_BAD, MAGIC_OK, REBUILT, Sector, TAIL, TEXTS, Tail, Texts,
};
use super::view::status;
use crate::format::schema::{Endian, FieldWalk};
use crate::format::vendor::flags;
use crate::model::Field;
use serde_json::Value;

const STRUCTURE: &str = "hpt45x";

/// The fields, in the order of the bytes.
pub(super) fn fields(sector: &Sector) -> Vec<Field> {
    let area = sector.area();
    let mut walk = FieldWalk::new(&area.bytes, area.offset, Endian::Little);
    walk.structure::<Head>(STRUCTURE, "", 0, |name, _| head(sector, name));
    for (index, (at, entry)) in CONFIGS.iter().zip(&sector.configs).enumerate() {
        let prefix = format!("config[{index}].");
        walk.structure::<Config>(STRUCTURE, &prefix, *at, |name, _| config(entry, name));
    }
    walk.structure::<Texts>(STRUCTURE, "", TEXTS, |name, _| texts(&sector.texts, name));
    for (index, at) in HIGH.iter().enumerate() {
        let prefix = format!("config_high[{index}].");
        walk.structure::<High>(STRUCTURE, &prefix, *at, nothing);
    }
    walk.structure::<Tail>(STRUCTURE, "", TAIL, nothing);
    walk.finish()
}

fn nothing(_: &str, _: &Value) -> Option<String> {
    None
}

fn head(sector: &Sector, name: &str) -> Option<String> {
    let head = &sector.head;
    match name {
        "magic" if head.magic == MAGIC_OK => Some("member".to_owned()),
        "magic" if head.magic == MAGIC_BAD => Some("failed member".to_owned()),
        "magic_0" if sector.is_spare() => Some("spare".to_owned()),
        "mode" => flags(u32::from(head.mode), &[(1, "boot mark"), (2, "user mode set")]),
        _ => None,
    }
}

fn config(config: &Config, name: &str) -> Option<String> {
    match name {
        "raid_type" => type_text(config.raid_type).map(str::to_owned),
        "stripe_shift" => {
            let chunk = 1_u32.checked_shl(u32::from(config.stripe_shift))?;
            (config.stripe_shift > 0).then(|| format!("chunk of {chunk} sectors"))
        }
        "status" => flags(
            u32::from(config.status),
            &[(u32::from(status::NEED_REBUILD), "needs rebuild"), (2, "raid15")],
        ),
        "critical_disks" => {
            let critical = (0..16_u32).filter(|bit| config.critical_disks >> bit & 1 != 0);
            let numbers: Vec<String> = critical.map(|number| number.to_string()).collect();
            (!numbers.is_empty()).then(|| format!("not current: {}", numbers.join(", ")))
        }
        "rebuild_lba" => (config.rebuild_lba == REBUILT).then(|| "nothing to rebuild".to_owned()),
        _ => None,
    }
}

fn type_text(number: u8) -> Option<&'static str> {
    Some(match number {
        raid_type::SPARE => "spare, or no entry",
        raid_type::SINGLE => "single disk",
        raid_type::SPAN => "span",
        raid_type::RAID0 => "RAID0",
        raid_type::RAID1 => "RAID1",
        raid_type::RAID3 => "RAID3",
        raid_type::RAID5 => "RAID5",
        _ => return None,
    })
}

fn texts(texts: &Texts, name: &str) -> Option<String> {
    const FLAGS: &[(u32, &str)] = &[
        (0x01, "TCQ set"),
        (0x02, "TCQ"),
        (0x04, "NCQ set"),
        (0x08, "NCQ"),
        (0x10, "write cache set"),
        (0x20, "write cache"),
        (0x40, "read ahead set"),
        (0x80, "read ahead"),
    ];
    match name {
        "timestamp" if texts.timestamp != 0 => Some(format!("created {}", Date::unpacked(texts.timestamp))),
        "flags" => flags(u32::from(texts.flags), FLAGS),
        _ => None,
    }
}

/// A date as 32 bits: seconds, minutes, month, hours, day, years from 2000, from the lowest bit on. In whatever time
/// the machine had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: u32,
    pub(super) month: u32,
    pub(super) day: u32,
    pub(super) hour: u32,
    pub(super) minute: u32,
    pub(super) second: u32,
}

impl Date {
    pub(super) fn unpacked(word: u32) -> Self {
        Self {
            second: word & 63,
            minute: word >> 6 & 63,
            month: word >> 12 & 15,
            hour: word >> 16 & 63,
            day: word >> 22 & 31,
            year: (word >> 27).saturating_add(2000),
        }
    }

    /// The bits; none for a year that they have no room for.
    pub(super) fn packed(self) -> Option<u32> {
        let year = self.year.checked_sub(2000).filter(|&year| year < 32)?;
        Some(
            self.second | self.minute << 6 | self.month << 12 | self.hour << 16 | self.day << 22 | year << 27,
        )
    }

    /// The date in text as [`crate::format::time::utc`] writes it.
    pub(super) fn parsed(text: &str) -> Option<Self> {
        let number = |from: usize, to: usize| text.get(from..to)?.parse().ok();
        Some(Self {
            year: number(0, 4)?,
            month: number(5, 7)?,
            day: number(8, 10)?,
            hour: number(11, 13)?,
            minute: number(14, 16)?,
            second: number(17, 19)?,
        })
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}
