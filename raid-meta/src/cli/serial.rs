//! The hardware serial number of a disk: given with `--serial`, from a file beside an image, or from sysfs for a
//! block device.

use super::args::DeviceArgs;
use super::input::{Spec, number};
use crate::device::FileDisk;
use crate::scan;
use crate::units::Bytes;
use std::ffi::{OsStr, OsString};
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Longest serial number that is read.
const MAX_SERIAL_BYTES: u64 = 512;

/// The serial number of an open disk, if it can be found out.
pub(super) fn find(spec: &Spec, disk: &FileDisk, args: &DeviceArgs) -> Option<String> {
    let path = &spec.path;
    if let Some(serial) = of_window(path, spec.offset, &args.serial) {
        return Some(serial);
    }
    if let Some(serial) = given(path, &args.serial) {
        return Some(serial.to_string_lossy().into_owned());
    }
    // Under another sysroot, files stand for block devices.
    let in_sysfs = disk.is_block_device() || args.sysroot.is_some();
    let known = in_sysfs.then(|| scan::serial_of(path, args.sysroot())).flatten();
    known.or_else(|| beside(path))
}

/// The text that `--serial` gives for a path.
fn given<'a>(path: &Path, options: &'a [OsString]) -> Option<&'a OsStr> {
    options.iter().rev().find_map(|option| text_for(path, option))
}

/// The serial number that `--serial PATH@OFFSET=TEXT` gives for the disk whose image begins there.
pub(super) fn of_window(path: &Path, offset: Bytes, options: &[OsString]) -> Option<String> {
    let text = options.iter().rev().find_map(|option| {
        let (at, text) = window_text_for(path, option)?;
        (at == offset).then_some(text)
    });
    text.map(|text| text.to_string_lossy().into_owned())
}

/// Whether an option is for a path, or for a window of it.
pub(super) fn is_for(path: &Path, option: &OsStr) -> bool {
    text_for(path, option).is_some() || window_text_for(path, option).is_some()
}

/// Offset and text of an option `PATH@OFFSET=TEXT`; none when it is for another path.
fn window_text_for<'a>(path: &Path, option: &'a OsStr) -> Option<(Bytes, &'a OsStr)> {
    let rest = option.as_bytes().strip_prefix(path.as_os_str().as_bytes())?.strip_prefix(b"@")?;
    let equals = rest.iter().position(|&byte| byte == b'=')?;
    let (offset, text) = rest.split_at_checked(equals)?;
    let offset = number(std::str::from_utf8(offset).ok()?)?;
    Some((offset, OsStr::from_bytes(text.get(1..)?)))
}

/// The text of an option `PATH=TEXT`, either of which may contain `=`; none when it is for another path.
fn text_for<'a>(path: &Path, option: &'a OsStr) -> Option<&'a OsStr> {
    let rest = option.as_bytes().strip_prefix(path.as_os_str().as_bytes())?;
    rest.strip_prefix(b"=").map(OsStr::from_bytes)
}

/// The first line of the file `PATH.serial`.
fn beside(path: &Path) -> Option<String> {
    let mut name = path.as_os_str().to_owned();
    name.push(".serial");
    let bytes = read_bounded(Path::new(&name))?;
    let line = bytes.split(|&byte| byte == b'\n').next()?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    (!line.is_empty()).then(|| String::from_utf8_lossy(line).into_owned())
}

/// The start of a regular file; of anything else, nothing, and nothing is waited for.
fn read_bounded(path: &Path) -> Option<Vec<u8>> {
    let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path).ok()?;
    file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let mut bytes = Vec::new();
    file.take(MAX_SERIAL_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn found(path: &Path, args: &DeviceArgs) -> Option<String> {
        find(&Spec::whole(path), &FileDisk::open(path, None).unwrap(), args)
    }

    #[test]
    fn an_image_has_its_serial_beside_it_unless_one_is_given() {
        let directory = tempfile::tempdir().unwrap();
        let disk = directory.path().join("disk.img");
        fs::write(&disk, "").unwrap();
        assert_eq!(found(&disk, &DeviceArgs::default()), None);
        fs::write(directory.path().join("disk.img.serial"), "SER 1\r\nmore").unwrap();
        assert_eq!(found(&disk, &DeviceArgs::default()), Some("SER 1".into()));
        let given =
            DeviceArgs { serial: vec![format!("{}=X", disk.display()).into()], ..DeviceArgs::default() };
        assert_eq!(found(&disk, &given), Some("X".into()));
    }

    #[test]
    fn a_serial_is_given_for_a_path_whatever_signs_are_in_either() {
        let options = ["a=1".into(), "a=b=2=3".into(), "a=4".into()];
        assert_eq!(given(Path::new("a"), &options), Some(OsStr::new("4")));
        assert_eq!(given(Path::new("a=b"), &options), Some(OsStr::new("2=3")));
        assert_eq!(given(Path::new("c"), &options), None);
    }

    #[test]
    fn a_disk_in_a_file_can_be_given_a_serial_of_its_own() {
        let options = ["a@512=1".into(), "a=2".into(), "a@0x400=3=4".into(), "a@b=5".into()];
        let at = |path: &str, offset| of_window(Path::new(path), Bytes(offset), &options);
        assert_eq!(at("a", 512).as_deref(), Some("1"));
        assert_eq!(at("a", 1024).as_deref(), Some("3=4"));
        assert_eq!(at("a", 0), None);
        assert_eq!(given(Path::new("a@b"), &options), Some(OsStr::new("5")));
        assert!(options.iter().filter(|option| is_for(Path::new("a"), option)).count() == 3);
    }

    #[test]
    fn a_serial_file_that_is_no_small_file_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let disk = directory.path().join("disk.img");
        let beside = directory.path().join("disk.img.serial");
        fs::write(&disk, "").unwrap();
        fs::create_dir(&beside).unwrap();
        assert_eq!(found(&disk, &DeviceArgs::default()), None);
        fs::remove_dir(&beside).unwrap();
        nix::unistd::mkfifo(&beside, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(found(&disk, &DeviceArgs::default()), None);
        fs::remove_file(&beside).unwrap();
        fs::write(&beside, vec![b'a'; 1 << 16]).unwrap();
        assert_eq!(found(&disk, &DeviceArgs::default()).unwrap().len(), 512);
    }
}
