//! The sectors of a device that its map says are read.

use super::{Line, MapError, Status, read_map};
use crate::units::{Bytes, SECTOR_BYTES, Sectors};
use std::io::BufRead;

/// Which sectors of a device were read. A sector of which a byte was not, was not; nor was what the map does not mention.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readable {
    /// Where what was read begins and ends, in turn. Eight bytes each: a map may have very many.
    edges: Vec<u64>,
}

impl Readable {
    /// Reads a map. About `limit` separate ranges are kept at most, 16 bytes each.
    ///
    /// # Errors
    /// As [`read_map`]; or there are more ranges.
    pub fn read(name: &str, input: impl BufRead, limit: usize) -> Result<Self, MapError> {
        let mut found = Self::default();
        // The bytes that follow each other and were read.
        let mut run = (Bytes::ZERO, Bytes::ZERO);
        read_map(name, input, |line| {
            let Line::Block(block) = line else { return Ok(()) };
            if block.status != Status::Finished {
                return Ok(());
            }
            if block.start == run.1 {
                run.1 = block.end();
                return Ok(());
            }
            found.add(std::mem::replace(&mut run, (block.start, block.end())), limit)
        })?;
        // The one that was open at the end is let in.
        let _ = found.add(run, usize::MAX);
        Ok(found)
    }

    fn add(&mut self, (start, end): (Bytes, Bytes), limit: usize) -> Result<(), String> {
        let (start, end) = (start.0.div_ceil(SECTOR_BYTES), end.0 / SECTOR_BYTES);
        if start >= end {
            return Ok(());
        }
        if self.ranges() >= limit {
            return Err(format!("more than {limit} separate ranges, which is more than can be kept"));
        }
        self.edges.extend([start, end]);
        Ok(())
    }

    /// How many separate ranges there are.
    #[must_use]
    pub fn ranges(&self) -> usize {
        self.edges.len() / 2
    }

    /// How many sectors were read.
    #[must_use]
    pub fn total(&self) -> Sectors {
        let length = |pair: &[u64]| match pair {
            [start, end] => end - start,
            _ => 0,
        };
        Sectors(self.edges.chunks(2).map(length).sum())
    }

    /// What was read here or there.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        let mut ranges: Vec<&[u64]> = self.edges.chunks(2).chain(other.edges.chunks(2)).collect();
        ranges.sort_unstable();
        let mut edges: Vec<u64> = Vec::with_capacity(self.edges.len());
        for range in ranges {
            let [start, end] = *range else { continue };
            match edges.last_mut() {
                Some(last) if start <= *last => *last = end.max(*last),
                _ => edges.extend([start, end]),
            }
        }
        Self { edges }
    }

    /// Whether a sector was read, and for how many sectors from there on the same is true.
    #[must_use]
    pub fn at(&self, sector: Sectors) -> (bool, Sectors) {
        let next = self.edges.partition_point(|&edge| edge <= sector.0);
        let end = self.edges.get(next).copied().unwrap_or(u64::MAX);
        (next % 2 == 1, Sectors(end - sector.0))
    }
}
