//! The maps of the members: which is of which.

use raid_meta::cli::{Exit, Failure, Spec};
use raid_meta::escape::{path_to_text, text_to_path};
use raid_meta::record::ArrayRecord;
use raid_meta::rescue::{MapError, Readable};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::BufReader;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Readable ranges that are kept of all maps together, 16 bytes each.
const MAX_RANGES: usize = 1 << 20;

/// Maps by the path of the member's device.
#[derive(Debug, Default)]
pub(super) struct Maps(Vec<(PathBuf, Arc<Readable>)>);

impl Maps {
    /// Reads what `MEMBER=MAPFILE` arguments name.
    pub(super) fn read(
        arguments: &[OsString],
        array: &ArrayRecord,
        tree: &[&ArrayRecord],
        further: &[PathBuf],
    ) -> Result<Self, Failure> {
        let mut maps = Self::default();
        let mut left = MAX_RANGES;
        for argument in arguments {
            let (member, path) = split(argument, array, tree, further).ok_or_else(|| {
                let argument = path_to_text(argument.as_ref());
                let message = format!(
                    "--map {argument}: expected MEMBER=MAPFILE, and for MEMBER the PATH of a member of {} as it was given, \
                     or its slot",
                    array.name
                );
                Failure::usage(message)
            })?;
            if maps.of(&member).is_some() {
                let message = format!("--map: {} has two maps", path_to_text(&member));
                return Err(Failure::usage(message));
            }
            let readable = read(path, left)?;
            left = left.saturating_sub(readable.ranges());
            maps.0.push((member, Arc::new(readable)));
        }
        Ok(maps)
    }

    /// The map of a device.
    pub(super) fn of(&self, device: &Path) -> Option<Arc<Readable>> {
        self.0.iter().find(|(path, _)| path == device).map(|(_, map)| Arc::clone(map))
    }
}

fn read(path: &Path, limit: usize) -> Result<Readable, Failure> {
    let name = path_to_text(path);
    let system = |error| Failure::new(Exit::System, format!("{name}: {error}"));
    let file = File::open(path).map_err(system)?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(Failure::new(Exit::System, format!("{name}: is a directory, expected a map file")));
    }
    Readable::read(&name, BufReader::new(file), limit).map_err(|error| {
        let exit = if matches!(error, MapError::Io { .. }) { Exit::System } else { Exit::BadData };
        Failure::new(exit, error.to_string())
    })
}

/// The device of an argument, which may be one of `further` images, and the file. Either may have a `=` in its name: the first
/// that makes a member counts.
pub(super) fn split<'a>(
    argument: &'a OsStr,
    array: &ArrayRecord,
    tree: &[&ArrayRecord],
    further: &[PathBuf],
) -> Option<(PathBuf, &'a Path)> {
    let bytes = argument.as_bytes();
    let places = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'=').map(|(place, _)| place);
    places.into_iter().find_map(|place| {
        let (member, map) = bytes.split_at_checked(place)?;
        let map = map.get(1..).filter(|map| !map.is_empty())?;
        let device = device(OsStr::from_bytes(member), array, tree, further)?;
        Some((device, Path::new(OsStr::from_bytes(map))))
    })
}

/// The device that is meant: of a path, or of a slot of the array.
fn device(
    member: &OsStr,
    array: &ArrayRecord,
    tree: &[&ArrayRecord],
    further: &[PathBuf],
) -> Option<PathBuf> {
    let path = Spec::parse(member).path;
    let devices = tree.iter().flat_map(|array| &array.members).filter_map(|member| member.device.as_deref());
    if let Some(found) =
        devices.map(text_to_path).chain(further.iter().cloned()).find(|device| *device == path)
    {
        return Some(found);
    }
    let slot: u32 = member.to_str()?.parse().ok()?;
    let found = array.members.iter().find(|member| member.slot.0 == slot)?;
    found.device.as_deref().map(text_to_path)
}
