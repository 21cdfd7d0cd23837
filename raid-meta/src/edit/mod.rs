//! Metadata changed: fields set to values, a dump turned back into bytes, every copy erased, a volume opened and closed, a
//! lost disk replaced by a new one.
//!
//! Each function reads devices and makes a [`Plan`]; none writes. A plan is tried before it is handed out: the
//! format looks at the device as it would be, and what `raid-meta check` would then say is part of the answer.

mod encode;
mod erase;
mod rebuild;
mod set;
mod transition;

pub use encode::{Dump, encode};
pub use erase::{erase, regions, window};
pub use rebuild::{Part, PlanRebuildError, Rebuild, rebuild};
pub use set::{Assignment, set};
pub use transition::{PlanTransitionError, transition};

use crate::commit::Plan;
use crate::device::DeviceError;
use crate::format::Range;
use crate::format::value::ValueError;
use crate::identify::Member;
use crate::inspect::UnknownField;
use crate::model::Area;
use crate::record::Problem;
use crate::units::Bytes;

/// A change that was planned.
#[derive(Debug)]
pub struct Edit {
    /// What to write.
    pub plan: Plan,
    /// The metadata as it would be; nothing when it would not be recognised.
    pub after: Vec<Member>,
    /// Why it should not be done.
    pub objections: Vec<Problem>,
}

/// Why a change can not be planned.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// There is no such field.
    #[error(transparent)]
    UnknownField(#[from] UnknownField),
    /// A field can not have that value.
    #[error("{device}: {format}: {field} {error}")]
    Value {
        /// Which device.
        device: String,
        /// Format of its metadata.
        format: String,
        /// Name of the field.
        field: String,
        /// What is wrong with the value.
        error: ValueError,
    },
    /// Fields of a dump contradict each other.
    #[error("{device}: {format}: {message}")]
    Dump {
        /// The device that was dumped.
        device: String,
        /// Format of its metadata.
        format: String,
        /// What is wrong.
        message: String,
    },
    /// There are no fields.
    #[error("a dump without fields")]
    NothingDumped,
    /// Too little is left of the metadata to know what its bytes are.
    #[error("{device}: {format}: too little is left of the metadata to change it")]
    Undecoded {
        /// Which device.
        device: String,
        /// Format of its metadata.
        format: String,
    },
    /// What is erased would still be found.
    #[error("{device}: {format}: still found at {offset} after {rounds} rounds of erasing")]
    Persistent {
        /// Which device.
        device: String,
        /// Format of its metadata.
        format: String,
        /// Where.
        offset: Bytes,
        /// How often it was tried.
        rounds: usize,
    },
    /// The device can not be read.
    #[error(transparent)]
    Device(#[from] DeviceError),
}

impl EditError {
    fn undecoded(member: &Member) -> Self {
        Self::Undecoded { device: member.device.label(), format: member.format.name().to_owned() }
    }
}

/// Where an area is.
fn range_of(area: &Area) -> Range {
    Range { offset: area.offset, length: Bytes(area.bytes.len() as u64) }
}
