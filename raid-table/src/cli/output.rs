//! Standard output for the bytes of an array: a file keeps its holes.

use super::copy::Sink;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::AsFd;

/// Zeros for what takes no holes.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// Standard output.
pub(super) struct Output {
    /// Not through the line buffer of the standard library, which would look for line ends.
    file: File,
    /// Nothing is behind the position, so what is left out there is zeros.
    keeps_holes: bool,
    /// It ends with a hole that it is not long enough for yet.
    ends_with_hole: bool,
}

impl Output {
    pub(super) fn new() -> io::Result<Self> {
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let keeps_holes = is_at_end(&file).unwrap_or(false);
        Ok(Self { file, keeps_holes, ends_with_hole: false })
    }

    /// Makes a file as long as what it was given.
    pub(super) fn finish(mut self) -> io::Result<()> {
        if !self.ends_with_hole {
            return Ok(());
        }
        let end = self.file.stream_position()?;
        self.file.set_len(end)
    }
}

/// Whether a file can be seeked in, is at its end, and is written where it is.
fn is_at_end(mut file: &File) -> io::Result<bool> {
    let metadata = file.metadata()?;
    let flags = OFlag::from_bits_retain(fcntl(file, FcntlArg::F_GETFL)?);
    Ok(metadata.is_file() && !flags.contains(OFlag::O_APPEND) && file.stream_position()? >= metadata.len())
}

impl Sink for Output {
    fn data(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.ends_with_hole = false;
        self.file.write_all(bytes)
    }

    fn hole(&mut self, length: u64) -> io::Result<()> {
        let mut left = length;
        if let (true, Ok(length)) = (self.keeps_holes, i64::try_from(length)) {
            self.ends_with_hole = true;
            return self.file.seek(SeekFrom::Current(length)).map(|_| ());
        }
        while left > 0 {
            let length = usize::try_from(left).map_or(ZEROS.len(), |left| left.min(ZEROS.len()));
            self.file.write_all(ZEROS.get(..length).unwrap_or_default())?;
            left -= length as u64;
        }
        Ok(())
    }
}
