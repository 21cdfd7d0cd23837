//! What the kernel refuses.

use super::line::{Line, Target};
use super::raid_check::RaidRefused;
use super::simple::{Striped, Unstriped};
use raid_meta::units::Sectors;

/// Why the kernel would refuse a line, or a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A table without lines.
    #[error("there is nothing to map")]
    Empty,
    /// A line does not begin where the one before ends.
    #[error("the line at sector {found} should begin at sector {expected}")]
    Gap {
        /// Where the line begins.
        found: Sectors,
        /// Where the line before ends.
        expected: Sectors,
    },
    /// The line maps nothing, or more than there are sectors.
    #[error("the line at sector {start} has a length of {length} sectors")]
    Length {
        /// Where the line begins.
        start: Sectors,
        /// Its length.
        length: Sectors,
    },
    /// A striped or unstriped target whose numbers do not fit each other.
    #[error(
        "{target}: {stripes} stripes in chunks of {chunk} sectors do not fit a length of {length} sectors"
    )]
    Stripes {
        /// Target type.
        target: &'static str,
        /// Number of stripes.
        stripes: u64,
        /// Chunk.
        chunk: Sectors,
        /// Length of the line.
        length: Sectors,
    },
    /// A raid target.
    #[error("raid: {0}")]
    Raid(#[from] RaidRefused),
}

impl Line {
    /// Finds the first reason for which the kernel would refuse the line.
    ///
    /// # Errors
    /// The reason.
    pub fn check(&self) -> Result<(), Refused> {
        if self.length.is_zero() || self.start.checked_add(self.length).is_none() {
            return Err(Refused::Length { start: self.start, length: self.length });
        }
        match &self.target {
            Target::Striped(target) => target.check(self.length),
            Target::Unstriped(target) => target.check(self.length),
            Target::Raid(target) => Ok(target.check(self.length)?),
            _ => Ok(()),
        }
    }

    /// Checks each line, and that together they cover the device from its first sector.
    ///
    /// # Errors
    /// The first reason.
    pub fn check_table(lines: &[Self]) -> Result<(), Refused> {
        let mut expected = Sectors::ZERO;
        if lines.is_empty() {
            return Err(Refused::Empty);
        }
        for line in lines {
            line.check()?;
            if line.start != expected {
                return Err(Refused::Gap { found: line.start, expected });
            }
            expected = line.start.saturating_add(line.length);
        }
        Ok(())
    }
}

impl Striped {
    fn check(&self, length: Sectors) -> Result<(), Refused> {
        let stripes = self.stripes.len() as u64;
        let fits = self.chunk.checked_mul(stripes).is_some_and(|row| length.0.checked_rem(row.0) == Some(0));
        if fits {
            Ok(())
        } else {
            Err(Refused::Stripes { target: "striped", stripes, chunk: self.chunk, length })
        }
    }
}

impl Unstriped {
    fn check(&self, length: Sectors) -> Result<(), Refused> {
        let stripes = u64::from(self.stripes);
        let fits = self.stripe < self.stripes && length.0.checked_rem(self.chunk.0) == Some(0);
        if fits {
            Ok(())
        } else {
            Err(Refused::Stripes { target: "unstriped", stripes, chunk: self.chunk, length })
        }
    }
}
