//! Fields set to values; checksums follow.

use super::{Edit, EditError};
use crate::commit::Plan;
use crate::device::Device;
use crate::format::Metadata;
use crate::format::value::field_bytes;
use crate::identify::{Member, identify};
use crate::inspect::UnknownField;
use crate::model::{Area, Field};
use crate::record::{ChecksumState, Problem};
use crate::units::Bytes;
use serde_json::Value;

/// A field and the value it is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Name of the field, as `raid-meta dump` prints it.
    pub field: String,
    /// The value: see [`field_bytes`].
    pub value: Value,
}

/// Plans to set fields of a member, all at once. `device` is the member's window, open for reading. Checksums are made
/// right again, but for those that are set themselves; an area that nothing was set in and that was damaged before
/// stays as it is.
///
/// # Errors
/// There is no such field, it can not have that value, or the device can not be read.
pub fn set(device: &Device, member: &Member, assignments: &[Assignment]) -> Result<Edit, EditError> {
    let metadata = member.metadata().ok_or_else(|| EditError::undecoded(member))?;
    let before = metadata.areas();
    let writes = assigned(member, metadata, assignments)?;
    let mut areas = before.clone();
    put(&mut areas, &writes);
    let touched: Vec<bool> = areas.iter().zip(&before).map(|(now, then)| now.bytes != then.bytes).collect();
    metadata.seal(&mut areas);
    keep_damage(&mut areas, &before, &touched);
    put(&mut areas, &writes);
    let mut plan = Plan::default();
    // What makes the others count is the first of a format's areas, so it is written last.
    areas.reverse();
    plan.areas(device, member.format.name(), &areas)?;
    let mut after = identify(&plan.preview(device), &[member.format])?;
    after.retain(|other| other.found.offset == member.found.offset);
    let objections = objections(&member.problems, after.first());
    Ok(Edit { plan, after, objections })
}

/// What speaks against a change: errors that were not there before, and metadata that is not recognised any more.
fn objections(before: &[Problem], after: Option<&Member>) -> Vec<Problem> {
    let Some(member) = after.filter(|member| member.metadata().is_some()) else {
        return vec![Problem::error("unrecognised", "the metadata would not be recognised any more")];
    };
    let is_new = |problem: &&Problem| problem.is_error() && !before.contains(problem);
    member.problems.iter().filter(is_new).cloned().collect()
}

/// Where the bytes of a field are, and what they are to be.
type Write = (Bytes, Vec<u8>);

fn assigned(
    member: &Member,
    metadata: &dyn Metadata,
    assignments: &[Assignment],
) -> Result<Vec<Write>, EditError> {
    let fields = metadata.fields();
    let write = |assignment: &Assignment| {
        let names = fields.iter().map(|field| field.name.as_str());
        let field = fields
            .iter()
            .find(|field| field.name == assignment.field)
            .ok_or_else(|| UnknownField::new(member, &assignment.field, names))?;
        Ok((field.offset, bytes_of(member, field, &assignment.value)?))
    };
    assignments.iter().map(write).collect()
}

fn bytes_of(member: &Member, field: &Field, value: &Value) -> Result<Vec<u8>, EditError> {
    let size = usize::try_from(field.size).unwrap_or(usize::MAX);
    field_bytes(value, field.encoding, size).map_err(|error| EditError::Value {
        device: member.device.label(),
        format: member.format.name().to_owned(),
        field: field.name.clone(),
        error,
    })
}

fn put(areas: &mut [Area], writes: &[Write]) {
    for (offset, bytes) in writes {
        for area in areas.iter_mut() {
            crate::device::overlay(area.offset, &mut area.bytes, *offset, bytes);
        }
    }
}

/// Takes the sealing of areas back whose damage is not ours.
fn keep_damage(areas: &mut [Area], before: &[Area], touched: &[bool]) {
    for ((area, then), touched) in areas.iter_mut().zip(before).zip(touched) {
        if !touched && then.checksum == ChecksumState::Bad {
            area.bytes.clone_from(&then.bytes);
        }
    }
}
