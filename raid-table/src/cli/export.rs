//! An array, with an overlay or without, as what a server of block devices serves.

use crate::nbd::Export;
use crate::overlay::{Overlay, OverlayFile};
use crate::volume::{ReadError, Volume};
use raid_meta::cli::Messenger;
use raid_meta::device::ReadAt;
use raid_meta::units::{Bytes, Sectors};
use std::io;
use std::sync::{Mutex, PoisonError};

/// Ranges that could not be read and were said. Beyond that, nothing more is.
const MAX_SAID: usize = 100;

/// What is served.
pub(super) struct ArrayExport {
    name: String,
    content: Content,
    block: usize,
    messenger: Messenger,
    said: Mutex<Vec<(Sectors, Sectors)>>,
}

enum Content {
    Reading(Volume),
    Writing(Overlay<OverlayFile>),
}

impl ArrayExport {
    pub(super) fn reading(name: &str, volume: Volume, block: usize, messenger: Messenger) -> Self {
        Self::new(name, Content::Reading(volume), block, messenger)
    }

    pub(super) fn writing(
        name: &str,
        overlay: Overlay<OverlayFile>,
        block: usize,
        messenger: Messenger,
    ) -> Self {
        Self::new(name, Content::Writing(overlay), block, messenger)
    }

    fn new(name: &str, content: Content, block: usize, messenger: Messenger) -> Self {
        Self { name: name.to_owned(), content, block, messenger, said: Mutex::default() }
    }

    fn base(&self) -> &dyn ReadAt {
        match &self.content {
            Content::Reading(volume) => volume,
            Content::Writing(overlay) => overlay.base(),
        }
    }

    fn overlay(&self) -> io::Result<&Overlay<OverlayFile>> {
        match &self.content {
            Content::Writing(overlay) => Ok(overlay),
            Content::Reading(_) => Err(io::ErrorKind::PermissionDenied.into()),
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
            self.messenger.error(&error);
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

/// Whether a hole begins at a byte, and where that ends.
fn hole_of(base: &dyn ReadAt, offset: Bytes, end: Bytes) -> (bool, Bytes) {
    match base.next_data(offset) {
        Ok(None) => (true, end),
        Ok(Some((start, _))) if start > offset => (true, start.min(end)),
        Ok(Some((_, data_end))) if data_end > offset => (false, data_end.min(end)),
        _ => (false, end),
    }
}

impl Export for ArrayExport {
    fn name(&self) -> &str {
        &self.name
    }

    fn size(&self) -> Bytes {
        self.base().size()
    }

    fn is_writable(&self) -> bool {
        matches!(self.content, Content::Writing(_))
    }

    fn block_bytes(&self) -> usize {
        self.block
    }

    fn read(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<()> {
        let read = match &self.content {
            Content::Reading(volume) => volume.read(offset, buffer).map_err(io::Error::other),
            Content::Writing(overlay) => overlay.read(offset, buffer),
        };
        read.map_err(|error| self.say(error))
    }

    fn hole(&self, offset: Bytes, end: Bytes) -> (bool, Bytes) {
        match &self.content {
            Content::Reading(volume) => hole_of(volume, offset, end),
            Content::Writing(overlay) => match overlay.holds(offset, end) {
                Ok((false, end)) => hole_of(overlay.base(), offset, end),
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
            Content::Reading(_) => Ok(()),
            Content::Writing(overlay) => self.changed(overlay.flush()),
        }
    }
}
