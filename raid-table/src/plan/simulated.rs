//! What the kernel would make of tables: follows a sector of a dm device down to the disks. For tests.
//!
//! linear, striped and unstriped are what the kernel's sources do; a raid target is the map of its own geometry.

use crate::layout::{Map, Role};
use crate::target::{Device, Line, Linear, Raid, RaidType, Striped, Target, Unstriped};
use raid_meta::geometry::{Geometry, Layout, Level};
use raid_meta::record::TableRecord;
use raid_meta::units::{ChunkSectors, Sectors, Slot};

/// A sector of a disk.
pub(super) type Spot = (String, u64);

/// The dm devices of a plan.
pub(super) struct Kernel<'a> {
    tables: &'a [TableRecord],
}

impl<'a> Kernel<'a> {
    /// Loads tables: what they depend on must be there already, and each line must be one that reads
    /// back and that the kernel takes.
    pub(super) fn load(tables: &'a [TableRecord]) -> Self {
        for (number, table) in tables.iter().enumerate() {
            for name in &table.depends {
                assert!(
                    tables[..number].iter().any(|earlier| earlier.name == *name),
                    "{name} is not there yet"
                );
            }
            let lines = lines(table);
            Line::check_table(&lines).unwrap_or_else(|error| panic!("{}: {error}", table.name));
            for (line, record) in lines.into_iter().zip(&table.lines) {
                assert_eq!(&raid_meta::record::TableLine::from(line), record);
            }
        }
        Self { tables }
    }

    fn table(&self, name: &str) -> Option<&TableRecord> {
        self.tables.iter().find(|table| table.name == name)
    }

    /// Number of sectors of a dm device.
    pub(super) fn size(&self, name: &str) -> u64 {
        self.table(name).unwrap().lines.iter().map(|line| line.length_sectors.0).sum()
    }

    /// Where the copies of a sector of a dm device are; none for a copy on a missing member.
    pub(super) fn resolve(&self, name: &str, sector: u64) -> Vec<Option<Spot>> {
        let lines = lines(self.table(name).unwrap_or_else(|| panic!("no device {name}")));
        let line = lines.iter().find(|line| (line.start.0..line.start.0 + line.length.0).contains(&sector));
        let line = line.unwrap_or_else(|| panic!("{name}: sector {sector} is beyond the end"));
        let at = sector - line.start.0;
        match &line.target {
            Target::Linear(Linear { place }) => self.below(&place.device, place.offset.0 + at),
            Target::Striped(Striped { chunk, stripes }) => {
                let (number, within) = (at / chunk.0, at % chunk.0);
                let place = &stripes[usize::try_from(number % stripes.len() as u64).unwrap()];
                self.below(&place.device, place.offset.0 + number / stripes.len() as u64 * chunk.0 + within)
            }
            Target::Unstriped(Unstriped { stripes, chunk, stripe, place }) => {
                let skipped = at / chunk.0 * chunk.0 * u64::from(stripes - 1);
                self.below(&place.device, place.offset.0 + at + skipped + u64::from(*stripe) * chunk.0)
            }
            Target::Raid(raid) => {
                let map = raid_map(raid, line.length);
                let extent = map.extents(Sectors(at), Sectors(1)).next().unwrap();
                let copies = extent.copies.iter();
                copies.flat_map(|copy| self.on_leg(raid, copy.slot, copy.sector.0)).collect()
            }
            other => panic!("{name}: sector {sector} is {}", other.kind()),
        }
    }

    fn below(&self, device: &Device, sector: u64) -> Vec<Option<Spot>> {
        let path = match device {
            Device::Path(path) => path.clone(),
            Device::Number { .. } => panic!("{device}"),
        };
        match path.strip_prefix("/dev/mapper/") {
            Some(name) => self.resolve(name, sector),
            None => vec![Some((path, sector))],
        }
    }

    fn on_leg(&self, raid: &Raid, slot: Slot, sector: u64) -> Vec<Option<Spot>> {
        match &raid.legs[slot.index()].data {
            Some(device) => self.below(device, sector),
            None => vec![None],
        }
    }

    /// For each parity target of all tables, each stripe and each of its members: where its chunk begins, and
    /// what the kernel takes it for.
    pub(super) fn stripes(&self) -> Vec<Vec<(Spot, Role)>> {
        let mut stripes = Vec::new();
        for line in self.tables.iter().flat_map(lines) {
            let Target::Raid(raid) = &line.target else { continue };
            if raid.kind.level().parities() == 0 {
                continue;
            }
            let map = raid_map(raid, line.length);
            for row in (0..).map_while(|stripe| map.row(stripe)) {
                let legs = (0..).map(Slot).zip(row.roles());
                let spots = legs.filter_map(|(slot, role)| {
                    let spot = self.on_leg(raid, slot, row.member_sector().0).remove(0)?;
                    Some((spot, role))
                });
                stripes.push(spots.collect());
            }
        }
        stripes
    }
}

fn lines(table: &TableRecord) -> Vec<Line> {
    table.lines.iter().map(|line| Line::try_from(line).unwrap()).collect()
}

/// The map of a target without metadata devices, as the kernel computes its geometry.
fn raid_map(raid: &Raid, length: Sectors) -> Map {
    let slots = u32::try_from(raid.legs.len()).unwrap();
    let level = raid.kind.level();
    let layout = raid.kind.layout().map(Layout::Parity);
    // dm's raid4 is md's level 5 with layout 4.
    let level = if raid.kind == RaidType::Raid4 { Level::Raid5 } else { level };
    let member = match level {
        Level::Raid1 => length.0,
        _ => length.0 / u64::from(slots - level.parities()),
    };
    let chunk = ChunkSectors::new(u32::try_from(raid.chunk.0).unwrap());
    let geometry = Geometry { level, layout, chunk, slots };
    let map = Map::new(&geometry, &vec![Sectors(member); raid.legs.len()], length).unwrap();
    assert_eq!(map.capacity(), length, "the kernel queues for ever what it rounds off");
    map
}
