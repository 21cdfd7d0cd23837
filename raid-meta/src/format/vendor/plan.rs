//! New sets: what all firmware asks of the disks, the chunk and the size alike.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{data_members, geometry, round_down, share};
use crate::device::{Device, ReadAt};
use crate::format::create::{CreateError, NewSet};
use crate::geometry::{Geometry, Layout, Level, ParityLayout, Raid10Layout};
use crate::units::{ChunkSectors, SectorSize, Sectors, Slot};
use std::ops::RangeInclusive;

/// What a format, and the firmware that it belongs to, can do.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Name of the format.
    pub format: &'static str,
    /// The levels, each with its numbers of disks; of raid10 only the even ones.
    pub levels: &'static [(Level, RangeInclusive<usize>)],
    /// Layouts of raid5, the usual one first.
    pub parity: &'static [ParityLayout],
    /// Sectors in a chunk: the powers of two in this range.
    pub chunks: RangeInclusive<u32>,
    /// The usual chunk.
    pub usual_chunk: u32,
    /// Sectors at the end of each disk that are not for data.
    pub reserved: Sectors,
    /// Largest array.
    pub largest: Sectors,
    /// Most spares.
    pub spares: usize,
}

/// What a set comes out as.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Level, layout, chunk, slots.
    pub geometry: Geometry,
    /// The chunk, recorded also by levels that have none.
    pub chunk: ChunkSectors,
    /// How much of each disk is for data, by slot. Equal but for linear.
    pub lengths: Vec<Sectors>,
    /// Size of the array.
    pub size: Sectors,
}

impl Plan {
    /// How much of each disk is for data; of linear the smallest.
    #[must_use]
    pub fn length(&self) -> Sectors {
        self.lengths.iter().min().copied().unwrap_or_default()
    }
}

impl Rules {
    /// What the set comes out as.
    ///
    /// # Errors
    /// What the format can not do, or a disk that is too small.
    pub fn plan(&self, set: &NewSet) -> Result<Plan, CreateError> {
        set.only_versions(self.format, &[])?;
        self.check_count(set)?;
        let chunk = self.chunk(set)?;
        let slots = u32::try_from(set.disks.len()).unwrap_or(u32::MAX);
        let geometry = geometry(set.level, Some(chunk), slots, self.parity(set)?)
            .ok_or_else(|| self.invalid("level", set.level, "one that can be mapped"))?;
        let usable = self.usable(set)?;
        let (lengths, size) = match set.level {
            Level::Linear => self.concatenated(set, usable)?,
            _ => self.divided(set, chunk, slots, usable.iter().min().copied().unwrap_or_default())?,
        };
        let plan = Plan { geometry, chunk, lengths, size };
        self.check_spares(set, plan.length())?;
        Ok(plan)
    }

    fn check_count(&self, set: &NewSet) -> Result<(), CreateError> {
        let Some((level, counts)) = self.levels.iter().find(|(level, _)| *level == set.level) else {
            let names: Vec<&str> = self.levels.iter().map(|(level, _)| level.name()).collect();
            return Err(self.invalid("level", set.level, names.join(", ")));
        };
        let count = set.disks.len();
        let is_raid10 = *level == Level::Raid10;
        if counts.contains(&count) && (!is_raid10 || count.is_multiple_of(2)) {
            return Ok(());
        }
        let (least, most) = (counts.start(), counts.end());
        Err(self.invalid(
            "number of disks",
            count,
            match (least == most, is_raid10) {
                (true, _) => least.to_string(),
                (false, true) => format!("an even number from {least} to {most}"),
                (false, false) => format!("from {least} to {most}"),
            },
        ))
    }

    fn chunk(&self, set: &NewSet) -> Result<ChunkSectors, CreateError> {
        let chunk = set.chunk.map_or(self.usual_chunk, ChunkSectors::get);
        let is_possible = self.chunks.contains(&chunk) && chunk.is_power_of_two();
        ChunkSectors::new(chunk).filter(|_| is_possible).ok_or_else(|| {
            let (least, most) = (self.chunks.start(), self.chunks.end());
            let expected = format!("a power of two from {least} to {most} sectors");
            self.invalid("chunk", format!("{chunk} sectors"), expected)
        })
    }

    /// The layout of the level, where it is one that the format has.
    fn parity(&self, set: &NewSet) -> Result<Option<ParityLayout>, CreateError> {
        let possible: Vec<Layout> = match set.level {
            Level::Raid10 => vec![Layout::Raid10(Raid10Layout::near(2))],
            Level::Raid5 => self.parity.iter().copied().map(Layout::Parity).collect(),
            _ => Vec::new(),
        };
        match set.layout {
            Some(layout) if !possible.contains(&layout) => {
                let names: Vec<String> = possible.iter().map(Layout::to_string).collect();
                let expected = if names.is_empty() { "none".to_owned() } else { names.join(" or ") };
                Err(self.invalid("layout", layout, expected))
            }
            Some(layout) => Ok(layout.parity()),
            None => Ok(self.parity.first().copied()),
        }
    }

    /// What each disk has room for beside the metadata.
    fn usable(&self, set: &NewSet) -> Result<Vec<Sectors>, CreateError> {
        let slots = (0..).map(Slot);
        slots.zip(&set.disks).map(|(slot, disk)| self.room(slot, disk, Sectors(1))).collect()
    }

    fn room(&self, slot: Slot, disk: &Device, least: Sectors) -> Result<Sectors, CreateError> {
        let error = |message: String| {
            Err(CreateError::Disk { device: disk.label(), format: self.format, slot, message })
        };
        if disk.sector_size() != SectorSize::B512 {
            let size = disk.sector_size().bytes();
            return error(format!("its sectors have {size} bytes, the format knows only 512"));
        }
        let room = disk.length_sectors().saturating_sub(self.reserved);
        if room < least {
            let needed = least.saturating_add(self.reserved);
            return error(format!("it has {} sectors, expected at least {needed}", disk.length_sectors()));
        }
        Ok(room)
    }

    /// Disks of any size one after the other: the size follows from them.
    fn concatenated(
        &self,
        set: &NewSet,
        lengths: Vec<Sectors>,
    ) -> Result<(Vec<Sectors>, Sectors), CreateError> {
        let size = lengths.iter().fold(Sectors::ZERO, |sum, length| sum.saturating_add(*length));
        if let Some(wanted) = set.size.filter(|wanted| *wanted != size) {
            return Err(self.invalid(
                "size",
                format!("{wanted} sectors"),
                format!("{size}, the sum of the disks"),
            ));
        }
        if size > self.largest {
            return Err(self.invalid("size", format!("{size} sectors"), format!("at most {}", self.largest)));
        }
        Ok((lengths, size))
    }

    /// The same share of each disk, in whole chunks; of mirrors in sectors.
    fn divided(
        &self,
        set: &NewSet,
        chunk: ChunkSectors,
        slots: u32,
        usable: Sectors,
    ) -> Result<(Vec<Sectors>, Sectors), CreateError> {
        let parts = data_members(set.level, slots);
        let unit = (set.level != Level::Raid1).then_some(chunk);
        let most = round_down(usable.min(share(self.largest, parts)), unit);
        let length = match set.size {
            Some(size) => round_down(share(size, parts), unit),
            None => most,
        };
        if length.is_zero() || length > most {
            let wanted = set.size.unwrap_or(usable);
            let most = most.checked_mul(parts).unwrap_or(Sectors::MAX);
            let expected = format!("at least {} and at most {most}", unit.map_or(1, ChunkSectors::get));
            return Err(self.invalid("size", format!("{wanted} sectors"), expected));
        }
        let size = length.checked_mul(parts).unwrap_or(self.largest);
        if let Some(wanted) = set.size.filter(|wanted| *wanted != size) {
            let row = u64::from(unit.map_or(1, ChunkSectors::get)).saturating_mul(parts);
            return Err(self.invalid(
                "size",
                format!("{wanted} sectors"),
                format!("a multiple of {row}, {size} for example"),
            ));
        }
        Ok((set.disks.iter().map(|_| length).collect(), size))
    }

    fn check_spares(&self, set: &NewSet, length: Sectors) -> Result<(), CreateError> {
        if set.spares.len() > self.spares {
            let most = self.spares;
            return Err(self.invalid("number of spares", set.spares.len(), format!("at most {most}")));
        }
        let first = u32::try_from(set.disks.len()).unwrap_or(u32::MAX);
        for (slot, spare) in (first..).map(Slot).zip(&set.spares) {
            self.room(slot, spare, length)?;
        }
        Ok(())
    }

    /// The name as the bytes of a field of that length, if it is plain text that fits.
    ///
    /// # Errors
    /// It is not.
    pub fn name<const N: usize>(&self, name: &str, padding: u8) -> Result<[u8; N], CreateError> {
        let is_plain = name.bytes().all(|byte| matches!(byte, b' '..=b'~')) && name.trim() == name;
        let mut bytes = [padding; N];
        match bytes.get_mut(..name.len()).filter(|_| is_plain) {
            Some(place) => {
                place.copy_from_slice(name.as_bytes());
                Ok(bytes)
            }
            None => {
                let found = format!("'{}'", crate::escape::escape(name.as_bytes()));
                let expected = format!("at most {N} printable characters, no blank at either end");
                Err(self.invalid("name", found, expected))
            }
        }
    }

    fn invalid(&self, what: &'static str, found: impl ToString, expected: impl Into<String>) -> CreateError {
        CreateError::invalid(self.format, what, found, expected)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{DISK, blank, wanted};
    use super::*;

    const RULES: Rules = Rules {
        format: "test",
        levels: &[
            (Level::Linear, 1..=4),
            (Level::Raid0, 2..=4),
            (Level::Raid1, 2..=2),
            (Level::Raid10, 4..=8),
        ],
        parity: &[],
        chunks: 8..=128,
        usual_chunk: 128,
        reserved: Sectors(2),
        largest: Sectors(u32::MAX as u64),
        spares: 1,
    };

    fn refused(set: &NewSet) -> String {
        RULES.plan(set).unwrap_err().to_string()
    }

    #[test]
    fn stripes_are_cut_to_whole_chunks_and_mirrors_are_not() {
        let plan = RULES.plan(&wanted(Level::Raid0, 3, None)).unwrap();
        assert_eq!(plan.length(), Sectors((DISK - 2) / 128 * 128));
        assert_eq!(plan.size, Sectors(plan.length().0 * 3));
        assert_eq!(RULES.plan(&wanted(Level::Raid1, 2, None)).unwrap().size, Sectors(DISK - 2));
        let mut set = wanted(Level::Linear, 2, None);
        set.disks.extend(blank(1, 1000));
        assert_eq!(RULES.plan(&set).unwrap().lengths, [DISK - 2, DISK - 2, 998].map(Sectors));
    }

    #[test]
    fn a_size_is_divided_among_the_disks() {
        let sized = |size| NewSet { size: Some(Sectors(size)), ..wanted(Level::Raid10, 4, Some(16)) };
        let plan = RULES.plan(&sized(1088)).unwrap();
        assert_eq!((plan.length(), plan.size), (Sectors(544), Sectors(1088)));
        let refused = refused(&sized(1100));
        assert!(
            refused.ends_with("size is 1100 sectors, expected a multiple of 32, 1088 for example"),
            "{refused}"
        );
        let disks = blank(2, 1 << 40);
        assert_eq!(
            RULES.plan(&NewSet { disks, ..wanted(Level::Raid0, 2, None) }).unwrap().size,
            Sectors(u64::from(u32::MAX) / 256 * 256)
        );
    }

    #[test]
    fn what_can_not_be_says_what_could_be() {
        assert!(refused(&wanted(Level::Raid6, 4, None)).ends_with("expected linear, raid0, raid1, raid10"));
        assert!(refused(&wanted(Level::Raid1, 3, None)).ends_with("number of disks is 3, expected 2"));
        assert!(refused(&wanted(Level::Raid10, 5, None)).ends_with("expected an even number from 4 to 8"));
        assert!(refused(&wanted(Level::Raid0, 2, Some(96))).contains("a power of two from 8 to 128 sectors"));
        let set = NewSet { size: Some(Sectors(1 << 40)), ..wanted(Level::Raid0, 2, None) };
        assert!(refused(&set).contains("size is 1099511627776 sectors, expected at least 128"));
        let set = NewSet { disks: blank(2, 2), ..wanted(Level::Raid0, 2, None) };
        assert!(refused(&set).contains("it has 2 sectors, expected at least 3"));
        let set = NewSet { spares: blank(1, 100), ..wanted(Level::Raid0, 2, None) };
        assert!(refused(&set).contains("it has 100 sectors"));
        assert!(RULES.name::<4>("abcde", b' ').is_err());
        assert!(RULES.name::<4>("a\n", b' ').is_err());
        assert_eq!(RULES.name::<4>("ab", b' ').unwrap(), *b"ab  ");
    }
}
