//! An array out of members that each have parts that can not be read, into an image with a map.
//!
//! What each sector comes from is up to [`raid_table::volume::Salvage`]; here is what becomes of it. The image gets what
//! was obtained, and the map says which sectors those are. The map on disk never says more than the image durably
//! holds, so that a run that was killed at any time can be gone on with: only what is not in the image is tried again, be it
//! with better maps of the members, or with disks that are read again.

mod account;
mod image;
mod images;
mod mapfile;
#[cfg(test)]
mod tests;

pub use account::{Account, MAX_PIECES, Piece, State};
pub use images::{Differing, Image, Images};

use account::TooMany;
use image::Output;
use raid_meta::device::WriteOpenError;
use raid_meta::escape::{escape, path_to_text};
use raid_meta::record::ArrayRecord;
use raid_meta::rescue::MapError;
use raid_meta::units::{Bytes, SECTOR_BYTES, Sectors};
use raid_table::volume::{Effort, Salvage};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How much longer than saving the map took to wait at least until it is saved again.
const SAVE_FACTOR: u32 = 10;

/// Where the array goes.
#[derive(Clone, Debug)]
pub struct Target {
    /// The image.
    pub image: PathBuf,
    /// Its map.
    pub map: PathBuf,
    /// A block device may be overwritten.
    pub overwrite: bool,
    /// How often the map is saved. Where that takes long, it is saved less often.
    pub interval: Duration,
    /// The directory that holds `sys` and `proc`.
    pub sysroot: PathBuf,
    /// Serial number of the device, if it is one and that is known. After a restart the same path may be another disk.
    pub serial: Option<String>,
}

impl Target {
    /// Whether it is a block device.
    #[must_use]
    pub fn is_device(&self) -> bool {
        self.image.metadata().is_ok_and(|metadata| metadata.file_type().is_block_device())
    }
}

/// Why an array can not be salvaged to where it is to go.
#[derive(Debug, thiserror::Error)]
pub enum SalvageError {
    /// There is something, and no map that says what.
    #[error("{image}: exists, and there is no map {map} that says what of it is good: not overwritten")]
    Exists {
        /// The image.
        image: String,
        /// The map that would have to be there.
        map: String,
    },
    /// There is a map, and no image.
    #[error("{map}: exists, and the image that it is of, {image}, does not: not overwritten")]
    MapAlone {
        /// The image.
        image: String,
        /// The map.
        map: String,
    },
    /// It is a block device, and nobody said that it may be overwritten.
    #[error("{image}: is a block device, all of which would be overwritten; refused without --overwrite")]
    BlockDevice {
        /// The device.
        image: String,
    },
    /// The image is not as long as the array.
    #[error("{image}: is {found} bytes, expected {expected}")]
    ImageSize {
        /// The image.
        image: String,
        /// Its size.
        found: Bytes,
        /// The size of the array.
        expected: Bytes,
    },
    /// The map is one of something else.
    #[error("{map}: has no line \"# raid-array\": it is not a map that salvage made")]
    NotOurs {
        /// The map.
        map: String,
    },
    /// The map is one of another array.
    #[error("{map}: is of the array \"{found}\", expected \"{expected}\"")]
    OtherArray {
        /// The map.
        map: String,
        /// Its array.
        found: String,
        /// This array.
        expected: String,
    },
    /// The map is not as long as the array.
    #[error("{map}: is of {found} bytes, expected {expected}")]
    OtherSize {
        /// The map.
        map: String,
        /// What it covers.
        found: Bytes,
        /// The size of the array.
        expected: Bytes,
    },
    /// The map is one of what is on another disk.
    #[error("{map}: is of what is on the disk with serial number \"{found}\", and {image} is \"{expected}\"")]
    OtherDevice {
        /// The map.
        map: String,
        /// Its disk.
        found: String,
        /// The device.
        image: String,
        /// Its serial number.
        expected: String,
    },
    /// The image can not be made or written.
    #[error("{image}: {error}")]
    Image {
        /// The image.
        image: String,
        /// Why.
        error: io::Error,
    },
    /// The image is in use.
    #[error(transparent)]
    InUse(#[from] WriteOpenError),
    /// The map can not be read or saved.
    #[error("{map}: {error}")]
    MapIo {
        /// The map.
        map: String,
        /// Why.
        error: io::Error,
    },
    /// The map is none.
    #[error(transparent)]
    Map(#[from] MapError),
    /// Good and bad alternate too often.
    #[error(
        "{map}: good and bad parts alternate more than {MAX_PIECES} times, which is more than can be kept"
    )]
    TooMany {
        /// The map.
        map: String,
    },
}

/// What a map says of which array it is: what makes its bytes be where they are.
#[must_use]
pub fn identity(array: &ArrayRecord) -> String {
    let volume = array.volume.as_deref().unwrap_or_default();
    let set = array.set_id.as_ref().map(|set| format!("{set}/{volume}"));
    let id = array.uuid.clone().or(set).unwrap_or_else(|| "-".to_owned());
    let format = array.format.as_deref().unwrap_or("-");
    let layout = array.layout.map_or_else(|| "-".to_owned(), |layout| layout.to_string());
    let chunk = array.chunk_sectors.map_or_else(|| "-".to_owned(), |chunk| chunk.get().to_string());
    let text = format!("{format} {id} {} {layout} {chunk} {}", array.level, array.slots);
    escape(text.as_bytes()).chars().take(900).collect()
}

/// The two rounds of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// Everything, in large pieces.
    First,
    /// Sector by sector, what the first left.
    Second,
}

/// An array on its way into an image.
pub struct Job {
    target: Target,
    identity: String,
    image: Output,
    /// What is known of the whole array.
    account: Account,
    is_resumed: bool,
    saved: Instant,
    /// How long saving took.
    pause: Duration,
}

impl Job {
    /// Makes the image, or goes on with one that is there with its map.
    ///
    /// # Errors
    /// There is something that is not to be overwritten, or is of another array; or it can not be made.
    pub fn open(target: Target, identity: String, size: Sectors) -> Result<Self, SalvageError> {
        let names = || (path_to_text(&target.image), path_to_text(&target.map));
        let bytes = size.to_bytes().unwrap_or(Bytes::MAX);
        let (has_map, has_image) =
            (target.map.symlink_metadata().is_ok(), target.image.symlink_metadata().is_ok());
        let is_device = target.is_device();
        if is_device && !target.overwrite {
            return Err(SalvageError::BlockDevice { image: names().0 });
        }
        let mut fresh = Account::default();
        let too_many = |_: TooMany| SalvageError::TooMany { map: names().1 };
        fresh.push(size.0, State::Untried).map_err(too_many)?;
        let (image, account) = match (has_image, has_map) {
            (false, false) => (Output::create(&target.image, bytes, &target.sysroot)?, fresh),
            (true, false) if is_device => (Output::open(&target.image, bytes, &target.sysroot)?, fresh),
            (true, false) => {
                let (image, map) = names();
                return Err(SalvageError::Exists { image, map });
            }
            (false, true) => {
                let (image, map) = names();
                return Err(SalvageError::MapAlone { image, map });
            }
            (true, true) => {
                let account = mapfile::load(&target, &identity, size.0)?;
                (Output::open(&target.image, bytes, &target.sysroot)?, account)
            }
        };
        let (saved, pause) = (Instant::now(), target.interval);
        Ok(Self { target, identity, image, account, is_resumed: has_map, saved, pause })
    }

    /// Whether an earlier run is gone on with.
    #[must_use]
    pub fn is_resumed(&self) -> bool {
        self.is_resumed
    }

    /// What is known of the array.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Obtains what can be of what is not in the image yet. `progress` is told how many bytes of how many are dealt with.
    ///
    /// # Errors
    /// The image or the map can not be written. The map that is on disk is right all the same.
    pub fn run(
        &mut self,
        salvage: &mut Salvage,
        progress: &mut dyn FnMut(Round, Bytes, Bytes),
    ) -> Result<(), SalvageError> {
        // Before anything is in the image it has its map: what is stopped early can be gone on with.
        let all = std::mem::take(&mut self.account);
        self.save(&Account::default(), &all)?;
        self.account = all;
        self.round(salvage, Round::First, progress)?;
        if self.account.total(State::Later) > 0 {
            self.round(salvage, Round::Second, progress)?;
        }
        Ok(())
    }

    fn round(
        &mut self,
        salvage: &mut Salvage,
        round: Round,
        progress: &mut dyn FnMut(Round, Bytes, Bytes),
    ) -> Result<(), SalvageError> {
        let (effort, is_wanted): (_, fn(State) -> bool) = match round {
            Round::First => (Effort::Quick, |state| !state.is_obtained()),
            Round::Second => (Effort::Thorough, |state| state == State::Later),
        };
        let old = std::mem::take(&mut self.account);
        let bytes = |sectors: u64| Bytes(sectors * SECTOR_BYTES);
        let total = old.pieces().filter(|piece| is_wanted(piece.state)).map(|piece| piece.length).sum();
        let mut done = 0;
        let mut new = Account::default();
        let window = salvage.window().0.max(1);
        let mut buffer = vec![0; usize::try_from(window * SECTOR_BYTES).unwrap_or_default()];
        for piece in old.pieces() {
            if !is_wanted(piece.state) {
                self.push(&mut new, piece.length, piece.state)?;
                continue;
            }
            while new.end() < piece.end() {
                let start = new.end();
                let length = (window - start % window).min(piece.end() - start);
                let length_bytes = usize::try_from(length * SECTOR_BYTES).unwrap_or_default();
                let part = buffer.get_mut(..length_bytes).unwrap_or_default();
                let found = salvage.read(Sectors(start), part, effort);
                self.image.write(bytes(start), part).map_err(|error| self.image_error(error))?;
                for obtained in found {
                    self.push(&mut new, obtained.length.0, obtained.origin.into())?;
                }
                done += length;
                progress(round, bytes(done), bytes(total));
                if self.saved.elapsed() >= self.pause {
                    self.save(&new, &old)?;
                }
            }
        }
        self.save(&new, &Account::default())?;
        self.account = new;
        Ok(())
    }

    fn push(&self, account: &mut Account, length: u64, state: State) -> Result<(), SalvageError> {
        let map = || path_to_text(&self.target.map);
        account.push(length, state).map_err(|_| SalvageError::TooMany { map: map() })
    }

    fn image_error(&self, error: io::Error) -> SalvageError {
        SalvageError::Image { image: path_to_text(&self.target.image), error }
    }

    /// Makes the image durable, then saves the map.
    fn save(&mut self, beginning: &Account, rest: &Account) -> Result<(), SalvageError> {
        let started = Instant::now();
        self.image.flush().map_err(|error| self.image_error(error))?;
        let view = mapfile::View { beginning, rest };
        mapfile::save(&self.target, &self.identity, view)
            .map_err(|error| SalvageError::MapIo { map: path_to_text(&self.target.map), error })?;
        self.pause = self.target.interval;
        if !self.pause.is_zero() {
            self.pause = self.pause.max(started.elapsed() * SAVE_FACTOR);
        }
        self.saved = Instant::now();
        Ok(())
    }
}
