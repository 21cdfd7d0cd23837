//! Image files for tests.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

const BLOCK: usize = 64 * 1024;

/// Writes a stream to a new file, leaving holes where it is zero; its length.
///
/// # Errors
/// What the system says.
pub fn sparse_copy(mut from: impl Read, to: &Path) -> io::Result<u64> {
    let mut file = File::create(to)?;
    let mut buffer = vec![0; BLOCK];
    let mut length = 0;
    loop {
        let read = from.read(&mut buffer)?;
        let bytes = &buffer[..read];
        if bytes.is_empty() {
            file.set_len(length)?;
            return Ok(length);
        }
        if bytes.iter().any(|&byte| byte != 0) {
            file.seek(SeekFrom::Start(length))?;
            file.write_all(bytes)?;
        }
        length += read as u64;
    }
}
