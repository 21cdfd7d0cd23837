//! Knows RAID metadata: devices, formats, records; and is the only code that writes metadata.
//!
//! The path of the data: [`scan`] says which devices and partitions exist, [`identify`] asks every
//! [`format`](mod@format) what it finds on each, [`carve`] searches for what is elsewhere, [`group`] makes arrays of
//! the members, [`probe`] does all of that, and [`record`] is what the programs print and read.

pub mod carve;
#[cfg(feature = "cli")]
pub mod cli;
pub mod commit;
pub mod create;
pub mod device;
pub mod edit;
pub mod escape;
pub mod format;
pub mod geometry;
pub mod group;
pub mod identify;
pub mod inspect;
pub mod model;
pub mod probe;
pub mod record;
pub mod rescue;
pub mod scan;
#[cfg(test)]
mod testing;
pub mod units;
