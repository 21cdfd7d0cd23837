//! Where metadata is that was found already.

use crate::format::Format;
use crate::identify::Member;
use crate::units::Bytes;
use std::collections::BTreeMap;

/// The areas of all metadata found, by format and first byte on the disk.
#[derive(Debug, Default)]
pub(super) struct Known {
    areas: BTreeMap<(&'static str, u64), u64>,
}

impl Known {
    /// Adds the areas of a member.
    pub(super) fn add(&mut self, member: &Member) {
        for (start, end) in areas(member) {
            let known = self.areas.entry((member.format.name(), start)).or_default();
            *known = end.max(*known);
        }
    }

    /// Whether a byte of the disk is in an area of that format. Areas that overlap may hide each other; then it is
    /// looked at once more.
    pub(super) fn holds(&self, format: &'static dyn Format, at: Bytes) -> bool {
        let key = (format.name(), at.0);
        let before = self.areas.range(..=key).next_back();
        before.is_some_and(|((name, _), end)| *name == key.0 && at.0 < *end)
    }
}

/// The areas of a member's metadata, first byte and end on the disk.
pub(super) fn areas(member: &Member) -> impl Iterator<Item = (u64, u64)> {
    let base = member.device.offset();
    let areas = member.metadata().map(|metadata| metadata.areas()).unwrap_or_default();
    areas.into_iter().map(move |area| {
        let start = base.saturating_add(area.offset).0;
        (start, start.saturating_add(area.bytes.len() as u64))
    })
}

/// Whether a member's metadata is of that format, sound, and has this byte of the disk.
pub(super) fn holds(member: &Member, format: &dyn Format, at: Bytes) -> bool {
    member.is_sound()
        && member.format.name() == format.name()
        && areas(member).any(|(start, end)| (start..end).contains(&at.0))
}

/// Whether two members are the same metadata, seen through two windows of one disk.
pub(super) fn is_same(a: &Member, b: &Member) -> bool {
    a.format.name() == b.format.name()
        && a.device.path() == b.device.path()
        && a.disk_offset() == b.disk_offset()
}
