//! The migration record in the last sector, and how far a general migration (a reshape) has come.
//!
//! A general migration moves a volume unit by unit from the geometry of its second map to that of its first. The
//! record says which unit is next. It is written to the disks in slots 0 and 1 of the first map, slot
//! 0 first, and the MPB follows; so after a crash the copies may be one step apart.
//!
//! Where a unit lands on sectors that have not been moved yet, it is first written to a copy area (`rec_status`
//! 1). Until the next record, its sectors can be in the old place, the new place or only in the copy area.

use super::mpb::{Mpb, Volume, join};
use super::shape::{Shape, data_members};
use crate::disk_struct;
use crate::format::schema::{DiskStruct, Endian};
use crate::geometry::Geometry;
use crate::model::{ReshapeView, VolumeView};
use crate::record::{Direction, Problem, SectorRange};
use crate::units::Sectors;

/// The unit is being moved and is whole only in the copy area.
const IN_COPY_AREA: u32 = 1;

/// Length of the copy area in sectors.
pub(super) const COPY_AREA: u64 = 2048;

disk_struct! {
    /// The record.
    pub(super) struct Record {
        rec_status: u32,
        curr_migr_unit_lo: u32,
        family_num: u32 as hex,
        ascending_migr: u32,
        blocks_per_unit: u32,
        dest_depth_per_unit: u32,
        ckpt_area_pba_lo: u32,
        dest_1st_member_lba_lo: u32,
        num_migr_units_lo: u32,
        post_migr_vol_cap: u32,
        post_migr_vol_cap_hi: u32,
        ckpt_read_disk_num: u32,
        curr_migr_unit_hi: u32,
        ckpt_area_pba_hi: u32,
        dest_1st_member_lba_hi: u32,
        num_migr_units_hi: u32,
        filler: [u8; 64] as raw,
    }
}

/// The last sector of the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RecordSector {
    pub(super) record: Record,
    pub(super) tail: Vec<u8>,
}

impl RecordSector {
    /// Decodes a sector; none when it is too short.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let record = Record::decode(bytes, Endian::Little)?;
        Some(Self { record, tail: bytes.get(Record::SIZE..)?.to_vec() })
    }

    /// Encodes it.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.record.encode(Endian::Little);
        bytes.extend_from_slice(&self.tail);
        bytes
    }
}

impl Record {
    /// Whether nothing is recorded.
    pub(super) fn is_empty(&self) -> bool {
        self.encode(Endian::Little).iter().all(|&byte| byte == 0)
    }

    /// The unit that is next, or that is being moved.
    pub(super) fn curr_migr_unit(&self) -> u64 {
        join(self.curr_migr_unit_lo, self.curr_migr_unit_hi)
    }

    fn num_migr_units(&self) -> u64 {
        join(self.num_migr_units_lo, self.num_migr_units_hi)
    }

    fn dest_1st_member_lba(&self) -> u64 {
        join(self.dest_1st_member_lba_lo, self.dest_1st_member_lba_hi)
    }

    /// Where the copy area begins on each member, in blocks.
    pub(super) fn ckpt_area_pba(&self) -> u64 {
        join(self.ckpt_area_pba_lo, self.ckpt_area_pba_hi)
    }
}

/// How far a reshape has come, in sectors of the array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Progress {
    /// All below is in the new geometry.
    position: Sectors,
    /// Nothing at or above this has been touched.
    end: Sectors,
}

/// A general migration as one disk sees it.
pub(super) struct Observed {
    pub(super) view: ReshapeView,
    pub(super) problems: Vec<Problem>,
}

/// What the disk knows of the general migration of a volume. `record` is given when the disk has one of the slots that
/// keep it.
pub(super) fn observe(
    mpb: &Mpb,
    volume: &Volume,
    from: &Shape,
    to: &Shape,
    size: Sectors,
    record: Option<&Record>,
) -> Observed {
    let view = ReshapeView {
        from: from.geometry,
        to: to.geometry,
        position: Sectors::ZERO,
        direction: Direction::Forward,
        moving: Sectors::ZERO,
        uncertain: Vec::new(),
        authoritative: false,
    };
    let (progress, authoritative, problems) =
        match record.map(|record| first_hand(mpb, volume, from, to, record)) {
            Some(Ok(progress)) => {
                return Observed { view: settle(view, progress, size, true), problems: Vec::new() };
            }
            // First hand too: the migration may be one step from where the other record has it, either way.
            Some(Err(problem)) => (Progress { position: Sectors::ZERO, end: size }, true, vec![problem]),
            None => (second_hand(mpb, volume, from, to, size), false, vec![second_hand_note()]),
        };
    let uncertain = range(progress.position, progress.end, size);
    Observed { view: ReshapeView { position: progress.position, uncertain, authoritative, ..view }, problems }
}

fn second_hand_note() -> Problem {
    let message = "the position of the migration is only known from the MPB: \
                   the record of it is on the disks in slots 0 and 1";
    Problem::note("position-from-mpb", message)
}

/// The progress that the record says.
fn first_hand(
    mpb: &Mpb,
    volume: &Volume,
    from: &Shape,
    to: &Shape,
    record: &Record,
) -> Result<Progress, Problem> {
    let unit = record.curr_migr_unit();
    let checkpoint = volume.curr_migr_unit().saturating_mul(mpb.scale());
    if unit < checkpoint {
        let message = format!("the record is at unit {unit}, the MPB already at {checkpoint}");
        return Err(Problem::error("migration-record", message));
    }
    if record.is_empty() {
        return Ok(Progress { position: Sectors::ZERO, end: Sectors::ZERO });
    }
    check(mpb, from, to, record).map_err(|message| Problem::error("migration-record", message))?;
    let blocks = u64::from(record.blocks_per_unit).saturating_mul(mpb.scale());
    let at = |unit: u64| Sectors(unit.saturating_mul(blocks));
    let end = if record.rec_status == IN_COPY_AREA { at(unit.saturating_add(1)) } else { at(unit) };
    Ok(Progress { position: at(unit), end })
}

/// What is wrong with a record, beside its not being the current one.
///
/// # Errors
/// What is wrong.
pub(super) fn check(mpb: &Mpb, from: &Shape, to: &Shape, record: &Record) -> Result<(), String> {
    let expect = |holds: bool, message: String| if holds { Ok(()) } else { Err(message) };
    let (unit, units) = (record.curr_migr_unit(), record.num_migr_units());
    let (depth, blocks) = (u64::from(record.dest_depth_per_unit), u64::from(record.blocks_per_unit));
    let families = [mpb.header.family_num, mpb.original_family()];
    expect(
        families.contains(&record.family_num),
        format!("the record is of family {:#010x}, the MPB of {:#010x}", record.family_num, families[0]),
    )?;
    expect(
        record.ascending_migr == 1,
        format!("ascending_migr is {}, only 1 (ascending) is supported", record.ascending_migr),
    )?;
    expect(record.rec_status <= 1, format!("rec_status is {}, expected 0 or 1", record.rec_status))?;
    let depth_sectors = depth.saturating_mul(mpb.scale());
    let chunk = largest_chunk(from, to);
    expect(
        (1..=COPY_AREA).contains(&depth_sectors) && depth_sectors.is_multiple_of(chunk),
        format!(
            "dest_depth_per_unit is {depth}, expected whole chunks of {chunk} sectors, at most {COPY_AREA}"
        ),
    )?;
    expect(
        depth.checked_mul(to.data_members) == Some(blocks),
        format!("blocks_per_unit is {blocks}, expected {depth} for each of {} data members", to.data_members),
    )?;
    expect(
        unit < units || unit == units && record.rec_status == 0,
        format!("the record is at unit {unit} of {units}"),
    )?;
    expect(
        unit.checked_mul(depth) == Some(record.dest_1st_member_lba()),
        format!("dest_1st_member_lba is {}, expected {unit} units of {depth}", record.dest_1st_member_lba()),
    )
}

/// The progress that the MPB says. It may be behind the record, so nothing above it is certain.
fn second_hand(mpb: &Mpb, volume: &Volume, from: &Shape, to: &Shape, size: Sectors) -> Progress {
    let largest = largest_chunk(from, to);
    let blocks = (COPY_AREA / largest).saturating_mul(largest).saturating_mul(to.data_members);
    let units = volume.curr_migr_unit().saturating_mul(mpb.scale());
    Progress { position: Sectors(units.saturating_mul(blocks)), end: size }
}

fn largest_chunk(from: &Shape, to: &Shape) -> u64 {
    let chunk = |shape: &Shape| shape.geometry.chunk.map_or(1, |chunk| u64::from(chunk.get()));
    chunk(from).max(chunk(to))
}

/// Sets the position, and says which sectors are between the geometries.
fn settle(view: ReshapeView, progress: Progress, size: Sectors, authoritative: bool) -> ReshapeView {
    let Progress { position, end } = progress;
    let overwritten = overwritten(&view.from, &view.to, end);
    let is_whole = overwritten <= position;
    ReshapeView {
        position,
        moving: if is_whole { end.saturating_sub(position) } else { Sectors::ZERO },
        uncertain: if is_whole { Vec::new() } else { range(position, end.max(overwritten), size) },
        authoritative,
        ..view
    }
}

fn range(start: Sectors, end: Sectors, size: Sectors) -> Vec<SectorRange> {
    let length_sectors = end.min(size).saturating_sub(start);
    if length_sectors.is_zero() {
        Vec::new()
    } else {
        vec![SectorRange { start_sectors: start, length_sectors }]
    }
}

/// The array sector of the old geometry below which stripes have been overwritten, in whole or in part, when all
/// below `end` has been moved.
fn overwritten(from: &Geometry, to: &Geometry, end: Sectors) -> Sectors {
    let stripe = |geometry: &Geometry| {
        let chunk = geometry.chunk.map_or(1, |chunk| u64::from(chunk.get()));
        (chunk, chunk.saturating_mul(data_members(geometry)).max(1))
    };
    let (old_chunk, old_stripe) = stripe(from);
    let (new_chunk, new_stripe) = stripe(to);
    let written = end.0.div_ceil(new_stripe).saturating_mul(new_chunk);
    Sectors(written.div_ceil(old_chunk).saturating_mul(old_stripe))
}

/// What all current members' views of a volume say of its reshape: no further than the record that is least far,
/// and nothing certain that a record further on may have overwritten.
pub(super) fn merge(views: &[&VolumeView]) -> Option<ReshapeView> {
    let champion = views.first()?;
    let view = champion.reshape.as_ref()?;
    let records: Vec<&ReshapeView> = views
        .iter()
        .filter_map(|view| view.reshape.as_ref())
        .filter(|other| other.authoritative && other.from == view.from && other.to == view.to)
        .collect();
    let Some(position) = records.iter().map(|record| record.position).min() else {
        return Some(view.clone());
    };
    let end = records.iter().map(|record| touched_end(record)).max().unwrap_or(position);
    Some(settle(view.clone(), Progress { position, end }, champion.size, true))
}

/// Where the sectors end that a view knows to have been touched.
fn touched_end(view: &ReshapeView) -> Sectors {
    let uncertain =
        view.uncertain.iter().map(|range| range.start_sectors.saturating_add(range.length_sectors));
    uncertain.fold(view.position.saturating_add(view.moving), Sectors::max)
}
