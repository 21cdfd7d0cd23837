//! A device as it would be: new bytes over what is there.

use crate::device::{Device, ReadAt};
use crate::units::{Bytes, SectorSize};
use std::io;
use std::sync::Arc;

/// Bytes to be at a place of a device window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Patch {
    pub(super) offset: Bytes,
    pub(super) bytes: Vec<u8>,
}

impl Patch {
    pub(super) fn end(&self) -> Bytes {
        self.offset.saturating_add(Bytes(self.bytes.len() as u64))
    }
}

/// The device with patches over it, the later ones on top.
pub(super) fn over(device: &Device, patches: &[Patch]) -> Device {
    let shifted = |patch: &Patch| Patch {
        offset: device.offset().saturating_add(patch.offset),
        bytes: patch.bytes.clone(),
    };
    let patches = patches.iter().map(shifted).collect();
    device.through(Arc::new(Overlay { below: Arc::clone(device.disk()), patches }))
}

struct Overlay {
    below: Arc<dyn ReadAt>,
    /// From the start of the disk.
    patches: Vec<Patch>,
}

impl ReadAt for Overlay {
    fn read_at(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.below.read_at(offset, buffer)?;
        let filled = buffer.get_mut(..read).unwrap_or_default();
        for patch in &self.patches {
            lay(offset, filled, patch);
        }
        Ok(read)
    }

    fn size(&self) -> Bytes {
        self.below.size()
    }

    fn sector_size(&self) -> SectorSize {
        self.below.sector_size()
    }
}

/// Puts the part of a patch that is inside a buffer over it.
fn lay(offset: Bytes, buffer: &mut [u8], patch: &Patch) {
    let start = offset.max(patch.offset);
    let index = |from: Bytes| usize::try_from(start.saturating_sub(from).0).unwrap_or(usize::MAX);
    let to = buffer.get_mut(index(offset)..).unwrap_or_default();
    let from = patch.bytes.get(index(patch.offset)..).unwrap_or_default();
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::SimDisk;
    use std::path::Path;

    #[test]
    fn a_patch_shows_wherever_a_read_meets_it() {
        let disk = SimDisk::holding(&[1; 2048]);
        let device = Device::whole(Path::new("x"), Arc::new(disk)).window(Bytes(512), Bytes(1024)).unwrap();
        let patches = [
            Patch { offset: Bytes(10), bytes: vec![2; 5] },
            Patch { offset: Bytes(12), bytes: vec![3; 1] },
            Patch { offset: Bytes(1020), bytes: vec![4; 4] },
        ];
        let device = over(&device, &patches);
        let read = |offset, length| device.read(Bytes(offset), length).unwrap().unwrap();
        assert_eq!(read(8, 9), [1, 1, 2, 2, 3, 2, 2, 1, 1]);
        assert_eq!(read(14, 2), [2, 1]);
        assert_eq!(read(12, 1), [3]);
        assert_eq!(read(1019, 5), [1, 4, 4, 4, 4]);
        assert_eq!(device.read(Bytes(1020), 5).unwrap(), None);
    }
}
