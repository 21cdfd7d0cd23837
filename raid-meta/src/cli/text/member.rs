//! Members: a line for each volume that a device is part of.

use super::grid::Cell;
use super::{Grid, Painter, Tone, or_dash, word};
use crate::cli::human;
use crate::record::{MemberRecord, Record, Role, Severity, VolumeRecord};

const HEADINGS: [&str; 11] = [
    "DEVICE",
    "FORMAT",
    "ROLE",
    ">SLOT",
    "LEVEL",
    "VOLUME",
    ">SIZE",
    "SET",
    ">GENERATION",
    "SERIAL",
    "PROBLEMS",
];

impl Painter {
    pub(super) fn members(self, records: &[Record]) -> String {
        let mut grid = Grid::new(&HEADINGS);
        let mut details = String::new();
        for record in records {
            let Record::Member(member) = record else { continue };
            if member.volumes.is_empty() {
                grid.row(row(member, None));
            }
            for volume in &member.volumes {
                grid.row(row(member, Some(volume)));
            }
            if self.verbose {
                details.push_str(&self.detail(member));
            }
        }
        grid.render(self, "") + &details
    }

    /// Where the metadata is, and everything that is wrong.
    fn detail(self, member: &MemberRecord) -> String {
        let mut lines = format!("{}\n", super::clean(&label(member)));
        let evidence: Vec<_> = member.evidence.iter().map(word).collect();
        lines.push_str(&format!("  found by {}\n", evidence.join(", ")));
        for area in &member.metadata {
            let (role, checksum) = (super::clean(&area.role), word(&area.checksum));
            let (offset, length) = (area.offset_bytes, area.length_bytes);
            lines.push_str(&format!("  {role} at byte {offset}, {length} bytes, checksum {checksum}\n"));
        }
        lines + &self.problems("  ", &member.problems)
    }
}

fn row(member: &MemberRecord, volume: Option<&VolumeRecord>) -> Vec<Cell> {
    let version = member.metadata_version.as_deref().unwrap_or_default();
    let level = volume.and_then(|volume| volume.level);
    let size = volume.and_then(|volume| volume.size_sectors);
    vec![
        label(member).into(),
        format!("{} {version}", member.format).trim_end().into(),
        Cell::toned(word(&member.role), role_tone(member.role)),
        or_dash(volume.and_then(|volume| volume.slot)).into(),
        or_dash(level.map(|level| level.name())).into(),
        or_dash(volume.and_then(|volume| volume.name.as_deref())).into(),
        or_dash(size.map(human::size)).into(),
        or_dash(member.set_name.as_deref().or(member.set_id.as_deref())).into(),
        or_dash(member.generation).into(),
        or_dash(member.serial.as_deref()).into(),
        problem_codes(member),
    ]
}

/// The device as messages name it.
fn label(member: &MemberRecord) -> String {
    match member.device_offset_sectors.to_bytes() {
        Some(offset) if !offset.is_zero() => format!("{}@{offset}", member.device),
        _ => member.device.clone(),
    }
}

fn role_tone(role: Role) -> Tone {
    match role {
        Role::Active | Role::Journal => Tone::Good,
        Role::Spare => Tone::Plain,
        Role::Foreign | Role::Unknown => Tone::Doubtful,
        Role::Failed => Tone::Bad,
    }
}

/// The codes of errors and warnings; the messages are on standard error, or in the details.
fn problem_codes(member: &MemberRecord) -> Cell {
    let shown = || member.problems.iter().filter(|problem| problem.severity != Severity::Note);
    let mut codes: Vec<&str> = shown().map(|problem| problem.code.as_str()).collect();
    codes.dedup();
    let tone = if shown().any(|problem| problem.is_error()) { Tone::Bad } else { Tone::Doubtful };
    Cell::toned(codes.join(", "), tone)
}
