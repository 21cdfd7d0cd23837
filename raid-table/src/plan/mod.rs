//! From an array to its device-mapper tables: a pure function.
//!
//! | level | tables |
//! |---|---|
//! | linear | `linear` lines |
//! | raid0 | `striped`, a line for each zone of members of different sizes, and `linear` lines for a last row that the array does not fill |
//! | raid1, raid4, raid5, raid6 | `raid` without metadata devices |
//! | raid10 | `striped` over `raid` mirrors, because the kernel does not start its own raid10 without metadata devices |
//! | any that the format itself runs by device-mapper (`tuning`) | `raid` with its metadata devices, as LVM does |
//! | raid6 in md's own layouts (left-symmetric and so on) | `raid` for each row of the rotation: see [`rows`](self) below |
//!
//! **Members.** The raid target takes no offset for its devices, so a member that does not begin at the first
//! sector of its device, or does not end at its last, gets a helper device `NAME_member<slot>`. A size that
//! is no multiple of the stripe gets a helper `NAME_whole`, larger than the array, of which the array is the
//! first part.
//!
//! **Never a write of its own.** Without metadata devices the raid target starts no resync. A slot that is not in
//! sync is `- -`, and `rebuild` is never written: it rewrites the member even below a read-only mapping. So a
//! dirty array stays as it is until something scrubs it; a problem says so, and so does `sync` in its table, which has no
//! other effect. Where nothing records that a member of a degraded array is out of date as soon as the others are
//! written, a degraded array is read-only.
//!
//! **Subsets** come before what they are members of, each once. One that has no name of its own on disk is only a stretch
//! of a concatenation, and its lines stand there.
//!
//! **LVM.** An array with `tuning` is one that device-mapper runs with metadata devices: the kernel keeps
//! its own account of what is in sync, and resyncs by itself. A slot that is split off on purpose (`- -`) is not missed.
//! The kernel writes that account below a read-only mapping too, and notes missing members as failed. So what is mapped
//! read-only has no metadata devices, and the tables of its level.
//!
//! **md's raid6 layouts.** device-mapper knows the eight raid6 layouts that DDF and LVM have. Of md's own,
//! parity-first and parity-first-6 are `raid6_n_6` over the members in another order. In the four whose P
//! and Q rotate over all members, the members that hold P and Q, and the powers of the generator in Q, come
//! back every `n` rows. So the rows `r`, `r + n`, `r + 2n`, … together are an array of their own with fixed
//! parity, `raid6_n_6` over members in the order of the powers. `unstriped` makes one device of the chunks of those
//! rows on each member (`NAME_member<slot>_row<r>`), `raid` an array of them (`NAME_row<r>`), and `striped`,
//! with a row as chunk, the array of the `n` arrays. In the asymmetric layouts the data of a row is not in the
//! order of the powers, and one more pair of `unstriped` and `striped` puts it in order. This keeps the redundancy
//! and works degraded; it takes `n² + n` devices and more, and so it is done for up to 16 members.
//!
//! Refused, with the reason: what `--degraded` was not given for, an array that misses too many members, one whose
//! parity can not be trusted for what is missing, a reshape, a journal with entries, members with
//! bad-block lists (device-mapper would read what is there), layouts that the kernel's target does not have.

mod build;
mod error;
mod members;
mod names;
mod raid;
mod raid10;
mod raid_target;
mod rows;
mod stripes;
mod usable;

#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;

pub use error::{PlanError, Reason};
pub use names::{
    LVM_UUID_PREFIX, MD_UUID_PREFIX, OTHER_UUID_PREFIX, VENDOR_UUID_PREFIX, device_uuid, is_helper,
};

use crate::layout::{ArrayMap, LayoutError, Map, Side};
use build::Builder;
use members::Source;
use raid_meta::geometry::Level;
use raid_meta::record::{ArrayRecord, Problem, TableRecord};
use raid_meta::units::{ChunkSectors, Slot};

/// What is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Arrays that miss members are mapped too, as far as the level can do without.
    pub degraded: bool,
    /// Everything is mapped read-only.
    pub read_only: bool,
    /// Arrays that miss members are mapped for writing too, though nothing records what is written without them.
    pub read_write_anyway: bool,
    /// The same, because their metadata records what is written without them.
    pub recorded: bool,
}

/// The tables of an array.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The devices, each after those it depends on; the array itself is the last.
    pub tables: Vec<TableRecord>,
    /// What a user of the device should know.
    pub problems: Vec<Problem>,
}

/// The tables of an array; `arrays` is where its subsets are, if it has any.
///
/// # Errors
/// Why it can not or should not be mapped.
pub fn plan(array: &ArrayRecord, arrays: &[ArrayRecord], options: &Options) -> Result<Plan, PlanError> {
    let mut planner =
        Planner { arrays, options, around: Vec::new(), plan: Plan::default(), stretches: Vec::new() };
    planner.array(array).map_err(|reason| PlanError { array: array.name.clone(), reason })?;
    Ok(planner.plan)
}

/// Sets nested deeper than this do not exist; records that say so are wrong.
const MAX_NESTING: usize = 8;

/// A plan that grows, subsets first.
struct Planner<'a> {
    arrays: &'a [ArrayRecord],
    options: &'a Options,
    /// Names of the arrays that the one being planned is a subset of.
    around: Vec<&'a str>,
    plan: Plan,
    /// Tables that are no devices of their own.
    stretches: Vec<TableRecord>,
}

impl<'a> Planner<'a> {
    fn array(&mut self, array: &'a ArrayRecord) -> Result<(), Reason> {
        let missing = usable::missing(array);
        usable::check_whole(array)?;
        let layout = ArrayMap::new(array)?;
        let map = layout.map(Side::Before).ok_or(Reason::Reshaping)?;
        usable::check(array, map, &missing, self.options)?;
        let is_degraded = !usable::lost(array, &missing).is_empty();
        let mut read_only = self.options.read_only
            || (is_degraded && !self.options.read_write_anyway && !self.options.recorded)
            || array.write_log.is_some();
        self.around.push(&array.name);
        for name in usable::subsets(array, read_only) {
            self.subset(array, name)?;
            read_only |= self.known(name).is_some_and(|table| table.read_only);
        }
        self.around.pop();
        self.plan.problems.extend(usable::notes(array, &missing, self.options, read_only));

        let context = Context {
            array,
            map,
            sources: members::sources(array, self.arrays)?,
            is_out_of_step: usable::is_out_of_step(array) && !read_only,
            stretches: &self.stretches,
        };
        let builder = Builder::new(array, read_only)?;
        self.plan.tables.extend(context.tables(builder)?);
        Ok(())
    }

    /// Plans a subset, unless that is done.
    fn subset(&mut self, array: &ArrayRecord, name: &str) -> Result<(), Reason> {
        if self.known(name).is_some() {
            return Ok(());
        }
        let subset = self.arrays.iter().find(|array| array.name == name && !self.around.contains(&name));
        let subset = subset.ok_or_else(|| Reason::SubsetMissing { name: name.to_owned() })?;
        if self.around.len() > MAX_NESTING {
            return Err(Reason::Nested { name: name.to_owned() });
        }
        self.array(subset)
            .map_err(|reason| Reason::Subset { name: name.to_owned(), reason: Box::new(reason) })?;
        if is_stretch(array, subset) {
            self.stretches.extend(self.plan.tables.pop());
        }
        Ok(())
    }

    fn known(&self, name: &str) -> Option<&TableRecord> {
        self.plan.tables.iter().chain(&self.stretches).find(|table| table.name == name)
    }
}

/// Whether a subset is only a stretch of a concatenation: stripes without a name of their own on disk.
fn is_stretch(array: &ArrayRecord, subset: &ArrayRecord) -> bool {
    let is_lvm = array.format.as_deref() == Some("lvm2");
    let is_plain = subset.tuning.is_none() && matches!(subset.level, Level::Raid0 | Level::Linear);
    is_lvm && array.level == Level::Linear && subset.volume.is_none() && is_plain
}

/// An array that can be mapped, and its members.
struct Context<'a> {
    array: &'a ArrayRecord,
    map: &'a Map,
    /// By slot; none where the member is not to be used.
    sources: Vec<Option<Source>>,
    /// Its redundancy may be out of step, and it can be written.
    is_out_of_step: bool,
    /// Tables of subsets that are to be part of this one's.
    stretches: &'a [TableRecord],
}

impl Context<'_> {
    fn tables(&self, builder: Builder) -> Result<Vec<TableRecord>, Reason> {
        if let Some(tuning) = self.array.tuning.as_ref().filter(|_| !builder.is_read_only()) {
            return self.raid_target(builder, tuning);
        }
        match self.array.level {
            Level::Linear => self.concatenation(builder),
            Level::Raid0 => self.stripes(builder),
            Level::Raid1 => self.mirror(builder),
            Level::Raid4 | Level::Raid5 | Level::Raid6 => self.parity(builder),
            Level::Raid10 => self.raid10(builder),
        }
    }

    fn source(&self, slot: Slot) -> Option<&Source> {
        self.sources.get(slot.index())?.as_ref()
    }

    fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        (0..self.map.slots()).map(Slot)
    }

    fn chunk(&self) -> Result<ChunkSectors, Reason> {
        self.array.chunk_sectors.ok_or(Reason::Layout(LayoutError::ChunkMissing { level: self.array.level }))
    }
}
