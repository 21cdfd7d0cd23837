//! Why an array gets no tables.

use crate::layout::LayoutError;
use crate::target::{DeviceError, Refused};
use raid_meta::units::{Sectors, Slot};

/// An array that is not mapped, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{array}: {reason}")]
pub struct PlanError {
    /// Name of the array.
    pub array: String,
    /// Why.
    pub reason: Reason,
}

/// Why an array is not mapped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Members are missing, and that was not asked for.
    #[error("degraded: {}; --degraded maps it without", slots(missing))]
    Degraded {
        /// The slots that are not in sync.
        missing: Vec<Slot>,
    },
    /// More members are missing than the level can do without.
    #[error("failed: {}", slots(missing))]
    Failed {
        /// The slots that are not in sync.
        missing: Vec<Slot>,
    },
    /// What is missing would be computed from parity that may be wrong.
    #[error("dirty and degraded: {}, and its parity can not be trusted; refused", slots(missing))]
    DirtyDegraded {
        /// The slots that are not in sync.
        missing: Vec<Slot>,
    },
    /// Between two geometries.
    #[error("reshaping: no device-mapper table can say it")]
    Reshaping,
    /// A journal holds data that the members do not.
    #[error("the write journal has entries that are not on the members; assemble it with md")]
    Journal,
    /// A member has sectors whose content is lost.
    #[error(
        "slot {slot} has a list of {sectors} bad sectors, which device-mapper would read as data; raid-table read does not"
    )]
    BadSectors {
        /// The slot.
        slot: Slot,
        /// How many sectors.
        sectors: Sectors,
    },
    /// device-mapper has no such mapping.
    #[error("unsupported-by-dm: {what}; raid-table read can")]
    Unsupported {
        /// What it has no mapping for.
        what: String,
    },
    /// The kernel would refuse the table.
    #[error("unsupported-by-dm: {0}; raid-table read can")]
    Refused(#[from] Refused),
    /// The geometry is not one that can be mapped at all.
    #[error("{0}")]
    Layout(#[from] LayoutError),
    /// A device can not be named in a table.
    #[error("{0}")]
    Device(#[from] DeviceError),
    /// A slot is said to be in sync, and nothing says where it is.
    #[error("slot {slot} is in sync, but has neither a device nor a subset")]
    NoDevice {
        /// The slot.
        slot: Slot,
    },
    /// A device is shorter than its part of the array.
    #[error("slot {slot}: the array uses {needed} sectors of it, the device has {found}")]
    DeviceTooSmall {
        /// The slot.
        slot: Slot,
        /// What the array uses.
        needed: Sectors,
        /// What there is.
        found: Sectors,
    },
    /// An offset or length that does not fit 64 bits.
    #[error("an offset or a length is out of range")]
    OutOfRange,
    /// A name that device-mapper would not take, or not unchanged.
    #[error("'{name}' can not be the name of a dm device: {reason}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A subset is not among the arrays, or is the array itself.
    #[error("its member {name} is not among the arrays")]
    SubsetMissing {
        /// Name of the subset.
        name: String,
    },
    /// Subsets of subsets of subsets, and so on.
    #[error("its member {name} is nested too deep")]
    Nested {
        /// Name of the subset.
        name: String,
    },
    /// A subset can not be mapped.
    #[error("its member {name}: {reason}")]
    Subset {
        /// Name of the subset.
        name: String,
        /// Why.
        reason: Box<Reason>,
    },
}

impl Reason {
    /// Whether the array is sound and only its state, or what was asked for, is against mapping it: an honest no.
    /// Else the data is bad, or not supported.
    #[must_use]
    pub fn is_no(&self) -> bool {
        match self {
            Self::Degraded { .. } | Self::Failed { .. } | Self::DirtyDegraded { .. } => true,
            Self::Subset { reason, .. } => reason.is_no(),
            _ => false,
        }
    }
}

fn slots(missing: &[Slot]) -> String {
    match missing {
        [] => "members are missing".to_owned(),
        [slot] => format!("slot {slot} is not in sync"),
        _ => {
            let numbers: Vec<String> = missing.iter().map(Slot::to_string).collect();
            format!("slots {} are not in sync", numbers.join(", "))
        }
    }
}
