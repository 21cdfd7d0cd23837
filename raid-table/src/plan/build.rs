//! Making the records: drafts of tables, helper devices, names.

use super::error::Reason;
use super::names::{check_name, check_uuid, device_uuid};
use crate::target::{
    Device, Leg, Line, Linear, Place, Raid, RaidParams, RaidType, Striped, Target, Unstriped,
};
use raid_meta::record::{ArrayRecord, TableRecord, TableRole, V1};
use raid_meta::units::Sectors;

/// A range that begins somewhere on a device and can be mapped.
#[derive(Clone, Debug)]
pub(super) struct Part {
    device: Device,
    start: Sectors,
    /// The dm device that it is, if it is one of ours.
    depends: Option<String>,
}

impl Part {
    pub(super) fn new(device: Device, start: Sectors, depends: Option<String>) -> Self {
        Self { device, start, depends }
    }

    /// The same device from further on.
    pub(super) fn at(&self, offset: Sectors) -> Result<Self, Reason> {
        Ok(Self { start: add(self.start, offset)?, ..self.clone() })
    }

    /// Whether it begins where the device does.
    pub(super) fn is_whole_device(&self) -> bool {
        self.start.is_zero()
    }

    fn place(&self) -> Place {
        Place { device: self.device.clone(), offset: self.start }
    }
}

/// A table that is being written, line by line.
#[derive(Debug, Default)]
pub(super) struct Draft {
    lines: Vec<Line>,
    depends: Vec<String>,
    end: Sectors,
}

impl Draft {
    pub(super) fn linear(&mut self, part: &Part, length: Sectors) -> Result<(), Reason> {
        self.uses(part);
        self.push(length, Target::Linear(Linear { place: part.place() }))
    }

    pub(super) fn striped(&mut self, chunk: Sectors, parts: &[Part], length: Sectors) -> Result<(), Reason> {
        parts.iter().for_each(|part| self.uses(part));
        let stripes = parts.iter().map(Part::place).collect();
        self.push(length, Target::Striped(Striped { chunk, stripes }))
    }

    /// The chunks `stripe`, `stripe + stripes`, … of a part.
    pub(super) fn unstriped(
        &mut self,
        (stripe, stripes): (u32, u32),
        chunk: Sectors,
        part: &Part,
        length: Sectors,
    ) -> Result<(), Reason> {
        self.uses(part);
        self.push(length, Target::Unstriped(Unstriped { stripes, chunk, stripe, place: part.place() }))
    }

    /// A raid over whole devices, without metadata; none stands for a member that is not to be used.
    pub(super) fn raid(
        &mut self,
        kind: RaidType,
        chunk: Sectors,
        params: RaidParams,
        members: &[Option<Part>],
        length: Sectors,
    ) -> Result<(), Reason> {
        let members: Vec<_> = members.iter().map(|data| (None, data.clone())).collect();
        self.raid_with_metadata(kind, chunk, params, &members, length)
    }

    /// A raid over whole devices, each with the device of its metadata.
    pub(super) fn raid_with_metadata(
        &mut self,
        kind: RaidType,
        chunk: Sectors,
        params: RaidParams,
        members: &[(Option<Part>, Option<Part>)],
        length: Sectors,
    ) -> Result<(), Reason> {
        let parts = members.iter().flat_map(|(meta, data)| [meta, data]);
        parts.flatten().for_each(|part| self.uses(part));
        let device = |part: &Option<Part>| part.as_ref().map(|part| part.device.clone());
        let legs =
            members.iter().map(|(meta, data)| Leg { meta: device(meta), data: device(data) }).collect();
        self.push(length, Target::Raid(Raid { kind, chunk, params, legs }))
    }

    /// All lines of a table that is not to be a device of its own.
    pub(super) fn append(&mut self, table: &TableRecord) -> Result<(), Reason> {
        for line in &table.lines {
            let line = Line::try_from(line).map_err(|_| Reason::OutOfRange)?;
            self.push(line.length, line.target)?;
        }
        let known = |name: &&String| !self.depends.contains(name);
        let new: Vec<String> = table.depends.iter().filter(known).cloned().collect();
        self.depends.extend(new);
        Ok(())
    }

    fn push(&mut self, length: Sectors, target: Target) -> Result<(), Reason> {
        self.lines.push(Line { start: self.end, length, target });
        self.end = add(self.end, length)?;
        Ok(())
    }

    fn uses(&mut self, part: &Part) {
        match &part.depends {
            Some(name) if !self.depends.contains(name) => self.depends.push(name.clone()),
            _ => {}
        }
    }
}

/// The tables of one array.
pub(super) struct Builder {
    name: String,
    uuid: String,
    read_only: bool,
    tables: Vec<TableRecord>,
}

impl Builder {
    pub(super) fn new(array: &ArrayRecord, read_only: bool) -> Result<Self, Reason> {
        check_name(&array.name)?;
        Ok(Self { name: array.name.clone(), uuid: device_uuid(array), read_only, tables: Vec::new() })
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// A helper device `NAME_<suffix>`.
    pub(super) fn helper(&mut self, suffix: &str, draft: Draft) -> Result<Part, Reason> {
        let name = format!("{}_{suffix}", self.name);
        let uuid = format!("{}-{suffix}", self.uuid);
        self.add(name.clone(), uuid, TableRole::Member, draft)?;
        Ok(Part::new(Device::mapped(&name), Sectors::ZERO, Some(name)))
    }

    /// The array itself.
    pub(super) fn array(mut self, draft: Draft) -> Result<Vec<TableRecord>, Reason> {
        self.add(self.name.clone(), self.uuid.clone(), TableRole::Array, draft)?;
        Ok(self.tables)
    }

    /// The array itself, as the first `size` sectors of a table that is `draft.end` long.
    pub(super) fn first_part(mut self, draft: Draft, size: Sectors) -> Result<Vec<TableRecord>, Reason> {
        if draft.end == size {
            return self.array(draft);
        }
        let whole = self.helper("whole", draft)?;
        let mut cut = Draft::default();
        cut.linear(&whole, size)?;
        self.array(cut)
    }

    fn add(&mut self, name: String, uuid: String, role: TableRole, draft: Draft) -> Result<(), Reason> {
        check_name(&name)?;
        check_uuid(&uuid)?;
        Line::check_table(&draft.lines)?;
        self.tables.push(TableRecord {
            v: V1,
            name,
            uuid,
            array: self.name.clone(),
            role,
            depends: draft.depends,
            read_only: self.read_only,
            lines: draft.lines.into_iter().map(Into::into).collect(),
        });
        Ok(())
    }
}

pub(super) fn add(one: Sectors, other: Sectors) -> Result<Sectors, Reason> {
    one.checked_add(other).ok_or(Reason::OutOfRange)
}

pub(super) fn times(one: Sectors, factor: u64) -> Result<Sectors, Reason> {
    one.checked_mul(factor).ok_or(Reason::OutOfRange)
}
