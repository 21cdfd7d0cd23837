//! What a superblock means: the view of the set that its device carries.
//!
//! * A slot is held by the device that claims it. While a replacement is built, two devices claim one slot, and
//!   no third device's superblock says which is which; so the slot is then named after itself, and so is the
//!   device that is not the replacement. The replacement is reported as a spare: if what it replaces is gone, the
//!   slot is missing, whatever part the replacement may already have.
//! * Members that are rebuilt do not show in the slots: only their own superblocks know.
//! * An array with a journal has a write log to every member; the journal device alone can say that there is nothing
//!   in it.
//! * raid0 and linear have the size that all members add up to; one member's view takes the others to be like itself.
//! * md does not record that redundancy was never computed. It is taken for certain only of an array that has
//!   never been started: no event counted.

use super::bitmap::Expected;
use super::facts::{DeviceRole, Facts};
use super::journal::Chain;
use super::parts::Parts;
use super::{ppl, reshape, shape};
use crate::escape::{dm_name, escape};
use crate::geometry::{Geometry, Level};
use crate::model::{DiskKey, MemberView, OwnPart, ReshapeView, SlotState, SlotView, VolumeView};
use crate::record::{Problem, Role, SectorRange, WriteLog};
use crate::units::{Sectors, Slot};

/// The view of one superblock with its parts.
pub(super) fn view(facts: &Facts, parts: &Parts) -> MemberView {
    let viewer = Viewer::new(facts, parts);
    MemberView {
        set_id: facts.set_uuid.clone(),
        set_name: (!facts.name.is_empty()).then(|| escape(&facts.name)),
        member_id: facts.device_uuid.clone(),
        key: Some(viewer.own_key()),
        family: facts.family.to_owned(),
        generation: facts.events,
        generation_slack: 1,
        content: None,
        updated: Some(facts.updated).filter(|&updated| updated != 0),
        role: viewer.role(),
        volumes: vec![viewer.volume()],
        problems: Vec::new(),
    }
}

/// What is wrong with the geometry, for `check` as well as for the view.
pub(super) fn problems(facts: &Facts) -> Vec<Problem> {
    Viewer::new(facts, &Parts::default()).problems
}

struct Viewer<'a> {
    facts: &'a Facts,
    parts: &'a Parts,
    geometry: Option<Geometry>,
    reshape: Option<ReshapeView>,
    problems: Vec<Problem>,
}

impl<'a> Viewer<'a> {
    fn new(facts: &'a Facts, parts: &'a Parts) -> Self {
        let mut viewer = Self { facts, parts, geometry: None, reshape: None, problems: Vec::new() };
        let found = match &facts.reshape {
            None => shape::geometry(&facts.shape).map(|geometry| (geometry, None)),
            Some(recorded) => reshape::view(recorded, facts.size).map(|view| (wider(&view), Some(view))),
        };
        match found {
            Ok((geometry, reshape)) => {
                viewer.geometry = Some(geometry);
                viewer.reshape = reshape;
            }
            Err(problem) => viewer.problems.push(problem),
        }
        let doubts = viewer.doubts();
        viewer.problems.extend(doubts);
        viewer
    }

    fn doubts(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        problems.extend(self.geometry.as_ref().and_then(shape::doubts));
        problems.extend(self.reshape.as_ref().and_then(reshape::position_problem));
        let redundant = self.geometry.is_some_and(|geometry| geometry.level.is_redundant());
        if redundant && self.facts.size.is_zero() {
            problems.push(Problem::error("size-invalid", "the array uses 0 sectors of each member"));
        }
        problems
    }

    fn volume(&self) -> VolumeView {
        let name = bare_name(&self.facts.name);
        VolumeView {
            uuid: self.facts.set_uuid.clone(),
            name: name.map(escape),
            dm_name: format!("md_{}", name.map_or_else(|| self.uuid_digits(), dm_name)),
            geometry: self.geometry,
            level: super::words::level(self.facts.shape.level),
            size: self.size(),
            slots: self.slots(),
            dirty: Some(self.is_dirty()),
            initializing: self.is_dirty() && self.facts.events == 0,
            resync_position: self.resync_position(),
            reshape: self.reshape.clone(),
            write_log: self.write_log(),
            own: Some(self.own_part()),
            state: Some(self.state()),
            problems: self.volume_problems(),
            ..VolumeView::default()
        }
    }

    fn uuid_digits(&self) -> String {
        self.facts.set_uuid.chars().take(8).collect()
    }

    fn volume_problems(&self) -> Vec<Problem> {
        let mut problems = self.problems.clone();
        let facts = self.facts;
        if let (true, Some(slot)) = (facts.replacement, facts.role.slot()) {
            let message = format!("is being built to replace the member in slot {slot}");
            problems.push(Problem::note("replacement", message));
        }
        if let (Some(slot), Some(slots)) = (facts.role.slot(), self.geometry.map(|geometry| geometry.slots)) {
            let message = format!("is said to be in slot {slot} of {slots}");
            problems.extend((slot >= slots).then(|| Problem::warning("slot-out-of-range", message)));
        }
        problems
    }

    fn level(&self) -> Option<Level> {
        self.geometry.map(|geometry| geometry.level)
    }

    /// The number of slots, never more than there can be devices.
    fn slot_count(&self) -> u32 {
        self.geometry.map_or(0, |geometry| geometry.slots)
    }

    /// Length that the array uses of this device.
    fn used(&self) -> Sectors {
        match self.level() {
            Some(Level::Linear | Level::Raid0) => {
                let chunk = (self.facts.shape.chunk_bytes / crate::units::SECTOR_BYTES).max(1);
                let rest = self.facts.data_size.0.checked_rem(chunk).unwrap_or_default();
                self.facts.data_size.saturating_sub(Sectors(rest))
            }
            _ => self.facts.size,
        }
    }

    fn size(&self) -> Sectors {
        match (&self.reshape, &self.geometry) {
            (Some(reshape), _) => reshape::array_size(&reshape.from, &reshape.to, self.used()),
            (None, Some(geometry)) => shape::array_size(geometry, self.used()),
            (None, None) => Sectors::ZERO,
        }
    }

    /// The devices that claim a slot.
    fn claimants(&self, slot: u32) -> impl Iterator<Item = u32> {
        let claims = move |&&(_, role): &&(u32, DeviceRole)| role.slot() == Some(slot);
        self.facts.devices.iter().filter(claims).map(|&(device, _)| device)
    }

    fn slots(&self) -> Vec<SlotView> {
        let slot = |slot| match (self.claimants(slot).next(), self.claimants(slot).nth(1)) {
            (None, _) => SlotView::empty(),
            (Some(device), None) => SlotView::disk(device.to_string(), SlotState::InSync),
            (Some(_), Some(_)) => SlotView::disk(slot_key(slot), SlotState::InSync),
        };
        (0..self.slot_count()).map(slot).collect()
    }

    /// The name that other members' views have for this device.
    fn own_key(&self) -> DiskKey {
        match self.own_slot() {
            Some(slot) if self.claimants(slot).nth(1).is_some() => slot_key(slot),
            _ => self.facts.device.to_string(),
        }
    }

    /// The slot that this device holds.
    fn own_slot(&self) -> Option<u32> {
        let slot = self.facts.role.slot()?;
        (!self.facts.replacement && slot < self.slot_count()).then_some(slot)
    }

    fn role(&self) -> Role {
        match self.facts.role {
            DeviceRole::Slot(_) | DeviceRole::Building(_) if self.own_slot().is_some() => Role::Active,
            // Without a geometry there are no slots to compare with.
            DeviceRole::Slot(_) if self.geometry.is_none() && !self.facts.replacement => Role::Active,
            DeviceRole::Slot(_) | DeviceRole::Building(_) | DeviceRole::Spare => Role::Spare,
            DeviceRole::Failed => Role::Failed,
            DeviceRole::Journal => Role::Journal,
            DeviceRole::Reserved(_) => Role::Unknown,
        }
    }

    fn own_part(&self) -> OwnPart {
        let facts = self.facts;
        let is_journal = facts.role == DeviceRole::Journal;
        let moves = facts.reshape.map_or(0, |reshape| reshape.data_move);
        let moved = facts.data_offset.0.checked_add_signed(moves).filter(|_| moves != 0).map(Sectors);
        OwnPart {
            slot: self.own_slot().map(Slot),
            offset: facts.data_offset,
            length: if is_journal { facts.data_size } else { self.used() },
            available: facts.data_size,
            recovered: facts.recovered,
            reshape_offset: moved,
            bad_sectors: self.bad_sectors(),
        }
    }

    /// The bad-block log's ranges inside the data.
    fn bad_sectors(&self) -> Vec<SectorRange> {
        let first = self.facts.data_offset;
        let inside = |range: SectorRange| {
            let end = range.start_sectors.checked_add(range.length_sectors)?;
            let start = range.start_sectors.max(first);
            let length = end.checked_sub(start).filter(|length| !length.is_zero())?;
            Some(SectorRange { start_sectors: start.checked_sub(first)?, length_sectors: length })
        };
        let log = self.parts.bad_blocks.iter();
        log.flat_map(|log| log.ranges()).filter_map(inside).collect()
    }

    fn is_dirty(&self) -> bool {
        self.facts.resync.is_some() && self.level().is_none_or(Level::is_redundant)
    }

    /// The larger of what the superblock says and what the bitmap adds to it: chunks that it does not mark were
    /// not being written.
    fn resync_position(&self) -> Option<Sectors> {
        let recorded = self.facts.resync.filter(|_| self.is_dirty())?;
        let expected = Expected { uuid: self.facts.uuid_bytes, events: self.facts.events };
        let by_bitmap = self.parts.bitmap.as_ref().and_then(|bitmap| bitmap.in_step_below(&expected));
        Some(by_bitmap.map_or(recorded, |position| position.max(recorded)))
    }

    fn write_log(&self) -> Option<WriteLog> {
        match &self.parts.journal {
            Some((_, chain)) => return (*chain == Chain::Content).then_some(WriteLog::Journal),
            None if self.facts.role == DeviceRole::Journal => return Some(WriteLog::Journal),
            None if self.facts.journal => return Some(WriteLog::Journal),
            None => {}
        }
        let has_entries = ppl::has_entries(&self.parts.ppl, &self.facts.uuid_bytes);
        (has_entries && self.is_dirty()).then_some(WriteLog::Ppl)
    }

    fn state(&self) -> String {
        let mut words = vec![if self.is_dirty() { "active" } else { "clean" }];
        if self.facts.reshape.is_some() {
            words.push("reshaping");
        }
        if self.facts.replacement {
            words.push("replacement");
        } else if self.facts.recovered.is_some() {
            words.push("recovering");
        }
        words.join(", ")
    }
}

/// The geometry of a reshape that has more slots: all of them have to be found.
fn wider(view: &ReshapeView) -> Geometry {
    if view.to.slots > view.from.slots { view.to } else { view.from }
}

fn slot_key(slot: u32) -> DiskKey {
    format!("slot {slot}")
}

/// The name without the homehost, if anything is left of it.
fn bare_name(name: &[u8]) -> Option<&[u8]> {
    let colon = name.iter().position(|&byte| byte == b':');
    let bare = match colon.and_then(|colon| name.split_at_checked(colon)) {
        Some((_, rest)) => rest.get(1..).unwrap_or_default(),
        None => name,
    };
    (!bare.is_empty()).then_some(bare)
}
