//! Metadata saved, erased, put back and changed: nothing else on the disk changes, and every way back leads to the
//! original, bit for bit. Every format with an image takes part; a new one needs no line here.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

mod erasing;
mod images;
mod interrupted;
mod restoring;
mod round_trips;
mod setting;
