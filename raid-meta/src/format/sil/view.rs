//! What the copy that is believed means.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::NAME;
use super::check;
use super::copies::Copies;
use super::sector::{Kind, Sector};
use super::shape::Shape;
use crate::escape::escape;
use crate::format::vendor::{Positional, set_name};
use crate::geometry::Level;
use crate::model::MemberView;
use crate::record::{Problem, Role};
use crate::units::Sectors;

/// The set of all spares: any array may take them.
const SPARES: &str = "spare";

/// Values of `member_status`.
pub(super) mod status {
    pub(in super::super) const CURRENT: u8 = 1;
    pub(in super::super) const REBUILD: u8 = 2;
}

/// Values of `mirrored_set_state`.
pub(super) mod state {
    /// In use when it was written: its redundancy is not known to be in step.
    pub(in super::super) const ONLINE: u8 = 1;
    /// Shut down, in step.
    pub(in super::super) const AVAILABLE: u8 = 2;
}

/// The view of the disk.
pub(super) fn view(copies: &Copies) -> MemberView {
    let sector = copies.believed();
    if sector.kind() == Kind::Spare {
        return spare(sector);
    }
    let shape = Shape::of(sector, copies.device());
    let problems = check::set(sector, copies.device());
    let is_sound = !problems.iter().any(Problem::is_error);
    let is_redundant = shape.level.is_some_and(Level::is_redundant);
    let mut view = Positional {
        set_id: set_id(sector),
        dm_name: dm_name(sector),
        name: Some(name(sector)).filter(|name| !name.is_empty()),
        member_id: member_id(sector),
        generation: u64::from(sector.incarnation_no),
        role: role(sector, is_redundant),
        level: shape.level,
        geometry: shape.geometry.filter(|_| is_sound),
        size: shape.size,
        states: Positional::in_sync(shape.slots),
        slot: shape.slot,
        length: shape.length,
        recovered: recovered(sector, &shape, is_redundant),
        dirty: is_redundant.then(|| is_dirty(sector)),
        resync_position: (is_redundant && is_dirty(sector)).then_some(Sectors::ZERO),
        state: Some(state_text(sector)),
        problems,
        ..Positional::default()
    }
    .view();
    // A disk of a set without redundancy can not have been left behind: the set would not have run without it.
    view.generation_slack = if is_redundant { 0 } else { u64::MAX };
    view
}

fn spare(sector: &Sector) -> MemberView {
    MemberView {
        set_id: SPARES.to_owned(),
        set_name: Some(name(sector)).filter(|name| !name.is_empty()),
        member_id: member_id(sector),
        generation: u64::from(sector.incarnation_no),
        role: Role::Spare,
        ..MemberView::default()
    }
}

/// The freshest of views: the highest counter; among equals one that says that the set was in use, the first of those.
pub(super) fn freshest(views: &[&MemberView]) -> usize {
    let rank =
        |view: &MemberView| (view.generation, view.volumes.iter().any(|volume| volume.dirty == Some(true)));
    let ranked = views.iter().enumerate();
    let best = ranked.reduce(|best, other| if rank(other.1) > rank(best.1) { other } else { best });
    best.map(|(index, _)| index).unwrap_or_default()
}

/// The time of creation, as a real set has it in BCD: year month day hour minutes seconds.
fn set_id(sector: &Sector) -> String {
    hex::encode(sector.time())
}

/// dmraid spells the bytes of the time in decimal, although they are BCD, at least two digits each, minutes and seconds
/// modulo 60.
fn dm_name(sector: &Sector) -> String {
    let [year, month, day, hour, minutes, seconds] = sector.time();
    let id = format!(
        "{year:02}{month:02}{day:02}{hour:02}{:02}{:02}",
        minutes.checked_rem(60).unwrap_or_default(),
        seconds.checked_rem(60).unwrap_or_default()
    );
    set_name(NAME, &id)
}

/// The name, escaped, without what it is padded with.
fn name(sector: &Sector) -> String {
    let is_padding = |byte: &u8| matches!(byte, 0 | b' ');
    let end =
        sector.text_type.iter().rposition(|byte| !is_padding(byte)).map_or(0, |last| last.saturating_add(1));
    escape(sector.text_type.get(..end).unwrap_or_default())
}

fn member_id(sector: &Sector) -> Option<String> {
    Some(escape(&sector.serial())).filter(|serial| !serial.is_empty())
}

fn is_dirty(sector: &Sector) -> bool {
    sector.mirrored_set_state == state::ONLINE
}

/// A disk with a status that is not known is used only where there is no other.
fn role(sector: &Sector, is_redundant: bool) -> Role {
    match sector.member_status {
        status::CURRENT | status::REBUILD => Role::Active,
        3 | 4 => Role::Failed,
        _ if is_redundant => Role::Failed,
        _ => Role::Active,
    }
}

fn recovered(sector: &Sector, shape: &Shape, is_redundant: bool) -> Option<Sectors> {
    let is_rebuilding = sector.member_status == status::REBUILD && is_redundant;
    is_rebuilding.then(|| Sectors(sector.rebuild_ptr).min(shape.length))
}

fn state_text(sector: &Sector) -> String {
    format!("{}, {}", status_word(sector.member_status), state_word(sector.mirrored_set_state))
}

/// What a value of `member_status` means.
pub(super) fn status_word(status: u8) -> &'static str {
    match status {
        status::CURRENT => "current",
        status::REBUILD => "rebuilding",
        3 => "dropped",
        4 => "removed",
        _ => "unknown",
    }
}

/// What a value of `mirrored_set_state` means.
pub(super) fn state_word(state: u8) -> &'static str {
    match state {
        0 => "ok",
        state::ONLINE => "in use",
        state::AVAILABLE => "in step",
        _ => "unknown",
    }
}
