//! What the sector means.

use super::levels::{Levels, levels};
use super::sector::{MAGIC_BAD, Sector};
use super::{NAME, check};
use crate::device::Device;
use crate::format::vendor::{Positional, mirrored_stripes_place, set_name};
use crate::geometry::Level;
use crate::model::{MemberView, SlotState};
use crate::record::Role;
use crate::units::{Sectors, Slot};

/// The set of all spares: they have no set of their own.
const SPARES: &str = "spare";

/// Bits of `status`.
pub(super) mod status {
    /// A member is not current.
    pub(in super::super) const NEED_REBUILD: u16 = 1;
}

/// The view of the disk that carries the sector.
pub(super) fn view(sector: &Sector, _device: &Device) -> MemberView {
    if sector.is_spare() {
        return MemberView { set_id: SPARES.to_owned(), role: Role::Spare, ..MemberView::default() };
    }
    let stamp = sector.head.magic_0;
    let set = Positional {
        set_id: format!("{stamp:08x}"),
        dm_name: set_name(NAME, &stamp.to_string()),
        name: sector.name(),
        role: if sector.head.magic == MAGIC_BAD { Role::Failed } else { Role::Active },
        problems: check::set(sector),
        ..Positional::default()
    };
    match levels(sector) {
        Ok(levels) => array(sector, &levels, set).view(),
        Err(_) => Positional { size: sector.total(0), ..set }.view(),
    }
}

fn array(sector: &Sector, levels: &Levels, set: Positional) -> Positional {
    let redundancy = Redundancy::of(sector, levels);
    let own = redundancy.own();
    Positional {
        member_id: Some(levels.slot.to_string()),
        role: if own == SlotState::Failed { Role::Failed } else { set.role },
        level: Some(levels.level),
        geometry: levels.geometry,
        size: levels.size,
        states: (0..levels.slots).map(Slot).map(|slot| redundancy.state(slot)).collect(),
        slot: Some(levels.slot),
        length: levels.length,
        recovered: redundancy.rebuilt.filter(|_| own == SlotState::Rebuilding),
        dirty: levels.level.is_redundant().then_some(redundancy.is_dirty()),
        resync_position: redundancy.rebuilt.filter(|_| redundancy.is_dirty()),
        state: levels.redundancy.map(|_| redundancy.text().to_owned()),
        ..set
    }
}

/// What is said of the members that hold the same data.
struct Redundancy {
    /// Members that are not current, a bit for each.
    critical: u16,
    /// They are to be rebuilt.
    need_rebuild: bool,
    /// How far that has come.
    rebuilt: Option<Sectors>,
    /// Only the mirror is spoken of that the disk itself is in, one of several.
    is_inner: bool,
    level: Level,
    slot: Slot,
}

impl Redundancy {
    fn of(sector: &Sector, levels: &Levels) -> Self {
        let entry = levels.redundancy.and_then(|entry| sector.configs.get(entry));
        Self {
            critical: entry.map_or(0, |entry| entry.critical_disks),
            need_rebuild: entry.is_some_and(|entry| entry.status & status::NEED_REBUILD != 0),
            rebuilt: levels.redundancy.and_then(|entry| sector.rebuilt(entry)),
            is_inner: levels.level == Level::Raid10 && levels.redundancy == Some(0),
            level: levels.level,
            slot: levels.slot,
        }
    }

    fn own(&self) -> SlotState {
        self.recorded(self.slot)
    }

    /// What all members of the set say of a slot alike.
    fn state(&self, slot: Slot) -> SlotState {
        if self.is_inner { SlotState::InSync } else { self.recorded(slot) }
    }

    fn recorded(&self, slot: Slot) -> SlotState {
        let number = match self.level {
            Level::Raid10 => mirrored_stripes_place(slot).0,
            _ => slot.0,
        };
        let bit = 1_u16.checked_shl(number).unwrap_or_default();
        match (self.critical & bit != 0, self.need_rebuild) {
            (false, _) => SlotState::InSync,
            (true, true) => SlotState::Rebuilding,
            (true, false) => SlotState::Failed,
        }
    }

    /// To be rebuilt, but no member more than the others.
    fn is_dirty(&self) -> bool {
        self.need_rebuild && self.critical == 0
    }

    fn text(&self) -> &'static str {
        match (self.need_rebuild, self.critical) {
            (true, _) => "needs rebuild",
            (false, 0) => "normal",
            (false, _) => "critical",
        }
    }
}
