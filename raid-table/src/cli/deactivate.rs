//! `raid-table deactivate`: arrays out of the kernel.

use super::chosen::arrays;
use super::recorder::{NotRecorded, Recorder};
use super::tally::Tally;
use crate::kernel::{
    DeactivateError, Ioctls, Kernel, Mapped, OVERLAY_UUID_PREFIX, Written, deactivate_closing, family,
    is_open_in_step, make_read_only,
};
use crate::plan::device_uuid;
use clap::Args;
use raid_meta::cli::{Console, EXIT_STATUS_HELP, Exit, Failure, Source, SourceArgs, human};
use raid_meta::device::{holders, only_read};
use raid_meta::escape::path_to_text;
use raid_meta::record::ArrayRecord;
use raid_meta::units::Bytes;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  raid-table deactivate                 all arrays of vendor formats
  raid-table deactivate --array isw_cgadcgdeij_v0
                                        one, its partitions, and its overlays if it has any";

/// Take arrays out of the kernel
///
/// Removes the devices of arrays: partitions, the array, its helpers, and overlays, of which it says what they took. An array
/// that is in use is left, and by what is said. Without a PATH the disks of the machine are searched; an array that --array
/// names is found by its device too, when its disks are gone. The metadata of an array that was in step when it was activated
/// no longer say that it is in use.
#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub(super) struct Deactivate {
    /// Only this array: a name, a uuid, or a volume; all unless told
    #[arg(long, value_name = "ARRAY")]
    array: Option<String>,

    /// Make an array read-only that can not be removed because it is mounted read-only: the root, at shutdown
    #[arg(long)]
    or_read_only: bool,

    /// Only show what would be removed
    #[arg(long, short = 'n')]
    dry_run: bool,

    #[command(flatten)]
    source: SourceArgs,
}

impl Deactivate {
    pub(super) fn run(self, console: &mut Console) -> anyhow::Result<Exit> {
        let mut tally = Tally::default();
        let source = self.source.load_or_scan(console)?;
        let chosen = match arrays(&self.source, self.array.as_deref(), &[], &source, console) {
            Err(error) if self.array.is_none() => return Err(error),
            chosen => chosen,
        };
        let kernel = Ioctls::open().map_err(|error| Failure::new(Exit::System, error.to_string()))?;
        match chosen {
            Ok(arrays) => {
                for array in arrays {
                    let recorder = self.recorder(array, &source, console);
                    let arrays = with_subsets(array, &source);
                    let outcome = self.deactivate(&kernel, &arrays, recorder.as_ref(), console);
                    tally.add(outcome.map_err(|error| console.fail(&error)));
                }
            }
            Err(error) => {
                // Its disks may be gone, and the device still be there.
                let Some(gone) = self.array.as_deref().and_then(|name| without_disks(&kernel, name)) else {
                    return Err(error);
                };
                let outcome = self.deactivate(&kernel, &[&gone], None, console);
                tally.add(outcome.map_err(|error| console.fail(&error)));
            }
        }
        Ok(source.exit(tally.exit()))
    }

    fn deactivate(
        &self,
        kernel: &Ioctls,
        arrays: &[&ArrayRecord],
        recorder: Option<&Recorder<'_>>,
        console: &Console,
    ) -> anyhow::Result<()> {
        let system = |error: std::io::Error| Failure::new(Exit::System, error.to_string());
        let there = kernel.mapped().map_err(system)?;
        let devices = family(&there, arrays);
        let below = overlays(kernel, &there, &devices).map_err(system)?;
        let sysroot = self.source.devices.sysroot();
        let written: Vec<_> = below.iter().map(|device| Written::by(kernel, &device.name, sysroot)).collect();
        if self.dry_run {
            for device in devices.iter().chain(&below) {
                console.say(format_args!("{}: would be removed", device.name));
            }
            return Ok(());
        }
        let all: Vec<Mapped> = devices.into_iter().chain(below.iter().cloned()).collect();
        if all.is_empty() {
            let name = arrays.first().map(|array| array.name.as_str()).unwrap_or_default();
            console.say(format_args!("{name}: is not active"));
            return Ok(());
        }
        let Some(array) = arrays.first() else { return Ok(()) };
        let is_in_step = is_open_in_step(kernel, array).map_err(system)?;
        let mut close = || {
            if let Some(Err(error)) = recorder.filter(|_| is_in_step).map(Recorder::close) {
                console.error(format_args!("{}: stays dirty: {error}", array.name));
            }
        };
        match deactivate_closing(kernel, &all, &device_uuid(array), &mut close) {
            Err(DeactivateError::Busy { .. }) if self.or_read_only && self.is_quiet(array) => {
                let device = all.iter().find(|device| device.uuid == device_uuid(array));
                if let Some(device) = device {
                    make_read_only(kernel, device).map_err(|error| failure(&error, sysroot))?;
                    close();
                    console.say(format_args!(
                        "{}: is mounted read-only, and can not be written now",
                        array.name
                    ));
                }
                return Ok(());
            }
            removed => removed.map(drop).map_err(|error| failure(&error, sysroot))?,
        }
        for (overlay, written) in below.iter().zip(written) {
            match written {
                Ok(Written { file, bytes }) => {
                    let size = human::size(Bytes(bytes).whole_sectors());
                    console.say(format_args!("{}: {size} in use by changes", path_to_text(&file)));
                }
                Err(error) => console.say(format_args!("{}: {error}", overlay.name)),
            }
        }
        Ok(())
    }

    /// What records that the array is not written any more, where the format does.
    fn recorder<'a>(
        &'a self,
        array: &'a ArrayRecord,
        source: &'a Source,
        console: &'a Console,
    ) -> Option<Recorder<'a>> {
        let recorder = Recorder::new(array, source, &self.source.devices, console);
        if let Err(NotRecorded::Failed(reason)) = &recorder {
            console.error(format_args!("{reason}; its metadata stay as they are"));
        }
        recorder.ok()
    }

    /// Whether nothing that uses an array can write it.
    fn is_quiet(&self, array: &ArrayRecord) -> bool {
        let device = PathBuf::from(format!("/dev/mapper/{}", array.name));
        only_read(&device, self.source.devices.sysroot())
    }
}

/// An array and what it consists of.
fn with_subsets<'a>(array: &'a ArrayRecord, source: &'a Source) -> Vec<&'a ArrayRecord> {
    let mut all = vec![array];
    let mut at = 0;
    while let Some(array) = all.get(at).copied() {
        let names = array.members.iter().flat_map(|member| [&member.array, &member.metadata_array]).flatten();
        for name in names {
            let subset = source.arrays.iter().find(|array| array.name == *name);
            all.extend(subset.filter(|subset| !all.iter().any(|known| known.name == subset.name)));
        }
        at += 1;
    }
    all
}

/// An array of which only the devices are known: enough to find them by.
fn without_disks(kernel: &Ioctls, name: &str) -> Option<ArrayRecord> {
    let state = kernel.state(name).ok()??;
    let record = serde_json::json!({
        "v": 1, "name": name, "format": "vendor", "level": "linear", "size_sectors": 0, "slots": 0, "members": [],
    });
    let array: ArrayRecord = serde_json::from_value(record).ok()?;
    (device_uuid(&array) == state.mapped.uuid).then_some(array)
}

/// The overlays that these devices lie on and no other does.
fn overlays(kernel: &Ioctls, there: &[Mapped], devices: &[Mapped]) -> std::io::Result<Vec<Mapped>> {
    let is_overlay = |device: &&Mapped| device.uuid.starts_with(OVERLAY_UUID_PREFIX);
    let mut found = Vec::new();
    for overlay in there.iter().filter(is_overlay) {
        let number = overlay.number.to_string();
        let uses = |device: &Mapped| -> std::io::Result<bool> {
            let table = kernel.state(&device.name)?.map(|state| state.table).unwrap_or_default();
            Ok(table.iter().any(|line| line.split(' ').any(|word| word == number)))
        };
        let mut is_below = false;
        let mut is_shared = false;
        for device in there.iter().filter(|device| device.number != overlay.number) {
            if uses(device)? {
                let is_ours = devices.iter().any(|ours| ours.number == device.number);
                is_below |= is_ours;
                is_shared |= !is_ours;
            }
        }
        if is_below && !is_shared {
            found.push(overlay.clone());
        }
    }
    Ok(found)
}

fn failure(error: &DeactivateError, sysroot: &Path) -> Failure {
    let DeactivateError::Busy { name } = error else {
        return Failure::new(Exit::System, error.to_string());
    };
    let users = holders(&PathBuf::from(format!("/dev/mapper/{name}")), sysroot);
    let by = if users.is_empty() { String::new() } else { format!(" by {}", users.join(", ")) };
    Failure::new(Exit::No, format!("{error}{by}; not deactivated"))
}
