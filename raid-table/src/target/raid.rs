//! The `raid` target: md's personalities under device-mapper, target version 1.15.
//!
//! `TYPE #PARAMS CHUNK [PARAMS…] #DEVICES (META DATA)…`. `#PARAMS` counts every word up to `#DEVICES`.
//!
//! Measured on Linux 6.1 and 6.12:
//! * only `raid10_format` selects the layout of a raid10; the type names `raid10_far` and so on do not;
//! * `raid10_use_near_sets` is counted in `#PARAMS` but never printed, so the kernel does not accept the
//!   line that it prints. The reader takes a line that is one word short for such a line;
//! * a raid10 without any metadata device does not start: its layout word stays empty (6.1);
//! * `raid4` has its parity on the first device; md's raid4 has it on the last, which is `raid5_n`.

use super::device::Device;
use raid_meta::geometry::{Level, ParityLayout};
use raid_meta::units::Sectors;
use std::fmt;

/// Type of a raid target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the kernel's own; `geometry` says what they mean")]
pub enum RaidType {
    Raid0,
    Raid1,
    Raid4,
    Raid5N,
    Raid5La,
    Raid5Ra,
    Raid5Ls,
    Raid5Rs,
    Raid6Zr,
    Raid6Nr,
    Raid6Nc,
    Raid6N6,
    Raid6La6,
    Raid6Ra6,
    Raid6Ls6,
    Raid6Rs6,
    Raid10,
    Raid10Near,
    Raid10Far,
    Raid10Offset,
}

impl RaidType {
    /// All types, with the kernel's name, the level and the layout.
    const TABLE: [(Self, &'static str, Level, Option<ParityLayout>); 20] = [
        (Self::Raid0, "raid0", Level::Raid0, None),
        (Self::Raid1, "raid1", Level::Raid1, None),
        (Self::Raid4, "raid4", Level::Raid4, Some(ParityLayout::ParityFirst)),
        (Self::Raid5N, "raid5_n", Level::Raid5, Some(ParityLayout::ParityLast)),
        (Self::Raid5La, "raid5_la", Level::Raid5, Some(ParityLayout::LeftAsymmetric)),
        (Self::Raid5Ra, "raid5_ra", Level::Raid5, Some(ParityLayout::RightAsymmetric)),
        (Self::Raid5Ls, "raid5_ls", Level::Raid5, Some(ParityLayout::LeftSymmetric)),
        (Self::Raid5Rs, "raid5_rs", Level::Raid5, Some(ParityLayout::RightSymmetric)),
        (Self::Raid6Zr, "raid6_zr", Level::Raid6, Some(ParityLayout::DdfZeroRestart)),
        (Self::Raid6Nr, "raid6_nr", Level::Raid6, Some(ParityLayout::DdfNRestart)),
        (Self::Raid6Nc, "raid6_nc", Level::Raid6, Some(ParityLayout::DdfNContinue)),
        (Self::Raid6N6, "raid6_n_6", Level::Raid6, Some(ParityLayout::ParityLast)),
        (Self::Raid6La6, "raid6_la_6", Level::Raid6, Some(ParityLayout::LeftAsymmetric6)),
        (Self::Raid6Ra6, "raid6_ra_6", Level::Raid6, Some(ParityLayout::RightAsymmetric6)),
        (Self::Raid6Ls6, "raid6_ls_6", Level::Raid6, Some(ParityLayout::LeftSymmetric6)),
        (Self::Raid6Rs6, "raid6_rs_6", Level::Raid6, Some(ParityLayout::RightSymmetric6)),
        (Self::Raid10, "raid10", Level::Raid10, None),
        (Self::Raid10Near, "raid10_near", Level::Raid10, None),
        (Self::Raid10Far, "raid10_far", Level::Raid10, None),
        (Self::Raid10Offset, "raid10_offset", Level::Raid10, None),
    ];

    /// All types.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::TABLE.into_iter().map(|row| row.0)
    }

    /// The kernel's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The type of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|kind| kind.name() == name)
    }

    /// The level.
    #[must_use]
    pub fn level(self) -> Level {
        self.row().2
    }

    /// The layout, for the types with parity.
    #[must_use]
    pub fn layout(self) -> Option<ParityLayout> {
        self.row().3
    }

    /// The type for a level and layout with parity; none where the target has none.
    #[must_use]
    pub fn with_parity(level: Level, layout: ParityLayout) -> Option<Self> {
        Self::TABLE.into_iter().find(|row| row.2 == level && row.3 == Some(layout)).map(|row| row.0)
    }

    /// Fewest devices that the kernel accepts.
    #[must_use]
    pub fn min_devices(self) -> usize {
        if self.level() == Level::Raid6 { 4 } else { 2 }
    }

    fn row(self) -> (Self, &'static str, Level, Option<ParityLayout>) {
        // TABLE is in the order of the variants; the tests hold it to that.
        Self::TABLE.get(self as usize).copied().unwrap_or(Self::TABLE[0])
    }
}

/// `sync` or `nosync`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncMode {
    /// Resync even if the metadata says that all is in sync.
    Sync,
    /// Take all members for in sync.
    NoSync,
}

/// Layout of a raid10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raid10Format {
    /// Copies side by side.
    Near,
    /// Copies in the next part of the members.
    Far,
    /// Copies in the next row.
    Offset,
}

impl Raid10Format {
    pub(super) const ALL: [Self; 3] = [Self::Near, Self::Far, Self::Offset];

    /// The kernel's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Near => "near",
            Self::Far => "far",
            Self::Offset => "offset",
        }
    }
}

/// When a write to a journaled array is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalMode {
    /// When it is on the members.
    WriteThrough,
    /// When it is in the journal.
    WriteBack,
}

impl JournalMode {
    pub(super) const ALL: [Self; 2] = [Self::WriteThrough, Self::WriteBack];

    /// The kernel's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::WriteThrough => "writethrough",
            Self::WriteBack => "writeback",
        }
    }
}

/// A write journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// The device.
    pub device: Device,
    /// The mode, if given.
    pub mode: Option<JournalMode>,
}

/// The optional parameters; what is not given is not written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RaidParams {
    /// `sync`, `nosync`.
    pub sync: Option<SyncMode>,
    /// `rebuild`: members that are written anew.
    pub rebuild: Vec<u32>,
    /// `daemon_sleep`, milliseconds.
    pub daemon_sleep: Option<u64>,
    /// `min_recovery_rate`, KiB/s for each member.
    pub min_recovery_rate: Option<u64>,
    /// `max_recovery_rate`.
    pub max_recovery_rate: Option<u64>,
    /// `write_mostly`: members not read where another can be.
    pub write_mostly: Vec<u32>,
    /// `max_write_behind`.
    pub max_write_behind: Option<Sectors>,
    /// `stripe_cache`.
    pub stripe_cache: Option<Sectors>,
    /// `region_size`: sectors for each bit of the bitmap.
    pub region_size: Option<Sectors>,
    /// `raid10_copies`; 2 when not given.
    pub raid10_copies: Option<u32>,
    /// `raid10_format`; near when not given.
    pub raid10_format: Option<Raid10Format>,
    /// `raid10_use_near_sets`: md's layout bit 18 is left out, all members are one set.
    pub raid10_use_near_sets: bool,
    /// `delta_disks`: members added or, negative, removed by a reshape.
    pub delta_disks: Option<i32>,
    /// `data_offset`: where the data begins on each member.
    pub data_offset: Option<Sectors>,
    /// `journal_dev`, `journal_mode`.
    pub journal: Option<Journal>,
}

impl RaidParams {
    /// The words in the kernel's order, without the chunk.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = Words::default();
        match self.sync {
            Some(SyncMode::Sync) => words.flag("sync"),
            Some(SyncMode::NoSync) => words.flag("nosync"),
            None => {}
        }
        self.rebuild.iter().for_each(|index| words.pair("rebuild", Some(index)));
        words.pair("daemon_sleep", self.daemon_sleep);
        words.pair("min_recovery_rate", self.min_recovery_rate);
        words.pair("max_recovery_rate", self.max_recovery_rate);
        self.write_mostly.iter().for_each(|index| words.pair("write_mostly", Some(index)));
        words.pair("max_write_behind", self.max_write_behind);
        words.pair("stripe_cache", self.stripe_cache);
        words.pair("region_size", self.region_size);
        words.pair("raid10_copies", self.raid10_copies);
        words.pair("raid10_format", self.raid10_format.map(Raid10Format::name));
        if self.raid10_use_near_sets {
            words.flag("raid10_use_near_sets");
        }
        words.pair("delta_disks", self.delta_disks);
        words.pair("data_offset", self.data_offset);
        words.pair("journal_dev", self.journal.as_ref().map(|journal| &journal.device));
        words.pair(
            "journal_mode",
            self.journal.as_ref().and_then(|journal| journal.mode).map(JournalMode::name),
        );
        words.0
    }
}

#[derive(Default)]
struct Words(Vec<String>);

impl Words {
    fn flag(&mut self, name: &str) {
        self.0.push(name.to_owned());
    }

    fn pair(&mut self, name: &str, value: Option<impl fmt::Display>) {
        if let Some(value) = value {
            self.0.extend([name.to_owned(), value.to_string()]);
        }
    }
}

/// One member: `META DATA`, `-` for what is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leg {
    /// Superblock and bitmap.
    pub meta: Option<Device>,
    /// Data.
    pub data: Option<Device>,
}

impl fmt::Display for Leg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |device: &Option<Device>| device.as_ref().map_or("-".to_owned(), Device::to_string);
        write!(f, "{} {}", word(&self.meta), word(&self.data))
    }
}

/// A raid target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raid {
    /// Type.
    pub kind: RaidType,
    /// Chunk; 0 for raid1.
    pub chunk: Sectors,
    /// Parameters.
    pub params: RaidParams,
    /// Members, in order.
    pub legs: Vec<Leg>,
}

impl Raid {
    /// Whether both describe the same array over the same devices: aliases of the type, defaults that are
    /// written or not, and the order of repeatable parameters make no difference. Nor do those parameters
    /// that say nothing about the mapping: rates, caches, sleeps.
    #[must_use]
    pub fn maps_like(&self, other: &Self) -> bool {
        self.mapping() == other.mapping() && self.legs == other.legs
    }

    fn mapping(&self) -> impl PartialEq + use<> {
        let params = &self.params;
        let is_raid10 = self.kind.level() == Level::Raid10;
        let format = params.raid10_format.unwrap_or(Raid10Format::Near);
        let raid10 = (params.raid10_copies.unwrap_or(2), format.name(), params.raid10_use_near_sets);
        (
            if is_raid10 { RaidType::Raid10 } else { self.kind },
            self.chunk,
            is_raid10.then_some(raid10),
            sorted(&params.rebuild),
            params.delta_disks.unwrap_or(0),
            params.data_offset.unwrap_or_default(),
            params.journal.as_ref().map(|journal| journal.device.clone()),
        )
    }
}

fn sorted(indices: &[u32]) -> Vec<u32> {
    let mut indices = indices.to_vec();
    indices.sort_unstable();
    indices.dedup();
    indices
}

impl fmt::Display for Raid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.params.words();
        write!(f, "{} {} {}", self.kind.name(), words.len() + 1, self.chunk)?;
        words.iter().try_for_each(|word| write!(f, " {word}"))?;
        write!(f, " {}", self.legs.len())?;
        self.legs.iter().try_for_each(|leg| write!(f, " {leg}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_types_is_in_the_order_of_the_variants() {
        for kind in RaidType::all() {
            assert_eq!(RaidType::TABLE[kind as usize].0, kind);
            assert_eq!(RaidType::from_name(kind.name()), Some(kind));
        }
    }

    #[test]
    fn a_parity_layout_finds_its_type_and_a_layout_of_md_alone_finds_none() {
        use ParityLayout::*;
        assert_eq!(RaidType::with_parity(Level::Raid5, LeftSymmetric), Some(RaidType::Raid5Ls));
        assert_eq!(RaidType::with_parity(Level::Raid6, ParityLast), Some(RaidType::Raid6N6));
        assert_eq!(RaidType::with_parity(Level::Raid6, LeftSymmetric), None);
        assert_eq!(RaidType::with_parity(Level::Raid4, ParityFirst), Some(RaidType::Raid4));
        assert_eq!(RaidType::with_parity(Level::Raid4, ParityLast), None);
    }
}
