//! From an `array` record to a volume.

use super::error::OpenVolumeError;
use super::leg::Leg;
use super::trust::TrustMap;
use super::{Part, Volume};
use crate::layout::{ArrayMap, Side, Stretch};
use raid_meta::device::ReadAt;
use raid_meta::geometry::{Layout, Level};
use raid_meta::group::{is_contradictory, loses_data};
use raid_meta::record::{ArrayMember, ArrayRecord, Health, MemberState, WriteLog};
use raid_meta::units::Sectors;
use std::sync::Arc;

/// How an array is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenOptions {
    /// Read what would be refused: stale members, untrusted sectors, where nothing better is there.
    pub force: bool,
    /// Layout to assume for a raid0 of unequal members that does not record one.
    pub raid0_layout: Option<Layout>,
}

/// Where the members of an array are read from.
pub trait Sources {
    /// Opens the device (window) or the subset that a member record names.
    ///
    /// # Errors
    /// One line: what can not be opened, and why.
    fn open(&self, member: &ArrayMember) -> Result<Arc<dyn ReadAt>, String>;
}

/// A member as the record has it, opened.
struct Opened {
    source: Arc<dyn ReadAt>,
    label: String,
    usable: bool,
}

impl Volume {
    /// Opens an array.
    ///
    /// # Errors
    /// Too few members, a record that can not be followed, or contents that can not be believed.
    pub fn open(
        array: &ArrayRecord,
        sources: &dyn Sources,
        options: OpenOptions,
    ) -> Result<Self, OpenVolumeError> {
        let array = with_raid0_layout(array, options);
        check_record(&array)?;
        refuse_doubtful(&array, options)?;
        let opened = open_members(&array, sources, options)?;
        let array = with_lengths(array, &opened);
        let layout = |source| OpenVolumeError::Layout { name: array.name.clone(), source };
        let map = ArrayMap::new(&array).map_err(layout)?;
        let stretches = map.stretches(Sectors::ZERO, array.size_sectors);
        let parts = stretches.map(|stretch| part(&array, &opened, &stretch)).collect::<Result<_, _>>()?;
        Ok(Self {
            name: array.name.clone(),
            size: array.size_sectors,
            parts,
            uncertain: array.reshape.as_ref().map(|reshape| reshape.uncertain.clone()).unwrap_or_default(),
            force: options.force,
        })
    }
}

pub(super) fn with_raid0_layout(array: &ArrayRecord, options: OpenOptions) -> ArrayRecord {
    let mut array = array.clone();
    if array.level == Level::Raid0 && array.layout.is_none() {
        array.layout = options.raid0_layout;
    }
    array
}

pub(super) fn record_error(array: &ArrayRecord, message: impl Into<String>) -> OpenVolumeError {
    OpenVolumeError::Record { name: array.name.clone(), message: message.into() }
}

pub(super) fn check_record(array: &ArrayRecord) -> Result<(), OpenVolumeError> {
    let most = match &array.reshape {
        Some(reshape) => reshape.from.slots.max(reshape.to.slots),
        None => array.slots,
    };
    if array.members.len() != most as usize {
        let found = array.members.len();
        return Err(record_error(
            array,
            format!("{found} members listed, expected one for each of {most} slots"),
        ));
    }
    for (expected, member) in array.members.iter().enumerate() {
        if member.slot.index() != expected {
            let message = format!("slot {} listed in place {expected}, expected slots in order", member.slot);
            return Err(record_error(array, message));
        }
    }
    Ok(())
}

/// What no look at the members can make good.
pub(super) fn refuse_doubtful(array: &ArrayRecord, options: OpenOptions) -> Result<(), OpenVolumeError> {
    if options.force {
        return Ok(());
    }
    let refused = |reason: String| Err(OpenVolumeError::Refused { name: array.name.clone(), reason });
    if array.write_log == Some(WriteLog::Journal) {
        return refused("the write journal has entries that were not replayed to the members".to_owned());
    }
    if array.health == Health::Reshaping && array.reshape.is_none() {
        return refused("it is between two geometries, and nothing says where".to_owned());
    }
    if is_contradictory(array) {
        let why =
            array.problems.iter().find(|problem| problem.is_error()).map(|problem| problem.message.as_str());
        return refused(format!("the members contradict each other: {}", why.unwrap_or_default()));
    }
    Ok(())
}

fn open_members(
    array: &ArrayRecord,
    sources: &dyn Sources,
    options: OpenOptions,
) -> Result<Vec<Option<Opened>>, OpenVolumeError> {
    let usable: Vec<bool> = array
        .members
        .iter()
        .map(|member| {
            let named = member.device.is_some() || member.array.is_some();
            named && matches!(member.state, MemberState::InSync | MemberState::Rebuilding)
        })
        .collect();
    let lost = match &array.reshape {
        None => loses_data(&array.geometry(), &usable),
        Some(reshape) => loses_data(&reshape.from, &usable) || loses_data(&reshape.to, &usable),
    };
    if lost && !options.force {
        return Err(too_few(array, &usable));
    }
    let mut opened = Vec::with_capacity(array.members.len());
    for (member, usable) in array.members.iter().zip(usable) {
        let named = member.device.is_some() || member.array.is_some();
        let wanted = usable || (options.force && named);
        opened.push(if wanted { open_member(array, member, usable, sources)? } else { None });
    }
    Ok(opened)
}

fn open_member(
    array: &ArrayRecord,
    member: &ArrayMember,
    usable: bool,
    sources: &dyn Sources,
) -> Result<Option<Opened>, OpenVolumeError> {
    let label = member.device.clone().or_else(|| member.array.clone()).unwrap_or_default();
    match sources.open(member) {
        Ok(source) => Ok(Some(Opened { source, label, usable })),
        Err(_) if !usable => Ok(None),
        Err(message) => {
            Err(OpenVolumeError::Member { name: array.name.clone(), slot: member.slot.0, message })
        }
    }
}

fn too_few(array: &ArrayRecord, usable: &[bool]) -> OpenVolumeError {
    let state = |member: &ArrayMember| {
        let state = serde_json::to_value(member.state).ok();
        let state = state.as_ref().and_then(serde_json::Value::as_str).unwrap_or("unknown").to_owned();
        format!(
            "slot {} is {}",
            member.slot,
            if member.device.is_none() { "missing".to_owned() } else { state }
        )
    };
    let missing: Vec<String> = array
        .members
        .iter()
        .zip(usable)
        .filter(|(_, usable)| !**usable)
        .map(|(member, _)| state(member))
        .collect();
    OpenVolumeError::Failed {
        name: array.name.clone(),
        level: array.level.to_string(),
        slots: u32::try_from(array.members.len()).unwrap_or(u32::MAX),
        lost: u32::try_from(missing.len()).unwrap_or(u32::MAX),
        missing: missing.join(", "),
    }
}

/// A record written by hand may leave lengths out: then the data goes to the end of the device.
fn with_lengths(mut array: ArrayRecord, opened: &[Option<Opened>]) -> ArrayRecord {
    for (member, opened) in array.members.iter_mut().zip(opened) {
        if let (None, Some(opened)) = (member.length_sectors, opened) {
            let size = opened.source.size().whole_sectors();
            member.length_sectors = Some(size.saturating_sub(member.offset_sectors.unwrap_or_default()));
        }
    }
    array
}

/// A stretch of the array with the members that hold it.
fn part(
    array: &ArrayRecord,
    opened: &[Option<Opened>],
    stretch: &Stretch<'_>,
) -> Result<Part, OpenVolumeError> {
    let slots = stretch.map.slots() as usize;
    let members = array.members.iter().zip(opened).take(slots);
    let legs = members.map(|(member, opened)| {
        let leg = opened.as_ref().map(|opened| leg(member, opened, stretch));
        leg.map(|leg| leg.ok_or_else(|| record_error(array, "offset_sectors is too large"))).transpose()
    });
    Ok(Part {
        start: stretch.start.0,
        end: stretch.start.saturating_add(stretch.length).0,
        map: stretch.map.clone(),
        legs: legs.collect::<Result<_, _>>()?,
        parity_valid_below: array.parity_valid_below().0,
    })
}

/// A member on one side of a reshape; none when its offset can not be.
fn leg(member: &ArrayMember, opened: &Opened, stretch: &Stretch<'_>) -> Option<Leg> {
    let moved = member.reshape_offset_sectors.filter(|_| stretch.side == Side::After);
    let offset = moved.or(member.offset_sectors).unwrap_or_default().to_bytes()?;
    let readable = opened.source.size().saturating_sub(offset).whole_sectors();
    let recovered = match (opened.usable, member.state) {
        (false, _) => Some(0),
        (true, MemberState::Rebuilding) => Some(member.recovered_sectors.unwrap_or_default().0),
        (true, _) => member.recovered_sectors.map(|recovered| recovered.0),
    };
    let trust = TrustMap::of_member(recovered, &member.bad_sectors, readable.0);
    Some(Leg { source: Arc::clone(&opened.source), offset, trust, label: opened.label.clone() })
}
