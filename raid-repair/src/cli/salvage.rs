//! `raid-repair salvage`: an array out of members that each have parts that can not be read.

mod also;
mod maps;
mod report;
mod target;

use crate::salvage::{Image, Images, Job, Round, SalvageError, identity};
use also::Also;
use clap::Args;
use maps::Maps;
use raid_meta::cli::{
    Console, EXIT_STATUS_HELP, Exit, Failure, OutputArgs, Progress, ProgressArgs, Source, SourceArgs, Spec,
};
use raid_meta::device::{Device, ReadAt};
use raid_meta::escape::{path_to_text, text_to_path};
use raid_meta::geometry::Layout;
use raid_meta::record::{ArrayMember, ArrayRecord, MemberState, Record};
use raid_meta::units::Sectors;
use raid_table::cli::WITHOUT_FORCE;
use raid_table::volume::{MemberSource, OpenVolumeError, Salvage, SalvageOptions, SalvageSources};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const EXAMPLES: &str = "\
Examples:
  raid-repair salvage -O array.img disk0.img disk1.img disk2.img
                                        everything that the members and their redundancy give
  raid-repair salvage --map disk0.img=disk0.map --map disk1.img=disk1.map -O array.img disk?.img
                                        images that ddrescue could not read all of, with its maps
  raid-repair salvage --map 0=run1.map --also 0=run2.img --map run2.img=run2.map -O array.img disk?.img
                                        two runs of ddrescue over one member, each with what the other lacks
  ddrescuelog -t array.img.map          what of the array is there; '-' is lost
Again, with better maps: only what was lost is read again.";

/// Save what is left of an array whose members can not all be read
///
/// Each sector is taken from wherever it still exists: from the member that holds it, from a copy, or computed by parity. What
/// fails on one member may be good on another, so two members that are half dead make one that is whole; and an array
/// with too few members gives what the others hold. What is lost is zeros in OUT and '-' in its map, which is one of GNU ddrescue.
///
/// Of a member with a map, only what the map has as '+' is used. A read error is no reason to stop: what is behind it is
/// left for later, and tried sector by sector only where redundancy does not do.
///
/// Of a member with several images, as of two runs over a dying disk, give one as PATH and the others with --also: a sector comes
/// from the first that has it. They must be of one size and one state of the member. Where image files both have a sector and
/// differ, that is said.
///
/// A map that says '+' is never wrong about OUT, whenever the program is stopped: run it again to go on.
///
/// Exit status 0 when all of the array was obtained from current members, 5 when a part or images of a member differ, 1 when
/// nothing.
#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub(super) struct SalvageCommand {
    /// Image to make, or to go on with; a block device with --overwrite and --out-map
    #[arg(short = 'O', long, value_name = "OUT")]
    out: PathBuf,

    /// Map of OUT, in the format of GNU ddrescue; of a file OUT.map unless told
    #[arg(long, value_name = "MAPFILE")]
    out_map: Option<PathBuf>,

    /// How often the map of OUT is saved, when OUT is on the disk
    #[arg(long, value_name = "SECONDS", default_value = "10")]
    map_interval: u32,

    /// What was read of a member: its PATH or slot, and the map that GNU ddrescue made
    #[arg(long, value_name = "MEMBER=MAPFILE")]
    map: Vec<OsString>,

    /// Another image of a member: its PATH or slot, and the image; its map is --map IMAGE=MAPFILE
    #[arg(long, value_name = "MEMBER=IMAGE")]
    also: Vec<OsString>,

    /// Array to save: its name, uuid, or volume
    #[arg(long, value_name = "ARRAY")]
    array: Option<String>,

    /// Layout of a raid0 whose members differ in size, where the metadata does not record it
    #[arg(long, value_name = "LAYOUT", value_parser = ["original", "alternate"])]
    layout: Option<String>,

    /// Where nothing else is left, use members that are older than the others, or were marked as failed
    #[arg(long)]
    stale: bool,

    /// Where nothing else is left, use parity that may be out of step; read arrays whose contents are in doubt as a whole
    #[arg(long)]
    force: bool,

    /// OUT may be a block device, of which everything is overwritten
    #[arg(long)]
    overwrite: bool,

    #[command(flatten)]
    progress: ProgressArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    source: SourceArgs,
}

impl SalvageCommand {
    pub(super) fn run(self, is_quiet: bool, console: &mut Console) -> anyhow::Result<Exit> {
        console.set_style(self.output.style());
        let source = self.source.load(console)?;
        let array = source.array(self.array.as_deref())?;
        let tree = report::tree(array, &source.arrays);
        let also = Also::read(&self.also, array, &tree, &source, &self.source.devices)?;
        let maps = Maps::read(&self.map, array, &tree, &also.paths())?;
        let target = self.target(&tree, &also.paths())?;
        let opener = Opener { command: &self, maps: &maps, also: &also };
        let mut salvage = Salvage::open(array, &source.arrays, &opener, self.options())
            .map_err(|error| open_failure(array, &error))?;
        self.say_what_is_used(&tree, &salvage, &source, console);
        let mut job = Job::open(target.clone(), identity(array), array.size_sectors).map_err(failure)?;
        if job.is_resumed() {
            console
                .say(format_args!("{}: goes on; what is in it is not read again", path_to_text(&self.out)));
        } else {
            self.refuse_metadata(&target)?;
        }
        let mut progress = Progress::new(self.progress, is_quiet);
        let outcome = job.run(&mut salvage, &mut |round, done, total| {
            let name = match round {
                Round::First => format!("salvage {}", array.name),
                Round::Second => format!("salvage {}, bad places", array.name),
            };
            progress.show(&name, done, total);
        });
        progress.clear();
        outcome.map_err(failure)?;
        let found = report::Report {
            array,
            tree: &tree,
            source: &source,
            maps: &maps,
            also: &also,
            use_stale: self.stale,
        };
        let record = found.record(job.account(), &salvage, &target);
        let exit = report::exit(&record);
        report::say(&record, console);
        console.print(&Record::Salvage(record))?;
        Ok(source.exit(exit))
    }

    fn options(&self) -> SalvageOptions {
        let raid0_layout = self.layout.as_deref().and_then(|name| name.parse::<Layout>().ok());
        SalvageOptions { force: self.force, stale: self.stale, raid0_layout }
    }

    /// Which members are as old as they should be, and what is done with those that are not.
    fn say_what_is_used(&self, tree: &[&ArrayRecord], salvage: &Salvage, source: &Source, console: &Console) {
        for note in salvage.notes() {
            console.say(format_args!("{}: {note}: done without", salvage.name()));
        }
        for array in tree {
            for member in &array.members {
                self.say_old(array, member, source, console);
            }
            let name = &array.name;
            let has_parity = array.level.parities() > 0;
            let is_dirty = array.dirty == Some(true) || array.resync_position_sectors.is_some();
            if has_parity && (is_dirty || array.write_log.is_some()) {
                let from = array.resync_position_sectors.filter(|_| array.write_log.is_none());
                let from = from.unwrap_or(Sectors::ZERO);
                let what = if self.force { "used, and marked" } else { "not used without --force" };
                console.say(format_args!(
                    "{name}: parity may be out of step from sector {from} of the members on: there it is {what}"
                ));
            }
        }
    }

    fn say_old(&self, array: &ArrayRecord, member: &ArrayMember, source: &Source, console: &Console) {
        let (name, slot) = (&array.name, member.slot);
        let label = member.device.as_deref().or(member.array.as_deref());
        if let (MemberState::Stale | MemberState::Failed, Some(label)) = (member.state, label) {
            let why = report::why(array, member, source);
            let what =
                if self.stale { "used only where nothing else is left" } else { "not used without --stale" };
            console.say(format_args!("{name}: slot {slot} ({label}): {why}: {what}"));
        }
    }
}

fn open_failure(array: &ArrayRecord, error: &OpenVolumeError) -> Failure {
    let mut failure = Failure::new(Exit::BadData, error.to_string());
    if matches!(error, OpenVolumeError::Refused { .. }) {
        failure = failure.with_help(WITHOUT_FORCE);
    }
    if array.problems.iter().any(|problem| problem.code == "duplicate-member") {
        failure = failure.with_help("another image of a member is given with --also");
    }
    failure
}

fn failure(error: SalvageError) -> Failure {
    let exit = match error {
        SalvageError::Exists { .. }
        | SalvageError::MapAlone { .. }
        | SalvageError::BlockDevice { .. }
        | SalvageError::OtherArray { .. }
        | SalvageError::OtherSize { .. }
        | SalvageError::OtherDevice { .. }
        | SalvageError::ImageSize { .. }
        | SalvageError::InUse(_)
        | SalvageError::NotOurs { .. } => Exit::No,
        SalvageError::Map(raid_meta::rescue::MapError::Io { .. })
        | SalvageError::MapIo { .. }
        | SalvageError::Image { .. } => Exit::System,
        SalvageError::Map(_) | SalvageError::TooMany { .. } => Exit::BadData,
    };
    Failure::new(exit, error.to_string())
}

/// Opens the devices of the records, with their maps.
struct Opener<'a> {
    command: &'a SalvageCommand,
    maps: &'a Maps,
    also: &'a Also,
}

impl Opener<'_> {
    /// The member's window of a device, or of another image of it.
    fn window(&self, path: &Path, member: &ArrayMember) -> Result<Device, String> {
        let devices = &self.command.source.devices;
        let path = path_to_text(path);
        let offset = member.device_offset_sectors.unwrap_or(Sectors::ZERO);
        // An image may be shorter than what it is of: it is as long as it is.
        let window = Spec::recorded(&path, offset, member.device_length_sectors).open_once(devices, false);
        let device = window.or_else(|_| Spec::recorded(&path, offset, None).open_once(devices, false));
        device.map_err(|error| error.to_string())
    }

    fn image(&self, path: &Path, member: &ArrayMember) -> Result<Image, String> {
        let device: Arc<dyn ReadAt> = Arc::new(self.window(path, member)?);
        let is_compared = path.metadata().is_ok_and(|metadata| metadata.is_file());
        Ok(Image { device, readable: self.maps.of(path), is_compared })
    }
}

impl SalvageSources for Opener<'_> {
    fn open(&self, member: &ArrayMember) -> Result<MemberSource, String> {
        let path = text_to_path(member.device.as_deref().unwrap_or_default());
        let first = self.image(&path, member)?;
        let Some(also) = self.also.of(&path) else {
            return Ok(MemberSource { device: first.device, readable: first.readable });
        };
        let further = also.images.iter().map(|path| self.image(path, member));
        let images = std::iter::once(Ok(first)).chain(further).collect::<Result<_, _>>()?;
        let start = member.device_offset_sectors.unwrap_or_default();
        let images = Images::new(images, start, Arc::clone(&also.differing));
        let readable = images.readable();
        Ok(MemberSource { device: Arc::new(images), readable })
    }
}
