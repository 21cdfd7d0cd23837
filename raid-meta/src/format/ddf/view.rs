//! What the metadata mean, as the disk that carries them sees it.
//!
//! A disk knows all disks and all virtual disks of its group, but the configuration of only those virtual disks,
//! and those elements of nested ones, that it is in itself. What it does not know is left open, and filled from
//! the views of the others by [`super::complete`].

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::copy::Kind;
use super::metadata::Ddf;
use super::names;
use super::structs::{PdEntry, pd_state, pd_type};
use super::volume;
use crate::device::Device;
use crate::model::{DiskKey, MemberView, VolumeView};
use crate::record::{Problem, Role};
use sha1::{Digest, Sha1};

/// How far behind a member may be: the disks are written one after the other, so a crash leaves some of them one
/// update behind. A disk that failed or is missing is recorded as that before anything is written without it.
const SLACK: u64 = 1;

/// The view of the device that carries the metadata.
pub(super) fn view(ddf: &Ddf, device: &Device) -> MemberView {
    let Some(header) = ddf.header() else { return MemberView::default() };
    let identity = identity(ddf, device);
    let disks = ddf.virtual_disks();
    let volumes = disks.iter().flat_map(|(index, disk)| volume::views(ddf, *index, disk, identity.reference));
    let sequence = u64::from(header.sequence_number);
    MemberView {
        set_id: names::guid_text(&header.ddf_header_guid),
        set_name: None,
        member_id: identity.guid,
        key: identity.reference.map(names::disk_key),
        family: String::new(),
        // What is being written does not count yet.
        generation: if header.is_open() { sequence.saturating_sub(1) } else { sequence },
        generation_slack: SLACK,
        content: content(ddf),
        updated: Some(names::unix_time(header.timestamp)),
        role: identity.role,
        volumes: unique(volumes.collect()),
        problems: identity.problems,
    }
}

/// All disks of a group carry the same tables of disks.
fn content(ddf: &Ddf) -> Option<String> {
    let tables = [Kind::PhysicalDisks, Kind::VirtualDisks].map(|kind| ddf.section(kind));
    let hash = tables.iter().flatten().fold(Sha1::new(), |hash, table| hash.chain_update(&table.bytes));
    Some(hex::encode(hash.finalize()))
}

/// Two entries with one GUID would be one volume twice.
fn unique(volumes: Vec<VolumeView>) -> Vec<VolumeView> {
    let mut kept: Vec<VolumeView> = Vec::with_capacity(volumes.len());
    for volume in volumes {
        if !kept.iter().any(|other| other.uuid == volume.uuid) {
            kept.push(volume);
        }
    }
    kept
}

/// Which disk of the table the device is.
struct Identity {
    reference: Option<u32>,
    guid: Option<DiskKey>,
    role: Role,
    problems: Vec<Problem>,
}

/// A disk knows its own reference, and the table what that disk is to the group.
fn identity(ddf: &Ddf, device: &Device) -> Identity {
    let Some(own) = ddf.disk_data() else {
        let message = format!("{}: which disk of the group it is can not be read", device.label());
        let problems = vec![Problem::error("slot-unknown", message)];
        return Identity { reference: None, guid: None, role: Role::Unknown, problems };
    };
    let disks = ddf.physical_disks();
    let entry = disks.iter().map(|(_, disk)| disk).find(|disk| disk.pd_reference == own.pd_reference);
    let (role, problem) = match entry {
        None => {
            let message = format!(
                "reference {:08x} is not in the table of disks: not of the group any more",
                own.pd_reference
            );
            (Role::Foreign, Some(Problem::warning("foreign", message)))
        }
        Some(disk) => (role(disk, !ddf.configs().is_empty()), None),
    };
    Identity {
        reference: Some(own.pd_reference),
        guid: Some(crate::escape::escape_padded(&own.pd_guid)),
        role,
        problems: problem.into_iter().collect(),
    }
}

fn role(disk: &PdEntry, has_config: bool) -> Role {
    if disk.pd_state & (pd_state::FAILED | pd_state::MISSING) != 0 {
        Role::Failed
    } else if disk.pd_type & pd_type::ACTIVE != 0 || has_config {
        Role::Active
    } else if disk.pd_type & (pd_type::GLOBAL_SPARE | pd_type::SPARE) != 0 {
        Role::Spare
    } else {
        Role::Unknown
    }
}
