//! `raid-meta restore`.

use crate::cli::{Console, DeviceArgs, EXIT_STATUS_HELP, Exit, Failure, OutputArgs, Spec, WriteArgs};
use crate::commit::{Plan, check_device, restore};
use crate::device::Device;
use crate::escape::{path_to_text, text_to_path};
use crate::record::{Record, RegionRecord, read_records};
use clap::Args;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufReader, IsTerminal};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  raid-meta restore saved                    what would be written
  raid-meta restore --write saved            a backup, or an undo file
  raid-meta restore --write --onto copy.img saved
  raid-meta restore --write --map /dev/sdb=/dev/sdc saved";

/// Put saved regions back: a backup, or an undo file
///
/// Each region is checked against its hash, and each device against the size and the serial number that the region was
/// saved from. What is overwritten goes to an undo file of its own.
#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub(super) struct Restore {
    /// Backup or undo file; standard input unless given
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// Device or image to write to, for regions of one device
    #[arg(long, value_name = "PATH", conflicts_with = "map", help_heading = "Writing")]
    onto: Option<PathBuf>,

    /// Write to PATH what was saved from DEVICE
    #[arg(long, value_name = "DEVICE=PATH", help_heading = "Writing")]
    map: Vec<OsString>,

    /// Write to a device of another size, or with another serial number
    #[arg(long, help_heading = "Writing")]
    force: bool,

    #[command(flatten)]
    write: WriteArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    devices: DeviceArgs,
}

impl Restore {
    pub(super) fn run(&self, console: &mut Console) -> anyhow::Result<Exit> {
        console.set_style(self.output.style());
        let regions = self.regions(console)?;
        let targets = self.targets(&regions)?;
        let paths: Vec<OsString> = targets.values().map(|path| path.clone().into_os_string()).collect();
        self.devices.check_serials(&paths)?;
        let mut open: HashMap<&str, Device> = HashMap::new();
        for (name, path) in &targets {
            open.insert(name.as_str(), Spec::whole(path).open(&self.devices)?);
        }
        let mut plan = Plan::default();
        for region in &regions {
            let Some(device) = open.get(region.device.as_str()) else { continue };
            if !self.force {
                let moved = targets.get(&region.device) != Some(&text_to_path(&region.device));
                // On purpose onto another disk: its serial number is another.
                let serial = region.serial.clone().filter(|_| !moved);
                check_device(device, &RegionRecord { serial, ..region.clone() })?;
            }
            restore(&mut plan, device, region)?;
        }
        self.write.carry_out_and_print(&plan, &self.devices, console)
    }

    fn regions(&self, console: &mut Console) -> anyhow::Result<Vec<RegionRecord>> {
        match self.file.as_deref().filter(|file| file.as_os_str() != "-") {
            Some(path) => {
                let name = path_to_text(path);
                let error = |error: io::Error| Failure::new(Exit::System, format!("{name}: {error}"));
                read(&name, BufReader::new(std::fs::File::open(path).map_err(error)?), console)
            }
            None if io::stdin().is_terminal() && self.file.is_none() => {
                Err(Failure::usage("no FILE, and no records on standard input").into())
            }
            None => read("standard input", io::stdin().lock(), console),
        }
    }

    /// The path to write to, for each device that regions were saved from.
    fn targets(&self, regions: &[RegionRecord]) -> Result<HashMap<String, PathBuf>, Failure> {
        let mut targets = HashMap::new();
        for region in regions {
            targets.entry(region.device.clone()).or_insert_with(|| text_to_path(&region.device));
        }
        if let Some(path) = &self.onto {
            if targets.len() > 1 {
                let message =
                    format!("the regions are of {} devices; --map says where each goes", targets.len());
                return Err(Failure::usage(message));
            }
            targets.values_mut().for_each(|target| target.clone_from(path));
        }
        for map in &self.map {
            let (device, path) = split(map, &targets).ok_or_else(|| {
                let text = path_to_text(map.as_ref());
                Failure::usage(format!("--map {text}: expected DEVICE=PATH with a DEVICE of the regions"))
            })?;
            targets.insert(device, path);
        }
        Ok(targets)
    }
}

fn read(name: &str, input: impl io::BufRead, console: &mut Console) -> anyhow::Result<Vec<RegionRecord>> {
    let mut regions = Vec::new();
    for record in read_records(name, input) {
        match record? {
            Record::Region(region) => regions.push(region),
            other @ Record::Other(_) => console.print(&other)?,
            _ => {}
        }
    }
    if regions.is_empty() {
        return Err(Failure::new(Exit::No, format!("{name}: no region records")).into());
    }
    Ok(regions)
}

/// The two sides of `DEVICE=PATH`, either of which may contain `=`.
fn split(map: &OsStr, targets: &HashMap<String, PathBuf>) -> Option<(String, PathBuf)> {
    targets.keys().find_map(|device| {
        let device_path = text_to_path(device);
        let rest = map.as_bytes().strip_prefix(device_path.as_os_str().as_bytes())?;
        let path = rest.strip_prefix(b"=")?;
        Some((device.clone(), PathBuf::from(OsStr::from_bytes(path))))
    })
}
