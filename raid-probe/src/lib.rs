//! Finds RAID metadata on disks and images, and groups it into arrays: a thin tool over `raid-meta`.

pub mod cli;
mod report;

pub use report::{Report, Wanted};
