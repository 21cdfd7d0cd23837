//! Maps RAID arrays: where each sector lives, for the kernel (device-mapper tables) and in userspace.

pub mod cli;
pub mod draw;
#[cfg(feature = "kernel")]
pub mod kernel;
pub mod layout;
#[cfg(feature = "full")]
pub mod nbd;
#[cfg(feature = "full")]
pub mod overlay;
pub mod parity;
pub mod plan;
pub mod target;
pub mod volume;
