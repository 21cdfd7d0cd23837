//! What the sector means.

use super::levels::{Kind, Levels, kind, levels};
use super::sector::{MAGIC_BAD, Sector};
use super::{NAME, check};
use crate::format::vendor::{Positional, set_name};
use crate::model::MemberView;
use crate::record::Role;

/// The set of all spares: they have no set of their own.
const SPARES: &str = "spare";

/// The view of the disk that carries the sector.
pub(super) fn view(sector: &Sector) -> MemberView {
    if sector.is_spare() {
        return MemberView { set_id: SPARES.to_owned(), role: Role::Spare, ..MemberView::default() };
    }
    let head = &sector.head;
    let set = Positional {
        set_id: set_id(sector),
        dm_name: set_name(NAME, &named_by(sector).to_string()),
        name: sector.name(),
        role: if head.magic == MAGIC_BAD { Role::Failed } else { Role::Active },
        problems: check::set(sector),
        ..Positional::default()
    };
    let mut view = match levels(sector) {
        Ok(levels) => array(sector, &levels, set).view(),
        Err(_) => Positional { size: crate::units::Sectors(u64::from(head.total_secs)), ..set }.view(),
    };
    view.problems.extend(check::disputed_offset(sector));
    view
}

/// The number that dmraid names the set by.
fn named_by(sector: &Sector) -> u32 {
    let head = &sector.head;
    if head.magic_1 == 0 { head.magic_0 } else { head.magic_1 }
}

/// The halves of a raid10 have stamps of their own and one in common; in all other sets only the first counts.
fn set_id(sector: &Sector) -> String {
    let is_nested = kind(&sector.head).is_some_and(Kind::is_nested);
    let id = if is_nested { named_by(sector) } else { sector.head.magic_0 };
    format!("{id:08x}")
}

fn array(sector: &Sector, levels: &Levels, set: Positional) -> Positional {
    let is_left_behind = levels.kind == Kind::MirrorOfStripes && !check::is_current(sector);
    let is_redundant = levels.level.is_redundant();
    let rebuilding = sector.rebuilding().filter(|_| is_redundant);
    Positional {
        member_id: Some(levels.slot.to_string()),
        role: if is_left_behind { Role::Failed } else { set.role },
        level: Some(levels.level),
        geometry: levels.geometry,
        size: levels.size,
        states: Positional::in_sync(levels.slots),
        slot: Some(levels.slot),
        offset: levels.offset,
        length: levels.length,
        dirty: is_redundant.then_some(rebuilding.is_some()),
        state: rebuilding.map(|position| format!("rebuild at {position}")),
        ..set
    }
}
