//! Arrays of arrays: members that are arrays themselves are opened from their own records.

use super::{OpenOptions, OpenVolumeError, Sources, Volume};
use raid_meta::device::ReadAt;
use raid_meta::record::{ArrayMember, ArrayRecord};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// Sets nested deeper than this do not exist; records that say so are wrong.
pub(super) const MAX_NESTING: u32 = 8;

impl Volume {
    /// Opens an array whose members are devices, or other arrays among these records; the devices are opened by
    /// `devices`.
    ///
    /// # Errors
    /// As [`Volume::open`]; a member array that is not among the records, can not be opened, or is nested too deep.
    pub fn open_nested(
        array: &ArrayRecord,
        arrays: &[ArrayRecord],
        devices: &dyn Sources,
        options: OpenOptions,
    ) -> Result<Self, OpenVolumeError> {
        let opened = RefCell::default();
        Self::open(array, &Nested { arrays, devices, options, depth: 0, opened: &opened }, options)
    }
}

struct Nested<'a> {
    arrays: &'a [ArrayRecord],
    devices: &'a dyn Sources,
    options: OpenOptions,
    depth: u32,
    /// Subsets by name: one that is a member of several arrays is opened once.
    opened: &'a RefCell<HashMap<String, Arc<Volume>>>,
}

impl Nested<'_> {
    fn subset(&self, name: &str) -> Result<Arc<dyn ReadAt>, String> {
        if let Some(volume) = self.opened.borrow().get(name) {
            return Ok(Arc::<Volume>::clone(volume));
        }
        if self.depth >= MAX_NESTING {
            return Err(format!("array {name}: nested more than {MAX_NESTING} deep"));
        }
        let Some(array) = self.arrays.iter().find(|array| array.name == name) else {
            return Err(format!("array {name}: not among the records"));
        };
        let below = Nested { depth: self.depth + 1, ..*self };
        let volume = Volume::open(array, &below, self.options).map_err(|error| error.to_string())?;
        let volume = Arc::new(volume);
        self.opened.borrow_mut().insert(name.to_owned(), Arc::clone(&volume));
        Ok(volume)
    }
}

impl Sources for Nested<'_> {
    fn open(&self, member: &ArrayMember) -> Result<Arc<dyn ReadAt>, String> {
        member.array.as_deref().map_or_else(|| self.devices.open(member), |name| self.subset(name))
    }
}
