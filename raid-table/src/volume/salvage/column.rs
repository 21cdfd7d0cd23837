//! A member: what of it can be used, and reading it without asking twice for what failed.

use super::super::holes::NextData;
use super::super::leg::{Leg, Piece, bytes};
use super::super::trust::{Distrust, TrustMap};
use super::known::Known;
use super::{Effort, Origin, Salvage, Tier};
use nix::errno::Errno;
use raid_meta::rescue::Readable;
use raid_meta::units::{SECTOR_BYTES, SECTOR_LENGTH, Sectors};
use std::io;
use std::sync::Arc;

/// A present member of one geometry.
pub(super) struct Column {
    pub(super) source: Source,
    /// What its metadata and its size say.
    pub(super) trust: TrustMap,
    /// What the map of its image says, and where the member's data begins in the image.
    pub(super) readable: Option<(Arc<Readable>, u64)>,
    /// Older than the others.
    pub(super) is_stale: bool,
    pub(super) label: String,
    /// What reading has shown: of a device always the same, of a set in each tier something else.
    pub(super) known: [Known; Tier::COUNT],
    /// Where its device has holes.
    pub(super) holes: NextData,
}

/// Where a member is read from.
pub(super) enum Source {
    Device(Leg),
    /// A subset, and where the member's data begins in it.
    Set(Box<Salvage>, u64),
}

/// Whether a sector can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Usable,
    /// Not asked for now: a large request for it failed.
    Suspect,
    Unusable(Why),
}

/// Why a sector can not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Stale,
    Distrusted(Distrust),
    NotInMap,
    Unreadable,
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stale => f.write_str("older than the others"),
            Self::Distrusted(distrust) => distrust.fmt(f),
            Self::NotInMap => f.write_str("not read by its map"),
            Self::Unreadable => f.write_str("unreadable"),
        }
    }
}

/// Pieces of an array that were filled: first array sector, number of sectors, how.
pub(super) type Filled = Vec<(u64, u64, Origin)>;

/// In which steps a request that failed is made smaller.
const STEPS: [u64; 3] = [128, 8, 1];

impl Column {
    /// Whether a sector can be used, and for how many sectors from there on this holds.
    pub(super) fn state(&self, sector: u64, tier: Tier, effort: Effort) -> (State, u64) {
        let (distrust, mut run) = self.trust.at(sector);
        if let Some(distrust) = distrust {
            return (State::Unusable(Why::Distrusted(distrust)), run);
        }
        if self.is_stale && !tier.is_stale() {
            return (State::Unusable(Why::Stale), run);
        }
        if let Some((readable, offset)) = &self.readable {
            let (is_readable, length) = readable.at(Sectors(offset.saturating_add(sector)));
            run = run.min(length.0.max(1));
            if !is_readable {
                return (State::Unusable(Why::NotInMap), run);
            }
        }
        let known = &self.known[self.ledger(tier)];
        let (has_failed, length) = known.failed.at(sector);
        run = run.min(length);
        if has_failed {
            return (State::Unusable(Why::Unreadable), run);
        }
        if effort == Effort::Quick {
            let (is_suspect, length) = known.suspect.at(sector);
            run = run.min(length);
            if is_suspect {
                return (State::Suspect, run);
            }
        }
        (State::Usable, run)
    }

    fn ledger(&self, tier: Tier) -> usize {
        if matches!(self.source, Source::Set(..)) { tier.0 } else { 0 }
    }

    /// How what is read from the member itself counts.
    fn own_origin(&self) -> Origin {
        if self.is_stale { Origin::Stale } else { Origin::Member }
    }

    /// Fills pieces. What can not be is remembered.
    pub(super) fn fill(&mut self, pieces: Vec<Piece<'_>>, tier: Tier, effort: Effort, filled: &mut Filled) {
        match effort {
            Effort::Quick if matches!(self.source, Source::Device(_)) => self.gather(pieces, tier, filled),
            _ => {
                for piece in pieces {
                    self.fill_piece(piece, tier, effort, filled);
                }
            }
        }
    }

    /// Fills pieces with large requests.
    fn gather(&mut self, pieces: Vec<Piece<'_>>, tier: Tier, filled: &mut Filled) {
        let origin = self.own_origin();
        let known = self.ledger(tier);
        let Source::Device(leg) = &self.source else { return };
        let length = |piece: &Piece<'_>| piece.buffer.len() as u64 / SECTOR_BYTES;
        let wanted: Vec<(u64, u64)> = pieces.iter().map(|piece| (piece.array, length(piece))).collect();
        let failed = leg.gather_data(&mut self.holes, pieces);
        if failed.len() < wanted.len() {
            self.known[known].request_worked();
        }
        if let (Some(first), Some(last)) = (failed.first(), failed.last()) {
            self.known[known].request_failed(first.sector, last.sector + length(last));
        }
        for piece in &failed {
            self.known[known].suspect.insert(piece.sector, piece.sector + length(piece));
        }
        let is_failed = |array: u64| failed.iter().any(|piece| piece.array == array);
        let worked = wanted.into_iter().filter(|&(array, _)| failed.is_empty() || !is_failed(array));
        filled.extend(worked.map(|(array, length)| (array, length, origin)));
    }

    fn fill_piece(&mut self, piece: Piece<'_>, tier: Tier, effort: Effort, filled: &mut Filled) {
        let Piece { array, sector, buffer } = piece;
        self.read_parts(sector, buffer, tier, effort, &mut |start, length, origin| {
            filled.push((array + (start - sector), length, origin));
        });
    }

    /// Fills a buffer; how. None when any of it can not be read, which is remembered.
    pub(super) fn read(
        &mut self,
        sector: u64,
        buffer: &mut [u8],
        tier: Tier,
        effort: Effort,
    ) -> Option<Origin> {
        let wanted = buffer.len() as u64 / SECTOR_BYTES;
        let (mut worst, mut total) = (Origin::Member, 0);
        self.read_parts(sector, buffer, tier, effort, &mut |_, length, origin| {
            worst = worst.max(origin);
            total += length;
        });
        (total == wanted).then_some(worst)
    }

    /// Reads what it can of a range, and says which parts.
    fn read_parts(
        &mut self,
        sector: u64,
        buffer: &mut [u8],
        tier: Tier,
        effort: Effort,
        filled: &mut dyn FnMut(u64, u64, Origin),
    ) {
        let own = self.own_origin();
        let known = self.ledger(tier);
        let known = &mut self.known[known];
        match &mut self.source {
            Source::Device(leg) if effort == Effort::Quick => {
                match leg.read_data(&mut self.holes, sector, buffer) {
                    Ok(()) => filled(sector, buffer.len() as u64 / SECTOR_BYTES, own),
                    Err(_) => known.request_failed(sector, sector + buffer.len() as u64 / SECTOR_BYTES),
                }
            }
            Source::Device(leg) => {
                narrow(leg, known, sector, buffer, &STEPS, &mut |start, length| filled(start, length, own));
            }
            Source::Set(set, offset) => {
                for part in set.read_up_to(offset.saturating_add(sector), buffer, effort, tier) {
                    let start = part.start.0.saturating_sub(*offset);
                    let end = start.saturating_add(part.length.0);
                    match part.origin {
                        Origin::Later => known.suspect.insert(start, end),
                        Origin::Lost => known.failed.insert(start, end),
                        origin => filled(start, part.length.0, origin.max(own)),
                    }
                }
            }
        }
    }
}

/// Reads a range in pieces as small as it takes, down to the sector. What fails is remembered.
fn narrow(
    leg: &Leg,
    known: &mut Known,
    sector: u64,
    buffer: &mut [u8],
    steps: &[u64],
    filled: &mut dyn FnMut(u64, u64),
) {
    let length = buffer.len() as u64 / SECTOR_BYTES;
    let error = match leg.read(sector, buffer) {
        Ok(()) => return filled(sector, length),
        Err(error) => error,
    };
    if is_gone(&error) {
        return known.failed.insert(0, u64::MAX);
    }
    let Some((step, smaller)) = smaller_steps(length, steps) else {
        return known.failed.insert(sector, sector + length);
    };
    // Along the blocks of the device, which fail as a whole.
    let first = leg.byte_offset(sector).map_or(sector, |offset| offset.0 / SECTOR_BYTES);
    let (mut at, mut rest) = (sector, buffer);
    // Where this ends early, the device is gone.
    while !rest.is_empty() && !known.failed.at(at).0 {
        let within = (first + (at - sector)) % step;
        let (now, after) = rest.split_at_mut(bytes(step - within).min(rest.len()));
        let length = (now.len() / SECTOR_LENGTH) as u64;
        narrow(leg, known, at, now, smaller, filled);
        rest = after;
        at += length;
    }
}

/// The first step that makes a request of that length smaller, and those after it; none for a single sector.
fn smaller_steps(length: u64, steps: &[u64]) -> Option<(u64, &[u64])> {
    let (&step, smaller) = steps.split_first()?;
    if step < length { Some((step, smaller)) } else { smaller_steps(length, smaller) }
}

/// Whether the device is not there any more, so that nothing else of it is worth asking for.
fn is_gone(error: &io::Error) -> bool {
    let gone = [Errno::ENODEV, Errno::ENXIO, Errno::ENOMEDIUM, Errno::ESHUTDOWN];
    error.raw_os_error().is_some_and(|code| gone.contains(&Errno::from_raw(code)))
}
