//! What a format records when a set is opened for writing, and when it is closed.
//!
//! Between the two the set is *dirty*: a crash may have left its redundancy out of step. And before anything is written
//! without a member, that member is recorded as failed: otherwise it would be believed when it comes back.

use crate::device::Device;
use crate::model::Area;

/// What happens to a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// It is about to be written: members that are not in step are failed, and if it is redundant, it is dirty.
    Open,
    /// It is not written any more: it is not dirty.
    Close,
}

/// A disk of the set that is there.
#[derive(Clone, Debug)]
pub struct Present {
    /// It.
    pub device: Device,
    /// Whether its part of the volume is up to date. One that is not, and is not being rebuilt, is failed.
    pub in_sync: bool,
}

/// What is to be written to one disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// Which disk: an index into those that were given.
    pub member: usize,
    /// What to write, in rounds: each is durable before the next is begun.
    pub rounds: Vec<Vec<Area>>,
}

/// Why a format can not record a transition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    /// The format has no place for it.
    #[error(
        "{format}: nothing in the format says that a set is being written, or which members missed a write"
    )]
    Unsupported {
        /// Which format.
        format: &'static str,
    },
    /// The state that the volume is in forbids it.
    #[error("{format}: {volume}: {message}")]
    State {
        /// Which format.
        format: &'static str,
        /// Name or identity of the volume, escaped.
        volume: String,
        /// Why.
        message: String,
    },
    /// A disk is not what it was taken for.
    #[error("{device}: {format}: {message}")]
    Member {
        /// Which disk.
        device: String,
        /// Which format.
        format: &'static str,
        /// Why.
        message: String,
    },
}
