//! The hardware serial number of a disk, which some formats know their disks by, as sysfs gives it.
//!
//! In the order asked: the controller's `device/serial` (nvme, mmc), the SCSI or ATA vital product data page
//! 0x80 in `device/vpd_pg80`, the `serial` of a virtio disk. White space around it is dropped; what a format
//! does with the rest is the format's.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Bytes of a sysfs attribute that are looked at; a serial number has 20.
const MAX_ATTRIBUTE: u64 = 4096;
/// Header of a vital product data page: type, page code, length.
const VPD_HEADER_BYTES: usize = 4;
const VPD_SERIAL_PAGE: u8 = 0x80;

/// The serial number of the disk that is, or holds, the block device at `path`; none when sysfs does not
/// know one. Under another sysroot than `/`, a file in its `dev` stands for the device of that name.
#[must_use]
pub fn serial_of(path: &Path, sysroot: &Path) -> Option<String> {
    let mut directory = sysfs_directory(path, sysroot)?;
    if directory.join("partition").exists() {
        directory = directory.parent()?.to_owned();
    }
    serial_in(&directory)
}

/// The serial number of the disk whose sysfs directory this is.
pub(super) fn serial_in(disk: &Path) -> Option<String> {
    text(&disk.join("device/serial"))
        .or_else(|| clean(vpd_serial(&attribute(&disk.join("device/vpd_pg80"))?)?))
        .or_else(|| text(&disk.join("serial")))
}

/// The sysfs directory of a block device, its links resolved: by device number, else by name.
pub(crate) fn sysfs_directory(path: &Path, sysroot: &Path) -> Option<PathBuf> {
    let path = path.canonicalize().ok()?;
    let metadata = path.metadata().ok()?;
    let sys = sysroot.join("sys");
    if metadata.file_type().is_block_device() {
        let (major, minor) = (nix::sys::stat::major(metadata.rdev()), nix::sys::stat::minor(metadata.rdev()));
        if let Ok(directory) = sys.join(format!("dev/block/{major}:{minor}")).canonicalize() {
            return Some(directory);
        }
    }
    let dev = sysroot.join("dev").canonicalize().ok()?;
    // In sysfs a slash in a device name is an exclamation mark.
    let name = path.strip_prefix(dev).ok()?.to_str()?.replace('/', "!");
    let flat = ["block", "class/block"].map(|folder| sys.join(folder).join(&name));
    flat.into_iter().find_map(|place| place.canonicalize().ok()).or_else(|| partition_directory(&sys, &name))
}

/// The directory of a partition that is recorded only inside its disk's.
fn partition_directory(sys: &Path, name: &str) -> Option<PathBuf> {
    let disks = fs::read_dir(sys.join("block")).ok()?;
    let nested = disks.flatten().map(|disk| disk.path().join(name));
    nested.filter(|place| place.join("partition").exists()).find_map(|place| place.canonicalize().ok())
}

/// The serial number in a vital product data page.
fn vpd_serial(page: &[u8]) -> Option<&[u8]> {
    let (header, rest) = page.split_first_chunk::<VPD_HEADER_BYTES>()?;
    let [_, code, high, low] = *header;
    let length = usize::from(u16::from_be_bytes([high, low])).min(rest.len());
    rest.get(..length).filter(|_| code == VPD_SERIAL_PAGE)
}

/// A text attribute, trimmed; none when it is missing or empty.
pub(crate) fn text(path: &Path) -> Option<String> {
    clean(&attribute(path)?)
}

fn attribute(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path).ok()?.take(MAX_ATTRIBUTE).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The bytes without the white space and NULs around them, as the text that they are.
fn clean(bytes: &[u8]) -> Option<String> {
    let is_space = |byte: &u8| *byte == 0 || byte.is_ascii_whitespace();
    let first = bytes.iter().position(|byte| !is_space(byte))?;
    let last = bytes.iter().rposition(|byte| !is_space(byte))?;
    Some(String::from_utf8_lossy(bytes.get(first..=last)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serial_is_what_follows_the_header_of_page_0x80() {
        assert_eq!(vpd_serial(b"\0\x80\0\x04SER1"), Some(&b"SER1"[..]));
        assert_eq!(vpd_serial(b"\0\x80\0\x04SER1\0\0"), Some(&b"SER1"[..]));
        assert_eq!(vpd_serial(b"\0\x80\0\x14SER1"), Some(&b"SER1"[..]), "a page cut short");
        assert_eq!(vpd_serial(b"\0\x83\0\x04SER1"), None, "another page");
        assert_eq!(vpd_serial(b"\0\x80"), None);
    }

    #[test]
    fn spaces_and_nuls_around_a_serial_are_dropped() {
        assert_eq!(clean(b"   WD-WX1 23\0\n").as_deref(), Some("WD-WX1 23"));
        assert_eq!(clean(b" \0\n"), None);
    }
}
