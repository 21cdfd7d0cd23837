//! From devices to arrays in one call: partitions, every format, groups.

use crate::carve::{Watch, carve};
use crate::device::{CachedDisk, Device, DeviceError, ReadAt};
use crate::format::{FORMATS, Format};
use crate::group::group_with_carved;
use crate::identify::{Member, identify};
use crate::record::{ArrayRecord, Problem};
use crate::scan;
use crate::units::Bytes;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

/// What to look for.
#[derive(Clone)]
pub struct Options {
    /// Formats to ask.
    pub formats: Vec<&'static dyn Format>,
    /// Members whose slot is unknown take the free slots in the order given.
    pub assume_order: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { formats: FORMATS.to_vec(), assume_order: false }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub struct Probe {
    /// All members, in the order of the devices.
    pub members: Vec<Member>,
    /// The arrays, subsets before the sets that use them.
    pub arrays: Vec<ArrayRecord>,
    /// What is wrong with partition tables.
    pub problems: Vec<Problem>,
    /// What a search left out because of its limits.
    pub incomplete: Vec<Problem>,
    /// Devices that could not be read (in part).
    pub errors: Vec<DeviceError>,
}

/// Probes devices one after the other. A device is closed when its metadata has been read, so that any number
/// can be given.
#[must_use]
pub fn probe(devices: impl IntoIterator<Item = Device>, options: &Options) -> Probe {
    probe_with(devices, options, None)
}

/// As [`probe`], and searches every device for metadata that is elsewhere; a partition is searched with its disk.
#[must_use]
pub fn probe_deep(
    devices: impl IntoIterator<Item = Device>,
    options: &Options,
    watch: &mut Watch<'_>,
) -> Probe {
    probe_with(devices, options, Some(watch))
}

fn probe_with(
    devices: impl IntoIterator<Item = Device>,
    options: &Options,
    mut watch: Option<&mut Watch<'_>>,
) -> Probe {
    let mut found = Probe::default();
    let mut known = HashSet::new();
    for device in devices {
        if !known.contains(&window(&device)) {
            let members = found.add(&device, options, watch.as_deref_mut());
            known.extend(members.iter().filter(|member| !member.carved).map(|member| window(&member.device)));
        }
    }
    found.drop_carved_partitions();
    found.arrays = group_with_carved(&mut found.members, options.assume_order);
    found
}

impl Probe {
    /// Adds what is on one device: the device itself, and the partitions in it. Returns the new members.
    fn add(&mut self, device: &Device, options: &Options, watch: Option<&mut Watch<'_>>) -> &[Member] {
        let cached = device.through(Arc::new(CachedDisk::new(Arc::clone(device.disk()))));
        let search = scan::search(&cached);
        self.errors.extend(search.errors);
        self.problems.extend(search.problems);
        let mut members = Vec::new();
        for (index, window) in search.windows.iter().enumerate() {
            let is_partition = index > 0;
            let formats = options.formats.iter().copied();
            let formats = formats.filter(|format| !(is_partition && format.whole_disk_only()));
            // A bad sector where one format would be is no reason not to see another; many fail at the same place.
            let mut failed = None;
            for format in formats {
                match identify(window, &[format]) {
                    Ok(finds) => members.extend(finds),
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
            self.errors.extend(failed);
        }
        drop_other_windows(&mut members);
        if let Some(watch) = watch.filter(|_| !device.is_partition()) {
            let carved = carve(device, &options.formats, &mut members, watch);
            self.incomplete.extend(carved.incomplete);
            self.errors.extend(carved.errors);
            members.extend(carved.members);
            drop_other_windows(&mut members);
        }
        mark_ambiguous(&mut members);
        for member in &mut members {
            member.device = member.device.closed();
        }
        let before = self.members.len();
        self.members.extend(members);
        self.members.get(before..).unwrap_or_default()
    }

    /// What was found by searching a disk is dropped where the kernel has a partition for it.
    fn drop_carved_partitions(&mut self) {
        let place = |member: &Member| {
            let (disk, start) = member.device.on_disk();
            (member.format.name(), disk.to_owned(), start.saturating_add(member.found.offset))
        };
        let in_partitions = self.members.iter().filter(|member| member.device.is_partition());
        let known: HashSet<_> = in_partitions.filter(|member| member.is_sound()).map(place).collect();
        self.members.retain(|member| !member.carved || !known.contains(&place(member)));
    }
}

/// What tells one window from another.
fn window(device: &Device) -> (PathBuf, Bytes, Bytes) {
    (device.path().to_owned(), device.offset(), device.size())
}

/// Whether two windows of one disk are the same.
fn same_window(a: &Device, b: &Device) -> bool {
    a.offset() == b.offset() && a.size() == b.size()
}

/// Metadata at the end of a disk is also at the end of its last partition. It belongs to the window that it
/// fits: where it is not misplaced, then where its data fits, then the smallest.
fn drop_other_windows(members: &mut Vec<Member>) {
    let rank = |member: &Member| (!member.is_sound(), !member.data_fits(), member.device.length_sectors());
    let mut kept: Vec<Member> = Vec::with_capacity(members.len());
    for member in members.drain(..) {
        let twin = kept.iter_mut().find(|other| {
            other.format.name() == member.format.name() && other.disk_offset() == member.disk_offset()
        });
        match twin {
            Some(twin) if rank(&member) < rank(twin) => *twin = member,
            Some(_) => {}
            None => kept.push(member),
        }
    }
    *members = kept;
}

/// Sound metadata of two kinds on one window: which one is meant is not ours to decide. Sets of one format that share
/// their disks are no such case.
fn mark_ambiguous(members: &mut [Member]) {
    let names: Vec<_> = members.iter().map(|member| member.is_sound().then(|| kind(member))).collect();
    for index in 0..members.len() {
        let others: Vec<&str> = names
            .iter()
            .zip(members.iter())
            .enumerate()
            .filter(|(other, (_, member))| {
                *other != index
                    && same_window(&member.device, &members[index].device)
                    && !are_side_by_side(member, &members[index])
            })
            .filter_map(|(_, (name, _))| name.as_deref())
            .collect();
        if let (Some(name), false) = (&names[index], others.is_empty()) {
            let message = format!("carries {name} and {} metadata", others.join(" and "));
            members[index].add_problem(Problem::error("ambiguous-format", message));
        }
    }
}

fn are_side_by_side(a: &Member, b: &Member) -> bool {
    a.format.name() == b.format.name() && a.format.several_sets()
}

fn kind(member: &Member) -> String {
    let version = member.metadata().map(|metadata| metadata.version()).unwrap_or_default();
    format!("{} {version}", member.format.name())
}
