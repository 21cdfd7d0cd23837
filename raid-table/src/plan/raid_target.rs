//! Arrays that the format itself runs by the raid target, with metadata devices.

use super::Context;
use super::build::{Builder, Draft, Part};
use super::error::Reason;
use super::raid::in_sync;
use crate::layout::LayoutError;
use crate::target::{RaidParams, RaidType};
use raid_meta::geometry::{Level, Raid10Layout};
use raid_meta::record::{TableRecord, TuningRecord};
use raid_meta::units::Sectors;

impl Context<'_> {
    pub(super) fn raid_target(
        &self,
        mut builder: Builder,
        tuning: &TuningRecord,
    ) -> Result<Vec<TableRecord>, Reason> {
        let kind = self.target_type()?;
        let chunk = match self.array.level {
            Level::Raid1 => Sectors::ZERO,
            _ => self.chunk()?.sectors(),
        };
        let legs = self.slots().map(|slot| match self.source(slot) {
            None => Ok((None, None)),
            Some(source) => Ok((source.metadata(), Some(source.leg(&mut builder, self.map.used(slot))?))),
        });
        let legs: Vec<(Option<Part>, Option<Part>)> = legs.collect::<Result<_, Reason>>()?;
        let mut draft = Draft::default();
        draft.raid_with_metadata(kind, chunk, self.params(tuning)?, &legs, self.map.size())?;
        builder.array(draft)
    }

    fn target_type(&self) -> Result<RaidType, Reason> {
        let level = self.array.level;
        let parity = self.array.layout.and_then(|layout| layout.parity());
        let kind = match level {
            Level::Linear => None,
            Level::Raid0 => Some(RaidType::Raid0),
            Level::Raid1 => Some(RaidType::Raid1),
            Level::Raid10 => Some(RaidType::Raid10),
            _ => parity.and_then(|layout| RaidType::with_parity(level, layout)),
        };
        let layout = self.array.layout.map(|layout| format!(" {layout}")).unwrap_or_default();
        kind.ok_or_else(|| Reason::Unsupported { what: format!("{level}{layout} as a raid target") })
    }

    /// What is written is what the format records; none of it is a default. Without metadata devices the kernel is told
    /// to leave the members as they are.
    fn params(&self, tuning: &TuningRecord) -> Result<RaidParams, Reason> {
        let level = self.array.level;
        let has_metadata = self.sources.iter().flatten().any(|source| source.metadata().is_some());
        let base = match level {
            Level::Raid0 => RaidParams::default(),
            _ if has_metadata => RaidParams::default(),
            _ => in_sync(level),
        };
        let write_mostly = self.array.members.iter().filter(|member| member.write_mostly);
        Ok(RaidParams {
            min_recovery_rate: tuning.min_recovery_rate_kib_per_s.map(|rate| rate.0),
            max_recovery_rate: tuning.max_recovery_rate_kib_per_s.map(|rate| rate.0),
            write_mostly: write_mostly.map(|member| member.slot.0).collect(),
            max_write_behind: tuning.max_write_behind_sectors,
            region_size: tuning.region_size_sectors,
            raid10_copies: if level == Level::Raid10 { Some(self.copies()?) } else { None },
            data_offset: tuning.data_offset_sectors,
            ..base
        })
    }

    /// Of the layouts of a raid10 only near is run this way.
    fn copies(&self) -> Result<u32, Reason> {
        let layout = self.array.layout.and_then(|layout| layout.raid10());
        let layout = layout.ok_or(Reason::Layout(LayoutError::LayoutMissing { level: Level::Raid10 }))?;
        if layout == Raid10Layout::near(layout.near) {
            return Ok(u32::from(layout.near));
        }
        Err(Reason::Unsupported { what: format!("raid10 {layout} with metadata devices") })
    }
}
