//! `raid-meta create`.

use crate::cli::args::{format_parser, sector_size};
use crate::cli::write::WriteArgs;
use crate::cli::{Console, DeviceArgs, EXIT_STATUS_HELP, Exit, Failure, OutputArgs, Spec, random_bytes};
use crate::create::{Created, NotCreated, create};
use crate::device::{Device, ReadAt};
use crate::format::Format;
use crate::format::create::{CreateError, NewSet};
use crate::geometry::{Layout, Level};
use crate::record::Record;
use crate::units::{ChunkSectors, SectorSize, Sectors};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use sha1::{Digest, Sha1};
use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

const EXAMPLES: &str = "\
Examples:
  raid-meta create --format md --level raid5 --name data --chunk 64 disk?.img
  raid-meta create --format md --level raid1 --name root --assume-clean --write a.img b.img
  raid-meta create --format isw --level raid10 --name vol0 --serial a.img=S1AAAA --serial b.img=S1BBBB \\
      --serial c.img=S1CCCC --serial d.img=S1DDDD --write a.img b.img c.img d.img";

/// Create a new set on disks or images
///
/// The PATHs are the slots of the new array, in order. Shown is the array as it will be found, and what would be
/// written; nothing is written without --write. Disks that carry metadata, a file system or a partition table are
/// refused without --force. Where the disks carry a set of a format that can have several volumes, a volume is added
/// to it. Redundancy is not computed: the array is recorded as never synchronized, where the format can say so,
/// unless --assume-clean says that it is valid.
#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub(super) struct Create {
    /// Devices or images, or windows of them, in the order of the slots
    #[arg(value_name = "PATH[@OFFSET[+LENGTH]]", required = true)]
    paths: Vec<OsString>,

    #[command(flatten)]
    set: SetArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    write: WriteArgs,

    /// Overwrite what is on the disks
    #[arg(long, help_heading = "Writing")]
    force: bool,

    /// Serial number of a disk image; else the line in the file PATH.serial
    #[arg(long, value_name = "PATH=TEXT", help_heading = "Devices")]
    serial: Vec<OsString>,

    /// Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks
    #[arg(long, value_name = "BYTES", value_parser = sector_size, help_heading = "Devices")]
    sector_size: Option<SectorSize>,

    /// Use DIR/sys and DIR/dev in place of /sys and /dev
    #[arg(long, value_name = "DIR", help_heading = "Devices")]
    sysroot: Option<PathBuf>,
}

/// What the set is to be.
#[derive(Args)]
struct SetArgs {
    /// Format of the metadata
    #[arg(long, value_name = "FORMAT", value_parser = format_parser(), overrides_with = "format",
        help_heading = "Set")]
    format: &'static dyn Format,

    /// Version of the metadata, for a format that has several
    #[arg(long, value_name = "VERSION", help_heading = "Set")]
    metadata_version: Option<String>,

    /// Level
    #[arg(long, value_name = "LEVEL", value_parser = level_parser(), overrides_with = "level",
        help_heading = "Set")]
    level: Level,

    /// Name of the volume, where the format records one
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true, value_parser = name,
        help_heading = "Set")]
    name: String,

    /// Layout, as raid-probe prints it; the format's usual one unless told
    #[arg(long, value_name = "LAYOUT", value_parser = layout, help_heading = "Set")]
    layout: Option<Layout>,

    /// Chunk in KiB, or with a unit: 64, 64K, 1M; the format's usual one unless told
    #[arg(long, value_name = "KIB", value_parser = chunk, help_heading = "Set")]
    chunk: Option<ChunkSectors>,

    /// Size of the array in KiB, or with a unit: 100M, 2G, 800s (sectors); all that fits unless told
    #[arg(long, value_name = "KIB", value_parser = size, help_heading = "Set")]
    size: Option<Sectors>,

    /// A disk that is to be a spare; can be given several times
    #[arg(long, value_name = "PATH", help_heading = "Set")]
    spare: Vec<OsString>,

    /// The redundancy on the disks is valid already: equal mirrors, right parity
    #[arg(long, help_heading = "Set")]
    assume_clean: bool,

    /// Write-intent bitmap, for a format that can have one
    #[arg(long, value_name = "WHERE", value_enum, default_value_t, help_heading = "Set")]
    bitmap: Bitmap,

    /// Identity of the set, 32 hexadecimal digits; random unless told
    #[arg(long, value_name = "UUID", value_parser = uuid, conflicts_with = "seed", help_heading = "Set")]
    uuid: Option<[u8; 16]>,

    /// Text that all identities follow from: the same text, the same metadata (with SOURCE_DATE_EPOCH)
    #[arg(long, value_name = "TEXT", help_heading = "Set")]
    seed: Option<String>,
}

/// Where the write-intent bitmap is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Bitmap {
    /// There is none
    #[default]
    None,
    /// On the disks
    Internal,
}

impl Create {
    pub(super) fn run(self, console: &mut Console) -> anyhow::Result<Exit> {
        console.set_style(self.output.style());
        let devices = DeviceArgs {
            serial: self.serial.clone(),
            sector_size: self.sector_size,
            sysroot: self.sysroot.clone(),
            ..DeviceArgs::default()
        };
        let paths = [self.paths.as_slice(), self.set.spare.as_slice()].concat();
        devices.check_serials(&paths)?;
        let disks = open(&self.paths, &devices)?;
        let spares = open(&self.set.spare, &devices)?;
        check_distinct(disks.iter().chain(&spares))?;
        let set = self.set.new_set(disks, spares)?;
        let created = match create(self.set.format, &set, self.force) {
            Ok(created) => created,
            Err(NotCreated::Occupied(lines)) => return Ok(refuse(&lines, console)),
            Err(error) => return Err(failure(error)),
        };
        self.finish(&created, &devices, console)
    }

    fn finish(&self, created: &Created, devices: &DeviceArgs, console: &mut Console) -> anyhow::Result<Exit> {
        if self.set.bitmap == Bitmap::Internal && !created.has_bitmap() {
            let message = format!("--bitmap: {} sets have none", self.set.format.name());
            return Err(Failure::usage(message).into());
        }
        for line in &created.overwritten {
            console.say(format_args!("{line}; --force overwrites it"));
        }
        for warning in &created.warnings {
            console.say(warning);
        }
        self.write.carry_out(&created.plan, devices, console)?;
        for array in &created.arrays {
            console.print(&Record::Array(array.clone()))?;
        }
        for record in created.plan.records(false).filter(|_| !self.write.write) {
            console.print(&Record::Write(record))?;
        }
        Ok(Exit::Done)
    }
}

impl SetArgs {
    fn new_set(&self, disks: Vec<Device>, spares: Vec<Device>) -> anyhow::Result<NewSet> {
        Ok(NewSet {
            version: self.metadata_version.clone(),
            layout: self.layout,
            chunk: self.chunk,
            size: self.size,
            spares,
            identity: self.identity()?,
            now: now()?,
            in_sync: self.assume_clean,
            bitmap: self.bitmap == Bitmap::Internal,
            ..NewSet::new(self.level, &self.name, disks)
        })
    }

    fn identity(&self) -> io::Result<[u8; 16]> {
        let mut identity = [0; 16];
        match (self.uuid, &self.seed) {
            (Some(uuid), _) => identity = uuid,
            (None, Some(seed)) => {
                let digest: [u8; 20] = Sha1::digest(seed).into();
                identity.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
            }
            (None, None) => identity = random_bytes()?,
        }
        Ok(identity)
    }
}

/// The time to record: now, or what `SOURCE_DATE_EPOCH` says.
fn now() -> Result<u64, Failure> {
    const VARIABLE: &str = "SOURCE_DATE_EPOCH";
    match std::env::var(VARIABLE) {
        Ok(text) => text
            .parse()
            .map_err(|_| Failure::usage(format!("{VARIABLE} is '{text}', expected a number of seconds"))),
        Err(_) => Ok(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())),
    }
}

fn open(paths: &[OsString], devices: &DeviceArgs) -> anyhow::Result<Vec<Device>> {
    paths.iter().map(|path| Ok(Spec::parse(path).open(devices)?)).collect()
}

/// Refuses a disk that is given twice, under whatever name, and windows that share a byte.
fn check_distinct<'a>(devices: impl Iterator<Item = &'a Device>) -> Result<(), Failure> {
    let mut known: Vec<((u64, u64), &Device)> = Vec::new();
    for device in devices {
        let id = std::fs::metadata(device.path()).map_or((0, 0), |metadata| identity(&metadata));
        let end = |device: &Device| device.offset().saturating_add(device.size());
        let shares = |other: &Device| device.offset() < end(other) && other.offset() < end(device);
        let same = |(other_id, other): &&((u64, u64), &Device)| {
            *other_id == id && (shares(other) || other.offset() == device.offset())
        };
        if let Some((_, other)) = known.iter().find(same) {
            let message = format!("{}: is the same disk as {}", device.label(), other.label());
            return Err(Failure::usage(message));
        }
        known.push((id, device));
    }
    Ok(())
}

/// What tells a device or file from all others, whatever its path.
fn identity(metadata: &Metadata) -> (u64, u64) {
    const FILE: u64 = u64::MAX;
    use std::os::unix::fs::FileTypeExt;
    if metadata.file_type().is_block_device() {
        (FILE, metadata.rdev())
    } else {
        (metadata.dev(), metadata.ino())
    }
}

/// Names what is in the way, a line each.
fn refuse(lines: &[String], console: &Console) -> Exit {
    for line in lines {
        console.no(format_args!("{line}; --force overwrites it"));
    }
    Exit::No
}

fn failure(error: NotCreated) -> anyhow::Error {
    let exit = match &error {
        NotCreated::Read(_) | NotCreated::Unproved(_) => Exit::System,
        NotCreated::Occupied(_) | NotCreated::Impossible(CreateError::Disk { .. }) => Exit::No,
        NotCreated::Impossible(CreateError::SerialUnknown { .. }) => Exit::BadData,
        NotCreated::Impossible(_) => Exit::Usage,
    };
    Failure::new(exit, error.to_string()).into()
}

fn level_parser() -> impl TypedValueParser<Value = Level> {
    let names = Level::ALL.map(Level::name);
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Level>())
}

fn layout(text: &str) -> Result<Layout, String> {
    text.parse::<Layout>().map_err(|error| error.to_string())
}

/// Text that can stand in a path and on a terminal.
fn name(text: &str) -> Result<String, String> {
    let is_clean = !text.chars().any(|character| character.is_control() || character == '/');
    is_clean.then(|| text.to_owned()).ok_or_else(|| "expected no '/' and no control character".to_owned())
}

fn size(text: &str) -> Result<Sectors, String> {
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    let sectors = match text.get(digits.len()..) {
        Some("s") => 1,
        Some("" | "K" | "k") => 2,
        Some("M" | "m") => 2 << 10,
        Some("G" | "g") => 2 << 20,
        Some("T" | "t") => 2 << 30,
        _ => 0,
    };
    let is_plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    let number: Option<u64> = digits.parse().ok().filter(|_| is_plain && sectors > 0);
    number
        .and_then(|number| number.checked_mul(sectors))
        .filter(|&sectors| sectors > 0)
        .map(Sectors)
        .ok_or_else(|| "expected a number of KiB, or one with K, M, G, T or s".to_owned())
}

fn chunk(text: &str) -> Result<ChunkSectors, String> {
    let Sectors(sectors) = size(text)?;
    let chunk = u32::try_from(sectors).ok().and_then(ChunkSectors::new);
    chunk.ok_or_else(|| "expected less than 2 TiB".to_owned())
}

fn uuid(text: &str) -> Result<[u8; 16], String> {
    let digits: String = text.chars().filter(|character| !matches!(character, ':' | '-')).collect();
    let bytes = hex::decode(digits).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| "expected 32 hexadecimal digits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_kib_unless_they_have_a_unit() {
        for (text, sectors) in
            [("64", 128), ("64K", 128), ("1M", 2048), ("2G", 4 << 20), ("1t", 2 << 30), ("7s", 7)]
        {
            assert_eq!(size(text), Ok(Sectors(sectors)), "{text}");
        }
        for wrong in
            ["", "0", "K", "-1", "+1", "1X", "1KB", "1.5G", "99999999999999999999", "9999999999T", "\u{661}"]
        {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert!(chunk("3T").is_err());
    }

    #[test]
    fn a_uuid_is_read_as_any_program_prints_it() {
        let bytes = std::array::from_fn(|index| u8::try_from(index).unwrap());
        for text in [
            "00010203:04050607:08090a0b:0c0d0e0f",
            "00010203-0405-0607-0809-0A0B0C0D0E0F",
            "000102030405060708090a0b0c0d0e0f",
        ] {
            assert_eq!(uuid(text), Ok(bytes), "{text}");
        }
        assert!(uuid("0001").is_err());
        assert!(uuid("zz0102030405060708090a0b0c0d0e0f").is_err());
    }

    #[test]
    fn names_that_could_not_be_part_of_a_path_are_refused() {
        assert_eq!(name("my volume\u{e9}"), Ok("my volume\u{e9}".to_owned()));
        for wrong in ["a/b", "a\nb", "\x1b[31m", "\0"] {
            assert!(name(wrong).is_err());
        }
    }
}
