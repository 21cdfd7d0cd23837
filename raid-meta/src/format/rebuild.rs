//! What a format writes when a disk of a set was rebuilt onto a new one.
//!
//! The data is on the new disk already, and durable. What is left is to say so: on the new disk, and on those that are
//! there and list the members. Whatever write is the last before a stop, the set is the old degraded one or the
//! new whole one.

use super::{Format, asr, ddf, hpt37x, hpt45x, isw, jmicron, lsi, md, nvidia, pdc, sil, via};
use crate::device::Device;
use crate::model::Area;
use crate::units::Slot;

type Renew = fn(&Replacement) -> Result<Vec<Round>, RebuildError>;

/// The formats that can be given a new disk. Not in [`Format`] itself: so only a program that rebuilds has this in it.
static RENEWERS: [(&dyn Format, Renew); 12] = [
    (&md::Md, md::renew),
    (&isw::Isw, isw::renew),
    (&hpt45x::Hpt45x, hpt45x::renew),
    (&lsi::Lsi, lsi::renew),
    (&nvidia::Nvidia, nvidia::renew),
    (&sil::Sil, sil::renew),
    (&via::Via, via::renew),
    (&ddf::Ddf, ddf::renew),
    (&hpt37x::Hpt37x, hpt37x::renew),
    (&pdc::Pdc, pdc::renew),
    (&jmicron::Jmicron, jmicron::renew),
    (&asr::Asr, asr::renew),
];

impl dyn Format + '_ {
    /// What to write so that the new disk is the member of its slot, and of all slots of other volumes in which the disk was
    /// that it replaces.
    ///
    /// # Errors
    /// What the format, or the disks, can not do.
    pub fn renew(&self, replacement: &Replacement) -> Result<Vec<Round>, RebuildError> {
        let format = self.name();
        let renewer = RENEWERS.iter().find(|(known, _)| known.name() == format);
        let (_, renew) = renewer.ok_or(RebuildError::Unsupported { format })?;
        renew(replacement)
    }

    /// Whether sets of the format can be given a new disk.
    #[must_use]
    pub fn can_renew(&self) -> bool {
        RENEWERS.iter().any(|(known, _)| known.name() == self.name())
    }
}

/// A disk that takes the place of another.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// The volume, by its uuid.
    pub volume: String,
    /// The slot that was rebuilt.
    pub slot: Slot,
    /// The disks of the set that are there and current, spares too, without the one that is replaced.
    pub members: Vec<Device>,
    /// The new disk. Nothing on it is metadata that counts.
    pub target: Device,
    /// Random bytes for new identities.
    pub identity: [u8; 16],
    /// Seconds since the epoch.
    pub now: u64,
}

/// Which disk is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// The new one.
    Target,
    /// One of [`Replacement::members`].
    Member(usize),
}

/// What is written before a barrier, in this order.
pub type Round = Vec<(Disk, Area)>;

/// Why a format can not be given a new disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RebuildError {
    /// Not of this format.
    #[error("{format}: a member of this format can not be rebuilt")]
    Unsupported {
        /// Which format.
        format: &'static str,
    },
    /// The state of the set forbids it.
    #[error("{format}: {volume}: {message}")]
    State {
        /// Which format.
        format: &'static str,
        /// Name or identity of the volume, escaped.
        volume: String,
        /// Why.
        message: String,
    },
    /// A disk can not be what it should be.
    #[error("{device}: {format}: {message}")]
    Disk {
        /// Which disk.
        device: String,
        /// Which format.
        format: &'static str,
        /// Why.
        message: String,
    },
    /// The format records the serial numbers of disks, and that of the new disk is not known.
    #[error(
        "{device}: {format}: slot-unknown: the disk's serial number is recorded and not known (--serial PATH=TEXT, \
         or a file PATH.serial)"
    )]
    SerialUnknown {
        /// Which disk.
        device: String,
        /// Which format.
        format: &'static str,
    },
}

impl RebuildError {
    /// A disk can not be what it should be.
    #[must_use]
    pub fn disk(format: &'static str, device: &Device, message: impl Into<String>) -> Self {
        Self::Disk { device: device.label(), format, message: message.into() }
    }
}

impl Replacement {
    /// The state of the set forbids it.
    #[must_use]
    pub fn refused(&self, format: &'static str, message: impl Into<String>) -> RebuildError {
        RebuildError::State { format, volume: self.volume.clone(), message: message.into() }
    }

    /// Bytes for one of several identities: the same for the same `purpose`, different for others.
    #[must_use]
    pub fn identity_for(&self, purpose: &str) -> [u8; 20] {
        use sha1::{Digest, Sha1};
        Sha1::new().chain_update(self.identity).chain_update(purpose).finalize().into()
    }
}
