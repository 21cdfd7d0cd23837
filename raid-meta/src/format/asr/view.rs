//! What the table means, as the disk that carries it sees it.

use super::AsrMetadata;
use super::arrays::{self, Array, Shape, disk_state, key};
use super::block::{Line, NONE, Table, line_type};
use super::check::{self, array_state};
use crate::escape::{dm_name, escape};
use crate::model::{MemberView, OwnPart, SlotState, VolumeView};
use crate::record::{Problem, Role};
use crate::units::{Sectors, Slot};

/// The set of the spares that are for any array.
const SPARES: &str = "spare";

/// The view of the disk.
pub(super) fn view(found: &AsrMetadata) -> MemberView {
    let drivemagic = found.block.drivemagic;
    let member_id = Some(key(drivemagic)).filter(|_| drivemagic != NONE);
    let view = MemberView { member_id: member_id.clone(), key: member_id, ..MemberView::default() };
    let Some(placed) = &found.table else { return MemberView { role: Role::Unknown, ..view } };
    let table = &placed.table;
    match arrays::disk_line(table, drivemagic) {
        Some((_, line)) if line.raidtype == line_type::SPARE => spare(table, view),
        Some((index, line)) => member(table, index, line, view),
        None => foreign(table, drivemagic, view),
    }
}

fn set_id(magic: u32) -> String {
    format!("{magic:08x}")
}

/// A spare belongs to the array that its table names, or to all.
fn spare(table: &Table, view: MemberView) -> MemberView {
    let array = table.head.raidmagic;
    let set_id = if matches!(array, 0 | NONE) { SPARES.to_owned() } else { set_id(array) };
    MemberView { set_id, role: Role::Spare, ..view }
}

fn member(table: &Table, index: usize, line: &Line, view: MemberView) -> MemberView {
    let Some(array) = arrays::array_of(table, index) else {
        return MemberView { role: Role::Unknown, ..view };
    };
    let is_failed = line.raidstate & disk_state::MAIN == disk_state::FAILED;
    let role = if is_failed { Role::Failed } else { Role::Active };
    described(table, &array, Some(line), MemberView { role, ..view })
}

/// A disk that the table does not know: it was taken out, and kept an old table or another's.
fn foreign(table: &Table, drivemagic: u32, view: MemberView) -> MemberView {
    let message = format!("no line is about disk {drivemagic:#010x}: not a member any more");
    let problems = vec![Problem::warning("foreign", message)];
    let view = MemberView { role: Role::Foreign, problems, ..view };
    match arrays::first_array(table) {
        Some(array) => described(table, &array, None, view),
        None => view,
    }
}

fn described(table: &Table, array: &Array<'_>, own: Option<&Line>, view: MemberView) -> MemberView {
    let name = name(table, own.unwrap_or(array.top));
    MemberView {
        set_id: set_id(array.top.raidmagic),
        set_name: Some(escape(name)).filter(|name| !name.is_empty()),
        generation: u64::from(table.head.timestamp) << 16 | u64::from(array.sequence()),
        volumes: vec![volume(table, array, own, name)],
        ..view
    }
}

/// The name of the set: that of the disk's line, or of the first line where disks have none. Without what pads it.
fn name<'a>(table: &'a Table, line: &'a Line) -> &'a [u8] {
    let until_nul = |name: &'a [u8; 16]| name.split(|&byte| byte == 0).next().unwrap_or_default();
    let own = until_nul(&line.name);
    let first = || table.used().first().map(|line| until_nul(&line.name)).unwrap_or_default();
    let name = if own.is_empty() { first() } else { own };
    name.trim_ascii_end()
}

fn volume(table: &Table, array: &Array<'_>, own: Option<&Line>, name: &[u8]) -> VolumeView {
    let problems = check::set(array);
    let is_sound = !problems.iter().any(Problem::is_error);
    let view = VolumeView {
        uuid: set_id(array.top.raidmagic),
        name: Some(escape(name)).filter(|name| !name.is_empty()),
        dm_name: format!("asr_{}", dm_name(name)),
        size: Sectors(u64::from(array.top.lcapcty)),
        state: Some(state(array.top.raidstate)),
        problems,
        ..VolumeView::default()
    };
    let Ok(shape) = array.shape() else { return view };
    let is_redundant = shape.level.is_redundant();
    let building = array.lines().any(is_building) && is_redundant;
    VolumeView {
        level: Some(shape.level),
        geometry: shape.geometry.filter(|_| is_sound),
        size: shape.size,
        slots: shape.views(),
        dirty: is_redundant.then_some(table.head.dirty != 0),
        initializing: building,
        own: own.map(|line| own_part(line, &shape)),
        ..view
    }
}

fn is_building(line: &Line) -> bool {
    match line.raidlevel {
        0 => line.raidstate & disk_state::BUILDING != 0,
        _ => line.raidstate == array_state::BUILDING,
    }
}

fn own_part(line: &Line, shape: &Shape<'_>) -> OwnPart {
    let slot: Option<Slot> = shape.slot(line.raidmagic);
    let is_rebuilding = arrays::slot_state(line, shape.level) == SlotState::Rebuilding;
    OwnPart {
        slot,
        offset: Sectors::ZERO,
        length: shape.length,
        available: Sectors(u64::from(line.lcapcty)),
        recovered: is_rebuilding.then_some(Sectors::ZERO),
        ..OwnPart::default()
    }
}

/// The state of an array in words.
pub(super) fn state(state: u8) -> String {
    let word = match state {
        0 => "optimal",
        array_state::DEGRADED => "degraded",
        array_state::REBUILDING => "rebuilding",
        array_state::MORPHING => "morphing",
        array_state::DEAD => "dead",
        5 => "warning",
        0x0a => "verifying",
        array_state::BUILDING => "building",
        0x54 => "created",
        0xfd => "diagnosing",
        other => return format!("state {other:#04x}"),
    };
    word.to_owned()
}
