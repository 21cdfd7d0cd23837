//! Decides what an array should become, and how to get there safely.

pub mod cli;
pub mod rebuild;
pub mod salvage;
pub mod scrub;
mod zeros;
