//! Tests of the maps: literal tables, properties, records.

mod properties;
mod records;
mod tables;

use super::{LayoutError, Map};
use proptest::test_runner::{Config as ProptestConfig, RngSeed};
use raid_meta::geometry::{Geometry, Layout, Level};
use raid_meta::units::{ChunkSectors, Sectors};

/// A map that uses all its members hold, with the size it then has.
fn full_map(geometry: &Geometry, lengths: &[Sectors]) -> Result<Map, LayoutError> {
    let size = Map::new(geometry, lengths, Sectors::ZERO)?.capacity();
    Map::new(geometry, lengths, size)
}

fn geometry(level: Level, layout: Option<Layout>, chunk: u32, slots: u32) -> Geometry {
    Geometry { level, layout, chunk: ChunkSectors::new(chunk), slots }
}

/// How many cases property tests try: a fixed sample, or many at random when `RAID_TESTS_LONG=1`.
pub(crate) fn config() -> ProptestConfig {
    let long = std::env::var_os("RAID_TESTS_LONG").is_some_and(|value| value == "1");
    let (cases, rng_seed) = if long { (100_000, RngSeed::Random) } else { (1000, RngSeed::Fixed(20)) };
    ProptestConfig { cases, rng_seed, ..ProptestConfig::default() }
}
