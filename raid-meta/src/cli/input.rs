//! PATH arguments: `PATH`, or `PATH@OFFSET[+LENGTH]` in bytes.

use super::args::DeviceArgs;
use super::serial;
use crate::device::{Device, FileDisk, OnceDisk, OpenError, ReadAt};
use crate::escape::{path_to_text, text_to_path};
use crate::units::{Bytes, SECTOR_BYTES, SectorSize, Sectors};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

/// What a PATH argument names: a device or image, or a window of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spec {
    /// The path.
    pub path: PathBuf,
    /// Start of the window.
    pub offset: Bytes,
    /// Length of the window; none means to the end.
    pub length: Option<Bytes>,
}

/// Why a PATH can not be used.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// It can not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The window is not inside the device.
    #[error("{path}: is {size} bytes, the window {offset}+{length} ends beyond")]
    Window {
        /// Which device.
        path: String,
        /// Its size.
        size: Bytes,
        /// Start of the window.
        offset: Bytes,
        /// Length of the window.
        length: Bytes,
    },
    /// The window is not in whole sectors.
    #[error("{path}: the window begins at byte {offset}, expected a multiple of 512")]
    Alignment {
        /// Which device.
        path: String,
        /// Start of the window.
        offset: Bytes,
    },
}

impl Spec {
    /// All of a device.
    #[must_use]
    pub fn whole(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), offset: Bytes::ZERO, length: None }
    }

    /// A window as a record names it.
    #[must_use]
    pub fn recorded(device: &str, offset: Sectors, length: Option<Sectors>) -> Self {
        let bytes = |sectors: Sectors| sectors.to_bytes().unwrap_or(Bytes::MAX);
        Self { path: text_to_path(device), offset: bytes(offset), length: length.map(bytes) }
    }

    /// Reads an argument. A file that exists under the whole name wins over a window.
    #[must_use]
    pub fn parse(argument: &OsStr) -> Self {
        let whole = Self::whole(argument);
        if argument.as_bytes().contains(&b'@') && whole.path.symlink_metadata().is_err() {
            Self::parse_window(argument).unwrap_or(whole)
        } else {
            whole
        }
    }

    fn parse_window(argument: &OsStr) -> Option<Self> {
        let bytes = argument.as_bytes();
        let at = bytes.iter().rposition(|&byte| byte == b'@')?;
        let (path, window) = bytes.split_at_checked(at)?;
        let window = std::str::from_utf8(window.get(1..)?).ok()?;
        let (offset, length) = match window.split_once('+') {
            Some((offset, length)) => (offset, Some(number(length)?)),
            None => (window, None),
        };
        let path = PathBuf::from(OsStr::from_bytes(path));
        Some(Self { path, offset: number(offset)?, length })
    }

    /// Opens the device, and finds out its serial number.
    ///
    /// # Errors
    /// It can not be opened, or the window is not inside it.
    pub fn open(&self, args: &DeviceArgs) -> Result<Device, InputError> {
        self.open_with(args.sector_size, |disk| serial::find(self, disk, args))
    }

    /// Opens the device for reading much of it, once: see [`OnceDisk`].
    ///
    /// # Errors
    /// As [`Spec::open`].
    pub fn open_once(&self, args: &DeviceArgs, direct: bool) -> Result<Device, InputError> {
        self.window(Arc::new(OnceDisk::open(&self.path, args.sector_size, direct)?), None)
    }

    /// As [`Spec::open`], with the serial number from elsewhere.
    pub(super) fn open_with(
        &self,
        sector_size: Option<SectorSize>,
        serial: impl FnOnce(&FileDisk) -> Option<String>,
    ) -> Result<Device, InputError> {
        let disk = FileDisk::open(&self.path, sector_size)?;
        let serial = serial(&disk);
        self.window(Arc::new(disk), serial)
    }

    /// The window of an opened disk.
    fn window(&self, disk: Arc<dyn ReadAt>, serial: Option<String>) -> Result<Device, InputError> {
        let size = disk.size();
        let device = Device::whole(&self.path, disk).with_serial(serial);
        if self.offset.is_zero() && self.length.is_none() {
            return Ok(device);
        }
        let path = path_to_text(&self.path);
        if !self.offset.0.is_multiple_of(SECTOR_BYTES) {
            return Err(InputError::Alignment { path, offset: self.offset });
        }
        let length = self.length.unwrap_or(size.saturating_sub(self.offset));
        let window = device.window(self.offset, length);
        window.ok_or(InputError::Window { path, size, offset: self.offset, length })
    }
}

/// A decimal number, or hexadecimal with `0x`.
pub(super) fn number(text: &str) -> Option<Bytes> {
    let digits = text.strip_prefix("0x");
    let radix = if digits.is_some() { 16 } else { 10 };
    let digits = digits.unwrap_or(text);
    // from_str_radix would take a sign.
    let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    plain.then(|| u64::from_str_radix(digits, radix).ok()).flatten().map(Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(path: &str, offset: u64, length: Option<u64>) -> Spec {
        Spec { path: path.into(), offset: Bytes(offset), length: length.map(Bytes) }
    }

    #[test]
    fn a_window_follows_the_last_at_sign() {
        let parse = |text: &str| Spec::parse(OsStr::new(text));
        assert_eq!(parse("no/disk.img"), Spec::whole("no/disk.img"));
        assert_eq!(parse("no/disk.img@512"), window("no/disk.img", 512, None));
        assert_eq!(parse("no/d@1.img@0x200+1024"), window("no/d@1.img", 512, Some(1024)));
        for whole in
            ["no/a@b", "no/a@", "no/a@1+", "no/a@+1", "no/a@-1", "no/a@1K", "no/a@99999999999999999999"]
        {
            assert_eq!(parse(whole), Spec::whole(whole));
        }
    }

    #[test]
    fn an_existing_file_with_an_at_sign_wins() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("disk@512");
        std::fs::write(&path, [0; 1024]).unwrap();
        assert_eq!(Spec::parse(path.as_os_str()), Spec::whole(&path));
    }

    #[test]
    fn a_window_has_to_be_inside_the_device_and_begin_at_a_sector() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("disk");
        std::fs::write(&path, [0; 4096]).unwrap();
        let open = |offset, length: Option<u64>| {
            let spec = Spec { path: path.clone(), offset: Bytes(offset), length: length.map(Bytes) };
            spec.open(&DeviceArgs::default())
        };
        assert_eq!(open(512, None).unwrap().size(), Bytes(3584));
        assert_eq!(open(512, Some(1024)).unwrap().size(), Bytes(1024));
        assert!(matches!(open(512, Some(3585)), Err(InputError::Window { .. })));
        assert!(matches!(open(8192, None), Err(InputError::Window { .. })));
        assert!(matches!(open(u64::MAX - 511, Some(u64::MAX)), Err(InputError::Window { .. })));
        assert!(matches!(open(100, None), Err(InputError::Alignment { .. })));
    }
}
