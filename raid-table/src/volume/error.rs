//! Why an array can not be opened, or a range of it not be read.

use crate::layout::LayoutError;
use raid_meta::record::Health;
use raid_meta::units::{Bytes, Sectors, Slot};
use std::io;

/// Why an array can not be opened for reading.
#[derive(Debug, thiserror::Error)]
pub enum OpenVolumeError {
    /// The array has lost more members than its level can do without.
    #[error("{name}: {} of {slots} members are there, too few for {level}: {missing}", slots - lost)]
    Failed {
        /// Which array.
        name: String,
        /// Its level.
        level: String,
        /// Slots in all.
        slots: u32,
        /// Slots that can not be used.
        lost: u32,
        /// Which, in words.
        missing: String,
    },
    /// The record does not describe an array that can be mapped.
    #[error("{name}: {source}")]
    Layout {
        /// Which array.
        name: String,
        /// What is wrong with it.
        source: LayoutError,
    },
    /// The record contradicts itself or lacks what is needed.
    #[error("{name}: {message}")]
    Record {
        /// Which array.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// What would be read may be wrong, and that was not asked for ([`OpenOptions::force`](super::OpenOptions::force)).
    #[error("{name}: {reason}")]
    Refused {
        /// Which array.
        name: String,
        /// Why.
        reason: String,
    },
    /// It can be read, but writing would leave it in a state that nothing records.
    #[error("{name}: can not be written: {reason}")]
    NotWritable {
        /// Which array.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// A member can not be opened.
    #[error("{name}: slot {slot}: {message}")]
    Member {
        /// Which array.
        name: String,
        /// Which slot.
        slot: u32,
        /// Why.
        message: String,
    },
}

impl OpenVolumeError {
    /// Health that explains the refusal, where it does.
    #[must_use]
    pub fn health(&self) -> Option<Health> {
        matches!(self, Self::Failed { .. }).then_some(Health::Failed)
    }
}

/// Why a range can not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not inside the array.
    #[error("bytes {offset} to {} are not inside the array of {size} bytes", offset.saturating_add(*length))]
    OutOfRange {
        /// First byte.
        offset: Bytes,
        /// How many.
        length: Bytes,
        /// Size of the array.
        size: Bytes,
    },
    /// What is on the members there can not be trusted, and redundancy does not help.
    #[error("{name}: array sectors {start} to {}: {reason}", start.0 + length.0 - 1)]
    Untrusted {
        /// Which array.
        name: String,
        /// First sector.
        start: Sectors,
        /// How many.
        length: Sectors,
        /// Why.
        reason: String,
    },
    /// A member can not be read there, and redundancy does not help.
    #[error("{name}: array sectors {start} to {}: {device}: {error}", start.0 + length.0 - 1)]
    Io {
        /// Which array.
        name: String,
        /// First sector.
        start: Sectors,
        /// How many.
        length: Sectors,
        /// Which device.
        device: String,
        /// Why.
        error: io::Error,
    },
}

/// Why a range can not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It is not inside the array.
    #[error("bytes {offset} to {} are not inside the array of {size} bytes", offset.saturating_add(*length))]
    OutOfRange {
        /// First byte.
        offset: Bytes,
        /// How many.
        length: Bytes,
        /// Size of the array.
        size: Bytes,
    },
    /// A member can not be written, or not be read for the parity.
    #[error("{name}: slot {slot} ({device}): {length} sectors at {start} of its data: {error}")]
    Member {
        /// Which array.
        name: String,
        /// Which slot.
        slot: Slot,
        /// Which device.
        device: String,
        /// First sector of the member's data.
        start: Sectors,
        /// How many.
        length: Sectors,
        /// Why.
        error: io::Error,
    },
    /// What was around the written bytes in their sector can not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}
