//! Arrays that the kernel's md left behind: when the power went in the middle of something, and with the
//! less common parts of its metadata.

mod midway;
mod odd;
