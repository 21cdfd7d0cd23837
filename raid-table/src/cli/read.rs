//! `raid-table read`: the bytes of an array on standard output.

use super::copy::{CopyError, copy};
use super::output::Output;
use crate::volume::{OpenOptions, OpenVolumeError, ReadError, Sources, Volume};
use clap::Args;
use raid_meta::cli::{Console, DeviceArgs, EXIT_STATUS_HELP, Exit, Failure, SourceArgs, Spec};
use raid_meta::device::ReadAt;
use raid_meta::geometry::Layout;
use raid_meta::record::{ArrayMember, ArrayRecord};
use raid_meta::units::{Bytes, Sectors};
use std::io::{self, IsTerminal};
use std::sync::Arc;

/// Write the bytes of an array to standard output
///
/// Missing members are computed from the others where the level allows. What can not be read truly is refused with
/// exit status 3, naming the range: a stale member, parity beyond the resync position, sectors not rebuilt yet or
/// listed as bad, the missing end of a truncated image, a write log with entries, a reshape that can not be
/// followed. A new file keeps the holes that the members have.
#[derive(Args)]
#[command(after_help = EXIT_STATUS_HELP)]
pub struct ReadArgs {
    #[command(flatten)]
    source: SourceArgs,

    /// Array to read: its name, uuid, or volume
    #[arg(long, value_name = "ARRAY")]
    array: Option<String>,

    /// First byte; a number may end in K, M, G or T
    #[arg(long, value_name = "BYTES", value_parser = bytes, default_value = "0")]
    offset: Bytes,

    /// Number of bytes; to the end of the array unless told
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    length: Option<Bytes>,

    /// Accepted for symmetry: read needs no permission for a degraded array
    #[arg(long)]
    degraded: bool,

    /// Layout of a raid0 whose members differ in size, where the metadata does not record it
    #[arg(long, value_name = "LAYOUT", value_parser = ["original", "alternate"])]
    layout: Option<String>,

    /// Read what would be refused: stale members and sectors that are not trusted, where nothing better is there
    #[arg(long)]
    force: bool,
}

impl ReadArgs {
    /// Reads the array.
    ///
    /// # Errors
    /// It can not be found, opened, or read truly.
    pub fn run(self, console: &mut Console) -> anyhow::Result<Exit> {
        if io::stdout().is_terminal() {
            return Err(Failure::usage("standard output is a terminal, and an array is not text").into());
        }
        super::check_instructions(console);
        let source = self.source.load(console)?;
        let array = source.array(self.array.as_deref())?;
        let layout = self.layout.as_deref().and_then(|name| name.parse::<Layout>().ok());
        let options = OpenOptions { force: self.force, raid0_layout: layout };
        let volume = open_volume(array, &source.arrays, &self.source.devices, options)?;
        let size = volume.size().to_bytes().unwrap_or(Bytes::MAX);
        let length = self.length.unwrap_or(size.saturating_sub(self.offset));
        let end = self.offset.checked_add(length).filter(|end| *end <= size);
        let Some(end) = end else {
            let Bytes(offset) = self.offset;
            let message = format!("{}: is {size} bytes, {length} from {offset} on end beyond", array.name);
            return Err(Failure::usage(message).into());
        };
        copy_out(&volume, self.offset, end)?;
        Ok(source.exit(Exit::Done))
    }
}

/// What a command that has the option says besides of what is not trusted.
pub const WITHOUT_FORCE: &str = "refused without --force";

/// Opens an array whose members are devices or other arrays, for a command with `--force`.
///
/// # Errors
/// It can not be opened; the exit status says why.
pub fn open_volume(
    array: &ArrayRecord,
    arrays: &[ArrayRecord],
    devices: &DeviceArgs,
    options: OpenOptions,
) -> Result<Volume, Failure> {
    let opener = Opener { devices, once: None };
    Volume::open_nested(array, arrays, &opener, options).map_err(|error| match error {
        OpenVolumeError::Refused { .. } => open_failure(&error).with_help(WITHOUT_FORCE),
        _ => open_failure(&error),
    })
}

/// As [`open_volume`], for reading much of it, once: block devices past the system's memory, with `direct` images too.
///
/// # Errors
/// As [`open_volume`].
pub fn open_volume_once(
    array: &ArrayRecord,
    arrays: &[ArrayRecord],
    devices: &DeviceArgs,
    options: OpenOptions,
    direct: bool,
) -> Result<Volume, Failure> {
    let opener = Opener { devices, once: Some(direct) };
    Volume::open_nested(array, arrays, &opener, options).map_err(|error| open_failure(&error))
}

fn open_failure(error: &OpenVolumeError) -> Failure {
    let exit = match error {
        OpenVolumeError::Failed { .. } => Exit::No,
        OpenVolumeError::Member { .. } => Exit::System,
        _ => Exit::BadData,
    };
    Failure::new(exit, error.to_string())
}

/// Opens the devices of the records.
struct Opener<'a> {
    devices: &'a DeviceArgs,
    /// To be read once, and whether past memory in any case.
    once: Option<bool>,
}

impl Sources for Opener<'_> {
    fn open(&self, member: &ArrayMember) -> Result<Arc<dyn ReadAt>, String> {
        let path = member.device.as_deref().unwrap_or_default();
        let offset = member.device_offset_sectors.unwrap_or(Sectors::ZERO);
        let spec = Spec::recorded(path, offset, member.device_length_sectors);
        let device = match self.once {
            None => spec.open(self.devices),
            Some(direct) => spec.open_once(self.devices, direct),
        };
        Ok(Arc::new(device.map_err(|error| error.to_string())?))
    }
}

/// Copies a range of a volume to standard output; ends quietly when nobody reads it any more.
fn copy_out(volume: &Volume, start: Bytes, end: Bytes) -> anyhow::Result<()> {
    let mut output = Output::new()?;
    let copied = copy(volume, start..end, &mut output);
    // What could not all be read is as long as what was, holes at its end too.
    let finished = output.finish().map_err(CopyError::Write);
    match copied.and(finished) {
        Err(CopyError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(CopyError::Write(error)) => {
            Err(Failure::new(Exit::System, format!("standard output: {error}")).into())
        }
        Err(CopyError::Read(error)) => Err(read_failure(error).into()),
        Ok(()) => Ok(()),
    }
}

fn read_failure(error: ReadError) -> Failure {
    let failure = |exit| Failure::new(exit, error.to_string());
    match error {
        ReadError::Io { .. } => failure(Exit::System),
        ReadError::Untrusted { .. } => failure(Exit::BadData).with_help(WITHOUT_FORCE),
        ReadError::OutOfRange { .. } => failure(Exit::Usage),
    }
}

/// A number of bytes, decimal or `0x…`, with K, M, G or T for powers of 1024.
fn bytes(text: &str) -> Result<Bytes, String> {
    let (digits, shift) = match text.char_indices().last() {
        Some((at, suffix)) if suffix.is_ascii_alphabetic() && !text.starts_with("0x") => {
            let shift = "KMGT".find(suffix.to_ascii_uppercase()).ok_or("expected K, M, G or T")?;
            (&text[..at], (shift + 1) * 10)
        }
        _ => (text, 0),
    };
    let number = match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    let number = number.map_err(|_| "expected a number of bytes".to_owned())?;
    number.checked_mul(1 << shift).map(Bytes).ok_or_else(|| "too large".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_bytes_may_have_a_unit() {
        assert_eq!(bytes("4096"), Ok(Bytes(4096)));
        assert_eq!(bytes("0x1000"), Ok(Bytes(4096)));
        assert_eq!(bytes("4K"), Ok(Bytes(4096)));
        assert_eq!(bytes("2g"), Ok(Bytes(2 << 30)));
        for wrong in ["", "K", "-1", "1.5M", "4Q", "99999999T"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
