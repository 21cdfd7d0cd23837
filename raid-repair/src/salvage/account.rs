//! What became of every sector of the array: the map, in memory.

use raid_table::volume::Origin;

/// What became of a sector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Not tried yet.
    Untried,
    /// Failed in a large piece, to be tried in smaller ones.
    Later,
    /// Lost.
    Lost,
    /// Read from a current member.
    Good,
    /// Computed by parity that is in step.
    Reconstructed,
    /// Obtained by parity that may be out of step.
    Unsynchronised,
    /// Obtained with the help of an older member.
    Stale,
}

impl State {
    const ALL: [Self; 7] = [
        Self::Untried,
        Self::Later,
        Self::Lost,
        Self::Good,
        Self::Reconstructed,
        Self::Unsynchronised,
        Self::Stale,
    ];

    /// Whether the bytes are in the image, true or not.
    #[must_use]
    pub fn is_obtained(self) -> bool {
        self >= Self::Good
    }
}

impl From<Origin> for State {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Member => Self::Good,
            Origin::Computed => Self::Reconstructed,
            Origin::Unsynchronised => Self::Unsynchronised,
            Origin::Stale => Self::Stale,
            Origin::Later => Self::Later,
            Origin::Lost => Self::Lost,
        }
    }
}

/// Sectors that follow each other and have the same state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// First sector.
    pub start: u64,
    /// Number of sectors, not zero.
    pub length: u64,
    /// Their state.
    pub state: State,
}

impl Piece {
    pub(super) fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }
}

/// Pieces that are kept of an array at most, eight bytes each.
pub const MAX_PIECES: usize = 1 << 20;

/// There are more pieces than are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany;

/// The pieces of an array from its beginning on, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// First sector of each piece, times 8, and its state.
    pieces: Vec<u64>,
    end: u64,
}

const STATE_BITS: u32 = 3;

impl Account {
    /// Adds a piece at the end.
    pub(super) fn push(&mut self, length: u64, state: State) -> Result<(), TooMany> {
        if length == 0 {
            return Ok(());
        }
        let end = self.end.checked_add(length).filter(|end| end.leading_zeros() >= STATE_BITS);
        let end = end.ok_or(TooMany)?;
        if self.pieces.last().map(|&piece| state_of(piece)) != Some(state) {
            if self.pieces.len() >= MAX_PIECES {
                return Err(TooMany);
            }
            self.pieces.push(self.end << STATE_BITS | state as u64);
        }
        self.end = end;
        Ok(())
    }

    /// The sector after the last.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// All pieces.
    pub fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        self.pieces_in(0, self.end)
    }

    /// The pieces of a range, cut off at its ends.
    pub fn pieces_in(&self, start: u64, end: u64) -> impl Iterator<Item = Piece> + '_ {
        let first = self.pieces.partition_point(|&piece| piece >> STATE_BITS <= start).saturating_sub(1);
        let rest = self.pieces.get(first..).unwrap_or_default();
        let ends = rest.iter().skip(1).map(|&piece| piece >> STATE_BITS).chain([self.end]);
        let cut = move |(&piece, last): (&u64, u64)| {
            let start = (piece >> STATE_BITS).max(start);
            let length = last.min(end).saturating_sub(start);
            Piece { start, length, state: state_of(piece) }
        };
        rest.iter()
            .zip(ends)
            .map(cut)
            .take_while(move |piece| piece.start < end)
            .filter(|piece| piece.length > 0)
    }

    /// Sectors of a state.
    #[must_use]
    pub fn total(&self, state: State) -> u64 {
        self.pieces().filter(|piece| piece.state == state).map(|piece| piece.length).sum()
    }
}

fn state_of(piece: u64) -> State {
    let number = usize::try_from(piece & ((1 << STATE_BITS) - 1)).unwrap_or_default();
    State::ALL.get(number).copied().unwrap_or(State::Untried)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_are_what_was_put_in(
            parts in proptest::collection::vec((0u64..9, 0usize..7), 0..40),
            start in 0u64..200,
            length in 0u64..200,
        ) {
            let mut account = Account::default();
            let mut expected = Vec::new();
            for (length, state) in parts {
                account.push(length, State::ALL[state]).unwrap();
                expected.extend(std::iter::repeat_n(State::ALL[state], usize::try_from(length).unwrap()));
            }
            prop_assert_eq!(account.end(), expected.len() as u64);
            let mut at = start;
            for piece in account.pieces_in(start, start + length) {
                prop_assert_eq!(piece.start, at);
                for sector in piece.start..piece.end() {
                    prop_assert_eq!(expected[usize::try_from(sector).unwrap()], piece.state);
                }
                at = piece.end();
            }
            prop_assert_eq!(at, (start + length).min(account.end()).max(start));
        }
    }

    #[test]
    fn more_pieces_than_are_kept_are_refused() {
        let mut account = Account::default();
        let states = [State::Good, State::Lost];
        for number in 0..MAX_PIECES {
            account.push(1, states[number % 2]).unwrap();
        }
        assert_eq!(account.push(1, State::Good), Err(TooMany));
        assert_eq!(account.push(1, State::Lost), Ok(()), "what is as the last piece is no new one");
    }
}
