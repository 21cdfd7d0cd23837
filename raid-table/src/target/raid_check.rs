//! What the kernel refuses in a raid target: the rules of `raid_ctr` of target version 1.15, measured on
//! Linux 6.1 and 6.12.

use super::raid::{Raid, Raid10Format, RaidParams, RaidType};
use raid_meta::geometry::Level;
use raid_meta::units::Sectors;

/// Most devices of a raid target.
pub(super) const MAX_DEVICES: usize = 253;
/// Smallest chunk.
const MIN_CHUNK: u64 = 8;
/// Smallest journal and data offset, where not zero.
const MIN_DATA_OFFSET: u64 = 32;
/// Most sectors of `max_write_behind`: twice the most bits of a bitmap counter.
const MAX_WRITE_BEHIND: u64 = 2 * 16383 + 1;

/// Why the kernel would refuse a raid target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RaidRefused {
    /// Too few or too many devices.
    #[error("{kind} with {found} devices, expected {min} to {MAX_DEVICES}")]
    Devices {
        /// Type.
        kind: &'static str,
        /// Devices.
        found: usize,
        /// Fewest.
        min: usize,
    },
    /// The chunk is not one of that level.
    #[error("{kind} with a chunk of {found} sectors, expected {expected}")]
    Chunk {
        /// Type.
        kind: &'static str,
        /// Chunk.
        found: Sectors,
        /// What it should be.
        expected: &'static str,
    },
    /// A parameter that the level does not take.
    #[error("{kind} does not take '{parameter}'")]
    Parameter {
        /// Type.
        kind: &'static str,
        /// Parameter.
        parameter: &'static str,
    },
    /// A parameter whose value is out of bounds or contradicts another.
    #[error("'{parameter} {found}': {expected}")]
    Value {
        /// Parameter.
        parameter: &'static str,
        /// Its value.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A metadata device without data.
    #[error("device {index} has metadata but no data")]
    MetadataAlone {
        /// Index of the device.
        index: usize,
    },
    /// A raid10 without metadata: it starts with an empty layout word.
    #[error("{kind} without metadata devices: the kernel gives it no layout, and does not start it")]
    Raid10WithoutMetadata {
        /// Type.
        kind: &'static str,
    },
    /// The length can not be spread over the data devices.
    #[error(
        "a length of {length} sectors can not be divided among {kind} over {devices} devices in chunks of {chunk}"
    )]
    Length {
        /// Length of the target.
        length: Sectors,
        /// Type.
        kind: &'static str,
        /// Devices.
        devices: usize,
        /// Chunk.
        chunk: Sectors,
    },
}

impl Raid {
    /// Finds the first reason for which the kernel would refuse a target of that length, or would accept
    /// it and then not serve its end.
    ///
    /// # Errors
    /// The reason.
    pub fn check(&self, length: Sectors) -> Result<(), RaidRefused> {
        self.check_devices()?;
        self.check_chunk()?;
        self.params.check_level(self.kind)?;
        self.params.check_values(self, length)?;
        self.check_length(length)
    }

    fn check_devices(&self) -> Result<(), RaidRefused> {
        let (found, min) = (self.legs.len(), self.kind.min_devices());
        if !(min..=MAX_DEVICES).contains(&found) {
            return Err(RaidRefused::Devices { kind: self.kind.name(), found, min });
        }
        if self.kind.level() == Level::Raid10 && self.legs.iter().all(|leg| leg.meta.is_none()) {
            return Err(RaidRefused::Raid10WithoutMetadata { kind: self.kind.name() });
        }
        match self.legs.iter().position(|leg| leg.meta.is_some() && leg.data.is_none()) {
            Some(index) => Err(RaidRefused::MetadataAlone { index }),
            None => Ok(()),
        }
    }

    fn check_chunk(&self) -> Result<(), RaidRefused> {
        let expected = match self.kind {
            RaidType::Raid1 if self.chunk.is_zero() => return Ok(()),
            RaidType::Raid1 => "0",
            _ if self.chunk.0 >= MIN_CHUNK && self.chunk.0.is_power_of_two() => return Ok(()),
            _ => "a power of two, 8 or more",
        };
        Err(RaidRefused::Chunk { kind: self.kind.name(), found: self.chunk, expected })
    }

    /// Each member gets a whole number of chunks: the kernel rounds down otherwise, and then queues what
    /// is above for ever.
    fn check_length(&self, length: Sectors) -> Result<(), RaidRefused> {
        let devices = self.legs.len();
        let member = match self.kind.level() {
            Level::Raid1 => Some(length),
            Level::Raid10 => length
                .checked_mul(u64::from(self.params.copies()))
                .and_then(|total| divide(total, devices as u64)),
            level => divide(length, devices as u64 - u64::from(level.parities())),
        };
        let parts = match self.params.raid10_format {
            Some(Raid10Format::Far | Raid10Format::Offset) => u64::from(self.params.copies()),
            _ => 1,
        };
        let unit = self.chunk.checked_mul(parts).filter(|unit| !unit.is_zero());
        let whole = member.is_some_and(|member| {
            !member.is_zero() && unit.is_none_or(|unit| member.0.checked_rem(unit.0) == Some(0))
        });
        if whole {
            return Ok(());
        }
        Err(RaidRefused::Length { length, kind: self.kind.name(), devices, chunk: self.chunk })
    }
}

fn divide(total: Sectors, parts: u64) -> Option<Sectors> {
    (total.0.checked_rem(parts) == Some(0)).then(|| Sectors(total.0 / parts))
}

impl RaidParams {
    fn copies(&self) -> u32 {
        self.raid10_copies.unwrap_or(2)
    }

    /// The parameters that are given, by name.
    fn given(&self) -> impl Iterator<Item = &'static str> + use<> {
        let words = self.words();
        ALLOWED.into_iter().map(|(name, _)| name).filter(move |name| words.iter().any(|word| word == name))
    }

    fn check_level(&self, kind: RaidType) -> Result<(), RaidRefused> {
        let refused = self.given().find(|&parameter| !is_allowed(parameter, kind.level()));
        refused.map_or(Ok(()), |parameter| Err(RaidRefused::Parameter { kind: kind.name(), parameter }))
    }

    fn check_values(&self, raid: &Raid, length: Sectors) -> Result<(), RaidRefused> {
        self.check_members(raid.legs.len())?;
        self.check_rates()?;
        self.check_raid10(raid.legs.len())?;
        self.check_region(raid.chunk, length)?;
        let offset_fits =
            |offset: Sectors| offset.is_zero() || (offset.0 >= MIN_DATA_OFFSET && offset.0.is_multiple_of(8));
        match self.data_offset {
            Some(offset) if !offset_fits(offset) => {
                refuse("data_offset", offset, "0, or a multiple of the page size and 32 or more")
            }
            _ if self.journal.is_some() && self.delta_disks.is_some() => {
                refuse("delta_disks", "", "a set with a journal can not be reshaped")
            }
            _ => Ok(()),
        }
    }

    fn check_members(&self, devices: usize) -> Result<(), RaidRefused> {
        let beyond = |indices: &[u32]| indices.iter().copied().find(|&index| index as usize >= devices);
        if let Some(index) = beyond(&self.rebuild) {
            return refuse("rebuild", index, "there is no such member");
        }
        if let Some(index) = beyond(&self.write_mostly) {
            return refuse("write_mostly", index, "there is no such member");
        }
        if !self.rebuild.is_empty() && self.sync.is_some() {
            return refuse("rebuild", "", "not together with sync or nosync");
        }
        let marked: std::collections::BTreeSet<u32> = self.write_mostly.iter().copied().collect();
        if !marked.is_empty() && marked.len() >= devices {
            return refuse("write_mostly", "", "one member must be left unmarked");
        }
        Ok(())
    }

    fn check_rates(&self) -> Result<(), RaidRefused> {
        match self.min_recovery_rate.zip(self.max_recovery_rate) {
            Some((min, max)) if min > max => {
                return refuse("min_recovery_rate", min, "more than max_recovery_rate");
            }
            _ => {}
        }
        match self.max_write_behind {
            Some(sectors) if sectors.0 > MAX_WRITE_BEHIND => {
                refuse("max_write_behind", sectors, "more than 32767")
            }
            _ => Ok(()),
        }
    }

    fn check_raid10(&self, devices: usize) -> Result<(), RaidRefused> {
        let copies = self.copies();
        if self.raid10_copies.is_some() && !(2..=devices).contains(&(copies as usize)) {
            return refuse("raid10_copies", copies, "expected 2 to the number of devices");
        }
        if self.raid10_use_near_sets && matches!(self.raid10_format, None | Some(Raid10Format::Near)) {
            return refuse("raid10_use_near_sets", "", "only with raid10_format far or offset");
        }
        Ok(())
    }

    fn check_region(&self, chunk: Sectors, length: Sectors) -> Result<(), RaidRefused> {
        let Some(region) = self.region_size else { return Ok(()) };
        let reason = if !region.0.is_power_of_two() {
            "expected a power of two"
        } else if region.0 < length.0 >> 21 {
            "expected at least a 2^21st of the length"
        } else if region < chunk {
            "smaller than the chunk"
        } else if region > length {
            "larger than the target"
        } else {
            return Ok(());
        };
        refuse("region_size", region, reason)
    }
}

fn refuse<T>(
    parameter: &'static str,
    found: impl std::fmt::Display,
    expected: &'static str,
) -> Result<T, RaidRefused> {
    Err(RaidRefused::Value { parameter, found: found.to_string(), expected })
}

/// Which levels take which parameter.
const ALLOWED: [(&str, &[Level]); 16] = {
    use Level::{Raid0, Raid1, Raid4, Raid5, Raid6, Raid10};
    const REDUNDANT: &[Level] = &[Raid1, Raid4, Raid5, Raid6, Raid10];
    const PARITY: &[Level] = &[Raid4, Raid5, Raid6];
    [
        ("sync", REDUNDANT),
        ("nosync", &[Raid1, Raid4, Raid5, Raid10]),
        ("rebuild", REDUNDANT),
        ("daemon_sleep", REDUNDANT),
        ("min_recovery_rate", REDUNDANT),
        ("max_recovery_rate", REDUNDANT),
        ("write_mostly", &[Raid1]),
        ("max_write_behind", &[Raid1]),
        ("stripe_cache", PARITY),
        ("region_size", REDUNDANT),
        ("raid10_copies", &[Raid10]),
        ("raid10_format", &[Raid10]),
        ("raid10_use_near_sets", &[Raid10]),
        ("delta_disks", REDUNDANT),
        ("data_offset", &[Raid0, Raid1, Raid4, Raid5, Raid6, Raid10]),
        ("journal_dev", PARITY),
    ]
};

fn is_allowed(parameter: &str, level: Level) -> bool {
    ALLOWED.iter().any(|(name, levels)| *name == parameter && levels.contains(&level))
}
