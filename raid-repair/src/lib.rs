//! Decides what an array should become, and how to get there safely.
//!
//! This version has the command line only.

pub mod cli;
