//! `raid-repair scrub`: what does not agree, and putting it right.

use super::position_failure;
use crate::scrub::{FixError, Found, Guard, mismatches, plan, redundant};
use clap::Args;
use raid_meta::cli::{
    Console, EXIT_STATUS_HELP, Exit, Failure, OutputArgs, Progress, ProgressArgs, Source, SourceArgs,
};
use raid_meta::commit::{Machine, UndoFile, commit};
use raid_meta::device::holders;
use raid_meta::escape::{path_to_text, text_to_path};
use raid_meta::record::{ArrayMember, ArrayRecord, Health, Record};
use raid_meta::units::{Bytes, Sectors, Slot};
use raid_sync::position::{Job, PositionFile};
use raid_sync::scrub::{Finding, Options, Scrub, ScrubError, Segment, Unreadable};
use raid_table::cli::open_volume_once;
use raid_table::volume::OpenOptions;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How often the position is saved.
const SAVE_INTERVAL: Duration = Duration::from_secs(5);
/// What is put right at once, with one undo file: so many bytes, or findings.
const BATCH_BYTES: usize = 4 << 20;
const BATCH: usize = 4096;
/// What is read of a member at a time past the system's memory, which asks for large requests.
const DIRECT_REQUEST: Bytes = Bytes(512 << 10);

const EXAMPLES: &str = "\
Examples:
  raid-repair scrub *.img                    what does not agree, and which member is wrong
  raid-repair scrub --fix *.img              put right what is known to be wrong
  raid-repair scrub --fix --trust-data *.img moreover compute parity from the data where nothing says what is wrong
  raid-repair scrub --fix --trust-slot 1 *.img
                                             where two copies differ, that of slot 1 is right";

/// Compare parity with the data, and copies with each other
///
/// In raid6 the two parities say which member is wrong, and of three copies or more, those that differ from most; these
/// --fix puts right. In raid4, raid5 and with two copies nothing says which member is wrong, and --fix leaves that as it is
/// unless told what to trust. A member that can not be read is reported and left as it is.
///
/// Exit status 1 when something does not agree, and was not put right.
#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub(super) struct ScrubCommand {
    /// Array to compare: its name, uuid, or volume
    #[arg(long, value_name = "ARRAY")]
    array: Option<String>,

    /// Write what is known to be right over what is wrong; what was there is saved in undo files first
    #[arg(long, help_heading = "Writing")]
    fix: bool,

    /// Where parity does not agree, and nothing says which member is wrong, the data is right. Compares also what was
    /// never synchronised
    #[arg(long, help_heading = "Writing")]
    trust_data: bool,

    /// Where copies do not agree, and there is no majority, the one in this slot is right
    #[arg(long, value_name = "SLOT", help_heading = "Writing")]
    trust_slot: Option<u32>,

    /// New file for what undoes it, and FILE.2 and so on when it is much; in the state directory unless told
    #[arg(long, value_name = "FILE", requires = "fix", help_heading = "Writing")]
    undo: Option<PathBuf>,

    /// Fix even where more than half of what was compared does not agree
    #[arg(long, requires = "fix", help_heading = "Writing")]
    force: bool,

    /// Keep how far it is in this file, go on from there, and remove it at the end
    #[arg(long, value_name = "FILE")]
    position: Option<PathBuf>,

    /// Threads that read and compare; as many as the machine has processors, at most 4, unless told
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: Option<u8>,

    /// Read images past the system's memory, as block devices are read anyway
    #[arg(long)]
    direct: bool,

    #[command(flatten)]
    progress: ProgressArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    source: SourceArgs,
}

/// What is kept of a scrub that was stopped.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Kept {
    position_sectors: Sectors,
    found: Found,
}

impl ScrubCommand {
    pub(super) fn run(self, is_quiet: bool, console: &mut Console) -> anyhow::Result<Exit> {
        console.set_style(self.output.style());
        let source = if self.fix { self.source.load_again(console)? } else { self.source.load(console)? };
        for record in source.others.iter().filter(|record| matches!(record, Record::Other(_))) {
            console.print(record)?;
        }
        let array = source.array(self.array.as_deref())?;
        let targets = redundant(array, &source.arrays);
        if self.position.is_some() && targets.len() > 1 {
            let names: Vec<_> = targets.iter().map(|target| target.name.as_str()).collect();
            let message = format!("--position is for one array; --array takes one of {}", names.join(", "));
            return Err(Failure::usage(message).into());
        }
        self.say_who_uses(array, &source.arrays, &mut HashSet::new(), console);
        let mut progress = Progress::new(self.progress, is_quiet);
        let mut exit = Exit::Done;
        let mut undo = UndoNames { name: self.undo.clone(), used: 0 };
        for target in &targets {
            exit = exit.and(match self.scrub(target, &source, &mut undo, &mut progress, console) {
                // What can not be compared does not keep the others from it.
                Err(error) if targets.len() > 1 && error.is::<Failure>() && !console.is_closed() => {
                    console.error(error);
                    Exit::Partly
                }
                done => done?,
            });
        }
        Ok(source.exit(exit))
    }

    fn say_who_uses<'a>(
        &self,
        array: &'a ArrayRecord,
        arrays: &'a [ArrayRecord],
        visited: &mut HashSet<&'a str>,
        console: &Console,
    ) {
        if !visited.insert(&array.name) {
            return;
        }
        for member in &array.members {
            if let Some(below) =
                member.array.as_deref().and_then(|name| arrays.iter().find(|array| array.name == name))
            {
                self.say_who_uses(below, arrays, visited, console);
            }
            let Some(device) = &member.device else { continue };
            let users = holders(&text_to_path(device), self.source.devices.sysroot());
            if !users.is_empty() {
                console.say(format_args!(
                    "{device}: in use by {}: what is being written there may seem not to agree",
                    users.join(", ")
                ));
            }
        }
    }

    fn scrub(
        &self,
        array: &ArrayRecord,
        source: &Source,
        undo: &mut UndoNames,
        progress: &mut Progress,
        console: &mut Console,
    ) -> anyhow::Result<Exit> {
        self.check(array)?;
        let devices = &self.source.devices;
        let volume = open_volume_once(array, &source.arrays, devices, OpenOptions::default(), self.direct)?;
        let scrub = Scrub::new(&volume, self.options(array, console)).map_err(|error| {
            let exit = if matches!(error, ScrubError::Reshaping { .. }) { Exit::BadData } else { Exit::No };
            Failure::new(exit, error.to_string())
        })?;
        let (position, kept) = self.position(array, scrub.end())?;
        undo.begin(self.fix && kept.position_sectors == Sectors::ZERO)?;
        let mut run = Run {
            command: self,
            scrub: &scrub,
            array,
            source,
            pending: Vec::new(),
            pending_bytes: 0,
            undo,
            guard: Guard::new(scrub.width()),
            found: kept.found,
            position,
            saved: Instant::now(),
        };
        let total = scrub.bytes_before(scrub.end());
        let done = scrub.run(kept.position_sectors, |segment| {
            let done = scrub.bytes_before(segment.end);
            run.take(segment, &|slot| volume.columns().and_then(|columns| columns.label(slot)), console)?;
            progress.show(&format!("scrub {}", array.name), done, total);
            anyhow::Ok(())
        });
        progress.clear();
        done?;
        run.end(console)
    }

    /// What can be said before anything is read.
    fn check(&self, array: &ArrayRecord) -> Result<(), Failure> {
        if let Some(slot) = self.trust_slot.filter(|slot| *slot >= array.slots) {
            let message = format!("--trust-slot {slot}: {} has {} slots", array.name, array.slots);
            return Err(Failure::usage(message));
        }
        if array.reshape.is_some() {
            let error = ScrubError::Reshaping { array: array.name.clone() };
            return Err(Failure::new(Exit::BadData, error.to_string()));
        }
        Ok(())
    }

    fn options(&self, array: &ArrayRecord, console: &Console) -> Options {
        let mut options = Options {
            trust_data: self.trust_data,
            trust_slot: self.trust_slot.map(Slot),
            ..Options::default()
        };
        if let Some(threads) = self.threads {
            options.threads = threads.into();
        }
        if self.direct || is_on_block_devices(array) {
            options.request = DIRECT_REQUEST;
        }
        let never = (array.health == Health::Initializing).then_some(Sectors::ZERO);
        if let Some(position) = array.resync_position_sectors.or(never) {
            let whose = if array.level.parities() > 0 { "of its members" } else { "of it" };
            let then = if self.trust_data {
                "only the data is believed there"
            } else {
                "there is nothing to compare there"
            };
            console.say(format_args!(
                "{}: was not synchronised from sector {position} {whose} on: {then}",
                array.name
            ));
            options.synchronised_below = position;
        } else if array.write_log.is_some() {
            console.say(format_args!(
                "{}: has a log of writes that may not have been carried out: what they are about may not agree",
                array.name
            ));
        } else if array.dirty == Some(true) {
            console.say(format_args!(
                "{}: was in use when it was stopped: what was being written then may not agree",
                array.name
            ));
        }
        options
    }

    fn position(&self, array: &ArrayRecord, end: Sectors) -> Result<(Option<PositionFile>, Kept), Failure> {
        let Some(path) = &self.position else { return Ok((None, Kept::default())) };
        let job = Job {
            job: "scrub".to_owned(),
            array: array.name.clone(),
            uuid: array.uuid.clone().or_else(|| array.set_id.clone()),
            detail: self.detail(array),
        };
        let (file, kept) = PositionFile::open::<Kept>(path, job).map_err(position_failure)?;
        let kept = kept.unwrap_or_default();
        if kept.position_sectors > end {
            let (path, at) = (path_to_text(path), kept.position_sectors);
            let message =
                format!("{path}: is at sector {at}, expected at most {end}, the end of {}", array.name);
            return Err(Failure::new(Exit::BadData, message));
        }
        Ok((Some(file), kept))
    }

    /// What a position is good for: the same array, compared in the same way.
    fn detail(&self, array: &ArrayRecord) -> String {
        let layout = array.layout.map(|layout| format!(" {layout}")).unwrap_or_default();
        let chunk = array.chunk_sectors.map_or(0, |chunk| chunk.sectors().0);
        let mut detail = format!(
            "{}{layout}, {} slots, chunk {chunk}, {} sectors",
            array.level, array.slots, array.size_sectors
        );
        let trusted = self.trust_slot.map(|slot| format!(", --trust-slot {slot}"));
        let options =
            [self.fix.then_some(", --fix"), self.trust_data.then_some(", --trust-data"), trusted.as_deref()];
        options.into_iter().flatten().for_each(|option| detail.push_str(option));
        detail
    }
}

/// Whether a member is a block device.
fn is_on_block_devices(array: &ArrayRecord) -> bool {
    let devices = array.members.iter().filter_map(|member| member.device.as_deref());
    devices
        .map(text_to_path)
        .any(|path| path.metadata().is_ok_and(|metadata| metadata.file_type().is_block_device()))
}

/// A scrub that is going on.
struct Run<'a> {
    command: &'a ScrubCommand,
    scrub: &'a Scrub<'a>,
    array: &'a ArrayRecord,
    source: &'a Source,
    /// What was found and neither printed nor put right yet.
    pending: Vec<Finding>,
    pending_bytes: usize,
    undo: &'a mut UndoNames,
    guard: Guard,
    found: Found,
    position: Option<PositionFile>,
    saved: Instant,
}

impl Run<'_> {
    fn take(&mut self, segment: Segment, label: &Label<'_>, console: &mut Console) -> anyhow::Result<()> {
        self.found.add(&segment);
        self.guard.add(&segment);
        for unreadable in &segment.unreadable {
            self.say_unreadable(unreadable, label(unreadable.slot), console);
        }
        let new = |finding: &Finding| finding.repairs.iter().map(|repair| repair.new.len()).sum::<usize>();
        self.pending_bytes += segment.findings.iter().map(new).sum::<usize>();
        self.pending.extend(segment.findings);
        if self.command.fix && !self.command.force && self.guard.is_too_much() {
            return Err(self.too_much(console)?.into());
        }
        let is_due = self.saved.elapsed() >= SAVE_INTERVAL;
        if is_due || !self.command.fix || self.pending_bytes >= BATCH_BYTES || self.pending.len() >= BATCH {
            self.settle(console)?;
        }
        if is_due {
            console.flush()?;
        }
        if console.is_closed() {
            // Nobody learns of what would be found from here on, and the position stays where somebody did.
            return Err(Failure::reported(Exit::Done).into());
        }
        if is_due {
            self.save(segment.end)?;
        }
        Ok(())
    }

    fn say_unreadable(&self, unreadable: &Unreadable, label: Option<&str>, console: &Console) {
        let Unreadable { slot, sector, length, reason } = unreadable;
        let (name, last) = (&self.array.name, sector.0 + length.0 - 1);
        let label = label.unwrap_or("missing");
        console.error(format_args!(
            "{name}: slot {slot} ({label}): sectors {sector} to {last} of its data: {reason}"
        ));
    }

    /// Puts right what can be, if that is wanted, and prints what there was.
    fn settle(&mut self, console: &mut Console) -> anyhow::Result<()> {
        let findings = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        let written = if self.command.fix { self.write(&findings, console) } else { Ok(()) };
        for finding in &findings {
            let fixed = self.command.fix && written.is_ok() && !finding.repairs.is_empty();
            if fixed {
                self.found.fix(finding);
            }
            self.print(finding, fixed, console)?;
        }
        written
    }

    fn print(&self, finding: &Finding, fixed: bool, console: &mut Console) -> anyhow::Result<()> {
        for record in mismatches(self.array, &self.source.arrays, finding, fixed) {
            console.print(&Record::Mismatch(record))?;
        }
        Ok(())
    }

    fn write(&mut self, findings: &[Finding], console: &Console) -> anyhow::Result<()> {
        if let Some(finding) = self.scrub.first_changed(findings) {
            let sector = finding.array.iter().min().copied().unwrap_or_default();
            return Err(FixError::Outdated { array: self.array.name.clone(), sector }.into());
        }
        let devices = &self.command.source.devices;
        let open = |member: &ArrayMember| {
            let offset = member.device_offset_sectors.unwrap_or(Sectors::ZERO);
            let device = member.device.as_deref().unwrap_or_default();
            devices
                .open_recorded(device, offset, member.device_length_sectors)
                .map_err(|error| error.to_string())
        };
        let plan = plan(self.array, &self.source.arrays, findings, &open)?;
        if plan.is_empty() {
            return Ok(());
        }
        let name = self.undo.next();
        let machine = Machine::new(devices.sysroot());
        if let Some(undo) = commit(&plan, &machine, &mut UndoFile::new(name.as_deref())?)? {
            console.say(format_args!("raid-meta restore --write {undo}   puts back what was there"));
        }
        Ok(())
    }

    fn too_much(&mut self, console: &mut Console) -> anyhow::Result<Failure> {
        for finding in std::mem::take(&mut self.pending) {
            self.print(&finding, false, console)?;
        }
        Ok(Failure::new(
            Exit::No,
            format!(
                "{}: more than half of what was compared does not agree: this may not be its geometry; --force fixes \
                 it all the same",
                self.array.name
            ),
        ))
    }

    /// Keeps how far it is, when what was found up to there is printed.
    fn save(&mut self, end: Sectors) -> anyhow::Result<()> {
        if let Some(file) = &self.position {
            file.save(&Kept { position_sectors: end, found: self.found }).map_err(position_failure)?;
        }
        self.saved = Instant::now();
        Ok(())
    }

    fn end(mut self, console: &mut Console) -> anyhow::Result<Exit> {
        self.settle(console)?;
        console.print(&Record::Scrub(self.found.record(self.array)))?;
        console.flush()?;
        if let Some(file) = self.position.take() {
            file.remove().map_err(position_failure)?;
        }
        let name = &self.array.name;
        if self.found.unchecked > Sectors::ZERO && self.found.compared > Sectors::ZERO {
            let unchecked = self.found.unchecked;
            console.say(format_args!(
                "{name}: {unchecked} sectors of its members had nothing to be compared with"
            ));
        }
        if self.guard.is_too_much() && !self.command.fix {
            console.say(format_args!(
                "{name}: more than half of what was compared does not agree: this may not be its geometry, or its redundancy \
                 was never computed"
            ));
        }
        Ok(if self.found.unreadable > Sectors::ZERO {
            Exit::Partly
        } else if self.found.left() > Sectors::ZERO {
            Exit::No
        } else if self.found.compared == Sectors::ZERO {
            console.no(format_args!("{name}: nothing could be compared"));
            Exit::No
        } else {
            Exit::Done
        })
    }
}

/// What messages call the member of a slot.
type Label<'a> = dyn Fn(Slot) -> Option<&'a str> + 'a;

/// Files for what undoes it, one for each lot that is written.
struct UndoNames {
    /// The first; none where the system's folder is used.
    name: Option<PathBuf>,
    used: u32,
}

impl UndoNames {
    /// The first must be new, unless it is gone on with what an earlier run began.
    fn begin(&self, is_first: bool) -> Result<(), Failure> {
        match &self.name {
            Some(name) if is_first && self.used == 0 && name.exists() => Err(Failure::new(
                Exit::System,
                format!("{}: is there already, expected a new file", path_to_text(name)),
            )),
            _ => Ok(()),
        }
    }

    /// The next that is not there.
    fn next(&mut self) -> Option<PathBuf> {
        let name = self.name.clone()?;
        let names = (self.used..u32::MAX).map(|used| (used + 1, numbered(name.clone(), used + 1)));
        let (used, free) = names.into_iter().find(|(_, name)| !name.exists())?;
        self.used = used;
        Some(free)
    }
}

/// The name of one of several files.
fn numbered(path: PathBuf, number: u32) -> PathBuf {
    if number == 1 {
        return path;
    }
    let mut name = path.into_os_string();
    name.push(format!(".{number}"));
    name.into()
}
