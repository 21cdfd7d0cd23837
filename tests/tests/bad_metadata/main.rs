//! Metadata and records that lie: every field at its extremes, every byte flipped, every length cut, records
//! that no program of ours would write. Whatever comes in, the answer is one of the documented ones, soon, and
//! in little memory; and what `read` gives is right.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

mod extremes;
mod flips;
mod memory;
mod programs;
mod records;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;
