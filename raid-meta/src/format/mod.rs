//! The formats: one file or folder each, translating bytes and nothing else, and one registry.
//!
//! A format answers where its metadata is, decodes it ("not ours", "ours", "ours but damaged, and how"), encodes
//! it back to identical bytes, checks it, names every field, and says what it means as a
//! [`MemberView`]. Adding a format is one file, one line in [`FORMATS`], one fixture folder.

pub mod asr;
mod claims;
pub mod create;
pub mod ddf;
pub mod dm_raid;
mod history;
pub mod hpt37x;
pub mod hpt45x;
pub mod isw;
pub mod jmicron;
pub mod lsi;
pub mod lvm2;
pub mod md;
pub mod nvidia;
pub mod pdc;
pub mod rebuild;
pub mod schema;
pub mod sil;
pub mod time;
pub mod transition;
pub mod value;
pub mod vendor;
pub mod via;
mod words;

use crate::device::{Device, DeviceError};
use crate::model::{Area, Field, MemberView, ReshapeView, VolumeView};
use crate::record::Problem;
use crate::units::Bytes;
use std::fmt;
use transition::{Present, Rewrite, Transition, TransitionError};

/// All formats, in the order in which they are asked.
pub static FORMATS: [&dyn Format; 14] = [
    &md::Md,
    &isw::Isw,
    &hpt45x::Hpt45x,
    &lsi::Lsi,
    &nvidia::Nvidia,
    &sil::Sil,
    &via::Via,
    &ddf::Ddf,
    &hpt37x::Hpt37x,
    &pdc::Pdc,
    &jmicron::Jmicron,
    &asr::Asr,
    &lvm2::Lvm2,
    &dm_raid::DmRaid,
];

/// The format of that name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Format> {
    FORMATS.into_iter().find(|format| format.name() == name)
}

/// The three answers of a decoder.
#[derive(Clone, Debug)]
pub enum Decoded<T> {
    /// The signature is not there.
    NotOurs,
    /// Whole and sound.
    Sound(T),
    /// The signature is there, but something is wrong. What could be decoded comes with it; none when too
    /// little is left to say anything.
    Damaged(Option<T>, Vec<Problem>),
}

impl<T> Decoded<T> {
    /// What was decoded, and the problems.
    pub fn into_parts(self) -> (Option<T>, Vec<Problem>) {
        match self {
            Self::NotOurs => (None, Vec::new()),
            Self::Sound(value) => (Some(value), Vec::new()),
            Self::Damaged(value, problems) => (value, problems),
        }
    }
}

/// What a format found at one place of a device.
#[derive(Debug)]
pub struct Found {
    /// The decoded metadata; none when too little is left of it.
    pub metadata: Option<Box<dyn Metadata>>,
    /// Where it was found, from the start of the device window.
    pub offset: Bytes,
    /// Version, as far as known.
    pub version: Option<String>,
    /// What is wrong with it; an error means that it is not to be believed.
    pub problems: Vec<Problem>,
}

/// Bytes by which metadata is recognised, wherever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The bytes.
    pub bytes: &'static [u8],
    /// Where in a sector of 512 bytes they begin.
    pub at: usize,
}

/// A range of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    /// First byte.
    pub offset: Bytes,
    /// Number of bytes.
    pub length: Bytes,
}

/// A generation of the metadata that is still on a device.
#[derive(Clone, Debug)]
pub struct Generation {
    /// Its bytes, where they are.
    pub areas: Vec<Area>,
    /// Update counter.
    pub generation: u64,
    /// Seconds since the epoch, where it is recorded.
    pub updated: Option<u64>,
    /// It is the one that counts.
    pub current: bool,
    /// What made it or what it says, in a few words, escaped.
    pub description: Option<String>,
}

/// A metadata format.
pub trait Format: Sync {
    /// Name in records and on the command line.
    fn name(&self) -> &'static str;

    /// What people call it, for `--list-formats`.
    fn description(&self) -> &'static str;

    /// Whether the format lives only on whole disks, never in partitions.
    fn whole_disk_only(&self) -> bool;

    /// Whether a disk can carry several sets of the format side by side, each a find of its own.
    fn several_sets(&self) -> bool {
        false
    }

    /// Looks at the places where the format keeps its metadata and decodes what is there.
    ///
    /// # Errors
    /// A read failed.
    fn find(&self, device: &Device) -> Result<Vec<Found>, DeviceError>;

    /// Which view of a set to believe: the index of the freshest among views of one set, and what is
    /// doubtful about the choice. The views are never empty. The default takes the highest generation, the first of
    /// equals.
    fn freshest(&self, views: &[&MemberView]) -> (usize, Vec<Problem>) {
        let mut best = 0;
        for (index, view) in views.iter().enumerate() {
            if views.get(best).is_none_or(|champion| view.generation > champion.generation) {
                best = index;
            }
        }
        (best, Vec::new())
    }

    /// What the metadata can be recognised by in the middle of anything, for carving.
    fn signatures(&self) -> &'static [Signature] {
        &[]
    }

    /// The windows of `disk` in which the metadata whose signature is at `at` would be where it belongs, the most
    /// likely first; at most a few. [`Format::find`] is asked about each.
    ///
    /// # Errors
    /// A read failed.
    fn windows(&self, disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
        let _ = (disk, at);
        Ok(Vec::new())
    }

    /// What to write to the disks of a set when one of its volumes is opened or closed: nothing where it is recorded
    /// already. `members` are all disks of the set that are there and current, `now` is in seconds since the epoch.
    ///
    /// # Errors
    /// The format has no place for it, or the state of the set forbids it.
    fn transition(
        &self,
        volume: &str,
        members: &[Present],
        to: Transition,
        now: u64,
    ) -> Result<Vec<Rewrite>, TransitionError> {
        let _ = (volume, members, to, now);
        Err(TransitionError::Unsupported { format: self.name() })
    }

    /// The generations that are still on a device, the newest first, the current one among them. The default takes
    /// what is found: a device that was used twice can have a stale copy at another place.
    ///
    /// # Errors
    /// A read failed.
    fn history(&self, device: &Device) -> Result<Vec<Generation>, DeviceError> {
        Ok(history::of_finds(&self.find(device)?, device))
    }

    /// Completes the views of the members of one set from one another, where each knows only a part of it. They are
    /// grouped after that.
    fn complete(&self, views: &mut [&mut MemberView]) {
        let _ = views;
    }

    /// The reshape of one volume, from what the champion and then all current members say of it. The default
    /// takes the first view that records the position first hand, else the champion's.
    fn reshape(&self, views: &[&VolumeView]) -> Option<ReshapeView> {
        let champion = views.first()?.reshape.as_ref()?;
        let first_hand =
            views.iter().filter_map(|view| view.reshape.as_ref()).find(|view| view.authoritative);
        Some(first_hand.unwrap_or(champion).clone())
    }
}

impl fmt::Debug for dyn Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One decoded metadata instance.
pub trait Metadata: Send + Sync {
    /// Name of the format.
    fn format(&self) -> &'static str;

    /// Version of the format: `1.2`, `0.90`, `1.3.00`, …
    fn version(&self) -> String;

    /// The areas of the device that hold it, encoded from the decoded structures: identical to what was
    /// read.
    fn areas(&self) -> Vec<Area>;

    /// Every field, in device order within each area; together they cover every byte of the areas once.
    fn fields(&self) -> Vec<Field>;

    /// What is wrong: checksums, bounds, contradictions.
    fn check(&self) -> Vec<Problem>;

    /// Makes all checksums right again in areas (those of [`Metadata::areas`], in that order) whose bytes have been
    /// changed.
    fn seal(&self, areas: &mut [Area]) {
        let _ = areas;
    }

    /// What has to be overwritten so that no reader finds the metadata any more: every copy of it. Nothing that
    /// is data.
    fn erasures(&self) -> Vec<Range> {
        let range = |area: Area| Range { offset: area.offset, length: Bytes(area.bytes.len() as u64) };
        self.areas().into_iter().map(range).collect()
    }

    /// Whether there is another copy on the device that says the same.
    fn copies_agree(&self) -> bool {
        false
    }

    /// What it means.
    fn view(&self, device: &Device) -> MemberView;
}

impl fmt::Debug for dyn Metadata + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.format(), self.version())
    }
}
