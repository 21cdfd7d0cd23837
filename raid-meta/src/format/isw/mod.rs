//! Intel Matrix Storage: also Rapid Storage, VROC, and mdadm's `imsm`.
//!
//! One block of metadata, the MPB, describes a *container*: a table of disks, known by their hardware serial
//! numbers, and up to two volumes on them. Every member carries the same MPB at its end, with
//! a generation that rises with every write; a spare carries a small one of its own. While a volume is moved to another
//! geometry, the last sector of two of the disks records how far that has come.
//!
//! Offsets, rules and quirks are those that mdadm's and the firmware's metadata show; see the modules:
//! `place` where the MPB is, `mpb` its structures, `codec` bytes to structures and back, `migration` the record
//! of a reshape, `bbm` bad blocks, `ppl` the partial parity log, `check` the rules, `fields` every byte named,
//! `view` and `volume` what it all means, `family` whom to believe, `transition` a volume opened and closed.

mod bbm;
mod carve;
mod check;
mod codec;
mod create;
mod family;
mod fields;
mod meaning;
mod migration;
mod mpb;
mod names;
mod place;
mod ppl;
mod rebuild;
mod shape;
#[cfg(test)]
mod tests;
mod transition;
mod view;
mod volume;

pub(super) use create::create;
pub(super) use rebuild::renew;

use super::transition::{Present, Rewrite, Transition, TransitionError};
use super::{Decoded, Format, Found, Metadata, Range, Signature};
use crate::device::{Device, DeviceError, ReadAt};
use crate::model::{Area, Field, MemberView, ReshapeView, VolumeView};
use crate::record::{ChecksumState, Problem};
use crate::units::{Bytes, SectorSize};
use migration::RecordSector;
use mpb::{MAGIC, Migration, Mpb};
use place::Place;

const NAME: &str = "isw";

/// The format.
pub struct Isw;

impl Format for Isw {
    fn name(&self) -> &'static str {
        NAME
    }

    fn description(&self) -> &'static str {
        "Intel Matrix Storage, Rapid Storage, VROC (imsm)"
    }

    fn whole_disk_only(&self) -> bool {
        true
    }

    fn find(&self, device: &Device) -> Result<Vec<Found>, DeviceError> {
        let own_size = device.sector_size();
        if let Some(place) = signature(device, own_size)? {
            return Ok(read(device, place)?.into_iter().collect());
        }
        for other in [SectorSize::B512, SectorSize::B4096] {
            if let Some(place) = signature(device, other)?.filter(|_| other != own_size) {
                return Ok(vec![other_sector_size(place, other)]);
            }
        }
        Ok(Vec::new())
    }

    fn freshest(&self, views: &[&MemberView]) -> (usize, Vec<Problem>) {
        family::freshest(views)
    }

    fn reshape(&self, views: &[&VolumeView]) -> Option<ReshapeView> {
        migration::merge(views)
    }

    fn transition(
        &self,
        volume: &str,
        members: &[Present],
        to: Transition,
        _now: u64,
    ) -> Result<Vec<Rewrite>, TransitionError> {
        transition::transition(volume, members, to)
    }

    fn signatures(&self) -> &'static [Signature] {
        &carve::SIGNATURES
    }

    fn windows(&self, disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
        carve::windows(disk, at)
    }
}

/// The place of the anchor, if there is a signature with sectors of that size.
fn signature(device: &Device, sector: SectorSize) -> Result<Option<Place>, DeviceError> {
    let Some(place) = Place::new(device.size(), sector) else { return Ok(None) };
    let bytes = device.read(place.anchor, MAGIC.len())?;
    Ok(bytes.filter(|bytes| codec::is_ours(bytes)).map(|_| place))
}

/// The signature is where it would be with another sector size.
fn other_sector_size(place: Place, sector: SectorSize) -> Found {
    let size = sector.bytes();
    let message =
        format!("the metadata is where a disk with sectors of {size} bytes has it (--sector-size {size})");
    Found {
        metadata: None,
        offset: place.anchor,
        version: None,
        problems: vec![Problem::error("sector-size", message)],
    }
}

/// Reads and decodes the MPB whose anchor is known to be there.
fn read(device: &Device, place: Place) -> Result<Option<Found>, DeviceError> {
    let (mpb, problems) = match decode_at(device, place)? {
        Decoded::NotOurs => return Ok(None),
        decoded => decoded.into_parts(),
    };
    let last_sector = device.read(place.migration_record(), place.sector())?;
    let metadata = mpb.map(|mpb| IswMetadata::new(mpb, last_sector.as_deref(), problems.clone()));
    Ok(Some(Found {
        version: metadata.as_ref().map(Metadata::version),
        metadata: metadata.map(|metadata| Box::new(metadata) as Box<dyn Metadata>),
        offset: place.anchor,
        problems,
    }))
}

/// Decodes the MPB whose anchor is at a place.
fn decode_at(device: &Device, place: Place) -> Result<Decoded<Mpb>, DeviceError> {
    let Some(anchor) = device.read(place.anchor, place.sector())? else { return Ok(Decoded::NotOurs) };
    let place = codec::extent(place, &anchor);
    let bytes = device.read(place.start(), place.length())?;
    Ok(bytes.map_or(Decoded::NotOurs, |bytes| codec::decode(place, bytes)))
}

/// The sound MPB of a member.
fn carried(device: &Device) -> Option<Mpb> {
    let place = signature(device, device.sector_size()).ok().flatten()?;
    let (mpb, problems) = decode_at(device, place).ok()?.into_parts();
    mpb.filter(|mpb| problems.is_empty() && !mpb.is_spare_record())
}

/// The metadata of one disk.
#[derive(Debug)]
struct IswMetadata {
    mpb: Mpb,
    last_sector: Option<RecordSector>,
    /// What the decoder found.
    damage: Vec<Problem>,
}

impl IswMetadata {
    /// The last sector belongs to the metadata while it is used, or where something that looks like a record was left in it.
    fn new(mpb: Mpb, last_sector: Option<&[u8]>, damage: Vec<Problem>) -> Self {
        const BACKUP_GPT: &[u8] = b"EFI PART";
        let is_used = mpb.volumes.iter().any(|volume| volume.migration() == Some(Migration::General));
        let is_ours =
            |bytes: &&[u8]| is_used || bytes.iter().any(|&byte| byte != 0) && !bytes.starts_with(BACKUP_GPT);
        let last_sector = last_sector.filter(is_ours).and_then(RecordSector::decode);
        Self { mpb, last_sector, damage }
    }

    fn checksum(&self) -> ChecksumState {
        let has = |code: &str| self.damage.iter().any(|problem| problem.code == code);
        match (has("mpb-size"), has("checksum")) {
            (true, _) => ChecksumState::Unchecked,
            (_, true) => ChecksumState::Bad,
            (false, false) => ChecksumState::Ok,
        }
    }
}

impl Metadata for IswMetadata {
    fn format(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> String {
        self.mpb.version()
    }

    fn areas(&self) -> Vec<Area> {
        let mpb = Area {
            role: "mpb",
            offset: self.mpb.place.start(),
            bytes: codec::encode(&self.mpb),
            checksum: self.checksum(),
        };
        let record = self.last_sector.iter().map(|sector| Area {
            role: "migration-record",
            offset: self.mpb.place.migration_record(),
            bytes: sector.encode(),
            checksum: ChecksumState::Absent,
        });
        std::iter::once(mpb).chain(record).collect()
    }

    fn fields(&self) -> Vec<Field> {
        let mut fields = fields::mpb_fields(&self.mpb);
        fields.extend(self.last_sector.iter().flat_map(|sector| fields::migration_fields(&self.mpb, sector)));
        fields
    }

    fn check(&self) -> Vec<Problem> {
        let mut problems = self.damage.clone();
        problems.extend(check::all(&self.mpb, self.last_sector.as_ref()));
        problems
    }

    fn seal(&self, areas: &mut [Area]) {
        for area in areas.iter_mut().filter(|area| area.role == "mpb") {
            codec::seal(self.mpb.place, &mut area.bytes);
        }
    }

    fn view(&self, device: &Device) -> MemberView {
        view::view(&self.mpb, self.last_sector.as_ref().map(|sector| &sector.record), device)
    }
}
