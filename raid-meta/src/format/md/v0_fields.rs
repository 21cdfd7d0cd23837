//! The fields of a superblock 0.90 and what they mean.

use super::v0::{Descriptor, Head, RESHAPE_MINOR, THIS_DISK_AT, V0, disk_state, state};
use super::words;
use crate::format::schema::{DiskStruct, Endian, FieldWalk};
use crate::format::words::bytes;
use crate::model::Field;
use crate::units::Bytes;

impl V0 {
    /// All fields of the superblock, which is at `offset` of the device window.
    pub(super) fn fields(&self, offset: Bytes) -> Vec<Field> {
        let bytes = self.encode();
        let mut walk = FieldWalk::new(&bytes, offset, self.endian);
        walk.structure::<Head>("superblock", "", 0, |name, _| self.meaning(name));
        let mut at = Head::SIZE;
        for (number, disk) in self.disks.iter().enumerate() {
            self.disk_fields(&mut walk, &format!("disks[{number}]."), at, disk);
            at = at.saturating_add(Descriptor::SIZE);
        }
        self.disk_fields(&mut walk, "this_disk.", THIS_DISK_AT, &self.this_disk);
        walk.finish()
    }

    fn disk_fields(&self, walk: &mut FieldWalk<'_>, prefix: &str, at: usize, disk: &Descriptor) {
        walk.structure::<Descriptor>("descriptor", prefix, at, |name, _| match name {
            "state" => words::flags(disk.state, &disk_state::NAMES),
            "raid_disk" if is_unused(disk) => Some("unused".to_owned()),
            "raid_disk" => Some(self.role(disk).words()),
            "major" | "minor" => Some("history only".to_owned()),
            _ => None,
        });
    }

    fn meaning(&self, name: &str) -> Option<String> {
        let head = &self.head;
        match name {
            "magic" if self.endian == Endian::Big => Some("Linux md, big-endian".to_owned()),
            "magic" => Some("Linux md".to_owned()),
            "minor_version" if head.minor_version == RESHAPE_MINOR => {
                Some("a reshape is recorded".to_owned())
            }
            "ctime" => words::time_0x(head.ctime),
            "utime" => words::time_0x(head.utime),
            "level" => Some(words::level_name(head.level)),
            "layout" => self.layout_words(),
            "size" if head.size == 0 => Some("all of each member".to_owned()),
            "size" => words::kib(u64::from(head.size)),
            "chunk_size" => bytes(u64::from(head.chunk_size)),
            "state" => words::flags(head.state, &state::NAMES),
            "sb_csum" => Some(self.checksum_meaning()),
            "recovery_cp" => Some(self.resync_meaning()),
            "patch_version" | "gvalid_words" | "root_pv" | "root_block" => Some("not in use".to_owned()),
            _ => self.reshape_meaning(name),
        }
    }

    fn checksum_meaning(&self) -> String {
        let computed = self.computed_checksum();
        if computed == self.head.sb_csum {
            "correct".to_owned()
        } else {
            format!("computed {computed:#010x}")
        }
    }

    fn resync_meaning(&self) -> String {
        match self.facts().resync {
            None => "in sync".to_owned(),
            Some(position) => format!("redundancy is in step below sector {position}"),
        }
    }

    fn reshape_meaning(&self, name: &str) -> Option<String> {
        let head = &self.head;
        let names = ["new_level", "reshape_position", "delta_disks", "new_layout", "new_chunk"];
        if !names.contains(&name) {
            return None;
        }
        if head.minor_version != RESHAPE_MINOR {
            return Some("not in use".to_owned());
        }
        match name {
            "new_level" => Some(words::level_name(head.new_level)),
            "new_layout" => words::layout(head.new_level, head.new_layout, false),
            "new_chunk" => bytes(u64::from(head.new_chunk)),
            "reshape_position" => Some(format!("boundary at array sector {}", head.reshape_position)),
            _ => {
                let before = i64::from(head.raid_disks).saturating_sub(i64::from(head.delta_disks));
                Some(format!("from {before} to {} slots", head.raid_disks))
            }
        }
    }
}

fn is_unused(disk: &Descriptor) -> bool {
    [disk.number, disk.major, disk.minor, disk.raid_disk, disk.state].iter().all(|&word| word == 0)
}
