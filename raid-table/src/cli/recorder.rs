//! What the metadata of an array record while it is active: that it is being written, and which members are not.

use crate::kernel::{Guard, Ioctls, Kernel, family};
use raid_meta::cli::{Console, DeviceArgs, Inputs, Source};
use raid_meta::commit::{CommitError, Machine, Plan, UndoFile, UndoStore, commit};
use raid_meta::edit::{PlanTransitionError, transition};
use raid_meta::format::transition::{Present, Transition, TransitionError};
use raid_meta::format::{Format, by_name};
use raid_meta::record::{ArrayRecord, MemberState, RegionRecord, Role};
use raid_meta::units::Sectors;
use std::time::{SystemTime, UNIX_EPOCH};

/// A mark that is taken back by closing the array needs no other way back.
struct NoUndo;

impl UndoStore for NoUndo {
    fn save(&mut self, _regions: &[RegionRecord]) -> Result<String, CommitError> {
        Ok("closing it".to_owned())
    }
}

/// Why nothing is recorded.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotRecorded {
    /// Nothing in the format has a place for it.
    #[error("{0}")]
    Unsupported(String),
    /// The state of the array forbids it.
    #[error("{0}")]
    State(String),
    /// It should be, and can not.
    #[error("{0}")]
    Failed(String),
}

impl From<PlanTransitionError> for NotRecorded {
    fn from(error: PlanTransitionError) -> Self {
        match error {
            PlanTransitionError::Format(TransitionError::Unsupported { .. }) => {
                Self::Unsupported(error.to_string())
            }
            PlanTransitionError::Format(TransitionError::State { .. }) => Self::State(error.to_string()),
            error => Self::Failed(error.to_string()),
        }
    }
}

/// Records in the metadata of an array, on all disks of its set.
pub(super) struct Recorder<'a> {
    format: &'static dyn Format,
    array: &'a ArrayRecord,
    /// All arrays of the set.
    set: Vec<&'a ArrayRecord>,
    members: Vec<Present>,
    devices: &'a DeviceArgs,
    console: &'a Console,
    /// What was written when it was opened.
    written: Option<Plan>,
}

impl<'a> Recorder<'a> {
    /// For an array whose format can record it; the disks are read again, and have to say what the records say.
    pub(super) fn new(
        array: &'a ArrayRecord,
        source: &'a Source,
        devices: &'a DeviceArgs,
        console: &'a Console,
    ) -> Result<Self, NotRecorded> {
        let unsupported = || NotRecorded::Unsupported(format!("{}: nothing names its metadata", array.name));
        let format = array.format.as_deref().and_then(by_name).ok_or_else(unsupported)?;
        if let Err(error @ TransitionError::Unsupported { .. }) =
            format.transition("", &[], Transition::Open, 0)
        {
            return Err(NotRecorded::Unsupported(error.to_string()));
        }
        let set_id = array.set_id.as_deref().ok_or_else(unsupported)?;
        let set: Vec<&ArrayRecord> =
            source.arrays.iter().filter(|other| other.set_id.as_deref() == Some(set_id)).collect();
        let members = members(format, array, &set, source, devices, console)?;
        Ok(Self { format, array, set, members, devices, console, written: None })
    }

    /// What is to be written for it.
    pub(super) fn plan(&self, to: Transition) -> Result<Plan, NotRecorded> {
        let uuid = self.array.uuid.as_deref().unwrap_or_default();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Ok(transition(self.format, uuid, &self.members, to, now)?)
    }

    /// Writes, past the devices of the set.
    fn carry_out(&self, plan: &Plan, undo: &mut dyn UndoStore) -> Result<Option<String>, String> {
        let own = || -> std::io::Result<Vec<String>> {
            let there = Ioctls::open()?.mapped()?;
            Ok(family(&there, &self.set).iter().map(super::activate::node).collect())
        };
        let own = own().map_err(|error| error.to_string())?;
        let machine = Machine { own, ..Machine::new(self.devices.sysroot()) };
        commit(plan, &machine, undo).map_err(|error| error.to_string())
    }

    /// Records that the array is not written any more.
    pub(super) fn close(&self) -> Result<(), String> {
        let plan = self.plan(Transition::Close).map_err(|error| error.to_string())?;
        self.carry_out(&plan, &mut NoUndo).map(drop)
    }

    /// Whether members are missing that the metadata do not call failed yet; their slots.
    fn lost(&self) -> Vec<String> {
        let of_array = self.array.members.iter();
        let lost = of_array.filter(|member| member.array.is_none() && !is_current(member.state));
        lost.map(|member| format!("slot {}", member.slot.0)).collect()
    }
}

impl Guard for Recorder<'_> {
    fn open(&mut self) -> Result<(), String> {
        let plan = self.plan(Transition::Open).map_err(|error| error.to_string())?;
        let lost = self.lost();
        if lost.is_empty() {
            self.carry_out(&plan, &mut NoUndo)?;
        } else if !plan.is_empty() {
            let mut undo = UndoFile::new(None).map_err(|error| error.to_string())?;
            let undo = self.carry_out(&plan, &mut undo)?.unwrap_or_default();
            self.console.say(format_args!(
                "{}: {} is recorded as failed; raid-meta restore --write {undo}   puts back what was there",
                self.array.name,
                lost.join(", ")
            ));
        }
        self.written = Some(plan);
        Ok(())
    }

    fn take_back(&mut self) -> Result<(), String> {
        match self.written.take() {
            Some(plan) => self.carry_out(&plan.reversed(), &mut NoUndo).map(drop),
            None => Ok(()),
        }
    }
}

fn is_current(state: MemberState) -> bool {
    matches!(state, MemberState::InSync | MemberState::Rebuilding)
}

/// The disks of a set that are there and current, open for reading.
fn members(
    format: &'static dyn Format,
    array: &ArrayRecord,
    set: &[&ArrayRecord],
    source: &Source,
    devices: &DeviceArgs,
    console: &Console,
) -> Result<Vec<Present>, NotRecorded> {
    let of_set = source.members.iter().filter(|member| {
        member.format == format.name() && member.set_id == array.set_id && member.role == Role::Active
    });
    let disks = Source { members: of_set.cloned().collect(), ..Source::default() };
    let (open, found, _) = Inputs::from_records(&disks, devices, console).probe_open();
    let same = found.arrays.iter().find(|other| other.uuid == array.uuid && other.set_id == array.set_id);
    if same.is_none_or(|same| same.members != array.members) {
        let message = format!("{}: its disks do not say what the records say", array.name);
        return Err(NotRecorded::Failed(message));
    }
    // The states of a disk in all arrays of its set, its own array's first.
    let states = |path: &str, offset: Sectors| {
        let own = set.iter().filter(|other| other.uuid == array.uuid || is_subset(array, other));
        let others = set.iter().filter(|other| other.uuid != array.uuid && !is_subset(array, other));
        let mut members = own.chain(others).flat_map(|array| &array.members);
        members
            .find(|member| {
                member.device.as_deref() == Some(path)
                    && member.device_offset_sectors.unwrap_or(Sectors::ZERO) == offset
            })
            .map(|member| member.state)
    };
    let present = open.into_iter().filter_map(|device| {
        let state = states(&device.path_text(), device.offset_sectors())?;
        is_current(state).then_some(Present { device, in_sync: state == MemberState::InSync })
    });
    Ok(present.collect())
}

fn is_subset(array: &ArrayRecord, other: &ArrayRecord) -> bool {
    array.members.iter().any(|member| member.array.as_deref() == Some(&other.name))
}
