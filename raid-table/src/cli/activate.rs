//! `raid-table activate`: arrays in the kernel.

use super::emit::planned;
use super::recorder::{NotRecorded, Recorder};
use super::tally::Tally;
use super::wait::{Selection, lacking};
use crate::kernel::{
    ActivateError, Activated, Activation, Guard, Ioctls, Kernel, Mapped, OVERLAY_UUID_PREFIX, Overlay,
    family, hide_partitions, is_open_in_step, leaves, partition_tables,
};
use crate::plan::Options;
use clap::Args;
use raid_meta::cli::{
    Console, EXIT_STATUS_HELP, Exit, Failure, OutputArgs, Source, SourceArgs, Style, format_parser, human,
};
use raid_meta::device::holders;
use raid_meta::escape::{path_to_text, text_to_path};
use raid_meta::format::Format;
use raid_meta::format::transition::Transition;
use raid_meta::record::{ArrayRecord, Record, TableRecord};
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  raid-table activate                   all arrays of vendor formats that are whole
  raid-table activate --degraded --wait 30 --partitions
                                        for booting: wait for missing members, then do without
  raid-table activate --array isw_cgadcgdeij_v0 --overlay /var/tmp/try /dev/sda /dev/sdb
                                        to try fsck and mount; the disks stay as they are";

/// Make arrays into devices of the kernel
///
/// Without a PATH the disks of the machine are searched; md and LVM arrays are left to mdadm and LVM then, unless --array
/// names them. The devices are /dev/mapper/NAME. One that is active already with the same table is left as it is; one
/// with another table is refused, and the difference shown. When a device of an array fails, or of its
/// partitions, those made for it are removed again. Members that are mounted or in use otherwise are refused.
///
/// An isw or ddf array that can be written is dirty in its metadata until it is deactivated, as it would be with mdadm. Its
/// missing members are recorded as failed first, so that they are not believed when they come back.
#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub(super) struct Activate {
    /// Only this array: a name, a uuid, or a volume; all unless told
    #[arg(long, value_name = "ARRAY")]
    array: Option<String>,

    /// Activate arrays that miss members too: read-only, unless their metadata can record what those miss
    #[arg(long)]
    degraded: bool,

    /// Activate everything read-only
    #[arg(long, conflicts_with = "read_write_anyway")]
    read_only: bool,

    /// Activate degraded arrays for writing, though nothing records what the missing members miss
    #[arg(long, requires = "degraded")]
    read_write_anyway: bool,

    /// Write changes to new sparse files in this directory, never to the members
    #[arg(long, value_name = "DIR")]
    overlay: Option<PathBuf>,

    /// Activate the partitions of the arrays too, named as kpartx names them
    #[arg(long)]
    partitions: bool,

    /// Take away the partitions that the kernel found on the members
    #[arg(long)]
    hide_partitions: bool,

    /// Wait so long for members that are missing
    #[arg(long, value_name = "SECONDS", default_value = "0", hide_default_value = true)]
    wait: u64,

    /// Leave arrays of these formats to other tools too, separated by commas, unless --array names them
    #[arg(long, value_name = "FORMAT,…", value_delimiter = ',', value_parser = format_parser())]
    leave: Vec<&'static dyn Format>,

    /// Only show what would be activated
    #[arg(long, short = 'n')]
    dry_run: bool,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    source: SourceArgs,
}

impl Activate {
    pub(super) fn run(self, console: &mut Console) -> anyhow::Result<Exit> {
        console.set_style(self.output.style());
        let source = self.selection().load(Duration::from_secs(self.wait), console)?;
        let mut tally = Tally::default();
        for array in self.selection().arrays(&source, console)? {
            tally.add(self.activate(array, &source, console).map_err(|error| console.fail(&error)));
        }
        Ok(source.exit(tally.exit()))
    }

    fn selection(&self) -> Selection<'_> {
        Selection { args: &self.source, wanted: self.array.as_deref(), others: &self.leave }
    }

    fn activate(&self, array: &ArrayRecord, source: &Source, console: &mut Console) -> anyhow::Result<()> {
        let kernel = Ioctls::open();
        let (mut recorder, options) = self.recorder(array, source, console)?;
        let arrays = as_mapped(array, &source.arrays, kernel.as_ref().ok())?;
        let array = arrays.iter().find(|other| other.name == array.name).unwrap_or(array);
        let mut tables = match planned(array, &arrays, &options, console) {
            Ok(tables) => tables,
            Err(exit) => {
                self.hide(&present(array), console)?;
                return Err(Failure::reported(exit).into());
            }
        };
        if self.dry_run {
            return print(&tables, console);
        }
        let members = leaves(&tables);
        if let Some(image) = members.iter().find(|member| member.is_file()) {
            let message = format!(
                "{}: {}: is a file, and the kernel maps block devices; losetup makes one of it",
                array.name,
                path_to_text(image)
            );
            return Err(Failure::new(Exit::No, message).into());
        }
        let kernel = kernel.map_err(|error| Failure::new(Exit::System, error.to_string()))?;
        let there = kernel.mapped().map_err(|error| Failure::new(Exit::System, error.to_string()))?;
        let ours = family(&there, &arrays.iter().collect::<Vec<_>>());
        let is_active = tables.iter().all(|table| ours.iter().any(|device| device.uuid == table.uuid));
        if !is_active {
            self.refuse_used(&members, &there, &ours)?;
        }
        let overlay = match &self.overlay {
            Some(directory) => Overlay::under(&mut tables, directory, &there)
                .map_err(|error| Failure::new(Exit::System, error.to_string()))?,
            None => Overlay::default(),
        };
        let guard = recorder.as_mut().map(|recorder| recorder as &mut dyn Guard);
        let mut activation = Activation::new(&kernel).guarded(guard);
        let activated = activation.add(&tables).map_err(failure)?;
        if self.partitions {
            tables.extend(activate_partitions(&mut activation, &tables, console).map_err(failure)?);
        }
        overlay.release();
        self.hide(&members, console)?;
        if activated.iter().any(|device| !device.was_active) {
            say_degraded(array, &arrays, &tables, console);
        }
        if console.style() == Style::Text {
            return say(array, &activated, console);
        }
        print(&tables, console)
    }

    /// What records that the array is written, if anything has to and can; and how the array is to be mapped then.
    fn recorder<'a>(
        &'a self,
        array: &'a ArrayRecord,
        source: &'a Source,
        console: &'a Console,
    ) -> anyhow::Result<(Option<Recorder<'a>>, Options)> {
        let options = Options {
            degraded: self.degraded,
            read_only: self.read_only,
            // What is written to an overlay reaches no member.
            read_write_anyway: self.read_write_anyway || self.overlay.is_some(),
            recorded: false,
        };
        if self.read_only || self.overlay.is_some() {
            return Ok((None, options));
        }
        let recorder = Recorder::new(array, source, &self.source.devices, console);
        let planned = recorder.and_then(|recorder| recorder.plan(Transition::Open).map(|_| recorder));
        match planned {
            Ok(recorder) => Ok((Some(recorder), Options { recorded: true, ..options })),
            Err(NotRecorded::Unsupported(_)) => Ok((None, options)),
            Err(NotRecorded::State(reason)) if self.read_write_anyway => {
                console.note(reason);
                Ok((None, options))
            }
            Err(NotRecorded::State(reason)) => {
                console.say(format_args!("{reason}: activated read-only"));
                Ok((None, Options { read_only: true, ..options }))
            }
            Err(NotRecorded::Failed(reason)) => Err(Failure::new(Exit::BadData, reason).into()),
        }
    }

    /// Takes the partitions of members away: last, because what fails before leaves them as they were. Those of an array that can
    /// not be activated too: one of its disks alone is no disk to be mounted.
    fn hide(&self, members: &[PathBuf], console: &Console) -> Result<(), Failure> {
        for member in members.iter().filter(|_| self.hide_partitions && !self.dry_run) {
            let hidden = hide_partitions(member).map_err(|error| {
                let message = format!("{}: hiding its partitions: {error}", path_to_text(member));
                Failure::new(Exit::System, message)
            })?;
            if hidden > 0 {
                console.note(format_args!("{}: {hidden} partitions hidden", path_to_text(member)));
            }
        }
        Ok(())
    }

    /// Refuses members that something else has: all but the devices of these arrays.
    fn refuse_used(&self, members: &[PathBuf], there: &[Mapped], ours: &[Mapped]) -> Result<(), Failure> {
        let own: Vec<String> = ours.iter().map(node).collect();
        let overlays = there.iter().filter(|device| device.uuid.starts_with(OVERLAY_UUID_PREFIX));
        let overlays: Vec<String> = overlays.map(node).collect();
        for member in members {
            let mut users = holders(member, self.source.devices.sysroot());
            users.retain(|user| !own.contains(user) && !overlays.contains(user));
            if !users.is_empty() {
                let named = users.iter().map(|user| {
                    let device = there.iter().find(|device| node(device) == *user);
                    device.map_or_else(|| user.clone(), |device| format!("{user} ({})", device.name))
                });
                let users = named.collect::<Vec<_>>().join(", ");
                let message = format!("{}: is in use by {users}; not activated", path_to_text(member));
                return Err(Failure::new(Exit::No, message));
            }
        }
        Ok(())
    }
}

/// The arrays as they were when they were mapped. One that is open, and was in step when it was opened, is dirty because
/// it is open.
fn as_mapped(
    array: &ArrayRecord,
    arrays: &[ArrayRecord],
    kernel: Option<&Ioctls>,
) -> Result<Vec<ArrayRecord>, Failure> {
    let system = |error: std::io::Error| Failure::new(Exit::System, error.to_string());
    let mut arrays = arrays.to_vec();
    let is_open = kernel.map(|kernel| is_open_in_step(kernel, array)).transpose().map_err(system)?;
    if is_open == Some(true) {
        for other in arrays.iter_mut().filter(|other| other.set_id == array.set_id && other.set_id.is_some())
        {
            other.dirty = other.dirty.map(|_| false);
            other.resync_position_sectors = None;
        }
    }
    Ok(arrays)
}

/// The kernel's name of a device.
pub(super) fn node(device: &Mapped) -> String {
    format!("dm-{}", device.number.minor)
}

/// The members that are there.
fn present(array: &ArrayRecord) -> Vec<PathBuf> {
    array.members.iter().filter_map(|member| member.device.as_deref()).map(text_to_path).collect()
}

/// What an array that was activated does without.
fn say_degraded(array: &ArrayRecord, arrays: &[ArrayRecord], tables: &[TableRecord], console: &Console) {
    let how = if tables.iter().any(|table| table.read_only) { ", read-only" } else { "" };
    for lack in lacking(array, arrays) {
        console.say(format_args!("{}; active without it{how}", lack.text()));
    }
}

fn activate_partitions(
    activation: &mut Activation<'_>,
    tables: &[TableRecord],
    console: &Console,
) -> Result<Vec<TableRecord>, ActivateError> {
    let Some(array) = tables.last() else { return Ok(Vec::new()) };
    let (partitions, problems) = partition_tables(array).map_err(|error| activation.undo(error))?;
    problems.iter().for_each(|problem| console.note(&problem.message));
    let _ = activation.add(&partitions)?;
    Ok(partitions)
}

fn failure(error: ActivateError) -> Failure {
    let exit = if error.is_no() { Exit::No } else { Exit::System };
    Failure::new(exit, error.to_string())
}

fn print(tables: &[TableRecord], console: &mut Console) -> anyhow::Result<()> {
    for table in tables {
        console.print(&Record::Table(table.clone()))?;
    }
    Ok(())
}

fn say(array: &ArrayRecord, activated: &[Activated], console: &mut Console) -> anyhow::Result<()> {
    let was = if activated.iter().all(|device| device.was_active) { "was active" } else { "active" };
    let size = human::size(array.size_sectors);
    console.text(&format!("/dev/mapper/{}  {size}  {was}\n", array.name))?;
    Ok(())
}
