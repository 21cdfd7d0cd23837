//! What is in a picture, before it is text or SVG.

use crate::layout::{ArrayMap, Content, LayoutError, Map, Side, Zone, map_of};
use raid_meta::escape;
use raid_meta::geometry::{Geometry, Layout, Level};
use raid_meta::record::{ArrayMember, ArrayRecord, Direction, MemberState, ReshapeRecord};
use raid_meta::units::{SECTOR_BYTES, Sectors, Slot};

/// Rows drawn of one pattern.
const MAX_ROWS: u64 = 8;
/// Rows drawn at least, so that a pattern of one row is seen to repeat.
const MIN_ROWS: u64 = 4;
/// Rows drawn of each zone or far copy, where there are several.
const SECTION_ROWS: u64 = 3;
/// Zones drawn.
const MAX_SECTIONS: usize = 8;

/// A drawing of one array.
pub(super) struct Picture {
    /// Name.
    pub(super) name: String,
    /// Level, layout, chunk, size and so on, in one line.
    pub(super) facts: String,
    /// One, or two for a reshape.
    pub(super) panels: Vec<Panel>,
    /// One line for each member, spare and note.
    pub(super) notes: Vec<String>,
}

/// A drawing of one geometry.
pub(super) struct Panel {
    pub(super) heading: Option<String>,
    pub(super) columns: Vec<Column>,
    pub(super) sections: Vec<Section>,
}

/// A slot.
pub(super) struct Column {
    pub(super) slot: Slot,
    /// Last part of the device's path.
    pub(super) device: String,
    pub(super) state: &'static str,
    pub(super) mark: Mark,
}

/// Rows that follow each other on the members.
pub(super) struct Section {
    pub(super) heading: Option<String>,
    pub(super) rows: Vec<Row>,
    /// What is left out after them.
    pub(super) more: Option<String>,
}

/// One row of chunks.
pub(super) struct Row {
    pub(super) label: String,
    pub(super) cells: Vec<Cell>,
}

/// One chunk, or one member where there are no chunks.
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) kind: Kind,
    pub(super) mark: Mark,
}

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Data; cells of one group belong together: a stripe, or the copies of a chunk.
    Data {
        group: u64,
    },
    /// A further copy.
    Copy {
        group: u64,
    },
    P,
    Q,
    Unused,
}

/// Whether a cell can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    Sound,
    /// Stale, or not rebuilt yet.
    Doubtful,
    /// Missing or failed.
    Absent,
}

impl Picture {
    pub(super) fn new(record: &ArrayRecord) -> Result<Self, LayoutError> {
        let panels = match &record.reshape {
            None => {
                let array = ArrayMap::new(record)?;
                let map = array.map(Side::Before).into_iter();
                map.map(|map| Panel::new(record, map, None, Sectors::ZERO)).collect()
            }
            Some(reshape) => reshape_panels(record, reshape)?,
        };
        Ok(Self { name: clean(&record.name), facts: facts(record), panels, notes: notes(record) })
    }

    /// Whether any cell has that mark.
    pub(super) fn has_mark(&self, mark: Mark) -> bool {
        self.cells().any(|cell| cell.mark == mark)
    }

    /// Whether any cell is of a kind.
    pub(super) fn has_kind(&self, wanted: impl Fn(Kind) -> bool) -> bool {
        self.cells().any(|cell| wanted(cell.kind))
    }

    fn cells(&self) -> impl Iterator<Item = &Cell> {
        let rows = self.panels.iter().flat_map(|panel| &panel.sections).flat_map(|section| &section.rows);
        rows.flat_map(|row| &row.cells)
    }
}

fn reshape_panels(record: &ArrayRecord, reshape: &ReshapeRecord) -> Result<Vec<Panel>, LayoutError> {
    ArrayMap::new(record)?;
    let (size, position) = (record.size_sectors, reshape.position_sectors.min(record.size_sectors));
    let (below, above) = ((Sectors::ZERO, position), (position, size));
    let (before, after) = match reshape.direction {
        Direction::Forward => (above, below),
        Direction::Backward => (below, above),
    };
    let panel = |title: &str, geometry: &Geometry, (start, end): (Sectors, Sectors)| {
        // A side that will never hold all of the array is drawn as far as it goes.
        let map = map_of(record, geometry, size).or_else(|_| {
            let capacity = map_of(record, geometry, Sectors::ZERO)?.capacity();
            map_of(record, geometry, capacity)
        })?;
        let range =
            if start < end { format!("sectors {start} to {}", end.0 - 1) } else { "nothing".to_owned() };
        let heading = format!("{title}: {}, holds {range}", shape(geometry));
        Ok(Panel::new(record, &map, Some(heading), start))
    };
    Ok(vec![panel("before", &reshape.from, before)?, panel("after", &reshape.to, after)?])
}

impl Panel {
    /// Draws a map from the row that has an array sector.
    fn new(record: &ArrayRecord, map: &Map, heading: Option<String>, from: Sectors) -> Self {
        let members: Vec<Option<&ArrayMember>> = (0..map.slots())
            .map(|slot| record.members.iter().find(|member| member.slot == Slot(slot)))
            .collect();
        let painter = Painter { map, members: &members };
        let columns =
            (0..).map(Slot).zip(&members).map(|(slot, member)| Column::new(slot, *member)).collect();
        Self { heading, columns, sections: painter.sections(from) }
    }
}

impl Column {
    fn new(slot: Slot, member: Option<&ArrayMember>) -> Self {
        let name = member.and_then(|member| member.device.as_deref().or(member.array.as_deref()));
        let device = clean(name.unwrap_or("-").rsplit('/').next().unwrap_or("-"));
        let state = member.map_or(MemberState::Missing, |member| member.state);
        Self { slot, device, state: state_name(state), mark: mark(member, None) }
    }
}

/// Draws the rows of one map.
struct Painter<'a> {
    map: &'a Map,
    members: &'a [Option<&'a ArrayMember>],
}

impl Painter<'_> {
    fn sections(&self, from: Sectors) -> Vec<Section> {
        match self.map.geometry().level {
            Level::Linear => vec![self.members_row("sectors", |slot, used| self.linear_range(slot, used))],
            Level::Raid1 => vec![self.members_row("all", |_, _| Some((Sectors::ZERO, self.map.size())))],
            Level::Raid0 if self.map.zones().len() > 1 => self.zones(),
            Level::Raid10 if self.far_parts() > 1 => {
                (0..self.far_parts()).map(|part| self.far_part(part)).collect()
            }
            _ => vec![self.pattern(from)],
        }
    }

    /// One row with a cell for all of each member.
    fn members_row(
        &self,
        label: &str,
        range: impl Fn(Slot, Sectors) -> Option<(Sectors, Sectors)>,
    ) -> Section {
        let cell = |number: u32| {
            let slot = Slot(number);
            let mark = mark(self.member(slot), None);
            match range(slot, self.map.used(slot)) {
                Some((start, end)) if start < end => {
                    let mirrored = self.map.geometry().level == Level::Raid1;
                    let kind = match number {
                        1.. if mirrored => Kind::Copy { group: 0 },
                        _ => Kind::Data { group: u64::from(number) },
                    };
                    Cell { text: format!("{start}-{}", end.0 - 1), kind, mark }
                }
                _ => Cell { text: "-".to_owned(), kind: Kind::Unused, mark },
            }
        };
        let cells = (0..self.map.slots()).map(cell).collect();
        Section { heading: None, rows: vec![Row { label: label.to_owned(), cells }], more: None }
    }

    fn linear_range(&self, slot: Slot, used: Sectors) -> Option<(Sectors, Sectors)> {
        match self.map.reverse(slot, Sectors::ZERO)? {
            Content::Data { array_sector, .. } => {
                Some((array_sector, array_sector.saturating_add(used).min(self.map.size())))
            }
            _ => None,
        }
    }

    fn zones(&self) -> Vec<Section> {
        let zones = self.map.zones();
        let mut sections: Vec<Section> = (0..)
            .zip(zones.iter().take(MAX_SECTIONS))
            .map(|(number, zone)| self.zone(number, zone))
            .collect();
        if let (Some(last), true) = (sections.last_mut(), zones.len() > MAX_SECTIONS) {
            last.more = Some(format!("{} more zones", zones.len() - MAX_SECTIONS));
        }
        sections
    }

    fn zone(&self, number: u32, zone: &Zone) -> Section {
        let end = zone.array_start().saturating_add(zone.array_length());
        let heading = format!(
            "zone {number}: sectors {} to {}, on {} of {} members from sector {}",
            zone.array_start(),
            end.0 - 1,
            zone.members().len(),
            self.map.slots(),
            zone.member_start(),
        );
        let first = zone.member_start().0 / self.chunk();
        let rows = zone.member_length().0 / self.chunk();
        self.section(Some(heading), first, rows, SECTION_ROWS)
    }

    /// Parts of a member that hold one far copy each.
    fn far_parts(&self) -> u64 {
        match self.map.geometry().layout {
            Some(Layout::Raid10(layout)) if !layout.offset => u64::from(layout.far),
            _ => 1,
        }
    }

    fn far_part(&self, part: u64) -> Section {
        let rows = self.rows() / self.far_parts();
        let heading = format!("far copy {part}, from sector {} of each member", part * rows * self.chunk());
        self.section(Some(heading), part * rows, rows, SECTION_ROWS)
    }

    fn pattern(&self, from: Sectors) -> Section {
        let first = self.rows_of(from).first().copied().unwrap_or_default();
        let last_sector = self.map.size().saturating_sub(Sectors(1));
        let end = self.rows_of(last_sector).into_iter().max().map_or(first, |last| last + 1);
        let offsets = match self.map.geometry().layout {
            Some(Layout::Raid10(layout)) if layout.offset => u64::from(layout.far),
            _ => 1,
        };
        let period = self.map.period().saturating_mul(offsets);
        let most = period.clamp(MIN_ROWS, MAX_ROWS);
        let mut section = self.section(None, first, end.saturating_sub(first), most);
        if let (Some(more), 2..) = (&mut section.more, period) {
            more.push_str(&format!("; the pattern repeats every {period}"));
        }
        section
    }

    /// At most `most` of some rows, and how many more there are.
    fn section(&self, heading: Option<String>, first: u64, count: u64, most: u64) -> Section {
        let rows = (first..first + count.min(most)).map(|row| self.row(row)).collect();
        let more = match count.saturating_sub(most) {
            0 => None,
            1 => Some("1 more row".to_owned()),
            left => Some(format!("{left} more rows")),
        };
        Section { heading, rows, more }
    }

    fn row(&self, row: u64) -> Row {
        let sector = Sectors(row * self.chunk());
        let cells = (0..self.map.slots()).map(|slot| self.cell(Slot(slot), row, sector)).collect();
        Row { label: row.to_string(), cells }
    }

    fn cell(&self, slot: Slot, row: u64, sector: Sectors) -> Cell {
        let mark = mark(self.member(slot), Some(sector.saturating_add(Sectors(self.chunk()))));
        let (text, kind) = match self.map.reverse(slot, sector) {
            Some(Content::Data { array_sector, copy }) => {
                let chunk = array_sector.0 / self.chunk();
                let copied = self.map.geometry().level == Level::Raid10;
                let kind = match copy {
                    0 => Kind::Data { group: if copied { chunk } else { row } },
                    _ => Kind::Copy { group: chunk },
                };
                (format!("D{chunk}"), kind)
            }
            Some(Content::P { .. }) => ("P".to_owned(), Kind::P),
            Some(Content::Q { .. }) => ("Q".to_owned(), Kind::Q),
            None => ("-".to_owned(), Kind::Unused),
        };
        Cell { text, kind, mark }
    }

    fn member(&self, slot: Slot) -> Option<&ArrayMember> {
        self.members.get(slot.index()).copied().flatten()
    }

    fn chunk(&self) -> u64 {
        self.map.geometry().chunk.map_or(1, |chunk| chunk.sectors().0)
    }

    /// Rows of chunks that a member has.
    fn rows(&self) -> u64 {
        self.map.used(Slot(0)).0 / self.chunk()
    }

    /// The rows of chunks that have an array sector, first copy first.
    fn rows_of(&self, sector: Sectors) -> Vec<u64> {
        let extent = self.map.extents(sector, Sectors(1)).next();
        let copies = extent.map(|extent| extent.copies).unwrap_or_default();
        copies.iter().map(|place| place.sector.0 / self.chunk()).collect()
    }
}

/// How far a member can be relied on, up to a sector of its data or all in all.
fn mark(member: Option<&ArrayMember>, end: Option<Sectors>) -> Mark {
    let Some(member) = member else { return Mark::Absent };
    match member.state {
        MemberState::InSync => Mark::Sound,
        MemberState::Rebuilding => {
            let recovered = member.recovered_sectors.unwrap_or_default();
            if end.is_some_and(|end| end <= recovered) { Mark::Sound } else { Mark::Doubtful }
        }
        MemberState::Stale => Mark::Doubtful,
        MemberState::Missing | MemberState::Failed => Mark::Absent,
    }
}

fn state_name(state: MemberState) -> &'static str {
    match state {
        MemberState::InSync => "in-sync",
        MemberState::Rebuilding => "rebuilding",
        MemberState::Stale => "stale",
        MemberState::Missing => "missing",
        MemberState::Failed => "failed",
    }
}

/// Level, layout, chunk, slots.
fn shape(geometry: &Geometry) -> String {
    let layout = geometry.layout.map(|layout| format!(" {layout}")).unwrap_or_default();
    let chunk = geometry.chunk.map(|chunk| format!(", chunk {}", human(chunk.sectors()))).unwrap_or_default();
    format!("{}{layout}{chunk}, {} slots", geometry.level, geometry.slots)
}

fn facts(record: &ArrayRecord) -> String {
    let size = format!("{} ({} sectors)", human(record.size_sectors), record.size_sectors);
    let health = serde_json::to_value(record.health).ok();
    let health = health.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
    let dirty = if record.dirty == Some(true) { ", dirty" } else { "" };
    format!("{}, {size}, {health}{dirty}", shape(&record.geometry()))
}

fn notes(record: &ArrayRecord) -> Vec<String> {
    let mut notes: Vec<String> = record.members.iter().map(member_note).collect();
    notes.extend(record.spares.iter().map(|spare| format!("spare: {}", clean(&spare.device))));
    if let Some(reshape) = &record.reshape {
        let direction = match reshape.direction {
            Direction::Forward => "forward, moved below",
            Direction::Backward => "backward, moved from",
        };
        notes.push(format!("reshape: {direction} sector {}", reshape.position_sectors));
    }
    notes
}

fn member_note(member: &ArrayMember) -> String {
    let mut note = format!("slot {}: ", member.slot);
    match (&member.device, &member.array) {
        (Some(device), _) => note.push_str(&clean(device)),
        (None, Some(array)) => note.push_str(&format!("array {}", clean(array))),
        (None, None) => note.push('-'),
    }
    if let Some(window) = member.device_offset_sectors.filter(|window| !window.is_zero()) {
        note.push_str(&format!(", window at sector {window}"));
    }
    if let Some(offset) = member.offset_sectors {
        note.push_str(&format!(", data at sector {offset}"));
    }
    if let Some(length) = member.length_sectors {
        note.push_str(&format!(", {length} sectors"));
    }
    note.push_str(&format!(", {}", state_name(member.state)));
    if let Some(recovered) = member.recovered_sectors {
        note.push_str(&format!(" below {recovered}"));
    }
    note
}

/// A length in the largest unit that leaves a whole number or one decimal.
fn human(length: Sectors) -> String {
    const UNITS: [&str; 6] = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let bytes = u128::from(length.0) * u128::from(SECTOR_BYTES);
    let (mut unit, mut scale) = (UNITS[0], 1);
    for (number, name) in (0..).zip(UNITS) {
        if bytes >= 1 << (10 * number) {
            (unit, scale) = (name, 1u128 << (10 * number));
        }
    }
    let tenths = bytes * 10 / scale;
    if tenths % 10 == 0 {
        format!("{} {unit}", tenths / 10)
    } else {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    }
}

/// A text of a record, harmless even where the record was written by hand. What is escaped already stays as it is.
fn clean(text: &str) -> String {
    text.split('\\').map(|part| escape::escape(part.as_bytes())).collect::<Vec<_>>().join("\\")
}

/// At most `most` characters of a name: its end, which tells devices apart.
pub(super) fn shorten(name: &str, most: usize) -> String {
    let length = name.chars().count();
    if length <= most {
        return name.to_owned();
    }
    let kept: String = name.chars().skip((length + 1).saturating_sub(most)).collect();
    format!("…{kept}")
}
