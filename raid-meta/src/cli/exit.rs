//! The exit status: one table for all five programs.

use super::input::InputError;
use crate::commit::{CommitError, RestoreError};
use crate::device::{DeviceError, OpenError, WriteOpenError};
use crate::edit::EditError;
use crate::record::RecordError;
use std::fmt;
use std::io;
use std::process::ExitCode;

/// How a program ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Exit {
    /// 0: done, yes.
    #[default]
    Done,
    /// 1: an honest no: nothing found, differs, degraded where that was not asked for, refused.
    No,
    /// 2: wrong usage.
    Usage,
    /// 3: bad data: damaged, contradictory, unsupported, a slot that can not be known.
    BadData,
    /// 4: the system failed: missing path, unreadable, I/O error.
    System,
    /// 5: partly done: some paths failed, some worked.
    Partly,
}

/// The table, for the end of every `--help` and for the manual.
pub const EXIT_STATUS_HELP: &str = "\
Exit status:
  0  done, yes
  1  an honest no: nothing found, differs, degraded, refused as unsafe, two formats on one device
  2  wrong usage
  3  bad data: damaged, contradictory, unsupported, slot-unknown, records of another version
  4  the system failed: missing path, directory, unreadable, I/O error
  5  partly done: some paths failed, some worked";

impl Exit {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::BadData => 3,
            Self::System => 4,
            Self::Partly => 5,
        }
    }

    /// The status of two things done one after the other: what is worse of done, no and bad data, and above
    /// them a failure of the system.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if other.code() > self.code() { other } else { self }
    }

    /// The status that an error stands for.
    #[must_use]
    pub fn of(error: &anyhow::Error) -> Self {
        for cause in error.chain() {
            if let Some(failure) = cause.downcast_ref::<Failure>() {
                return failure.exit;
            }
            if let Some(record) = cause.downcast_ref::<RecordError>() {
                return match record {
                    RecordError::Io { error, .. } if error.kind() != io::ErrorKind::InvalidData => {
                        Self::System
                    }
                    _ => Self::BadData,
                };
            }
            if let Some(exit) = writing(cause) {
                return exit;
            }
            let is_system = cause.is::<io::Error>()
                || cause.is::<OpenError>()
                || cause.is::<DeviceError>()
                || cause.is::<InputError>();
            if is_system {
                return Self::System;
            }
        }
        Self::System
    }
}

/// The status of what stops a write: refused as unsafe, not what was saved, or a failure of the system.
fn writing(cause: &(dyn std::error::Error + 'static)) -> Option<Exit> {
    if let Some(error) = cause.downcast_ref::<CommitError>() {
        return Some(match error {
            CommitError::Open(WriteOpenError::Held { .. })
            | CommitError::Changed { .. }
            | CommitError::Resized { .. } => Exit::No,
            _ => Exit::System,
        });
    }
    if let Some(error) = cause.downcast_ref::<EditError>() {
        return Some(match error {
            EditError::UnknownField(_) => Exit::Usage,
            EditError::Device(_) => Exit::System,
            EditError::Persistent { .. } => Exit::No,
            _ => Exit::BadData,
        });
    }
    cause.downcast_ref::<RestoreError>().map(|error| match error {
        RestoreError::Region { .. } => Exit::BadData,
        RestoreError::OtherDevice { .. } => Exit::No,
        RestoreError::Device(_) => Exit::System,
    })
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error with its exit status.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    /// An error that ends the program with that status and one line.
    #[must_use]
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    /// The same for what has been reported already: nothing more is printed.
    #[must_use]
    pub fn reported(exit: Exit) -> Self {
        Self::new(exit, "")
    }

    /// The same line with what this command can do about it.
    #[must_use]
    pub fn with_help(self, help: &str) -> Self {
        Self { message: format!("{self}; {help}"), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Gives the errors of a library their exit status.
pub trait ExitContext<T> {
    /// The same result; an error ends the program with that status.
    ///
    /// # Errors
    /// The same error.
    fn or_exit(self, exit: Exit) -> Result<T, Failure>;
}

impl<T, E: fmt::Display> ExitContext<T> for Result<T, E> {
    fn or_exit(self, exit: Exit) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(exit, error.to_string()))
    }
}

/// How many of several paths worked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Could be read.
    pub worked: usize,
    /// Could not.
    pub failed: usize,
}

impl Tally {
    /// The exit status: that of the work done, unless paths failed.
    #[must_use]
    pub fn exit(self, natural: Exit) -> Exit {
        match (self.worked, self.failed) {
            (_, 0) => natural,
            (0, _) => Exit::System,
            _ => Exit::Partly,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn paths_that_fail_outweigh_what_was_found_on_the_others() {
        for natural in [Exit::Done, Exit::No, Exit::BadData] {
            assert_eq!(Tally { worked: 2, failed: 0 }.exit(natural), natural);
            assert_eq!(Tally { worked: 1, failed: 1 }.exit(natural), Exit::Partly);
            assert_eq!(Tally { worked: 0, failed: 1 }.exit(natural), Exit::System);
        }
    }

    #[test]
    fn the_worse_of_two_outcomes_counts() {
        assert_eq!(Exit::Done.and(Exit::No), Exit::No);
        assert_eq!(Exit::BadData.and(Exit::No), Exit::BadData);
    }

    #[test]
    fn an_error_keeps_its_status_under_context() {
        let failure: anyhow::Result<()> = Err(Failure::new(Exit::No, "nothing").into());
        assert_eq!(Exit::of(&failure.context("while looking").unwrap_err()), Exit::No);
        assert_eq!(Exit::of(&io::Error::other("x").into()), Exit::System);
        let line = RecordError::Line { source_name: "-".into(), line: 1, message: "no".into() };
        assert_eq!(Exit::of(&line.into()), Exit::BadData);
    }

    #[test]
    fn the_help_lists_each_status_with_its_number() {
        let all = [Exit::Done, Exit::No, Exit::Usage, Exit::BadData, Exit::System, Exit::Partly];
        for (line, exit) in EXIT_STATUS_HELP.lines().skip(1).zip(all) {
            assert!(line.trim_start().starts_with(&exit.code().to_string()), "{line}");
        }
    }
}
