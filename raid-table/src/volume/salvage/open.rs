//! From an `array` record to what can be salvaged of it.

use super::super::holes::NextData;
use super::super::leg::Leg;
use super::super::nested::MAX_NESTING;
use super::super::open::{check_record, record_error, refuse_doubtful, with_raid0_layout};
use super::super::trust::TrustMap;
use super::super::{OpenOptions, OpenVolumeError};
use super::column::{Column, Source};
use super::recover::Scratch;
use super::{Part, Salvage};
use crate::layout::{ArrayMap, Side, Stretch};
use raid_meta::device::ReadAt;
use raid_meta::geometry::Layout;
use raid_meta::record::{ArrayMember, ArrayRecord, MemberState};
use raid_meta::rescue::Readable;
use raid_meta::units::{Bytes, Sectors};
use std::sync::Arc;

/// What may be used.
#[derive(Clone, Copy, Debug, Default)]
pub struct SalvageOptions {
    /// Parity that may be out of step, and arrays whose contents are in doubt as a whole.
    pub force: bool,
    /// Members that are older than the others, where nothing else is left.
    pub stale: bool,
    /// Layout to assume for a raid0 of unequal members that does not record one.
    pub raid0_layout: Option<Layout>,
}

/// A member's device.
pub struct MemberSource {
    /// The device, or the window of it that the record names.
    pub device: Arc<dyn ReadAt>,
    /// What of the whole device was read, by the map that was made with it.
    pub readable: Option<Arc<Readable>>,
}

/// Where the members of an array are read from.
pub trait SalvageSources {
    /// Opens the device (window) that a member record names.
    ///
    /// # Errors
    /// One line: what can not be opened, and why.
    fn open(&self, member: &ArrayMember) -> Result<MemberSource, String>;
}

impl Salvage {
    /// Opens an array whose members are devices, or other arrays among these records. A member that can not be opened is
    /// missing, and one of the notes.
    ///
    /// # Errors
    /// A record that can not be followed; contents that are in doubt as a whole, without force.
    pub fn open(
        array: &ArrayRecord,
        arrays: &[ArrayRecord],
        sources: &dyn SalvageSources,
        options: SalvageOptions,
    ) -> Result<Self, OpenVolumeError> {
        Opener { arrays, sources, options, depth: 0 }.open(array)
    }
}

struct Opener<'a> {
    arrays: &'a [ArrayRecord],
    sources: &'a dyn SalvageSources,
    options: SalvageOptions,
    depth: u32,
}

/// A member, opened, once for each geometry of the array.
struct Opened {
    source: OpenedSource,
    size: Bytes,
    label: String,
}

enum OpenedSource {
    Device(MemberSource),
    Set(String),
}

impl Opener<'_> {
    fn open(&self, array: &ArrayRecord) -> Result<Salvage, OpenVolumeError> {
        let SalvageOptions { force, raid0_layout, .. } = self.options;
        let array = with_raid0_layout(array, OpenOptions { force, raid0_layout });
        check_record(&array)?;
        refuse_doubtful(&array, OpenOptions { force, raid0_layout })?;
        let mut notes = Vec::new();
        let opened: Vec<Option<Opened>> =
            array.members.iter().map(|member| self.member(member, &mut notes)).collect();
        let array = with_lengths(array, &opened);
        let layout = |source| OpenVolumeError::Layout { name: array.name.clone(), source };
        let map = ArrayMap::new(&array).map_err(layout)?;
        let stretches = map.stretches(Sectors::ZERO, array.size_sectors);
        let parts = stretches.map(|stretch| self.part(&array, &opened, &stretch));
        let parts = parts.collect::<Result<_, _>>()?;
        let uncertain = array.reshape.as_ref().map(|reshape| reshape.uncertain.clone()).unwrap_or_default();
        let (name, size) = (array.name, array.size_sectors);
        Ok(Salvage { name, size, parts, uncertain, options: self.options, notes })
    }

    /// Opens a member, unless it is missing.
    fn member(&self, member: &ArrayMember, notes: &mut Vec<String>) -> Option<Opened> {
        let is_usable = matches!(member.state, MemberState::InSync | MemberState::Rebuilding);
        let label = member.device.clone().or_else(|| member.array.clone())?;
        if member.state == MemberState::Missing || !(is_usable || self.options.stale) {
            return None;
        }
        let source = match &member.array {
            Some(name) => self.subset(name).map(|set| {
                notes.extend(set.notes.iter().cloned());
                (OpenedSource::Set(name.clone()), set.size.to_bytes().unwrap_or(Bytes::MAX))
            }),
            None => self.sources.open(member).map(|source| {
                let size = source.device.size();
                (OpenedSource::Device(source), size)
            }),
        };
        match source {
            Ok((source, size)) => Some(Opened { source, size, label }),
            Err(message) => {
                notes.push(format!("slot {}: {message}", member.slot));
                None
            }
        }
    }

    fn subset(&self, name: &str) -> Result<Salvage, String> {
        if self.depth >= MAX_NESTING {
            return Err(format!("array {name}: nested more than {MAX_NESTING} deep"));
        }
        let Some(array) = self.arrays.iter().find(|array| array.name == name) else {
            return Err(format!("array {name}: not among the records"));
        };
        Opener { depth: self.depth + 1, ..*self }.open(array).map_err(|error| error.to_string())
    }

    /// A stretch of the array with the members that hold it.
    fn part(
        &self,
        array: &ArrayRecord,
        opened: &[Option<Opened>],
        stretch: &Stretch<'_>,
    ) -> Result<Part, OpenVolumeError> {
        let members = array.members.iter().zip(opened).take(stretch.map.slots() as usize);
        let column = |(member, opened): (&ArrayMember, &Option<Opened>)| {
            let column = opened.as_ref().map(|opened| self.column(array, member, opened, stretch));
            column.transpose()
        };
        Ok(Part {
            start: stretch.start.0,
            end: stretch.start.saturating_add(stretch.length).0,
            map: stretch.map.clone(),
            columns: members.map(column).collect::<Result<_, _>>()?,
            parity_valid_below: array.parity_valid_below().0,
            scratch: Scratch::default(),
        })
    }

    fn column(
        &self,
        array: &ArrayRecord,
        member: &ArrayMember,
        opened: &Opened,
        stretch: &Stretch<'_>,
    ) -> Result<Column, OpenVolumeError> {
        let moved = member.reshape_offset_sectors.filter(|_| stretch.side == Side::After);
        let start = moved.or(member.offset_sectors).unwrap_or_default();
        let offset = start.to_bytes().ok_or_else(|| record_error(array, "offset_sectors is too large"))?;
        let recovered = match member.state {
            MemberState::Rebuilding => Some(member.recovered_sectors.unwrap_or_default().0),
            _ => member.recovered_sectors.map(|recovered| recovered.0),
        };
        let end = opened.size.saturating_sub(offset).whole_sectors();
        let label = opened.label.clone();
        let (source, readable) = match &opened.source {
            OpenedSource::Device(MemberSource { device, readable }) => {
                let trust = TrustMap::default();
                let leg = Leg { source: Arc::clone(device), offset, trust, label: label.clone() };
                let first = member.device_offset_sectors.unwrap_or_default().saturating_add(start);
                (Source::Device(leg), readable.clone().map(|readable| (readable, first.0)))
            }
            OpenedSource::Set(name) => {
                let set = self.subset(name).map_err(|message| record_error(array, message))?;
                (Source::Set(Box::new(set), start.0), None)
            }
        };
        Ok(Column {
            source,
            trust: TrustMap::of_member(recovered, &member.bad_sectors, end.0),
            readable,
            is_stale: matches!(member.state, MemberState::Stale | MemberState::Failed),
            label,
            known: Default::default(),
            holes: NextData::default(),
        })
    }
}

/// A record written by hand may leave lengths out: then the data goes to the end of the device.
fn with_lengths(mut array: ArrayRecord, opened: &[Option<Opened>]) -> ArrayRecord {
    for (member, opened) in array.members.iter_mut().zip(opened) {
        if let (None, Some(opened)) = (member.length_sectors, opened) {
            let size = opened.size.whole_sectors();
            member.length_sectors = Some(size.saturating_sub(member.offset_sectors.unwrap_or_default()));
        }
    }
    array
}
