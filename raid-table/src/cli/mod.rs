//! The command line of raid-table.

mod read;

pub use read::ReadArgs;
