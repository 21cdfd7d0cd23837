//! Metadata field by field: dump, get, check, diff, and the annotated hexdump.
//!
//! Everything here works on the [`Member`]s that a probe found, and prints nothing.

mod diff;
mod fields;
mod hexdump;
mod verdict;

pub use diff::differences;
pub use fields::{UnknownField, fields, select};
pub use hexdump::{HexLine, hexdump, hexdump_area};
pub use verdict::verdict;

#[cfg(doc)]
use crate::identify::Member;
