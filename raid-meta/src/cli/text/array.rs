//! Arrays: a block each, with its members.

use super::grid::Cell;
use super::{Grid, Painter, Tone, clean, or_dash, word};
use crate::cli::human;
use crate::geometry::Geometry;
use crate::record::{ArrayMember, ArrayRecord, Record, ReshapeRecord, SpareRecord};
use crate::units::Sectors;

const HEADINGS: [&str; 6] = [">SLOT", "MEMBER", "STATE", ">OFFSET", ">LENGTH", "NOTE"];

impl Painter {
    pub(super) fn arrays(self, records: &[Record]) -> String {
        let blocks = records.iter().filter_map(|record| match record {
            Record::Array(array) => Some(self.array(array)),
            _ => None,
        });
        blocks.collect::<Vec<_>>().join("\n")
    }

    fn array(self, array: &ArrayRecord) -> String {
        let name = self.paint(&clean(&array.name), Tone::Heading);
        let health = self.paint(&word(&array.health), array.health.into());
        let size = human::size_and_sectors(array.size_sectors);
        let mut lines = format!("{name}: {}, {size}, {health}\n", shape(&array.geometry()));
        for (label, value) in self.facts(array) {
            lines.push_str(&format!("  {label:<10}{}\n", clean(&value)));
        }
        lines.push_str(&members(array).render(self, "  "));
        lines + &self.problems("  ", &array.problems)
    }

    /// What is known beyond the geometry.
    fn facts(self, array: &ArrayRecord) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        let mut add = |label, value: Option<String>| facts.extend(value.map(|value| (label, value)));
        add("volume", array.volume.clone());
        add("uuid", array.uuid.clone());
        add("format", array.format.clone());
        if self.verbose {
            add("set", array.set_id.clone());
        }
        add("dirty", array.dirty.filter(|dirty| *dirty).map(|_| "redundancy may be out of step".to_owned()));
        add("resync", array.resync_position_sectors.map(|sectors| format!("valid below sector {sectors}")));
        add("reshape", array.reshape.as_ref().map(reshape));
        add("write log", array.write_log.as_ref().map(word));
        facts
    }
}

/// `raid5 left-symmetric, 3 slots, chunk 64 KiB`.
fn shape(geometry: &Geometry) -> String {
    let mut text = geometry.level.name().to_owned();
    if let Some(layout) = &geometry.layout {
        text.push_str(&format!(" {layout}"));
    }
    text.push_str(&format!(", {} slots", geometry.slots));
    if let Some(chunk) = geometry.chunk {
        text.push_str(&format!(", chunk {}", human::size(chunk.sectors())));
    }
    text
}

fn reshape(reshape: &ReshapeRecord) -> String {
    let (from, to) = (shape(&reshape.from), shape(&reshape.to));
    let (direction, position) = (word(&reshape.direction), reshape.position_sectors);
    format!("from {from} to {to}, {direction}, at sector {position}")
}

fn members(array: &ArrayRecord) -> Grid {
    let mut grid = Grid::new(&HEADINGS);
    for member in &array.members {
        grid.row([
            member.slot.to_string().into(),
            or_dash(place(member)).into(),
            Cell::toned(word(&member.state), member.state),
            or_dash(member.offset_sectors).into(),
            or_dash(member.length_sectors).into(),
            note(member).into(),
        ]);
    }
    for SpareRecord { device, device_offset_sectors, device_length_sectors } in &array.spares {
        let place = window(device, Some(*device_offset_sectors));
        let length = device_length_sectors.to_string();
        grid.row(["-".into(), place.into(), "spare".into(), "-".into(), length.into(), "".into()]);
    }
    grid
}

/// The device with its window, or the array that the member is.
fn place(member: &ArrayMember) -> Option<String> {
    let device = member.device.as_deref().map(|device| window(device, member.device_offset_sectors));
    device.or_else(|| member.array.clone())
}

fn window(device: &str, offset: Option<Sectors>) -> String {
    match offset.and_then(Sectors::to_bytes) {
        Some(bytes) if !bytes.is_zero() => format!("{device}@{bytes}"),
        _ => device.to_owned(),
    }
}

fn note(member: &ArrayMember) -> String {
    let mut notes = Vec::new();
    if let Some(recovered) = member.recovered_sectors {
        notes.push(format!("{recovered} sectors recovered"));
    }
    if !member.bad_sectors.is_empty() {
        notes.push(format!("{} ranges of bad sectors", member.bad_sectors.len()));
    }
    notes.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_array_is_a_block_that_names_its_members() {
        let array: Record = serde_json::from_value(json!({
            "type": "array", "v": 1, "format": "md", "name": "md_r5", "volume": "r5", "level": "raid5",
            "layout": "left-symmetric", "chunk_sectors": 128, "size_sectors": 73728, "slots": 3,
            "health": "degraded",
            "members": [
                {"slot": 0, "device": "a.img", "state": "in-sync", "offset_sectors": 2048, "length_sectors": 36864},
                {"slot": 1, "device": "b.img", "device_offset_sectors": 2, "state": "stale"},
                {"slot": 2, "state": "missing"}],
            "problems": [{"code": "stale", "severity": "warning", "message": "b.img: is older\n"}],
        }))
        .unwrap();
        let block = "\
md_r5: raid5 left-symmetric, 3 slots, chunk 64 KiB, 36 MiB (73728 sectors), degraded
  volume    r5
  format    md
  SLOT  MEMBER      STATE    OFFSET  LENGTH
     0  a.img       in-sync    2048   36864
     1  b.img@1024  stale         -       -
     2  -           missing       -       -
  warning: b.img: is older\\x0a
";
        assert_eq!(Painter::default().table(std::slice::from_ref(&array)), block);
        assert_eq!(Painter::default().table(&[array.clone(), array]), format!("{block}\n{block}"));
    }
}
