//! Device-mapper target lines as types, with a writer and a reader that are inverses.
//!
//! A table is a list of lines `START LENGTH TARGET PARAMETERS`, in 512-byte sectors. Parameters are words
//! split at blanks; a backslash takes the next byte as it is (`dm_split_args` of the kernel), which is how
//! a path with a blank is written.
//!
//! Reading accepts what `dmsetup table` prints, which for one parameter of the raid target is not what the
//! kernel accepts: see [`Raid`]. Two lines are compared with [`Line::maps_like`], never as text.

mod check;
mod concise;
mod device;
mod line;
mod raid;
mod raid_check;
mod raid_read;
mod simple;
mod words;

#[cfg(test)]
mod tests;

pub use check::Refused;
pub use concise::{ConciseDevice, concise, plain, read_concise};
pub use device::{Device, DeviceError};
pub use line::{Line, Target};
pub use raid::{Journal, JournalMode, Leg, Raid, Raid10Format, RaidParams, RaidType, SyncMode};
pub use raid_check::RaidRefused;
pub use simple::{Linear, Mirror, MirrorLog, Persistence, Place, Snapshot, Striped, Unstriped};
pub use words::TargetError;
