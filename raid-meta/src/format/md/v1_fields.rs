//! The fields of a superblock 1.x and what they mean.

use super::facts::{DeviceRole, NONE};
use super::v1::{HEAD_BYTES, Head, V1, feature};
use super::words;
use crate::escape::escape_padded;
use crate::format::schema::{DiskStruct, Endian, FieldWalk, Repr};
use crate::format::words::bytes;
use crate::model::Field;
use crate::units::Bytes;

impl V1 {
    /// All fields of the superblock, which is at `offset` of the device window.
    pub(super) fn fields(&self, offset: Bytes) -> Vec<Field> {
        let bytes = self.encode();
        let mut walk = FieldWalk::new(&bytes, offset, Endian::Little);
        for spec in Head::FIELDS {
            if spec.name == "bitmap_offset" && self.has_ppl() {
                self.ppl_fields(&mut walk, spec.offset);
            } else {
                walk.spec("superblock", "", 0, spec, |name, _| self.meaning(name));
            }
        }
        let mut at = HEAD_BYTES;
        for (device, &role) in self.roles.iter().enumerate() {
            let words = DeviceRole::from_1x(role).words();
            walk.field("superblock", format!("dev_roles[{device}]"), at, 2, Repr::Unsigned, Some(words));
            at = at.saturating_add(2);
        }
        let rest = Some("up to the end of the sector, not part of the superblock".to_owned());
        walk.field("superblock", "tail", at, self.tail.len(), Repr::Raw, rest);
        walk.finish()
    }

    /// The other view of the word that otherwise places the bitmap.
    fn ppl_fields(&self, walk: &mut FieldWalk<'_>, at: usize) {
        let (distance, length) = self.ppl_place();
        let place = relative_to_superblock(i64::from(distance));
        walk.field("superblock", "ppl.offset", at, 2, Repr::Signed, place);
        let size = words::sectors(length.0);
        walk.field("superblock", "ppl.size", at.saturating_add(2), 2, Repr::Unsigned, size);
    }

    fn meaning(&self, name: &str) -> Option<String> {
        let head = &self.head;
        match name {
            "magic" => Some("Linux md".to_owned()),
            "feature_map" => words::flags(head.feature_map, &feature::NAMES),
            "set_name" => self.name_meaning(),
            "ctime" => words::time_1x(head.ctime),
            "utime" => words::time_1x(head.utime),
            "level" => Some(words::level_name(head.level)),
            "layout" => words::layout(head.level, head.layout, self.has(feature::RAID0_LAYOUT)),
            "sb_csum" => Some(self.checksum_meaning()),
            "devflags" => words::flags(u32::from(head.devflags), &[(1, "write-mostly"), (2, "failfast")]),
            "dev_number" => Some(self.role().words()),
            "max_dev" => Some(format!("roles are recorded for {} device numbers", head.max_dev)),
            _ => self
                .size_meaning(name)
                .or_else(|| self.place_meaning(name))
                .or_else(|| self.reshape_meaning(name)),
        }
    }

    fn name_meaning(&self) -> Option<String> {
        let colon = self.head.set_name.iter().position(|&byte| byte == b':')?;
        let (host, name) = self.head.set_name.split_at_checked(colon)?;
        let name = name.get(1..).unwrap_or_default();
        Some(format!("'{}' of host '{}'", escape_padded(name), escape_padded(host)))
    }

    fn checksum_meaning(&self) -> String {
        let computed = self.computed_checksum();
        if computed == self.head.sb_csum {
            "correct".to_owned()
        } else {
            format!("computed {computed:#010x}")
        }
    }

    fn size_meaning(&self, name: &str) -> Option<String> {
        let head = &self.head;
        match name {
            "size" if head.size == 0 => Some("all of each member".to_owned()),
            "size" => words::sectors(head.size),
            "chunksize" => words::sectors(u64::from(head.chunksize)),
            "data_size" => words::sectors(head.data_size),
            "bblog_size" => words::sectors(u64::from(head.bblog_size)),
            "bblog_shift" if head.bblog_offset != 0 => {
                let unit = 512_u64.checked_shl(u32::from(head.bblog_shift))?;
                Some(format!("blocks of {}", bytes(unit)?))
            }
            "logical_block_size" if head.logical_block_size == 0 => Some("not recorded".to_owned()),
            "logical_block_size" => bytes(u64::from(head.logical_block_size)),
            "resync_offset" if head.resync_offset == NONE => Some("in sync".to_owned()),
            "resync_offset" => Some(format!("redundancy is in step below sector {}", head.resync_offset)),
            _ => None,
        }
    }

    fn place_meaning(&self, name: &str) -> Option<String> {
        let head = &self.head;
        match name {
            "bitmap_offset" if self.has(feature::BITMAP) => {
                relative_to_superblock(i64::from(head.bitmap_offset))
            }
            "bitmap_offset" => Some("no bitmap".to_owned()),
            "bblog_offset" if head.bblog_offset == 0 => Some("no bad-block log".to_owned()),
            "bblog_offset" => relative_to_superblock(i64::from(head.bblog_offset)),
            "recovery_offset" if self.role() == DeviceRole::Journal => {
                Some(format!("journal is replayed from its sector {}", head.recovery_offset))
            }
            "recovery_offset" if self.has(feature::RECOVERY) => {
                Some(format!("rebuilt up to sector {} of the data", head.recovery_offset))
            }
            "recovery_offset" => Some("not in use".to_owned()),
            _ => None,
        }
    }

    fn reshape_meaning(&self, name: &str) -> Option<String> {
        let head = &self.head;
        let names = ["new_level", "reshape_position", "delta_disks", "new_layout", "new_chunk", "new_offset"];
        if !names.contains(&name) {
            return None;
        }
        if !self.has(feature::RESHAPE) {
            return Some("not in use".to_owned());
        }
        match name {
            "new_level" => Some(words::level_name(head.new_level)),
            "new_layout" => words::layout(head.new_level, head.new_layout, false),
            "new_chunk" => words::sectors(u64::from(head.new_chunk)),
            "reshape_position" => Some(format!("boundary at array sector {}", head.reshape_position)),
            "delta_disks" => {
                let before = i64::from(head.raid_disks).saturating_sub(i64::from(head.delta_disks));
                Some(format!("from {before} to {} slots", head.raid_disks))
            }
            _ if self.has(feature::NEW_OFFSET) => Some("added to the data offset".to_owned()),
            _ => Some("not in use".to_owned()),
        }
    }
}

fn relative_to_superblock(distance: i64) -> Option<String> {
    let side = if distance < 0 { "before" } else { "after" };
    Some(format!("{} sectors {side} the superblock", distance.unsigned_abs()))
}
