//! Tables made into devices.

use super::{Audience, Kernel, Mapped, Number, PartitionError, State};
use crate::target::{Device, Line, TargetError};
use nix::errno::Errno;
use raid_meta::record::{TableRecord, TableRole};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What became of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activated {
    /// The device.
    pub mapped: Mapped,
    /// Whether it had this table before.
    pub was_active: bool,
}

/// What is done to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// What it does is asked for.
    Look,
    /// It is made.
    Create,
    /// It gets its table.
    Load,
    /// The table becomes live.
    Resume,
    /// Every access to it waits.
    Suspend,
    /// It is removed.
    Remove,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Look => "looking at it",
            Self::Create => "creating it",
            Self::Load => "loading its table",
            Self::Resume => "resuming it",
            Self::Suspend => "suspending it",
            Self::Remove => "removing it",
        })
    }
}

/// Why tables are not active. Unless it says otherwise, no device is there that was not there before.
#[derive(Debug, thiserror::Error)]
pub enum ActivateError {
    /// A device of that name is somebody else's.
    #[error("{name}: there is a device of that name with uuid {}, expected {expected}", shown(.found))]
    OtherDevice {
        /// Its name.
        name: String,
        /// Its uuid.
        found: String,
        /// The uuid that it would have.
        expected: String,
    },
    /// The device is there and maps something else.
    #[error("{name}: is active with another table: {difference}")]
    OtherTable {
        /// Its name.
        name: String,
        /// The first difference.
        difference: String,
    },
    /// A line of a record that is no table line.
    #[error("{name}: {source}")]
    Table {
        /// Name of the device.
        name: String,
        /// What is wrong.
        source: TargetError,
    },
    /// A table names what can not be found, or is no block device.
    #[error("{name}: {path}: {error}")]
    Missing {
        /// Name of the device.
        name: String,
        /// What the table names.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// The kernel refused.
    #[error("{name}: {step}: {error}{}", hint(*.step, .error))]
    Refused {
        /// Name of the device.
        name: String,
        /// What was tried.
        step: Step,
        /// What the kernel says.
        error: io::Error,
    },
    /// The partitions of an array can not be known.
    #[error(transparent)]
    Partitions(#[from] PartitionError),
    /// What has to be recorded before can not be recorded.
    #[error("{name}: {error}")]
    Recording {
        /// Name of the device.
        name: String,
        /// Why.
        error: String,
    },
    /// It failed, no device is left, and the metadata still say that the array is being written.
    #[error("{error}; and the metadata of the array still say that it is in use: {recorded}")]
    StillRecorded {
        /// Why it was not activated.
        error: Box<ActivateError>,
        /// Why it could not be taken back.
        recorded: String,
    },
    /// The kernel refused, and then to remove what was made before.
    #[error("{error}; and not removed again: {}", .left.join(", "))]
    Left {
        /// Why it was not activated.
        error: Box<ActivateError>,
        /// The devices that are left.
        left: Vec<String>,
    },
}

impl ActivateError {
    /// Whether it is a refusal of ours, and not a failure.
    #[must_use]
    pub fn is_no(&self) -> bool {
        match self {
            Self::OtherDevice { .. } | Self::OtherTable { .. } => true,
            Self::Left { error, .. } | Self::StillRecorded { error, .. } => error.is_no(),
            _ => false,
        }
    }
}

fn shown(uuid: &str) -> &str {
    if uuid.is_empty() { "(none)" } else { uuid }
}

/// What the kernel does not say in its error number.
fn hint(step: Step, error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(number) if number == Errno::EBUSY as i32 => " (one of its devices is in use)",
        Some(_) if step == Step::Load => " (the reason is in the kernel's log)",
        _ => "",
    }
}

/// A table that is wanted.
struct Wanted<'a> {
    record: &'a TableRecord,
    lines: Vec<Line>,
    /// What is there.
    state: Option<State>,
}

impl Wanted<'_> {
    fn is_live(&self) -> bool {
        self.state.as_ref().is_some_and(|state| !state.table.is_empty())
    }
}

/// What has to be recorded before an array can be written.
pub trait Guard {
    /// Called once, before any device that others may write becomes live.
    ///
    /// # Errors
    /// It can not be recorded: the device does not become live.
    fn open(&mut self) -> Result<(), String>;

    /// Called when it was opened and no device is left through which anything could have been written.
    ///
    /// # Errors
    /// What was recorded stays.
    fn take_back(&mut self) -> Result<(), String>;
}

/// Makes tables into devices, each after those that it depends on. Devices that have their table already are left as they
/// are. When one fails, those made before it are removed again.
///
/// # Errors
/// See [`ActivateError`].
pub fn activate(kernel: &dyn Kernel, tables: &[TableRecord]) -> Result<Vec<Activated>, ActivateError> {
    Activation::new(kernel).add(tables)
}

/// Devices of which all are there in the end, or none that was not there before: an array, and then the partitions that are
/// found on it.
pub struct Activation<'a> {
    kernel: &'a dyn Kernel,
    /// The names of those that were made, in order.
    made: Vec<String>,
    guard: Option<&'a mut dyn Guard>,
    is_open: bool,
}

impl<'a> Activation<'a> {
    /// Of nothing yet.
    #[must_use]
    pub fn new(kernel: &'a dyn Kernel) -> Self {
        Self { kernel, made: Vec::new(), guard: None, is_open: false }
    }

    /// With something to be recorded before.
    #[must_use]
    pub fn guarded(self, guard: Option<&'a mut dyn Guard>) -> Self {
        Self { guard, ..self }
    }

    /// Activates more tables as [`activate`] does. When one fails, what was added before is removed too.
    ///
    /// # Errors
    /// See [`ActivateError`].
    pub fn add(&mut self, tables: &[TableRecord]) -> Result<Vec<Activated>, ActivateError> {
        self.try_add(tables).map_err(|error| self.undo(error))
    }

    fn try_add(&mut self, tables: &[TableRecord]) -> Result<Vec<Activated>, ActivateError> {
        let kernel = self.kernel;
        let wanted = tables.iter().map(|record| look(kernel, record)).collect::<Result<Vec<_>, _>>()?;
        let mut numbers = Numbers { kernel, tables, known: HashMap::new() };
        numbers.known.extend(wanted.iter().filter_map(|wanted| {
            let state = wanted.state.as_ref()?;
            Some((wanted.record.name.clone(), state.mapped.number))
        }));
        for wanted in wanted.iter().filter(|wanted| wanted.is_live()) {
            compare(wanted, &numbers)?;
        }
        wanted.iter().map(|wanted| self.make(wanted, &mut numbers)).collect()
    }

    fn make(&mut self, wanted: &Wanted<'_>, numbers: &mut Numbers<'_>) -> Result<Activated, ActivateError> {
        let record = wanted.record;
        let failed = |step| move |error| refused(record, step, error);
        if let Some(state) = wanted.state.as_ref().filter(|_| wanted.is_live()) {
            if state.suspended {
                self.resume(record)?;
            }
            return Ok(Activated { mapped: state.mapped.clone(), was_active: true });
        }
        let lines = numbers.resolve_all(wanted)?;
        let number = match &wanted.state {
            // What an interrupted activation left.
            Some(state) => state.mapped.number,
            None => self.kernel.create(&record.name, &record.uuid).map_err(failed(Step::Create))?,
        };
        self.made.push(record.name.clone());
        numbers.known.insert(record.name.clone(), number);
        self.kernel.load(&record.name, &lines, record.read_only).map_err(failed(Step::Load))?;
        self.resume(record)?;
        let mapped = Mapped { name: record.name.clone(), uuid: record.uuid.clone(), number };
        Ok(Activated { mapped, was_active: false })
    }

    /// Makes a device live; one that others see only when that is recorded.
    fn resume(&mut self, record: &TableRecord) -> Result<(), ActivateError> {
        let audience = if record.role == TableRole::Member { Audience::Nobody } else { Audience::All };
        let guard = self.guard.as_mut().filter(|_| audience == Audience::All && !self.is_open);
        if let Some(guard) = guard {
            let name = || record.name.clone();
            guard.open().map_err(|error| ActivateError::Recording { name: name(), error })?;
            self.is_open = true;
        }
        let resumed = self.kernel.resume(&record.name, audience);
        resumed.map_err(|error| refused(record, Step::Resume, error))
    }

    /// Removes what was made, the last first, because of this error, and takes back what was recorded. The error is
    /// returned, with what could not be removed or taken back.
    pub fn undo(&mut self, error: impl Into<ActivateError>) -> ActivateError {
        let error = error.into();
        let made = std::mem::take(&mut self.made).into_iter().rev();
        let left: Vec<String> = made.filter(|name| self.kernel.remove(name).is_err()).collect();
        if !left.is_empty() {
            return ActivateError::Left { error: Box::new(error), left };
        }
        let was_open = std::mem::take(&mut self.is_open);
        match self.guard.as_mut().filter(|_| was_open).map(|guard| guard.take_back()) {
            Some(Err(recorded)) => ActivateError::StillRecorded { error: Box::new(error), recorded },
            _ => error,
        }
    }
}

/// A table and what is there of it already.
fn look<'a>(kernel: &dyn Kernel, record: &'a TableRecord) -> Result<Wanted<'a>, ActivateError> {
    let name = || record.name.clone();
    let lines = record.lines.iter().map(Line::try_from).collect::<Result<Vec<_>, _>>();
    let lines = lines.map_err(|source| ActivateError::Table { name: name(), source })?;
    let state = kernel.state(&record.name).map_err(|error| refused(record, Step::Look, error))?;
    match &state {
        Some(state) if state.mapped.uuid != record.uuid => Err(ActivateError::OtherDevice {
            name: name(),
            found: state.mapped.uuid.clone(),
            expected: record.uuid.clone(),
        }),
        _ => Ok(Wanted { record, lines, state }),
    }
}

fn refused(record: &TableRecord, step: Step, error: io::Error) -> ActivateError {
    ActivateError::Refused { name: record.name.clone(), step, error }
}

/// Refuses a live device that maps something else.
fn compare(wanted: &Wanted<'_>, numbers: &Numbers<'_>) -> Result<(), ActivateError> {
    let Some(state) = &wanted.state else { return Ok(()) };
    let other =
        |difference: String| Err(ActivateError::OtherTable { name: wanted.record.name.clone(), difference });
    let expected = match numbers.resolve_all(wanted) {
        Ok(lines) => lines,
        // What it should lie on is not there, so it lies on something else.
        Err(ActivateError::Missing { path, .. }) => return other(format!("{path} is not active")),
        Err(error) => return Err(error),
    };
    if state.table.len() != expected.len() {
        return other(format!("it has {} lines, expected {}", state.table.len(), expected.len()));
    }
    for (found, expected) in state.table.iter().zip(&expected) {
        if !found.parse::<Line>().is_ok_and(|found| found.maps_like(expected)) {
            return other(format!("found \"{found}\", expected \"{expected}\""));
        }
    }
    if state.read_only != wanted.record.read_only {
        let words = |read_only| if read_only { "read-only" } else { "read-write" };
        return other(format!("it is {}, expected {}", words(state.read_only), words(!state.read_only)));
    }
    Ok(())
}

/// The numbers of the devices that tables name. The kernel is told numbers: it knows them before there is a node.
struct Numbers<'a> {
    kernel: &'a dyn Kernel,
    tables: &'a [TableRecord],
    /// Of the tables' own devices, by name.
    known: HashMap<String, Number>,
}

impl Numbers<'_> {
    fn resolve_all(&self, wanted: &Wanted<'_>) -> Result<Vec<Line>, ActivateError> {
        let name = &wanted.record.name;
        let mut lines = wanted.lines.clone();
        for line in &mut lines {
            for device in line.target.devices_mut() {
                self.resolve(name, device)?;
            }
        }
        Ok(lines)
    }

    fn resolve(&self, name: &str, device: &mut Device) -> Result<(), ActivateError> {
        let Device::Path(path) = device else { return Ok(()) };
        let own = self.tables.iter().find(|table| *path == Device::mapped_path(&table.name));
        let number = match own.and_then(|table| self.known.get(&table.name)) {
            Some(number) => *number,
            None if own.is_some() => return Err(missing(name, path, io::ErrorKind::NotFound.into())),
            None => {
                self.kernel.number(Path::new(path.as_str())).map_err(|error| missing(name, path, error))?
            }
        };
        *device = number.into();
        Ok(())
    }
}

fn missing(name: &str, path: &str, error: io::Error) -> ActivateError {
    ActivateError::Missing { name: name.to_owned(), path: path.to_owned(), error }
}

/// The block devices outside of these tables that they are made of.
#[must_use]
pub fn leaves(tables: &[TableRecord]) -> Vec<PathBuf> {
    let mut leaves = Vec::new();
    let lines = tables.iter().flat_map(|table| &table.lines).filter_map(|line| Line::try_from(line).ok());
    for mut line in lines {
        for device in line.target.devices_mut() {
            let Device::Path(path) = device else { continue };
            let is_own = tables.iter().any(|table| *path == Device::mapped_path(&table.name));
            let path = Path::new(path.as_str());
            if !is_own && !leaves.iter().any(|leaf| leaf == path) {
                leaves.push(path.to_owned());
            }
        }
    }
    leaves
}
