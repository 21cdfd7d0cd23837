//! Why a set is not created.

use crate::device::DeviceError;
use crate::format::create::CreateError;

/// Why a set is not created. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum NotCreated {
    /// The format, or a disk, can not do what is asked for.
    #[error(transparent)]
    Impossible(#[from] CreateError),
    /// A disk can not be read.
    #[error(transparent)]
    Read(#[from] DeviceError),
    /// Something is on the disks: a line for each thing.
    #[error("{}", .0.join("; "))]
    Occupied(Vec<String>),
    /// What was composed is not what was asked for: a mistake in this program.
    #[error("internal: {0}; nothing was written")]
    Unproved(String),
}

impl NotCreated {
    pub(super) fn unproved(message: impl Into<String>) -> Self {
        Self::Unproved(message.into())
    }
}
