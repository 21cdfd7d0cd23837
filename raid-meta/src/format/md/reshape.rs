//! A reshape as the superblock records it, and which array sectors it may have left in neither geometry.
//!
//! The recorded position is behind the real one. That does no harm as long as the kernel keeps what it moves
//! intact in its old place until the position is recorded, which it does wherever data is written to a place
//! from which it was moved before. Two cases are different: a reshape that writes every stripe over itself, and
//! the first stripes of one that does not move the data's offset.

use super::facts::{NONE, Reshape};
use super::shape::{self, data_slots};
use crate::geometry::{Geometry, Level};
use crate::model::ReshapeView;
use crate::record::{Direction, Problem, SectorRange};
use crate::units::Sectors;

/// Sectors of a member that the kernel may have rewritten since it last recorded its position: it does so every ten
/// seconds, and no member is taken to be faster than 2 GiB a second.
const UNRECORDED: Sectors = Sectors(10 * 2 * (1 << 21));

/// What the reshape means, or why it can not be followed.
pub(super) fn view(reshape: &Reshape, size: Sectors) -> Result<ReshapeView, Problem> {
    let from = shape::geometry(&reshape.from)?;
    let to = shape::geometry(&reshape.to)?;
    if reshape.position == NONE {
        let message = "a reshape is recorded without a position";
        return Err(Problem::error("reshape-position-invalid", message));
    }
    let direction = if reshape.backward { Direction::Backward } else { Direction::Forward };
    let step =
        Step { from: &from, to: &to, position: reshape.position, data_move: reshape.data_move, direction };
    let uncertain = step.uncertain(array_size(&from, &to, size));
    let position = Sectors(reshape.position);
    Ok(ReshapeView { from, to, position, direction, moving: Sectors::ZERO, uncertain, authoritative: true })
}

/// The size of the array while it is reshaped: what both geometries have.
pub(super) fn array_size(from: &Geometry, to: &Geometry, size: Sectors) -> Sectors {
    shape::array_size(from, size).min(shape::array_size(to, size))
}

/// A position at which the kernel would not go on, because it is not at the start of a stripe.
pub(super) fn position_problem(view: &ReshapeView) -> Option<Problem> {
    let unit = chunk(&view.from).max(chunk(&view.to)).checked_mul(u64::from(data_slots(&view.to)))?;
    let has_stripes = view.to.level.parities() > 0;
    (has_stripes && view.position.0.checked_rem(unit) != Some(0)).then(|| {
        let message = format!("reshape position is {}, expected a multiple of {unit} sectors", view.position);
        Problem::warning("reshape-position-unaligned", message)
    })
}

fn chunk(geometry: &Geometry) -> u64 {
    geometry.chunk.map_or(1, |chunk| u64::from(chunk.get()))
}

/// Where a reshape is.
struct Step<'a> {
    from: &'a Geometry,
    to: &'a Geometry,
    position: u64,
    data_move: i64,
    direction: Direction,
}

impl Step<'_> {
    /// Array sectors that may be in neither geometry.
    fn uncertain(&self, size: Sectors) -> Vec<SectorRange> {
        let length = if self.is_in_place() {
            UNRECORDED.0.saturating_mul(u64::from(data_slots(self.from).max(data_slots(self.to))))
        } else if self.is_too_early() {
            self.unit().map_or(u64::MAX, |unit| unit.saturating_mul(2))
        } else {
            return Vec::new();
        };
        let (start, end) = match self.direction {
            Direction::Forward => (self.position, self.position.saturating_add(length).min(size.0)),
            Direction::Backward => (self.position.saturating_sub(length), self.position.min(size.0)),
        };
        let length = Sectors(end.saturating_sub(start));
        if length.is_zero() {
            return Vec::new();
        }
        vec![SectorRange { start_sectors: Sectors(start), length_sectors: length }]
    }

    /// Every stripe is written over itself, or nearly.
    fn is_in_place(&self) -> bool {
        if self.from.level == Level::Raid10 || self.to.level == Level::Raid10 {
            return self.data_move == 0;
        }
        let largest_chunk = chunk(self.from).max(chunk(self.to));
        data_slots(self.from) == data_slots(self.to) && self.data_move.unsigned_abs() < largest_chunk
    }

    /// What is written next lies where data is read that has not been moved. The kernel refuses to go on from such a
    /// position by itself.
    fn is_too_early(&self) -> bool {
        if self.from.level == Level::Raid10 || data_slots(self.from) == data_slots(self.to) {
            return false;
        }
        let largest_chunk = chunk(self.from).max(chunk(self.to));
        let stripe = |geometry| {
            let data = largest_chunk.checked_mul(u64::from(data_slots(geometry)))?;
            let row = self.position.checked_div(data)?.checked_mul(largest_chunk)?;
            Some(i128::from(row))
        };
        let (Some(write), Some(read)) = (stripe(self.to), stripe(self.from)) else { return true };
        let write = write.saturating_add(i128::from(self.data_move));
        match self.direction {
            Direction::Forward => write >= read,
            Direction::Backward => write <= read,
        }
    }

    /// Array sectors after which stripes of both geometries begin together.
    fn unit(&self) -> Option<u64> {
        let stripe = |geometry| chunk(geometry).checked_mul(u64::from(data_slots(geometry)));
        let (old, new) = (stripe(self.from)?, stripe(self.to)?);
        old.checked_div(common_divisor(old, new))?.checked_mul(new)
    }
}

fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while let Some(rest) = a.checked_rem(b) {
        (a, b) = (b, rest);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::super::facts::Shape;
    use super::*;

    fn shape(slots: i64, chunk_sectors: u64) -> Shape {
        let chunk_bytes = chunk_sectors * 512;
        Shape { level: 5, layout: 2, raid0_layout: false, chunk_bytes, slots, max_slots: 1920 }
    }

    fn uncertain(reshape: &Reshape) -> Vec<(u64, u64)> {
        let view = view(reshape, Sectors(47104)).unwrap();
        view.uncertain.iter().map(|range| (range.start_sectors.0, range.length_sectors.0)).collect()
    }

    fn growing(position: u64, data_move: i64) -> Reshape {
        Reshape { from: shape(4, 128), to: shape(5, 128), position, backward: false, data_move }
    }

    #[test]
    fn a_growing_array_is_uncertain_only_where_it_writes_over_what_it_reads() {
        // Units of 1536 sectors: three and four chunks of data.
        assert_eq!(uncertain(&growing(0, 0)), [(0, 3072)]);
        assert_eq!(uncertain(&growing(512, 0)), [(512, 3072)]);
        assert_eq!(uncertain(&growing(12 * 1536, 0)), []);
        assert_eq!(uncertain(&growing(0, -2048)), []);
    }

    #[test]
    fn a_shrinking_array_is_uncertain_near_its_start() {
        let shrinking = |position| Reshape {
            from: shape(5, 128),
            to: shape(4, 128),
            position,
            backward: true,
            data_move: 0,
        };
        assert_eq!(uncertain(&shrinking(512)), [(0, 512)]);
        assert_eq!(uncertain(&shrinking(12 * 1536)), []);
        let view = view(&shrinking(1536), Sectors(47104)).unwrap();
        assert_eq!((view.from.slots, view.to.slots, view.direction), (5, 4, Direction::Backward));
    }

    #[test]
    fn a_stripe_written_over_itself_makes_everything_after_the_position_uncertain() {
        let rechunk = |data_move, backward| Reshape {
            from: shape(4, 128),
            to: shape(4, 256),
            position: 3072,
            backward,
            data_move,
        };
        let size = 3 * 47104;
        assert_eq!(uncertain(&rechunk(0, false)), [(3072, size - 3072)]);
        assert_eq!(uncertain(&rechunk(0, true)), [(0, 3072)]);
        assert_eq!(uncertain(&rechunk(255, true)), [(0, 3072)]);
        assert_eq!(uncertain(&rechunk(256, true)), []);
    }

    #[test]
    fn hostile_positions_do_no_harm() {
        for position in [u64::MAX - 1, 1 << 63, 47104 * 4, 1] {
            for data_move in [0, i64::from(i32::MIN), i64::from(i32::MAX)] {
                for backward in [false, true] {
                    let reshape = Reshape { backward, ..growing(position, data_move) };
                    let view = view(&reshape, Sectors(u64::MAX)).unwrap();
                    let _ = position_problem(&view);
                }
            }
        }
        assert!(view(&growing(NONE, 0), Sectors(0)).is_err());
    }
}
