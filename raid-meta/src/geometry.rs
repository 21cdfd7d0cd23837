//! What an array looks like: level, layout, chunk, slots.
//!
//! The names are the ones of the records. The numbers that md and dm use for the same layouts are here
//! too, because every format that stores a layout stores one of them or is translated to one.

use crate::units::{ChunkSectors, Slot};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// RAID level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Members one after the other.
    Linear,
    /// Striped, no redundancy.
    Raid0,
    /// Mirrored.
    Raid1,
    /// Striped with a dedicated parity member.
    Raid4,
    /// Striped with rotating parity (or one of the two fixed layouts).
    Raid5,
    /// Striped with two parities, P and Q.
    Raid6,
    /// Striped and mirrored in one level.
    Raid10,
}

impl Level {
    /// All levels.
    pub const ALL: [Self; 7] =
        [Self::Linear, Self::Raid0, Self::Raid1, Self::Raid4, Self::Raid5, Self::Raid6, Self::Raid10];

    /// The name in the records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Raid0 => "raid0",
            Self::Raid1 => "raid1",
            Self::Raid4 => "raid4",
            Self::Raid5 => "raid5",
            Self::Raid6 => "raid6",
            Self::Raid10 => "raid10",
        }
    }

    /// Number of parity members in a stripe.
    #[must_use]
    pub fn parities(self) -> u32 {
        match self {
            Self::Raid4 | Self::Raid5 => 1,
            Self::Raid6 => 2,
            _ => 0,
        }
    }

    /// Whether the level keeps every sector in more than one place or covered by parity.
    #[must_use]
    pub fn is_redundant(self) -> bool {
        !matches!(self, Self::Linear | Self::Raid0)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|level| level.name() == text)
            .ok_or_else(|| UnknownName::new("level", text))
    }
}

/// Where P (and Q) rotate to in raid4, raid5 and raid6. The value is md's layout number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
#[allow(missing_docs, reason = "the names are the field's own; the mapping is documented in raid-table")]
pub enum ParityLayout {
    LeftAsymmetric = 0,
    RightAsymmetric = 1,
    LeftSymmetric = 2,
    RightSymmetric = 3,
    ParityFirst = 4,
    ParityLast = 5,
    DdfZeroRestart = 8,
    DdfNRestart = 9,
    DdfNContinue = 10,
    LeftAsymmetric6 = 16,
    RightAsymmetric6 = 17,
    LeftSymmetric6 = 18,
    RightSymmetric6 = 19,
    ParityFirst6 = 20,
}

impl ParityLayout {
    /// All layouts, in the order of md's numbers.
    pub const ALL: [Self; 14] = [
        Self::LeftAsymmetric,
        Self::RightAsymmetric,
        Self::LeftSymmetric,
        Self::RightSymmetric,
        Self::ParityFirst,
        Self::ParityLast,
        Self::DdfZeroRestart,
        Self::DdfNRestart,
        Self::DdfNContinue,
        Self::LeftAsymmetric6,
        Self::RightAsymmetric6,
        Self::LeftSymmetric6,
        Self::RightSymmetric6,
        Self::ParityFirst6,
    ];

    /// The layout of that md number.
    #[must_use]
    pub fn from_md(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.md() == number)
    }

    /// md's number for the layout.
    #[must_use]
    pub fn md(self) -> u32 {
        self as u32
    }

    /// Whether the layout exists only for raid6.
    #[must_use]
    pub fn is_raid6_only(self) -> bool {
        self.md() >= 8
    }

    /// The name in the records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LeftAsymmetric => "left-asymmetric",
            Self::RightAsymmetric => "right-asymmetric",
            Self::LeftSymmetric => "left-symmetric",
            Self::RightSymmetric => "right-symmetric",
            Self::ParityFirst => "parity-first",
            Self::ParityLast => "parity-last",
            Self::DdfZeroRestart => "ddf-zero-restart",
            Self::DdfNRestart => "ddf-n-restart",
            Self::DdfNContinue => "ddf-n-continue",
            Self::LeftAsymmetric6 => "left-asymmetric-6",
            Self::RightAsymmetric6 => "right-asymmetric-6",
            Self::LeftSymmetric6 => "left-symmetric-6",
            Self::RightSymmetric6 => "right-symmetric-6",
            Self::ParityFirst6 => "parity-first-6",
        }
    }
}

/// How far sets of a raid10 are formed; see md's layout word, bits 17 and 18.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FarSets {
    /// Neither bit: all members are one set.
    #[default]
    Whole,
    /// Bit 17, the first attempt, which can put two copies on one member.
    Old,
    /// Bit 18, as dm-raid and newer md make them.
    Sets,
}

/// Layout of a raid10: `near` copies side by side, times `far` copies further down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Raid10Layout {
    /// Near copies, at least 1.
    pub near: u8,
    /// Far (or offset) copies, at least 1.
    pub far: u8,
    /// Far copies are in the next row (offset) instead of the next part of the member (far).
    pub offset: bool,
    /// How members are grouped for the far copies.
    pub sets: FarSets,
}

impl Raid10Layout {
    /// `near` copies and nothing else.
    #[must_use]
    pub fn near(copies: u8) -> Self {
        Self { near: copies, far: 1, offset: false, sets: FarSets::Whole }
    }

    /// Copies of every chunk.
    #[must_use]
    pub fn copies(self) -> u32 {
        u32::from(self.near) * u32::from(self.far)
    }

    /// The layout that md's word says; none when the word is not valid.
    #[must_use]
    pub fn from_md(word: u32) -> Option<Self> {
        let [near, far, _, _] = word.to_le_bytes();
        let sets = match word >> 17 {
            0 => FarSets::Whole,
            1 => FarSets::Old,
            2 => FarSets::Sets,
            _ => return None,
        };
        (near > 0 && far > 0).then_some(Self { near, far, offset: word & (1 << 16) != 0, sets })
    }

    /// md's word for the layout.
    #[must_use]
    pub fn md(self) -> u32 {
        let sets = match self.sets {
            FarSets::Whole => 0,
            FarSets::Old => 1 << 17,
            FarSets::Sets => 1 << 18,
        };
        u32::from(self.near) | u32::from(self.far) << 8 | u32::from(self.offset) << 16 | sets
    }
}

impl fmt::Display for Raid10Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.offset { "offset" } else { "far" };
        match (self.near, self.far) {
            (near, 1) if !self.offset => write!(f, "near-{near}")?,
            (1, far) => write!(f, "{kind}-{far}")?,
            (near, far) => write!(f, "near-{near}-{kind}-{far}")?,
        }
        f.write_str(match self.sets {
            FarSets::Whole => "",
            FarSets::Old => "-oldsets",
            FarSets::Sets => "-sets",
        })
    }
}

impl FromStr for Raid10Layout {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let unknown = || UnknownName::new("raid10 layout", text);
        let (body, sets) = match (text.strip_suffix("-oldsets"), text.strip_suffix("-sets")) {
            (Some(body), _) => (body, FarSets::Old),
            (None, Some(body)) => (body, FarSets::Sets),
            (None, None) => (text, FarSets::Whole),
        };
        let copies = |text: &str| text.parse::<u8>().ok().filter(|&copies| copies > 0).ok_or_else(unknown);
        let words: Vec<&str> = body.split('-').collect();
        let (near, kind, far) = match words.as_slice() {
            ["near", near] => (copies(near)?, "far", 1),
            ["near", near, kind, far] => (copies(near)?, *kind, copies(far)?),
            [kind, far] => (1, *kind, copies(far)?),
            _ => return Err(unknown()),
        };
        match kind {
            "far" => Ok(Self { near, far, offset: false, sets }),
            "offset" => Ok(Self { near, far, offset: true, sets }),
            _ => Err(unknown()),
        }
    }
}

/// Where a raid10 puts far copies: each is `near` slots further on than the one before, inside a set of slots. A set
/// is all of them, or `far` (bit 17) or `near * far` (bit 18) parts of them; the last one takes the remainder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FarSteps {
    slots: u64,
    near: u64,
    set: u64,
    last_start: u64,
    last_size: u64,
}

impl FarSteps {
    /// The steps of a layout on so many slots. A layout that does not fit them gives some steps, not an error.
    #[must_use]
    pub fn new(layout: Raid10Layout, slots: u32) -> Self {
        let slots = u64::from(slots.max(1));
        let (near, far) = (u64::from(layout.near.max(1)), u64::from(layout.far.max(1)));
        let set = match layout.sets {
            FarSets::Whole => slots,
            FarSets::Old => (slots / far).max(1),
            FarSets::Sets => (near * far).min(slots),
        };
        Self { slots, near, set, last_start: (slots / set - 1) * set, last_size: set + slots % set }
    }

    /// The slot of the next far copy of what is in a slot. Which set a copy moves in is decided by the slot it moves
    /// from, whether it is the enlarged last one by the slot it moves to, as the kernel does.
    #[must_use]
    pub fn next(&self, slot: u64) -> u64 {
        let moved = slot + self.near;
        if !self.slots.is_multiple_of(self.set) && moved > self.last_start {
            self.last_start + (moved - self.last_start) % self.last_size
        } else {
            slot / self.set * self.set + moved % self.set
        }
    }

    /// The slot of the near copy from which so many steps lead to a slot.
    #[must_use]
    pub fn back(&self, slot: u64, steps: u64) -> u64 {
        let in_last = !self.slots.is_multiple_of(self.set) && slot >= self.last_start;
        let (start, size) =
            if in_last { (self.last_start, self.last_size) } else { (slot / self.set * self.set, self.set) };
        start + (slot - start + size - steps * self.near % size) % size
    }
}

/// The slots that hold copies of a raid10 chunk, near copies first, each followed by its far copies. `slots` is
/// the number of members; zero gives nothing.
pub fn raid10_copy_slots(layout: Raid10Layout, slots: u32, chunk: u64) -> impl Iterator<Item = Slot> {
    let steps = FarSteps::new(layout, slots);
    let (n, near) = (steps.slots, steps.near);
    let first = chunk.wrapping_mul(near);
    let far_copies = usize::from(layout.far.max(1));
    let copies = (0..near).flat_map(move |copy| {
        let near_copy = (first % n + copy) % n;
        std::iter::successors(Some(near_copy), move |&slot| Some(steps.next(slot))).take(far_copies)
    });
    let number = |slot| Slot(u32::try_from(slot).unwrap_or(u32::MAX));
    copies.map(number).take(if slots == 0 { 0 } else { usize::MAX })
}

/// How a raid0 of unequal members numbers its chunks after the smallest member has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Raid0Layout {
    /// By the chunk number in the whole array (kernels before 3.14; md's layout 1).
    Original,
    /// By the chunk number inside the zone (md's layout 2).
    Alternate,
}

/// Layout of an array, for the levels that have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layout {
    /// raid0 with members of different sizes.
    Raid0(Raid0Layout),
    /// raid4, raid5, raid6.
    Parity(ParityLayout),
    /// raid10.
    Raid10(Raid10Layout),
}

impl Layout {
    /// The parity layout, if it is one.
    #[must_use]
    pub fn parity(self) -> Option<ParityLayout> {
        match self {
            Self::Parity(layout) => Some(layout),
            _ => None,
        }
    }

    /// The raid10 layout, if it is one.
    #[must_use]
    pub fn raid10(self) -> Option<Raid10Layout> {
        match self {
            Self::Raid10(layout) => Some(layout),
            _ => None,
        }
    }
}

impl From<ParityLayout> for Layout {
    fn from(layout: ParityLayout) -> Self {
        Self::Parity(layout)
    }
}

impl From<Raid10Layout> for Layout {
    fn from(layout: Raid10Layout) -> Self {
        Self::Raid10(layout)
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raid0(Raid0Layout::Original) => f.write_str("original"),
            Self::Raid0(Raid0Layout::Alternate) => f.write_str("alternate"),
            Self::Parity(layout) => f.write_str(layout.name()),
            Self::Raid10(layout) => layout.fmt(f),
        }
    }
}

impl FromStr for Layout {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text {
            "original" => return Ok(Self::Raid0(Raid0Layout::Original)),
            "alternate" => return Ok(Self::Raid0(Raid0Layout::Alternate)),
            // Q after P on the last two members is one layout under two names.
            "parity-last-6" => return Ok(Self::Parity(ParityLayout::ParityLast)),
            _ => {}
        }
        let parity = ParityLayout::ALL.into_iter().find(|layout| layout.name() == text).map(Self::Parity);
        match parity {
            Some(layout) => Ok(layout),
            None => text.parse().map(Self::Raid10).map_err(|_| UnknownName::new("layout", text)),
        }
    }
}

impl Serialize for Layout {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Layout {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Layout {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Layout".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> =
            ["original", "alternate"].into_iter().chain(ParityLayout::ALL.map(ParityLayout::name)).collect();
        schemars::json_schema!({
            "anyOf": [
                { "enum": names },
                { "type": "string",
                  "pattern": "^(near-[0-9]+|(near-[0-9]+-)?(far|offset)-[0-9]+)(-sets|-oldsets)?$" }
            ]
        })
    }
}

/// Level, layout, chunk and number of slots: all that the mapping of a whole array depends on,
/// beside the sizes of its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Geometry {
    /// Level.
    pub level: Level,
    /// Layout; none for linear, raid1, and raid0 with equal members.
    pub layout: Option<Layout>,
    /// Chunk; none for linear and raid1.
    #[serde(rename = "chunk_sectors")]
    pub chunk: Option<ChunkSectors>,
    /// Number of slots.
    pub slots: u32,
}

/// A name of level or layout that is not one of the contract's.
#[derive(Clone, Debug, thiserror::Error)]
#[error("unknown {kind} '{found}'")]
pub struct UnknownName {
    kind: &'static str,
    found: String,
}

impl UnknownName {
    fn new(kind: &'static str, found: &str) -> Self {
        Self { kind, found: found.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_name_reads_back_as_the_same_layout() {
        for layout in ParityLayout::ALL.map(Layout::Parity) {
            assert_eq!(layout.to_string().parse::<Layout>().unwrap(), layout);
        }
        for word in
            [0x102, 0x103, 0x201, 0x202, 0x10201, 0x10301, 0x50201, 0x40201, 0x20201, 0x40202, 0x10202]
        {
            let layout = Raid10Layout::from_md(word).unwrap();
            assert_eq!(layout.md(), word);
            assert_eq!(layout.to_string().parse::<Layout>().unwrap(), Layout::Raid10(layout), "{layout}");
        }
    }

    #[test]
    fn raid10_names_are_the_contracts() {
        let name = |word| Raid10Layout::from_md(word).unwrap().to_string();
        assert_eq!(name(0x102), "near-2");
        assert_eq!(name(0x201), "far-2");
        assert_eq!(name(0x10201), "offset-2");
        assert_eq!(name(0x202), "near-2-far-2");
        assert_eq!(name(0x40201), "far-2-sets");
        assert_eq!(name(0x20201), "far-2-oldsets");
        assert!(Raid10Layout::from_md(0x60201).is_none());
        assert!(Raid10Layout::from_md(0x100).is_none());
    }
}
