//! What the fuzz targets share: inputs as disks ([`image`]), what has to hold for whatever is found on them ([`holds`])
//! and for records and the arrays among them ([`records`]), and the disk of a physical volume with any text ([`lvm`]).

pub mod holds;
pub mod image;
pub mod lvm;
pub mod records;
pub mod round;

use cap::Cap;
use std::alloc::System;

/// What an input, which has some KiB, may make the code allocate at most; one that wants more ends the program.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, 256 << 20);
