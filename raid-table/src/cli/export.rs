//! An array, with an overlay or without, as what a server of block devices serves.

use super::read::WITHOUT_FORCE;
use crate::nbd::Export;
use crate::overlay::{Overlay, OverlayFile};
use crate::volume::{Holes, ReadError, Volume};
use raid_meta::cli::Messenger;
use raid_meta::device::ReadAt;
use raid_meta::units::{Bytes, SECTOR_BYTES, Sectors};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// Ranges that could not be read and were said. Beyond that, nothing more is.
const MAX_SAID: usize = 100;

/// What is served.
pub(super) struct ArrayExport {
    name: String,
    volume: Arc<Volume>,
    holes: Mutex<Holes>,
    content: Content,
    block: usize,
    messenger: Messenger,
    said: Mutex<Vec<(Sectors, Sectors)>>,
}

/// The array as it is, or with what was written to it.
enum Content {
    Reading,
    Writing(Overlay<OverlayFile>),
}

impl ArrayExport {
    /// The array, written to where there is an overlay.
    pub(super) fn new(
        name: &str,
        volume: Volume,
        overlay: Option<OverlayFile>,
        block: usize,
        messenger: Messenger,
    ) -> Self {
        let volume = Arc::new(volume);
        let content = match overlay {
            None => Content::Reading,
            Some(file) => Content::Writing(Overlay::new(Arc::<Volume>::clone(&volume), file)),
        };
        let holes = Mutex::new(volume.holes());
        Self { name: name.to_owned(), volume, holes, content, block, messenger, said: Mutex::default() }
    }

    /// Whether a hole of the array begins at a byte, and where that ends.
    fn hole_of_array(&self, offset: Bytes, end: Bytes) -> (bool, Bytes) {
        let mut holes = self.holes.lock().unwrap_or_else(PoisonError::into_inner);
        holes.forget();
        let last = Sectors(end.0.div_ceil(SECTOR_BYTES));
        let (is_hole, edge) = self.volume.hole(&mut holes, offset.whole_sectors(), last);
        (is_hole, edge.to_bytes().unwrap_or(end).min(end))
    }

    fn overlay(&self) -> io::Result<&Overlay<OverlayFile>> {
        match &self.content {
            Content::Writing(overlay) => Ok(overlay),
            Content::Reading => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }

    /// Says what failed, each range of the array once.
    fn say(&self, error: io::Error) -> io::Error {
        let read = error.get_ref().and_then(|inner| inner.downcast_ref::<ReadError>());
        let range = match read {
            Some(ReadError::Untrusted { start, length, .. } | ReadError::Io { start, length, .. }) => {
                (*start, start.saturating_add(*length))
            }
            _ => (Sectors::ZERO, Sectors::ZERO),
        };
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let is_known = said.iter().any(|(start, end)| *start <= range.0 && range.1 <= *end);
        if !is_known && said.len() < MAX_SAID {
            said.push(range);
            match read {
                Some(ReadError::Untrusted { .. }) => {
                    self.messenger.error(format_args!("{error}; {WITHOUT_FORCE}"));
                }
                _ => self.messenger.error(&error),
            }
            if said.len() == MAX_SAID {
                self.messenger.error("further errors are not listed");
            }
        }
        error
    }

    /// The same for what is written.
    fn changed(&self, result: io::Result<()>) -> io::Result<()> {
        result.map_err(|error| self.say(error))
    }
}

impl Export for ArrayExport {
    fn name(&self) -> &str {
        &self.name
    }

    fn size(&self) -> Bytes {
        ReadAt::size(&*self.volume)
    }

    fn is_writable(&self) -> bool {
        matches!(self.content, Content::Writing(_))
    }

    fn block_bytes(&self) -> usize {
        self.block
    }

    fn read(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<()> {
        let read = match &self.content {
            Content::Reading => self.volume.read(offset, buffer).map_err(io::Error::other),
            Content::Writing(overlay) => overlay.read(offset, buffer),
        };
        read.map_err(|error| self.say(error))
    }

    fn hole(&self, offset: Bytes, end: Bytes) -> (bool, Bytes) {
        match &self.content {
            Content::Reading => self.hole_of_array(offset, end),
            Content::Writing(overlay) => match overlay.holds(offset, end) {
                Ok((false, end)) => self.hole_of_array(offset, end),
                Ok((true, end)) => (false, end),
                Err(_) => (false, end),
            },
        }
    }

    fn write(&self, offset: Bytes, bytes: &[u8]) -> io::Result<()> {
        self.changed(self.overlay()?.write(offset, bytes))
    }

    fn write_zeros(&self, offset: Bytes, length: Bytes) -> io::Result<()> {
        self.changed(self.overlay()?.write_zeros(offset, length))
    }

    /// What is forgotten reads as zeros, and takes no room in the overlay.
    fn trim(&self, offset: Bytes, length: Bytes) -> io::Result<()> {
        self.write_zeros(offset, length)
    }

    fn flush(&self) -> io::Result<()> {
        match &self.content {
            Content::Reading => Ok(()),
            Content::Writing(overlay) => self.changed(overlay.flush()),
        }
    }
}
