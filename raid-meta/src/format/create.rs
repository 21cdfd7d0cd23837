//! New sets: what is asked for, and what a format makes of it.

use super::{Format, asr, ddf, hpt37x, hpt45x, isw, jmicron, lsi, md, nvidia, pdc, sil, via};
use crate::device::Device;
use crate::geometry::{Layout, Level};
use crate::model::Area;
use crate::units::{Bytes, ChunkSectors, Sectors, Slot};

type Create = fn(&NewSet) -> Result<Vec<NewMember>, CreateError>;

/// The formats of which sets can be created. Not in [`Format`] itself: so only a program that creates sets has all of this in it.
static CREATORS: [(&dyn Format, Create); 12] = [
    (&md::Md, md::create),
    (&isw::Isw, isw::create),
    (&hpt45x::Hpt45x, hpt45x::create),
    (&lsi::Lsi, lsi::create),
    (&nvidia::Nvidia, nvidia::create),
    (&sil::Sil, sil::create),
    (&via::Via, via::create),
    (&ddf::Ddf, ddf::create),
    (&hpt37x::Hpt37x, hpt37x::create),
    (&pdc::Pdc, pdc::create),
    (&jmicron::Jmicron, jmicron::create),
    (&asr::Asr, asr::create),
];

impl dyn Format + '_ {
    /// Complete metadata of a new set, for each of its disks in order. Where the disks carry a set of the format that has
    /// room for one more volume, that volume is added.
    ///
    /// # Errors
    /// What the format, or the disks, can not do.
    pub fn create(&self, set: &NewSet) -> Result<Vec<NewMember>, CreateError> {
        let format = self.name();
        let creator = CREATORS.iter().find(|(known, _)| known.name() == format);
        let (_, create) = creator.ok_or(CreateError::Unsupported { format })?;
        create(set)
    }
}

/// A set to be created.
#[derive(Clone, Debug)]
pub struct NewSet {
    /// Version of the metadata, where the format has several; its usual one if none.
    pub version: Option<String>,
    /// Level.
    pub level: Level,
    /// Layout; the format's usual one if none.
    pub layout: Option<Layout>,
    /// Chunk; the format's usual one if none.
    pub chunk: Option<ChunkSectors>,
    /// Size of the array; as large as the disks allow if none.
    pub size: Option<Sectors>,
    /// Name of the volume.
    pub name: String,
    /// The disks, by slot. They can be read: for their size, serial number, and a set that is there already.
    pub disks: Vec<Device>,
    /// Disks beyond the slots: spares.
    pub spares: Vec<Device>,
    /// Random bytes for all identities. The same bytes give the same metadata.
    pub identity: [u8; 16],
    /// Seconds since the epoch.
    pub now: u64,
    /// The disks are known to be in step: their redundancy is recorded as valid. Else it is recorded as never
    /// computed, by a format that can say so.
    pub in_sync: bool,
    /// A write-intent bitmap on the disks, by a format that can have one.
    pub bitmap: bool,
}

/// The metadata of one disk of a new set.
#[derive(Clone, Debug)]
pub struct NewMember {
    /// What to write, in this order: what makes the others count is the last.
    pub areas: Vec<Area>,
}

/// Why a set can not be created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// The format is one that is only read.
    #[error("{format}: sets of this format can not be created")]
    Unsupported {
        /// Which format.
        format: &'static str,
    },
    /// The format does not know what is asked for.
    #[error("{format}: {what} is {found}, expected {expected}")]
    Invalid {
        /// Which format.
        format: &'static str,
        /// What is wrong: `level`, `chunk`, `name`, `number of disks`, …
        what: &'static str,
        /// What was asked for, escaped.
        found: String,
        /// What is possible.
        expected: String,
    },
    /// A disk can not be in the set.
    #[error("{device}: {format}: {message}")]
    Disk {
        /// Which disk.
        device: String,
        /// Which format.
        format: &'static str,
        /// Its slot.
        slot: Slot,
        /// Why: too small, no serial number, another set on it.
        message: String,
    },
    /// The format records the serial numbers of disks, and that of a disk is not known.
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

impl CreateError {
    /// What is asked for is not possible.
    #[must_use]
    pub fn invalid(
        format: &'static str,
        what: &'static str,
        found: impl ToString,
        expected: impl Into<String>,
    ) -> Self {
        Self::Invalid { format, what, found: found.to_string(), expected: expected.into() }
    }
}

impl NewSet {
    /// The usual set of that level on those disks, as large as they allow. Identities and time are zero until
    /// told.
    #[must_use]
    pub fn new(level: Level, name: impl Into<String>, disks: Vec<Device>) -> Self {
        Self {
            version: None,
            level,
            layout: None,
            chunk: None,
            size: None,
            name: name.into(),
            disks,
            spares: Vec::new(),
            identity: [0; 16],
            now: 0,
            in_sync: false,
            bitmap: false,
        }
    }

    /// The smallest disk.
    #[must_use]
    pub fn smallest_disk(&self) -> Bytes {
        use crate::device::ReadAt;
        self.disks.iter().map(Device::size).min().unwrap_or_default()
    }

    /// Refuses what a format without bitmaps has not: versions beside those named, and a bitmap.
    ///
    /// # Errors
    /// Another version is asked for, or a bitmap.
    pub fn only_versions(&self, format: &'static str, versions: &[&str]) -> Result<(), CreateError> {
        if let Some(wanted) = self.version.as_deref().filter(|wanted| !versions.contains(wanted)) {
            let found = crate::escape::escape(wanted.as_bytes());
            let expected = if versions.is_empty() { "none".to_owned() } else { versions.join(" or ") };
            return Err(CreateError::invalid(format, "metadata version", found, expected));
        }
        if self.bitmap {
            return Err(CreateError::invalid(format, "bitmap", "internal", "none"));
        }
        Ok(())
    }

    /// Bytes for one of several identities: the same for the same `purpose`, different for others.
    #[must_use]
    pub fn identity_for(&self, purpose: &str) -> [u8; 20] {
        use sha1::{Digest, Sha1};
        Sha1::new().chain_update(self.identity).chain_update(purpose).finalize().into()
    }
}
