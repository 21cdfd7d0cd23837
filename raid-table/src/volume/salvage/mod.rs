//! An array as far as it still exists, sector by sector.
//!
//! Where [`Volume`](super::Volume) refuses what can not be read truly, a [`Salvage`] goes on: it reads a range, says of every
//! sector how it was obtained, and leaves zeros where it is lost. Any number of members may be missing; each may have
//! parts that can not be read: by the map of the program that made its image, by its metadata, or because
//! reading fails. What counts is what is left of each sector, not of each member.
//!
//! A dying disk is asked as little as possible. The first time ([`Effort::Quick`]) everything is read in large
//! requests; what fails is not asked for again, more is left out behind it the longer it goes on, and redundancy has to do. Only
//! for what is then still missing are the members asked in ever smaller pieces ([`Effort::Thorough`]), once each.

mod column;
mod direct;
mod known;
mod open;
mod recover;
mod window;

pub use open::{MemberSource, SalvageOptions, SalvageSources};

use crate::layout::Map;
use column::Column;
use raid_meta::record::SectorRange;
use raid_meta::units::{SECTOR_BYTES, Sectors};
use recover::Scratch;
use window::Window;

/// How a sector was obtained, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Read from a current member that holds it.
    Member,
    /// Computed from current members by parity that is in step.
    Computed,
    /// Computed by parity that may be out of step, or read where a reshape was at work. Only with force.
    Unsynchronised,
    /// With the help of a member that is older than the others. Only where that is asked for.
    Stale,
    /// Not obtained yet: what is missing is readable perhaps in smaller pieces.
    Later,
    /// Lost.
    Lost,
}

impl Origin {
    /// Whether the bytes are there, true or not.
    #[must_use]
    pub fn is_obtained(self) -> bool {
        self <= Self::Stale
    }
}

/// How hard to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Large requests only.
    Quick,
    /// Down to the sector.
    Thorough,
}

/// What may be used beside current members and parity in step. Tried in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Tier(usize);

impl Tier {
    /// Number of tiers.
    const COUNT: usize = 4;
    const LAST: Self = Self(Self::COUNT - 1);

    fn is_unsynchronised(self) -> bool {
        matches!(self.0, 1 | 3)
    }

    fn is_stale(self) -> bool {
        self.0 >= 2
    }

    /// What comes of computing with it.
    fn computed(self) -> Origin {
        match self.0 {
            0 => Origin::Computed,
            1 => Origin::Unsynchronised,
            _ => Origin::Stale,
        }
    }
}

/// Sectors that follow each other and were obtained alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Obtained {
    /// First array sector.
    pub start: Sectors,
    /// Number of sectors.
    pub length: Sectors,
    /// How they were obtained.
    pub origin: Origin,
}

/// An array, read as far as it exists.
pub struct Salvage {
    name: String,
    size: Sectors,
    parts: Vec<Part>,
    uncertain: Vec<SectorRange>,
    options: SalvageOptions,
    notes: Vec<String>,
}

/// A range of the array with one geometry.
struct Part {
    start: u64,
    end: u64,
    map: Map,
    /// By slot; none where the member is missing.
    columns: Vec<Option<Column>>,
    /// Parity is valid below this member sector.
    parity_valid_below: u64,
    scratch: Scratch,
}

/// About how much is read at a time.
const WINDOW_SECTORS: u64 = 8192;

impl Salvage {
    /// Name of the array.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Size of the array.
    #[must_use]
    pub fn size(&self) -> Sectors {
        self.size
    }

    /// What had to be done without, a line each: members that could not be opened.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// How much is best read at a time, from a multiple of it on: whole stripes.
    #[must_use]
    pub fn window(&self) -> Sectors {
        let stripe = self.parts.first().map_or(1, Part::stripe_sectors);
        Sectors(if stripe <= WINDOW_SECTORS { WINDOW_SECTORS / stripe * stripe } else { WINDOW_SECTORS })
    }

    /// Fills a buffer of whole sectors inside the array, zeros where nothing was obtained, and says how each was.
    pub fn read(&mut self, start: Sectors, buffer: &mut [u8], effort: Effort) -> Vec<Obtained> {
        self.read_up_to(start.0, buffer, effort, Tier::LAST)
    }

    fn read_up_to(&mut self, start: u64, buffer: &mut [u8], effort: Effort, last: Tier) -> Vec<Obtained> {
        let mut found = Vec::new();
        let (mut at, mut rest) = (start, buffer);
        while !rest.is_empty() {
            let (length, is_uncertain) = self.stretch(at, rest.len() as u64 / SECTOR_BYTES);
            let (now, after) = rest.split_at_mut(super::leg::bytes(length).min(rest.len()));
            let mut window = Window::new(at, now);
            if self.options.force || !is_uncertain {
                let tiers = tiers(self.options).filter(|tier| *tier <= last);
                if let Some(part) = self.parts.iter_mut().find(|part| part.start <= at && at < part.end) {
                    part.obtain(&mut window, effort, tiers);
                }
            }
            if is_uncertain {
                window.mark_down(Origin::Unsynchronised);
            }
            window.finish(&mut found);
            rest = after;
            at = at.saturating_add(length.max(1));
        }
        found
    }

    /// How far from a sector on there is one geometry and one answer to whether a reshape was at work.
    fn stretch(&self, at: u64, most: u64) -> (u64, bool) {
        let edges = |range: &SectorRange| {
            [range.start_sectors.0, range.start_sectors.saturating_add(range.length_sectors).0]
        };
        let is_uncertain = self.uncertain.iter().map(edges).any(|[start, end]| start <= at && at < end);
        let ends = self.parts.iter().flat_map(|part| [part.start, part.end]);
        let next = ends.chain(self.uncertain.iter().flat_map(edges)).filter(|&edge| edge > at).min();
        (next.map_or(most, |next| (next - at).min(most)), is_uncertain)
    }

    /// Why a sector is lost, in a few words.
    #[must_use]
    pub fn reason(&self, sector: Sectors) -> String {
        if self.stretch(sector.0, 1).1 && !self.options.force {
            return "was being moved by a reshape, and may be in neither geometry".to_owned();
        }
        let part = self.parts.iter().find(|part| part.start <= sector.0 && sector.0 < part.end);
        part.map(|part| part.reason(sector.0)).unwrap_or_default()
    }
}

/// The tiers that the options allow.
fn tiers(options: SalvageOptions) -> impl Iterator<Item = Tier> {
    let is_allowed = move |tier: &Tier| {
        (options.force || !tier.is_unsynchronised()) && (options.stale || !tier.is_stale())
    };
    (0..Tier::COUNT).map(Tier).filter(is_allowed)
}

impl Part {
    /// Sectors of a whole stripe of data.
    fn stripe_sectors(&self) -> u64 {
        let geometry = self.map.geometry();
        let data = u64::from(geometry.slots.saturating_sub(geometry.level.parities()).max(1));
        geometry.chunk.map_or(1, |chunk| chunk.sectors().0).saturating_mul(data).max(1)
    }

    /// Obtains what it can of a window that lies inside the part.
    fn obtain(&mut self, window: &mut Window<'_>, effort: Effort, tiers: impl Iterator<Item = Tier>) {
        for tier in tiers {
            self.direct(window, tier, effort);
            self.recover(window, tier, effort);
            if effort == Effort::Quick {
                self.defer(window, tier);
            }
            if window.is_settled() {
                return;
            }
        }
    }
}
