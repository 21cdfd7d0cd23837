//! raid10: every chunk in several copies, as the Linux md driver lays them out.
//!
//! With `nc` near and `fc` far copies on `n` members, the `nc` near copies of chunk `c` are at the positions
//! `c·nc …` counted along rows of `n`. Each of them has `fc − 1` far copies, `nc` slots further on in its
//! set each time: a `stride` lower down the member (far), or in the rows that follow at once (offset). A set
//! is all members, or `fc·nc` of them (md's bit 18), or `n/fc` (bit 17, the first attempt); the last set takes
//! the members that are left over.
//!
//! Some words of md's store two chunks in one place. Those are found by laying out one period, and refused.

use super::{Content, Extent, Family, LayoutError, Place, Places, shortest, slot};
use raid_meta::geometry::{FarSteps, Raid10Layout};
use raid_meta::units::Sectors;
use std::collections::HashSet;

/// The map of a raid10.
#[derive(Clone, Debug)]
pub(super) struct Raid10 {
    slots: u64,
    near: u64,
    far: u64,
    offset: bool,
    /// The chunk is two to this power.
    shift: u32,
    /// Rows of chunks of the near copies.
    rows: u64,
    /// Chunks of the array.
    chunks: u64,
    steps: FarSteps,
    sharing: bool,
}

impl Raid10 {
    pub(super) fn new(layout: Raid10Layout, shift: u32, lengths: &[Sectors]) -> Result<Self, LayoutError> {
        let slots = u32::try_from(lengths.len()).unwrap_or(u32::MAX);
        let copies = layout.copies();
        if copies == 0 || copies > slots {
            return Err(LayoutError::MoreCopiesThanSlots { layout, slots });
        }
        let mut map = Self::unchecked(layout, u64::from(slots), shift, shortest(lengths) >> shift);
        match Self::period_of(layout, u64::from(slots)) {
            Period::Overlaps => Err(LayoutError::CopiesOverlap { layout, slots }),
            Period::Sound { sharing } => {
                map.sharing = sharing;
                Ok(map)
            }
        }
    }

    fn unchecked(layout: Raid10Layout, slots: u64, shift: u32, member_chunks: u64) -> Self {
        let (near, far) = (u64::from(layout.near), u64::from(layout.far));
        let rows = member_chunks / far;
        Self {
            slots,
            near,
            far,
            offset: layout.offset,
            shift,
            rows,
            chunks: rows * slots / near,
            steps: FarSteps::new(layout, u32::try_from(slots).unwrap_or(u32::MAX)),
            sharing: false,
        }
    }

    /// Rows of near copies after which the pattern repeats.
    pub(super) fn period(&self) -> u64 {
        self.near / greatest_common_divisor(self.slots, self.near)
    }

    pub(super) fn copies_share_a_member(&self) -> bool {
        self.sharing
    }

    /// Lays out one period with chunks of one sector, and looks what falls on what.
    fn period_of(layout: Raid10Layout, slots: u64) -> Period {
        let rows = Self::unchecked(layout, slots, 0, 0).period();
        let map = Self::unchecked(layout, slots, 0, rows * u64::from(layout.far));
        let mut taken = HashSet::new();
        let mut sharing = false;
        for chunk in 0..map.chunks {
            let mut members = HashSet::new();
            for place in &map.places(chunk, 0) {
                if !taken.insert(*place) {
                    return Period::Overlaps;
                }
                sharing |= !members.insert(place.slot);
            }
        }
        Period::Sound { sharing }
    }

    /// All copies of a chunk, in md's order.
    fn places(&self, chunk: u64, within: u64) -> Places {
        let position = chunk * self.near;
        let (mut row, mut member) = (position / self.slots, position % self.slots);
        if self.offset {
            row *= self.far;
        }
        let far_rows = if self.offset { 1 } else { self.rows };
        let mut places = Places::default();
        for _ in 0..self.near {
            let (mut far_member, mut far_row) = (member, row);
            for _ in 0..self.far {
                let sector = Sectors((far_row << self.shift) + within);
                places.push(Place { slot: slot(far_member), sector });
                far_member = self.steps.next(far_member);
                far_row += far_rows;
            }
            member += 1;
            if member == self.slots {
                member = 0;
                row += 1;
            }
        }
        places
    }
}

/// What one period of a layout looks like.
enum Period {
    /// Two chunks, or two copies, in one place.
    Overlaps,
    /// Every copy has its place.
    Sound {
        /// Some of them on one member.
        sharing: bool,
    },
}

impl Family for Raid10 {
    fn capacity(&self) -> u64 {
        self.chunks << self.shift
    }

    fn extent(&self, at: u64, limit: u64) -> Extent {
        let within = at & ((1 << self.shift) - 1);
        Extent {
            array: Sectors(at),
            length: Sectors(limit.min((1 << self.shift) - within)),
            stripe: None,
            copies: self.places(at >> self.shift, within),
        }
    }

    fn reverse(&self, number: u64, sector: u64) -> Option<Content> {
        let member_row = sector >> self.shift;
        if member_row >= self.rows * self.far {
            return None;
        }
        let (row, steps) = if self.offset {
            (member_row / self.far, member_row % self.far)
        } else {
            (member_row % self.rows, member_row / self.rows)
        };
        let chunk = (row * self.slots + self.steps.back(number, steps)) / self.near;
        if chunk >= self.chunks {
            return None;
        }
        let within = sector & ((1 << self.shift) - 1);
        let place = Place { slot: slot(number), sector: Sectors(sector) };
        let copy = self.places(chunk, within).iter().position(|copy| *copy == place)?;
        let array_sector = Sectors((chunk << self.shift) + within);
        Some(Content::Data { array_sector, copy })
    }

    fn used(&self, _: u64) -> u64 {
        (self.rows * self.far) << self.shift
    }
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
