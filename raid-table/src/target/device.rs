//! A block device as a table names it.

use raid_meta::escape::escape;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::str::FromStr;

/// A block device in a table: a path, or the device number that the kernel prints.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Device {
    /// `MAJOR:MINOR`.
    Number {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A path. Made by [`Device::from_path`], which knows what a table can not say.
    Path(String),
}

/// A path that no table line can name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{path}: can not be named in a device-mapper table: {reason}; give it another name, by a link for example"
)]
pub struct DeviceError {
    path: String,
    reason: &'static str,
}

impl Device {
    /// The device of that path.
    ///
    /// A path that would be read as something else (`-`, `8:0`) gets `./` in front.
    ///
    /// # Errors
    /// Paths that the way to the kernel does not preserve: not UTF-8 (records are), with control characters
    /// (the line would end), with `#` (dmsetup takes the rest for a comment), or with the byte 0xa0, that
    /// the kernel takes for a blank and that can not be escaped inside a UTF-8 character.
    pub fn from_path(path: &Path) -> Result<Self, DeviceError> {
        let bytes = path.as_os_str().as_bytes();
        let refuse = |reason| DeviceError { path: escape(bytes), reason };
        let text = std::str::from_utf8(bytes).map_err(|_| refuse("it is not UTF-8"))?;
        if text.is_empty() {
            return Err(refuse("it is empty"));
        }
        if text.contains(char::is_control) {
            return Err(refuse("it has a control character"));
        }
        if text.contains('#') {
            return Err(refuse("'#' begins a comment for dmsetup"));
        }
        if bytes.contains(&0xa0) {
            return Err(refuse("the kernel takes the byte 0xa0 for a blank"));
        }
        Ok(match text.parse() {
            Ok(Self::Path(path)) => Self::Path(path),
            _ => Self::Path(format!("./{text}")),
        })
    }

    /// The node of the dm device of that name.
    #[must_use]
    pub fn mapped(name: &str) -> Self {
        Self::Path(Self::mapped_path(name))
    }

    /// The path of that node.
    #[must_use]
    pub fn mapped_path(name: &str) -> String {
        format!("/dev/mapper/{name}")
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { major, minor } => write!(f, "{major}:{minor}"),
            Self::Path(path) => super::words::quote(path, f),
        }
    }
}

/// Reads one word whose backslashes are already resolved.
impl FromStr for Device {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        if word == "-" || word.is_empty() {
            return Err("a device");
        }
        let number = word.split_once(':').and_then(|(major, minor)| number(major).zip(number(minor)));
        Ok(match number {
            Some((major, minor)) => Self::Number { major, minor },
            None => Self::Path(word.to_owned()),
        })
    }
}

fn number(digits: &str) -> Option<u32> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    fn written(path: &str) -> String {
        Device::from_path(Path::new(path)).unwrap().to_string()
    }

    #[test]
    fn a_path_is_written_so_that_the_kernel_reads_it_back() {
        assert_eq!(written("/dev/sda"), "/dev/sda");
        assert_eq!(written("my disk.img"), "my\\ disk.img");
        assert_eq!(written("a\\b"), "a\\\\b");
        assert_eq!(written("8:0"), "./8:0");
        assert_eq!(written("-"), "./-");
        assert_eq!(written("8:x"), "8:x");
    }

    #[test]
    fn what_a_line_can_not_say_is_refused_with_the_reason() {
        for (path, reason) in [
            (&b"a\nb"[..], "control character"),
            (b"disk#1", "comment"),
            (b"\xff", "not UTF-8"),
            (b"", "empty"),
            ("voil\u{e0}".as_bytes(), "0xa0"),
        ] {
            let error = Device::from_path(Path::new(OsStr::from_bytes(path))).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}
