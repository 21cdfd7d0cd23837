//! Further images of members: of which member, and whether they are of the same disk at the same time.

use super::maps::split;
use super::report::metadata;
use crate::salvage::Differing;
use raid_meta::cli::{DeviceArgs, Exit, ExitContext as _, Failure, Source, Spec};
use raid_meta::device::ReadAt as _;
use raid_meta::escape::{path_to_text, text_to_path};
use raid_meta::probe::probe;
use raid_meta::record::{ArrayRecord, MemberRecord};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Further images by the path of the member's device.
#[derive(Debug, Default)]
pub(super) struct Also(Vec<OfMember>);

/// The further images of a device, in the order in which they are asked.
#[derive(Debug)]
pub(super) struct OfMember {
    device: PathBuf,
    pub(super) images: Vec<PathBuf>,
    pub(super) differing: Arc<Differing>,
}

impl Also {
    /// Reads what `MEMBER=IMAGE` arguments name, and holds each image against its member.
    pub(super) fn read(
        arguments: &[OsString],
        array: &ArrayRecord,
        tree: &[&ArrayRecord],
        source: &Source,
        devices: &DeviceArgs,
    ) -> Result<Self, Failure> {
        let mut also = Self::default();
        for argument in arguments {
            let (device, image) = split(argument, array, tree, &[]).ok_or_else(|| {
                let argument = path_to_text(argument.as_ref());
                Failure::usage(format!(
                    "--also {argument}: expected MEMBER=IMAGE, and for MEMBER the PATH of a member of {} as it was given, \
                     or its slot",
                    array.name
                ))
            })?;
            check(&device, image, tree, source, devices)?;
            also.add(device, image.to_owned());
        }
        Ok(also)
    }

    fn add(&mut self, device: PathBuf, image: PathBuf) {
        match self.0.iter_mut().find(|known| known.device == device) {
            Some(known) => known.images.push(image),
            None => self.0.push(OfMember { device, images: vec![image], differing: Arc::default() }),
        }
    }

    /// What there is of a device.
    pub(super) fn of(&self, device: &Path) -> Option<&OfMember> {
        self.0.iter().find(|known| known.device == device)
    }

    /// The paths of all images.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.0.iter().flat_map(|known| known.images.iter().cloned()).collect()
    }
}

/// Refuses an image that is not of that member, or is of another time: what both have may be of two states of the array.
fn check(
    device: &Path,
    image: &Path,
    tree: &[&ArrayRecord],
    source: &Source,
    devices: &DeviceArgs,
) -> Result<(), Failure> {
    let name = path_to_text(image);
    let no = |message: String| Err(Failure::new(Exit::No, format!("{name}: {message}")));
    let first = Spec::whole(device).open(devices).or_exit(Exit::System)?;
    let further = Spec::whole(image).open(devices).or_exit(Exit::System)?;
    let further = further.with_serial(first.serial().map(str::to_owned));
    if first.size() != further.size() {
        return no(format!("is {} bytes, expected {} as {}", further.size(), first.size(), first.label()));
    }
    let found = probe([further], &devices.options());
    let found: Vec<MemberRecord> = found.members.iter().map(raid_meta::identify::Member::record).collect();
    let members = tree.iter().flat_map(|array| &array.members);
    let of_device =
        members.filter(|member| member.device.as_deref().map(text_to_path).as_deref() == Some(device));
    for member in of_device {
        let Some(expected) = metadata(member, source) else {
            return no(format!("can not be held against {}: its metadata is not known", first.label()));
        };
        let at = |found: &&MemberRecord| {
            (found.device_offset_sectors, &found.format) == (expected.device_offset_sectors, &expected.format)
        };
        let Some(found) = found.iter().find(at) else {
            return no(format!("carries no {} metadata where {} does", expected.format, first.label()));
        };
        if identity(found) != identity(expected) {
            return no(format!("is not an image of {}: its metadata is of another member", first.label()));
        }
        if (found.generation, &found.volumes) != (expected.generation, &expected.volumes) {
            let generation = |record: &MemberRecord| {
                record.generation.map_or_else(|| "none".to_owned(), |generation| generation.to_string())
            };
            let (found, expected, label) = (generation(found), generation(expected), first.label());
            return no(format!("is of another time than {label}: generation {found}, expected {expected}"));
        }
    }
    Ok(())
}

/// What does not change while a disk is a member.
fn identity(record: &MemberRecord) -> impl PartialEq + use<'_> {
    (&record.set_id, &record.member_id, &record.metadata_version, &record.role, record.device_length_sectors)
}
