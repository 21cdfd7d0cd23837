//! What the unit tests share.

use crate::commit::{CommitError, UndoStore};
use crate::record::RegionRecord;
use proptest::test_runner::{Config, RngSeed};

/// How a property is tried: `full` cases in a long run (`RAID_TESTS_LONG=1`), else a sixteenth of them from a fixed
/// seed.
pub(crate) fn property(full: u32) -> Config {
    if std::env::var_os("RAID_TESTS_LONG").is_some_and(|value| value == "1") {
        Config::with_cases(full)
    } else {
        Config { rng_seed: RngSeed::Fixed(1), ..Config::with_cases((full / 16).max(16)) }
    }
}

/// What was saved to undo a change, instead of a file.
#[derive(Default)]
pub(crate) struct Kept(pub(crate) Vec<RegionRecord>);

impl UndoStore for Kept {
    fn save(&mut self, regions: &[RegionRecord]) -> Result<String, CommitError> {
        self.0 = regions.to_vec();
        Ok("undo".to_owned())
    }
}
