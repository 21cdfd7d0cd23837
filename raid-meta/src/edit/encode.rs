//! A dump turned back into the bytes that it was made from.

use super::{Edit, EditError};
use crate::commit::Plan;
use crate::device::Device;
use crate::format::value::field_bytes;
use crate::format::{Format, Metadata};
use crate::identify::{Member, identify};
use crate::model::Field;
use crate::record::{FieldRecord, Problem};
use crate::units::{Bytes, Sectors};
use std::collections::HashSet;

/// The fields of one metadata instance.
#[derive(Clone, Debug)]
pub struct Dump {
    /// Start of the window that the offsets count from.
    pub device_offset: Sectors,
    /// Length of that window, if the dump says it.
    pub device_length: Option<Sectors>,
    format: &'static dyn Format,
    /// Where the first field of the stream is.
    first: Bytes,
    /// The fields, in the order of the device.
    fields: Vec<FieldRecord>,
    /// Bytes without gaps, in the order of the device.
    runs: Vec<(Bytes, Vec<u8>)>,
}

impl Dump {
    /// The dumps of a stream of fields: those of one window and one format belong together.
    ///
    /// # Errors
    /// A value does not fit its field, fields overlap, or a format is not known.
    pub fn collect(fields: Vec<FieldRecord>) -> Result<Vec<Self>, EditError> {
        let mut groups: Vec<Vec<FieldRecord>> = Vec::new();
        for field in fields {
            let of_one = |group: &&mut Vec<FieldRecord>| {
                group.first().is_some_and(|first| same_instance(first, &field))
            };
            match groups.iter_mut().find(of_one) {
                Some(group) => group.push(field),
                None => groups.push(vec![field]),
            }
        }
        groups.into_iter().map(Self::new).collect()
    }

    fn new(mut fields: Vec<FieldRecord>) -> Result<Self, EditError> {
        let Some(first) = fields.first().cloned() else { return Err(EditError::NothingDumped) };
        let format = crate::format::by_name(&first.format);
        let format = format.ok_or_else(|| error(&first, "no such format".to_owned()))?;
        fields.sort_by_key(|field| field.offset_bytes);
        let mut runs: Vec<(Bytes, Vec<u8>)> = Vec::new();
        for field in &fields {
            let bytes = bytes_of(field)?;
            let end = |run: &(Bytes, Vec<u8>)| run.0.saturating_add(Bytes(run.1.len() as u64));
            match runs.last_mut() {
                Some(run) if end(run) > field.offset_bytes => {
                    let message =
                        format!("{} at {} overlaps the field before it", field.name, field.offset_bytes);
                    return Err(error(field, message));
                }
                Some(run) if end(run) == field.offset_bytes => run.1.extend(bytes),
                _ => runs.push((field.offset_bytes, bytes)),
            }
        }
        Ok(Self {
            device_offset: first.device_offset_sectors,
            device_length: first.device_length_sectors,
            format,
            first: first.offset_bytes,
            fields,
            runs,
        })
    }

    /// The device that was dumped, escaped.
    #[must_use]
    pub fn device(&self) -> &str {
        self.fields.first().map(|field| field.device.as_str()).unwrap_or_default()
    }
}

fn same_instance(a: &FieldRecord, b: &FieldRecord) -> bool {
    let key = |field: &FieldRecord| (field.device.clone(), field.device_offset_sectors, field.format.clone());
    key(a) == key(b)
}

fn error(field: &FieldRecord, message: String) -> EditError {
    EditError::Dump { device: field.device.clone(), format: field.format.clone(), message }
}

fn bytes_of(field: &FieldRecord) -> Result<Vec<u8>, EditError> {
    /// A value takes at least a byte of the line that it is in.
    const MAX_FIELD: usize = 8 << 20;
    let encoding = field.encoding.ok_or_else(|| error(field, format!("{}: no encoding", field.name)))?;
    let size = usize::try_from(field.size_bytes.0).ok().filter(|size| *size <= MAX_FIELD);
    let size = size.ok_or_else(|| {
        error(field, format!("{} has {} bytes, expected at most {MAX_FIELD}", field.name, field.size_bytes))
    })?;
    field_bytes(&field.value, encoding.into(), size).map_err(|cause| EditError::Value {
        device: field.device.clone(),
        format: field.format.clone(),
        field: field.name.clone(),
        error: cause,
    })
}

/// Plans to write a dump to a device window. The bytes become those of the dump, whatever their checksums say, unless
/// `seal` makes these right. It is objected to when the result is not the metadata that was dumped, field by
/// field: then fields are missing, or it does not belong on a device of that size.
///
/// # Errors
/// The device can not be read, or ends before the metadata does.
pub fn encode(device: &Device, dump: &Dump, seal: bool) -> Result<Edit, EditError> {
    let mut plan = Plan::default();
    write(&mut plan, device, dump, &dump.runs)?;
    let mut after = instances(&plan.preview(device), dump)?;
    if seal {
        for metadata in after.iter().filter_map(Member::metadata) {
            let mut areas = metadata.areas();
            metadata.seal(&mut areas);
            let sealed: Vec<_> = areas.into_iter().map(|area| (area.offset, area.bytes)).collect();
            write(&mut plan, device, dump, &sealed)?;
        }
        after = instances(&plan.preview(device), dump)?;
    }
    let objections = contradiction(dump, &after, seal).into_iter().collect();
    Ok(Edit { plan, after, objections })
}

/// The run of the first field is written last: a dump begins with what makes the metadata count.
fn write(plan: &mut Plan, device: &Device, dump: &Dump, runs: &[(Bytes, Vec<u8>)]) -> Result<(), EditError> {
    let is_first = |run: &&(Bytes, Vec<u8>)| {
        run.0 <= dump.first && dump.first < run.0.saturating_add(Bytes(run.1.len() as u64))
    };
    let (first, others): (Vec<_>, Vec<_>) = runs.iter().partition(is_first);
    for (offset, bytes) in others.into_iter().chain(first) {
        plan.write(device, *offset, bytes, &format!("{} metadata", dump.format.name()))?;
        plan.barrier();
    }
    Ok(())
}

/// The metadata that a dump became: what the format finds, if a field of it is in the dump. A device that was used
/// twice has more than one.
fn instances(device: &Device, dump: &Dump) -> Result<Vec<Member>, EditError> {
    let known: HashSet<_> =
        dump.fields.iter().map(|field| (field.name.as_str(), field.offset_bytes)).collect();
    let holds = |member: &Member| {
        let fields = member.metadata().map(Metadata::fields).unwrap_or_default();
        fields.iter().any(|field| known.contains(&(field.name.as_str(), field.offset)))
    };
    let mut members = identify(device, &[dump.format])?;
    members.retain(holds);
    Ok(members)
}

/// The first field that the dump has and the result has not, or the other way round.
fn contradiction(dump: &Dump, after: &[Member], sealed: bool) -> Option<Problem> {
    let mut theirs: Vec<_> = after.iter().filter_map(Member::metadata).flat_map(Metadata::fields).collect();
    theirs.sort_by_key(|field| field.offset);
    if theirs.is_empty() {
        let message = "the metadata would not be recognised where the dump has it";
        return Some(Problem::error("unrecognised", message));
    }
    let mut expected = dump.fields.iter();
    for field in &theirs {
        let is_same = |ours: &FieldRecord| is_same(ours, field, sealed);
        if !expected.next().is_some_and(is_same) {
            let message = format!("{} at {} would not be as in the dump", field.name, field.offset);
            return Some(Problem::error("dump-contradiction", message));
        }
    }
    expected.next().map(|field| {
        let message = format!("{} at {} would not be part of the metadata", field.name, field.offset_bytes);
        Problem::error("dump-contradiction", message)
    })
}

/// Whether a field of the dump is a field of the result. Its value may have been written by hand, so that only the
/// bytes are compared; what was sealed has other checksums.
fn is_same(ours: &FieldRecord, theirs: &Field, sealed: bool) -> bool {
    let place = ours.name == theirs.name && ours.offset_bytes == theirs.offset;
    let size = usize::try_from(theirs.size).unwrap_or(usize::MAX);
    let is_sized = ours.size_bytes == Bytes(u64::from(theirs.size));
    let same_value = || {
        let encoding = ours.encoding.map_or(theirs.encoding, Into::into);
        let bytes = field_bytes(&ours.value, encoding, size);
        bytes.is_ok() && bytes == field_bytes(&theirs.value, theirs.encoding, size)
    };
    place && is_sized && (sealed || same_value())
}
