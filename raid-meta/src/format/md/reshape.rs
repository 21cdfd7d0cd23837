//! A reshape as the superblock records it, and which array sectors it may have left in neither geometry.
//!
//! The recorded position is behind the real one. That does no harm where the kernel keeps what it moves intact in
//! its old place until the position is recorded: it stops before it writes where the recorded position still reads.
//! It does not stop while it has to write ahead of where it reads, and then records only every ten seconds; whoever
//! started the reshape has to keep a copy. So it is where data is written to the rows it was read from, and where the
//! two geometries begin (parity levels only; from there on they move apart). A reshape that also moves the offset of
//! the data is no better for parity levels: until it is assembled again, the kernel does not count the move. **Seen** on
//! 6.1: a power cut at a third of a change of layout with 2 MiB of room, position 0 recorded, stripes written over.

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
        let reach =
            if self.is_in_place() { Some(self.in_ten_seconds()) } else { self.reach_near_the_start() };
        let Some(reach) = reach else { return Vec::new() };
        let (start, end) = match self.direction {
            Direction::Forward => (self.position, reach.min(size.0)),
            Direction::Backward => (reach, self.position.min(size.0)),
        };
        let length = Sectors(end.saturating_sub(start));
        if length.is_zero() {
            return Vec::new();
        }
        vec![SectorRange { start_sectors: Sectors(start), length_sectors: length }]
    }

    /// Every stripe is written to the rows that it is read from, or near them.
    fn is_in_place(&self) -> bool {
        if self.from.level == Level::Raid10 || self.to.level == Level::Raid10 {
            return self.data_move == 0;
        }
        data_slots(self.from) == data_slots(self.to)
    }

    /// How far the kernel comes before it records its position by the clock.
    fn in_ten_seconds(&self) -> u64 {
        let data = u64::from(data_slots(self.from).max(data_slots(self.to)));
        let length = UNRECORDED.0.saturating_mul(data);
        match self.direction {
            Direction::Forward => self.position.saturating_add(length),
            Direction::Backward => self.position.saturating_sub(length),
        }
    }

    /// How far old data may be written over near the start of the array, where the kernel does not stop to record; none
    /// where it does. A row of a step that is read is `position / old`, the one written `position / new`; it stops once
    /// they are two steps apart.
    fn reach_near_the_start(&self) -> Option<u64> {
        if self.from.level == Level::Raid10 {
            return None;
        }
        let step = chunk(self.from).max(chunk(self.to));
        let (old, new) = (u64::from(data_slots(self.from)), u64::from(data_slots(self.to)));
        let apart = old.abs_diff(new);
        let border = step.checked_mul(2)?.checked_mul(old)?.checked_mul(new)?.checked_div(apart)?;
        let border = border.saturating_add(step.saturating_mul(old.max(new)));
        if self.position >= border {
            return None;
        }
        match self.direction {
            Direction::Forward => {
                let rows = border.div_ceil(new.max(1)).saturating_add_signed(self.data_move);
                let end = rows.saturating_mul(old);
                Some(end.checked_next_multiple_of(self.unit()?).unwrap_or(end))
            }
            Direction::Backward => Some(0_u64.saturating_add_signed(self.data_move).saturating_mul(old)),
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
        assert_eq!(uncertain(&growing(512, 0)), [(512, 2560)]);
        assert_eq!(uncertain(&growing(12 * 1536, 0)), []);
        assert_eq!(uncertain(&growing(0, -2048)), []);
    }

    #[test]
    fn a_little_room_before_the_data_does_not_make_the_start_of_a_growing_array_certain() {
        assert_eq!(uncertain(&growing(0, -384)), [(0, 1536)]);
        assert_eq!(uncertain(&growing(1536, -384)), []);
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
        assert_eq!(uncertain(&shrinking(3072)), [(0, 3072)]);
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
    }

    #[test]
    fn room_to_move_the_data_is_no_help_where_the_kernel_does_not_count_it() {
        let relayout = Reshape {
            from: shape(4, 128),
            to: Shape { layout: 1, ..shape(4, 128) },
            position: 0,
            backward: false,
            data_move: -4096,
        };
        assert_eq!(uncertain(&relayout), [(0, 3 * 47104)]);
        let moved = |level| {
            let level = |shape| Shape { level, layout: 0x102, ..shape };
            uncertain(&Reshape { from: level(shape(4, 128)), to: level(shape(4, 64)), ..relayout })
        };
        assert_eq!(moved(10), [], "raid10 counts it");
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
