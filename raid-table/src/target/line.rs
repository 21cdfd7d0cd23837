//! A line of a table.

use super::device::Device;
use super::raid::Raid;
use super::simple::{Linear, Mirror, MirrorLog, Place, Snapshot, Striped, Unstriped};
use super::words::{TargetError, Words, split};
use raid_meta::escape::escape;
use raid_meta::record::TableLine;
use raid_meta::units::Sectors;
use std::fmt;
use std::str::FromStr;

/// What a range of a dm device maps to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One range of one device.
    Linear(Linear),
    /// Chunks in turn on several places.
    Striped(Striped),
    /// One stripe of a device that is a set of stripes.
    Unstriped(Unstriped),
    /// The kernel's md, without md.
    Raid(Raid),
    /// dm's own mirror.
    Mirror(Mirror),
    /// A device and what takes its writes.
    Snapshot(Snapshot),
    /// The origin of snapshots.
    SnapshotOrigin(Device),
    /// Every access is an error.
    Error,
    /// Zeros, and writes are forgotten.
    Zero,
}

impl Target {
    /// The target type.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Linear(_) => "linear",
            Self::Striped(_) => "striped",
            Self::Unstriped(_) => "unstriped",
            Self::Raid(_) => "raid",
            Self::Mirror(_) => "mirror",
            Self::Snapshot(_) => "snapshot",
            Self::SnapshotOrigin(_) => "snapshot-origin",
            Self::Error => "error",
            Self::Zero => "zero",
        }
    }

    /// The parameters, as the kernel takes them.
    #[must_use]
    pub fn params(&self) -> String {
        match self {
            Self::Linear(target) => target.to_string(),
            Self::Striped(target) => target.to_string(),
            Self::Unstriped(target) => target.to_string(),
            Self::Raid(target) => target.to_string(),
            Self::Mirror(target) => target.to_string(),
            Self::Snapshot(target) => target.to_string(),
            Self::SnapshotOrigin(device) => device.to_string(),
            Self::Error | Self::Zero => String::new(),
        }
    }

    /// Reads type and parameters.
    ///
    /// # Errors
    /// What is not a line of one of these targets.
    pub fn read(kind: &str, params: &str) -> Result<Self, TargetError> {
        Self::from_words(kind, &split(params))
    }

    fn from_words(kind: &str, words: &[String]) -> Result<Self, TargetError> {
        let named = |name| Words::new(name, words);
        let (target, rest) = match kind {
            "linear" => {
                let mut words = named("linear");
                (Self::Linear(Linear { place: Place::read(&mut words)? }), words)
            }
            "striped" => read_with(named("striped"), Striped::read, Self::Striped)?,
            "unstriped" => read_with(named("unstriped"), Unstriped::read, Self::Unstriped)?,
            "raid" => read_with(named("raid"), Raid::read, Self::Raid)?,
            "mirror" => read_with(named("mirror"), Mirror::read, Self::Mirror)?,
            "snapshot" => read_with(named("snapshot"), Snapshot::read, Self::Snapshot)?,
            "snapshot-origin" => {
                read_with(named("snapshot-origin"), |words| words.parse("a device"), Self::SnapshotOrigin)?
            }
            "error" => (Self::Error, named("error")),
            "zero" => (Self::Zero, named("zero")),
            other => return Err(TargetError::UnknownTarget { found: escape(other.as_bytes()) }),
        };
        rest.end().map(|()| target)
    }

    /// A place as a linear target.
    #[must_use]
    pub fn linear(device: Device, offset: Sectors) -> Self {
        Self::Linear(Linear { place: Place { device, offset } })
    }

    /// The devices that it names, data and metadata.
    pub fn devices_mut(&mut self) -> Vec<&mut Device> {
        match self {
            Self::Linear(linear) => vec![&mut linear.place.device],
            Self::Striped(striped) => striped.stripes.iter_mut().map(|place| &mut place.device).collect(),
            Self::Unstriped(unstriped) => vec![&mut unstriped.place.device],
            Self::Raid(raid) => {
                let legs = raid.legs.iter_mut().flat_map(|leg| [&mut leg.meta, &mut leg.data]);
                legs.flatten()
                    .chain(raid.params.journal.as_mut().map(|journal| &mut journal.device))
                    .collect()
            }
            Self::Mirror(mirror) => {
                let log = match &mut mirror.log {
                    MirrorLog::Disk(device) => Some(device),
                    MirrorLog::Core => None,
                };
                log.into_iter().chain(mirror.legs.iter_mut().map(|leg| &mut leg.device)).collect()
            }
            Self::Snapshot(snapshot) => vec![&mut snapshot.origin, &mut snapshot.cow],
            Self::SnapshotOrigin(device) => vec![device],
            Self::Error | Self::Zero => Vec::new(),
        }
    }

    /// Whether both map every sector to the same place in the same way, where devices are equal as they
    /// are written.
    #[must_use]
    pub fn maps_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Raid(one), Self::Raid(other)) => one.maps_like(other),
            _ => self == other,
        }
    }
}

/// The target that `read` makes of the words, and the words that are left.
fn read_with<'a, T>(
    mut words: Words<'a>,
    read: impl FnOnce(&mut Words<'a>) -> Result<T, TargetError>,
    wrap: impl FnOnce(T) -> Target,
) -> Result<(Target, Words<'a>), TargetError> {
    let target = wrap(read(&mut words)?);
    Ok((target, words))
}

/// A line of a table: a range of the dm device and what it maps to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// First sector.
    pub start: Sectors,
    /// Number of sectors.
    pub length: Sectors,
    /// The mapping.
    pub target: Target,
}

impl Line {
    /// Whether both lines mean the same; see [`Target::maps_like`].
    #[must_use]
    pub fn maps_like(&self, other: &Self) -> bool {
        self.start == other.start && self.length == other.length && self.target.maps_like(&other.target)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.start, self.length, self.target.kind())?;
        match self.target.params() {
            params if params.is_empty() => Ok(()),
            params => write!(f, " {params}"),
        }
    }
}

impl FromStr for Line {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let words = split(text);
        let mut head = Words::new("table", &words);
        let start = head.sectors("a start in sectors")?;
        let length = head.sectors("a length in sectors")?;
        let kind = head.word("a target type")?;
        let params = words.get(3..).unwrap_or_default();
        Ok(Self { start, length, target: Target::from_words(kind, params)? })
    }
}

impl From<Line> for TableLine {
    fn from(line: Line) -> Self {
        Self {
            start_sectors: line.start,
            length_sectors: line.length,
            target: line.target.kind().to_owned(),
            params: line.target.params(),
        }
    }
}

impl TryFrom<&TableLine> for Line {
    type Error = TargetError;

    fn try_from(line: &TableLine) -> Result<Self, TargetError> {
        Ok(Self {
            start: line.start_sectors,
            length: line.length_sectors,
            target: Target::read(&line.target, &line.params)?,
        })
    }
}
