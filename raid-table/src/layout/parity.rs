//! raid4, raid5 and raid6: rows of chunks, one or two of which are parity.
//!
//! Chunk `c` of an array with `d` data slots is chunk `c mod d` of stripe `c / d`, and stripe `s` is at chunk `s`
//! of every member. A layout is four choices: where P goes from row to row, where Q is relative to it,
//! whether data is laid out in slot order or following the parity, and in which order slots enter Q.
//!
//! Q is `XOR g^e·D` over the data. In md's own layouts `e` counts the data slots upwards from the one after Q,
//! wrapping around; in the DDF layouts `e` is the slot number itself, as if P and Q were blocks of zeros.

use super::{Content, Extent, Family, Place, Places, shortest, slot};
use raid_meta::geometry::{Layout, Level, ParityLayout};
use raid_meta::units::{Sectors, Slot};

/// Where P is in stripe `s` of `turn` members that take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Walk {
    First,
    /// After the data (and before Q).
    Last,
    /// From the last slot to the first.
    Left,
    /// The same, one stripe ahead.
    LeftAhead,
    /// From the first slot to the last.
    Right,
}

/// Where Q is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Second {
    None,
    AfterP,
    BeforeP,
    /// In the last slot, which does not take part in the rotation of the others.
    LastSlot,
}

/// How data is laid out in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// In slot order, skipping parity ("asymmetric", "restart").
    Ascending,
    /// From the slot after the parity, wrapping around ("symmetric", "continue").
    Following,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rule {
    walk: Walk,
    second: Second,
    order: Order,
    /// Whether the exponents of Q are slot numbers.
    ddf: bool,
}

impl Rule {
    /// The rule of a layout; none when it is not one of the level.
    fn new(level: Level, layout: ParityLayout) -> Option<Self> {
        use ParityLayout as L;
        let (walk, order) = match layout {
            L::LeftAsymmetric | L::LeftAsymmetric6 => (Walk::Left, Order::Ascending),
            L::RightAsymmetric | L::RightAsymmetric6 | L::DdfZeroRestart => (Walk::Right, Order::Ascending),
            L::LeftSymmetric | L::LeftSymmetric6 | L::DdfNContinue => (Walk::Left, Order::Following),
            L::RightSymmetric | L::RightSymmetric6 => (Walk::Right, Order::Following),
            L::ParityFirst | L::ParityFirst6 => (Walk::First, Order::Ascending),
            L::ParityLast => (Walk::Last, Order::Ascending),
            L::DdfNRestart => (Walk::LeftAhead, Order::Ascending),
        };
        let ddf = matches!(layout, L::DdfZeroRestart | L::DdfNRestart | L::DdfNContinue);
        let second = match level {
            Level::Raid4 if matches!(walk, Walk::First | Walk::Last) && !layout.is_raid6_only() => {
                Second::None
            }
            Level::Raid5 if !layout.is_raid6_only() => Second::None,
            Level::Raid6 if layout == L::DdfNContinue => Second::BeforeP,
            Level::Raid6 if layout.is_raid6_only() && !ddf => Second::LastSlot,
            Level::Raid6 => Second::AfterP,
            _ => return None,
        };
        Some(Self { walk, second, order, ddf })
    }
}

/// The map of an array with parity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parity {
    rule: Rule,
    slots: u64,
    /// Data slots of a row.
    data: u64,
    /// Members that take turns.
    turn: u64,
    /// The chunk is two to this power.
    shift: u32,
    rows: u64,
}

impl Parity {
    /// None when the layout is not one of the level.
    pub(super) fn new(level: Level, layout: Layout, shift: u32, lengths: &[Sectors]) -> Option<Self> {
        let rule = Rule::new(level, layout.parity()?)?;
        let slots = lengths.len() as u64;
        let data = slots.checked_sub(u64::from(level.parities()))?;
        let turn = if rule.second == Second::LastSlot { slots - 1 } else { slots };
        Some(Self { rule, slots, data, turn, shift, rows: shortest(lengths) >> shift })
    }

    pub(super) fn period(&self) -> u64 {
        if matches!(self.rule.walk, Walk::First | Walk::Last) { 1 } else { self.turn }
    }

    pub(super) fn row(&self, stripe: u64) -> Option<Row> {
        (stripe < self.rows).then(|| self.row_unchecked(stripe))
    }

    fn row_unchecked(&self, stripe: u64) -> Row {
        let p = match self.rule.walk {
            Walk::First => 0,
            Walk::Last => self.data,
            Walk::Left => self.turn - 1 - stripe % self.turn,
            Walk::LeftAhead => self.turn - 1 - (stripe % self.turn + 1) % self.turn,
            Walk::Right => stripe % self.turn,
        };
        let q = match self.rule.second {
            Second::None => None,
            Second::AfterP => Some(if p + 1 == self.slots { 0 } else { p + 1 }),
            Second::BeforeP => Some(p.checked_sub(1).unwrap_or(self.slots - 1)),
            Second::LastSlot => Some(self.slots - 1),
        };
        Row { map: *self, stripe, p, q }
    }

    fn within(&self, sector: u64) -> u64 {
        sector & ((1 << self.shift) - 1)
    }
}

impl Family for Parity {
    fn capacity(&self) -> u64 {
        (self.rows * self.data) << self.shift
    }

    fn extent(&self, at: u64, limit: u64) -> Extent {
        let chunk_number = at >> self.shift;
        let stripe = chunk_number / self.data;
        let row = self.row_unchecked(stripe);
        let place = Place {
            slot: slot(row.data_slot_number(chunk_number - stripe * self.data)),
            sector: Sectors((stripe << self.shift) + self.within(at)),
        };
        Extent {
            array: Sectors(at),
            length: Sectors(limit.min((1 << self.shift) - self.within(at))),
            stripe: Some(stripe),
            copies: Places::one(place),
        }
    }

    fn reverse(&self, number: u64, sector: u64) -> Option<Content> {
        let stripe = sector >> self.shift;
        let row = self.row(stripe)?;
        Some(match row.role(slot(number))? {
            Role::P => Content::P { stripe },
            Role::Q => Content::Q { stripe },
            Role::Data { index, .. } => Content::Data {
                array_sector: Sectors(
                    ((stripe * self.data + u64::from(index)) << self.shift) + self.within(sector),
                ),
                copy: 0,
            },
        })
    }

    fn used(&self, _: u64) -> u64 {
        self.rows << self.shift
    }
}

/// What a slot holds in a stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Data.
    Data {
        /// Position in the stripe's array data.
        index: u32,
        /// Power of the generator with which it enters Q; 0 where there is no Q.
        exponent: u8,
    },
    /// Exclusive-or of the data.
    P,
    /// Weighted sum of the data.
    Q,
}

/// One stripe of an array with parity: what each slot is to it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    map: Parity,
    stripe: u64,
    p: u64,
    q: Option<u64>,
}

impl Row {
    /// Number of the stripe.
    #[must_use]
    pub fn stripe(&self) -> u64 {
        self.stripe
    }

    /// Slot of P.
    #[must_use]
    pub fn p(&self) -> Slot {
        slot(self.p)
    }

    /// Slot of Q, in raid6.
    #[must_use]
    pub fn q(&self) -> Option<Slot> {
        self.q.map(slot)
    }

    /// Number of data slots.
    #[must_use]
    pub fn data_slots(&self) -> u32 {
        slot(self.map.data).0
    }

    /// First sector of the stripe on every member.
    #[must_use]
    pub fn member_sector(&self) -> Sectors {
        Sectors(self.stripe << self.map.shift)
    }

    /// The first array sector that a sector of P or Q covers. `member_sector` is one of this stripe's.
    #[must_use]
    pub fn array_sector(&self, member_sector: Sectors) -> Sectors {
        let start = (self.stripe * self.map.data) << self.map.shift;
        Sectors(start + self.map.within(member_sector.0))
    }

    /// What a slot holds; none for a slot that the array does not have.
    #[must_use]
    pub fn role(&self, slot: Slot) -> Option<Role> {
        let number = u64::from(slot.0);
        if number >= self.map.slots {
            return None;
        }
        if number == self.p {
            return Some(Role::P);
        }
        if Some(number) == self.q {
            return Some(Role::Q);
        }
        let index = u32::try_from(self.index(number)).ok()?;
        Some(Role::Data { index, exponent: self.exponent(number) })
    }

    /// The roles of all slots, in slot order.
    pub fn roles(&self) -> impl Iterator<Item = Role> + use<> {
        let row = *self;
        (0..self.map.slots).filter_map(move |number| row.role(slot(number)))
    }

    /// The slot of the data chunk at a position of the stripe; none beyond the last.
    #[must_use]
    pub fn data_slot(&self, index: u32) -> Option<Slot> {
        let index = u64::from(index);
        (index < self.map.data).then(|| slot(self.data_slot_number(index)))
    }

    fn data_slot_number(&self, index: u64) -> u64 {
        match self.map.rule.order {
            Order::Ascending => {
                let (low, high) = self.parities();
                let number = index + u64::from(index >= low);
                number + u64::from(number >= high)
            }
            Order::Following => (self.first() + index) % self.map.turn,
        }
    }

    fn index(&self, number: u64) -> u64 {
        match self.map.rule.order {
            Order::Ascending => {
                let (low, high) = self.parities();
                number - u64::from(number > low) - u64::from(number > high)
            }
            Order::Following => (number + 2 * self.map.turn - self.first()) % self.map.turn,
        }
    }

    /// The slot after the parity, not yet wrapped around: where data begins that follows it.
    fn first(&self) -> u64 {
        self.p + if self.map.rule.second == Second::AfterP { 2 } else { 1 }
    }

    /// The parity slots in slot order; a slot that no data has stands in for a missing Q.
    fn parities(&self) -> (u64, u64) {
        let q = self.q.unwrap_or(self.map.slots);
        (self.p.min(q), self.p.max(q))
    }

    fn exponent(&self, number: u64) -> u8 {
        let Some(q) = self.q else { return 0 };
        let after_q = |number: u64| (number + self.map.slots - q - 1) % self.map.slots;
        let exponent = if self.map.rule.ddf {
            number
        } else {
            after_q(number) - u64::from(after_q(self.p) < after_q(number))
        };
        u8::try_from(exponent).unwrap_or_default()
    }
}
