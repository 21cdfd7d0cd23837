//! Where the undo file goes, and how it is made: whole and durable before the first write, and never over another.

use super::CommitError;
use crate::escape::path_to_text;
use crate::format::time;
use crate::record::{Record, RegionRecord};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Names that are tried in the state directory before giving up.
const MAX_NAMES: u32 = 1000;

/// Keeps what puts everything back.
pub trait UndoStore {
    /// Saves the regions, durably, before it returns; says where.
    ///
    /// # Errors
    /// They can not be saved; nothing is written then.
    fn save(&mut self, regions: &[RegionRecord]) -> Result<String, CommitError>;
}

/// An undo file: region records, a line each, for `raid-meta restore`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UndoFile {
    /// With this name.
    Named(PathBuf),
    /// With a name of its own in this folder.
    In(PathBuf),
}

impl UndoFile {
    /// The file of that name; without one, a new one in the state directory.
    ///
    /// # Errors
    /// There is no state directory.
    pub fn new(name: Option<&Path>) -> Result<Self, CommitError> {
        if let Some(name) = name {
            return Ok(Self::Named(name.to_owned()));
        }
        let folder = state_directory(|name| std::env::var_os(name).map(PathBuf::from), is_root());
        folder.map(|folder| Self::In(folder.join("undo"))).ok_or_else(|| CommitError::Undo {
            path: "the state directory".to_owned(),
            error: io::Error::other("neither XDG_STATE_HOME nor HOME is set; --undo says where"),
        })
    }

    /// Creates the file; fails where there is one.
    fn create(&self) -> Result<(PathBuf, File), (PathBuf, io::Error)> {
        match self {
            Self::Named(path) => {
                create(path).map(|file| (path.clone(), file)).map_err(|error| (path.clone(), error))
            }
            Self::In(folder) => {
                fs::create_dir_all(folder).map_err(|error| (folder.clone(), error))?;
                create_in(folder)
            }
        }
    }
}

impl UndoStore for UndoFile {
    fn save(&mut self, regions: &[RegionRecord]) -> Result<String, CommitError> {
        let error = |path: &Path, error| CommitError::Undo { path: path_to_text(path), error };
        let (path, mut file) = self.create().map_err(|(path, cause)| error(&path, cause))?;
        let saved = save(&mut file, regions).and_then(|()| sync_folder(&path));
        match saved {
            Ok(()) => Ok(path_to_text(&path)),
            Err(cause) => {
                // Half an undo file helps nobody, and nothing was written yet.
                let _ = fs::remove_file(&path);
                Err(error(&path, cause))
            }
        }
    }
}

/// The folder for what is to survive: `XDG_STATE_HOME`; `/var/lib` for root; `~/.local/state`.
fn state_directory(variable: impl Fn(&str) -> Option<PathBuf>, is_root: bool) -> Option<PathBuf> {
    const NAME: &str = "raid-tools";
    let absolute = |name| variable(name).filter(|path: &PathBuf| path.is_absolute());
    if let Some(state) = absolute("XDG_STATE_HOME") {
        return Some(state.join(NAME));
    }
    if is_root {
        return Some(Path::new("/var/lib").join(NAME));
    }
    Some(absolute("HOME")?.join(".local/state").join(NAME))
}

/// By the owner of this process's own entry in `/proc`.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Creates a file named after the time and the process.
fn create_in(folder: &Path) -> Result<(PathBuf, File), (PathBuf, io::Error)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let stamp = time::utc(now).unwrap_or_default().replace(['-', ':'], "");
    let mut path = PathBuf::new();
    for number in 0..MAX_NAMES {
        let suffix = if number == 0 { String::new() } else { format!("-{number}") };
        path = folder.join(format!("{stamp}-{}{suffix}.jsonl", std::process::id()));
        match create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err((path, error)),
            Ok(file) => return Ok((path, file)),
        }
    }
    Err((path, io::ErrorKind::AlreadyExists.into()))
}

fn save(file: &mut File, regions: &[RegionRecord]) -> io::Result<()> {
    let mut writer = io::BufWriter::new(&mut *file);
    for region in regions {
        let line = Record::Region(region.clone()).to_line().map_err(io::Error::other)?;
        writer.write_all(line.as_bytes())?;
        writer.write_all(b"\n")?;
    }
    writer.flush()?;
    drop(writer);
    file.sync_all()
}

/// Makes the name of a new file durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_directory_is_the_users_or_the_systems() {
        let with = |set: &[(&str, &str)], is_root| {
            let find =
                |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| PathBuf::from(value));
            state_directory(find, is_root)
        };
        let both = [("XDG_STATE_HOME", "/s"), ("HOME", "/h")];
        assert_eq!(with(&both, false), Some("/s/raid-tools".into()));
        assert_eq!(with(&both[1..], false), Some("/h/.local/state/raid-tools".into()));
        assert_eq!(with(&both[1..], true), Some("/var/lib/raid-tools".into()));
        assert_eq!(with(&[("XDG_STATE_HOME", "relative")], false), None);
    }

    #[test]
    fn an_undo_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("undo");
        let mut named = UndoFile::Named(path.clone());
        assert_eq!(named.save(&[]).unwrap(), path_to_text(&path));
        let message = named.save(&[]).unwrap_err().to_string();
        assert!(message.contains("File exists"), "{message}");
        let mut own = UndoFile::In(folder.path().join("a/b"));
        let names = [own.save(&[]).unwrap(), own.save(&[]).unwrap()];
        assert_ne!(names[0], names[1]);
    }
}
