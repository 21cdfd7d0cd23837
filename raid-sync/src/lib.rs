//! Moves and compares RAID data, a window at a time, restartably.

pub mod cli;
pub mod position;
pub mod scrub;
