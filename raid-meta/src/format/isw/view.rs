//! What an MPB means, as the disk that carries it sees it.

use super::codec::encode_covered;
use super::migration::Record;
use super::mpb::{Mpb, status};
use super::names;
use super::volume::{self, Own};
use crate::device::Device;
use crate::model::{DiskKey, MemberView};
use crate::record::{Problem, Role};
use sha1::{Digest, Sha1};

/// The set of all spares: they have no set of their own, and join one only when one of its disks fails.
const SPARES: &str = "spare";

/// How far behind a member may be: the MPB is written to all members one after the other, so a crash leaves some of
/// them one generation behind. More is a member that missed a write.
const SLACK: u64 = 1;

/// The view of the device that carries the MPB.
pub(super) fn view(mpb: &Mpb, record: Option<&Record>, device: &Device) -> MemberView {
    let identity =
        if mpb.is_spare_record() { spare_identity(mpb, device) } else { member_identity(mpb, device) };
    let indexes = 0..mpb.volumes.len();
    MemberView {
        set_id: if mpb.is_spare_record() { SPARES.to_owned() } else { names::set_id(mpb) },
        set_name: None,
        member_id: identity.key.clone(),
        key: identity.key,
        family: format!("{:08x}", mpb.header.family_num),
        generation: u64::from(mpb.header.generation_num),
        generation_slack: SLACK,
        content: Some(hex::encode(Sha1::digest(encode_covered(mpb)))),
        updated: None,
        role: identity.role,
        volumes: indexes.map(|index| volume::view(mpb, index, identity.own, record, device)).collect(),
        problems: identity.problems,
    }
}

/// Which disk of the table the device is.
struct Identity {
    key: Option<DiskKey>,
    role: Role,
    own: Own,
    problems: Vec<Problem>,
}

impl Identity {
    fn unknown(problem: Problem) -> Self {
        Self { key: None, role: Role::Unknown, own: Own::Unknown, problems: vec![problem] }
    }
}

/// A disk finds itself in the table by its hardware serial, and by nothing else.
fn member_identity(mpb: &Mpb, device: &Device) -> Identity {
    let Some(serial) = device.serial().map(names::processed_serial).filter(|serial| !serial.is_empty())
    else {
        let message = format!(
            "{}: the disk's serial number is needed and not known (--serial PATH=TEXT, or a file PATH.serial)",
            device.label()
        );
        return Identity::unknown(Problem::error("slot-unknown", message));
    };
    let key = names::disk_key(&serial);
    let mut entries = mpb.disks.iter().enumerate().filter(|(_, disk)| disk.serial() == serial);
    match (entries.next(), entries.next()) {
        (None, _) => {
            let message = format!("the serial '{key}' is not in the disk table: not a member any more");
            let problems = vec![Problem::warning("foreign", message)];
            Identity { key: Some(key), role: Role::Foreign, own: Own::Foreign, problems }
        }
        (Some((index, disk)), None) => {
            Identity { key: Some(key), role: role(disk.status), own: Own::Entry(index), problems: Vec::new() }
        }
        (Some(_), Some(_)) => {
            let message = format!("the serial '{key}' is in the disk table more than once");
            Identity::unknown(Problem::error("slot-unknown", message))
        }
    }
}

fn role(status: u32) -> Role {
    if status & status::FAILED != 0 {
        Role::Failed
    } else if status & status::JOURNAL != 0 {
        Role::Journal
    } else if status & status::SPARE != 0 {
        Role::Spare
    } else {
        Role::Active
    }
}

/// A spare's private record has one disk: the spare itself.
fn spare_identity(mpb: &Mpb, device: &Device) -> Identity {
    let own = mpb.disks.first();
    let key = own.map(|disk| names::disk_key(&disk.serial));
    let serial = device.serial().map(names::processed_serial).map(|serial| names::disk_key(&serial));
    let mut problems = Vec::new();
    if let (Some(serial), Some(key)) = (&serial, &key)
        && serial != key
    {
        let message = format!("the spare record is of disk '{key}', the device's serial is '{serial}'");
        problems.push(Problem::warning("foreign", message));
    }
    let is_own = problems.is_empty();
    Identity { key, role: if is_own { Role::Spare } else { Role::Foreign }, own: Own::Foreign, problems }
}
