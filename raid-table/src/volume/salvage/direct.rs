//! Sectors that a member holds as they are.

use super::super::leg::{Piece, bytes};
use super::column::State;
use super::window::Window;
use super::{Effort, Part, Tier};
use crate::layout::Extent;
use raid_meta::units::Sectors;

impl Part {
    /// Reads what members hold as it is, from one copy after the other.
    pub(super) fn direct(&mut self, window: &mut Window<'_>, tier: Tier, effort: Effort) {
        while !window.is_settled() {
            let pieces = self.plan(window, tier, effort);
            if pieces.iter().all(Vec::is_empty) {
                return;
            }
            let mut filled = Vec::new();
            for (column, pieces) in self.columns.iter_mut().zip(pieces) {
                if let Some(column) = column.as_mut().filter(|_| !pieces.is_empty()) {
                    column.fill(pieces, tier, effort, &mut filled);
                }
            }
            for (array, length, origin) in filled {
                window.settle(array, length, origin);
            }
        }
    }

    /// What is not settled and a member can be asked for, by member.
    fn plan<'a>(&self, window: &'a mut Window<'_>, tier: Tier, effort: Effort) -> Vec<Vec<Piece<'a>>> {
        let mut pieces: Vec<Vec<Piece<'a>>> = self.columns.iter().map(|_| Vec::new()).collect();
        let mut runs = Vec::new();
        for extent in self.map.extents(Sectors(window.start), Sectors(window.sectors())) {
            let mut done = 0;
            while done < extent.length.0 {
                let array = extent.array.0 + done;
                let (settled, run) = window.at(array, extent.length.0 - done);
                let (choice, run) = match settled {
                    Some(_) => (None, run),
                    None => {
                        let (choice, most) = self.choose(&extent, done, tier, effort);
                        (choice, most.min(run))
                    }
                };
                runs.push((array, run, choice));
                done += run.max(1);
            }
        }
        let mut rest = &mut *window.buffer;
        for (array, run, choice) in runs {
            let (buffer, after) = std::mem::take(&mut rest).split_at_mut(bytes(run));
            rest = after;
            if let Some((list, sector)) =
                choice.and_then(|(slot, sector)| Some((pieces.get_mut(slot)?, sector)))
            {
                list.push(Piece { array, sector, buffer });
            }
        }
        pieces
    }

    /// The first copy that can be asked for `done` sectors into an extent, and for how long this holds.
    fn choose(&self, extent: &Extent, done: u64, tier: Tier, effort: Effort) -> (Option<(usize, u64)>, u64) {
        let mut shortest = u64::MAX;
        for place in &extent.copies {
            let Some(Some(column)) = self.columns.get(place.slot.index()) else { continue };
            let sector = place.sector.0 + done;
            let (state, run) = column.state(sector, tier, effort);
            shortest = shortest.min(run.max(1));
            if state == State::Usable {
                return (Some((place.slot.index(), sector)), shortest);
            }
        }
        (None, shortest)
    }
}
