//! The array that gets a new disk, with its set: read from the disks, whatever records say.

use raid_meta::cli::{Console, Exit, Failure, Source, SourceArgs};
use raid_meta::device::{Device, ReadAt};
use raid_meta::edit::Part;
use raid_meta::format::{Format, by_name};
use raid_meta::probe::{Options, probe};
use raid_meta::record::{ArrayMember, ArrayRecord, MemberRecord, MemberState, Role};
use raid_meta::units::{Bytes, Sectors, Slot};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// An array and all that belongs to its set.
pub(super) struct Set {
    pub(super) format: &'static dyn Format,
    pub(super) array: ArrayRecord,
    pub(super) source: Source,
    slot: Slot,
    /// What was opened.
    devices: Vec<Device>,
}

impl Set {
    /// Reads the disks.
    ///
    /// # Errors
    /// No array is found, or it is not clear which one is meant, or it is of no format.
    pub(super) fn load(
        args: &SourceArgs,
        wanted: Option<&str>,
        slot: Slot,
        console: &Console,
    ) -> anyhow::Result<Self> {
        let mut inputs = args.inputs(console)?;
        let others = inputs.take_unknown();
        let (devices, found, tally) = inputs.probe_open();
        let members: Vec<MemberRecord> = found.members.iter().map(|member| member.record()).collect();
        let source = Source { members, arrays: found.arrays, others, tally };
        let array = source.array(wanted)?.clone();
        let ambiguous = |member: &&MemberRecord| {
            is_of(member, &array) && member.problems.iter().any(|problem| problem.code == "ambiguous-format")
        };
        if let Some(member) = source.members.iter().find(ambiguous) {
            let message =
                format!("{}: carries metadata of two formats; --format says which counts", member.device);
            return Err(Failure::new(Exit::No, message).into());
        }
        let format = array.format.as_deref().and_then(by_name);
        let format = format.ok_or_else(|| {
            Failure::new(Exit::No, format!("{}: its disks carry no metadata to be written", array.name))
        })?;
        Ok(Self { format, array, source, slot, devices })
    }

    /// Whether the slot can and should be rebuilt.
    ///
    /// # Errors
    /// It can not, or not without `force`.
    pub(super) fn check(&self, force: bool) -> Result<(), Failure> {
        let name = &self.array.name;
        let slot = self.slot;
        let member = self.array.members.get(slot.index()).filter(|_| slot.0 < self.array.slots);
        let Some(member) = member else {
            let message = format!(
                "{name}: has no slot {slot}, its slots are 0 to {}",
                self.array.slots.saturating_sub(1)
            );
            return Err(Failure::usage(message));
        };
        let refused = |exit, message: String| Err(Failure::new(exit, message));
        if !self.array.level.is_redundant() {
            let level = self.array.level;
            return refused(
                Exit::No,
                format!("{name}: a {level} has nothing from which a member could be rebuilt"),
            );
        }
        if !self.format.can_renew() {
            let format = self.format.name();
            return refused(Exit::No, format!("{name}: a member of {format} sets can not be rebuilt"));
        }
        if let Some(subset) = &member.array {
            return refused(
                Exit::No,
                format!(
                    "{name}: slot {slot} is the array {subset}; --array {subset} rebuilds a member of it"
                ),
            );
        }
        if self.array.reshape.is_some() {
            return refused(Exit::BadData, format!("{name}: is between two geometries"));
        }
        if member.state == MemberState::InSync && !force {
            let device = member.device.as_deref().unwrap_or_default();
            return refused(
                Exit::No,
                format!("{name}: slot {slot} ({device}) is in step; --force rebuilds it elsewhere"),
            );
        }
        Ok(())
    }

    /// Refuses a new disk that is another member already.
    ///
    /// # Errors
    /// It is one.
    pub(super) fn check_target(&self, target: &Device) -> Result<(), Failure> {
        for array in self.source.arrays.iter().filter(|array| self.is_of_set(array)) {
            let others = array.members.iter().filter(|member| {
                !self.is_replaced(member) && is_current(member) && self.is_same(member, target)
            });
            if let Some(member) = others.into_iter().next() {
                let message = format!("{}: is slot {} of {}", target.label(), member.slot, array.name);
                return Err(Failure::new(Exit::No, message));
            }
        }
        Ok(())
    }

    /// Whether the new disk is in the slot already, and in step.
    pub(super) fn has(&self, target: &Device) -> bool {
        let options = Options { formats: vec![self.format], assume_order: false };
        let arrays = probe(self.devices.iter().chain([target]).cloned(), &options).arrays;
        let array = arrays.iter().find(|array| array.uuid == self.array.uuid && self.is_of_set(array));
        let member = array.and_then(|array| array.members.get(self.slot.index()));
        member.is_some_and(|member| {
            member.device.as_deref() == Some(&*target.path_text())
                && member.device_offset_sectors.unwrap_or_default() == target.offset_sectors()
                && member.state == MemberState::InSync
        })
    }

    /// The disks that are there and current, without the one that is replaced and without the new one.
    pub(super) fn members(&self, target: &Device) -> Vec<Device> {
        let mut members: Vec<Device> = Vec::new();
        for record in self.source.members.iter().filter(|record| is_of(record, &self.array)) {
            let arrays = self.source.arrays.iter().filter(|array| self.is_of_set(array));
            let mut slots = arrays.flat_map(|array| &array.members).filter(|member| is_at(member, record));
            let is_member = slots.clone().any(is_current) && !slots.any(|member| self.is_replaced(member));
            let device = self.window(record).filter(|_| is_member || record.role == Role::Spare);
            let known =
                |device: &Device| members.iter().chain([target]).any(|other| is_same_window(other, device));
            members.extend(device.filter(|device| !known(device)));
        }
        members
    }

    /// The highest update counter of the set: after any change it is another.
    pub(super) fn generation(&self) -> u64 {
        let of_set = self.source.members.iter().filter(|member| is_of(member, &self.array));
        of_set.filter_map(|member| member.generation).map(|generation| generation.0).max().unwrap_or_default()
    }

    /// The array of a part.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn find(&self, part: &Part) -> Result<&ArrayRecord, Failure> {
        let mut arrays = self.source.arrays.iter().filter(|array| self.is_of_set(array));
        let found = arrays.find(|array| array.name == part.array && array.uuid == part.uuid);
        found.ok_or_else(|| Failure::new(Exit::BadData, format!("{}: is not found on the disks", part.array)))
    }

    fn is_of_set(&self, array: &ArrayRecord) -> bool {
        array.format == self.array.format && array.set_id == self.array.set_id
    }

    /// Whether this is what is in the slot now, be it in the array or in another volume of its set.
    fn is_replaced(&self, member: &ArrayMember) -> bool {
        let old = self.array.members.get(self.slot.index());
        let place = |member: &ArrayMember| (member.device.clone(), member.device_offset_sectors);
        old.is_some_and(|old| old.device.is_some() && place(old) == place(member))
    }

    fn is_same(&self, member: &ArrayMember, target: &Device) -> bool {
        let mut records = self.source.members.iter().filter(|record| is_at(member, record));
        let device = records.find_map(|record| self.window(record));
        device.is_some_and(|device| is_same_window(&device, target))
    }

    /// The open window that a record is about.
    fn window(&self, record: &MemberRecord) -> Option<Device> {
        let bytes = |sectors: Sectors| sectors.to_bytes().unwrap_or(Bytes::MAX);
        let (start, length) = (bytes(record.device_offset_sectors), bytes(record.device_length_sectors));
        let of_path = self.devices.iter().filter(|device| device.path_text() == record.device);
        let fits = |device: &Device| {
            if (device.offset(), device.length_sectors()) == (start, record.device_length_sectors) {
                return Some(device.clone());
            }
            device.window(start.0.checked_sub(device.offset().0).map(Bytes)?, length)
        };
        of_path.into_iter().find_map(fits)
    }
}

fn is_of(member: &MemberRecord, array: &ArrayRecord) -> bool {
    array.format.as_deref() == Some(&*member.format) && member.set_id == array.set_id
}

fn is_current(member: &ArrayMember) -> bool {
    matches!(member.state, MemberState::InSync | MemberState::Rebuilding)
}

fn is_at(member: &ArrayMember, record: &MemberRecord) -> bool {
    member.device.as_deref() == Some(&*record.device)
        && member.device_offset_sectors.unwrap_or_default() == record.device_offset_sectors
}

/// Whether two windows, by whatever paths, share a byte.
fn is_same_window(a: &Device, b: &Device) -> bool {
    let end = |device: &Device| device.offset().saturating_add(device.size());
    let overlap = a.offset() < end(b) && b.offset() < end(a);
    overlap && (a.path() == b.path() || identity(a.path()).is_some_and(|id| Some(id) == identity(b.path())))
}

/// What tells a device or file from all others, whatever its path.
fn identity(path: &Path) -> Option<(bool, u64, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    let is_block_device = metadata.file_type().is_block_device();
    let (a, b) = if is_block_device { (0, metadata.rdev()) } else { (metadata.dev(), metadata.ino()) };
    Some((is_block_device, a, b))
}
