//! md's own raid6 layouts, whose P and Q rotate over all members: an array of arrays, one for each row of the
//! rotation. The module above says how it works.

use super::Context;
use super::build::{Builder, Draft, Part, times};
use super::error::Reason;
use crate::layout::{Role, Row};
use crate::target::RaidType;
use raid_meta::geometry::Level;
use raid_meta::record::TableRecord;
use raid_meta::units::{Sectors, Slot};

/// Most members that are taken apart: with 16 it is 272 devices and more.
const MAX_MEMBERS: u32 = 16;

impl Context<'_> {
    pub(super) fn rotating_raid6(&self, mut builder: Builder) -> Result<Vec<TableRecord>, Reason> {
        let slots = self.map.slots();
        if self.array.level != Level::Raid6 || slots > MAX_MEMBERS {
            let layout = self.array.layout.map(|layout| layout.to_string()).unwrap_or_default();
            let what = format!("{} {layout} of {slots} members", self.array.level);
            return Err(Reason::Unsupported { what });
        }
        let rows = self.rows()?;
        let arrays: Vec<Part> = (0..slots)
            .filter_map(|number| self.map.row(u64::from(number)).filter(|row| row.stripe() < rows))
            .map(|row| self.row_array(&mut builder, &row, rows_of(&row, rows, slots)))
            .collect::<Result<_, _>>()?;
        builder.array(self.in_turn(&arrays, self.row_length()?, slots)?)
    }

    /// The array of all rows that have the same roles as this one.
    fn row_array(&self, builder: &mut Builder, row: &Row, rows: u64) -> Result<Part, Reason> {
        let chunk = self.chunk()?.sectors();
        let by_exponent = by_exponent(row);
        let parities = [Some(row.p()), row.q()].into_iter().flatten();
        let slots = by_exponent.iter().map(|data| data.slot).chain(parities);
        let members =
            slots.map(|slot| self.row_member(builder, slot, row, rows)).collect::<Result<Vec<_>, _>>()?;
        let mut draft = Draft::default();
        let length = times(self.row_length()?, rows)?;
        draft.raid(RaidType::Raid6N6, chunk, self.redundancy(Level::Raid6), &members, length)?;
        let array = builder.helper(&format!("row{}", row.stripe()), draft)?;
        let order: Vec<u32> = by_exponent.iter().map(|data| data.index).collect();
        if order.is_sorted() { Ok(array) } else { self.put_in_order(builder, row, &array, &order, length) }
    }

    /// The chunks of a member that are in those rows; none for a member that is not to be used.
    fn row_member(
        &self,
        builder: &mut Builder,
        slot: Slot,
        row: &Row,
        rows: u64,
    ) -> Result<Option<Part>, Reason> {
        let Some(source) = self.source(slot) else { return Ok(None) };
        let chunk = self.chunk()?.sectors();
        let number = u32::try_from(row.stripe()).map_err(|_| Reason::OutOfRange)?;
        let part = source.part(times(chunk, self.rows()?)?)?;
        let mut draft = Draft::default();
        draft.unstriped((number, self.map.slots()), chunk, part, times(chunk, rows)?)?;
        builder.helper(&format!("member{slot}_row{number}"), draft).map(Some)
    }

    /// The chunks of each row in the order of the data. `order` says which data is where.
    fn put_in_order(
        &self,
        builder: &mut Builder,
        row: &Row,
        array: &Part,
        order: &[u32],
        length: Sectors,
    ) -> Result<Part, Reason> {
        let chunk = self.chunk()?.sectors();
        let width = u32::try_from(order.len()).map_err(|_| Reason::OutOfRange)?;
        let column_length = Sectors(length.0.checked_div(u64::from(width)).unwrap_or_default());
        let mut columns = Vec::with_capacity(order.len());
        for (place, &index) in (0..width).zip(order) {
            let mut draft = Draft::default();
            draft.unstriped((place, width), chunk, array, column_length)?;
            columns.push((index, builder.helper(&format!("row{}_data{index}", row.stripe()), draft)?));
        }
        columns.sort_by_key(|(index, _)| *index);
        let parts: Vec<Part> = columns.into_iter().map(|(_, part)| part).collect();
        let mut draft = Draft::default();
        draft.striped(chunk, &parts, length)?;
        builder.helper(&format!("row{}_ordered", row.stripe()), draft)
    }
}

/// A data slot of a row.
struct Data {
    slot: Slot,
    index: u32,
}

/// The data slots in the order of the powers with which they enter Q.
fn by_exponent(row: &Row) -> Vec<Data> {
    let mut data: Vec<(u8, Data)> = (0..)
        .zip(row.roles())
        .filter_map(|(slot, role)| match role {
            Role::Data { index, exponent } => Some((exponent, Data { slot: Slot(slot), index })),
            Role::P | Role::Q => None,
        })
        .collect();
    data.sort_by_key(|(exponent, _)| *exponent);
    data.into_iter().map(|(_, data)| data).collect()
}

/// How many of the first `rows` rows have the roles of this one, one of the first turn.
fn rows_of(row: &Row, rows: u64, slots: u32) -> u64 {
    rows.saturating_sub(row.stripe()).div_ceil(u64::from(slots).max(1))
}
