//! `raid-repair rebuild`: a new disk in the place of a lost one.

mod set;

use super::position_failure;
use crate::rebuild::{Fill, FillError, Part, Watch};
use clap::Args;
use raid_meta::cli::{
    Console, DeviceArgs, EXIT_STATUS_HELP, Exit, ExitContext, Failure, OutputArgs, Progress, ProgressArgs,
    SourceArgs, Spec, random_bytes,
};
use raid_meta::commit::{Change, CommitError, Machine, OpenDisk, PlannedDisk, UndoFile, commit};
use raid_meta::device::{Device, WriteAt};
use raid_meta::edit::{PlanRebuildError, Rebuild, rebuild};
use raid_meta::format::rebuild::{RebuildError, Replacement};
use raid_meta::record::{MemberState, Record};
use raid_meta::units::{Bytes, Slot};
use raid_sync::position::{Job, PositionFile};
use raid_table::cli::open_volume_once;
use raid_table::volume::{OpenOptions, ReadError, Volume};
use serde::{Deserialize, Serialize};
use set::Set;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How often the position is saved; the target is flushed each time.
const SAVE_INTERVAL: Duration = Duration::from_secs(5);

const EXAMPLES: &str = "\
Examples:
  raid-repair rebuild --slot 1 --onto new.img *.img
                              what would be written
  raid-repair rebuild --slot 1 --onto /dev/sdd --position job --write /dev/sd[abc]
                              done; after a stop the same line goes on
  raid-repair rebuild --slot 0 --onto d.img --serial d.img=S1DDDD --write *.img
                              a format that knows disks by their serial numbers";

/// Rebuild a member of an array onto a new disk
///
/// The data of the slot is computed from the other members and written to the new disk; when it is durable there, the
/// metadata of all disks say that the new disk is the member. A stop at any time leaves the old degraded array or the whole
/// one. A disk that is in several volumes of its set is rebuilt in all of them. The array must not be in use.
///
/// Without --write nothing is written: shown is the array as it will be, and what would be written of metadata. The undo
/// file takes the metadata back; what was on the new disk is gone.
#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub(super) struct RebuildCommand {
    /// Slot of the array that the new disk is for
    #[arg(long, value_name = "SLOT", value_parser = clap::value_parser!(u32))]
    slot: u32,

    /// New disk or image, or a window of it; at least as large as what the array uses of a member
    #[arg(long, value_name = "PATH")]
    onto: OsString,

    /// Array: its name, uuid, or volume
    #[arg(long, value_name = "ARRAY")]
    array: Option<String>,

    /// Keep how far it is in this file, go on from there, and remove it at the end
    #[arg(long, value_name = "FILE")]
    position: Option<PathBuf>,

    /// Write; without this, only show what would be written
    #[arg(long, help_heading = "Writing")]
    write: bool,

    /// New file for what undoes the change of the metadata; one in the state directory unless told
    #[arg(long, value_name = "FILE", help_heading = "Writing")]
    undo: Option<PathBuf>,

    /// Overwrite what is on the new disk; rebuild a slot whose member is in step
    #[arg(long, help_heading = "Writing")]
    force: bool,

    /// Threads: with two, one computes while the other writes
    #[arg(long, value_name = "NUMBER", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=2))]
    threads: u8,

    #[command(flatten)]
    progress: ProgressArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    source: SourceArgs,
}

impl RebuildCommand {
    pub(super) fn run(self, is_quiet: bool, console: &mut Console) -> anyhow::Result<Exit> {
        console.set_style(self.output.style());
        let devices = &self.source.devices;
        let onto = Spec::parse(&self.onto);
        let own =
            SourceArgs { paths: self.source.paths.clone(), devices: devices.without_serials_of(&onto.path) };
        let set = Set::load(&own, self.array.as_deref(), Slot(self.slot), console)?;
        set.check(self.force)?;
        let target = onto.open(devices)?;
        set.check_target(&target)?;
        let (position, done) = self.open_position(&set, &target)?;
        if done.is_some() && set.has(&target) {
            console.say(format_args!("{}: slot {} is rebuilt already", set.array.name, self.slot));
            position.map_or(Ok(()), PositionFile::remove).map_err(position_failure)?;
            return Ok(set.source.exit(Exit::Done));
        }
        let replacement = Replacement {
            volume: set.array.uuid.clone().unwrap_or_default(),
            slot: Slot(self.slot),
            members: set.members(&target),
            target,
            identity: random_bytes()?,
            now: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        };
        let plan = rebuild(set.format, &replacement, done.is_some()).map_err(failure)?;
        if !self.may_overwrite(&plan, console) {
            return Ok(Exit::No);
        }
        let volumes = self.volumes(&set, &plan, devices)?;
        let mut fill = fill(&plan, &volumes, &replacement.target)?;
        fill.try_doubtful().map_err(|error| fill_failure(&error))?;
        let work = Work { command: &self, set: &set, replacement: &replacement, devices };
        if self.write {
            let progress = Progress::new(self.progress, is_quiet);
            work.carry_out(&plan, &mut fill, position, done, progress, console)?;
        }
        self.print(&plan, &set.source.others, console)?;
        Ok(set.source.exit(Exit::Done))
    }

    /// Names what is on the new disk; whether that is no matter.
    fn may_overwrite(&self, plan: &Rebuild, console: &Console) -> bool {
        for line in &plan.in_the_way {
            let message = format_args!("{line}; --force overwrites it");
            if self.force { console.say(message) } else { console.no(message) }
        }
        self.force || plan.in_the_way.is_empty()
    }

    /// The volumes that the new disk will be in, opened without what is in its slots now.
    fn volumes(&self, set: &Set, plan: &Rebuild, devices: &DeviceArgs) -> Result<Vec<Volume>, Failure> {
        let open = |part: &raid_meta::edit::Part| {
            let mut array = set.find(part)?.clone();
            for member in array.members.iter_mut().filter(|member| member.slot == part.slot) {
                member.state = MemberState::Missing;
                member.device = None;
            }
            open_volume_once(&array, &set.source.arrays, devices, OpenOptions::default(), false)
        };
        plan.parts.iter().map(open).collect()
    }

    /// The position file, and what it says. When the array was changed since, the data begins again.
    fn open_position(
        &self,
        set: &Set,
        target: &Device,
    ) -> Result<(Option<PositionFile>, Option<Bytes>), Failure> {
        let Some(path) = self.position.as_ref().filter(|_| self.write) else { return Ok((None, None)) };
        let (window, sectors) = (target.label(), target.length_sectors());
        let job = Job {
            job: "rebuild".to_owned(),
            array: set.array.name.clone(),
            uuid: set.array.uuid.clone(),
            detail: format!("slot {} onto {window}, {sectors} sectors", self.slot),
        };
        let (file, kept) = PositionFile::open::<Kept>(path, job).map_err(position_failure)?;
        let done =
            kept.map(|kept| if kept.generation == set.generation() { kept.done_bytes } else { Bytes(0) });
        Ok((Some(file), done))
    }

    fn print(&self, plan: &Rebuild, others: &[Record], console: &mut Console) -> anyhow::Result<()> {
        for record in others {
            console.print(record)?;
        }
        for array in &plan.arrays {
            console.print(&Record::Array(array.clone()))?;
        }
        if !self.write {
            for record in plan.erasure.records(false).chain(plan.metadata.records(false)) {
                console.print(&Record::Write(record))?;
            }
            if console.style() == raid_meta::cli::Style::Text {
                console.say("nothing was written; --write writes it");
            }
        }
        Ok(())
    }
}

/// The data of all parts of the new disk.
fn fill<'a>(plan: &Rebuild, volumes: &'a [Volume], target: &Device) -> Result<Fill<'a>, Failure> {
    let part = |(part, volume): (&raid_meta::edit::Part, &'a Volume)| Part {
        volume,
        slot: part.slot,
        offset: target.offset().saturating_add(part.offset.to_bytes().unwrap_or(Bytes::MAX)),
        length: part.length,
    };
    let parts: Vec<Part<'a>> = plan.parts.iter().zip(volumes).map(part).collect();
    let disks = plan.metadata.disks();
    let changes = plan.metadata.changes().iter();
    let of_target =
        changes.filter(|change| disks.get(change.disk).is_some_and(|disk| disk.path == target.path()));
    let range = |change: &Change| change.offset.0..change.offset.0.saturating_add(change.new.len() as u64);
    Ok(Fill::new(&parts).or_exit(Exit::BadData)?.leaving_out(of_target.map(range).collect()))
}

/// What is written, with the disks that nobody else may write meanwhile.
struct Work<'a> {
    command: &'a RebuildCommand,
    set: &'a Set,
    replacement: &'a Replacement,
    devices: &'a DeviceArgs,
}

impl Work<'_> {
    fn carry_out(
        &self,
        plan: &Rebuild,
        fill: &mut Fill<'_>,
        position: Option<PositionFile>,
        done: Option<Bytes>,
        progress: Progress,
        console: &Console,
    ) -> anyhow::Result<()> {
        let held = Held::open(self.replacement, self.devices)?;
        if let Some(undo) = commit(&plan.erasure, &held, &mut UndoFile::new(None)?)? {
            console.say(format_args!(
                "raid-meta restore --write {undo}   puts back the old metadata of the new disk"
            ));
        }
        let total = fill.total();
        let name = format!("rebuild {}", self.set.array.name);
        let generation = self.set.generation();
        let mut keeper = Keeper { generation, position, progress, name, total, saved: Instant::now() };
        if done.is_none() {
            // From now on what is on the new disk is data of this rebuild.
            keeper.save(Bytes(0)).or_exit(Exit::System)?;
        }
        let target = held.disk(&self.replacement.target)?;
        let overlap = self.command.threads > 1;
        let filled = fill.run(target.as_ref(), done.unwrap_or_default(), overlap, &mut keeper);
        keeper.progress.clear();
        filled.map_err(|error| fill_failure(&error))?;
        // Made again: only now is on the new disk what the metadata will say.
        let again = rebuild(self.set.format, self.replacement, true).map_err(failure)?;
        if again.parts != plan.parts {
            return Err(Failure::new(Exit::System, "the disks were changed meanwhile").into());
        }
        let mut undo = UndoFile::new(self.command.undo.as_deref())?;
        if let Some(undo) = commit(&again.metadata, &held, &mut undo)? {
            console.say(format_args!("raid-meta restore --write {undo}   puts back what was there"));
        }
        keeper.position.map_or(Ok(()), PositionFile::remove).map_err(position_failure)?;
        Ok(())
    }
}

/// What is kept of a rebuild that was stopped.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Kept {
    done_bytes: Bytes,
    /// Of the set; after any change it is another.
    generation: u64,
}

/// Says how far it is, and saves that.
struct Keeper {
    generation: u64,
    position: Option<PositionFile>,
    progress: Progress,
    name: String,
    total: Bytes,
    saved: Instant,
}

impl Watch for Keeper {
    fn written(&mut self, done: Bytes) {
        self.progress.show(&self.name, done, self.total);
    }

    fn is_due(&mut self) -> bool {
        self.position.is_some() && self.saved.elapsed() >= SAVE_INTERVAL
    }

    fn save(&mut self, done: Bytes) -> Result<(), String> {
        self.saved = Instant::now();
        let kept = Kept { done_bytes: done, generation: self.generation };
        self.position.as_ref().map_or(Ok(()), |file| file.save(&kept)).map_err(|error| error.to_string())
    }
}

/// The new disk and the members, open for writing from the beginning to the end.
struct Held(Vec<(PathBuf, Arc<dyn WriteAt>)>);

impl Held {
    fn open(replacement: &Replacement, devices: &DeviceArgs) -> Result<Self, CommitError> {
        let machine = Machine::new(devices.sysroot());
        let mut held = Self(Vec::new());
        for device in replacement.members.iter().chain([&replacement.target]) {
            if held.find(device.path()).is_none() {
                held.0.push((device.path().to_owned(), machine.open(&PlannedDisk::of(device))?));
            }
        }
        Ok(held)
    }

    fn find(&self, path: &std::path::Path) -> Option<Arc<dyn WriteAt>> {
        self.0.iter().find(|(known, _)| known == path).map(|(_, disk)| Arc::clone(disk))
    }

    fn disk(&self, device: &Device) -> Result<Arc<dyn WriteAt>, Failure> {
        let missing = || Failure::new(Exit::System, format!("{}: is not open", device.label()));
        self.find(device.path()).ok_or_else(missing)
    }
}

impl OpenDisk for Held {
    fn open(&self, disk: &PlannedDisk) -> Result<Arc<dyn WriteAt>, CommitError> {
        self.find(&disk.path).ok_or_else(|| CommitError::Read {
            device: disk.name.clone(),
            offset: Bytes(0),
            length: Bytes(0),
            error: std::io::Error::other("it was not opened for this"),
        })
    }
}

fn failure(error: PlanRebuildError) -> anyhow::Error {
    let exit = match &error {
        PlanRebuildError::Format(RebuildError::SerialUnknown { .. }) => Exit::BadData,
        PlanRebuildError::Format(_) => Exit::No,
        PlanRebuildError::Device(_) | PlanRebuildError::Erase(_) => Exit::System,
        PlanRebuildError::Unsound { .. } => Exit::BadData,
    };
    Failure::new(exit, error.to_string()).into()
}

fn fill_failure(error: &FillError) -> Failure {
    let failure = |exit| Failure::new(exit, error.to_string());
    match error {
        FillError::Read(ReadError::Untrusted { .. }) => {
            failure(Exit::BadData).with_help("raid-repair salvage saves what is left of the array")
        }
        FillError::Slot { .. } => failure(Exit::BadData),
        FillError::Changed { .. } | FillError::Length { .. } => failure(Exit::No),
        _ => failure(Exit::System),
    }
}
