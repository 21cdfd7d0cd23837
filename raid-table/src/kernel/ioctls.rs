//! The kernel itself.

use super::{Audience, Kernel, Mapped, Number, State};
use crate::target::Line;
use devicemapper::{DM, DevId, DeviceInfo, DmError, DmFlags, DmName, DmOptions, DmUuid, errors};
use nix::sys::stat::{major, minor};
use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

/// Where udev listens while it runs. It makes and removes the links in `/dev/mapper` then.
const UDEV: &str = "/run/udev/control";
const NODES: &str = "/dev/mapper";

/// Device-mapper by its ioctls. Where udev runs, each step waits until its rules are done with the device; where it does
/// not, the links in `/dev/mapper` are made here.
pub struct Ioctls {
    dm: DM,
}

impl Ioctls {
    /// Opens `/dev/mapper/control`.
    ///
    /// # Errors
    /// It can not be opened: no right to, or the kernel has no device-mapper.
    pub fn open() -> io::Result<Self> {
        DM::new().map(|dm| Self { dm }).map_err(|error| io::Error::other(format!("{NODES}/control: {error}")))
    }

    fn info(&self, name: &str) -> io::Result<Option<DeviceInfo>> {
        match self.dm.device_info(&DevId::Name(dm_name(name)?)) {
            Ok(info) => Ok(Some(info)),
            Err(error) => match system_error(error) {
                error if error.raw_os_error() == Some(nix::errno::Errno::ENXIO as i32) => Ok(None),
                error => Err(error),
            },
        }
    }
}

impl Ioctls {
    /// The lines of a table: the live one, unless the flags say otherwise.
    fn table(&self, name: &str, flags: DmFlags) -> io::Result<Vec<String>> {
        let options = DmOptions::default().set_flags(DmFlags::DM_STATUS_TABLE | flags);
        let (_, lines) = self.dm.table_status(&DevId::Name(dm_name(name)?), options).map_err(system_error)?;
        let line = |(start, length, kind, params): &(u64, u64, String, String)| {
            format!("{start} {length} {kind} {params}").trim_end().to_owned()
        };
        Ok(lines.iter().map(line).collect())
    }
}

impl Kernel for Ioctls {
    fn mapped(&self) -> io::Result<Vec<Mapped>> {
        let devices = self.dm.list_devices().map_err(system_error)?;
        let mut all = Vec::with_capacity(devices.len());
        for (name, _, _) in devices {
            // One that is gone meanwhile is not there.
            if let Some(info) = self.info(&name.to_string())? {
                all.push(mapped(&info));
            }
        }
        Ok(all)
    }

    fn state(&self, name: &str) -> io::Result<Option<State>> {
        let Some(info) = self.info(name)? else { return Ok(None) };
        let is_loaded = info.flags().contains(DmFlags::DM_INACTIVE_PRESENT);
        Ok(Some(State {
            mapped: mapped(&info),
            table: self.table(name, DmFlags::empty())?,
            loaded: if is_loaded { self.table(name, DmFlags::DM_QUERY_INACTIVE_TABLE)? } else { Vec::new() },
            suspended: info.flags().contains(DmFlags::DM_SUSPEND),
            read_only: info.flags().contains(DmFlags::DM_READONLY),
            open_count: u32::try_from(info.open_count()).unwrap_or(0),
        }))
    }

    fn number(&self, path: &Path) -> io::Result<Number> {
        let metadata = fs::metadata(path)?;
        if !metadata.file_type().is_block_device() {
            return Err(io::Error::other("is not a block device"));
        }
        let part = |part: u64| u32::try_from(part).map_err(io::Error::other);
        Ok(Number { major: part(major(metadata.rdev()))?, minor: part(minor(metadata.rdev()))? })
    }

    fn create(&self, name: &str, uuid: &str) -> io::Result<Number> {
        let uuid = DmUuid::new(uuid).map_err(system_error)?;
        let info = self.dm.device_create(dm_name(name)?, Some(uuid), DmOptions::default());
        info.map(|info| number(&info)).map_err(system_error)
    }

    fn load(&self, name: &str, lines: &[Line], read_only: bool) -> io::Result<()> {
        let raw =
            |line: &Line| (line.start.0, line.length.0, line.target.kind().to_owned(), line.target.params());
        let lines: Vec<_> = lines.iter().map(raw).collect();
        let flags = if read_only { DmFlags::DM_READONLY } else { DmFlags::empty() };
        let id = DevId::Name(dm_name(name)?);
        let loaded = self.dm.table_load(&id, &lines, DmOptions::default().set_flags(flags));
        loaded.map(drop).map_err(system_error)
    }

    fn suspend(&self, name: &str) -> io::Result<()> {
        let options = DmOptions::default().set_flags(DmFlags::DM_SUSPEND);
        let suspended = self.dm.device_suspend(&DevId::Name(dm_name(name)?), options);
        suspended.map(drop).map_err(system_error)
    }

    fn resume(&self, name: &str, audience: Audience) -> io::Result<()> {
        let options = match audience {
            Audience::All => DmOptions::default(),
            Audience::Nobody => DmOptions::private(),
        };
        let info = self.dm.device_suspend(&DevId::Name(dm_name(name)?), options).map_err(system_error)?;
        if udev_runs() {
            return Ok(());
        }
        link(name, number(&info))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let id = DevId::Name(dm_name(name)?);
        self.dm.device_remove(&id, DmOptions::default()).map_err(system_error)?;
        if !udev_runs() && node(name).is_symlink() {
            fs::remove_file(node(name))?;
        }
        Ok(())
    }
}

fn udev_runs() -> bool {
    Path::new(UDEV).exists()
}

fn node(name: &str) -> PathBuf {
    Path::new(NODES).join(name)
}

/// Makes the link that udev would make.
fn link(name: &str, number: Number) -> io::Result<()> {
    let target = format!("../dm-{}", number.minor);
    match symlink(&target, node(name)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && node(name).is_symlink() => {
            fs::remove_file(node(name))?;
            symlink(target, node(name))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

fn dm_name(name: &str) -> io::Result<&DmName> {
    DmName::new(name).map_err(system_error)
}

fn mapped(info: &DeviceInfo) -> Mapped {
    let text = |text: Option<String>| text.unwrap_or_default();
    Mapped {
        name: text(info.name().map(ToString::to_string)),
        uuid: text(info.uuid().map(ToString::to_string)),
        number: number(info),
    }
}

fn number(info: &DeviceInfo) -> Number {
    Number { major: info.device().major, minor: info.device().minor }
}

/// The error number of an ioctl that failed; of the rest the text.
fn system_error(error: DmError) -> io::Error {
    match error {
        DmError::Core(errors::Error::Ioctl(_, _, _, errno)) => io::Error::from_raw_os_error(*errno as i32),
        other => io::Error::other(other.to_string()),
    }
}
