//! Decides what an array should become, and how to get there safely.

pub mod cli;
pub mod salvage;
pub mod scrub;
