//! raid10, as mirrors in turn.
//!
//! The raid target's own raid10 is of no use here: without metadata devices it starts with an empty layout word, and
//! the kernel refuses it in every form (`unsupported raid10 layout: 0x0`, Linux 6.1).
//!
//! Which members hold the copies of a chunk comes back after `p` chunks, and from one turn to the next the
//! copies are each a fixed number of chunks further down their member. So the chunks `j`, `j + p`, `j + 2p`, … are a
//! mirror (`NAME_mirror<j>`) of pieces of members: a range, where the copies follow each other, else every so many
//! chunks of it. The array is the `p` mirrors in turn. All of that is read off the map, so it holds for every
//! layout that can be mapped.

use super::Context;
use super::build::{Builder, Draft, Part, times};
use super::error::Reason;
use crate::layout::{LayoutError, Place};
use crate::target::RaidType;
use raid_meta::geometry::{Level, Raid10Layout};
use raid_meta::record::TableRecord;
use raid_meta::units::Sectors;

/// Most pieces of members that an array is taken apart into.
const MAX_PIECES: u32 = 1024;

/// One of the mirrors that an array consists of.
struct Mirror {
    number: u32,
    /// Where its first chunk is.
    copies: Vec<Place>,
    /// From one of its chunks to the next, on every member.
    step: u32,
    chunks: u64,
}

impl Context<'_> {
    pub(super) fn raid10(&self, mut builder: Builder) -> Result<Vec<TableRecord>, Reason> {
        let layout = self.array.layout.and_then(|layout| layout.raid10());
        let layout = layout.ok_or(Reason::Layout(LayoutError::LayoutMissing { level: Level::Raid10 }))?;
        let turn = mirrors_in_turn(layout, self.map.slots());
        if turn.saturating_mul(layout.copies()) > MAX_PIECES {
            let what = format!("raid10 {layout} of {} members", self.map.slots());
            return Err(Reason::Unsupported { what });
        }
        let chunk = self.chunk()?.sectors();
        let mut parts = Vec::new();
        for number in 0..turn {
            if let Some(mirror) = self.mirror_of_chunk(number, turn)? {
                parts.push(self.mirror_part(&mut builder, &mirror, turn)?);
            }
        }
        builder.array(self.in_turn(&parts, chunk, turn)?)
    }

    /// The mirror that a chunk of the first turn begins; none when the array has no such chunk.
    fn mirror_of_chunk(&self, number: u32, turn: u32) -> Result<Option<Mirror>, Reason> {
        let chunk = self.chunk()?.sectors();
        let copies_of = |number: u64| -> Result<Option<Vec<Place>>, Reason> {
            let extent = self.map.extents(times(chunk, number)?, Sectors(1)).next();
            Ok(extent.map(|extent| extent.copies.to_vec()))
        };
        let first = u64::from(number);
        let Some(copies) = copies_of(first)? else { return Ok(None) };
        let next = copies_of(first.saturating_add(u64::from(turn)))?;
        let step = next.as_deref().map_or(Ok(1), |next| step(&copies, next, chunk))?;
        let all = self.map.size().0.div_ceil(chunk.0.max(1));
        let chunks = all.saturating_sub(first).div_ceil(u64::from(turn).max(1));
        Ok(Some(Mirror { number, copies, step, chunks }))
    }

    fn mirror_part(&self, builder: &mut Builder, mirror: &Mirror, turn: u32) -> Result<Part, Reason> {
        let length = times(self.chunk()?.sectors(), mirror.chunks)?;
        // Where each member is in one mirror only, and all of it, it is a plain helper.
        let is_plain = mirror.step == 1
            && mirror.copies.iter().all(|copy| copy.sector.is_zero())
            && u64::from(turn).saturating_mul(mirror.copies.len() as u64) == u64::from(self.map.slots());
        let mut members = Vec::with_capacity(mirror.copies.len());
        for (number, copy) in mirror.copies.iter().enumerate() {
            members.push(match self.source(copy.slot) {
                None => None,
                Some(source) if is_plain => Some(source.whole_device(builder, length)?),
                Some(_) => Some(self.copy_part(builder, mirror, number, *copy, length)?),
            });
        }
        if let [Some(only)] = members.as_slice() {
            return Ok(only.clone());
        }
        let mut draft = Draft::default();
        draft.raid(RaidType::Raid1, Sectors::ZERO, self.redundancy(Level::Raid1), &members, length)?;
        builder.helper(&format!("mirror{}", mirror.number), draft)
    }

    /// The chunks of one copy of a mirror.
    fn copy_part(
        &self,
        builder: &mut Builder,
        mirror: &Mirror,
        number: usize,
        copy: Place,
        length: Sectors,
    ) -> Result<Part, Reason> {
        let chunk = self.chunk()?.sectors();
        let before_last =
            times(chunk, mirror.chunks.saturating_sub(1).saturating_mul(u64::from(mirror.step)))?;
        let reach = before_last.saturating_add(chunk);
        let part = self.piece(copy.slot, copy.sector, reach)?;
        let mut draft = Draft::default();
        match mirror.step {
            1 => draft.linear(&part, length)?,
            step => draft.unstriped((0, step), chunk, &part, length)?,
        }
        builder.helper(&format!("mirror{}_copy{number}", mirror.number), draft)
    }
}

/// Chunks after which the same members hold the copies again.
fn mirrors_in_turn(layout: Raid10Layout, slots: u32) -> u32 {
    let (mut divisor, mut rest) = (slots, u32::from(layout.near));
    while rest != 0 {
        (divisor, rest) = (rest, divisor.checked_rem(rest).unwrap_or_default());
    }
    slots.checked_div(divisor).unwrap_or_default()
}

/// How many chunks further down each copy is a turn later.
fn step(copies: &[Place], next: &[Place], chunk: Sectors) -> Result<u32, Reason> {
    let chunks = |(copy, next): (&Place, &Place)| {
        let distance = next.sector.checked_sub(copy.sector).filter(|_| next.slot == copy.slot)?;
        u32::try_from(distance.0.checked_div(chunk.0)?).ok()
    };
    let mut steps = copies.iter().zip(next).map(chunks);
    let first = steps.next().flatten().filter(|&step| step > 0).ok_or(Reason::OutOfRange)?;
    if steps.all(|step| step == Some(first)) { Ok(first) } else { Err(Reason::OutOfRange) }
}
