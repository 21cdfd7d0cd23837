//! Why a geometry can not be mapped.

use raid_meta::geometry::{Layout, Level, Raid10Layout};
use raid_meta::units::{ChunkSectors, Sectors, Slot};

/// What is wrong with a geometry or the sizes that come with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// The level has chunks, and their size is not given.
    #[error("{level}: no chunk size")]
    ChunkMissing {
        /// The level.
        level: Level,
    },
    /// The level needs a power of two.
    #[error("{level}: chunk of {chunk} sectors, expected a power of two")]
    ChunkNotPowerOfTwo {
        /// The level.
        level: Level,
        /// The chunk.
        chunk: ChunkSectors,
    },
    /// The level can not be made of so few members.
    #[error("{level}: {found} slots, expected at least {minimum}")]
    TooFewSlots {
        /// The level.
        level: Level,
        /// Slots of the geometry.
        found: u32,
        /// The smallest number.
        minimum: u32,
    },
    /// More slots than any such array has.
    #[error("{level}: {found} slots, expected at most {maximum}")]
    TooManySlots {
        /// The level.
        level: Level,
        /// Slots of the geometry.
        found: u32,
        /// The largest number.
        maximum: u32,
    },
    /// The members given are not the slots.
    #[error("{found} members for {expected} slots")]
    LengthCount {
        /// Members given.
        found: usize,
        /// Slots of the geometry.
        expected: u32,
    },
    /// The mapping depends on the length of a member that is not known.
    #[error("slot {slot}: the length of its member is unknown, and the mapping depends on it")]
    LengthUnknown {
        /// The slot.
        slot: Slot,
    },
    /// The level has layouts, and none is given.
    #[error("{level}: no layout")]
    LayoutMissing {
        /// The level.
        level: Level,
    },
    /// The layout belongs to another level.
    #[error("{level}: '{layout}' is not a layout of this level")]
    LayoutNotOfLevel {
        /// The level.
        level: Level,
        /// The layout.
        layout: Layout,
    },
    /// Members differ in size, and the two ways to number chunks then give different data.
    #[error("raid0: members of {zones} different sizes and no layout, expected original or alternate")]
    Raid0LayoutUnknown {
        /// Different sizes, and so zones.
        zones: usize,
    },
    /// A raid10 wants more copies than it has members.
    #[error("raid10: '{layout}' makes {} copies, there are {slots} slots", layout.copies())]
    MoreCopiesThanSlots {
        /// The layout.
        layout: Raid10Layout,
        /// Slots of the geometry.
        slots: u32,
    },
    /// A raid10 whose mapping stores two chunks in one place: one of them is lost.
    #[error("raid10: '{layout}' on {slots} slots stores different data at one member sector")]
    CopiesOverlap {
        /// The layout.
        layout: Raid10Layout,
        /// Slots of the geometry.
        slots: u32,
    },
    /// The array is larger than anything that has byte addresses.
    #[error("the members are longer than {maximum} sectors in total")]
    TooLarge {
        /// The most that is mapped.
        maximum: Sectors,
    },
    /// The members are too short.
    #[error("the array has {size} sectors, its members hold {capacity}")]
    SizeBeyondMembers {
        /// Size of the array.
        size: Sectors,
        /// What the members hold.
        capacity: Sectors,
    },
    /// A reshape that does not fit the record it is in.
    #[error("a reshape from {from} to {to} slots in an array record with {members} members")]
    ReshapeSlots {
        /// Slots before.
        from: u32,
        /// Slots after.
        to: u32,
        /// Members of the record.
        members: usize,
    },
}
