//! Moves RAID data: windows that are copied, checked and repaired, restartably.
//!
//! This version has the command line only.

pub mod cli;
