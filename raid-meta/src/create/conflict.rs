//! What is on the disks already: what stays, and what is in the way.

use super::NotCreated;
use super::overlay::Patch;
use super::signature::{self, Signature};
use crate::device::{Device, ReadAt};
use crate::format::{Metadata, Range};
use crate::identify::Member;
use crate::probe::Probe;
use crate::record::ArrayRecord;
use crate::units::{Bytes, SECTOR_LENGTH};

/// Longest range that is erased at once: metadata is not longer.
const MAX_ERASED: u64 = 64 << 20;

/// The arrays that stay as they are: those of a set that gets one more volume, and what is inside of them. Where no
/// set gets one, none does, even if it could still be found beside the new one.
pub(super) fn kept(before: &Probe, after: &Probe) -> Vec<ArrayRecord> {
    let of_set = |array: &ArrayRecord, other: &ArrayRecord| {
        other.format == array.format && other.set_id == array.set_id
    };
    let stays = |array: &&ArrayRecord| {
        let mut set = before.arrays.iter().filter(|other| of_set(array, other));
        set.all(|array| after.arrays.contains(array))
    };
    let kept: Vec<ArrayRecord> = before.arrays.iter().filter(stays).cloned().collect();
    let mut new = after.arrays.iter().filter(|array| !before.arrays.contains(array));
    let is_addition = new.any(|array| kept.iter().any(|other| of_set(array, other)));
    if is_addition { kept } else { Vec::new() }
}

/// What is in the way, for each device.
#[derive(Debug)]
pub(super) struct Conflicts {
    lines: Vec<String>,
    erasures: Vec<Vec<Patch>>,
}

impl Conflicts {
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// What it is, in words.
    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.clone()
    }

    /// What takes it away, for each device: old metadata would be found beside the new.
    pub(super) fn erasures(&self) -> Vec<Vec<Patch>> {
        self.erasures.clone()
    }
}

/// What is in the way of the patches: metadata that does not stay, and other things that somebody may want to keep.
///
/// # Errors
/// A read failed.
pub(super) fn find(
    devices: &[&Device],
    before: &Probe,
    kept: &[ArrayRecord],
    patches: &[Vec<Patch>],
) -> Result<Conflicts, NotCreated> {
    let mut conflicts = Conflicts { lines: Vec::new(), erasures: Vec::new() };
    for (index, device) in devices.iter().enumerate() {
        let members: Vec<&Member> =
            before.members.iter().filter(|member| is_on(device, &member.device)).collect();
        let (staying, going): (Vec<&Member>, Vec<&Member>) =
            members.into_iter().partition(|member| kept.iter().any(|array| is_of(member, array)));
        conflicts.lines.extend(going.iter().map(|member| line(member)));
        conflicts.erasures.push(going.iter().flat_map(|member| erasures(device, member)).collect());
        let patches = patches.get(index).map(Vec::as_slice).unwrap_or_default();
        let is_in_the_way = |found: &Signature| staying.is_empty() || is_hit(found, patches);
        let found = signature::find(device)?.into_iter().filter(is_in_the_way);
        let mut lines: Vec<String> =
            found.map(|found| format!("{}: carries {}", device.label(), found.name)).collect();
        lines.dedup();
        conflicts.lines.extend(lines);
    }
    Ok(conflicts)
}

/// Whether a window is inside another one of the same path.
fn is_on(device: &Device, window: &Device) -> bool {
    let end = |device: &Device| device.offset().saturating_add(device.size());
    device.path() == window.path() && device.offset() <= window.offset() && end(window) <= end(device)
}

/// Whether a member is one of the set of an array.
pub(super) fn is_of(member: &Member, array: &ArrayRecord) -> bool {
    let set_id = member.view.as_ref().map(|view| view.set_id.as_str());
    array.format.as_deref() == Some(member.format.name()) && array.set_id.as_deref() == set_id
}

fn is_hit(found: &Signature, patches: &[Patch]) -> bool {
    let end = found.offset.saturating_add(Bytes(found.length as u64));
    patches.iter().any(|patch| patch.offset < end && found.offset < patch.end())
}

fn line(member: &Member) -> String {
    let version = member.metadata().map(Metadata::version).or_else(|| member.found.version.clone());
    let kind =
        [Some(member.format.name().to_owned()), version].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let set = member.view.as_ref().map(|view| match &view.set_name {
        Some(name) => format!(" of set '{name}'"),
        None => format!(" of set {}", view.set_id),
    });
    format!("{}: carries {kind} metadata{}", member.device.label(), set.unwrap_or_default())
}

/// Zeros over all that makes a member.
fn erasures(device: &Device, member: &Member) -> Vec<Patch> {
    let base = member.device.offset().saturating_sub(device.offset());
    let ranges = match member.metadata() {
        Some(metadata) => metadata.erasures(),
        None => vec![Range { offset: member.found.offset, length: Bytes(SECTOR_LENGTH as u64) }],
    };
    let patch = |range: Range| {
        let offset = base.saturating_add(range.offset);
        let rest = device.size().saturating_sub(offset);
        let length = range.length.min(rest).min(Bytes(MAX_ERASED));
        let bytes = vec![0; usize::try_from(length.0).unwrap_or_default()];
        (!bytes.is_empty()).then_some(Patch { offset, bytes })
    };
    ranges.into_iter().filter_map(patch).collect()
}
