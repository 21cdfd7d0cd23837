//! The targets with few parameters: linear, striped, unstriped, mirror, snapshot.
//!
//! Parameters are those of the kernel's documents in `admin-guide/device-mapper`.

use super::device::Device;
use super::words::{TargetError, Words};
use raid_meta::units::Sectors;
use std::fmt;

/// A device and a sector on it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The device.
    pub device: Device,
    /// Where on it the mapping begins.
    pub offset: Sectors,
}

impl Place {
    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, TargetError> {
        Ok(Self { device: words.parse("a device")?, offset: words.sectors("an offset in sectors")? })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.device, self.offset)
    }
}

/// `linear`: one range of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linear {
    /// Where it begins.
    pub place: Place,
}

impl fmt::Display for Linear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }
}

/// `striped`: chunks in turn on each place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Striped {
    /// Chunk; need not be a power of two since target version 1.5.
    pub chunk: Sectors,
    /// The stripes, in order.
    pub stripes: Vec<Place>,
}

impl Striped {
    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, TargetError> {
        let count: u64 = words.parse("a number of stripes")?;
        let chunk = words.sectors("a chunk in sectors")?;
        // The count is not trusted with memory: the words run out long before.
        let stripes = (0..count).map(|_| Place::read(words)).collect::<Result<_, _>>()?;
        Ok(Self { chunk, stripes })
    }
}

impl fmt::Display for Striped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.stripes.len(), self.chunk)?;
        self.stripes.iter().try_for_each(|place| write!(f, " {place}"))
    }
}

/// `unstriped`: every `stripes`-th chunk of a place, from chunk number `stripe`: one stripe of a device
/// that is itself a set of stripes. Linux 4.17.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unstriped {
    /// Number of stripes on the device.
    pub stripes: u32,
    /// Chunk.
    pub chunk: Sectors,
    /// The stripe wanted, from 0.
    pub stripe: u32,
    /// Where stripe 0 begins.
    pub place: Place,
}

impl Unstriped {
    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, TargetError> {
        Ok(Self {
            stripes: words.parse("a number of stripes")?,
            chunk: words.sectors("a chunk in sectors")?,
            stripe: words.parse("a stripe number")?,
            place: Place::read(words)?,
        })
    }
}

impl fmt::Display for Unstriped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.stripes, self.chunk, self.stripe, self.place)
    }
}

/// Where a mirror keeps which regions are clean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MirrorLog {
    /// In memory.
    Core,
    /// On a device.
    Disk(Device),
}

/// `mirror`: dm's own mirror, as dmraid makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// The log.
    pub log: MirrorLog,
    /// Size of the regions of the log.
    pub region: Sectors,
    /// `sync` (true) copies everything from the first leg, `nosync` (false) takes the legs for equal.
    pub sync: Option<bool>,
    /// The copies.
    pub legs: Vec<Place>,
    /// The legs' errors are handled (`handle_errors`).
    pub handle_errors: bool,
    /// A failed leg's log is kept (`keep_log`).
    pub keep_log: bool,
}

impl Mirror {
    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, TargetError> {
        let kind = words.word("a log type")?;
        let arguments: u64 = words.parse("a number of log arguments")?;
        let log = match kind {
            "core" => MirrorLog::Core,
            "disk" => MirrorLog::Disk(words.parse("a log device")?),
            other => return Err(words.unexpected(other, "'core' or 'disk'")),
        };
        let region = words.sectors("a region size")?;
        let sync = if words.take_if("sync") { Some(true) } else { words.take_if("nosync").then_some(false) };
        let count: u64 = words.parse("a number of legs")?;
        let legs = (0..count).map(|_| Place::read(words)).collect::<Result<_, _>>()?;
        let (handle_errors, keep_log) = read_features(words)?;
        let mirror = Self { log, region, sync, legs, handle_errors, keep_log };
        if arguments != mirror.log_arguments() {
            return Err(TargetError::Count {
                target: words.target(),
                what: "log arguments",
                said: arguments,
                counted: mirror.log_arguments(),
            });
        }
        Ok(mirror)
    }

    fn log_arguments(&self) -> u64 {
        1 + u64::from(matches!(self.log, MirrorLog::Disk(_))) + u64::from(self.sync.is_some())
    }
}

fn read_features(words: &mut Words<'_>) -> Result<(bool, bool), TargetError> {
    let (mut handle_errors, mut keep_log) = (false, false);
    if words.peek().is_some() {
        let count: u64 = words.parse("a number of features")?;
        for _ in 0..count {
            match words.word("a feature")? {
                "handle_errors" => handle_errors = true,
                "keep_log" => keep_log = true,
                other => return Err(words.unexpected(other, "'handle_errors' or 'keep_log'")),
            }
        }
    }
    Ok((handle_errors, keep_log))
}

impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.log {
            MirrorLog::Core => write!(f, "core {}", self.log_arguments())?,
            MirrorLog::Disk(device) => write!(f, "disk {} {device}", self.log_arguments())?,
        }
        write!(f, " {}", self.region)?;
        match self.sync {
            Some(true) => f.write_str(" sync")?,
            Some(false) => f.write_str(" nosync")?,
            None => {}
        }
        write!(f, " {}", self.legs.len())?;
        self.legs.iter().try_for_each(|leg| write!(f, " {leg}"))?;
        let features: Vec<&str> = [(self.handle_errors, "handle_errors"), (self.keep_log, "keep_log")]
            .into_iter()
            .filter_map(|(given, name)| given.then_some(name))
            .collect();
        if features.is_empty() { Ok(()) } else { write!(f, " {} {}", features.len(), features.join(" ")) }
    }
}

/// Whether the exceptions of a snapshot outlive the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// `P`: kept on the copy-on-write device.
    Persistent,
    /// `PO`: kept, and an overflow is told to userspace.
    PersistentOverflow,
    /// `N`: only in memory.
    Transient,
}

impl Persistence {
    const ALL: [Self; 3] = [Self::Persistent, Self::PersistentOverflow, Self::Transient];

    fn name(self) -> &'static str {
        match self {
            Self::Persistent => "P",
            Self::PersistentOverflow => "PO",
            Self::Transient => "N",
        }
    }
}

/// `snapshot`: an origin, and a device that takes the writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// What is read where nothing was written.
    pub origin: Device,
    /// What takes the writes.
    pub cow: Device,
    /// Whether they outlive the device.
    pub persistence: Persistence,
    /// Size of the pieces that are copied.
    pub chunk: Sectors,
}

impl Snapshot {
    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, TargetError> {
        let origin = words.parse("an origin device")?;
        let cow = words.parse("a copy-on-write device")?;
        let word = words.word("'P', 'PO' or 'N'")?;
        let persistence = Persistence::ALL
            .into_iter()
            .find(|persistence| persistence.name() == word)
            .ok_or_else(|| words.unexpected(word, "'P', 'PO' or 'N'"))?;
        Ok(Self { origin, cow, persistence, chunk: words.sectors("a chunk in sectors")? })
    }
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.origin, self.cow, self.persistence.name(), self.chunk)
    }
}
