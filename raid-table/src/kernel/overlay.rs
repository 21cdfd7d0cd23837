//! Writes that do not reach the members: each member below a snapshot whose changes go to a sparse file.

use super::{Kernel, Mapped, leaves};
use crate::target::{Device, Line, Persistence, Snapshot, Target};
use loopdev::{LoopControl, LoopDevice};
use raid_meta::device::{FileDisk, OpenError, ReadAt};
use raid_meta::escape::{dm_name, path_to_text};
use raid_meta::record::{TableRecord, TableRole, V1};
use raid_meta::units::{Bytes, SECTOR_BYTES, Sectors};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// In front of the path of a member, in the uuid of its overlay.
pub const OVERLAY_UUID_PREFIX: &str = "RAIDTABLE-overlay-";
/// Sectors that are copied at a time.
const CHUNK: Sectors = Sectors(8);
/// Others may take the free loop device first.
const TRIES: u32 = 64;

/// Why there is no overlay.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// The member can not be opened.
    #[error(transparent)]
    Member(#[from] OpenError),
    /// The file of the changes can not be made. One that is there may hold changes that matter.
    #[error("{path}: {error}")]
    File {
        /// Its path.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// The file can not be made a block device.
    #[error("{path}: attaching a loop device: {error}")]
    Loop {
        /// Its path.
        path: String,
        /// What the system says.
        error: io::Error,
    },
}

/// Overlays that no dm device holds yet. Dropped before that, their files are removed.
#[derive(Debug, Default)]
pub struct Overlay {
    /// Attached for as long as they, or a dm device on them, are open.
    loops: Vec<LoopDevice>,
    files: Vec<PathBuf>,
}

impl Overlay {
    /// Puts an overlay under every member of these tables. Those that are there already are used again.
    ///
    /// # Errors
    /// See [`OverlayError`]; the tables are as they were.
    pub fn under(
        tables: &mut Vec<TableRecord>,
        directory: &Path,
        there: &[Mapped],
    ) -> Result<Self, OverlayError> {
        let mut overlay = Self::default();
        let (mut new, mut names) = (Vec::new(), Vec::new());
        let array = tables.last().map(|table| table.array.clone()).unwrap_or_default();
        for leaf in leaves(tables) {
            let key = dm_name(leaf.as_os_str().as_bytes());
            let (name, uuid) = (format!("overlay{key}"), format!("{OVERLAY_UUID_PREFIX}{key}"));
            let is_there = there.iter().any(|mapped| mapped.name == name && mapped.uuid == uuid);
            if !is_there {
                let lines = vec![overlay.line(&leaf, &directory.join(format!("{name}.cow")))?.into()];
                let (array, name) = (array.clone(), name.clone());
                let role = TableRole::Overlay;
                let depends = Vec::new();
                new.push(TableRecord { v: V1, name, uuid, array, role, depends, read_only: false, lines });
            }
            names.push((leaf, name));
        }
        for table in tables.iter_mut() {
            names.iter().for_each(|(leaf, name)| put_under(table, leaf, name));
        }
        tables.splice(0..0, new);
        Ok(overlay)
    }

    /// Leaves them to the dm devices that hold them now.
    pub fn release(mut self) {
        self.files.clear();
    }

    /// The whole of a member, with its changes in a new file.
    fn line(&mut self, leaf: &Path, file: &Path) -> Result<Line, OverlayError> {
        let Bytes(length) = FileDisk::open(leaf, None)?.size();
        let cow = self.attach(file, cow_bytes(length))?;
        let device = |path: &Path| Device::Path(path.to_string_lossy().into_owned());
        let snapshot = Snapshot {
            origin: device(leaf),
            cow: device(&cow),
            persistence: Persistence::Persistent,
            chunk: CHUNK,
        };
        let length = Sectors(length / SECTOR_BYTES);
        Ok(Line { start: Sectors::ZERO, length, target: Target::Snapshot(snapshot) })
    }

    /// A new sparse file as a block device; its path.
    fn attach(&mut self, path: &Path, length: u64) -> Result<PathBuf, OverlayError> {
        let file_error = |error| OverlayError::File { path: path_to_text(path), error };
        let file =
            OpenOptions::new().read(true).write(true).create_new(true).open(path).map_err(file_error)?;
        self.files.push(path.to_owned());
        file.set_len(length).map_err(file_error)?;
        let loop_error = |error| OverlayError::Loop { path: path_to_text(path), error };
        let device = attached(path).map_err(loop_error)?;
        let node = device.path().ok_or_else(|| loop_error(io::Error::other("it has no path")))?;
        self.loops.push(device);
        Ok(node)
    }
}

impl Drop for Overlay {
    fn drop(&mut self) {
        for file in &self.files {
            // What is left is empty.
            let _ = fs::remove_file(file);
        }
    }
}

/// Attaches a file to the first loop device that is free. It is detached when the last who has it open closes it.
fn attached(path: &Path) -> io::Result<LoopDevice> {
    let control = LoopControl::open()?;
    for _ in 0..TRIES {
        let device = control.next_free()?;
        match device.with().autoclear(true).attach(path) {
            Ok(()) => return Ok(device),
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::from(io::ErrorKind::ResourceBusy))
}

/// Enough for every chunk to be written, and for the lists of them.
fn cow_bytes(origin: u64) -> u64 {
    let bytes = origin.saturating_add(origin / 64).saturating_add(4 << 20);
    bytes.next_multiple_of(4096)
}

fn put_under(table: &mut TableRecord, leaf: &Path, overlay: &str) {
    let mut is_changed = false;
    for record in &mut table.lines {
        let Ok(mut line) = Line::try_from(&*record) else { continue };
        for device in line.target.devices_mut() {
            if matches!(device, Device::Path(path) if Path::new(path.as_str()) == leaf) {
                *device = Device::mapped(overlay);
                is_changed = true;
            }
        }
        *record = line.into();
    }
    if is_changed {
        table.depends.push(overlay.to_owned());
    }
}

/// What an overlay took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The file that has it.
    pub file: PathBuf,
    /// Bytes of the file that are in use.
    pub bytes: u64,
}

impl Written {
    /// What the overlay of that table took so far.
    ///
    /// # Errors
    /// The file can not be found.
    pub fn by(kernel: &dyn Kernel, overlay: &str, sysroot: &Path) -> io::Result<Self> {
        let table = kernel.state(overlay)?.map(|state| state.table).unwrap_or_default();
        let cow = table.iter().find_map(|line| match line.parse::<Line>().ok()?.target {
            Target::Snapshot(snapshot) => Some(snapshot.cow.to_string()),
            _ => None,
        });
        let number = cow.ok_or_else(|| io::Error::other("it is no snapshot"))?;
        let backing = sysroot.join("sys/dev/block").join(number).join("loop/backing_file");
        let file = PathBuf::from(fs::read_to_string(backing)?.trim_end_matches('\n'));
        let bytes = File::open(&file)?.metadata()?.blocks() * SECTOR_BYTES;
        Ok(Self { file, bytes })
    }
}
