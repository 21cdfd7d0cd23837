//! Where the members are.

use super::build::{Builder, Draft, Part, add};
use super::error::Reason;
use crate::target::Device;
use raid_meta::escape::text_to_path;
use raid_meta::record::{ArrayMember, ArrayRecord, MemberState};
use raid_meta::units::{Sectors, Slot};

/// A member that can be used.
#[derive(Clone, Debug)]
pub(super) struct Source {
    slot: Slot,
    /// Where its data begins.
    part: Part,
    /// From there to the end of the device or its window, where that is known.
    room: Option<Sectors>,
    /// What holds its superblock and bitmap.
    metadata: Option<Part>,
    /// The array that it is, from its first sector.
    subset: Option<Part>,
}

/// The member of each slot that is in sync.
pub(super) fn sources(array: &ArrayRecord, arrays: &[ArrayRecord]) -> Result<Vec<Option<Source>>, Reason> {
    let find = |slot| array.members.iter().find(|member| member.slot == slot);
    (0..array.slots)
        .map(|slot| match find(Slot(slot)) {
            Some(member) if member.state == MemberState::InSync => Source::new(member, arrays).map(Some),
            _ => Ok(None),
        })
        .collect()
}

/// The device of an array.
fn mapped(name: &str) -> Part {
    Part::new(Device::mapped(name), Sectors::ZERO, Some(name.to_owned()))
}

impl Source {
    fn new(member: &ArrayMember, arrays: &[ArrayRecord]) -> Result<Self, Reason> {
        let offset = member.offset_sectors.unwrap_or_default();
        let (device, window, length, depends) = match (&member.device, &member.array) {
            (_, Some(name)) => {
                let subset = arrays.iter().find(|array| &array.name == name);
                let length = subset.map(|subset| subset.size_sectors);
                (Device::mapped(name), Sectors::ZERO, length, Some(name.clone()))
            }
            (Some(device), None) => {
                let window = member.device_offset_sectors.unwrap_or_default();
                (Device::from_path(&text_to_path(device))?, window, member.device_length_sectors, None)
            }
            (None, None) => return Err(Reason::NoDevice { slot: member.slot }),
        };
        Ok(Self {
            slot: member.slot,
            part: Part::new(device, add(window, offset)?, depends),
            room: length.map(|length| length.saturating_sub(offset)),
            metadata: member.metadata_array.as_deref().map(mapped),
            subset: member.array.as_deref().map(mapped),
        })
    }

    /// What holds its superblock and bitmap.
    pub(super) fn metadata(&self) -> Option<Part> {
        self.metadata.clone()
    }

    /// The device of a raid target that has metadata devices. A subset is taken as it is: it may be longer than what
    /// is used of it, and where the data begins on it the superblock says.
    pub(super) fn leg(&self, builder: &mut Builder, needed: Sectors) -> Result<Part, Reason> {
        let whole = self.part(needed).map(|_| self.subset.clone())?;
        whole.map_or_else(|| self.whole_device(builder, needed), Ok)
    }

    /// The member from the beginning of its data, which has at least that length.
    pub(super) fn part(&self, needed: Sectors) -> Result<&Part, Reason> {
        match self.room {
            Some(found) if found < needed => Err(Reason::DeviceTooSmall { slot: self.slot, needed, found }),
            _ => Ok(&self.part),
        }
    }

    /// A device of exactly that length: the member's own, or a helper.
    pub(super) fn whole_device(&self, builder: &mut Builder, needed: Sectors) -> Result<Part, Reason> {
        if self.part.is_whole_device() && self.room == Some(needed) {
            return Ok(self.part.clone());
        }
        let mut draft = Draft::default();
        draft.linear(self.part(needed)?, needed)?;
        builder.helper(&format!("member{}", self.slot), draft)
    }
}
