//! Arrays in the kernel: their tables made into device-mapper devices, and taken down again.
//!
//! What is done to the kernel goes through [`Kernel`], so that every step can be made to fail in a test. [`Ioctls`] is the
//! real one.
//!
//! **Devices are found by what they are.** A device is ours by its dm uuid, which says format and name of the array. A
//! device of that name with another uuid belongs to somebody else, and is left alone.
//!
//! **Each state between two steps has a way on.** A device that was created and has no table yet, or one that is loaded and
//! not resumed, is what an interrupted activation leaves. The next activation goes on with it, and deactivation removes it.
//! A device that has the wanted table already is done. One with another table is refused, and the difference shown.
//!
//! **Metadata first.** Before an array becomes live that can be written, a [`Guard`] records in its metadata that it is
//! being written, and which members are not; before it is removed, that it is not any more. Whether an array was in step
//! when it was mapped is in its tables: `sync` says that it was not, and then it is not closed as if it were.

mod activate;
mod deactivate;
mod ioctls;
mod overlay;
mod partitions;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;

pub use activate::{ActivateError, Activated, Activation, Guard, Step, activate, leaves};
pub use deactivate::{
    DeactivateError, deactivate, deactivate_closing, family, is_open_in_step, make_read_only,
};
pub use ioctls::Ioctls;
pub use overlay::{OVERLAY_UUID_PREFIX, Overlay, OverlayError, Written};
pub use partitions::{PartitionError, hide_partitions, partition_tables};

use crate::target::{Device, Line};
use std::fmt;
use std::io;
use std::path::Path;

/// Number of a block device, for as long as it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number {
    /// Major number.
    pub major: u32,
    /// Minor number.
    pub minor: u32,
}

impl From<Number> for Device {
    fn from(Number { major, minor }: Number) -> Self {
        Self::Number { major, minor }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

/// A device-mapper device that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// Its name.
    pub name: String,
    /// Its uuid; empty if it has none.
    pub uuid: String,
    /// Its number.
    pub number: Number,
}

/// What a device-mapper device does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Which device.
    pub mapped: Mapped,
    /// The lines of its live table as the kernel prints them; none before the first resume.
    pub table: Vec<String>,
    /// The lines of the table that was loaded, and becomes live with the next resume; none if there is none.
    pub loaded: Vec<String>,
    /// Whether it is suspended: every access waits.
    pub suspended: bool,
    /// Whether it can not be written.
    pub read_only: bool,
    /// How many have it open, other dm devices among them.
    pub open_count: u32,
}

/// Who looks at a new device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody: udev's rules look for what is on it.
    All,
    /// Nobody but the devices stacked on it.
    Nobody,
}

/// The kernel's device-mapper.
pub trait Kernel {
    /// All device-mapper devices.
    ///
    /// # Errors
    /// What the kernel says.
    fn mapped(&self) -> io::Result<Vec<Mapped>>;

    /// What the device of that name does; none if there is none.
    ///
    /// # Errors
    /// What the kernel says.
    fn state(&self, name: &str) -> io::Result<Option<State>>;

    /// Number of the block device at a path.
    ///
    /// # Errors
    /// It is not there, or is something else.
    fn number(&self, path: &Path) -> io::Result<Number>;

    /// Makes a device without a table.
    ///
    /// # Errors
    /// What the kernel says.
    fn create(&self, name: &str, uuid: &str) -> io::Result<Number>;

    /// Gives a device a table, which is not live before it is resumed.
    ///
    /// # Errors
    /// What the kernel says.
    fn load(&self, name: &str, lines: &[Line], read_only: bool) -> io::Result<()>;

    /// Lets every access wait, when those under way are done.
    ///
    /// # Errors
    /// What the kernel says.
    fn suspend(&self, name: &str) -> io::Result<()>;

    /// Makes the table that was loaded live.
    ///
    /// # Errors
    /// What the kernel says.
    fn resume(&self, name: &str, audience: Audience) -> io::Result<()>;

    /// Removes a device.
    ///
    /// # Errors
    /// What the kernel says: `EBUSY` while it is open.
    fn remove(&self, name: &str) -> io::Result<()>;
}
