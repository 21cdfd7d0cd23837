//! What became of several arrays.

use raid_meta::cli::Exit;

/// Whether any array could be dealt with, and of those that could not, the worse status.
#[derive(Debug, Default)]
pub(super) struct Tally {
    worked: bool,
    failed: Option<Exit>,
}

impl Tally {
    pub(super) fn add(&mut self, outcome: Result<(), Exit>) {
        match outcome {
            Ok(()) => self.worked = true,
            Err(exit) => self.failed = Some(self.failed.map_or(exit, |before| before.and(exit))),
        }
    }

    pub(super) fn exit(&self) -> Exit {
        match self.failed {
            None => Exit::Done,
            Some(_) if self.worked => Exit::Partly,
            Some(exit) => exit,
        }
    }
}
