//! How far a job is, in a file, so that a stop costs nothing but the time since the last save.
//!
//! The file is one line of JSON: which job on which array, and what the job itself keeps. It is replaced as a whole, by a
//! durable new file that takes its name, so whenever the power fails it holds one position or the next. A job
//! saves a position only after what lies before it is durable, and removes the file when it is done.

use raid_meta::escape::path_to_text;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// More than any job keeps.
const MAX_BYTES: u64 = 1 << 20;

/// Which job on which array: a position is of no use to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// `scrub`, `rebuild`.
    pub job: String,
    /// Name of the array.
    pub array: String,
    /// Identity of the array, or of its set; the name alone where there is none.
    pub uuid: Option<String>,
    /// Whatever else makes it another job: the slot, the target.
    pub detail: String,
}

impl std::fmt::Display for Job {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} of {}", self.job, self.array)?;
        if let Some(uuid) = &self.uuid {
            write!(formatter, " ({uuid})")?;
        }
        if self.detail.is_empty() { Ok(()) } else { write!(formatter, ", {}", self.detail) }
    }
}

/// Why a position can not be used or kept.
#[derive(Debug, thiserror::Error)]
pub enum PositionError {
    /// The file can not be read or written.
    #[error("{path}: {error}")]
    Io {
        /// Which file.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// It is something else.
    #[error("{path}: not a position: {message}")]
    NotOne {
        /// Which file.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// It is that of another job.
    #[error("{path}: is the position of another job: found {found}, expected {expected}")]
    OtherJob {
        /// Which file.
        path: String,
        /// Whose position it is.
        found: Box<Job>,
        /// Whose it should be.
        expected: Box<Job>,
    },
}

/// The line in the file.
#[derive(Serialize, Deserialize)]
struct Line<J, S> {
    #[serde(flatten)]
    job: J,
    state: S,
}

/// The file that says how far a job is.
#[derive(Debug)]
pub struct PositionFile {
    path: PathBuf,
    job: Job,
}

impl PositionFile {
    /// The file of that name for that job, and what it says; none where there is no such file yet.
    ///
    /// # Errors
    /// It can not be read, is no position, or that of another job.
    pub fn open<S: DeserializeOwned>(path: &Path, job: Job) -> Result<(Self, Option<S>), PositionError> {
        let file = Self { path: path.to_owned(), job };
        file.check_new()?;
        let Some(text) = file.read(path)? else { return Ok((file, None)) };
        let not_one = |error: serde_json::Error| PositionError::NotOne {
            path: path_to_text(path),
            message: error.to_string(),
        };
        // Whose it is comes first: what another job keeps need not make sense here.
        let found: Line<Job, serde_json::Value> = serde_json::from_str(&text).map_err(not_one)?;
        if found.job != file.job {
            let (found, expected) = (Box::new(found.job), Box::new(file.job));
            return Err(PositionError::OtherJob { path: path_to_text(path), found, expected });
        }
        let state = serde_json::from_value(found.state).map_err(not_one)?;
        Ok((file, Some(state)))
    }

    /// Replaces what the file says, durably.
    ///
    /// # Errors
    /// It can not be written; the file says what it said before.
    pub fn save<S: Serialize>(&self, state: &S) -> Result<(), PositionError> {
        let line = serde_json::to_string(&Line { job: &self.job, state });
        let line = line.map_err(|error| self.io(io::Error::other(error)))?;
        self.replace(&line).map_err(|error| self.io(error))
    }

    /// Removes the file: the job is done.
    ///
    /// # Errors
    /// It is there and can not be removed.
    pub fn remove(self) -> Result<(), PositionError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.io(error)),
            _ => Ok(()),
        }
    }

    /// Where a position is written before it takes its name.
    fn new_path(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        name.into()
    }

    /// What a stop left there may be replaced; nothing else may.
    fn check_new(&self) -> Result<(), PositionError> {
        const START: &str = "{\"job\":";
        let path = self.new_path();
        let text = self.read(&path)?.unwrap_or_default();
        let text = text.trim_end_matches('\0');
        if START.starts_with(text) || text.starts_with(START) {
            return Ok(());
        }
        let message = format!("new positions of {} are to be written there", path_to_text(&self.path));
        Err(PositionError::NotOne { path: path_to_text(&path), message })
    }

    fn read(&self, path: &Path) -> Result<Option<String>, PositionError> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(|error| self.io(error))?,
        };
        let mut text = String::new();
        file.take(MAX_BYTES).read_to_string(&mut text).map_err(|error| self.io(error))?;
        Ok(Some(text))
    }

    fn replace(&self, line: &str) -> io::Result<()> {
        let beside = self.new_path();
        let mut file = File::create(&beside)?;
        file.write_all(line.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    fn io(&self, error: io::Error) -> PositionError {
        PositionError::Io { path: path_to_text(&self.path), error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(detail: &str) -> Job {
        Job { job: "scrub".into(), array: "md_a".into(), uuid: Some("u".into()), detail: detail.into() }
    }

    #[test]
    fn what_was_saved_last_is_gone_on_from_until_the_job_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("position");
        let (file, none) = PositionFile::open::<u64>(&path, job("")).unwrap();
        assert_eq!(none, None);
        file.save(&7_u64).unwrap();
        file.save(&8_u64).unwrap();
        let (again, state) = PositionFile::open::<u64>(&path, job("")).unwrap();
        assert_eq!(state, Some(8));
        again.remove().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_position_of_another_job_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("position");
        let (file, _) = PositionFile::open::<u64>(&path, job("slot 1")).unwrap();
        file.save(&7_u64).unwrap();
        let message = PositionFile::open::<u64>(&path, job("slot 2")).unwrap_err().to_string();
        assert!(message.ends_with("found scrub of md_a (u), slot 1, expected scrub of md_a (u), slot 2"));
    }

    #[test]
    fn only_what_a_stop_left_of_a_new_position_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (path, new) = (folder.path().join("position"), folder.path().join("position.new"));
        for text in ["", "{", "{\"job\":\"scr", "{\"job\":\"scrub\0\0", "\0\0"] {
            fs::write(&new, text).unwrap();
            let (file, _) = PositionFile::open::<u64>(&path, job("")).unwrap();
            file.save(&7_u64).unwrap();
            assert!(!new.exists());
        }
        fs::write(&new, "mine").unwrap();
        let message = PositionFile::open::<u64>(&path, job("")).unwrap_err().to_string();
        let expected = format!("not a position: new positions of {} are to be written there", path.display());
        assert!(message.ends_with(&expected), "{message}");
        assert_eq!(fs::read(&new).unwrap(), b"mine");
    }

    #[test]
    fn a_file_that_is_no_position_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("position");
        for text in ["", "{}", "hello", "[1]", "\0", "{\"job\":\"scrub\"}"] {
            fs::write(&path, text).unwrap();
            let error = PositionFile::open::<u64>(&path, job("")).unwrap_err();
            assert!(matches!(error, PositionError::NotOne { .. }), "{text}: {error}");
        }
        assert!(matches!(PositionFile::open::<u64>(folder.path(), job("")), Err(PositionError::Io { .. })));
    }
}
