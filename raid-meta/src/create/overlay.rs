//! A device as it would be: new bytes over what is there.

use crate::device::{Device, OverlayDisk};
use crate::units::Bytes;
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
    let mut disk = OverlayDisk::new(Arc::clone(device.disk()));
    for patch in patches {
        disk.lay(device.offset().saturating_add(patch.offset), patch.bytes.clone());
    }
    device.through(Arc::new(disk))
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
